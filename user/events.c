/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - drains the ring buffer in batches. See events.h.
 *
 * A batch is copied out first, which gives the kernel its room back before anybody formats
 * a line, and put in order while it is copied.
 */
#include "events.h"
#include "options.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 512

/* How far back a record may have to go: more CPUs do not race for one connection. */
#define ORDER_WINDOW 32

struct la_events {
	struct ring_buffer *ring;
	struct la_events_opts opts;
	struct la_sink *sinks[LA_EVENTS_SINKS];
	unsigned int sink_count;
	unsigned int taken; /* from the ring in this batch */
	unsigned int count; /* kept of them: in order[] */
	__u64 closes;
	__u64 lost[LA_LOST_MAX];
	const union la_any_rec *order[BATCH_MAX];
	union la_any_rec batch[BATCH_MAX];
};

static const size_t sizes[LA_RECORD_MAX] = {
	[LA_REC_STATE] = sizeof(struct la_rec_state),
	[LA_REC_RST] = sizeof(struct la_rec_rst),
	[LA_REC_CLOSE] = sizeof(struct la_rec_close),
	[LA_REC_GONE] = sizeof(struct la_rec_gone),
	[LA_REC_SEGMENT] = sizeof(struct la_rec_segment),
};

/* The size of a record that can be believed, or 0. */
static size_t checked_size(const void *data, size_t size)
{
	const struct la_rec *rec = data;

	if (size < sizeof(*rec) || rec->v != LA_ABI_VERSION || rec->type >= LA_RECORD_MAX)
		return 0;
	return size < sizes[rec->type] ? 0 : sizes[rec->type];
}

/* Where a record belongs: before those of its connection with higher sequence numbers. */
static unsigned int place_of(const struct la_events *events, const struct la_rec *rec)
{
	unsigned int place = events->count, first;

	first = place > ORDER_WINDOW ? place - ORDER_WINDOW : 0;
	for (unsigned int i = place; i > first; i--) {
		const struct la_rec *other = &events->order[i - 1]->h;

		if (other->id == rec->id && other->seq > rec->seq)
			place = i - 1;
	}
	return place;
}

static int take(void *ctx, void *data, size_t size)
{
	struct la_events *events = ctx;
	union la_any_rec *copy = &events->batch[events->count];
	unsigned int place;

	events->taken++;
	size = checked_size(data, size);
	if (size && la_filter_match(events->opts.filter, data)) {
		memcpy(copy, data, size);
		place = place_of(events, &copy->h);
		memmove(&events->order[place + 1], &events->order[place],
			(events->count - place) * sizeof(const union la_any_rec *));
		events->order[place] = copy;
		events->count++;
	}
	return events->taken == BATCH_MAX ? -EAGAIN : 0; /* an error ends this consume */
}

static void deliver(struct la_events *events, const struct la_rec *rec)
{
	if (la_events_done(events))
		return;
	for (unsigned int i = 0; i < events->sink_count; i++)
		la_sink_record(events->sinks[i], rec);
	events->closes += rec->type == LA_REC_CLOSE;
}

struct la_events *la_events_new(const struct la_events_opts *opts)
{
	struct la_events *events = calloc(1, sizeof(*events));
	int err = ENOMEM;

	if (events) {
		events->opts = *opts;
		events->ring = ring_buffer__new(opts->ring_fd, take, events, NULL);
		err = errno;
	}
	if (events && events->ring)
		return events;
	la_fail(LA_EXIT_RUNTIME, "cannot read records", "ring buffer", strerror(err), NULL);
	free(events);
	return NULL;
}

void la_events_to(struct la_events *events, struct la_sink *sink)
{
	events->sinks[events->sink_count++] = sink;
}

int la_events_fd(const struct la_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

int la_events_drain(struct la_events *events)
{
	int err;

	events->taken = events->count = 0;
	err = ring_buffer__consume(events->ring);
	for (unsigned int i = 0; i < events->count; i++)
		deliver(events, &events->order[i]->h);
	for (unsigned int i = 0; events->count && i < events->sink_count; i++)
		la_sink_flush(events->sinks[i]);
	return err < 0 && err != -EAGAIN ? err : (int)events->taken;
}

bool la_events_done(const struct la_events *events)
{
	return events->opts.closes && events->closes >= events->opts.closes;
}

void la_events_lost(struct la_events *events, const __u64 lost[LA_LOST_MAX], __u64 now)
{
	for (int source = 0; source < LA_LOST_MAX; source++) {
		struct la_rec_lost rec = {
			.h = {.v = LA_ABI_VERSION, .type = LA_REC_LOST, .ts = now},
			.source = source,
			.count = lost[source] - events->lost[source],
		};

		events->lost[source] = lost[source];
		if (rec.count)
			deliver(events, &rec.h);
	}
}

void la_events_free(struct la_events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}
