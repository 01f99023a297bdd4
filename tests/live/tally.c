// SPDX-License-Identifier: BSD-2-Clause
/*
 * tally.c - see tally.h. Lines come by the hundred thousand, so they are not parsed as JSON:
 * lastack's own, which the other tests parse, have each key once and no spaces.
 */
#include "tally.h"
#include "clock.h"
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#define SEQ_MAX 64

struct la_tally_account {
	uint64_t id;
	uint64_t seen; /* bits 1 << seq */
	unsigned int closes;
	UT_hash_handle hh;
};

/* The value of a key, or NULL; a text begins after its quotation mark. */
static const char *value_of(const char *line, const char *key)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	if (!at)
		return NULL;
	at += strlen(quoted);
	return at + (*at == '"');
}

static bool is(const char *value, const char *word)
{
	size_t size = strlen(word);

	return value && !strncmp(value, word, size) && value[size] == '"';
}

static struct la_tally_account *account_of(struct la_tally *tally, uint64_t id)
{
	struct la_tally_account *account;

	HASH_FIND(hh, tally->accounts, &id, sizeof(id), account);
	if (account)
		return account;
	account = calloc(1, sizeof(*account));
	if (!account)
		abort();
	account->id = id;
	HASH_ADD(hh, tally->accounts, id, sizeof(id), account);
	tally->connections++;
	return account;
}

static void close_account(struct la_tally *tally, struct la_tally_account *account,
			  unsigned long seq)
{
	tally->gones++;
	tally->missing += seq + 1 - (unsigned long)__builtin_popcountll(account->seen);
	if (account->closes != 1 || (seq < SEQ_MAX - 1 && account->seen >> (seq + 1)))
		tally->broken++;
	HASH_DEL(tally->accounts, account);
	free(account);
}

static void take_lost(struct la_tally *tally, const char *line)
{
	const char *count = value_of(line, "count");
	unsigned long long n = count ? strtoull(count, NULL, 10) : 0;

	if (is(value_of(line, "source"), "state"))
		tally->lost += n;
	else
		tally->lost_ends += n;
}

static void take_line(struct la_tally *tally, const char *line)
{
	const char *type = value_of(line, "type"), *id = value_of(line, "id");
	const char *number = value_of(line, "seq");
	unsigned long seq = number ? strtoul(number, NULL, 10) : SEQ_MAX;
	struct la_tally_account *account;

	if (is(type, "lost")) {
		take_lost(tally, line);
		return;
	}
	if (is(type, "policy")) /* not numbered */
		return;
	if (!type || !id || seq >= SEQ_MAX) {
		fprintf(stderr, "tally: what is this: %s\n", line);
		tally->broken++;
		return;
	}
	account = account_of(tally, strtoull(id, NULL, 16));
	tally->broken += account->seen >> seq & 1;
	account->seen |= 1ULL << seq;
	account->closes += is(type, "close");
	tally->closes += is(type, "close");
	if (is(type, "gone"))
		close_account(tally, account, seq);
}

static void take_lines(struct la_tally *tally)
{
	char *line = tally->line, *end;

	while ((end = memchr(line, '\n', tally->filled - (size_t)(line - tally->line)))) {
		*end = '\0';
		take_line(tally, line);
		line = end + 1;
	}
	tally->filled -= (size_t)(line - tally->line);
	memmove(tally->line, line, tally->filled);
}

bool la_tally_read(struct la_tally *tally, int fd, int ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	long long end = la_monotonic_ms() + ms, left;
	ssize_t got;

	while ((left = end - la_monotonic_ms()) > 0) {
		if (poll(&wait, 1, (int)left) != 1)
			continue;
		got = read(fd, tally->line + tally->filled, sizeof(tally->line) - tally->filled);
		if (got <= 0)
			return false;
		tally->filled += (size_t)got;
		take_lines(tally);
	}
	return true;
}

void la_tally_free(struct la_tally *tally)
{
	struct la_tally_account *account, *next;

	HASH_ITER (hh, tally->accounts, account, next) {
		HASH_DEL(tally->accounts, account);
		free(account);
	}
}
