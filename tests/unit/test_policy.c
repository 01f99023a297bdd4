/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_policy.c - what the keys of a policy say, what sets it off, and what is protected.
 */
#include "options.h"
#include "policy.h"
#include "records.h"
#include <criterion/criterion.h>
#include <stdlib.h>

/* A policy from keys and texts in turn, up to the first NULL. */
static struct la_policy policy_of(const char *const *words)
{
	struct la_policy policy = {0};
	char err[LA_FILTER_ERR_SIZE];

	for (; *words; words += 2)
		cr_assert_eq(la_policy_set(&policy, words[0], words[1], err, sizeof(err)), 0,
			     "%s: %s", words[0], err);
	return policy;
}

#define POLICY(...) policy_of((const char *const[]){__VA_ARGS__, NULL})

/* A record of 10.0.0.1:40000 with 10.0.0.2:443. */
static union la_any_rec record(enum la_record type)
{
	union la_any_rec rec = {0};
	struct talk t;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	rec.h = t.h;
	rec.h.type = (__u8)type;
	return rec;
}

Test(policy, keys_set_what_they_say)
{
	struct la_policy p =
		POLICY("name", "leak.1_a-b", "match", "dport 443", "when", "idle > 10m", "action",
		       "reset", "rate", "5/s burst 9", "dry-run", "true");
	char err[200];

	cr_expect_str_eq(p.name, "leak.1_a-b");
	cr_expect_eq(p.action, LA_ACTION_RESET);
	cr_expect_eq(p.when, LA_WHEN_TIME);
	cr_expect(p.match && p.condition && p.dry_run && p.rate.burst == 9);
	cr_expect_eq(la_policy_check(&p, err, sizeof(err)), 0, "%s", err);
	la_policy_free(&p);
}

