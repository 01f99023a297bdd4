/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - short connections from the client to the server, as many as the machine makes.
 *
 * Each is opened, carries a request and an answer, and is closed in order, by the client
 * first; no two have the same addresses and ports within a minute. Errors are said on stderr.
 */
#ifndef LA_LIVE_LOAD_H
#define LA_LIVE_LOAD_H

#include "lab.h"

struct la_load;

/* Processes that begin at once and make connections for so many ms. NULL: they did not start. */
struct la_load *la_load_start(struct la_lab *lab, int ms);

/* True while they make connections. */
bool la_load_runs(struct la_load *load);

/* Waits for their end. True if no connection failed. */
bool la_load_end(struct la_load *load);

/* How many connections the client's kernel has opened; -1 if it does not tell. */
long long la_load_opened(struct la_lab *lab);

#endif
