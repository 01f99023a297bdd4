// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_rst_policy.c - a blind attacker against real sockets: without a policy he ends a connection
 * when he hits the number that it expects; with one none of his guesses reaches it.
 *
 * Whether one did, the server's kernel says: it counts the challenge ACKs by which it answers.
 */
#include "blind.h"
#include "config_file.h"
#include "fetch.h"
#include "observer.h"
#include "pair.h"
#include "told.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Patience for what does not depend on speed, ms. */
#define SOON_MS 30000

#define CLIENT_PORT 44300
#define SERVER_PORT 9800

#define ROUNDS	2
#define GUESSES 2000 /* a round; more by LASTACK_GUESSES */
#define STRIDE	61   /* so they go beyond the window */
#define BYTES	20000

/* ---- a lab with lastack and an attacker in it ---- */

static const struct place {
	const char *name;
	enum la_lab_host host;
	const char *first, *second; /* interfaces */
	const char *bridge;
	int family;
} places[] = {
	{"host", LA_LAB_SERVER, "eth0", NULL, NULL, AF_INET},
	{"router", LA_LAB_ROUTER, "left", "right", NULL, AF_INET6},
	{"bridge", LA_LAB_ROUTER, "left", "right", "b0", AF_INET},
};

/* A test is told which by its number: a pointer means nothing in its process. */
#define AT_EACH_PLACE(test)                                                                        \
	ParameterizedTestParameters(rst_policy, test)                                              \
	{                                                                                          \
		static int each[] = {0, 1, 2};                                                     \
                                                                                                   \
		return cr_make_param_array(int, each, sizeof(each) / sizeof(*each));               \
	}

/* left and right become ports of a bridge; the hosts are neighbours. */
static const char *const bridge_scripts[LA_LAB_HOSTS] = {
	[LA_LAB_ROUTER] = "ip addr flush dev left && ip addr flush dev right && "
			  "ip link add b0 type bridge && ip link set left master b0 && "
			  "ip link set right master b0 && ip link set b0 up",
	[LA_LAB_CLIENT] = "ip route replace 10.9.2.1/32 dev eth0 && "
			  "ip neigh replace 10.9.2.1 lladdr 02:09:00:00:02:01 dev eth0",
	[LA_LAB_SERVER] = "ip route replace 10.9.1.1/32 dev eth0 && "
			  "ip neigh replace 10.9.1.1 lladdr 02:09:00:00:01:01 dev eth0",
};

struct scene {
	const struct place *place;
	struct la_lab *lab;
	struct la_blind *blind;
	struct la_observer *obs;
	struct la_pair victim, innocent;
	unsigned int guesses;
};

static struct la_pair open_pair(const struct scene *s, unsigned short n)
{
	struct la_pair pair;

	cr_assert(la_pair_open(&pair, s->lab, s->place->family, CLIENT_PORT + n, SERVER_PORT + n));
	return pair;
}

/* more: the last of the command line, NULL: nothing. */
static struct scene scene_start_with(const struct place *place, const char *option,
				     const char *value, const char *more)
{
	struct scene s = {.place = place, .lab = la_lab_new(true)};
	const char *const options[] = {option, value, more, NULL};

	cr_assert(s.lab);
	for (int host = 0; place->bridge && host < LA_LAB_HOSTS; host++)
		cr_assert(la_lab_sh(s.lab, (enum la_lab_host)host, "%s", bridge_scripts[host]));
	s.blind = la_blind_new(s.lab, place->bridge);
	s.obs = la_observer_start(s.lab, place->host, place->first, place->second, options);
	cr_assert(s.blind && s.obs, "the lab is not complete");
	s.victim = open_pair(&s, 0);
	s.innocent = open_pair(&s, 1);
	return s;
}

static struct scene scene_start(const struct place *place, const char *option, const char *value)
{
	return scene_start_with(place, option, value, NULL);
}

