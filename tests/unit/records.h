/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.h - conversations told by hand: the records that a producer would emit.
 *
 * A story reads like a textbook: who says what, who moves where. The builder keeps the
 * clock, the states, the times in them and the record numbers, so that every story is
 * consistent. For the tests of the outputs; included by each of them.
 */
#ifndef LA_TESTS_RECORDS_H
#define LA_TESTS_RECORDS_H

#include "la_abi.h"
#include "la_segment.h"
#include "sink.h"
#include <arpa/inet.h>
#include <string.h>

#define TALK_MAX 64
#define US	 1000ULL
#define MS	 LA_MSEC_NS
#define S	 LA_SEC_NS

struct talk {
	union la_any_rec rec[TALK_MAX];
	unsigned int n;
	struct la_rec h; /* of the next record */
	struct la_rec_seg seg;
	struct la_rec_segment *segment; /* last one said, NULL after a timer */
	__u8 state[2];
	__u8 presumed;
	__u64 start;
	__u64 since[2];
	struct la_rec_side side[2];
	__u64 handshake_ns;
	__u64 first_fin;
};

LA_INLINE void talk_address(__u8 to[16], const char *text)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		la_addr_map_v4(to, v4.s_addr);
	else
		inet_pton(AF_INET6, text, to);
}

/* A new connection at 10 s of the clock, whose originator is CLOSED, whose responder listens. */
LA_INLINE void talk_begin(struct talk *t, const char *orig, __u16 orig_port, const char *resp,
			  __u16 resp_port)
{
	__u8 a[16] __attribute__((aligned(8))), b[16] __attribute__((aligned(8)));

	memset(t, 0, sizeof(*t));
	talk_address(a, orig);
	talk_address(b, resp);
	t->h.v = LA_ABI_VERSION;
	t->h.orig = la_key_fill(&t->h.key, a, la_hton16(orig_port), b, la_hton16(resp_port));
	t->h.ts = 10 * S;
	t->h.id = 0x5eed000000000000ULL + orig_port;
	t->h.ifindex = 2;
	t->start = t->h.ts;
	t->since[0] = t->since[1] = t->start;
	t->state[LA_ORIG] = LA_CLOSED;
	t->state[LA_RESP] = LA_LISTEN;
}

LA_INLINE void talk_after(struct talk *t, __u64 ns)
{
	t->h.ts += ns;
}

/* The next record of a type, with its head. */
LA_INLINE union la_any_rec *talk_next(struct talk *t, enum la_record type)
{
	union la_any_rec *rec = &t->rec[t->n < TALK_MAX - 1 ? t->n++ : TALK_MAX - 1];

	rec->h = t->h;
	rec->h.type = (__u8)type;
	t->h.seq++;
	return rec;
}

/* An endpoint sends a segment; numbers are relative. Its state is proven, if it was presumed. */
LA_INLINE void talk_says(struct talk *t, enum la_endpoint who, __u8 flags, __u32 seq, __u32 ack,
			 __u32 len)
{
	t->seg = (struct la_rec_seg){
		.seq = seq, .ack = ack, .len = len, .flags = flags, .sender = (__u8)who};
	t->side[who].pkts++;
	t->side[who].bytes += len;
	t->side[who].ip_bytes += len + 40;
	if (flags & (LA_FIN | LA_RST) && !t->first_fin)
		t->first_fin = t->h.ts;
	t->presumed &= (__u8) ~(1 << who);
	t->segment = &talk_next(t, LA_REC_SEGMENT)->segment;
	t->segment->seg = t->seg;
	t->segment->reason = LA_R_ACCEPTED;
	memcpy(t->segment->state, t->state, 2);
	t->segment->presumed = t->presumed;
}

/* What became of the last segment, if it was not simply accepted. */
LA_INLINE void talk_but(struct talk *t, enum la_reason reason)
{
	t->segment->reason = (__u8)reason;
}

/* A clock, not a segment, causes what follows. */
LA_INLINE void talk_timer(struct talk *t)
{
	t->seg = (struct la_rec_seg){0};
	t->segment = NULL;
}

/* An endpoint moves because of the last segment or timer. */
LA_INLINE void talk_moves(struct talk *t, enum la_endpoint who, enum la_state to,
			  enum la_certainty certainty, enum la_cause cause)
{
	struct la_rec_state *r = &talk_next(t, LA_REC_STATE)->state;

