/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket.h - so many a second and no more: a token bucket.
 *
 * Kept as the one time at which it is full again (the virtual scheduling form of the generic
 * cell rate algorithm, ITU-T I.371), so nothing has to fill it. Time is an argument.
 */
#ifndef LA_USER_BUCKET_H
#define LA_USER_BUCKET_H

#include "la_types.h"

struct la_bucket {
	__u64 interval; /* ns that one token takes to come; 0: there is no limit */
	__u64 burst;	/* tokens in a full bucket, from 1 */
	__u64 full_at;	/* ns */
};

/* A full bucket for so many tokens in so many ns; count is not 0. */
struct la_bucket la_bucket_of(__u64 count, __u64 ns, __u64 burst);

/* Takes a token at time now, ns. False: there is none. */
bool la_bucket_take(struct la_bucket *bucket, __u64 now);

/*
 * Reads `COUNT[/UNIT] [burst N]`, UNIT being s (as if left out), m, h or d; the burst is what
 * comes in a second unless said otherwise, at least 1. Returns 0, or -1 with the reason in err.
 */
int la_bucket_parse(const char *text, struct la_bucket *bucket, char *err, size_t err_size);

#endif
