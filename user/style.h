/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * style.h - how things look to a person: colours by meaning, glyphs by locale.
 *
 * Colours: green is open, cyan is opening, yellow is half-closed or waiting for the peer,
 * blue is TIME_WAIT, grey is closed, red is a reset, magenta is a correction. What is only
 * presumed is dim. Nothing is said by colour alone: every meaning has a mark or a word too.
 *
 * For the outputs for people: output_text.c, ladder.c, summary.c.
 */
#ifndef LA_USER_STYLE_H
#define LA_USER_STYLE_H

#include "la_names.h"

#define LA_SGR_RESET  "\033[0m"
#define LA_SGR_BOLD   "\033[1m"
#define LA_SGR_DIM    "\033[2m"
#define LA_SGR_RED    "\033[31m"
#define LA_SGR_GREEN  "\033[32m"
#define LA_SGR_YELLOW "\033[33m"
#define LA_SGR_BLUE   "\033[34m"
#define LA_SGR_PURPLE "\033[35m"
#define LA_SGR_CYAN   "\033[36m"
#define LA_SGR_GREY   "\033[90m"
/* What must not be overlooked: a CLOSE_WAIT that is stuck. */
#define LA_SGR_ALARM "\033[1;30;43m"

/* Drawing characters; each is one column wide. */
struct la_glyphs {
	const char *line;	/* - of an arrow */
	const char *right;	/* its head */
	const char *left;	/* its head */
	const char *heavy;	/* = of a close */
	const char *life;	/* a life line whose state is certain */
	const char *life_maybe; /* one whose state is presumed */
	const char *life_none;	/* one without a connection */
	const char *rule;	/* a horizontal rule */
	const char *to;		/* -> in a sentence */
	const char *from;	/* <- in a sentence */
	const char *dot;	/* between two facts */
};

/* UTF-8 glyphs if the environment's locale (LC_ALL, LC_CTYPE, LANG) is UTF-8, else ASCII. */
const struct la_glyphs *la_style_glyphs(void);

/* Colour of a state; "" for none. */
const char *la_style_state(unsigned int state);

/* How a state that is only presumed differs from one that is not: dim, unless it is grey. */
const char *la_style_presumed(unsigned int state);

/* Colour of a close by its reason. */
const char *la_style_close(unsigned int reason);

#endif
