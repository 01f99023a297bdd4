/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracker.c - see tracker.h.
 */
#include "tracker.h"
#include "bench.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void count_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct la_tracker *t =
		(struct la_tracker *)((char *)sink - offsetof(struct la_tracker, sink));

	t->told.records++;
	if (rec->type == LA_REC_CLOSE)
		t->told.closes[((const struct la_rec_close *)rec)->reason]++;
}

int la_tracker_open(struct la_tracker *t, const struct la_loader_opts *opts)
{
	struct la_events_opts events = {0};

	memset(t, 0, sizeof(*t));
	t->sink.record = count_record;
	t->loader = la_loader_open(opts);
	if (!t->loader)
		return -1;
	events.ring_fd = la_loader_ring(t->loader);
	t->events = la_events_new(&events);
	if (!t->events)
		return -1;
	la_events_to(t->events, &t->sink);
	return 0;
}

int la_tracker_drain(struct la_tracker *t)
{
	int taken;

	do
		taken = la_events_drain(t->events);
	while (taken > 0);
	return taken ? la_bench_fail("cannot read", "the ring buffer", -taken) : 0;
}

int la_tracker_empty(struct la_tracker *t)
{
	__u64 before, flows = la_loader_flows(t->loader);
	int err;

	do {
		before = flows;
		err = la_loader_shutdown(t->loader);
		if (err)
			return la_bench_fail("cannot end", "the flows", -err);
		if (la_tracker_drain(t))
			return -1;
		flows = la_loader_flows(t->loader);
	} while (flows && flows < before);
	return flows ? la_bench_fail("some flows do not end", "the table", EBUSY) : 0;
}

__u64 la_tracker_accepted(const struct la_tracker *t, enum la_hook hook)
{
	struct la_counters sum;

	return la_loader_counters(t->loader, &sum) ? 0 : sum.packets[hook][LA_R_ACCEPTED];
}

__u64 la_tracker_lost(const struct la_tracker *t)
{
	struct la_counters sum;
	__u64 lost = 0;

	if (la_loader_counters(t->loader, &sum))
		return ~0ULL;
	for (int i = 0; i < LA_LOST_MAX; i++)
		lost += sum.lost[i];
	return lost;
}

static int check_accepted(const struct la_run *run, __u64 accepted, __u64 lost)
{
	if (accepted == run->packets && !lost)
		return 0;
	fprintf(stderr, "bench: %s: of %llu segments %llu were accepted, %llu records lost\n",
		run->step->name, (unsigned long long)run->packets, (unsigned long long)accepted,
		(unsigned long long)lost);
	return -1;
}

double la_tracker_run(struct la_tracker *t, struct la_traffic *traffic, const struct la_run *run,
		      __u64 *cursor)
{
	enum la_hook hook = run->way == LA_WAY_TC ? LA_HOOK_TC_INGRESS : LA_HOOK_XDP;
	__u64 accepted = la_tracker_accepted(t, hook), lost = la_tracker_lost(t);
	struct la_run part = *run;
	double ns = 0, one;

	for (__u64 left = run->packets; left; left -= part.packets) {
		part.packets = left < LA_CHUNK ? left : LA_CHUNK;
		one = la_traffic_run(traffic, &part, cursor);
		if (one < 0 || la_tracker_drain(t))
			return -1;
		ns += one * (double)part.packets;
	}
	if (check_accepted(run, la_tracker_accepted(t, hook) - accepted, la_tracker_lost(t) - lost))
		return -1;
	return ns / (double)run->packets;
}

/* One step of a block of connections. */
static int send_step(struct la_tracker *t, struct la_traffic *traffic, const struct la_step *step,
		     __u32 first, __u32 bits)
{
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = step,
			     .target = LA_TARGET_LASTACK,
			     .first = first,
			     .bits = bits,
			     .packets = 1ULL << bits};
	__u64 cursor = 0;

	return la_tracker_run(t, traffic, &run, &cursor) < 0 ? -1 : 0;
}

int la_tracker_establish(struct la_tracker *t, struct la_traffic *traffic, __u32 first, __u32 bits)
{
	__u32 block = bits < LA_CHUNK_BITS ? bits : LA_CHUNK_BITS, end = first + (1U << bits);

	for (; first < end; first += 1U << block)
		for (int i = 0; i < LA_OPENING; i++)
			if (send_step(t, traffic, &la_opening[i], first, block))
				return -1;
	return 0;
}

void la_tracker_close(struct la_tracker *t)
{
	la_events_free(t->events);
	la_loader_close(t->loader);
	memset(t, 0, sizeof(*t));
}
