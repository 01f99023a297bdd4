/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_top.c - lastack top: the connections on a screen, looked at again and again.
 *
 * Reads the table, the counters and the remembered close records of each look anew; when that
 * takes long, it looks less often.
 */
#include "clock.h"
#include "cmd.h"
#include "explain.h"
#include "reader.h"
#include "top_view.h"
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Of its time, top works at most this part. */
#define SHARE 4

/* How long a key is waited for before something else is looked at, ms. */
#define KEY_MS 100

struct top_opts {
	struct la_reader reader;
	__u64 delay; /* ns between two looks */
};

struct top {
	struct la_top shown; /* first */
	const struct top_opts *opts;
	struct la_source *source;
	struct la_filter *filter; /* or NULL; of shown.filter */
	struct la_servers *servers;
	struct la_ranking *flows;
	__u64 next; /* when to look again, ns */
	bool ended; /* the lastack that is asked */
};

/* ---- the command line ---- */

enum { OPT_DELAY = LA_READER_OWN };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"delay", required_argument, NULL, OPT_DELAY},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack top [OPTIONS] [FILTER]\n\n"
	      "Shows on a terminal how many connections there are in which state, which servers "
	      "have\n"
	      "how many open, ended, reset, sent again and stuck in CLOSE_WAIT, and the "
	      "connections\n"
	      "at the head of an order. Keys: q quit, p pause, s another order, t another order "
	      "of\n"
	      "the servers, / a filter, arrows and Enter: explain a connection.\n\n"
	      "      --delay DURATION   between two looks (default 1s)\n",
	      stdout);
	la_reader_help(stdout);
	return LA_EXIT_OK;
}

static int parse(struct top_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_READER_SHORT, long_options, NULL)) != -1) {
		if (opt != OPT_DELAY && la_reader_take(&opts->reader, opt, argv))
			return -1;
		if (opt == OPT_DELAY && (la_duration_parse(optarg, &opts->delay) || !opts->delay))
			return la_options_bad("--delay", optarg,
					      "a duration of more than 0, such as 1s");
	}
	return la_reader_filter(&opts->reader, argv + optind, argc - optind);
}

/* ---- looking ---- */

static int take_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct top *top = ctx;

	(void)flow;
	if (!la_filter_match(top->filter, &rec->at.h))
		return 0;
	la_servers_flow(top->servers, rec);
	la_ranking_add(top->flows, rec);
	return 0;
}

static void take_close(const struct la_rec_close *close, void *ctx)
{
	struct top *top = ctx;

	if (la_filter_match(top->filter, &close->h))
		la_servers_close(top->servers, close);
}

static void sum_counters(struct la_top_counts *counts, const struct la_counters *c)
{
	counts->opened = c->opened;
	counts->gone = c->gone;
	for (unsigned int source = 0; source < LA_LOST_MAX; source++)
		counts->lost += c->lost[source];
	for (unsigned int hook = 0; hook < LA_HOOK_MAX; hook++)
		for (unsigned int reason = 1; reason < LA_REASON_MAX; reason++)
			counts->packets += reason == LA_R_OTHER_HOOK ? 0 : c->packets[hook][reason];
}

static void sum_metrics(struct la_top_counts *counts, const struct la_metrics *m)
{
	for (unsigned int reason = 0; reason < LA_METRIC_REASONS; reason++)
		for (unsigned int closer = 0; closer < LA_METRIC_CLOSERS; closer++)
			counts->ended += m->closed[reason][closer];
	for (unsigned int sender = 0; sender < 2; sender++)
		for (unsigned int verdict = 0; verdict < LA_METRIC_VERDICTS; verdict++)
			counts->resets += m->rst[sender][verdict];
}

static int count(struct top *top)
{
	const struct la_loader *loader = la_source_loader(top->source);
	struct la_counters counters;
	struct la_metrics metrics;
	int err = la_loader_counters(loader, &counters);

	if (!err)
		err = la_loader_metrics(loader, &metrics);
	if (err)
		return err;
	top->shown.before = top->shown.now;
	top->shown.now = (struct la_top_counts){.at = la_monotonic_ns()};
	sum_counters(&top->shown.now, &counters);
	sum_metrics(&top->shown.now, &metrics);
	memcpy(top->shown.connections, metrics.connections, sizeof(metrics.connections));
	top->shown.room = la_loader_max_flows(loader);
	return 0;
}

static void forget(struct top *top)
{
	la_servers_free(top->servers);
	la_ranking_free(top->flows);
	top->servers = NULL;
	top->flows = NULL;
	top->shown.server_count = top->shown.flow_count = 0;
}

static void sort(struct top *top)
{
	struct la_top *shown = &top->shown;

	shown->servers = top->servers;
	shown->flows = top->flows;
	shown->server_count = la_servers_sort(top->servers, shown->column);
	shown->flow_count = la_ranking_sort(top->flows);
	if (shown->selected >= shown->flow_count)
		shown->selected = shown->flow_count ? shown->flow_count - 1 : 0;
}

