// SPDX-License-Identifier: BSD-2-Clause
/*
 * text.c - see text.h. No printf where a JSON line passes by: addresses are written by hand.
 */
#include "text.h"
#include "digits.h"
#include "la_segment.h"
#include "sink.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static bool is_v4(const __u8 addr[16])
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, mapped, sizeof(mapped));
}

size_t la_text_addr(char to[LA_TEXT_ADDR], const __u8 addr[16])
{
	size_t n = 0;

	if (!is_v4(addr)) {
		inet_ntop(AF_INET6, addr, to, LA_TEXT_ADDR);
		return strlen(to);
	}
	for (int i = 12; i < 16; i++) {
		n += la_digits_octet(to + n, addr[i]);
		to[n++] = '.';
	}
	to[--n] = '\0';
	return n;
}

/* Name of a TCP port, NULL if it has none. Looked up once a port: the database is a file. */
static const char *service_name(__be16 port)
{
	static char *names[65536]; /* by port as it lies in memory; "" is none */
	char buf[1024];
	struct servent entry, *found = NULL;

	if (!names[port]) {
		getservbyport_r(port, "tcp", &entry, buf, sizeof(buf), &found);
		names[port] = strndup(found ? found->s_name : "", 20);
	}
	return names[port] && *names[port] ? names[port] : NULL;
}

size_t la_text_endpoint(char to[LA_TEXT_ENDPOINT], const struct la_rec *rec, enum la_endpoint end,
			bool service)
{
	int i = la_text_index(rec, end);
	bool v6 = !is_v4(rec->key.addr[i]);
	const char *name = service ? service_name(rec->key.port[i]) : NULL;
	size_t n = 0;

	if (v6)
		to[n++] = '[';
	n += la_text_addr(to + n, rec->key.addr[i]);
	if (v6)
		to[n++] = ']';
	to[n++] = ':';
	if (name)
		return (size_t)(stpcpy(to + n, name) - to);
	n += la_digits(to + n, la_ntoh16(rec->key.port[i]));
	to[n] = '\0';
	return n;
}

/* A value in units of `unit`, rounded down, and what the unit is called. */
static size_t put_scaled(char *to, __u64 value, __u64 unit, int decimals, const char *name)
{
	size_t n = la_digits(to, value / unit);
	__u64 rest = value % unit;

	if (decimals)
		to[n++] = '.';
	for (int i = 0; i < decimals; i++) {
		rest *= 10;
		to[n++] = (char)('0' + rest / unit);
		rest %= unit;
	}
	return (size_t)(stpcpy(to + n, name) - to);
}

/* Decimals that make it three digits or so: 1.24, 12.4, 124. */
static int decimals_of(__u64 whole)
{
	return whole < 10 ? 2 : whole < 100;
}

/* 2m03s: of the smaller unit 60 or 24 are one of the larger. */
static size_t put_two_units(char *to, __u64 smaller, unsigned int of, const char names[2])
{
	size_t n = la_digits(to, smaller / of);

	to[n++] = names[0];
	la_digits_fixed(to + n, smaller % of, 2);
	n += 2;
	to[n++] = names[1];
	to[n] = '\0';
	return n;
}

size_t la_text_duration(char to[LA_TEXT_SHORT], __u64 ns)
{
	__u64 s = ns / LA_SEC_NS;

	if (ns < 1000)
		return put_scaled(to, ns, 1, 0, "ns");
	if (ns < LA_MSEC_NS)
		return put_scaled(to, ns, 1000, decimals_of(ns / 1000), "us");
	if (ns < LA_SEC_NS)
		return put_scaled(to, ns, LA_MSEC_NS, decimals_of(ns / LA_MSEC_NS), "ms");
	if (s < 60)
		return put_scaled(to, ns, LA_SEC_NS, decimals_of(s), "s");
	if (s < 3600)
		return put_two_units(to, s, 60, "ms");
	if (s < 86400)
		return put_two_units(to, s / 60, 60, "hm");
	return put_two_units(to, s / 3600, 24, "dh");
}