	r->seg = t->seg;
	r->endpoint = (__u8)who;
	r->from = t->state[who];
	r->to = (__u8)to;
	r->certainty = (__u8)certainty;
	r->cause = (__u8)cause;
	r->since = t->h.ts - t->since[who];
	t->side[who].in_state[r->from] += r->since;
	t->since[who] = t->h.ts;
	t->state[who] = (__u8)to;
	t->presumed &= (__u8) ~(1 << who);
	if (certainty == LA_PRESUMED)
		t->presumed |= (__u8)(1 << who);
	memcpy(r->state, t->state, 2);
	r->presumed = t->presumed;
	if (t->segment) {
		memcpy(t->segment->state, t->state, 2);
		t->segment->presumed = t->presumed;
	}
}

/* The last segment was a RST; its record stands between the segment and the moves. */
LA_INLINE struct la_rec_rst *talk_rst(struct talk *t, enum la_rst_verdict verdict)
{
	struct la_rec_rst *r = &talk_next(t, LA_REC_RST)->rst;

	r->seg = t->seg;
	r->sender = t->seg.sender;
	r->verdict = (__u8)verdict;
	memcpy(r->state, t->state, 2);
	return r;
}

LA_INLINE struct la_rec_close *talk_closes(struct talk *t, enum la_close_reason reason,
					   enum la_closer by, enum la_conn_state conn,
					   const char *history)
{
	struct la_rec_close *r = &talk_next(t, LA_REC_CLOSE)->close;

	r->duration_ns = t->h.ts - t->start;
	r->handshake_ns = t->handshake_ns;
	r->close_ns = t->first_fin ? t->h.ts - t->first_fin : 0;
	r->reason = (__u8)reason;
	r->closed_by = (__u8)by;
	r->conn_state = (__u8)conn;
	r->history_len = (__u8)strlen(history);
	memcpy(r->history, history, r->history_len);
	for (int who = 0; who < 2; who++) {
		r->side[who] = t->side[who];
		r->side[who].in_state[t->state[who]] += t->h.ts - t->since[who];
		r->side[who].state = t->state[who];
		r->side[who].presumed = !!(t->presumed & 1 << who);
	}
	return r;
}

LA_INLINE struct la_rec_gone *talk_gone(struct talk *t, enum la_gone_why why)
{
	struct la_rec_gone *r = &talk_next(t, LA_REC_GONE)->gone;

	r->why = (__u8)why;
	return r;
}

/* Gives records from..to-1 to a sink. */
LA_INLINE void talk_play_part(const struct talk *t, struct la_sink *sink, unsigned int from,
			      unsigned int to)
{
	for (unsigned int i = from; i < to && i < t->n; i++)
		la_sink_record(sink, &t->rec[i].h);
}

LA_INLINE void talk_play(const struct talk *t, struct la_sink *sink)
{
	talk_play_part(t, sink, 0, t->n);
}

/* --- stories ------------------------------------------------------------------------- */

