/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror.h - a `lastack run -o jsonl` at one point of the lab, and the walks it told.
 *
 * Its records go to a file and are read when it has ended. A step that it presumed and took
 * back (`corrected`) is no part of the walk any more, but counted. The end of TIME_WAIT, by
 * the clock, is no step: see kernel.c.
 */
#ifndef LA_TRUTH_MIRROR_H
#define LA_TRUTH_MIRROR_H

#include "live/lab.h"
#include "walk.h"

struct la_mirror;

/* hook: for --hook; rst_policy: for --rst-policy. NULL, with the reason on stderr, if it is not
 * attached in time. */
struct la_mirror *la_mirror_start(struct la_lab *lab, const char *binary, enum la_lab_host host,
				  const char *hook, const char *rst_policy);

/* Asks it to end and reads what it told. False, with the reason on stderr, if that is broken. */
bool la_mirror_stop(struct la_mirror *mirror, struct la_conns *conns);

/*
 * How many RSTs it told of; *dropped: how many of them a rule did not let pass, or in a dry run
 * would not have. Only after la_mirror_stop().
 */
unsigned long la_mirror_rsts(const struct la_mirror *mirror, unsigned long *dropped);

/* Kills it if it still runs. NULL is fine. */
void la_mirror_free(struct la_mirror *mirror);

/* Prints the records of one connection, as they came. Only after la_mirror_stop(). */
void la_mirror_print(const struct la_mirror *mirror, struct la_net_pair pair);

#endif
