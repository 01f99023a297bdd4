/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h - one interface and what hangs on it. For attach.c, and keep.c if it is to persist.
 */
#ifndef LA_USER_PLACE_H
#define LA_USER_PLACE_H

#include "clsact.h"
#include "netdev.h"
#include "persist.h"

enum la_place_state {
	LA_PLACE_ATTACHED,
	LA_PLACE_REFUSED, /* the reason has been said */
	LA_PLACE_GONE,	  /* only its name is still of use, for records that come late */
};

struct la_place {
	struct la_netdev dev;
	enum la_place_state state;
	int xdp;    /* link, or -1 */
	int tcx[2]; /* links by enum la_direction, or -1 */
	struct la_clsact clsact;
	struct la_persist_place *kept; /* NULL: it does not persist */
};

#endif
