/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - the shared command line. See options.h.
 *
 * Words and defaults come from tables: the timeouts from LA_TIMEOUTS, so that a new clock
 * in la_names.h is an option here without another line of code.
 */
#include "options.h"
#include "suggest.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* By enum la_format, enum la_time_format and enum la_color, from 1 on. */
static const char *const formats[] = {"text", "jsonl", "zeek", "wide", "conntrack"};
static const char *const time_formats[] = {"clock", "iso", "epoch"};
static const char *const colors[] = {"auto", "always", "never"};

#define DEFAULT_SECONDS(s, w, seconds) [LA_TIMEOUT_##s] = seconds,
static const __u64 default_seconds[LA_TIMEOUT_MAX] = {LA_TIMEOUTS(DEFAULT_SECONDS)};

static char same_letter(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

bool la_word_equal(const char *a, size_t n, const char *b)
{
	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (same_letter(a[i]) != same_letter(b[i]))
			return false;
	return true;
}

/* A name as it was given, which may be anything: what would break the line becomes `?`. */
static void put_name(const char *name)
{
	fputs(*name ? "" : "''", stderr);
	for (; *name; name++)
		fputc((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name, stderr);
}

int la_fail(enum la_exit code, const char *what, const char *on, const char *why, const char *todo)
{
	fprintf(stderr, "lastack: %s: ", what);
	if (on) {
		put_name(on);
		fputs(": ", stderr);
	}
	fputs(why, stderr);
	if (todo)
		fprintf(stderr, " (%s)", todo);
	fputc('\n', stderr);
	return code;
}

int la_options_bad(const char *option, const char *why, const char *todo)
{
	la_fail(LA_EXIT_USAGE, "bad option", option, why, todo);
	return -1;
}

int la_number_parse(const char *text, __u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *number ? 0 : -1;
}

int la_options_number(const char *option, const char *text, __u64 *number)
{
	if (!la_number_parse(text, number))
		return 0;
	return la_options_bad(option, text, "a whole number from 1");
}

char *la_options_join(char *const *words, int count)
{
	size_t size = 1;
	char *text, *end;

	for (int i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	text = end = malloc(size);
	if (!text)
		return NULL;
	*end = '\0';
	for (int i = 0; i < count; i++) {
		if (i)
			*end++ = ' ';
		end = stpcpy(end, words[i]);
	}
	return text;
}

/* Finds a unit by its name; 0: there is no such unit. */
static __u64 unit_ns(const char *name)
{
	static const struct {
		const char *name;
		__u64 ns;
	} units[] = {
		{"", LA_SEC_NS},
		{"s", LA_SEC_NS},
		{"ms", LA_MSEC_NS},
		{"us", 1000},
		{"ns", 1},
		{"m", 60 * LA_SEC_NS},
		{"min", 60 * LA_SEC_NS},
		{"h", 3600 * LA_SEC_NS},
		{"d", 86400 * LA_SEC_NS},
	};

	for (size_t i = 0; i < COUNT(units); i++)
		if (!strcmp(name, units[i].name))
			return units[i].ns;
	return 0;
}

int la_duration_parse(const char *text, __u64 *ns)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits), fraction = 0;
	const char *point = text + whole;
	__u64 unit, sum = 0;

	if (*point == '.')
		fraction = strspn(point + 1, digits);
	if (!whole || (*point == '.' && !fraction))
		return -1;
	unit = unit_ns(*point == '.' ? point + 1 + fraction : point);
	if (!unit)
		return -1;
	for (size_t i = 0; i < whole; i++) {
		sum = sum * 10 + (__u64)(text[i] - '0');
		if (sum > LA_DURATION_MAX_NS / unit)
			return -1;
	}
	sum *= unit;
	for (size_t i = 1; i <= fraction; i++) {
		unit /= 10;
		sum += unit * (__u64)(point[i] - '0');
	}
	if (sum > LA_DURATION_MAX_NS)
		return -1;
	*ns = sum;
	return 0;
}

void la_config_defaults(struct la_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	for (unsigned int i = LA_NO_TIMEOUT + 1; i < LA_TIMEOUT_MAX; i++)
		cfg->timeout[i] = default_seconds[i] * LA_SEC_NS;
	cfg->pressure = LA_PRESSURE_DEFAULT;
}

/* Writes the names of all timeouts, for an error. */
static void timeout_names(char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = LA_NO_TIMEOUT + 1; i < LA_TIMEOUT_MAX && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 1 ? " " : "",
					 la_timeout_word(i));
}

