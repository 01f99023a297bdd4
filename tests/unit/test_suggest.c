/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_suggest.c - the word that was meant.
 */
#include "suggest.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(suggest, distance_counts_edits)
{
	static const struct {
		const char *a, *b;
		unsigned int distance;
	} rows[] = {
		{"", "", 0},	    {"run", "run", 0},	      {"", "run", 3},
		{"run", "", 3},	    {"run", "rum", 1},	      {"rnu", "run", 1},
		{"rn", "run", 1},   {"runn", "run", 1},	      {"replay", "relpay", 1},
		{"top", "stop", 1}, {"kitten", "sitting", 3}, {"eth0", "wlan1", 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect(eq(uint, la_word_distance(rows[i].a, rows[i].b), rows[i].distance),
			  "%s, %s", rows[i].a, rows[i].b);
		cr_expect(eq(uint, la_word_distance(rows[i].b, rows[i].a), rows[i].distance),
			  "%s, %s", rows[i].b, rows[i].a);
	}
}

Test(suggest, long_words_are_compared_by_their_beginning)
{
	static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX";
	static const char b[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaYYY";

	cr_expect(zero(uint, la_word_distance(a, b)));
}

Test(suggest, the_nearest_or_none)
{
	static const char *const words[] = {"run", "replay", "help", "version"};
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{"rum", "run"},		{"r", "(none)"},     {"rn", "run"},
		{"relpay", "replay"},	{"heelp", "help"},   {"hlep", "help"},
		{"vresion", "version"}, {"xyzzy", "(none)"}, {"", "(none)"},
		{"watch", "(none)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *near = la_suggest(rows[i].word, words, 4);

		cr_expect(eq(str, (char *)(near ? near : "(none)"), (char *)rows[i].meant), "%s",
			  rows[i].word);
	}
	cr_expect(eq(ptr, (void *)la_suggest("run", words, 0), NULL));
}
