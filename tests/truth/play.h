/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * play.h - one randomised connection between the client and the server of the lab.
 *
 * What is drawn depends on the seed and the number of the play alone. A play is no test: it
 * makes sockets do things, and whatever comes of it, both kernels and lastack saw the same.
 * Under loss a step may fail; then the play ends there and closes what it has.
 */
#ifndef LA_TRUTH_PLAY_H
#define LA_TRUTH_PLAY_H

#include "net.h"

/* Pairs of ports that a play may use: client ports first + 0, 1. */
#define LA_PLAY_PORTS 2

/*
 * Client ports start here, and there is room for so many plays in a round; each round has
 * server ports of its own.
 */
#define LA_PLAY_FIRST_PORT 10000
#define LA_PLAY_ROUND	   27000

/* What came of a play. */
struct la_play_end {
	bool played;  /* it is over */
	bool through; /* each step succeeded: who was to hear something heard it */
	__u32 bytes;  /* that were heard */
	__u32 wrong;  /* bytes other than were said at that place, or missing at an orderly end */
};

struct la_play {
	struct la_lab *lab;
	struct la_net *net;
	unsigned int number;
	bool loss; /* the network may lose what matters */
	__u64 dice;
	int family;
	unsigned short port[2]; /* by host */
	int sock[2];
	int listener;
	__u32 said[2], heard[2]; /* bytes by host, of this connection */
	struct la_play_end end;
};

struct la_behaviour {
	const char *name;
	bool (*play)(struct la_play *p);
	int weight; /* how often it is drawn, against the others */
};

extern const struct la_behaviour la_behaviours[];
extern const int la_behaviour_count;

/* Which behaviour a play is, from the seed: an index. */
int la_play_cast(__u64 seed, unsigned int number);

/* Plays it. server_port: nobody else listens there meanwhile. */
struct la_play_end la_play_run(struct la_lab *lab, struct la_net *net, __u64 seed,
			       unsigned int number, unsigned short server_port, bool loss);

#endif
