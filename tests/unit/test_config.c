/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_config.c - the configuration file, the command line on top of it, and check-config.
 *
 * What a file says is seen in the options; what is wrong with it, in the lines on stderr.
 */
#include "breakdown.h"
#include "cmd.h"
#include "settings.h"
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(a)    (sizeof(a) / sizeof(*(a)))
#define ARGS_MAX    16
#define EXAMPLE	    "docs/lastack.yaml"
#define EXAMPLE_MAX 8192

/* ---- a file, words, what comes of them ---- */

struct told {
	int code;
	char out[16384];
	char err[8192];
};

/* A file without a name, to be closed; its path goes with the process. */
static int put_file(char path[40], const char *text)
{
	int fd = memfd_create("lastack.yaml", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	snprintf(path, 40, "/proc/self/fd/%d", fd);
	return fd;
}

static int divert(FILE *stream, FILE *to)
{
	int was = dup(fileno(stream));

	fflush(stream);
	cr_assert(to && was >= 0 && dup2(fileno(to), fileno(stream)) >= 0);
	return was;
}

static void restore(FILE *stream, int was, FILE *from, char *text, size_t size)
{
	size_t n;

	fflush(stream);
	cr_assert_geq(dup2(was, fileno(stream)), 0);
	close(was);
	rewind(from);
	n = fread(text, 1, size - 1, from);
	text[n] = '\0';
	fclose(from);
}

/* Runs a verb with words up to the first NULL. */
static struct told run_verb(int (*verb)(int, char **), const char *const *words)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int out_was = divert(stdout, out), err_was = divert(stderr, err), argc = 0;
	char *argv[ARGS_MAX + 1] = {NULL};
	static struct told told;

	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	optind = 0;
	told.code = verb(argc, argv);
	restore(stdout, out_was, out, told.out, sizeof(told.out));
	restore(stderr, err_was, err, told.err, sizeof(told.err));
	while (argc)
		free(argv[--argc]);
	return told;
}

static struct told check_file(const char *path)
{
	const char *words[] = {"check-config", path, NULL};

	return run_verb(la_cmd_check_config, words);
}

static struct told check(const char *text)
{
	struct told told;
	char path[40];
	int fd = put_file(path, text);

	told = check_file(path);
	close(fd);
	return told;
}

/* The settings of a run, from a file (NULL: an empty one) and words up to the first NULL. */
struct given {
	char path[40];
	char *argv[ARGS_MAX + 1];
	struct la_run_args args;
	struct la_settings *settings;
	char err[8192];
};

static void give(struct given *g, const char *text, const char *const *words)
{
	FILE *err = tmpfile();
	int was, fd, argc = 0;

	memset(g, 0, sizeof(*g));
	fd = put_file(g->path, text ? text : "");
	g->argv[argc++] = strdup("run");
	g->argv[argc++] = strdup("--config");
	g->argv[argc++] = strdup(g->path);
	while (words && *words)
		g->argv[argc++] = strdup(*words++);
	optind = 0;
	was = divert(stderr, err);
	if (!la_run_args_parse(&g->args, argc, g->argv))
		g->settings = la_settings_read(&g->args);
	restore(stderr, was, err, g->err, sizeof(g->err));
	close(fd);
}

static void take_back(struct given *g)
{
	la_settings_free(g->settings);
	la_run_args_free(&g->args);
	for (int i = 0; g->argv[i]; i++)
		free(g->argv[i]);
}

/* ---- right files ---- */

