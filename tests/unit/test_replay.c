/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_replay.c - every capture that can be read gives the same records; what cannot be
 * read says why.
 */
#include "capture.h"
#include "native.h"
#include "options.h"
#include "replay.h"

struct player {
	struct heard *heard;
	struct la_native *native;
	struct la_replay replay;
};

static struct player player_new(void)
{
	struct player p = {.heard = heard_new()};
	struct la_config cfg;

	la_config_defaults(&cfg);
	p.native = la_native_new(&cfg, &p.heard->sink);
	cr_assert_not_null(p.native);
	p.replay.engine = la_native_engine(p.native);
	return p;
}

static void player_free(struct player *p)
{
	la_native_free(p->native);
	la_sink_close(&p->heard->sink);
}

/* Replays a capture that must give the whole connection, up to its close. */
static void expect_connection(const struct capture *c)
{
	struct player p = player_new();

	cr_assert_eq(la_replay_stream(&p.replay, capture_file(c)), 0, "%s: %s", p.replay.what,
		     p.replay.why);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	player_free(&p);
}

static __u64 counted(const struct player *p, enum la_reason reason)
{
	return la_native_counters(p->native)->packets[LA_NO_HOOK][reason];
}

/* ---- formats ---- */

Test(replay, pcap_of_either_byte_order_and_resolution)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct capture c = {.swapped = i & 1, .nano = i & 2};

		pcap_connection(&c);
		expect_connection(&c);
	}
}

static void pcapng_connection(struct capture *c)
{
	pcapng_section(c);
	pcapng_interface(c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame f = frame_of(&whole_connection[i], 40000, false);

		pcapng_other(c);
		pcapng_packet(c, BEGINNING + whole_connection[i].at, f.bytes, f.len);
	}
}

Test(replay, pcapng_of_either_byte_order_and_resolution)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct capture c = {.swapped = i & 1, .nano = i & 2};

		pcapng_connection(&c);
		expect_connection(&c);
	}
}

Test(replay, nanoseconds_are_kept)
{
	struct said syn = {0, 'C', LA_SYN, 1, 0, 0};
	struct la_frame f = frame_of(&syn, 40000, false);
	struct capture c = {.nano = true}, ng = {.nano = true}, us = {.nano = false};
	const struct capture *all[] = {&c, &ng, &us};
	static const __u64 want[] = {123456789, 123456789, 123456000};

	pcap_begin(&c, LINKTYPE_ETHERNET);
	pcap_packet(&c, BEGINNING + 123456789, f.bytes, f.len, f.len);
	pcapng_section(&ng);
	pcapng_interface(&ng, LINKTYPE_ETHERNET);
	pcapng_packet(&ng, BEGINNING + 123456789, f.bytes, f.len);
	pcap_begin(&us, LINKTYPE_ETHERNET);
	pcap_packet(&us, BEGINNING + 123456789, f.bytes, f.len, f.len);
	for (size_t i = 0; i < COUNT(all); i++) {
		struct player p = player_new();

		cr_assert_eq(la_replay_stream(&p.replay, capture_file(all[i])), 0);
		cr_assert_eq(p.heard->n, 1);
		cr_expect_eq(p.heard->rec[0].h.ts - BEGINNING, want[i]);
		player_free(&p);
	}
}

/* ---- link types ---- */

/* The header of a link type, and whether what follows it is a bare IP packet. */
struct link_row {
	enum linktype type;
	bool l3;
	__u8 header[20];
	size_t header_len;
};

static const struct link_row link_rows[] = {
	{LINKTYPE_ETHERNET, false, {0}, 0},
	{LINKTYPE_RAW, true, {0}, 0},
	{LINKTYPE_IPV4, true, {0}, 0},
	{LINKTYPE_NULL, true, {2, 0, 0, 0}, 4},
	{LINKTYPE_NULL, true, {0, 0, 0, 2}, 4},
	{LINKTYPE_LOOP, true, {0, 0, 0, 2}, 4},
	{LINKTYPE_LINUX_SLL, true, {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00}, 16},
	{LINKTYPE_LINUX_SLL2,
	 true,
	 {0x08, 0x00, 0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0},
	 20},
};

static void put_linked(struct capture *c, const struct link_row *row, const struct said *said)
{
	struct la_frame f = frame_of(said, 40000, row->l3);
	__u8 bytes[20 + LA_FRAME_MAX];

	memcpy(bytes, row->header, row->header_len);
	memcpy(bytes + row->header_len, f.bytes, f.len);
	pcap_packet(c, BEGINNING + said->at, bytes, row->header_len + f.len,
		    row->header_len + f.len);
}

