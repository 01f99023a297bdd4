// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_gso.c - a bulk transfer counts as the wire carries it, offloads or not.
 *
 * With TSO, GSO and GRO a packet in the stack stands for dozens of segments. Bytes are exact
 * everywhere. Segments are exact where the kernel says how many there are: at tc, and at
 * native XDP, before which a veth cuts what it sends. Generic XDP is told of no segments,
 * so there only the bytes are held against the truth.
 */
#include "observer.h"
#include "talk.h"
#include "told.h"
#include "wire.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define BYTES	    (4ULL << 20)
#define CLIENT_PORT 41001
#define SERVER_PORT 9001
#define MSS_MAX	    1460
#define SOON_MS	    30000

enum hook { NATIVE, GENERIC, TC, HOOKS };

static const char *const hook_words[] = {[NATIVE] = "xdp", [GENERIC] = "xdp-generic", [TC] = "tc"};
static const char *const host_words[] = {"client", "server", "router"};

struct bulk {
	enum la_lab_host host; /* where lastack stands */
	enum hook hook;
	bool offloads;
};

static bool has_close(const json_t *records, void *ctx)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < json_array_size(records); i++) {
		if (!strcmp(la_told_text(json_array_get(records, i), "type"), "close"))
			return true;
	}
	return false;
}

static void transfer(struct la_lab *lab)
{
	struct la_talk_end client = {LA_LAB_CLIENT,
				     la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT)};
	struct la_talk_end server = {LA_LAB_SERVER,
				     la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT)};

	cr_assert(la_talk(lab, &client, &server, BYTES), "the transfer did not work");
}

static struct la_observer *observe(struct la_lab *lab, const struct bulk *b)
{
	const char *const options[] = {"--hook", hook_words[b->hook], NULL};
	bool router = b->host == LA_LAB_ROUTER;
	struct la_observer *obs = la_observer_start(lab, b->host, router ? "left" : "eth0",
						    router ? "right" : NULL, options);

	cr_assert(obs, "lastack did not start");
	return obs;
}

static void check(struct la_observer *obs, struct la_wire *wire, const struct bulk *b)
{
	static const unsigned short ports[] = {CLIENT_PORT, SERVER_PORT};
	struct la_told told[1] = {0};
	int count = la_told_gather(la_observer_records(obs), ports[0], ports[1], told, 1), host;

	cr_assert(count == 1, "%d connections told, not 1", count);
	cr_expect(la_told_number(told, LA_LAB_CLIENT, "bytes") == (long long)BYTES,
		  "the client sent %llu bytes, told are %lld", BYTES,
		  la_told_number(told, LA_LAB_CLIENT, "bytes"));
	cr_expect(la_told_number(told, LA_LAB_SERVER, "bytes") == 1, "the server sent 1 byte");
	for (host = 0; b->hook != GENERIC && host < 2; host++) {
		unsigned long long sent = la_wire_sent(wire, ports[host], ports[!host]).segs;

		cr_expect(la_told_number(told, host, "pkts") == (long long)sent,
			  "the %s sent %llu segments, told are %lld", host_words[host], sent,
			  la_told_number(told, host, "pkts"));
	}
}

static long long tx_but_icmp6(struct la_lab *lab)
{
	long long tx = la_lab_tx_packets(lab, LA_LAB_CLIENT, "eth0");
	long long icmp6 = la_lab_icmp6_sent(lab, LA_LAB_CLIENT);

	cr_assert(tx >= 0 && icmp6 >= 0);
	return tx - icmp6;
}

/*
 * TCP always hands down packets larger than a segment. Without offloads they are cut before
 * the interface, which then counts segments itself, and what tells of groups: the truth by which
 * the wire's is right.
 */
static void check_premise(struct la_lab *lab, struct la_wire *wire, const struct bulk *b,
			  long long before)
{
	struct la_wire_count sent = la_wire_sent(wire, CLIENT_PORT, SERVER_PORT);
	long long tx = tx_but_icmp6(lab) - before;

	cr_assert(sent.segs > BYTES / MSS_MAX, "%llu segments cannot carry it", sent.segs);
	cr_assert(sent.skbs < sent.segs / 2, "%llu packets for %llu segments", sent.skbs,
		  sent.segs);
	cr_expect(b->offloads || tx == (long long)sent.segs,
		  "%llu segments, but the interface sent %lld", sent.segs, tx);
}

ParameterizedTestParameters(gso, counts_as_the_wire)
{
	static struct bulk bulks[3 * HOOKS * 2];
	int host, hook, offloads, count = 0;

	for (host = LA_LAB_CLIENT; host <= LA_LAB_ROUTER; host++) {
		for (hook = NATIVE; hook < HOOKS; hook++) {
			for (offloads = 0; offloads < 2; offloads++)
				bulks[count++] = (struct bulk){(enum la_lab_host)host,
							       (enum hook)hook, offloads};
		}
	}
	return cr_make_param_array(struct bulk, bulks, 3 * HOOKS * 2);
}

ParameterizedTest(struct bulk *b, gso, counts_as_the_wire)
{
	struct la_lab *lab = la_lab_new(b->host == LA_LAB_ROUTER);
	struct la_wire *wire = lab ? la_wire_new(lab) : NULL;
	struct la_observer *obs;
	long long before;

	cr_assert(wire && la_lab_offloads(lab, b->offloads), "no laboratory");
	cr_log_info("at the %s, --hook %s, offloads %s", host_words[b->host], hook_words[b->hook],
		    b->offloads ? "on" : "off");
	obs = observe(lab, b);
	before = tx_but_icmp6(lab);
	transfer(lab);
	cr_expect(la_observer_until(obs, has_close, NULL, SOON_MS), "no close record");
	cr_expect(la_observer_stop(obs) == 0, "lastack ended badly");
	check_premise(lab, wire, b, before);
	check(obs, wire, b);
	la_observer_free(obs);
	la_wire_free(wire);
	la_lab_free(lab);
}
