/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truth.h - asks the kernels at both ends in which state a connection is.
 *
 * What lastack says of an endpoint is right when that host's own `ss` says so. This is the
 * same question by the same door: sock_diag(7), for one connection, in that host's namespace.
 */
#ifndef LA_LIVE_TRUTH_H
#define LA_LIVE_TRUTH_H

#include "la_names.h"
#include "lab.h"

/*
 * The state of `host`'s end of the connection between the client's and the server's port
 * (host byte order). LA_CLOSED if that host knows nothing of it, LA_LISTEN if it would take
 * a new one there, LA_NO_STATE if the kernel could not be asked.
 */
enum la_state la_truth_state(struct la_lab *lab, enum la_lab_host host, int family,
			     unsigned short client_port, unsigned short server_port);

#endif
