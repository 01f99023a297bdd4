/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_digits.c - numbers by hand are those of printf.
 */
#include "digits.h"
#include "la_record.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void expect_digits(__u64 value)
{
	char want[LA_DIGITS_MAX + 1], got[LA_DIGITS_MAX + 1] = "";

	snprintf(want, sizeof(want), "%llu", (unsigned long long)value);
	cr_assert_eq(la_digits(got, value), strlen(want), "%s", want);
	cr_assert_str_eq(got, want);
}

Test(digits, of_any_number)
{
	for (__u64 power = 1; power < 1000000000000000000; power *= 10)
		for (__u64 i = 0; i < 20; i++)
			expect_digits(power * (1 + i / 2) - i % 2);
	expect_digits(0);
	expect_digits(~0ULL);
	for (__u64 i = 0; i < 100000; i++)
		expect_digits(la_mix(1, i) >> i % 64);
}

Test(digits, fixed_are_the_last_ones)
{
	for (__u64 i = 0; i < 10000; i++) {
		__u64 value = la_mix(2, i) >> i % 64;
		int count = (int)(i % (LA_DIGITS_MAX + 1));
		char want[2 * LA_DIGITS_MAX + 1], got[LA_DIGITS_MAX + 1] = "";

		snprintf(want, sizeof(want), "%0*llu", 2 * LA_DIGITS_MAX,
			 (unsigned long long)value);
		la_digits_fixed(got, value, (size_t)count);
		cr_assert_str_eq(got, want + 2 * LA_DIGITS_MAX - count);
	}
}

Test(digits, of_every_octet)
{
	for (unsigned int i = 0; i < 256; i++) {
		char want[4], got[4];

		snprintf(want, sizeof(want), "%u", i);
		cr_assert_eq(la_digits_octet(got, (__u8)i), strlen(want));
		cr_assert_arr_eq(got, want, strlen(want));
	}
}
