// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_hotplug.c - interfaces that go down, change their name, vanish and come back under a
 * running lastack, and many interfaces at once.
 *
 * What hangs on an interface is asked of the kernel; that it works, of a connection.
 */
#include "observer.h"
#include "talk.h"
#include "told.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define BYTES	    5000ULL
#define CLIENT_PORT 43001
#define SERVER_PORT 9301
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

/* Patience for what the kernel has been told to do and lastack will hear of, ms. */
#define SOON_MS 30000

static unsigned int tcx_count(int ifindex, enum bpf_attach_type hook)
{
	__u32 ids[64], count = 64;

	return bpf_prog_query(ifindex, hook, 0, NULL, ids, &count) ? 0 : count;
}

/* Programs on the XDP and tcx hooks of a host's interface. */
static unsigned int programs(struct la_lab *lab, enum la_lab_host host, const char *ifname)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	unsigned int count = 0;
	int ifindex;

	cr_assert(la_lab_enter(lab, host));
	ifindex = (int)if_nametoindex(ifname);
	if (ifindex && !bpf_xdp_query(ifindex, 0, &query))
		count = !!query.prog_id + tcx_count(ifindex, TCX_INGRESS) +
			tcx_count(ifindex, TCX_EGRESS);
	la_lab_leave(lab);
	return count;
}

/* Waits until so many programs hang there. */
static bool gets_programs(struct la_lab *lab, enum la_lab_host host, const char *ifname,
			  unsigned int count)
{
	for (int ms = 0; ms < SOON_MS; ms += 10) {
		if (programs(lab, host, ifname) == count)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static struct la_observer *started(struct la_observer *obs)
{
	cr_assert(obs, "lastack did not start");
	return obs;
}

static void expect_says(struct la_observer *obs, const char *text)
{
	cr_expect(la_observer_says(obs, text), "no '%s' in:\n%s", text, la_observer_stderr(obs));
}

/* The n-th connection of a test: each has ports of its own. */
static void talk(struct la_lab *lab, int n)
{
	struct la_talk_end client = {LA_LAB_CLIENT, la_lab_addr(LA_LAB_CLIENT, AF_INET,
								(unsigned short)(CLIENT_PORT + n))};
	struct la_talk_end server = {LA_LAB_SERVER, la_lab_addr(LA_LAB_SERVER, AF_INET,
								(unsigned short)(SERVER_PORT + n))};

	cr_assert(la_talk(lab, &client, &server, BYTES), "connection %d did not work", n);
}

/* What was told of it: one connection, closed once, with every byte. Call it after the end. */
static struct la_told told_of(struct la_observer *obs, int n)
{
	struct la_told told[1] = {0};
	int count = la_told_gather(la_observer_records(obs), (unsigned short)(CLIENT_PORT + n),
				   (unsigned short)(SERVER_PORT + n), told, 1);

	cr_assert(count == 1, "connection %d was told as %d", n, count);
	cr_assert(told->closes == 1 && !told->broken, "connection %d: %d closes", n, told->closes);
	cr_expect(!strcmp(la_told_text(told->close, "reason"), "fin"));
	cr_expect(la_told_number(told, 0, "bytes") == (long long)BYTES &&
		  la_told_number(told, 1, "bytes") == 1);
	return told[0];
}

static void expect_told(struct la_observer *obs, int n, const char *ifname)
{
	struct la_told told = told_of(obs, n);

	cr_expect(!strcmp(la_told_text(told.close, "ifname"), ifname), "connection %d: %s, not %s",
		  n, la_told_text(told.close, "ifname"), ifname);
}

static void end(struct la_observer *obs, struct la_lab *lab)
{
	la_observer_free(obs);
	la_lab_free(lab);
}

static const char *const no_options[] = {NULL};

/* ---- one interface ---- */

Test(hotplug, down_and_up_again)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, no_options));

	talk(lab, 0);
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link set eth0 down && ip link set eth0 up"));
	talk(lab, 1);
	cr_expect(la_observer_stop(obs) == 0);
	expect_told(obs, 0, "eth0");
	expect_told(obs, 1, "eth0");
	cr_expect(!strstr(la_observer_stderr(obs), "gone"), "%s", la_observer_stderr(obs));
	end(obs, lab);
}

