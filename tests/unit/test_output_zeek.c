/* SPDX-License-Identifier: BSD-2-Clause */
/* test_output_zeek.c - the conn.log: header, columns, and which record makes the line. */
#include "printed.h"

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
