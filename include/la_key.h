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
	/* network byte order; pair 0 sorts before or equal to pair 1; read by words, so aligned */
	__u8 addr[2][16] __attribute__((aligned(8)));
	__be16 port[2]; /* port[i] belongs to addr[i] */
	__u32 pad;	/* always 0 */
};

_Static_assert(sizeof(struct la_key) == 40, "la_key is hashed as bytes and must have no holes");

/* Addresses are bytes that are compared and copied by words: these may alias them. */
typedef __u32 __attribute__((may_alias)) la_word32;
typedef __u64 __attribute__((may_alias)) la_word64;

LA_INLINE bool la_key_is_v4(const struct la_key *key)
{
	const la_word32 *w = (const la_word32 *)key->addr[0];

	return w[0] == 0 && w[1] == 0 && w[2] == la_hton32(0xffff);
}

/* Eight bytes of memory from two halves of four, the first one first. */
LA_INLINE __u64 la_join32(__u32 first, __u32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)second << 32 | first;
#else
	return (__u64)first << 32 | second;
#endif
}

/* A number that two keys share by chance only. */
LA_INLINE __u32 la_key_tag(const struct la_key *key)
{
	const la_word64 *w = (const la_word64 *)key;
	__u64 mix = (w[0] ^ w[2] * 0x9e3779b97f4a7c15ULL) + (w[1] ^ w[3] * 0xc2b2ae3d27d4eb4fULL);

	mix = (mix ^ w[4]) * 0xff51afd7ed558ccdULL;
	return mix >> 32;
}

/*
 * Puts an IPv4 address (network byte order) where an IPv6 address goes, aligned to 8 bytes.
 * Stored by words of eight, because la_pair_after() soon loads them so.
 */
LA_INLINE void la_addr_map_v4(__u8 addr[16], __be32 v4)
{
	la_word64 *w = (la_word64 *)addr;

	w[0] = 0;
	w[1] = la_join32(la_hton32(0xffff), v4);
}

/*
 * True if pair (a, ap) sorts after (b, bp). The order is that of the memory words, not of
 * the numbers: it only has to be the same for both directions on one machine.
 */
LA_INLINE bool la_pair_after(const __u8 a[16], __be16 ap, const __u8 b[16], __be16 bp)
{
	const la_word64 *x = (const la_word64 *)a, *y = (const la_word64 *)b;

	if (x[1] != y[1])
		return x[1] > y[1];
	if (x[0] != y[0])
		return x[0] > y[0];
	return ap > bp;
}

/*
 * Finishes a key that has the source's address in addr[0] and the destination's in addr[1].
 * Returns the index of the source in the key: 0 or 1.
 */
LA_INLINE __u8 la_key_finish(struct la_key *key, __be16 sport, __be16 dport)
{
	bool swap = la_pair_after(key->addr[0], sport, key->addr[1], dport);

	key->pad = 0;
	if (swap) {
		la_word64 *w = (la_word64 *)key->addr;
		__u64 w0 = w[0], w1 = w[1];

		w[0] = w[2];
		w[1] = w[3];
		w[2] = w0;
		w[3] = w1;
		key->port[0] = dport;
		key->port[1] = sport;
		return 1;
	}
	key->port[0] = sport;
	key->port[1] = dport;
	return 0;
}

/*
 * Fills a key from a packet's source and destination, both aligned to 8 bytes.
 * Returns the index of the source in the key: 0 or 1.
 */
LA_INLINE __u8 la_key_fill(struct la_key *key, const __u8 src[16], __be16 sport, const __u8 dst[16],
			   __be16 dport)
{
	const la_word64 *s = (const la_word64 *)src, *d = (const la_word64 *)dst;
	la_word64 *w = (la_word64 *)key->addr;

	w[0] = s[0];
	w[1] = s[1];
	w[2] = d[0];
	w[3] = d[1];
	return la_key_finish(key, sport, dport);
}

/* Mixes a word into a hash (the finalizer of splitmix64, public domain). */
LA_INLINE __u64 la_mix(__u64 h, __u64 word)
{
	h = (h ^ word) + 0x9e3779b97f4a7c15ULL;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

/* Eight bytes as a big endian number. */
LA_INLINE __u64 la_be64(const __u8 *b)
{
	const la_word32 *w = (const la_word32 *)b;

	return (__u64)la_ntoh32(w[0]) << 32 | la_ntoh32(w[1]);
}

LA_INLINE __u64 la_pair_hash(const __u8 addr[16], __be16 port)
{
	return la_mix(la_mix(la_mix(0, la_be64(addr)), la_be64(addr + 8)), la_ntoh16(port));
}

/*
 * The name of a connection in the world: a hash of its (address, port) pairs, in no order,
 * and of the originator's initial sequence number (0 if that was not seen). Observers
 * compute the same id without talking. The responder's number is not in it: it is not known
 * yet when the first record is due, and an id must not change under its connection.
 */
LA_INLINE __u64 la_conn_id(const struct la_key *key, __u32 isn)
{
	return la_mix(la_pair_hash(key->addr[0], key->port[0]) +
			      la_pair_hash(key->addr[1], key->port[1]),
		      isn);
}

#endif
