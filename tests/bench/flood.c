/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood.c - SYNs from everywhere, as fast as one CPU makes them, beside live connections.
 *
 * While the flood lasts, sixteen thousand connections go on talking, ten times a second, and
 * new ones come and go. Afterwards the old ones close. Each must be told exactly once, as
 * closed in order, with the packets and bytes that it sent. The table has its default size.
 */
#include "bench.h"
#include "clock.h"
#include "figures.h"
#include "options.h"
#include "tracker.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define LIVE_BITS 14
#define LIVE	  (1U << LIVE_BITS)
#define NEW_BITS  6	     /* new connections, ten times a second */
#define NEW_FIRST (1U << 20) /* the number of the first of them */
#define TURN_NS	  (LA_SEC_NS / 10)
#define TURNS_MAX 100

/* What was told of a connection when it closed. */
enum told { NOTHING, RIGHT, WRONG };

struct flood {
	struct la_tracker tracker;
	struct la_traffic *traffic;
	struct la_sink sink;
	pthread_t flooder;
	bool stop, failed;
	__u64 floods;	  /* SYNs of the flood */
	__u64 data, acks; /* cursors of the live ones */
	__u32 turns;
	__u8 live[LIVE], fresh[TURNS_MAX << NEW_BITS]; /* enum told */
};

/* The number of a connection, as drive.bpf.c made its name. */
static __u32 number_of(const struct la_rec *rec)
{
	const __u8 *addr = rec->key.addr[rec->orig & 1];
	__u32 net = (__u32)addr[12] << 24 | (__u32)addr[13] << 16 | (__u32)addr[14] << 8 | addr[15];

	return (net - LA_DRIVE_NET) << 12 | (la_ntoh16(rec->key.port[rec->orig & 1]) & 0xfff);
}

static bool is_right(const struct la_rec_close *r, __u64 data, __u64 pkts)
{
	return r->reason == LA_CLOSE_FIN && !r->midstream && r->side[LA_ORIG].bytes == data &&
	       r->side[LA_ORIG].pkts + r->side[LA_RESP].pkts == pkts;
}

static void note(__u8 *told, bool right)
{
	*told = *told == NOTHING && right ? RIGHT : WRONG;
}

static void note_close(struct la_sink *sink, const struct la_rec *rec)
{
	struct flood *f = (struct flood *)((char *)sink - offsetof(struct flood, sink));
	const struct la_rec_close *r = (const struct la_rec_close *)rec;
	__u32 n;

	if (rec->type != LA_REC_CLOSE || rec->key.addr[rec->orig & 1][12] != LA_DRIVE_NET >> 24)
		return;
	n = number_of(rec);
	if (n < LIVE) /* opening, a segment and its ACK a turn, three to close */
		note(&f->live[n],
		     is_right(r, (__u64)f->turns * LA_BYTES_EACH, LA_OPENING + 2 * f->turns + 3));
	else if (n - NEW_FIRST < sizeof(f->fresh))
		note(&f->fresh[n - NEW_FIRST], is_right(r, LA_BYTES_EACH, LA_WHOLE));
}

static void *send_flood(void *ctx)
{
	struct flood *f = ctx;
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = &la_opening[0],
			     .target = LA_TARGET_LASTACK,
			     .packets = 1U << 16,
			     .flood = true};
	__u64 cursor = 0;

	la_bench_bind(1);
	while (!__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE)) {
		if (la_traffic_run(f->traffic, &run, &cursor) < 0) {
			f->failed = true;
			break;
		}
		f->floods += run.packets;
	}
	return NULL;
}

static int send_step(struct flood *f, const struct la_step *step, __u32 first, __u32 bits,
		     __u64 *cursor)
{
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = step,
			     .target = LA_TARGET_LASTACK,
			     .first = first,
			     .bits = bits,
			     .packets = 1ULL << bits};
	__u64 begin = 0;

	if (la_traffic_run(f->traffic, &run, cursor ? cursor : &begin) < 0)
		return -1;
	return la_tracker_drain(&f->tracker);
}

