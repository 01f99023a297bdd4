/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enforce.c - see enforce.h.
 *
 * What a policy has done to a connection is remembered for as long as it goes on to match, by a
 * hash of both names: `was` is what the last walk found, `is` what this one has found so far.
 */
#include "enforce.h"
#include "challenges.h"
#include "clock.h"
#include "idset.h"
#include "la_snapshot.h"
#include "mark.h"
#include "options.h"
#include "resets.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From one walk to the next; but not more than a tenth of the time is spent walking. */
#define WALK_NS	    (200 * LA_MSEC_NS)
#define WALK_FACTOR 9

/* Flows between two breaths. */
#define BREATH 4096

/* The brake is heard again after so long. */
#define BRAKE_TOLD_NS (60 * LA_SEC_NS)

struct la_enforce {
	struct la_sink sink; /* first */
	struct la_enforce_opts opts;
	const struct la_policies *policies; /* NULL: none yet */
	struct la_bucket rates[LA_POLICIES_MAX];
	struct la_resets *resets; /* NULL: nothing has to be sent */
	struct la_challenges challenges;
	struct la_bucket brake;
	__u64 brake_told, brake_held; /* ns; resets held back since then */
	struct victim {
		struct la_key key;
		__u64 id;
	} * victims; /* of kill, that wait for the brake */
	unsigned int victim_count;
	struct la_idset was, is;
	__u64 walk_at; /* ns */
	unsigned int walked;
	pthread_mutex_t lock; /* of what follows */
	struct la_policy_count counts[LA_ENFORCE_COUNTS_MAX];
	unsigned int count;
};

/* ---- counting and telling ---- */

/* With the lock. The last row is for whatever finds no row of its own. */
static struct la_policy_count *row_of(struct la_enforce *e, const char *policy, __u8 action)
{
	struct la_policy_count *row = e->counts;

	for (; row < e->counts + e->count; row++)
		if (row->action == action && !strcmp(row->policy, policy))
			return row;
	if (e->count == LA_ENFORCE_COUNTS_MAX)
		return row - 1;
	e->count++;
	strcpy(row->policy, policy);
	row->action = action;
	return row;
}

/* Counts one more; where: the offset of a number in struct la_policy_count. */
static void count_one(struct la_enforce *e, const char *policy, __u8 action, size_t where)
{
	pthread_mutex_lock(&e->lock);
	(*(__u64 *)((char *)row_of(e, policy, action) + where))++;
	pthread_mutex_unlock(&e->lock);
}

/* From 0, so that who reads the numbers sees the first action as an increase. */
static void begin_counting(struct la_enforce *e, const struct la_policy *policy)
{
	pthread_mutex_lock(&e->lock);
	row_of(e, policy->name, policy->action);
	pthread_mutex_unlock(&e->lock);
}

#define COUNT_ONE(e, policy, member)                                                               \
	count_one(e, (policy)->name, (policy)->action, offsetof(struct la_policy_count, member))

static void tell(struct la_enforce *e, const struct la_rec_policy *rec)
{
	count_one(e, rec->policy, rec->action,
		  offsetof(struct la_policy_count, results) + rec->result * sizeof(__u64));
	e->opts.tell(&rec->h, e->opts.ctx);
}

static void reset_is_over(const struct la_rec_policy *rec, void *ctx)
{
	tell(ctx, rec);
}

/* What is to be told of a policy and the connection of a record. */
static struct la_rec_policy record_of(const struct la_policy *policy, const struct la_rec *about,
				      __u64 now)
{
	const union la_any_rec *any = (const union la_any_rec *)about;
	struct la_rec_policy rec = {.h = *about, .action = policy->action};

	rec.h.type = LA_REC_POLICY;
	rec.h.ts = now;
	rec.h.seq += about->type != LA_REC_FLOW; /* that of the next one */
	strcpy(rec.policy, policy->name);
	if (about->type == LA_REC_STATE)
		memcpy(rec.state, any->state.state, 2);
	else if (about->type == LA_REC_RST)
		memcpy(rec.state, any->rst.state, 2);
	else
		for (int i = 0; i < 2; i++)
			rec.state[i] = any->flow.at.side[i].state;
	return rec;
}

/* ---- what a policy does ---- */

