/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prometheus.h - a real Prometheus on a host's loopback that scrapes the lastack there.
 *
 * Its data lies in a tmpfs that goes with it. Errors end the test.
 */
#ifndef LA_LIVE_PROMETHEUS_H
#define LA_LIVE_PROMETHEUS_H

#include "lab.h"
#include <jansson.h>

struct la_prometheus;

/*
 * Starts it, with the rules of dist/ and a scrape of 127.0.0.1:9464 four times a second.
 * scrape: more of how to scrape, as it stands between the braces of a flow of YAML, or "".
 */
struct la_prometheus *la_prometheus_new(struct la_lab *lab, enum la_lab_host host,
					const char *scrape);

/* What its API says at a path; free it. */
json_t *la_prometheus_ask(const struct la_prometheus *prometheus, const char *path);

/* The result of an instant query; NULL: it is none. Free it. */
json_t *la_prometheus_query(const struct la_prometheus *prometheus, const char *expr);

/* Waits until the one series of an expression has this value. */
void la_prometheus_until(const struct la_prometheus *prometheus, const char *expr, double wanted);

void la_prometheus_free(struct la_prometheus *prometheus);

#endif
