/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * persist.h - what outlives the process: a directory of a bpffs with maps, programs and links.
 *
 *   BPFFS/lastack/NAME/state            who, since when, where; one struct la_persist_state
 *                      map_* prog_*     the BPF object (pins.h)
 *                      link_IFINDEX_*   the links (attach.c)
 *
 * Owns that directory, the lock that says who owns it (flock(2), so it ends with its holder,
 * however that ends), and the state. Knows nothing of what is pinned. The state becomes ready
 * when all of the object is pinned, which is before anything is attached: what a start leaves
 * that was cut off before is of no use to anybody, and goes with the next one.
 */
#ifndef LA_USER_PERSIST_H
#define LA_USER_PERSIST_H

#include "journal.h"
#include "la_abi.h"
#include <net/if.h>

#define LA_PERSIST_BPFFS "/sys/fs/bpf"
#define LA_PERSIST_NAME	 "default"

/* What a name may be. */
#define LA_PERSIST_NAME_MAX  63
#define LA_PERSIST_NAME_RULE "a name is letters, digits, - and _, and at most 63 of them"

/* Interfaces at once. */
#define LA_PERSIST_PLACES 256

/* An interface; after all of it is taken off, its name for records that come late. */
struct la_persist_place {
	__s32 ifindex; /* 0: this place was never used */
	__u8 choice;   /* enum la_hook_choice */
	__u8 clsact;   /* 1: clsact filters, and no tcx links */
	__u8 qdisc;    /* 1: the clsact qdisc is ours */
	__u8 attached; /* 1: from before something is attached until all of it is off again */
	__u32 filter_prog[2]; /* ids of the programs of the clsact filters, by enum la_direction */
	char ifname[IF_NAMESIZE]; /* as it was when it was attached */
};

struct la_persist_state {
	__u32 abi;	    /* LA_ABI_VERSION; the first number in every version */
	__u32 ready;	    /* 1: all maps and programs are pinned */
	__u64 layout;	    /* la_pins_layout() of the object */
	__u64 build;	    /* la_loader's: of the programs and all that is frozen into them */
	__u64 netns;	    /* inode of the network namespace that the interfaces are of */
	__u64 since;	    /* tracking, ns since the epoch */
	__u64 daemon_since; /* ns since the epoch */
	__u32 daemon_pid;   /* of its owner, or the last one */
	__u32 daemon_uid;
	struct la_journal journal;
	struct la_persist_place places[LA_PERSIST_PLACES];
};

/* For what it is opened. */
enum la_persist_for {
	LA_PERSIST_RUN,	   /* to own it; made if it is not there */
	LA_PERSIST_DETACH, /* to take it away */
	LA_PERSIST_LOOK,   /* to see what is there; takes no lock */
};

enum la_pin { LA_PIN_MAP, LA_PIN_PROG, LA_PIN_LINK };

struct la_persist;

/* Does a name keep LA_PERSIST_NAME_RULE? */
bool la_persist_name_ok(const char *name);

/*
 * Opens BPFFS/lastack/NAME. NULL: it cannot be, and why is on stderr: no bpffs, no right,
 * somebody else owns it.
 */
struct la_persist *la_persist_open(const char *bpffs, const char *name, enum la_persist_for use);

/* True if there is something to go on with, to look at or to take away. */
bool la_persist_found(const struct la_persist *persist);

/* True if what is there was made by another version, of whose state only `abi` can be read. */
bool la_persist_foreign(const struct la_persist *persist);

/* The state, in memory shared with whoever else has it open. NULL: nothing was found. */
struct la_persist_state *la_persist_state(const struct la_persist *persist);

/* True if this process is in the network namespace that the interfaces are of. */
bool la_persist_here(const struct la_persist *persist);

/* True if a process owns it; for who has opened it to look. */
bool la_persist_owned(const struct la_persist *persist);

/* The path of the directory, and the name. */
const char *la_persist_path(const struct la_persist *persist);
const char *la_persist_name(const struct la_persist *persist);

/* A new state, not ready, of this process. Returns 0 or -errno. */
int la_persist_begin(struct la_persist *persist);

/* Writes into the state that this process owns it from now on. */
void la_persist_sign(struct la_persist *persist);

/* The file descriptor of what is pinned by that name, to be closed; or -errno. */
int la_persist_get(const struct la_persist *persist, enum la_pin kind, const char *name);

/* Pins what fd is, in the place of what has that name in one step. Returns 0 or -errno. */
int la_persist_put(struct la_persist *persist, enum la_pin kind, const char *name, int fd);

/* Unpins. Harmless if nothing is pinned by that name. */
void la_persist_drop(struct la_persist *persist, enum la_pin kind, const char *name);

/* Unpins all, and removes the directory. Returns 0 or -errno. */
int la_persist_remove(struct la_persist *persist);

/* Ends the lock, leaves what is pinned. NULL is allowed. */
void la_persist_close(struct la_persist *persist);

/*
 * Calls fn with each name that has a directory in BPFFS/lastack, in alphabetical order, until
 * it returns not 0. Returns what fn did, 0 if there is none, or -1 with the reason on stderr.
 */
int la_persist_each(const char *bpffs, int (*fn)(const char *name, void *ctx), void *ctx);

#endif
