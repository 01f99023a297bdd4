// SPDX-License-Identifier: BSD-2-Clause
/*
 * output_jsonl.c - records as JSON lines: one flat object a line, the public form.
 *
 * Keys are lower_snake_case, numbers are integers, times are ns, what does not apply is
 * absent rather than null. `id` is a string of 16 hexadecimal digits, because a 64-bit
 * number does not survive the many readers that keep numbers as doubles. `ts_ns` is ns since
 * the epoch. `rel_seq` and `rel_ack` count from the initial sequence numbers.
 * Common keys: v type ts_ns id seq orig_ip orig_port resp_ip resp_port; a `lost` record has
 * no connection and only the first three.
 * Printed by hand into a buffer: see outbuf.h. Used through output.h.
 */
#include "community_id.h"
#include "la_flow.h"
#include "output_base.h"
#include "text.h"
#include <ctype.h>

/* ,"key":number */
#define NUM(b, key, value) (la_buf_lit(b, ",\"" key "\":"), la_buf_u64(b, value))
/* The same, absent when it is 0. */
#define NUM_IF(b, key, value) ((value) ? NUM(b, key, value) : (void)0)
/* ,"key":"word"; words are ours and need no escape. */
#define WORD(b, key, word)                                                                         \
	(la_buf_lit(b, ",\"" key "\":\""), la_buf_str(b, word), la_buf_char(b, '"'))
#define BOOL(b, key, value) la_buf_str(b, (value) ? ",\"" key "\":true" : ",\"" key "\":false")
/* The same, absent when it is false. */
#define BOOL_IF(b, key, value) ((value) ? la_buf_lit(b, ",\"" key "\":true") : (void)0)

static const char *endpoint_word(unsigned int endpoint)
{
	return endpoint == LA_ORIG ? "orig" : "resp";
}

/* v, type and time: what every line starts with. */
static void put_start(struct la_output *o, const struct la_rec *rec)
{
	struct la_buf *b = &o->out;

	la_buf_lit(b, "{\"v\":1,\"type\":\"");
	la_buf_str(b, la_record_word(rec->type));
	la_buf_lit(b, "\",\"ts_ns\":");
	la_buf_s64(b, la_output_time(o, rec));
}

static void put_addr(struct la_buf *b, const __u8 addr[16])
{
	char *text = la_buf_room(b, LA_TEXT_ADDR);

	b->len += la_text_addr(text, addr);
}

static void put_connection(struct la_buf *b, const struct la_rec *rec)
{
	int orig = la_text_index(rec, LA_ORIG), resp = la_text_index(rec, LA_RESP);

	la_buf_lit(b, ",\"id\":\"");
	la_buf_hex64(b, rec->id);
	la_buf_lit(b, "\",\"seq\":");
	la_buf_u64(b, rec->seq);
	la_buf_lit(b, ",\"orig_ip\":\"");
	put_addr(b, rec->key.addr[orig]);
	la_buf_lit(b, "\",\"orig_port\":");
	la_buf_u64(b, la_ntoh16(rec->key.port[orig]));
	la_buf_lit(b, ",\"resp_ip\":\"");
	put_addr(b, rec->key.addr[resp]);
	la_buf_lit(b, "\",\"resp_port\":");
	la_buf_u64(b, la_ntoh16(rec->key.port[resp]));
}

/* The process at an end that is a socket of this host; its own words may hold anything. */
static void put_owner(struct la_buf *b, const char *endpoint, const struct la_owned *own)
{
	const struct {
		const char *key, *text;
	} words[] = {{"_comm\":", own->comm}, {"_cgroup\":", own->cgroup}};

	if (!own->pid)
		return;
	la_buf_lit(b, ",\"");
	la_buf_str(b, endpoint);
	la_buf_lit(b, "_pid\":");
	la_buf_u64(b, own->pid);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!*words[i].text)
			continue;
		la_buf_lit(b, ",\"");
		la_buf_str(b, endpoint);
		la_buf_str(b, words[i].key);
		la_buf_json(b, words[i].text);
	}
}

