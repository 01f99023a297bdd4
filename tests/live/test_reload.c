// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_reload.c - a running lastack reads its configuration file again: what changes, what
 * stays, and that nothing is lost over it.
 */
#include "config_file.h"
#include "load.h"
#include "observer.h"
#include "talk.h"
#include "tally.h"
#include "told.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RELOADS	    1000
#define BYTES	    5000ULL
#define CLIENT_PORT 44001
#define SERVER_PORT 9501
#define HELD_PORT   9600

/* Patience for what does not depend on speed, ms. */
#define SOON_MS 30000

static const char reloaded[] = ": reloaded", refused[] = ": not reloaded";

/* ---- lastack with a file ---- */

struct watch {
	struct la_lab *lab;
	struct la_observer *obs;
	struct la_config_file file;
};

/* At the server, told by this file and, if not NULL, two more words. */
static struct watch watch_start(const char *text, const char *option, const char *value)
{
	struct watch w = {.lab = la_lab_new(false), .file = la_config_file_new(text)};
	const char *const options[] = {"--config", w.file.path, option, value, NULL};

	w.obs = w.lab ? la_observer_start(w.lab, LA_LAB_SERVER, NULL, NULL, options) : NULL;
	cr_assert(w.obs && la_observer_says(w.obs, "lastack: eth0: "), "lastack did not start");
	return w;
}

static void watch_end(struct watch *w)
{
	la_observer_free(w->obs);
	la_lab_free(w->lab);
	close(w->file.fd);
}

static int count_of(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

static int answers(const struct watch *w)
{
	const char *said = la_observer_stderr(w->obs);

	return count_of(said, reloaded) + count_of(said, refused);
}

static void hang_up(const struct watch *w)
{
	cr_assert(!kill(la_observer_pid(w->obs), SIGHUP));
}

/* Lets lastack read this file and waits until it has answered; true if it was taken. */
static bool reload(const struct watch *w, const char *text)
{
	int taken = count_of(la_observer_stderr(w->obs), reloaded), before = answers(w);

	la_config_file_put(&w->file, text);
	hang_up(w);
	for (int ms = 0; answers(w) == before && ms < SOON_MS; ms += 5)
		poll(NULL, 0, 5);
	cr_assert(answers(w) == before + 1, "no answer:\n%s", la_observer_stderr(w->obs));
	return count_of(la_observer_stderr(w->obs), reloaded) > taken;
}

static void talk(const struct watch *w, int n)
{
	const struct la_talk_end client = {LA_LAB_CLIENT,
					   la_lab_addr(LA_LAB_CLIENT, AF_INET,
						       (unsigned short)(CLIENT_PORT + n))},
				 server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET,
						       (unsigned short)(SERVER_PORT + n))};

	cr_assert(la_talk(w->lab, &client, &server, BYTES));
}

struct wanted {
	int n;
	struct la_told told;
};

static bool is_closed(const json_t *records, void *ctx)
{
	struct wanted *wanted = ctx;

	return la_told_gather(records, (unsigned short)(CLIENT_PORT + wanted->n),
			      (unsigned short)(SERVER_PORT + wanted->n), &wanted->told, 1) &&
	       wanted->told.close;
}

/* Is connection n told, from its beginning to its end? */
static bool is_told(const struct watch *w, int n, int ms)
{
	struct wanted wanted = {.n = n};

	return la_observer_until(w->obs, is_closed, &wanted, ms) && !wanted.told.broken &&
	       la_told_number(&wanted.told, LA_LAB_CLIENT, "bytes") == (long long)BYTES;
}

/* After that what came before is told, if it ever is. */
static void expect_told(const struct watch *w, int n)
{
	talk(w, n);
	cr_expect(is_told(w, n, SOON_MS), "connection %d is not told:\n%s", n,
		  la_observer_stderr(w->obs));
}

/* ---- what changes ---- */

