/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - records to those who follow them from elsewhere, each with a filter of its own.
 *
 * A sink at one end, fed by the loop that drains the ring; clients at the other, read by the
 * threads that serve them. A client has a queue of LA_STREAM_QUEUE bytes: what does not fit is
 * dropped for that client, and it is told how many events that were. So nobody who is slow
 * keeps another one waiting, least of all the ring.
 *
 * What a client reads are server-sent events (HTML, 9.2): `data:` and a JSON line each.
 */
#ifndef LA_USER_STREAM_H
#define LA_USER_STREAM_H

#include "filter.h"
#include "output.h"
#include <sys/types.h>

#define LA_STREAM_CLIENTS 32
#define LA_STREAM_QUEUE	  (512 * 1024)

struct la_stream;
struct la_stream_client;

/* NULL without memory. */
struct la_stream *la_stream_new(const struct la_output_opts *opts);

/* Takes the records; belongs to the stream. */
struct la_sink *la_stream_sink(struct la_stream *stream);

/* How a reader goes to sleep, and is woken; both are called with the stream locked. */
struct la_stream_waiter {
	void (*park)(void *ctx);
	void (*wake)(void *ctx);
	void *ctx;
};

/*
 * A new client, who gets the records that pass the filter; the filter is the stream's from now
 * on, and NULL passes everything. NULL: there are LA_STREAM_CLIENTS already, or no memory.
 */
struct la_stream_client *la_stream_open(struct la_stream *stream, struct la_filter *filter,
					const struct la_stream_waiter *waiter);

/*
 * Up to max bytes of what waits. 0: there is nothing, the waiter is parked, and woken when there
 * is. -1: there will be nothing more.
 */
ssize_t la_stream_read(struct la_stream_client *client, char *bytes, size_t max);

void la_stream_close(struct la_stream_client *client);

/* Says something to clients that have heard nothing for a while, so that dead ones are found. */
void la_stream_beat(struct la_stream *stream, __u64 now);

/* Clients now, and events dropped ever. */
void la_stream_stats(struct la_stream *stream, __u64 *clients, __u64 *dropped);

/* No client gets anything more; those who wait are woken. */
void la_stream_stop(struct la_stream *stream);

/* All clients must be closed. NULL is allowed. */
void la_stream_free(struct la_stream *stream);

#endif
