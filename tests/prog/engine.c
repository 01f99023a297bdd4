/* SPDX-License-Identifier: BSD-2-Clause */
/* engine.c - the BPF programs on a bench of the test's own. */
#include "engine.h"
#include "la_entry.h"
#include "lastack.skel.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#ifndef BPF_F_XDP_HAS_FRAGS /* Linux 5.18 */
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

struct la_engine {
	struct lastack_bpf *skel;
	struct ring_buffer *ring;
	struct la_sink *sink;
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct la_engine *engine = ctx;

	(void)size;
	la_sink_record(engine->sink, data);
	return 0;
}

static void resize(struct la_engine *engine, const struct la_engine_opts *opts)
{
	if (opts->max_flows) {
		bpf_map__set_max_entries(engine->skel->maps.flows, opts->max_flows);
		engine->skel->rodata->la_slots = opts->max_flows;
		engine->skel->rodata->la_half_open_max =
			opts->max_attempts ? opts->max_attempts : opts->max_flows;
	}
	if (opts->ring_bytes) {
		bpf_map__set_max_entries(engine->skel->maps.ring, opts->ring_bytes);
		engine->skel->rodata->la_ring_soft =
			opts->ring_bytes - opts->ring_bytes / LA_RING_RESERVE;
	}
}

struct la_engine *la_engine_new(const struct la_engine_opts *opts, struct la_sink *sink)
{
	struct la_engine *engine = calloc(1, sizeof(*engine));

	libbpf_set_print(NULL);
	engine->sink = sink;
	engine->skel = lastack_bpf__open();
	cr_assert_not_null(engine->skel, "the BPF object does not open");
	resize(engine, opts);
	if (opts->frags)
		bpf_program__set_flags(engine->skel->progs.la_xdp, BPF_F_XDP_HAS_FRAGS);
	/* BPF_PROG_TEST_RUN cannot make a packet without Ethernet header. */
	bpf_program__set_autoload(engine->skel->progs.la_tc_ingress_l3, false);
	bpf_program__set_autoload(engine->skel->progs.la_tc_egress_l3, false);
	engine->skel->rodata->la_virtual_clock = true;
	engine->skel->bss->la_cfg = opts->config;
	engine->skel->bss->la_guards[0] = opts->guards;
	engine->skel->rodata->la_decap_on = opts->config.decap;
	cr_assert_eq(lastack_bpf__load(engine->skel), 0, "the BPF object does not load");
	engine->ring =
		ring_buffer__new(bpf_map__fd(engine->skel->maps.ring), on_record, engine, NULL);
	cr_assert_not_null(engine->ring, "no ring buffer");
	return engine;
}

struct la_table la_engine_table(const struct la_engine *engine, __u64 now)
{
	return (struct la_table){.fd = bpf_map__fd(engine->skel->maps.flows),
				 .config = engine->skel->bss->la_cfg,
				 .now = now};
}

int la_engine_prog(const struct la_engine *engine, enum la_gate gate)
{
	const struct bpf_program *const progs[] = {
		[LA_GATE_XDP] = engine->skel->progs.la_xdp,
		[LA_GATE_TC_INGRESS] = engine->skel->progs.la_tc_ingress,
		[LA_GATE_TC_EGRESS] = engine->skel->progs.la_tc_egress,
	};

	return bpf_program__fd(progs[gate]);
}

static int run(int prog, const void *data, __u32 len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .repeat = 1);
	int err = bpf_prog_test_run_opts(prog, &opts);

	cr_assert_eq(err, 0, "BPF_PROG_TEST_RUN of %u bytes: %s", len, strerror(-err));
	return (int)opts.retval;
}

int la_engine_packet(struct la_engine *engine, enum la_gate gate, const void *data, __u32 len,
		     __u64 ts)
{
	engine->skel->bss->la_clock_ns = ts;
	return run(la_engine_prog(engine, gate), data, len);
}

