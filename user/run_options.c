/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_options.c - the table of options, how each is read, which do not go together. See
 * run_options.h.
 */
#include "run_options.h"
#include "breakdown.h"
#include "history.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* The flow table is a hash table of the kernel, all of it allocated at start. */
#define FLOWS_MAX (1U << 26)

/* Who lets so many guesses pass has no limit. */
#define RST_LIMIT_MAX 1000000

/* More than a gigabyte of records waits for nobody. */
#define RING_MIB_MAX 1024

/* ---- how each is read ---- */

static int set_interface(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return la_select_name(&opts->select, text, err, size);
}

static int set_regex(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return la_select_regex(&opts->select, text, err, size);
}

static int set_all(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	(void)text, (void)err, (void)size;
	opts->select.all = true;
	return 0;
}

static int set_hook(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	static const char *const hooks[] = {
		[LA_CHOICE_AUTO] = "auto",
		[LA_CHOICE_XDP] = "xdp",
		[LA_CHOICE_XDP_GENERIC] = "xdp-generic",
		[LA_CHOICE_TC] = "tc",
		[LA_CHOICE_TC_LEGACY] = "tc-legacy",
	};
	int hook = la_word_find(text, hooks, COUNT(hooks), err, size);

	if (hook < 0)
		return -1;
	opts->select.hook = (enum la_hook_choice)hook;
	return 0;
}

static int set_for(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	if (!la_duration_parse(text, &opts->run_for) && opts->run_for)
		return 0;
	snprintf(err, size, "%s (a duration of more than 0, such as 30s, 10m)", text);
	return -1;
}

static int read_number(const char *text, __u64 max, __u64 *number, char *err, size_t size)
{
	if (!la_number_parse(text, number) && *number <= max)
		return 0;
	snprintf(err, size, "%s (a whole number from 1 to %llu)", text, (unsigned long long)max);
	return -1;
}

static int set_count(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return read_number(text, 1ULL << 62, &opts->count, err, size);
}

static int set_max_flows(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return read_number(text, FLOWS_MAX, &opts->max_flows, err, size);
}

static int set_max_attempts(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return read_number(text, FLOWS_MAX, &opts->max_attempts, err, size);
}

static int set_pressure(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	__u64 percent;

	if (read_number(text, 100, &percent, err, size))
		return -1;
	opts->shared.cfg.pressure = (__u8)percent;
	return 0;
}

static int set_rst_policy(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	static const char *const policies[] = {LA_RST_POLICIES(LA_ROW_WORD)};
	int at = la_word_find(text, policies, COUNT(policies), err, size);

	if (at < 0)
		return -1;
	opts->shared.cfg.rst_policy = (__u8)(LA_RST_POLICY_OBSERVE + at);
	opts->policies.judges = opts->shared.cfg.rst_policy > LA_RST_POLICY_OBSERVE;
	opts->policies.challenges = opts->shared.cfg.rst_policy == LA_RST_POLICY_CHALLENGE;
	return 0;
}

static int set_rst_limit(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	__u64 limit;

	if (read_number(text, RST_LIMIT_MAX, &limit, err, size))
		return -1;
	opts->shared.cfg.rst_limit = (__u32)limit;
	return 0;
}

static int set_ring_size(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	__u64 mib;

	if (read_number(text, RING_MIB_MAX, &mib, err, size))
		return -1;
	opts->ring_bytes = mib << 20;
	if (!(mib & (mib - 1)))
		return 0;
	snprintf(err, size, "%s (a power of two, as the kernel wants it)", text);
	return -1;
}

static int set_decap(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	(void)text, (void)err, (void)size;
	opts->shared.cfg.decap = 1;
	return 0;
}

static int set_persist(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	const char *name = text ? text : LA_PERSIST_NAME;

	if (la_persist_name_ok(name)) {
		memset(opts->persist, 0, sizeof(opts->persist));
		strcpy(opts->persist, name);
		return 0;
	}
	snprintf(err, size, "%s (%s)", name, LA_PERSIST_NAME_RULE);
	return -1;
}

/* What is compared as bytes has zeros behind its end. */
static int set_text(char *to, size_t room, const char *text, const char *what, char *err,
		    size_t err_size)
{
	if (*text && strlen(text) < room) {
		memset(to, 0, room);
		strcpy(to, text);
		return 0;
	}
	snprintf(err, err_size, "%.60s (%s, of at most %zu bytes)", text, what, room - 1);
	return -1;
}

