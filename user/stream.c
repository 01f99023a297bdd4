/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - one lock, a list of clients, a ring of bytes each. See stream.h.
 */
#include "stream.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Said first: a browser that loses the stream comes back after so many ms. */
static const char hello[] = "retry: 1000\n\n";

/* Clients that hear nothing for so long get a comment. */
#define SILENCE_NS (10 * LA_SEC_NS)

struct la_stream_client {
	struct la_stream *stream;
	struct la_filter *filter;
	struct la_stream_waiter waiter;
	bool parked;
	__u64 dropped; /* events that it has not been told of yet */
	size_t start, len;
	char queue[LA_STREAM_QUEUE];
};

struct la_stream {
	struct la_sink sink;
	pthread_mutex_t lock;
	struct la_sink *json; /* prints into text */
	FILE *memory;
	char *text;
	size_t size;
	struct la_stream_client *clients[LA_STREAM_CLIENTS];
	bool stopped;
	__u64 dropped;
	__u64 beat; /* when the clients were last spoken to, ns */
};

/* ---- a client's queue ---- */

static void append(struct la_stream_client *client, const char *bytes, size_t n)
{
	size_t at = (client->start + client->len) % LA_STREAM_QUEUE;
	size_t first = n < LA_STREAM_QUEUE - at ? n : LA_STREAM_QUEUE - at;

	memcpy(client->queue + at, bytes, first);
	memcpy(client->queue, bytes + first, n - first);
	client->len += n;
}

static size_t take(struct la_stream_client *client, char *bytes, size_t max)
{
	size_t n = client->len < max ? client->len : max;
	size_t first = n < LA_STREAM_QUEUE - client->start ? n : LA_STREAM_QUEUE - client->start;

	memcpy(bytes, client->queue + client->start, first);
	memcpy(bytes + first, client->queue, n - first);
	client->start = (client->start + n) % LA_STREAM_QUEUE;
	client->len -= n;
	return n;
}

static void wake(struct la_stream_client *client)
{
	if (!client->parked)
		return;
	client->parked = false;
	client->waiter.wake(client->waiter.ctx);
}

/* How many events went by unheard, if any; false: there is not even room for that. */
static bool confess(struct la_stream_client *client, size_t wanted)
{
	char text[80];
	int n;

	if (!client->dropped)
		return client->len + wanted <= LA_STREAM_QUEUE;
	n = snprintf(text, sizeof(text), "event: dropped\ndata: {\"count\":%llu}\n\n",
		     (unsigned long long)client->dropped);
	if (client->len + (size_t)n + wanted > LA_STREAM_QUEUE)
		return false;
	append(client, text, (size_t)n);
	client->dropped = 0;
	return true;
}

/* An event, or a comment that nobody misses: all of it or nothing. */
static void offer(struct la_stream_client *client, const char *bytes, size_t n)
{
	if (confess(client, n)) {
		append(client, bytes, n);
		wake(client);
	} else {
		client->dropped++;
		client->stream->dropped++;
	}
}

/* ---- the end of the records ---- */

/* The record as an event, in stream->text. Returns its length. */
static size_t print_event(struct la_stream *stream, const struct la_rec *rec)
{
	rewind(stream->memory);
	fputs("data: ", stream->memory);
	la_sink_record(stream->json, rec);
	la_sink_flush(stream->json);
	fputc('\n', stream->memory);
	fflush(stream->memory);
	return (size_t)ftell(stream->memory);
}

static void take_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct la_stream *stream = (struct la_stream *)sink;
	size_t n = 0;

	pthread_mutex_lock(&stream->lock);
	for (int i = 0; i < LA_STREAM_CLIENTS && !stream->stopped; i++) {
		struct la_stream_client *client = stream->clients[i];

		if (!client || !la_filter_match(client->filter, rec))
			continue;
		if (!n)
			n = print_event(stream, rec);
		offer(client, stream->text, n);
	}
	pthread_mutex_unlock(&stream->lock);
}

struct la_sink *la_stream_sink(struct la_stream *stream)
{
	return &stream->sink;
}

void la_stream_beat(struct la_stream *stream, __u64 now)
{
	if (now - stream->beat < SILENCE_NS)
		return;
	stream->beat = now;
	pthread_mutex_lock(&stream->lock);
	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		if (stream->clients[i] && !stream->clients[i]->len)
			offer(stream->clients[i], ":\n\n", 3);
	pthread_mutex_unlock(&stream->lock);
}

/* ---- the end of the clients ---- */

struct la_stream_client *la_stream_open(struct la_stream *stream, struct la_filter *filter,
					const struct la_stream_waiter *waiter)
{
	struct la_stream_client *client = calloc(1, sizeof(*client));
	int i = 0;

	if (!client) {
		la_filter_free(filter);
		return NULL;
	}
	client->stream = stream;
	client->filter = filter;
	client->waiter = *waiter;
	append(client, hello, sizeof(hello) - 1);
	pthread_mutex_lock(&stream->lock);
	while (i < LA_STREAM_CLIENTS && stream->clients[i])
		i++;
	if (i < LA_STREAM_CLIENTS && !stream->stopped)
		stream->clients[i] = client;
	else
		i = LA_STREAM_CLIENTS;
	pthread_mutex_unlock(&stream->lock);
	if (i < LA_STREAM_CLIENTS)
		return client;
	la_stream_close(client);
	return NULL;
}

ssize_t la_stream_read(struct la_stream_client *client, char *bytes, size_t max)
{
	struct la_stream *stream = client->stream;
	ssize_t n;

	pthread_mutex_lock(&stream->lock);
	n = stream->stopped ? -1 : (ssize_t)take(client, bytes, max);
	if (!n) {
		client->parked = true;
		client->waiter.park(client->waiter.ctx);
	}
	pthread_mutex_unlock(&stream->lock);
	return n;
}

void la_stream_close(struct la_stream_client *client)
{
	struct la_stream *stream = client->stream;

	pthread_mutex_lock(&stream->lock);
	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		if (stream->clients[i] == client)
			stream->clients[i] = NULL;
	pthread_mutex_unlock(&stream->lock);
	la_filter_free(client->filter);
	free(client);
}

void la_stream_stats(struct la_stream *stream, __u64 *clients, __u64 *dropped)
{
	*clients = 0;
	pthread_mutex_lock(&stream->lock);
	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		*clients += stream->clients[i] != NULL;
	*dropped = stream->dropped;
	pthread_mutex_unlock(&stream->lock);
}

/* ---- beginning and end ---- */

struct la_stream *la_stream_new(const struct la_output_opts *opts)
{
	struct la_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->sink.record = take_record;
	pthread_mutex_init(&stream->lock, NULL);
	stream->memory = open_memstream(&stream->text, &stream->size);
	if (stream->memory)
		stream->json = la_output_jsonl_new(stream->memory, opts);
	if (stream->json)
		return stream;
	la_stream_free(stream);
	return NULL;
}

void la_stream_stop(struct la_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	stream->stopped = true;
	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		if (stream->clients[i])
			wake(stream->clients[i]);
	pthread_mutex_unlock(&stream->lock);
}

void la_stream_free(struct la_stream *stream)
{
	if (!stream)
		return;
	la_sink_close(stream->json);
	if (stream->memory)
		fclose(stream->memory);
	free(stream->text);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}
