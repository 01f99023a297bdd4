/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_show.c - lastack show: one connection in full, or a few.
 */
#include "clock.h"
#include "cmd.h"
#include "explain.h"
#include "reader.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* More are a list. */
#define LIMIT_DEFAULT 5

struct show_opts {
	struct la_reader reader;
	bool has_id; /* one connection is wanted, by its id */
	__u64 id;
	__u64 limit;
};

struct show {
	const struct show_opts *opts;
	struct la_source *source;
	struct la_output_opts print;
	struct la_sink *output; /* for JSON */
	__u64 found;
};

/* ---- the command line ---- */

enum { OPT_LIMIT = LA_READER_OWN };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"limit", required_argument, NULL, OPT_LIMIT},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack show [OPTIONS] ID|FILTER\n\n"
	      "Explains connections that are tracked now: why each is in its state, who has to "
	      "act\n"
	      "next, until when; what is certain and what is presumed; its times and amounts; "
	      "which\n"
	      "processes of this host own it; and, while a lastack runs, how it came to that, as\n"
	      "far back as it remembers: the segments that moved a state, with run --ladder all.\n"
	      "ID is that of lastack list -o jsonl. Exits with 1 if there is no such "
	      "connection.\n\n"
	      "  -o, --output FORMAT    text (default) or jsonl\n"
	      "      --limit N          no more than N of them (default 5)\n",
	      stdout);
	la_reader_help(stdout);
	return LA_EXIT_OK;
}

static int take(struct show_opts *opts, int opt, char **argv)
{
	if (opt != OPT_LIMIT)
		return la_reader_take(&opts->reader, opt, argv);
	return la_options_number("--limit", optarg, &opts->limit);
}

/* 16 hexadecimal digits are an id. */
static bool take_id(struct show_opts *opts, const char *word)
{
	if (strlen(word) != 16 || strspn(word, "0123456789abcdefABCDEF") != 16)
		return false;
	opts->id = strtoull(word, NULL, 16);
	opts->has_id = true;
	opts->limit = 1;
	return true;
}

static int parse(struct show_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (opts->reader.help)
		return 0;
	if (optind == argc)
		return la_options_bad("show", "which connection?",
				      "an id of `lastack list -o jsonl`, or a filter");
	if (optind + 1 == argc && take_id(opts, argv[optind]))
		return 0;
	return la_reader_filter(&opts->reader, argv + optind, argc - optind);
}

/* ---- the work ---- */

static void take_record(const struct la_rec *rec, void *ctx)
{
	la_sink_record(ctx, rec);
}

/* What is remembered of it, as the ladder of a textbook. */
static void draw_ladder(struct show *show, __u64 id)
{
	struct la_sink *ladder = la_output_ladder_new(stdout, &show->print);

	fflush(stdout);
	if (ladder)
		la_source_recall(show->source, id, take_record, ladder);
	la_sink_close(ladder);
}

static int take_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct show *show = ctx;

	(void)flow;
	if (show->opts->has_id ? rec->at.h.id != show->opts->id
			       : !la_filter_match(show->opts->reader.filter, &rec->at.h))
		return 0;
	if (show->opts->reader.shared.format == LA_FORMAT_JSONL) {
		la_sink_record(show->output, &rec->at.h);
	} else {
		if (show->found)
			putchar('\n');
		la_explain(stdout, rec, &show->print);
		draw_ladder(show, rec->at.h.id);
	}
	return ++show->found == show->opts->limit;
}

static int finish(struct show *show)
{
	int failed = la_sink_flush(show->output);

	if (failed || fflush(stdout))
		return failed == EPIPE || errno == EPIPE ? LA_EXIT_OK : LA_EXIT_RUNTIME;
	if (show->found)
		return LA_EXIT_OK;
	return la_fail(LA_EXIT_RUNTIME, "cannot show", NULL, "there is no such connection",
		       "lastack list tells which there are");
}

static int show_with(const struct show_opts *opts)
{
	struct show show = {.opts = opts};
	int code = LA_EXIT_RUNTIME;
	struct la_table table;

	signal(SIGPIPE, SIG_IGN);
	show.source = la_source_open(&opts->reader.source);
	show.output = show.source ? la_reader_output(&opts->reader, show.source) : NULL;
	if (!show.output)
		goto cleanup;
	show.print = (struct la_output_opts){
		.clock_offset = la_realtime_offset_ns(),
		.color = la_color_wanted(opts->reader.shared.color, stdout),
		.numeric = opts->reader.shared.numeric,
		.ifname = la_source_ifname,
		.ifname_ctx = show.source,
		.owners = la_source_owners,
		.owners_ctx = show.source,
	};
	la_source_names(show.source, opts->reader.filter);
	table = la_loader_table(la_source_loader(show.source));
	if (la_table_each(&table, take_flow, &show) >= 0)
		code = finish(&show);
cleanup:
	la_sink_close(show.output);
	la_source_close(show.source);
	return code;
}

int la_cmd_show(int argc, char **argv)
{
	struct show_opts opts = {.limit = LIMIT_DEFAULT};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot show", 1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : show_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
