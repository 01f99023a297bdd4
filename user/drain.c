/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - see drain.h.
 */
#include "drain.h"
#include "clock.h"

/* Batches that empty the fullest ring buffer, and some more. */
#define RING_BATCHES 1000

int la_drain_ring(struct la_events *events)
{
	int taken = 1;

	for (int i = 0; i < RING_BATCHES && taken > 0; i++)
		taken = la_events_drain(events);
	return taken < 0 ? taken : 0;
}

void la_drain_losses(const struct la_loader *loader, struct la_events *events)
{
	struct la_counters sum;

	if (!la_loader_counters(loader, &sum))
		la_events_lost(events, sum.lost, la_monotonic_ns());
}

/*
 * The ring may be too small for all at once, so by turns with draining; if nothing was closed
 * though the ring was empty, nothing ever will be.
 */
int la_drain_flows(struct la_loader *loader, struct la_events *events)
{
	__u64 before, flows = la_loader_flows(loader);
	int err;

	do {
		err = la_drain_ring(events);
		before = flows;
		if (err || la_loader_shutdown(loader))
			break;
		flows = la_loader_flows(loader);
	} while (flows && flows < before);
	if (!err)
		err = la_drain_ring(events);
	if (!err)
		la_drain_losses(loader, events);
	return err;
}
