/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_server.h - the daemon's end of the control socket (control.h).
 *
 * Requests are answered by a thread of its own, so that a stdout that nobody reads keeps no
 * client waiting. Records come by a sink; a client that does not read fast enough loses records
 * of its own, which are counted and told to it (type lost, source client), and slows nobody.
 */
#ifndef LA_USER_CONTROL_SERVER_H
#define LA_USER_CONTROL_SERVER_H

#include "control.h"
#include "filter.h"
#include "loader.h"
#include "sink.h"

struct la_control_server;

struct la_control_server_opts {
	const char *path; /* of the socket */
	bool asked;	  /* somebody asked for it: not to get it is an error */
	const struct la_loader *loader;
	struct la_owners *owners; /* whose maps are passed on, too; or NULL */
	/* Names of interfaces for the filters of who watches; called by who feeds the sink. */
	la_filter_ifname_fn ifname;
	void *ifname_ctx;
};

/*
 * Takes the place of a socket that nobody listens at any more, never of one where somebody does.
 * If it cannot be had and nobody asked for it, says so and serves nobody. NULL: it failed, and
 * why is on stderr.
 */
struct la_control_server *la_control_server_open(const struct la_control_server_opts *opts);

/*
 * Begins to answer. Blocks no signal: call it when signals go where they should, for its thread
 * inherits their mask, as it does privileges. Returns 0, or -1 with the reason on stderr.
 */
int la_control_server_start(struct la_control_server *server);

/* Takes the records for those who watch; belongs to the server. */
struct la_sink *la_control_server_sink(struct la_control_server *server);

/* Gives each connection that a client wants to be reset to fn; for the thread of the sink. */
void la_control_server_kills(struct la_control_server *server,
			     void (*fn)(const struct la_control_conn *conn, void *ctx), void *ctx);

/* Lets all clients go and removes the socket. Before the loader is closed. NULL is allowed. */
void la_control_server_stop(struct la_control_server *server);

#endif
