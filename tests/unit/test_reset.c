/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_reset.c - the segment that is sent is the one that the tracker's parser reads.
 */
#include "capture.h"
#include "checksum.h"
#include "records.h"
#include "reset.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>

Test(reset, reads_as_it_was_written)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (int i = 0; i < 4; i++) {
		bool v4 = families[i / 2] == AF_INET;
		struct talk t;
		struct la_reset_segment sent = {.to = (__u8)(i & 1),
						.flags = i & 1 ? LA_ACK : LA_RST | LA_ACK,
						.window = i & 1 ? 501 : 0,
						.seq = 0xfedcba98,
						.ack = 77};
		__u8 packet[LA_RESET_BYTES];
		struct la_captured captured = {.data = packet, .link = LA_LINK_L3};
		struct la_key key;
		struct la_segment seg;

		talk_begin(&t, v4 ? "10.0.0.1" : "fd00::1", 40000, v4 ? "10.0.0.2" : "fd00::2",
			   443);
		sent.key = t.h.key;
		captured.cap_len = captured.wire_len = (__u32)la_reset_write(&sent, packet);
		captured.l3_proto = la_hton16(v4 ? 0x0800 : 0x86dd);
		cr_expect_eq(captured.cap_len, v4 ? 40 : 60);
		cr_expect_eq(la_checksum_verify(&captured), LA_NO_REASON);
		cr_assert_eq(la_parse(packet, packet + captured.cap_len, captured.cap_len,
				      captured.link, captured.l3_proto, &key, &seg),
			     LA_R_ACCEPTED);
		cr_expect_eq(memcmp(&key, &sent.key, sizeof(key)), 0);
		cr_expect_eq(seg.dir, !sent.to);
		cr_expect(seg.seq == sent.seq && seg.ack == sent.ack && !seg.len);
		cr_expect(seg.flags == sent.flags && seg.win == sent.window && seg.ttl == 64);
	}
}
