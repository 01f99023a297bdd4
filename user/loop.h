/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - waits for file descriptors and calls whom they concern.
 *
 * A verb adds what it waits for, runs the loop, and any callback stops it. The loop owns
 * the descriptors that it makes itself (timers, signals) and none that it is given.
 */
#ifndef LA_USER_LOOP_H
#define LA_USER_LOOP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

struct la_loop;

/* Something happened; events are those of epoll(7). */
typedef void (*la_loop_fn)(void *ctx, uint32_t events);

/* NULL: the kernel refused, why is on stderr. */
struct la_loop *la_loop_new(void);

/*
 * Calls fn when fd has one of the events (EPOLLIN ...; hangup and errors always are).
 * A regular file is always ready and is not waited for. Returns 0, or -1 with the reason
 * on stderr. Likewise the two below.
 */
int la_loop_add(struct la_loop *loop, int fd, uint32_t events, la_loop_fn fn, void *ctx);

/* Calls fn after so many ns, and then every period ns if period is not 0. */
int la_loop_timer(struct la_loop *loop, __u64 after, __u64 period, la_loop_fn fn, void *ctx);

/*
 * Calls fn when somebody wants an end, and keeps that from killing the process: at SIGINT, at
 * SIGTERM, and with hangup at SIGHUP.
 */
int la_loop_signals(struct la_loop *loop, bool hangup, la_loop_fn fn, void *ctx);

/* Calls fn when SIGHUP comes, for whom it does not mean an end. */
int la_loop_hangup(struct la_loop *loop, la_loop_fn fn, void *ctx);

/*
 * Waits until fd can be written to. Once a signal of la_loop_signals() has come, not longer
 * than LA_LOOP_PATIENCE_MS: false, nobody seems to read any more.
 */
#define LA_LOOP_PATIENCE_MS 1000
bool la_loop_wait_writable(struct la_loop *loop, int fd);

/* Runs until a callback stops it. Returns 0, or -1 with the reason on stderr. */
int la_loop_run(struct la_loop *loop);

/* From within a callback: return from la_loop_run() without another callback. */
void la_loop_stop(struct la_loop *loop);

/* NULL is allowed. */
void la_loop_free(struct la_loop *loop);

#endif
