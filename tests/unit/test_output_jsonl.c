/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_jsonl.c - every line parses, is one flat object, and says what the record says.
 *
 * The reader is jansson: it knows nothing of the writer.
 */
#include "printed.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#define MAX_LINES 64

struct lines {
	char *text;
	json_t *line[MAX_LINES];
	int n;
};

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "(absent)";
}

static json_int_t number_of(const json_t *line, const char *key)
{
	const json_t *value = json_object_get(line, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool has(const json_t *line, const char *key)
{
	return json_object_get(line, key) != NULL;
}

/* Parses what was printed: one object a line, each with a newline. */
static void parse(struct lines *l, char *text)
{
	l->text = text;
	l->n = 0;
	for (char *at = text; *at && l->n < MAX_LINES; l->n++) {
		char *end = strchr(at, '\n');
		json_error_t error;

		cr_assert_not_null(end, "no newline at the end");
		*end = '\0';
		l->line[l->n] = json_loads(at, JSON_REJECT_DUPLICATES, &error);
		cr_assert_not_null(l->line[l->n], "%s in %s", error.text, at);
		cr_assert(json_is_object(l->line[l->n]));
		at = end + 1;
	}
}

static void release(struct lines *l)
{
	for (int i = 0; i < l->n; i++)
		json_decref(l->line[i]);
	free(l->text);
}

static void tell(struct lines *l, void (*story)(struct talk *))
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story(&t);
	parse(l, printed(la_output_jsonl_new, &t));
	cr_assert_eq(l->n, (int)t.n, "%d lines of %u records", l->n, t.n);
}

/* The n-th line of a type, counted from 0. */
static const json_t *nth(const struct lines *l, const char *type, int n)
{
	for (int i = 0; i < l->n; i++)
		if (!strcmp(text_of(l->line[i], "type"), type) && n-- == 0)
			return l->line[i];
	cr_assert_fail("no such %s line", type);
	return NULL;
}

Test(jsonl, every_line_is_flat_and_has_the_common_keys, .timeout = 10)
{
	struct lines l;

	tell(&l, story_four_segments);
	for (int i = 0; i < l.n; i++) {
		const char *key;
		json_t *value;

		cr_expect_eq(number_of(l.line[i], "v"), 1);
		cr_expect_eq(number_of(l.line[i], "seq"), i);
		cr_expect_str_eq(text_of(l.line[i], "id"), "5eed000000009d78");
		cr_expect_str_eq(text_of(l.line[i], "orig_ip"), "10.9.0.1");
		cr_expect_eq(number_of(l.line[i], "orig_port"), 40312);
		cr_expect_str_eq(text_of(l.line[i], "resp_ip"), "10.9.0.2");
		cr_expect_eq(number_of(l.line[i], "resp_port"), 80);
		json_object_foreach (l.line[i], key, value) {
			cr_expect_not(json_is_null(value), "%s is null", key);
			cr_expect_not(json_is_object(value), "%s is not flat", key);
			cr_expect_not(json_is_real(value), "%s is no integer", key);
			cr_expect_eq(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				     strlen(key));
		}
	}
	cr_expect_eq(number_of(l.line[0], "ts_ns"), 86410 * (json_int_t)S);
	release(&l);
}

Test(jsonl, state, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_four_segments);
	line = nth(&l, "state", 2);
	cr_expect_str_eq(text_of(line, "endpoint"), "orig");
	cr_expect_str_eq(text_of(line, "from"), "SYN_SENT");
	cr_expect_str_eq(text_of(line, "to"), "ESTABLISHED");
	cr_expect_str_eq(text_of(line, "certainty"), "presumed");
	cr_expect_str_eq(text_of(line, "cause"), "syn_ack");
	cr_expect_eq(number_of(line, "from_ns"), 31 * US);
	cr_expect_str_eq(text_of(line, "orig_state"), "ESTABLISHED");
	cr_expect(json_is_true(json_object_get(line, "orig_presumed")));
	cr_expect_str_eq(text_of(line, "resp_state"), "SYN_RECEIVED");
	cr_expect_not(has(line, "resp_presumed"));
	release(&l);
}

