/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - whoever makes records of the packets of a capture: native.c, the tracker as a
 * library, or bpf_engine.c, the programs in the kernel.
 *
 * Both give the same records in the same order: before each packet the flows leave whose
 * clock has run out, in the order of their deadlines and, at one moment, of their ids; then
 * come the records of the packet. replay.c feeds an engine and knows no more than this.
 */
#ifndef LA_USER_ENGINE_H
#define LA_USER_ENGINE_H

#include "la_abi.h"
#include "la_parse.h"
#include "sink.h"

/* Bytes of a packet that an engine looks at: headers end before. */
#define LA_CAPTURED_MAX 2048

/* One packet as a capture has it. */
struct la_captured {
	const void *data;
	__u32 cap_len;	   /* bytes at data */
	__u32 wire_len;	   /* bytes that it had on the wire */
	bool cut;	   /* by a snap length */
	enum la_link link; /* link and l3_proto (network byte order) as for la_parse() */
	__be16 l3_proto;
	__u32 hook; /* where it was seen: la_hook_id(), or 0 when there is one place only */
	__u64 ts;   /* ns */
	enum la_reason damaged; /* la_checksum_verify(): why not to believe it, or 0 */
	__u16 segs; /* as in struct la_segment; 0: a capture does not say what offloads joined */
};

struct la_engine {
	/* Takes one packet. Returns 0, or -errno: the engine is broken. */
	int (*packet)(struct la_engine *engine, const struct la_captured *packet);
	/*
	 * No more packets: what is open closes, with reason shutdown. Returns 0 or -errno.
	 * Then the engine is empty, and may begin anew with another capture.
	 */
	int (*finish)(struct la_engine *engine);
	/* The counters so far. Returns 0 or -errno. */
	int (*counters)(const struct la_engine *engine, struct la_counters *sum);
	/* Frees the engine. */
	void (*close)(struct la_engine *engine);

	__u64 now;	  /* the latest time of a packet, ns */
	__u64 disordered; /* packets that bore an earlier one */
};

/* Time never goes back: an earlier packet is taken to be as late as the latest so far. */
LA_INLINE __u64 la_engine_clock(struct la_engine *engine, __u64 ts)
{
	if (ts < engine->now)
		engine->disordered++;
	else
		engine->now = ts;
	return engine->now;
}

LA_INLINE void la_engine_close(struct la_engine *engine)
{
	if (engine)
		engine->close(engine);
}

#endif