static void scene_end(struct scene *s)
{
	la_observer_free(s->obs);
	la_blind_free(s->blind);
	la_lab_free(s->lab);
}

static void hang_up(const struct la_pair *pair)
{
	close(pair->client);
	close(pair->server);
}

/* Both connections end in order, and so does lastack. */
static void scene_close(struct scene *s)
{
	hang_up(&s->victim);
	hang_up(&s->innocent);
	cr_expect_eq(la_observer_stop(s->obs), 0, "%s", la_observer_stderr(s->obs));
}

/* ---- what passes ---- */

/* Carries bytes that no other round has, and looks at each of them. */
static void carry(int from, int to, unsigned int round)
{
	static unsigned char sent[BYTES], got[BYTES];
	struct pollfd wait = {.fd = to, .events = POLLIN};
	size_t have = 0;

	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (unsigned char)((i * 31 + round * 17) >> (i & 7));
	cr_assert_eq(send(from, sent, BYTES, MSG_NOSIGNAL), BYTES, "%s", strerror(errno));
	while (have < BYTES && poll(&wait, 1, SOON_MS) == 1) {
		ssize_t n = recv(to, got + have, BYTES - have, 0);

		cr_assert_gt(n, 0, "%s", n ? strerror(errno) : "the connection has ended");
		have += (size_t)n;
	}
	cr_assert_eq(have, BYTES, "%zu bytes of %d arrived", have, BYTES);
	cr_assert(!memcmp(sent, got, BYTES), "other bytes arrived");
}

static void carry_all(const struct scene *s, unsigned int round)
{
	const struct la_pair *pairs[] = {&s->victim, &s->innocent};

	for (int i = 0; i < 2; i++) {
		carry(pairs[i]->client, pairs[i]->server, 2 * round);
		carry(pairs[i]->server, pairs[i]->client, 2 * round + 1);
	}
}

/* RSTs that reached the server and made it ask. */
static long long challenged(const struct scene *s)
{
	long long sent = la_lab_counter(s->lab, LA_LAB_SERVER, "TcpExt", "TCPChallengeACK");
	long long held = la_lab_counter(s->lab, LA_LAB_SERVER, "TcpExt", "TCPACKSkippedChallenge");

	cr_assert(sent >= 0 && held >= 0, "the kernel does not count challenges");
	return sent + held;
}

/* ---- the attack ---- */

static void guess(struct scene *s, __u32 seq)
{
	cr_assert(la_blind_rst(s->blind, s->place->family, CLIENT_PORT, SERVER_PORT, seq));
	s->guesses++;
}

/* Guesses from the number that the server expects on, without that. */
static void guess_across_the_window(struct scene *s)
{
	const char *more = getenv("LASTACK_GUESSES");
	unsigned int count = more ? (unsigned int)atoi(more) : GUESSES;
	__u32 expected;

	cr_assert(la_blind_expected(s->victim.server, &expected));
	for (unsigned int i = 0; i < count; i++)
		guess(s, expected + 1 + i % GUESSES * STRIDE + i / GUESSES);
}

struct tally {
	size_t read; /* records */
	unsigned int rsts, dropped, lost;
};

static bool has_all(const json_t *records, void *ctx)
{
	const struct scene *s = ((void **)ctx)[0];
	struct tally *t = ((void **)ctx)[1];

	for (; t->read < json_array_size(records); t->read++) {
		const json_t *r = json_array_get(records, t->read);

		t->rsts += !strcmp(la_told_text(r, "type"), "rst");
		t->dropped += json_is_true(json_object_get(r, "dropped"));
		if (!strcmp(la_told_text(r, "type"), "lost"))
			t->lost += (unsigned int)json_integer_value(json_object_get(r, "count"));
	}
	return t->rsts + t->lost >= s->guesses;
}

/* Each guess is told of, or counted as not told. */
static struct tally wait_told(struct scene *s)
{
	struct tally t = {0};
	void *ctx[] = {s, &t};

