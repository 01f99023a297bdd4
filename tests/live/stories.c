// SPDX-License-Identifier: BSD-2-Clause
/*
 * stories.c - see stories.h. First the steps, then the stories in their words, then the
 * table of them. Every wait has a deadline; a step that fails says why and ends the story.
 */
#include "stories.h"
#include "la_segment.h"
#include "truth.h"
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS    30000
#define POLL_MS	       2
#define FIRST_CLIENT   40001
#define FIRST_SERVER   8001
#define CLIENT	       LA_LAB_CLIENT
#define SERVER	       LA_LAB_SERVER
#define OTHER(host)    ((host) == CLIENT ? SERVER : CLIENT)
#define TALK_BYTES_MAX 4096

static const char *const host_names[2] = {[CLIENT] = "client", [SERVER] = "server"};

__attribute__((format(printf, 2, 3))) static bool fail(struct la_scene *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
	return false;
}

static unsigned long long now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

static bool pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	return nanosleep(&t, NULL) == 0;
}

static bool ready(struct la_scene *s, int fd, short events, const char *for_what)
{
	struct pollfd wait = {.fd = fd, .events = events};

	if (poll(&wait, 1, PATIENCE_MS) == 1)
		return true;
	return fail(s, "waited %d ms for %s", PATIENCE_MS, for_what);
}

/* --- the steps --------------------------------------------------------------------------- */

static int bound_socket(struct la_scene *s, enum la_lab_host host)
{
	struct la_lab_addr at = la_lab_addr(host, s->family, s->port[host]);
	int fd = la_lab_socket(s->lab, host, s->family, SOCK_STREAM, 0), one = 1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, (struct sockaddr *)&at.sa, at.len) == 0)
		return fd;
	fail(s, "%s cannot bind port %u: %s", host_names[host], s->port[host], strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool listens(struct la_scene *s)
{
	s->listener = bound_socket(s, SERVER);
	if (s->listener < 0)
		return false;
	return listen(s->listener, 4) == 0 || fail(s, "listen: %s", strerror(errno));
}

/* Sends the SYN and does not wait for what comes of it. */
static bool dials(struct la_scene *s, enum la_lab_host host)
{
	struct la_lab_addr to = la_lab_addr(OTHER(host), s->family, s->port[OTHER(host)]);

	s->sock[host] = bound_socket(s, host);
	if (s->sock[host] < 0)
		return false;
	if (connect(s->sock[host], (struct sockaddr *)&to.sa, to.len) == 0 || errno == EINPROGRESS)
		return true;
	return fail(s, "%s cannot connect: %s", host_names[host], strerror(errno));
}

/* What the handshake came to: 0 or an errno. */
static bool dialled(struct la_scene *s, enum la_lab_host host, int expected)
{
	socklen_t len = sizeof(int);
	int error = -1;

	if (!ready(s, s->sock[host], POLLOUT, "the handshake"))
		return false;
	getsockopt(s->sock[host], SOL_SOCKET, SO_ERROR, &error, &len);
	return error == expected || fail(s, "connect gave \"%s\" where \"%s\" was due",
					 strerror(error), strerror(expected));
}

static bool accepts(struct la_scene *s)
{
	if (!ready(s, s->listener, POLLIN, "a connection to accept"))
		return false;
	s->sock[SERVER] = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return s->sock[SERVER] >= 0 || fail(s, "accept: %s", strerror(errno));
}

static bool hears(struct la_scene *s, enum la_lab_host host, size_t bytes)
{
	char buf[TALK_BYTES_MAX];
	size_t got = 0;

	while (got < bytes) {
		ssize_t n;

		if (!ready(s, s->sock[host], POLLIN, "data"))
			return false;
		n = recv(s->sock[host], buf, sizeof(buf), 0);
		if (n <= 0)
			return fail(s, "%s got %zu of %zu bytes", host_names[host], got, bytes);
		got += (size_t)n;
	}
	return true;
}

/* Sends so many bytes and sees them arrive. */
static bool says(struct la_scene *s, enum la_lab_host host, size_t bytes)
{
	static const char words[TALK_BYTES_MAX];

	if (send(s->sock[host], words, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
		return fail(s, "%s cannot send: %s", host_names[host], strerror(errno));
	s->bytes[host] += bytes;
	return hears(s, OTHER(host), bytes);
}

static bool finishes(struct la_scene *s, enum la_lab_host host)
{
	return shutdown(s->sock[host], SHUT_WR) == 0 ||
	       fail(s, "%s cannot shut down: %s", host_names[host], strerror(errno));
}

/* Reads the end of what the other side has to say. */
static bool hears_the_end(struct la_scene *s, enum la_lab_host host)
{
	char byte;

	if (!ready(s, s->sock[host], POLLIN, "the end of data"))
		return false;
	return recv(s->sock[host], &byte, 1, 0) == 0 ||
	       fail(s, "%s did not get the end of data", host_names[host]);
}

static bool aborts(struct la_scene *s, enum la_lab_host host)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	int fd = s->sock[host];

	s->sock[host] = -1;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0 && close(fd) == 0)
		return true;
	return fail(s, "%s cannot abort: %s", host_names[host], strerror(errno));
}

/* Off: the next ACK waits for something to ride on, for 40 ms at least. */
static bool acks_at_once(struct la_scene *s, enum la_lab_host host, int on)
{
	return setsockopt(s->sock[host], IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)) == 0 ||
	       fail(s, "TCP_QUICKACK: %s", strerror(errno));
}

