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

static bool is_named(const struct la_select *select, const char *name)
{
	for (unsigned int i = 0; i < select->names_count; i++)
		if (!strcmp(select->names[i], name))
			return true;
	return false;
}

int la_select_name(struct la_select *select, const char *name, char *err, size_t err_size)
{
	if (is_named(select, name)) {
		snprintf(err, err_size, "%s (it was given twice)", name);
		return -1;
	}
	if (select->names_count == LA_SELECT_NAMES_MAX) {
		snprintf(err, err_size,
			 "too many interfaces, %d is the most "
			 "(interface-regex selects any number)",
			 LA_SELECT_NAMES_MAX);
		return -1;
	}
	select->names[select->names_count++] = name;
	return 0;
}

int la_select_regex(struct la_select *select, const char *regex, char *err, size_t err_size)
{
	char why[200];
	int bad;

	if (select->pattern) {
		snprintf(err, err_size, "%s (it was given twice, join them: A|B)", regex);
		return -1;
	}
	bad = regcomp(&select->regex, regex, REG_EXTENDED);
	if (bad) {
		regerror(bad, &select->regex, why, sizeof(why));
		snprintf(err, err_size, "%s (%s)", regex, why);
		return -1;
	}
	select->pattern = true;
	return 0;
}

int la_select_check(const struct la_select *select)
{
	char todo[400] = "give one with -i; there are: ";

	if (!select->names_count && !select->all && !select->pattern) {
		la_netdev_names(todo + strlen(todo), sizeof(todo) - strlen(todo));
		return la_options_bad("-i", "no interface", todo);
	}
	return 0;
}

int la_select_needs(const struct la_select *select, bool later, __u32 *progs)
{
	static const struct la_netdev kinds[] = {{.ethernet = true}, {.ethernet = false}};
	struct la_netdev dev;

	*progs = 0;
	for (unsigned int i = 0; i < select->names_count; i++) {
		if (la_netdev_find(select->names[i], &dev))
			return -1;
		*progs |= la_attach_needs(&dev, select->hook);
	}
	for (size_t i = 0; (later || select->all || select->pattern) && i < 2; i++)
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

/* Is an interface that exists selected, by whatever? */
static bool wants(const struct la_select *select, const struct la_netdev *dev)
{
	struct la_netdev named;

	for (unsigned int i = 0; i < select->names_count; i++)
		if (!la_netdev_look(select->names[i], &named) && named.ifindex == dev->ifindex)
			return true;
	return is_chosen(select, dev);
}

/*
 * Takes off what one selection wants and the other does not. What neither wants has changed its
 * name since it was attached, and stays.
 */
static void drop(const struct la_select *was, const struct la_select *now, struct la_attach *attach)
{
	struct if_nameindex *all = if_nameindex();
	struct la_netdev dev;

	for (size_t i = 0; all && all[i].if_index; i++)
		if (la_attach_knows(attach, (int)all[i].if_index) &&
		    !la_netdev_look(all[i].if_name, &dev) && wants(was, &dev) && !wants(now, &dev))
			la_attach_drop(attach, dev.ifindex);
	if (all)
		if_freenameindex(all);
}

int la_select_change(const struct la_select *was, const struct la_select *now,
		     struct la_attach *attach)
{
	int added[LA_SELECT_NAMES_MAX];
	unsigned int count = 0;
	struct la_netdev dev;

	for (unsigned int i = 0; i < now->names_count; i++) {
		if (is_named(was, now->names[i]))
			continue; /* it may be away and come back */
		if (la_netdev_find(now->names[i], &dev))
			goto undo;
		if (la_attach_has(attach, dev.ifindex))
			continue;
		if (la_attach_add(attach, &dev, now->hook))
			goto undo;
		added[count++] = dev.ifindex;
	}
	attach_chosen(now, attach);
	drop(was, now, attach);
	return 0;
undo:
	while (count)
		la_attach_drop(attach, added[--count]);
	return -1;
}

void la_select_free(struct la_select *select)
{
	if (select->pattern)
		regfree(&select->regex);
}
