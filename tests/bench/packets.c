/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets.c - what a packet of an established connection and a whole connection cost in the
 * programs, against the floor (floor.bpf.c), under BPF_PROG_TEST_RUN.
 *
 * All is net of a program that does nothing. Established traffic is data one way and its
 * ACKs the other, by turns; connections come in a random order, and ACKs half a table
 * behind, so that what a segment touched is cold again. A number counts only if lastack
 * accepted every single segment and no record was lost, which its counters tell.
 */
#include "bench.h"
#include "figures.h"
#include "floor.h"
#include "options.h"
#include "tracker.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MILLION_BITS 20
#define PACKETS	     (1U << 18)	 /* a sample of established traffic, at least */
#define NEW_ORDER    2246822519U /* not that in which the entries were allocated */
#define SLOW_ROUNDS  2		 /* data segments of a connection before the fast path takes them */

/* A bench: the programs under test, beside the floor. */
struct stand {
	struct la_tracker tracker;
	struct la_traffic *traffic;
	struct la_floor *floor;
};

static int stand_open(struct stand *s, __u32 flows, __u32 progs, bool decap)
{
	struct la_loader_opts opts = {.progs = progs,
				      .max_flows = LA_ROOM_FOR(flows),
				      .max_attempts = LA_ROOM_FOR(flows)};
	int xdp;

	la_config_defaults(&opts.config);
	opts.config.decap = decap;
	if (la_tracker_open(&s->tracker, &opts))
		return -1;
	xdp = la_loader_prog(s->tracker.loader, LA_PROG_XDP);
	s->traffic = la_traffic_new();
	if (!s->traffic || la_traffic_target(s->traffic, LA_WAY_XDP, LA_TARGET_LASTACK, xdp))
		return -1;
	if (progs & 1U << LA_PROG_TC_INGRESS &&
	    la_traffic_target(s->traffic, LA_WAY_TC, LA_TARGET_LASTACK,
			      la_loader_prog(s->tracker.loader, LA_PROG_TC_INGRESS)))
		return -1;
	s->floor = la_floor_new(s->traffic, xdp);
	return s->floor ? 0 : -1;
}

static void stand_close(struct stand *s)
{
	la_floor_free(s->floor);
	la_traffic_free(s->traffic);
	la_tracker_close(&s->tracker);
}

/* Net ns of two of the targets. */
struct cost {
	double floor, lastack;
};

static struct cost net(const double ns[LA_TARGETS])
{
	return (struct cost){ns[LA_TARGET_FLOOR] - ns[LA_TARGET_NOTHING],
			     ns[LA_TARGET_LASTACK] - ns[LA_TARGET_NOTHING]};
}

/* The samples of three rows. */
struct rows {
	struct la_samples ratio, ns, floor_ns;
};

static void add_cost(struct rows *rows, struct cost cost)
{
	la_sample(&rows->ratio, cost.lastack / cost.floor);
	la_sample(&rows->ns, cost.lastack);
	la_sample(&rows->floor_ns, cost.floor);
}

static void tell_rows(struct rows *rows, const char *what, const char *size,
		      struct la_target target)
{
	char name[48];

	snprintf(name, sizeof(name), "%s.%s", what, size);
	la_figure(name, "x floor", &rows->ratio, target);
	snprintf(name, sizeof(name), "%s.%s.ns", what, size);
	la_figure(name, "ns", &rows->ns, LA_NONE);
	snprintf(name, sizeof(name), "%s.%s.floor_ns", what, size);
	la_figure(name, "ns", &rows->floor_ns, LA_NONE);
}

/* ---- a packet of an established connection ---- */

/* A part of the table, whose connections all have sent the same. */
struct part {
	const char *size;
	double target; /* times the floor */
	__u32 first, bits;
	__u64 data, acks; /* cursors */
};

#define PARTS 4
static const struct part all_parts[PARTS] = {
	{"1m", 1.1, .first = 0, .bits = MILLION_BITS},
	{"100k", 1.3, .first = 0x100000, .bits = 17},
	{"1k", 1.3, .first = 0x120000, .bits = 10},
	{"1", 1.3, .first = 0x130000, .bits = 0},
};

