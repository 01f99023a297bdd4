/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_native.c - the native engine: packets in, records out, and what the clock does.
 *
 * What a segment means is the tracker's and tested with it; here it is the table, the
 * deadlines, the order of records, the end, and the counting.
 */
#include "heard.h"
#include "native.h"
#include "options.h"

struct play {
	struct la_config cfg;
	struct heard *heard;
	struct la_native *native;
};

static void play_open(struct play *p)
{
	p->heard = heard_new();
	p->native = la_native_new(&p->cfg, &p->heard->sink);
	cr_assert_not_null(p->native);
}

static struct play play_start(void)
{
	struct play p;

	la_config_defaults(&p.cfg);
	play_open(&p);
	return p;
}

/* The same with one timeout of its own. */
static struct play play_with(enum la_timeout which, __u64 ns)
{
	struct play p;

	la_config_defaults(&p.cfg);
	p.cfg.timeout[which] = ns;
	play_open(&p);
	return p;
}

static void play_end(struct play *p)
{
	la_native_free(p->native);
	la_sink_close(&p->heard->sink);
}

static void feed(struct play *p, const struct la_frame *f, __u64 at)
{
	la_native_packet(p->native, f->bytes, (__u32)f->len, (__u32)f->len, LA_LINK_ETHER, 0,
			 BEGINNING + at);
}

static void say(struct play *p, __u16 port, struct said said)
{
	struct la_frame f = frame_of(&said, port, false);

	feed(p, &f, said.at);
}

static void say_all(struct play *p, __u16 port, const struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say(p, port, said[i]);
}

/* Time passes: an ARP request, which nobody tracks. */
static void wait_until(struct play *p, __u64 at)
{
	static const __u8 arp[42] = {[12] = 0x08, [13] = 0x06};

	la_native_packet(p->native, arp, sizeof(arp), sizeof(arp), LA_LINK_ETHER, 0,
			 BEGINNING + at);
}

static __u64 counted(const struct play *p, enum la_reason reason)
{
	return la_native_counters(p->native)->packets[LA_NO_HOOK][reason];
}

/* Opens a connection at a time: three packets within 2 ms. */
static void open_at(struct play *p, __u16 port, __u64 at)
{
	say(p, port, (struct said){at, 'C', LA_SYN, 1000, 0, 0});
	say(p, port, (struct said){at + MS, 'S', LA_SYN | LA_ACK, 5000, 1001, 0});
	say(p, port, (struct said){at + 2 * MS, 'C', LA_ACK, 1001, 5001, 0});
}

Test(native, a_whole_connection)
{
	struct play p = play_start();
	const struct la_rec_close *close;

	say_all(&p, 40000, whole_connection, COUNT(whole_connection));
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	close = &p.heard->rec[p.heard->n - 1].close;
	cr_expect_eq(close->duration_ns, 90 * MS);
	cr_expect_eq(close->handshake_ns, 20 * MS);
	cr_expect_eq(close->close_ns, 30 * MS);
	cr_expect_eq(close->side[LA_ORIG].bytes, 100);
	cr_expect_eq(close->side[LA_RESP].bytes, 200);
	cr_expect_eq(close->side[LA_ORIG].pkts, 6);
	cr_expect_eq(close->side[LA_RESP].pkts, 4);
	cr_expect_eq(counted(&p, LA_R_ACCEPTED), COUNT(whole_connection));
	play_end(&p);
}

Test(native, records_of_a_connection_are_numbered_without_a_gap)
{
	struct play p = play_start();

	say_all(&p, 40000, whole_connection, COUNT(whole_connection));
	wait_until(&p, 100 * S);
	cr_assert_gt(p.heard->n, 5);
	for (size_t i = 0; i < p.heard->n; i++) {
		cr_expect_eq(p.heard->rec[i].h.seq, i);
		cr_expect_eq(p.heard->rec[i].h.id, p.heard->rec[0].h.id);
	}
	play_end(&p);
}

/* The SYN-ACK tells the number of a SYN that was missed; a second one tells another. */
Test(native, what_is_learnt_later_does_not_rename_a_connection)
{
	struct play p = play_start();

	say(&p, 40000, (struct said){0, 'S', LA_SYN | LA_ACK, 5000, 1001, 0});
	say(&p, 40000, (struct said){MS, 'C', LA_SYN | LA_ACK, 1007, 5001, 0});
	la_native_finish(p.native);
	cr_assert_gt(p.heard->n, 4);
	for (size_t i = 1; i < p.heard->n; i++)
		cr_expect_eq(p.heard->rec[i].h.id, p.heard->rec[0].h.id, "record %zu", i);
	play_end(&p);
}