/* Returns 0, or -1 when nothing can be read any more; what there was to say is on stderr. */
static int look(struct top *top)
{
	struct la_table table = la_loader_table(la_source_loader(top->source));
	__u64 began = la_monotonic_ns(), spent;

	forget(top);
	top->servers = la_servers_new();
	top->flows = la_ranking_new(top->shown.key, false, la_top_rows());
	if (!top->servers || !top->flows || count(top) ||
	    la_table_each(&table, take_flow, top) < 0 ||
	    la_source_closes(top->source, take_close, top))
		return -1;
	sort(top);
	spent = la_monotonic_ns() - began;
	top->next = la_monotonic_ns() +
		    (spent * SHARE > top->opts->delay ? spent * SHARE : top->opts->delay);
	return 0;
}

/* ---- keys ---- */

static void show_selected(struct top *top)
{
	struct la_output_opts print = {.ifname = la_source_ifname,
				       .ifname_ctx = top->source,
				       .owners = la_source_owners,
				       .owners_ctx = top->source};
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (top->shown.selected >= top->shown.flow_count)
		return;
	to = open_memstream(&text, &size);
	if (!to)
		return;
	la_explain(to, la_ranking_get(top->flows, top->shown.selected), &print);
	fclose(to);
	la_top_page(text);
	free(text);
}

/* Returns 0, or -1 if the text is no filter; the one before stays then. */
static int set_filter(struct top *top, const char *text)
{
	char err[LA_FILTER_ERR_SIZE];
	struct la_filter *filter = la_filter_parse(text, err, sizeof(err));

	if (!filter) {
		snprintf(top->shown.message, sizeof(top->shown.message), "%.*s",
			 (int)strcspn(err, "\n"), err);
		return -1;
	}
	la_source_names(top->source, filter);
	la_filter_free(top->filter);
	top->filter = filter;
	snprintf(top->shown.filter, sizeof(top->shown.filter), "%s", text);
	return 0;
}

static void ask_filter(struct top *top)
{
	char line[sizeof(top->shown.filter)];

	strcpy(line, top->shown.filter);
	if (la_top_ask("filter: ", line, sizeof(line)))
		set_filter(top, line);
	top->next = 0;
}

static void select_next(struct la_top *shown, int step)
{
	if (step < 0 && shown->selected)
		shown->selected--;
	if (step > 0 && shown->selected + 1 < shown->flow_count)
		shown->selected++;
}

/* Returns false if that was the end. */
static bool take_key(struct top *top, int key)
{
	struct la_top *shown = &top->shown;

	if (key != ERR)
		shown->message[0] = '\0';
	switch (key) {
	case 'q':
		return false;
	case 'p':
		shown->paused = !shown->paused;
		break;
	case 's':
		shown->key = shown->key + 1 < LA_RANK_MAX ? shown->key + 1 : 1;
		top->next = 0;
		break;
	case 't':
		shown->column = (shown->column + 1) % LA_SERVER_COLUMN_MAX;
		shown->server_count = la_servers_sort(top->servers, shown->column);
		break;
	case '/':
		ask_filter(top);
		break;
	case KEY_UP:
	case KEY_DOWN:
		select_next(shown, key == KEY_UP ? -1 : 1);
		break;
	case '\n':
	case KEY_ENTER:
		show_selected(top);
		break;
	case KEY_RESIZE:
		top->next = 0;
		break;
	}
	return true;
}

/* ---- the work ---- */

/* Its maps can still be read when it has gone; but nobody feeds them. */
static bool has_ended(const struct top *top)
{
	struct pollfd fd = {.fd = la_source_fd(top->source), .events = POLLIN};

	return fd.fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* Returns 0 when the user has had enough, or the lastack that is asked has ended; -1: it failed. */
static int go_on(struct top *top)
{
	int key;

	do {
		top->ended = has_ended(top);
		if (top->ended)
			return 0;
		/* another order or filter is looked at even while all else stands still */
		if ((!top->shown.paused || !top->next) && la_monotonic_ns() >= top->next &&
		    look(top))
			return -1;
		la_top_draw(&top->shown);
		key = la_top_key(KEY_MS);
	} while (take_key(top, key));
	return 0;
}

static int top_with(const struct top_opts *opts)
{
	struct top top = {.opts = opts, .shown = {.key = LA_RANK_IN_STATE}};
	int code = LA_EXIT_RUNTIME;

	top.source = la_source_open(&opts->reader.source);
	if (!top.source || set_filter(&top, opts->reader.filter_text) || la_top_open())
		goto cleanup;
	code = go_on(&top) ? LA_EXIT_RUNTIME : LA_EXIT_OK;
	la_top_close();
	if (top.ended)
		fputs("lastack: the lastack that was looked at has ended\n", stderr);
cleanup:
	forget(&top);
	la_filter_free(top.filter);
	la_source_close(top.source);
	return code;
}

int la_cmd_top(int argc, char **argv)
{
	struct top_opts opts = {.delay = LA_SEC_NS};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot look", 1U << LA_FORMAT_TEXT);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : top_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