size_t la_text_bytes(char to[LA_TEXT_SHORT], __u64 bytes)
{
	static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
	__u64 unit = 1;
	size_t i = 0;

	while (bytes / unit >= 1000 && i + 1 < COUNT(units)) {
		unit *= 1000;
		i++;
	}
	return put_scaled(to, bytes, unit, i && bytes / unit < 100, units[i]);
}

/* All but the milliseconds seldom changes: records come by thousands in each second. */
struct second {
	time_t known;
	enum la_time_format format;
	char text[LA_TEXT_TIME];
	size_t ms; /* where the milliseconds stand */
	size_t len;
};

static void write_second(struct second *s)
{
	struct tm tm = {0};

	localtime_r(&s->known, &tm);
	if (s->format == LA_TIME_EPOCH)
		s->ms = (size_t)snprintf(s->text, sizeof(s->text), "%lld.", (long long)s->known);
	else
		s->ms = strftime(s->text, sizeof(s->text),
				 s->format == LA_TIME_ISO ? "%Y-%m-%dT%H:%M:%S." : "%H:%M:%S.",
				 &tm);
	s->len = s->ms + 3;
	if (s->format == LA_TIME_ISO)
		s->len += strftime(s->text + s->len, sizeof(s->text) - s->len, "%z", &tm);
	s->text[s->len] = '\0';
}

static const struct second *second_of(time_t t, enum la_time_format format)
{
	static struct second s = {.known = (time_t)1 << 62}; /* no ns reach it */

	if (t != s.known || format != s.format) {
		s = (struct second){.known = t, .format = format};
		write_second(&s);
	}
	return &s;
}

size_t la_text_time(char to[LA_TEXT_TIME], enum la_time_format format, __s64 epoch_ns)
{
	__s64 sec = epoch_ns / (__s64)LA_SEC_NS, ns = epoch_ns % (__s64)LA_SEC_NS;
	const struct second *second;

	if (ns < 0) {
		ns += (__s64)LA_SEC_NS;
		sec--;
	}
	second = second_of((time_t)sec, format);
	memcpy(to, second->text, LA_TEXT_TIME);
	la_digits_fixed(to + second->ms, (__u64)ns / LA_MSEC_NS, 3);
	return second->len;
}

size_t la_text_flags(char to[LA_TEXT_FLAGS], __u8 flags)
{
	static const struct {
		__u8 bit;
		char name[4];
	} rows[] = {
		{LA_SYN, "SYN"}, {LA_FIN, "FIN"}, {LA_RST, "RST"}, {LA_PSH, "PSH"},
		{LA_ACK, "ACK"}, {LA_URG, "URG"}, {LA_ECE, "ECE"}, {LA_CWR, "CWR"},
	};
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!(flags & rows[i].bit))
			continue;
		if (n)
			to[n++] = ',';
		memcpy(to + n, rows[i].name, 3);
		n += 3;
	}
	to[n] = '\0';
	return n;
}

const char *la_text_segment(const struct la_rec_seg *seg)
{
	if (seg->flags & LA_RST)
		return "RST";
	if (seg->flags & LA_SYN)
		return seg->flags & LA_ACK ? "SYN,ACK" : "SYN";
	if (seg->flags & LA_FIN)
		return "FIN";
	return seg->len ? "data" : "ACK";
}

size_t la_text_evidence(char to[LA_TEXT_VERDICT], __u8 forged)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned int e = 1; e < LA_EVIDENCE_MAX; e++)
		if (forged & 1 << (e - 1))
			n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, "%s%s (%s)",
					      n ? ", " : "", la_evidence_word(e),
					      la_strength_word(la_evidence_strength(e)));
	return n;
}

const char *la_text_end(unsigned int endpoint)
{
	return endpoint == LA_ORIG ? "client" : "server";
}

