/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - what tracking costs packets on their way through the kernel, beside nf_conntrack.
 *
 * Live frames go over veth, native XDP on the receiving end, into a host that routes them to
 * where they end. Five such hosts differ in who tracks: nobody, nf_conntrack, the floor (which
 * only finds its entry and counts) at XDP, lastack at XDP, lastack at tc ingress. All get the
 * same packets by turns; generator and receiver share one CPU, so wall time is the whole way,
 * and what a tracker adds to nobody's is its own cost. Every packet must arrive, and
 * connections are established for each of them.
 */
#include "bench.h"
#include "clock.h"
#include "conntrack.h"
#include "figures.h"
#include "floor.h"
#include "net.h"
#include "options.h"
#include "tracker.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As linux/bpf.h of newer kernels: enum bpf_attach_type. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define XDP_NATIVE  4U /* XDP_FLAGS_DRV_MODE */
#define NEW_ORDER   2246822519U
#define PACKETS	    (1U << 17) /* a sample of established traffic */
#define SLOW_ROUNDS 2	       /* data segments before the fast path takes a connection */
#define LINKS_MAX   16

enum who { NOBODY, CONNTRACK, FLOOR, AT_XDP, AT_TC, WHO };
_Static_assert(WHO == LA_NET_HOSTS, "one host for each");

struct live {
	struct la_net net;
	struct la_conntrack conntrack;
	struct la_tracker tracker[WHO]; /* AT_XDP, AT_TC */
	struct la_traffic *traffic;
	struct la_floor *floor;
	int links[LINKS_MAX], links_count;
	__u64 sent;
	__u32 next; /* number of the first connection that nobody has seen yet */
};

/* ---- five hosts ---- */

static int attach(struct live *l, enum who who, int prog_fd, __u32 ifindex, int type)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = type == BPF_XDP ? XDP_NATIVE : 0);
	int fd;

	if (la_net_enter(l->net.host[who].netns))
		return -1;
	fd = bpf_link_create(prog_fd, (int)ifindex, (enum bpf_attach_type)type, &opts);
	if (fd < 0)
		return la_bench_fail("cannot attach", type == BPF_XDP ? "XDP" : "tcx (Linux 6.6)",
				     errno);
	l->links[l->links_count++] = fd;
	return 0;
}

/* What runs at XDP of a host; native XDP everywhere, so that it costs all the same. */
static int xdp_of(const struct live *l, enum who who)
{
	if (who == AT_XDP)
		return la_loader_prog(l->tracker[who].loader, LA_PROG_XDP);
	return who == FLOOR ? la_floor_xdp(l->floor) : la_traffic_nothing(l->traffic);
}

static int attach_all(struct live *l)
{
	int sink = la_traffic_sink(l->traffic);

	for (enum who who = NOBODY; who < WHO; who++) {
		const struct la_host *host = &l->net.host[who];

		if (attach(l, who, xdp_of(l, who), host->rx, BPF_XDP) ||
		    attach(l, who, sink, host->out, TCX_EGRESS))
			return -1;
	}
	return attach(l, AT_TC, la_loader_prog(l->tracker[AT_TC].loader, LA_PROG_TC_INGRESS),
		      l->net.host[AT_TC].rx, TCX_INGRESS);
}

static int live_open(struct live *l, __u32 flows)
{
	struct la_loader_opts opts = {.max_flows = LA_ROOM_FOR(flows),
				      .max_attempts = LA_ROOM_FOR(flows)};

	memset(l, 0, sizeof(*l));
	la_config_defaults(&opts.config);
	if (la_net_open(&l->net) ||
	    la_conntrack_open(&l->conntrack, l->net.home, l->net.host[CONNTRACK].netns, flows * 2))
		return -1;
	opts.progs = 1U << LA_PROG_XDP;
	if (la_tracker_open(&l->tracker[AT_XDP], &opts))
		return -1;
	opts.progs = 1U << LA_PROG_TC_INGRESS;
	if (la_tracker_open(&l->tracker[AT_TC], &opts))
		return -1;
	l->traffic = la_traffic_new();
	if (!l->traffic)
		return -1;
	l->floor = la_floor_new(l->traffic, la_loader_prog(l->tracker[AT_XDP].loader, LA_PROG_XDP));
	if (!l->floor || attach_all(l))
		return -1;
	return la_net_enter(l->net.generator);
}

