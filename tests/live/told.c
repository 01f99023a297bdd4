// SPDX-License-Identifier: BSD-2-Clause
/*
 * told.c - see told.h.
 */
#include "told.h"
#include <stdio.h>
#include <string.h>

static const char *const host_names[2] = {"client", "server"};

const char *la_told_text(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

static long long number(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static unsigned int state_of(const char *word)
{
	unsigned int state;

	for (state = 1; state < LA_STATE_MAX; state++) {
		if (strcmp(la_state_word(state), word) == 0)
			return state;
	}
	return LA_NO_STATE;
}

/* "orig" or "resp": how the records call a host. */
static const char *endpoint(const struct la_told *told, int host)
{
	return strcmp(told->orig, host_names[host]) == 0 ? "orig" : "resp";
}

static void take_back_to(struct la_told_way *way, unsigned int state)
{
	int i;

	for (i = way->count - 1; i >= 0; i--) {
		if (way->steps[i].to == state) {
			way->count = i + 1;
			return;
		}
	}
	if (way->first == state)
		way->count = 0;
}

static void take_state(struct la_told *told, const json_t *record)
{
	int host = strcmp(la_told_text(record, "endpoint"), endpoint(told, 0)) != 0;
	unsigned int from = state_of(la_told_text(record, "from"));
	unsigned int to = state_of(la_told_text(record, "to"));
	struct la_told_way *way = &told->way[host];

	if (!way->first)
		way->first = from;
	if ((way->count ? way->steps[way->count - 1].to : way->first) != from || !to)
		told->broken = true;
	if (strcmp(la_told_text(record, "certainty"), "corrected") == 0) {
		told->corrected++;
		take_back_to(way, to);
	}
	if ((way->count ? way->steps[way->count - 1].to : way->first) == to)
		return;
	if (way->count == LA_TOLD_STEPS) {
		told->broken = true;
		return;
	}
	way->steps[way->count++] = (struct la_told_step){
		.ts = (unsigned long long)number(record, "ts_ns"),
		.to = to,
	};
}

/* A host of which no step was told was all the time where the close record has it. */
static void take_close(struct la_told *told, const json_t *record)
{
	int host;

	told->close = record;
	told->closes++;
	for (host = 0; host < 2; host++) {
		if (!told->way[host].first)
			told->way[host].first = state_of(la_told_word(told, host, "state"));
	}
}

static void take(struct la_told *told, const json_t *record, int seq)
{
	const char *type = la_told_text(record, "type");

	if (number(record, "seq") != seq)
		told->broken = true;
	if (strcmp(type, "state") == 0)
		take_state(told, record);
	else if (strcmp(type, "close") == 0)
		take_close(told, record);
	else if (strcmp(type, "gone") == 0) {
		told->gone = record;
		told->gones++;
	}
}

static bool is_between(const json_t *record, unsigned short client, unsigned short server)
{
	long long orig = number(record, "orig_port"), resp = number(record, "resp_port");

	return (orig == client && resp == server) || (orig == server && resp == client);
}

static int find(const struct la_told *told, int count, const char *id)
{
	int i;

	for (i = 0; i < count; i++) {
		if (strcmp(told[i].id, id) == 0)
			return i;
	}
	return -1;
}

int la_told_gather(const json_t *records, unsigned short client_port, unsigned short server_port,
		   struct la_told *told, int max)
{
	int count = 0, at, seqs[16] = {0};
	const json_t *record;
	size_t i;

	for (i = 0; i < json_array_size(records); i++) {
		record = json_array_get(records, i);
		if (!is_between(record, client_port, server_port))
			continue;
		at = find(told, count, la_told_text(record, "id"));
		if (at < 0 && (count == max || count == 16))
			return count + 1;
		if (at < 0) {
			at = count++;
			told[at] = (struct la_told){
				.id = la_told_text(record, "id"),
				.orig = host_names[number(record, "orig_port") != client_port],
				.start = (unsigned long long)number(record, "ts_ns"),
			};
		}
		take(&told[at], record, seqs[at]++);
	}
	return count;
}

const char *la_told_path(const struct la_told *told, int host, char *text, size_t size)
{
	const struct la_told_way *way = &told->way[host];
	size_t used = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < way->count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 la_state_word(way->steps[i].to));
	return text;
}

unsigned int la_told_state_at(const struct la_told *told, int host, unsigned long long realtime_ns)
{
	const struct la_told_way *way = &told->way[host];
	unsigned int state = way->first;
	int i;

	for (i = 0; i < way->count && way->steps[i].ts <= realtime_ns; i++)
		state = way->steps[i].to;
	return state;
}

static const json_t *of_host(const struct la_told *told, int host, const char *key)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", endpoint(told, host), key);
	return json_object_get(told->close, name);
}

long long la_told_number(const struct la_told *told, int host, const char *key)
{
	return json_integer_value(of_host(told, host, key));
}

const char *la_told_word(const struct la_told *told, int host, const char *key)
{
	const char *word = json_string_value(of_host(told, host, key));

	return word ? word : "";
}
