/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_why.c - lastack why: who is to blame, from the table and from what has ended lately.
 */
#include "cmd.h"
#include "history.h"
#include "outbuf.h"
#include "reader.h"
#include "text.h"
#include "why.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define LIMIT_DEFAULT 5

struct why_opts {
	struct la_reader reader;
	__u32 kinds;	     /* bits 1 << enum la_question_kind */
	__u64 limit;	     /* findings of each question */
	const char *history; /* a file to answer from; NULL: a lastack is asked */
};

struct asking {
	const struct why_opts *opts;
	struct la_source *source;	  /* NULL: a file */
	const struct la_history_row *row; /* at hand, of a file */
	struct la_why *why;
	/* Connections that have ended are in the table for a while, and remembered, too. */
	__u64 flows, closes;
};

/* ---- the command line ---- */

enum { OPT_LIMIT = LA_READER_OWN, OPT_HISTORY };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"history", required_argument, NULL, OPT_HISTORY},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack why [OPTIONS] [QUESTION...] [FILTER]\n\n"
	      "Answers from the connections that are tracked now and those that have ended lately "
	      "(a\n"
	      "running lastack remembers 16384). QUESTION is one of these, or all:\n\n",
	      stdout);
	for (enum la_question_kind kind = 1; kind < LA_WHY_MAX; kind++)
		printf("  %-22s %s\n", la_why_word(kind), la_why_title(kind));
	fputs("\n"
	      "  -o, --output FORMAT    text (default) or jsonl\n"
	      "      --limit N          findings of each question (default 5)\n"
	      "      --history FILE     answer from a file of run --history, and ask no lastack\n",
	      stdout);
	la_reader_help(stdout);
	return LA_EXIT_OK;
}

static int take(struct why_opts *opts, int opt, char **argv)
{
	if (opt == OPT_HISTORY) {
		opts->history = optarg;
		return 0;
	}
	if (opt != OPT_LIMIT)
		return la_reader_take(&opts->reader, opt, argv);
	return la_options_number("--limit", optarg, &opts->limit);
}

static int parse(struct why_opts *opts, int argc, char **argv)
{
	enum la_question_kind kind;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	for (; optind < argc && (kind = la_why_find(argv[optind])); optind++)
		opts->kinds |= 1U << kind;
	if (!opts->kinds)
		opts->kinds = ~0U;
	return la_reader_filter(&opts->reader, argv + optind, argc - optind);
}

/* ---- asking ---- */

static bool remembers(const struct asking *asking)
{
	return la_source_fd(asking->source) >= 0;
}

static int take_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct asking *asking = ctx;

	(void)flow;
	/* What has ended is remembered, unless nobody runs who could. */
	if (rec->at.reason && remembers(asking) && rec->timeout != LA_TIMEOUT_TIME_WAIT)
		return 0;
	if (!la_filter_match(asking->opts->reader.filter, &rec->at.h))
		return 0;
	la_why_take(asking->why, &rec->at.h);
	asking->flows++;
	return 0;
}

static void take_close(const struct la_rec_close *close, void *ctx)
{
	struct asking *asking = ctx;

	if (!la_filter_match(asking->opts->reader.filter, &close->h))
		return;
	la_why_take(asking->why, &close->h);
	asking->closes++;
}

static void owners_of_row(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)rec;
	memcpy(own, ((const struct asking *)ctx)->row->own, 2 * sizeof(*own));
}

static int take_row(const struct la_history_row *row, void *ctx)
{
	((struct asking *)ctx)->row = row;
	take_close(&row->close, ctx);
	return 0;
}

static int ask_history(struct asking *asking)
{
	la_filter_owners(asking->opts->reader.filter, owners_of_row, asking);
	la_why_owners(asking->why, owners_of_row, asking);
	return la_history_read(asking->opts->history, 0, ~0ULL, take_row, asking);
}

static int ask_lastack(struct asking *asking)
{
	const struct why_opts *opts = asking->opts;
	struct la_table table;

	asking->source = la_source_open(&opts->reader.source);
	if (!asking->source)
		return -1;
	la_source_names(asking->source, opts->reader.filter);
	la_why_owners(asking->why, la_source_owners, asking->source);
	table = la_loader_table(la_source_loader(asking->source));
	if (la_table_each(&table, take_flow, asking))
		return -1;
	return la_source_closes(asking->source, take_close, asking);
}

/* ---- printing ---- */

