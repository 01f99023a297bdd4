/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_words.c - durations, amounts, addresses, flags and verdicts as text.
 */
#include "records.h"
#include "text.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

Test(words, durations, .timeout = 10)
{
	static const struct {
		__u64 ns;
		const char *text;
	} rows[] = {
		{0, "0ns"},
		{999, "999ns"},
		{1000, "1.00us"},
		{31250, "31.2us"},
		{999999, "999us"},
		{1240000, "1.24ms"},
		{999999999, "999ms"},
		{3100000000, "3.10s"},
		{59999999999, "59.9s"},
		{60 * S, "1m00s"},
		{123 * S, "2m03s"},
		{3599 * S, "59m59s"},
		{7380 * S, "2h03m"},
		{4 * 86400 * S + 7 * 3600 * S, "4d07h"},
		{~0ULL, "213503d23h"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[LA_TEXT_SHORT];

		cr_expect_eq(la_text_duration(text, rows[i].ns), strlen(rows[i].text));
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(words, amounts, .timeout = 10)
{
	static const struct {
		__u64 bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},	     {999, "999 B"},	     {1000, "1.0 kB"},
		{4500, "4.5 kB"},    {99999, "99.9 kB"},     {999999, "999 kB"},
		{1000000, "1.0 MB"}, {5000000000, "5.0 GB"}, {~0ULL, "18.4 EB"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[LA_TEXT_SHORT];

		la_text_bytes(text, rows[i].bytes);
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(words, endpoints_are_those_of_orig_and_resp, .timeout = 10)
{
	static const struct {
		const char *orig;
		const char *resp;
		const char *orig_text;
		const char *resp_text;
	} rows[] = {
		{"10.9.0.1", "10.9.0.2", "10.9.0.1:40312", "10.9.0.2:80"},
		{"10.9.0.2", "10.9.0.1", "10.9.0.2:40312", "10.9.0.1:80"},
		{"255.255.255.255", "0.0.0.0", "255.255.255.255:40312", "0.0.0.0:80"},
		{"2001:db8::1", "::1", "[2001:db8::1]:40312", "[::1]:80"},
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
		 "::", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:40312", "[::]:80"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[LA_TEXT_ENDPOINT];
		struct talk t;

		talk_begin(&t, rows[i].orig, 40312, rows[i].resp, 80);
		cr_expect_eq(la_text_endpoint(text, &t.h, LA_ORIG, false), strlen(text));
		cr_expect_str_eq(text, rows[i].orig_text);
		cr_expect_eq(la_text_endpoint(text, &t.h, LA_RESP, false), strlen(text));
		cr_expect_str_eq(text, rows[i].resp_text);
	}
}

Test(words, a_port_without_a_service_stays_a_number, .timeout = 10)
{
	char text[LA_TEXT_ENDPOINT];
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 64999);
	la_text_endpoint(text, &t.h, LA_RESP, true);
	cr_expect_str_eq(text, "10.9.0.2:64999");
}

Test(words, flags, .timeout = 10)
{
	static const struct {
		__u8 flags;
		const char *text;
	} rows[] = {
		{0, ""},
		{LA_SYN, "SYN"},
		{LA_SYN | LA_ACK, "SYN,ACK"},
		{LA_FIN | LA_PSH | LA_ACK, "FIN,PSH,ACK"},
		{0xff, "SYN,FIN,RST,PSH,ACK,URG,ECE,CWR"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[LA_TEXT_FLAGS];

		cr_expect_eq(la_text_flags(text, rows[i].flags), strlen(rows[i].text));
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(words, times_of_day, .timeout = 10)
{
	char text[LA_TEXT_TIME];

	setenv("TZ", "UTC-1", 1); /* which POSIX means to be an hour ahead */
	tzset();
	cr_expect_eq(la_text_time(text, LA_TIME_ISO, 45300 * (__s64)S), 28);
	cr_expect_str_eq(text, "1970-01-01T13:35:00.000+0100");
	cr_expect_eq(la_text_time(text, LA_TIME_EPOCH, 45296 * (__s64)S + 5999999), 9);
	cr_expect_str_eq(text, "45296.005");
	setenv("TZ", "UTC", 1);
	tzset();
	la_text_time(text, LA_TIME_CLOCK, 45296 * (__s64)S + 789999999);
	cr_expect_str_eq(text, "12:34:56.789");
	la_text_time(text, LA_TIME_CLOCK, -1);
	cr_expect_str_eq(text, "23:59:59.999");
}

Test(words, evidence, .timeout = 10)
{
	char text[LA_TEXT_VERDICT];

	la_text_evidence(text, 0);
	cr_expect_str_eq(text, "");
	la_text_evidence(text, 1 << (LA_EVIDENCE_SENDS_ON - 1) | 1 << (LA_EVIDENCE_TTL - 1));
	cr_expect_str_eq(text, "sends_on (strong), ttl (weak)");
}

/* The close record of a story that is its last but `back`. */
static void expect_verdict(void (*story)(struct talk *), const char *expected)
{
	char text[LA_TEXT_VERDICT];
	struct talk t;
	int found = 0;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story(&t);
	for (unsigned int i = 0; i < t.n; i++) {
		if (t.rec[i].h.type != LA_REC_CLOSE)
			continue;
		la_text_verdict(text, &t.rec[i].close);
		cr_expect_str_eq(text, expected);
		found++;
	}
	cr_expect_eq(found, 1);
}

Test(words, verdicts, .timeout = 10)
{
	expect_verdict(story_four_segments, "closed in order by the client");
	expect_verdict(story_simultaneous, "both closed at once");
	expect_verdict(story_reset, "reset by the server");
	expect_verdict(story_refused, "refused by the server");
	expect_verdict(
		story_close_wait_stuck,
		"timed out in CLOSE_WAIT: the server's application has not closed for 1h00m");
}

Test(words, verdicts_of_every_reason, .timeout = 10)
{
	static const struct {
		struct la_rec_close rec;
		const char *text;
	} rows[] = {
		{{.reason = LA_CLOSE_HALF_CLOSED_RESET, .closed_by = LA_BY_ORIG},
		 "reset by the client after it had closed"},
		{{.reason = LA_CLOSE_HALF_CLOSED_RESET,
		  .closed_by = LA_BY_ORIG,
		  .rst_sender = LA_RESP},
		 "reset by the server after the client had closed"},
		{{.reason = LA_CLOSE_UNREACHABLE, .closed_by = LA_BY_NONE}, "unreachable"},
		{{.reason = LA_CLOSE_POLICY, .closed_by = LA_BY_POLICY}, "ended by policy"},
		{{.reason = LA_CLOSE_SHUTDOWN, .closed_by = LA_BY_NONE},
		 "still open when lastack stopped"},
		{{.reason = LA_CLOSE_TIMEOUT,
		  .closed_by = LA_BY_NONE,
		  .timeout_state = LA_ESTABLISHED,
		  .timeout_cause = LA_TIMEOUT_CAUSE_DEAD_PEER},
		 "timed out in ESTABLISHED (retransmissions went unanswered)"},
		{{.reason = LA_CLOSE_RESET, .closed_by = LA_BY_RESP, .forged = 0x3f},
		 "reset by the server, perhaps forged: "
		 "sends_on (strong), second_rst (strong), seq_trails (fair), seq_jumps (weak), "
		 "ttl (weak), both_sides (fair)"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[LA_TEXT_VERDICT];

		la_text_verdict(text, &rows[i].rec);
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(words, only_a_second_of_close_wait_is_stuck, .timeout = 10)
{
	struct la_rec_close rec = {0};

	rec.side[LA_RESP].state = LA_CLOSE_WAIT;
	rec.side[LA_RESP].in_state[LA_CLOSE_WAIT] = S - 1;
	cr_expect_eq(la_text_stuck(&rec), -1);
	rec.side[LA_RESP].in_state[LA_CLOSE_WAIT] = S;
	cr_expect_eq(la_text_stuck(&rec), LA_RESP);
	rec.side[LA_RESP].state = LA_CLOSED;
	cr_expect_eq(la_text_stuck(&rec), -1);
}
