/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enforce.h - carries out policies, and sees to it that they do not do more than they may.
 *
 * Walks through the table for policies that wait for time to pass, and takes records for those
 * that wait for an event. Asked before anything is done to a connection: is it protected, has
 * the policy done enough in this second, have all policies together (the brake on resets)?
 * What is done, or would have been, leaves a policy record.
 *
 * Time is an argument, ns of CLOCK_MONOTONIC.
 */
#ifndef LA_USER_ENFORCE_H
#define LA_USER_ENFORCE_H

#include "attach.h"
#include "policy.h"
#include "sink.h"

struct la_enforce;

/* Rows of counts: each name that there ever was, but no more than that. */
#define LA_ENFORCE_COUNTS_MAX (4 * LA_POLICIES_MAX)

/* What a policy has done since lastack was started, and what it was kept from. */
struct la_policy_count {
	char policy[LA_POLICY_NAME_SIZE];
	__u8 action;		      /* enum la_action */
	__u64 results[LA_RESULT_MAX]; /* by enum la_result */
	__u64 protected;	      /* connections that are protected */
	__u64 over_rate;	      /* looks at a connection at which it had no more rate */
	__u64 braked;		      /* the same of the brake */
};

struct la_enforce_opts {
	struct la_loader *loader;
	const struct la_attach *attach;
	/* A policy record. */
	void (*tell)(const struct la_rec *rec, void *ctx);
	/* Called in between when there is much to walk through: nothing else must wait for it. */
	void (*breathe)(void *ctx);
	void *ctx;
};

/* NULL: out of memory, which is on stderr. There are no policies yet. */
struct la_enforce *la_enforce_new(const struct la_enforce_opts *opts);

/*
 * Opens what these policies need to be carried out. Returns 0, or -1 with the reason on stderr;
 * nothing else changes.
 */
int la_enforce_can(struct la_enforce *enforce, const struct la_policies *policies);

/*
 * From now on these policies hold, for which la_enforce_can() was 0; they must live until the next
 * call. What has been done to a connection is not done again. All connections get timeouts anew,
 * and if no policy drops any more, or they are protected now, pass again.
 */
void la_enforce_policies(struct la_enforce *enforce, const struct la_policies *policies);

/* Takes the records of all connections. Owned by enforce. */
struct la_sink *la_enforce_sink(struct la_enforce *enforce);

/*
 * Both ends of this connection are to be reset by hand: when the brake lets it, unless it is
 * protected. What comes of it is a policy record with LA_POLICY_KILL for a name.
 */
void la_enforce_kill(struct la_enforce *enforce, const struct la_key *key, __u64 id);

/* To be called when interfaces have changed. */
void la_enforce_follow(struct la_enforce *enforce);

/* To be called several times a second. */
void la_enforce_tick(struct la_enforce *enforce, __u64 now);

/* What has been done, a row a policy, at most max. Returns how many. For any thread. */
unsigned int la_enforce_counts(struct la_enforce *enforce, struct la_policy_count *rows,
			       unsigned int max);

/* Nothing is done any more, and resets under way are given up. */
void la_enforce_end(struct la_enforce *enforce);

/* NULL is allowed. */
void la_enforce_free(struct la_enforce *enforce);

#endif