Test(config, every_key_sets_its_option)
{
	static const char text[] = "interface: [eth0, eth1]\n"
				   "interface-regex: veth.*\n"
				   "all-interfaces: yes\n"
				   "hook: tc\n"
				   "for: 10m\n"
				   "count: 7\n"
				   "max-flows: 1000\n"
				   "max-attempts: 100\n"
				   "pressure: 50\n"
				   "rst-policy: strict\n"
				   "rst-limit: 10\n"
				   "ring-size: 16\n"
				   "decap: true\n"
				   "persist: blue\n"
				   "bpffs: /bpf\n"
				   "listen: none\n"
				   "http-auth-file: /etc/auth\n"
				   "metrics-label: [interface, group]\n"
				   "metrics-label-sets: 7\n"
				   "groups:\n"
				   "  web: port 443\n"
				   "    or port 80\n"
				   "  db: port 5432\n"
				   "http-cert-file: /etc/cert\n"
				   "http-key-file: /etc/key\n"
				   "control: /c.sock\n"
				   "output: jsonl\n"
				   "color: never\n"
				   "numeric: on\n"
				   "timeout:\n"
				   "  time_wait: 5\n"
				   "  syn-sent: 1.5s\n"
				   "debug: true\n"
				   "protect: [port 80, net 10.0.0.0/8]\n"
				   "max_resets_per_second: 9\n"
				   "policies:\n"
				   "- name: a\n"
				   "  match: tcp\n"
				   "  action: log\n"
				   "- {name: b, match: port 1, action: timeouts, dry_run: no,\n"
				   "   timeouts: {established: 7, time-wait: 1m}}\n"
				   "filter: port 443\n";
	const struct la_run_options *o;
	struct given g;

	give(&g, text, NULL);
	cr_assert(g.settings, "%s", g.err);
	o = &g.settings->opts;
	cr_expect(o->select.names_count == 2 && !strcmp(o->select.names[1], "eth1"));
	cr_expect(o->select.pattern && o->select.all && o->select.hook == LA_CHOICE_TC);
	cr_expect_eq(o->run_for, 600 * LA_SEC_NS);
	cr_expect_eq(o->count, 7);
	cr_expect(o->max_flows == 1000 && o->max_attempts == 100);
	cr_expect(o->shared.cfg.pressure == 50 && o->shared.cfg.decap == 1);
	cr_expect_eq(o->shared.cfg.rst_policy, LA_RST_POLICY_STRICT);
	cr_expect_eq(o->shared.cfg.rst_limit, 10);
	cr_expect_eq(o->ring_bytes, 16U << 20);
	cr_expect_str_eq(o->persist, "blue");
	cr_expect_str_eq(o->bpffs, "/bpf");
	cr_expect(o->listen_asked && !o->listen.len);
	cr_expect_str_eq(o->http_auth_file, "/etc/auth");
	cr_expect_eq(o->metrics_labels, LA_LABEL_INTERFACE | LA_LABEL_GROUP);
	cr_expect_eq(o->metrics_label_sets, 7);
	cr_expect_eq(o->groups.count, 2);
	cr_expect_str_eq(o->groups.list[1].name, "db");
	cr_expect_str_eq(o->http_cert_file, "/etc/cert");
	cr_expect_str_eq(o->http_key_file, "/etc/key");
	cr_expect_str_eq(o->control, "/c.sock");
	cr_expect_eq(o->shared.format, LA_FORMAT_JSONL);
	cr_expect_eq(o->shared.color, LA_COLOR_NEVER);
	cr_expect(o->shared.numeric && o->debug && o->filter);
	cr_expect_eq(o->policies.protect_count, 3, "port 22 and these");
	cr_expect_eq(o->policies.max_resets, 9);
	cr_assert_eq(o->policies.count, 2);
	cr_expect_str_eq(o->policies.list[1].name, "b");
	cr_expect_eq(o->shared.cfg.timeouts[1][LA_TIMEOUT_ESTABLISHED], 7 * LA_SEC_NS);
	cr_expect_eq(o->shared.cfg.timeouts[1][LA_TIMEOUT_SYN_SENT],
		     o->shared.cfg.timeout[LA_TIMEOUT_SYN_SENT]);
	cr_expect_eq(o->shared.cfg.timeout[LA_TIMEOUT_TIME_WAIT], 5 * LA_SEC_NS);
	cr_expect_eq(o->shared.cfg.timeout[LA_TIMEOUT_SYN_SENT], 1500 * LA_MSEC_NS);
	take_back(&g);
}

