/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - drives the weather on the lab's cables (truth_net.bpf.c).
 *
 * Loads and attaches the programs, takes rules from the plays, sends what was kept back when
 * it is due, and keeps the log of all segments. Rules may be set by any process that
 * inherited it; the rest is for the one that made it. Errors are said on stderr.
 */
#ifndef LA_TRUTH_NET_H
#define LA_TRUTH_NET_H

#include "live/lab.h"
#include "truth_abi.h"

struct la_net;

struct la_net *la_net_new(struct la_lab *lab, const struct la_net_weather *weather);
void la_net_free(struct la_net *net);

/* Sets all rules of a connection at once. */
bool la_net_rule(struct la_net *net, struct la_net_pair pair, const struct la_net_rules *rules);

/* A descriptor that is readable when there is something to run for. */
int la_net_fd(struct la_net *net);

/*
 * Takes what the programs have to tell and sends what is due. Returns in how many ns there
 * is something due again, or -1 if nothing is held.
 */
long long la_net_run(struct la_net *net);

/* All segments so far, in order of time for each connection once la_net_sort() was called. */
const struct la_net_log *la_net_log(const struct la_net *net, size_t *count);
void la_net_sort(struct la_net *net);

/* Segments that could not be held or logged. Must be 0. */
unsigned long long la_net_lost(const struct la_net *net);

#endif