Test(reload, the_filter)
{
	struct watch w = watch_start("interface: eth0\n", NULL, NULL);

	expect_told(&w, 0);
	cr_expect(reload(&w, "interface: eth0\nfilter: port 9503\n"));
	talk(&w, 1);
	expect_told(&w, 2);
	cr_expect(reload(&w, "interface: eth0\n"));
	expect_told(&w, 3);
	cr_expect_not(is_told(&w, 1, 0), "the filter let it pass");
	cr_expect(la_observer_stop(w.obs) == 0);
	watch_end(&w);
}

Test(reload, interfaces)
{
	struct watch w = watch_start("interface: eth0\n", NULL, NULL);

	expect_told(&w, 0);
	cr_assert(la_lab_sh(w.lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	cr_expect(reload(&w, "interface: h0\n"));
	cr_expect(la_observer_says(w.obs, "lastack: eth0: detached\n"));
	cr_expect(la_observer_says(w.obs, "lastack: h0: "));
	talk(&w, 1);
	cr_expect(reload(&w, "interface-regex: eth.*\n"));
	cr_expect(la_observer_says(w.obs, "lastack: h0: detached\n"));
	expect_told(&w, 2);
	cr_expect_not(is_told(&w, 1, 0), "eth0 was still watched");
	cr_expect(la_observer_stop(w.obs) == 0);
	watch_end(&w);
}

/* Opens a connection and sends a byte over it, without closing it. */
static void open_held(const struct watch *w, int held[2])
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, HELD_PORT);
	int listener = la_lab_socket(w->lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0);
	struct pollfd wait = {.fd = listener, .events = POLLIN};

	held[0] = la_lab_socket(w->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0);
	cr_assert(!bind(listener, (struct sockaddr *)&at.sa, at.len) && !listen(listener, 1));
	connect(held[0], (struct sockaddr *)&at.sa, at.len);
	cr_assert(poll(&wait, 1, SOON_MS) == 1);
	held[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	cr_assert(held[1] >= 0 && write(held[0], "a", 1) == 1);
	close(listener);
}

/* One more byte, and an orderly end, by the client first. */
static void close_held(const int held[2])
{
	struct pollfd wait = {.fd = held[1], .events = POLLIN};
	char bytes[2];

	cr_expect(write(held[0], "b", 1) == 1 && poll(&wait, 1, SOON_MS) == 1);
	while (read(held[1], bytes, sizeof(bytes)) > 0)
		;
	shutdown(held[0], SHUT_WR);
	wait.events = POLLRDHUP;
	cr_expect(poll(&wait, 1, SOON_MS) == 1);
	close(held[1]);
	wait = (struct pollfd){.fd = held[0], .events = POLLIN};
	cr_expect(poll(&wait, 1, SOON_MS) == 1);
	close(held[0]);
}

static bool is_timed_out(const json_t *records, void *ctx)
{
	size_t i;
	json_t *record;

	(void)ctx;
	json_array_foreach (records, i, record)
		if (!strcmp(la_told_text(record, "reason"), "timeout") &&
		    json_integer_value(json_object_get(record, "resp_port")) == HELD_PORT)
			return true;
	return false;
}

static bool is_established(const json_t *records, void *ctx)
{
	size_t i;
	json_t *record;

	(void)ctx;
	json_array_foreach (records, i, record)
		if (!strcmp(la_told_text(record, "to"), "ESTABLISHED") &&
		    !strcmp(la_told_text(record, "endpoint"), "resp"))
			return true;
	return false;
}

Test(reload, timeouts_of_connections_that_there_are)
{
	struct watch w = watch_start("interface: eth0\n", NULL, NULL);
	int held[2];

	open_held(&w, held);
	cr_expect(la_observer_until(w.obs, is_established, NULL, SOON_MS));
	cr_expect(reload(&w, "interface: eth0\ntimeout: {established: 300ms}\n"));
	cr_expect(la_observer_until(w.obs, is_timed_out, NULL, SOON_MS),
		  "its clock still goes by the old timeout");
	cr_expect(la_observer_stop(w.obs) == 0);
	close(held[0]);
	close(held[1]);
	watch_end(&w);
}

/* ---- what stays ---- */

Test(reload, a_wrong_file_is_refused_and_tracking_goes_on)
{
	struct watch w = watch_start("interface: eth0\nhook: xdp\n", NULL, NULL);

	cr_expect_not(reload(&w, "interfaec: eth0\npressure: 200\ntimeout: {established: 1ms}\n"));
	cr_expect(la_observer_says(w.obs, ":1: interfaec: there is no such key (did you mean "
					  "interface?)\n"));
	cr_expect(la_observer_says(w.obs, ":2: pressure: 200 (a whole number from 1 to 100)\n"));
	expect_told(&w, 0);
	/* one that can be attached, and one that is not there: neither is */
	cr_assert(la_lab_sh(w.lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	cr_expect_not(reload(&w, "interface: [h0, nope]\nfilter: port 1\n"));
	cr_expect(la_observer_says(w.obs, "cannot attach: nope: no such interface"));
	cr_expect(la_observer_says(w.obs, "lastack: h0: detached\n"));
	expect_told(&w, 1);
	/* one that can not be attached: told of a choice, but a name must be */
	cr_assert(la_lab_sh(w.lab, LA_LAB_SERVER, "ip tuntap add mode tun name tun0"));
	cr_expect(reload(&w, "interface: eth0\ninterface-regex: tun0\nhook: xdp\n"));
	cr_expect_not(reload(&w, "interface: [eth0, tun0]\nhook: xdp\n"));
	/* one that is not YAML */
	cr_expect_not(reload(&w, "interface: [eth0\n"));
	expect_told(&w, 2);
	cr_expect(la_observer_stop(w.obs) == 0);
	watch_end(&w);
}

Test(reload, what_is_fixed_is_named)
{
	struct watch w = watch_start("interface: eth0\ndecap: true\n", "--max-flows", "1000");

	/* --max-flows of the command line wins, then as now */
	cr_expect(reload(&w, "interface: eth0\nmax-flows: 5\nhook: tc\n"));
	cr_expect(la_observer_says(w.obs, ": reloaded; only a new start changes: hook decap\n"));
	expect_told(&w, 0);
	cr_expect(la_observer_stop(w.obs) == 0);
	watch_end(&w);
}

Test(reload, without_a_file_a_hangup_is_the_end)
{
	static const char *const options[] = {"--config", "/dev/null", NULL};
	static const char *const none[] = {NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, none);
	struct la_tally tally = {0};
	bool more = true;

	cr_assert(obs && !kill(la_observer_pid(obs), SIGHUP));
	for (int i = 0; more && i < SOON_MS / 100; i++)
		more = la_tally_read(&tally, la_observer_pipe(obs), 100);
	cr_expect_not(more, "it goes on");
	la_observer_free(obs);
	/* an empty file is a file */
	obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	cr_assert(obs && !kill(la_observer_pid(obs), SIGHUP));
	cr_expect(la_observer_says(obs, "lastack: /dev/null: reloaded\n"));
	cr_expect(la_observer_stop(obs) == 0);
	la_observer_free(obs);
	la_lab_free(lab);
}

/* ---- under load ---- */

static const struct {
	const char *text;
	bool right;
} files[] = {
	{"interface: [eth0, h0]\ntimeout: {time_wait: 2s, half_closed: 1m}\npressure: 50\n", true},
	{"interface: eth0\ntimeout: {time_wait: 1s, established: 1d}\n"
	 "policies:\n"
	 "- {name: a, match: dport 1, action: reset, when: idle > 1h}\n"
	 "- {name: b, match: dport 1, action: timeouts, timeouts: {established: 1h}}\n",
	 true},
	{"interfaec: eth0\ntimeout: {established: 1ms}\n", false},
	{"interface: eth0\ninterface-regex: h[01]\ntimeout: {time_wait: 1s}\n", true},
	{"interface: [eth0, nope]\ntimeout: {established: 1ms}\n", false},
};

#define FILES (sizeof(files) / sizeof(*files))

/* Longer than they take anywhere. */
#define LOAD_MS 600000

/* Connections that are under way or not yet told to be gone: their records have room in the ring.
 */
#define AHEAD 5000

/* As reload(), while records are read, and no more connections opened than are told. */
static bool reload_and_read(const struct watch *w, const char *text, struct la_tally *tally,
			    struct la_load *load)
{
	int taken = count_of(la_observer_stderr(w->obs), reloaded), before = answers(w);

	la_config_file_put(&w->file, text);
	hang_up(w);
	for (int i = 0; answers(w) == before && i < SOON_MS / 2; i++) {
		la_tally_read(tally, la_observer_pipe(w->obs), 2);
		la_load_let(load, tally->gones + AHEAD);
	}
	cr_assert(answers(w) == before + 1, "no answer:\n%s", la_observer_stderr(w->obs));
	return count_of(la_observer_stderr(w->obs), reloaded) > taken;
}

static void read_to_the_end(const struct watch *w, struct la_tally *tally,
			    unsigned long long opened)
{
	unsigned long long before;
	int idle = 0;

	while (tally->gones < opened && idle < 300) {
		before = tally->gones;
		la_tally_read(tally, la_observer_pipe(w->obs), 100);
		idle = tally->gones > before ? 0 : idle + 1;
	}
	kill(la_observer_pid(w->obs), SIGINT);
	for (int i = 0; i < 10 && la_tally_read(tally, la_observer_pipe(w->obs), 1000); i++)
		;
	cr_expect(la_observer_stop(w->obs) == 0, "%s", la_observer_stderr(w->obs));
}

static void expect_nothing_lost(const struct la_tally *tally, unsigned long long opened)
{
	cr_expect(tally->connections == opened, "%llu of %llu told", tally->connections, opened);
	cr_expect(tally->closes == opened, "%llu of %llu closed", tally->closes, opened);
	cr_expect(tally->gones == opened, "%llu of %llu gone", tally->gones, opened);
	cr_expect(!tally->broken && !tally->missing && !tally->lost && !tally->lost_ends,
		  "%llu do not add up, %llu records missing, %llu told lost and %llu closes",
		  tally->broken, tally->missing, tally->lost, tally->lost_ends);
}

Test(reload, a_thousand_times_under_load_and_nothing_is_lost)
{
	struct watch w =
		watch_start("interface: eth0\ntimeout: {time_wait: 1s}\n", "--ring-size", "64");
	struct la_tally *tally = calloc(1, sizeof(*tally));
	struct la_load *load;
	long long opened;
	int held[2], loaded = 0;

	cr_assert(tally &&
		  la_lab_sh(w.lab, LA_LAB_SERVER, "ip link add h0 type veth peer name h1"));
	open_held(&w, held);
	load = la_load_start(w.lab, LOAD_MS, AHEAD);
	cr_assert(load);
	for (int i = 0; i < RELOADS; i++) {
		cr_assert_eq(reload_and_read(&w, files[i % FILES].text, tally, load),
			     files[i % FILES].right, "reload %d:\n%s", i,
			     la_observer_stderr(w.obs));
		loaded += la_load_runs(load);
	}
	la_load_stop(load);
	while (la_load_runs(load))
		la_tally_read(tally, la_observer_pipe(w.obs), 100);
	cr_expect(la_load_end(load));
	close_held(held);
	opened = la_load_opened(w.lab);
	cr_expect(loaded == RELOADS && opened > RELOADS, "there was no load all the time");
	read_to_the_end(&w, tally, (unsigned long long)opened);
	cr_log_info("%d of %d reloads under load, %lld connections, %llu records lost", loaded,
		    RELOADS, opened, tally->lost);
	expect_nothing_lost(tally, (unsigned long long)opened);
	watch_end(&w);
	la_tally_free(tally);
	free(tally);
}