static void put_owners(struct la_output *o, const struct la_rec *rec)
{
	struct la_owned own[2];

	if (!o->opts.owners)
		return;
	o->opts.owners(rec, own, o->opts.owners_ctx);
	put_owner(&o->out, "orig", &own[LA_ORIG]);
	put_owner(&o->out, "resp", &own[LA_RESP]);
}

static void put_segment_numbers(struct la_buf *b, const struct la_rec_seg *seg)
{
	char flags[LA_TEXT_FLAGS];

	la_text_flags(flags, seg->flags);
	WORD(b, "flags", flags);
	NUM(b, "rel_seq", seg->seq);
	if (seg->flags & LA_ACK)
		NUM(b, "rel_ack", seg->ack);
	NUM(b, "len", seg->len);
}

static void put_forged(struct la_buf *b, __u8 forged)
{
	const char *comma = "";

	la_buf_lit(b, ",\"forged\":[");
	for (unsigned int e = 1; e < LA_EVIDENCE_MAX; e++) {
		if (!(forged & 1 << (e - 1)))
			continue;
		la_buf_str(b, comma);
		la_buf_char(b, '"');
		la_buf_str(b, la_evidence_word(e));
		la_buf_char(b, '"');
		comma = ",";
	}
	la_buf_char(b, ']');
}

/* Both states after a record; presumed ones are marked. */
static void put_states(struct la_buf *b, const __u8 state[2], bool orig_maybe, bool resp_maybe)
{
	WORD(b, "orig_state", la_state_word(state[LA_ORIG]));
	BOOL_IF(b, "orig_presumed", orig_maybe);
	WORD(b, "resp_state", la_state_word(state[LA_RESP]));
	BOOL_IF(b, "resp_presumed", resp_maybe);
}

static void put_state(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_state *r = (const struct la_rec_state *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "endpoint", endpoint_word(r->endpoint));
	WORD(b, "from", la_state_word(r->from));
	WORD(b, "to", la_state_word(r->to));
	WORD(b, "certainty", la_certainty_word(r->certainty));
	WORD(b, "cause", la_cause_word(r->cause));
	NUM_IF(b, "from_ns", r->since);
	put_states(b, r->state, r->presumed & 1 << LA_ORIG, r->presumed & 1 << LA_RESP);
}

static void put_rst(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_rst *r = (const struct la_rec_rst *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "sender", endpoint_word(r->sender));
	WORD(b, "verdict", la_rst_verdict_word(r->verdict));
	put_forged(b, r->forged);
	BOOL(b, "dropped", r->dropped);
	if (r->rule)
		WORD(b, "rule", la_rst_rule_word(r->rule));
	put_segment_numbers(b, &r->seg);
	put_states(b, r->state, false, false);
}

static void put_segment(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_segment *r = (const struct la_rec_segment *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "sender", endpoint_word(r->seg.sender));
	put_segment_numbers(b, &r->seg);
	WORD(b, "outcome", la_verdict_word(la_reason_verdict(r->reason)));
	WORD(b, "reason", la_reason_word(r->reason));
	put_states(b, r->state, r->presumed & 1 << LA_ORIG, r->presumed & 1 << LA_RESP);
}

/* Time in each state of one endpoint: orig_established_ns and so on, absent when 0. */
static void put_times(struct la_buf *b, const char *endpoint, const struct la_rec_side *side)
{
	for (unsigned int s = 1; s < LA_STATE_MAX; s++) {
		if (!side->in_state[s])
			continue;
		la_buf_lit(b, ",\"");
		la_buf_str(b, endpoint);
		la_buf_char(b, '_');
		for (const char *c = la_state_word(s); *c; c++)
			la_buf_char(b, (char)tolower(*c));
		la_buf_lit(b, "_ns\":");
		la_buf_u64(b, side->in_state[s]);
	}
}

