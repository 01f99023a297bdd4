/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - the flow table by batches of buckets. See table.h.
 *
 * The kernel copies whole buckets of its hash table (Linux 5.6), so the place where a batch
 * begins stays right whatever is deleted meanwhile; walking from key to key begins anew when
 * the key at hand is gone.
 */
#include "table.h"
#include "clock.h"
#include "la_snapshot.h"
#include "options.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Flows a batch, 4 MiB or so: a quarter of it costs a tenth more, the fourfold gains nothing. */
#define BATCH 4096

struct walk {
	const struct la_table *table;
	la_table_fn fn;
	void *ctx;
	struct la_key *keys;
	struct la_blank *entries;
};

static int fail(int err)
{
	la_fail(LA_EXIT_RUNTIME, "cannot read the table of connections", NULL, strerror(-err),
		err == -EPERM ? "CAP_BPF or root is needed" : NULL);
	return -1;
}

static int tell(const struct walk *walk, __u32 count)
{
	__u64 now = walk->table->now ? walk->table->now : la_monotonic_ns();
	int result = 0;

	for (__u32 i = 0; i < count && !result; i++) {
		struct la_flow *flow = &walk->entries[i].flow, copy = *flow;
		struct la_rec_flow rec;

		if (!la_is_listed(flow))
			continue;
		la_record_flow(&rec, &walk->keys[i], &copy, &walk->table->config, now);
		result = walk->fn(&rec, flow, walk->ctx);
	}
	return result;
}

static int walk_all(const struct walk *walk)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_F_LOCK);
	__u32 place = 0, *from = NULL, count;
	int err, result;

	do {
		count = BATCH;
		err = bpf_map_lookup_batch(walk->table->fd, from, &place, walk->keys, walk->entries,
					   &count, &opts);
		if (err && err != -ENOENT) /* which says that this was the last batch */
			return fail(err);
		result = tell(walk, count);
		from = &place;
	} while (!err && !result);
	return result;
}

int la_table_each(const struct la_table *table, la_table_fn fn, void *ctx)
{
	struct walk walk = {.table = table, .fn = fn, .ctx = ctx};
	int result;

	walk.keys = calloc(BATCH, sizeof(*walk.keys));
	walk.entries = calloc(BATCH, sizeof(*walk.entries));
	result = walk.keys && walk.entries ? walk_all(&walk) : fail(-ENOMEM);
	free(walk.keys);
	free(walk.entries);
	return result;
}