Test(jsonl, corrected_state, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_lost_last_ack);
	line = nth(&l, "state", 10);
	cr_expect_str_eq(text_of(line, "endpoint"), "resp");
	cr_expect_str_eq(text_of(line, "from"), "CLOSED");
	cr_expect_str_eq(text_of(line, "to"), "LAST_ACK");
	cr_expect_str_eq(text_of(line, "certainty"), "corrected");
	line = nth(&l, "gone", 0);
	cr_expect_str_eq(text_of(line, "why"), "time_wait_over");
	cr_expect_eq(number_of(line, "late_pkts"), 2);
	cr_expect_eq(number_of(line, "fin_retrans"), 1);
	cr_expect_eq(number_of(line, "late_rst"), 0);
	release(&l);
}

Test(jsonl, segment, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_four_segments);
	line = nth(&l, "segment", 0);
	cr_expect_str_eq(text_of(line, "sender"), "orig");
	cr_expect_str_eq(text_of(line, "flags"), "SYN");
	cr_expect_eq(number_of(line, "rel_seq"), 0);
	cr_expect_not(has(line, "rel_ack"));
	line = nth(&l, "segment", 3);
	cr_expect_str_eq(text_of(line, "flags"), "PSH,ACK");
	cr_expect_eq(number_of(line, "rel_ack"), 1);
	cr_expect_eq(number_of(line, "len"), 120);
	cr_expect_str_eq(text_of(line, "outcome"), "accept");
	cr_expect_str_eq(text_of(line, "reason"), "accepted");
	release(&l);
}

Test(jsonl, ignored_segment_and_suspicious_rst, .timeout = 10)
{
	const json_t *line, *forged;
	struct lines l;

	tell(&l, story_blind_rst);
	line = nth(&l, "segment", 5);
	cr_expect_str_eq(text_of(line, "outcome"), "ignore");
	cr_expect_str_eq(text_of(line, "reason"), "rst_ignored");
	line = nth(&l, "rst", 0);
	cr_expect_str_eq(text_of(line, "sender"), "resp");
	cr_expect_str_eq(text_of(line, "verdict"), "in_window");
	cr_expect(json_is_false(json_object_get(line, "dropped")));
	cr_expect_eq(number_of(line, "rel_seq"), 9000);
	forged = json_object_get(line, "forged");
	cr_assert_eq(json_array_size(forged), 2);
	cr_expect_str_eq(json_string_value(json_array_get(forged, 0)), "seq_jumps");
	cr_expect_str_eq(json_string_value(json_array_get(forged, 1)), "ttl");
	release(&l);
}

Test(jsonl, rst_without_evidence_has_an_empty_list, .timeout = 10)
{
	const json_t *forged;
	struct lines l;

	tell(&l, story_reset);
	forged = json_object_get(nth(&l, "rst", 0), "forged");
	cr_expect(json_is_array(forged));
	cr_expect_eq(json_array_size(forged), 0);
	release(&l);
}