Test(replay, every_link_type)
{
	for (size_t i = 0; i < COUNT(link_rows); i++) {
		struct capture c = {0};

		pcap_begin(&c, link_rows[i].type);
		for (size_t j = 0; j < COUNT(whole_connection); j++)
			put_linked(&c, &link_rows[i], &whole_connection[j]);
		expect_connection(&c);
	}
}

/* What the header says is IPv6 under each of the numbers that systems have for it. */
Test(replay, link_types_with_ipv6)
{
	static const struct link_row rows[] = {
		{LINKTYPE_RAW, true, {0}, 0},
		{LINKTYPE_IPV6, true, {0}, 0},
		{LINKTYPE_NULL, true, {10, 0, 0, 0}, 4},
		{LINKTYPE_NULL, true, {24, 0, 0, 0}, 4},
		{LINKTYPE_NULL, true, {28, 0, 0, 0}, 4},
		{LINKTYPE_NULL, true, {0, 0, 0, 30}, 4},
		{LINKTYPE_LOOP, true, {0, 0, 0, 24}, 4},
		{LINKTYPE_LINUX_SLL, true, {[14] = 0x86, [15] = 0xdd}, 16},
		{LINKTYPE_LINUX_SLL2, true, {[0] = 0x86, [1] = 0xdd}, 20},
	};
	struct la_frame f = LA_FRAME(.l3 = true, .src = "fd00::1", .flags = LA_SYN);
	__u8 bytes[20 + 60];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct player p = player_new();
		struct capture c = {0};

		memcpy(bytes, rows[i].header, rows[i].header_len);
		memcpy(bytes + rows[i].header_len, f.bytes, f.len);
		pcap_begin(&c, rows[i].type);
		pcap_packet(&c, BEGINNING, bytes, rows[i].header_len + f.len,
			    rows[i].header_len + f.len);
		cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
		cr_expect_eq(p.heard->n, 1, "row %zu", i);
		player_free(&p);
	}
}

/* The same bytes under headers that say that they are something else. */
Test(replay, other_protocols_behind_a_link_header)
{
	static const struct link_row rows[] = {
		{LINKTYPE_NULL, true, {23, 0, 0, 0}, 4},
		{LINKTYPE_LOOP, true, {2, 0, 0, 0}, 4},
		{LINKTYPE_LINUX_SLL, true, {[14] = 0x00, [15] = 0x04}, 16},
		{LINKTYPE_LINUX_SLL2, true, {[0] = 0x08, [1] = 0x06}, 20},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct player p = player_new();
		struct capture c = {0};

		pcap_begin(&c, rows[i].type);
		put_linked(&c, &rows[i], &whole_connection[0]);
		cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
		cr_expect_eq(counted(&p, LA_R_NOT_IP), 1, "row %zu", i);
		cr_expect_eq(p.heard->n, 0);
		player_free(&p);
	}
}

Test(replay, a_packet_cut_within_its_link_header)
{
	for (size_t i = 0; i < COUNT(link_rows); i++) {
		for (size_t n = 0; n < link_rows[i].header_len; n++) {
			struct player p = player_new();
			struct capture c = {0};

			pcap_begin(&c, link_rows[i].type);
			pcap_packet(&c, BEGINNING, link_rows[i].header, n, n);
			pcap_packet(&c, BEGINNING, link_rows[i].header, n, 1500);
			cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
			cr_expect_eq(counted(&p, LA_R_L2_TRUNCATED), 2, "row %zu, %zu bytes", i, n);
			player_free(&p);
		}
	}
}

/* A capture of all interfaces of a router holds each packet twice. */
Test(replay, sll2_counts_a_forwarded_packet_once)
{
	struct link_row in = link_rows[COUNT(link_rows) - 1], out = in;
	struct player p = player_new();
	struct capture c = {0};

	cr_assert_eq(in.type, LINKTYPE_LINUX_SLL2);
	out.header[7] = 9;  /* another interface */
	out.header[10] = 4; /* outgoing */
	pcap_begin(&c, LINKTYPE_LINUX_SLL2);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		put_linked(&c, &in, &whole_connection[i]);
		put_linked(&c, &out, &whole_connection[i]);
	}
	cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	cr_expect_eq(counted(&p, LA_R_OTHER_HOOK), COUNT(whole_connection));
	player_free(&p);
}

