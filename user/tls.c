/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.c - see tls.h.
 *
 * What is kept is the text of both files: each handshake makes certificates and key of it, and
 * GnuTLS frees them with that handshake. So a pair can be replaced whoever is just using it.
 */
#include "tls.h"
#include "options.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* More than any authority puts between its root and a server. */
#define CHAIN_MAX 16

struct la_tls {
	gnutls_datum_t cert, key; /* PEM */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct la_tls *in_use;

/* ---- what GnuTLS makes of them ---- */

/* Returns the certificates and how many they are; NULL: there are none, *err says why. */
static gnutls_pcert_st *make_chain(const struct la_tls *tls, unsigned int *count, int *err)
{
	gnutls_pcert_st *chain = gnutls_calloc(CHAIN_MAX, sizeof(*chain));

	*count = CHAIN_MAX;
	*err = chain ? gnutls_pcert_list_import_x509_raw(chain, count, &tls->cert,
							 GNUTLS_X509_FMT_PEM, 0)
		     : GNUTLS_E_MEMORY_ERROR;
	if (*err >= 0)
		return chain;
	gnutls_free(chain);
	return NULL;
}

static void free_chain(gnutls_pcert_st *chain, unsigned int count)
{
	for (unsigned int i = 0; chain && i < count; i++)
		gnutls_pcert_deinit(&chain[i]);
	gnutls_free(chain);
}

/* NULL: there is none, *err says why. */
static gnutls_privkey_t make_key(const struct la_tls *tls, int *err)
{
	gnutls_privkey_t key;

	*err = gnutls_privkey_init(&key);
	if (*err < 0)
		return NULL;
	*err = gnutls_privkey_import_x509_raw(key, &tls->key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (*err >= 0)
		return key;
	gnutls_privkey_deinit(key);
	return NULL;
}

int la_tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **certs, unsigned int *certs_length, gnutls_ocsp_data_st **ocsp,
		    unsigned int *ocsp_length, gnutls_privkey_t *privkey, unsigned int *flags)
{
	int err = GNUTLS_E_NO_CERTIFICATE_FOUND;

	(void)session, (void)info;
	*certs = NULL;
	*privkey = NULL;
	*ocsp = NULL;
	*ocsp_length = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	pthread_mutex_lock(&lock);
	if (in_use)
		*certs = make_chain(in_use, certs_length, &err);
	if (*certs)
		*privkey = make_key(in_use, &err);
	pthread_mutex_unlock(&lock);
	if (*privkey)
		return 0;
	free_chain(*certs, *certs_length);
	*certs = NULL;
	return err;
}

void la_tls_use(struct la_tls *tls)
{
	struct la_tls *before;

	pthread_mutex_lock(&lock);
	before = in_use;
	in_use = tls;
	pthread_mutex_unlock(&lock);
	la_tls_free(before);
}

/* ---- the files ---- */

static int load(const char *what, const char *path, gnutls_datum_t *text)
{
	errno = 0;
	if (!gnutls_load_file(path, text))
		return 0;
	return la_fail(LA_EXIT_USAGE, what, path, strerror(errno ? errno : EIO), NULL), -1;
}

/* Returns 0, or -1 with the reason on stderr. */
static int check_cert(const struct la_tls *tls, const char *path)
{
	unsigned int count;
	int err;
	gnutls_pcert_st *chain = make_chain(tls, &count, &err);

	if (!chain)
		return la_fail(LA_EXIT_USAGE, "no certificate", path, gnutls_strerror(err),
			       "a certificate in PEM was expected"),
		       -1;
	free_chain(chain, count);
	return 0;
}

static int check_key(const struct la_tls *tls, const char *path)
{
	int err;
	gnutls_privkey_t key = make_key(tls, &err);

	if (!key)
		return la_fail(LA_EXIT_USAGE, "no private key", path, gnutls_strerror(err),
			       "a key in PEM without a passphrase was expected"),
		       -1;
	gnutls_privkey_deinit(key);
	return 0;
}

static int check_pair(const struct la_tls *tls, const char *cert, const char *key)
{
	gnutls_certificate_credentials_t pair;
	int err = gnutls_certificate_allocate_credentials(&pair);

	if (err >= 0) {
		err = gnutls_certificate_set_x509_key_mem(pair, &tls->cert, &tls->key,
							  GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(pair);
	}
	if (err >= 0)
		return 0;
	return la_fail(LA_EXIT_USAGE, "no pair of certificate and key", cert, gnutls_strerror(err),
		       key),
	       -1;
}

struct la_tls *la_tls_read(const char *cert, const char *key)
{
	struct la_tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		la_fail(LA_EXIT_RUNTIME, "cannot read", cert, strerror(ENOMEM), NULL);
		return NULL;
	}
	if (!load("cannot read the certificate", cert, &tls->cert) && !check_cert(tls, cert) &&
	    !load("cannot read the private key", key, &tls->key) && !check_key(tls, key) &&
	    !check_pair(tls, cert, key))
		return tls;
	la_tls_free(tls);
	return NULL;
}

void la_tls_free(struct la_tls *tls)
{
	if (!tls)
		return;
	if (tls->key.data)
		gnutls_memset(tls->key.data, 0, tls->key.size);
	gnutls_free(tls->key.data);
	gnutls_free(tls->cert.data);
	free(tls);
}
