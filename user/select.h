/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.h - which interfaces are watched: those that are named, those that match.
 *
 * Interfaces come and go. One that was named and comes back is attached again; one that
 * appears and matches is attached as it appears. What is attached stays so under whatever
 * name it gets. Knows what is wanted; attach.h knows what is there.
 */
#ifndef LA_USER_SELECT_H
#define LA_USER_SELECT_H

#include "attach.h"
#include <regex.h>

#define LA_SELECT_NAMES_MAX 64

struct la_select {
	const char *names[LA_SELECT_NAMES_MAX]; /* by -i */
	unsigned int names_count;
	bool all;     /* every interface but loopback, which can be named besides */
	bool pattern; /* every interface whose whole name matches regex */
	regex_t regex;
	enum la_hook_choice hook;
};

/* One more name, which must live as long as this. Returns 0, or -1 with the reason in err. */
int la_select_name(struct la_select *select, const char *name, char *err, size_t err_size);

/*
 * The pattern: a POSIX extended regular expression, which must match the whole name. Returns 0,
 * or -1 with the reason in err.
 */
int la_select_regex(struct la_select *select, const char *regex, char *err, size_t err_size);

/*
 * Is anything selected? If not, that is a usage error. Returns 0, or -1 with the reason on
 * stderr. Likewise those below.
 */
int la_select_check(const struct la_select *select);

/*
 * The programs that the interfaces will need, bits 1 << enum la_prog: for each name the kind
 * of interface that there is now, for a choice of interfaces, or if others may be selected
 * later, any kind. Names must exist.
 */
int la_select_needs(const struct la_select *select, bool later, __u32 *progs);

/*
 * Attaches for the first time. A name that cannot be attached is an error; of the others
 * those that cannot are told and left out, unless none can.
 */
int la_select_start(const struct la_select *select, struct la_attach *attach);

/*
 * Brings what is attached in line with what is there now; to be called when interfaces have
 * changed. Everything that happens is told on stderr, and one failure stops nothing.
 */
void la_select_follow(const struct la_select *select, struct la_attach *attach);

/*
 * Another selection takes the place of the one that was: attaches to what it adds, then takes
 * off what it leaves out. A name that is new and cannot be attached is an error; then
 * everything is as it was before.
 */
int la_select_change(const struct la_select *was, const struct la_select *now,
		     struct la_attach *attach);

/* Frees the pattern. */
void la_select_free(struct la_select *select);

#endif
