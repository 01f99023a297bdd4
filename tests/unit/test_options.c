/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_options.c - the words of the shared command line: durations, timeouts, choices.
 */
#include "options.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

Test(options, durations)
{
	static const struct {
		const char *text;
		__u64 ns;
	} rows[] = {
		{"0", 0},
		{"60", 60 * LA_SEC_NS},
		{"60s", 60 * LA_SEC_NS},
		{"1.5s", 1500 * LA_MSEC_NS},
		{"0.25", 250 * LA_MSEC_NS},
		{"10m", 600 * LA_SEC_NS},
		{"10min", 600 * LA_SEC_NS},
		{"2h", 7200 * LA_SEC_NS},
		{"1.5h", 5400 * LA_SEC_NS},
		{"5d", 432000 * LA_SEC_NS},
		{"250ms", 250 * LA_MSEC_NS},
		{"7us", 7000},
		{"9ns", 9},
		{"1.23456789s", 1234567890},
		{"0.0000000001s", 0},
		{"3650d", LA_DURATION_MAX_NS},
	};
	__u64 ns;

	for (size_t i = 0; i < COUNT(rows); i++) {
		ns = ~0ULL;
		cr_expect_eq(la_duration_parse(rows[i].text, &ns), 0, "%s", rows[i].text);
		cr_expect_eq(ns, rows[i].ns, "%s: %llu", rows[i].text, (unsigned long long)ns);
	}
}

Test(options, what_is_no_duration)
{
	static const char *const rows[] = {
		"",
		"s",
		"-1",
		"+1",
		"1 s",
		"1.",
		".5",
		"1x",
		"1.5.5",
		"1e3",
		"0x10",
		"1.s",
		" 1",
		"1M",
		"3651d",
		"3650.1d",
		"18446744073709551616",
		"99999999999999999999999ns",
	};
	__u64 ns = 42;

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(la_duration_parse(rows[i], &ns), -1, "'%s'", rows[i]);
	cr_expect_eq(ns, 42);
}

Test(options, default_timeouts_are_those_of_the_list)
{
	struct la_config cfg;

	memset(&cfg, 0xff, sizeof(cfg));
	la_config_defaults(&cfg);
	cr_expect_eq(cfg.timeout[LA_NO_TIMEOUT], 0);
	cr_expect_eq(cfg.timeout[LA_TIMEOUT_TIME_WAIT], 60 * LA_SEC_NS);
	cr_expect_eq(cfg.timeout[LA_TIMEOUT_ESTABLISHED], 432000 * LA_SEC_NS);
	cr_expect_eq(cfg.segments, 0);
	for (unsigned int i = 1; i < LA_TIMEOUT_MAX; i++)
		cr_expect_gt(cfg.timeout[i], 0);
}

Test(options, each_timeout_can_be_set)
{
	char arg[64], err[400];
	struct la_config cfg;

	la_config_defaults(&cfg);
	for (unsigned int i = 1; i < LA_TIMEOUT_MAX; i++) {
		snprintf(arg, sizeof(arg), "%s=%u.5", la_timeout_word(i), i);
		cr_expect_eq(la_options_timeout(arg, &cfg, err, sizeof(err)), 0, "%s", arg);
	}
	for (unsigned int i = 1; i < LA_TIMEOUT_MAX; i++)
		cr_expect_eq(cfg.timeout[i], i * LA_SEC_NS + 500 * LA_MSEC_NS);
	cr_expect_eq(la_options_timeout("Time-Wait=2m", &cfg, err, sizeof(err)), 0);
	cr_expect_eq(cfg.timeout[LA_TIMEOUT_TIME_WAIT], 120 * LA_SEC_NS);
}

Test(options, wrong_timeouts)
{
	static const struct {
		const char *arg, *says;
	} rows[] = {
		{"time_wait", "'time_wait' is not NAME=DURATION"},
		{"", "is not NAME=DURATION"},
		{"timewait=3", "no timeout is called 'timewait'; there are: syn_sent syn_received"},
		{"=3", "no timeout is called ''"},
		{"time_wait=", "'' is not a duration"},
		{"time_wait=0", "'0' is not a duration of more than 0"},
		{"time_wait=-1", "'-1' is not a duration"},
		{"time_wait=1w", "'1w' is not a duration"},
	};
	struct la_config cfg, before;
	char err[400];

	la_config_defaults(&cfg);
	before = cfg;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cr_expect_eq(la_options_timeout(rows[i].arg, &cfg, err, sizeof(err)), -1, "%s",
			     rows[i].arg);
		cr_expect_not_null(strstr(err, rows[i].says), "%s: %s", rows[i].arg, err);
	}
	cr_expect_eq(memcmp(&cfg, &before, sizeof(cfg)), 0, "a wrong option changed something");
}

