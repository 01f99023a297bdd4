/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_engine.c - the programs in the kernel, fed by hand. See bpf_engine.h.
 *
 * The programs keep a lower bound of all deadlines. When a packet comes later than that, the
 * table is swept before it, as the native engine does with its heap; a sweep meets flows in
 * the order of the table, so its records are gathered and sorted by time, id and number,
 * which is the order of the native engine. Records of packets come as they are.
 *
 * Ethernet goes through la_xdp, packets without Ethernet header through la_tc_ingress_l3.
 * The ring has room for the records of a sweep that ends every flow of the table.
 */
#include "bpf_engine.h"
#include "loader.h"
#include "options.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The kernel runs a program on no less than an Ethernet header. */
#define FED_MIN 14

/* Ring bytes for the end of one flow: close, gone, two transitions, and their heads. */
#define ENDING_BYTES 1024

struct bpf_engine {
	struct la_engine engine; /* first: one is the other */
	struct la_loader *loader;
	struct ring_buffer *ring;
	struct la_sink *sink;
	union la_any_rec *gathered; /* records of a sweep */
	size_t count;
	size_t room;
	bool gathering;
	__u64 runts[LA_REASON_MAX]; /* packets too short for the kernel to run a program on */
};

/* ---- records ---- */

static int gather(struct bpf_engine *e, const void *data, size_t size)
{
	size_t room = e->room ? 2 * e->room : 64;
	union la_any_rec *more;

	if (e->count == e->room) {
		more = reallocarray(e->gathered, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		e->gathered = more;
		e->room = room;
	}
	memcpy(&e->gathered[e->count++], data,
	       size < sizeof(*e->gathered) ? size : sizeof(*e->gathered));
	return 0;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct bpf_engine *e = ctx;

	if (e->gathering)
		return gather(e, data, size);
	la_sink_record(e->sink, data);
	return 0;
}

/* Takes the records out of the ring. Returns 0 or -errno. */
static int drain(struct bpf_engine *e, bool gathering)
{
	int n;

	e->gathering = gathering;
	n = ring_buffer__consume(e->ring);
	return n < 0 ? n : 0;
}

static int compare(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

static int by_time_id_seq(const void *a, const void *b)
{
	const struct la_rec *x = a, *y = b;
	int order = compare(x->ts, y->ts);

	if (!order)
		order = compare(x->id, y->id);
	return order ? order : compare(x->seq, y->seq);
}

static void deliver_gathered(struct bpf_engine *e)
{
	qsort(e->gathered, e->count, sizeof(*e->gathered), by_time_id_seq);
	for (size_t i = 0; i < e->count; i++)
		la_sink_record(e->sink, &e->gathered[i].h);
	e->count = 0;
}

/* ---- packets ---- */

/* Sets the clock, and ends the flows whose time is over by then. Returns 0 or -errno. */
static int advance(struct bpf_engine *e, __u64 now)
{
	int err;

	if (now < la_loader_clock(e->loader, now))
		return 0;
	err = la_loader_sweep(e->loader);
	if (!err)
		err = drain(e, true);
	deliver_gathered(e);
	return err;
}

/* No TCP segment is so short, but what the parser says of it counts. */
static void take_runt(struct bpf_engine *e, const struct la_captured *p)
{
	const __u8 *data = p->data;
	struct la_segment seg;
	struct la_key key;

	e->runts[la_parse(data, data + p->cap_len, p->wire_len, p->link, p->l3_proto, &key,
			  &seg)]++;
}

static int engine_packet(struct la_engine *engine, const struct la_captured *p)
{
	struct bpf_engine *e = (struct bpf_engine *)engine;
	enum la_prog prog = p->link == LA_LINK_L3 ? LA_PROG_TC_INGRESS_L3 : LA_PROG_XDP;
	int err = advance(e, la_engine_clock(engine, p->ts));

	if (err)
		return err;
	if (p->cap_len < FED_MIN) {
		take_runt(e, p);
		return 0;
	}
	err = la_loader_feed(e->loader, prog, p);
	return err ? err : drain(e, false);
}

static int engine_finish(struct la_engine *engine)
{
	struct bpf_engine *e = (struct bpf_engine *)engine;
	int err = advance(e, engine->now);

	if (!err)
		err = la_loader_shutdown(e->loader);
	if (!err)
		err = drain(e, true);
	deliver_gathered(e);
	la_sink_flush(e->sink);
	engine->now = 0;
	return err;
}

static int engine_counters(const struct la_engine *engine, struct la_counters *sum)
{
	const struct bpf_engine *e = (const struct bpf_engine *)engine;
	int err = la_loader_counters(e->loader, sum);

	for (int i = 0; i < LA_REASON_MAX; i++)
		sum->packets[LA_NO_HOOK][i] += e->runts[i];
	return err;
}

static void engine_close(struct la_engine *engine)
{
	struct bpf_engine *e = (struct bpf_engine *)engine;

	ring_buffer__free(e->ring);
	la_loader_close(e->loader);
	free(e->gathered);
	free(e);
}

/* ---- life ---- */

/* A ring is a power of two of pages. */
static __u32 ring_bytes(__u32 flows)
{
	__u32 bytes = 1 << 16;

	while (bytes < 1U << 30 && bytes / ENDING_BYTES < flows)
		bytes *= 2;
	return bytes;
}

static int start(struct bpf_engine *e, const struct la_config *cfg, __u32 max_flows)
{
	struct la_loader_opts opts = {
		.config = *cfg,
		.progs = 1U << LA_PROG_XDP | 1U << LA_PROG_TC_INGRESS_L3,
		.max_flows = max_flows,
		.ring_bytes = ring_bytes(max_flows),
		.replay = true,
	};

	e->loader = la_loader_open(&opts);
	if (!e->loader)
		return -1;
	e->ring = ring_buffer__new(la_loader_ring(e->loader), on_record, e, NULL);
	if (e->ring)
		return 0;
	la_fail(LA_EXIT_RUNTIME, "cannot read records", "ring buffer", strerror(errno), NULL);
	return -1;
}

struct la_engine *la_bpf_engine_new(const struct la_config *cfg, struct la_sink *sink,
				    __u32 max_flows)
{
	struct bpf_engine *e = calloc(1, sizeof(*e));

	if (!e) {
		la_fail(LA_EXIT_RUNTIME, "cannot replay", NULL, strerror(ENOMEM), NULL);
		return NULL;
	}
	e->engine = (struct la_engine){
		.packet = engine_packet,
		.finish = engine_finish,
		.counters = engine_counters,
		.close = engine_close,
	};
	e->sink = sink;
	if (!start(e, cfg, max_flows))
		return &e->engine;
	engine_close(&e->engine);
	return NULL;
}
