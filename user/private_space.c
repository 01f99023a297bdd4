/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private_space.c - the special-purpose networks of IANA's registries. See private_space.h.
 *
 * An IPv4 network here stands for its 6to4 network (RFC 3056) as well: 10.0.0.0/8 for
 * 2002:a00::/24, and so on.
 */
#include "private_space.h"
#include <string.h>

struct net {
	__u8 bits;
	__u8 prefix[16];
};

static const struct net nets4[] = {
	{8, {0}},	      /* this network, RFC 791 */
	{8, {10}},	      /* private use, RFC 1918 */
	{10, {100, 64}},      /* shared address space, RFC 6598 */
	{8, {127}},	      /* loopback, RFC 1122 */
	{16, {169, 254}},     /* link local, RFC 3927 */
	{12, {172, 16}},      /* private use, RFC 1918 */
	{24, {192, 0, 0}},    /* protocol assignments, RFC 6890 */
	{24, {192, 0, 2}},    /* documentation, RFC 5737 */
	{16, {192, 168}},     /* private use, RFC 1918 */
	{15, {198, 18}},      /* benchmarking, RFC 2544 */
	{24, {198, 51, 100}}, /* documentation, RFC 5737 */
	{24, {203, 0, 113}},  /* documentation, RFC 5737 */
	{4, {240}},	      /* reserved and limited broadcast, RFC 1112, RFC 919 */
};

static const struct net nets6[] = {
	{128, {0}},				 /* unspecified, RFC 4291 */
	{128, {[15] = 1}},			 /* loopback, RFC 4291 */
	{48, {0x00, 0x64, 0xff, 0x9b, 0x00, 1}}, /* IPv4-IPv6 translation, RFC 8215 */
	{64, {0x01}},				 /* discard only, RFC 6666 */
	{23, {0x20, 0x01}},			 /* protocol assignments, RFC 2928, RFC 5180 */
	{32, {0x20, 0x01, 0x0d, 0xb8}},		 /* documentation, RFC 3849 */
	{7, {0xfc}},				 /* unique local, RFC 4193 */
	{10, {0xfe, 0x80}},			 /* link local, RFC 4291 */
};

static bool in_net(const struct net *net, const __u8 *addr)
{
	unsigned int whole = net->bits / 8, left = net->bits % 8;

	if (memcmp(addr, net->prefix, whole) != 0)
		return false;
	return !left || (addr[whole] ^ net->prefix[whole]) >> (8 - left) == 0;
}

static bool in_any(const struct net *nets, size_t count, const __u8 *addr)
{
	for (size_t i = 0; i < count; i++)
		if (in_net(&nets[i], addr))
			return true;
	return false;
}

bool la_is_private(const __u8 addr[16])
{
	static const __u8 mapped[12] = {[10] = 0xff, 0xff}, six_to_four[2] = {0x20, 0x02};
	const __u8 *v4 = NULL;

	if (!memcmp(addr, mapped, sizeof(mapped)))
		v4 = addr + sizeof(mapped);
	else if (!memcmp(addr, six_to_four, sizeof(six_to_four)))
		v4 = addr + sizeof(six_to_four);
	if (v4)
		return in_any(nets4, sizeof(nets4) / sizeof(*nets4), v4);
	return in_any(nets6, sizeof(nets6) / sizeof(*nets6), addr);
}
