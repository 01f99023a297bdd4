/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idset.h - a set of 64-bit numbers that are hashes already, such as connection ids.
 */
#ifndef LA_USER_IDSET_H
#define LA_USER_IDSET_H

#include "la_types.h"
#include <stddef.h>

/* Zeros are an empty set. */
struct la_idset {
	__u64 *slots; /* 0: empty */
	size_t room;  /* slots, a power of two */
	size_t count;
};

/* True if the number is in it. */
bool la_idset_has(const struct la_idset *set, __u64 id);

/* Puts it in. False: there is no memory for it. */
bool la_idset_add(struct la_idset *set, __u64 id);

/* Empties it and frees its memory. */
void la_idset_free(struct la_idset *set);

#endif
