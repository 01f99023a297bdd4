/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web.h - what a running lastack serves by HTTP: metrics, health, connections, events, a page.
 *
 *   /metrics             metrics.h, in the form that the client asks for
 *   /healthz, /readyz    is it alive; does it watch any interface
 *   /api/flows           the connections of the table, a JSON line each; filter=, limit=
 *   /api/events          records as they happen, as server-sent events; filter=
 *   /                    the live page (user/page/)
 *
 * All of it reads and changes nothing. It is served by threads of its own, so neither a slow
 * client nor a stdout that nobody reads keeps the other waiting.
 */
#ifndef LA_USER_WEB_H
#define LA_USER_WEB_H

#include "breakdown.h"
#include "enforce.h"
#include "http.h"
#include "loader.h"
#include "options.h"

struct la_web_opts {
	struct la_listen listen;
	bool asked;	       /* somebody asked for this address: not to get it is an error */
	const char *auth_file; /* its first line is USER:PASSWORD; empty: nobody is asked */
	bool tls;	       /* encrypted, see la_http_opts */
	struct la_output_opts print; /* for events: clock and names of interfaces */
};

struct la_web;

/*
 * Listens, but answers nobody yet, and sets *opened. If the address was not asked for and cannot be
 * had, it says so and serves nothing. If it is not LA_EXIT_OK, why is on stderr.
 */
enum la_exit la_web_open(struct la_web **opened, const struct la_web_opts *opts);

/* Takes the records for /api/events; belongs to the web. */
struct la_sink *la_web_sink(struct la_web *web);

/*
 * Answers from now on, of what that loader has loaded, what those policies have done and how
 * connections ended (NULL: metrics do not tell them apart). Returns 0, or -1 with the reason.
 */
int la_web_start(struct la_web *web, const struct la_loader *loader, struct la_enforce *enforce,
		 struct la_breakdown *breakdown);

/* A sign of life of who calls it, a few times a second; ready: an interface is watched. */
void la_web_beat(struct la_web *web, __u64 now, bool ready);

/* Before the loader is closed. NULL is allowed. */
void la_web_close(struct la_web *web);

#endif