	cr_expect(la_observer_until(s->obs, has_all, ctx, SOON_MS), "%u guesses, %u told, %u lost",
		  s->guesses, t.rsts, t.lost);
	return t;
}

/* Data passes between the guesses, and none of them. */
static void attack_in_vain(struct scene *s)
{
	struct tally t;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		carry_all(s, round);
		guess_across_the_window(s);
	}
	carry_all(s, ROUNDS);
	t = wait_told(s);
	cr_expect_eq(t.dropped, t.rsts, "%s: %u RSTs told, %u dropped", s->place->name, t.rsts,
		     t.dropped);
	cr_expect_eq(challenged(s), 0, "%s: a guess has reached the server", s->place->name);
}

/* ---- the tests ---- */

Test(rst_policy, without_a_policy_the_right_number_ends_it)
{
	struct scene s = scene_start(&places[0], "--rst-policy", "observe");
	struct pollfd wait = {.fd = s.victim.server, .events = POLLIN};
	struct la_told told[1] = {0};
	__u32 expected;
	char byte;

	carry_all(&s, 0);
	guess_across_the_window(&s);
	cr_expect_gt(challenged(&s), 0, "no guess has reached the server");
	cr_assert(la_blind_expected(s.victim.server, &expected));
	guess(&s, expected);
	cr_assert(poll(&wait, 1, SOON_MS) == 1, "the connection has not ended");
	cr_expect(recv(s.victim.server, &byte, 1, 0) < 0 && errno == ECONNRESET);
	cr_expect_eq(wait_told(&s).dropped, 0);
	cr_expect_eq(la_observer_stop(s.obs), 0);
	cr_assert_eq(la_told_gather(la_observer_records(s.obs), CLIENT_PORT, SERVER_PORT, told, 1),
		     1);
	cr_expect_str_eq(la_told_text(told->close, "reason"), "reset");
	hang_up(&s.innocent);
	scene_end(&s);
}

/* Has it read again, for the nth time. */
static void reload(const struct scene *s, const struct la_config_file *file, const char *text,
		   int nth)
{
	const char *said;
	int times = 0;

	la_config_file_put(file, text);
	cr_assert(!kill(la_observer_pid(s->obs), SIGHUP));
	for (int ms = 0; times < nth && ms < SOON_MS; ms += 5) {
		said = la_observer_stderr(s->obs);
		for (times = 0; (said = strstr(said, ": reloaded")); said++)
			times++;
		poll(NULL, 0, 5);
	}
	cr_assert_eq(times, nth, "%s", la_observer_stderr(s->obs));
}

/* From one policy to another while the connection is under attack. */
Test(rst_policy, it_takes_effect_when_the_file_is_read_again)
{
	struct la_config_file file = la_config_file_new("rst-policy: dry-run\n");
	struct scene s = scene_start(&places[0], "--config", file.path);
	long long before;

	guess_across_the_window(&s);
	cr_expect_eq(wait_told(&s).dropped, 0);
	before = challenged(&s);
	cr_expect_gt(before, 0);
	reload(&s, &file, "rst-policy: strict\n", 1);
	guess_across_the_window(&s);
	cr_expect_eq(wait_told(&s).dropped, s.guesses / 2);
	cr_expect_eq(challenged(&s), before, "a guess has reached the server");
	carry_all(&s, 0);
	hang_up(&s.victim);
	hang_up(&s.innocent);
	scene_end(&s);
	close(file.fd);
}

AT_EACH_PLACE(no_guess_passes)

ParameterizedTest(const int *at, rst_policy, no_guess_passes)
{
	const struct place *place = &places[*at];
	struct scene s = scene_start(place, "--rst-policy", "strict");
	struct la_told told[2] = {0};

	attack_in_vain(&s);
	scene_close(&s);
	cr_expect(strstr(la_observer_stderr(s.obs), "RST that a policy keeps from its receiver"),
		  "%s", la_observer_stderr(s.obs));
	for (unsigned short n = 0; n < 2; n++) {
		cr_assert_eq(la_told_gather(la_observer_records(s.obs), CLIENT_PORT + n,
					    SERVER_PORT + n, &told[n], 1),
			     1);
		cr_expect_str_eq(la_told_text(told[n].close, "reason"), "fin");
	}
	scene_end(&s);
}

