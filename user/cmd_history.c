/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_history.c - lastack history: connections that have ended, from the file that
 * `run --history` keeps. It asks no lastack, so it needs none that runs.
 */
#include "clock.h"
#include "cmd.h"
#include "filter.h"
#include "history.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct history_opts {
	struct la_options shared;
	const char *path;
	__u64 since, until; /* ns since the epoch */
	__u64 limit;	    /* 0: none */
	struct la_filter *filter;
	bool help;
};

struct history {
	const struct history_opts *opts;
	struct la_sink *output;
	const struct la_history_row *row; /* at hand */
	__u64 printed, read;
	struct la_progress progress;
};

/* ---- the command line ---- */

enum { OPT_SINCE = LA_OPT_OWN, OPT_UNTIL, OPT_LIMIT };

static const struct option long_options[] = {
	{"file", required_argument, NULL, 'f'},
	{"output", required_argument, NULL, 'o'},
	{"numeric", no_argument, NULL, 'n'},
	{"color", required_argument, NULL, LA_OPT_COLOR},
	{"time-format", required_argument, NULL, LA_OPT_TIME_FORMAT},
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack history [OPTIONS] [FILTER]\n\n"
	      "Prints connections that have ended, the oldest first, from the file that\n"
	      "`lastack run --history` keeps.\n\n"
	      "  -f, --file FILE        the file (default " LA_HISTORY_DEFAULT ")\n"
	      "      --since WHEN       those that ended since then: a duration before now, such "
	      "as\n"
	      "                         1h, or a local time: 2026-11-21, 2026-11-21T14:03:21\n"
	      "      --until WHEN       those that ended before\n"
	      "      --limit N          print no more than N\n"
	      "  -o, --output FORMAT    text (default), jsonl or zeek\n"
	      "  -n, --numeric          no names for ports\n"
	      "      --color WHEN       auto (default), always, never; NO_COLOR is heeded\n"
	      "      --time-format FORMAT   iso (default), clock or epoch\n"
	      "  -h, --help             this text\n"
	      "\nFILTER picks what is printed, such as: reason reset and dport 443\n",
	      stdout);
	return LA_EXIT_OK;
}

/* Reads a moment. Returns 0, or -1 if it is none. */
static int parse_when(const char *text, __u64 *when)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"};
	__u64 now = la_realtime_ns(), ago;

	if (!la_duration_parse(text, &ago)) {
		*when = now > ago ? now - ago : 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);
		time_t t;

		if (!end || *end)
			continue;
		t = mktime(&tm);
		*when = t > 0 ? (__u64)t * LA_SEC_NS : 0;
		return 0;
	}
	return -1;
}

static int take_when(const char *option, const char *text, __u64 *when)
{
	if (!parse_when(text, when))
		return 0;
	return la_options_bad(option, text,
			      "a duration before now, such as 1h, or 2026-11-21T14:03:21");
}

static int take(struct history_opts *opts, int opt, char **argv)
{
	enum la_taken taken = la_options_take(&opts->shared, opt, optarg);

	if (taken != LA_TAKEN_NOT)
		return taken == LA_TAKEN_OK ? 0 : -1;
	switch (opt) {
	case 'f':
		opts->path = optarg;
		return 0;
	case OPT_SINCE:
		return take_when("--since", optarg, &opts->since);
	case OPT_UNTIL:
		return take_when("--until", optarg, &opts->until);
	case OPT_LIMIT:
		return la_options_number("--limit", optarg, &opts->limit);
	case 'h':
		opts->help = true;
		return 0;
	default:
		return la_options_bad_word(opt, argv);
	}
}

static int take_filter(struct history_opts *opts, char *const *words, int count)
{
	char *text = la_options_join(words, count), err[LA_FILTER_ERR_SIZE];

	opts->filter = text ? la_filter_parse(text, err, sizeof(err)) : NULL;
	free(text);
	if (opts->filter)
		return 0;
	return la_options_bad("filter", text ? err : strerror(ENOMEM), NULL);
}

static int parse(struct history_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":f:o:nh", long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	return take_filter(opts, argv + optind, argc - optind);
}

/* ---- printing ---- */

static const char *ifname_of(__u32 ifindex, void *ctx)
{
	const struct history *history = ctx;

	(void)ifindex;
	return *history->row->ifname ? history->row->ifname : NULL;
}

static void owners_of(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)rec;
	memcpy(own, ((const struct history *)ctx)->row->own, 2 * sizeof(*own));
}

/* Rows between two looks at the clock. */
#define TELL_ROWS 4096

/* Returns 1 if that was the last one wanted, or nobody reads any more. */
static int print_row(const struct la_history_row *row, void *ctx)
{
	struct history *history = ctx;

	history->row = row;
	if (!(++history->read % TELL_ROWS))
		la_progress_tell(&history->progress, history->read, 0);
	if (!la_filter_match(history->opts->filter, &row->close.h))
		return 0;
	la_sink_record(history->output, &row->close.h);
	return ++history->printed == history->opts->limit || la_output_failed(history->output);
}

static int print_history(const struct history_opts *opts)
{
	struct history history = {.opts = opts};
	int code = LA_EXIT_OK, failed;

	signal(SIGPIPE, SIG_IGN);
	history.output = la_output_new(stdout, &opts->shared,
				       (struct la_output_opts){.ifname = ifname_of,
							       .ifname_ctx = &history,
							       .owners = owners_of,
							       .owners_ctx = &history});
	if (!history.output)
		return la_fail(LA_EXIT_RUNTIME, "cannot print", NULL, strerror(ENOMEM), NULL);
	la_filter_ifnames(opts->filter, ifname_of, &history);
	la_filter_owners(opts->filter, owners_of, &history);
	la_progress_begin(&history.progress, "history", "connections");
	if (la_history_read(opts->path, opts->since, opts->until, print_row, &history) < 0)
		code = LA_EXIT_RUNTIME;
	la_progress_end(&history.progress);
	la_sink_flush(history.output);
	failed = la_output_failed(history.output);
	if (failed && failed != EPIPE)
		code = LA_EXIT_RUNTIME;
	la_sink_close(history.output);
	return code;
}

int la_cmd_history(int argc, char **argv)
{
	struct history_opts opts = {.path = LA_HISTORY_DEFAULT, .until = LLONG_MAX};
	int code = LA_EXIT_USAGE;

	la_options_init(&opts.shared);
	opts.shared.time_format = LA_TIME_ISO;
	if (!parse(&opts, argc, argv))
		code = opts.help ? help() : print_history(&opts);
	la_filter_free(opts.filter);
	return code;
}