Test(hotplug, a_new_name_is_taken_up)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, no_options));

	talk(lab, 0);
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link set eth0 name wan0"));
	expect_says(obs, "lastack: eth0: is now called wan0\n");
	talk(lab, 1);
	cr_expect(la_observer_stop(obs) == 0);
	expect_told(obs, 1, "wan0");
	cr_expect(!strstr(la_observer_stderr(obs), "gone"));
	end(obs, lab);
}

/* Deleted and made again, attached again: the connection of before keeps its records. */
static void deleted_and_made_again(const char *hook)
{
	const char *const options[] = {"--hook", hook, NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options));

	talk(lab, 0);
	cr_assert(la_lab_unplug(lab));
	expect_says(obs, " gone\n"); /* or its programs: the filters of clsact go first */
	expect_says(obs, "lastack: no interface to watch, waiting for one to appear\n");
	cr_assert(la_lab_plug(lab));
	expect_says(obs, "waiting for one to appear\nlastack: eth0: ");
	expect_says(obs, "egress (");
	talk(lab, 1);
	cr_expect(la_observer_stop(obs) == 0);
	expect_told(obs, 0, "eth0");
	expect_told(obs, 1, "eth0");
	end(obs, lab);
}

Test(hotplug, deleted_and_made_again_xdp)
{
	deleted_and_made_again("xdp");
}

Test(hotplug, deleted_and_made_again_tc_legacy)
{
	deleted_and_made_again("tc-legacy");
}

/* All in one go, so that it may see no more than the end, and with the index of before. */
Test(hotplug, made_again_with_the_same_index)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link add h0 index 77 type veth peer name h1"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, "h0", NULL, no_options));
	for (int i = 0; i < 10; i++)
		cr_assert(la_lab_sh(lab, LA_LAB_SERVER,
				    "printf 'link del h0\\nlink add h0 index 77 type veth peer "
				    "name h1\\n' | ip -batch -"));
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "h0", 2), "%s", la_observer_stderr(obs));
	cr_expect(la_observer_stop(obs) == 0);
	cr_expect(programs(lab, LA_LAB_SERVER, "h0") == 0);
	end(obs, lab);
}

/* A process in a host's namespace, for ip(8) to know it by; it ends with the test. */
static pid_t resident(struct la_lab *lab, enum la_lab_host host)
{
	static const char *const argv[] = {"sleep", "60", NULL};
	pid_t pid = la_lab_spawn(lab, host, argv, -1, -1);

	cr_assert(pid > 0);
	return pid;
}

/*
 * The kernel moves XDP and tcx programs with the interface. They must not stay there, where
 * addresses mean something else; when it comes home it is attached again.
 */
static void moved_away_and_back(const char *hook)
{
	const char *const options[] = {"--hook", hook, NULL};
	struct la_lab *lab = la_lab_new(false);
	pid_t home = resident(lab, LA_LAB_SERVER), away = resident(lab, LA_LAB_CLIENT);
	struct la_observer *obs;
	unsigned int before;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, "h0", NULL, options));
	before = programs(lab, LA_LAB_SERVER, "h0");
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link set h0 netns %d", away));
	expect_says(obs, " gone\n");
	cr_expect(gets_programs(lab, LA_LAB_CLIENT, "h0", 0), "programs are left on it");
	cr_assert(la_lab_sh(lab, LA_LAB_CLIENT, "! tc qdisc show dev h0 | grep -q clsact"));
	cr_assert(la_lab_sh(lab, LA_LAB_CLIENT, "ip link set h0 netns %d", home));
	expect_says(obs, "waiting for one to appear\nlastack: h0: ");
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "h0", before));
	cr_expect(la_observer_stop(obs) == 0);
	kill(home, SIGKILL);
	kill(away, SIGKILL);
	waitpid(home, NULL, 0);
	waitpid(away, NULL, 0);
	end(obs, lab);
}

Test(hotplug, moved_to_another_namespace_xdp)
{
	moved_away_and_back("xdp");
}

Test(hotplug, moved_to_another_namespace_tc)
{
	moved_away_and_back("tc");
}

Test(hotplug, moved_to_another_namespace_tc_legacy)
{
	moved_away_and_back("tc-legacy");
}