/* What its windows were like: orig_in_flight and so on, absent when 0. */
static void put_window(struct la_buf *b, const char *endpoint, const struct la_rec_side *side)
{
	const struct {
		const char *key;
		__u64 value;
	} numbers[] = {
		{"in_flight", side->in_flight},
		{"max_in_flight", side->max_in_flight},
		{"window", side->window},
		{"window_full", side->window_full},
		{"window_probes", side->window_probes},
		{"zero_windows", side->zero_windows},
		{"zero_window_ns", side->zero_window_ns},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!numbers[i].value)
			continue;
		la_buf_lit(b, ",\"");
		la_buf_str(b, endpoint);
		la_buf_char(b, '_');
		la_buf_str(b, numbers[i].key);
		la_buf_lit(b, "\":");
		la_buf_u64(b, numbers[i].value);
	}
}

/* The last ICMP error that quoted a segment of it, and of whom. */
static void put_icmp(struct la_buf *b, const struct la_rec_close *r)
{
	if (!r->icmp_type)
		return;
	WORD(b, "icmp",
	     la_icmp_word(la_icmp_kind(la_key_is_v4(&r->h.key), r->icmp_type, r->icmp_code)));
	NUM(b, "icmp_type", r->icmp_type);
	NUM(b, "icmp_code", r->icmp_code);
	WORD(b, "icmp_to", endpoint_word(r->icmp_to));
}

static void put_ending(struct la_buf *b, const struct la_rec_close *r)
{
	bool ended = r->h.type == LA_REC_CLOSE;

	if (ended || r->reason)
		WORD(b, "reason", la_close_reason_word(r->reason));
	if (ended || r->closed_by)
		WORD(b, "closed_by", la_closer_word(r->closed_by));
	if (r->rst_verdict) {
		WORD(b, "rst_sender", endpoint_word(r->rst_sender));
		WORD(b, "rst_verdict", la_rst_verdict_word(r->rst_verdict));
	}
	if (r->forged)
		put_forged(b, r->forged);
	if (r->stage)
		WORD(b, "stage", la_stage_word(r->stage));
	if (r->timeout_state)
		WORD(b, "timeout_state", la_state_word(r->timeout_state));
	if (r->timeout_cause)
		WORD(b, "timeout_cause", la_timeout_cause_word(r->timeout_cause));
	if (r->unanswered) {
		WORD(b, "silent", endpoint_word(r->silent));
		NUM(b, "unanswered", r->unanswered);
		NUM(b, "unanswered_ns", r->unanswered_ns);
	}
	NUM_IF(b, "silence_ns", r->silence_ns);
	put_icmp(b, r);
	BOOL(b, "midstream", r->midstream);
	if (r->one_way)
		WORD(b, "one_way", endpoint_word(r->one_way - 1u));
}

static void put_amounts(struct la_buf *b, const struct la_rec_side *orig,
			const struct la_rec_side *resp)
{
	NUM(b, "orig_pkts", orig->pkts);
	NUM(b, "resp_pkts", resp->pkts);
	NUM(b, "orig_bytes", orig->bytes);
	NUM(b, "resp_bytes", resp->bytes);
	NUM(b, "orig_ip_bytes", orig->ip_bytes);
	NUM(b, "resp_ip_bytes", resp->ip_bytes);
	NUM(b, "orig_retrans", orig->retrans);
	NUM(b, "resp_retrans", resp->retrans);
	NUM(b, "orig_ooo", orig->ooo);
	NUM(b, "resp_ooo", resp->ooo);
	NUM(b, "orig_dups", orig->dups);
	NUM(b, "resp_dups", resp->dups);
}

/* Zeek's words for what was seen. */
static void put_zeek(struct la_buf *b, unsigned int conn_state, const char *history, size_t letters)
{
	WORD(b, "conn_state", la_conn_state_word(conn_state));
	la_buf_lit(b, ",\"history\":\"");
	la_buf_mem(b, history, letters < LA_HISTORY_MAX ? letters : LA_HISTORY_MAX);
	la_buf_char(b, '"');
}