Test(jsonl, close_in_order, .timeout = 10)
{
	static const char *const absent[] = {"rst_sender",    "rst_verdict",	"stage",
					     "timeout_state", "timeout_cause",	"forged",
					     "silent",	      "unanswered",	"unanswered_ns",
					     "orig_presumed", "orig_closing_ns"};
	static const struct {
		const char *key;
		__u64 value;
	} numbers[] = {
		{"duration_ns", 1133 * US},
		{"handshake_ns", 50 * US},
		{"close_ns", 523 * US},
		{"orig_pkts", 7},
		{"resp_pkts", 7},
		{"orig_bytes", 120},
		{"resp_bytes", 4500},
		{"orig_ip_bytes", 320},
		{"resp_ip_bytes", 1608},
		{"orig_retrans", 0},
		{"resp_retrans", 0},
		{"orig_syn_sent_ns", 31 * US},
		{"orig_established_ns", 579 * US},
		{"orig_fin_wait_1_ns", 25 * US},
		{"orig_fin_wait_2_ns", 480 * US},
		{"orig_time_wait_ns", 18 * US},
		{"resp_close_wait_ns", 505 * US},
		{"resp_last_ack_ns", 18 * US},
	};
	const json_t *line;
	struct lines l;

	tell(&l, story_four_segments);
	line = nth(&l, "close", 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		cr_expect_eq(number_of(line, numbers[i].key), numbers[i].value, "%s is %lld",
			     numbers[i].key, (long long)number_of(line, numbers[i].key));
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		cr_expect_not(has(line, absent[i]), "%s", absent[i]);
	cr_expect_str_eq(text_of(line, "conn_state"), "SF");
	cr_expect_str_eq(text_of(line, "history"), "ShADadFf");
	cr_expect_str_eq(text_of(line, "reason"), "fin");
	cr_expect_str_eq(text_of(line, "closed_by"), "orig");
	cr_expect(json_is_false(json_object_get(line, "midstream")));
	cr_expect_str_eq(text_of(line, "orig_state"), "TIME_WAIT");
	cr_expect_str_eq(text_of(line, "resp_state"), "CLOSED");
	cr_expect(json_is_true(json_object_get(line, "resp_presumed")));
	cr_expect_eq(strlen(text_of(line, "community_id")), 30);
	cr_expect_str_eq(text_of(line, "ifname"), "veth0");
	release(&l);
}

Test(jsonl, close_by_rst, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_reset);
	line = nth(&l, "close", 0);
	cr_expect_str_eq(text_of(line, "reason"), "reset");
	cr_expect_str_eq(text_of(line, "closed_by"), "resp");
	cr_expect_str_eq(text_of(line, "rst_sender"), "resp");
	cr_expect_str_eq(text_of(line, "rst_verdict"), "exact");
	cr_expect_str_eq(text_of(line, "stage"), "later");
	release(&l);
}

Test(jsonl, close_by_timeout, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_close_wait_stuck);
	line = nth(&l, "close", 0);
	cr_expect_str_eq(text_of(line, "reason"), "timeout");
	cr_expect_str_eq(text_of(line, "closed_by"), "none");
	cr_expect_str_eq(text_of(line, "timeout_state"), "CLOSE_WAIT");
	cr_expect_str_eq(text_of(line, "timeout_cause"), "idle");
	cr_expect_not(has(line, "rst_sender"));
	cr_expect_eq(number_of(line, "resp_close_wait_ns"), 3600 * S + 25 * US);
	release(&l);
}

/* What was counted of windows and silence stands under the name of its side. */
Test(jsonl, close_of_a_silent_peer, .timeout = 10)
{
	static const struct {
		const char *key;
		__u64 value;
	} numbers[] = {
		{"unanswered", 9},
		{"unanswered_ns", 675 * S},
		{"orig_ooo", 4},
		{"resp_ooo", 0},
		{"orig_dups", 2},
		{"orig_in_flight", 100},
		{"orig_max_in_flight", 4096},
		{"orig_window", 64256},
		{"orig_window_full", 2},
		{"orig_window_probes", 3},
		{"resp_zero_windows", 1},
		{"resp_zero_window_ns", 3 * S},
	};
	static const char *const absent[] = {"resp_in_flight", "orig_zero_windows",
					     "orig_zero_window_ns", "resp_window_probes"};
	struct la_rec_close *close;
	const json_t *line;
	struct lines l;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	close = talk_closes(&t, LA_CLOSE_TIMEOUT, LA_BY_NONE, LA_CONN_S1, "ShADad");
	close->timeout_cause = LA_TIMEOUT_CAUSE_KEEPALIVE_FAILED;
	close->silent = LA_RESP;
	close->unanswered = 9;
	close->unanswered_ns = 675 * S;
	close->side[LA_ORIG].ooo = 4;
	close->side[LA_ORIG].dups = 2;
	close->side[LA_ORIG].in_flight = 100;
	close->side[LA_ORIG].max_in_flight = 4096;
	close->side[LA_ORIG].window = 64256;
	close->side[LA_ORIG].window_full = 2;
	close->side[LA_ORIG].window_probes = 3;
	close->side[LA_RESP].zero_windows = 1;
	close->side[LA_RESP].zero_window_ns = 3 * S;
	parse(&l, printed(la_output_jsonl_new, &t));
	line = nth(&l, "close", 0);
	cr_expect_str_eq(text_of(line, "timeout_cause"), "keepalive_failed");
	cr_expect_str_eq(text_of(line, "silent"), "resp");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		cr_expect_eq(number_of(line, numbers[i].key), numbers[i].value, "%s is %lld",
			     numbers[i].key, (long long)number_of(line, numbers[i].key));
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		cr_expect_not(has(line, absent[i]), "%s", absent[i]);
	release(&l);
}

