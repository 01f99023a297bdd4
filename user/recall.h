/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recall.h - the latest records of all connections, so that one's ladder can be drawn when
 * somebody asks for it: transitions, RSTs and, if there are any, segments.
 *
 * Bounded: a new record takes the place of the oldest one. Not locked.
 */
#ifndef LA_USER_RECALL_H
#define LA_USER_RECALL_H

#include "la_abi.h"
#include <stddef.h>

/* So many are remembered. */
#define LA_RECALL_MAX 32768

struct la_recall;

/* NULL: out of memory. */
struct la_recall *la_recall_new(void);

/* Remembers a record, if it is one of those. NULL is allowed: nothing is remembered. */
void la_recall_add(struct la_recall *recall, const struct la_rec *rec);

/*
 * Copies what is remembered of the connection `id`, oldest first, one behind the other; if that
 * is more than `room` bytes, the latest of it. Returns how many bytes. NULL is allowed.
 */
size_t la_recall_copy(const struct la_recall *recall, __u64 id, void *to, size_t room);

/* NULL is allowed. */
void la_recall_free(struct la_recall *recall);

#endif