Test(config, false_is_as_if_it_were_not_there)
{
	struct given g;

	give(&g, "interface: lo\nall-interfaces: no\ndecap: off\npersist: False\nladder: false\n",
	     NULL);
	cr_assert(g.settings, "%s", g.err);
	cr_expect(!g.settings->opts.select.all && !g.settings->opts.shared.cfg.decap);
	cr_expect(!*g.settings->opts.persist && !g.settings->opts.shared.ladder);
	take_back(&g);
	give(&g, "interface: lo\npersist: true\n", NULL);
	cr_assert(g.settings, "%s", g.err);
	cr_expect_str_eq(g.settings->opts.persist, LA_PERSIST_NAME);
	take_back(&g);
}

Test(config, an_empty_file_is_right)
{
	cr_expect_eq(check("").code, 0);
	cr_expect_eq(check("# nothing\n").code, 0);
	cr_expect_eq(check("---\n").code, 2, "a document that is null is none of keys");
}

Test(config, all_that_is_wrong_with_policies_is_told)
{
	static const char text[] = "protect: prot 80\n"
				   "max-resets-per-second: 0\n"
				   "policies:\n"
				   "- nmae: a\n"
				   "  match: tcp\n"
				   "  action: rest\n"
				   "- name: b\n"
				   "  match: tcp\n"
				   "- name: c\n"
				   "  name: d\n"
				   "  match:\n"
				   "  rate: [1, 2]\n"
				   "  timeouts: {establish: 1}\n"
				   "- {name: e, match: tcp, action: log}\n"
				   "- {name: e, match: tcp, action: log}\n"
				   "- tcp\n";
	static const char *const wanted[] = {
		":1: protect: column 1: a term was expected, not 'prot'; did you mean 'port'?",
		":2: max-resets-per-second: 0 (a whole number from 1 to ",
		":4: nmae: there is no such key (did you mean name?)",
		":6: policies: action: 'rest' is none of: log expire reset drop timeouts; did you "
		"mean reset?",
		":7: policies: b: it has no `action`",
		":10: policies: name: it is there twice in one policy",
		":11: policies: match: one value was expected here",
		":12: policies: rate: one value was expected here",
		":13: policies: timeouts: no timeout is called 'establish'",
		":15: policies: e: there is another policy of that name",
		":16: policies: lines of `KEY: VALUE` were expected here",
	};
	struct told told = check(text);

	cr_expect_eq(told.code, 2);
	for (size_t i = 0; i < COUNT(wanted); i++)
		cr_expect(strstr(told.err, wanted[i]), "no '%s' in\n%s", wanted[i], told.err);
	told = check("policies: none\n");
	cr_expect(strstr(told.err, ":1: policies: a list of policies was expected here"), "%s",
		  told.err);
	told = check("decap: true\npolicies: [{name: a, match: tcp, action: reset}]\n");
	cr_expect(strstr(told.err, ":1: decap: what is in a tunnel cannot be reset"), "%s",
		  told.err);
}

/* ---- the command line wins ---- */

Test(config, the_command_line_wins)
{
	static const char text[] =
		"interface: eth0\nall-interfaces: true\nhook: tc\noutput: jsonl\n"
		"timeout: {closed: 3, time_wait: 4}\nmax-flows: 10\n"
		"filter: port 1\n";
	static const char *const words[] = {"-i",	   "eth9",	  "--ladder", "--timeout",
					    "time_wait=9", "--max-flows", "20",	      "state",
					    "established", NULL};
	const struct la_run_options *o;
	struct given g;
	struct la_rec_state rec = {.h.type = LA_REC_STATE, .state = {LA_ESTABLISHED, LA_LISTEN}};

	give(&g, text, words);
	cr_assert(g.settings, "%s", g.err);
	o = &g.settings->opts;
	cr_expect(o->select.names_count == 1 && !strcmp(o->select.names[0], "eth9"));
	cr_expect(!o->select.all && o->select.hook == LA_CHOICE_TC);
	cr_expect(o->shared.ladder && o->shared.format == LA_FORMAT_TEXT);
	cr_expect_eq(o->shared.cfg.timeout[LA_TIMEOUT_CLOSED], 3 * LA_SEC_NS);
	cr_expect_eq(o->shared.cfg.timeout[LA_TIMEOUT_TIME_WAIT], 9 * LA_SEC_NS);
	cr_expect_eq(o->max_flows, 20);
	cr_expect(la_filter_match(o->filter, &rec.h), "the filter is that of the file");
	take_back(&g);
}

