/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * invariants.h - a sink that aborts when a stream of records breaks a promise:
 * the records of a connection are numbered from 0 without a gap; it closes once, and leaves
 * once, after that; states are states and the `from` of a transition is where the endpoint
 * was; time does not run backwards. For the fuzzers that feed packets.
 */
#ifndef LA_FUZZ_INVARIANTS_H
#define LA_FUZZ_INVARIANTS_H

#include "sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX_ 512

struct open_conn {
	struct la_key key;
	__u64 id;
	__u32 seq;     /* of its next record */
	__u8 state[2]; /* by index in the key: a late SYN may turn originator and responder round */
	bool closed;
};

struct invariants {
	struct la_sink sink;
	struct open_conn open[OPEN_MAX_];
	size_t n;
	__u64 ts;
};

#define PROMISE(is)                                                                                \
	do {                                                                                       \
		if (!(is)) {                                                                       \
			fprintf(stderr, "broken promise: %s\n", #is);                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A connection is found by its key: the table holds one of each. */
static inline struct open_conn *conn_of(struct invariants *v, const struct la_rec *rec)
{
	struct open_conn *c;

	for (size_t i = 0; i < v->n; i++)
		if (!memcmp(&v->open[i].key, &rec->key, sizeof(rec->key)))
			return &v->open[i];
	PROMISE(v->n < OPEN_MAX_);
	c = &v->open[v->n++];
	*c = (struct open_conn){.key = rec->key, .id = rec->id};
	return c;
}

static inline void check_state(struct open_conn *c, const struct la_rec_state *r)
{
	__u8 orig = r->h.orig;

	PROMISE(r->endpoint <= LA_RESP);
	PROMISE(r->from && r->from < LA_STATE_MAX);
	PROMISE(r->to && r->to < LA_STATE_MAX && r->to != r->from);
	PROMISE(r->certainty && r->certainty < LA_CERTAINTY_MAX);
	PROMISE(r->cause && r->cause < LA_CAUSE_MAX);
	PROMISE(r->state[r->endpoint] == r->to);
	PROMISE(!c->state[r->endpoint ^ orig] || c->state[r->endpoint ^ orig] == r->from);
	c->state[LA_ORIG ^ orig] = r->state[LA_ORIG];
	c->state[LA_RESP ^ orig] = r->state[LA_RESP];
}

static inline void check_close(struct open_conn *c, const struct la_rec_close *r)
{
	PROMISE(!c->closed);
	c->closed = true;
	PROMISE(r->reason && r->reason < LA_CLOSE_REASON_MAX);
	PROMISE(r->closed_by && r->closed_by < LA_CLOSER_MAX);
	PROMISE(r->conn_state && r->conn_state < LA_CONN_STATE_MAX);
	PROMISE(r->history_len <= LA_HISTORY_MAX);
	for (int i = 0; i < 2; i++) {
		PROMISE(r->side[i].state && r->side[i].state < LA_STATE_MAX);
		PROMISE(!c->state[i ^ r->h.orig] || c->state[i ^ r->h.orig] == r->side[i].state);
	}
}

static inline void invariants_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct invariants *v = (struct invariants *)sink;
	struct open_conn *c = conn_of(v, rec);

	PROMISE(rec->v == LA_ABI_VERSION && rec->orig <= 1);
	PROMISE(rec->seq == c->seq);
	PROMISE(rec->id == c->id);
	c->seq++;
	if (rec->type != LA_REC_GONE && rec->type != LA_REC_CLOSE) {
		PROMISE(rec->ts >= v->ts);
		v->ts = rec->ts;
	}
	if (rec->type == LA_REC_STATE)
		check_state(c, (const struct la_rec_state *)rec);
	if (rec->type == LA_REC_CLOSE)
		check_close(c, (const struct la_rec_close *)rec);
	if (rec->type == LA_REC_GONE) {
		PROMISE(c->closed);
		*c = v->open[--v->n];
	}
}

static inline void invariants_start(struct invariants *v)
{
	memset(v, 0, sizeof(*v));
	v->sink.record = invariants_record;
}

/* After la_native_finish(): nobody stays behind. */
static inline void invariants_end(const struct invariants *v)
{
	PROMISE(v->n == 0);
}

#endif
