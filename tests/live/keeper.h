/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.h - a `lastack run --persist` that is stopped, killed and started again, all of whose
 * lives write to one file.
 *
 * It pins below /sys/fs/bpf of a mount namespace of the test's own, which goes with the test.
 */
#ifndef LA_LIVE_KEEPER_H
#define LA_LIVE_KEEPER_H

#include "lab.h"
#include <jansson.h>

struct la_keeper {
	struct la_lab *lab;
	enum la_lab_host host;
	pid_t pid; /* 0: none runs */
	int out;   /* what all have written to stdout, a file without a name */
	int err;   /* what the last one has said on stderr */
	char said[65536];
};

/* A private /sys/fs/bpf with nothing in it. Needs root; false with the reason on stderr. */
bool la_keeper_world(void);

/* A keeper at this host's eth0. False: no memory. */
bool la_keeper_init(struct la_keeper *keeper, struct la_lab *lab, enum la_lab_host host);

/* Starts `lastack run -o jsonl -i eth0 --persist` with these options, and does not wait. */
bool la_keeper_spawn(struct la_keeper *keeper, const char *const options[]);

/* Starts it and waits until it is attached. */
bool la_keeper_start(struct la_keeper *keeper, const char *const options[]);

/* Sends it a signal and waits for its end. Its exit code, 128 + the signal that ended it, or -1. */
int la_keeper_end(struct la_keeper *keeper, int signal);

/* Runs another lastack to its end, its stdout into the same file. Its exit code, or -1. */
int la_keeper_verb(struct la_keeper *keeper, const char *const args[]);

/* What the last one said on stderr. Valid until the next call. */
const char *la_keeper_said(struct la_keeper *keeper);

/* The file as an array of JSON objects, or NULL, if a line is none. The caller frees it. */
json_t *la_keeper_records(const struct la_keeper *keeper);

/* Kills what still runs. */
void la_keeper_free(struct la_keeper *keeper);

#endif
