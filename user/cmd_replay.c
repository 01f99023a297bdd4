/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_replay.c - lastack replay: what run prints, from captures.
 *
 * Reads the command line, puts capture, engine, filter and sinks together. Several files
 * are one stream in the order given, as a capture that was rotated. No privilege is needed
 * and no clock is read: time is that of the packets.
 */
#include "bpf_engine.h"
#include "cmd.h"
#include "filter.h"
#include "native.h"
#include "options.h"
#include "output.h"
#include "replay.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Who makes records of the packets: --engine. */
enum engine { ENGINE_NATIVE, ENGINE_BPF, ENGINE_MAX };

static const char *const engine_names[ENGINE_MAX] = {"native", "bpf"};

struct replay_opts {
	struct la_options shared;
	enum engine engine;
	bool no_checksums;
	bool help;
	char *const *files;
	int files_count;
	struct la_filter *filter;
};

/* The records that pass the filter, to both sinks. */
struct chosen {
	struct la_sink sink;
	const struct la_filter *filter;
	struct la_sink *output;
	struct la_sink *summary;
};

/* ---- the command line ---- */

enum { OPT_ENGINE = LA_OPT_OWN, OPT_NO_CHECKSUMS };

static const struct option long_options[] = {
	LA_OPTIONS_LONG,
	{"engine", required_argument, NULL, OPT_ENGINE},
	{"no-checksums", no_argument, NULL, OPT_NO_CHECKSUMS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack replay [OPTIONS] FILE... [FILTER]\n\n"
	      "Prints from pcap or pcapng files what `lastack run` prints from an interface, with\n"
	      "the capture's own clock; what is still open at the end is closed with reason\n"
	      "shutdown. A summary follows on stderr. `-` is stdin. Several files are read as one\n"
	      "capture, in the order given.\n\n",
	      stdout);
	la_options_help(stdout);
	fputs("      --engine ENGINE    native, or bpf: through the programs in the kernel, which\n"
	      "                         needs root and has room for 65536 connections at once\n"
	      "      --no-checksums     believe packets whatever their checksums say; else those "
	      "that\n"
	      "                         were damaged on the way are only counted\n"
	      "  -h, --help             this text\n\n"
	      "FILTER begins at the first word after the first file that is a word of a filter\n"
	      "(or `(`, `!`), such as: port 443 and not net 10.0.0.0/8. A file of such a name is\n"
	      "written ./port.\n",
	      stdout);
	return LA_EXIT_OK;
}

static int bad(const char *what, const char *on, const char *why, const char *todo)
{
	la_fail(LA_EXIT_USAGE, what, on, why, todo);
	return -1;
}

static int take_engine(struct replay_opts *opts, const char *word)
{
	for (opts->engine = 0; opts->engine < ENGINE_MAX; opts->engine++)
		if (la_word_equal(word, strlen(word), engine_names[opts->engine]))
			return 0;
	return bad("bad option", "--engine", word, "native or bpf");
}

static int take(struct replay_opts *opts, int opt, char **argv)
{
	if (opt == '?' || opt == ':')
		return la_options_bad_word(opt, argv);
	if (opt == 'h')
		opts->help = true;
	else if (opt == OPT_NO_CHECKSUMS)
		opts->no_checksums = true;
	else if (opt == OPT_ENGINE)
		return take_engine(opts, optarg);
	else if (la_options_take(&opts->shared, opt, optarg) != LA_TAKEN_OK)
		return -1;
	return 0;
}

static int take_filter(struct replay_opts *opts, char *const *words, int count)
{
	char *text = la_options_join(words, count), err[600];

	if (!text)
		return bad("bad filter", NULL, strerror(ENOMEM), NULL);
	opts->filter = la_filter_parse(text, err, sizeof(err));
	free(text);
	return opts->filter ? 0 : bad("bad filter", NULL, err, NULL);
}

/* Files first, then the filter: the first word is a file whatever it looks like. */
static int take_words(struct replay_opts *opts, char *const *words, int count)
{
	if (!count)
		return bad("bad usage", "replay", "no file was given",
			   "lastack replay FILE...; - is stdin");
	opts->files = words;
	opts->files_count = 1;
	while (opts->files_count < count && !la_filter_begins(words[opts->files_count]))
		opts->files_count++;
	if (opts->files_count == count)
		return 0;
	return take_filter(opts, words + opts->files_count, count - opts->files_count);
}

/* Fills opts. Returns 0, or -1 with the reason on stderr. */
static int parse(struct replay_opts *opts, int argc, char **argv)
{
	int opt;

	la_options_init(&opts->shared);
	opts->shared.cfg.decap = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_OPTIONS_SHORT "h", long_options, NULL)) !=
	       -1) {
		if (take(opts, opt, argv))
			return -1;
		if (opts->help)
			return 0;
	}
	if (la_options_check(&opts->shared))
		return -1;
	return take_words(opts, argv + optind, argc - optind);
}

