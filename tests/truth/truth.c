// SPDX-License-Identifier: BSD-2-Clause
/*
 * truth.c - the truth lab: N randomised connections between a client and a server, watched
 * by both kernels and by a lastack at each of three points, and compared step by step.
 *
 *   client eth0 ------- left router right ------- eth0 server
 *   lastack             lastack                   lastack
 *
 * usage: build/truth [-n N] [-s SEED] [-l] [-w] [-p POLICY] [-c] [-j JOBS] [-x HOOK,HOOK,HOOK]
 *        [-d N] [-a N] LASTACK
 *   -l   the network loses, doubles, delays and so reorders
 *   -p   what the three make of RSTs: observe (default), dry-run, strict or challenge
 *   -c   plays the same once more with observe, and compares what came of each play: no
 *        more than one in a hundred may come out otherwise
 *   -x   hooks of the client's, the middle's and the server's lastack
 *   -w   wait a minute for the ends of TIME_WAIT, and compare them, too
 *   -d   print so many of the endpoints that differ
 *   -a   allow so many of them: what a race does once is to be mended, but refuses nothing
 *
 * Exit code 1 if the lab failed or lastack told something else than the kernels did: anything
 * of a host's own endpoint as seen there, and elsewhere what it does not mark as presumed
 * (compare.c), or kept a segment from its receiver, or data did not arrive as it was sent;
 * without loss no more than one in a thousand may be so marked. 2 for a wrong command line.
 */
#include "compare.h"
#include "gates.h"
#include "kernel.h"
#include "la_segment.h"
#include "mirror.h"
#include "play.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX     256
#define FIRST_SERVER 2000
#define ROUNDS_MAX   30
#define PLAYS_MAX    (ROUNDS_MAX * LA_PLAY_ROUND)
#define QUIET_MS     30000
#define TIME_WAIT_S  70.0 /* 60 s in Linux, and its timer is late */
#define MILLION	     1000000

enum point { AT_CLIENT, IN_THE_MIDDLE, AT_SERVER, POINTS };

static const struct {
	const char *name;
	enum la_lab_host host;
} points[POINTS] = {
	[AT_CLIENT] = {"client", LA_LAB_CLIENT},
	[IN_THE_MIDDLE] = {"middle", LA_LAB_ROUTER},
	[AT_SERVER] = {"server", LA_LAB_SERVER},
};

/* Where a host's own segments come past first. */
static enum point own_point(int host)
{
	return host ? AT_SERVER : AT_CLIENT;
}

struct options {
	const char *binary;
	unsigned int n;
	__u64 seed;
	bool loss;
	bool wait;
	bool compare;
	int jobs;
	int show;
	unsigned long allow; /* endpoints that may differ all the same */
	const char *policy;
	const char *hook[POINTS];
};

