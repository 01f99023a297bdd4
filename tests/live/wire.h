/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - drives the wire program: which segments the cable loses or keeps back, and how
 * many really went over it.
 *
 * The programs sit behind lastack's hooks at the client's and the server's interface (see
 * wire.bpf.c). They go with the lab. Errors are said on stderr.
 */
#ifndef LA_LIVE_WIRE_H
#define LA_LIVE_WIRE_H

#include "lab.h"
#include "wire_abi.h"

struct la_wire;

struct la_wire *la_wire_new(struct la_lab *lab);
void la_wire_free(struct la_wire *wire);

/* Adds a rule. Returns its number, or -1 if there are too many. */
int la_wire_add(struct la_wire *wire, const struct la_wire_rule *rule);

/* Takes all rules away. What is held stays held. */
bool la_wire_clear(struct la_wire *wire);

/* How many segments a rule has taken. */
unsigned int la_wire_hits(struct la_wire *wire, int rule);

/*
 * Sends the first `max` frames of what was held, in order, past every hook of the sender: an
 * observer there has already seen them. Returns how many, or -1.
 */
int la_wire_release(struct la_wire *wire, int max);

/* Loses what is held. */
void la_wire_forget(struct la_wire *wire);

/* What was sent from one port to the other (host byte order), lost segments included. */
struct la_wire_count la_wire_sent(struct la_wire *wire, unsigned short from, unsigned short to);

/*
 * How many packets came to the wire without their Ethernet header in place: whoever was
 * there before has spoiled them for the tc programs behind.
 */
unsigned int la_wire_headless(struct la_wire *wire);

/* The id of a wire program in the kernel: it is gone when the lab is. */
unsigned int la_wire_program_id(struct la_wire *wire);

#endif
