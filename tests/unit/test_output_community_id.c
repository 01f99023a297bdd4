/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_community_id.c - Community ID against the values that its specification and
 * other implementations publish.
 */
#include "community_id.h"
#include "records.h"
#include <criterion/criterion.h>

static const struct {
	const char *orig;
	__u16 orig_port;
	const char *resp;
	__u16 resp_port;
	__u16 seed;
	const char *id;
} rows[] = {
	{"128.232.110.120", 34855, "66.35.250.204", 80, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"66.35.250.204", 80, "128.232.110.120", 34855, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"128.232.110.120", 34855, "66.35.250.204", 80, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
	{"1.2.3.4", 1122, "5.6.7.8", 3344, 0, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
	{"2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, 0,
	 "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	{"2607:f8b0:400c:c03::1a", 25, "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, 0,
	 "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
};

Test(community_id, published_values, .timeout = 10)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char id[LA_COMMUNITY_ID_SIZE];
		struct talk t;

		talk_begin(&t, rows[i].orig, rows[i].orig_port, rows[i].resp, rows[i].resp_port);
		la_community_id(&t.h.key, rows[i].seed, id);
		cr_expect_str_eq(id, rows[i].id, "row %zu: %s", i, id);
	}
}
