/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor.h - the least that a tracker costs, to hold lastack against: floor.bpf.c, with a
 * table as lastack has it.
 */
#ifndef LA_BENCH_FLOOR_H
#define LA_BENCH_FLOOR_H

#include "traffic.h"

struct la_floor;

/*
 * Makes the floor a target of `traffic`, for XDP and tc; its table is like the flow table of
 * the program in prog_fd. NULL: it failed, and why is on stderr.
 */
struct la_floor *la_floor_new(struct la_traffic *traffic, int prog_fd);

/* Enters 1 << bits connections. Returns 0, or -1 with the reason on stderr. */
int la_floor_fill(struct la_traffic *traffic, __u32 first, __u32 bits);

/* Its program for XDP, valid as long as it. */
int la_floor_xdp(const struct la_floor *floor);

/* NULL is allowed. */
void la_floor_free(struct la_floor *floor);

#endif