/* Opens the connections of a part, and lets them talk until the fast path takes them. */
static int open_part(struct stand *s, struct part *part)
{
	__u64 flows = 1ULL << part->bits;
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = &la_data,
			     .target = LA_TARGET_LASTACK,
			     .first = part->first,
			     .bits = part->bits};

	if (la_floor_fill(s->traffic, part->first, part->bits) ||
	    la_tracker_establish(&s->tracker, s->traffic, part->first, part->bits))
		return -1;
	run.packets = SLOW_ROUNDS * flows;
	if (la_tracker_run(&s->tracker, s->traffic, &run, &part->data) < 0)
		return -1;
	run.step = &la_acks;
	run.factor = NEW_ORDER; /* it is kept in the middle of a round */
	run.packets = (SLOW_ROUNDS * 2 - 1) * flows / 2;
	return la_tracker_run(&s->tracker, s->traffic, &run, &part->acks) < 0 ? -1 : 0;
}

/* ns a packet of a target, half of them data and half of them ACKs; or -1. */
static double talk(struct stand *s, struct part *part, enum la_way way, enum la_drive_target target)
{
	struct la_run run = {.way = way,
			     .target = target,
			     .first = part->first,
			     .bits = part->bits,
			     .factor = NEW_ORDER,
			     .packets = PACKETS / 2};
	bool lastack = target == LA_TARGET_LASTACK;
	__u64 elsewhere[2] = {part->data, part->acks};
	enum la_hook hook = way == LA_WAY_TC ? LA_HOOK_TC_INGRESS : LA_HOOK_XDP;
	__u64 before = la_tracker_accepted(&s->tracker, hook);
	double data, acks;

	run.step = &la_data;
	data = la_traffic_run(s->traffic, &run, lastack ? &part->data : &elsewhere[0]);
	run.step = &la_acks;
	acks = la_traffic_run(s->traffic, &run, lastack ? &part->acks : &elsewhere[1]);
	if (data < 0 || acks < 0)
		return -1;
	if (lastack && la_tracker_accepted(&s->tracker, hook) - before != PACKETS)
		return la_bench_fail("not every segment was accepted", part->size, EBADMSG);
	return (data + acks) / 2;
}

static int sample_part(struct stand *s, struct part *part, enum la_way way, struct rows *rows)
{
	double ns[LA_TARGETS];

	for (enum la_drive_target t = LA_TARGET_NOTHING; t <= LA_TARGET_LASTACK; t++) {
		ns[t] = talk(s, part, way, t);
		if (ns[t] < 0)
			return -1;
	}
	add_cost(rows, net(ns));
	return 0;
}

static const char *const way_names[] = {[LA_WAY_XDP] = "packet.xdp", [LA_WAY_TC] = "packet.tc"};

static int established(const struct la_bench *bench)
{
	static struct rows rows[2][PARTS];
	struct part parts[PARTS];
	struct stand s = {0};
	int rounds = bench->quick ? 3 : 15, err = -1;

	memcpy(parts, all_parts, sizeof(parts));
	if (stand_open(&s, 1U << MILLION_BITS, 1U << LA_PROG_XDP | 1U << LA_PROG_TC_INGRESS, false))
		goto cleanup;
	for (int i = 0; i < PARTS; i++)
		if (open_part(&s, &parts[i]))
			goto cleanup;
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < PARTS; i++)
			for (enum la_way way = LA_WAY_XDP; way <= LA_WAY_TC; way++)
				if (sample_part(&s, &parts[i], way, &rows[way][i]))
					goto cleanup;
	for (enum la_way way = LA_WAY_XDP; way <= LA_WAY_TC; way++)
		for (int i = PARTS - 1; i >= 0; i--)
			tell_rows(&rows[way][i], way_names[way], parts[i].size,
				  LA_MOST(parts[i].target));
	err = 0;
cleanup:
	stand_close(&s);
	return err;
}

/* ---- a whole connection ---- */

/* What a size takes: so many connections at a time, `times` of them a sample. */
struct crowd {
	const char *size;
	double target;
	__u32 bits;
	int times;
};

