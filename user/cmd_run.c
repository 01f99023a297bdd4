/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_run.c - lastack run: attach, track, print.
 *
 * Takes its settings, puts loader, attacher, events and sinks together, and waits. With a
 * configuration file, SIGHUP makes it read that again. The end is always the same, whoever asked
 * for it (a signal, --for, --count, a closed stdout): detach, close what is still open, drain,
 * flush, summary. With --persist nothing is detached and nothing closed.
 */
#include "attach.h"
#include "breakdown.h"
#include "clock.h"
#include "cmd.h"
#include "control_server.h"
#include "drain.h"
#include "enforce.h"
#include "history.h"
#include "loop.h"
#include "output.h"
#include "sandbox.h"
#include "settings.h"
#include "tls.h"
#include "web.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* How often the counters are read for what was lost. */
#define LOOK_NS (250 * LA_MSEC_NS)

struct run {
	const struct la_run_args *args;
	struct la_settings *settings;
	const struct la_run_options *opts; /* of settings */
	struct la_persist *persist;	   /* or NULL */
	struct la_loader *loader;
	struct la_attach *attach;
	struct la_owners *owners; /* or NULL */
	struct la_sink *output;
	struct la_sink *summary;
	struct la_events *events;
	struct la_web *web;
	struct la_breakdown *breakdown; /* or NULL */
	struct la_history *history;	/* or NULL */
	struct la_control_server *control;
	struct la_enforce *enforce;
	struct la_loop *loop;
	int watch;  /* of the interfaces */
	bool idle;  /* none of them is attached */
	bool fresh; /* it persists from now on, and did not before */
	int code;   /* enum la_exit */
};

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

static void kill_by_hand(const struct la_control_conn *conn, void *ctx)
{
	la_enforce_kill(((struct run *)ctx)->enforce, &conn->key, conn->id);
}

static void time_to_look(void *ctx, uint32_t events)
{
	struct run *run = ctx;

	(void)events;
	la_drain_losses(run->loader, run->events);
	drain(run);
	la_control_server_kills(run->control, kill_by_hand, run);
	la_enforce_tick(run->enforce, la_monotonic_ns());
	la_owners_look(run->owners, la_monotonic_ns());
	if (run->history)
		la_history_trim(run->history, la_realtime_ns());
	la_web_beat(run->web, la_monotonic_ns(), !run->idle);
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
	la_enforce_follow(run->enforce);
	tell_if_idle(run);
}

/* ---- other settings ---- */

#define KEPT_MAX 32

/* Says that they have taken effect, but for what is fixed. */
static void tell_reloaded(const struct la_settings *settings,
			  const struct la_run_option *const kept[], unsigned int count)
{
	fprintf(stderr, "lastack: %s: reloaded", la_config_file_path(settings->file));
	for (unsigned int i = 0; i < count; i++)
		fprintf(stderr, "%s%s", i ? " " : "; only a new start changes: ", kept[i]->name);
	fputc('\n', stderr);
}

/* Reads certificate and key, if there are any. Returns 0, or -1 with the reason on stderr. */
static int read_tls(const struct la_run_options *opts, struct la_tls **tls)
{
	*tls = NULL;
	if (!*opts->http_cert_file)
		return 0;
	*tls = la_tls_read(opts->http_cert_file, opts->http_key_file);
	return *tls ? 0 : -1;
}

static void use_groups(struct run *run, struct la_metric_groups *groups)
{
	la_metric_groups_ifnames(groups, la_attach_ifname, run->attach);
	la_metric_groups_owners(groups, la_owners_of, run->owners);
	if (run->breakdown)
		la_breakdown_groups(run->breakdown, groups);
}

static int reconfigure(const struct run *run, const struct la_run_options *opts)
{
	return la_loader_reconfigure(run->loader, &opts->shared.cfg, &opts->policies.guards);
}

/*
 * What may fail in going over to other settings, but the certificate: all of it, or nothing and -1
 * with the reason on stderr.
 */
static int change_tracking(struct run *run, struct la_settings *next)
{
	int err;

	la_policies_ifnames(&next->opts.policies, la_attach_ifname, run->attach);
	la_policies_owners(&next->opts.policies, la_owners_of, run->owners);
	if (la_enforce_can(run->enforce, &next->opts.policies))
		return -1;
	if (la_select_change(&run->opts->select, &next->opts.select, run->attach))
		return -1;
	err = reconfigure(run, &next->opts);
	if (err) {
		la_fail(LA_EXIT_RUNTIME, "cannot change the timeouts", NULL, strerror(-err), NULL);
		reconfigure(run, run->opts);
		la_select_change(&next->opts.select, &run->opts->select, run->attach);
		return -1;
	}
	return 0;
}