/* ---- a million ---- */

#define MILLION	   1000000ULL
#define WAVE	   50000
#define MOST_WAVES 100
#define WEB_PORT   9464

/* The sum of the samples of a metric whose labels have this text, from lastack's page. */
static unsigned long long metric(const struct scene *s, const char *name, const char *labels)
{
	struct la_fetched page = la_fetch(s->lab, s->place->host, WEB_PORT, "/metrics", NULL, NULL);
	unsigned long long sum = 0;
	char *at = NULL;

	cr_assert_eq(page.status, 200);
	for (char *line = strtok_r(page.body, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		if (!strncmp(line, name, strlen(name)) && strstr(line, labels))
			sum += strtoull(strrchr(line, ' '), NULL, 10);
	la_fetched_free(&page);
	return sum;
}

static unsigned long long dropped(const struct scene *s)
{
	return metric(s, "lastack_rst_rules_total{", "rule=\"strict\",dropped=\"true\"");
}

/* Each RST that was judged was told of, and none but those was dropped; some may be on their way.
 */
static bool all_agree(const struct scene *s)
{
	for (int ms = 0; ms < SOON_MS; ms += 100) {
		unsigned long long judged = dropped(s);

		if (metric(s, "lastack_rst_total{", "sender=\"orig\"") == judged &&
		    metric(s, "lastack_packets_total{", "verdict=\"drop\"") == judged)
			return true;
		poll(NULL, 0, 100);
	}
	return false;
}

/* From the number behind the expected one on, beyond the window and back; never just that one. */
static void send_wave(const struct scene *s, unsigned int wave)
{
	__u32 expected;

	cr_assert(la_blind_expected(s->victim.server, &expected));
	cr_assert(la_blind_rsts(s->blind, s->place->family, CLIENT_PORT, SERVER_PORT,
				expected + 1 + wave % 20 * WAVE, WAVE));
}

/* Records of so many would only be lost: the metrics count each in the kernel. */
Test(rst_policy, a_million_guesses_and_none_passes)
{
	struct scene s = scene_start_with(&places[0], "--rst-policy", "strict", "reason fin");
	struct la_told told[1] = {0};
	unsigned long long judged = 0;

	for (unsigned int wave = 0; judged < MILLION && wave < MOST_WAVES; wave++) {
		carry_all(&s, wave);
		send_wave(&s, wave);
		judged = dropped(&s);
	}
	carry_all(&s, MOST_WAVES);
	cr_expect_geq(judged, MILLION, "%llu guesses have arrived", judged);
	cr_expect_eq(challenged(&s), 0, "a guess has reached the server");
	cr_expect(all_agree(&s));
	scene_close(&s);
	cr_assert_eq(la_told_gather(la_observer_records(s.obs), CLIENT_PORT, SERVER_PORT, told, 1),
		     1);
	cr_expect_str_eq(la_told_text(told->close, "reason"), "fin");
	scene_end(&s);
}

/* ---- challenge ---- */

#define CHALLENGE_EVERY_NS 500000000LL

struct challenges {
	int done, failed, hasty; /* too soon after the one before */
	long long last;		 /* ns */
	const json_t *close;	 /* of the victim */
};

static void count_challenge(struct challenges *c, const json_t *record)
{
	long long ts = json_integer_value(json_object_get(record, "ts_ns"));
	bool done = !strcmp(la_told_text(record, "result"), "done");

	cr_expect_str_eq(la_told_text(record, "action"), "challenge");
	c->done += done;
	c->failed += !done;
	c->hasty += c->last && ts - c->last < CHALLENGE_EVERY_NS;
	c->last = ts;
}

/* Counts those of the victim. */
static struct challenges challenges_of(const json_t *records)
{
	struct challenges c = {0};
	json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		if (json_integer_value(json_object_get(record, "resp_port")) != SERVER_PORT)
			continue;
		if (!strcmp(la_told_text(record, "type"), "policy"))
			count_challenge(&c, record);
		else if (!strcmp(la_told_text(record, "type"), "close"))
			c.close = record;
	}
	return c;
}

static bool is_challenged(const json_t *records, void *ctx)
{
	struct challenges *c = ctx;

	*c = challenges_of(records);
	return c->done;
}

/* Whatever came of it. */
static bool is_asked(const json_t *records, void *ctx)
{
	struct challenges *c = ctx;

	*c = challenges_of(records);
	return c->done || c->failed;
}

static bool is_closed(const json_t *records, void *ctx)
{
	struct challenges *c = ctx;

	*c = challenges_of(records);
	return c->close;
}

AT_EACH_PLACE(a_guess_is_challenged_and_the_connection_lives)

ParameterizedTest(const int *at, rst_policy, a_guess_is_challenged_and_the_connection_lives)
{
	const struct place *place = &places[*at];
	struct scene s = scene_start(place, "--rst-policy", "challenge");
	struct challenges c;

	attack_in_vain(&s);
	cr_expect(la_observer_until(s.obs, is_challenged, &c, SOON_MS), "%s: nobody was asked",
		  place->name);
	cr_expect(!c.failed && !c.hasty, "%s: %d challenges, %d failed, %d too soon", place->name,
		  c.done, c.failed, c.hasty);
	hang_up(&s.victim);
	hang_up(&s.innocent);
	cr_assert(la_observer_until(s.obs, is_closed, &c, SOON_MS), "%s", place->name);
	cr_expect_str_eq(la_told_text(c.close, "reason"), "fin");
	cr_expect_null(json_object_get(c.close, "forged"));
	cr_expect_eq(la_observer_stop(s.obs), 0, "%s", la_observer_stderr(s.obs));
	scene_end(&s);
}

/* The client's socket is gone, as if its host had never had it. */
static void forget(int fd)
{
	int on = TCP_REPAIR_ON;

	cr_assert(!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) && !close(fd), "%s",
		  strerror(errno));
}