int la_engine_skb(struct la_engine *engine, enum la_gate gate, const void *data, __u32 len,
		  __u32 gso_segs, __u32 gso_size, __u64 ts)
{
	struct __sk_buff ctx = {.gso_segs = gso_segs, .gso_size = gso_size};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int err;

	engine->skel->bss->la_clock_ns = ts;
	err = bpf_prog_test_run_opts(la_engine_prog(engine, gate), &opts);
	cr_assert_eq(err, 0, "BPF_PROG_TEST_RUN of %u bytes: %s", len, strerror(-err));
	return (int)opts.retval;
}

static void run_at(struct la_engine *engine, const struct bpf_program *prog, __u64 now)
{
	char frame[14] = {0};

	engine->skel->bss->la_sweep_now = now;
	run(bpf_program__fd(prog), frame, sizeof(frame));
}

void la_engine_sweep(struct la_engine *engine, __u64 now)
{
	run_at(engine, engine->skel->progs.la_sweep, now);
}

void la_engine_shutdown(struct la_engine *engine, __u64 now)
{
	run_at(engine, engine->skel->progs.la_shutdown, now);
}

int la_engine_act(struct la_engine *engine, const struct la_asked *asked, struct la_flow *flow)
{
	char frame[14] = {0};
	int result;

	engine->skel->bss->la_asked = *asked;
	result = run(bpf_program__fd(engine->skel->progs.la_act_on), frame, sizeof(frame));
	*flow = engine->skel->bss->la_acted;
	return result;
}

int la_engine_drain(struct la_engine *engine)
{
	int n = ring_buffer__consume(engine->ring);

	cr_assert_geq(n, 0, "the ring buffer cannot be read");
	return n;
}

/* The only element of a per-CPU map that holds nothing but __u64: size bytes, added up. */
static void sum_cpus(const struct bpf_map *map, __u64 *sum, size_t size)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *each = calloc(cpus, size);
	__u32 zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(map), &zero, each), 0, "%s cannot be read",
		     bpf_map__name(map));
	for (size_t i = 0; i < cpus * size / sizeof(*sum); i++)
		sum[i % (size / sizeof(*sum))] += each[i];
	free(each);
}

struct la_counters la_engine_counters(const struct la_engine *engine)
{
	struct la_counters sum = {0};

	sum_cpus(engine->skel->maps.counters, (__u64 *)&sum, sizeof(sum));
	return sum;
}

struct la_metrics la_engine_metrics(const struct la_engine *engine)
{
	struct la_metrics sum = {0};

	sum_cpus(engine->skel->maps.metrics, (__u64 *)&sum, sizeof(sum));
	return sum;
}

void la_engine_each_flow(const struct la_engine *engine,
			 void (*fn)(const struct la_flow *flow, void *ctx), void *ctx)
{
	int fd = bpf_map__fd(engine->skel->maps.flows);
	struct la_blank entry;
	struct la_key key, next;

	for (int err = bpf_map_get_next_key(fd, NULL, &next); !err;
	     err = bpf_map_get_next_key(fd, &key, &next)) {
		key = next;
		cr_assert_eq(bpf_map_lookup_elem(fd, &key, &entry), 0);
		fn(&entry.flow, ctx);
	}
}

__u32 la_engine_flows(const struct la_engine *engine)
{
	int fd = bpf_map__fd(engine->skel->maps.flows);
	struct la_key key, next;
	__u32 n = 0;
	int err = bpf_map_get_next_key(fd, NULL, &next);

	while (!err) {
		n++;
		key = next;
		err = bpf_map_get_next_key(fd, &key, &next);
	}
	return n;
}

__u32 la_engine_free_slots(struct la_engine *engine)
{
	__u32 slots = engine->skel->rodata->la_slots, used = engine->skel->bss->la_slots_used, slot;
	__u32 n = used < slots ? slots - used : 0;

	while (!bpf_map_lookup_and_delete_elem(bpf_map__fd(engine->skel->maps.free_slots), NULL,
					       &slot))
		n++;
	return n;
}

__u32 la_engine_half_open(const struct la_engine *engine)
{
	return engine->skel->bss->la_half_open;
}

void la_engine_set_clock(struct la_engine *engine, __u64 now)
{
	engine->skel->bss->la_clock_ns = now;
}

void la_engine_free(struct la_engine *engine)
{
	if (!engine)
		return;
	ring_buffer__free(engine->ring);
	lastack_bpf__destroy(engine->skel);
	free(engine);
}
