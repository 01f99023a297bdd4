/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decap.c - tunnels in the kernel: with the option the connections inside are tracked as
 * replay tracks them, without it none is.
 */
#include "../tunnel.h"
#include "engine.h"
#include "native.h"
#include "options.h"
#include <criterion/criterion.h>

/* Counts close records, and mixes what they say into one number. */
struct tally {
	struct la_sink sink;
	__u64 closes, sum;
};

static void count(struct la_sink *sink, const struct la_rec *rec)
{
	const struct la_rec_close *close = (const struct la_rec_close *)rec;
	struct tally *t = (struct tally *)sink;

	if (rec->type != LA_REC_CLOSE)
		return;
	t->closes++;
	t->sum += (rec->id ^ close->side[LA_ORIG].ip_bytes) * (close->conn_state + 1U) +
		  close->side[LA_RESP].ip_bytes + close->history_len;
}

/* A connection attempt that is refused, from a port of its own. */
static struct la_frame attempt(const struct tunnel *t, int n, bool v6, bool answer)
{
	const char *client = v6 ? "fd00::1" : "10.0.0.1", *server = v6 ? "fd00::2" : "10.0.0.2";
	__u16 port = (__u16)(40000 + n);
	struct la_frame f =
		LA_FRAME(.l3 = true, .src = answer ? server : client,
			 .dst = answer ? client : server, .sport = answer ? 443 : port,
			 .dport = answer ? port : 443, .seq = answer ? 0 : 1000,
			 .ack = answer ? 1001 : 0, .flags = answer ? LA_RST | LA_ACK : LA_SYN);

	t->wrap(&f, v6 ? LA_ETH_IPV6 : LA_ETH_IPV4);
	return f;
}

static void compare(enum la_gate gate, enum la_hook hook, bool decap)
{
	struct tally kernel = {.sink = {.record = count}}, native = {.sink = {.record = count}};
	__u64 packets = TUNNELS * 4, want = decap ? TUNNELS * 2 : 0, now = 1000 * LA_SEC_NS;
	enum la_reason reason = decap ? LA_R_ACCEPTED : LA_R_NOT_TCP;
	struct la_engine_opts opts = {.max_flows = 64};
	struct la_engine *engine;
	struct la_counters counters;
	struct la_native *n;

	la_config_defaults(&opts.config);
	opts.config.decap = decap;
	engine = la_engine_new(&opts, &kernel.sink);
	n = la_native_new(&opts.config, &native.sink);
	la_native_set_hook(n, la_hook_id(1, false));
	for (int i = 0; i < (int)packets; i++) {
		struct la_frame f = attempt(&tunnels[i / 4], i / 2, i & 2, i & 1);

		now += LA_MSEC_NS;
		la_engine_packet(engine, gate, f.bytes, (__u32)f.len, now);
		la_native_packet(n, f.bytes, (__u32)f.len, (__u32)f.len, LA_LINK_ETHER, 0, now);
	}
	la_engine_drain(engine);
	counters = la_engine_counters(engine);
	cr_expect_eq(counters.packets[hook][reason], packets, "%llu packets %s",
		     counters.packets[hook][reason], la_reason_word(reason));
	cr_expect_eq(kernel.closes, want, "%llu close records", kernel.closes);
	cr_expect_eq(native.closes, want, "%llu close records natively", native.closes);
	cr_expect_eq(kernel.sum, native.sum, "they say something else");
	la_native_finish(n);
	la_native_free(n);
	la_engine_free(engine);
}

Test(decap, xdp)
{
	compare(LA_GATE_XDP, LA_HOOK_XDP, true);
}

Test(decap, tc)
{
	compare(LA_GATE_TC_INGRESS, LA_HOOK_TC_INGRESS, true);
}

Test(decap, off)
{
	compare(LA_GATE_XDP, LA_HOOK_XDP, false);
}
