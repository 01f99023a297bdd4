/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.h - writes captures byte by byte: pcap in either byte order, times in us or ns,
 * and the few blocks of pcapng that matter. Sources: the IETF drafts of both formats.
 *
 * Included by the tests of replay and of its verb.
 */
#ifndef LA_TESTS_CAPTURE_H
#define LA_TESTS_CAPTURE_H

#include "heard.h"
#include <unistd.h>

#define CAPTURE_MAX (1 << 16)

/* Numbers of the LINKTYPE registry, which are what a file holds. */
enum linktype {
	LINKTYPE_NULL = 0,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW = 101,
	LINKTYPE_IEEE802_11 = 105,
	LINKTYPE_LOOP = 108,
	LINKTYPE_LINUX_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_LINUX_SLL2 = 276,
};

struct capture {
	bool swapped; /* written by a machine of the other byte order */
	bool nano;    /* times in ns */
	size_t len;
	__u8 bytes[CAPTURE_MAX];
};

static inline void put_bytes(struct capture *c, const void *data, size_t n)
{
	cr_assert_leq(n, CAPTURE_MAX - c->len);
	if (n)
		memcpy(c->bytes + c->len, data, n);
	c->len += n;
}

static inline void put16(struct capture *c, __u16 value)
{
	if (c->swapped)
		value = __builtin_bswap16(value);
	put_bytes(c, &value, sizeof(value));
}

static inline void put32(struct capture *c, __u32 value)
{
	if (c->swapped)
		value = __builtin_bswap32(value);
	put_bytes(c, &value, sizeof(value));
}

/* ---- pcap ---- */

static inline void pcap_begin(struct capture *c, enum linktype type)
{
	put32(c, c->nano ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(c, 2);
	put16(c, 4);
	put32(c, 0);
	put32(c, 0);
	put32(c, 65535);
	put32(c, type);
}

/* cap_len bytes of a packet that had wire_len; ts: ns since 1970. */
static inline void pcap_packet(struct capture *c, __u64 ts, const void *data, size_t cap_len,
			       size_t wire_len)
{
	put32(c, (__u32)(ts / S));
	put32(c, (__u32)(ts % S / (c->nano ? 1 : 1000)));
	put32(c, (__u32)cap_len);
	put32(c, (__u32)wire_len);
	put_bytes(c, data, cap_len);
}

/* ---- pcapng ---- */

static inline void pcapng_section(struct capture *c)
{
	put32(c, 0x0a0d0d0a);
	put32(c, 28);
	put32(c, 0x1a2b3c4d);
	put16(c, 1);
	put16(c, 0);
	put32(c, 0xffffffff); /* a length that nobody knows */
	put32(c, 0xffffffff);
	put32(c, 28);
}

/* An interface; its times are in ns if c->nano, else in the default us. */
static inline void pcapng_interface(struct capture *c, enum linktype type)
{
	__u32 size = c->nano ? 32 : 20;

	put32(c, 1);
	put32(c, size);
	put16(c, (__u16)type);
	put16(c, 0);
	put32(c, 0);
	if (c->nano) {
		put16(c, 9); /* if_tsresol */
		put16(c, 1);
		put_bytes(c, (const __u8[]){9, 0, 0, 0}, 4);
		put32(c, 0); /* opt_endofopt */
	}
	put32(c, size);
}

static inline void pcapng_packet(struct capture *c, __u64 ts, const void *data, size_t n)
{
	__u32 padded = (__u32)(n + 3) / 4 * 4;
	__u64 units = c->nano ? ts : ts / 1000;

	put32(c, 6);
	put32(c, 32 + padded);
	put32(c, 0);
	put32(c, (__u32)(units >> 32));
	put32(c, (__u32)units);
	put32(c, (__u32)n);
	put32(c, (__u32)n);
	put_bytes(c, data, n);
	put_bytes(c, "\0\0\0", padded - n);
	put32(c, 32 + padded);
}

/* A block that is no packet: name resolution, empty. */
static inline void pcapng_other(struct capture *c)
{
	put32(c, 4);
	put32(c, 12);
	put32(c, 12);
}

/* ---- whole captures ---- */

/* The whole connection of heard.h as Ethernet frames. */
static inline void pcap_connection(struct capture *c)
{
	pcap_begin(c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame f = frame_of(&whole_connection[i], 40000, false);

		pcap_packet(c, BEGINNING + whole_connection[i].at, f.bytes, f.len, f.len);
	}
}

/* The capture as a file that has no name and vanishes with its last user. */
static inline FILE *capture_file(const struct capture *c)
{
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(c->bytes, 1, c->len, file), c->len);
	rewind(file);
	return file;
}

/* A directory of the test's own, and the path of one file in it. */
struct scratch {
	char dir[64];
	char path[80];
};

static inline struct scratch scratch_new(void)
{
	struct scratch s = {.dir = "/tmp/lastack-test-XXXXXX"};

	cr_assert_not_null(mkdtemp(s.dir));
	snprintf(s.path, sizeof(s.path), "%s/capture", s.dir);
	return s;
}

static inline void scratch_write(const struct scratch *s, const void *data, size_t n)
{
	FILE *file = fopen(s->path, "wb");

	cr_assert_not_null(file);
	cr_expect_eq(fwrite(data, 1, n, file), n);
	cr_expect_eq(fclose(file), 0);
}

static inline void scratch_remove(const struct scratch *s)
{
	unlink(s->path);
	cr_expect_eq(rmdir(s->dir), 0);
}

#endif
