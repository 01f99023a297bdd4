/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - records from the ring buffer to the sinks.
 *
 * Checks what the kernel sent, filters it, and hands it on in order: two CPUs may put two
 * records of one connection into the ring in the wrong order, so those that are drained
 * together are put right by their sequence numbers. A gap that remains is a loss.
 *
 * A record leaves the ring when the sinks have written it. With a journal, records that could
 * not be written stay there for who comes next.
 */
#ifndef LA_USER_EVENTS_H
#define LA_USER_EVENTS_H

#include "filter.h"
#include "journal.h"
#include "sink.h"

struct la_events;

struct la_events_opts {
	int ring_fd;			/* the ring buffer map */
	const struct la_filter *filter; /* NULL: everything passes */
	struct la_owners *owners;	/* that meet each record first; or NULL */
	__u64 closes;			/* after so many close records nothing more; 0: no end */
	struct la_journal *journal; /* what outlives this process knows it; NULL: nothing does */
	int output_fd;		    /* where the sinks write to, for the journal */
};

/* NULL: it failed, and why is on stderr. */
struct la_events *la_events_new(const struct la_events_opts *opts);

/* A further sink, of at most LA_EVENTS_SINKS. It is not owned: close it yourself. */
#define LA_EVENTS_SINKS 8
void la_events_to(struct la_events *events, struct la_sink *sink);

/* The same for one that takes what does not pass the filter, too. */
void la_events_all_to(struct la_events *events, struct la_sink *sink);

/* From now on another filter decides what passes; NULL: everything does. */
void la_events_filter(struct la_events *events, const struct la_filter *filter);

/* Readable when records wait. */
int la_events_fd(const struct la_events *events);

/*
 * Hands on what waits and flushes the sinks, a bounded piece of work. Returns how many
 * records were taken, so 0 when the ring is empty; with a journal -errno if a sink could not
 * write them all, and then they wait on.
 */
int la_events_drain(struct la_events *events);

/* True if opts.closes close records have passed. */
bool la_events_done(const struct la_events *events);

/* Tells the sinks (type lost) if the count of lost records has risen since the last call. */
void la_events_lost(struct la_events *events, const __u64 lost[LA_LOST_MAX], __u64 now);

/* Hands a record on to the sinks that was made in userspace, also from within one of them. */
void la_events_tell(struct la_events *events, const struct la_rec *rec);

/* NULL is allowed. */
void la_events_free(struct la_events *events);

#endif
