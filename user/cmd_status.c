/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_status.c - lastack status: each lastack that runs, and what `lastack run --persist` has left
 * in the kernel.
 *
 * What is pinned is read whether one runs or not; one that pins nothing is asked by its control
 * socket. Changes nothing.
 */
#include "attach.h"
#include "cmd.h"
#include "keep.h"
#include "options.h"
#include "outbuf.h"
#include "ring.h"
#include "source.h"
#include "text.h"
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct status_opts {
	enum la_format format;
	const char *name; /* NULL: all */
	const char *bpffs;
	bool pins_only;	     /* somebody has said where they are */
	const char *control; /* only the one that listens there; NULL: not so */
	bool help;
};

/* What there is to say of one. */
struct status {
	struct la_persist *persist;
	const struct la_persist_state *state;
	bool owned;
	bool known; /* what follows was read */
	__u32 max_flows;
	__u64 flows;
	__u64 waiting; /* bytes in the ring */
	struct la_counters counters;
};

struct listing {
	const struct status_opts *opts;
	struct la_buf out;
	unsigned int count;
	bool failed;
};

/* ---- the command line ---- */

enum { OPT_BPFFS = LA_OPT_OWN, OPT_CONTROL };

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"bpffs", required_argument, NULL, OPT_BPFFS},
	{"control", required_argument, NULL, OPT_CONTROL},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int help(void)
{
	fputs("usage: lastack status [OPTIONS] [NAME]\n\n"
	      "Tells which lastack runs, and what `lastack run --persist[=NAME]` has left in the\n"
	      "kernel, whether one runs it or not; without NAME of all of them. Exits with 0 if\n"
	      "there is something, with 1 if there is nothing.\n\n"
	      "  -o, --output FORMAT    text (default), or jsonl, one object a line\n"
	      "      --control PATH     only the lastack that listens there\n"
	      "      --bpffs DIR        only what is pinned there (default " LA_PERSIST_BPFFS
	      ", and\n"
	      "                         who listens in " LA_CONTROL_DIR ")\n"
	      "  -h, --help             this text\n",
	      stdout);
	return LA_EXIT_OK;
}

static int take_format(struct status_opts *opts, const char *word)
{
	char err[200];

	if (la_options_format(word, &opts->format, err, sizeof(err)))
		return la_options_bad("-o", err, NULL);
	return opts->format > LA_FORMAT_JSONL ? la_options_bad("-o", word, "there are: text jsonl")
					      : 0;
}

static int take(struct status_opts *opts, int opt, char **argv)
{
	switch (opt) {
	case 'o':
		return take_format(opts, optarg);
	case OPT_BPFFS:
		opts->bpffs = optarg;
		opts->pins_only = true;
		return 0;
	case OPT_CONTROL:
		opts->control = optarg;
		return 0;
	case 'h':
		opts->help = true;
		return 0;
	default:
		return la_options_bad_word(opt, argv);
	}
}

static int parse(struct status_opts *opts, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1)
		if (take(opts, opt, argv))
			return -1;
	if (optind < argc)
		opts->name = argv[optind++];
	if (opts->name && !la_persist_name_ok(opts->name))
		return la_options_bad(opts->name, "no such name", LA_PERSIST_NAME_RULE);
	return optind < argc ? la_options_bad(argv[optind], "only one name can be given", NULL) : 0;
}

/* ---- reading ---- */

static void read_ring(struct status *status, const struct la_loader *loader)
{
	struct la_ring *ring = la_ring_open(la_loader_ring(loader));

	if (ring)
		status->waiting = la_ring_waiting(ring);
	la_ring_close(ring);
}

static void read_loaded(struct status *status, const struct la_loader *loader)
{
	if (!loader || la_loader_counters(loader, &status->counters))
		return;
	status->known = true;
	status->flows = status->counters.opened - status->counters.gone;
	status->max_flows = la_loader_max_flows(loader);
	read_ring(status, loader);
}

