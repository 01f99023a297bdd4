/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - the words of policies, and which records they are about. See policy.h.
 */
#include "policy.h"
#include "options.h"
#include "suggest.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

_Static_assert(LA_GUARDS_MAX >= LA_PROTECT_MAX, "each filter may be a guard");

/* ---- the keys of a policy ---- */

static int set_name(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
			len = 0;
	if (!len || len >= sizeof(policy->name) || !strcmp(text, LA_POLICY_KILL) ||
	    !strcmp(text, LA_POLICY_RSTS)) {
		snprintf(err, err_size,
			 "%.40s (1 to %zu letters, digits, `-`, `_` and `.`, and "
			 "neither " LA_POLICY_KILL " nor " LA_POLICY_RSTS ")",
			 text, sizeof(policy->name) - 1);
		return -1;
	}
	strcpy(policy->name, text);
	return 0;
}

static int set_match(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	policy->match = la_filter_parse(text, err, err_size);
	return policy->match ? 0 : -1;
}

/* More words than any list has. */
#define WORDS_MAX 32

/* A list of la_names.h: its words by value, from 1. */
typedef const char *(*word_fn)(unsigned int value);

/* The value of a word, 0 if it is none. */
static unsigned int word_value(const char *word, size_t len, word_fn of, unsigned int max)
{
	for (unsigned int value = 1; value < max; value++)
		if (la_word_equal(word, len, of(value)))
			return value;
	return 0;
}

/* Copies the first n bytes of a word so. */
static void spell(char *out, const char *word, size_t n)
{
	size_t i = 0;

	for (; i < n && word[i]; i++)
		out[i] = word[i] == '_' ? '-' : (char)tolower((unsigned char)word[i]);
	out[i] = '\0';
}

/* Says which there are, all in one spelling: lower case and hyphens. */
static int unknown_word(const char *word, size_t len, word_fn of, unsigned int max, char *err,
			size_t err_size)
{
	char spelled[WORDS_MAX][24], given[24];
	const char *words[WORDS_MAX];

	for (unsigned int value = 1; value < max; value++) {
		spell(spelled[value - 1], of(value), sizeof(spelled[0]) - 1);
		words[value - 1] = spelled[value - 1];
	}
	spell(given, word, len < sizeof(given) - 1 ? len : sizeof(given) - 1);
	la_word_find(given, words, max - 1, err, err_size);
	return -1;
}

/* Words with spaces or commas between, as bits 1 << value. */
static int read_words(const char *text, word_fn of, unsigned int max, __u32 *bits, char *err,
		      size_t err_size)
{
	for (text += strspn(text, " \n,"); *text; text += strspn(text, " \n,")) {
		size_t len = strcspn(text, " \n,");
		unsigned int value = word_value(text, len, of, max);

		if (!value)
			return unknown_word(text, len, of, max, err, err_size);
		*bits |= 1U << value;
		text += len;
	}
	return 0;
}

/* `transition [STATE...]`, `rst [VERDICT...]`, or a filter. */
static int set_when(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	static const struct {
		const char *word;
		enum la_policy_when when;
		word_fn of;
		unsigned int max;
	} events[] = {
		{"transition", LA_WHEN_TRANSITION, la_state_word, LA_STATE_MAX},
		{"rst", LA_WHEN_RST, la_rst_verdict_word, LA_RST_VERDICT_MAX},
	};
	size_t len = strcspn(text, " \n");

	for (size_t i = 0; i < COUNT(events); i++) {
		if (!la_word_equal(text, len, events[i].word))
			continue;
		policy->when = events[i].when;
		return read_words(text + len, events[i].of, events[i].max, &policy->words, err,
				  err_size);
	}
	policy->condition = la_filter_parse(text, err, err_size);
	return policy->condition ? 0 : -1;
}

/* The last action is that of rst-policy, and none of policies. */
#define ACTIONS LA_ACTION_CHALLENGE

static int set_action(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	unsigned int action = word_value(text, strlen(text), la_action_word, ACTIONS);

	if (!action)
		return unknown_word(text, strlen(text), la_action_word, ACTIONS, err, err_size);
	policy->action = (enum la_action)action;
	return 0;
}

static int set_rate(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	return la_bucket_parse(text, &policy->rate, err, err_size);
}

static int set_dry_run(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	static const char *const words[] = {"false", "true"};
	int value = la_word_find(text, words, COUNT(words), err, err_size);

	policy->dry_run = value > 0;
	return value < 0 ? -1 : 0;
}

static int set_timeout(struct la_policy *policy, const char *text, char *err, size_t err_size)
{
	struct la_config cfg = {0};

	if (la_options_timeout(text, &cfg, err, err_size))
		return -1;
	for (unsigned int i = 0; i < LA_TIMEOUT_MAX; i++)
		if (cfg.timeout[i])
			policy->timeout[i] = cfg.timeout[i];
	return 0;
}

