/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * challenges.h - RSTs that `rst-policy challenge` keeps from their receivers, answered for them.
 *
 * The answer is the ACK by which the receiver itself would have asked (RFC 5961 3.2). It goes to
 * the host that the RST names, wherever the RST came from: who has no connection there answers
 * with a RST at exactly the number that is expected, who has one takes it for an ACK that came
 * twice, and a forger hears nothing of it.
 *
 * RFC 5961 7 wants a limit. That of a connection is its own, so that nobody learns by his what
 * becomes of another one; the limit of all together changes at random for the same reason
 * (CVE-2016-5696).
 */
#ifndef LA_USER_CHALLENGES_H
#define LA_USER_CHALLENGES_H

#include "loader.h"
#include "reset.h"

/* From one challenge of a connection to the next, as in Linux. */
#define LA_CHALLENGE_EVERY_NS (500 * LA_MSEC_NS)

/* Of all connections: between half of that and that, a second. */
#define LA_CHALLENGES_MAX 1000

#define LA_CHALLENGES_RECENT 1024 /* connections, a power of two: the latest takes the place */

/* All zeros at first. */
struct la_challenges {
	struct la_challenged {
		__u64 id;
		__u64 at; /* ns */
	} recent[LA_CHALLENGES_RECENT];
	__u64 second;
	unsigned int left; /* in that second */
};

/* Has the RST of this record been dropped though its receiver would have asked about it? */
bool la_challenges_wants(const struct la_rec *rec);

/* May this connection be asked about at time now? If so, it has had its turn. */
bool la_challenges_turn(struct la_challenges *challenges, __u64 id, __u64 now);

/*
 * Answers the RST of that record at time now, ns of CLOCK_MONOTONIC; told: whose detail says what
 * was sent. Returns 0, -EBUSY if that would be too many, -ENOENT if there is no such connection
 * (any more), or what the kernel said, -errno.
 */
int la_challenges_answer(struct la_challenges *challenges, struct la_loader *loader,
			 struct la_reset *reset, const struct la_rec_rst *rst, __u64 now,
			 struct la_rec_policy *told);

#endif