Test(native, time_wait_ends_at_its_deadline_however_late_it_is_seen)
{
	static const __u64 looks[] = {60 * S + 90 * MS, 61 * S, 100000 * S};

	for (size_t i = 0; i < COUNT(looks); i++) {
		struct play p = play_start();
		size_t before;

		say_all(&p, 40000, whole_connection, COUNT(whole_connection));
		before = p.heard->n;
		wait_until(&p, 60 * S + 90 * MS - 1);
		cr_expect_eq(p.heard->n, before, "it left too early");
		wait_until(&p, looks[i]);
		EXPECT_HEARD(p.heard, before, "60090 orig TIME_WAIT>CLOSED timer timeout",
			     "60090 gone time_wait_over");
		cr_expect_eq(la_native_counters(p.native)->gone, 1);
		play_end(&p);
	}
}

Test(native, an_unanswered_attempt_times_out)
{
	struct play p = play_with(LA_TIMEOUT_SYN_SENT, 5 * S);

	say(&p, 40000, (struct said){0, 'C', LA_SYN, 1000, 0, 0});
	say(&p, 40000, (struct said){3 * S, 'C', LA_SYN, 1000, 0, 0});
	wait_until(&p, 7 * S);
	EXPECT_HEARD(p.heard, 0, "0 orig CLOSED>SYN_SENT seen syn",
		     "5000 close timeout by none, SYN_SENT and LISTEN", "5000 gone expired");
	cr_expect_eq(p.heard->rec[1].close.timeout_state, LA_SYN_SENT);
	cr_expect_eq(counted(&p, LA_R_SYN_RETRANSMIT), 1);
	play_end(&p);
}

/* The deadline moves later with each segment: found out only when it comes up. */
Test(native, traffic_keeps_a_connection_alive)
{
	struct play p = play_with(LA_TIMEOUT_ESTABLISHED, 10 * S);
	__u32 seq = 1001;
	size_t before;

	open_at(&p, 40000, 0);
	before = p.heard->n;
	for (unsigned int i = 1; i <= 5; i++, seq += 10)
		say(&p, 40000, (struct said){i * 9 * S, 'C', LA_ACK, seq, 5001, 10});
	wait_until(&p, 55 * S - 1);
	for (size_t i = before; i < p.heard->n; i++)
		cr_assert_eq(p.heard->rec[i].h.type, LA_REC_STATE);
	before = p.heard->n;
	wait_until(&p, 55 * S);
	EXPECT_HEARD(p.heard, before, "55000 close timeout by none, ESTABLISHED and ESTABLISHED",
		     "55000 gone expired");
	play_end(&p);
}

/* The deadline moves earlier, from days to a minute: it must be told at once. */
Test(native, a_close_winds_the_clock_to_time_wait)
{
	struct play p = play_start();
	size_t before;

	for (__u16 port = 40000; port < 40020; port++)
		open_at(&p, port, (port - 40000) * 10 * MS);
	before = p.heard->n;
	for (size_t i = 6; i < COUNT(whole_connection); i++) {
		struct said said = whole_connection[i];

		said.at += 10 * S;
		said.seq -= said.who == 'C' ? 100 : 200;
		said.ack -= said.who == 'C' ? 200 : 100;
		say(&p, 40007, said);
	}
	cr_assert_eq(p.heard->rec[p.heard->n - 1].h.type, LA_REC_CLOSE);
	cr_assert_gt(p.heard->n, before);
	before = p.heard->n;
	wait_until(&p, 71 * S);
	EXPECT_HEARD(p.heard, before, "70090 orig TIME_WAIT>CLOSED timer timeout",
		     "70090 gone time_wait_over");
	play_end(&p);
}

static void check_order(const struct heard *h, size_t from)
{
	for (size_t i = from + 1; i < h->n; i++) {
		const struct la_rec *a = &h->rec[i - 1].h, *b = &h->rec[i].h;

		cr_assert(a->ts < b->ts || (a->ts == b->ts && a->id < b->id) ||
				  (a->ts == b->ts && a->id == b->id && a->seq < b->seq),
			  "record %zu is out of order", i);
	}
}

/* Ports in an order that is neither theirs nor that of any table; three SYNs a moment. */
Test(native, expiry_is_in_order_of_deadline_id_and_number)
{
	struct play p = play_start();
	size_t before;

	for (unsigned int i = 0; i < 150; i++)
		say(&p, (__u16)(20000 + i * 7919 % 30000),
		    (struct said){i / 3 * MS, 'C', LA_SYN, i * 77777, 0, 0});
	before = p.heard->n;
	wait_until(&p, 1000 * S);
	cr_assert_eq(p.heard->n - before, 2 * 150);
	check_order(p.heard, before);
	play_end(&p);
}