enum { KEY_NAME, KEY_MATCH, KEY_WHEN, KEY_ACTION, KEY_RATE, KEY_DRY_RUN, KEY_TIMEOUTS, KEYS };

const char *const la_policy_keys[KEYS + 1] = {
	[KEY_NAME] = "name",
	[KEY_MATCH] = "match",
	[KEY_WHEN] = "when",
	[KEY_ACTION] = "action",
	[KEY_RATE] = "rate",
	[KEY_DRY_RUN] = "dry-run",
	[KEY_TIMEOUTS] = LA_POLICY_MAP,
};

int la_policy_set(struct la_policy *policy, const char *key, const char *text, char *err,
		  size_t err_size)
{
	static int (*const set[KEYS])(struct la_policy *, const char *, char *, size_t) = {
		[KEY_NAME] = set_name,	      [KEY_MATCH] = set_match, [KEY_WHEN] = set_when,
		[KEY_ACTION] = set_action,    [KEY_RATE] = set_rate,   [KEY_DRY_RUN] = set_dry_run,
		[KEY_TIMEOUTS] = set_timeout,
	};

	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(key, la_policy_keys[i]))
			return set[i](policy, text, err, err_size);
	return -1;
}

static bool has_timeouts(const struct la_policy *policy)
{
	for (unsigned int i = 0; i < LA_TIMEOUT_MAX; i++)
		if (policy->timeout[i])
			return true;
	return false;
}

static bool no_name(const struct la_policy *policy)
{
	return !*policy->name;
}

static bool no_match(const struct la_policy *policy)
{
	return !policy->match;
}

static bool no_action(const struct la_policy *policy)
{
	return !policy->action;
}

static bool timeouts_for_nothing(const struct la_policy *policy)
{
	return policy->action != LA_ACTION_TIMEOUTS && has_timeouts(policy);
}

static bool no_timeouts(const struct la_policy *policy)
{
	return policy->action == LA_ACTION_TIMEOUTS && !has_timeouts(policy);
}

static bool drops_by_rst(const struct la_policy *policy)
{
	return policy->when == LA_WHEN_RST && policy->action == LA_ACTION_DROP;
}

static bool timeouts_not_at_start(const struct la_policy *policy)
{
	return policy->action == LA_ACTION_TIMEOUTS && (policy->when || policy->condition);
}

int la_policy_check(const struct la_policy *policy, char *err, size_t err_size)
{
	static const struct {
		bool (*holds)(const struct la_policy *policy);
		const char *why;
	} wrong[] = {
		{no_name, "it has no `name`"},
		{no_match, "it has no `match` (`match: tcp` takes all connections)"},
		{no_action, "it has no `action`"},
		{timeouts_for_nothing, "`timeouts` goes with `action: timeouts`"},
		{no_timeouts, "`action: timeouts` needs `timeouts`, lines of `NAME: DURATION`"},
		{drops_by_rst,
		 "a RST that anybody may have forged would have all further packets of "
		 "its connection dropped (`rst-policy` drops RSTs themselves)"},
		{timeouts_not_at_start,
		 "`action: timeouts` has no `when`: it applies from a connection's beginning"},
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (!wrong[i].holds(policy))
			continue;
		snprintf(err, err_size, "%s", wrong[i].why);
		return -1;
	}
	return 0;
}

void la_policy_free(struct la_policy *policy)
{
	la_filter_free(policy->match);
	la_filter_free(policy->condition);
	*policy = (struct la_policy){0};
}

/* ---- all of them ---- */

void la_policies_init(struct la_policies *policies)
{
	const char *ssh = getenv("SSH_CONNECTION");
	char peer[64], text[80], err[LA_FILTER_ERR_SIZE];

	*policies = (struct la_policies){.max_resets = LA_MAX_RESETS_DEFAULT};
	la_policies_protect(policies, "port 22", err, sizeof(err));
	if (!ssh || sscanf(ssh, "%63s", peer) != 1)
		return;
	snprintf(text, sizeof(text), "host %s", peer);
	la_policies_protect(policies, text, err, sizeof(err)); /* whatever the environment holds */
}

static unsigned int tables_of(const struct la_policies *policies)
{
	unsigned int tables = 0;

	for (unsigned int i = 0; i < policies->count; i++)
		tables += policies->list[i].action == LA_ACTION_TIMEOUTS;
	return tables;
}

/* Why this one cannot be added, or NULL. */
static const char *refuses(const struct la_policies *policies, const struct la_policy *policy)
{
	if (policies->count == LA_POLICIES_MAX)
		return "there are too many policies";
	if (policy->action == LA_ACTION_TIMEOUTS && tables_of(policies) + 1 >= LA_TIMEOUT_TABLES)
		return "there are too many policies with `action: timeouts`";
	for (unsigned int i = 0; i < policies->count; i++)
		if (!strcmp(policies->list[i].name, policy->name))
			return "there is another policy of that name";
	return NULL;
}

