/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cmd_replay.c - the verb as people use it: words in, exit code, stdout and stderr out.
 */
#include "capture.h"
#include "cmd.h"
#include "options.h"
#include <fcntl.h>

#define ARGS_MAX 16

struct outcome {
	int code;
	char out[1 << 15];
	char err[1 << 13];
};

/* Sends a stream to a file without a name. Returns the descriptor that it had. */
static int divert(FILE *stream, FILE *to)
{
	int was = dup(fileno(stream));

	fflush(stream);
	cr_assert_geq(was, 0);
	cr_assert_geq(dup2(fileno(to), fileno(stream)), 0);
	return was;
}

static void restore(FILE *stream, int was)
{
	fflush(stream);
	cr_assert_geq(dup2(was, fileno(stream)), 0);
	close(was);
}

static void read_back(FILE *file, char *text, size_t size)
{
	size_t n;

	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	cr_assert_lt(n, size - 1, "more text than room for it");
	fclose(file);
}

/* Runs `lastack replay` with words up to the first NULL. */
static struct outcome replay(const char *const *words)
{
	static char name[] = "replay";
	FILE *out = tmpfile(), *err = tmpfile();
	char *argv[ARGS_MAX + 2] = {name};
	struct outcome o;
	int argc = 1, out_was, err_was;

	while (words[argc - 1] && argc <= ARGS_MAX) {
		argv[argc] = strdup(words[argc - 1]);
		argc++;
	}
	cr_assert(out && err);
	out_was = divert(stdout, out);
	err_was = divert(stderr, err);
	optind = 0; /* glibc: begin anew */
	o.code = la_cmd_replay(argc, argv);
	restore(stdout, out_was);
	restore(stderr, err_was);
	read_back(out, o.out, sizeof(o.out));
	read_back(err, o.err, sizeof(o.err));
	while (argc > 1) /* getopt has put them into another order */
		free(argv[--argc]);
	return o;
}

#define REPLAY(...) replay((const char *const[]){__VA_ARGS__, NULL})

static struct scratch connection_file(void)
{
	struct scratch s = scratch_new();
	struct capture c = {0};

