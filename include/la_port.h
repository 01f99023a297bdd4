/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_port.h - which of two ports is the server's, of a connection whose beginning was not seen?
 *
 *   a system port (RFC 6335), or one by whose number a service is known    before any other
 *   if both are, or neither                                                the lower one
 *
 * Clients took their ports from 1024 on for long, so the lower one alone would often be theirs.
 * The registered ports are those by which Zeek, too, guesses at a server.
 */
#ifndef LA_PORT_H
#define LA_PORT_H

#include "la_types.h"

#define LA_SYSTEM_PORTS 1024

LA_INLINE bool la_is_registered_port(__u16 port)
{
	switch (port) {
	case 1080: /* SOCKS */
	case 1434: /* MS SQL */
	case 1883: /* MQTT */
	case 2811: /* GridFTP */
	case 3128: /* HTTP proxies */
	case 3268: /* LDAP, global catalog */
	case 3306: /* MySQL */
	case 3389: /* RDP */
	case 5060: /* SIP */
	case 5222: /* XMPP */
	case 5223:
	case 5269:
	case 5432: /* PostgreSQL */
	case 6379: /* Redis */
	case 6666: /* IRC */
	case 6667:
	case 6668:
	case 6669:
	case 8000: /* HTTP */
	case 8080:
	case 8888:
	case 20000: /* DNP3 */
		return true;
	default:
		return false;
	}
}

/* Of two ports in host byte order, the server's is the one for which this is less. */
LA_INLINE __u32 la_port_order(__u16 port)
{
	bool service = port < LA_SYSTEM_PORTS || la_is_registered_port(port);

	return (__u32)!service << 16 | port;
}

#endif
