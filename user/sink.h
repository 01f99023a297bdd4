/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.h - whoever takes records: an output, the metrics, a policy, a test.
 *
 * Producers (events.c for the ring buffer, native.c for replay) know only this; sinks do
 * not know each other. A record is valid during the call.
 */
#ifndef LA_USER_SINK_H
#define LA_USER_SINK_H

#include "la_abi.h"
#include <stddef.h>

struct la_sink {
	/* One record, in order. Never fails: a sink that cannot write remembers its error. */
	void (*record)(struct la_sink *sink, const struct la_rec *rec);
	/*
	 * A pause in the stream, or its end: write out what is buffered. Returns 0, or the errno of
	 * the first write that failed, now or before.
	 */
	int (*flush)(struct la_sink *sink);
	/* Frees the sink. */
	void (*close)(struct la_sink *sink);
};

/* Bytes of a record of which there is one a connection and event, by its type; else 0. */
LA_INLINE size_t la_record_size(const struct la_rec *rec)
{
	static const size_t sizes[LA_RECORD_MAX] = {
		[LA_REC_STATE] = sizeof(struct la_rec_state),
		[LA_REC_RST] = sizeof(struct la_rec_rst),
		[LA_REC_CLOSE] = sizeof(struct la_rec_close),
		[LA_REC_GONE] = sizeof(struct la_rec_gone),
		[LA_REC_SEGMENT] = sizeof(struct la_rec_segment),
		[LA_REC_POLICY] = sizeof(struct la_rec_policy),
	};

	return rec->type < LA_RECORD_MAX ? sizes[rec->type] : 0;
}

/* Source of a lost record besides those of enum la_lost_source: a client was too slow for it. */
#define LA_LOST_CLIENT LA_LOST_MAX

LA_INLINE void la_sink_record(struct la_sink *sink, const struct la_rec *rec)
{
	sink->record(sink, rec);
}

LA_INLINE int la_sink_flush(struct la_sink *sink)
{
	return sink && sink->flush ? sink->flush(sink) : 0;
}

LA_INLINE void la_sink_close(struct la_sink *sink)
{
	if (sink)
		sink->close(sink);
}

#endif