Test(jsonl, no_handshake_and_no_fin_means_no_times, .timeout = 10)
{
	const json_t *line;
	struct lines l;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	talk_closes(&t, LA_CLOSE_SHUTDOWN, LA_BY_NONE, LA_CONN_OTH, "")->midstream = 1;
	t.rec[0].h.ifindex = 7;
	parse(&l, printed(la_output_jsonl_new, &t));
	line = nth(&l, "close", 0);
	cr_expect_not(has(line, "handshake_ns"));
	cr_expect_not(has(line, "close_ns"));
	cr_expect_eq(number_of(line, "duration_ns"), 0);
	cr_expect_str_eq(text_of(line, "history"), "");
	cr_expect(json_is_true(json_object_get(line, "midstream")));
	cr_expect_not(has(line, "ifname"), "an interface without a name has none");
	release(&l);
}

Test(jsonl, lost_has_no_connection, .timeout = 10)
{
	struct lines l;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	talk_next(&t, LA_REC_LOST)->lost.count = 12;
	t.rec[0].lost.source = LA_LOST_STATE;
	parse(&l, printed(la_output_jsonl_new, &t));
	cr_assert_eq(l.n, 1);
	cr_expect_eq(json_object_size(l.line[0]), 5);
	cr_expect_str_eq(text_of(l.line[0], "type"), "lost");
	cr_expect_str_eq(text_of(l.line[0], "source"), "state");
	cr_expect_eq(number_of(l.line[0], "count"), 12);
	release(&l);
}

Test(jsonl, what_a_policy_did, .timeout = 10)
{
	struct lines l;
	struct talk t;
	struct la_rec_policy *r;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	r = &talk_next(&t, LA_REC_POLICY)->policy;
	strcpy(r->policy, "leak");
	strcpy(r->detail, "say \"why\"");
	r->action = LA_ACTION_RESET;
	r->result = LA_RESULT_FAILED;
	r->tries = 3;
	parse(&l, printed(la_output_jsonl_new, &t));
	cr_assert_eq(l.n, 1);
	cr_expect_str_eq(text_of(l.line[0], "policy"), "leak");
	cr_expect_str_eq(text_of(l.line[0], "action"), "reset");
	cr_expect(json_is_false(json_object_get(l.line[0], "dry_run")));
	cr_expect_str_eq(text_of(l.line[0], "result"), "failed");
	cr_expect_str_eq(text_of(l.line[0], "detail"), "say \"why\"");
	cr_expect_eq(number_of(l.line[0], "tries"), 3);
	release(&l);
}

Test(jsonl, ipv6_addresses, .timeout = 10)
{
	struct lines l;
	struct talk t;

	talk_begin(&t, "2001:db8::1", 40312, "fe80::aaaa:bbbb:cccc:dddd", 443);
	story_four_segments(&t);
	parse(&l, printed(la_output_jsonl_new, &t));
	cr_expect_str_eq(text_of(l.line[0], "orig_ip"), "2001:db8::1");
	cr_expect_str_eq(text_of(l.line[0], "resp_ip"), "fe80::aaaa:bbbb:cccc:dddd");
	release(&l);
}

