/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_replay.h - how many packets a second the native engine replays. For bench.c.
 */
#ifndef LA_BENCH_REPLAY_H
#define LA_BENCH_REPLAY_H

/* Writes a capture to a temporary file, replays it to /dev/null, and prints what it cost.
 * Returns 0, or -1 with the reason on stderr. */
int bench_replay(void);

#endif