static void read_tables(struct status *status)
{
	struct la_loader_opts opts = {.persist = status->persist, .look = true};
	struct la_loader *loader;

	if (!la_loader_knows(status->persist))
		return;
	loader = la_loader_open(&opts);
	read_loaded(status, loader);
	la_loader_close(loader);
}

/* The hooks of an interface by name; "none" if it has lost what was there. */
struct hooks {
	const char *ingress, *egress;
};

static struct hooks hooks_of(const struct status *status, struct la_persist_place *kept)
{
	struct la_place place = {
		.dev.ifindex = kept->ifindex, .xdp = -1, .tcx = {-1, -1}, .kept = kept};
	const char *tc = kept->clsact ? "clsact" : "none";
	struct hooks hooks;

	la_clsact_init(&place.clsact, kept->ifindex);
	la_keep_take(status->persist, &place);
	hooks.ingress = place.tcx[LA_INGRESS] >= 0 ? "tcx" : tc;
	if (place.xdp >= 0)
		hooks.ingress = kept->choice == LA_CHOICE_XDP_GENERIC ? "xdp-generic" : "xdp";
	hooks.egress = place.tcx[LA_EGRESS] >= 0 ? "tcx" : tc;
	la_keep_close(&place);
	return hooks;
}

static __u64 packets_of(const struct la_counters *counters)
{
	__u64 all = 0;

	for (unsigned int hook = 0; hook < LA_HOOK_MAX; hook++)
		for (unsigned int reason = 0; reason < LA_REASON_MAX; reason++)
			all += counters->packets[hook][reason];
	return all;
}

static const char *user_of(__u32 uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : "";
}

/* ---- as text ---- */

static void put_title(struct la_buf *out, const char *title)
{
	size_t len = strlen(title);

	la_buf_lit(out, "  ");
	la_buf_str(out, title);
	la_buf_fill(out, ' ', 12 - (int)len);
}

static void put_number(struct la_buf *out, __u64 number, const char *after)
{
	la_buf_u64(out, number);
	la_buf_str(out, after);
}

static void put_time(struct la_buf *out, __u64 ns)
{
	time_t seconds = (time_t)(ns / LA_SEC_NS);
	char text[40];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S\n", &tm);
	la_buf_str(out, text);
}

static void text_owner(struct la_buf *out, const struct status *status)
{
	put_title(out, "run by");
	la_buf_str(out, status->owned ? "pid " : "nobody, last by pid ");
	la_buf_u64(out, status->state->daemon_pid);
	la_buf_lit(out, " (");
	la_buf_str(out, user_of(status->state->daemon_uid));
	la_buf_lit(out, ") since ");
	put_time(out, status->state->daemon_since);
}

static void text_interfaces(struct la_buf *out, const struct status *status)
{
	for (int i = 0; i < LA_PERSIST_PLACES; i++) {
		struct la_persist_place kept = status->state->places[i];
		struct hooks hooks;

		if (!kept.attached)
			continue;
		hooks = hooks_of(status, &kept);
		put_title(out, "interface");
		la_buf_str(out, kept.ifname);
		la_buf_lit(out, ", ingress ");
		la_buf_str(out, hooks.ingress);
		la_buf_lit(out, ", egress ");
		la_buf_str(out, hooks.egress);
		la_buf_char(out, '\n');
	}
}

static void text_tables(struct la_buf *out, const struct status *status)
{
	put_title(out, "flows");
	put_number(out, status->flows, " of ");
	put_number(out, status->max_flows, "\n");
	put_title(out, "packets");
	put_number(out, packets_of(&status->counters), "\n");
	put_title(out, "to be read");
	put_number(out, status->waiting, " bytes of records\n");
	put_title(out, "lost");
	for (unsigned int source = 0; source < LA_LOST_MAX; source++) {
		put_number(out, status->counters.lost[source], " ");
		la_buf_str(out, la_text_lost(source));
		la_buf_str(out, source + 1 < LA_LOST_MAX ? ", " : " records\n");
	}
}

