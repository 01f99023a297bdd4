/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.h - a certificate and its key, by which the web server proves who it is.
 *
 * Both are read from files while lastack may still read them, and checked against each other.
 * They may be replaced while connections are being made. The function that GnuTLS asks for them
 * is told neither the server nor anything of ours, so one pair is in use in a process.
 */
#ifndef LA_USER_TLS_H
#define LA_USER_TLS_H

#include <gnutls/abstract.h>

/* TLS 1.2 and 1.3: what is older is broken (RFC 8996). */
#define LA_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct la_tls;

/*
 * Reads a certificate, with those that vouch for it behind it, and its private key without a
 * passphrase, both in PEM. NULL: the reason is on stderr.
 */
struct la_tls *la_tls_read(const char *cert, const char *key);

/* Who connects from now on is shown this pair, which is ours from now on; NULL: none. */
void la_tls_use(struct la_tls *tls);

/* Where GnuTLS gets what la_tls_use() was given; for libmicrohttpd, from any thread. */
gnutls_certificate_retrieve_function3 la_tls_retrieve;

/* Frees what is not in use. NULL is allowed. */
void la_tls_free(struct la_tls *tls);

#endif
