/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.h - an open connection between the lab's client and server, as two sockets to play with.
 *
 * talk.h plays a whole connection; this is for tests that do something in its middle.
 * Errors are said on stderr.
 */
#ifndef LA_LIVE_PAIR_H
#define LA_LIVE_PAIR_H

#include "lab.h"
#include <linux/types.h>

struct la_pair {
	int client, server; /* non-blocking sockets */
};

/* Connects both; ports in host byte order. False after some seconds without success. */
bool la_pair_open(struct la_pair *pair, struct la_lab *lab, int family, unsigned short client_port,
		  unsigned short server_port);

/* Sends `bytes` zeros from one socket to the other, and waits until all have arrived. */
bool la_pair_carry(int from, int to, unsigned int bytes);

/* A RST to the server, of the client's host itself but of no socket, at a number of choice. */
bool la_pair_rst(struct la_lab *lab, int family, unsigned short client_port,
		 unsigned short server_port, __u32 seq);

/* Waits until a socket hears of its peer's end: end of file, or an error. */
bool la_pair_ended(int fd);

#endif
