/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.c - the filter language: scanner, parser, evaluation. See filter.h for the grammar.
 *
 * Recursive descent into a flat program in postfix order: terms push what they know of the
 * record, operators combine the top of the stack (Kleene's three-valued logic). Matching
 * neither recurses nor allocates. The fields are the table `fields`: their word, how their
 * argument is read, how a record is matched (filter_terms.h), whether a side may bind them.
 */
#include "filter.h"
#include "filter_terms.h"
#include "options.h"
#include "suggest.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum step_kind { STEP_TERM = 1, STEP_AND, STEP_OR, STEP_NOT };

struct step {
	enum step_kind kind;
	struct la_term term;
};

struct la_filter {
	unsigned int count;
	struct step steps[LA_FILTER_STEPS_MAX];
};

struct parser {
	const char *text;
	const char *at; /* the present token */
	size_t len;	/* its bytes; 0 at the end of the text */
	unsigned int depth;
	const struct field *field; /* whose argument is read */
	struct la_filter *filter;
	char *err;
	size_t err_size;
};

/* A list of la_names.h: its words by value, from 1. */
struct words {
	const char *(*word)(unsigned int value);
	unsigned int max;
};

struct field {
	const char *word;
	const char *wants; /* what its argument is, for errors; NULL: it has none */
	int (*read)(struct parser *p, struct la_term *term);
	enum la_truth (*match)(const struct la_term *term, const struct la_rec *rec);
	bool compares;	    /* <, > and the like belong to its argument */
	struct words words; /* for read_word */
	bool bindable;	    /* orig or resp may stand before it */
	__u8 sides;	    /* the sides it looks at when it is not bound */
};

/* ---- errors ---- */

#define LINE_MAX_SHOWN 72U

/* Writes the part of the text around the column and a caret under it. */
static void show_column(const struct parser *p, size_t column, char *out, size_t size)
{
	size_t len = strlen(p->text),
	       from = column > LINE_MAX_SHOWN / 2 ? column - LINE_MAX_SHOWN / 2 : 0;
	char line[LINE_MAX_SHOWN + 1];
	size_t n = 0;

	if (len <= LINE_MAX_SHOWN)
		from = 0;
	for (; n < LINE_MAX_SHOWN && from + n < len; n++)
		line[n] = isprint((unsigned char)p->text[from + n]) ? p->text[from + n] : ' ';
	line[n] = '\0';
	snprintf(out, size, "\n  %s\n  %*s^", line, (int)(column - from), "");
}

/* Reports what is wrong at a place of the text. Returns -1. */
static int fail_at(struct parser *p, const char *at, const char *what)
{
	size_t column = (size_t)(at - p->text), used;

	used = (size_t)snprintf(p->err, p->err_size, "column %zu: %s", column + 1, what);
	/* what may repeat the text, and the text may hold anything */
	for (char *c = p->err; p->err_size && *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	if (used < p->err_size)
		show_column(p, column, p->err + used, p->err_size - used);
	return -1;
}

/* ---- the word that was meant ---- */

#define MEANT_MAX  48
#define MEANT_SIZE 24

/* Words to choose from, all in one spelling: lower case and hyphens. */
struct meant {
	const char *list[MEANT_MAX];
	char text[MEANT_MAX][MEANT_SIZE];
	size_t count;
};

/* Copies the beginning of a word in that spelling. */
static void spell(char out[MEANT_SIZE], const char *word, size_t len)
{
	size_t n = 0;

	for (; n < len && n < MEANT_SIZE - 1; n++)
		out[n] = word[n] == '_' ? '-' : (char)tolower((unsigned char)word[n]);
	out[n] = '\0';
}

static void meant_add(struct meant *m, const char *word)
{
	if (m->count == MEANT_MAX)
		return;
	spell(m->text[m->count], word, strlen(word));
	m->list[m->count] = m->text[m->count];
	m->count++;
}

/* The nearest of the words to the present token, or NULL. */
static const char *meant_word(const struct meant *m, const struct parser *p)
{
	char token[MEANT_SIZE];

	spell(token, p->at, p->len);
	return p->len ? la_suggest(token, m->list, m->count) : NULL;
}

/* ---- the scanner ---- */

static bool token_is(const struct parser *p, const char *word)
{
	return p->len && la_word_equal(p->at, p->len, word);
}

/* Steps to the next token: a word, or an operator of one or two characters. */
static void advance(struct parser *p)
{
	static const char *const pairs[] = {"&&", "||", "<=", ">=", "==", "!="};

	p->at += p->len;
	p->at += strspn(p->at, " \t\r\n");
	for (size_t i = 0; i < COUNT(pairs); i++) {
		if (!strncmp(p->at, pairs[i], 2)) {
			p->len = 2;
			return;
		}
	}
	p->len = strcspn(p->at, " \t\r\n()!<>=&|");
	if (!p->len && *p->at)
		p->len = 1;
}

static bool take(struct parser *p, const char *word, const char *sign)
{
	if (!token_is(p, word) && !token_is(p, sign))
		return false;
	advance(p);
	return true;
}

/* Copies the token, if it fits, for functions that want a string. */
static bool token_copy(const struct parser *p, char *out, size_t size)
{
	if (!p->len || p->len >= size)
		return false;
	memcpy(out, p->at, p->len);
	out[p->len] = '\0';
	return true;
}

/* ---- arguments: each reads the present token and leaves it to the caller to step on ---- */

#define LONGEST_ARGUMENT 64

static bool parse_address(const char *text, struct la_term *term)
{
	__be32 v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		la_addr_map_v4(term->net.addr, v4);
	else if (inet_pton(AF_INET6, text, term->net.addr) != 1)
		return false;
	term->net.prefix = 128;
	term->net.v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)term->net.addr);
	return true;
}

