/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_kill.c - lastack kill: resets both ends of the connections that a filter takes.
 *
 * Shows them, asks, and has the lastack that runs do it: that one knows where their ends are, what
 * is protected, and how many resets a second there may be. Then tells what became of each.
 */
#include "cmd.h"
#include "idset.h"
#include "reader.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kill_opts {
	struct la_reader reader;
	bool yes, dry_run, all;
};

struct killing {
	const struct kill_opts *opts;
	struct la_source *source;
	struct la_sink *output;
	struct la_control_conn *conns;
	size_t count, room;
	struct la_idset ids; /* of those that nothing is known of yet */
	size_t reset, failed;
};

/* ---- the command line ---- */

enum { OPT_DRY_RUN = LA_READER_OWN, OPT_ALL };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"yes", no_argument, NULL, 'y'},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"all", no_argument, NULL, OPT_ALL},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack kill [OPTIONS] FILTER\n\n"
	      "Shows the connections that FILTER takes, asks, and has a running lastack reset "
	      "both\n"
	      "ends of each. What that one protects (--protect) is left alone, and its brake "
	      "holds\n"
	      "(--max-resets-per-second). Then tells what became of each; exit code 1 if one was\n"
	      "not reset.\n\n"
	      "  -y, --yes              do not ask\n"
	      "      --dry-run          only show them\n"
	      "      --all              all connections: only then FILTER may be left out\n"
	      "  -o, --output FORMAT    text (default) or jsonl\n",
	      stdout);
	la_reader_help(stdout);
	fputs("\nFILTER, for instance: resp state close-wait and dport 5432 and in-state > 10m\n",
	      stdout);
	return LA_EXIT_OK;
}

static int take(struct kill_opts *opts, int opt, char **argv)
{
	switch (opt) {
	case 'y':
		opts->yes = true;
		return 0;
	case OPT_DRY_RUN:
		opts->dry_run = true;
		return 0;
	case OPT_ALL:
		opts->all = true;
		return 0;
	default:
		return la_reader_take(&opts->reader, opt, argv);
	}
}

static int parse(struct kill_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":y" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (la_reader_filter(&opts->reader, argv + optind, argc - optind))
		return -1;
	if (opts->reader.help || opts->all ||
	    opts->reader.filter_text[strspn(opts->reader.filter_text, " \n\t")])
		return 0;
	la_fail(LA_EXIT_USAGE, "cannot kill", NULL, "no filter was given",
		"--all resets all connections");
	return -1;
}

/* ---- which ---- */

static int no_memory(void)
{
	return la_fail(LA_EXIT_RUNTIME, "cannot kill", NULL, strerror(ENOMEM), NULL), -1;
}

static int add(struct killing *k, const struct la_rec *rec)
{
	size_t room = k->room ? 2 * k->room : 64;
	struct la_control_conn *conns = k->conns;

	if (k->count == LA_CONTROL_KILLS_MAX)
		return la_fail(LA_EXIT_RUNTIME, "cannot kill", NULL, "these are too many at once",
			       "a narrower filter takes fewer"),
		       -1;
	if (k->count == k->room) {
		conns = realloc(conns, room * sizeof(*conns));
		if (!conns)
			return no_memory();
		k->conns = conns;
		k->room = room;
	}
	k->conns[k->count++] = (struct la_control_conn){.key = rec->key, .id = rec->id};
	return la_idset_add(&k->ids, rec->id) ? 0 : no_memory();
}

/* What has ended cannot be reset. */
static int take_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct killing *k = ctx;

	if (la_ended(flow) || !la_filter_match(k->opts->reader.filter, &rec->at.h))
		return 0;
	la_sink_record(k->output, &rec->at.h);
	return add(k, &rec->at.h);
}

static int find(struct killing *k)
{
	const struct la_table table = la_loader_table(la_source_loader(k->source));

	la_source_names(k->source, k->opts->reader.filter);
	if (la_table_each(&table, take_flow, k))
		return -1;
	la_sink_flush(k->output);
	return 0;
}

static bool is_agreed(const struct killing *k)
{
	char answer[8] = "";

	if (k->opts->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		la_fail(LA_EXIT_RUNTIME, "cannot ask", "stdin", "it is no terminal",
			"--yes does it without asking");
		return false;
	}
	fprintf(stderr, "lastack: reset both ends of %zu connection%s? [y/N] ", k->count,
		k->count == 1 ? "" : "s");
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* ---- doing it ---- */

/* Others may kill as well: theirs is not told. */
static void take_outcome(const struct la_rec *rec, void *ctx)
{
	struct killing *k = ctx;

	if (rec->type != LA_REC_POLICY || !la_idset_has(&k->ids, rec->id))
		return;
	la_sink_record(k->output, rec);
	if (((const struct la_rec_policy *)rec)->result == LA_RESULT_DONE)
		k->reset++;
	else
		k->failed++;
}

static enum la_exit do_it(struct killing *k)
{
	int got = 1;

	if (!la_source_pid(k->source))
		return la_fail(LA_EXIT_RUNTIME, "cannot kill", NULL,
			       "no lastack runs that could do it", "`lastack run` starts one");
	if (la_source_kill(k->source, k->conns, k->count))
		return LA_EXIT_RUNTIME;
	while (k->reset + k->failed < k->count && got > 0) {
		got = la_source_read(k->source, take_outcome, k);
		la_sink_flush(k->output);
	}
	fprintf(stderr, "lastack: %zu reset, %zu not\n", k->reset, k->count - k->reset);
	return k->reset == k->count ? LA_EXIT_OK : LA_EXIT_RUNTIME;
}

static enum la_exit kill_found(struct killing *k)
{
	if (!k->count)
		fputs("lastack: there is no such connection\n", stderr);
	if (!k->count)
		return LA_EXIT_OK;
	if (k->opts->dry_run) {
		fprintf(stderr,
			"lastack: dry run: %zu would be reset, but for those that are "
			"protected\n",
			k->count);
		return LA_EXIT_OK;
	}
	return is_agreed(k) ? do_it(k) : LA_EXIT_RUNTIME;
}

static enum la_exit kill_with(const struct kill_opts *opts)
{
	struct killing k = {.opts = opts};
	enum la_exit code = LA_EXIT_RUNTIME;

	signal(SIGPIPE, SIG_IGN);
	k.source = la_source_open(&opts->reader.source);
	k.output = k.source ? la_reader_output(&opts->reader, k.source) : NULL;
	if (k.output && !find(&k))
		code = kill_found(&k);
	la_sink_close(k.output);
	la_source_close(k.source);
	la_idset_free(&k.ids);
	free(k.conns);
	return code;
}

int la_cmd_kill(int argc, char **argv)
{
	struct kill_opts opts = {0};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot kill", 1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : (int)kill_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
