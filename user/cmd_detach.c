/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_detach.c - lastack detach: the end of what `lastack run --persist` has left.
 *
 * Takes the programs off the interfaces, closes what is open, reads what waits, and removes the
 * pins. What cannot be written out is not removed, so it can be done again.
 */
#include "attach.h"
#include "clock.h"
#include "cmd.h"
#include "drain.h"
#include "options.h"
#include "output.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct detach_opts {
	struct la_options shared;
	const char *name;
	const char *bpffs;
	bool print;
	bool help;
};

struct detach {
	const struct detach_opts *opts;
	struct la_persist *persist;
	struct la_loader *loader;
	struct la_attach *attach;
	struct la_sink *output; /* NULL: nothing is printed */
	struct la_sink *summary;
	struct la_events *events;
};

/* ---- the command line ---- */

enum { OPT_BPFFS = LA_OPT_OWN };

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"numeric", no_argument, NULL, 'n'},
	{"color", required_argument, NULL, LA_OPT_COLOR},
	{"bpffs", required_argument, NULL, OPT_BPFFS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack detach [OPTIONS] [NAME]\n\n"
	      "Ends what `lastack run --persist[=NAME]` has left (NAME: " LA_PERSIST_NAME
	      "): takes it off all\n"
	      "interfaces, closes the connections that are open, and removes all of it from the\n"
	      "kernel. A lastack that runs it must be stopped before. Nothing to detach is no\n"
	      "error.\n\n"
	      "  -o, --output FORMAT    print what nobody has read yet and what is closed now:\n"
	      "                         text, jsonl or zeek; without it that is only counted\n"
	      "      --color WHEN       auto (default), always, never; NO_COLOR is heeded\n"
	      "  -n, --numeric          no names for ports\n"
	      "      --bpffs DIR        where it is pinned (default " LA_PERSIST_BPFFS ")\n"
	      "  -h, --help             this text\n",
	      stdout);
	return LA_EXIT_OK;
}

static int take(struct detach_opts *opts, int opt, char **argv)
{
	if (opt == '?' || opt == ':')
		return la_options_bad_word(opt, argv);
	opts->help = opts->help || opt == 'h';
	opts->print = opts->print || opt == 'o';
	if (opt == OPT_BPFFS)
		opts->bpffs = optarg;
	return la_options_take(&opts->shared, opt, optarg) == LA_TAKEN_BAD ? -1 : 0;
}

static int parse(struct detach_opts *opts, int argc, char **argv)
{
	int opt;

	la_options_init(&opts->shared);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":o:nh", long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (optind < argc)
		opts->name = argv[optind++];
	if (!la_persist_name_ok(opts->name))
		return la_options_bad(opts->name, "no such name", LA_PERSIST_NAME_RULE);
	return optind < argc ? la_options_bad(argv[optind], "only one name can be given", NULL) : 0;
}

/* ---- the work ---- */

/*
 * Filters of clsact are found by the number of their interface, so only in its own network
 * namespace.
 */
static int check_filters(const struct la_persist *persist)
{
	const struct la_persist_state *state = la_persist_state(persist);
	char todo[PATH_MAX + 120];

	if (la_persist_here(persist))
		return 0;
	for (int i = 0; i < LA_PERSIST_PLACES; i++) {
		if (!state->places[i].attached || !state->places[i].clsact)
			continue;
		snprintf(todo, sizeof(todo),
			 "go there (nsenter --net=), net:[%llu]; or, if it is gone: rm -r %s",
			 (unsigned long long)state->netns, la_persist_path(persist));
		la_fail(LA_EXIT_RUNTIME, "cannot detach", state->places[i].ifname,
			"its filters are in another network namespace", todo);
		return -1;
	}
	return 0;
}

