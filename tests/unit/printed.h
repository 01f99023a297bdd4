/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printed.h - what an output prints of a conversation, as a string.
 *
 * For the tests of the outputs. The locale is set to UTF-8 or C, the time zone to UTC, so
 * that the text is the same everywhere.
 */
#ifndef LA_TESTS_PRINTED_H
#define LA_TESTS_PRINTED_H

#include "output.h"
#include "records.h"
#include <criterion/criterion.h>
#include <stdlib.h>

typedef struct la_sink *(*paper_new)(FILE *to, const struct la_output_opts *opts);

struct paper {
	char *text;
	size_t size;
	FILE *file;
	struct la_sink *sink;
};

LA_INLINE const char *paper_ifname(__u32 ifindex, void *ctx)
{
	return ifindex == 2 ? ctx : NULL;
}

/* Record clocks start at 1970 plus one day, so that 10 s is 00:00:10. */
LA_INLINE struct la_output_opts paper_opts(void)
{
	return (struct la_output_opts){.numeric = true,
				       .clock_offset = 86400LL * (__s64)S,
				       .ifname = paper_ifname,
				       .ifname_ctx = "veth0"};
}

LA_INLINE void paper_open(struct paper *p, paper_new new, const struct la_output_opts *opts,
			  const char *locale)
{
	setenv("LC_ALL", locale, 1);
	setenv("TZ", "UTC", 1);
	p->file = open_memstream(&p->text, &p->size);
	cr_assert_not_null(p->file);
	p->sink = new (p->file, opts);
	cr_assert_not_null(p->sink);
}

/* Ends the sink; the text stays until paper_free(). */
LA_INLINE const char *paper_done(struct paper *p)
{
	la_sink_close(p->sink);
	fclose(p->file);
	return p->text;
}

LA_INLINE void paper_free(struct paper *p)
{
	free(p->text);
}

/* The whole of one conversation, with the usual options, in UTF-8. The caller frees it. */
LA_INLINE char *printed(paper_new new, const struct talk *t)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	paper_open(&p, new, &opts, "C.UTF-8");
	talk_play(t, p.sink);
	paper_done(&p);
	return p.text;
}

/* Fails unless the text has the line, from its first column that is not blank to its end. */
LA_INLINE void expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	const char *end = at ? at + strlen(line) : NULL;

	cr_expect(at && (*end == '\n' || *end == '\0'), "no line \"%s\" in\n%s", line, text);
}

/* How often a string occurs. */
LA_INLINE int count_of(const char *text, const char *what)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

#endif