static void text_finding(enum la_question_kind kind, const struct la_finding *finding)
{
	char shortest[LA_TEXT_SHORT], longest[LA_TEXT_SHORT];

	la_text_duration(shortest, finding->shortest);
	la_text_duration(longest, finding->longest);
	printf("  %6llu  %s", (unsigned long long)finding->connections, finding->who);
	if (finding->pid)
		printf(", %s (pid %u)", finding->comm, finding->pid);
	printf("%s%s\n", *finding->how ? ": " : "", finding->how);
	printf("          %s %s", la_why_measure(kind), longest);
	if (strcmp(shortest, longest) != 0)
		printf(" at most, %s at least", shortest);
	fputs("; connection", stdout);
	for (unsigned int i = 0; i < finding->id_count; i++)
		printf(" %016llx", (unsigned long long)finding->ids[i]);
	putchar('\n');
	if (la_why_forgets_after(kind, finding))
		printf("          something between seems to forget idle connections after %s at "
		       "the latest\n",
		       shortest);
}

/* A command may be called anything; the other words are addresses and our own. */
static void json_process(const struct la_finding *finding)
{
	struct la_buf out = {.to = stdout};

	if (!finding->pid)
		return;
	la_buf_lit(&out, ",\"pid\":");
	la_buf_u64(&out, finding->pid);
	la_buf_lit(&out, ",\"comm\":");
	la_buf_json(&out, finding->comm);
	la_buf_flush(&out);
}

static void json_finding(enum la_question_kind kind, const struct la_finding *finding)
{
	__u64 forgets = la_why_forgets_after(kind, finding);

	printf("{\"v\":1,\"type\":\"finding\",\"question\":\"%s\",\"who\":\"%s\",\"how\":\"%s\","
	       "\"connections\":%llu,\"shortest_ns\":%llu,\"longest_ns\":%llu,\"ids\":[",
	       la_why_word(kind), finding->who, finding->how,
	       (unsigned long long)finding->connections, (unsigned long long)finding->shortest,
	       (unsigned long long)finding->longest);
	for (unsigned int i = 0; i < finding->id_count; i++)
		printf("%s\"%016llx\"", i ? "," : "", (unsigned long long)finding->ids[i]);
	putchar(']');
	if (forgets)
		printf(",\"forgets_after_ns\":%llu", (unsigned long long)forgets);
	json_process(finding);
	puts("}");
}

static void print_question(struct asking *asking, enum la_question_kind kind)
{
	size_t count = la_why_sort(asking->why, kind);
	bool text = asking->opts->reader.shared.format == LA_FORMAT_TEXT;

	if (text)
		printf("%s: %s\n%s", la_why_word(kind), la_why_title(kind),
		       count ? "" : "       -  nobody\n");
	for (size_t i = 0; i < count && i < asking->opts->limit; i++) {
		if (text)
			text_finding(kind, la_why_get(asking->why, kind, i));
		else
			json_finding(kind, la_why_get(asking->why, kind, i));
	}
	if (text && count > asking->opts->limit)
		printf("          and %llu more, see --limit\n",
		       (unsigned long long)(count - asking->opts->limit));
	if (text && count)
		printf("  what to do: %s\n", la_why_remedy(kind));
}

static int print_all(struct asking *asking)
{
	for (enum la_question_kind kind = 1; kind < LA_WHY_MAX; kind++)
		if (asking->opts->kinds & 1U << kind)
			print_question(asking, kind);
	if (fflush(stdout))
		return errno == EPIPE ? LA_EXIT_OK : LA_EXIT_RUNTIME;
	fprintf(stderr, "lastack: from %llu connections in the table and %llu that have ended%s\n",
		(unsigned long long)asking->flows, (unsigned long long)asking->closes,
		!asking->source || remembers(asking)
			? ""
			: " (no lastack runs that would remember more)");
	return LA_EXIT_OK;
}

static int why_with(const struct why_opts *opts)
{
	struct asking asking = {.opts = opts, .why = la_why_new(opts->kinds)};
	int code = LA_EXIT_RUNTIME, err = -1;

	signal(SIGPIPE, SIG_IGN);
	if (!asking.why)
		la_fail(LA_EXIT_RUNTIME, "cannot tell why", NULL, strerror(ENOMEM), NULL);
	else if (opts->history)
		err = ask_history(&asking);
	else
		err = ask_lastack(&asking);
	if (!err)
		code = print_all(&asking);
	la_source_close(asking.source);
	la_why_free(asking.why);
	return code;
}

int la_cmd_why(int argc, char **argv)
{
	struct why_opts opts = {.limit = LIMIT_DEFAULT};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot tell why",
		       1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : why_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
