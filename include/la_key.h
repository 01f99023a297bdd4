/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_key.h - the name of a flow in the table, and of a connection in the world.
 *
 * A key holds both endpoints, sorted as (address, port) pairs, so that both directions of a
 * connection find the same entry. IPv4 is kept as ::ffff:a.b.c.d: one key for both families.
 */
#ifndef LA_KEY_H
#define LA_KEY_H

#include "la_types.h"

/* One end of a connection: address (v4 mapped) and port, network byte order. */
struct la_key {
	__u8 addr[2][16]; /* network byte order; pair 0 sorts before or equal to pair 1 */
	__be16 port[2];	  /* port[i] belongs to addr[i] */
	__u32 pad;	  /* always 0 */
};

_Static_assert(sizeof(struct la_key) == 40, "la_key is hashed as bytes and must have no holes");

LA_INLINE bool la_key_is_v4(const struct la_key *key)
{
	const __u32 *w = (const __u32 *)key->addr[0];

	return w[0] == 0 && w[1] == 0 && w[2] == la_hton32(0xffff);
}

/* Puts an IPv4 address (network byte order) where an IPv6 address goes. */
LA_INLINE void la_addr_map_v4(__u8 addr[16], __be32 v4)
{
	__u32 *w = (__u32 *)addr;

	w[0] = 0;
	w[1] = 0;
	w[2] = la_hton32(0xffff);
	w[3] = v4;
}

/*
 * True if pair (a, ap) sorts after (b, bp). The order is that of the memory words, not of
 * the numbers: it only has to be the same for both directions on one machine.
 */
LA_INLINE bool la_pair_after(const __u8 a[16], __be16 ap, const __u8 b[16], __be16 bp)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	if (x[1] != y[1])
		return x[1] > y[1];
	if (x[0] != y[0])
		return x[0] > y[0];
	return ap > bp;
}

/*
 * Fills a key from a packet's source and destination.
 * Returns the index of the source in the key: 0 or 1.
 */
LA_INLINE __u8 la_key_fill(struct la_key *key, const __u8 src[16], __be16 sport, const __u8 dst[16],
			   __be16 dport)
{
	__u8 from = la_pair_after(src, sport, dst, dport);
	__u64 *s = (__u64 *)key->addr[from], *d = (__u64 *)key->addr[!from];
	const __u64 *a = (const __u64 *)src, *b = (const __u64 *)dst;

	s[0] = a[0];
	s[1] = a[1];
	d[0] = b[0];
	d[1] = b[1];
	key->port[from] = sport;
	key->port[!from] = dport;
	key->pad = 0;
	return from;
}

#endif