#define SET_TEXT(member, what)                                                                     \
	static int set_##member(struct la_run_options *opts, const char *text, char *err,          \
				size_t size)                                                       \
	{                                                                                          \
		return set_text(opts->member, sizeof(opts->member), text, what, err, size);        \
	}

SET_TEXT(bpffs, "a directory of a bpffs, such as " LA_PERSIST_BPFFS)
SET_TEXT(http_auth_file, "a file whose first line is USER:PASSWORD")
SET_TEXT(http_cert_file, "a file with a certificate in PEM")
SET_TEXT(http_key_file, "a file with a private key in PEM")
SET_TEXT(control, "the path of a socket, or none")
SET_TEXT(history, "the path of a file")

static int set_listen(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	opts->listen_asked = true;
	if (!la_listen_parse(&opts->listen, text))
		return 0;
	snprintf(err, size, "%.60s (ADDRESS:PORT such as %s or [::1]:9464, or none)", text,
		 LA_LISTEN_DEFAULT);
	return -1;
}

static int set_metrics_label(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	static const char *const words[] = {"interface", "direction", "group"};
	int at = la_word_find(text, words, COUNT(words), err, size);

	if (at < 0)
		return -1;
	opts->metrics_labels |= LA_LABEL_INTERFACE << at;
	return 0;
}

static int set_metrics_label_sets(struct la_run_options *opts, const char *text, char *err,
				  size_t size)
{
	return read_number(text, LA_LABEL_SETS_MAX, &opts->metrics_label_sets, err, size);
}

static int set_groups(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return la_metric_groups_add(&opts->groups, text, err, size);
}

static int set_history_size(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	__u64 mib;

	if (read_number(text, 1U << 20, &mib, err, size))
		return -1;
	opts->history_bytes = mib << 20;
	return 0;
}

static int set_history_age(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	if (!la_duration_parse(text, &opts->history_age) && opts->history_age)
		return 0;
	snprintf(err, size, "%.40s (a duration of more than 0, such as 12h, 30d)", text);
	return -1;
}

static int set_no_process(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	(void)text, (void)err, (void)size;
	opts->no_process = true;
	return 0;
}

static int set_debug(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	(void)text, (void)err, (void)size;
	opts->debug = true;
	return 0;
}

static int set_filter(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	la_filter_free(opts->filter);
	opts->filter = la_filter_parse(text, err, size);
	return opts->filter ? 0 : -1;
}

static int set_protect(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return la_policies_protect(&opts->policies, text, err, size);
}

static int set_max_resets(struct la_run_options *opts, const char *text, char *err, size_t size)
{
	return read_number(text, 1000000, &opts->policies.max_resets, err, size);
}

/* ---- the table ---- */

enum {
	OPT_REGEX = LA_OPT_OWN,
	OPT_ALL,
	OPT_HOOK,
	OPT_FOR,
	OPT_COUNT,
	OPT_MAX_FLOWS,
	OPT_MAX_ATTEMPTS,
	OPT_PRESSURE,
	OPT_RST_POLICY,
	OPT_RST_LIMIT,
	OPT_RING_SIZE,
	OPT_DECAP,
	OPT_PERSIST,
	OPT_BPFFS,
	OPT_LISTEN,
	OPT_HTTP_AUTH_FILE,
	OPT_HTTP_CERT_FILE,
	OPT_HTTP_KEY_FILE,
	OPT_METRICS_LABEL,
	OPT_METRICS_LABEL_SETS,
	OPT_GROUPS,
	OPT_CONTROL,
	OPT_HISTORY,
	OPT_HISTORY_SIZE,
	OPT_HISTORY_AGE,
	OPT_NO_PROCESS,
	OPT_DEBUG,
	OPT_FILTER,
	OPT_CONFIG,
	OPT_POLICIES,
	OPT_PROTECT,
	OPT_MAX_RESETS,
};

#define FIXED(member)                                                                              \
	.offset = offsetof(struct la_run_options, member),                                         \
	.size = sizeof(((struct la_run_options *)NULL)->member)

