/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency.c - from a segment on the wire to its line on stdout.
 *
 * build/lastack watches a veth in a namespace of the bench's own and writes JSON into a
 * pipe. When idle: a SYN is sent every few milliseconds, from the moment before it is sent to
 * the moment when its line was read. In a burst: a thousand at once, and each line against
 * the time that it bears itself, so what is told is how long a record waits for its turn.
 */
#include "bench.h"
#include "clock.h"
#include "figures.h"
#include "net.h"
#include "packet.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST	   1000
#define IDLE_US	   3000
#define START_MS   20000 /* the verifier takes its time */
#define LINE_MS	   2000
#define PIPE_BYTES (1 << 20)

struct watch {
	struct la_net net;
	pid_t pid;
	int out;    /* what lastack writes */
	int wire;   /* a packet socket on the generator's end */
	__u32 sent; /* SYNs, each from another port */
	char text[1 << 16];
	size_t len; /* of what was read and is not a whole line */
};

/* ---- lastack ---- */

static int start(struct watch *w, const char *lastack)
{
	const char *const argv[] = {lastack, "run", "-i", "rx", "-o", "jsonl", NULL};
	int pipes[2], quiet;

	if (pipe2(pipes, O_CLOEXEC))
		return la_bench_fail("cannot make", "a pipe", errno);
	fcntl(pipes[1], F_SETPIPE_SZ, PIPE_BYTES);
	w->out = pipes[0];
	w->pid = fork();
	if (w->pid == 0) {
		quiet = open("/dev/null", O_WRONLY);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(pipes[1], STDOUT_FILENO) < 0 || dup2(quiet, STDERR_FILENO) < 0 ||
		    la_net_enter(w->net.host[0].netns))
			_exit(126);
		execv(lastack, (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	return w->pid < 0 ? la_bench_fail("cannot start", lastack, errno) : 0;
}

static void stop(struct watch *w)
{
	if (w->pid <= 0)
		return;
	kill(w->pid, SIGTERM);
	close(w->out); /* it does not wait for a reader then */
	waitpid(w->pid, NULL, 0);
}

/* ---- the wire ---- */

static int open_wire(struct watch *w)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_ifindex = (int)w->net.host[0].gen};

	if (la_net_enter(w->net.generator))
		return -1;
	w->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* it only sends */
	if (w->wire < 0 || bind(w->wire, (struct sockaddr *)&addr, sizeof(addr)))
		return la_bench_fail("cannot open", "a packet socket", errno);
	return 0;
}

static int send_syn(struct watch *w)
{
	char src[32];
	struct la_frame f;

	snprintf(src, sizeof(src), "10.%u.%u.1", w->sent >> 22 & 255, w->sent >> 14 & 255);
	f = LA_FRAME(.src = src, .sport = (__u16)(0x4000 + (w->sent & 0x3fff)), .flags = LA_SYN,
		     .win = 65535);
	w->sent++;
	if (send(w->wire, f.bytes, f.len, 0) == (ssize_t)f.len)
		return 0;
	return la_bench_fail("cannot send", "a SYN", errno);
}

/* ---- lines ---- */

/* Calls fn for each whole line that can be read within so many ms. Returns how many, or -1. */
static int read_lines(struct watch *w, int ms, void (*fn)(const char *line, void *ctx), void *ctx)
{
	struct pollfd fd = {.fd = w->out, .events = POLLIN};
	char *line = w->text, *end;
	ssize_t n;
	int lines = 0;

	if (poll(&fd, 1, ms) <= 0)
		return 0;
	n = read(w->out, w->text + w->len, sizeof(w->text) - 1 - w->len);
	if (n <= 0)
		return la_bench_fail("it has ended", "lastack run", n ? errno : EPIPE);
	w->len += (size_t)n;
	w->text[w->len] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (fn)
			fn(line, ctx);
		line = end + 1;
		lines++;
	}
	w->len = strlen(line);
	memmove(w->text, line, w->len);
	return lines;
}

/* Sends SYNs until one is told of: then it is attached. */
static int wait_ready(struct watch *w)
{
	__u64 until = la_monotonic_ns() + START_MS * LA_MSEC_NS;
	int lines = 0;

	while (!lines && la_monotonic_ns() < until) {
		if (send_syn(w))
			return -1;
		lines = read_lines(w, 50, NULL, NULL);
	}
	return lines > 0 ? 0 : la_bench_fail("no line of", "lastack run", ETIMEDOUT);
}

/* All that still comes. */
static int quiet(struct watch *w)
{
	int lines;

	do
		lines = read_lines(w, 20, NULL, NULL);
	while (lines > 0);
	return lines;
}

static int sample_idle(struct watch *w, struct la_samples *us)
{
	__u64 begun;
	int lines;

	if (quiet(w))
		return -1;
	usleep(IDLE_US);
	begun = la_monotonic_ns();
	if (send_syn(w))
		return -1;
	lines = read_lines(w, LINE_MS, NULL, NULL);
	la_sample(us, (double)(la_monotonic_ns() - begun) / 1000);
	return lines > 0 ? 0 : la_bench_fail("no line of", "a SYN", ETIMEDOUT);
}

/* The first line of a SYN, against the time that it bears. */
static void note_age(const char *line, void *ctx)
{
	const char *ts = strstr(line, "\"ts_ns\":");
	struct la_samples *us = ctx;
	__u64 now = la_monotonic_ns() + (__u64)la_realtime_offset_ns();

	if (ts && strstr(line, "\"seq\":0,"))
		la_sample(us, (double)((__s64)now - strtoll(ts + 8, NULL, 10)) / 1000);
}

static int sample_burst(struct watch *w, struct la_samples *us)
{
	int seen = us->count + BURST;

	for (int i = 0; i < BURST; i++)
		if (send_syn(w))
			return -1;
	while (us->count < seen)
		if (read_lines(w, LINE_MS, note_age, us) <= 0)
			return la_bench_fail("some lines did not come", "a burst", ETIMEDOUT);
	return 0;
}

static int measure(struct watch *w, bool quick)
{
	struct la_samples idle = {0}, burst = {0};

	for (int i = 0; i < (quick ? 50 : 500); i++)
		if (sample_idle(w, &idle))
			return -1;
	la_figure("latency.idle", "us", &idle, LA_MOST(1000));
	la_figure_one("latency.idle.p99", "us", la_quantile(&idle, 0.99), LA_NONE);
	if (quiet(w) || sample_burst(w, &burst))
		return -1;
	la_figure("latency.burst", "us", &burst, LA_NONE);
	la_figure_one("latency.burst.p99", "us", la_quantile(&burst, 0.99), LA_NONE);
	return 0;
}

int la_bench_latency(const struct la_bench *bench)
{
	static struct watch w;
	int err = -1;

	memset(&w, 0, sizeof(w));
	w.wire = -1;
	if (!la_net_open(&w.net) && !start(&w, bench->lastack) && !open_wire(&w) && !wait_ready(&w))
		err = measure(&w, bench->quick);
	stop(&w);
	if (w.wire >= 0)
		close(w.wire);
	la_net_close(&w.net);
	return err;
}
