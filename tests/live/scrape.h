/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrape.h - what the lastack at a host says on /metrics, held against the truth.
 */
#ifndef LA_LIVE_SCRAPE_H
#define LA_LIVE_SCRAPE_H

#include "lab.h"
#include <stddef.h>

struct la_series {
	const char *series; /* as it stands before the space */
	double is;
};

/*
 * Waits until all of them are so: an ACK may be on its way, or a record, when a talk is over.
 * Ends the test if they do not become so.
 */
void la_scrape_until(struct la_lab *lab, enum la_lab_host host, const struct la_series *truth,
		     size_t count);

/* Is this text what Prometheus wants to read? */
bool la_scrape_is_right(const char *text);

#endif
