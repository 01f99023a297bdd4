/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_run.c - lastack run: attach, track, print.
 *
 * Reads the command line, puts loader, attacher, events and sinks together, and waits. The
 * end is always the same, whoever asked for it (a signal, --for, --count, a closed stdout):
 * detach, close what is still open, drain, flush, summary. With --persist nothing is detached
 * and nothing closed.
 */
#include "attach.h"
#include "clock.h"
#include "cmd.h"
#include "drain.h"
#include "loop.h"
#include "options.h"
#include "output.h"
#include "select.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The flow table is a hash table of the kernel, all of it allocated at start. */
#define FLOWS_MAX (1U << 26)

/* More than a gigabyte of records waits for nobody. */
#define RING_MIB_MAX 1024

/* How often the counters are read for what was lost. */
#define LOOK_NS (250 * LA_MSEC_NS)

struct run_opts {
	struct la_options shared;
	struct la_select select;
	__u64 run_for; /* ns; 0: until told otherwise */
	__u64 count;   /* close records; 0: no end */
	__u64 max_flows;
	__u64 ring_bytes;
	const char *persist; /* a name; NULL: all goes at the end */
	const char *bpffs;   /* NULL: LA_PERSIST_BPFFS */
	__u64 max_attempts;
	bool debug;
	bool help;
	struct la_filter *filter;
};

struct run {
	const struct run_opts *opts;
	struct la_persist *persist; /* or NULL */
	struct la_loader *loader;
	struct la_attach *attach;
	struct la_sink *output;
	struct la_sink *summary;
	struct la_events *events;
	struct la_loop *loop;
	int watch;  /* of the interfaces */
	bool idle;  /* none of them is attached */
	bool fresh; /* it persists from now on, and did not before */
	int code;   /* enum la_exit */
};

/* ---- the command line ---- */

enum {
	OPT_REGEX = LA_OPT_OWN,
	OPT_ALL,
	OPT_HOOK,
	OPT_FOR,
	OPT_COUNT,
	OPT_MAX_FLOWS,
	OPT_MAX_ATTEMPTS,
	OPT_PRESSURE,
	OPT_RING_SIZE,
	OPT_DECAP,
	OPT_PERSIST,
	OPT_BPFFS,
	OPT_DEBUG
};