/* Waits until both kernels say so. */
static bool kernels_say(struct la_scene *s, enum la_state client, enum la_state server)
{
	enum la_state is[2] = {LA_NO_STATE, LA_NO_STATE};
	int tries;

	for (tries = 0; tries < PATIENCE_MS / POLL_MS; tries++) {
		is[CLIENT] =
			la_truth_state(s->lab, CLIENT, s->family, s->port[CLIENT], s->port[SERVER]);
		is[SERVER] =
			la_truth_state(s->lab, SERVER, s->family, s->port[CLIENT], s->port[SERVER]);
		if (is[CLIENT] == client && is[SERVER] == server)
			return true;
		pause_ms(POLL_MS);
	}
	return fail(s, "client %s, server %s, where %s and %s were due", la_state_word(is[CLIENT]),
		    la_state_word(is[SERVER]), la_state_word(client), la_state_word(server));
}

/* The same, and remembers the moment: an observer must say the same of it. */
static bool all_say(struct la_scene *s, enum la_state client, enum la_state server)
{
	if (!kernels_say(s, client, server))
		return false;
	if (s->check_count >= LA_SCENE_CHECKS)
		return fail(s, "more than %d checkpoints", LA_SCENE_CHECKS);
	s->checks[s->check_count++] = (struct la_checkpoint){.realtime_ns = now_ns(CLOCK_REALTIME),
							     .state = {client, server}};
	return true;
}

static unsigned long long segments_sent(struct la_scene *s)
{
	return la_wire_sent(s->wire, s->port[CLIENT], s->port[SERVER]).segs +
	       la_wire_sent(s->wire, s->port[SERVER], s->port[CLIENT]).segs;
}

static bool starts_counting(struct la_scene *s)
{
	s->segs = segments_sent(s);
	return true;
}

/* How many segments both sides sent since then. */
static bool took_segments(struct la_scene *s, unsigned int expected)
{
	unsigned long long took = segments_sent(s) - s->segs;

	return took == expected || fail(s, "took %llu segments, not %u", took, expected);
}

