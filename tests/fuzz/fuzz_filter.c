/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_filter.c - any text either compiles and matches any record, or gives an error that
 * fits its buffer. The first bytes make the record, the rest is the text.
 */
#include "filter.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Negation must turn true into false, and leave unknown as it is: both never pass. */
static void check_negation(const char *text, const struct la_rec *rec, bool passes)
{
	char negated[LA_FILTER_TEXT_MAX + 8], err[512];
	struct la_filter *filter;

	snprintf(negated, sizeof(negated), "not (%s)", text);
	filter = la_filter_parse(negated, err, sizeof(err));
	if (filter && passes && la_filter_match(filter, rec))
		abort();
	la_filter_free(filter);
}

static const char *name_of(__u32 ifindex, void *ctx)
{
	(void)ctx;
	return ifindex & 1 ? "eth0" : NULL;
}

/* Owners of the first end alone, with words out of the record itself. */
static void owners_of(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)ctx;
	own[1].pid = 0;
	own[0].pid = rec->ifindex;
	snprintf(own[0].comm, sizeof(own[0].comm), "%.15s", (const char *)rec->key.addr[0]);
	snprintf(own[0].cgroup, sizeof(own[0].cgroup), "/%.30s", (const char *)rec->key.addr[0]);
}

static void check_match(const char *text, const struct la_filter *filter, union la_any_rec *rec)
{
	for (unsigned int type = 0; type <= LA_RECORD_MAX; type++) {
		rec->h.type = (__u8)type;
		check_negation(text, &rec->h, la_filter_match(filter, &rec->h));
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	union la_any_rec rec = {0};
	size_t head = size < 64 ? 0 : 64;
	char *text = strndup((const char *)data + head, size - head);
	struct la_filter *filter;
	char err[200];

	if (!text)
		return 0;
	memcpy((char *)&rec + sizeof(rec.h) - head, data, head);
	err[0] = '\0';
	filter = la_filter_parse(text, err, sizeof(err));
	la_filter_ifnames(filter, name_of, NULL);
	la_filter_owners(filter, owners_of, NULL);
	if (filter)
		check_match(text, filter, &rec);
	else if (strncmp(err, "column ", 7) != 0)
		abort();
	la_filter_free(filter);
	la_filter_begins(text);
	free(text);
	return 0;
}