/* The one string that comes from outside. */
Test(jsonl, a_hostile_interface_name_stays_a_string, .timeout = 10)
{
	static const struct {
		const char *name;
		const char *read;
	} rows[] = {
		{"a\"b\\c", "a\"b\\c"},
		{"\"}\n{\"v\":9", "\"}\n{\"v\":9"},
		{"\x01\x1f\x7f\t", "\x01\x1f\x7f\t"},
		{"gr\xc3\xb6\xc3\x9f\x65 \xf0\x9f\xa6\x80",
		 "gr\xc3\xb6\xc3\x9f\x65 \xf0\x9f\xa6\x80"},
		{"\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_output_opts opts = paper_opts();
		struct paper p;
		struct lines l;
		struct talk t;

		talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
		talk_closes(&t, LA_CLOSE_FIN, LA_BY_ORIG, LA_CONN_SF, "S");
		opts.ifname_ctx = (char *)rows[i].name;
		paper_open(&p, la_output_jsonl_new, &opts, "C");
		talk_play(&t, p.sink);
		paper_done(&p);
		parse(&l, p.text);
		cr_assert_eq(l.n, 1);
		cr_expect_str_eq(text_of(l.line[0], "ifname"), rows[i].read, "row %zu", i);
		release(&l);
	}
}

Test(jsonl, extreme_values_are_printed_in_full, .timeout = 10)
{
	static const char *const key = "\"count\":18446744073709551615}";
	struct la_output_opts opts = paper_opts();
	struct paper p;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	t.h.ts = 0;
	talk_next(&t, LA_REC_LOST)->lost.count = ~0ULL;
	opts.clock_offset = -5;
	paper_open(&p, la_output_jsonl_new, &opts, "C");
	talk_play(&t, p.sink);
	paper_done(&p);
	cr_expect_not_null(strstr(p.text, key), "%s", p.text);
	cr_expect_not_null(strstr(p.text, "\"ts_ns\":-5,"), "%s", p.text);
	paper_free(&p);
}

Test(jsonl, more_than_the_buffer_arrives_whole, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct lines l;
	struct paper p;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_four_segments(&t);
	paper_open(&p, la_output_jsonl_new, &opts, "C");
	for (int i = 0; i < 100; i++)
		talk_play(&t, p.sink);
	paper_done(&p);
	cr_expect_gt(p.size, 4 * 65536);
	cr_expect_eq(count_of(p.text, "\n"), 100 * (int)t.n);
	parse(&l, p.text);
	for (int i = 0; i < l.n; i++)
		cr_expect_eq(number_of(l.line[i], "seq"), i % (int)t.n);
	release(&l);
}

/* A sink over a device that refuses to be written; returns what it wrote to stderr. */
static char *write_to_full_disk(int *failed)
{
	FILE *full = fopen("/dev/full", "w"), *err = tmpfile();
	struct la_output_opts opts = paper_opts();
	int saved = dup(STDERR_FILENO);
	struct la_sink *sink;
	static char said[1000];
	struct talk t;
	size_t n;

	cr_assert(full && err && saved >= 0);
	sink = la_output_jsonl_new(full, &opts);
	cr_assert_not_null(sink);
	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_four_segments(&t);
	dup2(fileno(err), STDERR_FILENO);
	for (int i = 0; i < 3; i++) {
		talk_play(&t, sink);
		la_sink_flush(sink);
	}
	dup2(saved, STDERR_FILENO);
	*failed = la_output_failed(sink);
	la_sink_close(sink);
	rewind(err);
	n = fread(said, 1, sizeof(said) - 1, err);
	said[n] = '\0';
	fclose(err);
	fclose(full);
	close(saved);
	return said;
}

Test(jsonl, a_full_disk_is_said_once, .timeout = 10)
{
	int failed = 0;
	const char *said = write_to_full_disk(&failed);

	cr_expect_eq(failed, ENOSPC);
	cr_expect_eq(count_of(said, "\n"), 1, "%s", said);
	cr_expect_not_null(strstr(said, "No space left on device"), "%s", said);
}

/* ---- what is seldom there ---- */

/* An attempt that a router or the host answers with an ICMP error. */
static void story_icmp(struct talk *t, enum la_close_reason reason, __u8 type, __u8 code)
{
	struct la_rec_close *close;

	talk_says(t, LA_ORIG, LA_SYN, 0, 0, 0);
	talk_moves(t, LA_ORIG, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	talk_timer(t); /* no segment */
	talk_moves(t, LA_ORIG, LA_CLOSED, LA_PRESUMED, LA_CAUSE_ICMP);
	close = talk_closes(t, reason, LA_BY_NONE, LA_CONN_S0, "S");
	close->icmp_type = type;
	close->icmp_code = code;
}

static void story_prohibited(struct talk *t)
{
	story_icmp(t, LA_CLOSE_UNREACHABLE, 3, 13);
}

static void story_port_unreachable(struct talk *t)
{
	story_icmp(t, LA_CLOSE_REFUSED, 3, 3);
	t->rec[t->n - 1].close.icmp_to = LA_RESP;
}

Test(jsonl, an_icmp_error_is_named, .timeout = 10)
{
	const json_t *line;
	struct lines l;

	tell(&l, story_prohibited);
	cr_expect_str_eq(text_of(nth(&l, "state", 1), "cause"), "icmp");
	line = nth(&l, "close", 0);
	cr_expect_str_eq(text_of(line, "reason"), "unreachable");
	cr_expect_str_eq(text_of(line, "icmp"), "admin_prohibited");
	cr_expect_eq(number_of(line, "icmp_type"), 3);
	cr_expect_eq(number_of(line, "icmp_code"), 13);
	cr_expect_str_eq(text_of(line, "icmp_to"), "orig");
	release(&l);
	tell(&l, story_port_unreachable);
	line = nth(&l, "close", 0);
	cr_expect_str_eq(text_of(line, "icmp"), "port_unreachable");
	cr_expect_str_eq(text_of(line, "icmp_to"), "resp");
	release(&l);
}

Test(jsonl, no_icmp_no_keys, .timeout = 10)
{
	static const char *const absent[] = {"icmp", "icmp_type", "icmp_code", "icmp_to",
					     "one_way"};
	struct lines l;

	tell(&l, story_reset);
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		cr_expect_not(has(nth(&l, "close", 0), absent[i]), "%s", absent[i]);
	release(&l);
}

static void story_one_way(struct talk *t)
{
	story_handshake(t);
	talk_closes(t, LA_CLOSE_FIN, LA_BY_RESP, LA_CONN_SHR, "^haf")->one_way = 1 + LA_RESP;
}

Test(jsonl, one_way_names_the_side_that_is_heard, .timeout = 10)
{
	struct lines l;

	tell(&l, story_one_way);
	cr_expect_str_eq(text_of(nth(&l, "close", 0), "one_way"), "resp");
	release(&l);
}

static void story_carried_on(struct talk *t)
{
	struct la_rec_gone *gone;

	story_reset(t);
	gone = &t->rec[t->n - 1].gone;
	gone->forged = 1 << (LA_EVIDENCE_SENDS_ON - 1) | 1 << (LA_EVIDENCE_BOTH_SIDES - 1);
	gone->carried_on = 1;
}

/* What shows only after the close record is in the gone record. */
Test(jsonl, gone_tells_that_it_carried_on, .timeout = 10)
{
	const json_t *line, *forged;
	struct lines l;

	tell(&l, story_carried_on);
	line = nth(&l, "gone", 0);
	forged = json_object_get(line, "forged");
	cr_assert_eq(json_array_size(forged), 2);
	cr_expect_str_eq(json_string_value(json_array_get(forged, 0)), "sends_on");
	cr_expect_str_eq(json_string_value(json_array_get(forged, 1)), "both_sides");
	cr_expect(json_is_true(json_object_get(line, "carried_on")));
	release(&l);
	tell(&l, story_reset);
	cr_expect_not(has(nth(&l, "gone", 0), "forged"));
	cr_expect_not(has(nth(&l, "gone", 0), "carried_on"));
	release(&l);
}
