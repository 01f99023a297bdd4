/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_stats.c - lastack stats: how much there is, how fast it comes, what is lost.
 *
 * From the counters that the programs keep, so it costs the same whatever the table holds.
 */
#include "clock.h"
#include "cmd.h"
#include "outbuf.h"
#include "reader.h"
#include "text.h"
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct stats_opts {
	struct la_reader reader;
	__u64 every; /* ns; 0: once */
	__u64 count; /* how often; 0: without an end */
};

/* What is counted at one moment. */
struct look {
	__u64 at; /* CLOCK_MONOTONIC, ns */
	__u64 packets[LA_VERDICT_MAX];
	struct la_counters counters;
	struct la_metrics metrics;
};

struct stats {
	const struct stats_opts *opts;
	struct la_source *source;
	struct la_buf out;
	struct look now, before; /* before.at 0: this is the first one */
};

/* ---- the command line ---- */

enum { OPT_WATCH = LA_READER_OWN, OPT_COUNT };

static const struct option long_options[] = {
	LA_READER_LONG,
	{"watch", required_argument, NULL, OPT_WATCH},
	{"count", required_argument, NULL, OPT_COUNT},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack stats [OPTIONS]\n\n"
	      "Prints how many connections there are, by state and endpoint, how many have been\n"
	      "opened and how they have ended, packets, and what was lost.\n\n"
	      "  -o, --output FORMAT    text (default) or jsonl\n"
	      "      --watch DURATION   again and again, with rates, such as 1s\n"
	      "      --count N          with --watch: so often\n",
	      stdout);
	la_reader_help(stdout);
	return LA_EXIT_OK;
}

static int take(struct stats_opts *opts, int opt, char **argv)
{
	switch (opt) {
	case OPT_WATCH:
		if (!la_duration_parse(optarg, &opts->every) && opts->every)
			return 0;
		return la_options_bad("--watch", optarg, "a duration of more than 0, such as 1s");
	case OPT_COUNT:
		return la_options_number("--count", optarg, &opts->count);
	default:
		return la_reader_take(&opts->reader, opt, argv);
	}
}

static int parse(struct stats_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_READER_SHORT, long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (optind < argc)
		return la_options_bad(argv[optind], "stats takes no words", "see --help");
	if (opts->count && !opts->every)
		return la_options_bad("--count", "it goes with --watch", NULL);
	if (!opts->every)
		opts->count = 1;
	return 0;
}

/* ---- looking ---- */

/* Packets by what they were filed under; another hook's are the same packets once more. */
static void add_packets(struct look *look)
{
	memset(look->packets, 0, sizeof(look->packets));
	for (unsigned int hook = 0; hook < LA_HOOK_MAX; hook++)
		for (unsigned int reason = 1; reason < LA_REASON_MAX; reason++)
			if (reason != LA_R_OTHER_HOOK)
				look->packets[la_reason_verdict(reason)] +=
					look->counters.packets[hook][reason];
}

static int look_again(struct stats *stats)
{
	const struct la_loader *loader = la_source_loader(stats->source);
	int err;

	stats->before = stats->now;
	err = la_loader_counters(loader, &stats->now.counters);
	if (!err)
		err = la_loader_metrics(loader, &stats->now.metrics);
	if (err)
		return la_fail(LA_EXIT_RUNTIME, "cannot read the counters", NULL, strerror(-err),
			       NULL),
		       -1;
	stats->now.at = la_monotonic_ns();
	add_packets(&stats->now);
	return 0;
}

/* ---- text ---- */

/* A number and, if there was one before, how much more it is in a second. */
static void put_line(struct stats *stats, const char *name, __u64 now, __u64 before)
{
	char line[120];

	snprintf(line, sizeof(line), "  %-20s %12llu", name, (unsigned long long)now);
	la_buf_str(&stats->out, line);
	if (stats->before.at) {
		double seconds = (double)(stats->now.at - stats->before.at) / (double)LA_SEC_NS;

		snprintf(line, sizeof(line), " %12.1f/s", (double)(now - before) / seconds);
		la_buf_str(&stats->out, line);
	}
	la_buf_char(&stats->out, '\n');
}

static void put_states(struct stats *stats)
{
	const struct la_metrics *m = &stats->now.metrics;
	char line[120];

	snprintf(line, sizeof(line), "%-22s %12s %12s\n", "states", "client", "server");
	la_buf_str(&stats->out, line);
	for (unsigned int state = 1; state < LA_STATE_MAX; state++) {
		__u64 orig = m->connections[LA_ORIG][state], resp = m->connections[LA_RESP][state];

		if (!orig && !resp)
			continue;
		snprintf(line, sizeof(line), "  %-20s %12llu %12llu\n", la_state_word(state),
			 (unsigned long long)orig, (unsigned long long)resp);
		la_buf_str(&stats->out, line);
	}
}

static __u64 closed_for(const struct look *look, unsigned int reason)
{
	__u64 sum = 0;

	for (unsigned int closer = 0; closer < LA_METRIC_CLOSERS; closer++)
		sum += look->metrics.closed[reason][closer];
	return sum;
}

