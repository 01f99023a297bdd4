/* SPDX-License-Identifier: BSD-2-Clause */
/* test_output_zeek.c - the conn.log: header, columns, and which record makes the line. */
#include "printed.h"
#include "private_space.h"
#include <arpa/inet.h>

#define FIELDS 22

/* The n-th line that is no header, cut into its fields. */
struct row {
	char text[1024];
	char *field[FIELDS];
	int fields;
};

static struct row row_of(const char *log, int n)
{
	struct row r = {.fields = 0};

	for (const char *at = log; *at; at = strchr(at, '\n') + 1) {
		size_t len = strcspn(at, "\n");

		if (*at == '#' || n--)
			continue;
		cr_assert_lt(len, sizeof(r.text));
		memcpy(r.text, at, len);
		r.text[len] = '\0';
		return r;
	}
	cr_assert_fail("no such line in\n%s", log);
	return r;
}

static void cut(struct row *r)
{
	for (char *at = r->text; at; r->fields++) {
		cr_assert_lt(r->fields, FIELDS);
		r->field[r->fields] = strsep(&at, "\t");
	}
	cr_assert_eq(r->fields, FIELDS, "%d fields", r->fields);
}

static int tabs(const char *line)
{
	int n = 0;

	for (; *line && *line != '\n'; line++)
		n += *line == '\t';
	return n;
}

static void fill(struct la_rec_gone *gone, const char *history, enum la_conn_state state)
{
	gone->zeek.start = 10 * S;
	gone->zeek.heard_ns = 1500 * US;
	gone->zeek.missed = 3;
	gone->zeek.pkts[LA_ORIG] = 7;
	gone->zeek.pkts[LA_RESP] = 5;
	gone->zeek.bytes[LA_RESP] = 4500;
	gone->zeek.ip_bytes[LA_ORIG] = 400;
	gone->zeek.conn_state = (__u8)state;
	gone->zeek.history_len = (__u8)strlen(history);
	memcpy(gone->zeek.history, history, strlen(history));
}

Test(output_zeek, header)
{
	struct talk t;
	char *log;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	story_four_segments(&t);
	log = printed(la_output_zeek_new, &t);
	cr_expect_eq(strstr(log, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"),
		     log);
	expect_line(log, "#unset_field\t-");
	expect_line(log, "#path\tconn");
	cr_expect_eq(count_of(log, "#open\t1970-01-02-00-01-10\n"), 1, "%s", log);
	cr_expect_eq(count_of(log, "#close\t1970-01-02-00-01-10\n"), 1, "%s", log);
	cr_expect_eq(tabs(strstr(log, "#fields")), FIELDS);
	cr_expect_eq(tabs(strstr(log, "#types")), FIELDS);
	cr_expect(strstr(log, "\ttunnel_parents\tip_proto\n") &&
		  strstr(log, "\tset[string]\tcount\n"));
	free(log);
}

/* What came after the close is in the line. */
Test(output_zeek, line_of_the_gone_record)
{
	struct row row;
	struct talk t;
	char *log;

	talk_begin(&t, "fd00::1", 40000, "fd00::2", 443);
	story_four_segments(&t);
	fill(&t.rec[t.n - 1].gone, "ShADadFfR", LA_CONN_SF);
	log = printed(la_output_zeek_new, &t);
	row = row_of(log, 0);
	cut(&row);
	cr_expect_str_eq(row.field[0], "86410.000000");
	cr_expect_eq(row.field[1][0], 'C');
	cr_expect_str_eq(row.field[2], "fd00::1");
	cr_expect_str_eq(row.field[3], "40000");
	cr_expect_str_eq(row.field[4], "fd00::2");
	cr_expect_str_eq(row.field[5], "443");
	cr_expect_str_eq(row.field[6], "tcp");
	cr_expect_str_eq(row.field[7], "-");
	cr_expect_str_eq(row.field[8], "0.001500");
	cr_expect_str_eq(row.field[9], "0");
	cr_expect_str_eq(row.field[10], "4500");
	cr_expect_str_eq(row.field[11], "SF");
	cr_expect_str_eq(row.field[14], "3");
	cr_expect_str_eq(row.field[15], "ShADadFfR");
	cr_expect_str_eq(row.field[16], "7");
	cr_expect_str_eq(row.field[17], "400");
	cr_expect_str_eq(row.field[18], "5");
	cr_expect_str_eq(row.field[20], "-");
	cr_expect_str_eq(row.field[21], "6");
	cr_expect_eq(count_of(log, "tcp"), 1, "one line a connection");
	free(log);
}

/* Networks of the registries, their last addresses, and the first ones behind them. */
Test(output_zeek, private_addresses)
{
	static const struct {
		const char *addr;
		bool is_private;
	} rows[] = {
		{"0.1.2.3", true},
		{"1.0.0.0", false},
		{"10.0.0.0", true},
		{"10.255.255.255", true},
		{"11.0.0.0", false},
		{"100.63.255.255", false},
		{"100.64.0.0", true},
		{"100.127.255.255", true},
		{"100.128.0.0", false},
		{"127.0.0.1", true},
		{"169.254.169.254", true},
		{"172.15.255.255", false},
		{"172.16.0.1", true},
		{"172.31.255.255", true},
		{"172.32.0.0", false},
		{"192.0.0.8", true},
		{"192.0.1.1", false},
		{"192.0.2.1", true},
		{"192.168.1.1", true},
		{"192.169.0.0", false},
		{"198.17.255.255", false},
		{"198.18.0.0", true},
		{"198.19.255.255", true},
		{"198.20.0.0", false},
		{"198.51.100.7", true},
		{"203.0.113.7", true},
		{"203.0.114.0", false},
		{"8.8.8.8", false},
		{"224.0.0.1", false},
		{"240.0.0.1", true},
		{"255.255.255.255", true},
		{"::", true},
		{"::1", true},
		{"::2", false},
		{"64:ff9b:1::9", true},
		{"64:ff9b:2::9", false},
		{"100::1", true},
		{"100:0:0:1::", false},
		{"2001:0:1::", true},
		{"2001:2::1", true},
		{"2001:1ff::1", true},
		{"2001:200::1", false},
		{"2001:db8::1", true},
		{"2001:db9::1", false},
		{"2002:a00:1::1", true},
		{"2002:808:808::1", false},
		{"2002:c0a8:101::1", true},
		{"2606:4700::1", false},
		{"fbff::1", false},
		{"fc00::1", true},
		{"fd12:3456::1", true},
		{"fe80::1", true},
		{"fec0::1", false},
		{"ff02::1", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		__u8 addr[16] = {[10] = 0xff, 0xff};
		bool v6 = strchr(rows[i].addr, ':');

		cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, rows[i].addr, addr + (v6 ? 0 : 12)),
			     1);
		cr_expect_eq(la_is_private(addr), rows[i].is_private, "%s", rows[i].addr);
	}
}

