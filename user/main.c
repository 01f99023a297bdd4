/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the table of verbs.
 *
 * Finds the verb and leaves everything else to it.
 */
#include "cmd.h"
#include "options.h"
#include "suggest.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
};

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct verb verbs[] = {
	{"run", la_cmd_run, "watch interfaces and print what becomes of their connections"},
	{"watch", la_cmd_watch, "print what a running lastack sees, as it happens"},
	{"list", la_cmd_list, "print the connections that are tracked now"},
	{"show", la_cmd_show, "explain a connection: why it is as it is, and who has to act"},
	{"top", la_cmd_top, "show connections, states and servers on a screen"},
	{"why", la_cmd_why, "tell who leaks, who resets, what is never completed"},
	{"history", la_cmd_history, "print how connections have ended, from a file that run keeps"},
	{"stats", la_cmd_stats, "print how many there are, how fast they come, what is lost"},
	{"replay", la_cmd_replay, "print the same from pcap or pcapng files"},
	{"check-config", la_cmd_check_config, "tell what is wrong with a configuration file"},
	{"kill", la_cmd_kill, "reset connections"},
	{"status", la_cmd_status, "tell what run --persist has left in the kernel"},
	{"detach", la_cmd_detach, "end what run --persist has left in the kernel"},
	{"help", cmd_help, "this text, or that of a verb: lastack help VERB"},
	{"version", cmd_version, "the version"},
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

/* What people type instead of a verb. */
static const struct {
	const char *option;
	const char *verb;
} aliases[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (!strcmp(name, aliases[i].option))
			name = aliases[i].verb;
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *name)
{
	const char *names[VERBS], *near;
	char todo[80] = "lastack help lists them";

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	near = la_suggest(name, names, VERBS);
	if (near)
		snprintf(todo, sizeof(todo), "did you mean %s?", near);
	return la_fail(LA_EXIT_USAGE, "no such verb", NULL, name, todo);
}

static void usage(FILE *to)
{
	fputs("lastack watches TCP connections and tells the state of both endpoints.\n\n"
	      "usage: lastack VERB [OPTIONS]\n\n",
	      to);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-13s %s\n", verbs[i].name, verbs[i].text);
	fputs("\nlastack VERB --help tells about a verb.\n"
	      "exit codes: 0 all is well, 1 something failed, 2 wrong usage\n",
	      to);
}

static int cmd_help(int argc, char **argv)
{
	static char help[] = "--help";
	const struct verb *verb;
	char *args[3] = {NULL, help, NULL};

	if (argc < 2) {
		usage(stdout);
		return LA_EXIT_OK;
	}
	verb = find_verb(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	if (verb->run == cmd_help || verb->run == cmd_version) {
		usage(stdout);
		return LA_EXIT_OK;
	}
	args[0] = argv[1];
	return verb->run(2, args);
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1)
		return la_fail(LA_EXIT_USAGE, "bad argument", argv[1], "version takes none", NULL);
	puts("lastack " LA_VERSION);
	return LA_EXIT_OK;
}

/*
 * Who starts lastack with a closed stdin, stdout or stderr must not get a socket in its
 * place: it is opened the wrong way round, so that using it fails as it should.
 */
static void keep_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	const struct verb *verb;

	keep_standard_fds();
	setvbuf(stderr, NULL, _IOLBF, 0); /* a line is one write, whoever else writes there */
	if (argc < 2) {
		usage(stderr);
		return LA_EXIT_USAGE;
	}
	verb = find_verb(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	return verb->run(argc - 1, argv + 1);
}
