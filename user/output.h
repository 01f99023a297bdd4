/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - the sinks that print records: lines of text, JSON lines, ladders, a summary.
 *
 * Every constructor returns a sink to be ended with la_sink_close(), or NULL without memory.
 * Output is buffered; la_sink_flush() writes it out, so whoever feeds the sink calls it when
 * the stream pauses. Write errors are remembered, said once on stderr, and told by
 * la_output_failed(): whoever feeds the sink should then stop.
 *
 * For the verbs that print: cmd_run.c, cmd_replay.c.
 */
#ifndef LA_USER_OUTPUT_H
#define LA_USER_OUTPUT_H

#include "owners.h"
#include "sink.h"
#include "text.h"
#include <stdio.h>

struct la_output_opts {
	bool color;	       /* use colours */
	bool wide;	       /* text: all that is known, whatever the width */
	const __u64 *timeouts; /* ns, by enum la_timeout; for conntrack */
	enum la_time_format time_format;
	bool numeric;	    /* ports as numbers; else a server's port by its service name */
	__s64 clock_offset; /* ns from a record's clock to the wall clock */
	/* Name of an interface, NULL if it has none. The name is copied before it returns. */
	const char *(*ifname)(__u32 ifindex, void *ctx);
	void *ifname_ctx;
	la_owners_fn owners; /* NULL: nobody's are told */
	void *owners_ctx;
	/* Waits until the output can be written; false: give it up. NULL: writing waits itself. */
	bool (*wait)(void *ctx);
	void *wait_ctx;
};

struct la_options;

/*
 * The sink that the options of a verb ask for, one of those below. Of `out` the caller
 * fills what the command line does not say: the clock and the names of interfaces.
 */
struct la_sink *la_output_new(FILE *to, const struct la_options *opts, struct la_output_opts out);

/* One line a transition and one bold line a connection, for people. */
struct la_sink *la_output_text_new(FILE *to, const struct la_output_opts *opts);

/* One flat JSON object a line, for programs: keys in output_jsonl.c. */
struct la_sink *la_output_jsonl_new(FILE *to, const struct la_output_opts *opts);

/*
 * A conn.log as Zeek writes it: one line a connection, when it is gone, so that the line has
 * what came after the close; what is not gone by the end follows then. Header lines come with
 * the first line.
 */
struct la_sink *la_output_zeek_new(FILE *to, const struct la_output_opts *opts);

/* Lines as conntrack -L and -E print them. */
struct la_sink *la_output_conntrack_new(FILE *to, const struct la_output_opts *opts);

/* Each connection as the textbook ladder. Wants la_config.segments. */
struct la_sink *la_output_ladder_new(FILE *to, const struct la_output_opts *opts);

/* errno of the first write that failed, 0 if none did. For the sinks above only. */
int la_output_failed(const struct la_sink *sink);

/* Counts what went by, without printing. */
struct la_sink *la_summary_new(void);

/* Tracking outlives lastack: connections that are open are not closed, and cannot be counted. */
void la_summary_goes_on(struct la_sink *summary);

/*
 * Prints what la_summary_new()'s sink counted, a few lines, and what became of the packets
 * (NULL: that is not known).
 */
void la_summary_print(struct la_sink *summary, const struct la_counters *packets, FILE *to,
		      bool color);

#endif
