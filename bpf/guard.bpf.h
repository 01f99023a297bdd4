/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard.bpf.h - connections that are protected by their addresses or ports alone: it is known of
 * their first segment, and needs nobody in userspace who has heard of them.
 *
 *   la_guards      two lists, of which one is in force
 *   la_guards_at   which: the loader fills the other one and then turns over
 */
#ifndef LA_GUARD_BPF_H
#define LA_GUARD_BPF_H

#include "maps.bpf.h"

struct la_guards la_guards[2];
__u32 la_guards_at;

static __always_inline bool la_guards_end(const struct la_guard *g, const __u8 *addr, __be16 port)
{
	const la_word64 *a = (const la_word64 *)addr;
	__u16 at = la_ntoh16(port);
	__u64 word[4];

	__builtin_memcpy(word, g, sizeof(word)); /* addr, mask */
	return (a[0] & word[2]) == word[0] && (a[1] & word[3]) == word[1] && at >= g->low &&
	       at <= g->high;
}

/* Global, so that the verifier looks at the loop once. Returns 1 or 0. */
__noinline int la_is_guarded(struct la_key *key)
{
	const struct la_guards *guards = &la_guards[la_guards_at & 1];

	if (!key)
		return 0;
	for (__u32 i = 0; i < LA_GUARDS_MAX; i++) {
		const struct la_guard *g = &guards->of[i];

		if (i >= guards->count)
			return 0;
		if (la_guards_end(g, key->addr[0], key->port[0]) ||
		    la_guards_end(g, key->addr[1], key->port[1]))
			return 1;
	}
	return 0;
}

#endif