/* clang-format off */
static const struct la_run_option table[] = {
	{"interface", 'i', .value = LA_VALUE_LIST, .group = LA_GROUP_SELECT, .set = set_interface},
	{"interface-regex", OPT_REGEX, .value = LA_VALUE_ONE, .group = LA_GROUP_SELECT, .set = set_regex},
	{"all-interfaces", OPT_ALL, .value = LA_VALUE_FLAG, .group = LA_GROUP_SELECT, .set = set_all},
	{"hook", OPT_HOOK, .value = LA_VALUE_ONE, .set = set_hook, FIXED(select.hook)},
	{"for", OPT_FOR, .value = LA_VALUE_ONE, .set = set_for, FIXED(run_for)},
	{"count", OPT_COUNT, .value = LA_VALUE_ONE, .set = set_count, FIXED(count)},
	{"max-flows", OPT_MAX_FLOWS, .value = LA_VALUE_ONE, .set = set_max_flows, FIXED(max_flows)},
	{"max-attempts", OPT_MAX_ATTEMPTS, .value = LA_VALUE_ONE, .set = set_max_attempts,
	 FIXED(max_attempts)},
	{"pressure", OPT_PRESSURE, .value = LA_VALUE_ONE, .set = set_pressure},
	{"rst-policy", OPT_RST_POLICY, .value = LA_VALUE_ONE, .set = set_rst_policy},
	{"rst-limit", OPT_RST_LIMIT, .value = LA_VALUE_ONE, .set = set_rst_limit},
	{"ring-size", OPT_RING_SIZE, .value = LA_VALUE_ONE, .set = set_ring_size, FIXED(ring_bytes)},
	{"decap", OPT_DECAP, .value = LA_VALUE_FLAG, .set = set_decap, FIXED(shared.cfg.decap)},
	{"persist", OPT_PERSIST, .value = LA_VALUE_MAYBE, .set = set_persist, FIXED(persist)},
	{"bpffs", OPT_BPFFS, .value = LA_VALUE_ONE, .set = set_bpffs, FIXED(bpffs)},
	{"listen", OPT_LISTEN, .value = LA_VALUE_ONE, .set = set_listen, FIXED(listen)},
	{"http-auth-file", OPT_HTTP_AUTH_FILE, .value = LA_VALUE_ONE, .set = set_http_auth_file,
	 FIXED(http_auth_file)},
	{"http-cert-file", OPT_HTTP_CERT_FILE, .value = LA_VALUE_ONE, .set = set_http_cert_file,
	 FIXED(http_cert_file)},
	{"http-key-file", OPT_HTTP_KEY_FILE, .value = LA_VALUE_ONE, .set = set_http_key_file,
	 FIXED(http_key_file)},
	{"metrics-label", OPT_METRICS_LABEL, .value = LA_VALUE_LIST, .set = set_metrics_label,
	 FIXED(metrics_labels)},
	{"metrics-label-sets", OPT_METRICS_LABEL_SETS, .value = LA_VALUE_ONE,
	 .set = set_metrics_label_sets, FIXED(metrics_label_sets)},
	{"groups", OPT_GROUPS, .value = LA_VALUE_MAP, .set = set_groups},
	{"control", OPT_CONTROL, .value = LA_VALUE_ONE, .set = set_control, FIXED(control)},
	{"history", OPT_HISTORY, .value = LA_VALUE_ONE, .set = set_history, FIXED(history)},
	{"history-size", OPT_HISTORY_SIZE, .value = LA_VALUE_ONE, .set = set_history_size,
	 FIXED(history_bytes)},
	{"history-age", OPT_HISTORY_AGE, .value = LA_VALUE_ONE, .set = set_history_age,
	 FIXED(history_age)},
	{"output", 'o', .value = LA_VALUE_ONE, .group = LA_GROUP_FORMAT, FIXED(shared.format)},
	{"ladder", LA_OPT_LADDER, .value = LA_VALUE_FLAG, .group = LA_GROUP_FORMAT,
	 FIXED(shared.ladder)},
	{"color", LA_OPT_COLOR, .value = LA_VALUE_ONE, FIXED(shared.color)},
	{"time-format", LA_OPT_TIME_FORMAT, .value = LA_VALUE_ONE, FIXED(shared.time_format)},
	{"numeric", 'n', .value = LA_VALUE_FLAG, FIXED(shared.numeric)},
	{"timeout", LA_OPT_TIMEOUT, .value = LA_VALUE_MAP},
	{"no-process", OPT_NO_PROCESS, .value = LA_VALUE_FLAG, .set = set_no_process,
	 FIXED(no_process)},
	{"debug", OPT_DEBUG, .value = LA_VALUE_FLAG, .set = set_debug, FIXED(debug)},
	{"filter", OPT_FILTER, .value = LA_VALUE_ONE, .where = LA_IN_FILE, .set = set_filter},
	{"policies", OPT_POLICIES, .value = LA_VALUE_POLICIES, .where = LA_IN_FILE},
	{"protect", OPT_PROTECT, .value = LA_VALUE_LIST, .set = set_protect},
	{"max-resets-per-second", OPT_MAX_RESETS, .value = LA_VALUE_ONE, .set = set_max_resets},
	{"config", OPT_CONFIG, .value = LA_VALUE_ONE, .where = LA_IN_LINE},
	{"help", 'h', .value = LA_VALUE_FLAG, .where = LA_IN_LINE},
};
/* clang-format on */

