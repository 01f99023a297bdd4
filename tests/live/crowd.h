/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.h - thousands of connections of the lab's client with its server, held open.
 *
 * Errors end the test.
 */
#ifndef LA_LIVE_CROWD_H
#define LA_LIVE_CROWD_H

#include "lab.h"

struct la_crowd;

/* Opens them one after the other, to the server's ports port, port + 1, and so on, in turn. */
struct la_crowd *la_crowd_new(struct la_lab *lab, int count, unsigned short port, int ports);

/* The client of connection i closes; its server does not. */
void la_crowd_half_close(struct la_crowd *crowd, int i);

/* Closes them all. */
void la_crowd_free(struct la_crowd *crowd);

#endif
