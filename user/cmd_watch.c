/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_watch.c - lastack watch: what a lastack that runs sees, as it happens.
 *
 * A client that can be slow: what it does not take in time is lost to it alone, and told by a
 * lost record.
 */
#include "cmd.h"
#include "loop.h"
#include "reader.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

struct watch_opts {
	struct la_reader reader; /* first: the common options */
	__u64 watch_for;	 /* ns; 0: until told otherwise */
	__u64 count;		 /* close records; 0: no end */
};

struct watch {
	const struct watch_opts *opts;
	struct la_source *source;
	struct la_sink *output;
	struct la_loop *loop;
	__u64 closes;
	int code; /* enum la_exit */
};

/* ---- the command line ---- */

enum { OPT_FOR = LA_READER_OWN, OPT_COUNT };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"ladder", no_argument, NULL, LA_OPT_LADDER},
	{"for", required_argument, NULL, OPT_FOR},
	{"count", required_argument, NULL, OPT_COUNT},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack watch [OPTIONS] [FILTER]\n\n"
	      "Prints what a running lastack sees from now on: each state that an endpoint "
	      "enters,\n"
	      "and a line when a connection ends. Many can watch at once; who reads too slowly "
	      "loses\n"
	      "records of his own, and is told how many.\n\n"
	      "  -o, --output FORMAT    text (default), wide, jsonl, zeek, or conntrack, as "
	      "conntrack -E\n"
	      "                         prints it\n"
	      "      --ladder           draw each connection as a ladder; segments that move no "
	      "state\n"
	      "                         (sent again, refused) are in it if the lastack that is "
	      "asked\n"
	      "                         runs with --ladder itself\n"
	      "      --for DURATION     stop after that time, such as 30s\n"
	      "      --count N          stop after N connections have ended\n",
	      stdout);
	la_reader_help(stdout);
	fputs("\nFILTER picks what is printed, such as: port 443 and not net 10.0.0.0/8\n", stdout);
	return LA_EXIT_OK;
}

static int take(struct watch_opts *opts, int opt, char **argv)
{
	if (opt == OPT_COUNT)
		return la_options_number("--count", optarg, &opts->count);
	if (opt != OPT_FOR)
		return la_reader_take(&opts->reader, opt, argv);
	if (!la_duration_parse(optarg, &opts->watch_for) && opts->watch_for)
		return 0;
	return la_options_bad("--for", optarg, "a duration of more than 0, such as 30s, 10m");
}

static int parse(struct watch_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (la_options_check(&opts->reader.shared))
		return -1;
	return la_reader_filter(&opts->reader, argv + optind, argc - optind);
}

/* ---- watching ---- */

static void stop(struct watch *watch, enum la_exit code)
{
	watch->code = code;
	la_loop_stop(watch->loop);
}

static bool is_done(const struct watch *watch)
{
	return watch->opts->count && watch->closes >= watch->opts->count;
}

static void print_record(const struct la_rec *rec, void *ctx)
{
	struct watch *watch = ctx;

	if (is_done(watch))
		return;
	la_sink_record(watch->output, rec);
	watch->closes += rec->type == LA_REC_CLOSE;
}

static void records_wait(void *ctx, uint32_t events)
{
	struct watch *watch = ctx;
	int count = la_source_read(watch->source, print_record, watch);

	(void)events;
	if (!count)
		fputs("lastack: the lastack that was watched has ended\n", stderr);
	if (count <= 0)
		stop(watch, count ? LA_EXIT_RUNTIME : LA_EXIT_OK);
	else if (la_sink_flush(watch->output) || is_done(watch))
		stop(watch, LA_EXIT_OK); /* finish() looks at the failure */
}

static void told_to_stop(void *ctx, uint32_t events)
{
	(void)events;
	stop(ctx, LA_EXIT_OK);
}

static void output_closed(void *ctx, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		stop(ctx, LA_EXIT_OK); /* not an error: `lastack watch | head` does it */
}

static int make_loop(struct watch *watch)
{
	watch->loop = la_loop_new();
	if (!watch->loop || la_loop_signals(watch->loop, true, told_to_stop, watch) ||
	    la_loop_add(watch->loop, STDOUT_FILENO, 0, output_closed, watch) ||
	    la_loop_add(watch->loop, la_source_fd(watch->source), EPOLLIN, records_wait, watch))
		return -1;
	if (watch->opts->watch_for)
		return la_loop_timer(watch->loop, watch->opts->watch_for, 0, told_to_stop, watch);
	return 0;
}

static int watch_with(const struct watch_opts *opts)
{
	struct watch watch = {.opts = opts, .code = LA_EXIT_RUNTIME};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	watch.source = la_source_watch(&opts->reader.source, opts->reader.filter_text);
	if (!watch.source)
		goto cleanup;
	watch.output = la_reader_output(&opts->reader, watch.source);
	if (!watch.output || make_loop(&watch))
		goto cleanup;
	watch.code = LA_EXIT_OK;
	if (la_loop_run(watch.loop))
		watch.code = LA_EXIT_RUNTIME;
	la_sink_flush(watch.output);
	failed = la_output_failed(watch.output);
	if (failed && failed != EPIPE)
		watch.code = LA_EXIT_RUNTIME;
cleanup:
	la_sink_close(watch.output);
	la_loop_free(watch.loop);
	la_source_close(watch.source);
	return watch.code;
}

int la_cmd_watch(int argc, char **argv)
{
	struct watch_opts opts = {0};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot watch",
		       1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL | 1U << LA_FORMAT_ZEEK |
			       1U << LA_FORMAT_WIDE | 1U << LA_FORMAT_CONNTRACK);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : watch_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
