/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.c - names and patterns against the interfaces that there are. See select.h.
 *
 * Always all is looked at, never a single message of rtnetlink believed: so it does not matter
 * whether one was lost, or how much has happened since it was sent.
 */
#include "select.h"
#include "options.h"
#include <errno.h>
#include <string.h>

int la_select_name(struct la_select *select, const char *name)
{
	if (select->names_count == LA_SELECT_NAMES_MAX)
		return la_fail(LA_EXIT_USAGE, "bad option", "-i",
			       "too many interfaces, 64 is the most",
			       "--interface-regex selects any number"),
		       -1;
	select->names[select->names_count++] = name;
	return 0;
}

int la_select_regex(struct la_select *select, const char *regex)
{
	static const char option[] = "--interface-regex";
	char why[200];
	int err;

	if (select->pattern)
		return la_fail(LA_EXIT_USAGE, "bad option", option, regex,
			       "it was given twice, join them: A|B"),
		       -1;
	err = regcomp(&select->regex, regex, REG_EXTENDED);
	if (err) {
		regerror(err, &select->regex, why, sizeof(why));
		return la_fail(LA_EXIT_USAGE, "bad option", option, regex, why), -1;
	}
	select->pattern = true;
	return 0;
}

int la_select_check(const struct la_select *select)
{
	char todo[400] = "give one with -i; there are: ";

	if (!select->names_count && !select->all && !select->pattern) {
		la_netdev_names(todo + strlen(todo), sizeof(todo) - strlen(todo));
		return la_fail(LA_EXIT_USAGE, "bad option", "-i", "no interface", todo), -1;
	}
	for (unsigned int i = 1; i < select->names_count; i++)
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(select->names[i], select->names[j]))
				return la_fail(LA_EXIT_USAGE, "bad option", "-i", select->names[i],
					       "it was given twice"),
				       -1;
	return 0;
}

int la_select_needs(const struct la_select *select, __u32 *progs)
{
	static const struct la_netdev kinds[] = {{.ethernet = true}, {.ethernet = false}};
	struct la_netdev dev;

	*progs = 0;
	for (unsigned int i = 0; i < select->names_count; i++) {
		if (la_netdev_find(select->names[i], &dev))
			return -1;
		*progs |= la_attach_needs(&dev, select->hook);
	}
	for (size_t i = 0; (select->all || select->pattern) && i < 2; i++)
		*progs |= la_attach_needs(&kinds[i], select->hook);
	return 0;
}

/* The leftmost, longest match is the whole name, if any is. */
static bool matches(const struct la_select *select, const char *name)
{
	regmatch_t match;

	return select->pattern && !regexec(&select->regex, name, 1, &match, 0) && !match.rm_so &&
	       !name[match.rm_eo];
}

static bool is_chosen(const struct la_select *select, const struct la_netdev *dev)
{
	return (select->all && !dev->loopback) || matches(select, dev->name);
}

/*
 * Attaches what is chosen by something else than its name and is not known yet. False: there
 * was such an interface, and one at least was refused.
 */
static bool attach_chosen(const struct la_select *select, struct la_attach *attach)
{
	struct if_nameindex *all = if_nameindex();
	struct la_netdev dev;
	bool ok = true;

	for (size_t i = 0; all && all[i].if_index; i++)
		if (!la_attach_knows(attach, (int)all[i].if_index) &&
		    !la_netdev_look(all[i].if_name, &dev) && is_chosen(select, &dev) &&
		    la_attach_add(attach, &dev, select->hook))
			ok = false;
	if (all)
		if_freenameindex(all);
	return ok;
}

int la_select_start(const struct la_select *select, struct la_attach *attach)
{
	struct la_netdev dev;

	for (unsigned int i = 0; i < select->names_count; i++) {
		if (la_netdev_find(select->names[i], &dev))
			return -1;
		if (la_attach_knows(attach, dev.ifindex))
			return la_fail(LA_EXIT_RUNTIME, "cannot attach", select->names[i],
				       "it is another name of an interface that was given", NULL),
			       -1;
		if (la_attach_add(attach, &dev, select->hook))
			return -1;
	}
	return attach_chosen(select, attach) || la_attach_count(attach) ? 0 : -1;
}

void la_select_follow(const struct la_select *select, struct la_attach *attach)
{
	struct la_netdev dev;

	la_attach_check(attach);
	for (unsigned int i = 0; i < select->names_count; i++)
		if (!la_netdev_look(select->names[i], &dev) &&
		    !la_attach_knows(attach, dev.ifindex))
			la_attach_add(attach, &dev, select->hook);
	attach_chosen(select, attach);
}

void la_select_free(struct la_select *select)
{
	if (select->pattern)
		regfree(&select->regex);
}
