/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heard.h - a sink that writes records down as lines, and conversations as tables of packets.
 *
 * A test plays a table of struct said to an engine and compares what was heard, line by
 * line: "12 orig CLOSED>SYN_SENT seen syn" is a transition 12 ms after the beginning.
 * For the tests of the native engine and of replay; included by each of them.
 */
#ifndef LA_TESTS_HEARD_H
#define LA_TESTS_HEARD_H

#include "../packet.h"
#include "la_abi.h"
#include "sink.h"
#include <criterion/criterion.h>

#define COUNT(a)  (sizeof(a) / sizeof(*(a)))
#define MS	  LA_MSEC_NS
#define S	  LA_SEC_NS
#define BEGINNING (1700000000 * S) /* of every conversation */

/* One packet between a client 10.0.0.1:port and a server 10.0.0.2:443. */
struct said {
	__u64 at; /* ns after the beginning */
	char who; /* 'C' or 'S' */
	__u8 flags;
	__u32 seq, ack;
	unsigned int len;
};

static inline struct la_frame frame_of(const struct said *said, __u16 port, bool l3)
{
	bool c = said->who == 'C';

	return LA_FRAME(.l3 = l3, .src = c ? "10.0.0.1" : "10.0.0.2",
			.dst = c ? "10.0.0.2" : "10.0.0.1", .sport = c ? port : 443,
			.dport = c ? 443 : port, .seq = said->seq, .ack = said->ack,
			.flags = said->flags, .win = 65000, .payload_len = said->len);
}

/* The client asks, the server answers, the client closes. */
static const struct said whole_connection[] = {
	{0 * MS, 'C', LA_SYN, 1000, 0, 0},
	{10 * MS, 'S', LA_SYN | LA_ACK, 5000, 1001, 0},
	{20 * MS, 'C', LA_ACK, 1001, 5001, 0},
	{30 * MS, 'C', LA_ACK | LA_PSH, 1001, 5001, 100},
	{40 * MS, 'S', LA_ACK | LA_PSH, 5001, 1101, 200},
	{50 * MS, 'C', LA_ACK, 1101, 5201, 0},
	{60 * MS, 'C', LA_ACK | LA_FIN, 1101, 5201, 0},
	{70 * MS, 'S', LA_ACK, 5201, 1102, 0},
	{80 * MS, 'S', LA_ACK | LA_FIN, 5201, 1102, 0},
	{90 * MS, 'C', LA_ACK, 1102, 5202, 0},
};

#define HEARD_MAX 1024

struct heard {
	struct la_sink sink;
	size_t n;
	size_t flushes;
	union la_any_rec rec[HEARD_MAX];
};

static inline void heard_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct heard *h = (struct heard *)sink;

	cr_assert_lt(h->n, HEARD_MAX);
	cr_assert_gt(la_record_size(rec), 0, "a record of type %d", rec->type);
	memcpy(&h->rec[h->n++], rec, la_record_size(rec));
}

static inline int heard_flush(struct la_sink *sink)
{
	((struct heard *)sink)->flushes++;
	return 0;
}

static inline void heard_close(struct la_sink *sink)
{
	free(sink);
}

/* To be ended with la_sink_close(). */
static inline struct heard *heard_new(void)
{
	struct heard *h = calloc(1, sizeof(*h));

	cr_assert_not_null(h);
	h->sink = (struct la_sink){heard_record, heard_flush, heard_close};
	return h;
}

#define LINE_SIZE 120

static inline void describe(const union la_any_rec *r, char line[LINE_SIZE])
{
	static const char *const ends[] = {"orig", "resp"};
	size_t used = (size_t)snprintf(line, LINE_SIZE, "%lld ",
				       (long long)(r->h.ts - BEGINNING) / (long long)MS);
	size_t left = LINE_SIZE - used;

	line += used;
	if (r->h.type == LA_REC_STATE)
		snprintf(line, left, "%s %s>%s %s %s", ends[r->state.endpoint & 1],
			 la_state_word(r->state.from), la_state_word(r->state.to),
			 la_certainty_word(r->state.certainty), la_cause_word(r->state.cause));
	else if (r->h.type == LA_REC_CLOSE)
		snprintf(line, left, "close %s by %s, %s and %s",
			 la_close_reason_word(r->close.reason), la_closer_word(r->close.closed_by),
			 la_state_word(r->close.side[0].state),
			 la_state_word(r->close.side[1].state));
	else if (r->h.type == LA_REC_RST)
		snprintf(line, left, "rst %s %s", ends[r->rst.sender & 1],
			 la_rst_verdict_word(r->rst.verdict));
	else if (r->h.type == LA_REC_GONE)
		snprintf(line, left, "gone %s", la_gone_why_word(r->gone.why));
	else
		snprintf(line, left, "%s", la_record_word(r->h.type));
}

/* Compares what was heard, from a record on, with lines; says where they part. */
static inline void expect_heard(const struct heard *h, size_t from, const char *const *lines,
				size_t count)
{
	char line[LINE_SIZE];

	for (size_t i = 0; i < count && from + i < h->n; i++) {
		describe(&h->rec[from + i], line);
		cr_assert_str_eq(line, lines[i], "record %zu is '%s', not '%s'", from + i, line,
				 lines[i]);
	}
	cr_assert_eq(h->n - from, count, "%zu records, not %zu", h->n - from, count);
}

#define EXPECT_HEARD(h, from, ...)                                                                 \
	do {                                                                                       \
		static const char *const lines_[] = {__VA_ARGS__};                                 \
		expect_heard(h, from, lines_, COUNT(lines_));                                      \
	} while (0)

#define WHOLE_CONNECTION_LINES                                                                     \
	"0 orig CLOSED>SYN_SENT seen syn", "10 resp LISTEN>SYN_RECEIVED seen syn_ack",             \
		"20 orig SYN_SENT>ESTABLISHED seen ack",                                           \
		"20 resp SYN_RECEIVED>ESTABLISHED presumed ack",                                   \
		"60 orig ESTABLISHED>FIN_WAIT_1 seen fin",                                         \
		"60 resp ESTABLISHED>CLOSE_WAIT presumed fin",                                     \
		"70 orig FIN_WAIT_1>FIN_WAIT_2 presumed ack",                                      \
		"80 resp CLOSE_WAIT>LAST_ACK seen fin",                                            \
		"80 orig FIN_WAIT_2>TIME_WAIT presumed fin",                                       \
		"90 resp LAST_ACK>CLOSED presumed ack",                                            \
		"90 close fin by orig, TIME_WAIT and CLOSED"

#endif