/* The responder may have the first place in the key, and is still the responder. */
Test(output_zeek, local_sides)
{
	static const struct {
		const char *orig, *resp, *local;
	} rows[] = {{"10.0.0.1", "8.8.8.8", "TF"}, {"8.8.8.8", "10.0.0.1", "FT"},
		    {"9.9.9.9", "8.8.8.8", "FF"},  {"fd00::2", "fd00::1", "TT"},
		    {"2606::1", "fd00::1", "FT"},  {"fd00::1", "2606::1", "TF"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct row row;
		struct talk t;
		char *log;

		talk_begin(&t, rows[i].orig, 40000, rows[i].resp, 443);
		story_four_segments(&t);
		log = printed(la_output_zeek_new, &t);
		row = row_of(log, 0);
		cut(&row);
		cr_expect_str_eq(row.field[2], rows[i].orig);
		cr_expect_eq(row.field[12][0], rows[i].local[0], "%s: %s", rows[i].orig,
			     row.field[12]);
		cr_expect_eq(row.field[13][0], rows[i].local[1], "%s: %s", rows[i].resp,
			     row.field[13]);
		free(log);
	}
}

/* The gone record never comes: the close record makes the line, at the end. */
Test(output_zeek, line_of_the_close_record)
{
	struct row row;
	struct talk t;
	char *log;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	story_refused(&t);
	t.n--;
	log = printed(la_output_zeek_new, &t);
	row = row_of(log, 0);
	cut(&row);
	cr_expect_str_eq(row.field[0], "86410.000000");
	cr_expect_str_eq(row.field[8], "-", "no time was told");
	cr_expect_str_eq(row.field[9], "-");
	cr_expect_str_eq(row.field[11], "REJ");
	cr_expect_str_eq(row.field[15], "Sr");
	free(log);
}

/* Nor is it waited for without an end. */
Test(output_zeek, waits_ten_minutes)
{
	struct la_output_opts opts = paper_opts();
	struct talk a, b;
	struct paper p;

	talk_begin(&a, "10.0.0.1", 40000, "10.0.0.2", 443);
	story_refused(&a);
	talk_begin(&b, "10.0.0.1", 40001, "10.0.0.2", 443);
	talk_after(&b, 700 * S);
	story_refused(&b);
	paper_open(&p, la_output_zeek_new, &opts, "C.UTF-8");
	talk_play_part(&a, p.sink, 0, a.n - 1);
	la_sink_flush(p.sink);
	fflush(p.file);
	cr_expect_eq(count_of(p.text, "REJ"), 0);
	talk_play_part(&b, p.sink, 0, b.n - 1);
	la_sink_flush(p.sink);
	cr_expect_eq(count_of(p.text, "REJ"), 1);
	talk_play_part(&a, p.sink, a.n - 1, a.n);
	paper_done(&p);
	cr_expect_eq(count_of(p.text, "REJ"), 2, "each once:\n%s", p.text);
	paper_free(&p);
}

/* Only one side was heard: what it acknowledged is no size that Zeek would tell. */
Test(output_zeek, size_of_a_side_that_is_not_heard)
{
	struct row row;
	struct talk t;
	char *log;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	story_four_segments(&t);
	fill(&t.rec[t.n - 1].gone, "SADF", LA_CONN_SH);
	t.rec[t.n - 1].gone.zeek.pkts[LA_RESP] = 0;
	log = printed(la_output_zeek_new, &t);
	row = row_of(log, 0);
	cut(&row);
	cr_expect_str_eq(row.field[10], "0");
	cr_expect_str_eq(row.field[18], "0");
	free(log);
}

/* No connection, no log: not even a header. */
Test(output_zeek, nothing_of_nothing)
{
	struct talk t;
	char *log;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	log = printed(la_output_zeek_new, &t);
	cr_expect_str_eq(log, "");
	free(log);
}