Test(hotplug, one_that_vanishes_does_not_stop_the_others)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, "eth0", "h0", no_options));
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link del h0"));
	expect_says(obs, "lastack: h0: the interface is gone\n");
	talk(lab, 0);
	cr_expect(la_observer_stop(obs) == 0);
	expect_told(obs, 0, "eth0");
	cr_expect(!strstr(la_observer_stderr(obs), "waiting"));
	end(obs, lab);
}

/* ---- many interfaces ---- */

Test(hotplug, all_interfaces_as_they_appear)
{
	static const char *const options[] = {"--all-interfaces", NULL};
	struct la_lab *lab = la_lab_new(true);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_ROUTER, NULL, NULL, options));

	expect_says(obs, "lastack: left: ");
	cr_expect(gets_programs(lab, LA_LAB_ROUTER, "left", 2));
	cr_expect(gets_programs(lab, LA_LAB_ROUTER, "right", 2));
	cr_expect(programs(lab, LA_LAB_ROUTER, "lo") == 0);
	cr_assert(la_lab_sh(lab, LA_LAB_ROUTER, "ip link add h0 type veth peer name h1"));
	cr_expect(gets_programs(lab, LA_LAB_ROUTER, "h0", 2));
	cr_expect(gets_programs(lab, LA_LAB_ROUTER, "h1", 2));
	cr_expect(la_observer_stop(obs) == 0);
	cr_expect(programs(lab, LA_LAB_ROUTER, "left") + programs(lab, LA_LAB_ROUTER, "h1") == 0);
	end(obs, lab);
}

Test(hotplug, all_interfaces_and_loopback)
{
	static const char *const options[] = {"--all-interfaces", NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_SERVER, "lo", NULL, options));

	cr_expect(gets_programs(lab, LA_LAB_SERVER, "lo", 2));
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "eth0", 2));
	cr_expect(la_observer_stop(obs) == 0);
	end(obs, lab);
}

Test(hotplug, a_pattern_takes_whole_names_and_new_names)
{
	static const char *const options[] = {"--interface-regex", "h[0-9]+|wg.*", NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		started(la_observer_start(lab, LA_LAB_SERVER, NULL, NULL, options));

	expect_says(obs, "lastack: no interface to watch, waiting for one to appear\n");
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link add h10 type veth peer name h10x"));
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "h10", 2));
	cr_expect(programs(lab, LA_LAB_SERVER, "h10x") == 0);
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link set h10x name wg-a"));
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "wg-a", 2));
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link set h10 name other"));
	expect_says(obs, "lastack: h10: is now called other\n");
	cr_expect(programs(lab, LA_LAB_SERVER, "other") == 2, "what is attached stays so");
	cr_expect(programs(lab, LA_LAB_SERVER, "eth0") == 0);
	cr_expect(la_observer_stop(obs) == 0);
	end(obs, lab);
}

/* A tun device has no XDP: it is refused, once, and the rest goes on. */
Test(hotplug, one_that_is_refused_does_not_stop_the_others)
{
	static const char *const options[] = {"--all-interfaces", "--hook", "xdp", NULL};
	static const char refused[] = "lastack: cannot attach: tun0: no Ethernet header";
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;
	const char *said;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip tuntap add mode tun name tun0"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, NULL, NULL, options));
	expect_says(obs, refused);
	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	cr_expect(gets_programs(lab, LA_LAB_SERVER, "h0", 2));
	talk(lab, 0);
	cr_expect(la_observer_stop(obs) == 0);
	expect_told(obs, 0, "eth0");
	said = strstr(la_observer_stderr(obs), refused);
	cr_expect(said && !strstr(said + 1, refused), "told twice:\n%s", la_observer_stderr(obs));
	end(obs, lab);
}

Test(hotplug, none_that_could_be_attached_is_an_error)
{
	static const char *const argv[] = {"run", "--interface-regex", "tun0", "--hook", "xdp",
					   NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER, "ip tuntap add mode tun name tun0"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, NULL, NULL, argv + 1));
	expect_says(obs, "cannot attach: tun0: no Ethernet header");
	cr_expect(la_observer_stop(obs) == 1);
	end(obs, lab);
}