AT_EACH_PLACE(who_has_lost_it_answers_with_the_right_number)

ParameterizedTest(const int *at, rst_policy, who_has_lost_it_answers_with_the_right_number)
{
	const struct place *place = &places[*at];
	struct scene s = scene_start(place, "--rst-policy", "challenge");
	struct pollfd wait = {.fd = s.victim.server, .events = POLLIN};
	struct challenges c;
	__u32 expected;
	char byte;

	carry_all(&s, 0);
	cr_assert(la_blind_expected(s.victim.server, &expected));
	forget(s.victim.client);
	cr_assert(la_pair_rst(s.lab, place->family, CLIENT_PORT, SERVER_PORT, expected + 100));
	cr_assert(poll(&wait, 1, SOON_MS) == 1, "%s: the server is not told", place->name);
	cr_expect(recv(s.victim.server, &byte, 1, 0) < 0 && errno == ECONNRESET);
	cr_expect_eq(challenged(&s), 0, "%s: the server has asked itself", place->name);
	cr_assert(la_observer_until(s.obs, is_closed, &c, SOON_MS), "%s", place->name);
	cr_expect(c.done == 1 && !c.failed, "%s: %d challenges, %d failed", place->name, c.done,
		  c.failed);
	cr_expect_str_eq(la_told_text(c.close, "reason"), "reset");
	cr_expect_str_eq(la_told_text(c.close, "rst_verdict"), "exact");
	cr_expect_str_eq(la_told_text(c.close, "closed_by"), "orig");
	cr_expect_null(json_object_get(c.close, "forged"));
	close(s.victim.server);
	hang_up(&s.innocent);
	cr_expect_eq(la_observer_stop(s.obs), 0, "%s", la_observer_stderr(s.obs));
	scene_end(&s);
}

