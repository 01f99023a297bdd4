/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limit.bpf.h - RSTs while there is a policy for them: which are not judged (guard.bpf.h), and
 * how many that fit nowhere a source may send a second.
 *
 * Only RSTs that the policy drops are counted (la_rst_policy.h), so who resets ten thousand
 * connections at once, each at its number, is not held up. A source is one number: the time at
 * which all of them would have been sent, had they come no faster than they may. If that is a
 * second ahead, no RST of this source passes. Sources that are quiet are forgotten first.
 */
#ifndef LA_LIMIT_BPF_H
#define LA_LIMIT_BPF_H

#include "guard.bpf.h"
#include "table.bpf.h"

#define LA_RST_SOURCES 16384

struct la_source {
	__u8 addr[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LA_RST_SOURCES);
	__type(key, struct la_source);
	__type(value, __u64);
} rst_sources SEC(".maps");

static __always_inline struct la_source la_source_of(const struct la_key *key,
						     const struct la_segment *seg)
{
	struct la_source source;

	__builtin_memcpy(source.addr, seg->dir ? key->addr[1] : key->addr[0], sizeof(source.addr));
	return source;
}

/* A source has sent one more RST that did not fit. */
static __always_inline void la_charge(const struct la_source *source, __u64 now)
{
	__u64 *ahead = bpf_map_lookup_elem(&rst_sources, source), most = now + 2 * LA_SEC_NS;
	__u64 until = ahead && *ahead > now ? *ahead : now;
	__u32 limit = la_cfg.rst_limit;

	until += LA_SEC_NS / (limit ? limit : 1);
	if (until > most) /* so a second without any is enough */
		until = most;
	if (ahead)
		*ahead = until;
	else
		bpf_map_update_elem(&rst_sources, source, &until, BPF_ANY);
}

static __always_inline bool la_is_over(const struct la_source *source, __u64 now)
{
	__u64 *ahead = bpf_map_lookup_elem(&rst_sources, source);

	return ahead && *ahead > now + LA_SEC_NS;
}

/* A RST while there is a policy. Returns its reason (enum la_reason). */
static __noinline __u32 la_judged_rst(struct la_key *key, struct la_segment *seg)
{
	struct la_source source = la_source_of(key, seg);
	__u64 now = la_now();
	__u32 reason;

	seg->guarded = la_is_guarded(key);
	if (la_cfg.rst_limit)
		seg->limited = la_is_over(&source, now);
	reason = la_track_packet(key, seg);
	if (reason == LA_R_RST_DROPPED && la_cfg.rst_limit)
		la_charge(&source, now);
	return reason;
}

#endif
