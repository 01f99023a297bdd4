/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_bucket.c - how many tokens a bucket gives, by a clock that the test turns.
 */
#include "bucket.h"
#include <criterion/criterion.h>

/* Tokens that can be had at one moment. */
static unsigned int take_all(struct la_bucket *bucket, __u64 now)
{
	unsigned int count = 0;

	while (count < 1000 && la_bucket_take(bucket, now))
		count++;
	return count;
}

Test(bucket, gives_its_burst_and_then_its_rate)
{
	struct la_bucket bucket = la_bucket_of(10, LA_SEC_NS, 5);
	__u64 now = 1000 * LA_SEC_NS;
	unsigned int count = 0;

	cr_expect_eq(take_all(&bucket, now), 5);
	cr_expect_eq(take_all(&bucket, now + LA_SEC_NS / 10 - 1), 0);
	cr_expect_eq(take_all(&bucket, now + LA_SEC_NS / 10), 1);
	now += LA_SEC_NS / 10;
	for (int ms = 1; ms <= 10000; ms++)
		count += la_bucket_take(&bucket, now + (__u64)ms * LA_MSEC_NS);
	cr_expect_eq(count, 100, "%u in ten seconds", count);
}

Test(bucket, is_full_again_after_a_rest_and_not_more_than_full)
{
	struct la_bucket bucket = la_bucket_of(2, LA_SEC_NS, 3);

	cr_expect_eq(take_all(&bucket, 0), 3);
	cr_expect_eq(take_all(&bucket, 3600 * LA_SEC_NS), 3);
}

Test(bucket, without_a_limit_gives_for_ever)
{
	struct la_bucket bucket = {0};

	cr_expect_eq(take_all(&bucket, 0), 1000);
}

Test(bucket, is_read_from_text)
{
	static const struct {
		const char *text;
		__u64 interval, burst;
	} rows[] = {
		{"10", LA_SEC_NS / 10, 10},
		{"10/s", LA_SEC_NS / 10, 10},
		{"30/m", 2 * LA_SEC_NS, 1},
		{"1/h", 3600 * LA_SEC_NS, 1},
		{"2/d burst 7", 43200 * LA_SEC_NS, 7},
		{"10 burst 1", LA_SEC_NS / 10, 1},
		{"10/s  burst  25", LA_SEC_NS / 10, 25},
		{"120/m", LA_SEC_NS / 2, 2},
	};
	char err[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_bucket bucket;

		cr_assert_eq(la_bucket_parse(rows[i].text, &bucket, err, sizeof(err)), 0, "%s: %s",
			     rows[i].text, err);
		cr_expect_eq(bucket.interval, rows[i].interval, "%s", rows[i].text);
		cr_expect_eq(bucket.burst, rows[i].burst, "%s", rows[i].text);
	}
}

Test(bucket, is_not_read_from_other_text)
{
	static const char *const wrong[] = {"",
					    "0",
					    "-1",
					    "many",
					    "10/",
					    "10/w",
					    "10 burst 0",
					    "10 x",
					    "10burst",
					    "10/s/s",
					    "10 burst 2000000",
					    "99999999"};
	char err[200];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct la_bucket bucket;

		cr_expect_eq(la_bucket_parse(wrong[i], &bucket, err, sizeof(err)), -1, "'%s'",
			     wrong[i]);
	}
}