static void put_close(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_close *r = (const struct la_rec_close *)rec;
	const struct la_rec_side *orig = &r->side[LA_ORIG], *resp = &r->side[LA_RESP];
	__u8 state[2] = {orig->state, resp->state};
	char community_id[LA_COMMUNITY_ID_SIZE];
	const char *ifname = la_output_ifname(o, rec);
	struct la_buf *b = &o->out;

	NUM(b, "duration_ns", r->duration_ns);
	NUM_IF(b, "handshake_ns", r->handshake_ns);
	NUM_IF(b, "close_ns", r->close_ns);
	put_zeek(b, r->conn_state, r->history, r->history_len);
	NUM_IF(b, "missed_bytes", r->missed);
	put_ending(b, r);
	put_states(b, state, orig->presumed, resp->presumed);
	put_amounts(b, orig, resp);
	put_window(b, "orig", orig);
	put_window(b, "resp", resp);
	put_times(b, "orig", orig);
	put_times(b, "resp", resp);
	la_community_id(&rec->key, 0, community_id);
	WORD(b, "community_id", community_id);
	if (ifname) {
		la_buf_lit(b, ",\"ifname\":");
		la_buf_json(b, ifname);
	}
	if (r->direction)
		WORD(b, "direction", la_flow_direction_word(r->direction));
}

static void put_flow(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_flow *r = (const struct la_rec_flow *)rec;
	struct la_buf *b = &o->out;

	NUM(b, "idle_ns", la_elapsed(r->at.heard_ns, r->at.duration_ns));
	WORD(b, "timeout", la_timeout_word(r->timeout));
	NUM(b, "timeout_ns", r->left_ns);
	put_close(o, rec);
}

static void put_gone(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_gone *r = (const struct la_rec_gone *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "why", la_gone_why_word(r->why));
	NUM(b, "late_pkts", r->late_pkts);
	NUM(b, "fin_retrans", r->fin_retrans);
	NUM(b, "late_rst", r->late_rst);
	if (r->forged)
		put_forged(b, r->forged);
	BOOL_IF(b, "carried_on", r->carried_on);
	if (r->late_pkts && r->zeek.conn_state)
		put_zeek(b, r->zeek.conn_state, r->zeek.history, r->zeek.history_len);
}

static void put_policy(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_policy *r = (const struct la_rec_policy *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "policy", r->policy);
	WORD(b, "action", la_action_word(r->action));
	BOOL(b, "dry_run", r->result == LA_RESULT_DRY_RUN);
	WORD(b, "result", la_result_word(r->result));
	NUM_IF(b, "tries", r->tries);
	if (*r->detail) {
		la_buf_lit(b, ",\"detail\":");
		la_buf_json(b, r->detail);
	}
	put_states(b, r->state, false, false);
}

static void put_lost(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_lost *r = (const struct la_rec_lost *)rec;
	struct la_buf *b = &o->out;

	WORD(b, "source", la_text_lost(r->source));
	NUM(b, "count", r->count);
}

static void jsonl_record(struct la_sink *sink, const struct la_rec *rec)
{
	static void (*const put[LA_RECORD_MAX])(struct la_output *, const struct la_rec *) = {
		[LA_REC_STATE] = put_state, [LA_REC_RST] = put_rst,
		[LA_REC_CLOSE] = put_close, [LA_REC_SEGMENT] = put_segment,
		[LA_REC_GONE] = put_gone,   [LA_REC_LOST] = put_lost,
		[LA_REC_FLOW] = put_flow,   [LA_REC_POLICY] = put_policy,
	};
	struct la_output *o = (struct la_output *)sink;

	if (rec->type >= LA_RECORD_MAX || !put[rec->type])
		return;
	put_start(o, rec);
	if (rec->type != LA_REC_LOST) {
		put_connection(&o->out, rec);
		put_owners(o, rec);
	}
	put[rec->type](o, rec);
	la_buf_lit(&o->out, "}\n");
}

struct la_sink *la_output_jsonl_new(FILE *to, const struct la_output_opts *opts)
{
	return la_output_alloc(sizeof(struct la_output), to, opts, jsonl_record);
}