/* Reads digits only, at most max. Returns the end, or NULL. */
static const char *parse_number(const char *text, __u64 max, __u64 *value)
{
	const char *c = text;

	for (*value = 0; isdigit((unsigned char)*c); c++) {
		__u64 digit = (__u64)(*c - '0');

		if (*value > (max - digit) / 10)
			return NULL;
		*value = *value * 10 + digit;
	}
	return c > text ? c : NULL;
}

static int read_host(struct parser *p, struct la_term *term)
{
	char text[LONGEST_ARGUMENT];

	return token_copy(p, text, sizeof(text)) && parse_address(text, term) ? 0 : -1;
}

static int read_net(struct parser *p, struct la_term *term)
{
	char text[LONGEST_ARGUMENT], *slash;
	const char *end;
	bool dotted;
	__u64 bits;

	if (!token_copy(p, text, sizeof(text)))
		return -1;
	slash = strchr(text, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	dotted = !strchr(text, ':');
	if (!parse_address(text, term))
		return -1;
	end = parse_number(slash + 1, dotted ? 32 : 128, &bits);
	if (!end || *end)
		return -1;
	term->net.prefix = (__u8)(bits + (dotted ? 96 : 0));
	/* A short prefix of a mapped address is a net of IPv6. */
	term->net.v4 = term->net.v4 && term->net.prefix >= 96;
	return 0;
}

/* Steps over a comparison; 0: there is none. */
static enum la_compare take_compare(struct parser *p)
{
	static const struct {
		const char *sign;
		enum la_compare how;
	} signs[] = {
		{"<", LA_CMP_LT},  {"lt", LA_CMP_LT},  {"<=", LA_CMP_LE}, {"le", LA_CMP_LE},
		{"=", LA_CMP_EQ},  {"==", LA_CMP_EQ},  {"eq", LA_CMP_EQ}, {"!=", LA_CMP_NE},
		{"ne", LA_CMP_NE}, {"neq", LA_CMP_NE}, {">=", LA_CMP_GE}, {"ge", LA_CMP_GE},
		{">", LA_CMP_GT},  {"gt", LA_CMP_GT},
	};

	for (size_t i = 0; i < COUNT(signs); i++) {
		if (token_is(p, signs[i].sign)) {
			advance(p);
			return signs[i].how;
		}
	}
	return 0;
}

/* A port, a range of them, or the name of a service. ss puts a colon before it. */
static bool parse_ports(const char *text, __u64 *low, __u64 *high)
{
	struct servent entry, *service = NULL;
	char buf[1024];
	const char *end;

	text += *text == ':';
	end = parse_number(text, 65535, low);
	*high = *low;
	if (end && *end == '-')
		end = parse_number(end + 1, 65535, high);
	if (end)
		return !*end && *low <= *high;
	if (isalpha((unsigned char)*text))
		getservbyname_r(text, "tcp", &entry, buf, sizeof(buf), &service);
	if (service)
		*low = *high = ntohs((__u16)service->s_port);
	return service;
}

/* Between which ports are those that compare so. None: low is above high. */
static void ports_between(struct la_term *term, enum la_compare how, __u64 low, __u64 high)
{
	switch (how) {
	case LA_CMP_LT:
		term->ports.low = !low; /* below port 0 there is none */
		term->ports.high = (__u16)(low ? low - 1 : 0);
		break;
	case LA_CMP_LE:
		term->ports.low = 0;
		term->ports.high = (__u16)low;
		break;
	case LA_CMP_GE:
		term->ports.low = (__u16)low;
		term->ports.high = 65535;
		break;
	case LA_CMP_GT:
		term->ports.low = (__u16)(low < 65535 ? low + 1 : 65535);
		term->ports.high = low < 65535 ? 65535 : 0;
		break;
	default:
		term->ports.low = (__u16)low;
		term->ports.high = (__u16)high;
		term->negated = how == LA_CMP_NE;
	}
}

static int read_ports(struct parser *p, struct la_term *term)
{
	enum la_compare how = take_compare(p);
	char text[LONGEST_ARGUMENT];
	__u64 low, high;

	if (!token_copy(p, text, sizeof(text)) || !parse_ports(text, &low, &high))
		return -1;
	if (low != high && how && how != LA_CMP_EQ && how != LA_CMP_NE)
		return -1;
	ports_between(term, how, low, high);
	return 0;
}

static int read_ifname(struct parser *p, struct la_term *term)
{
	return token_copy(p, term->ifname.name, sizeof(term->ifname.name)) ? 0 : -1;
}

static bool fits_pid(const struct la_term *term, const struct la_owned *own)
{
	return own->pid == term->owner.pid;
}

/* Does a text of len bytes fit a pattern, in which * stands for any text? In len * pattern steps.
 */
static bool glob(const char *pattern, const char *text, size_t len)
{
	const char *star = NULL, *end = text + len, *tried = text;

	while (text < end) {
		if (*pattern == '*') {
			star = pattern++;
			tried = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++tried;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static bool fits_comm(const struct la_term *term, const struct la_owned *own)
{
	return glob(term->owner.pattern, own->comm, strlen(own->comm));
}

/* The cgroup itself or one above it, with or without its first slash. */
static bool fits_cgroup(const struct la_term *term, const struct la_owned *own)
{
	const char *pattern = term->owner.pattern;
	const char *path = own->cgroup + (*pattern != '/' && *own->cgroup);

	for (size_t len = 0;; len++) {
		if ((path[len] == '/' || !path[len]) && glob(pattern, path, len))
			return true;
		if (!path[len])
			return false;
	}
}

static int read_pid(struct parser *p, struct la_term *term)
{
	char text[LONGEST_ARGUMENT];
	const char *end;
	__u64 pid;

	end = token_copy(p, text, sizeof(text)) ? parse_number(text, ~0U, &pid) : NULL;
	if (!end || *end)
		return -1;
	term->owner.pid = (__u32)pid;
	term->owner.fits = fits_pid;
	return 0;
}

static int read_comm(struct parser *p, struct la_term *term)
{
	term->owner.fits = fits_comm;
	return token_copy(p, term->owner.pattern, sizeof(term->owner.pattern)) ? 0 : -1;
}

static int read_cgroup(struct parser *p, struct la_term *term)
{
	term->owner.fits = fits_cgroup;
	return token_copy(p, term->owner.pattern, sizeof(term->owner.pattern)) ? 0 : -1;
}

static int read_word(struct parser *p, struct la_term *term)
{
	const struct words *words = &p->field->words;

	for (unsigned int i = 1; i < words->max; i++) {
		if (token_is(p, words->word(i))) {
			term->words = 1U << i;
			return 0;
		}
	}
	return -1;
}

#define CONNECTED (((1U << LA_STATE_MAX) - 2) & ~(1U << LA_LISTEN | 1U << LA_CLOSED))

/* What ss and netstat call states, where it is not what RFC 9293 calls them. */
static const struct {
	const char *word;
	__u32 states;
} state_aliases[] = {
	{"estab", 1U << LA_ESTABLISHED},
	{"syn-recv", 1U << LA_SYN_RECEIVED},
	{"fin-wait1", 1U << LA_FIN_WAIT_1},
	{"fin-wait2", 1U << LA_FIN_WAIT_2},
	{"listening", 1U << LA_LISTEN},
	{"connected", CONNECTED},
	{"synchronized", CONNECTED & ~(1U << LA_SYN_SENT)},
};

static int read_state(struct parser *p, struct la_term *term)
{
	for (size_t i = 0; i < COUNT(state_aliases); i++) {
		if (token_is(p, state_aliases[i].word)) {
			term->words = state_aliases[i].states;
			return 0;
		}
	}
	return read_word(p, term);
}

/* Reads the comparison before a number and steps over it. */
static int read_compare(struct parser *p, struct la_term *term)
{
	term->number.how = take_compare(p);
	return term->number.how ? 0 : -1;
}

static int read_age(struct parser *p, struct la_term *term)
{
	char text[LONGEST_ARGUMENT];

	if (read_compare(p, term) || !token_copy(p, text, sizeof(text)))
		return -1;
	return la_duration_parse(text, &term->number.value);
}

static int read_count(struct parser *p, struct la_term *term)
{
	static const struct {
		const char *unit;
		__u64 times;
	} units[] = {{"", 1},		{"k", 1000},	    {"m", 1000000},
		     {"g", 1000000000}, {"ki", 1ULL << 10}, {"mi", 1ULL << 20},
		     {"gi", 1ULL << 30}};
	char text[LONGEST_ARGUMENT];
	const char *end;
	__u64 value;

	if (read_compare(p, term) || !token_copy(p, text, sizeof(text)))
		return -1;
	end = parse_number(text, ~0ULL >> 30, &value);
	for (size_t i = 0; end && i < COUNT(units); i++) {
		if (la_word_equal(end, strlen(end), units[i].unit)) {
			term->number.value = value * units[i].times;
			return 0;
		}
	}
	return -1;
}

/* ---- matching ---- */

static enum la_truth evaluate(const struct la_term *term, const struct la_rec *rec)
{
	enum la_truth is = term->match(term, rec);

	return term->negated ? LA_IS_TRUE - is : is;
}

bool la_filter_match(const struct la_filter *filter, const struct la_rec *rec)
{
	enum la_truth stack[LA_FILTER_STEPS_MAX];
	unsigned int n = 0;

	if (!filter || !filter->count)
		return true;
	for (unsigned int i = 0; i < filter->count; i++) {
		const struct step *step = &filter->steps[i];

		switch (step->kind) {
		case STEP_TERM:
			stack[n++] = evaluate(&step->term, rec);
			break;
		case STEP_NOT:
			stack[n - 1] = LA_IS_TRUE - stack[n - 1];
			break;
		case STEP_AND:
			n--;
			stack[n - 1] = stack[n] < stack[n - 1] ? stack[n] : stack[n - 1];
			break;
		case STEP_OR:
			n--;
			stack[n - 1] = stack[n] > stack[n - 1] ? stack[n] : stack[n - 1];
			break;
		}
	}
	return stack[0] == LA_IS_TRUE;
}

/* ---- the fields ---- */

#define WANTS_ADDRESS "an IP address such as 10.0.0.1 or 2001:db8::1 (names are not looked up)"
#define WANTS_NET     "an address and a prefix length such as 10.0.0.0/8 or 2001:db8::/32"
#define WANTS_PORT    "a port of 0 to 65535, a range such as 8000-8099, or a service of TCP"
#define WANTS_IFACE   "the name of an interface"
#define WANTS_PID     "the number of a process"
#define WANTS_COMM    "the name of a command such as nginx or nginx*"
#define WANTS_CGROUP  "a cgroup such as system.slice/nginx.service or */nginx*"
#define WANTS_AGE     "a comparison with a duration such as > 10m or <= 1.5s"
#define WANTS_BYTES   "a comparison with a number such as > 10k or = 0"
#define WANTS_COUNT   "a comparison with a number such as > 3"

#define CLOSE_WORD(name, list, max, member)                                                        \
	{                                                                                          \
		.word = name, .wants = "one of:", .read = read_word, .match = la_match_##member,   \
		.words = {                                                                         \
			list,                                                                      \
			max                                                                        \
		}                                                                                  \
	}

/* clang-format off */
static const struct field fields[] = {
	{.word = "host",    .wants = WANTS_ADDRESS, .read = read_host,  .match = la_match_net,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "net",     .wants = WANTS_NET,     .read = read_net,   .match = la_match_net,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "port",    .wants = WANTS_PORT,    .read = read_ports, .match = la_match_ports,
	 .compares = true,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "sport",   .wants = WANTS_PORT,    .read = read_ports, .match = la_match_ports,
	 .compares = true,
	 .sides = LA_ORIG_BIT},
	{.word = "dport",   .wants = WANTS_PORT,    .read = read_ports, .match = la_match_ports,
	 .compares = true,
	 .sides = LA_RESP_BIT},
	{.word = "state",   .wants = "one of:",     .read = read_state, .match = la_match_state,
	 .words = {la_state_word, LA_STATE_MAX}, .bindable = true, .sides = LA_BOTH_BITS},
	CLOSE_WORD("reason", la_close_reason_word, LA_CLOSE_REASON_MAX, reason),
	CLOSE_WORD("closed-by", la_closer_word, LA_CLOSER_MAX, closed_by),
	CLOSE_WORD("conn-state", la_conn_state_word, LA_CONN_STATE_MAX, conn_state),
	CLOSE_WORD("stage", la_stage_word, LA_STAGE_MAX, stage),
	CLOSE_WORD("direction", la_flow_direction_word, LA_FLOW_DIRECTION_MAX, direction),
	{.word = "midstream", .match = la_match_midstream},
	{.word = "forged",  .match = la_match_forged},
	{.word = "iface",   .wants = WANTS_IFACE,   .read = read_ifname, .match = la_match_ifname},
	{.word = "pid",     .wants = WANTS_PID,     .read = read_pid,   .match = la_match_owner,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "comm",    .wants = WANTS_COMM,    .read = read_comm,  .match = la_match_owner,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "cgroup",  .wants = WANTS_CGROUP,  .read = read_cgroup, .match = la_match_owner,
	 .bindable = true,  .sides = LA_BOTH_BITS},
	{.word = "age",     .wants = WANTS_AGE,     .read = read_age,   .match = la_match_age,
	 .compares = true},
	{.word = "idle",    .wants = WANTS_AGE,     .read = read_age,   .match = la_match_idle,
	 .compares = true},
	{.word = "in-state", .wants = WANTS_AGE,    .read = read_age,   .match = la_match_in_state,
	 .compares = true,  .bindable = true, .sides = LA_BOTH_BITS},
	{.word = "bytes",   .wants = WANTS_BYTES,   .read = read_count, .match = la_match_bytes,
	 .compares = true, .bindable = true, .sides = LA_BOTH_BITS},
	{.word = "packets", .wants = WANTS_BYTES,   .read = read_count, .match = la_match_packets,
	 .compares = true, .bindable = true, .sides = LA_BOTH_BITS},
	{.word = "retrans", .wants = WANTS_COUNT,   .read = read_count, .match = la_match_retrans,
	 .compares = true, .bindable = true, .sides = LA_BOTH_BITS},
	{.word = "ip",      .match = la_match_ip},
	{.word = "ip6",     .match = la_match_ip6},
	{.word = "tcp",     .match = la_match_tcp},
};
/* clang-format on */

/* What tcpdump, ss and the records call a field. */
static const struct {
	const char *word;
	const char *field;
} field_aliases[] = {
	{"portrange", "port"}, {"interface", "iface"}, {"dev", "iface"},
	{"ifname", "iface"},   {"pkts", "packets"},
};

static const struct {
	const char *word;
	__u8 sides;
} bindings[] = {
	{"orig", LA_ORIG_BIT}, {"resp", LA_RESP_BIT}, {"src", LA_ORIG_BIT}, {"dst", LA_RESP_BIT}};

static const struct field *field_named(const char *word, size_t len)
{
	for (size_t i = 0; i < COUNT(field_aliases); i++)
		if (la_word_equal(word, len, field_aliases[i].word))
			return field_named(field_aliases[i].field, strlen(field_aliases[i].field));
	for (size_t i = 0; i < COUNT(fields); i++)
		if (la_word_equal(word, len, fields[i].word))
			return &fields[i];
	return NULL;
}

static const struct field *find_field(const struct parser *p)
{
	return p->len ? field_named(p->at, p->len) : NULL;
}

/* The field of an address that stands right behind orig, resp, src or dst. */
static const struct field *implied_field(const struct parser *p)
{
	if (!memchr(p->at, ':', p->len) &&
	    (!isdigit((unsigned char)*p->at) || !memchr(p->at, '.', p->len)))
		return NULL;
	return memchr(p->at, '/', p->len) ? field_named("net", 3) : field_named("host", 4);
}

/* The side that the token binds a field to; 0: it binds none. */
static __u8 find_binding(const struct parser *p)
{
	for (size_t i = 0; i < COUNT(bindings); i++)
		if (token_is(p, bindings[i].word))
			return bindings[i].sides;
	return 0;
}

/* ---- the parser ---- */

#define MESSAGE_MAX 400
#define SHOWN_MAX   40U

/* How much of the token an error repeats. */
static int shown(const struct parser *p)
{
	return (int)(p->len < SHOWN_MAX ? p->len : SHOWN_MAX);
}

/* The token is no field where one was expected. */
static int fail_no_term(struct parser *p)
{
	struct meant meant = {.count = 0};
	const char *word;
	char what[MESSAGE_MAX];

	if (!p->len)
		return fail_at(p, p->at, "a term was expected here, such as port 443");
	for (size_t i = 0; i < COUNT(fields); i++)
		meant_add(&meant, fields[i].word);
	for (size_t i = 0; i < COUNT(bindings); i++)
		meant_add(&meant, bindings[i].word);
	meant_add(&meant, "and");
	meant_add(&meant, "or");
	meant_add(&meant, "not");
	word = meant_word(&meant, p);
	if (word && token_is(p, word))
		word = NULL; /* a right word in the wrong place */
	snprintf(what, sizeof(what), "a term was expected, not '%.*s'%s%s%s", shown(p), p->at,
		 word ? "; did you mean '" : "", word ? word : "", word ? "'?" : "");
	return fail_at(p, p->at, what);
}

/* Adds all the words there are and the one that was meant. */
static void add_words(const struct parser *p, const struct words *words, char *what, size_t size)
{
	struct meant meant = {.count = 0};
	size_t used = strlen(what);
	const char *word;

	for (unsigned int i = 1; i < words->max; i++)
		meant_add(&meant, words->word(i));
	for (size_t i = 0; i < meant.count && used < size; i++)
		used += (size_t)snprintf(what + used, size - used, " %s", meant.list[i]);
	word = meant_word(&meant, p);
	if (word && used < size)
		snprintf(what + used, size - used, "; did you mean '%s'?", word);
}

/* The argument of a field is missing or wrong. */
static int fail_argument(struct parser *p, const struct field *field)
{
	char what[MESSAGE_MAX];

	if (p->len)
		snprintf(what, sizeof(what), "'%.*s' after %s is not %s", shown(p), p->at,
			 field->word, field->wants);
	else
		snprintf(what, sizeof(what), "%s needs %s", field->word, field->wants);
	if (field->words.word)
		add_words(p, &field->words, what, sizeof(what));
	return fail_at(p, p->at, what);
}

static int emit(struct parser *p, enum step_kind kind, const struct la_term *term)
{
	struct la_filter *f = p->filter;

	if (f->count == LA_FILTER_STEPS_MAX)
		return fail_at(p, p->at, "the filter has too many terms");
	f->steps[f->count].kind = kind;
	if (term)
		f->steps[f->count].term = *term;
	f->count++;
	return 0;
}

/* `=` may stand before any argument, and `!=` for the opposite. */
static void take_equals(struct parser *p, struct la_term *term)
{
	term->negated = take(p, "!=", "ne");
	if (!term->negated && !take(p, "=", "=="))
		take(p, "eq", "eq");
}

/* The field of a term; steps over its word, if it has one. NULL: there is none. */
static const struct field *take_field(struct parser *p, bool bound)
{
	const struct field *field = find_field(p);

	if (field)
		advance(p);
	return field || !bound ? field : implied_field(p);
}

/* [comparison] argument */
static int parse_argument(struct parser *p, struct la_term *term)
{
	if (!p->field->compares)
		take_equals(p, term);
	if (p->field->read(p, term))
		return fail_argument(p, p->field);
	advance(p);
	return 0;
}

/* [binding] [field] [comparison] [argument] */
static int parse_term(struct parser *p)
{
	__u8 bound = find_binding(p);
	const char *start = p->at;
	struct la_term term = {0};
	char what[MESSAGE_MAX];

	if (bound)
		advance(p);
	p->field = take_field(p, bound);
	if (!p->field)
		return fail_no_term(p);
	if (bound && !p->field->bindable) {
		snprintf(what, sizeof(what), "%s cannot be bound to a side", p->field->word);
		return fail_at(p, start, what);
	}
	term.match = p->field->match;
	term.sides = bound ? bound : p->field->sides;
	if (p->field->read && parse_argument(p, &term))
		return -1;
	return emit(p, STEP_TERM, &term);
}

static int parse_expression(struct parser *p);

static int parse_group(struct parser *p)
{
	const char *open = p->at;
	char what[MESSAGE_MAX];

	if (p->depth == LA_FILTER_DEPTH_MAX)
		return fail_at(p, open, "too many parentheses within parentheses");
	p->depth++;
	advance(p);
	if (parse_expression(p))
		return -1;
	if (!token_is(p, ")")) {
		snprintf(what, sizeof(what), "the '(' of column %zu is not closed",
			 (size_t)(open - p->text) + 1);
		return fail_at(p, p->at, what);
	}
	advance(p);
	p->depth--;
	return 0;
}

static int parse_factor(struct parser *p)
{
	bool negated = false;

	while (take(p, "not", "!"))
		negated = !negated;
	if (token_is(p, "(") ? parse_group(p) : parse_term(p))
		return -1;
	return negated ? emit(p, STEP_NOT, NULL) : 0;
}

/* True where a conjunction ends, so that no `and` is to be understood. */
static bool conjunct_ends(const struct parser *p)
{
	return !p->len || token_is(p, ")") || token_is(p, "or") || token_is(p, "||");
}

static int parse_conjunct(struct parser *p)
{
	if (parse_factor(p))
		return -1;
	while (!conjunct_ends(p)) {
		take(p, "and", "&&");
		if (parse_factor(p) || emit(p, STEP_AND, NULL))
			return -1;
	}
	return 0;
}

static int parse_expression(struct parser *p)
{
	if (parse_conjunct(p))
		return -1;
	while (take(p, "or", "||"))
		if (parse_conjunct(p) || emit(p, STEP_OR, NULL))
			return -1;
	return 0;
}

static int parse_all(struct parser *p)
{
	if (strlen(p->text) > LA_FILTER_TEXT_MAX)
		return fail_at(p, p->text + LA_FILTER_TEXT_MAX, "the filter is too long");
	advance(p);
	if (!p->len)
		return 0;
	if (parse_expression(p))
		return -1;
	return p->len ? fail_at(p, p->at, "this ')' closes nothing") : 0;
}

struct la_filter *la_filter_parse(const char *text, char *err, size_t err_size)
{
	struct parser p = {.text = text, .at = text, .err = err, .err_size = err_size};

	p.filter = calloc(1, sizeof(*p.filter));
	if (!p.filter) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	if (parse_all(&p)) {
		la_filter_free(p.filter);
		return NULL;
	}
	return p.filter;
}

void la_filter_ifnames(struct la_filter *filter, la_filter_ifname_fn of, void *ctx)
{
	for (unsigned int i = 0; filter && i < filter->count; i++) {
		struct step *step = &filter->steps[i];

		if (step->kind == STEP_TERM && step->term.match == la_match_ifname) {
			step->term.ifname.of = of;
			step->term.ifname.ctx = ctx;
		}
	}
}

void la_filter_owners(struct la_filter *filter, la_owners_fn of, void *ctx)
{
	for (unsigned int i = 0; filter && i < filter->count; i++) {
		struct step *step = &filter->steps[i];

		if (step->kind == STEP_TERM && step->term.match == la_match_owner) {
			step->term.owner.of = of;
			step->term.owner.ctx = ctx;
		}
	}
}

/* Not so the IPv6 nets among whose addresses are those that stand for IPv4. */
static bool guard_net(const struct la_term *term, struct la_guard *guard)
{
	*guard = (struct la_guard){.high = 65535};
	for (unsigned int bit = 0; bit < term->net.prefix; bit++)
		guard->mask[bit / 8] |= (__u8)(0x80 >> bit % 8);
	for (unsigned int i = 0; i < sizeof(guard->addr); i++)
		guard->addr[i] = term->net.addr[i] & guard->mask[i];
	return term->net.v4 || guard->addr[0];
}

bool la_filter_guard(const struct la_filter *filter, struct la_guard *guard)
{
	const struct la_term *term = &filter->steps[0].term;

	if (filter->count != 1 || term->sides != LA_BOTH_BITS || term->negated)
		return false;
	if (term->match == la_match_net)
		return guard_net(term, guard);
	if (term->match != la_match_ports)
		return false;
	*guard = (struct la_guard){.low = term->ports.low, .high = term->ports.high};
	return true;
}

void la_filter_free(struct la_filter *filter)
{
	free(filter);
}

bool la_filter_begins(const char *text)
{
	struct parser p = {.text = text, .at = text};

	advance(&p);
	return token_is(&p, "(") || token_is(&p, "!") || token_is(&p, "not") || find_binding(&p) ||
	       find_field(&p);
}
