/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - what the verbs have in common on the command line, and how they complain.
 *
 * Owns the options that `run` and `replay` share (output format, ladder, colour, names,
 * timeouts), the words they take, the shape of an error line and the exit codes.
 * A verb puts LA_OPTIONS_SHORT and LA_OPTIONS_LONG into its own getopt tables, gives what
 * getopt_long() returns to la_options_take() first, and looks itself at what is not taken.
 */
#ifndef LA_USER_OPTIONS_H
#define LA_USER_OPTIONS_H

#include "la_abi.h"
#include "text.h"
#include <getopt.h>
#include <stdio.h>

enum la_exit {
	LA_EXIT_OK = 0,
	LA_EXIT_RUNTIME = 1,
	LA_EXIT_USAGE = 2,
};

enum la_format {
	LA_FORMAT_TEXT = 1,
	LA_FORMAT_JSONL,
	LA_FORMAT_ZEEK,
	LA_FORMAT_WIDE,
	LA_FORMAT_CONNTRACK,
};
enum la_color { LA_COLOR_AUTO = 1, LA_COLOR_ALWAYS, LA_COLOR_NEVER };

struct la_options {
	enum la_format format;
	enum la_color color;
	enum la_time_format time_format;
	bool ladder;
	bool numeric; /* no names for ports */
	struct la_config cfg;
};

/* Values of the long options that have no letter. A verb's own start at LA_OPT_OWN. */
enum la_option {
	LA_OPT_LADDER = 256,
	LA_OPT_COLOR,
	LA_OPT_TIME_FORMAT,
	LA_OPT_TIMEOUT,
	LA_OPT_OWN
};

#define LA_OPTIONS_SHORT "o:n"
/* clang-format off */
#define LA_OPTIONS_LONG                                                                            \
	{"output", required_argument, NULL, 'o'},                                                  \
	{"numeric", no_argument, NULL, 'n'},                                                       \
	{"ladder", no_argument, NULL, LA_OPT_LADDER},                                              \
	{"color", required_argument, NULL, LA_OPT_COLOR},                                          \
	{"time-format", required_argument, NULL, LA_OPT_TIME_FORMAT},                              \
	{"timeout", required_argument, NULL, LA_OPT_TIMEOUT}
/* clang-format on */

enum la_taken {
	LA_TAKEN_BAD = -1, /* the error is on stderr, exit with LA_EXIT_USAGE */
	LA_TAKEN_NOT = 0,  /* not a shared option */
	LA_TAKEN_OK = 1,
};

/* Fills the defaults: text, colour auto, the timeouts of LA_TIMEOUTS. */
void la_options_init(struct la_options *opts);

/* Takes one result of getopt_long() and its optarg, if it is a shared option. */
enum la_taken la_options_take(struct la_options *opts, int opt, const char *arg);

/* The same, but the reason of LA_TAKEN_BAD goes to err. */
enum la_taken la_options_set(struct la_options *opts, int opt, const char *arg, char *err,
			     size_t err_size);

/*
 * Reports what getopt_long() did not understand, opt being the '?' or ':' that it returned,
 * of the verb argv[0]. Returns -1.
 */
int la_options_bad_word(int opt, char *const *argv);

/* Do the shared options agree with each other? Returns 0, or -1 with the reason on stderr. */
int la_options_check(const struct la_options *opts);

/* Prints the help of the shared options, two spaces indented. */
void la_options_help(FILE *to);

/* The timeouts of LA_TIMEOUTS in ns; segments off. */
void la_config_defaults(struct la_config *cfg);

/*
 * Sets one timeout from `NAME=DURATION`: a name of LA_TIMEOUTS (any case, - or _) and a
 * duration of more than 0. Returns 0, or -1 with the reason in err.
 */
int la_options_timeout(const char *arg, struct la_config *cfg, char *err, size_t err_size);

/* `text`, `jsonl`, `zeek`, `wide` or `conntrack`. Returns 0, or -1 with the reason in err. */
int la_options_format(const char *word, enum la_format *format, char *err, size_t err_size);

/* `clock`, `iso` or `epoch`. Returns 0, or -1 with the reason in err. */
int la_options_time_format(const char *word, enum la_time_format *format, char *err,
			   size_t err_size);

/* `auto`, `always` or `never`. Returns 0, or -1 with the reason in err. */
int la_options_color(const char *word, enum la_color *color, char *err, size_t err_size);

/*
 * True if the choice means colour on this stream. auto: it is a terminal, TERM is not
 * `dumb`, and NO_COLOR is unset or empty (https://no-color.org).
 */
bool la_color_wanted(enum la_color choice, FILE *to);

/*
 * Looks a word up in a list. Returns its index, or -1 with the reason in err: which words there
 * are, and which of them was meant.
 */
int la_word_find(const char *word, const char *const *words, size_t count, char *err,
		 size_t err_size);

#define LA_DURATION_MAX_NS (3650ULL * 86400 * LA_SEC_NS)

/*
 * Reads a duration: digits, perhaps a fraction, and a unit of ns us ms s m min h d; no
 * unit means seconds. Sets *ns, at most LA_DURATION_MAX_NS. Returns 0, or -1 if it is none.
 */
int la_duration_parse(const char *text, __u64 *ns);

/* Reads a whole number from 1. Sets *number; returns 0, or -1 if it is none. */
int la_number_parse(const char *text, __u64 *number);

/* The same of an option's value; what is none is reported on stderr. */
int la_options_number(const char *option, const char *text, __u64 *number);

/*
 * True if two words are the same, whatever their case, with - and _ alike; the first n
 * bytes of a are its word.
 */
bool la_word_equal(const char *a, size_t n, const char *b);

/*
 * Prints `lastack: what: on: why (todo)` on stderr, one line, and returns code, so that an
 * error is one statement: return la_fail(LA_EXIT_USAGE, ...). on and todo may be NULL.
 */
int la_fail(enum la_exit code, const char *what, const char *on, const char *why, const char *todo);

/* A usage error about an option, as la_fail() says it. Returns -1. */
int la_options_bad(const char *option, const char *why, const char *todo);

/* Joins words with single spaces, for a filter. The caller frees it; NULL: out of memory. */
char *la_options_join(char *const *words, int count);

#endif