Test(native, records_come_in_the_order_of_their_time)
{
	struct play p = play_with(LA_TIMEOUT_SYN_SENT, 50 * MS);

	for (unsigned int i = 0; i < 100; i++)
		say(&p, (__u16)(30000 + i), (struct said){i * 7 * MS, 'C', LA_SYN, i, 0, 0});
	for (size_t i = 1; i < p.heard->n; i++)
		cr_assert_geq(p.heard->rec[i].h.ts, p.heard->rec[i - 1].h.ts);
	cr_assert_gt(p.heard->n, 200);
	play_end(&p);
}

Test(native, what_is_open_at_the_end_is_closed_as_such)
{
	struct play p = play_start();
	size_t before;

	open_at(&p, 40000, 0);
	wait_until(&p, 5 * S);
	before = p.heard->n;
	la_native_finish(p.native);
	EXPECT_HEARD(p.heard, before, "5000 close shutdown by none, ESTABLISHED and ESTABLISHED",
		     "5000 gone detached");
	cr_expect_eq(p.heard->flushes, 1);
	before = p.heard->n;
	la_native_finish(p.native);
	cr_expect_eq(p.heard->n, before, "nothing is open any more");
	play_end(&p);
}

Test(native, the_end_of_many_is_in_order_and_complete)
{
	struct play p = play_start();
	size_t before;

	for (unsigned int i = 0; i < 100; i++)
		say(&p, (__u16)(20000 + i * 7919 % 30000), (struct said){i, 'C', LA_SYN, i, 0, 0});
	before = p.heard->n;
	la_native_finish(p.native);
	cr_assert_eq(p.heard->n - before, 200);
	check_order(p.heard, before);
	cr_expect_eq(la_native_counters(p.native)->opened, 100);
	cr_expect_eq(la_native_counters(p.native)->gone, 100);
	play_end(&p);
}

/* A closed connection lingers: at the end it leaves, but it is not closed twice. */
Test(native, one_close_record_a_connection)
{
	struct play p = play_start();
	size_t before;

	say_all(&p, 40000, whole_connection, COUNT(whole_connection));
	before = p.heard->n;
	la_native_finish(p.native);
	EXPECT_HEARD(p.heard, before, "90 gone detached");
	play_end(&p);
}

Test(native, time_does_not_go_back)
{
	struct play p = play_start();

	say(&p, 40000, (struct said){10 * MS, 'C', LA_SYN, 1000, 0, 0});
	say(&p, 40000, (struct said){4 * MS, 'S', LA_SYN | LA_ACK, 5000, 1001, 0});
	EXPECT_HEARD(p.heard, 0, "10 orig CLOSED>SYN_SENT seen syn",
		     "10 resp LISTEN>SYN_RECEIVED seen syn_ack");
	cr_expect_eq(la_native_disordered(p.native), 1);
	play_end(&p);
}

Test(native, a_lone_rst_is_no_connection)
{
	struct play p = play_start();

	say(&p, 40000, (struct said){0, 'C', LA_RST, 1000, 0, 0});
	say(&p, 40000, (struct said){MS, 'S', LA_RST | LA_ACK, 0, 1001, 0});
	la_native_finish(p.native);
	cr_expect_eq(p.heard->n, 0);
	cr_expect_eq(counted(&p, LA_R_NO_FLOW), 2);
	cr_expect_eq(la_native_counters(p.native)->opened, 0);
	play_end(&p);
}

/* A new SYN on a closed tuple: the old flow leaves, the new one counts from 0 again. */
Test(native, ports_used_again_are_a_new_connection)
{
	struct play p = play_start();
	size_t before;

	say_all(&p, 40000, whole_connection, COUNT(whole_connection));
	before = p.heard->n;
	say(&p, 40000, (struct said){S, 'C', LA_SYN, 900000, 0, 0});
	EXPECT_HEARD(p.heard, before, "1000 gone replaced", "1000 orig CLOSED>SYN_SENT seen syn");
	cr_expect_eq(p.heard->rec[before + 1].h.seq, 0);
	cr_expect_neq(p.heard->rec[before + 1].h.id, p.heard->rec[before].h.id);
	cr_expect_eq(la_native_counters(p.native)->opened, 2);
	cr_expect_eq(la_native_counters(p.native)->gone, 1);
	/* its own clock runs, not that of the old one */
	before = p.heard->n;
	wait_until(&p, 120 * S);
	cr_expect_eq(p.heard->n, before);
	wait_until(&p, 121 * S);
	EXPECT_HEARD(p.heard, before, "121000 close timeout by none, SYN_SENT and LISTEN",
		     "121000 gone expired");
	play_end(&p);
}