/* From the present settings to others: all of them, or none and -1 with the reason on stderr. */
static int take_over(struct run *run, struct la_settings *next)
{
	struct la_tls *tls;

	if (read_tls(&next->opts, &tls))
		return -1;
	if (change_tracking(run, next)) {
		la_tls_free(tls);
		return -1;
	}
	if (tls)
		la_tls_use(tls);
	la_filter_ifnames(next->opts.filter, la_attach_ifname, run->attach);
	la_filter_owners(next->opts.filter, la_owners_of, run->owners);
	la_events_filter(run->events, next->opts.filter);
	use_groups(run, &next->opts.groups);
	la_enforce_policies(run->enforce, &next->opts.policies);
	la_enforce_follow(run->enforce);
	la_settings_free(run->settings);
	run->settings = next;
	run->opts = &next->opts;
	tell_if_idle(run);
	return 0;
}

static void told_to_reload(void *ctx, uint32_t events)
{
	struct run *run = ctx;
	const char *path = la_config_file_path(run->settings->file);
	const struct la_run_option *kept[KEPT_MAX];
	struct la_settings *next;
	unsigned int count = 0;

	(void)events;
	drain(run); /* what happened before goes through the filter of before */
	next = la_settings_read(run->args);
	if (next)
		count = la_run_options_keep(&next->opts, run->opts, kept, KEPT_MAX);
	if (next && !take_over(run, next)) {
		tell_reloaded(next, kept, count < KEPT_MAX ? count : KEPT_MAX);
		sd_notify(0, "STATUS=reloaded");
		return;
	}
	sd_notify(0, "STATUS=a reload was refused, all stays as it was");
	fprintf(stderr, "lastack: %s: not reloaded, all stays as it was\n", path);
	la_settings_free(next);
}

/* ---- beginning and end ---- */

static int open_persist(struct run *run)
{
	const char *bpffs = *run->opts->bpffs ? run->opts->bpffs : LA_PERSIST_BPFFS;

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
		.guards = &run->opts->policies.guards,
		.max_flows = (__u32)run->opts->max_flows,
		.max_attempts = (__u32)run->opts->max_attempts,
		.ring_bytes = (__u32)run->opts->ring_bytes,
		.generic = run->opts->select.hook == LA_CHOICE_XDP_GENERIC,
		.debug = run->opts->debug,
	};

	if (la_select_needs(&run->opts->select, run->settings->file, &opts.progs))
		return -1;
	if (*run->opts->persist && open_persist(run))
		return -1;
	opts.persist = run->persist;
	run->loader = la_loader_open(&opts);
	if (!run->loader)
		return -1;
	tell_size(run);
	if (!run->opts->no_process)
		run->owners = la_owners_open(run->opts->debug);
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
		.owners = run->owners,
		.closes = run->opts->count,
		.journal = run->persist ? &la_persist_state(run->persist)->journal : NULL,
		.output_fd = STDOUT_FILENO,
	};
	struct la_output_opts out = {
		.clock_offset = la_realtime_offset_ns(),
		.ifname = la_attach_ifname,
		.ifname_ctx = run->attach,
		.owners = la_owners_of,
		.owners_ctx = run->owners,
		.wait = output_waits,
		.wait_ctx = run,
	};

	la_filter_ifnames(run->opts->filter, la_attach_ifname, run->attach);
	la_filter_owners(run->opts->filter, la_owners_of, run->owners);
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

static int open_history(struct run *run)
{
	struct la_history_opts opts = {
		.path = run->opts->history,
		.max_bytes = run->opts->history_bytes,
		.max_age = run->opts->history_age,
		.clock_offset = la_realtime_offset_ns(),
		.ifname = la_attach_ifname,
		.ifname_ctx = run->attach,
		.owners = la_owners_of,
		.owners_ctx = run->owners,
	};

	if (!*opts.path)
		return 0;
	run->history = la_history_open(&opts);
	if (!run->history)
		return -1;
	la_events_all_to(run->events, la_history_sink(run->history));
	return 0;
}

/* First: whoever has named a wrong file need not wait for the programs to be loaded. */
static int open_tls(struct run *run)
{
	struct la_tls *tls;

	if (!read_tls(run->opts, &tls)) {
		la_tls_use(tls);
		return 0;
	}
	run->code = LA_EXIT_USAGE;
	return -1;
}