/* On a bridge lastack knows where a host is by its SYN, which the attacker sends as well. */
Test(rst_policy, who_claims_the_address_is_not_told_the_numbers)
{
	struct scene s = scene_start_with(&places[2], "--rst-policy", "challenge", "-ithird");
	struct challenges c;
	__u32 expected;

	carry_all(&s, 0);
	cr_assert(la_blind_syn(s.blind, s.place->family, CLIENT_PORT + 9, SERVER_PORT + 9));
	cr_assert(la_blind_expected(s.victim.server, &expected));
	guess(&s, expected + 100);
	cr_assert(la_observer_until(s.obs, is_asked, &c, SOON_MS));
	cr_expect(!c.done && c.failed == 1, "%d challenges, %d failed", c.done, c.failed);
	carry_all(&s, 1);
	scene_close(&s);
	scene_end(&s);
}

/* ---- what is protected ---- */

#define STRICT	  "rst-policy: strict\n"
#define CHALLENGE "rst-policy: challenge\n"

/* By its port alone, which the programs know; by more, which lastack has to say. */
#define BY_PORT "protect: port 9800\n"
#define BY_MORE "protect: dport 9800 and resp net 10.9.2.0/24\n"

static bool has_begun(const json_t *records, void *ctx)
{
	struct la_told told[1] = {0};

	(void)ctx;
	return la_told_gather(records, CLIENT_PORT, SERVER_PORT, told, 1) == 1;
}

/* Some guesses at the victim: all of them reach the server, or none. */
static void expect_guesses(struct scene *s, bool pass, const char *text)
{
	unsigned int told = s->guesses, held = wait_told(s).dropped;
	long long asked = challenged(s);

	guess_across_the_window(s);
	cr_expect_eq(wait_told(s).dropped - held, pass ? 0 : s->guesses - told, "%s", text);
	cr_expect_eq(challenged(s) > asked, pass, "%s", text);
}

ParameterizedTestParameters(rst_policy, what_is_protected_is_left_alone)
{
	static struct text {
		char text[100];
	} each[] = {{STRICT BY_PORT}, {STRICT BY_MORE}, {CHALLENGE BY_PORT}, {CHALLENGE BY_MORE}};

	return cr_make_param_array(struct text, each, sizeof(each) / sizeof(*each));
}

ParameterizedTest(const char *text, rst_policy, what_is_protected_is_left_alone)
{
	struct la_config_file file = la_config_file_new(text);
	struct scene s = scene_start(&places[0], "--config", file.path);
	struct challenges c;

	cr_assert(la_observer_until(s.obs, has_begun, NULL, SOON_MS));
	expect_guesses(&s, true, text);
	carry_all(&s, 0);
	c = challenges_of(la_observer_records(s.obs));
	cr_expect_eq(c.done + c.failed, 0, "lastack has asked about it");
	scene_close(&s);
	scene_end(&s);
	close(file.fd);
}

Test(rst_policy, protection_holds_for_connections_that_there_are)
{
	static const struct {
		const char *text;
		bool pass;
	} steps[] = {{STRICT BY_PORT, true},
		     {STRICT, false},
		     {STRICT BY_MORE, true},
		     {STRICT "protect: port 9801\n", false}};
	struct la_config_file file = la_config_file_new(STRICT);
	struct scene s = scene_start(&places[0], "--config", file.path);

	expect_guesses(&s, false, STRICT);
	for (int i = 0; i < 4; i++) {
		reload(&s, &file, steps[i].text, i + 1);
		expect_guesses(&s, steps[i].pass, steps[i].text);
	}
	carry_all(&s, 0);
	scene_close(&s);
	scene_end(&s);
	close(file.fd);
}
