/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * community_id.h - Community ID flow hashing, version 1, for TCP.
 *
 * A name for a connection that other tools (Zeek, Suricata, Wireshark and more) compute too,
 * so that their logs can be joined with ours. By the published specification:
 * "1:" + base64(SHA-1(seed, lower address, higher address, protocol, 0, lower port, higher
 * port)), all in network byte order, the endpoints ordered by address, then port.
 *
 * For the outputs.
 */
#ifndef LA_USER_COMMUNITY_ID_H
#define LA_USER_COMMUNITY_ID_H

#include "la_key.h"

/* "1:" + 28 base64 letters + NUL. */
#define LA_COMMUNITY_ID_SIZE 31

/* Writes the Community ID of a TCP connection; `seed` is 0 unless a site has agreed on one. */
void la_community_id(const struct la_key *key, __u16 seed, char to[LA_COMMUNITY_ID_SIZE]);

#endif