/* ---- a packet that passes many hooks counts once ---- */

static void expect_counts(struct la_observer *obs, struct la_wire *wire, int n)
{
	const unsigned short ports[] = {(unsigned short)(CLIENT_PORT + n),
					(unsigned short)(SERVER_PORT + n)};
	struct la_told told = told_of(obs, n);

	for (int host = 0; host < 2; host++) {
		struct la_wire_count sent = la_wire_sent(wire, ports[host], ports[!host]);

		cr_expect(la_told_number(&told, host, "pkts") == (long long)sent.segs,
			  "host %d sent %llu segments, told are %lld", host, sent.segs,
			  la_told_number(&told, host, "pkts"));
	}
	if (told.gone)
		cr_expect(json_integer_value(json_object_get(told.gone, "late_pkts")) == 0,
			  "a packet came late that had already counted");
}

/* left and right become ports of a bridge; client and server see each other as gateway. */
static const char *const bridge_scripts[LA_LAB_HOSTS] = {
	[LA_LAB_ROUTER] = "ip link add b0 type bridge && ip link set left master b0 && "
			  "ip link set right master b0 && ip link set b0 up && "
			  "ip addr flush dev left && ip addr flush dev right",
	[LA_LAB_CLIENT] = "ip neigh replace 10.9.1.254 dev eth0 nud permanent lladdr "
			  "02:09:00:00:02:01",
	[LA_LAB_SERVER] = "ip neigh replace 10.9.2.254 dev eth0 nud permanent lladdr "
			  "02:09:00:00:01:01",
};

static void counts_once(bool bridge, const char *hook)
{
	const char *const options[] = {"--all-interfaces", "--hook",	  hook,
				       "--timeout",	   "time_wait=1", NULL};
	struct la_lab *lab = la_lab_new(true);
	struct la_wire *wire = la_wire_new(lab);
	struct la_observer *obs;

	for (int host = 0; bridge && host < LA_LAB_HOSTS; host++)
		cr_assert(la_lab_sh(lab, (enum la_lab_host)host, "%s", bridge_scripts[host]));
	obs = started(la_observer_start(lab, LA_LAB_ROUTER, NULL, NULL, options));
	expect_says(obs, "lastack: left: ");
	cr_assert(gets_programs(lab, LA_LAB_ROUTER, "right", 2));
	cr_assert(!bridge || gets_programs(lab, LA_LAB_ROUTER, "b0", 2));
	for (int n = 0; n < 3; n++)
		talk(lab, n);
	poll(NULL, 0, 1500); /* so that they are gone, and a copy would have come late */
	cr_expect(la_observer_stop(obs) == 0);
	for (int n = 0; n < 3; n++)
		expect_counts(obs, wire, n);
	la_observer_free(obs);
	la_wire_free(wire);
	la_lab_free(lab);
}

Test(hotplug, a_router_counts_once)
{
	counts_once(false, "auto");
}

Test(hotplug, a_bridge_counts_once)
{
	counts_once(true, "auto");
}

Test(hotplug, a_bridge_counts_once_at_tc)
{
	counts_once(true, "tc");
}

/* What is for the bridge itself comes in at its port and once more at the bridge. */
Test(hotplug, a_bridge_with_an_address_counts_once)
{
	static const char *const options[] = {"--interface-regex", "eth0|b0", NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_wire *wire = la_wire_new(lab);
	struct la_observer *obs;

	cr_assert(la_lab_sh(lab, LA_LAB_SERVER,
			    "ip link add b0 address 02:09:00:00:02:01 type bridge && "
			    "ip link set b0 up && ip link set eth0 master b0 && "
			    "ip addr flush dev eth0 && ip addr add 10.9.2.1/16 dev b0"));
	obs = started(la_observer_start(lab, LA_LAB_SERVER, NULL, NULL, options));
	expect_says(obs, "lastack: b0: ");
	cr_assert(gets_programs(lab, LA_LAB_SERVER, "b0", 2));
	talk(lab, 0);
	cr_expect(la_observer_stop(obs) == 0);
	expect_counts(obs, wire, 0);
	la_observer_free(obs);
	la_wire_free(wire);
	la_lab_free(lab);
}
