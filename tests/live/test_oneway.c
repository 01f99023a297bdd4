// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_oneway.c - a router that sees one direction only, because the answers take another way.
 *
 *   client ---- left router right ---- server      what the client sends
 *   client back -------------------- back server   what the server sends
 *
 * What lastack says of the client, whom it hears, must be what the client's kernel says; of
 * the server it may only presume. The close records name the side that was heard.
 */
#include "observer.h"
#include "pair.h"
#include "told.h"
#include "truth.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <unistd.h>

#define SERVER_PORT 9200
#define PATIENCE_MS 30000

enum port { CLIENT_CLOSES = 43001, SERVER_CLOSES, CLIENT_RESETS, STAYS_OPEN };

static bool has_close_of(const json_t *records, void *port)
{
	struct la_told told = {0};

	return la_told_gather(records, *(unsigned short *)port, SERVER_PORT, &told, 1) == 1 &&
	       told.closes;
}

/* Both have sent something, and all has arrived. */
static struct la_pair talked(struct la_lab *lab, int family, unsigned short port)
{
	struct la_pair pair;

	cr_assert(la_pair_open(&pair, lab, family, port, SERVER_PORT));
	cr_assert(la_pair_carry(pair.client, pair.server, 3000));
	cr_assert(la_pair_carry(pair.server, pair.client, 2000));
	return pair;
}

static void end(struct la_pair *pair, enum port port)
{
	const struct linger abort = {.l_onoff = 1};
	int first = port == SERVER_CLOSES ? pair->server : pair->client;
	int second = first == pair->server ? pair->client : pair->server;

	if (port == CLIENT_RESETS)
		setsockopt(first, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(first);
	cr_assert(la_pair_ended(second), "the end does not arrive");
	close(second);
}

/* The words of the close record; the state of the client at the end by its kernel. */
static struct la_told told_of(struct la_observer *obs, unsigned short port, const char *reason,
			      const char *closed_by)
{
	struct la_told told = {0};

	cr_assert(la_observer_until(obs, has_close_of, &port, PATIENCE_MS), "no close of %u", port);
	la_told_gather(la_observer_records(obs), port, SERVER_PORT, &told, 1);
	cr_expect_str_eq(la_told_text(told.close, "one_way"), "orig", "%u", port);
	cr_expect_str_eq(la_told_text(told.close, "reason"), reason, "%u: %s", port,
			 la_told_text(told.close, "reason"));
	cr_expect_str_eq(la_told_text(told.close, "closed_by"), closed_by, "%u: %s", port,
			 la_told_text(told.close, "closed_by"));
	cr_expect(json_is_true(json_object_get(told.close, "resp_presumed")), "%u", port);
	cr_expect_eq(la_told_number(&told, LA_LAB_CLIENT, "bytes"), 3000, "%u", port);
	cr_expect_eq(la_told_number(&told, LA_LAB_SERVER, "bytes"), 2000, "%u: %lld", port,
		     la_told_number(&told, LA_LAB_SERVER, "bytes"));
	cr_expect_eq(la_told_number(&told, LA_LAB_SERVER, "pkts"), 0, "the server was heard");
	return told;
}

static void check_state(struct la_lab *lab, int family, const struct la_told *told,
			unsigned short port)
{
	enum la_state truth = la_truth_state(lab, LA_LAB_CLIENT, family, port, SERVER_PORT);

	cr_expect_str_eq(la_told_word(told, LA_LAB_CLIENT, "state"), la_state_word(truth),
			 "%u: the client is in %s, told is %s", port, la_state_word(truth),
			 la_told_word(told, LA_LAB_CLIENT, "state"));
}

/* A connection that stays open, as the kernel says: so it was told, until lastack stopped. */
static void check_open(const struct la_told *told)
{
	char path[128];

	cr_expect_str_eq(la_told_path(told, LA_LAB_CLIENT, path, sizeof(path)),
			 "SYN_SENT ESTABLISHED", "%s", path);
	cr_expect_str_eq(la_told_word(told, LA_LAB_CLIENT, "state"), "ESTABLISHED");
}

ParameterizedTestParameters(oneway, a_router_that_hears_the_client_only)
{
	static int families[] = {AF_INET, AF_INET6};

	return cr_make_param_array(int, families, 2);
}

ParameterizedTest(int *family, oneway, a_router_that_hears_the_client_only)
{
	static const char *const options[] = {"--timeout", "closing=2", NULL};
	struct la_lab *lab = la_lab_new(true);
	struct la_observer *obs;
	struct la_told told;
	struct la_pair pair;

	cr_assert(lab && la_lab_shortcut(lab), "no laboratory");
	obs = la_observer_start(lab, LA_LAB_ROUTER, "left", "right", options);
	cr_assert(obs, "lastack did not start");
	for (int port = CLIENT_CLOSES; port < STAYS_OPEN; port++) {
		pair = talked(lab, *family, (unsigned short)port);
		end(&pair, (enum port)port);
	}
	told = told_of(obs, CLIENT_CLOSES, "fin", "orig");
	check_state(lab, *family, &told, CLIENT_CLOSES);
	told = told_of(obs, CLIENT_RESETS, "reset", "orig");
	check_state(lab, *family, &told, CLIENT_RESETS);
	told = told_of(obs, SERVER_CLOSES, "fin", "resp");
	cr_expect(json_is_true(json_object_get(told.close, "orig_presumed")),
		  "which FIN was the first is not known");
	pair = talked(lab, *family, STAYS_OPEN);
	cr_expect_eq(la_truth_state(lab, LA_LAB_CLIENT, *family, STAYS_OPEN, SERVER_PORT),
		     LA_ESTABLISHED);
	cr_expect_eq(la_observer_stop(obs), 0);
	told = told_of(obs, STAYS_OPEN, "shutdown", "none");
	check_open(&told);
	close(pair.client);
	close(pair.server);
	la_observer_free(obs);
	la_lab_free(lab);
}
