/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch.h - asks a web server on a host's loopback: lastack, Prometheus, a browser's driver.
 *
 * HTTP/1.1, one request a connection. Errors are said on stderr.
 */
#ifndef LA_LIVE_FETCH_H
#define LA_LIVE_FETCH_H

#include "lab.h"
#include <jansson.h>

struct la_fetched {
	int status; /* 0: no answer */
	char *head; /* of the answer; empty without one */
	char *body; /* not NULL; free both with la_fetched_free() */
};

/* body NULL: a GET, else a POST of JSON; "" too. header: one more line without its end, or NULL. */
struct la_fetched la_fetch(struct la_lab *lab, enum la_lab_host host, unsigned short port,
			   const char *path, const char *header, const char *body);

void la_fetched_free(struct la_fetched *fetched);

/* The body of a GET as JSON; NULL: no answer, another status than 200, or no JSON. */
json_t *la_fetch_json(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		      const char *path);

/* Opens a connection to the port and sends this; the socket, or -1. */
int la_fetch_open(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		  const char *request);

/* Waits until a GET of the path is answered with 200; false after so many ms. */
bool la_fetch_until_ok(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		       const char *path, int ms);

/* Escapes text for a query, in memory of malloc(). */
char *la_fetch_escape(const char *text);

#endif
