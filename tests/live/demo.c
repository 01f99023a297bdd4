// SPDX-License-Identifier: BSD-2-Clause
/*
 * demo.c - every ending of the textbook, drawn live.
 *
 * Two namespaces, a real client and a real server; a `lastack run --ladder` at the client
 * draws what they do. `sudo make demo`, or: build/demo [LASTACK-BINARY] [STORY...]. The lab
 * goes away with this process, on Ctrl-C too.
 */
#include "observer.h"
#include "stories.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Time to draw what comes after the last segment: the end of TIME_WAIT, or the timeout. */
#define AFTER_TIME_WAIT_MS 1500
#define AFTER_TIMEOUT_MS   2500
#define AFTER_RST_MS	   800

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	if (!interrupted)
		nanosleep(&t, NULL);
}

static long time_to_draw(const struct la_ending *ending)
{
	if (ending->reason == LA_CLOSE_TIMEOUT)
		return AFTER_TIMEOUT_MS;
	return ending->gone == LA_GONE_TIME_WAIT_OVER ? AFTER_TIME_WAIT_MS : AFTER_RST_MS;
}

static void print_heading(int number, const struct la_story *story)
{
	const char *no_color = getenv("NO_COLOR");
	bool bold = isatty(STDOUT_FILENO) && !(no_color && *no_color);

	printf("\n%s%d. %s%s\n   %s\n", bold ? "\033[1m" : "", number, story->title,
	       bold ? "\033[0m" : "", story->text);
	fflush(stdout);
}

/* True if the story was named on the command line, or none was. */
static bool is_wanted(const struct la_story *story, char *const *names)
{
	if (!names[0])
		return true;
	while (*names && strcmp(*names, story->name) != 0)
		names++;
	return *names;
}

static int show(struct la_lab *lab, struct la_wire *wire, char *const *names)
{
	struct la_scene scene;
	int i, shown = 0;

	for (i = 0; i < la_story_count && !interrupted; i++) {
		const struct la_story *story = &la_stories[i];

		if (!is_wanted(story, names))
			continue;
		print_heading(++shown, story);
		if (!la_story_play(story, lab, wire, AF_INET, &scene) && !interrupted) {
			fprintf(stderr, "demo: %s did not go as told: %s\n", story->name,
				scene.why);
			return 1;
		}
		pause_ms(time_to_draw(&story->ending[story->endings - 1]));
	}
	if (shown || interrupted)
		return 0;
	fprintf(stderr, "demo: no such story; there are:");
	for (i = 0; i < la_story_count; i++)
		fprintf(stderr, " %s", la_stories[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static struct la_observer *start_drawing(struct la_lab *lab)
{
	const char *options[16] = {"--ladder", "-n"};
	int i;

	for (i = 0; la_story_timeouts[i]; i++)
		options[2 + i] = la_story_timeouts[i];
	return la_observer_start_drawing(lab, LA_LAB_CLIENT, "eth0", options);
}

static int run(char *const *names)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_wire *wire = lab ? la_wire_new(lab) : NULL;
	struct la_observer *obs = wire ? start_drawing(lab) : NULL;
	int code = 1;

	if (!obs)
		goto cleanup;
	printf("A client and a server, each in a network namespace of its own; lastack watches at "
	       "the\n"
	       "client. What is in parentheses with a ? is presumed: the segment passed, but "
	       "nothing\n"
	       "yet proves that it arrived. The clocks are set short: TIME_WAIT lasts 1 s.\n");
	code = show(lab, wire, names);
	if (la_observer_stop(obs) != 0)
		code = 1;
	printf("\n%s", la_observer_stderr(obs));
cleanup:
	la_observer_free(obs);
	la_wire_free(wire);
	la_lab_free(lab);
	return code;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};

	if (geteuid() != 0) {
		fprintf(stderr,
			"demo: it makes network namespaces, which needs root: sudo make demo\n");
		return 1;
	}
	if (argc > 1)
		setenv("LASTACK", argv[1], 1);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	return run(argv + (argc > 1 ? 2 : 1));
}