/* The live ones say something, and new ones come and go. */
static int take_turn(struct flood *f)
{
	__u32 first = NEW_FIRST + (f->turns << NEW_BITS);

	if (send_step(f, &la_data, 0, LIVE_BITS, &f->data) ||
	    send_step(f, &la_acks, 0, LIVE_BITS, &f->acks))
		return -1;
	for (int i = 0; i < LA_WHOLE; i++)
		if (send_step(f, &la_whole[i], first, NEW_BITS, NULL))
			return -1;
	f->turns++;
	return 0;
}

static int close_live(struct flood *f)
{
	__u32 sent = f->turns * LA_BYTES_EACH;
	const struct la_step closing[] = {
		{"FIN", false, LA_FIN | LA_ACK, 0, .seq = sent + 1, .ack = 1},
		{"FIN back", true, LA_FIN | LA_ACK, 0, .seq = 1, .ack = sent + 2},
		{"last ACK", false, LA_ACK, 0, .seq = sent + 2, .ack = 2},
	};

	for (size_t i = 0; i < sizeof(closing) / sizeof(*closing); i++)
		for (__u32 first = 0; first < LIVE; first += LA_CHUNK)
			if (send_step(f, &closing[i], first, LA_CHUNK_BITS, NULL))
				return -1;
	return 0;
}

/* Floods for so many turns. Returns the seconds that it took, or -1. */
static double flood_for(struct flood *f, __u32 turns)
{
	__u64 begun = la_monotonic_ns();
	int err = pthread_create(&f->flooder, NULL, send_flood, f);

	if (err)
		return la_bench_fail("cannot start", "a thread", err);
	while (f->turns < turns && !err) {
		err = take_turn(f);
		while (!err && la_monotonic_ns() < begun + f->turns * TURN_NS)
			err = la_tracker_drain(&f->tracker);
	}
	__atomic_store_n(&f->stop, true, __ATOMIC_RELEASE);
	pthread_join(f->flooder, NULL);
	return err || f->failed ? -1 : (double)(la_monotonic_ns() - begun) / LA_SEC_NS;
}

static __u64 count_told(const __u8 *told, __u32 n, enum told what)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < n; i++)
		sum += told[i] == what;
	return sum;
}

static int run_flood(struct flood *f, __u32 turns)
{
	double seconds;

	if (la_tracker_establish(&f->tracker, f->traffic, 0, LIVE_BITS))
		return -1;
	la_events_to(f->tracker.events, &f->sink);
	seconds = flood_for(f, turns);
	if (seconds < 0 || close_live(f))
		return -1;
	la_figure_one("flood.syns_per_s", "/s", (double)f->floods / seconds, LA_NONE);
	la_figure_one("flood.live", "connections", LIVE, LA_LEAST(10000));
	la_figure_one("flood.live.lost", "connections", (double)count_told(f->live, LIVE, NOTHING),
		      LA_MOST(0));
	la_figure_one("flood.live.misreported", "connections",
		      (double)count_told(f->live, LIVE, WRONG), LA_MOST(0));
	la_figure_one("flood.new.tracked", "%",
		      100.0 * (double)count_told(f->fresh, turns << NEW_BITS, RIGHT) /
			      (double)(turns << NEW_BITS),
		      LA_LEAST(100));
	return 0;
}

int la_bench_flood(const struct la_bench *bench)
{
	struct la_loader_opts opts = {.progs = 1U << LA_PROG_XDP};
	struct flood *f = calloc(1, sizeof(*f));
	int err = -1;

	if (!f)
		return la_bench_fail("cannot begin", "flood", ENOMEM);
	f->sink.record = note_close;
	la_config_defaults(&opts.config);
	f->traffic = la_traffic_new();
	if (f->traffic && !la_tracker_open(&f->tracker, &opts) &&
	    !la_traffic_target(f->traffic, LA_WAY_XDP, LA_TARGET_LASTACK,
			       la_loader_prog(f->tracker.loader, LA_PROG_XDP)))
		err = run_flood(f, bench->quick ? 20 : TURNS_MAX);
	la_tracker_close(&f->tracker);
	la_traffic_free(f->traffic);
	free(f);
	return err;
}