static void live_close(struct live *l)
{
	while (l->links_count)
		close(l->links[--l->links_count]);
	la_conntrack_close(&l->conntrack, l->net.home);
	la_net_close(&l->net);
	la_floor_free(l->floor);
	la_traffic_free(l->traffic);
	la_tracker_close(&l->tracker[AT_XDP]);
	la_tracker_close(&l->tracker[AT_TC]);
}

/* ---- packets ---- */

/* What the host has not got yet is in a queue of this CPU. */
static int wait_arrived(const struct live *l)
{
	__u64 until = la_monotonic_ns() + LA_SEC_NS;

	while (la_traffic_arrived(l->traffic) != l->sent) {
		if (la_monotonic_ns() < until) {
			sched_yield();
			continue;
		}
		fprintf(stderr, "bench: live frames: %llu sent, %llu arrived\n",
			(unsigned long long)l->sent,
			(unsigned long long)la_traffic_arrived(l->traffic));
		return -1;
	}
	return 0;
}

/* Sends packets to one host, in chunks between which records are drained. ns a packet or -1. */
static double send_to(struct live *l, enum who who, const struct la_run *what, __u64 *cursor)
{
	struct la_run run = *what;
	double sum = 0, ns;

	run.way = LA_WAY_LIVE;
	run.ifindex = l->net.host[who].gen;
	for (__u64 left = what->packets; left; left -= run.packets) {
		run.packets = left < LA_CHUNK ? left : LA_CHUNK;
		ns = la_traffic_run(l->traffic, &run, cursor);
		l->sent += run.packets;
		if (ns < 0 || wait_arrived(l) ||
		    (l->tracker[who].loader && la_tracker_drain(&l->tracker[who])))
			return -1;
		sum += ns * (double)run.packets;
	}
	return sum / (double)what->packets;
}

/* One step of each connection. */
static double send_step(struct live *l, enum who who, const struct la_step *step, __u32 first,
			__u32 bits)
{
	struct la_run run = {.step = step, .first = first, .bits = bits, .packets = 1ULL << bits};
	__u64 cursor = 0;

	return send_to(l, who, &run, &cursor);
}

/* What two of them add to nobody's. */
struct rows {
	struct la_samples ratio, ns, theirs;
};

static void add_rows(struct rows rows[WHO], const double ns[WHO])
{
	for (enum who who = FLOOR; who < WHO; who++) {
		la_sample(&rows[who].ratio, (ns[who] - ns[NOBODY]) / (ns[CONNTRACK] - ns[NOBODY]));
		la_sample(&rows[who].ns, ns[who] - ns[NOBODY]);
		la_sample(&rows[who].theirs, ns[CONNTRACK] - ns[NOBODY]);
	}
}

static void tell_rows(struct rows rows[WHO], const char *what, const char *size, double target)
{
	static const char *const names[] = {[FLOOR] = "floor", [AT_XDP] = "xdp", [AT_TC] = "tc"};
	char name[48];

	for (enum who who = FLOOR; who < WHO; who++) {
		snprintf(name, sizeof(name), "live.%s.%s.%s", what, names[who], size);
		la_figure(name, "x conntrack", &rows[who].ratio,
			  who == FLOOR ? LA_NONE : LA_MOST(target));
		snprintf(name, sizeof(name), "live.%s.%s.%s.ns", what, names[who], size);
		la_figure(name, "ns", &rows[who].ns, LA_NONE);
	}
	snprintf(name, sizeof(name), "live.%s.conntrack.%s.ns", what, size);
	la_figure(name, "ns", &rows[AT_XDP].theirs, LA_NONE);
}

/* ---- established connections ---- */

struct crowd {
	const char *size;
	double target;
	__u32 first, bits;
	__u64 data[WHO], acks[WHO]; /* cursors */
};

static int open_crowd(struct live *l, struct crowd *crowd, enum who who)
{
	struct la_run run = {.step = &la_data,
			     .first = crowd->first,
			     .bits = crowd->bits,
			     .factor = NEW_ORDER,
			     .packets = (__u64)SLOW_ROUNDS << crowd->bits};

	for (int i = 0; i < LA_OPENING; i++)
		if (send_step(l, who, &la_opening[i], crowd->first, crowd->bits) < 0)
			return -1;
	if (send_to(l, who, &run, &crowd->data[who]) < 0)
		return -1;
	run.step = &la_acks;
	run.packets = (SLOW_ROUNDS * 2 - 1ULL) << crowd->bits >> 1;
	return send_to(l, who, &run, &crowd->acks[who]) < 0 ? -1 : 0;
}