static void put_text(struct la_buf *out, const struct status *status)
{
	la_buf_str(out, la_persist_name(status->persist));
	la_buf_lit(out, "  ");
	la_buf_str(out, la_persist_path(status->persist));
	la_buf_lit(out, "\n");
	put_title(out, "ABI");
	put_number(out, status->state->abi, "");
	la_buf_str(out, status->known ? "\n" : ", made by another version of lastack\n");
	if (la_persist_foreign(status->persist))
		return;
	text_owner(out, status);
	put_title(out, "tracks");
	la_buf_lit(out, "since ");
	put_time(out, status->state->since);
	text_interfaces(out, status);
	if (status->known)
		text_tables(out, status);
}

/* ---- as JSON ---- */

static void put_key(struct la_buf *out, const char *key)
{
	la_buf_lit(out, ",\"");
	la_buf_str(out, key);
	la_buf_lit(out, "\":");
}

static void json_number(struct la_buf *out, const char *key, __u64 number)
{
	put_key(out, key);
	la_buf_u64(out, number);
}

static void json_text(struct la_buf *out, const char *key, const char *text)
{
	put_key(out, key);
	la_buf_json(out, text);
}

static void json_bool(struct la_buf *out, const char *key, bool value)
{
	put_key(out, key);
	la_buf_str(out, value ? "true" : "false");
}

static void json_interfaces(struct la_buf *out, const struct status *status)
{
	const char *comma = "";

	put_key(out, "interfaces");
	la_buf_char(out, '[');
	for (int i = 0; i < LA_PERSIST_PLACES; i++) {
		struct la_persist_place kept = status->state->places[i];
		struct hooks hooks;

		if (!kept.attached)
			continue;
		hooks = hooks_of(status, &kept);
		la_buf_str(out, comma);
		la_buf_lit(out, "{\"ifindex\":");
		la_buf_u64(out, (__u64)kept.ifindex);
		json_text(out, "ifname", kept.ifname);
		json_text(out, "ingress", hooks.ingress);
		json_text(out, "egress", hooks.egress);
		la_buf_char(out, '}');
		comma = ",";
	}
	la_buf_char(out, ']');
}

static void json_owner(struct la_buf *out, const struct status *status)
{
	json_bool(out, "running", status->owned);
	json_number(out, "pid", status->state->daemon_pid);
	json_number(out, "uid", status->state->daemon_uid);
	json_text(out, "user", user_of(status->state->daemon_uid));
	json_number(out, "run_since_ns", status->state->daemon_since);
	json_number(out, "since_ns", status->state->since);
	json_number(out, "netns", status->state->netns);
}

static void json_tables(struct la_buf *out, const struct status *status)
{
	json_number(out, "flows", status->flows);
	json_number(out, "flows_limit", status->max_flows);
	json_number(out, "opened", status->counters.opened);
	json_number(out, "packets", packets_of(&status->counters));
	json_number(out, "waiting_bytes", status->waiting);
	for (unsigned int source = 0; source < LA_LOST_MAX; source++) {
		char key[40];

		snprintf(key, sizeof(key), "lost_%s", la_text_lost(source));
		json_number(out, key, status->counters.lost[source]);
	}
}

static void put_json(struct la_buf *out, const struct status *status)
{
	la_buf_lit(out, "{\"v\":1,\"type\":\"status\"");
	json_text(out, "name", la_persist_name(status->persist));
	json_text(out, "path", la_persist_path(status->persist));
	json_number(out, "abi", status->state->abi);
	json_bool(out, "readable", status->known);
	if (!la_persist_foreign(status->persist)) {
		json_owner(out, status);
		json_interfaces(out, status);
	}
	if (status->known)
		json_tables(out, status);
	la_buf_lit(out, "}\n");
}

/* ---- the work ---- */

