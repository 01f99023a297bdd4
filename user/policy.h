/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - what policies are: which connections, when, and what is to become of them.
 *
 * Knows the words of a policy and what a record has to do with it; config.h reads them from the
 * file, enforce.h carries them out. Filters are asked of records, so a policy is nothing that a
 * user of `lastack list` could not try out before.
 */
#ifndef LA_USER_POLICY_H
#define LA_USER_POLICY_H

#include "bucket.h"
#include "filter.h"

#define LA_POLICIES_MAX 64
#define LA_PROTECT_MAX	64

/* Who acts by hand, in place of a policy's name; no policy has it. */
#define LA_POLICY_KILL "kill"

/* The same of what `rst-policy` does. */
#define LA_POLICY_RSTS "rst-policy"

/* Resets a second, all policies together, unless told otherwise. */
#define LA_MAX_RESETS_DEFAULT 100

/* When a policy looks at a connection. */
enum la_policy_when {
	LA_WHEN_TIME = 0,   /* all the time: as soon as `match` and `condition` are true */
	LA_WHEN_TRANSITION, /* when an endpoint enters one of the states */
	LA_WHEN_RST,	    /* when there is a RST with one of the verdicts */
	LA_WHEN_START,	    /* when it begins: action timeouts */
};

struct la_policy {
	char name[LA_POLICY_NAME_SIZE];
	struct la_filter *match;
	enum la_policy_when when;
	struct la_filter *condition; /* LA_WHEN_TIME; NULL: always */
	__u32 words; /* bits 1 << enum la_state or enum la_rst_verdict; 0: any of them */
	enum la_action action;
	struct la_bucket rate;
	bool dry_run;
	__u64 timeout[LA_TIMEOUT_MAX]; /* action timeouts, ns; 0: as it is elsewhere */
	__u8 table;		       /* action timeouts: which of la_config.timeouts, from 1 */
};

struct la_policies {
	struct la_policy *list; /* in the order in which they are asked */
	unsigned int count;
	struct la_filter *protect[LA_PROTECT_MAX]; /* negated: true of what is not protected */
	unsigned int protect_count;
	struct la_guards guards; /* those of them that the kernel can ask */
	__u64 max_resets;	 /* a second */
	bool judges;		 /* there is a rst-policy: what is protected has to be marked */
	bool challenges;	 /* rst-policy challenge: dropped RSTs are answered */
};

/* No policies, and the protection that there is by default; none at all: there was no memory. */
void la_policies_init(struct la_policies *policies);

/* The keys of a policy, NULL behind the last one. */
extern const char *const la_policy_keys[];

/* The key that holds lines of `NAME: VALUE`, each of which is set as NAME=VALUE. */
#define LA_POLICY_MAP "timeouts"

/*
 * Sets one key of a policy, which was all zeros at first. Returns 0, or -1 with the reason in
 * err, which should have room for LA_FILTER_ERR_SIZE.
 */
int la_policy_set(struct la_policy *policy, const char *key, const char *text, char *err,
		  size_t err_size);

/* Is it whole, and does it make sense? Returns 0, or -1 with the reason in err. */
int la_policy_check(const struct la_policy *policy, char *err, size_t err_size);

/*
 * Adds a policy behind the others; what it owns is theirs from then on, also if it fails.
 * Returns 0, or -1 with the reason in err: there are too many, or one of that name.
 */
int la_policies_add(struct la_policies *policies, const struct la_policy *policy, char *err,
		    size_t err_size);

/*
 * Protects what the filter takes, or with `none` nothing any more but what is added.
 * Returns 0, or -1 with the reason in err.
 */
int la_policies_protect(struct la_policies *policies, const char *text, char *err, size_t err_size);

/* True if no policy may touch this connection. What a record does not tell protects it, too. */
bool la_policies_protects(const struct la_policies *policies, const struct la_rec *rec);

/*
 * Does the record (state or rst) set off a policy that waits for such? What `match` says of the
 * connection is another question.
 */
bool la_policy_triggers(const struct la_policy *policy, const struct la_rec *rec);

/* Is `match` true of the record, and with LA_WHEN_TIME the condition? */
bool la_policy_matches(const struct la_policy *policy, const struct la_rec *rec);

/* True if there is a policy with this action. */
bool la_policies_have(const struct la_policies *policies, enum la_action action);

/* True if what they do may send packets. */
bool la_policies_send(const struct la_policies *policies);

/* Fills the tables of timeouts from 1 on; table 0 is what is not said otherwise. */
void la_policies_timeouts(const struct la_policies *policies, struct la_config *cfg);

/* Says how the filters find names of interfaces, see filter.h. */
void la_policies_ifnames(struct la_policies *policies, la_filter_ifname_fn of, void *ctx);

/* The same for la_filter_owners(). */
void la_policies_owners(struct la_policies *policies, la_owners_fn of, void *ctx);

/* Frees what a policy owns. */
void la_policy_free(struct la_policy *policy);

/* Frees what they own. */
void la_policies_free(struct la_policies *policies);

#endif