Test(policy, wrong_values_are_refused)
{
	static const char *const rows[][3] = {
		{"name", "a b", "letters"},
		{"name", "0123456789012345678901234567890123", "letters"},
		{"match", "prot 80", "did you mean 'port'?"},
		{"when", "idel > 10m", "did you mean 'idle'?"},
		{"when", "transition close-wiat", "did you mean close-wait?"},
		{"when", "rst exact, in_windows", "did you mean in-window?"},
		{"action", "rest", "did you mean reset?"},
		{"rate", "fast", "so many a second"},
		{"dry-run", "perhaps", "none of: false true"},
		{"timeouts", "establish=5", "did you mean established?"},
		{"timeouts", "established=soon", "is not a duration"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_policy p = {0};
		char err[LA_FILTER_ERR_SIZE] = "";

		cr_expect_eq(la_policy_set(&p, rows[i][0], rows[i][1], err, sizeof(err)), -1);
		cr_expect(strstr(err, rows[i][2]), "%s %s: %s", rows[i][0], rows[i][1], err);
		la_policy_free(&p);
	}
}

Test(policy, a_part_that_is_missing_is_named)
{
	struct {
		struct la_policy policy;
		const char *why;
	} rows[] = {
		{POLICY("match", "tcp", "action", "log"), "no `name`"},
		{POLICY("name", "a", "action", "log"), "no `match`"},
		{POLICY("name", "a", "match", "tcp"), "no `action`"},
		{POLICY("name", "a", "match", "tcp", "action", "log", "timeouts", "established=5"),
		 "goes with"},
		{POLICY("name", "a", "match", "tcp", "action", "timeouts"), "needs `timeouts`"},
		{POLICY("name", "a", "match", "tcp", "action", "timeouts", "timeouts",
			"established=5", "when", "idle > 1"),
		 "has no `when`"},
		{POLICY("name", "a", "match", "tcp", "action", "drop", "when", "rst in-window"),
		 "`rst-policy` drops RSTs"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char err[200] = "";

		cr_expect_eq(la_policy_check(&rows[i].policy, err, sizeof(err)), -1);
		cr_expect(strstr(err, rows[i].why), "%s: %s", rows[i].why, err);
		la_policy_free(&rows[i].policy);
	}
}

Test(policy, events_set_it_off)
{
	struct la_policy any = POLICY("when", "transition"), rst = POLICY("when", "rst"),
			 two = POLICY("when", "transition close-wait, LAST_ACK"),
			 exact = POLICY("when", "rst exact"), time = POLICY("when", "age > 1");
	union la_any_rec state = record(LA_REC_STATE), reset = record(LA_REC_RST);

	state.state.to = LA_CLOSE_WAIT;
	cr_expect(la_policy_triggers(&any, &state.h) && la_policy_triggers(&two, &state.h));
	cr_expect(!la_policy_triggers(&rst, &state.h) && !la_policy_triggers(&time, &state.h));
	state.state.to = LA_TIME_WAIT;
	cr_expect(la_policy_triggers(&any, &state.h) && !la_policy_triggers(&two, &state.h));
	reset.rst.verdict = LA_RST_EXACT;
	cr_expect(la_policy_triggers(&rst, &reset.h) && la_policy_triggers(&exact, &reset.h));
	reset.rst.verdict = LA_RST_IN_WINDOW;
	cr_expect(la_policy_triggers(&rst, &reset.h) && !la_policy_triggers(&exact, &reset.h));
	cr_expect(!la_policy_triggers(&any, &reset.h));
	la_policy_free(&time); /* the others own nothing */
}

Test(policy, time_sets_it_off_when_both_filters_are_true)
{
	struct la_policy p = POLICY("match", "dport 443", "when", "idle > 10s");
	union la_any_rec rec = record(LA_REC_FLOW);

	rec.flow.at.duration_ns = 60 * LA_SEC_NS;
	rec.flow.at.heard_ns = 50 * LA_SEC_NS;
	cr_expect(!la_policy_matches(&p, &rec.h), "10 s are not more than 10 s");
	rec.flow.at.heard_ns--;
	cr_expect(la_policy_matches(&p, &rec.h));
	rec.h.key.port[!rec.h.orig] = la_hton16(80);
	cr_expect(!la_policy_matches(&p, &rec.h));
	la_policy_free(&p);
}

/* ---- all of them ---- */

static int add(struct la_policies *all, const char *name, const char *action, char *err,
	       size_t err_size)
{
	struct la_policy p = POLICY("name", name, "match", "tcp", "action", action);

	if (p.action == LA_ACTION_TIMEOUTS)
		p.timeout[LA_TIMEOUT_ESTABLISHED] = (__u64)(all->count + 1) * LA_SEC_NS;
	return la_policies_add(all, &p, err, err_size);
}

Test(policy, names_are_of_one_policy_and_tables_are_few)
{
	struct la_policies all;
	struct la_config cfg = {
		.timeout = {[LA_TIMEOUT_ESTABLISHED] = 77, [LA_TIMEOUT_TIME_WAIT] = 78}};
	char err[200], name[] = "a";

	la_policies_init(&all);
	cr_expect_eq(add(&all, "x", "log", err, sizeof(err)), 0);
	cr_expect_eq(add(&all, "x", "log", err, sizeof(err)), -1);
	cr_expect(strstr(err, "another policy of that name"), "%s", err);
	for (; *name < 'a' + LA_TIMEOUT_TABLES - 1; ++*name)
		cr_expect_eq(add(&all, name, "timeouts", err, sizeof(err)), 0);
	cr_expect_eq(add(&all, name, "timeouts", err, sizeof(err)), -1);
	cr_expect(strstr(err, "too many"), "%s", err);
	la_policies_timeouts(&all, &cfg);
	cr_expect_eq(cfg.timeouts[0][LA_TIMEOUT_ESTABLISHED], 77);
	cr_expect_eq(cfg.timeouts[1][LA_TIMEOUT_ESTABLISHED], 2 * LA_SEC_NS);
	cr_expect_eq(cfg.timeouts[1][LA_TIMEOUT_TIME_WAIT], 78);
	cr_expect_eq(cfg.timeouts[LA_TIMEOUT_TABLES - 1][LA_TIMEOUT_ESTABLISHED],
		     LA_TIMEOUT_TABLES * LA_SEC_NS);
	cr_expect(la_policies_have(&all, LA_ACTION_LOG) &&
		  !la_policies_have(&all, LA_ACTION_RESET));
	la_policies_free(&all);
}

/* ---- protection ---- */

static struct la_policies policies(const char *ssh)
{
	struct la_policies all;

	if (ssh)
		setenv("SSH_CONNECTION", ssh, 1);
	else
		unsetenv("SSH_CONNECTION");
	la_policies_init(&all);
	return all;
}

Test(policy, ssh_is_protected_by_default)
{
	struct la_policies all = policies(NULL), peer = policies("10.0.0.1 40000 10.0.0.2 2222"),
			   odd = policies("'");
	union la_any_rec rec = record(LA_REC_FLOW), ssh = record(LA_REC_STATE);

	ssh.h.key.port[!ssh.h.orig] = la_hton16(22);
	cr_expect(!la_policies_protects(&all, &rec.h) && la_policies_protects(&all, &ssh.h));
	cr_expect(la_policies_protects(&peer, &rec.h));
	cr_expect(all.guards.count == 1 && peer.guards.count == 2 && odd.guards.count == 1);
	cr_expect(!la_policies_protects(&odd, &rec.h) && la_policies_protects(&odd, &ssh.h));
	la_policies_free(&all);
	la_policies_free(&peer);
	la_policies_free(&odd);
}

/* What the programs can ask needs nobody else; the rest is marked when it is heard of. */
Test(policy, addresses_and_ports_are_guarded_in_the_kernel)
{
	static const struct {
		const char *text;
		__u8 addr[16], mask[16];
		__u16 low, high;
	} guards[] = {
		{"port 80-90", {0}, {0}, 80, 90},
		{"port > 1024", {0}, {0}, 1025, 65535},
		{"host fd00::1", {0xfd, [15] = 1}, {[0 ... 15] = 0xff}, 0, 65535},
		{"net 10.128.0.0/9",
		 {[10] = 0xff, 0xff, 10, 128},
		 {[0 ... 12] = 0xff, 0x80},
		 0,
		 65535},
	};
	static const char *const others[] = {
		"dport 80",	      "orig host 10.0.0.1", "not port 80", "port != 80",
		"port 80 or port 81", "net ::/0",	    "iface eth0",  "age > 1h"};
	struct la_policies all = policies(NULL);
	char err[LA_FILTER_ERR_SIZE];

	cr_assert_eq(all.guards.count, 1, "port 22");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		cr_expect_eq(la_policies_protect(&all, others[i], err, sizeof(err)), 0);
		cr_expect_eq(all.guards.count, 1, "%s", others[i]);
	}
	for (size_t i = 0; i < sizeof(guards) / sizeof(*guards); i++) {
		const struct la_guard *g = &all.guards.of[i + 1];

		cr_expect_eq(la_policies_protect(&all, guards[i].text, err, sizeof(err)), 0);
		cr_assert_eq(all.guards.count, i + 2, "%s", guards[i].text);
		cr_expect_arr_eq(g->addr, guards[i].addr, sizeof(g->addr), "%s", guards[i].text);
		cr_expect_arr_eq(g->mask, guards[i].mask, sizeof(g->mask), "%s", guards[i].text);
		cr_expect(g->low == guards[i].low && g->high == guards[i].high, "%s",
			  guards[i].text);
	}
	la_policies_protect(&all, "none", err, sizeof(err));
	cr_expect_eq(all.guards.count, 0);
	la_policies_free(&all);
}

Test(policy, protection_is_extended_and_taken_away_by_name)
{
	struct la_policies all = policies(NULL);
	union la_any_rec rec = record(LA_REC_STATE), ssh = record(LA_REC_STATE);
	char err[LA_FILTER_ERR_SIZE];

	ssh.h.key.port[!ssh.h.orig] = la_hton16(22);
	cr_expect_eq(la_policies_protect(&all, "net 10.0.0.0/8 or port 1", err, sizeof(err)), 0);
	cr_expect(la_policies_protects(&all, &rec.h) && la_policies_protects(&all, &ssh.h));
	cr_expect_eq(la_policies_protect(&all, "none", err, sizeof(err)), 0);
	cr_expect(!la_policies_protects(&all, &rec.h) && !la_policies_protects(&all, &ssh.h));
	cr_expect_eq(la_policies_protect(&all, "bytes > 10", err, sizeof(err)), 0);
	cr_expect(la_policies_protects(&all, &rec.h), "a state record does not tell that");
	cr_expect_eq(la_policies_protect(&all, "prot 1", err, sizeof(err)), -1);
	cr_expect(strstr(err, "column 1"), "%s", err);
	la_policies_free(&all);
}
