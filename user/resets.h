/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resets.h - connections that are being reset: RSTs to both ends, and a look at what came of it.
 *
 * The numbers come out of the table at the moment of sending. The connection has to be seen to
 * end, and not to carry on for a while; else it is tried again with the numbers of then, twice.
 * An end that is a socket of this host, and still there after that, is destroyed (diag.h).
 * Who begins is told how it ended. Time is an argument, ns of CLOCK_MONOTONIC.
 */
#ifndef LA_USER_RESETS_H
#define LA_USER_RESETS_H

#include "reset.h"

#define LA_RESETS_TRIES 3

/* From RSTs to the look at what came of them. */
#define LA_RESETS_WAIT_NS (500 * LA_MSEC_NS)

struct la_resets;

/* It is over: rec is what la_resets_begin() was given, with result, tries and detail. */
typedef void (*la_resets_fn)(const struct la_rec_policy *rec, void *ctx);

/* NULL: it cannot send, and why is on stderr if somebody asked for it. */
struct la_resets *la_resets_new(struct la_loader *loader, bool asked, la_resets_fn over, void *ctx);

/* What they are sent by; it stays theirs. */
struct la_reset *la_resets_sender(const struct la_resets *resets);

/* See reset.h. */
void la_resets_follow(struct la_resets *resets, const struct la_attach *attach);

/*
 * Begins to reset the connection of a record, which says on whose behalf. Returns 0, or
 * -errno: -EALREADY, it is under way; -ENOENT, it is not there any more, or no end of it lives.
 */
int la_resets_begin(struct la_resets *resets, const struct la_rec_policy *rec, __u64 now);

/* Learns, looks, tries again; to be called several times a second. */
void la_resets_tick(struct la_resets *resets, __u64 now);

/* How many are under way. */
unsigned int la_resets_count(const struct la_resets *resets);

/* Gives up what is under way. NULL is allowed. */
void la_resets_free(struct la_resets *resets);

#endif
