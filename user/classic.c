/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classic.c - see classic.h. The format: draft-ietf-opsawg-pcap.
 */
#include "classic.h"
#include <string.h>
#include <unistd.h>

#define MAGIC_US 0xa1b2c3d4
#define MAGIC_NS 0xa1b23c4d
#define HEAD_LEN 24 /* bytes, of the file */

/* What a packet begins with in the file. */
struct record {
	__s32 s;	/* since 1970; libpcap takes it as signed */
	__u32 fraction; /* of a second, in units */
	__u32 cap_len, wire_len;
};

/* One capture is read at a time. */
static __u8 buffer[256 * 1024];

void la_classic_open(struct la_classic *c, pcap_t *pcap)
{
	FILE *file = pcap_file(pcap);
	__u32 magic = 0;

	*c = (struct la_classic){.fd = fileno(file), .offset = ftello(file)};
	if (c->offset != HEAD_LEN || pread(c->fd, &magic, sizeof(magic), 0) != sizeof(magic))
		return;
	c->unit_ns = magic == MAGIC_NS ? 1 : 1000;
	if ((magic == MAGIC_US || magic == MAGIC_NS) && pcap_major_version(pcap) == 2 &&
	    pcap_minor_version(pcap) == 4)
		c->pcap = pcap;
}

off_t la_classic_tell(const struct la_classic *c)
{
	return c->offset - (off_t)(c->end - c->at);
}

/* Makes sure of n bytes at hand. Returns false if there are no more. */
static bool fill(struct la_classic *c, size_t n)
{
	ssize_t got;

	if (n > sizeof(buffer))
		return false;
	memmove(buffer, buffer + c->at, c->end - c->at);
	c->end -= c->at;
	c->at = 0;
	while (c->end < n) {
		got = pread(c->fd, buffer + c->end, sizeof(buffer) - c->end, c->offset);
		if (got <= 0)
			return false;
		c->end += (size_t)got;
		c->offset += got;
	}
	return true;
}

LA_INLINE bool at_hand(struct la_classic *c, size_t n)
{
	return c->end - c->at >= n || fill(c, n);
}

/* Lets libpcap go on where this has come to. */
static bool leave(struct la_classic *c)
{
	fseeko(pcap_file(c->pcap), la_classic_tell(c), SEEK_SET);
	c->pcap = NULL;
	return false;
}

bool la_classic_next(struct la_classic *c, struct pcap_pkthdr *h, const __u8 **data)
{
	struct record r;

	if (!c->pcap)
		return false;
	if (!at_hand(c, sizeof(r)))
		return leave(c);
	memcpy(&r, buffer + c->at, sizeof(r));
	if (r.cap_len > (__u32)pcap_snapshot(c->pcap) || r.fraction >= LA_SEC_NS / c->unit_ns ||
	    !at_hand(c, sizeof(r) + r.cap_len))
		return leave(c);
	h->ts.tv_sec = r.s;
	h->ts.tv_usec = r.fraction * c->unit_ns;
	h->caplen = r.cap_len;
	h->len = r.wire_len;
	*data = buffer + c->at + sizeof(r);
	c->at += sizeof(r) + r.cap_len;
	return true;
}