static const struct option long_options[] = {
	LA_OPTIONS_LONG,
	{"interface", required_argument, NULL, 'i'},
	{"interface-regex", required_argument, NULL, OPT_REGEX},
	{"all-interfaces", no_argument, NULL, OPT_ALL},
	{"hook", required_argument, NULL, OPT_HOOK},
	{"for", required_argument, NULL, OPT_FOR},
	{"count", required_argument, NULL, OPT_COUNT},
	{"max-flows", required_argument, NULL, OPT_MAX_FLOWS},
	{"max-attempts", required_argument, NULL, OPT_MAX_ATTEMPTS},
	{"pressure", required_argument, NULL, OPT_PRESSURE},
	{"ring-size", required_argument, NULL, OPT_RING_SIZE},
	{"decap", no_argument, NULL, OPT_DECAP},
	{"persist", optional_argument, NULL, OPT_PERSIST},
	{"bpffs", required_argument, NULL, OPT_BPFFS},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char *const hooks[] = {
	[LA_CHOICE_AUTO] = "auto",
	[LA_CHOICE_XDP] = "xdp",
	[LA_CHOICE_XDP_GENERIC] = "xdp-generic",
	[LA_CHOICE_TC] = "tc",
	[LA_CHOICE_TC_LEGACY] = "tc-legacy",
};

static int bad(const char *option, const char *why, const char *todo)
{
	la_fail(LA_EXIT_USAGE, "bad option", option, why, todo);
	return -1;
}

static int help(void)
{
	fputs("usage: lastack run -i IF [-i IF...] [OPTIONS] [FILTER]\n\n"
	      "Attaches to network interfaces and prints each state that an endpoint of a TCP\n"
	      "connection enters, and a line when a connection ends. Stops at SIGINT or SIGTERM,\n"
	      "detaches, tells which connections were still open, and prints a summary on\n"
	      "stderr.\n\n"
	      "  -i, --interface IF     watch this interface; may be given again. It must be "
	      "there at\n"
	      "                         the start; if it goes and comes back, it is watched "
	      "again\n"
	      "      --interface-regex RE\n"
	      "                         watch those whose whole name matches a POSIX extended\n"
	      "                         regular expression, and others as they appear\n"
	      "      --all-interfaces   watch all, as they appear, but loopback (-i lo adds it)\n"
	      "      --hook HOOK        where to watch what comes in (what goes out: always tc)\n"
	      "                           auto         native XDP if the driver has it and nobody\n"
	      "                                        else is there, else tc (default)\n"
	      "                           xdp          native XDP or nothing\n"
	      "                           xdp-generic  generic XDP or nothing\n"
	      "                           tc           tcx, or clsact before Linux 6.6\n"
	      "                           tc-legacy    clsact also where there is tcx; its "
	      "filters\n"
	      "                                        stay if lastack is killed (kill -9), the\n"
	      "                                        commands to remove them are printed at "
	      "start\n"
	      "                         programs of others are never displaced\n"
	      "      --for DURATION     stop after that time, such as 30s, 10m\n"
	      "      --count N          stop after N connections have ended\n"
	      "      --decap            look into IPIP, 6in4, 4in6, GRE and VXLAN tunnels\n",
	      stdout);
	printf("      --max-flows N      room for so many connections at once (default %u)\n"
	       "      --max-attempts N   of them, so many may be half-open: more push out the "
	       "oldest\n"
	       "                         half-open ones (default 1/%u of --max-flows)\n"
	       "      --pressure PERCENT from so full a table on, half-open and ended connections\n"
	       "                         are waited for less long, the fuller the less (default "
	       "%u)\n",
	       LA_FLOWS_DEFAULT, LA_ATTEMPTS_SHARE, LA_PRESSURE_DEFAULT);
	puts("      --ring-size MIB    room for records that wait to be printed, a power of two\n"
	     "                         (default 8): what finds it full is lost and counted, but\n"
	     "                         for close records, which wait in the flow table");
	fputs("      --persist[=NAME]   go on tracking when lastack ends, is killed or is replaced "
	      "by\n"
	      "                         a later version; the next run --persist reads on where "
	      "this\n"
	      "                         one ended, lastack status tells, lastack detach ends it\n"
	      "      --bpffs DIR        where that is pinned (default " LA_PERSIST_BPFFS ")\n",
	      stdout);
	la_options_help(stdout);
	fputs("      --debug            show what libbpf says\n"
	      "  -h, --help             this text\n\n"
	      "FILTER picks what is printed, such as: port 443 and not net 10.0.0.0/8\n\n"
	      "needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root; Linux 5.15 with BTF\n",
	      stdout);
	return LA_EXIT_OK;
}

static int take_hook(struct run_opts *opts, const char *arg)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		if (strcmp(arg, hooks[i]) != 0)
			continue;
		opts->select.hook = (enum la_hook_choice)i;
		return 0;
	}
	return bad("--hook", arg, "there are: auto xdp xdp-generic tc tc-legacy");
}

static int take_number(const char *option, const char *arg, __u64 max, __u64 *number)
{
	char *end, todo[60];

	errno = 0;
	*number = strtoull(arg, &end, 10);
	if (*arg >= '0' && *arg <= '9' && !*end && !errno && *number && *number <= max)
		return 0;
	snprintf(todo, sizeof(todo), "a whole number from 1 to %llu", (unsigned long long)max);
	return bad(option, arg, todo);
}

static int take_pressure(struct run_opts *opts, const char *arg)
{
	__u64 percent;

	if (take_number("--pressure", arg, 100, &percent))
		return -1;
	opts->shared.cfg.pressure = (__u8)percent;
	return 0;
}

static int take_ring_size(struct run_opts *opts, const char *arg)
{
	__u64 mib;

	if (take_number("--ring-size", arg, RING_MIB_MAX, &mib))
		return -1;
	if (mib & (mib - 1))
		return bad("--ring-size", arg, "a power of two, as the kernel wants it");
	opts->ring_bytes = mib << 20;
	return 0;
}

