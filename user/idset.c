/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idset.c - linear probing; half of the slots stay empty. See idset.h.
 */
#include "idset.h"
#include <stdlib.h>

#define ROOM_MIN 64

/* Where it is, or the empty slot where it belongs. 0 stands for an empty slot, so 1 stands for 0.
 */
static size_t slot_of(const struct la_idset *set, __u64 id)
{
	size_t i = id & (set->room - 1);

	while (set->slots[i] && set->slots[i] != id)
		i = (i + 1) & (set->room - 1);
	return i;
}

bool la_idset_has(const struct la_idset *set, __u64 id)
{
	id += !id;
	return set->room && set->slots[slot_of(set, id)] == id;
}

static bool grow(struct la_idset *set)
{
	struct la_idset more = {.room = set->room ? 2 * set->room : ROOM_MIN, .count = set->count};

	more.slots = calloc(more.room, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i])
			more.slots[slot_of(&more, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = more;
	return true;
}

bool la_idset_add(struct la_idset *set, __u64 id)
{
	size_t slot;

	id += !id;
	if (2 * set->count >= set->room && !grow(set))
		return false;
	slot = slot_of(set, id);
	set->count += !set->slots[slot];
	set->slots[slot] = id;
	return true;
}

void la_idset_free(struct la_idset *set)
{
	free(set->slots);
	*set = (struct la_idset){0};
}