/* ---- what is cut short ---- */

Test(replay, packets_cut_by_the_snap_length_count_as_they_were)
{
	struct player p = player_new();
	struct capture c = {0};
	const struct la_rec_close *close;

	pcap_begin(&c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame f = frame_of(&whole_connection[i], 40000, false);

		pcap_packet(&c, BEGINNING + whole_connection[i].at, f.bytes, f.payload, f.len);
	}
	cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	close = &p.heard->rec[p.heard->n - 1].close;
	cr_expect_eq(close->side[LA_ORIG].bytes, 100);
	cr_expect_eq(close->side[LA_RESP].bytes, 200);
	cr_expect_eq(close->missed, 300, "in Zeek's words: %llu", close->missed);
	player_free(&p);
}

/* However far the file goes: what is whole is told, and that it ends early is said. */
Test(replay, a_capture_cut_anywhere)
{
	struct capture whole = {0};
	size_t ends[COUNT(whole_connection) + 1], records = 0;

	pcap_begin(&whole, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame f = frame_of(&whole_connection[i], 40000, false);

		ends[i] = whole.len;
		pcap_packet(&whole, BEGINNING + whole_connection[i].at, f.bytes, f.len, f.len);
	}
	ends[COUNT(whole_connection)] = whole.len;
	for (size_t len = ends[0]; len <= whole.len; len++) {
		struct player p = player_new();
		struct capture c = whole;
		size_t packets = 0;
		int ret;

		while (packets < COUNT(whole_connection) && ends[packets + 1] <= len)
			packets++;
		c.len = len;
		ret = la_replay_stream(&p.replay, capture_file(&c));
		cr_assert_eq(ret, ends[packets] == len ? 0 : -1, "%zu bytes", len);
		cr_assert_eq(p.replay.packets, packets);
		cr_assert_geq(p.heard->n, records);
		records = p.heard->n;
		player_free(&p);
	}
}

Test(replay, a_cut_capture_says_how_far_it_went)
{
	struct player p = player_new();
	struct capture c = {0};

	pcap_connection(&c);
	c.len -= 7;
	cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), -1);
	cr_expect_str_eq(p.replay.what, "capture ends early");
	cr_expect_eq(strncmp(p.replay.why, "after 9 packets: truncated", 26), 0, "%s",
		     p.replay.why);
	EXPECT_HEARD(p.heard, 0, "0 orig CLOSED>SYN_SENT seen syn",
		     "10 resp LISTEN>SYN_RECEIVED seen syn_ack",
		     "20 orig SYN_SENT>ESTABLISHED seen ack",
		     "20 resp SYN_RECEIVED>ESTABLISHED presumed ack",
		     "60 orig ESTABLISHED>FIN_WAIT_1 seen fin",
		     "60 resp ESTABLISHED>CLOSE_WAIT presumed fin",
		     "70 orig FIN_WAIT_1>FIN_WAIT_2 presumed ack",
		     "80 resp CLOSE_WAIT>LAST_ACK seen fin",
		     "80 orig FIN_WAIT_2>TIME_WAIT presumed fin");
	player_free(&p);
}

Test(replay, a_cut_pcapng)
{
	struct player p = player_new();
	struct capture c = {0};

	pcapng_connection(&c);
	c.len -= 30;
	cr_assert_eq(la_replay_stream(&p.replay, capture_file(&c)), -1);
	cr_expect_str_eq(p.replay.what, "capture ends early");
	cr_expect_eq(p.replay.packets, COUNT(whole_connection) - 1);
	player_free(&p);
}

/* ---- what is no capture ---- */

static void expect_refused(const void *data, size_t n, const char *says)
{
	struct player p = player_new();
	struct capture c = {0};

	put_bytes(&c, data, n);
	cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c)), -1);
	cr_expect_str_eq(p.replay.what, "cannot replay");
	cr_expect_not_null(strstr(p.replay.why, says), "'%s' is not in '%s'", says, p.replay.why);
	cr_expect_eq(p.heard->n, 0);
	player_free(&p);
}