int la_policies_add(struct la_policies *policies, const struct la_policy *policy, char *err,
		    size_t err_size)
{
	struct la_policy mine = *policy, *list;
	const char *why = refuses(policies, policy);

	if (mine.action == LA_ACTION_TIMEOUTS) {
		mine.when = LA_WHEN_START;
		mine.table = (__u8)(tables_of(policies) + 1);
	}
	list = why ? NULL : realloc(policies->list, (policies->count + 1) * sizeof(*list));
	if (!list) {
		snprintf(err, err_size, "%s", why ? why : "out of memory");
		la_policy_free(&mine);
		return -1;
	}
	policies->list = list;
	policies->list[policies->count++] = mine;
	return 0;
}

static void protect_nothing(struct la_policies *policies)
{
	while (policies->protect_count)
		la_filter_free(policies->protect[--policies->protect_count]);
	policies->guards.count = 0;
}

int la_policies_protect(struct la_policies *policies, const char *text, char *err, size_t err_size)
{
	struct la_guards *guards = &policies->guards;
	char negated[LA_FILTER_TEXT_MAX];
	struct la_filter *filter;
	struct la_guard guard;
	bool simple;

	if (!strcmp(text, "none"))
		return protect_nothing(policies), 0;
	filter = la_filter_parse(text, err, err_size);
	if (!filter)
		return -1;
	simple = la_filter_guard(filter, &guard);
	la_filter_free(filter);
	snprintf(negated, sizeof(negated), "not (%s)", text);
	filter = policies->protect_count < LA_PROTECT_MAX ? la_filter_parse(negated, err, err_size)
							  : NULL;
	if (!filter) {
		snprintf(err, err_size, "%.40s... (too much to protect)", text);
		return -1;
	}
	policies->protect[policies->protect_count++] = filter;
	if (simple)
		guards->of[guards->count++] = guard;
	return 0;
}

bool la_policies_protects(const struct la_policies *policies, const struct la_rec *rec)
{
	for (unsigned int i = 0; i < policies->protect_count; i++)
		if (!la_filter_match(policies->protect[i], rec))
			return true;
	return false;
}

bool la_policy_triggers(const struct la_policy *policy, const struct la_rec *rec)
{
	const union la_any_rec *any = (const union la_any_rec *)rec;
	__u32 words = policy->words ? policy->words : ~0U;

	switch (policy->when) {
	case LA_WHEN_TRANSITION:
		return rec->type == LA_REC_STATE && words & 1U << any->state.to;
	case LA_WHEN_RST:
		return rec->type == LA_REC_RST && words & 1U << any->rst.verdict;
	case LA_WHEN_TIME:
	case LA_WHEN_START:
		break;
	}
	return false;
}

bool la_policy_matches(const struct la_policy *policy, const struct la_rec *rec)
{
	return la_filter_match(policy->match, rec) && la_filter_match(policy->condition, rec);
}

bool la_policies_have(const struct la_policies *policies, enum la_action action)
{
	for (unsigned int i = 0; i < policies->count; i++)
		if (policies->list[i].action == action)
			return true;
	return false;
}

bool la_policies_send(const struct la_policies *policies)
{
	return policies->challenges || la_policies_have(policies, LA_ACTION_RESET);
}

void la_policies_timeouts(const struct la_policies *policies, struct la_config *cfg)
{
	for (unsigned int t = 1; t < LA_TIMEOUT_TABLES; t++)
		memcpy(cfg->timeouts[t], cfg->timeout, sizeof(cfg->timeout));
	for (unsigned int i = 0; i < policies->count; i++)
		for (unsigned int t = 0; t < LA_TIMEOUT_MAX; t++)
			if (policies->list[i].timeout[t])
				cfg->timeouts[policies->list[i].table][t] =
					policies->list[i].timeout[t];
}

void la_policies_ifnames(struct la_policies *policies, la_filter_ifname_fn of, void *ctx)
{
	for (unsigned int i = 0; i < policies->count; i++) {
		la_filter_ifnames(policies->list[i].match, of, ctx);
		la_filter_ifnames(policies->list[i].condition, of, ctx);
	}
	for (unsigned int i = 0; i < policies->protect_count; i++)
		la_filter_ifnames(policies->protect[i], of, ctx);
}

void la_policies_owners(struct la_policies *policies, la_owners_fn of, void *ctx)
{
	for (unsigned int i = 0; i < policies->count; i++) {
		la_filter_owners(policies->list[i].match, of, ctx);
		la_filter_owners(policies->list[i].condition, of, ctx);
	}
	for (unsigned int i = 0; i < policies->protect_count; i++)
		la_filter_owners(policies->protect[i], of, ctx);
}

void la_policies_free(struct la_policies *policies)
{
	for (unsigned int i = 0; i < policies->count; i++)
		la_policy_free(&policies->list[i]);
	free(policies->list);
	protect_nothing(policies);
	*policies = (struct la_policies){0};
}
