/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * links.h - behind which port of a bridge an address is, and with which link layer address.
 *
 * A bridge forwards frames without a route, so who wants to send to an endpoint there has to
 * have heard it. Listens for SYN and FIN segments on the ports that it is told of, and keeps the
 * latest of each address, in a table of fixed size. For reset.h only.
 */
#ifndef LA_USER_LINKS_H
#define LA_USER_LINKS_H

#include "attach.h"

#define LA_LINK_TAGS 2

struct la_link_addr {
	__u8 addr[16]; /* of the endpoint, v4 mapped */
	__u32 ifindex; /* the port behind which it is */
	__u8 mac[6];   /* from which it was heard: its own, or a router's */
	__u8 tags;     /* VLAN tags with which it was heard */
	__u8 disputed; /* 1: it, or who was here before, was also heard elsewhere: by anybody */
	struct la_link_tag {
		__be16 tpid, tci;
	} tag[LA_LINK_TAGS]; /* outermost first, as in a frame */
};

struct la_links;

/* NULL: out of memory. */
struct la_links *la_links_new(void);

/* Listens on the attached interfaces that are ports of a bridge, and on no others; NULL: on none.
 */
void la_links_follow(struct la_links *links, const struct la_attach *attach);

/* Takes what was heard since the last call. */
void la_links_learn(struct la_links *links);

/* Where an address (v4 mapped) was heard last, or NULL. */
const struct la_link_addr *la_links_find(const struct la_links *links, const __u8 addr[16]);

/* NULL is allowed. */
void la_links_free(struct la_links *links);

#endif