/* ---- sinks ---- */

static void chosen_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct chosen *c = (struct chosen *)sink;

	if (!la_filter_match(c->filter, rec))
		return;
	la_sink_record(c->output, rec);
	la_sink_record(c->summary, rec);
}

static bool output_failed(void *output)
{
	return la_output_failed(output) != 0;
}

static void print_summary(const struct replay_opts *opts, const struct chosen *sinks,
			  const struct la_replay *replay)
{
	__u64 disordered = replay->engine->disordered;
	struct la_counters counters;

	bool known = !replay->engine->counters(replay->engine, &counters);

	la_summary_print(sinks->summary, known ? &counters : NULL, stderr,
			 la_color_wanted(opts->shared.color, stderr));
	if (disordered)
		fprintf(stderr, "  disordered  %llu bore an earlier time than one before\n",
			(unsigned long long)disordered);
}

/* ---- the run ---- */

/* Reads the files up to the first that fails; NULL: none did. */
static const char *read_files(const struct replay_opts *opts, struct la_replay *replay)
{
	for (int i = 0; i < opts->files_count; i++)
		if (la_replay_file(replay, opts->files[i]))
			return opts->files[i];
	return NULL;
}

/* A second "file" that cannot be read may have been meant as a filter. */
static int fail_file(const struct replay_opts *opts, const struct la_replay *replay,
		     const char *file)
{
	const char *todo = replay->todo;

	if (!todo && file != opts->files[0])
		todo = "nor is it a word that a filter begins with";
	return la_fail(LA_EXIT_RUNTIME, replay->what, file, replay->why, todo);
}

/* Everything after the last packet; an error comes last, where it is seen. */
static int finish(const struct replay_opts *opts, const struct chosen *sinks,
		  struct la_replay *replay, const char *failed)
{
	int err = replay->engine->finish(replay->engine);

	if (err)
		return la_fail(LA_EXIT_RUNTIME, "cannot end the replay", engine_names[opts->engine],
			       strerror(-err), NULL);
	la_sink_flush(sinks->output);
	err = la_output_failed(sinks->output);
	if (err)
		return err == EPIPE ? LA_EXIT_OK : LA_EXIT_RUNTIME;
	if (!failed || replay->packets)
		print_summary(opts, sinks, replay);
	return failed ? fail_file(opts, replay, failed) : LA_EXIT_OK;
}

/* NULL: it failed, and why is on stderr. */
static struct la_engine *make_engine(const struct replay_opts *opts, struct la_sink *sink)
{
	const struct la_config *cfg = &opts->shared.cfg;
	struct la_native *native;

	if (opts->engine == ENGINE_BPF)
		return la_bpf_engine_new(cfg, sink, LA_BPF_ENGINE_FLOWS);
	native = la_native_new(cfg, sink);
	if (native)
		return la_native_engine(native);
	la_fail(LA_EXIT_RUNTIME, "cannot replay", NULL, strerror(ENOMEM), NULL);
	return NULL;
}

static int replay_with(const struct replay_opts *opts)
{
	struct chosen sinks = {.sink = {.record = chosen_record}, .filter = opts->filter};
	struct la_replay replay = {
		.stop = output_failed,
		.no_checksums = opts->no_checksums,
		.as_captured = opts->shared.format == LA_FORMAT_ZEEK, /* as Zeek counts */
	};
	struct la_progress progress;
	int code = LA_EXIT_RUNTIME;
	const char *failed;

	la_progress_begin(&progress, "replay", "bytes");
	replay.progress = &progress;
	signal(SIGPIPE, SIG_IGN); /* a closed stdout is an orderly end: lastack replay | head */
	sinks.output = la_output_new(stdout, &opts->shared, (struct la_output_opts){0});
	sinks.summary = la_summary_new();
	replay.stop_ctx = sinks.output;
	if (!sinks.output || !sinks.summary) {
		la_fail(code, "cannot replay", NULL, strerror(ENOMEM), NULL);
		goto cleanup;
	}
	replay.engine = make_engine(opts, &sinks.sink);
	if (!replay.engine)
		goto cleanup;
	failed = read_files(opts, &replay);
	la_progress_end(&progress);
	code = finish(opts, &sinks, &replay, failed);
cleanup:
	la_engine_close(replay.engine);
	la_sink_close(sinks.summary);
	la_sink_close(sinks.output);
	return code;
}

int la_cmd_replay(int argc, char **argv)
{
	struct replay_opts opts = {0};
	int code = LA_EXIT_USAGE;

	if (parse(&opts, argc, argv))
		goto cleanup;
	code = opts.help ? help() : replay_with(&opts);
cleanup:
	la_filter_free(opts.filter);
	return code;
}
