/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.h - makes ICMP and ICMPv6 messages that quote a packet of packet.h, for tests.
 *
 *	struct la_frame f = la_icmp_build(&(struct la_icmp_message){.type = 3, .code = 1,
 *		.quoted = {.seq = 1000, .flags = LA_SYN}});
 *
 * The message goes from `from` (default: the quoted packet's destination) to the sender of
 * the quoted packet; checksums are right.
 */
#ifndef LA_TESTS_ICMP_H
#define LA_TESTS_ICMP_H

#include "packet.h"

struct la_icmp_message {
	const char *from;
	__u8 type, code;
	struct la_packet quoted; /* its link layer is that of the message */
	unsigned int quote;	 /* bytes of it that are quoted, from its IP header; 0: all */
	unsigned int ip4_options;
};

static inline struct la_frame la_icmp_build(const struct la_icmp_message *m)
{
	struct la_frame quoted = la_frame_build(&m->quoted), f = {0};
	bool v6 = la_packet_is_v6(&m->quoted);
	size_t whole = quoted.len - quoted.l3, n = m->quote && m->quote < whole ? m->quote : whole;
	struct la_packet outer = {.l3 = m->quoted.l3,
				  .vlans = m->quoted.vlans,
				  .proto = v6 ? LA_IP_ICMP6 : LA_IP_ICMP,
				  .ip4_options = m->ip4_options};
	__u32 sum = 0;
	__u8 *h;

	outer.src = m->from ? m->from : m->quoted.dst ? m->quoted.dst : v6 ? "fd00::2" : "10.0.0.2";
	outer.dst = m->quoted.src ? m->quoted.src : "10.0.0.1";
	la_put_ether(&f, &outer);
	f.l3 = f.len;
	if (v6)
		la_put_ipv6(&f, &outer, 8 + n);
	else
		la_put_ipv4(&f, &outer, 8 + n);
	f.l4 = f.len;
	h = la_frame_put(&f, 8);
	h[0] = m->type;
	h[1] = m->code;
	f.payload = f.len;
	memcpy(la_frame_put(&f, n), quoted.bytes + quoted.l3, n);
	f.end = f.len;
	if (v6)
		sum = la_pseudo_sum(&outer, f.bytes + f.l3, 8 + n);
	la_put16(h + 2, la_sum_fold(la_sum(sum, h, 8 + n)));
	return f;
}

#endif