/* SYN, SYN-ACK, ACK: both presumptions on the way are made and proven as the tracker does. */
LA_INLINE void story_handshake(struct talk *t)
{
	talk_says(t, LA_ORIG, LA_SYN, 0, 0, 0);
	talk_moves(t, LA_ORIG, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	talk_after(t, 31 * US);
	talk_says(t, LA_RESP, LA_SYN | LA_ACK, 0, 1, 0);
	talk_moves(t, LA_RESP, LA_SYN_RECEIVED, LA_SEEN, LA_CAUSE_SYN_ACK);
	talk_moves(t, LA_ORIG, LA_ESTABLISHED, LA_PRESUMED, LA_CAUSE_SYN_ACK);
	talk_after(t, 19 * US);
	talk_says(t, LA_ORIG, LA_ACK, 1, 1, 0);
	talk_moves(t, LA_RESP, LA_ESTABLISHED, LA_PRESUMED, LA_CAUSE_ACK);
	t->handshake_ns = 50 * US;
}

/* A request of 120 bytes and an answer of 4500; only the first data segments are told. */
LA_INLINE void story_request(struct talk *t)
{
	talk_after(t, 40 * US);
	talk_says(t, LA_ORIG, LA_PSH | LA_ACK, 1, 1, 120);
	talk_after(t, 310 * US);
	talk_says(t, LA_RESP, LA_PSH | LA_ACK, 1, 121, 1448);
	t->side[LA_RESP].bytes += 4500 - 1448;
	t->side[LA_RESP].pkts += 3;
	t->side[LA_ORIG].pkts += 2;
}

/* One endpoint closes, the other acknowledges: half-closed. */
LA_INLINE void story_half_close(struct talk *t)
{
	talk_after(t, 210 * US);
	talk_says(t, LA_ORIG, LA_FIN | LA_ACK, 121, 4501, 0);
	talk_moves(t, LA_ORIG, LA_FIN_WAIT_1, LA_SEEN, LA_CAUSE_FIN);
	talk_moves(t, LA_RESP, LA_CLOSE_WAIT, LA_PRESUMED, LA_CAUSE_FIN);
	talk_after(t, 25 * US);
	talk_says(t, LA_RESP, LA_ACK, 4501, 122, 0);
	talk_moves(t, LA_ORIG, LA_FIN_WAIT_2, LA_PRESUMED, LA_CAUSE_ACK);
}

/* The other closes too, and is acknowledged. */
LA_INLINE void story_last_ack(struct talk *t)
{
	talk_after(t, 480 * US);
	talk_says(t, LA_RESP, LA_FIN | LA_ACK, 4501, 122, 0);
	talk_moves(t, LA_RESP, LA_LAST_ACK, LA_SEEN, LA_CAUSE_FIN);
	talk_moves(t, LA_ORIG, LA_TIME_WAIT, LA_PRESUMED, LA_CAUSE_FIN);
	talk_after(t, 18 * US);
	talk_says(t, LA_ORIG, LA_ACK, 122, 4502, 0);
	talk_moves(t, LA_RESP, LA_CLOSED, LA_PRESUMED, LA_CAUSE_ACK);
	talk_closes(t, LA_CLOSE_FIN, LA_BY_ORIG, LA_CONN_SF, "ShADadFf");
}

LA_INLINE struct la_rec_gone *story_time_wait_over(struct talk *t)
{
	talk_after(t, 60 * S);
	talk_timer(t);
	talk_moves(t, LA_ORIG, LA_CLOSED, LA_TIMER, LA_CAUSE_TIMEOUT);
	return talk_gone(t, LA_GONE_TIME_WAIT_OVER);
}

LA_INLINE void story_four_segments(struct talk *t)
{
	story_handshake(t);
	story_request(t);
	story_half_close(t);
	story_last_ack(t);
	story_time_wait_over(t);
}

/* The last ACK never arrives: the server sends its FIN again, so it is in LAST_ACK still. */
LA_INLINE void story_lost_last_ack(struct talk *t)
{
	story_handshake(t);
	story_request(t);
	story_half_close(t);
	story_last_ack(t);
	talk_after(t, 205 * MS);
	talk_says(t, LA_RESP, LA_FIN | LA_ACK, 4501, 122, 0);
	talk_moves(t, LA_RESP, LA_LAST_ACK, LA_CORRECTED, LA_CAUSE_FIN);
	talk_after(t, 15 * US);
	talk_says(t, LA_ORIG, LA_ACK, 122, 4502, 0);
	talk_moves(t, LA_RESP, LA_CLOSED, LA_PRESUMED, LA_CAUSE_ACK);
	story_time_wait_over(t)->fin_retrans = 1;
	t->rec[t->n - 1].gone.late_pkts = 2;
}

/* The client has closed; the server's application never does. A clock ends it. */
LA_INLINE void story_close_wait_stuck(struct talk *t)
{
	struct la_rec_close *close;

	story_handshake(t);
	story_request(t);
	story_half_close(t);
	talk_after(t, 3600 * S);
	talk_timer(t);
	close = talk_closes(t, LA_CLOSE_TIMEOUT, LA_BY_NONE, LA_CONN_S2, "ShADadF");
	close->timeout_state = LA_CLOSE_WAIT;
	close->timeout_cause = LA_TIMEOUT_CAUSE_IDLE;
	close->stage = LA_STAGE_LATER;
	talk_gone(t, LA_GONE_EXPIRED);
}

/* The server resets in the middle of the answer. */
LA_INLINE void story_reset(struct talk *t)
{
	struct la_rec_close *close;

	story_handshake(t);
	story_request(t);
	talk_after(t, 3 * S);
	talk_says(t, LA_RESP, LA_RST | LA_ACK, 4501, 121, 0);
	talk_rst(t, LA_RST_EXACT);
	talk_moves(t, LA_RESP, LA_CLOSED, LA_SEEN, LA_CAUSE_RST);
	talk_moves(t, LA_ORIG, LA_CLOSED, LA_PRESUMED, LA_CAUSE_RST);
	close = talk_closes(t, LA_CLOSE_RESET, LA_BY_RESP, LA_CONN_RSTR, "ShADadr");
	close->rst_sender = LA_RESP;
	close->rst_verdict = LA_RST_EXACT;
	close->stage = LA_STAGE_LATER;
	talk_after(t, 10 * S);
	talk_gone(t, LA_GONE_EXPIRED);
}

/* Nobody listens. */
LA_INLINE void story_refused(struct talk *t)
{
	struct la_rec_close *close;

	talk_says(t, LA_ORIG, LA_SYN, 0, 0, 0);
	talk_moves(t, LA_ORIG, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	talk_after(t, 28 * US);
	talk_says(t, LA_RESP, LA_RST | LA_ACK, 0, 1, 0);
	talk_rst(t, LA_RST_SYN_SENT_ACK_OK);
	talk_moves(t, LA_RESP, LA_CLOSED, LA_SEEN, LA_CAUSE_RST);
	talk_moves(t, LA_ORIG, LA_CLOSED, LA_PRESUMED, LA_CAUSE_RST);
	close = talk_closes(t, LA_CLOSE_REFUSED, LA_BY_RESP, LA_CONN_REJ, "Sr");
	close->rst_sender = LA_RESP;
	close->rst_verdict = LA_RST_SYN_SENT_ACK_OK;
	close->stage = LA_STAGE_POST_SYN;
	talk_after(t, 10 * S);
	talk_gone(t, LA_GONE_EXPIRED);
}

/* Both close before either has heard of the other's FIN. */
LA_INLINE void story_simultaneous(struct talk *t)
{
	story_handshake(t);
	talk_after(t, 2 * MS);
	talk_says(t, LA_ORIG, LA_FIN | LA_ACK, 1, 1, 0);
	talk_moves(t, LA_ORIG, LA_FIN_WAIT_1, LA_SEEN, LA_CAUSE_FIN);
	talk_moves(t, LA_RESP, LA_CLOSE_WAIT, LA_PRESUMED, LA_CAUSE_FIN);
	talk_after(t, 4 * US);
	talk_says(t, LA_RESP, LA_FIN | LA_ACK, 1, 1, 0);
	talk_moves(t, LA_RESP, LA_FIN_WAIT_1, LA_CORRECTED, LA_CAUSE_FIN);
	talk_moves(t, LA_ORIG, LA_CLOSING, LA_PRESUMED, LA_CAUSE_FIN);
	talk_after(t, 22 * US);
	talk_says(t, LA_ORIG, LA_ACK, 2, 2, 0);
	talk_moves(t, LA_RESP, LA_FIN_WAIT_2, LA_PRESUMED, LA_CAUSE_ACK);
	talk_after(t, 3 * US);
	talk_says(t, LA_RESP, LA_ACK, 2, 2, 0);
	talk_moves(t, LA_RESP, LA_TIME_WAIT, LA_SEEN, LA_CAUSE_ACK);
	talk_moves(t, LA_ORIG, LA_TIME_WAIT, LA_PRESUMED, LA_CAUSE_ACK);
	talk_closes(t, LA_CLOSE_SIMULTANEOUS_FIN, LA_BY_BOTH, LA_CONN_SF, "ShAFf");
	talk_after(t, 60 * S);
	talk_timer(t);
	talk_moves(t, LA_ORIG, LA_CLOSED, LA_TIMER, LA_CAUSE_TIMEOUT);
	talk_moves(t, LA_RESP, LA_CLOSED, LA_TIMER, LA_CAUSE_TIMEOUT);
	talk_gone(t, LA_GONE_TIME_WAIT_OVER);
}

/* A blind RST in the window: the receiver will challenge it and the connection lives on. */
LA_INLINE void story_blind_rst(struct talk *t)
{
	struct la_rec_rst *rst;

	story_handshake(t);
	story_request(t);
	talk_after(t, 90 * MS);
	talk_says(t, LA_RESP, LA_RST, 9000, 0, 0);
	talk_but(t, LA_R_RST_IGNORED);
	rst = talk_rst(t, LA_RST_IN_WINDOW);
	rst->forged = 1 << (LA_EVIDENCE_SEQ_JUMPS - 1) | 1 << (LA_EVIDENCE_TTL - 1);
	talk_after(t, 1 * S);
	story_half_close(t);
	story_last_ack(t);
	story_time_wait_over(t);
}

#endif