const struct la_run_option *la_run_option(unsigned int i)
{
	return i < COUNT(table) ? &table[i] : NULL;
}

const struct la_run_option *la_run_option_named(const char *name)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (la_word_equal(name, strlen(name), table[i].name))
			return &table[i];
	return NULL;
}

static const struct la_run_option *option_of(int opt)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].opt == opt)
			return &table[i];
	return NULL;
}

/* ---- the options ---- */

void la_run_options_init(struct la_run_options *opts)
{
	memset(opts, 0, sizeof(*opts));
	la_options_init(&opts->shared);
	la_listen_parse(&opts->listen, LA_LISTEN_DEFAULT);
	opts->metrics_label_sets = LA_LABEL_SETS_DEFAULT;
	opts->history_bytes = LA_HISTORY_SIZE_DEFAULT;
	opts->history_age = LA_HISTORY_AGE_DEFAULT;
	la_policies_init(&opts->policies);
}

int la_run_option_set(struct la_run_options *opts, const struct la_run_option *option,
		      const char *text, char *err, size_t err_size)
{
	if (option->set)
		return option->set(opts, text, err, err_size);
	return la_options_set(&opts->shared, option->opt, text, err, err_size) == LA_TAKEN_BAD ? -1
											       : 0;
}

void la_run_options_forget(struct la_run_options *opts, enum la_run_group group)
{
	enum la_hook_choice hook = opts->select.hook;

	switch (group) {
	case LA_GROUP_SELECT:
		la_select_free(&opts->select);
		opts->select = (struct la_select){.hook = hook};
		break;
	case LA_GROUP_FORMAT:
		opts->shared.format = LA_FORMAT_TEXT;
		opts->shared.ladder = false;
		opts->shared.cfg.segments = 0;
		break;
	case LA_GROUP_NONE:
		break;
	}
}

static bool too_many_attempts(const struct la_run_options *opts)
{
	return opts->max_attempts > (opts->max_flows ? opts->max_flows : LA_FLOWS_DEFAULT);
}

static bool no_text_ladder(const struct la_run_options *opts)
{
	return opts->shared.ladder && opts->shared.format != LA_FORMAT_TEXT;
}

static bool tunnelled_resets(const struct la_run_options *opts)
{
	return opts->shared.cfg.decap && la_policies_send(&opts->policies);
}

static bool limit_alone(const struct la_run_options *opts)
{
	return opts->shared.cfg.rst_limit && opts->shared.cfg.rst_policy < LA_RST_POLICY_STRICT;
}

static bool cert_alone(const struct la_run_options *opts)
{
	return *opts->http_cert_file && !*opts->http_key_file;
}

static bool key_alone(const struct la_run_options *opts)
{
	return *opts->http_key_file && !*opts->http_cert_file;
}

static bool groups_unused(const struct la_run_options *opts)
{
	return opts->groups.count && !(opts->metrics_labels & LA_LABEL_GROUP);
}

static bool no_groups(const struct la_run_options *opts)
{
	return opts->metrics_labels & LA_LABEL_GROUP && !opts->groups.count;
}

static bool bpffs_alone(const struct la_run_options *opts)
{
	return *opts->bpffs && !*opts->persist;
}

bool la_run_options_clash(const struct la_run_options *opts, unsigned int i,
			  struct la_run_clash *clash)
{
	static const struct {
		bool (*holds)(const struct la_run_options *opts);
		struct la_run_clash clash;
	} clashes[] = {
		{too_many_attempts, {"max-attempts", "that is more than max-flows has room for"}},
		{no_text_ladder, {"ladder", "a ladder is text (leave out output)"}},
		{limit_alone, {"rst-limit", "it goes with rst-policy strict or challenge"}},
		{bpffs_alone, {"bpffs", "it goes with persist"}},
		{groups_unused, {"groups", "they go with `group` among metrics-label"}},
		{no_groups, {"metrics-label", "`group` goes with groups"}},
		{cert_alone, {"http-cert-file", "it goes with http-key-file"}},
		{key_alone, {"http-key-file", "it goes with http-cert-file"}},
		{tunnelled_resets,
		 {"decap", "what is in a tunnel cannot be reset (leave out decap, or the policies "
			   "with `action: reset`, and rst-policy challenge)"}},
	};

