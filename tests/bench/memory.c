/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - bytes of kernel memory a flow, and the cache lines that a packet touches of it.
 *
 * Bytes: two tables of different size are filled; what all maps of the programs take more, by
 * the kernel's own count, is shared out over the flows. So every map that grows with the table is
 * in it, and none that does not. Lines: see touched.h; entries lie one behind the other, so how the
 * lines of a flow fall depends on its place, and the mean over all places is told.
 */
#include "bench.h"
#include "figures.h"
#include "la_flow.h"
#include "maps.h"
#include "options.h"
#include "touched.h"
#include "tracker.h"
#include <errno.h>

#define SMALL_BITS 15
#define BIG_BITS   17
#define LINE	   64

/* An element of a hash map of the kernel: its own 48 bytes, the key, the value. */
#define ELEM_HEAD 48
#define ROUND8(n) (((n) + 7) & ~7U)

/* Memory of all maps with 1 << bits flows in a table of just that size. -1: why is on stderr. */
static long long memory_of(__u32 bits, struct bpf_map_info *table)
{
	struct la_loader_opts opts = {.progs = 1U << LA_PROG_XDP, .max_flows = 1U << bits};
	struct la_traffic *traffic = la_traffic_new();
	struct la_tracker tracker = {0};
	long long bytes = -1;
	int prog;

	la_config_defaults(&opts.config);
	if (!traffic || la_tracker_open(&tracker, &opts))
		goto cleanup;
	prog = la_loader_prog(tracker.loader, LA_PROG_XDP);
	if (la_traffic_target(traffic, LA_WAY_XDP, LA_TARGET_LASTACK, prog) ||
	    la_tracker_establish(&tracker, traffic, 0, bits) || la_maps_flow_table(prog, table))
		goto cleanup;
	bytes = la_maps_memory(prog);
cleanup:
	la_tracker_close(&tracker);
	la_traffic_free(traffic);
	return bytes;
}

/* How many lines the touched bytes of a flow lie on, if its entry is the nth of the table. */
static unsigned int lines_of(const bool touched[], const struct bpf_map_info *table, __u32 nth)
{
	__u32 value = ELEM_HEAD + ROUND8(table->key_size), size = value + ROUND8(table->value_size);
	__u32 flow = nth * size + value + table->value_size - (__u32)sizeof(struct la_flow);
	__u32 last = ~0U;
	unsigned int lines = 0;

	for (__u32 i = 0; i < sizeof(struct la_flow); i++) {
		if (!touched[i] || (flow + i) / LINE == last)
			continue;
		last = (flow + i) / LINE;
		lines++;
	}
	return lines;
}

static int tell_lines(const struct bpf_map_info *table)
{
	static bool touched[LA_TOUCHED][sizeof(struct la_flow)];
	static const char *const names[LA_TOUCHED] = {[LA_TOUCHED_BY_DATA] = "memory.lines.data",
						      [LA_TOUCHED_BY_ACK] = "memory.lines.ack"};

	if (la_touched(touched[LA_TOUCHED_BY_DATA], touched[LA_TOUCHED_BY_ACK]))
		return la_bench_fail("not on the fast path", "cache lines", EBADMSG);
	for (int i = 0; i < LA_TOUCHED; i++) {
		double sum = 0;

		for (__u32 nth = 0; nth < LINE; nth++)
			sum += lines_of(touched[i], table, nth);
		la_figure_one(names[i], "lines", sum / LINE, LA_MOST(3));
	}
	return 0;
}

int la_bench_memory(const struct la_bench *bench)
{
	struct bpf_map_info table;
	long long small = memory_of(SMALL_BITS, &table), big;

	(void)bench;
	big = small < 0 ? -1 : memory_of(BIG_BITS, &table);
	if (big < 0)
		return -1;
	la_figure_one("memory.flow", "bytes",
		      (double)(big - small) / ((1U << BIG_BITS) - (1U << SMALL_BITS)),
		      LA_MOST(256));
	return tell_lines(&table);
}