Test(options, formats_and_colors)
{
	enum la_format format;
	enum la_color color;
	char err[200];

	cr_expect_eq(la_options_format("text", &format, err, sizeof(err)), 0);
	cr_expect_eq(format, LA_FORMAT_TEXT);
	cr_expect_eq(la_options_format("jsonl", &format, err, sizeof(err)), 0);
	cr_expect_eq(format, LA_FORMAT_JSONL);
	cr_expect_eq(la_options_format("xml", &format, err, sizeof(err)), -1);
	cr_expect_str_eq(err, "'xml' is none of: text jsonl zeek wide conntrack");
	cr_expect_eq(la_options_color("never", &color, err, sizeof(err)), 0);
	cr_expect_eq(color, LA_COLOR_NEVER);
	cr_expect_eq(la_options_color("", &color, err, sizeof(err)), -1);
	cr_expect_str_eq(err, "'' is none of: auto always never");
}

Test(options, color_is_for_terminals_that_want_it)
{
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	unsetenv("NO_COLOR");
	cr_expect(la_color_wanted(LA_COLOR_ALWAYS, file));
	cr_expect_not(la_color_wanted(LA_COLOR_NEVER, file));
	cr_expect_not(la_color_wanted(LA_COLOR_AUTO, file), "a file is no terminal");
	setenv("NO_COLOR", "1", 1);
	cr_expect(la_color_wanted(LA_COLOR_ALWAYS, file), "an explicit wish counts more");
	fclose(file);
}

Test(options, taking_what_getopt_gives)
{
	struct la_options opts;

	la_options_init(&opts);
	cr_expect_eq(opts.format, LA_FORMAT_TEXT);
	cr_expect_eq(opts.color, LA_COLOR_AUTO);
	cr_expect_eq(la_options_take(&opts, 'o', "jsonl"), LA_TAKEN_OK);
	cr_expect_eq(opts.format, LA_FORMAT_JSONL);
	cr_expect_eq(la_options_take(&opts, 'n', NULL), LA_TAKEN_OK);
	cr_expect(opts.numeric);
	cr_expect_eq(la_options_take(&opts, LA_OPT_LADDER, NULL), LA_TAKEN_OK);
	cr_expect(opts.ladder);
	cr_expect_eq(opts.cfg.segments, 1, "a ladder is drawn from segments");
	cr_expect_eq(la_options_take(&opts, LA_OPT_TIMEOUT, "closed=3"), LA_TAKEN_OK);
	cr_expect_eq(opts.cfg.timeout[LA_TIMEOUT_CLOSED], 3 * LA_SEC_NS);
	cr_expect_eq(la_options_take(&opts, LA_OPT_COLOR, "always"), LA_TAKEN_OK);
	cr_expect_eq(opts.color, LA_COLOR_ALWAYS);
	cr_expect_eq(la_options_take(&opts, LA_OPT_OWN, NULL), LA_TAKEN_NOT);
	cr_expect_eq(la_options_take(&opts, '?', NULL), LA_TAKEN_NOT);
}

Test(options, joining_words)
{
	char *words[] = {"port", "443", "and", "x"};
	char *text = la_options_join(words, 4);

	cr_expect_str_eq(text, "port 443 and x");
	free(text);
	text = la_options_join(words, 0);
	cr_expect_str_eq(text, "");
	free(text);
}

Test(options, whole_numbers_begin_with_one)
{
	static const char *const none[] = {"",	 "0",  "-1", "+1",
					   " 1", "1 ", "1x", "18446744073709551616"};
	__u64 number;

	cr_expect_eq(la_number_parse("18446744073709551615", &number), 0);
	cr_expect_eq(number, ~0ULL);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		cr_expect_eq(la_number_parse(none[i], &number), -1, "'%s'", none[i]);
}