static double talk(struct live *l, struct crowd *crowd, enum who who)
{
	struct la_run run = {.step = &la_data,
			     .first = crowd->first,
			     .bits = crowd->bits,
			     .factor = NEW_ORDER,
			     .packets = PACKETS / 2};
	double data = send_to(l, who, &run, &crowd->data[who]), acks;

	run.step = &la_acks;
	acks = send_to(l, who, &run, &crowd->acks[who]);
	return data < 0 || acks < 0 ? -1 : (data + acks) / 2;
}

/* Are they established for everybody? */
static int check_established(const struct live *l)
{
	int err;

	if (la_net_enter(l->net.host[CONNTRACK].netns))
		return -1;
	err = la_conntrack_check_established();
	return la_net_enter(l->net.generator) ? -1 : err;
}

static int forget(struct live *l)
{
	int err;

	if (la_net_enter(l->net.host[CONNTRACK].netns))
		return -1;
	err = la_conntrack_flush();
	if (la_net_enter(l->net.generator) || err)
		return -1;
	return la_tracker_empty(&l->tracker[AT_XDP]) || la_tracker_empty(&l->tracker[AT_TC]) ? -1
											     : 0;
}

/* Every segment of both trackers must have been accepted, and every record have come. */
static int check_accepted(const struct live *l)
{
	static const enum la_hook hooks[] = {[AT_XDP] = LA_HOOK_XDP, [AT_TC] = LA_HOOK_TC_INGRESS};
	__u64 accepted[WHO];

	for (enum who who = AT_XDP; who < WHO; who++) {
		accepted[who] = la_tracker_accepted(&l->tracker[who], hooks[who]);
		if (la_tracker_lost(&l->tracker[who]) || accepted[who] * WHO != l->sent) {
			fprintf(stderr, "bench: live frames: lastack accepted %llu of %llu\n",
				(unsigned long long)accepted[who],
				(unsigned long long)l->sent / WHO);
			return -1;
		}
	}
	return 0;
}

static int established(struct live *l, struct crowd *crowd, int rounds)
{
	struct rows rows[WHO] = {0};
	double ns[WHO];

	crowd->first = l->next;
	l->next += 1U << crowd->bits;
	if (la_floor_fill(l->traffic, crowd->first, crowd->bits))
		return -1;
	for (enum who who = NOBODY; who < WHO; who++)
		if (open_crowd(l, crowd, who))
			return -1;
	for (int i = 0; i < rounds; i++) {
		for (enum who who = NOBODY; who < WHO; who++) {
			ns[who] = talk(l, crowd, who);
			if (ns[who] < 0)
				return -1;
		}
		add_rows(rows, ns);
	}
	if (check_established(l) || check_accepted(l) || forget(l))
		return -1;
	tell_rows(rows, "packet", crowd->size, crowd->target);
	return 0;
}

/* ---- whole connections ---- */

static double whole(struct live *l, enum who who, __u32 first, __u32 bits)
{
	double sum = 0, ns;

	for (int i = 0; i < LA_WHOLE; i++) {
		ns = send_step(l, who, &la_whole[i], first, bits);
		if (ns < 0)
			return -1;
		sum += ns;
	}
	return sum;
}

static int lifecycle(struct live *l, const char *size, __u32 bits, int rounds)
{
	struct rows rows[WHO] = {0};
	double ns[WHO];

	for (int i = 0; i < rounds; i++) {
		if (la_floor_fill(l->traffic, l->next, bits))
			return -1;
		for (enum who who = NOBODY; who < WHO; who++) {
			ns[who] = whole(l, who, l->next, bits);
			if (ns[who] < 0)
				return -1;
		}
		add_rows(rows, ns);
		l->next += 1U << bits;
	}
	if (check_accepted(l) || forget(l))
		return -1;
	tell_rows(rows, "connection", size, 0.4);
	return 0;
}

/* ---- packets a second ---- */

/* What one CPU sends: data of a crowd of its own. */
struct lane {
	struct live *l;
	enum who who;
	int cpu;
	struct crowd crowd;
	pthread_barrier_t *start;
	double ns; /* a packet; -1: it failed */
};

#define CORES 2

static void *send_lane(void *ctx)
{
	struct lane *lane = ctx;
	struct la_run run = {.way = LA_WAY_LIVE,
			     .step = &la_data,
			     .first = lane->crowd.first,
			     .bits = lane->crowd.bits,
			     .factor = NEW_ORDER,
			     .ifindex = lane->l->net.host[lane->who].gen,
			     .packets = PACKETS};

	la_bench_bind(lane->cpu);
	pthread_barrier_wait(lane->start);
	lane->ns = la_traffic_run(lane->l->traffic, &run, &lane->crowd.data[lane->who]);
	return NULL;
}

