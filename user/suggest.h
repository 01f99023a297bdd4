/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suggest.h - did you mean...?
 *
 * Finds the word that a person most likely meant when they typed one that does not exist:
 * a verb, an interface, a keyword. Pure; whoever reports a wrong word may call it.
 */
#ifndef LA_USER_SUGGEST_H
#define LA_USER_SUGGEST_H

#include <stddef.h>

/* How many letters must be added, removed, changed or swapped to make b of a. */
unsigned int la_word_distance(const char *a, const char *b);

/*
 * The nearest of count words, the first if several are as near. NULL if none is near
 * enough to be a slip of the keyboard: more than a third of the letters differ (one letter
 * of a short word may always).
 */
const char *la_suggest(const char *word, const char *const *words, size_t count);

#endif