static void brake_holds(struct la_enforce *e, __u64 now)
{
	e->brake_held++;
	if (e->brake_told && now - e->brake_told < BRAKE_TOLD_NS)
		return;
	fprintf(stderr,
		"lastack: policies: the brake holds resets back (max-resets-per-second: %llu), "
		"%llu times so far\n",
		(unsigned long long)e->policies->max_resets, (unsigned long long)e->brake_held);
	e->brake_told = now;
}

/* May this policy act on a connection now? */
static bool may(struct la_enforce *e, const struct la_policy *policy, __u64 now)
{
	if (!la_bucket_take(&e->rates[policy - e->policies->list], now)) {
		COUNT_ONE(e, policy, over_rate);
		return false;
	}
	if (policy->action != LA_ACTION_RESET || policy->dry_run || la_bucket_take(&e->brake, now))
		return true;
	COUNT_ONE(e, policy, braked);
	brake_holds(e, now);
	return false;
}

static void fail(struct la_rec_policy *rec, int err)
{
	rec->result = LA_RESULT_FAILED;
	snprintf(rec->detail, sizeof(rec->detail), "%s", strerror(-err));
}

static int do_log(struct la_enforce *e, const struct la_policy *policy,
		  const struct la_rec_policy *rec, __u64 now)
{
	(void)e, (void)policy, (void)rec, (void)now;
	return 0;
}

static int do_expire(struct la_enforce *e, const struct la_policy *policy,
		     const struct la_rec_policy *rec, __u64 now)
{
	(void)policy, (void)now;
	return la_loader_act(e->opts.loader, &rec->h.key, rec->h.id, LA_ACT_EXPIRE, 0, NULL);
}

static int do_reset(struct la_enforce *e, const struct la_policy *policy,
		    const struct la_rec_policy *rec, __u64 now)
{
	(void)policy;
	return la_resets_begin(e->resets, rec, now);
}

static int do_drop(struct la_enforce *e, const struct la_policy *policy,
		   const struct la_rec_policy *rec, __u64 now)
{
	(void)policy, (void)now;
	return la_mark(e->opts.loader, &rec->h, 0, LA_P_DROP, NULL);
}

static int do_timeouts(struct la_enforce *e, const struct la_policy *policy,
		       const struct la_rec_policy *rec, __u64 now)
{
	(void)now;
	return la_mark(e->opts.loader, &rec->h, LA_P_TIMEOUTS, policy->table, NULL);
}

/* Each returns 0 or -errno. */
static int (*const doing[LA_ACTION_MAX])(struct la_enforce *, const struct la_policy *,
					 const struct la_rec_policy *, __u64 now) = {
	[LA_ACTION_LOG] = do_log,	    [LA_ACTION_EXPIRE] = do_expire,
	[LA_ACTION_RESET] = do_reset,	    [LA_ACTION_DROP] = do_drop,
	[LA_ACTION_TIMEOUTS] = do_timeouts,
};

/* Does it. True if something can be told of it now. */
static bool carry_out(struct la_enforce *e, const struct la_policy *policy,
		      struct la_rec_policy *rec, __u64 now)
{
	int err;

	rec->result = policy->dry_run ? LA_RESULT_DRY_RUN : LA_RESULT_DONE;
	if (policy->dry_run)
		return true;
	err = doing[policy->action](e, policy, rec, now);
	if (err == -ENOENT || err == -EALREADY) /* it has ended of itself, or soon will */
		return false;
	if (err)
		fail(rec, err);
	return err || policy->action != LA_ACTION_RESET;
}

/* True if no policy behind this one need be asked: something has been done to the connection. */
static bool act_on(struct la_enforce *e, const struct la_policy *policy, const struct la_rec *about,
		   __u64 now)
{
	struct la_rec_policy rec = record_of(policy, about, now);

	if (carry_out(e, policy, &rec, now))
		tell(e, &rec);
	return !policy->dry_run && policy->action != LA_ACTION_LOG;
}

static bool is_protected(struct la_enforce *e, const struct la_policy *policy,
			 const struct la_rec *rec)
{
	if (policy->action == LA_ACTION_LOG || !la_policies_protects(e->policies, rec))
		return false;
	COUNT_ONE(e, policy, protected);
	return true;
}

