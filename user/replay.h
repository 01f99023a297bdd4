/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - captures (pcap, pcapng) as a source of packets for an engine.
 *
 * Owns the reading of a file through libpcap, the stripping of the link headers that
 * la_parse.h does not know, and the look at checksums (checksum.h). Used by cmd_replay.c, the tests
 * and the fuzzer.
 */
#ifndef LA_USER_REPLAY_H
#define LA_USER_REPLAY_H

#include "engine.h"
#include "progress.h"
#include <stdio.h>

struct la_replay {
	struct la_engine *engine; /* takes the packets */
	/* Asked after each packet; true ends the reading without an error. May be NULL. */
	bool (*stop)(void *ctx);
	void *stop_ctx;
	struct la_progress *progress; /* told how many bytes are read; or NULL */
	bool no_checksums;	      /* believe packets whatever their checksums say */
	bool as_captured; /* each packet counts as one, whatever offloads put together */

	__u64 packets; /* read so far, from all files */
	/* The last error: what failed and why, in the words of la_fail(). */
	const char *what;
	char why[320];
	const char *todo; /* NULL: nothing to advise */
};

/*
 * Feeds all packets of an open capture to the engine; closes `file`, except stdin. Link types
 * EN10MB, RAW, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, NULL, LOOP; either byte order; times in
 * us or ns.
 * Returns 0, or -1 with what, why and todo set; the packets before the error were fed.
 */
int la_replay_stream(struct la_replay *replay, FILE *file);

/* The same for a file by its name; `-` is stdin. */
int la_replay_file(struct la_replay *replay, const char *path);

#endif
