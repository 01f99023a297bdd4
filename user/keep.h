/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep.h - what hangs on an interface, kept by the state and the pins of persist.h.
 *
 * A place is noted before anything is attached and struck out after all is off, so that nothing
 * is ever attached that the state does not know. Links keep themselves, by a pin; clsact filters
 * stay anyway, and are found again by their programs. attach.c keeps, `status` looks.
 */
#ifndef LA_USER_KEEP_H
#define LA_USER_KEEP_H

#include "place.h"

/* The note of an interface that is attached, or NULL. */
struct la_persist_place *la_keep_find(const struct la_persist *persist, int ifindex);

/* Notes an interface that is about to be attached. NULL: there are too many. */
struct la_persist_place *la_keep_begin(const struct la_persist *persist,
				       const struct la_netdev *dev, int choice);

/* Notes a clsact filter that is about to be added with this program. */
void la_keep_note_filter(struct la_place *place, enum la_direction direction, int prog_fd);

/* Fills in the links and filters that an earlier process has left on place->kept. */
void la_keep_take(const struct la_persist *persist, struct la_place *place);

/* Closes the links; what is pinned or attached stays. */
void la_keep_close(struct la_place *place);

/* Pins the links. Returns 0 or -errno. */
int la_keep_pin(struct la_persist *persist, const struct la_place *place);

/* Takes the links off the interface and unpins them. */
void la_keep_unpin(struct la_persist *persist, const struct la_place *place);

/* Notes that nothing is attached any more. */
void la_keep_forget(struct la_place *place);

#endif
