/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - addresses, times, durations, amounts and verdicts as short text.
 *
 * Every function writes a NUL-terminated string into a buffer of the size that its argument
 * names and returns the length. All text is ASCII, so length is width.
 *
 * For everything that prints: outputs, lists, messages.
 */
#ifndef LA_USER_TEXT_H
#define LA_USER_TEXT_H

#include "la_abi.h"

#define LA_TEXT_ADDR	 46  /* longest IPv6 address and NUL */
#define LA_TEXT_ENDPOINT 72  /* [address]:port or :service */
#define LA_TEXT_SHORT	 24  /* a duration, an amount, a time of day */
#define LA_TEXT_TIME	 32  /* a moment in any format */
#define LA_TEXT_FLAGS	 40  /* every TCP flag */
#define LA_TEXT_VERDICT	 256 /* a sentence */

/* 10.0.0.1 or 2001:db8::1; v4-mapped addresses are shown as IPv4. */
size_t la_text_addr(char to[LA_TEXT_ADDR], const __u8 addr[16]);

/* 10.0.0.1:80 or [2001:db8::1]:80, of endpoint `end` of a record's connection. `service`: the
 * port by its name in the services database, where it has one. */
size_t la_text_endpoint(char to[LA_TEXT_ENDPOINT], const struct la_rec *rec, enum la_endpoint end,
			bool service);

/* 850ns 31.2us 1.24ms 3.10s 2m03s 2h03m 4d07h: three digits or so, rounded down. */
size_t la_text_duration(char to[LA_TEXT_SHORT], __u64 ns);

/* 120 B, 4.5 kB, 1.2 MB: decimal units, rounded down. */
size_t la_text_bytes(char to[LA_TEXT_SHORT], __u64 bytes);

/* How a moment is written; time zones are the local one. */
enum la_time_format {
	LA_TIME_CLOCK = 1, /* 14:03:21.482 */
	LA_TIME_ISO,	   /* 2026-11-21T14:03:21.482+0100, ISO 8601 */
	LA_TIME_EPOCH,	   /* 1795266201.482, seconds since 1970 */
};

/* Of ns since the epoch. */
size_t la_text_time(char to[LA_TEXT_TIME], enum la_time_format format, __s64 epoch_ns);

/* SYN,ACK: every flag that is set, "" for none. `flags`: enum la_tcp_flag. */
size_t la_text_flags(char to[LA_TEXT_FLAGS], __u8 flags);

/* What a segment is in the ladder of a textbook: SYN, SYN,ACK, FIN, RST, data or ACK. */
const char *la_text_segment(const struct la_rec_seg *seg);

/* ttl (weak), both_sides (fair): the evidence whose bits are set in `forged`. */
size_t la_text_evidence(char to[LA_TEXT_VERDICT], __u8 forged);

/* "client" or "server". */
const char *la_text_end(unsigned int endpoint);

/* Why and by whom: "closed in order by the client". */
size_t la_text_verdict(char to[LA_TEXT_VERDICT], const struct la_rec_close *rec);

/* The endpoint whose application did not close although its peer did: it ended in CLOSE_WAIT
 * after at least a second there. -1 if there is none. */
int la_text_stuck(const struct la_rec_close *rec);

/* Word of an enum la_lost_source, or LA_LOST_CLIENT. */
const char *la_text_lost(unsigned int source);

/* Index in the key of an endpoint of a record. */
LA_INLINE int la_text_index(const struct la_rec *rec, enum la_endpoint end)
{
	return (rec->orig ^ end) & 1;
}

#endif
