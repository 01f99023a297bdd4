/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.h - what a policy has laid upon one connection in the table, bit by bit.
 */
#ifndef LA_USER_MARK_H
#define LA_USER_MARK_H

#include "loader.h"

/*
 * Clears and sets bits of enum la_flow_policy of the connection of a record. If flow is not NULL
 * it is the flow as it is afterwards. Returns 0, -ENOENT if it is not there (any more), or another
 * -errno. One process at a time may do so: it reads before it writes.
 */
int la_mark(struct la_loader *loader, const struct la_rec *rec, __u8 clear, __u8 set,
	    struct la_flow *flow);

#endif
