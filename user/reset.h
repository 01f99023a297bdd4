/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset.h - makes a RST, or an ACK, as one endpoint would send it, and sends it to the other.
 *
 * An endpoint that was heard on a port of a bridge is reached through that port, with the
 * link layer addresses that were learned there: nothing says that this host has a route to it.
 * Any other is reached as this host reaches it, by raw IP: its own sockets, neighbours of a
 * router, what is behind a tunnel. No socket of a connection is touched.
 */
#ifndef LA_USER_RESET_H
#define LA_USER_RESET_H

#include "attach.h"

struct la_reset;

/* A segment without data, from one endpoint of a connection to the other; host byte order. */
struct la_reset_segment {
	struct la_key key;
	__u8 to;       /* index in key of who gets it */
	__u8 flags;    /* enum la_tcp_flag */
	__u16 window;  /* as in the header, not scaled */
	__u32 seq;     /* what `to` expects next */
	__u32 ack;     /* of what `to` has sent so far */
	__u32 ifindex; /* where the connection was seen: scope of link-local addresses */
};

#define LA_RESET_BYTES 60 /* of the longest segment, from the IP header on */

/* Writes it from its IP header on, checksums too. Returns its length. */
size_t la_reset_write(const struct la_reset_segment *segment, __u8 packet[LA_RESET_BYTES]);

/* Opens what it needs to send. NULL: it may not, and why is on stderr if somebody asked for it. */
struct la_reset *la_reset_open(bool asked);

/*
 * Listens on those attached interfaces that are ports of a bridge and no longer on others, NULL:
 * on none; to be called when interfaces have changed.
 */
void la_reset_follow(struct la_reset *reset, const struct la_attach *attach);

/* Takes note of the link layer addresses that were heard; to be called often. */
void la_reset_learn(struct la_reset *reset);

/*
 * Sends it. Returns 0 or -errno: -ENOTUNIQ, it is no RST, and on a bridge more than one have been
 * heard with the address that it goes to.
 */
int la_reset_send(struct la_reset *reset, const struct la_reset_segment *segment);

/* NULL is allowed. */
void la_reset_close(struct la_reset *reset);

#endif
