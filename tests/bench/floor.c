/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor.c - see floor.h.
 */
#include "floor.h"
#include "bench.h"
#include "floor.skel.h"
#include "maps.h"
#include <errno.h>
#include <stdlib.h>

struct la_floor {
	struct floor_bpf *skel;
};

/* A table of the size, flags, key and value of lastack's. */
static int shape(struct floor_bpf *skel, int prog_fd)
{
	struct bpf_map *map = skel->maps.floor_flows;
	struct bpf_map_info info;
	int err;

	if (la_maps_flow_table(prog_fd, &info))
		return -1;
	if (info.value_size > LA_FLOOR_VALUE_MAX)
		return la_bench_fail("an entry is bigger than", "LA_FLOOR_VALUE_MAX", E2BIG);
	err = bpf_map__set_max_entries(map, info.max_entries);
	if (!err)
		err = bpf_map__set_value_size(map, info.value_size);
	if (!err)
		err = bpf_map__set_map_flags(map, info.map_flags & BPF_F_NO_PREALLOC);
	return err ? la_bench_fail("cannot shape", "the table of the floor", -err) : 0;
}

static int set_targets(struct la_traffic *traffic, const struct floor_bpf *skel)
{
	if (la_traffic_target(traffic, LA_WAY_XDP, LA_TARGET_FLOOR,
			      bpf_program__fd(skel->progs.floor_xdp)) ||
	    la_traffic_target(traffic, LA_WAY_XDP, LA_TARGET_FILL,
			      bpf_program__fd(skel->progs.floor_fill)) ||
	    la_traffic_target(traffic, LA_WAY_TC, LA_TARGET_FLOOR,
			      bpf_program__fd(skel->progs.floor_tc)))
		return -1;
	return 0;
}

struct la_floor *la_floor_new(struct la_traffic *traffic, int prog_fd)
{
	struct la_floor *floor = calloc(1, sizeof(*floor));
	int err = ENOMEM;

	if (floor) {
		floor->skel = floor_bpf__open();
		err = errno;
	}
	if (!floor || !floor->skel) {
		la_bench_fail("cannot open", "floor.bpf.o", err);
	} else if (!shape(floor->skel, prog_fd)) {
		err = floor_bpf__load(floor->skel);
		if (err)
			la_bench_fail("cannot load", "floor.bpf.o", -err);
		else if (!set_targets(traffic, floor->skel))
			return floor;
	}
	la_floor_free(floor);
	return NULL;
}

int la_floor_fill(struct la_traffic *traffic, __u32 first, __u32 bits)
{
	struct la_run run = {.way = LA_WAY_XDP,
			     .step = &la_opening[0],
			     .target = LA_TARGET_FILL,
			     .first = first,
			     .bits = bits,
			     .packets = 1ULL << bits};
	__u64 cursor = 0;

	return la_traffic_run(traffic, &run, &cursor) < 0 ? -1 : 0;
}

int la_floor_xdp(const struct la_floor *floor)
{
	return bpf_program__fd(floor->skel->progs.floor_xdp);
}

void la_floor_free(struct la_floor *floor)
{
	if (!floor)
		return;
	floor_bpf__destroy(floor->skel);
	free(floor);
}
