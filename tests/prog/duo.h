/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * duo.h - one connection at the gates of the real programs: what comes from the client passes
 * XDP, what the server answers tc egress; and what was told of it. For the tests of policies.
 */
#ifndef LA_TEST_DUO_H
#define LA_TEST_DUO_H

#include "../packet.h"
#include "engine.h"
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

/* What came out. */
struct story {
	struct la_sink sink;
	struct la_asked who; /* the connection of the last record */
	struct la_rec_close close;
	struct la_rec_gone gone;
	struct la_rec_rst rst;
	unsigned int closes, gones, opened, rsts, dropped;
};

struct duo {
	struct la_engine *engine;
	struct story story;
	__u64 now;
};

static struct duo duo;

static void duo_note(struct la_sink *sink, const struct la_rec *rec)
{
	struct story *s = (struct story *)sink;

	s->who.key = rec->key;
	s->who.id = rec->id;
	s->opened +=
		rec->type == LA_REC_STATE && ((const struct la_rec_state *)rec)->to == LA_SYN_SENT;
	if (rec->type == LA_REC_CLOSE) {
		s->close = *(const struct la_rec_close *)rec;
		s->closes++;
	} else if (rec->type == LA_REC_GONE) {
		s->gone = *(const struct la_rec_gone *)rec;
		s->gones++;
	} else if (rec->type == LA_REC_RST) {
		s->rst = *(const struct la_rec_rst *)rec;
		s->rsts++;
		s->dropped += s->rst.dropped;
	}
}

/* Table t of timeouts is the default divided by t + 1. */
static inline void duo_begin(struct la_engine_opts opts)
{
#define DUO_TIMEOUT(sym, word, seconds)                                                            \
	for (int t = 0; t < LA_TIMEOUT_TABLES; t++)                                                \
		opts.config.timeouts[t][LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS / (t + 1);

	LA_TIMEOUTS(DUO_TIMEOUT)
	opts.max_flows = 64;
	duo = (struct duo){.story.sink.record = duo_note, .now = 1000 * LA_SEC_NS};
	duo.engine = la_engine_new(&opts, &duo.story.sink);
}

static inline void duo_end(void)
{
	la_engine_free(duo.engine);
}

static inline struct la_frame duo_frame(bool server, __u8 flags, __u32 seq, __u32 ack, __u32 len)
{
	struct la_packet p = {.src = server ? "10.0.0.2" : "10.0.0.1",
			      .dst = server ? "10.0.0.1" : "10.0.0.2",
			      .sport = server ? 80 : 40000,
			      .dport = server ? 40000 : 80,
			      .seq = (server ? 5000 : 1000) + seq,
			      .ack = (server ? 1000 : 5000) + ack,
			      .win = 60000,
			      .flags = flags,
			      .payload_len = len};

	return la_frame_build(&p);
}

/* A millisecond later. Returns what the program returned. */
static inline int duo_say(bool server, enum la_gate gate, __u8 flags, __u32 seq, __u32 ack,
			  __u32 len)
{
	struct la_frame f = duo_frame(server, flags, seq, ack, len);
	int result = la_engine_packet(duo.engine, gate, f.bytes, f.len, duo.now += LA_MSEC_NS);

	la_engine_drain(duo.engine);
	return result;
}

#define CLIENT(...) duo_say(false, LA_GATE_XDP, __VA_ARGS__)
#define SERVER(...) duo_say(true, LA_GATE_TC_EGRESS, __VA_ARGS__)

static inline void duo_establish(void)
{
	CLIENT(LA_SYN, 0, 0, 0);
	SERVER(LA_SYN | LA_ACK, 0, 1, 0);
	CLIENT(LA_ACK, 1, 1, 0);
	CLIENT(LA_ACK | LA_PSH, 1, 1, 10);
	SERVER(LA_ACK | LA_PSH, 1, 11, 100);
	CLIENT(LA_ACK, 11, 101, 0);
}

static inline __u64 duo_counted(enum la_hook hook, enum la_reason reason)
{
	return la_engine_counters(duo.engine).packets[hook][reason];
}

#endif
