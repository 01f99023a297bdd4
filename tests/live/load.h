/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - short connections from the client to the server, as many as the machine makes, or as
 * it is let.
 *
 * Each is opened, carries a request and an answer, and is closed in order, by the client
 * first; no two have the same addresses and ports within a minute. Errors are said on stderr.
 */
#ifndef LA_LIVE_LOAD_H
#define LA_LIVE_LOAD_H

#include "lab.h"

struct la_load;

/* No bound: as many as the machine makes. */
#define LA_LOAD_MOST (~0ULL)

/*
 * Processes that begin at once and make connections for so many ms, at most so many in all.
 * NULL: they did not start.
 */
struct la_load *la_load_start(struct la_lab *lab, int ms, unsigned long long most);

/* So many in all, from now on: who counts what was told of them can keep the load in step. */
void la_load_let(struct la_load *load, unsigned long long most);

/* Each ends with the connection that it is making. */
void la_load_stop(struct la_load *load);

/* True while they make connections. */
bool la_load_runs(struct la_load *load);

/* Waits for their end. True if no connection failed. */
bool la_load_end(struct la_load *load);

/* How many connections the client's kernel has opened; -1 if it does not tell. */
long long la_load_opened(struct la_lab *lab);

#endif