/* ns of the steps of a connection, by one target; of a big crowd a part will do but for lastack. */
static double run_once(struct stand *s, const struct crowd *crowd, enum la_drive_target target)
{
	double sum = 0, ns;

	for (int i = 0; i < LA_WHOLE; i++) {
		struct la_run run = {.way = LA_WAY_XDP,
				     .step = &la_whole[i],
				     .target = target,
				     .bits = crowd->bits,
				     .factor = i ? NEW_ORDER : 0,
				     .packets = 1ULL << crowd->bits};
		__u64 cursor = 0;

		if (target != LA_TARGET_LASTACK && run.packets > PACKETS)
			run.packets = PACKETS;
		if (target == LA_TARGET_LASTACK)
			ns = la_tracker_run(&s->tracker, s->traffic, &run, &cursor);
		else
			ns = la_traffic_run(s->traffic, &run, &cursor);
		if (ns < 0)
			return -1;
		sum += ns;
	}
	return sum;
}

/* The same, of all that a sample takes, one after the other. */
static double run_all(struct stand *s, const struct crowd *crowd, enum la_drive_target target)
{
	double sum = 0, ns;

	for (int i = 0; i < crowd->times; i++) {
		ns = run_once(s, crowd, target);
		if (ns < 0 || (target == LA_TARGET_LASTACK && la_tracker_empty(&s->tracker)))
			return -1;
		sum += ns / crowd->times;
	}
	return sum;
}

/* One sample: connections come and go. Each must have been told as closed in order. */
static int sample_crowd(struct stand *s, const struct crowd *crowd, struct rows *rows)
{
	__u64 before = s->tracker.told.closes[LA_CLOSE_FIN], closes;
	double ns[LA_TARGETS];

	for (enum la_drive_target t = LA_TARGET_NOTHING; t <= LA_TARGET_LASTACK; t++) {
		ns[t] = run_all(s, crowd, t);
		if (ns[t] < 0)
			return -1;
	}
	closes = s->tracker.told.closes[LA_CLOSE_FIN] - before;
	if (closes != (__u64)crowd->times << crowd->bits)
		return la_bench_fail("not every connection was told", crowd->size, EBADMSG);
	add_cost(rows, net(ns));
	return 0;
}

static int whole(const struct crowd *crowd, int rounds)
{
	struct stand s = {0};
	struct rows rows = {0};
	int err = -1;

	if (stand_open(&s, 1U << crowd->bits, 1U << LA_PROG_XDP, false) ||
	    la_floor_fill(s.traffic, 0, crowd->bits))
		goto cleanup;
	for (int i = 0; i < rounds; i++)
		if (sample_crowd(&s, crowd, &rows))
			goto cleanup;
	tell_rows(&rows, "connection.xdp", crowd->size, LA_MOST(crowd->target));
	err = 0;
cleanup:
	stand_close(&s);
	return err;
}

/* ---- what looking into tunnels costs a packet that has none ---- */

static int decap(const struct la_bench *bench)
{
	struct part part = {"1k", 0, .bits = 10};
	struct stand s = {0};
	struct rows rows = {0};
	int err = -1;

	if (stand_open(&s, 1U << part.bits, 1U << LA_PROG_XDP, true) || open_part(&s, &part))
		goto cleanup;
	for (int i = 0; i < (bench->quick ? 3 : 61); i++)
		if (sample_part(&s, &part, LA_WAY_XDP, &rows))
			goto cleanup;
	tell_rows(&rows, "packet.xdp_decap", part.size, LA_NONE);
	err = 0;
cleanup:
	stand_close(&s);
	return err;
}

int la_bench_packets(const struct la_bench *bench)
{
	return established(bench) || decap(bench) ? -1 : 0;
}

int la_bench_connections(const struct la_bench *bench)
{
	const struct crowd hot = {"1k", 2, .bits = 10, .times = 8};
	const struct crowd cold = {"1m", 1.6, .bits = MILLION_BITS, .times = 1};

	if (whole(&hot, bench->quick ? 3 : 61))
		return -1;
	return whole(&cold, bench->quick ? 1 : 3);
}
