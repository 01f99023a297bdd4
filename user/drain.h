/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.h - the end of tracking: what waits is read, what is open is closed. For the verbs.
 */
#ifndef LA_USER_DRAIN_H
#define LA_USER_DRAIN_H

#include "events.h"
#include "loader.h"

/* Hands on all that waits in the ring. Returns 0, or -errno as la_events_drain() does. */
int la_drain_ring(struct la_events *events);

/* Tells the sinks what the programs have counted as lost. */
void la_drain_losses(const struct la_loader *loader, struct la_events *events);

/*
 * Closes what is open, with reason shutdown, and hands on the records. Detach first, or new flows
 * appear meanwhile. Returns 0, or -errno as la_events_drain() does.
 */
int la_drain_flows(struct la_loader *loader, struct la_events *events);

#endif
