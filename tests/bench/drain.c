/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - how many records userspace takes, how many lines it writes, and how many new
 * connections a second that makes.
 *
 * Records and lines are counted against the processor time of the one thread that drains
 * whole connections' records, so they hold for one core of a busy machine too. Then one CPU
 * makes connections and another one takes and prints them to a file, side by side; the former
 * waits for the latter, so the rate is what lasts. No record may be lost.
 */
#include "bench.h"
#include "clock.h"
#include "figures.h"
#include "options.h"
#include "output.h"
#include "tracker.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BITS 11
#define AHEAD	   3072 /* connections made that are not printed yet: the ring holds more */

struct mill {
	struct la_tracker tracker;
	struct la_traffic *traffic;
	struct la_sink *jsonl;
	FILE *file;
	__u32 next; /* number of the first connection that has not been */

	/* of the sustained run */
	bool stop, failed;
	__u64 made;    /* connections */
	__u64 printed; /* of them */
};

/* ---- one thread ---- */

/* A step of 1 << CHUNK_BITS connections. */
static int step(struct mill *m, const struct la_step *step, __u32 bits)
{
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = step,
			     .target = LA_TARGET_LASTACK,
			     .first = m->next,
			     .bits = bits,
			     .packets = 1ULL << bits};
	__u64 cursor = 0;

	return la_traffic_run(m->traffic, &run, &cursor) < 0 ? -1 : 0;
}

/* One sample: connections are made, and the draining of their records is timed. */
static int sample(struct mill *m, struct la_samples *rate)
{
	__u64 records = m->tracker.told.records, took = 0, begun;

	for (int i = 0; i < LA_WHOLE; i++) {
		if (step(m, &la_whole[i], CHUNK_BITS))
			return -1;
		begun = la_bench_cpu_ns();
		if (la_tracker_drain(&m->tracker))
			return -1;
		took += la_bench_cpu_ns() - begun;
	}
	records = m->tracker.told.records - records;
	m->next += 1U << CHUNK_BITS;
	la_sample(rate, (double)records * LA_SEC_NS / (double)took);
	return 0;
}

static int rates(struct mill *m, int rounds, const char *name, double target)
{
	struct la_samples rate = {0};

	for (int i = 0; i < rounds; i++)
		if (sample(m, &rate))
			return -1;
	if (la_tracker_lost(&m->tracker))
		return la_bench_fail("records were lost", name, EBADMSG);
	la_figure(name, "/s of a core", &rate, LA_LEAST(target));
	return la_tracker_empty(&m->tracker);
}

/* Is there a line for each of so many records? */
static int check_lines(struct mill *m, __u64 records)
{
	char piece[1 << 14];
	__u64 lines = 0;
	size_t n;

	rewind(m->file);
	while ((n = fread(piece, 1, sizeof(piece), m->file)) > 0)
		for (const char *at = piece; (at = memchr(at, '\n', n - (size_t)(at - piece)));
		     at++)
			lines++;
	return lines == records ? 0 : la_bench_fail("some lines are missing", "JSON", EBADMSG);
}

/* ---- two threads ---- */

/* Makes connections as fast as they are printed. */
static void *make_connections(void *ctx)
{
	struct mill *m = ctx;

	la_bench_bind(1);
	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		if (m->made - __atomic_load_n(&m->printed, __ATOMIC_ACQUIRE) > AHEAD) {
			sched_yield();
			continue;
		}
		for (int i = 0; i < LA_WHOLE; i++) {
			if (step(m, &la_whole[i], CHUNK_BITS - 2)) {
				__atomic_store_n(&m->failed, true, __ATOMIC_RELEASE);
				return NULL;
			}
		}
		m->made += 1U << (CHUNK_BITS - 2);
		m->next += 1U << (CHUNK_BITS - 2);
	}
	return NULL;
}

/* Takes and prints for a while, into an empty file. Returns 0 or -1. */
static int print_for(struct mill *m, __u64 ns, __u64 first_close)
{
	__u64 until = la_monotonic_ns() + ns;

	rewind(m->file);
	if (ftruncate(fileno(m->file), 0))
		return la_bench_fail("cannot truncate", "a temporary file", errno);
	while (la_monotonic_ns() < until) {
		if (la_tracker_drain(&m->tracker) || __atomic_load_n(&m->failed, __ATOMIC_ACQUIRE))
			return -1;
		__atomic_store_n(&m->printed, m->tracker.told.closes[LA_CLOSE_FIN] - first_close,
				 __ATOMIC_RELEASE);
	}
	return 0;
}

static int sustain(struct mill *m, int rounds)
{
	__u64 first = m->tracker.told.closes[LA_CLOSE_FIN], before, begun;
	struct la_samples rate = {0};
	pthread_t maker;
	int err;

	err = pthread_create(&maker, NULL, make_connections, m);
	if (err)
		return la_bench_fail("cannot start", "a thread", err);
	err = print_for(m, LA_SEC_NS / 10, first);
	for (int i = 0; i < rounds && !err; i++) {
		before = m->printed;
		begun = la_monotonic_ns();
		err = print_for(m, LA_SEC_NS / 4, first);
		la_sample(&rate, (double)(m->printed - before) * LA_SEC_NS /
					 (double)(la_monotonic_ns() - begun));
	}
	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
	pthread_join(maker, NULL);
	if (err || m->failed || la_tracker_drain(&m->tracker))
		return -1;
	if (la_tracker_lost(&m->tracker))
		return la_bench_fail("records were lost", "connections", EBADMSG);
	la_figure("drain.connections_per_s", "/s", &rate, LA_NONE);
	return 0;
}

static int open_mill(struct mill *m)
{
	struct la_loader_opts opts = {.progs = 1U << LA_PROG_XDP, .max_flows = 1U << 20};

	la_config_defaults(&opts.config);
	m->traffic = la_traffic_new();
	m->file = tmpfile();
	if (!m->file)
		return la_bench_fail("cannot open", "a temporary file", errno);
	m->jsonl = la_output_jsonl_new(m->file, &(struct la_output_opts){0});
	if (!m->jsonl)
		return la_bench_fail("cannot print", "JSON", ENOMEM);
	if (!m->traffic || la_tracker_open(&m->tracker, &opts))
		return -1;
	return la_traffic_target(m->traffic, LA_WAY_XDP, LA_TARGET_LASTACK,
				 la_loader_prog(m->tracker.loader, LA_PROG_XDP));
}

int la_bench_drain(const struct la_bench *bench)
{
	int rounds = bench->quick ? 7 : 41, err = -1;
	struct mill m = {0};
	__u64 before;

	if (open_mill(&m) || rates(&m, rounds, "drain.records_per_s", 1e6))
		goto cleanup;
	before = m.tracker.told.records;
	la_events_to(m.tracker.events, m.jsonl);
	if (rates(&m, rounds, "drain.jsonl_lines_per_s", 250e3) ||
	    check_lines(&m, m.tracker.told.records - before) || sustain(&m, bench->quick ? 3 : 15))
		goto cleanup;
	if (la_output_failed(m.jsonl)) {
		la_bench_fail("cannot write", "JSON", la_output_failed(m.jsonl));
		goto cleanup;
	}
	err = 0;
cleanup:
	la_tracker_close(&m.tracker);
	la_sink_close(m.jsonl);
	if (m.file)
		fclose(m.file);
	la_traffic_free(m.traffic);
	return err;
}