static unsigned int timeout_by_name(const char *name, size_t len)
{
	for (unsigned int i = LA_NO_TIMEOUT + 1; i < LA_TIMEOUT_MAX; i++)
		if (la_word_equal(name, len, la_timeout_word(i)))
			return i;
	return LA_NO_TIMEOUT;
}

/* Says which timeouts there are, and which was meant. */
static void unknown_timeout(const char *name, size_t len, char *err, size_t err_size)
{
	const char *words[LA_TIMEOUT_MAX - 1], *meant;
	char names[200], given[40];

	for (unsigned int i = LA_NO_TIMEOUT + 1; i < LA_TIMEOUT_MAX; i++)
		words[i - 1] = la_timeout_word(i);
	snprintf(given, sizeof(given), "%.*s", (int)len, name);
	timeout_names(names, sizeof(names));
	meant = la_suggest(given, words, COUNT(words));
	snprintf(err, err_size, "no timeout is called '%s'; there are: %s%s%s%s", given, names,
		 meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

int la_options_timeout(const char *arg, struct la_config *cfg, char *err, size_t err_size)
{
	const char *equals = strchr(arg, '=');
	unsigned int which;
	__u64 ns;

	if (!equals) {
		snprintf(err, err_size, "'%s' is not NAME=DURATION, such as time_wait=60s", arg);
		return -1;
	}
	which = timeout_by_name(arg, (size_t)(equals - arg));
	if (which == LA_NO_TIMEOUT) {
		unknown_timeout(arg, (size_t)(equals - arg), err, err_size);
		return -1;
	}
	if (la_duration_parse(equals + 1, &ns) || !ns) {
		snprintf(err, err_size,
			 "'%s' is not a duration of more than 0 and at most 3650d, such as 60, "
			 "1.5s, 10m, 5d",
			 equals + 1);
		return -1;
	}
	cfg->timeout[which] = ns;
	return 0;
}

int la_word_find(const char *word, const char *const *words, size_t count, char *err,
		 size_t err_size)
{
	const char *meant;
	size_t used;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return (int)i;
	used = (size_t)snprintf(err, err_size, "'%.60s' is none of:", word);
	for (size_t i = 0; i < count && used < err_size; i++)
		used += (size_t)snprintf(err + used, err_size - used, " %s", words[i]);
	meant = la_suggest(word, words, count);
	if (meant && used < err_size)
		snprintf(err + used, err_size - used, "; did you mean %s?", meant);
	return -1;
}

int la_options_format(const char *word, enum la_format *format, char *err, size_t err_size)
{
	int at = la_word_find(word, formats, COUNT(formats), err, err_size);

	if (at < 0)
		return -1;
	*format = (enum la_format)(LA_FORMAT_TEXT + at);
	return 0;
}

int la_options_time_format(const char *word, enum la_time_format *format, char *err,
			   size_t err_size)
{
	int at = la_word_find(word, time_formats, COUNT(time_formats), err, err_size);

	if (at < 0)
		return -1;
	*format = (enum la_time_format)(LA_TIME_CLOCK + at);
	return 0;
}

int la_options_color(const char *word, enum la_color *color, char *err, size_t err_size)
{
	int at = la_word_find(word, colors, COUNT(colors), err, err_size);

	if (at < 0)
		return -1;
	*color = (enum la_color)(LA_COLOR_AUTO + at);
	return 0;
}

bool la_color_wanted(enum la_color choice, FILE *to)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (choice != LA_COLOR_AUTO)
		return choice == LA_COLOR_ALWAYS;
	if ((no_color && *no_color) || (term && !strcmp(term, "dumb")))
		return false;
	return isatty(fileno(to)) == 1;
}

void la_options_init(struct la_options *opts)
{
	memset(opts, 0, sizeof(*opts));
	opts->format = LA_FORMAT_TEXT;
	opts->color = LA_COLOR_AUTO;
	opts->time_format = LA_TIME_CLOCK;
	la_config_defaults(&opts->cfg);
}

enum la_taken la_options_set(struct la_options *opts, int opt, const char *arg, char *err,
			     size_t err_size)
{
	int bad = 0;

	switch (opt) {
	case 'o':
		bad = la_options_format(arg, &opts->format, err, err_size);
		break;
	case 'n':
		opts->numeric = true;
		break;
	case LA_OPT_LADDER:
		opts->ladder = true;
		opts->cfg.segments = 1;
		break;
	case LA_OPT_COLOR:
		bad = la_options_color(arg, &opts->color, err, err_size);
		break;
	case LA_OPT_TIME_FORMAT:
		bad = la_options_time_format(arg, &opts->time_format, err, err_size);
		break;
	case LA_OPT_TIMEOUT:
		bad = la_options_timeout(arg, &opts->cfg, err, err_size);
		break;
	default:
		return LA_TAKEN_NOT;
	}
	return bad ? LA_TAKEN_BAD : LA_TAKEN_OK;
}

enum la_taken la_options_take(struct la_options *opts, int opt, const char *arg)
{
	static const char *const names[] = {[LA_OPT_COLOR - LA_OPT_LADDER] = "--color",
					    [LA_OPT_TIME_FORMAT - LA_OPT_LADDER] = "--time-format",
					    [LA_OPT_TIMEOUT - LA_OPT_LADDER] = "--timeout"};
	char err[400];
	enum la_taken taken = la_options_set(opts, opt, arg, err, sizeof(err));

	if (taken == LA_TAKEN_BAD)
		la_options_bad(opt == 'o' ? "-o" : names[opt - LA_OPT_LADDER], err, NULL);
	return taken;
}

int la_options_bad_word(int opt, char *const *argv)
{
	char letter[] = {'-', (char)optopt, '\0'}, todo[80];
	const char *last = argv[optind - 1];
	const char *word = strncmp(last, "--", 2) != 0 && optopt ? letter : last;

	snprintf(todo, sizeof(todo), "lastack %s --help lists them", argv[0]);
	if (opt == ':')
		la_options_bad(word, "its value is missing", NULL);
	else if (optopt && word == last)
		la_options_bad(word, "it takes no value", NULL);
	else
		la_options_bad(word, "there is no such option", todo);
	return -1;
}

int la_options_check(const struct la_options *opts)
{
	if (!opts->ladder || opts->format == LA_FORMAT_TEXT)
		return 0;
	la_options_bad("--ladder", "a ladder is text", "leave out -o");
	return -1;
}

void la_options_help(FILE *to)
{
	fputs("  -o, --output FORMAT    text (default), wide, with all that is known, jsonl, one "
	      "object\n"
	      "                         a line, zeek, a conn.log, or conntrack, as conntrack -E "
	      "prints\n"
	      "      --ladder           draw each connection as a ladder of segments\n"
	      "      --color WHEN       auto (default), always, never; NO_COLOR is heeded\n"
	      "      --time-format FORMAT   clock (default), iso, with date and zone, or epoch,\n"
	      "                         seconds since 1970; JSON has ts_ns\n"
	      "  -n, --numeric          no names for ports\n"
	      "      --timeout NAME=DURATION   may be given again; the defaults:\n",
	      to);
	for (unsigned int i = LA_NO_TIMEOUT + 1; i < LA_TIMEOUT_MAX; i++)
		fprintf(to, "                           %s=%llu\n", la_timeout_word(i),
			(unsigned long long)default_seconds[i]);
}
