/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - epoll, timerfd, signalfd. See loop.h.
 */
#include "loop.h"
#include "la_types.h"
#include "options.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Ring buffer, signals, interfaces, output and two timers: a run has six. */
#define SOURCES_MAX 16

struct source {
	int fd;
	bool own; /* made here: read here, closed here */
	la_loop_fn fn;
	void *ctx;
};

struct la_loop {
	int epoll;
	int signals; /* the signalfd, or -1 */
	bool signalled;
	bool stopped;
	unsigned int count;
	struct source sources[SOURCES_MAX];
};

static int fail(const char *on)
{
	la_fail(LA_EXIT_RUNTIME, "cannot wait for events", on, strerror(errno), NULL);
	return -1;
}

struct la_loop *la_loop_new(void)
{
	struct la_loop *loop = calloc(1, sizeof(*loop));

	if (loop) {
		loop->epoll = epoll_create1(EPOLL_CLOEXEC);
		loop->signals = -1;
	}
	if (loop && loop->epoll >= 0)
		return loop;
	fail("epoll");
	free(loop);
	return NULL;
}

static int add(struct la_loop *loop, int fd, uint32_t events, struct source source)
{
	struct epoll_event event = {.events = events};
	struct source *slot = &loop->sources[loop->count];

	if (loop->count == SOURCES_MAX) {
		errno = ENOSPC;
		return fail("epoll");
	}
	event.data.ptr = slot;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event))
		return errno == EPERM ? 0 : fail("epoll"); /* EPERM: a regular file */
	*slot = source;
	slot->fd = fd;
	loop->count++;
	return 0;
}

int la_loop_add(struct la_loop *loop, int fd, uint32_t events, la_loop_fn fn, void *ctx)
{
	return add(loop, fd, events, (struct source){.fn = fn, .ctx = ctx});
}

/* Adds a descriptor that was made here; closes it if that fails. */
static int add_own(struct la_loop *loop, int fd, const char *what, la_loop_fn fn, void *ctx)
{
	if (fd < 0)
		return fail(what);
	if (!add(loop, fd, EPOLLIN, (struct source){.own = true, .fn = fn, .ctx = ctx}))
		return 0;
	close(fd);
	return -1;
}

static struct timespec to_timespec(__u64 ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / LA_SEC_NS),
				 .tv_nsec = (long)(ns % LA_SEC_NS)};
}

int la_loop_timer(struct la_loop *loop, __u64 after, __u64 period, la_loop_fn fn, void *ctx)
{
	struct itimerspec when = {.it_value = to_timespec(after ? after : 1),
				  .it_interval = to_timespec(period)};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &when, NULL);
	return add_own(loop, fd, "timerfd", fn, ctx);
}

/* A descriptor that takes these signals from now on, or -1. */
static int signals_fd(const sigset_t *set)
{
	sigprocmask(SIG_BLOCK, set, NULL);
	return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int la_loop_signals(struct la_loop *loop, bool hangup, la_loop_fn fn, void *ctx)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (hangup)
		sigaddset(&set, SIGHUP);
	loop->signals = signals_fd(&set);
	return add_own(loop, loop->signals, "signalfd", fn, ctx);
}

int la_loop_hangup(struct la_loop *loop, la_loop_fn fn, void *ctx)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	return add_own(loop, signals_fd(&set), "signalfd", fn, ctx);
}

bool la_loop_wait_writable(struct la_loop *loop, int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
			       {.fd = loop->signals, .events = POLLIN}};

	if (!loop->signalled) {
		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			;
		loop->signalled = fds[1].revents != 0;
		if (fds[0].revents)
			return true;
	}
	while (poll(fds, 1, LA_LOOP_PATIENCE_MS) < 0 && errno == EINTR)
		;
	return fds[0].revents != 0; /* an error too: writing will tell which */
}

/* Empties a descriptor of ours, so that it does not report the same thing again. */
static void swallow(int fd)
{
	char data[sizeof(struct signalfd_siginfo)];

	while (read(fd, data, sizeof(data)) > 0)
		;
}

int la_loop_run(struct la_loop *loop)
{
	struct epoll_event events[SOURCES_MAX];

	while (!loop->stopped) {
		int count = epoll_wait(loop->epoll, events, SOURCES_MAX, -1);

		if (count < 0 && errno != EINTR)
			return fail("epoll");
		for (int i = 0; i < count && !loop->stopped; i++) {
			struct source *source = events[i].data.ptr;

			if (source->own)
				swallow(source->fd);
			if (source->fd == loop->signals)
				loop->signalled = true;
			source->fn(source->ctx, events[i].events);
		}
	}
	return 0;
}

void la_loop_stop(struct la_loop *loop)
{
	loop->stopped = true;
}

void la_loop_free(struct la_loop *loop)
{
	if (!loop)
		return;
	for (unsigned int i = 0; i < loop->count; i++)
		if (loop->sources[i].own)
			close(loop->sources[i].fd);
	close(loop->epoll);
	free(loop);
}
