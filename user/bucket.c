/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket.c - see bucket.h.
 */
#include "bucket.h"
#include <stdio.h>
#include <string.h>

#define COUNT_MAX 1000000ULL

struct la_bucket la_bucket_of(__u64 count, __u64 ns, __u64 burst)
{
	__u64 interval = ns / count;

	return (struct la_bucket){.interval = interval ? interval : 1, .burst = burst};
}

bool la_bucket_take(struct la_bucket *bucket, __u64 now)
{
	__u64 full_at = bucket->full_at > now ? bucket->full_at : now;

	if (!bucket->interval)
		return true;
	if (full_at - now > (bucket->burst - 1) * bucket->interval)
		return false;
	bucket->full_at = full_at + bucket->interval;
	return true;
}

/* ns in a unit, 0 if it is none. */
static __u64 unit_ns(char unit)
{
	switch (unit) {
	case 's':
		return LA_SEC_NS;
	case 'm':
		return 60 * LA_SEC_NS;
	case 'h':
		return 3600 * LA_SEC_NS;
	case 'd':
		return 86400 * LA_SEC_NS;
	default:
		return 0;
	}
}

/* The parts of the text; false: it has others. */
static bool scan(const char *text, __u64 *count, char *unit, __u64 *burst)
{
	unsigned long long n, b = 0;
	int used = 0;

	*unit = 's';
	if (*text < '0' || *text > '9' || sscanf(text, "%9llu%n", &n, &used) != 1)
		return false;
	text += used;
	used = 0;
	if (*text == '/' && sscanf(text, " / %c%n", unit, &used) == 1 && used)
		text += used;
	used = 0;
	if (sscanf(text, " burst %9llu%n", &b, &used) == 1 && used && b)
		text += used;
	*count = n;
	*burst = b;
	return !*text;
}

int la_bucket_parse(const char *text, struct la_bucket *bucket, char *err, size_t err_size)
{
	__u64 count, burst, ns;
	char unit;

	if (!scan(text, &count, &unit, &burst) || !(ns = unit_ns(unit)) || !count ||
	    count > COUNT_MAX || burst > COUNT_MAX) {
		snprintf(err, err_size,
			 "%.60s (so many a second, minute, hour or day, such as 10, 10/s, "
			 "30/m burst 5; at most %llu)",
			 text, COUNT_MAX);
		return -1;
	}
	if (!burst)
		burst = count * LA_SEC_NS / ns;
	*bucket = la_bucket_of(count, ns, burst ? burst : 1);
	return 0;
}