/* Takes one option that is run's own. Returns 0, or -1 with the reason on stderr. */
static int take_own(struct run_opts *opts, int opt, const char *arg)
{
	switch (opt) {
	case 'i':
		return la_select_name(&opts->select, arg);
	case OPT_REGEX:
		return la_select_regex(&opts->select, arg);
	case OPT_ALL:
		opts->select.all = true;
		return 0;
	case OPT_HOOK:
		return take_hook(opts, arg);
	case OPT_FOR:
		if (!la_duration_parse(arg, &opts->run_for) && opts->run_for)
			return 0;
		return bad("--for", arg, "a duration of more than 0, such as 30s, 10m");
	case OPT_COUNT:
		return take_number("--count", arg, 1ULL << 62, &opts->count);
	case OPT_DECAP:
		opts->shared.cfg.decap = 1;
		return 0;
	case OPT_MAX_FLOWS:
		return take_number("--max-flows", arg, FLOWS_MAX, &opts->max_flows);
	case OPT_MAX_ATTEMPTS:
		return take_number("--max-attempts", arg, FLOWS_MAX, &opts->max_attempts);
	case OPT_PRESSURE:
		return take_pressure(opts, arg);
	case OPT_RING_SIZE:
		return take_ring_size(opts, arg);
	case OPT_PERSIST:
		opts->persist = arg ? arg : LA_PERSIST_NAME;
		if (la_persist_name_ok(opts->persist))
			return 0;
		return bad("--persist", arg, LA_PERSIST_NAME_RULE);
	case OPT_BPFFS:
		opts->bpffs = arg;
		return 0;
	case OPT_DEBUG:
		opts->debug = true;
		return 0;
	default:
		opts->help = true;
		return 0;
	}
}

static int take_filter(struct run_opts *opts, char *const *words, int count)
{
	char *text = la_options_join(words, count), err[LA_FILTER_TEXT_MAX * 2 + 400];

	if (!text)
		return bad("filter", strerror(ENOMEM), NULL);
	opts->filter = la_filter_parse(text, err, sizeof(err));
	free(text);
	return opts->filter ? 0 : bad("filter", err, NULL);
}

static int check_table(const struct run_opts *opts)
{
	__u64 flows = opts->max_flows ? opts->max_flows : LA_FLOWS_DEFAULT;

	if (opts->max_attempts <= flows)
		return 0;
	return bad("--max-attempts", "that is more than --max-flows has room for", NULL);
}

static int take(struct run_opts *opts, int opt, char **argv)
{
	if (opt == '?' || opt == ':')
		return la_options_bad_word(opt, argv);
	switch (la_options_take(&opts->shared, opt, optarg)) {
	case LA_TAKEN_OK:
		return 0;
	case LA_TAKEN_NOT:
		return take_own(opts, opt, optarg);
	default:
		return -1;
	}
}

/* Fills opts. Returns 0, or -1 with the reason on stderr. */
static int parse(struct run_opts *opts, int argc, char **argv)
{
	int opt;

	la_options_init(&opts->shared);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_OPTIONS_SHORT "i:h", long_options, NULL)) !=
	       -1) {
		if (take(opts, opt, argv))
			return -1;
		if (opts->help)
			return 0;
	}
	if (check_table(opts) || la_select_check(&opts->select) || la_options_check(&opts->shared))
		return -1;
	if (opts->bpffs && !opts->persist)
		return bad("--bpffs", "it goes with --persist", NULL);
	return optind < argc ? take_filter(opts, argv + optind, argc - optind) : 0;
}

/* ---- what happens while it runs ---- */

static void stop(struct run *run, enum la_exit code)
{
	run->code = code;
	la_loop_stop(run->loop);
}

/* Hands records on and looks whether that was the end. */
static void drain(struct run *run)
{
	int err = la_events_drain(run->events);

	if (err < 0 || la_output_failed(run->output) || la_events_done(run->events))
		stop(run, LA_EXIT_OK); /* finish() looks at the failure */
}

static void records_wait(void *ctx, uint32_t events)
{
	(void)events;
	drain(ctx);
}

