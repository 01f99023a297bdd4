/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.h - what an observer told of one connection, gathered from its JSON records.
 *
 * Turns orig and resp into client and server, because that is how a story speaks. A presumed
 * state that was taken back is no longer part of the path: what remains is what the observer
 * holds for true in the end.
 */
#ifndef LA_LIVE_TOLD_H
#define LA_LIVE_TOLD_H

#include "la_names.h"
#include <jansson.h>
#include <stdbool.h>

#define LA_TOLD_STEPS 32

struct la_told_step {
	unsigned long long ts; /* ns since the epoch */
	unsigned int to;       /* enum la_state */
};

/* One host's way through the states. */
struct la_told_way {
	unsigned int first; /* enum la_state in which it was when the observer first saw it */
	struct la_told_step steps[LA_TOLD_STEPS];
	int count;
};

struct la_told {
	const char *id;
	const char *orig;	    /* "client" or "server" */
	unsigned long long start;   /* ns since the epoch, of its first record */
	const json_t *close, *gone; /* the last of each */
	int closes, gones;
	int corrected;		   /* state records that take something back */
	bool broken;		   /* numbers with a gap, or a step from where it was not */
	struct la_told_way way[2]; /* by host */
};

/*
 * Gathers the connections between two ports (host byte order), in the order in which they
 * began. Returns how many there are; at most `max` are filled in.
 */
int la_told_gather(const json_t *records, unsigned short client_port, unsigned short server_port,
		   struct la_told *told, int max);

/* The states a host went through after the first, separated by spaces. */
const char *la_told_path(const struct la_told *told, int host, char *text, size_t size);

/* The state in which the observer held a host to be at a moment. */
unsigned int la_told_state_at(const struct la_told *told, int host, unsigned long long realtime_ns);

/* A number or a word of the close record for one host: key "pkts" is orig_pkts or resp_pkts. */
long long la_told_number(const struct la_told *told, int host, const char *key);
const char *la_told_word(const struct la_told *told, int host, const char *key);

/* A word of a record; "" if it has none of that name. */
const char *la_told_text(const json_t *record, const char *key);

#endif