const char *la_text_lost(unsigned int source)
{
	static const char *const words[] = {
		[LA_LOST_STATE] = "state",
		[LA_LOST_CLOSE] = "close",
		[LA_LOST_EVICTED] = "evicted",
		[LA_LOST_CLIENT] = "client",
	};

	return source < COUNT(words) ? words[source] : "?";
}

int la_text_stuck(const struct la_rec_close *rec)
{
	for (int end = 0; end < 2; end++)
		if (rec->side[end].state == LA_CLOSE_WAIT &&
		    rec->side[end].in_state[LA_CLOSE_WAIT] >= LA_SEC_NS)
			return end;
	return -1;
}

/* " by the client", "" where the reason's text has said it or nobody did it. */
static const char *by_whom(const struct la_rec_close *rec)
{
	static const char *const words[LA_CLOSER_MAX] = {
		[LA_BY_ORIG] = " by the client",
		[LA_BY_RESP] = " by the server",
		[LA_BY_POLICY] = " by policy",
	};

	if (rec->reason == LA_CLOSE_POLICY || rec->closed_by >= LA_CLOSER_MAX ||
	    !words[rec->closed_by])
		return "";
	return words[rec->closed_by];
}

/* Who sent the RST into a half-closed connection, and who had closed it. */
static size_t verdict_half_closed(char *to, size_t size, const struct la_rec_close *rec)
{
	unsigned int closer = rec->closed_by == LA_BY_RESP ? LA_RESP : LA_ORIG;

	if (rec->rst_sender == closer)
		return (size_t)snprintf(to, size, "reset by the %s after it had closed",
					la_text_end(rec->rst_sender));
	return (size_t)snprintf(to, size, "reset by the %s after the %s had closed",
				la_text_end(rec->rst_sender), la_text_end(closer));
}

/* The reason, with its actor where a sentence wants him. */
static size_t verdict_reason(char *to, size_t size, const struct la_rec_close *rec)
{
	const char *by = by_whom(rec);

	switch (rec->reason) {
	case LA_CLOSE_HALF_CLOSED_RESET:
		return verdict_half_closed(to, size, rec);
	case LA_CLOSE_FIN:
	case LA_CLOSE_RESET:
	case LA_CLOSE_REFUSED:
	case LA_CLOSE_UNREACHABLE:
		return (size_t)snprintf(to, size, "%s%s", la_close_reason_text(rec->reason), by);
	default:
		return (size_t)snprintf(to, size, "%s", la_close_reason_text(rec->reason));
	}
}

size_t la_text_verdict(char to[LA_TEXT_VERDICT], const struct la_rec_close *rec)
{
	size_t n = verdict_reason(to, LA_TEXT_VERDICT, rec);
	int stuck = la_text_stuck(rec);
	char buf[LA_TEXT_VERDICT];

	if (rec->timeout_state)
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, " in %s",
				      la_state_word(rec->timeout_state));
	if (rec->timeout_cause && stuck < 0)
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, " (%s)",
				      la_timeout_cause_text(rec->timeout_cause));
	if (stuck >= 0) {
		la_text_duration(buf, rec->side[stuck].in_state[LA_CLOSE_WAIT]);
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n,
				      ": the %s's application has not closed for %s",
				      la_text_end((unsigned int)stuck), buf);
	}
	if (rec->icmp_type)
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, " (ICMP to the %s: %s)",
				      la_text_end(rec->icmp_to),
				      la_icmp_text(la_icmp_kind(la_key_is_v4(&rec->h.key),
								rec->icmp_type, rec->icmp_code)));
	if (rec->one_way)
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, ", only the %s was heard",
				      la_text_end(rec->one_way - 1u));
	if (rec->forged) {
		la_text_evidence(buf, rec->forged);
		n += (size_t)snprintf(to + n, LA_TEXT_VERDICT - n, ", perhaps forged: %.140s", buf);
	}
	return n;
}