	for (size_t n = 0; n < COUNT(clashes); n++) {
		if (!clashes[n].holds(opts) || i--)
			continue;
		*clash = clashes[n].clash;
		return true;
	}
	return false;
}

unsigned int la_run_options_keep(struct la_run_options *next, const struct la_run_options *now,
				 const struct la_run_option **kept, unsigned int max)
{
	unsigned int count = 0;

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct la_run_option *option = &table[i];
		char *to = (char *)next + option->offset;
		const char *from = (const char *)now + option->offset;

		if (!option->size || !memcmp(to, from, option->size))
			continue;
		memcpy(to, from, option->size);
		if (count < max)
			kept[count] = option;
		count++;
	}
	next->shared.cfg.segments = now->shared.cfg.segments; /* what a ladder needs */
	return count;
}

void la_run_options_free(struct la_run_options *opts)
{
	la_filter_free(opts->filter);
	la_policies_free(&opts->policies);
	la_metric_groups_free(&opts->groups);
	la_select_free(&opts->select);
}

/* ---- the command line ---- */

int la_run_option_bad(const struct la_run_option *option, const char *why)
{
	char name[40];

	if (option->where == LA_IN_FILE)
		snprintf(name, sizeof(name), "%s", option->name);
	else if (option->opt < LA_OPT_LADDER)
		snprintf(name, sizeof(name), "-%c", option->opt);
	else
		snprintf(name, sizeof(name), "--%s", option->name);
	return la_options_bad(name, why, NULL);
}

/* The table as getopt_long() wants it, with an empty row at the end. */
static void fill_getopt(struct option rows[COUNT(table) + 1])
{
	static const int has_arg[] = {
		[LA_VALUE_FLAG] = no_argument,	      [LA_VALUE_ONE] = required_argument,
		[LA_VALUE_LIST] = required_argument,  [LA_VALUE_MAP] = required_argument,
		[LA_VALUE_MAYBE] = optional_argument, [LA_VALUE_POLICIES] = no_argument,
	};
	size_t n = 0;

	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].where != LA_IN_FILE)
			rows[n++] = (struct option){table[i].name, has_arg[table[i].value], NULL,
						    table[i].opt};
	rows[n] = (struct option){0};
}

static void note(struct la_run_args *args, int opt, const char *text)
{
	if (opt == 'h') {
		args->help = true;
	} else if (opt == OPT_CONFIG) {
		args->config = text;
	} else {
		args->given[args->count].option = option_of(opt);
		args->given[args->count++].text = text;
	}
}

/* More options than that cannot be in it: a letter can be one. */
static size_t most_options(int argc, char *const *argv)
{
	size_t most = 1;

	for (int i = 0; i < argc; i++)
		most += strlen(argv[i]);
	return most;
}

int la_run_args_parse(struct la_run_args *args, int argc, char **argv)
{
	struct option rows[COUNT(table) + 1];
	int opt, words;

	*args = (struct la_run_args){
		.given = calloc(most_options(argc, argv), sizeof(*args->given))};
	if (!args->given)
		return la_fail(LA_EXIT_RUNTIME, "cannot start", NULL, strerror(ENOMEM), NULL), -1;
	fill_getopt(rows);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":" LA_OPTIONS_SHORT "i:h", rows, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return la_options_bad_word(opt, argv);
		note(args, opt, optarg);
		if (args->help)
			return 0;
	}
	words = argc - optind;
	args->filter = words ? la_options_join(argv + optind, words) : NULL;
	if (words && !args->filter)
		return la_fail(LA_EXIT_RUNTIME, "cannot start", NULL, strerror(ENOMEM), NULL), -1;
	return 0;
}

int la_run_args_apply(const struct la_run_args *args, struct la_run_options *opts)
{
	char err[LA_FILTER_ERR_SIZE];

	for (unsigned int i = 0; i < args->count; i++)
		la_run_options_forget(opts, args->given[i].option->group);
	for (unsigned int i = 0; i < args->count; i++)
		if (la_run_option_set(opts, args->given[i].option, args->given[i].text, err,
				      sizeof(err)))
			return la_run_option_bad(args->given[i].option, err);
	if (args->filter && set_filter(opts, args->filter, err, sizeof(err)))
		return la_run_option_bad(option_of(OPT_FILTER), err);
	return 0;
}