Test(native, a_packet_that_passes_two_interfaces_counts_once)
{
	struct play p = play_start();

	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		la_native_set_hook(p.native, la_hook_id(2, false));
		say(&p, 40000, whole_connection[i]);
		la_native_set_hook(p.native, la_hook_id(3, true));
		say(&p, 40000, whole_connection[i]);
	}
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	cr_expect_eq(counted(&p, LA_R_OTHER_HOOK), COUNT(whole_connection));
	cr_expect_eq(p.heard->rec[p.heard->n - 1].close.side[LA_ORIG].pkts, 6);
	cr_expect_eq(p.heard->rec[p.heard->n - 1].close.side[LA_ORIG].retrans, 0);
	play_end(&p);
}

/* Captures on a host see what its offloads put together; the wire saw segments. */
Test(native, super_packets_count_as_the_segments_they_stand_for)
{
	static const char mss_1000[] = {LA_KIND_MSS, 4, 0x03, (char)0xe8};
	struct play p = play_start();
	struct la_frame syn = LA_FRAME(.seq = 1000, .flags = LA_SYN, .win = 65000,
				       .options = mss_1000, .options_len = 4);
	struct la_frame syn_ack =
		LA_FRAME(.src = "10.0.0.2", .dst = "10.0.0.1", .sport = 443, .dport = 40000,
			 .seq = 5000, .ack = 1001, .flags = LA_SYN | LA_ACK, .win = 65000,
			 .options = mss_1000, .options_len = 4);
	const struct la_rec_close *close;

	feed(&p, &syn, 0);
	feed(&p, &syn_ack, MS);
	say(&p, 40000, (struct said){2 * MS, 'C', LA_ACK, 1001, 5001, 0});
	say(&p, 40000, (struct said){3 * MS, 'C', LA_ACK, 1001, 5001, 4500});
	la_native_finish(p.native);
	close = &p.heard->rec[p.heard->n - 2].close;
	cr_assert_eq(close->h.type, LA_REC_CLOSE);
	cr_expect_eq(close->side[LA_ORIG].pkts, 2 + 5);
	cr_expect_eq(close->side[LA_ORIG].bytes, 4500);
	cr_expect_eq(close->side[LA_ORIG].ip_bytes, 44 + 40 + 5 * 40 + 4500);
	play_end(&p);
}

Test(native, what_is_not_tracked_is_counted_by_its_reason)
{
	static const struct {
		enum la_reason reason;
		__u8 flags;
	} rows[] = {
		{LA_R_FLAGS_NULL, 0},
		{LA_R_FLAGS_SYN_FIN, LA_SYN | LA_FIN},
		{LA_R_FLAGS_SYN_RST, LA_SYN | LA_RST},
		{LA_R_FLAGS_FIN_RST, LA_FIN | LA_RST | LA_ACK},
		{LA_R_FLAGS_NO_ACK, LA_FIN},
		{LA_R_FLAGS_SYN_FIN, 0xff},
	};
	struct play p = play_start();

	for (size_t i = 0; i < COUNT(rows); i++) {
		__u64 before = counted(&p, rows[i].reason);

		say(&p, 40000, (struct said){0, 'C', rows[i].flags, 1, 1, 0});
		cr_expect_eq(counted(&p, rows[i].reason), before + 1, "flags %#x", rows[i].flags);
	}
	wait_until(&p, MS);
	cr_expect_eq(counted(&p, LA_R_NOT_IP), 1);
	la_native_packet(p.native, "", 0, 0, LA_LINK_ETHER, 0, BEGINNING);
	cr_expect_eq(counted(&p, LA_R_L2_TRUNCATED), 1);
	cr_expect_eq(p.heard->n, 0);
	cr_expect_eq(la_native_counters(p.native)->opened, 0);
	play_end(&p);
}

Test(native, both_families_and_the_same_ports_are_different_connections)
{
	struct play p = play_start();
	struct la_frame v6 = LA_FRAME(.src = "fd00::1", .seq = 1000, .flags = LA_SYN);
	struct la_frame v4 = LA_FRAME(.seq = 1000, .flags = LA_SYN);

	feed(&p, &v6, 0);
	feed(&p, &v4, 0);
	cr_expect_eq(la_native_counters(p.native)->opened, 2);
	cr_expect_neq(p.heard->rec[0].h.id, p.heard->rec[1].h.id);
	play_end(&p); /* with both open: whoever frees the engine loses nothing else */
}

Test(native, segments_are_told_when_asked_for)
{
	struct play p;
	unsigned int segments = 0;

	la_config_defaults(&p.cfg);
	p.cfg.segments = 1;
	play_open(&p);
	say_all(&p, 40000, whole_connection, COUNT(whole_connection));
	for (size_t i = 0; i < p.heard->n; i++) {
		segments += p.heard->rec[i].h.type == LA_REC_SEGMENT;
		cr_expect_eq(p.heard->rec[i].h.seq, i);
	}
	cr_expect_geq(segments, 7, "SYN, SYN-ACK, ACK, FIN, ACK, FIN, ACK at least");
	play_end(&p);
}