/* Connections that ended are told apart in metrics, if somebody asked for it. */
static int make_breakdown(struct run *run)
{
	const struct la_breakdown_opts opts = {
		.labels = run->opts->metrics_labels,
		.max = (unsigned int)run->opts->metrics_label_sets,
		.ifname = la_attach_ifname,
		.ifname_ctx = run->attach,
	};

	if (!opts.labels)
		return 0;
	run->breakdown = la_breakdown_new(&opts);
	if (!run->breakdown)
		return la_fail(LA_EXIT_RUNTIME, "cannot count", NULL, strerror(ENOMEM), NULL), -1;
	use_groups(run, &run->settings->opts.groups);
	la_events_all_to(run->events, la_breakdown_sink(run->breakdown));
	return 0;
}

static int open_web(struct run *run)
{
	struct la_web_opts opts = {
		.listen = run->opts->listen,
		.asked = run->opts->listen_asked,
		.auth_file = run->opts->http_auth_file,
		.tls = *run->opts->http_cert_file,
		.print = {.clock_offset = la_realtime_offset_ns(),
			  .ifname = la_attach_ifname,
			  .ifname_ctx = run->attach,
			  .owners = la_owners_of,
			  .owners_ctx = run->owners},
	};
	enum la_exit code = la_web_open(&run->web, &opts);

	if (code) {
		run->code = code;
		return -1;
	}
	la_events_all_to(run->events, la_web_sink(run->web));
	return 0;
}

static void policy_tells(const struct la_rec *rec, void *ctx)
{
	la_events_tell(((struct run *)ctx)->events, rec);
}

static void policy_breathes(void *ctx)
{
	drain(ctx);
}

/* Behind the outputs: what sets a policy off is told first. */
static int make_policies(struct run *run)
{
	const struct la_enforce_opts opts = {
		.loader = run->loader,
		.attach = run->attach,
		.tell = policy_tells,
		.breathe = policy_breathes,
		.ctx = run,
	};

	run->enforce = la_enforce_new(&opts);
	if (!run->enforce || la_enforce_can(run->enforce, &run->opts->policies))
		return -1;
	la_events_all_to(run->events, la_enforce_sink(run->enforce));
	return 0;
}

/* When interfaces are attached: connections may be there already. */
static int start_policies(struct run *run)
{
	struct la_policies *policies = &run->settings->opts.policies;

	la_policies_ifnames(policies, la_attach_ifname, run->attach);
	la_policies_owners(policies, la_owners_of, run->owners);
	la_enforce_policies(run->enforce, policies);
	la_enforce_follow(run->enforce);
	return 0;
}

/* Without a file to read again, SIGHUP is the end of a terminal, and so of the run. */
static int catch_signals(struct run *run)
{
	bool reloads = run->settings->file;

	if (la_loop_signals(run->loop, !reloads, told_to_stop, run))
		return -1;
	return reloads ? la_loop_hangup(run->loop, told_to_reload, run) : 0;
}

/* Before attaching: a signal from here on is an orderly end, no vanishing goes unseen. */
static int make_loop(struct run *run)
{
	run->loop = la_loop_new();
	if (!run->loop)
		return -1;
	run->watch = la_netdev_watch_open();
	if (run->watch < 0 || catch_signals(run) ||
	    la_loop_add(run->loop, run->watch, EPOLLIN, interfaces_changed, run) ||
	    la_loop_add(run->loop, STDOUT_FILENO, 0, output_closed, run) ||
	    la_loop_add(run->loop, la_events_fd(run->events), EPOLLIN, records_wait, run) ||
	    la_loop_timer(run->loop, LOOK_NS, LOOK_NS, time_to_look, run))
		return -1;
	if (run->opts->run_for)
		return la_loop_timer(run->loop, run->opts->run_for, 0, told_to_stop, run);
	return 0;
}

/* The next reading of a file may bring a policy that sends packets. */
static int give_up_privileges(const struct run *run)
{
	return la_sandbox_enter(run->settings->file || la_policies_send(&run->opts->policies));
}

/* When all is in place, and signals go to the loop: the threads inherit their mask. */
static int start_threads(struct run *run)
{
	la_web_beat(run->web, la_monotonic_ns(), !run->idle);
	return la_web_start(run->web, run->loader, run->enforce, run->breakdown) ||
			       la_control_server_start(run->control)
		       ? -1
		       : 0;
}

