/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.h - what the verbs that ask a lastack have in common on the command line.
 *
 * Owns the options by which all of them say whom to ask and how to print, and the filter that
 * follows. A verb puts LA_READER_SHORT and LA_READER_LONG into its getopt tables, gives what it
 * does not know itself to la_reader_take(), and the words behind the options to
 * la_reader_filter().
 */
#ifndef LA_USER_READER_H
#define LA_USER_READER_H

#include "filter.h"
#include "options.h"
#include "output.h"
#include "source.h"

struct la_reader {
	struct la_options shared;
	struct la_source_opts source;
	__u32 formats;		  /* bits 1 << enum la_format that the verb knows */
	char *filter_text;	  /* never NULL after la_reader_filter() */
	struct la_filter *filter; /* or NULL */
	bool help;
};

enum la_reader_option {
	LA_READER_CONTROL = LA_OPT_OWN,
	LA_READER_PERSIST,
	LA_READER_BPFFS,
	LA_READER_OWN, /* a verb's own start here */
};

#define LA_READER_SHORT "o:nh"
/* clang-format off */
#define LA_READER_LONG                                                                             \
	{"output", required_argument, NULL, 'o'},                                                  \
	{"numeric", no_argument, NULL, 'n'},                                                       \
	{"color", required_argument, NULL, LA_OPT_COLOR},                                          \
	{"time-format", required_argument, NULL, LA_OPT_TIME_FORMAT},                              \
	{"control", required_argument, NULL, LA_READER_CONTROL},                                   \
	{"persist", optional_argument, NULL, LA_READER_PERSIST},                                   \
	{"bpffs", required_argument, NULL, LA_READER_BPFFS},                                       \
	{"help", no_argument, NULL, 'h'}
/* clang-format on */

/* cannot: how an error begins; formats: bits 1 << enum la_format. */
void la_reader_init(struct la_reader *reader, const char *cannot, __u32 formats);

/* Takes one result of getopt_long(). Returns 0, or -1 with the reason on stderr. */
int la_reader_take(struct la_reader *reader, int opt, char **argv);

/* Takes the words of a filter, which may be none. Returns 0, or -1 with the reason on stderr. */
int la_reader_filter(struct la_reader *reader, char *const *words, int count);

/* Prints the help of the common options, two spaces indented. */
void la_reader_help(FILE *to);

/* The sink that prints on stdout what the source tells. NULL: the reason is on stderr. */
struct la_sink *la_reader_output(const struct la_reader *reader, struct la_source *source);

void la_reader_free(struct la_reader *reader);

#endif
