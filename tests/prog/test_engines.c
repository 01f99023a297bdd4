/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_engines.c - the kernel and replay give one answer.
 *
 * Random conversations, from orderly to nonsense, go packet by packet through the BPF
 * programs and through the native engine. The records of each connection must be the same,
 * byte for byte but for the interface, whenever the table is swept.
 */
#include "chats.h"
#include "engine.h"
#include "native.h"
#include "options.h"
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

static void keep(struct la_sink *sink, const struct la_rec *rec)
{
	struct keeper *k = (struct keeper *)sink;

	if (k->n == k->room) {
		k->room = k->room ? 2 * k->room : 1024;
		k->rec = realloc(k->rec, k->room * sizeof(*k->rec));
	}
	memset(&k->rec[k->n], 0, sizeof(*k->rec));
	cr_assert(la_record_size(rec), "record type %u", rec->type);
	memcpy(&k->rec[k->n], rec, la_record_size(rec));
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

static struct la_config config(void)
{
	struct la_config cfg;

	la_config_defaults(&cfg);
	cfg.pressure = 0;
	cfg.segments = 1;
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
	struct chatter chatter = {.dice.state = seed * 7919ULL + 1};
	struct keeper kernel, native;
	struct la_engine *engine;
	struct la_native *n;
	__u64 now = 1000 * LA_SEC_NS;

	keeper_init(&kernel);
	keeper_init(&native);
	engine = la_engine_new(&opts, &kernel.sink);
	n = la_native_new(&opts.config, &native.sink);
	la_native_set_hook(n, la_hook_id(1, false));
	begin_all(&chatter);
	for (int i = 0; i < PACKETS; i++) {
		struct la_frame f = next_frame(&chatter);

		now = next_time(now, &chatter.dice);
		if (roll(&chatter.dice, 50) == 0)
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