Test(config, a_limit_of_rsts_needs_the_policy)
{
	static const char *const words[] = {"-i", "eth0", "--rst-policy", "strict", NULL};
	struct given g;

	give(&g, "rst-policy: dry-run\nrst-limit: 10\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: rst-limit: it goes with rst-policy strict or challenge"), "%s",
		  g.err);
	take_back(&g);
	give(&g, "rst-policy: dry-run\nrst-limit: 10\n", words);
	cr_expect(g.settings, "%s", g.err);
	take_back(&g);
	give(&g, "interface: eth0\nrst-policy: strickt\n", NULL);
	cr_expect(strstr(g.err, "'strickt' is none of: observe dry-run strict challenge; did you "
				"mean strict?"),
		  "%s", g.err);
	take_back(&g);
}

Test(config, the_file_may_need_the_command_line)
{
	static const char *const words[] = {"-i", "eth0", "--persist", NULL};
	struct given g;

	give(&g, "bpffs: /bpf\n", words);
	cr_expect(g.settings, "%s", g.err);
	take_back(&g);
	give(&g, "bpffs: /bpf\n", (const char *const[]){"-i", "eth0", NULL});
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":1: bpffs: it goes with persist"), "%s", g.err);
	take_back(&g);
}

Test(config, groups_are_for_a_label)
{
	struct given g;

	give(&g, "interface: eth0\ngroups: {a: tcp}\nmetrics-label: interface\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: groups: they go with `group` among metrics-label"), "%s",
		  g.err);
	take_back(&g);
	give(&g, "interface: eth0\nmetrics-label: group\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: metrics-label: `group` goes with groups"), "%s", g.err);
	take_back(&g);
	give(&g, "metrics-label: group\ngroups: {a: prot 80, b: [tcp]}\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: groups: column 1: a term was expected, not 'prot'"), "%s",
		  g.err);
	cr_expect(strstr(g.err, ":2: groups: lines of `NAME: VALUE` were expected here"), "%s",
		  g.err);
	take_back(&g);
}

Test(config, certificate_and_key_go_together)
{
	struct given g;

	give(&g, "interface: eth0\nhttp-cert-file: c\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: http-cert-file: it goes with http-key-file"), "%s", g.err);
	take_back(&g);
	give(&g, "interface: eth0\nhttp-key-file: k\n", NULL);
	cr_expect_not(g.settings);
	cr_expect(strstr(g.err, ":2: http-key-file: it goes with http-cert-file"), "%s", g.err);
	take_back(&g);
}

/* ---- wrong files ---- */

