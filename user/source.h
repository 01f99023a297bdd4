/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - where a verb that looks gets what it looks at: a lastack that runs, by its control
 * socket, or what one has left pinned in the kernel.
 *
 * For the verbs that ask: list, show, stats, watch and others. They see a loader that only
 * looks, or a stream of records, and not where they come from.
 */
#ifndef LA_USER_SOURCE_H
#define LA_USER_SOURCE_H

#include "control.h"
#include "filter.h"
#include "loader.h"
#include "owners.h"

struct la_source_opts {
	const char *control; /* path of the socket; NULL: that of the name, and then its pins */
	const char *persist; /* only what is pinned by this name; NULL: not so */
	const char *bpffs;
	const char *cannot; /* how an error begins: "cannot list" */
};

struct la_source;

/* The tables of a lastack. NULL: there are none, and why is on stderr. */
struct la_source *la_source_open(const struct la_source_opts *opts);

/* Records of a lastack that runs, those that pass the text of a filter. NULL as above. */
struct la_source *la_source_watch(const struct la_source_opts *opts, const char *filter);

/* What it has loaded, to look at; it belongs to the source. NULL if it is watched. */
const struct la_loader *la_source_loader(const struct la_source *source);

/* Pid of the lastack that runs it; 0: none does. */
__u32 la_source_pid(const struct la_source *source);

/* The name of an interface, ctx being the source; NULL if it has none now. */
const char *la_source_ifname(__u32 ifindex, void *ctx);

/*
 * Calls fn with each of the latest close records that a running lastack remembers, the oldest
 * first; with none if it does not run. Returns 0, or -1 with the reason on stderr.
 */
int la_source_closes(struct la_source *source,
		     void (*fn)(const struct la_rec_close *close, void *ctx), void *ctx);

/*
 * Calls fn with each of the latest transitions, RSTs and segments of a connection that a running
 * lastack remembers, the oldest first; with none if it does not run. Returns how many there
 * were, or -1 with the reason on stderr.
 */
int la_source_recall(struct la_source *source, __u64 id,
		     void (*fn)(const struct la_rec *rec, void *ctx), void *ctx);

/* A la_owners_fn, ctx being the source: what the lastack that runs knows. */
void la_source_owners(const struct la_rec *rec, struct la_owned own[2], void *ctx);

/* Lets a filter find names of interfaces and owners here. A NULL filter is allowed. */
void la_source_names(struct la_source *source, struct la_filter *filter);

/* The socket of the lastack that runs; watching, it is readable when records wait. -1: pins. */
int la_source_fd(const struct la_source *source);

/*
 * Watching: takes a batch of records and gives each to fn. Returns how many there were; 0: the
 * lastack has ended; -1 with the reason on stderr.
 */
int la_source_read(struct la_source *source, void (*fn)(const struct la_rec *rec, void *ctx),
		   void *ctx);

/*
 * Asks the lastack that runs to reset both ends of these connections; what becomes of each is a
 * policy record to be read by la_source_read(), where others may be among them. Returns 0, or
 * -1 with the reason on stderr.
 */
int la_source_kill(struct la_source *source, const struct la_control_conn *conns, size_t count);

/* NULL is allowed. */
void la_source_close(struct la_source *source);

#endif
