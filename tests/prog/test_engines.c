/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_engines.c - the kernel and replay give one answer.
 *
 * Random conversations, from orderly to nonsense, go packet by packet through the BPF
 * programs and through the native engine. The records of each connection must be the same,
 * byte for byte but for the interface, whenever the table is swept.
 */
#include "../packet.h"
#include "engine.h"
#include "native.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

/* ---- a sink that keeps records ---- */

struct keeper {
	struct la_sink sink;
	union la_any_rec *rec;
	size_t n, room;
};

static size_t record_size(const struct la_rec *rec)
{
	static const size_t sizes[LA_RECORD_MAX] = {
		[LA_REC_STATE] = sizeof(struct la_rec_state),
		[LA_REC_RST] = sizeof(struct la_rec_rst),
		[LA_REC_CLOSE] = sizeof(struct la_rec_close),
		[LA_REC_GONE] = sizeof(struct la_rec_gone),
		[LA_REC_SEGMENT] = sizeof(struct la_rec_segment),
	};

	cr_assert(rec->type < LA_RECORD_MAX && sizes[rec->type], "record type %u", rec->type);
	return sizes[rec->type];
}

static void keep(struct la_sink *sink, const struct la_rec *rec)
{
	struct keeper *k = (struct keeper *)sink;

	if (k->n == k->room) {
		k->room = k->room ? 2 * k->room : 1024;
		k->rec = realloc(k->rec, k->room * sizeof(*k->rec));
	}
	memset(&k->rec[k->n], 0, sizeof(*k->rec));
	memcpy(&k->rec[k->n], rec, record_size(rec));
	k->rec[k->n].h.ifindex = 0;
	k->n++;
}

static void keeper_init(struct keeper *k)
{
	memset(k, 0, sizeof(*k));
	k->sink.record = keep;
}

/* The records of one connection stay in their order; connections are sorted by address. */
static int by_key(const void *a, const void *b)
{
	const union la_any_rec *x = *(union la_any_rec *const *)a,
			       *y = *(union la_any_rec *const *)b;
	int order = memcmp(&x->h.key, &y->h.key, sizeof(x->h.key));

	return order ? order : x < y ? -1 : x > y;
}

static const union la_any_rec **sorted(const struct keeper *k)
{
	const union la_any_rec **p = calloc(k->n + 1, sizeof(*p));

	for (size_t i = 0; i < k->n; i++)
		p[i] = &k->rec[i];
	qsort(p, k->n, sizeof(*p), by_key);
	return p;
}

/* ---- random conversations ---- */

struct dice {
	__u64 state;
};

static __u32 roll(struct dice *d, __u32 sides)
{
	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (__u32)(d->state >> 33) % sides;
}

struct peer {
	const char *addr;
	__u16 port;
	__u32 nxt; /* what it would send next */
	__u8 ttl;
};

/* A conversation drifts through the stages of a connection, with accidents. */
struct chat {
	struct peer peer[2];
	int stage;
};

#define CHATS 6

static const __u8 syn_options[] = {2, 4, 0x05, 0xb4, 1, 3, 3, 7};

static void begin(struct chat *c, struct dice *d, int n)
{
	static const char *const addrs[][2] = {{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}};

	for (int i = 0; i < 2; i++) {
		c->peer[i].addr = addrs[n & 1][i];
		c->peer[i].port = i ? 443 : 40000 + n;
		c->peer[i].nxt = roll(d, 4) ? roll(d, 0xffffffff) : 0xffffff00;
		c->peer[i].ttl = 64;
	}
	c->stage = 0;
}

/* What an orderly pair would send next; moves the chat on. */
static struct la_packet orderly(struct chat *c, struct dice *d)
{
	static const struct {
		__u8 from, flags;
	} stages[] = {{0, LA_SYN},	    {1, LA_SYN | LA_ACK}, {0, LA_ACK},
		      {0, LA_ACK | LA_PSH}, {1, LA_ACK | LA_PSH}, {0, LA_ACK},
		      {1, LA_ACK | LA_PSH}, {0, LA_ACK | LA_PSH}, {1, LA_ACK},
		      {0, LA_FIN | LA_ACK}, {1, LA_ACK},	  {1, LA_FIN | LA_ACK},
		      {0, LA_ACK}};
	int last = sizeof(stages) / sizeof(*stages), at = c->stage < last ? c->stage : last - 1;
	__u8 from = stages[at].from, flags = stages[at].flags;
	struct la_packet p = {.flags = flags, .win = 500};

	c->stage = c->stage < last + 3 ? c->stage + 1 : 0;
	if (roll(d, 12) == 0)
		from = !from;
	if (flags & LA_PSH)
		p.payload_len = 1 + roll(d, 200);
	if (flags & LA_SYN) {
		p.options = (const char *)syn_options;
		p.options_len = roll(d, 3) ? sizeof(syn_options) : 4;
		if (c->stage == 1 && roll(d, 2))
			c->peer[0].nxt += 100000;
	}
	p.src = c->peer[from].addr;
	p.dst = c->peer[!from].addr;
	p.sport = c->peer[from].port;
	p.dport = c->peer[!from].port;
	p.ttl = c->peer[from].ttl;
	p.seq = c->peer[from].nxt;
	p.ack = flags & LA_ACK ? c->peer[!from].nxt : 0;
	c->peer[from].nxt += p.payload_len + !!(flags & (LA_SYN | LA_FIN));
	return p;
}