Test(config, all_errors_are_told_at_once)
{
	static const char text[] = "interfaec: eth0\n"
				   "hook: xpd\n"
				   "\n"
				   "output: json\n"
				   "timeout:\n"
				   "  time_wiat: 3\n"
				   "  closed: soon\n"
				   "max_flow: 7\n"
				   "count: many\n"
				   "decap: maybe\n"
				   "hook: tc\n"
				   "help: true\n"
				   "numeric: [true]\n"
				   "color: {auto: never}\n"
				   "for:\n"
				   "interface: [eth0, [eth1], eth0]\n"
				   "filter: prot 80\n"
				   "ladder: true\n"
				   "bpffs: /bpf\n"
				   "max-attempts: 999999999999\n"
				   "ring-size: 3\n";
	static const char *const says[] = {
		":1: interfaec: there is no such key (did you mean interface?)\n",
		":2: hook: 'xpd' is none of: auto xdp xdp-generic tc tc-legacy; did you mean "
		"xdp?\n",
		":4: output: 'json' is none of: text jsonl zeek wide conntrack; did you mean "
		"jsonl?\n",
		":6: timeout: no timeout is called 'time_wiat'",
		"did you mean time_wait?\n",
		":7: timeout: 'soon' is not a duration",
		":8: max_flow: there is no such key (did you mean max-flows?)\n",
		":9: count: many (a whole number from 1",
		":10: decap: 'maybe' is none of: true false\n",
		":11: hook: it is there twice (first in line 2)\n",
		":12: help: there is no such key",
		":13: numeric: '' is none of: true false\n",
		":14: color: one value was expected here\n",
		":15: for: its value is missing\n",
		":16: interface: one value was expected here\n",
		":16: interface: eth0 (it was given twice)\n",
		":17: filter: column 1: a term was expected, not 'prot'; did you mean 'port'?\n",
		":19: bpffs: it goes with persist\n",
		":20: max-attempts: 999999999999 (a whole number",
		":21: ring-size: 3 (a power of two",
	};
	struct told told = check(text);

	cr_expect_eq(told.code, 2);
	cr_expect_str_eq(told.out, "");
	for (size_t i = 0; i < COUNT(says); i++)
		cr_expect(strstr(told.err, says[i]), "'%s' is missing in:\n%s", says[i], told.err);
}

Test(config, options_that_do_not_go_together)
{
	struct told told = check("ladder: true\noutput: zeek\nmax-flows: 10\nmax-attempts: 11\n");

	cr_expect_eq(told.code, 2);
	cr_expect(strstr(told.err, ":1: ladder: a ladder is text"), "%s", told.err);
	cr_expect(strstr(told.err, ":4: max-attempts: that is more"), "%s", told.err);
}

Test(config, what_is_not_yaml_has_its_line)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{"interface: [eth0\nhook: tc\n", ":2: this is not YAML: "},
		{"hook: tc\n\tfor: 3\n", ":2: this is not YAML: "},
		{"hook: 'tc\n", "this is not YAML: "},
		{"hook: *nobody\n", ":1: this is not YAML: "},
		{"hook: \x01\n", "this is not YAML: "},
		{"- eth0\n- eth1\n", ":1: lines of `key: value` were expected here\n"},
		{"eth0\n", ":1: lines of `key: value` were expected here\n"},
		{"hook: tc\n---\nhook: xdp\n", "a second document begins here"},
		{"[a]: b\n", ":1: '': there is no such key"},
		{"timeout: 3\n", ":1: timeout: lines of `NAME: VALUE`"},
		{"bpffs: \"/b\\0pf\"\n", ":1: bpffs: its value is missing"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct told told = check(rows[i].text);

		cr_expect_eq(told.code, 2, "%s", rows[i].text);
		cr_expect(strstr(told.err, rows[i].says), "%s does not say '%s': %s", rows[i].text,
			  rows[i].says, told.err);
	}
}

Test(config, a_file_that_cannot_be_read)
{
	struct told told = check_file("/nowhere/lastack.yaml");

	cr_expect_eq(told.code, 2);
	cr_expect_str_eq(told.err, "lastack: cannot read: /nowhere/lastack.yaml: No such file or "
				   "directory\n");
	told = check_file("/tmp");
	cr_expect_eq(told.code, 2);
	cr_expect_str_eq(told.err, "lastack: cannot read: /tmp: Is a directory\n");
}

/* ---- what is fixed while lastack runs ---- */