bool la_run_args_have(const struct la_run_args *args, const struct la_run_option *option)
{
	for (unsigned int i = 0; i < args->count; i++)
		if (args->given[i].option == option)
			return true;
	return option->opt == OPT_FILTER && args->filter;
}

void la_run_args_free(struct la_run_args *args)
{
	free(args->given);
	free(args->filter);
}

void la_run_options_help(void)
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
	puts("      --rst-policy WHAT  what becomes of RSTs that their receiver would not act on\n"
	     "                           observe    they pass (default)\n"
	     "                           dry-run    they pass, their records name the rule\n"
	     "                           strict     they are dropped\n"
	     "                           challenge  they are dropped, and the host that one names\n"
	     "                                      is asked by an ACK, as its peer would ask\n"
	     "      --rst-limit N      strict and challenge: of a source that sends more than N "
	     "of\n"
	     "                         them a second, drop every RST");
	puts("      --ring-size MIB    room for records that wait to be printed, a power of two\n"
	     "                         (default 8): what finds it full is lost and counted, but\n"
	     "                         for close records, which wait in the flow table");
	fputs("      --persist[=NAME]   go on tracking when lastack ends, is killed or is replaced "
	      "by\n"
	      "                         a later version; the next run --persist reads on where "
	      "this\n"
	      "                         one ended, lastack status tells, lastack detach ends it\n"
	      "      --bpffs DIR        where that is pinned (default " LA_PERSIST_BPFFS ")\n"
	      "      --listen ADDR:PORT serve metrics for Prometheus and a live page there, or\n"
	      "                         nowhere: none (default " LA_LISTEN_DEFAULT ", if nobody\n"
	      "                         else has it)\n"
	      "      --http-auth-file FILE\n"
	      "                         who asks there must know the user and password in the\n"
	      "                         first line of FILE, USER:PASSWORD\n"
	      "      --http-cert-file FILE, --http-key-file FILE\n"
	      "                         serve over TLS, with this certificate and its key (PEM)\n"
	      "      --metrics-label LABEL\n"
	      "                         tell the connections that ended apart, in metrics, by\n"
	      "                         interface, direction or group; may be given again\n"
	      "      --groups NAME=FILTER\n"
	      "                         what that group is; may be given again: the first one of\n"
	      "                         which the filter is true\n",
	      stdout);
	printf("      --metrics-label-sets N\n"
	       "                         so many of these may be told apart (default %u)\n",
	       LA_LABEL_SETS_DEFAULT);
	fputs("      --control PATH     the socket by which watch, list, show and others ask this\n"
	      "                         lastack, or none (default " LA_CONTROL_DIR
	      "/NAME.sock, NAME as\n"
	      "                         with --persist, if nobody else has it)\n"
	      "      --history FILE     keep how each connection ended in this file, for lastack\n"
	      "                         history, a SQLite database\n"
	      "      --history-size MIB, --history-age DURATION\n"
	      "                         no more and no longer than that: the oldest go first\n"
	      "                         (default 1024 MiB, 30 days)\n",
	      stdout);
	fputs("      --no-process       do not look which processes own the sockets of this host\n",
	      stdout);
	la_options_help(stdout);
	fputs("      --protect FILTER   no policy touches these connections; may be given again; "
	      "none:\n"
	      "                         leave out those that are protected by default, port 22 "
	      "and\n"
	      "                         the SSH peer of this session\n"
	      "      --max-resets-per-second N\n"
	      "                         all policies together (default 100); policies stand in\n"
	      "                         the configuration file\n"
	      "      --debug            show what libbpf says\n"
	      "      --config FILE      read options from FILE, a key each, as lastack "
	      "check-config\n"
	      "                         understands them (default " LA_CONFIG_DEFAULT "\n"
	      "                         if it is there, /dev/null: none); the command line wins;\n"
	      "                         at SIGHUP it is read again\n"
	      "  -h, --help             this text\n\n"
	      "FILTER picks what is printed, such as: port 443 and not net 10.0.0.0/8\n\n"
	      "needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root; Linux 5.15 with BTF; and\n"
	      "CAP_NET_RAW to reset connections, by a policy or by lastack kill, and to "
	      "challenge\n",
	      stdout);
}
