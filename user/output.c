/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c - picks the sink that the command line asks for. See output.h.
 */
#include "output.h"
#include "options.h"

static struct la_sink *(*const new_of_format[])(FILE *, const struct la_output_opts *) = {
	[LA_FORMAT_TEXT] = la_output_text_new,		 [LA_FORMAT_JSONL] = la_output_jsonl_new,
	[LA_FORMAT_ZEEK] = la_output_zeek_new,		 [LA_FORMAT_WIDE] = la_output_text_new,
	[LA_FORMAT_CONNTRACK] = la_output_conntrack_new,
};

struct la_sink *la_output_new(FILE *to, const struct la_options *opts, struct la_output_opts out)
{
	out.color = la_color_wanted(opts->color, to);
	out.numeric = opts->numeric;
	out.time_format = opts->time_format;
	out.wide = opts->format == LA_FORMAT_WIDE;
	out.timeouts = opts->cfg.timeout;
	if (opts->ladder)
		return la_output_ladder_new(to, &out);
	return new_of_format[opts->format](to, &out);
}