Test(replay, what_is_no_capture)
{
	static const char text[] = "This is a letter and not a capture of packets at all.";
	struct capture c = {0};

	expect_refused("", 0, "truncated");
	expect_refused("\xd4\xc3", 2, "truncated");
	expect_refused(text, sizeof(text), "unknown file format");
	pcap_begin(&c, LINKTYPE_ETHERNET);
	expect_refused(c.bytes, 10, "truncated");
	c.len = 0;
	pcap_begin(&c, LINKTYPE_IEEE802_11);
	expect_refused(c.bytes, c.len, "unsupported link type IEEE802_11");
	c.len = 0;
	pcap_begin(&c, (enum linktype)60000);
	expect_refused(c.bytes, c.len, "unsupported link type 60000");
}

Test(replay, files_by_name)
{
	struct scratch s = scratch_new();
	struct player p = player_new();
	struct capture c = {0};

	cr_expect_eq(la_replay_file(&p.replay, s.path), -1);
	cr_expect_str_eq(p.replay.what, "cannot replay");
	cr_expect_str_eq(p.replay.why, "No such file or directory");
	cr_expect_eq(la_replay_file(&p.replay, s.dir), -1);
	cr_expect_not_null(strstr(p.replay.why, "Is a directory"), "%s", p.replay.why);
	pcap_connection(&c);
	scratch_write(&s, c.bytes, c.len);
	cr_expect_eq(la_replay_file(&p.replay, s.path), 0);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	player_free(&p);
	scratch_remove(&s);
}

Test(replay, a_dash_is_stdin)
{
	struct player p = player_new();
	struct capture c = {0};
	FILE *file;

	pcap_connection(&c);
	file = capture_file(&c);
	cr_assert_geq(dup2(fileno(file), STDIN_FILENO), 0);
	cr_expect_eq(la_replay_file(&p.replay, "-"), 0);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	fclose(file);
	player_free(&p);
}

/* ---- odds and ends ---- */

static bool stop_after_three(void *ctx)
{
	return ++*(unsigned int *)ctx == 3;
}

Test(replay, whoever_has_enough_can_stop)
{
	struct player p = player_new();
	struct capture c = {0};
	unsigned int asked = 0;

	p.replay.stop = stop_after_three;
	p.replay.stop_ctx = &asked;
	pcap_connection(&c);
	cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
	cr_expect_eq(p.replay.packets, 3);
	cr_expect_eq(asked, 3);
	player_free(&p);
}

Test(replay, a_connection_goes_on_in_the_next_file)
{
	struct player p = player_new();
	struct capture c[2] = {{0}, {.swapped = true, .nano = true}};

	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame f = frame_of(&whole_connection[i], 40000, false);

		if (i % 5 == 0)
			pcap_begin(&c[i / 5], LINKTYPE_ETHERNET);
		pcap_packet(&c[i / 5], BEGINNING + whole_connection[i].at, f.bytes, f.len, f.len);
	}
	cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c[0])), 0);
	cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c[1])), 0);
	EXPECT_HEARD(p.heard, 0, WHOLE_CONNECTION_LINES);
	cr_expect_eq(p.replay.packets, COUNT(whole_connection));
	player_free(&p);
}

/* pcapng has room for times that no capture can have; they must not stop the clock for good. */
Test(replay, a_mad_time_does_not_freeze_the_clock)
{
	struct said syn = {0, 'C', LA_SYN, 1, 0, 0};
	struct la_frame f = frame_of(&syn, 40000, false), g = frame_of(&syn, 40001, false);
	struct player p = player_new();
	struct capture c = {.nano = false};

	pcapng_section(&c);
	pcapng_interface(&c, LINKTYPE_ETHERNET);
	pcapng_packet(&c, BEGINNING, f.bytes, f.len);
	put32(&c, 6); /* an enhanced packet block with all bits of its time set */
	put32(&c, 32 + 56);
	put32(&c, 0);
	put32(&c, 0x7fffffff);
	put32(&c, 0xffffffff);
	put32(&c, (__u32)g.len);
	put32(&c, (__u32)g.len);
	put_bytes(&c, g.bytes, g.len);
	put_bytes(&c, "\0\0", 2);
	put32(&c, 32 + 56);
	cr_assert_eq(g.len, 54);
	cr_expect_eq(la_replay_stream(&p.replay, capture_file(&c)), 0);
	EXPECT_HEARD(p.heard, 0, "0 orig CLOSED>SYN_SENT seen syn",
		     "0 orig CLOSED>SYN_SENT seen syn");
	cr_expect_eq(la_native_disordered(p.native), 1);
	player_free(&p);
}
