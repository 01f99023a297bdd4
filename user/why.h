/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * why.h - answers to the questions that operators ask of many connections at once.
 *
 * Each connection, in the table or ended, is shown to the questions that are asked; what one says
 * of it is a clue: who is to blame, and how. Clues that agree are one finding, which remembers how
 * many connections it stands on, and some of them.
 */
#ifndef LA_USER_WHY_H
#define LA_USER_WHY_H

#include "owners.h"

#define LA_QUESTIONS(X)                                                                            \
	X(CLOSE_WAIT, "close-wait")                                                                \
	X(RESETS, "resets")                                                                        \
	X(HANDSHAKES, "handshakes")                                                                \
	X(TIME_WAIT, "time-wait")                                                                  \
	X(IDLE, "idle")

#define LA_ROW_QUESTION(s, w) LA_WHY_##s,
enum la_question_kind { LA_NO_WHY = 0, LA_QUESTIONS(LA_ROW_QUESTION) LA_WHY_MAX };

#define LA_FINDING_IDS 3

struct la_finding {
	char who[160]; /* an endpoint, or a host towards one */
	char how[200]; /* what it does; may be empty */
	__u32 cluster; /* idle: 0, or a number of times that are near to each other */
	__u64 connections;
	__u64 shortest, longest; /* ns: of what the question measures */
	unsigned int id_count;
	__u64 ids[LA_FINDING_IDS]; /* of connections behind it */
	__u32 pid;		   /* of the process whose end the first of them is; 0: not known */
	char comm[LA_COMM_SIZE];   /* its command */
};

struct la_why;

/* kinds: bits 1 << enum la_question_kind. NULL without memory. */
struct la_why *la_why_new(__u32 kinds);

/*
 * A question by its word; 0: there is none. Its word, its title, what its times are ("stuck for"),
 * what to do about what it finds.
 */
enum la_question_kind la_why_find(const char *word);
const char *la_why_word(enum la_question_kind kind);
const char *la_why_title(enum la_question_kind kind);
const char *la_why_measure(enum la_question_kind kind);
const char *la_why_remedy(enum la_question_kind kind);

/* Lets findings name the process. */
void la_why_owners(struct la_why *why, la_owners_fn of, void *ctx);

/* A connection of the table (type flow), or one that has ended and left it (type close). */
void la_why_take(struct la_why *why, const struct la_rec *rec);

/* Puts the findings of a question in order, the most connections first. Returns how many. */
size_t la_why_sort(struct la_why *why, enum la_question_kind kind);

/*
 * After what silence something forgets these connections, at the latest, ns; 0: they do not tell
 * that. One or two may have other reasons.
 */
__u64 la_why_forgets_after(enum la_question_kind kind, const struct la_finding *finding);

/* Number i of them, after sorting. */
const struct la_finding *la_why_get(const struct la_why *why, enum la_question_kind kind, size_t i);

/* NULL is allowed. */
void la_why_free(struct la_why *why);

#endif