static void time_to_look(void *ctx, uint32_t events)
{
	struct run *run = ctx;

	(void)events;
	la_drain_losses(run->loader, run->events);
	drain(run);
}

static void told_to_stop(void *ctx, uint32_t events)
{
	(void)events;
	stop(ctx, LA_EXIT_OK);
}

static void output_closed(void *ctx, uint32_t events)
{
	/* Nobody reads any more; not an error, `lastack run | head` does it. */
	if (events & (EPOLLERR | EPOLLHUP))
		stop(ctx, LA_EXIT_OK);
}

/* Any interface can come, or come back: there is always something to wait for. */
static void tell_if_idle(struct run *run)
{
	bool idle = !la_attach_count(run->attach);

	if (idle && !run->idle)
		fputs("lastack: no interface to watch, waiting for one to appear\n", stderr);
	run->idle = idle;
}

static void interfaces_changed(void *ctx, uint32_t events)
{
	struct run *run = ctx;

	(void)events;
	la_netdev_watch_drain(run->watch);
	la_select_follow(&run->opts->select, run->attach);
	tell_if_idle(run);
}

/* ---- beginning and end ---- */

static int open_persist(struct run *run)
{
	const char *bpffs = run->opts->bpffs ? run->opts->bpffs : LA_PERSIST_BPFFS;

	run->persist = la_persist_open(bpffs, run->opts->persist, LA_PERSIST_RUN);
	run->fresh = run->persist && !la_persist_found(run->persist);
	return run->persist ? 0 : -1;
}

static void tell_size(const struct run *run)
{
	__u64 flows = la_loader_max_flows(run->loader);
	__u64 attempts =
		run->opts->max_attempts ? run->opts->max_attempts : flows / LA_ATTEMPTS_SHARE;

	fprintf(stderr,
		"lastack: table: %llu connections, %llu of them half-open, %llu MiB of kernel "
		"memory\n",
		(unsigned long long)flows, (unsigned long long)attempts,
		(unsigned long long)la_loader_memory(run->loader) >> 20);
}

static int load(struct run *run)
{
	struct la_loader_opts opts = {
		.config = run->opts->shared.cfg,
		.max_flows = (__u32)run->opts->max_flows,
		.max_attempts = (__u32)run->opts->max_attempts,
		.ring_bytes = (__u32)run->opts->ring_bytes,
		.generic = run->opts->select.hook == LA_CHOICE_XDP_GENERIC,
		.debug = run->opts->debug,
	};

	if (la_select_needs(&run->opts->select, &opts.progs))
		return -1;
	if (run->opts->persist && open_persist(run))
		return -1;
	opts.persist = run->persist;
	run->loader = la_loader_open(&opts);
	if (!run->loader)
		return -1;
	tell_size(run);
	run->attach = la_attach_new(run->loader, run->persist);
	return run->attach ? 0 : -1;
}

/* Writing must not keep a signal waiting: nobody may be reading. */
static bool output_waits(void *ctx)
{
	struct run *run = ctx;

	return la_loop_wait_writable(run->loop, STDOUT_FILENO);
}

static int make_sinks(struct run *run)
{
	struct la_events_opts opts = {
		.ring_fd = la_loader_ring(run->loader),
		.filter = run->opts->filter,
		.closes = run->opts->count,
		.journal = run->persist ? &la_persist_state(run->persist)->journal : NULL,
		.output_fd = STDOUT_FILENO,
	};
	struct la_output_opts out = {
		.clock_offset = la_realtime_offset_ns(),
		.ifname = la_attach_ifname,
		.ifname_ctx = run->attach,
		.wait = output_waits,
		.wait_ctx = run,
	};

	run->output = la_output_new(stdout, &run->opts->shared, out);
	run->summary = la_summary_new();
	if (!run->output || !run->summary)
		return la_fail(LA_EXIT_RUNTIME, "cannot print", NULL, strerror(ENOMEM), NULL), -1;
	run->events = la_events_new(&opts);
	if (!run->events)
		return -1;
	la_events_to(run->events, run->output);
	la_events_to(run->events, run->summary);
	return 0;
}