struct truth {
	struct options opts;
	struct la_lab *lab;
	struct la_net *net;
	struct la_kernel *kernel;
	struct la_mirror *mirror[POINTS];
	struct la_conns was;	      /* the kernels' */
	struct la_conns told[POINTS]; /* lastack's */
	struct la_tally tally[POINTS][2];
	pid_t worker[JOBS_MAX];
	struct la_play_end *ends; /* of each play; shared with the workers */
	enum point at;		  /* which is compared now */
	int shown;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the stage ---------------------------------------------------------------------------- */

/* Below /proc/sys/net/ipv4: short waits, so that a run takes seconds and not hours. */
static const char *const sysctls[][2] = {
	{"tcp_fastopen", "519"},  /* data on the SYN without a cookie, both ways */
	{"tcp_fin_timeout", "2"}, /* s */
	{"tcp_tw_reuse", "1"},	  /* by timestamps */
	{"tcp_synack_retries", "2"},
	{"tcp_syn_retries", "3"},
	{"tcp_orphan_retries", "4"},
	{"tcp_retries2", "6"},
	{"tcp_syncookies", "0"}, /* a cookie is no state */
	{"tcp_max_tw_buckets", "1000000"},
	{"tcp_challenge_ack_limit", "2147483647"},
};

static bool set_sysctls(struct la_lab *lab, enum la_lab_host host)
{
	char path[96];
	bool ok = true;
	size_t i;
	int fd;

	if (!la_lab_enter(lab, host))
		return false;
	for (i = 0; ok && i < sizeof(sysctls) / sizeof(*sysctls); i++) {
		size_t len = strlen(sysctls[i][1]);

		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", sysctls[i][0]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		ok = fd >= 0 && write(fd, sysctls[i][1], len) == (ssize_t)len;
		if (!ok)
			fprintf(stderr, "truth: cannot write %s: %s\n", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	la_lab_leave(lab);
	return ok;
}

/* The cables see segments as they are on the wire, not bundles of them. */
static bool unbundle(struct la_lab *lab)
{
	static const char *const argv[] = {"ip",   "link",	   "set", "dev",
					   "eth0", "gso_max_segs", "1",	  NULL};
	int host, status;
	pid_t pid;

	for (host = 0; host < 2; host++) {
		pid = la_lab_spawn(lab, host, argv, -1, -1);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return false;
	}
	return la_lab_offloads(lab, false);
}

static bool build(struct truth *t)
{
	struct la_net_weather weather = {.seed = t->opts.seed};
	int i;

	if (t->opts.loss) {
		weather.loss = MILLION / 50;
		weather.twice = MILLION / 100;
		weather.late = MILLION / 20;
		weather.late_us = 5000;
	}
	t->ends = mmap(NULL, t->opts.n * sizeof(*t->ends), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	t->lab = la_lab_new(true);
	if (t->ends == MAP_FAILED || !t->lab || !unbundle(t->lab) ||
	    !set_sysctls(t->lab, LA_LAB_CLIENT) || !set_sysctls(t->lab, LA_LAB_SERVER))
		return false;
	t->net = la_net_new(t->lab, &weather);
	t->kernel = t->net ? la_kernel_new(t->lab) : NULL;
	if (!t->kernel)
		return false;
	for (i = 0; i < POINTS; i++) {
		t->mirror[i] = la_mirror_start(t->lab, t->opts.binary, points[i].host,
					       t->opts.hook[i], t->opts.policy);
		if (!t->mirror[i])
			return false;
	}
	return true;
}

/* --- the plays ---------------------------------------------------------------------------- */

/* Each worker has a port of its own, in each round another one. */
static unsigned short server_port(unsigned int number, int job)
{
	return (unsigned short)(FIRST_SERVER + number / LA_PLAY_ROUND * JOBS_MAX +
				(unsigned int)job);
}

/* gate: closed when all may begin. Forking takes a while, and the network must not wait. */
static void work(const struct truth *t, int job, const int gate[2])
{
	unsigned int i;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(gate[1]);
	if (read(gate[0], &byte, 1) != 0)
		_exit(1);
	for (i = (unsigned int)job; i < t->opts.n; i += (unsigned int)t->opts.jobs)
		t->ends[i] = la_play_run(t->lab, t->net, t->opts.seed, i, server_port(i, job),
					 t->opts.loss);
	_exit(0);
}

/* The network does not wait for a processor. */
static void be_quick(void)
{
	struct sched_param first = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		fprintf(stderr, "truth: no real-time priority: %s\n", strerror(errno));
}

static bool start_workers(struct truth *t)
{
	int job, gate[2];
	bool ok = true;

	if (pipe2(gate, O_CLOEXEC))
		return false;
	fflush(stdout);
	for (job = 0; ok && job < t->opts.jobs; job++) {
		t->worker[job] = fork();
		if (t->worker[job] == 0)
			work(t, job, gate);
		ok = t->worker[job] > 0;
	}
	be_quick();
	close(gate[0]);
	close(gate[1]);
	return ok;
}

static void kill_workers(struct truth *t)
{
	int job;

	for (job = 0; job < t->opts.jobs; job++) {
		if (t->worker[job] <= 0)
			continue;
		kill(t->worker[job], SIGKILL);
		waitpid(t->worker[job], NULL, 0);
		t->worker[job] = 0;
	}
}

static int workers_left(struct truth *t)
{
	int job, left = 0;

	for (job = 0; job < t->opts.jobs; job++) {
		if (t->worker[job] > 0 && waitpid(t->worker[job], NULL, WNOHANG) > 0)
			t->worker[job] = 0;
		left += t->worker[job] > 0;
	}
	return left;
}

/* Carries on with the network and the kernels' events for at most so long. */
static void carry_on(struct truth *t, long long ns)
{
	struct pollfd wait[] = {{.fd = la_net_fd(t->net), .events = POLLIN},
				{.fd = la_kernel_fd(t->kernel), .events = POLLIN}};
	struct timespec timeout;
	long long due = la_net_run(t->net);

	la_kernel_run(t->kernel);
	if (due >= 0 && due < ns)
		ns = due;
	timeout = (struct timespec){ns / 1000000000, ns % 1000000000};
	ppoll(wait, 2, &timeout, NULL);
}

/* Until the plays are over, and then until both kernels have nothing open. */
static bool play_all(struct truth *t)
{
	double end = 0;
	int open = 1;

	if (!start_workers(t))
		return false;
	while (workers_left(t))
		carry_on(t, 20000000);
	end = now_s() + QUIET_MS / 1000.0;
	while (now_s() < end && open) {
		double next = now_s() + 0.1;

		while (now_s() < next)
			carry_on(t, 20000000);
		open = la_kernel_open_sockets(t->lab);
	}
	for (end = now_s() + (t->opts.wait ? TIME_WAIT_S : 0.2); now_s() < end;)
		carry_on(t, 20000000);
	if (open)
		fprintf(stderr, "truth: %d sockets are still open\n", open);
	return !open;
}

/* --- the comparison ----------------------------------------------------------------------- */

static bool goes_up(const struct la_net_log *l)
{
	return l->point == LA_NET_CLIENT || l->point == LA_NET_RIGHT;
}

/* When a segment came past the observer, ns; 0: not at all. */
static __u64 seen_at(const struct la_net_log *l, enum point at)
{
	switch (at) {
	case AT_CLIENT:
		return l->point == LA_NET_CLIENT ? l->ts : l->point == LA_NET_LEFT ? l->out : 0;
	case IN_THE_MIDDLE:
		return l->point == LA_NET_CLIENT || l->point == LA_NET_SERVER ? l->out : 0;
	default:
		return l->point == LA_NET_SERVER ? l->ts : l->point == LA_NET_RIGHT ? l->out : 0;
	}
}

static bool tells(const struct la_net_log *l, int host, enum la_telling what)
{
	if (goes_up(l) == host)
		return false;
	switch (what) {
	case LA_TELLS_SYN:
		return (l->flags & (LA_SYN | LA_ACK)) == LA_SYN;
	case LA_TELLS_SYN_ACK:
		return (l->flags & (LA_SYN | LA_ACK)) == (LA_SYN | LA_ACK);
	case LA_TELLS_ACK:
		return (l->flags & (LA_SYN | LA_ACK)) == LA_ACK;
	case LA_TELLS_FIN:
		return l->flags & LA_FIN;
	case LA_TELLS_RST:
		return l->flags & LA_RST;
	default:
		return true;
	}
}

/* The first segment of a pair in the log. */
static size_t first_of(const struct la_net_log *log, size_t count, struct la_net_pair pair)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (log[mid].pair.client < pair.client ||
		    (log[mid].pair.client == pair.client && log[mid].pair.server < pair.server))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool same_pair(struct la_net_pair a, struct la_net_pair b)
{
	return a.client == b.client && a.server == b.server;
}

/* Is it at SND.NXT of its host? A RST below answers something old, and counts for nobody. */
static bool is_next(const struct la_net_log *log, size_t first, size_t i)
{
	for (size_t j = first; j < i; j++) {
		__u32 flags = log[j].flags;
		__u32 end = log[j].seq + log[j].len + !!(flags & LA_SYN) + !!(flags & LA_FIN);

		if (goes_up(&log[j]) == goes_up(&log[i]) && (__s32)(end - log[i].seq) > 0)
			return false;
	}
	return true;
}

/* Was one of the segments that tell of `what` at `at`, in the time from..to? */
static bool was_at(const struct truth *t, enum point at, struct la_net_pair pair, int host,
		   enum la_telling what, __u64 from, __u64 to)
{
	size_t count, i;
	const struct la_net_log *log = la_net_log(t->net, &count);
	size_t first = first_of(log, count, pair);

	for (i = first; i < count && same_pair(log[i].pair, pair); i++) {
		__u64 seen = seen_at(&log[i], at);

		if (seen && seen >= from && seen < to && tells(&log[i], host, what) &&
		    (what != LA_TELLS_RST || is_next(log, first, i)))
			return true;
	}
	return false;
}

static bool came_past(struct la_net_pair pair, int host, enum la_telling what, __u64 from, __u64 to,
		      void *ctx)
{
	const struct truth *t = ctx;

	return was_at(t, t->at, pair, host, what, from, to);
}

static bool left(struct la_net_pair pair, int host, enum la_telling what, __u64 from, __u64 to,
		 void *ctx)
{
	return was_at(ctx, own_point(host), pair, host, what, from, to);
}

static void print_segments(const struct truth *t, struct la_net_pair pair)
{
	static const char *const ways[LA_NET_POINTS] = {"client > .      . ", "client < .      . ",
							"     . .      . > server",
							"     . .      . < server"};
	static const char *const actions[] = {"", "lost", "delayed", "doubled"};
	size_t count, i;
	const struct la_net_log *log = la_net_log(t->net, &count);
	__u32 isn[2] = {0};
	__u64 start = 0;

	for (i = first_of(log, count, pair); i < count && same_pair(log[i].pair, pair); i++) {
		const struct la_net_log *l = &log[i];
		bool up = goes_up(l);

		start = start ? start : l->ts;
		if (l->flags & 2)
			isn[up] = l->seq;
		printf("    %9.3f ms  %-26s %s%s%s%s seq %u ack %u len %u win %u %s\n",
		       (double)(l->ts - start) / 1e6, ways[l->point], l->flags & 2 ? "S" : "",
		       l->flags & 1 ? "F" : "", l->flags & 4 ? "R" : "", l->flags & 16 ? "." : "",
		       l->seq - isn[up], l->flags & 16 ? l->ack - isn[!up] : 0, l->len, l->win,
		       actions[l->action]);
	}
}

/* A run's plays are numbered by the client's port and the round. */
static const char *behaviour_of(const struct truth *t, struct la_net_pair pair)
{
	unsigned int round = (unsigned int)(pair.server - FIRST_SERVER) / JOBS_MAX;
	unsigned int number = round * LA_PLAY_ROUND +
			      (unsigned int)(pair.client - LA_PLAY_FIRST_PORT) / LA_PLAY_PORTS;

	return la_behaviours[la_play_cast(t->opts.seed, number)].name;
}

static void show(const struct la_difference *d, void *ctx)
{
	struct truth *t = ctx;

	if (d->presumed && t->opts.loss && t->at != own_point(d->host))
		return; /* the network, not lastack, is to blame */
	if (t->shown++ >= t->opts.show)
		return;
	printf("\n%s, port %u to %u, connection %u, the %s's endpoint, as seen at the %s%s\n",
	       behaviour_of(t, d->pair), d->pair.client, d->pair.server, d->nth + 1,
	       d->host ? "server" : "client", points[t->at].name, d->presumed ? ", presumed" : "");
	la_compare_print("kernel", d->kernel);
	la_compare_print("lastack", d->told);
	print_segments(t, d->pair);
	la_kernel_print(t->kernel, d->pair, d->host);
	la_mirror_print(t->mirror[t->at], d->pair);
}

static bool compare_all(struct truth *t)
{
	struct la_witness cables = {came_past, left, -1, t->opts.wait, t};

	la_net_sort(t->net);
	if (!la_kernel_walks(t->kernel, &t->was))
		return false;
	for (t->at = 0; t->at < POINTS; t->at++) {
		if (!la_mirror_stop(t->mirror[t->at], &t->told[t->at]))
			return false;
		cables.at = t->at == AT_CLIENT ? 0 : t->at == AT_SERVER ? 1 : -1;
		la_compare(&t->was, &t->told[t->at], &cables, t->tally[t->at], show);
	}
	if (!la_kernel_lost(t->kernel) && !la_net_lost(t->net))
		return true;
	fprintf(stderr, "truth: the lab lost %llu events of the kernel, %llu segments\n",
		la_kernel_lost(t->kernel), la_net_lost(t->net));
	return false;
}

static const struct {
	const char *name;
	size_t at;
} columns[] = {
	{"endpoints", offsetof(struct la_tally, walks)},
	{"compared", offsetof(struct la_tally, compared)},
	{"equal", offsetof(struct la_tally, equal)},
	{"missing", offsetof(struct la_tally, missing)},
	{"extra", offsetof(struct la_tally, extra)},
	{"order", offsetof(struct la_tally, disordered)},
	{"corrected", offsetof(struct la_tally, taken_back)},
	{"presumed", offsetof(struct la_tally, presumed)},
	{"doubted", offsetof(struct la_tally, doubted)},
	{"differing", offsetof(struct la_tally, differing)},
	{"merged", offsetof(struct la_tally, merged)},
	{"unclaimed", offsetof(struct la_tally, unclaimed)},
	{"queued", offsetof(struct la_tally, queued)},
	{"silent", offsetof(struct la_tally, silent)},
	{"unseen", offsetof(struct la_tally, unseen)},
	{"untold", offsetof(struct la_tally, untold)},
};

#define COLUMNS (sizeof(columns) / sizeof(*columns))

static void print_table(const struct truth *t)
{
	const char *tally;
	int at, host;
	size_t i;

	printf("\n%-7s %-11s %-8s", "at the", "by", "endpoint");
	for (i = 0; i < COLUMNS; i++)
		printf(" %9s", columns[i].name);
	for (at = 0; at < POINTS; at++) {
		for (host = 0; host < 2; host++) {
			tally = (const char *)&t->tally[at][host];
			printf("\n%-7s %-11s %-8s", points[at].name, t->opts.hook[at],
			       host ? "server" : "client");
			for (i = 0; i < COLUMNS; i++)
				printf(" %9lu", *(const unsigned long *)(tally + columns[i].at));
		}
	}
	printf("\n");
}

/* How often the kernels entered each state: what these plays cover. */
static void print_cover(const struct truth *t)
{
	unsigned long entered[LA_STATE_MAX] = {0};
	size_t i;
	int host, s;

	for (i = 0; i < t->was.count; i++) {
		for (host = 0; host < 2; host++) {
			const struct la_walk *walk = &t->was.conn[i].walk[host];

			for (s = 0; s < walk->count; s++)
				entered[walk->step[s].to]++;
		}
	}
	printf("\nthe kernels entered");
	for (s = 1; s < LA_STATE_MAX; s++) {
		if (entered[s])
			printf(" %s %lu", la_state_word((unsigned int)s), entered[s]);
	}
	printf("\n");
}

/* Endpoints that differ only in what lastack has marked as presumed. */
static unsigned long marked(const struct truth *t, int at, int host)
{
	return t->tally[at][host].presumed + t->tally[at][host].doubted;
}

/*
 * May lastack be in doubt there so often? Of a host's own endpoint, as seen there, never. Of
 * another one at any time if the network loses segments; else only in the few that two CPUs of
 * a host handle at once, less than one endpoint in a thousand.
 */
static bool may_presume(const struct truth *t, int at, int host)
{
	if (at == (int)own_point(host))
		return false;
	return t->opts.loss || marked(t, at, host) * 1000 <= t->tally[AT_CLIENT][host].walks;
}

/* Endpoints that should not differ. */
static unsigned long differing(const struct truth *t)
{
	unsigned long all = 0;
	int at, host;

	for (at = 0; at < POINTS; at++) {
		for (host = 0; host < 2; host++) {
			all += t->tally[at][host].differing;
			if (!may_presume(t, at, host))
				all += marked(t, at, host);
		}
	}
	return all;
}

/* RSTs that were not let pass; prints how many there were. */
static unsigned long dropped(const struct truth *t)
{
	unsigned long told = 0, all = 0, here;
	int at;

	for (at = 0; at < POINTS; at++) {
		told += la_mirror_rsts(t->mirror[at], &here);
		all += here;
	}
	printf("%lu RSTs told, %lu not let pass, policy %s\n", told, all, t->opts.policy);
	return all;
}

/* What the plays heard that was not said so, and plays that are not over; prints what came of all.
 */
static unsigned long garbled(const struct truth *t)
{
	unsigned long over = 0, through = 0, bytes = 0, wrong = 0;

	for (unsigned int i = 0; i < t->opts.n; i++) {
		over += t->ends[i].played;
		through += t->ends[i].through;
		bytes += t->ends[i].bytes;
		wrong += t->ends[i].wrong;
	}
	printf("%lu plays over, %lu carried through, %lu bytes heard, %lu wrong or missing\n", over,
	       through, bytes, wrong);
	return wrong + t->opts.n - over;
}

/* Ends of TIME_WAIT that were not the kernels', if they were waited for. */
static unsigned long waits_off(const struct truth *t)
{
	unsigned long all = 0, off = 0;
	int at, host;

	if (!t->opts.wait)
		return 0;
	for (at = 0; at < POINTS; at++) {
		for (host = 0; host < 2; host++) {
			all += t->tally[at][host].waits;
			off += t->tally[at][host].waits_off;
		}
	}
	printf("%lu ends of TIME_WAIT held against the kernels' timers, %lu at another time\n", all,
	       off);
	return off + !all;
}

/* The lab may miss a step of a kernel, but seldom: once, and in one endpoint of a thousand. */
static bool is_sound(const struct truth *t)
{
	const struct la_tally *tally = t->tally[AT_CLIENT];

	unsigned long untold = tally[0].untold + tally[1].untold;

	return tally[0].compared && untold * 1000 <= tally[0].walks + 1000;
}

static int run(struct truth *t)
{
	unsigned long faults = 1;
	double start = now_s();

	if (!build(t) || !play_all(t) || !compare_all(t))
		goto cleanup;
	print_cover(t);
	print_table(t);
	printf("\n%u plays, %zu connections, seed %llu, %s loss, %lu endpoints differ, %.1f s\n",
	       t->opts.n, t->was.count, (unsigned long long)t->opts.seed,
	       t->opts.loss ? "with" : "without", differing(t), now_s() - start);
	faults = dropped(t) + waits_off(t) + (differing(t) > t->opts.allow) + garbled(t) +
		 (unsigned long)la_gates_held(t->lab, t->net) + !is_sound(t);
cleanup:
	kill_workers(t);
	for (t->at = 0; t->at < POINTS; t->at++) {
		la_mirror_free(t->mirror[t->at]);
		la_conns_free(&t->told[t->at]);
	}
	la_conns_free(&t->was);
	la_kernel_free(t->kernel);
	la_net_free(t->net);
	la_lab_free(t->lab);
	return faults != 0;
}

/*
 * Does a policy change what comes of the plays? Prints those that were carried through with it or
 * without, but not both. A few are races of their own, and come out otherwise from run to run.
 */
static bool is_alike(const struct truth *with, const struct truth *without)
{
	unsigned int n = with->opts.n, through[2] = {0};

	for (unsigned int i = 0; i < n; i++) {
		bool a = with->ends[i].through, b = without->ends[i].through;

		through[a && !b] += a != b;
		if (a != b)
			printf("play %u, %s: carried through %s %s only\n", i,
			       la_behaviours[la_play_cast(with->opts.seed, i)].name,
			       a ? "with" : "without", with->opts.policy);
	}
	printf("%u plays, with %s %u less were carried through, and %u more\n", n,
	       with->opts.policy, through[0], through[1]);
	return (through[0] + through[1]) * 100 <= n;
}

/* --- the command line --------------------------------------------------------------------- */

static bool take_hooks(struct options *o, char *list)
{
	int i;

	for (i = 0; i < POINTS; i++) {
		o->hook[i] = strtok(i ? NULL : list, ",");
		if (!o->hook[i])
			return false;
	}
	return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:lwcp:j:x:d:a:")) != -1) {
		if (c == 'n')
			o->n = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->seed = strtoull(optarg, NULL, 10);
		else if (c == 'l')
			o->loss = true;
		else if (c == 'w')
			o->wait = true;
		else if (c == 'c')
			o->compare = true;
		else if (c == 'p')
			o->policy = optarg;
		else if (c == 'j')
			o->jobs = atoi(optarg);
		else if (c == 'd')
			o->show = atoi(optarg);
		else if (c == 'a')
			o->allow = strtoul(optarg, NULL, 10);
		else if (c != 'x' || !take_hooks(o, optarg))
			return false;
	}
	o->binary = argv[optind];
	return o->binary && o->n && o->n <= PLAYS_MAX && o->jobs > 0 && o->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
	struct truth t = {.opts = {.n = 1000,
				   .seed = 1,
				   .jobs = 64,
				   .show = 1,
				   .policy = "observe",
				   .hook = {"xdp", "tc", "xdp"}}};
	struct truth without;
	int code;

	if (!parse(&t.opts, argc, argv)) {
		fprintf(stderr,
			"usage: truth [-n N (at most %d)] [-s SEED] [-l] [-w] [-p POLICY] [-c] "
			"[-j JOBS (at most %d)] [-x HOOK,HOOK,HOOK] [-d N] [-a N] LASTACK\n",
			PLAYS_MAX, JOBS_MAX);
		return 2;
	}
	without = (struct truth){.opts = t.opts};
	without.opts.policy = "observe";
	code = run(&t);
	if (t.opts.compare) {
		run(&without);
		code |= !is_alike(&t, &without);
	}
	return code;
}