static int open_control(struct run *run)
{
	const char *wanted = run->opts->control;
	char path[LA_CONTROL_PATH_MAX];
	struct la_control_server_opts opts = {
		.path = strcmp(wanted, "none") ? wanted : "",
		.asked = *wanted,
		.loader = run->loader,
		.owners = run->owners,
		.ifname = la_attach_ifname,
		.ifname_ctx = run->attach,
	};

	if (!*wanted) {
		la_control_path(path, sizeof(path),
				run->persist ? la_persist_name(run->persist) : LA_PERSIST_NAME);
		opts.path = path;
	}
	run->control = la_control_server_open(&opts);
	if (!run->control)
		return -1;
	la_events_all_to(run->events, la_control_server_sink(run->control));
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

/* Takes all off, and tells what is left; or leaves all as it is, for the next one. */
static void end_tracking(struct run *run)
{
	la_enforce_end(run->enforce);
	if (run->persist) {
		la_drain_ring(run->events);
		la_drain_losses(run->loader, run->events);
		la_summary_goes_on(run->summary);
	} else {
		la_attach_detach(run->attach);
		la_drain_flows(run->loader, run->events);
	}
	la_sink_flush(run->output);
}

static void tell_what_stays(const struct la_persist *persist)
{
	const char *name = la_persist_name(persist);
	bool named = strcmp(name, LA_PERSIST_NAME) != 0;

	fprintf(stderr,
		"lastack: %s: still attached and tracking; `lastack run --persist%s%s` reads on, "
		"`lastack detach%s%s` ends it\n",
		la_persist_path(persist), named ? "=" : "", named ? name : "", named ? " " : "",
		named ? name : "");
}

/* Everything after the loop. */
static void finish(struct run *run)
{
	struct la_counters counters;
	int failed;
	bool known;

	end_tracking(run);
	known = !la_loader_counters(run->loader, &counters);
	failed = la_output_failed(run->output);
	if (failed && failed != EPIPE)
		run->code = LA_EXIT_RUNTIME;
	if (failed == EPIPE || !la_loop_wait_writable(run->loop, STDERR_FILENO))
		return;
	if (run->persist)
		tell_what_stays(run->persist);
	if (failed == ECANCELED)
		la_fail(LA_EXIT_RUNTIME, "cannot write the output", NULL,
			"told to stop, and nobody reads it",
			run->persist ? "what was left of it waits for the next one"
				     : "what was left of it is discarded");
	la_summary_print(run->summary, known ? &counters : NULL, stderr,
			 la_color_wanted(run->opts->shared.color, stderr));
}

static void free_run(struct run *run)
{
	la_control_server_stop(run->control);
	la_web_close(run->web); /* its thread reads the maps */
	la_tls_use(NULL);
	la_breakdown_free(run->breakdown);
	la_enforce_free(run->enforce);
	la_attach_free(run->attach);
	la_events_free(run->events);
	la_sink_close(run->output); /* which may still wait in the loop */
	la_sink_close(run->summary);
	la_history_close(run->history);
	la_loop_free(run->loop);
	if (run->watch >= 0)
		close(run->watch);
	la_owners_free(run->owners);
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

/* A SIGHUP that comes while the programs are loaded is not the end either: it waits. */
static void hold_hangup(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int run_with(const struct la_run_args *args)
{
	struct run run = {.args = args, .watch = -1, .code = LA_EXIT_RUNTIME};

	run.settings = la_settings_read(args);
	if (!run.settings)
		return LA_EXIT_USAGE;
	run.opts = &run.settings->opts;
	if (run.settings->file)
		hold_hangup();
	signal(SIGPIPE, SIG_IGN); /* a closed stdout is an orderly end too */
	if (open_tls(&run) || load(&run) || make_sinks(&run) || open_history(&run) ||
	    make_breakdown(&run) || open_web(&run) || make_policies(&run) || make_loop(&run) ||
	    attach_all(&run) || start_policies(&run) || open_control(&run) ||
	    give_up_privileges(&run) || start_threads(&run)) {
		undo(&run);
		goto cleanup;
	}
	run.code = LA_EXIT_OK;
	sd_notify(0, "READY=1");
	if (la_loop_run(run.loop))
		run.code = LA_EXIT_RUNTIME;
	sd_notify(0, "STOPPING=1");
	finish(&run);
cleanup:
	free_run(&run);
	la_settings_free(run.settings);
	return run.code;
}

int la_cmd_run(int argc, char **argv)
{
	struct la_run_args args;
	int code = LA_EXIT_USAGE;

	if (la_run_args_parse(&args, argc, argv))
		goto cleanup;
	if (!args.config)
		args.config = la_settings_default();
	if (args.help)
		la_run_options_help();
	code = args.help ? LA_EXIT_OK : run_with(&args);
cleanup:
	la_run_args_free(&args);
	return code;
}
