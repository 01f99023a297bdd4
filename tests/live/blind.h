/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blind.h - an attacker in a third namespace: writes another host's address, and sees nothing.
 *
 *   client ------ left router right ------ server
 *                     third
 *                       |
 *                    attacker
 *
 * Its namespace has no name and goes with the descriptors of this process. Errors are said on
 * stderr.
 */
#ifndef LA_LIVE_BLIND_H
#define LA_LIVE_BLIND_H

#include "lab.h"
#include <linux/types.h>

/* Where its frames go to: the router forwards them, or is a bridge (its name) between all. */
struct la_blind;

struct la_blind *la_blind_new(struct la_lab *lab, const char *bridge);

/* NULL is fine. */
void la_blind_free(struct la_blind *blind);

/* One RST to the server that looks as if the client had sent it; ports in host byte order. */
bool la_blind_rst(struct la_blind *blind, int family, unsigned short client_port,
		  unsigned short server_port, __u32 seq);

/* A SYN likewise. */
bool la_blind_syn(struct la_blind *blind, int family, unsigned short client_port,
		  unsigned short server_port);

/* RSTs at so many numbers, from seq on, as fast as it can: not all of them arrive. */
bool la_blind_rsts(struct la_blind *blind, int family, unsigned short client_port,
		   unsigned short server_port, __u32 seq, unsigned int count);

/*
 * The number that a socket of this process expects next, RCV.NXT, from its kernel: for an
 * attacker who is as lucky as he can be. The connection is to be idle. False: it cannot be read.
 */
bool la_blind_expected(int fd, __u32 *seq);

#endif
