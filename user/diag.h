/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diag.h - the socket that one end of a connection is on this host, by inet_diag: is there one,
 * and away with it (SOCK_DESTROY, which needs CAP_NET_ADMIN).
 *
 * Who reads from a socket that is destroyed gets ECONNABORTED, once, then its end; who writes,
 * EPIPE. The kernel sends a RST to the peer.
 */
#ifndef LA_USER_DIAG_H
#define LA_USER_DIAG_H

#include "la_key.h"

/* One end of a connection; ifindex: where it was seen, the scope of link-local addresses. */
struct la_diag_end {
	struct la_key key;
	__u8 side; /* index in key */
	__u32 ifindex;
};

/*
 * The cookie of its socket, a number that the kernel gives to no other one; 0: there is none in
 * this network namespace, or only what is left of one in TIME_WAIT, or it cannot be asked.
 */
__u64 la_diag_find(const struct la_diag_end *end);

/* Destroys that socket, if it has this cookie. Returns 0 or -errno: -ENOENT, it is not there. */
int la_diag_destroy(const struct la_diag_end *end, __u64 cookie);

#endif
