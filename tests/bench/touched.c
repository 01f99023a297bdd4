/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * touched.c - see touched.h.
 *
 *	SYN, SYN-ACK, ACK, data, ACK, data, ACK		la_track(), unobserved
 *	data, ACK					la_fast(), observed
 */
#include "touched.h"
#include "la_fast.h"
#include "la_track.h"
#include "options.h"

#define UNOBSERVED __attribute__((no_sanitize("kernel-address"), noinline))

static struct la_flow flow;
/* Of accesses that it knows to be in bounds, the compiler does not tell: it must not know. */
static struct la_flow *volatile watched = &flow;
static bool *touched; /* NULL: nobody is interested */

static UNOBSERVED void note(void *addr, long size)
{
	unsigned long at = (unsigned long)addr - (unsigned long)&flow;

	for (long i = 0; touched && i < size; i++, at++)
		if (at < sizeof(flow))
			touched[at] = true;
}

/* What the compiler calls before an access of so many bytes. */
#define ON_ACCESS(size)                                                                            \
	void __asan_load##size##_noabort(void *addr);                                              \
	void __asan_store##size##_noabort(void *addr);                                             \
	UNOBSERVED void __asan_load##size##_noabort(void *addr)                                    \
	{                                                                                          \
		note(addr, size);                                                                  \
	}                                                                                          \
	UNOBSERVED void __asan_store##size##_noabort(void *addr)                                   \
	{                                                                                          \
		note(addr, size);                                                                  \
	}
ON_ACCESS(1)
ON_ACCESS(2)
ON_ACCESS(4)
ON_ACCESS(8)
ON_ACCESS(16)

void __asan_loadN_noabort(void *addr, long size);
void __asan_storeN_noabort(void *addr, long size);
void __asan_handle_no_return(void);

UNOBSERVED void __asan_loadN_noabort(void *addr, long size)
{
	note(addr, size);
}

UNOBSERVED void __asan_storeN_noabort(void *addr, long size)
{
	note(addr, size);
}

UNOBSERVED void __asan_handle_no_return(void)
{
}

enum { CLIENT, SERVER };

struct said {
	__u8 by, flags;
	__u32 seq, ack, len;
};

static struct la_segment segment_of(struct said s)
{
	static __u64 now;

	return (struct la_segment){
		.ts = now += LA_MSEC_NS,
		.seq = s.seq,
		.ack = s.ack,
		.len = s.len,
		.ip_len = 40 + s.len,
		.hdr_len = 40,
		.segs = 1,
		.win = 65535,
		.ttl = 64,
		.hook = 2,
		.flags = s.flags,
		.dir = s.by,
	};
}

static void open_flow(const struct la_config *cfg)
{
	static const struct said talk[] = {
		{CLIENT, LA_SYN, 0, 0, 0},   {SERVER, LA_SYN | LA_ACK, 0, 1, 0},
		{CLIENT, LA_ACK, 1, 1, 0},   {CLIENT, LA_ACK, 1, 1, 100},
		{SERVER, LA_ACK, 1, 101, 0}, {CLIENT, LA_ACK, 101, 1, 100},
		{SERVER, LA_ACK, 1, 201, 0},
	};
	static struct la_out out;
	static const struct la_key key = {.port = {1, 2}};

	for (size_t i = 0; i < sizeof(talk) / sizeof(*talk); i++) {
		struct la_segment seg = segment_of(talk[i]);

		la_track(&flow, &key, &seg, cfg, &out);
	}
}

static bool observe(struct said what, const struct la_config *cfg, bool *to)
{
	struct la_segment seg = segment_of(what);
	bool taken;

	touched = to;
	taken = la_fast(watched, &seg, cfg, true);
	touched = NULL;
	return taken;
}

int la_touched(bool by_data[sizeof(struct la_flow)], bool by_ack[sizeof(struct la_flow)])
{
	struct la_config cfg;

	la_config_defaults(&cfg);
	open_flow(&cfg);
	if (!observe((struct said){CLIENT, LA_ACK, 201, 1, 100}, &cfg, by_data) ||
	    !observe((struct said){SERVER, LA_ACK, 1, 301, 0}, &cfg, by_ack))
		return -1;
	return 0;
}