static bool wire_does(struct la_scene *s, enum la_wire_action action, enum la_lab_host to,
		      __u8 mask, __u8 value, __u32 times)
{
	struct la_wire_rule rule = {
		.port = s->port[SERVER],
		.to_server = to == SERVER,
		.hook = action == LA_WIRE_HOLD ? LA_WIRE_EGRESS : LA_WIRE_INGRESS,
		.mask = mask,
		.value = value,
		.action = (__u8)action,
		.left = times,
	};

	return la_wire_add(s->wire, &rule) >= 0 || fail(s, "the wire takes no rule");
}

static bool wire_took(struct la_scene *s, int rule, unsigned int expected)
{
	int tries;

	for (tries = 0; tries < PATIENCE_MS / POLL_MS; tries++) {
		if (la_wire_hits(s->wire, rule) == expected)
			return true;
		pause_ms(POLL_MS);
	}
	return fail(s, "the wire took %u segments, not %u", la_wire_hits(s->wire, rule), expected);
}

static bool wire_is_cut(struct la_scene *s)
{
	return wire_does(s, LA_WIRE_DROP, SERVER, 0, 0, LA_WIRE_FOREVER) &&
	       wire_does(s, LA_WIRE_DROP, CLIENT, 0, 0, LA_WIRE_FOREVER);
}

static bool wire_holds_all(struct la_scene *s)
{
	return wire_does(s, LA_WIRE_HOLD, SERVER, 0, 0, LA_WIRE_FOREVER) &&
	       wire_does(s, LA_WIRE_HOLD, CLIENT, 0, 0, LA_WIRE_FOREVER);
}

static bool wire_releases(struct la_scene *s, int frames)
{
	int released = la_wire_release(s->wire, frames);

	return released == frames ||
	       fail(s, "the wire released %d frames, not %d", released, frames);
}

static bool wire_releases_all(struct la_scene *s)
{
	return la_wire_release(s->wire, LA_WIRE_HELD_MAX) >= 0 ||
	       fail(s, "the wire releases nothing");
}

static bool wire_is_whole(struct la_scene *s)
{
	return la_wire_clear(s->wire) || fail(s, "the wire keeps its rules");
}