static int list_one(const char *name, void *ctx)
{
	struct listing *listing = ctx;
	struct status status = {
		.persist = la_persist_open(listing->opts->bpffs, name, LA_PERSIST_LOOK)};

	if (!status.persist) {
		listing->failed = true;
		return 0;
	}
	if (la_persist_found(status.persist)) {
		status.state = la_persist_state(status.persist);
		status.owned = la_persist_owned(status.persist);
		read_tables(&status);
		if (listing->opts->format == LA_FORMAT_JSONL)
			put_json(&listing->out, &status);
		else
			put_text(&listing->out, &status);
		listing->count++;
	}
	la_persist_close(status.persist);
	return 0;
}

/* One that runs and has pinned nothing. */
static void put_running(struct la_buf *out, const struct status *status, const char *path,
			__u32 pid, enum la_format format)
{
	if (format == LA_FORMAT_JSONL) {
		la_buf_lit(out, "{\"v\":1,\"type\":\"status\"");
		json_text(out, "path", path);
		json_number(out, "abi", LA_ABI_VERSION);
		json_bool(out, "readable", status->known);
		json_bool(out, "running", true);
		json_number(out, "pid", pid);
		if (status->known)
			json_tables(out, status);
		la_buf_lit(out, "}\n");
		return;
	}
	la_buf_str(out, path);
	la_buf_lit(out, "  (ends with its lastack, see --persist)\n");
	put_title(out, "run by");
	la_buf_lit(out, "pid ");
	put_number(out, pid, "\n");
	if (status->known)
		text_tables(out, status);
}

static void list_socket(struct listing *listing, const char *path)
{
	const struct la_source_opts opts = {.control = path, .cannot = "cannot tell the status"};
	struct la_source *source = la_source_open(&opts);
	struct status status = {0};

	if (!source) {
		listing->failed = true;
		return;
	}
	read_loaded(&status, la_source_loader(source));
	put_running(&listing->out, &status, path, la_source_pid(source), listing->opts->format);
	listing->count++;
	la_source_close(source);
}

/* Is it of the name that is wanted, if one is, and not of those whose pins tell more? */
static bool is_wanted(const struct status_opts *opts, const char *path)
{
	char name[LA_CONTROL_PATH_MAX], pins[PATH_MAX];

	snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
	*strrchr(name, '.') = '\0';
	snprintf(pins, sizeof(pins), "%s/lastack/%s", opts->bpffs, name);
	return (!opts->name || !strcmp(name, opts->name)) && access(pins, F_OK);
}

static void list_sockets(struct listing *listing)
{
	glob_t found;

	if (!glob(LA_CONTROL_DIR "/*.sock", 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (is_wanted(listing->opts, found.gl_pathv[i]))
				list_socket(listing, found.gl_pathv[i]);
	globfree(&found);
}

/* Returns 0, or -1 with the reason on stderr. */
static int list_all(struct listing *listing)
{
	const struct status_opts *opts = listing->opts;

	if (opts->control) {
		list_socket(listing, opts->control);
		return 0;
	}
	if (!opts->pins_only)
		list_sockets(listing);
	return opts->name ? list_one(opts->name, listing)
			  : la_persist_each(opts->bpffs, list_one, listing);
}

static int status_with(const struct status_opts *opts)
{
	struct listing listing = {.opts = opts, .out.to = stdout};
	int err = list_all(&listing);

	la_buf_flush(&listing.out);
	if (err || listing.failed || listing.out.error)
		return LA_EXIT_RUNTIME;
	if (listing.count)
		return LA_EXIT_OK;
	fprintf(stderr, "lastack: %s: nothing is attached%s%s%s\n", opts->bpffs,
		opts->name ? " by the name of " : "", opts->name ? opts->name : "",
		opts->pins_only ? "" : ", and no lastack runs");
	return LA_EXIT_RUNTIME;
}

int la_cmd_status(int argc, char **argv)
{
	struct status_opts opts = {.format = LA_FORMAT_TEXT, .bpffs = LA_PERSIST_BPFFS};

	if (parse(&opts, argc, argv))
		return LA_EXIT_USAGE;
	return opts.help ? help() : status_with(&opts);
}
