/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private_space.h - is an address one of those that are never routed over the Internet?
 *
 * The networks are those of Zeek's Site::private_address_space, which Zeek takes for local
 * unless it is told otherwise. For output_zeek.c.
 */
#ifndef LA_USER_PRIVATE_SPACE_H
#define LA_USER_PRIVATE_SPACE_H

#include "la_types.h"

/* addr: as in struct la_key, IPv4 mapped into IPv6. */
bool la_is_private(const __u8 addr[16]);

#endif
