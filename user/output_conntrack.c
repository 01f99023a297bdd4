/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output_conntrack.c - lines as conntrack(8) prints them, for scripts that read those.
 *
 * A connection of the table is a line of `conntrack -L`; a state record one of `conntrack -E`, if
 * it changes the one state that nf_conntrack has for both endpoints; a gone record is [DESTROY].
 * The rest has no counterpart. Bytes are those of IP packets, as there. Timeouts are seconds: of a
 * flow those that are left, of an event those that its state begins with.
 * Used through output.h.
 */
#include "la_timeout.h"
#include "output_base.h"
#include "text.h"

/* The first row whose state either endpoint is in names the state of both. */
static const struct {
	__u8 state; /* enum la_state */
	__u8 timeout;
	const char *word;
} rows[] = {
	{LA_SYN_RECEIVED, LA_TIMEOUT_SYN_RECEIVED, "SYN_RECV"},
	{LA_SYN_SENT, LA_TIMEOUT_SYN_SENT, "SYN_SENT"},
	{LA_LAST_ACK, LA_TIMEOUT_LAST_ACK, "LAST_ACK"},
	{LA_CLOSING, LA_TIMEOUT_CLOSING, "LAST_ACK"},
	{LA_TIME_WAIT, LA_TIMEOUT_TIME_WAIT, "TIME_WAIT"},
	{LA_FIN_WAIT_1, LA_TIMEOUT_HALF_CLOSED, "FIN_WAIT"},
	{LA_CLOSE_WAIT, LA_TIMEOUT_HALF_CLOSED, "CLOSE_WAIT"},
	{LA_FIN_WAIT_2, LA_TIMEOUT_HALF_CLOSED, "CLOSE_WAIT"},
	{LA_ESTABLISHED, LA_TIMEOUT_ESTABLISHED, "ESTABLISHED"},
};

#define ROWS  (sizeof(rows) / sizeof(*rows))
#define CLOSE ROWS /* none of them */

static size_t row_of(__u8 orig, __u8 resp)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].state == orig || rows[i].state == resp)
			return i;
	return CLOSE;
}

static void put_state(struct la_buf *b, __u64 seconds, size_t row)
{
	la_buf_u64(b, seconds);
	la_buf_char(b, ' ');
	la_buf_str(b, row < ROWS ? rows[row].word : "CLOSE");
	la_buf_char(b, ' ');
}

/* One direction: who sends is its source. */
static void put_tuple(struct la_buf *b, const struct la_rec *rec, enum la_endpoint from)
{
	int src = la_text_index(rec, from), dst = !src;
	char addr[LA_TEXT_ADDR];

	la_buf_lit(b, "src=");
	la_buf_mem(b, addr, la_text_addr(addr, rec->key.addr[src]));
	la_buf_lit(b, " dst=");
	la_buf_mem(b, addr, la_text_addr(addr, rec->key.addr[dst]));
	la_buf_lit(b, " sport=");
	la_buf_u64(b, la_ntoh16(rec->key.port[src]));
	la_buf_lit(b, " dport=");
	la_buf_u64(b, la_ntoh16(rec->key.port[dst]));
}

static void put_amounts(struct la_buf *b, __u64 packets, __u64 bytes)
{
	la_buf_lit(b, " packets=");
	la_buf_u64(b, packets);
	la_buf_lit(b, " bytes=");
	la_buf_u64(b, bytes);
}

static void conntrack_flow(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_flow *r = (const struct la_rec_flow *)rec;
	const struct la_rec_side *orig = &r->at.side[LA_ORIG], *resp = &r->at.side[LA_RESP];
	struct la_buf *b = &o->out;

	la_buf_lit(b, "tcp      6 ");
	put_state(b, r->left_ns / LA_SEC_NS, row_of(orig->state, resp->state));
	put_tuple(b, rec, LA_ORIG);
	put_amounts(b, orig->pkts, orig->ip_bytes);
	la_buf_str(b, resp->pkts ? " " : " [UNREPLIED] ");
	put_tuple(b, rec, LA_RESP);
	put_amounts(b, resp->pkts, resp->ip_bytes);
	la_buf_str(b, r->at.handshake_ns ? " [ASSURED] mark=0 use=1\n" : " mark=0 use=1\n");
}

static void conntrack_state(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_state *r = (const struct la_rec_state *)rec;
	__u8 before[2] = {r->state[LA_ORIG], r->state[LA_RESP]};
	size_t was, now = row_of(r->state[LA_ORIG], r->state[LA_RESP]);
	struct la_buf *b = &o->out;

	before[r->endpoint & 1] = r->from;
	was = row_of(before[LA_ORIG], before[LA_RESP]);
	if (was == now)
		return;
	la_buf_str(b, was == CLOSE ? "    [NEW] " : " [UPDATE] ");
	la_buf_lit(b, "tcp      6 ");
	put_state(b,
		  o->opts.timeouts[now < ROWS ? rows[now].timeout : LA_TIMEOUT_CLOSED] / LA_SEC_NS,
		  now);
	put_tuple(b, rec, LA_ORIG);
	la_buf_str(b, now < ROWS && rows[now].state == LA_SYN_SENT ? " [UNREPLIED] " : " ");
	put_tuple(b, rec, LA_RESP);
	la_buf_char(b, '\n');
}

static void conntrack_gone(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_zeek *z = &((const struct la_rec_gone *)rec)->zeek;
	struct la_buf *b = &o->out;

	la_buf_lit(b, "[DESTROY] tcp      6 ");
	put_tuple(b, rec, LA_ORIG);
	put_amounts(b, z->pkts[LA_ORIG], z->ip_bytes[LA_ORIG]);
	la_buf_str(b, z->pkts[LA_RESP] ? " " : " [UNREPLIED] ");
	put_tuple(b, rec, LA_RESP);
	put_amounts(b, z->pkts[LA_RESP], z->ip_bytes[LA_RESP]);
	la_buf_char(b, '\n');
}

static void conntrack_record(struct la_sink *sink, const struct la_rec *rec)
{
	static void (*const put[LA_RECORD_MAX])(struct la_output *, const struct la_rec *) = {
		[LA_REC_FLOW] = conntrack_flow,
		[LA_REC_STATE] = conntrack_state,
		[LA_REC_GONE] = conntrack_gone,
	};

	if (rec->type < LA_RECORD_MAX && put[rec->type])
		put[rec->type]((struct la_output *)sink, rec);
}

struct la_sink *la_output_conntrack_new(FILE *to, const struct la_output_opts *opts)
{
	return la_output_alloc(sizeof(struct la_output), to, opts, conntrack_record);
}
