/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.h - a conversation of two endpoints, told to the tracker a line at a time.
 *
 * For tests of the core. A line says who sends what, with sequence numbers relative to both
 * initial ones, and what the tracker must make of it: the reason, and the states of both
 * endpoints afterwards. Time moves 1 ms a line, or by WAIT. All that the tracker wants
 * emitted is kept as records, as the kernel or replay would fill them.
 */
#ifndef LA_TEST_TALK_H
#define LA_TEST_TALK_H

#include "la_flow.h"
#include "la_out.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A line of a talk says only what matters in it. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define TALK_RECORDS  256
#define TALK_ISN_ORIG 4294967000U /* both numbers wrap soon */
#define TALK_ISN_RESP 4294960000U

enum who { ORIG = 0, RESP = 1, WAIT = 2 };

/* Flag words as a person writes them. */
enum {
	S = LA_SYN,
	SA = LA_SYN | LA_ACK,
	A = LA_ACK,
	PA = LA_PSH | LA_ACK,
	F = LA_FIN, /* FIN without ACK: malformed */
	FA = LA_FIN | LA_ACK,
	R = LA_RST,
	RA = LA_RST | LA_ACK,
};

struct line {
	enum who who;
	int flags;	/* WAIT: milliseconds */
	__u32 seq, ack; /* relative */
	__u32 len;
	enum la_reason reason; /* 0: ACCEPTED */
	enum la_state orig, resp;
	/* What follows is seldom said. */
	int win;   /* 0: 65535; -1: a zero window */
	int ttl;   /* 0: 64 */
	int shift; /* window scale option on a SYN: shift + 1 */
	__u32 isn; /* for a SYN: another initial sequence number, absolute */
	bool raw;  /* seq and ack are absolute */
	__u32 hook;
	__u32 ts, ecr; /* TSval and TSecr; no timestamps if ts is 0 */
	__u8 opts;     /* more of enum la_seg_opt */
	int icmp;      /* type << 8 | code of an ICMP error that quotes the segment said here */
};

struct talk {
	struct la_config cfg;
	struct la_flow flow;
	struct la_out out;
	struct la_key key;
	__u8 orig; /* index in the key of ORIG */
	__u64 now;
	__u32 isn[2]; /* of ORIG and RESP */
	bool fresh;
	int n; /* records */
	int flows;
	int fast; /* segments that took the fast path */
	union la_any_rec rec[TALK_RECORDS];
};

void talk_init(struct talk *t, __u16 orig_port, __u16 resp_port);

/* What a line of a talk is on the wire. */
struct la_segment talk_segment(struct talk *t, const struct line *l);

/* One segment through the tracker, as native.c and table.bpf.h do it. */
enum la_reason talk_track(struct talk *t, const struct la_segment *seg);

/* Fills the records of the last note, in the order of the ABI. */
void talk_collect(struct talk *t, const struct la_segment *seg);

enum la_state talk_state(const struct talk *t, enum who who);

/* New payload of a side, with what the fast path has counted. */
__u64 talk_bytes(struct talk *t, enum who who);

/* Lets the clock run and sweeps, as the daemon does. */
void talk_wait(struct talk *t, __u64 ms);

#define talk_lines(t, ...)                                                                         \
	do {                                                                                       \
		const struct line lines_[] = {__VA_ARGS__};                                        \
		talk_run(t, lines_, sizeof(lines_) / sizeof(*lines_), __LINE__);                   \
	} while (0)

void talk_run(struct talk *t, const struct line *lines, size_t n, int at);

/* The n-th record (from 0) of a type, or NULL. */
const union la_any_rec *talk_find(const struct talk *t, enum la_record type, int n);

int talk_count(const struct talk *t, enum la_record type);

/* The only close record so far. */
const struct la_rec_close *talk_close(const struct talk *t);

/* The transitions of an endpoint as words: "SYN_SENT ESTABLISHED ~CLOSE_WAIT !ESTABLISHED".
 * ~ presumed, ! corrected, + timer. */
const char *talk_path(const struct talk *t, enum who who);

#define assert_path(t, who, words)                                                                 \
	cr_assert_str_eq(talk_path(t, who), words, "%s", talk_path(t, who))

#define assert_closed(t, why, by, o, r)                                                            \
	do {                                                                                       \
		const struct la_rec_close *c_ = talk_close(t);                                     \
		cr_assert_str_eq(la_close_reason_word(c_->reason), why, "reason %s",               \
				 la_close_reason_word(c_->reason));                                \
		cr_assert_str_eq(la_closer_word(c_->closed_by), by, "closed by %s",                \
				 la_closer_word(c_->closed_by));                                   \
		cr_assert_str_eq(la_state_word(c_->side[ORIG].state), o, "orig %s",                \
				 la_state_word(c_->side[ORIG].state));                             \
		cr_assert_str_eq(la_state_word(c_->side[RESP].state), r, "resp %s",                \
				 la_state_word(c_->side[RESP].state));                             \
	} while (0)

/* Record numbers of each connection run from 0 without a gap. */
void assert_gapless(const struct talk *t);

#endif
