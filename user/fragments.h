/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragments.h - puts the fragments of a captured IP packet together (RFC 791 3.2, RFC 8200 4.5).
 *
 * The host that receives them hands the packet to TCP when the last one is there, so that is
 * when it is tracked, with its whole length. For replay.c: live hooks keep no packets.
 */
#ifndef LA_USER_FRAGMENTS_H
#define LA_USER_FRAGMENTS_H

#include "engine.h"

struct la_fragments;

/* NULL without memory. */
struct la_fragments *la_fragments_new(void);

void la_fragments_free(struct la_fragments *all);

/*
 * Takes a captured packet that its checksums do not speak against. Returns false if it is the
 * first fragment of a packet: it is not to be tracked by itself. *whole becomes the packet that
 * it was the last missing piece of, with its time; or a first fragment whose others did not
 * come in time, made one that carries no TCP header; or NULL. Valid until the next call.
 */
bool la_fragments_take(struct la_fragments *all, const struct la_captured *p,
		       const struct la_captured **whole);

/* The capture is over: what is left of it, as above, one a call; NULL: nothing. */
const struct la_captured *la_fragments_rest(struct la_fragments *all);

#endif
