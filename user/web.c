/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web.c - the routes. See web.h.
 *
 * What runs in the server's threads, several at once: everything that is called answer_*. It
 * reads the maps, the stream and two numbers that the main thread stores.
 */
#include "web.h"
#include "clock.h"
#include "metrics.h"
#include "page.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The main thread has not been heard of for so long: it hangs. */
#define DEAD_NS (10 * LA_SEC_NS)

enum { STATUS_OK = 200, STATUS_BAD = 400, STATUS_BROKEN = 500, STATUS_UNAVAILABLE = 503 };

struct la_web {
	int fd; /* listens; -1: nobody does, or the server has it */
	struct la_listen listen;
	bool tls;
	char *credentials;	     /* USER:PASSWORD, or NULL */
	struct la_output_opts print; /* for the main thread, which matches and prints events */
	struct la_stream *stream;
	struct la_http *http;
	const struct la_loader *loader;
	struct la_enforce *enforce;
	struct la_breakdown *breakdown; /* or NULL */
	__u64 beat;			/* ns, CLOCK_MONOTONIC; atomic, like `ready` */
	bool ready;
};

/* ---- metrics ---- */

static enum la_metrics_form form_for(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text") ? LA_METRICS_OPENMETRICS
									: LA_METRICS_PROMETHEUS;
}

/* Everything that can be counted now; *sets are to be freed. Returns 0 or -errno. */
static int look(struct la_web *web, struct la_metrics_view *view, struct la_label_set **sets)
{
	int err = la_loader_metrics(web->loader, &view->flows);

	if (!err)
		err = la_loader_counters(web->loader, &view->counters);
	if (web->breakdown) {
		*sets = la_breakdown_copy(web->breakdown, &view->set_count, &view->set_overflow);
		err = *sets ? err : -ENOMEM;
	}
	view->sets = *sets;
	view->max_flows = la_loader_max_flows(web->loader);
	view->policy_count = la_enforce_counts(web->enforce, view->policies, LA_ENFORCE_COUNTS_MAX);
	la_stream_stats(web->stream, &view->clients, &view->clients_dropped);
	return err;
}

static void answer_metrics(struct la_http_request *request, void *ctx)
{
	enum la_metrics_form form = form_for(la_http_header(request, "Accept"));
	struct la_metrics_view view = {0};
	struct la_label_set *sets = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *to = NULL;
	int err = look(ctx, &view, &sets);

	if (!err)
		to = open_memstream(&text, &size);
	if (to) {
		la_metrics_print(to, &view, form);
		fclose(to);
		la_http_reply_owned(request, STATUS_OK, la_metrics_type(form), text, size);
	} else {
		la_http_reply_text(request, STATUS_BROKEN, "the counters cannot be read\n");
	}
	free(sets);
}

/* ---- health ---- */

static void answer_health(struct la_http_request *request, void *ctx)
{
	const struct la_web *web = ctx;
	__u64 beat = __atomic_load_n(&web->beat, __ATOMIC_RELAXED);

	if (la_monotonic_ns() - beat < DEAD_NS)
		la_http_reply_text(request, STATUS_OK, "ok\n");
	else
		la_http_reply_text(request, STATUS_UNAVAILABLE, "records are not read any more\n");
}

static void answer_ready(struct la_http_request *request, void *ctx)
{
	const struct la_web *web = ctx;

	if (__atomic_load_n(&web->ready, __ATOMIC_RELAXED))
		la_http_reply_text(request, STATUS_OK, "ready\n");
	else
		la_http_reply_text(request, STATUS_UNAVAILABLE, "no interface is watched\n");
}

/* ---- filters ---- */

/* The filter of a request; false: it is none, and that was the answer. */
static bool take_filter(struct la_http_request *request, struct la_filter **filter)
{
	const char *text = la_http_query(request, "filter");
	char err[LA_FILTER_ERR_SIZE];

	*filter = text && *text ? la_filter_parse(text, err, sizeof(err)) : NULL;
	if (*filter || !text || !*text)
		return true;
	la_http_reply_text(request, STATUS_BAD, err);
	return false;
}

/* ---- events ---- */

static void answer_events(struct la_http_request *request, void *ctx)
{
	struct la_web *web = ctx;
	struct la_filter *filter;

	if (!take_filter(request, &filter))
		return;
	la_filter_ifnames(filter, web->print.ifname, web->print.ifname_ctx);
	la_filter_owners(filter, web->print.owners, web->print.owners_ctx);
	la_http_reply_stream(request, web->stream, filter);
}

/* ---- connections ---- */

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     10000