static int make_sinks(struct detach *detach)
{
	struct la_events_opts opts = {
		.ring_fd = la_loader_ring(detach->loader),
		.journal = &la_persist_state(detach->persist)->journal,
		.output_fd = detach->opts->print ? STDOUT_FILENO : -1,
	};
	struct la_output_opts out = {
		.clock_offset = la_realtime_offset_ns(),
		.ifname = la_attach_ifname,
		.ifname_ctx = detach->attach,
	};

	detach->summary = la_summary_new();
	if (detach->opts->print)
		detach->output = la_output_new(stdout, &detach->opts->shared, out);
	if (!detach->summary || (detach->opts->print && !detach->output))
		return la_fail(LA_EXIT_RUNTIME, "cannot print", NULL, strerror(ENOMEM), NULL), -1;
	detach->events = la_events_new(&opts);
	if (!detach->events)
		return -1;
	la_events_to(detach->events, detach->summary);
	if (detach->output)
		la_events_to(detach->events, detach->output);
	return 0;
}

static int leave_interfaces(struct detach *detach)
{
	if (check_filters(detach->persist))
		return -1;
	detach->attach = la_attach_new(NULL, detach->persist);
	if (!detach->attach)
		return -1;
	la_attach_prune(detach->attach);
	return 0;
}

/* Closes what is open, and tells everything that can be told. */
static int end_tracking(struct detach *detach)
{
	struct la_loader_opts opts = {.persist = detach->persist, .look = true};
	struct la_counters counters;
	int err;

	detach->loader = la_loader_open(&opts);
	if (!detach->loader || make_sinks(detach))
		return -1;
	err = la_drain_flows(detach->loader, detach->events);
	if (err)
		return la_fail(LA_EXIT_RUNTIME, "cannot write the output", NULL, strerror(-err),
			       "what is not written stays: detach again"),
		       -1;
	la_summary_print(detach->summary,
			 la_loader_counters(detach->loader, &counters) ? NULL : &counters, stderr,
			 la_color_wanted(detach->opts->shared.color, stderr));
	return 0;
}

static void free_detach(struct detach *detach)
{
	la_attach_free(detach->attach);
	la_events_free(detach->events);
	la_sink_close(detach->output);
	la_sink_close(detach->summary);
	la_loader_close(detach->loader);
	la_persist_close(detach->persist);
}

static int remove_pins(struct detach *detach)
{
	int err = la_persist_remove(detach->persist);

	if (err)
		return la_fail(LA_EXIT_RUNTIME, "cannot remove", la_persist_path(detach->persist),
			       strerror(-err), NULL);
	fprintf(stderr, "lastack: %s: detached, nothing is left of it\n",
		la_persist_path(detach->persist));
	return LA_EXIT_OK;
}

static int detach_with(const struct detach_opts *opts)
{
	struct detach detach = {.opts = opts};
	int code = LA_EXIT_RUNTIME;

	signal(SIGPIPE, SIG_IGN); /* what could not be written stays */
	detach.persist = la_persist_open(opts->bpffs, opts->name, LA_PERSIST_DETACH);
	if (!detach.persist)
		goto cleanup;
	if (!la_persist_found(detach.persist)) {
		fprintf(stderr, "lastack: %s: there is nothing to detach\n",
			la_persist_path(detach.persist));
		code = LA_EXIT_OK;
		goto cleanup;
	}
	if (!la_persist_foreign(detach.persist) && leave_interfaces(&detach))
		goto cleanup;
	if (!la_loader_knows(detach.persist))
		fprintf(stderr,
			"lastack: %s: another version of lastack made it: what is open and what "
			"nobody has read is not told\n",
			la_persist_path(detach.persist));
	else if (end_tracking(&detach))
		goto cleanup;
	code = remove_pins(&detach);
cleanup:
	free_detach(&detach);
	return code;
}

int la_cmd_detach(int argc, char **argv)
{
	struct detach_opts opts = {.name = LA_PERSIST_NAME, .bpffs = LA_PERSIST_BPFFS};

	if (parse(&opts, argc, argv))
		return LA_EXIT_USAGE;
	return opts.help ? help() : detach_with(&opts);
}
