// SPDX-License-Identifier: BSD-2-Clause
/*
 * output_base.c - see output_base.h.
 */
#include "output_base.h"
#include <stdlib.h>

void *la_output_alloc(size_t size, FILE *to, const struct la_output_opts *opts,
		      void (*record)(struct la_sink *, const struct la_rec *))
{
	struct la_output *o = calloc(1, size);

	if (!o)
		return NULL;
	o->sink = (struct la_sink){
		.record = record, .flush = la_output_flush, .close = la_output_close};
	o->opts = *opts;
	o->glyphs = la_style_glyphs();
	o->out.to = to;
	o->out.wait = opts->wait;
	o->out.wait_ctx = opts->wait_ctx;
	return o;
}

int la_output_flush(struct la_sink *sink)
{
	la_buf_flush(&((struct la_output *)sink)->out);
	return la_output_failed(sink);
}

void la_output_close(struct la_sink *sink)
{
	la_output_flush(sink);
	free(sink);
}

int la_output_failed(const struct la_sink *sink)
{
	return ((const struct la_output *)sink)->out.error;
}

const char *la_output_ifname(const struct la_output *o, const struct la_rec *rec)
{
	if (!rec->ifindex || !o->opts.ifname)
		return NULL;
	return o->opts.ifname(rec->ifindex, o->opts.ifname_ctx);
}
