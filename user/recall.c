/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recall.c - see recall.h.
 */
#include "recall.h"
#include "sink.h"
#include <stdlib.h>
#include <string.h>

union slot {
	struct la_rec h;
	struct la_rec_state state;
	struct la_rec_rst rst;
	struct la_rec_segment segment;
};

struct la_recall {
	__u64 count; /* ever; number n is in place n % LA_RECALL_MAX */
	union slot slots[LA_RECALL_MAX];
};

struct la_recall *la_recall_new(void)
{
	return calloc(1, sizeof(struct la_recall));
}

void la_recall_add(struct la_recall *recall, const struct la_rec *rec)
{
	bool moves = rec->type == LA_REC_STATE || rec->type == LA_REC_RST;

	if (recall && (moves || rec->type == LA_REC_SEGMENT))
		memcpy(&recall->slots[recall->count++ % LA_RECALL_MAX], rec, la_record_size(rec));
}

static const struct la_rec *record(const struct la_recall *recall, __u64 n)
{
	return &recall->slots[n % LA_RECALL_MAX].h;
}

size_t la_recall_copy(const struct la_recall *recall, __u64 id, void *to, size_t room)
{
	__u64 end = recall ? recall->count : 0;
	__u64 oldest = end > LA_RECALL_MAX ? end - LA_RECALL_MAX : 0, from = end;
	size_t size = 0;

	for (__u64 n = end; n-- > oldest;) {
		size_t more = record(recall, n)->id == id ? la_record_size(record(recall, n)) : 0;

		if (more > room - size)
			break;
		size += more;
		from = n;
	}
	size = 0;
	for (; from < end; from++) {
		const struct la_rec *rec = record(recall, from);

		if (rec->id != id)
			continue;
		memcpy((char *)to + size, rec, la_record_size(rec));
		size += la_record_size(rec);
	}
	return size;
}

void la_recall_free(struct la_recall *recall)
{
	free(recall);
}
