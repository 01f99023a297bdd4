/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output_base.h - what the printing sinks have in common: a buffer, the options, glyphs.
 *
 * A printing sink starts with a struct la_output. Only output_*.c and ladder.c include this.
 */
#ifndef LA_USER_OUTPUT_BASE_H
#define LA_USER_OUTPUT_BASE_H

#include "outbuf.h"
#include "output.h"
#include "style.h"

struct la_output {
	struct la_sink sink; /* first: a sink is an output is a text, jsonl or ladder sink */
	struct la_output_opts opts;
	const struct la_glyphs *glyphs;
	struct la_buf out;
};

/* Allocates `size` zeroed bytes, at least a struct la_output, and fills its head. Flush and
 * close are the common ones. NULL without memory. */
void *la_output_alloc(size_t size, FILE *to, const struct la_output_opts *opts,
		      void (*record)(struct la_sink *, const struct la_rec *));

/* The common flush and close. */
int la_output_flush(struct la_sink *sink);
void la_output_close(struct la_sink *sink);

/* Name of the interface of a record, NULL if there is none. */
const char *la_output_ifname(const struct la_output *o, const struct la_rec *rec);

/* Appends a colour, unless colours are off. */
LA_INLINE void la_output_sgr(struct la_output *o, const char *sgr)
{
	if (o->opts.color)
		la_buf_str(&o->out, sgr);
}

/* Wall-clock time of a record, ns since the epoch. */
LA_INLINE __s64 la_output_time(const struct la_output *o, const struct la_rec *rec)
{
	return (__s64)rec->ts + o->opts.clock_offset;
}

#endif
