/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - drains the ring buffer in batches. See events.h.
 *
 * The records of a batch are put in order, formatted and written where they lie; then the kernel
 * gets its room back.
 */
#include "events.h"
#include "options.h"
#include "ring.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 512

/* How far back a record may have to go: more CPUs do not race for one connection. */
#define ORDER_WINDOW 32

struct la_events {
	struct la_ring *ring;
	struct la_events_opts opts;
	struct {
		struct la_sink *sink;
		bool all; /* also what does not pass the filter */
	} sinks[LA_EVENTS_SINKS];
	unsigned int sink_count;
	bool all;	    /* one of them is */
	unsigned int taken; /* from the ring in this batch */
	unsigned int count; /* kept of them: in order[] */
	__u64 closes;	    /* close records that were kept, in all */
	struct la_journal *journal;
	struct la_journal own; /* if opts has none */
	struct kept {
		const struct la_rec *rec;
		bool passes; /* the filter */
	} order[BATCH_MAX];
	bool delivering;
};

/* Is it a record, and is all of it there? */
static bool believable(const void *data, size_t size)
{
	const struct la_rec *rec = data;

	if (size < sizeof(*rec) || rec->v != LA_ABI_VERSION || !la_record_size(rec))
		return false;
	return size >= la_record_size(rec);
}

/* Where a record belongs: before those of its connection with higher sequence numbers. */
static unsigned int place_of(const struct la_events *events, const struct la_rec *rec)
{
	unsigned int place = events->count, first;

	first = place > ORDER_WINDOW ? place - ORDER_WINDOW : 0;
	for (unsigned int i = place; i > first; i--) {
		const struct la_rec *other = events->order[i - 1].rec;

		if (other->id == rec->id && other->seq > rec->seq)
			place = i - 1;
	}
	return place;
}

static void take(struct la_events *events, const void *data, size_t size)
{
	const struct la_rec *rec = data;
	unsigned int place;
	bool passes;

	events->taken++;
	if (!believable(data, size))
		return;
	la_owners_meet(events->opts.owners, rec);
	passes = la_filter_match(events->opts.filter, rec);
	if (!passes && !events->all)
		return;
	place = place_of(events, rec);
	memmove(&events->order[place + 1], &events->order[place],
		(events->count - place) * sizeof(*events->order));
	events->order[place] = (struct kept){.rec = rec, .passes = passes};
	events->count++;
	events->closes += passes && rec->type == LA_REC_CLOSE;
}

/* Takes what waits, no more than a batch, and nothing after the last close record wanted. */
static void take_batch(struct la_events *events)
{
	const void *data;
	size_t size;

	events->taken = events->count = 0;
	while (events->taken < BATCH_MAX && !la_events_done(events)) {
		data = la_ring_next(events->ring, &size);
		if (!data)
			break;
		take(events, data, size);
	}
}

static void deliver(struct la_events *events, const struct kept *kept)
{
	for (unsigned int i = 0; i < events->sink_count; i++)
		if (kept->passes || events->sinks[i].all)
			la_sink_record(events->sinks[i].sink, kept->rec);
}

/* Returns 0, or the errno of the first sink that could not write all of it. */
static int flush(struct la_events *events)
{
	int failed = 0, err;

	for (unsigned int i = 0; i < events->sink_count; i++) {
		err = la_sink_flush(events->sinks[i].sink);
		failed = failed ? failed : err;
	}
	return failed;
}

/* Before the sinks get something to write. */
static void begin(struct la_events *events)
{
	if (events->opts.journal)
		la_journal_begin(events->journal, events->opts.output_fd,
				 la_ring_position(events->ring));
}

/* What an earlier process has begun to write will come again. Returns 0, or -1 with the reason. */
static int undo(const struct la_events *events)
{
	long long cut;

	if (!events->opts.journal)
		return 0;
	cut = la_journal_undo(events->opts.journal, events->opts.output_fd,
			      la_ring_position(events->ring));
	if (cut < 0)
		return la_fail(LA_EXIT_RUNTIME, "cannot cut off what was written by half", "stdout",
			       strerror((int)-cut), NULL),
		       -1;
	if (cut)
		fprintf(stderr,
			"lastack: stdout: the last %lld bytes were not written to the end, "
			"and are written anew\n",
			cut);
	return 0;
}

struct la_events *la_events_new(const struct la_events_opts *opts)
{
	struct la_events *events = calloc(1, sizeof(*events));

	if (events) {
		events->opts = *opts;
		events->journal = opts->journal ? opts->journal : &events->own;
		events->ring = la_ring_open(opts->ring_fd);
	}
	if (!events || !events->ring)
		la_fail(LA_EXIT_RUNTIME, "cannot read records", "ring buffer", strerror(errno),
			NULL);
	else if (!undo(events))
		return events;
	la_events_free(events);
	return NULL;
}

void la_events_to(struct la_events *events, struct la_sink *sink)
{
	events->sinks[events->sink_count++].sink = sink;
}

void la_events_all_to(struct la_events *events, struct la_sink *sink)
{
	events->sinks[events->sink_count].all = events->all = true;
	la_events_to(events, sink);
}

void la_events_filter(struct la_events *events, const struct la_filter *filter)
{
	events->opts.filter = filter;
}

int la_events_fd(const struct la_events *events)
{
	return events->opts.ring_fd;
}

int la_events_drain(struct la_events *events)
{
	int err = 0;

	take_batch(events);
	if (events->count) {
		begin(events);
		events->delivering = true;
		for (unsigned int i = 0; i < events->count; i++)
			deliver(events, &events->order[i]);
		events->delivering = false;
		err = flush(events);
	}
	if (err && events->opts.journal) {
		la_ring_rewind(events->ring);
		return -err;
	}
	la_ring_release(events->ring);
	return (int)events->taken;
}

bool la_events_done(const struct la_events *events)
{
	return events->opts.closes && events->closes >= events->opts.closes;
}

void la_events_lost(struct la_events *events, const __u64 lost[LA_LOST_MAX], __u64 now)
{
	if (la_events_done(events) ||
	    !memcmp(events->journal->lost, lost, sizeof(events->own.lost)))
		return;
	begin(events);
	for (int source = 0; source < LA_LOST_MAX; source++) {
		struct la_rec_lost rec = {
			.h = {.v = LA_ABI_VERSION, .type = LA_REC_LOST, .ts = now},
			.source = source,
			.count = lost[source] - events->journal->lost[source],
		};

		if (rec.count)
			deliver(events, &(struct kept){.rec = &rec.h, .passes = true});
	}
	if (flush(events) && events->opts.journal)
		return;
	memcpy(events->journal->lost, lost, sizeof(events->own.lost));
	la_journal_end(events->journal);
}

void la_events_tell(struct la_events *events, const struct la_rec *rec)
{
	const struct kept kept = {.rec = rec, .passes = la_filter_match(events->opts.filter, rec)};

	if (events->delivering) {
		deliver(events, &kept);
		return;
	}
	begin(events);
	deliver(events, &kept);
	if (!flush(events))
		la_journal_end(events->journal);
}

void la_events_free(struct la_events *events)
{
	if (!events)
		return;
	la_ring_close(events->ring);
	free(events);
}