/* ---- policies that wait for time to pass ---- */

static __u64 name_of(const struct la_policy *policy, __u64 id)
{
	for (const char *c = policy->name; *c; c++)
		id = la_mix(id, (__u8)*c);
	return id;
}

/* True if something has been done to the connection, now or before. */
static bool walk_policy(struct la_enforce *e, const struct la_policy *policy,
			const struct la_rec *rec, __u64 now)
{
	__u64 name = name_of(policy, rec->id);
	bool acts = !policy->dry_run && policy->action != LA_ACTION_LOG;

	if (la_idset_has(&e->was, name)) {
		la_idset_add(&e->is, name);
		return acts;
	}
	if (is_protected(e, policy, rec)) {
		la_idset_add(&e->is, name); /* counted once */
		return false;
	}
	if (!may(e, policy, now))
		return acts; /* its turn will come */
	la_idset_add(&e->is, name);
	return act_on(e, policy, rec, now);
}

static int breathe(struct la_enforce *e)
{
	if (++e->walked % BREATH == 0)
		e->opts.breathe(e->opts.ctx);
	return 0;
}

static int walk_flow(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct la_enforce *e = ctx;
	const struct la_rec *h = &rec->at.h;

	breathe(e);
	for (unsigned int i = 0; i < e->policies->count; i++) {
		const struct la_policy *policy = &e->policies->list[i];

		if (policy->when == LA_WHEN_TIME && !la_ended(flow) &&
		    la_policy_matches(policy, h) && walk_policy(e, policy, h, h->ts))
			break;
	}
	return 0;
}

static bool waits_for(const struct la_policies *policies, enum la_policy_when when)
{
	for (unsigned int i = 0; policies && i < policies->count; i++)
		if (policies->list[i].when == when)
			return true;
	return false;
}

static void walk(struct la_enforce *e)
{
	const struct la_table table = la_loader_table(e->opts.loader);
	__u64 begun = la_monotonic_ns(), ended;

	if (!la_table_each(&table, walk_flow, e)) {
		la_idset_free(&e->was);
		e->was = e->is;
		e->is = (struct la_idset){0};
	}
	ended = la_monotonic_ns();
	e->walk_at = ended + WALK_NS + WALK_FACTOR * (ended - begun);
}

/* ---- policies that wait for an event ---- */

/* What the record does not tell, its connection may: as it stands in the table. */
static bool event_matches(struct la_enforce *e, const struct la_policy *policy,
			  const struct la_rec *rec)
{
	const struct la_table table = la_loader_table(e->opts.loader);
	struct la_rec_flow now;
	struct la_flow flow;

	if (la_filter_match(policy->match, rec))
		return true;
	if (la_loader_act(e->opts.loader, &rec->key, rec->id, LA_ACT_LOOK, 0, &flow))
		return false;
	la_record_flow(&now, &rec->key, &flow, &table.config, la_monotonic_ns());
	return la_filter_match(policy->match, &now.at.h);
}

static void take_event(struct la_enforce *e, const struct la_rec *rec)
{
	__u64 now = la_monotonic_ns();

	for (unsigned int i = 0; i < e->policies->count; i++) {
		const struct la_policy *policy = &e->policies->list[i];

		if (la_policy_triggers(policy, rec) && event_matches(e, policy, rec) &&
		    !is_protected(e, policy, rec) && may(e, policy, now) &&
		    act_on(e, policy, rec, now))
			return;
	}
}

/* ---- RSTs that the RST policy has dropped ---- */

static const struct la_policy by_rst_policy = {.name = LA_POLICY_RSTS,
					       .action = LA_ACTION_CHALLENGE};

static void challenge(struct la_enforce *e, const struct la_rec *rec)
{
	__u64 now = la_monotonic_ns();
	struct la_rec_policy told = record_of(&by_rst_policy, rec, now);
	int err;

	if (la_policies_protects(e->policies, rec))
		return;
	err = la_challenges_answer(&e->challenges, e->opts.loader, la_resets_sender(e->resets),
				   (const struct la_rec_rst *)rec, now, &told);

	if (err == -EBUSY)
		COUNT_ONE(e, &by_rst_policy, over_rate);
	if (err == -EBUSY || err == -ENOENT)
		return;
	told.result = LA_RESULT_DONE;
	if (err)
		fail(&told, err);
	tell(e, &told);
}

