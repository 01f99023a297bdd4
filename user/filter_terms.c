/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_terms.c - each field of the filter language against a record. See filter_terms.h.
 */
#include "filter_terms.h"
#include <stddef.h>
#include <string.h>

static enum la_truth truth_of(bool is)
{
	return is ? LA_IS_TRUE : LA_IS_FALSE;
}

/* Index in the key of one side of a record. */
static unsigned int key_index(const struct la_rec *rec, unsigned int side)
{
	return (rec->orig & 1U) ^ (side == LA_RESP);
}

/* A flow in the table tells what its close record would tell now: it begins with one. */
static const struct la_rec_close *as_close(const struct la_rec *rec)
{
	bool is = rec->type == LA_REC_CLOSE || rec->type == LA_REC_FLOW;

	return is ? (const struct la_rec_close *)rec : NULL;
}

static bool prefix_equal(const __u8 *a, const __u8 *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return !rest || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

enum la_truth la_match_net(const struct la_term *term, const struct la_rec *rec)
{
	if (term->net.v4 != la_key_is_v4(&rec->key))
		return LA_IS_FALSE;
	for (unsigned int side = 0; side < 2; side++)
		if (term->sides & 1U << side && prefix_equal(rec->key.addr[key_index(rec, side)],
							     term->net.addr, term->net.prefix))
			return LA_IS_TRUE;
	return LA_IS_FALSE;
}

enum la_truth la_match_ports(const struct la_term *term, const struct la_rec *rec)
{
	for (unsigned int side = 0; side < 2; side++) {
		__u16 port = la_ntoh16(rec->key.port[key_index(rec, side)]);

		if (term->sides & 1U << side && port >= term->ports.low && port <= term->ports.high)
			return LA_IS_TRUE;
	}
	return LA_IS_FALSE;
}

/* The states of both sides after a record; false if it tells none. */
static bool states_of(const struct la_rec *rec, __u8 state[2])
{
	const union la_any_rec *any = (const union la_any_rec *)rec;

	switch (rec->type) {
	case LA_REC_STATE:
		memcpy(state, any->state.state, 2);
		return true;
	case LA_REC_SEGMENT:
		memcpy(state, any->segment.state, 2);
		return true;
	case LA_REC_RST:
		memcpy(state, any->rst.state, 2);
		return true;
	case LA_REC_CLOSE:
	case LA_REC_FLOW:
		state[LA_ORIG] = any->close.side[LA_ORIG].state;
		state[LA_RESP] = any->close.side[LA_RESP].state;
		return true;
	default:
		return false;
	}
}

enum la_truth la_match_state(const struct la_term *term, const struct la_rec *rec)
{
	__u8 state[2];

	if (!states_of(rec, state))
		return LA_IS_UNKNOWN;
	return truth_of((term->sides & LA_ORIG_BIT && term->words & 1U << state[LA_ORIG]) ||
			(term->sides & LA_RESP_BIT && term->words & 1U << state[LA_RESP]));
}

static const struct la_rec_gone *as_gone(const struct la_rec *rec)
{
	return rec->type == LA_REC_GONE ? (const struct la_rec_gone *)rec : NULL;
}

static enum la_truth has_word(const struct la_term *term, unsigned int word)
{
	return truth_of(term->words & 1U << word);
}

/* A flow in the table has no reason before it has ended. */
enum la_truth la_match_reason(const struct la_term *term, const struct la_rec *rec)
{
	const struct la_rec_close *close = as_close(rec);

	return close && close->reason ? has_word(term, close->reason) : LA_IS_UNKNOWN;
}

/* Nor has it a closer before one has closed. */
enum la_truth la_match_closed_by(const struct la_term *term, const struct la_rec *rec)
{
	const struct la_rec_close *close = as_close(rec);

	return close && close->closed_by ? has_word(term, close->closed_by) : LA_IS_UNKNOWN;
}

enum la_truth la_match_stage(const struct la_term *term, const struct la_rec *rec)
{
	return as_close(rec) ? has_word(term, as_close(rec)->stage) : LA_IS_UNKNOWN;
}

/* A capture may not tell. */
enum la_truth la_match_direction(const struct la_term *term, const struct la_rec *rec)
{
	const struct la_rec_close *close = as_close(rec);

	return close && close->direction ? has_word(term, close->direction) : LA_IS_UNKNOWN;
}

enum la_truth la_match_conn_state(const struct la_term *term, const struct la_rec *rec)
{
	if (as_gone(rec))
		return has_word(term, as_gone(rec)->zeek.conn_state);
	return as_close(rec) ? has_word(term, as_close(rec)->conn_state) : LA_IS_UNKNOWN;
}

enum la_truth la_match_midstream(const struct la_term *term, const struct la_rec *rec)
{
	const struct la_rec_close *close = as_close(rec);

	(void)term;
	return close ? truth_of(close->midstream) : LA_IS_UNKNOWN;
}

static enum la_truth compare(const struct la_term *term, __u64 value)
{
	__u64 limit = term->number.value;

	switch (term->number.how) {
	case LA_CMP_LT:
		return truth_of(value < limit);
	case LA_CMP_LE:
		return truth_of(value <= limit);
	case LA_CMP_EQ:
		return truth_of(value == limit);
	case LA_CMP_NE:
		return truth_of(value != limit);
	case LA_CMP_GE:
		return truth_of(value >= limit);
	case LA_CMP_GT:
		return truth_of(value > limit);
	}
	return LA_IS_UNKNOWN;
}

/* How old the connection is, and how long nothing of it has been heard, ns. */
static bool life_of(const struct la_rec *rec, __u64 *age, __u64 *idle)
{
	const struct la_rec_close *close = as_close(rec);
	const struct la_rec_gone *gone = as_gone(rec);
	__u64 heard;

	if (!close && !gone)
		return false;
	*age = close ? close->duration_ns : rec->ts - gone->zeek.start;
	heard = close ? close->heard_ns : gone->zeek.heard_ns;
	*idle = *age > heard ? *age - heard : 0;
	return true;
}

enum la_truth la_match_age(const struct la_term *term, const struct la_rec *rec)
{
	__u64 age, idle;

	return life_of(rec, &age, &idle) ? compare(term, age) : LA_IS_UNKNOWN;
}

enum la_truth la_match_idle(const struct la_term *term, const struct la_rec *rec)
{
	__u64 age, idle;

	return life_of(rec, &age, &idle) ? compare(term, idle) : LA_IS_UNKNOWN;
}

/* How long a side had been in its state. */
enum la_truth la_match_in_state(const struct la_term *term, const struct la_rec *rec)
{
	const struct la_rec_close *close = as_close(rec);

	for (unsigned int i = 0; close && i < 2; i++) {
		const struct la_rec_side *side = &close->side[i];

		if (term->sides & 1U << i && side->state < LA_STATE_MAX &&
		    compare(term, side->in_state[side->state]) == LA_IS_TRUE)
			return LA_IS_TRUE;
	}
	return close ? LA_IS_FALSE : LA_IS_UNKNOWN;
}

static bool bytes_of(const struct la_rec *rec, unsigned int side, __u64 *count)
{
	const struct la_rec_close *close = as_close(rec);
	const struct la_rec_gone *gone = as_gone(rec);

	*count = close ? close->side[side].bytes : gone ? gone->zeek.bytes[side] : 0;
	return close || gone;
}

static bool packets_of(const struct la_rec *rec, unsigned int side, __u64 *count)
{
	const struct la_rec_close *close = as_close(rec);
	const struct la_rec_gone *gone = as_gone(rec);

	*count = close ? close->side[side].pkts : gone ? gone->zeek.pkts[side] : 0;
	return close || gone;
}

static bool retrans_of(const struct la_rec *rec, unsigned int side, __u64 *count)
{
	const struct la_rec_close *close = as_close(rec);

	*count = close ? close->side[side].retrans : 0;
	return close;
}

/* What a record tells of a side; false: it does not tell that. */
typedef bool (*count_fn)(const struct la_rec *rec, unsigned int side, __u64 *count);

/* The sum over the sides that are meant. */
static enum la_truth match_sum(const struct la_term *term, const struct la_rec *rec,
			       count_fn count_of)
{
	__u64 sum = 0, count;

	for (unsigned int side = 0; side < 2; side++) {
		if (!count_of(rec, side, &count))
			return LA_IS_UNKNOWN;
		sum += term->sides & 1U << side ? count : 0;
	}
	return compare(term, sum);
}

enum la_truth la_match_bytes(const struct la_term *term, const struct la_rec *rec)
{
	return match_sum(term, rec, bytes_of);
}

enum la_truth la_match_packets(const struct la_term *term, const struct la_rec *rec)
{
	return match_sum(term, rec, packets_of);
}

enum la_truth la_match_retrans(const struct la_term *term, const struct la_rec *rec)
{
	return match_sum(term, rec, retrans_of);
}

/* Is there evidence that a RST was forged? */
enum la_truth la_match_forged(const struct la_term *term, const struct la_rec *rec)
{
	const union la_any_rec *any = (const union la_any_rec *)rec;

	(void)term;
	switch (rec->type) {
	case LA_REC_RST:
		return truth_of(any->rst.forged);
	case LA_REC_CLOSE:
	case LA_REC_FLOW:
		return truth_of(any->close.forged);
	case LA_REC_GONE:
		return truth_of(any->gone.forged);
	default:
		return LA_IS_UNKNOWN;
	}
}

enum la_truth la_match_ifname(const struct la_term *term, const struct la_rec *rec)
{
	const char *name = NULL;

	if (rec->ifindex && term->ifname.of)
		name = term->ifname.of(rec->ifindex, term->ifname.ctx);
	return name ? truth_of(!strcmp(name, term->ifname.name)) : LA_IS_UNKNOWN;
}

/* Unknown if nobody is known at the ends that are meant. */
enum la_truth la_match_owner(const struct la_term *term, const struct la_rec *rec)
{
	enum la_truth is = LA_IS_UNKNOWN;
	struct la_owned own[2];

	if (!term->owner.of)
		return is;
	term->owner.of(rec, own, term->owner.ctx);
	for (unsigned int side = 0; side < 2 && is != LA_IS_TRUE; side++)
		if (term->sides & 1U << side && own[side].pid)
			is = truth_of(term->owner.fits(term, &own[side]));
	return is;
}

enum la_truth la_match_ip(const struct la_term *term, const struct la_rec *rec)
{
	(void)term;
	return truth_of(la_key_is_v4(&rec->key));
}

enum la_truth la_match_ip6(const struct la_term *term, const struct la_rec *rec)
{
	return la_match_ip(term, rec) == LA_IS_TRUE ? LA_IS_FALSE : LA_IS_TRUE;
}

enum la_truth la_match_tcp(const struct la_term *term, const struct la_rec *rec)
{
	(void)term, (void)rec;
	return LA_IS_TRUE; /* there is nothing else */
}
