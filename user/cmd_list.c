/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_list.c - lastack list: the connections that are tracked now.
 *
 * Prints them as they are read, in no order; with --sort keeps the few that are printed, with
 * --group-by the groups. So its memory is bounded, however many connections there are.
 */
#include "cmd.h"
#include "grouping.h"
#include "outbuf.h"
#include "ranking.h"
#include "reader.h"
#include "text.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* Connections that --sort prints, unless --limit says otherwise, and at most. */
#define SORTED_DEFAULT 1000
#define SORTED_MAX     1000000

struct list_opts {
	struct la_reader reader;
	enum la_rank sort;
	enum la_group group;
	bool reverse;
	__u64 limit; /* 0: none */
};

struct list {
	const struct list_opts *opts;
	struct la_source *source;
	struct la_sink *output; /* of connections; NULL for groups */
	struct la_ranking *ranking;
	struct la_grouping *grouping;
	struct la_buf groups; /* where they are printed */
	__u64 printed;
};

/* ---- the command line ---- */

enum { OPT_SORT = LA_READER_OWN, OPT_LIMIT, OPT_GROUP };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"sort", required_argument, NULL, OPT_SORT},
	{"reverse", no_argument, NULL, 'r'},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"group-by", required_argument, NULL, OPT_GROUP},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack list [OPTIONS] [FILTER]\n\n"
	      "Prints the connections that are tracked now, of a running lastack or of what one "
	      "has\n"
	      "pinned: the state of client and server (~: presumed), for how long nothing has "
	      "been\n"
	      "heard, how old it is, who they are, what they have sent.\n\n"
	      "  -o, --output FORMAT    text (default), wide (all that is known), jsonl, or "
	      "conntrack, as\n"
	      "                         conntrack -L prints it\n"
	      "      --sort KEY         the largest first: age, idle, in-state, bytes, packets,\n"
	      "                         retrans, timeout (until it runs out); 1000 of them, or as\n"
	      "                         --limit says\n"
	      "  -r, --reverse          with --sort: the smallest first\n"
	      "      --limit N          print no more than N\n"
	      "      --group-by WHAT    count them by state, host, port (of the server) or "
	      "closed-by\n",
	      stdout);
	la_reader_help(stdout);
	fputs("\nFILTER picks what is printed, such as: state close-wait and in-state > 10m\n",
	      stdout);
	return LA_EXIT_OK;
}

static int take_sort(struct list_opts *opts, const char *word)
{
	opts->sort = la_rank_find(word);
	if (opts->sort)
		return 0;
	return la_options_bad("--sort", word,
			      "age, idle, in-state, bytes, packets, retrans or timeout");
}

static int take_group(struct list_opts *opts, const char *word)
{
	opts->group = la_group_find(word);
	if (opts->group)
		return 0;
	return la_options_bad("--group-by", word, "state, host, port or closed-by");
}

static int take(struct list_opts *opts, int opt, char **argv)
{
	switch (opt) {
	case OPT_SORT:
		return take_sort(opts, optarg);
	case OPT_GROUP:
		return take_group(opts, optarg);
	case OPT_LIMIT:
		return la_options_number("--limit", optarg, &opts->limit);
	case 'r':
		opts->reverse = true;
		return 0;
	default:
		return la_reader_take(&opts->reader, opt, argv);
	}
}

static int check(struct list_opts *opts)
{
	if (opts->sort && opts->group)
		return la_options_bad("--sort", "groups are sorted by their connections",
				      "leave out --sort or --group-by");
	if (opts->reverse && !opts->sort)
		return la_options_bad("-r", "it goes with --sort", NULL);
	if (opts->sort && opts->limit > SORTED_MAX)
		return la_options_bad("--limit", "with --sort it is at most 1000000", NULL);
	if (opts->sort && !opts->limit)
		opts->limit = SORTED_DEFAULT;
	return 0;
}

static int parse(struct list_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":r" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (check(opts))
		return -1;
	return la_reader_filter(&opts->reader, argv + optind, argc - optind);
}

/* ---- connections ---- */

/* Returns 1 if that was the last one wanted, or nobody reads any more. */
static int print_flow(struct list *list, const struct la_rec_flow *flow)
{
	la_sink_record(list->output, &flow->at.h);
	return ++list->printed == list->opts->limit || la_output_failed(list->output);
}