/* ---- from the beginning: protection, timeouts ---- */

/* The first policy that gives this connection timeouts, or NULL. */
static const struct la_policy *timeouts_of(const struct la_enforce *e, const struct la_rec *rec)
{
	for (unsigned int i = 0; i < e->policies->count; i++) {
		const struct la_policy *policy = &e->policies->list[i];

		if (policy->when == LA_WHEN_START && la_policy_matches(policy, rec))
			return policy;
	}
	return NULL;
}

static void begins(struct la_enforce *e, const struct la_rec *rec)
{
	const struct la_policy *policy = timeouts_of(e, rec);
	__u64 now = la_monotonic_ns();

	if (e->policies->judges && la_policies_protects(e->policies, rec))
		la_mark(e->opts.loader, rec, 0, LA_P_GUARDED, NULL);
	if (policy && !is_protected(e, policy, rec) && may(e, policy, now))
		act_on(e, policy, rec, now);
}

/* ---- after a change ---- */

/* What would be laid upon a connection if it began now. */
static __u8 begun_with(const struct la_enforce *e, const struct la_rec *rec, bool protected)
{
	const struct la_policy *policy;

	if (protected)
		return e->policies->judges ? LA_P_GUARDED : 0;
	policy = timeouts_of(e, rec);
	return policy && !policy->dry_run ? policy->table : 0;
}

/* What no policy of now can have laid upon a connection, besides timeouts. */
static __u8 outdated(const struct la_enforce *e)
{
	bool drops = la_policies_have(e->policies, LA_ACTION_DROP);
	bool resets = e->resets && la_resets_count(e->resets);

	return (__u8)((drops ? 0 : LA_P_DROP) | (resets ? 0 : LA_P_RESET));
}

/* Brings what is laid upon a connection in line with the policies. */
static int renew(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct la_enforce *e = ctx;
	const struct la_rec *h = &rec->at.h;
	bool protected = la_policies_protects(e->policies, h);
	__u8 set = begun_with(e, h, protected), now = flow->policy;
	__u8 clear = LA_P_TIMEOUTS | LA_P_GUARDED | outdated(e) | (protected ? LA_P_DROP : 0);

	if (((now & ~clear) | set) != now)
		la_mark(e->opts.loader, h, clear, set, NULL);
	return breathe(e);
}

/* ---- by hand ---- */

static const struct la_policy by_hand = {.name = LA_POLICY_KILL, .action = LA_ACTION_RESET};

/* Begins to reset it. Returns NULL, or why not. */
static const char *begin_kill(struct la_enforce *e, const struct la_rec *flow, __u64 now)
{
	struct la_rec_policy rec = record_of(&by_hand, flow, now);

	if (la_policies_protects(e->policies, flow))
		return "it is protected";
	if (!e->resets)
		return "lastack may not send RSTs";
	switch (la_resets_begin(e->resets, &rec, now)) {
	case 0:
		return NULL;
	case -EALREADY:
		return "it is being reset already";
	default:
		return "it has just ended of itself";
	}
}

static void kill_one(struct la_enforce *e, const struct victim *victim, __u64 now)
{
	const struct la_table table = la_loader_table(e->opts.loader);
	struct la_rec_flow rec = {.at.h = {.v = LA_ABI_VERSION,
					   .type = LA_REC_FLOW,
					   .key = victim->key,
					   .id = victim->id}};
	const char *why = "it has just ended of itself";
	struct la_rec_policy failed;
	struct la_flow flow;

	if (!la_loader_act(e->opts.loader, &victim->key, victim->id, LA_ACT_LOOK, 0, &flow)) {
		la_record_flow(&rec, &victim->key, &flow, &table.config, now);
		why = begin_kill(e, &rec.at.h, now);
	}
	if (!why)
		return;
	failed = record_of(&by_hand, &rec.at.h, now);
	failed.result = LA_RESULT_FAILED;
	snprintf(failed.detail, sizeof(failed.detail), "%s", why);
	tell(e, &failed);
}