struct listing {
	struct la_filter *filter;
	struct la_sink *json;
	unsigned int left; /* so many more */
	__u32 ifindex;	   /* the last one that was asked for, */
	const char *known; /* and its name, or NULL */
	char name[IF_NAMESIZE];
};

/* Of the interfaces that there are now; the main thread's own list is not for other threads. */
static const char *ifname(__u32 ifindex, void *ctx)
{
	struct listing *list = ctx;

	if (ifindex != list->ifindex)
		list->known = if_indextoname(ifindex, list->name);
	list->ifindex = ifindex;
	return list->known;
}

static int list_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct listing *list = ctx;

	(void)flow;
	if (!la_filter_match(list->filter, &rec->at.h))
		return 0;
	la_sink_record(list->json, &rec->at.h);
	return !--list->left;
}

/* Prints the connections of a list. Returns 0, or -1 with the reason on stderr. */
static int list_flows(struct la_web *web, struct listing *list, FILE *to)
{
	struct la_table table = la_loader_table(web->loader);
	const struct la_output_opts opts = {.clock_offset = la_realtime_offset_ns(),
					    .ifname = ifname,
					    .ifname_ctx = list,
					    .owners = web->print.owners,
					    .owners_ctx = web->print.owners_ctx};
	int err;

	la_filter_ifnames(list->filter, ifname, list);
	la_filter_owners(list->filter, opts.owners, opts.owners_ctx);
	list->json = la_output_jsonl_new(to, &opts);
	if (!list->json)
		return -1;
	err = la_table_each(&table, list_flow, list);
	la_sink_close(list->json);
	return err < 0 ? -1 : 0;
}

/* The number of a request; false: it is none, and that was the answer. */
static bool take_limit(struct la_http_request *request, unsigned int *limit)
{
	const char *text = la_http_query(request, "limit");
	__u64 number = LIMIT_DEFAULT;
	bool ok = !text || (!la_number_parse(text, &number) && number <= LIMIT_MAX);

	*limit = (unsigned int)number;
	if (ok)
		return true;
	la_http_reply_text(request, STATUS_BAD, "limit: a whole number from 1 to 10000\n");
	return false;
}

static void answer_flows(struct la_http_request *request, void *ctx)
{
	struct listing list = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *to;
	int err;

	if (!take_limit(request, &list.left) || !take_filter(request, &list.filter))
		return;
	to = open_memstream(&text, &size);
	err = to ? list_flows(ctx, &list, to) : -1;
	if (to)
		fclose(to);
	la_filter_free(list.filter);
	if (!err) {
		la_http_reply_owned(request, STATUS_OK, "application/x-ndjson", text, size);
		return;
	}
	free(text);
	la_http_reply_text(request, STATUS_BROKEN, "the connections cannot be read\n");
}

/* ---- the page ---- */

static void answer_file(struct la_http_request *request, const char *type,
			const struct la_page *file)
{
	la_http_reply(request, STATUS_OK, type, file->bytes, la_page_size(file));
}

