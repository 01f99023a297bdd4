/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_terms.h - what one term of a filter asks, and what a record answers.
 *
 * Only filter.c includes this: it reads terms from text and combines the answers.
 */
#ifndef LA_USER_FILTER_TERMS_H
#define LA_USER_FILTER_TERMS_H

#include "filter.h"
#include <net/if.h>

#define LA_ORIG_BIT  (1U << LA_ORIG)
#define LA_RESP_BIT  (1U << LA_RESP)
#define LA_BOTH_BITS (LA_ORIG_BIT | LA_RESP_BIT)

/* Ordered so that `and` is the minimum and `or` the maximum. */
enum la_truth { LA_IS_FALSE, LA_IS_UNKNOWN, LA_IS_TRUE };

#define LA_PATTERN_SIZE 128

enum la_compare {
	LA_CMP_LT = 1,
	LA_CMP_LE,
	LA_CMP_EQ,
	LA_CMP_NE,
	LA_CMP_GE,
	LA_CMP_GT,
};

struct la_term {
	enum la_truth (*match)(const struct la_term *term, const struct la_rec *rec);
	__u8 sides;   /* LA_ORIG_BIT, LA_RESP_BIT */
	bool negated; /* != stood before its argument: for who asks match() */
	union {
		struct {
			__u8 addr[16]; /* v4 mapped */
			__u8 prefix;   /* bits of addr that count */
			bool v4;
		} net;
		struct {
			__u16 low, high; /* host byte order; low above high: none */
		} ports;
		__u32 words; /* bits 1 << value of the field's enum */
		struct {
			char name[IF_NAMESIZE];
			la_filter_ifname_fn of; /* NULL: no interface has a name */
			void *ctx;
		} ifname;
		struct {
			enum la_compare how;
			__u64 value; /* times are ns */
		} number;
		struct {
			bool (*fits)(const struct la_term *term, const struct la_owned *own);
			union {
				__u32 pid;
				char pattern[LA_PATTERN_SIZE]; /* * is any text */
			};
			la_owners_fn of; /* NULL: nobody is known */
			void *ctx;
		} owner;
	};
};

/* A field each, as docs/filter.md describes it. Unknown: the record does not tell that. */
enum la_truth la_match_net(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_ports(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_state(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_reason(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_closed_by(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_stage(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_direction(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_conn_state(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_midstream(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_forged(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_ifname(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_owner(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_age(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_idle(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_in_state(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_bytes(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_packets(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_retrans(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_ip(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_ip6(const struct la_term *term, const struct la_rec *rec);
enum la_truth la_match_tcp(const struct la_term *term, const struct la_rec *rec);

#endif