Test(config, what_is_fixed_is_kept)
{
	const struct la_run_option *kept[8];
	struct given now, next;
	unsigned int count;

	give(&now, "interface: lo\nmax-flows: 10\ntimeout: {closed: 1}\n", NULL);
	give(&next,
	     "interface: eth0\nmax-flows: 20\nhook: tc\nladder: true\ntimeout: {closed: 2}\n",
	     NULL);
	cr_assert(now.settings && next.settings);
	count = la_run_options_keep(&next.settings->opts, &now.settings->opts, kept, 8);
	cr_expect_eq(count, 3);
	cr_expect_str_eq(kept[0]->name, "hook");
	cr_expect_str_eq(kept[1]->name, "max-flows");
	cr_expect_str_eq(kept[2]->name, "ladder");
	cr_expect_eq(next.settings->opts.max_flows, 10);
	cr_expect_eq(next.settings->opts.shared.cfg.segments, 0);
	cr_expect_eq(next.settings->opts.shared.cfg.timeout[LA_TIMEOUT_CLOSED], 2 * LA_SEC_NS);
	cr_expect_str_eq(next.settings->opts.select.names[0], "eth0");
	take_back(&now);
	take_back(&next);
}

/* ---- none is missing: options, keys, help, example ---- */

Test(config, shared_options_are_in_the_table)
{
	static const struct option shared[] = {LA_OPTIONS_LONG};

	for (size_t i = 0; i < COUNT(shared); i++) {
		const struct la_run_option *option = la_run_option_named(shared[i].name);

		cr_assert(option, "%s", shared[i].name);
		cr_expect_eq(option->opt, shared[i].val);
		cr_expect_eq(shared[i].has_arg == no_argument, option->value == LA_VALUE_FLAG);
	}
}

/* A key is taken by the file if it is not unknown there, whatever its value should be. */
Test(config, an_option_is_a_key_and_the_reverse)
{
	for (unsigned int i = 0; la_run_option(i); i++) {
		const struct la_run_option *option = la_run_option(i);
		char text[80], word[80];
		struct given g;

		snprintf(text, sizeof(text), "%s: ''\n", option->name);
		cr_expect_eq(!strstr(check(text).err, "there is no such key"),
			     option->where != LA_IN_LINE, "%s", option->name);
		snprintf(word, sizeof(word), "--%s%s", option->name,
			 option->value == LA_VALUE_FLAG ? "" : "=");
		give(&g, "", (const char *const[]){word, NULL});
		cr_expect_eq(!strstr(g.err, "there is no such option"), option->where != LA_IN_FILE,
			     "%s: %s", option->name, g.err);
		take_back(&g);
	}
}

Test(config, help_tells_of_every_option)
{
	struct told told = run_verb(la_cmd_run, (const char *const[]){"run", "--help", NULL});

	cr_expect_eq(told.code, 0);
	for (unsigned int i = 0; la_run_option(i); i++) {
		char word[80];

		snprintf(word, sizeof(word), " --%s", la_run_option(i)->name);
		cr_expect_eq(!!strstr(told.out, word), la_run_option(i)->where != LA_IN_FILE, "%s",
			     word);
	}
}

/* The example, as it is or with its commented settings in force. */
static void read_example(char text[EXAMPLE_MAX], bool uncommented)
{
	FILE *file = fopen(EXAMPLE, "r");
	char line[200];

	cr_assert(file, "tests run from the top of the tree");
	for (*text = '\0'; fgets(line, sizeof(line), file);) {
		bool setting = line[0] == '#' &&
			       (islower((unsigned char)line[1]) || !strncmp(line + 1, "  ", 2));

		cr_assert_lt(strlen(text) + strlen(line), EXAMPLE_MAX);
		strcat(text, uncommented && setting ? line + 1 : line);
	}
	fclose(file);
}

static void expect_right(const char *text)
{
	struct told told = check(text);

	cr_expect_eq(told.code, 0, "%s", told.err);
	cr_expect_str_eq(told.err, "");
	cr_expect(strstr(told.out, ": ok\n"), "%s", told.out);
}

Test(config, the_example_is_right_and_has_every_key)
{
	char text[EXAMPLE_MAX], key[80];

	read_example(text, false);
	expect_right(text);
	read_example(text, true);
	expect_right(text);
	for (unsigned int i = 0; la_run_option(i); i++) {
		snprintf(key, sizeof(key), "\n%s:", la_run_option(i)->name);
		cr_expect_eq(!!strstr(text, key), la_run_option(i)->where != LA_IN_LINE, "%s", key);
	}
}
