/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.h - one plain connection for tests that count: open, send so much, close in order.
 *
 * The stories are about states; this is about amounts. Errors are said on stderr.
 */
#ifndef LA_LIVE_TALK_H
#define LA_LIVE_TALK_H

#include "lab.h"

/* One end: which host's namespace, and the address there. */
struct la_talk_end {
	enum la_lab_host host;
	struct la_lab_addr at;
};

/*
 * Connects `client` to `server`, sends `bytes` to the server, which acknowledges with one
 * byte; the client closes, then the server. Returns when both have seen the end, or false
 * after some seconds without progress.
 */
bool la_talk(struct la_lab *lab, const struct la_talk_end *client, const struct la_talk_end *server,
	     unsigned long long bytes);

#endif