static void put_ends(struct stats *stats)
{
	la_buf_lit(&stats->out, "ended\n");
	for (unsigned int reason = 1; reason < LA_CLOSE_REASON_MAX; reason++)
		if (closed_for(&stats->now, reason))
			put_line(stats, la_close_reason_word(reason),
				 closed_for(&stats->now, reason),
				 closed_for(&stats->before, reason));
}

static void put_packets(struct stats *stats)
{
	la_buf_lit(&stats->out, "packets\n");
	for (unsigned int verdict = 1; verdict < LA_VERDICT_MAX; verdict++)
		put_line(stats, la_verdict_word(verdict), stats->now.packets[verdict],
			 stats->before.packets[verdict]);
}

static void put_losses(struct stats *stats)
{
	la_buf_lit(&stats->out, "records lost\n");
	for (unsigned int source = 0; source < LA_LOST_MAX; source++)
		put_line(stats, la_text_lost(source), stats->now.counters.lost[source],
			 stats->before.counters.lost[source]);
}

static void put_text(struct stats *stats)
{
	const struct la_counters *now = &stats->now.counters, *before = &stats->before.counters;
	__u32 room = la_loader_max_flows(la_source_loader(stats->source));
	__u64 flows = now->opened - now->gone;
	char line[120];

	snprintf(line, sizeof(line), "connections %llu of %u (%.1f %%)\n",
		 (unsigned long long)flows, room, room ? 100.0 * (double)flows / room : 0.0);
	la_buf_str(&stats->out, line);
	put_line(stats, "opened", now->opened, before->opened);
	put_line(stats, "gone", now->gone, before->gone);
	put_states(stats);
	put_ends(stats);
	put_packets(stats);
	put_losses(stats);
}

/* ---- JSON ---- */

static void json_number(struct la_buf *out, const char *prefix, const char *word, __u64 number)
{
	la_buf_lit(out, ",\"");
	la_buf_str(out, prefix);
	for (; *word; word++)
		la_buf_char(out, *word == '-' ? '_' : (char)tolower(*word));
	la_buf_lit(out, "\":");
	la_buf_u64(out, number);
}

static void put_json(struct stats *stats)
{
	const struct look *now = &stats->now;
	struct la_buf *out = &stats->out;

	la_buf_lit(out, "{\"v\":1,\"type\":\"stats\",\"ts_ns\":");
	la_buf_s64(out, (__s64)now->at + la_realtime_offset_ns());
	json_number(out, "", "connections", now->counters.opened - now->counters.gone);
	json_number(out, "", "limit", la_loader_max_flows(la_source_loader(stats->source)));
	json_number(out, "", "opened", now->counters.opened);
	json_number(out, "", "gone", now->counters.gone);
	for (unsigned int state = 1; state < LA_STATE_MAX; state++) {
		json_number(out, "orig_", la_state_word(state),
			    now->metrics.connections[LA_ORIG][state]);
		json_number(out, "resp_", la_state_word(state),
			    now->metrics.connections[LA_RESP][state]);
	}
	for (unsigned int reason = 1; reason < LA_CLOSE_REASON_MAX; reason++)
		json_number(out, "closed_", la_close_reason_word(reason), closed_for(now, reason));
	for (unsigned int verdict = 1; verdict < LA_VERDICT_MAX; verdict++)
		json_number(out, "packets_", la_verdict_word(verdict), now->packets[verdict]);
	for (unsigned int source = 0; source < LA_LOST_MAX; source++)
		json_number(out, "lost_", la_text_lost(source), now->counters.lost[source]);
	la_buf_lit(out, "}\n");
}

/* ---- the work ---- */

/* Once, or again and again. Returns 0, or -1 with the reason on stderr. */
static int print_all(struct stats *stats)
{
	const struct timespec pause = {.tv_sec = (time_t)(stats->opts->every / LA_SEC_NS),
				       .tv_nsec = (long)(stats->opts->every % LA_SEC_NS)};

	for (__u64 i = 0; !stats->opts->count || i < stats->opts->count; i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (look_again(stats))
			return -1;
		if (stats->opts->reader.shared.format == LA_FORMAT_JSONL)
			put_json(stats);
		else
			put_text(stats);
		la_buf_flush(&stats->out);
		if (stats->out.error)
			return stats->out.error == EPIPE ? 0 : -1;
	}
	return 0;
}

static int stats_with(const struct stats_opts *opts)
{
	struct stats stats = {.opts = opts, .out.to = stdout};
	int code = LA_EXIT_RUNTIME;

	signal(SIGPIPE, SIG_IGN);
	stats.source = la_source_open(&opts->reader.source);
	if (stats.source && !print_all(&stats))
		code = LA_EXIT_OK;
	la_source_close(stats.source);
	return code;
}

int la_cmd_stats(int argc, char **argv)
{
	struct stats_opts opts = {0};
	int code = LA_EXIT_USAGE;

	la_reader_init(&opts.reader, "cannot tell", 1U << LA_FORMAT_TEXT | 1U << LA_FORMAT_JSONL);
	if (!parse(&opts, argc, argv))
		code = opts.reader.help ? help() : stats_with(&opts);
	la_reader_free(&opts.reader);
	return code;
}
