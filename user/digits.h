/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digits.h - decimal numbers by hand: outputs write millions of them.
 */
#ifndef LA_USER_DIGITS_H
#define LA_USER_DIGITS_H

#include "la_types.h"
#include <stddef.h>

#define LA_DIGITS_MAX 20 /* of 2^64 - 1 */

/* Writes a number without a terminator. Returns how many digits it has, at least 1. */
size_t la_digits(char *to, __u64 value);

/* Writes exactly so many of its last digits, 0 to LA_DIGITS_MAX, with zeros in front. */
void la_digits_fixed(char *to, __u64 value, size_t count);

/* As la_digits(), of an octet of an address; all of `to` is written. */
size_t la_digits_octet(char to[4], __u8 value);

#endif
