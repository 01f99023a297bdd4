/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_native.c - any sequence of segments between a few endpoints keeps the promises of
 * invariants.h. Each 10 bytes of input are one segment: sequence numbers stay near each
 * other, so that they mean something to the tracker, and time passes now and then.
 */
#include "../packet.h"
#include "invariants.h"
#include "native.h"
#include "options.h"

#define SEGMENT_BYTES 10
#define SEGMENTS_MAX  400

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* How much time passes before a segment, by two bits. */
static const __u64 pauses[] = {0, LA_MSEC_NS, 15 * LA_SEC_NS, 70 * LA_SEC_NS};

static struct la_frame segment(const unsigned char *d)
{
	bool back = d[0] & 1;
	__u16 port = 1000 + (d[0] >> 1 & 1);
	__u32 isn = back ? 5000 : 0xfffffff0; /* one of the sides wraps around */
	__u32 peer = back ? 0xfffffff0 : 5000;

	return LA_FRAME(.l3 = true, .src = back ? "10.0.0.2" : "10.0.0.1",
			.dst = back ? "10.0.0.1" : "10.0.0.2", .sport = back ? 80 : port,
			.dport = back ? port : 80, .flags = d[1] & 0x3f,
			.seq = isn + (d[2] & 0x1f) + (d[3] & 0x80 ? 70000u * d[3] : 0),
			.ack = peer + (d[4] & 0x1f) + (d[5] & 0x80 ? 70000u * d[5] : 0),
			.win = (__u16)(d[6] << 8 | d[7]), .payload_len = d[8] & 0x0f,
			.ttl = 60 + (d[9] & 3));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct invariants v;
	struct la_native *native;
	struct la_config cfg;
	__u64 now = LA_SEC_NS;

	invariants_start(&v);
	la_config_defaults(&cfg);
	cfg.segments = size & 1;
	native = la_native_new(&cfg, &v.sink);
	if (!native)
		return 0;
	for (size_t i = 0; i + SEGMENT_BYTES <= size && i < SEGMENTS_MAX * SEGMENT_BYTES;
	     i += SEGMENT_BYTES) {
		struct la_frame f = segment(data + i);

		now += pauses[data[i] >> 2 & 3];
		la_native_set_hook(native, data[i] >> 4 & 1);
		la_native_packet(native, f.bytes, (__u32)f.len, (__u32)f.len, LA_LINK_L3, 0, now);
	}
	la_native_finish(native);
	invariants_end(&v);
	if (la_native_counters(native)->opened != la_native_counters(native)->gone)
		abort();
	la_native_free(native);
	return 0;
}
