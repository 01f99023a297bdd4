/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps.h - what the kernel says of the maps of a program, whatever they are called.
 */
#ifndef LA_BENCH_MAPS_H
#define LA_BENCH_MAPS_H

#include "la_types.h"
#include <linux/bpf.h>

/* The flow table of a program: of its hash maps keyed by struct la_key the one with the most
 * entries. Returns 0, or -1 with the reason on stderr. */
int la_maps_flow_table(int prog_fd, struct bpf_map_info *info);

/* Bytes of kernel memory of all maps of a program. -1: why is on stderr. */
long long la_maps_memory(int prog_fd);

#endif
