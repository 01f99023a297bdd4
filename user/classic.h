/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classic.h - the records of a classic pcap file, read where they lie.
 *
 * libpcap calls stdio twice a packet and copies it, which takes as long as tracking it. So what
 * most captures are is read here by large pieces: a file (no pipe) of format 2.4 in this
 * machine's byte order. libpcap opens it all the same, and whatever is not a whole and plain
 * record is left to it, with all errors. For replay.c.
 */
#ifndef LA_USER_CLASSIC_H
#define LA_USER_CLASSIC_H

#include "la_types.h"
#include <pcap/pcap.h>
#include <sys/types.h>

struct la_classic {
	pcap_t *pcap; /* NULL: libpcap reads it */
	int fd;
	__u32 unit_ns;	/* of a time's fraction of a second */
	off_t offset;	/* of what comes after the bytes at hand */
	size_t at, end; /* bytes at hand: [at, end) of the buffer */
};

/* Looks whether the capture that was just opened is such a file. */
void la_classic_open(struct la_classic *c, pcap_t *pcap);

/*
 * Reads a packet, its time in ns as with PCAP_TSTAMP_PRECISION_NANO; data stay until the next
 * call. Returns false at the first record that is not plain, and ever after: pcap_next_ex() goes
 * on with that one.
 */
bool la_classic_next(struct la_classic *c, struct pcap_pkthdr *h, const __u8 **data);

/* Bytes of the file that have been read. */
off_t la_classic_tell(const struct la_classic *c);

#endif