#define ANSWER_FILE(name, type)                                                                    \
	static void answer_##name(struct la_http_request *request, void *ctx)                      \
	{                                                                                          \
		(void)ctx;                                                                         \
		answer_file(request, type, &la_page_##name);                                       \
	}

ANSWER_FILE(html, "text/html; charset=utf-8")
ANSWER_FILE(css, "text/css; charset=utf-8")
ANSWER_FILE(js, "text/javascript; charset=utf-8")
ANSWER_FILE(icon, "image/svg+xml")

static const struct la_http_route routes[] = {
	{"/", answer_html},	    {"/page.css", answer_css},	  {"/page.js", answer_js},
	{"/icon.svg", answer_icon}, {"/metrics", answer_metrics}, {"/healthz", answer_health},
	{"/readyz", answer_ready},  {"/api/flows", answer_flows}, {"/api/events", answer_events},
};

/* ---- beginning and end ---- */

/* The address as it is written in a URL. */
static void describe(const struct la_listen *at, char *text, size_t size)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at->sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->sa;
	char addr[INET6_ADDRSTRLEN] = "";

	if (at->sa.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, addr, sizeof(addr));
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, addr, sizeof(addr));
	snprintf(text, size, at->sa.ss_family == AF_INET ? "%s:%u" : "[%s]:%u", addr,
		 ntohs(at->sa.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
}

/* If it is not LA_EXIT_OK, why is on stderr. */
static enum la_exit read_credentials(struct la_web *web, const char *path)
{
	FILE *file = *path ? fopen(path, "re") : NULL;
	size_t room = 0;
	ssize_t n;

	if (!*path)
		return LA_EXIT_OK;
	if (!file)
		return la_fail(LA_EXIT_USAGE, "cannot read the password", path, strerror(errno),
			       NULL);
	n = getline(&web->credentials, &room, file);
	fclose(file);
	if (n > 0)
		web->credentials[strcspn(web->credentials, "\r\n")] = '\0';
	if (n > 0 && strchr(web->credentials, ':'))
		return LA_EXIT_OK;
	return la_fail(LA_EXIT_USAGE, "cannot read the password", path,
		       "its first line is not USER:PASSWORD", NULL);
}

static void warn_of_strangers(const struct la_web *web, const char *address)
{
	const char *why = NULL;

	if (!web->credentials)
		why = "whoever can reach this address sees all connections (--http-auth-file asks "
		      "for a password)";
	else if (!web->tls)
		why = "the password is not encrypted on its way (--http-cert-file and "
		      "--http-key-file encrypt it)";
	if (why)
		fprintf(stderr, "lastack: warning: %s: %s\n", address, why);
}

/* LA_EXIT_OK, also if nobody asked for the address; else why is on stderr. */
static enum la_exit bind_address(struct la_web *web, bool asked)
{
	char text[INET6_ADDRSTRLEN + 16];

	if (!web->listen.len)
		return LA_EXIT_OK;
	describe(&web->listen, text, sizeof(text));
	web->fd = la_http_socket(&web->listen);
	if (web->fd >= 0) {
		if (!la_listen_is_local(&web->listen))
			warn_of_strangers(web, text);
		return LA_EXIT_OK;
	}
	if (asked)
		return la_fail(LA_EXIT_RUNTIME, "cannot listen", text, strerror(-web->fd),
			       "choose another address with --listen, or none");
	fprintf(stderr,
		"lastack: no metrics and no page: %s: %s (--listen chooses another address)\n",
		text, strerror(-web->fd));
	return LA_EXIT_OK;
}

enum la_exit la_web_open(struct la_web **opened, const struct la_web_opts *opts)
{
	struct la_web *web = calloc(1, sizeof(*web));
	enum la_exit code;

	if (web) {
		web->fd = -1;
		web->listen = opts->listen;
		web->tls = opts->tls;
		web->print = opts->print;
		web->stream = la_stream_new(&opts->print);
	}
	if (web && web->stream)
		code = read_credentials(web, opts->auth_file);
	else
		code = la_fail(LA_EXIT_RUNTIME, "cannot serve", NULL, strerror(ENOMEM), NULL);
	if (code == LA_EXIT_OK)
		code = bind_address(web, opts->asked);
	if (code == LA_EXIT_OK)
		*opened = web;
	else
		la_web_close(web);
	return code;
}

struct la_sink *la_web_sink(struct la_web *web)
{
	return la_stream_sink(web->stream);
}

int la_web_start(struct la_web *web, const struct la_loader *loader, struct la_enforce *enforce,
		 struct la_breakdown *breakdown)
{
	struct la_http_opts opts = {
		.routes = routes, .count = sizeof(routes) / sizeof(*routes), .ctx = web};
	char text[INET6_ADDRSTRLEN + 16];
	int fd = web->fd;

	if (fd < 0)
		return 0;
	web->loader = loader;
	web->enforce = enforce;
	web->breakdown = breakdown;
	web->fd = -1;
	describe(&web->listen, text, sizeof(text));
	opts.fd = fd;
	opts.local = la_listen_is_local(&web->listen);
	opts.tls = web->tls;
	opts.credentials = web->credentials;
	web->http = la_http_start(&opts);
	if (!web->http)
		return la_fail(LA_EXIT_RUNTIME, "cannot serve", text, strerror(ENOMEM), NULL), -1;
	fprintf(stderr, "lastack: http%s://%s/: metrics and a live page\n", web->tls ? "s" : "",
		text);
	return 0;
}

void la_web_beat(struct la_web *web, __u64 now, bool ready)
{
	__atomic_store_n(&web->beat, now, __ATOMIC_RELAXED);
	__atomic_store_n(&web->ready, ready, __ATOMIC_RELAXED);
	la_stream_beat(web->stream, now);
}

void la_web_close(struct la_web *web)
{
	if (!web)
		return;
	if (web->stream)
		la_stream_stop(web->stream);
	la_http_stop(web->http);
	if (web->fd >= 0)
		close(web->fd);
	la_stream_free(web->stream);
	free(web->credentials);
	free(web);
}
