/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps.c - see maps.h.
 */
#include "maps.h"
#include "bench.h"
#include "la_key.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAPS_MAX 64

/* Opens each map of the program and calls fn until that returns other than 0. */
static int each_map(int prog_fd, int (*fn)(int map_fd, void *ctx), void *ctx)
{
	__u32 ids[MAPS_MAX];
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (__u64)(long)ids};
	__u32 len = sizeof(info);
	int fd, err;

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return la_bench_fail("cannot ask for", "the maps of a program", errno);
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			return la_bench_fail("cannot open", "a map", errno);
		err = fn(fd, ctx);
		close(fd);
		if (err)
			return err;
	}
	return 0;
}

static int compare_table(int fd, void *ctx)
{
	struct bpf_map_info *best = ctx, info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return la_bench_fail("cannot ask for", "a map", errno);
	if (info.type == BPF_MAP_TYPE_HASH && info.key_size == sizeof(struct la_key) &&
	    info.max_entries > best->max_entries)
		*best = info;
	return 0;
}

int la_maps_flow_table(int prog_fd, struct bpf_map_info *info)
{
	memset(info, 0, sizeof(*info));
	if (each_map(prog_fd, compare_table, info))
		return -1;
	return info->max_entries ? 0 : la_bench_fail("no such map", "flow table", ENOENT);
}

static int add_memory(int fd, void *ctx)
{
	char path[64], line[128];
	unsigned long long bytes;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1) {
			*(long long *)ctx += (long long)bytes;
			found = true;
		}
	}
	if (file)
		fclose(file);
	return found ? 0 : la_bench_fail("no memlock in", path, ENOENT);
}

long long la_maps_memory(int prog_fd)
{
	long long bytes = 0;

	return each_map(prog_fd, add_memory, &bytes) ? -1 : bytes;
}
