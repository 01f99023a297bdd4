/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stream.c - events to clients: each its filter, each its queue; and where to listen.
 */
#include "http.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct sleeper {
	int parked, woken;
};

static void park(void *ctx)
{
	((struct sleeper *)ctx)->parked++;
}

static void wake(void *ctx)
{
	((struct sleeper *)ctx)->woken++;
}

static struct la_stream_client *client(struct la_stream *stream, const char *filter,
				       struct sleeper *sleeper)
{
	const struct la_stream_waiter waiter = {park, wake, sleeper};
	char err[LA_FILTER_ERR_SIZE];

	return la_stream_open(stream, filter ? la_filter_parse(filter, err, sizeof(err)) : NULL,
			      &waiter);
}

static struct la_stream *new_stream(void)
{
	const struct la_output_opts opts = {0};

	return la_stream_new(&opts);
}

static void happen(struct la_stream *stream, __u16 port)
{
	struct la_rec_state rec = {.h = {.v = LA_ABI_VERSION, .type = LA_REC_STATE},
				   .from = LA_CLOSED,
				   .to = LA_SYN_SENT,
				   .certainty = LA_SEEN,
				   .cause = LA_CAUSE_SYN};

	rec.h.key.port[1] = la_hton16(port);
	la_sink_record(la_stream_sink(stream), &rec.h);
}

/* All that waits, as text. */
static char *hear(struct la_stream_client *client)
{
	char *text = calloc(1, LA_STREAM_QUEUE + 1);
	ssize_t n, len = 0;

	while ((n = la_stream_read(client, text + len, 1000)) > 0)
		len += n;
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

Test(stream, each_client_hears_what_its_filter_passes)
{
	struct sleeper a = {0}, b = {0};
	struct la_stream *stream = new_stream();
	struct la_stream_client *all = client(stream, NULL, &a);
	struct la_stream_client *some = client(stream, "port 443", &b);
	char *text;

	happen(stream, 80);
	happen(stream, 443);
	text = hear(all);
	cr_expect_eq(count(text, "data: {\"v\":1,\"type\":\"state\""), 2, "%s", text);
	cr_expect_eq(count(text, "}\n\n"), 2, "%s", text);
	free(text);
	text = hear(some);
	cr_expect_eq(count(text, "data: "), 1, "%s", text);
	cr_expect(strstr(text, "\"resp_port\":443"), "%s", text);
	free(text);
	la_stream_close(all);
	la_stream_close(some);
	la_stream_free(stream);
}

Test(stream, who_has_heard_all_is_parked_and_woken_once)
{
	struct sleeper a = {0};
	struct la_stream *stream = new_stream();
	struct la_stream_client *c = client(stream, NULL, &a);
	char byte;

	happen(stream, 80);
	cr_expect_eq(a.woken, 0, "it does not sleep yet");
	free(hear(c));
	cr_expect_eq(a.parked, 1);
	happen(stream, 80);
	happen(stream, 80);
	cr_expect_eq(a.woken, 1);
	la_stream_stop(stream);
	cr_expect_eq(la_stream_read(c, &byte, 1), -1);
	la_stream_close(c);
	la_stream_free(stream);
}

/* One who does not read loses events and is told how many; the others lose nothing. */
Test(stream, who_is_slow_is_told_what_it_missed)
{
	struct sleeper a = {0}, b = {0};
	struct la_stream *stream = new_stream();
	struct la_stream_client *slow = client(stream, NULL, &a), *quick = client(stream, NULL, &b);
	size_t heard = 0, told;
	__u64 clients, dropped;
	const int events = 5000;
	char *text;

	for (int i = 0; i < events; i++) {
		happen(stream, 80);
		if (i % 100 == 99) {
			text = hear(quick);
			heard += count(text, "data: ");
			free(text);
		}
	}
	cr_expect_eq(heard, events);
	la_stream_stats(stream, &clients, &dropped);
	cr_expect_eq(clients, 2);
	cr_expect_gt(dropped, 0);
	text = hear(slow);
	told = count(text, "data: ");
	cr_expect_eq(told + dropped, events);
	free(text);
	happen(stream, 80);
	text = hear(slow);
	cr_expect_eq(strncmp(text, "event: dropped\ndata: {\"count\":", 30), 0, "%s", text);
	cr_expect_eq(strtoull(text + 30, NULL, 10), dropped);
	cr_expect_eq(count(text, "\"type\":\"state\""), 1);
	free(text);
	la_stream_close(slow);
	la_stream_close(quick);
	la_stream_free(stream);
}

Test(stream, silence_is_broken)
{
	struct sleeper a = {0};
	struct la_stream *stream = new_stream();
	struct la_stream_client *c = client(stream, NULL, &a);
	char *text;

	text = hear(c);
	cr_expect_str_eq(text, "retry: 1000\n\n");
	free(text);
	la_stream_beat(stream, 100 * LA_SEC_NS);
	la_stream_beat(stream, 101 * LA_SEC_NS);
	text = hear(c);
	cr_expect_str_eq(text, ":\n\n");
	free(text);
	la_stream_close(c);
	la_stream_free(stream);
}

Test(stream, there_are_only_so_many_clients)
{
	struct sleeper a = {0};
	struct la_stream *stream = new_stream();
	struct la_stream_client *c[LA_STREAM_CLIENTS];

	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		cr_assert(c[i] = client(stream, NULL, &a));
	cr_expect_null(client(stream, "port 80", &a));
	la_stream_close(c[3]);
	cr_expect(c[3] = client(stream, NULL, &a));
	for (int i = 0; i < LA_STREAM_CLIENTS; i++)
		la_stream_close(c[i]);
	la_stream_free(stream);
}

/* ---- addresses ---- */

Test(listen, addresses)
{
	static const struct {
		const char *text;
		int family; /* 0: none; -1: wrong */
		bool local;
	} rows[] = {
		{"127.0.0.1:9464", AF_INET, true},
		{"127.9.9.9:1", AF_INET, true},
		{"0.0.0.0:9464", AF_INET, false},
		{"[::1]:65535", AF_INET6, true},
		{"[::]:80", AF_INET6, false},
		{":80", AF_INET6, false},
		{"none", 0, false},
		{"", -1, false},
		{"127.0.0.1", -1, false},
		{"127.0.0.1:", -1, false},
		{"127.0.0.1:0", -1, false},
		{"127.0.0.1:65536", -1, false},
		{"127.0.0.1:80x", -1, false},
		{"::1:80", -1, false},
		{"[::1]", -1, false},
		{"[]:80", -1, false},
		{"localhost:80", -1, false},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", -1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_listen at;
		int err = la_listen_parse(&at, rows[i].text);

		cr_expect_eq(err, rows[i].family < 0 ? -1 : 0, "%s", rows[i].text);
		if (err || rows[i].family < 0)
			continue;
		cr_expect_eq(at.sa.ss_family, rows[i].family, "%s", rows[i].text);
		cr_expect_eq(!!at.len, !!rows[i].family, "%s", rows[i].text);
		cr_expect_eq(la_listen_is_local(&at), rows[i].local, "%s", rows[i].text);
	}
}