/* Takes a socket away without a word to the peer: as if its host had vanished. */
static void vanishes(struct la_scene *s, enum la_lab_host host)
{
	int on = TCP_REPAIR_ON;

	if (s->sock[host] < 0)
		return;
	setsockopt(s->sock[host], IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	close(s->sock[host]);
	s->sock[host] = -1;
}

/* --- the stories ------------------------------------------------------------------------- */

static bool open_and_talk(struct la_scene *s)
{
	return dials(s, CLIENT) && dialled(s, CLIENT, 0) && accepts(s) &&
	       all_say(s, LA_ESTABLISHED, LA_ESTABLISHED) && says(s, CLIENT, 100) &&
	       says(s, SERVER, 300) && all_say(s, LA_ESTABLISHED, LA_ESTABLISHED);
}

/* `first` closes, and the other one answers in its own time. */
static bool close_in_turn(struct la_scene *s, enum la_lab_host first)
{
	bool client = first == CLIENT;

	return finishes(s, first) && hears_the_end(s, OTHER(first)) &&
	       all_say(s, client ? LA_FIN_WAIT_2 : LA_CLOSE_WAIT,
		       client ? LA_CLOSE_WAIT : LA_FIN_WAIT_2) &&
	       finishes(s, OTHER(first)) && hears_the_end(s, first) &&
	       kernels_say(s, client ? LA_TIME_WAIT : LA_CLOSED, client ? LA_LISTEN : LA_TIME_WAIT);
}

static bool four_segments(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && starts_counting(s) && close_in_turn(s, CLIENT) &&
	       all_say(s, LA_TIME_WAIT, LA_LISTEN) && took_segments(s, 4);
}

static bool three_segments(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && starts_counting(s) && acks_at_once(s, SERVER, 0) &&
	       finishes(s, CLIENT) && hears_the_end(s, SERVER) && finishes(s, SERVER) &&
	       all_say(s, LA_TIME_WAIT, LA_LISTEN) && took_segments(s, 3);
}

/* All is held, so the FINs cross and the ACKs wait until both have arrived. */
static bool simultaneous_close(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && wire_holds_all(s) && finishes(s, CLIENT) &&
	       finishes(s, SERVER) && kernels_say(s, LA_FIN_WAIT_1, LA_FIN_WAIT_1) &&
	       wire_releases(s, 2) && kernels_say(s, LA_CLOSING, LA_CLOSING) &&
	       wire_releases(s, 2) && all_say(s, LA_TIME_WAIT, LA_TIME_WAIT);
}

static bool half_close_with_data(struct la_scene *s)
{
	int i;

	if (!listens(s) || !open_and_talk(s) || !finishes(s, CLIENT) || !hears_the_end(s, SERVER))
		return false;
	for (i = 0; i < 5; i++) {
		if (!all_say(s, LA_FIN_WAIT_2, LA_CLOSE_WAIT) || !says(s, SERVER, 1000) ||
		    !pause_ms(40))
			return false;
	}
	return finishes(s, SERVER) && hears_the_end(s, CLIENT) &&
	       all_say(s, LA_TIME_WAIT, LA_LISTEN);
}

static bool abort_by_client(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && aborts(s, CLIENT) &&
	       all_say(s, LA_CLOSED, LA_LISTEN);
}

static bool abort_half_closed(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && finishes(s, CLIENT) && hears_the_end(s, SERVER) &&
	       all_say(s, LA_FIN_WAIT_2, LA_CLOSE_WAIT) && aborts(s, SERVER) &&
	       all_say(s, LA_CLOSED, LA_LISTEN);
}

static bool refused(struct la_scene *s)
{
	return dials(s, CLIENT) && dialled(s, CLIENT, ECONNREFUSED) &&
	       all_say(s, LA_CLOSED, LA_CLOSED);
}

/* In FIN_WAIT_2 the client has but one more ACK to send. */
static bool lost_last_ack(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && finishes(s, CLIENT) && hears_the_end(s, SERVER) &&
	       all_say(s, LA_FIN_WAIT_2, LA_CLOSE_WAIT) &&
	       wire_does(s, LA_WIRE_DROP, SERVER, LA_FIN | LA_SYN | LA_RST | LA_ACK, LA_ACK, 1) &&
	       finishes(s, SERVER) && wire_took(s, 0, 1) &&
	       kernels_say(s, LA_TIME_WAIT, LA_LAST_ACK) && all_say(s, LA_TIME_WAIT, LA_LISTEN);
}

static bool silent_death(struct la_scene *s)
{
	return listens(s) && open_and_talk(s) && wire_is_cut(s) &&
	       all_say(s, LA_ESTABLISHED, LA_ESTABLISHED);
}

static bool unanswered_syn(struct la_scene *s)
{
	return listens(s) && wire_is_cut(s) && dials(s, CLIENT) && wire_took(s, 0, 1) &&
	       all_say(s, LA_SYN_SENT, LA_LISTEN) && wire_took(s, 0, 2);
}

static bool port_reuse(struct la_scene *s)
{
	if (!listens(s) || !open_and_talk(s) || !close_in_turn(s, SERVER))
		return false;
	vanishes(s, CLIENT);
	vanishes(s, SERVER);
	return open_and_talk(s) && close_in_turn(s, CLIENT) && all_say(s, LA_TIME_WAIT, LA_LISTEN);
}

/* All is held, so the SYNs cross, and the SYN-ACKs that answer them, and then the ACKs. */
static bool simultaneous_open(struct la_scene *s)
{
	return wire_holds_all(s) && dials(s, CLIENT) && dials(s, SERVER) &&
	       kernels_say(s, LA_SYN_SENT, LA_SYN_SENT) && wire_releases(s, 2) &&
	       kernels_say(s, LA_SYN_RECEIVED, LA_SYN_RECEIVED) && wire_releases(s, 2) &&
	       kernels_say(s, LA_ESTABLISHED, LA_ESTABLISHED) && wire_is_whole(s) &&
	       wire_releases_all(s) && all_say(s, LA_ESTABLISHED, LA_ESTABLISHED) &&
	       says(s, CLIENT, 100) && says(s, SERVER, 300) && finishes(s, CLIENT) &&
	       hears_the_end(s, SERVER) && all_say(s, LA_FIN_WAIT_2, LA_CLOSE_WAIT) &&
	       finishes(s, SERVER) && all_say(s, LA_TIME_WAIT, LA_CLOSED);
}

/* --- the table --------------------------------------------------------------------------- */

const char *const la_story_timeouts[] = {
	"--timeout", "syn_sent=2", "--timeout", "established=2", "--timeout", "time_wait=1",
	"--timeout", "closed=1",   NULL,
};

#define CLOSES_FIRST "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED"
#define CLOSES_LAST  "SYN_RECEIVED ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"
#define IN_ORDER                                                                                   \
	{                                                                                          \
		.reason = LA_CLOSE_FIN, .closed_by = LA_STORY_BY_CLIENT, .conn_state = LA_CONN_SF, \
		.gone = LA_GONE_TIME_WAIT_OVER, .path = {CLOSES_FIRST, CLOSES_LAST},               \
	}

const struct la_story la_stories[] = {
	{
		.name = "four_segments",
		.title = "Four segments",
		.text = "The client closes, the server acknowledges, and closes in its own time.",
		.play = four_segments,
		.endings = 1,
		.ending = {IN_ORDER},
	},
	{
		.name = "three_segments",
		.title = "Three segments",
		.text = "The server answers the client's FIN with its own, and one segment does "
			"for two.",
		.play = three_segments,
		.endings = 1,
		.ending = {IN_ORDER},
	},
	{
		.name = "simultaneous_close",
		.title = "Simultaneous close",
		.text = "Both close at once, the FINs cross on the wire, and both wait out "
			"TIME_WAIT.",
		.play = simultaneous_close,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_SIMULTANEOUS_FIN,
			    .closed_by = LA_STORY_BY_BOTH,
			    .conn_state = LA_CONN_SF,
			    .gone = LA_GONE_TIME_WAIT_OVER,
			    .path = {"SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED",
				     "SYN_RECEIVED ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT "
				     "CLOSED"}}},
	},
	{
		.name = "half_close_with_data",
		.title = "Half-close with data",
		.text = "The client has no more to say, but listens until the server has finished.",
		.play = half_close_with_data,
		.endings = 1,
		.ending = {IN_ORDER},
	},
	{
		.name = "abort_by_client",
		.title = "Abort",
		.text = "The client throws the connection away with a RST, and both sides are "
			"closed.",
		.play = abort_by_client,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_RESET,
			    .closed_by = LA_STORY_BY_CLIENT,
			    .conn_state = LA_CONN_RSTO,
			    .gone = LA_GONE_EXPIRED,
			    .path = {"SYN_SENT ESTABLISHED CLOSED",
				     "SYN_RECEIVED ESTABLISHED CLOSED"}}},
	},
	{
		.name = "abort_half_closed",
		.title = "Abort of a half-closed connection",
		.text = "The client has closed and waits for the rest, but the server resets "
			"instead.",
		.play = abort_half_closed,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_HALF_CLOSED_RESET,
			    .closed_by = LA_STORY_BY_CLIENT,
			    .conn_state = LA_CONN_RSTR,
			    .gone = LA_GONE_EXPIRED,
			    .path = {"SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED",
				     "SYN_RECEIVED ESTABLISHED CLOSE_WAIT CLOSED"}}},
	},
	{
		.name = "refused",
		.title = "Refused",
		.text = "Nobody listens on the port, and the server's host says so with a RST.",
		.play = refused,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_REFUSED,
			    .closed_by = LA_STORY_BY_SERVER,
			    .conn_state = LA_CONN_REJ,
			    .gone = LA_GONE_EXPIRED,
			    .path = {"SYN_SENT CLOSED", "CLOSED"}}},
	},
	{
		.name = "lost_last_ack",
		.title = "The last ACK is lost",
		.text = "The last ACK never arrives; the server sends its FIN again, and what "
			"looked "
			"closed was not.",
		.play = lost_last_ack,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_FIN,
			    .closed_by = LA_STORY_BY_CLIENT,
			    .conn_state = LA_CONN_SF,
			    .gone = LA_GONE_TIME_WAIT_OVER,
			    .fin_retrans = 1,
			    .path = {CLOSES_FIRST, CLOSES_LAST}}},
	},
	{
		.name = "silent_death",
		.title = "Silent death",
		.text = "The cable is cut: no FIN, no RST, both sides believe in the connection, "
			"and "
			"only a clock ends it.",
		.play = silent_death,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_TIMEOUT,
			    .closed_by = LA_STORY_BY_NOBODY,
			    .conn_state = LA_CONN_S1,
			    .timeout_state = LA_ESTABLISHED,
			    .gone = LA_GONE_EXPIRED,
			    .path = {"SYN_SENT ESTABLISHED", "SYN_RECEIVED ESTABLISHED"}}},
	},
	{
		.name = "unanswered_syn",
		.title = "No answer",
		.text = "The SYN is lost, and lost again, and nobody ever answers.",
		.play = unanswered_syn,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_TIMEOUT,
			    .closed_by = LA_STORY_BY_NOBODY,
			    .conn_state = LA_CONN_S0,
			    .timeout_state = LA_SYN_SENT,
			    .gone = LA_GONE_EXPIRED,
			    .path = {"SYN_SENT", ""}}},
	},
	{
		.name = "port_reuse",
		.title = "A new connection in TIME_WAIT",
		.text = "The client dials again from the same port while the server is still in "
			"TIME_WAIT.",
		.play = port_reuse,
		.endings = 2,
		.ending = {{.reason = LA_CLOSE_FIN,
			    .closed_by = LA_STORY_BY_SERVER,
			    .conn_state = LA_CONN_SF,
			    .gone = LA_GONE_REPLACED,
			    .path = {"SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",
				     "SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"}},
			   IN_ORDER},
	},
	{
		.name = "simultaneous_open",
		.title = "Simultaneous open",
		.text = "Both dial at once, the SYNs cross on the wire, and it is one connection.",
		.play = simultaneous_open,
		.endings = 1,
		.ending = {{.reason = LA_CLOSE_FIN,
			    .closed_by = LA_STORY_BY_CLIENT,
			    .conn_state = LA_CONN_SF,
			    .gone = LA_GONE_TIME_WAIT_OVER,
			    .path = {"SYN_SENT SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 "
				     "TIME_WAIT CLOSED",
				     "SYN_SENT SYN_RECEIVED ESTABLISHED CLOSE_WAIT LAST_ACK "
				     "CLOSED"}}},
		.either_opens = true,
	},
};

const int la_story_count = sizeof(la_stories) / sizeof(*la_stories);

bool la_story_play(const struct la_story *story, struct la_lab *lab, struct la_wire *wire,
		   int family, struct la_scene *scene)
{
	unsigned short number = (unsigned short)(story - la_stories + (family == AF_INET6) * 100);
	bool ok;

	*scene = (struct la_scene){
		.lab = lab,
		.wire = wire,
		.family = family,
		.port = {[CLIENT] = FIRST_CLIENT + number, [SERVER] = FIRST_SERVER + number},
		.listener = -1,
		.sock = {-1, -1},
	};
	ok = story->play(scene);
	vanishes(scene, CLIENT);
	vanishes(scene, SERVER);
	if (scene->listener >= 0)
		close(scene->listener);
	la_wire_forget(wire);
	return wire_is_whole(scene) && ok;
}
