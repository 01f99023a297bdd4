/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suggest.c - the optimal string alignment distance (Damerau 1964) over short words.
 * See suggest.h. Words longer than WORD_MAX are compared by their beginning: nobody types
 * such a word by hand.
 */
#include "suggest.h"
#include <string.h>

#define WORD_MAX 32

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int la_word_distance(const char *a, const char *b)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		d[i][0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

const char *la_suggest(const char *word, const char *const *words, size_t count)
{
	unsigned int allowed = (unsigned int)(strnlen(word, WORD_MAX) + 2) / 3, distance;
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		distance = la_word_distance(word, words[i]);
		if (distance > allowed || (best && distance == allowed))
			continue;
		best = words[i];
		allowed = distance;
	}
	return best;
}
