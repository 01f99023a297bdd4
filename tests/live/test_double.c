// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_double.c - a packet that passes two attached hooks counts once.
 *
 * On the loopback interface every packet leaves and arrives at the same interface; on a
 * router it arrives at one and leaves by the other. (The stories count on the router, too;
 * here it is said of one connection, and that both interfaces were really attached.)
 */
#include "observer.h"
#include "talk.h"
#include "told.h"
#include "wire.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#define BYTES	    5000ULL
#define CLIENT_PORT 42001
#define SERVER_PORT 9101

static bool has_gone(const json_t *records, void *ctx)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < json_array_size(records); i++) {
		if (!strcmp(la_told_text(json_array_get(records, i), "type"), "gone"))
			return true;
	}
	return false;
}

static void finish(struct la_observer *obs, struct la_told *told)
{
	int count;

	cr_expect(la_observer_until(obs, has_gone, NULL, 5000), "it is not gone");
	cr_expect(la_observer_stop(obs) == 0, "lastack ended badly");
	count = la_told_gather(la_observer_records(obs), CLIENT_PORT, SERVER_PORT, told, 1);
	cr_assert(count == 1, "%d connections told, not 1", count);
	cr_expect(told->closes == 1 && told->gones == 1 && !told->broken);
	cr_expect(!strcmp(la_told_text(told->close, "reason"), "fin"), "reason \"%s\"",
		  la_told_text(told->close, "reason"));
	cr_expect(json_integer_value(json_object_get(told->gone, "late_pkts")) == 0,
		  "a packet came late that had already counted");
}

static struct la_talk_end loopback(unsigned short port)
{
	struct la_talk_end end = {LA_LAB_CLIENT, la_lab_addr(LA_LAB_CLIENT, AF_INET, port)};

	((struct sockaddr_in *)&end.at.sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return end;
}

static void on_loopback(const char *hook)
{
	const char *const options[] = {"--hook", hook, "--timeout", "time_wait=1", NULL};
	struct la_talk_end client = loopback(CLIENT_PORT), server = loopback(SERVER_PORT);
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		lab ? la_observer_start(lab, LA_LAB_CLIENT, "lo", NULL, options) : NULL;
	struct la_told told[1] = {0};
	long long tx, told_pkts;

	cr_assert(obs, "lastack did not start");
	tx = la_lab_tx_packets(lab, LA_LAB_CLIENT, "lo");
	cr_assert(la_talk(lab, &client, &server, BYTES), "the connection did not work");
	tx = la_lab_tx_packets(lab, LA_LAB_CLIENT, "lo") - tx;
	finish(obs, told);
	told_pkts = la_told_number(told, 0, "pkts") + la_told_number(told, 1, "pkts");
	cr_expect(told_pkts == tx, "%lld packets passed, told are %lld", tx, told_pkts);
	cr_expect(la_told_number(told, 0, "bytes") == (long long)BYTES &&
		  la_told_number(told, 1, "bytes") == 1);
	la_observer_free(obs);
	la_lab_free(lab);
}

Test(double_hooks, loopback_tc)
{
	on_loopback("tc");
}

Test(double_hooks, loopback_generic_xdp)
{
	on_loopback("xdp-generic");
}

Test(double_hooks, router)
{
	const char *const options[] = {"--timeout", "time_wait=1", NULL};
	static const unsigned short ports[] = {CLIENT_PORT, SERVER_PORT};
	struct la_talk_end client = {LA_LAB_CLIENT, la_lab_addr(LA_LAB_CLIENT, AF_INET6, ports[0])};
	struct la_talk_end server = {LA_LAB_SERVER, la_lab_addr(LA_LAB_SERVER, AF_INET6, ports[1])};
	struct la_lab *lab = la_lab_new(true);
	struct la_wire *wire = lab ? la_wire_new(lab) : NULL;
	struct la_observer *obs =
		wire ? la_observer_start(lab, LA_LAB_ROUTER, "left", "right", options) : NULL;
	struct la_told told[1] = {0};
	int host;

	cr_assert(obs, "lastack did not start");
	cr_assert(la_talk(lab, &client, &server, BYTES), "the connection did not work");
	finish(obs, told);
	for (host = 0; host < 2; host++) {
		struct la_wire_count sent = la_wire_sent(wire, ports[host], ports[!host]);

		cr_expect(la_told_number(told, host, "pkts") == (long long)sent.segs,
			  "host %d sent %llu segments, told are %lld", host, sent.segs,
			  la_told_number(told, host, "pkts"));
		cr_expect(la_told_number(told, host, "bytes") == (long long)sent.bytes);
	}
	la_observer_free(obs);
	la_wire_free(wire);
	la_lab_free(lab);
}
