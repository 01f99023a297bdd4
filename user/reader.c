/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.c - see reader.h.
 */
#include "reader.h"
#include "clock.h"
#include "control.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void la_reader_init(struct la_reader *reader, const char *cannot, __u32 formats)
{
	*reader = (struct la_reader){.source = {.bpffs = LA_PERSIST_BPFFS, .cannot = cannot},
				     .formats = formats};
	la_options_init(&reader->shared);
}

static int take_persist(struct la_reader *reader, const char *name)
{
	reader->source.persist = name ? name : LA_PERSIST_NAME;
	if (la_persist_name_ok(reader->source.persist))
		return 0;
	return la_options_bad("--persist", name, LA_PERSIST_NAME_RULE);
}

static int take_shared(struct la_reader *reader, int opt, char **argv)
{
	if (opt == '?' || opt == ':')
		return la_options_bad_word(opt, argv);
	if (la_options_take(&reader->shared, opt, optarg) == LA_TAKEN_BAD)
		return -1;
	if (opt == 'o' && !(reader->formats & 1U << reader->shared.format))
		return la_options_bad("-o", optarg, "not a format of this verb, see --help");
	return 0;
}

int la_reader_take(struct la_reader *reader, int opt, char **argv)
{
	switch (opt) {
	case LA_READER_CONTROL:
		reader->source.control = optarg;
		return 0;
	case LA_READER_PERSIST:
		return take_persist(reader, optarg);
	case LA_READER_BPFFS:
		reader->source.bpffs = optarg;
		return 0;
	case 'h':
		reader->help = true;
		return 0;
	default:
		return take_shared(reader, opt, argv);
	}
}

int la_reader_filter(struct la_reader *reader, char *const *words, int count)
{
	char err[LA_FILTER_ERR_SIZE];

	reader->filter_text = la_options_join(words, count);
	if (!reader->filter_text)
		return la_fail(LA_EXIT_RUNTIME, reader->source.cannot, NULL, strerror(ENOMEM),
			       NULL),
		       -1;
	reader->filter = la_filter_parse(reader->filter_text, err, sizeof(err));
	return reader->filter ? 0 : la_options_bad("filter", err, NULL);
}

void la_reader_help(FILE *to)
{
	fputs("  -n, --numeric          no names for ports\n"
	      "      --color WHEN       auto (default), always, never; NO_COLOR is heeded\n"
	      "      --time-format FORMAT   clock (default), iso or epoch\n"
	      "      --control PATH     the socket of the lastack to ask (default\n"
	      "                         " LA_CONTROL_DIR "/" LA_PERSIST_NAME ".sock)\n"
	      "      --persist[=NAME]   ask what run --persist has pinned (NAME: " LA_PERSIST_NAME
	      "),\n"
	      "                         whether one runs or not\n"
	      "      --bpffs DIR        where that is pinned (default " LA_PERSIST_BPFFS ")\n"
	      "  -h, --help             this text\n",
	      to);
}

struct la_sink *la_reader_output(const struct la_reader *reader, struct la_source *source)
{
	struct la_output_opts out = {
		.clock_offset = la_realtime_offset_ns(),
		.ifname = la_source_ifname,
		.ifname_ctx = source,
		.owners = la_source_owners,
		.owners_ctx = source,
	};
	struct la_sink *sink = la_output_new(stdout, &reader->shared, out);

	if (!sink)
		la_fail(LA_EXIT_RUNTIME, "cannot print", NULL, strerror(ENOMEM), NULL);
	return sink;
}

void la_reader_free(struct la_reader *reader)
{
	la_filter_free(reader->filter);
	free(reader->filter_text);
}
