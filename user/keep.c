/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep.c - see keep.h.
 */
#include "keep.h"
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The links of a place, and what their pins are called. */
enum { LINKS = 3 };
static const char *const link_words[LINKS] = {"xdp", "ingress", "egress"};

static int link_of(const struct la_place *place, int which)
{
	return which == 0 ? place->xdp : place->tcx[which - 1];
}

static void set_link(struct la_place *place, int which, int fd)
{
	if (which == 0)
		place->xdp = fd;
	else
		place->tcx[which - 1] = fd;
}

static const char *link_name(const struct la_place *place, int which, char name[40])
{
	snprintf(name, 40, "%d_%s", place->dev.ifindex, link_words[which]);
	return name;
}

struct la_persist_place *la_keep_find(const struct la_persist *persist, int ifindex)
{
	struct la_persist_place *places = la_persist_state(persist)->places;

	for (int i = 0; i < LA_PERSIST_PLACES; i++)
		if (places[i].attached && places[i].ifindex == ifindex)
			return &places[i];
	return NULL;
}

/* The place of that interface, else one that was never used, else one that is not now. */
static struct la_persist_place *free_place(const struct la_persist *persist, int ifindex)
{
	struct la_persist_place *places = la_persist_state(persist)->places, *best = NULL;

	for (int i = 0; i < LA_PERSIST_PLACES; i++) {
		struct la_persist_place *place = &places[i];

		if (place->attached)
			continue;
		if (place->ifindex == ifindex)
			return place;
		if (!best || (!place->ifindex && best->ifindex))
			best = place;
	}
	return best;
}

struct la_persist_place *la_keep_begin(const struct la_persist *persist,
				       const struct la_netdev *dev, int choice)
{
	struct la_persist_place *kept = free_place(persist, dev->ifindex);

	if (!kept)
		return NULL;
	memset(kept, 0, sizeof(*kept));
	memcpy(kept->ifname, dev->name, sizeof(kept->ifname));
	kept->choice = (__u8)choice;
	kept->ifindex = dev->ifindex;
	__atomic_store_n(&kept->attached, 1, __ATOMIC_RELEASE);
	return kept;
}

void la_keep_note_filter(struct la_place *place, enum la_direction direction, int prog_fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (!place->kept->clsact)
		place->kept->qdisc = !la_clsact_exists(&place->clsact);
	place->kept->clsact = 1;
	if (!bpf_obj_get_info_by_fd(prog_fd, &info, &size))
		place->kept->filter_prog[direction] = info.id;
}

/* True if a link is on that interface; 0 is the index of one that has lost its interface. */
static bool is_on(int fd, int ifindex)
{
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);

	/* that of tcx is at the same place */
	return !bpf_obj_get_info_by_fd(fd, &info, &size) && (int)info.xdp.ifindex == ifindex;
}

void la_keep_take(const struct la_persist *persist, struct la_place *place)
{
	char name[40];

	for (int i = 0; i < LINKS; i++) {
		int fd = la_persist_get(persist, LA_PIN_LINK, link_name(place, i, name));

		if (fd >= 0 && is_on(fd, place->dev.ifindex))
			set_link(place, i, fd);
		else if (fd >= 0)
			close(fd);
	}
	if (!place->kept->clsact)
		return;
	place->clsact.made_qdisc = place->kept->qdisc;
	for (enum la_direction way = LA_INGRESS; way <= LA_EGRESS; way++)
		la_clsact_find(&place->clsact, way, place->kept->filter_prog[way]);
}

void la_keep_close(struct la_place *place)
{
	for (int i = 0; i < LINKS; i++) {
		if (link_of(place, i) >= 0)
			close(link_of(place, i));
		set_link(place, i, -1);
	}
}

int la_keep_pin(struct la_persist *persist, const struct la_place *place)
{
	char name[40];
	int err = 0;

	for (int i = 0; i < LINKS && !err; i++)
		if (link_of(place, i) >= 0)
			err = la_persist_put(persist, LA_PIN_LINK, link_name(place, i, name),
					     link_of(place, i));
	return err;
}

void la_keep_unpin(struct la_persist *persist, const struct la_place *place)
{
	char name[40];

	for (int i = 0; i < LINKS; i++) {
		if (link_of(place, i) >= 0) /* the kernel lets go of what was pinned only later */
			bpf_link_detach(link_of(place, i));
		la_persist_drop(persist, LA_PIN_LINK, link_name(place, i, name));
	}
}

void la_keep_forget(struct la_place *place)
{
	__atomic_store_n(&place->kept->attached, 0, __ATOMIC_RELEASE);
	place->kept = NULL;
}