/* Packets a second of processor time, of so many CPUs at once; or -1. */
static double send_together(struct live *l, struct lane lanes[CORES], enum who who, int cores)
{
	pthread_t threads[CORES];
	pthread_barrier_t start;
	double rate = 0;
	int err = 0;

	pthread_barrier_init(&start, NULL, (unsigned int)cores);
	for (int i = 0; i < cores; i++) {
		lanes[i].who = who;
		lanes[i].start = &start;
		err = pthread_create(&threads[i], NULL, send_lane, &lanes[i]);
		if (err) {
			la_bench_fail("cannot start", "a thread", err);
			abort(); /* the others wait at the barrier */
		}
	}
	for (int i = 0; i < cores; i++) {
		pthread_join(threads[i], NULL);
		l->sent += PACKETS;
		rate += LA_SEC_NS / lanes[i].ns;
		err |= lanes[i].ns < 0;
	}
	pthread_barrier_destroy(&start);
	return err || wait_arrived(l) ? -1 : rate;
}

static int open_lanes(struct live *l, struct lane lanes[CORES])
{
	for (int i = 0; i < CORES; i++) {
		lanes[i] = (struct lane){.l = l, .cpu = i, .crowd = {.bits = 10}};
		lanes[i].crowd.first = l->next;
		l->next += 1U << 10;
		if (open_crowd(l, &lanes[i].crowd, NOBODY) ||
		    open_crowd(l, &lanes[i].crowd, AT_XDP))
			return -1;
	}
	return 0;
}

/* From here on packets end where the host takes them in, so that the hook weighs most. */
static int end_early(struct live *l)
{
	int sink = la_traffic_sink(l->traffic);

	if (attach(l, NOBODY, sink, l->net.host[NOBODY].rx, TCX_INGRESS) ||
	    attach(l, AT_XDP, sink, l->net.host[AT_XDP].rx, TCX_INGRESS))
		return -1;
	return la_net_enter(l->net.generator);
}

static int packets_a_second(struct live *l, int rounds)
{
	struct la_samples rate[CORES][2] = {0}, growth = {0};
	int cpus = la_bench_cpus() < CORES ? 1 : CORES;
	struct lane lanes[CORES];
	double bare, with[CORES] = {0};

	if (open_lanes(l, lanes) || end_early(l))
		return -1;
	for (int i = 0; i < rounds; i++) {
		for (int n = 0; n < cpus; n++) {
			bare = send_together(l, lanes, NOBODY, n + 1);
			with[n] = send_together(l, lanes, AT_XDP, n + 1);
			if (bare < 0 || with[n] < 0)
				return -1;
			la_sample(&rate[n][0], bare);
			la_sample(&rate[n][1], with[n]);
		}
		la_sample(&growth, with[CORES - 1] / with[0]);
	}
	la_figure("live.pps.1_core.without", "/s", &rate[0][0], LA_NONE);
	la_figure("live.pps.1_core", "/s", &rate[0][1], LA_NONE);
	if (cpus < CORES)
		return 0;
	la_figure("live.pps.2_cores.without", "/s", &rate[1][0], LA_NONE);
	la_figure("live.pps.2_cores", "/s", &rate[1][1], LA_NONE);
	la_figure("live.pps.growth", "x one core", &growth, LA_NONE);
	return 0;
}

int la_bench_live(const struct la_bench *bench)
{
	struct crowd hot = {"1k", 0.45, .bits = 10}, cold = {"1m", 0.5, .bits = 20};
	struct live *l = calloc(1, sizeof(*l));
	int err = -1;

	if (!l)
		return la_bench_fail("cannot begin", "live", ENOMEM);
	if (live_open(l, bench->quick ? 1 << 18 : 1 << 20) ||
	    established(l, &hot, bench->quick ? 5 : 21) ||
	    lifecycle(l, "1k", 10, bench->quick ? 9 : 41) ||
	    lifecycle(l, "100k", 17, bench->quick ? 1 : 3))
		goto cleanup;
	if (!bench->quick && established(l, &cold, 9))
		goto cleanup;
	if (packets_a_second(l, bench->quick ? 5 : 15))
		goto cleanup;
	err = 0;
cleanup:
	live_close(l);
	free(l);
	return err;
}