/* An accident: another flag, a RST, a number out of place, a closed window. */
static void disturb(struct la_packet *p, struct dice *d)
{
	static const __u8 flags[] = {
		LA_RST,		 LA_RST | LA_ACK, LA_SYN,	   LA_SYN | LA_ACK,
		LA_FIN | LA_ACK, LA_ACK,	  LA_SYN | LA_FIN, 0};

	switch (roll(d, 7)) {
	case 0:
		p->flags = flags[roll(d, sizeof(flags))];
		break;
	case 1:
		p->seq += roll(d, 3000) - 1500;
		break;
	case 2:
		p->ack += roll(d, 3000) - 1500;
		break;
	case 3:
		p->seq += roll(d, 0xffffffff);
		break;
	case 4:
		p->win = roll(d, 2) ? 0 : 65535;
		break;
	case 5:
		p->ttl = 30 + roll(d, 40);
		break;
	default:
		p->flags = LA_RST | (roll(d, 2) ? LA_ACK : 0);
	}
}

struct recent {
	struct la_frame frame[8];
	int n;
};

/* The next packet: orderly, disturbed, or one of the last again. */
static struct la_frame next_frame(struct chat *chats, struct dice *d, struct recent *recent)
{
	struct chat *c = &chats[roll(d, CHATS)];
	struct la_frame f;
	struct la_packet p;

	if (recent->n > 8 && roll(d, 10) == 0)
		return recent->frame[roll(d, 8)];
	if (roll(d, 150) == 0)
		begin(c, d, c - chats);
	p = orderly(c, d);
	if (roll(d, 10) == 0)
		disturb(&p, d);
	f = la_frame_build(&p);
	recent->frame[recent->n++ % 8] = f;
	return f;
}

/* Mostly milliseconds, sometimes longer than any timeout but the longest. */
static __u64 next_time(__u64 now, struct dice *d)
{
	__u32 what = roll(d, 400);

	if (what == 0)
		return now + (1 + roll(d, 200)) * LA_SEC_NS;
	if (what < 10)
		return now + roll(d, 3000) * LA_MSEC_NS;
	return now + roll(d, 2000000);
}

static struct la_config config(void)
{
	struct la_config cfg = {.segments = 1};
#define SET(sym, word, seconds) cfg.timeout[LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS;

	LA_TIMEOUTS(SET)
	return cfg;
}

static void describe(const char *who, const union la_any_rec *r)
{
	if (!r) {
		cr_log_warn("%s: no record", who);
		return;
	}
	cr_log_warn("%s: %s id %llx seq %u ts %llu (flags %x %s->%s reason %s)", who,
		    la_record_word(r->h.type), r->h.id, r->h.seq, r->h.ts, r->state.seg.flags,
		    la_state_word(r->state.from), la_state_word(r->state.to),
		    r->h.type == LA_REC_CLOSE ? la_close_reason_word(r->close.reason)
					      : la_reason_word(r->segment.reason));
}

static void assert_same(const struct keeper *kernel, const struct keeper *native, __u32 seed)
{
	const union la_any_rec **a = sorted(kernel), **b = sorted(native);
	size_t n = kernel->n < native->n ? native->n : kernel->n;

	cr_assert_gt(kernel->n, 1000, "only %zu records: nothing was tested", kernel->n);
	for (size_t i = 0; i < n; i++) {
		if (i < kernel->n && i < native->n && !memcmp(a[i], b[i], sizeof(*a[i])))
			continue;
		describe("kernel", i < kernel->n ? a[i] : NULL);
		describe("native", i < native->n ? b[i] : NULL);
		cr_assert_fail("seed %u: record %zu of %zu and %zu differs", seed, i, kernel->n,
			       native->n);
	}
	free(a);
	free(b);
}

#define PACKETS 6000

/* One seed through one gate of the kernel and through the native engine. */
static void compare(enum la_gate gate, __u32 seed)
{
	struct la_engine_opts opts = {.config = config(), .max_flows = 64};
	struct dice d = {.state = seed * 7919ULL + 1};
	struct keeper kernel, native;
	struct chat chats[CHATS];
	struct recent recent = {.n = 0};
	struct la_engine *engine;
	struct la_native *n;
	__u64 now = 1000 * LA_SEC_NS;

	keeper_init(&kernel);
	keeper_init(&native);
	engine = la_engine_new(&opts, &kernel.sink);
	n = la_native_new(&opts.config, &native.sink);
	la_native_set_hook(n, la_hook_id(1, false));
	for (int i = 0; i < CHATS; i++)
		begin(&chats[i], &d, i);
	for (int i = 0; i < PACKETS; i++) {
		struct la_frame f = next_frame(chats, &d, &recent);

		now = next_time(now, &d);
		if (roll(&d, 50) == 0)
			la_engine_sweep(engine, now);
		la_engine_packet(engine, gate, f.bytes, f.len, now);
		la_native_packet(n, f.bytes, f.len, f.len, LA_LINK_ETHER, 0, now);
		if (i % 512 == 0)
			la_engine_drain(engine);
	}
	la_engine_sweep(engine, now);
	la_engine_shutdown(engine, now);
	la_engine_drain(engine);
	la_native_finish(n);
	assert_same(&kernel, &native, seed);
	cr_assert_eq(la_engine_flows(engine), 0, "%u flows left", la_engine_flows(engine));
	la_native_free(n);
	la_engine_free(engine);
	free(kernel.rec);
	free(native.rec);
}

struct run {
	enum la_gate gate;
	__u32 seed;
};

ParameterizedTestParameters(engines, agree)
{
	static struct run runs[] = {
		{LA_GATE_XDP, 1},	 {LA_GATE_XDP, 2},	  {LA_GATE_XDP, 3},
		{LA_GATE_TC_INGRESS, 4}, {LA_GATE_TC_INGRESS, 5}, {LA_GATE_TC_INGRESS, 6},
	};

	return cr_make_param_array(struct run, runs, sizeof(runs) / sizeof(*runs));
}

ParameterizedTest(struct run *run, engines, agree)
{
	compare(run->gate, run->seed);
}