/* Before attaching: a signal from here on is an orderly end, no vanishing goes unseen. */
static int make_loop(struct run *run)
{
	run->loop = la_loop_new();
	if (!run->loop)
		return -1;
	run->watch = la_netdev_watch_open();
	if (run->watch < 0 || la_loop_signals(run->loop, told_to_stop, run) ||
	    la_loop_add(run->loop, run->watch, EPOLLIN, interfaces_changed, run) ||
	    la_loop_add(run->loop, STDOUT_FILENO, 0, output_closed, run) ||
	    la_loop_add(run->loop, la_events_fd(run->events), EPOLLIN, records_wait, run) ||
	    la_loop_timer(run->loop, LOOK_NS, LOOK_NS, time_to_look, run))
		return -1;
	if (run->opts->run_for)
		return la_loop_timer(run->loop, run->opts->run_for, 0, told_to_stop, run);
	return 0;
}

static int attach_all(struct run *run)
{
	if (la_select_start(&run->opts->select, run->attach))
		return -1;
	if (run->persist)
		la_attach_prune(run->attach);
	tell_if_idle(run);
	return 0;
}

/* Leaves all as it is, for the next one. */
static void leave(struct run *run)
{
	const char *name = la_persist_name(run->persist);
	bool named = strcmp(name, LA_PERSIST_NAME) != 0;

	la_drain_ring(run->events);
	la_drain_losses(run->loader, run->events);
	la_summary_goes_on(run->summary);
	fprintf(stderr,
		"lastack: %s: still attached and tracking; `lastack run --persist%s%s` reads on, "
		"`lastack detach%s%s` ends it\n",
		la_persist_path(run->persist), named ? "=" : "", named ? name : "",
		named ? " " : "", named ? name : "");
}

/* Everything after the loop. */
static void finish(struct run *run)
{
	struct la_counters counters;
	int failed;
	bool known;

	if (run->persist) {
		leave(run);
	} else {
		la_attach_detach(run->attach);
		la_drain_flows(run->loader, run->events);
	}
	la_sink_flush(run->output);
	known = !la_loader_counters(run->loader, &counters);
	failed = la_output_failed(run->output);
	if (failed && failed != EPIPE)
		run->code = LA_EXIT_RUNTIME;
	if (failed == EPIPE || !la_loop_wait_writable(run->loop, STDERR_FILENO))
		return;
	if (failed == ECANCELED)
		la_fail(LA_EXIT_RUNTIME, "cannot write the output", NULL,
			"told to stop, and nobody reads it", "what was left of it is discarded");
	la_summary_print(run->summary, known ? &counters : NULL, stderr,
			 la_color_wanted(run->opts->shared.color, stderr));
}

static void free_run(struct run *run)
{
	la_attach_free(run->attach);
	la_events_free(run->events);
	la_sink_close(run->output); /* which may still wait in the loop */
	la_sink_close(run->summary);
	la_loop_free(run->loop);
	if (run->watch >= 0)
		close(run->watch);
	la_loader_close(run->loader);
	la_persist_close(run->persist);
}

/* A start that failed leaves nothing that was not there before. */
static void undo(struct run *run)
{
	if (!run->fresh)
		return;
	if (run->attach)
		la_attach_detach(run->attach);
	la_persist_remove(run->persist);
}

static int run_with(const struct run_opts *opts)
{
	struct run run = {.opts = opts, .watch = -1, .code = LA_EXIT_RUNTIME};

	signal(SIGPIPE, SIG_IGN); /* a closed stdout is an orderly end too */
	if (load(&run) || make_sinks(&run) || make_loop(&run) || attach_all(&run)) {
		undo(&run);
		goto cleanup;
	}
	run.code = LA_EXIT_OK;
	if (la_loop_run(run.loop))
		run.code = LA_EXIT_RUNTIME;
	finish(&run);
cleanup:
	free_run(&run);
	return run.code;
}

int la_cmd_run(int argc, char **argv)
{
	struct run_opts opts = {0};
	int code = LA_EXIT_USAGE;

	if (parse(&opts, argc, argv))
		goto cleanup;
	code = opts.help ? help() : run_with(&opts);
cleanup:
	la_filter_free(opts.filter);
	la_select_free(&opts.select);
	return code;
}