/* As many as the brake lets, the first first. */
static void kill_some(struct la_enforce *e, __u64 now)
{
	unsigned int done = 0;

	while (done < e->victim_count && la_bucket_take(&e->brake, now))
		kill_one(e, &e->victims[done++], now);
	e->victim_count -= done;
	memmove(e->victims, e->victims + done, e->victim_count * sizeof(*e->victims));
	if (e->victim_count) {
		COUNT_ONE(e, &by_hand, braked);
		brake_holds(e, now);
	}
}

void la_enforce_kill(struct la_enforce *e, const struct la_key *key, __u64 id)
{
	struct victim *victims = realloc(e->victims, (e->victim_count + 1) * sizeof(*e->victims));

	if (!victims)
		return;
	e->victims = victims;
	e->victims[e->victim_count++] = (struct victim){.key = *key, .id = id};
}

/* ---- outside ---- */

static void enforce_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct la_enforce *e = (struct la_enforce *)sink;

	if (!e->policies)
		return;
	if (e->policies->challenges && la_challenges_wants(rec))
		challenge(e, rec);
	if (!e->policies->count && !e->policies->judges)
		return;
	if (rec->type == LA_REC_STATE && !rec->seq)
		begins(e, rec);
	if (rec->type == LA_REC_STATE || rec->type == LA_REC_RST)
		take_event(e, rec);
}

struct la_enforce *la_enforce_new(const struct la_enforce_opts *opts)
{
	struct la_enforce *e = calloc(1, sizeof(*e));

	if (!e) {
		la_fail(LA_EXIT_RUNTIME, "cannot start", NULL, strerror(ENOMEM), NULL);
		return NULL;
	}
	e->opts = *opts;
	pthread_mutex_init(&e->lock, NULL);
	e->sink.record = enforce_record;
	return e;
}

int la_enforce_can(struct la_enforce *e, const struct la_policies *policies)
{
	bool needed = la_policies_send(policies);

	if (!e->resets) /* also for who kills by hand, and later it may be forbidden */
		e->resets = la_resets_new(e->opts.loader, needed, reset_is_over, e);
	return e->resets || !needed ? 0 : -1;
}

void la_enforce_policies(struct la_enforce *e, const struct la_policies *policies)
{
	const struct la_table table = la_loader_table(e->opts.loader);
	/* what an earlier process has left, or the policies before */
	bool any = !e->policies || e->policies->count || policies->count || policies->judges;

	e->policies = policies;
	e->brake = la_bucket_of(policies->max_resets, LA_SEC_NS, policies->max_resets);
	for (unsigned int i = 0; i < policies->count; i++) {
		e->rates[i] = policies->list[i].rate;
		begin_counting(e, &policies->list[i]);
	}
	if (policies->challenges)
		begin_counting(e, &by_rst_policy);
	if (any)
		la_table_each(&table, renew, e);
}

struct la_sink *la_enforce_sink(struct la_enforce *e)
{
	return &e->sink;
}

void la_enforce_follow(struct la_enforce *e)
{
	bool needed = la_policies_send(e->policies);

	if (e->resets) /* who only watches does not listen on a bridge */
		la_resets_follow(e->resets, needed ? e->opts.attach : NULL);
}

void la_enforce_tick(struct la_enforce *e, __u64 now)
{
	if (e->victim_count)
		kill_some(e, now);
	if (e->resets)
		la_resets_tick(e->resets, now);
	if (now >= e->walk_at && waits_for(e->policies, LA_WHEN_TIME))
		walk(e);
}

unsigned int la_enforce_counts(struct la_enforce *e, struct la_policy_count *rows, unsigned int max)
{
	unsigned int count;

	pthread_mutex_lock(&e->lock);
	count = e->count < max ? e->count : max;
	memcpy(rows, e->counts, count * sizeof(*rows));
	pthread_mutex_unlock(&e->lock);
	return count;
}

void la_enforce_end(struct la_enforce *e)
{
	e->policies = NULL;
	la_resets_free(e->resets);
	e->resets = NULL;
}

void la_enforce_free(struct la_enforce *e)
{
	if (!e)
		return;
	la_resets_free(e->resets);
	free(e->victims);
	la_idset_free(&e->was);
	la_idset_free(&e->is);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