static int take_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct list *list = ctx;

	(void)flow;
	if (!la_filter_match(list->opts->reader.filter, &rec->at.h))
		return 0;
	if (list->grouping)
		la_grouping_add(list->grouping, rec);
	else if (list->ranking)
		la_ranking_add(list->ranking, rec);
	else
		return print_flow(list, rec);
	return 0;
}

static void print_sorted(struct list *list)
{
	size_t count = la_ranking_sort(list->ranking);

	for (size_t i = 0; i < count; i++)
		if (print_flow(list, la_ranking_get(list->ranking, i)))
			return;
}

/* ---- groups ---- */

static void text_group(struct la_buf *out, const struct la_grouped *group)
{
	char line[200], bytes[LA_TEXT_SHORT];

	la_text_bytes(bytes, group->bytes);
	snprintf(line, sizeof(line), "%11llu  %-26s %11llu %12llu %9llu  %s\n",
		 (unsigned long long)group->flows, group->name,
		 (unsigned long long)group->half_closed, (unsigned long long)group->packets,
		 (unsigned long long)group->retrans, bytes);
	la_buf_str(out, line);
}

static void json_group(struct la_buf *out, const char *by, const struct la_grouped *group)
{
	char line[400];

	snprintf(line, sizeof(line),
		 "{\"v\":1,\"type\":\"group\",\"by\":\"%s\",\"group\":\"%s\",\"connections\":%llu,"
		 "\"half_closed\":%llu,\"pkts\":%llu,\"retrans\":%llu,\"bytes\":%llu}\n",
		 by, group->name, (unsigned long long)group->flows,
		 (unsigned long long)group->half_closed, (unsigned long long)group->packets,
		 (unsigned long long)group->retrans, (unsigned long long)group->bytes);
	la_buf_str(out, line);
}

static void print_groups(struct list *list)
{
	size_t count = la_grouping_sort(list->grouping);
	bool text = list->opts->reader.shared.format != LA_FORMAT_JSONL;
	const char *by = la_group_word(list->opts->group);
	char title[120];

	snprintf(title, sizeof(title), "%11s  %-26s %11s %12s %9s  %s\n", "connections", by,
		 "half-closed", "packets", "retrans", "bytes");
	if (text)
		la_buf_str(&list->groups, title);
	for (size_t i = 0; i < count && (!list->opts->limit || i < list->opts->limit); i++) {
		const struct la_grouped *group = la_grouping_get(list->grouping, i);

		if (text)
			text_group(&list->groups, group);
		else
			json_group(&list->groups, by, group);
	}
	la_buf_flush(&list->groups);
}

/* ---- the work ---- */

static int prepare(struct list *list)
{
	const struct list_opts *opts = list->opts;

	if (opts->group)
		list->grouping = la_grouping_new(opts->group);
	else if (opts->sort)
		list->ranking = la_ranking_new(opts->sort, opts->reverse, opts->limit);
	if ((opts->group && !list->grouping) || (opts->sort && !list->ranking))
		return la_fail(LA_EXIT_RUNTIME, "cannot list", NULL, strerror(ENOMEM), NULL), -1;
	list->groups.to = stdout;
	list->output = la_reader_output(&opts->reader, list->source);
	return list->output ? 0 : -1;
}

/* Returns 0, or the errno of a write that failed. */
static int print_rest(struct list *list)
{
	if (list->ranking)
		print_sorted(list);
	if (list->grouping)
		print_groups(list);
	la_sink_flush(list->output);
	return list->grouping ? list->groups.error : la_output_failed(list->output);
}

static int list_with(const struct list_opts *opts)
{
	struct list list = {.opts = opts};
	int code = LA_EXIT_RUNTIME, failed;
	struct la_table table;

	signal(SIGPIPE, SIG_IGN);
	list.source = la_source_open(&opts->reader.source);
	if (!list.source || prepare(&list))
		goto cleanup;
	la_source_names(list.source, opts->reader.filter);
	table = la_loader_table(la_source_loader(list.source));
	if (la_table_each(&table, take_flow, &list) < 0)
		goto cleanup;
	failed = print_rest(&list);
	if (!failed || failed == EPIPE)
		code = LA_EXIT_OK;
cleanup:
	la_sink_close(list.output);
	la_ranking_free(list.ranking);
	la_grouping_free(list.grouping);
	la_source_close(list.source);
	return code;
}

int la_cmd_list(int argc, char **argv)
{
	struct list_opts opts = {0};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot list",
		       1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL | 1U << LA_FORMAT_WIDE |
			       1U << LA_FORMAT_CONNTRACK);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : list_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
