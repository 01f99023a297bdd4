/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.h - do the checksums of a captured packet say that it was damaged?
 *
 * A host drops a damaged packet before TCP sees it, so a tracker must not believe it either.
 * Only captures are asked: see docs/zeek.md. For replay.c.
 */
#ifndef LA_USER_CHECKSUM_H
#define LA_USER_CHECKSUM_H

#include "engine.h"

/*
 * Verifies the IPv4 header and the TCP, ICMP or ICMPv6 checksum of the innermost packet in
 * p->data. Returns LA_NO_REASON: they are right or cannot be told, or LA_R_*_BAD_CHECKSUM.
 *
 * Cannot be told: what the capture cut off, fragments, and IPv6 behind routing headers or
 * destination options, which may change the addresses that the sum is made of. Right, too, is
 * what a sending host left to its network card: an IPv4 header checksum of 0, and a TCP or
 * ICMP checksum field that holds no more than the sum of the pseudo header.
 */
enum la_reason la_checksum_verify(const struct la_captured *p);

#endif
