/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expiry.c - what a million idle flows cost that nobody touches, and how late flows leave.
 *
 * Flows expire by a timer of the kernel, whose work is charged to nobody. So a thread on its
 * CPU does nothing but read its own processor time, and whatever lies between two readings
 * beyond a few microseconds was taken from it; the same with an empty table is subtracted.
 * Lateness is the time from the end of TIME_WAIT, which the record bears that the flow is
 * gone, to the moment when it is drained, by a reader that looks once a millisecond.
 */
#include "bench.h"
#include "clock.h"
#include "figures.h"
#include "options.h"
#include "tracker.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FLOW_BITS    20
#define TAKEN_NS     3000 /* a reading takes a tenth of it */
#define WINDOW_NS    (LA_SEC_NS / 2)
#define LEAVING	     4096 /* connections that close, */
#define LEAVING_BITS 4	  /* so many at a time */
#define TIME_WAIT_NS (2 * LA_SEC_NS)

struct late {
	struct la_sink sink;
	struct la_samples ms;
	__u64 gone;
};

struct idle {
	struct la_tracker tracker;
	struct la_traffic *traffic;
	struct late late;
};

static void note_lateness(struct la_sink *sink, const struct la_rec *rec)
{
	struct late *late = (struct late *)sink;

	if (rec->type != LA_REC_GONE)
		return;
	if (late->gone++ % 2) /* as many as there is room for */
		return;
	la_sample(&late->ms, (double)(la_monotonic_ns() - rec->ts) / LA_MSEC_NS);
}

/* The share of this CPU, percent, that was taken from the thread. */
static double taken(void)
{
	__u64 begun = la_bench_cpu_ns(), last = begun, now, sum = 0;

	do {
		now = la_bench_cpu_ns();
		if (now - last > TAKEN_NS)
			sum += now - last;
		last = now;
	} while (now - begun < WINDOW_NS);
	return 100.0 * (double)sum / (double)(now - begun);
}

static void sample_taken(struct la_samples *samples, int rounds)
{
	for (int i = 0; i < rounds; i++)
		la_sample(samples, taken());
}

static int idle_cost(struct idle *idle, int rounds)
{
	struct la_samples empty = {0}, full = {0};
	double nothing;

	sample_taken(&empty, rounds);
	if (la_tracker_establish(&idle->tracker, idle->traffic, 0, FLOW_BITS))
		return -1;
	sample_taken(&full, rounds);
	nothing = la_quantile(&empty, 0.5);
	for (int i = 0; i < full.count; i++)
		full.value[i] -= nothing;
	la_figure("expiry.idle_1m.cpu", "% of a core", &full, LA_MOST(2));
	return 0;
}

/* Whole connections, spread over a second. */
static int make_leaving(struct idle *idle)
{
	for (__u32 made = 0; made < LEAVING; made += 1U << LEAVING_BITS) {
		for (int i = 0; i < LA_WHOLE; i++) {
			struct la_run run = {.way = LA_WAY_XDP,
					     .step = &la_whole[i],
					     .target = LA_TARGET_LASTACK,
					     .first = (1U << FLOW_BITS) + made,
					     .bits = LEAVING_BITS,
					     .packets = 1U << LEAVING_BITS};
			__u64 cursor = 0;

			if (la_tracker_run(&idle->tracker, idle->traffic, &run, &cursor) < 0)
				return -1;
		}
		usleep(1000000 / (LEAVING >> LEAVING_BITS));
	}
	return 0;
}

static int lateness(struct idle *idle)
{
	__u64 until;

	la_events_to(idle->tracker.events, &idle->late.sink);
	if (make_leaving(idle))
		return -1;
	until = la_monotonic_ns() + TIME_WAIT_NS + 10 * LA_SEC_NS;
	while (idle->late.gone < LEAVING && la_monotonic_ns() < until) {
		if (la_tracker_drain(&idle->tracker))
			return -1;
		usleep(1000);
	}
	if (idle->late.gone < LEAVING)
		return la_bench_fail("some flows did not expire", "expiry", ETIMEDOUT);
	la_figure("expiry.late_1m", "ms", &idle->late.ms, LA_NONE);
	la_figure_one("expiry.late_1m.max", "ms", la_quantile(&idle->late.ms, 1), LA_MOST(1000));
	return 0;
}

int la_bench_expiry(const struct la_bench *bench)
{
	struct la_loader_opts opts = {.progs = 1U << LA_PROG_XDP,
				      .max_flows = LA_ROOM_FOR(1U << FLOW_BITS)};
	struct idle *idle = calloc(1, sizeof(*idle));
	int err = -1;

	if (!idle)
		return la_bench_fail("cannot begin", "expiry", ENOMEM);
	idle->late.sink.record = note_lateness;
	la_config_defaults(&opts.config);
	opts.config.timeout[LA_TIMEOUT_TIME_WAIT] = TIME_WAIT_NS;
	idle->traffic = la_traffic_new();
	if (idle->traffic && !la_tracker_open(&idle->tracker, &opts) &&
	    !la_traffic_target(idle->traffic, LA_WAY_XDP, LA_TARGET_LASTACK,
			       la_loader_prog(idle->tracker.loader, LA_PROG_XDP)))
		err = idle_cost(idle, bench->quick ? 4 : 15) || lateness(idle) ? -1 : 0;
	la_tracker_close(&idle->tracker);
	la_traffic_free(idle->traffic);
	free(idle);
	return err;
}
