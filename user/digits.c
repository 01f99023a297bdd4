/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digits.c - see digits.h. Two digits at a time: half the divisions.
 */
#include "digits.h"
#include <string.h>

/* clang-format off */
#define TEN(ten) ten "0", ten "1", ten "2", ten "3", ten "4", ten "5", ten "6", ten "7", ten "8", ten "9"

static const char pairs[100][3] = {
	TEN("0"), TEN("1"), TEN("2"), TEN("3"), TEN("4"),
	TEN("5"), TEN("6"), TEN("7"), TEN("8"), TEN("9"),
};

static const char octets[256][4] = {
	TEN(""),   TEN("1"),  TEN("2"),  TEN("3"),  TEN("4"),  TEN("5"),  TEN("6"),  TEN("7"),  TEN("8"),
	TEN("9"),  TEN("10"), TEN("11"), TEN("12"), TEN("13"), TEN("14"), TEN("15"), TEN("16"), TEN("17"),
	TEN("18"), TEN("19"), TEN("20"), TEN("21"), TEN("22"), TEN("23"), TEN("24"),
	"250", "251", "252", "253", "254", "255",
};

/* The least number with so many digits and one more; no digits is none. */
static const __u64 more[LA_DIGITS_MAX] = {
	0,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
};
/* clang-format on */

/* A bit is log10(2) = 1233 / 4096 digits: the guess is right, or one too few. */
static size_t count_digits(__u64 value)
{
	size_t bits = 64 - (size_t)__builtin_clzll(value | 1), guess = bits * 1233 / 4096;

	return guess + (value >= more[guess]);
}

void la_digits_fixed(char *to, __u64 value, size_t count)
{
	for (; count >= 2; value /= 100)
		memcpy(to + (count -= 2), pairs[value % 100], 2);
	if (count)
		*to = (char)('0' + value % 10);
}

size_t la_digits(char *to, __u64 value)
{
	size_t count = count_digits(value);

	la_digits_fixed(to, value, count);
	return count;
}

size_t la_digits_octet(char to[4], __u8 value)
{
	memcpy(to, octets[value], sizeof(octets[value]));
	return 1 + (value >= 10) + (value >= 100);
}
