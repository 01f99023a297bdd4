/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - from a record's clock to the wall clock.
 *
 * Records of the kernel carry CLOCK_MONOTONIC, those of a capture carry the capture's own
 * time. Sinks print wall-clock time: ts + offset.
 */
#ifndef LA_USER_CLOCK_H
#define LA_USER_CLOCK_H

#include "la_types.h"
#include <time.h>

/* CLOCK_MONOTONIC now, ns. */
LA_INLINE __u64 la_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * LA_SEC_NS + (__u64)t.tv_nsec;
}

/* The same in ms, for who waits. */
LA_INLINE long long la_monotonic_ms(void)
{
	return (long long)(la_monotonic_ns() / LA_MSEC_NS);
}

/* CLOCK_REALTIME now, ns since the epoch. */
LA_INLINE __u64 la_realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (__u64)t.tv_sec * LA_SEC_NS + (__u64)t.tv_nsec;
}

/* What to add to CLOCK_MONOTONIC to get CLOCK_REALTIME, ns. */
LA_INLINE __s64 la_realtime_offset_ns(void)
{
	return (__s64)(la_realtime_ns() - la_monotonic_ns());
}

#endif