	pcap_connection(&c);
	scratch_write(&s, c.bytes, c.len);
	return s;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

#define EXPECT_SAYS(text, part)                                                                    \
	cr_expect_not_null(strstr(text, part), "'%s' is not in:\n%s", part, text)

Test(cmd_replay, records_go_to_stdout_and_the_summary_to_stderr)
{
	struct scratch s = connection_file();
	struct outcome o = REPLAY("-o", "jsonl", s.path);

	cr_expect_eq(o.code, LA_EXIT_OK);
	cr_expect_eq(lines_of(o.out), 11 + 1, "10 transitions, a close, a gone:\n%s", o.out);
	EXPECT_SAYS(o.out, "\"type\":\"close\",\"ts_ns\":1700000000090000000,");
	EXPECT_SAYS(o.out, "\"reason\":\"fin\",\"closed_by\":\"orig\"");
	EXPECT_SAYS(o.out, "\"why\":\"detached\"");
	cr_expect_null(strstr(o.out, "ifname"), "a capture has no interface");
	EXPECT_SAYS(o.err, "1 connection ended, 0 still open\n");
	EXPECT_SAYS(o.err, "packets     10\n");
	cr_expect_null(strstr(o.err, "untracked"));
	scratch_remove(&s);
}

Test(cmd_replay, text_is_the_default_and_without_color_in_a_file)
{
	struct scratch s = connection_file();
	struct outcome o = REPLAY(s.path), colored = REPLAY("--color", "always", s.path);

	cr_expect_eq(o.code, LA_EXIT_OK);
	EXPECT_SAYS(o.out, "TIME_WAIT");
	cr_expect_neq(o.out[0], '{');
	cr_expect_null(strchr(o.out, '\033'));
	EXPECT_SAYS(colored.out, "\033[");
	scratch_remove(&s);
}

Test(cmd_replay, a_ladder)
{
	struct scratch s = connection_file();
	struct outcome o = REPLAY("--ladder", s.path);

	cr_expect_eq(o.code, LA_EXIT_OK);
	EXPECT_SAYS(o.out, "SYN");
	EXPECT_SAYS(o.out, "FIN");
	cr_expect_geq(lines_of(o.out), 7);
	scratch_remove(&s);
}

Test(cmd_replay, the_filter_begins_after_the_files)
{
	struct scratch s = connection_file();
	struct outcome close = REPLAY("-o", "jsonl", s.path, "reason", "fin", "and", "port", "443");
	struct outcome quoted = REPLAY("-o", "jsonl", s.path, "reason fin and port 443");
	struct outcome none = REPLAY("-o", "jsonl", s.path, "port", "80");

	cr_expect_eq(lines_of(close.out), 1);
	EXPECT_SAYS(close.out, "\"type\":\"close\"");
	cr_expect_str_eq(quoted.out, close.out);
	cr_expect_eq(none.code, LA_EXIT_OK);
	cr_expect_str_eq(none.out, "");
	EXPECT_SAYS(none.err, "0 connections ended");
	scratch_remove(&s);
}

Test(cmd_replay, timeouts_are_options)
{
	struct scratch s = scratch_new();
	struct capture c = {0};
	struct said syn = {0, 'C', LA_SYN, 1, 0, 0};
	struct la_frame f = frame_of(&syn, 40000, false), later = frame_of(&syn, 40001, false);
	struct outcome o;

	pcap_begin(&c, LINKTYPE_ETHERNET);
	pcap_packet(&c, BEGINNING, f.bytes, f.len, f.len);
	pcap_packet(&c, BEGINNING + 5 * S, later.bytes, later.len, later.len);
	scratch_write(&s, c.bytes, c.len);
	o = REPLAY("-o", "jsonl", s.path, "reason timeout");
	cr_expect_str_eq(o.out, "");
	o = REPLAY("-o", "jsonl", "--timeout", "syn-sent=2s", s.path, "reason timeout");
	cr_expect_eq(lines_of(o.out), 1);
	EXPECT_SAYS(o.out, "\"ts_ns\":1700000002000000000,");
	scratch_remove(&s);
}

Test(cmd_replay, what_was_not_tracked_is_in_the_summary)
{
	static const struct said said[] = {{0, 'C', LA_SYN | LA_FIN, 1, 0, 0},
					   {1 * MS, 'C', 0, 1, 0, 0},
					   {2 * MS, 'C', 0, 1, 0, 0},
					   {1 * MS, 'C', LA_RST, 1, 0, 0}};
	struct scratch s = scratch_new();
	struct capture c = {0};
	struct outcome o;

	pcap_begin(&c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(said); i++) {
		struct la_frame f = frame_of(&said[i], 40000, false);

		pcap_packet(&c, BEGINNING + said[i].at, f.bytes, f.len, f.len);
	}
	scratch_write(&s, c.bytes, c.len);
	o = REPLAY(s.path);
	cr_expect_eq(o.code, LA_EXIT_OK);
	EXPECT_SAYS(o.err,
		    "  untracked   2 TCP segment without any flag, 1 TCP segment with SYN and "
		    "FIN, 1 RST that belongs to no known connection\n");
	EXPECT_SAYS(o.err, "  disordered  1 ");
	scratch_remove(&s);
}

Test(cmd_replay, damaged_packets_are_believed_when_asked_to)
{
#define DAMAGED "tests/captures/damaged.pcap"
	struct outcome o = REPLAY("-o", "jsonl", DAMAGED, "reason fin");
	struct outcome all = REPLAY("-o", "jsonl", "--no-checksums", DAMAGED, "reason fin");

	cr_expect_eq(lines_of(o.out), 1);
	EXPECT_SAYS(o.out, "\"history\":\"SchCADadFf\"");
	EXPECT_SAYS(o.err, "  invalid     13 TCP checksum is wrong\n");
	EXPECT_SAYS(o.err, "13 IPv4 header checksum is wrong");
	cr_expect_eq(all.code, LA_EXIT_OK);
	cr_expect_str_eq(all.out, "", "RSTs that were damaged into being ended it");
	cr_expect_null(strstr(all.err, "checksum"), "%s", all.err);
}

static void write_said(const struct scratch *s, const struct said *said, size_t count)
{
	struct capture c = {0};

	pcap_begin(&c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < count; i++) {
		struct la_frame f = frame_of(&said[i], 40000, false);

		pcap_packet(&c, BEGINNING + said[i].at, f.bytes, f.len, f.len);
	}
	scratch_write(s, c.bytes, c.len);
}

/* What a host captures of its own is put together by offloads; Zeek counts what it is given. */
Test(cmd_replay, zeek_counts_packets_as_captured)
{
	static const struct said super[] = {{0, 'C', LA_SYN, 1000, 0, 0},
					    {1 * MS, 'S', LA_SYN | LA_ACK, 5000, 1001, 0},
					    {2 * MS, 'C', LA_ACK, 1001, 5001, 1340}};
	struct scratch s = scratch_new();
	struct outcome zeek, jsonl;

	write_said(&s, super, COUNT(super));
	zeek = REPLAY("-o", "zeek", s.path);
	jsonl = REPLAY("-o", "jsonl", s.path);
	EXPECT_SAYS(zeek.out, "\tShD\t2\t1420\t1\t40\t");
	EXPECT_SAYS(jsonl.out, "\"orig_pkts\":4,\"resp_pkts\":1,");
	EXPECT_SAYS(jsonl.out, "\"orig_ip_bytes\":1500,");
	scratch_remove(&s);
}

/* The command of docs/zeek.md: attempts end after 5 s, silences of 5 min split a connection. */
Test(cmd_replay, zeeks_clocks)
{
	static const struct said slow[] = {{0, 'C', LA_SYN, 1000, 0, 0},
					   {7000 * MS, 'C', LA_SYN, 1000, 0, 0},
					   {7001 * MS, 'S', LA_SYN | LA_ACK, 5000, 1001, 0},
					   {7002 * MS, 'C', LA_ACK, 1001, 5001, 0},
					   {300000 * MS, 'C', LA_ACK, 1001, 5001, 100},
					   {300001 * MS, 'S', LA_ACK, 5001, 1101, 0},
					   {601000 * MS, 'S', LA_ACK, 5001, 1101, 100}};
	struct scratch s = scratch_new();
	struct outcome ours, zeeks;

	write_said(&s, slow, COUNT(slow));
	ours = REPLAY("-o", "zeek", s.path);
	zeeks = REPLAY("-o", "zeek", "--timeout=syn_sent=5", "--timeout=syn_received=300",
		       "--timeout=established=300", "--timeout=half_closed=300",
		       "--timeout=closing=5", "--timeout=last_ack=5", "--timeout=time_wait=5",
		       "--timeout=closed=5", s.path);
	cr_expect_eq(lines_of(ours.out), 9 + 1, "%s", ours.out);
	cr_expect_eq(lines_of(zeeks.out), 9 + 3, "%s", zeeks.out);
	EXPECT_SAYS(zeeks.out, "\tS0\tT\tT\t0\tS\t");
	EXPECT_SAYS(zeeks.out, "\tS1\tT\tT\t0\tShADa\t");
	EXPECT_SAYS(zeeks.out, "\tOTH\tT\tT\t0\t^d\t");
	scratch_remove(&s);
}

Test(cmd_replay, a_cut_capture_prints_what_it_holds_and_then_one_error)
{
	struct scratch s = scratch_new();
	struct capture c = {0};
	struct outcome o;
	const char *last;

	pcap_connection(&c);
	scratch_write(&s, c.bytes, c.len - 1);
	o = REPLAY("-o", "jsonl", s.path);
	cr_expect_eq(o.code, LA_EXIT_RUNTIME);
	EXPECT_SAYS(o.out, "\"reason\":\"shutdown\"");
	EXPECT_SAYS(o.err, "0 connections ended, 1 still open");
	last = strstr(o.err, "lastack: capture ends early: /tmp/");
	cr_assert_not_null(last, "%s", o.err);
	EXPECT_SAYS(last, "after 9 packets");
	cr_expect_eq(lines_of(last), 1);
	scratch_remove(&s);
}

/* Each is one line on stderr, nothing on stdout, and the right exit code. */
Test(cmd_replay, wrong_usage)
{
	static const struct {
		const char *words[6];
		const char *says;
	} rows[] = {
		{{NULL}, "lastack: bad usage: replay: no file was given"},
		{{"-o", "xml", "x"}, "lastack: bad option: -o: 'xml' is none of: text jsonl"},
		{{"--color", "blue", "x"}, "lastack: bad option: --color: 'blue' is none of"},
		{{"--timeout", "x=1", "x"}, "lastack: bad option: --timeout: no timeout is called"},
		{{"--bogus", "x"}, "lastack: bad option: --bogus: there is no such option"},
		{{"-q", "x"}, "lastack: bad option: -q: there is no such option"},
		{{"x", "-o"}, "lastack: bad option: -o: its value is missing"},
		{{"x", "--timeout"}, "lastack: bad option: --timeout: its value is missing"},
		{{"--ladder=3", "x"}, "lastack: bad option: --ladder=3: it takes no value"},
		{{"--ladder", "-o", "jsonl", "x"},
		 "lastack: bad option: --ladder: a ladder is text"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o = replay(rows[i].words);

		cr_expect_eq(o.code, LA_EXIT_USAGE, "%s", rows[i].says);
		cr_expect_str_eq(o.out, "");
		cr_expect_eq(strncmp(o.err, rows[i].says, strlen(rows[i].says)), 0, "%s", o.err);
		cr_expect_eq(lines_of(o.err), 1, "%s", o.err);
	}
}

Test(cmd_replay, a_wrong_filter_is_shown_with_a_caret)
{
	struct outcome o = REPLAY("x", "port", "443", "and", "prot", "80");

	cr_expect_eq(o.code, LA_EXIT_USAGE);
	cr_expect_str_eq(o.err, "lastack: bad filter: column 14: a term was expected, not 'prot'; "
				"did you mean 'port'?\n"
				"  port 443 and prot 80\n"
				"               ^\n");
}

Test(cmd_replay, files_that_cannot_be_read)
{
	struct scratch s = scratch_new();
	struct outcome o = REPLAY(s.path);
	char want[200];

	snprintf(want, sizeof(want), "lastack: cannot replay: %s: No such file or directory\n",
		 s.path);
	cr_expect_eq(o.code, LA_EXIT_RUNTIME);
	cr_expect_str_eq(o.err, want);
	cr_expect_str_eq(o.out, "");
	scratch_write(&s, "no capture at all, only text", 28);
	o = REPLAY(s.path);
	cr_expect_eq(o.code, LA_EXIT_RUNTIME);
	EXPECT_SAYS(o.err, "unknown file format (a pcap or pcapng file is needed)\n");
	cr_expect_eq(lines_of(o.err), 1);
	scratch_remove(&s);
}

/* The good file's records are printed, the wrong word is no file and no filter. */
Test(cmd_replay, a_misspelt_filter_word)
{
	struct scratch s = connection_file();
	struct outcome o = REPLAY("-o", "jsonl", s.path, "hots", "10.0.0.1");

	cr_expect_eq(o.code, LA_EXIT_RUNTIME);
	EXPECT_SAYS(o.err, "lastack: cannot replay: hots: No such file or directory (nor is it a "
			   "word that a filter begins with)\n");
	scratch_remove(&s);
}

Test(cmd_replay, help)
{
	struct outcome o = REPLAY("--help");

	cr_expect_eq(o.code, LA_EXIT_OK);
	cr_expect_str_eq(o.err, "");
	EXPECT_SAYS(o.out, "usage: lastack replay ");
	EXPECT_SAYS(o.out, "time_wait=60");
}

Test(cmd_replay, a_full_disk_is_an_error)
{
	struct scratch s = connection_file();
	int full = open("/dev/full", O_WRONLY), was = dup(STDOUT_FILENO), code;
	char name[] = "replay", *argv[] = {name, s.path, NULL};

	cr_assert(full >= 0 && was >= 0);
	fflush(stdout);
	cr_assert_geq(dup2(full, STDOUT_FILENO), 0);
	optind = 0;
	code = la_cmd_replay(2, argv);
	cr_assert_geq(dup2(was, STDOUT_FILENO), 0);
	cr_expect_eq(code, LA_EXIT_RUNTIME);
	close(full);
	close(was);
	scratch_remove(&s);
}
