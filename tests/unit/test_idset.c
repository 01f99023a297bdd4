/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_idset.c - what is put into a set is in it, and nothing else.
 */
#include "idset.h"
#include "la_record.h"
#include <criterion/criterion.h>

Test(idset, has_what_was_put_in)
{
	struct la_idset set = {0};

	cr_expect(!la_idset_has(&set, 5));
	for (__u64 i = 0; i < 10000; i++)
		cr_assert(la_idset_add(&set, la_mix(0, i)) && la_idset_add(&set, la_mix(0, i)));
	cr_expect_eq(set.count, 10000);
	for (__u64 i = 0; i < 20000; i++)
		cr_assert_eq(la_idset_has(&set, la_mix(0, i)), i < 10000);
	la_idset_free(&set);
	cr_expect(!la_idset_has(&set, la_mix(0, 1)));
}

Test(idset, takes_zero_and_neighbours)
{
	struct la_idset set = {0};

	cr_expect(la_idset_add(&set, 0));
	for (__u64 i = 64; i < 128; i++)
		cr_expect(la_idset_add(&set, i << 6));
	cr_expect(la_idset_has(&set, 0) && la_idset_has(&set, 100 << 6));
	cr_expect(!la_idset_has(&set, 200 << 6));
	la_idset_free(&set);
}
