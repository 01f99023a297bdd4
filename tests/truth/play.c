// SPDX-License-Identifier: BSD-2-Clause
/*
 * play.c - see play.h. First the dice and the steps, then the behaviours, then their table.
 * Every wait has a deadline.
 */
#include "play.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define CLIENT	    LA_LAB_CLIENT
#define SERVER	    LA_LAB_SERVER
#define OTHER(host) ((host) == CLIENT ? SERVER : CLIENT)
#define WORDS_MAX   6000

/* --- dice --------------------------------------------------------------------------------- */

/* splitmix64 (public domain). */
static __u64 roll(__u64 *dice)
{
	__u64 z = *dice += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int draw(struct la_play *p, int sides)
{
	return (int)(roll(&p->dice) % (__u64)sides);
}

static bool once_in(struct la_play *p, int sides)
{
	return draw(p, sides) == 0;
}

/* --- steps -------------------------------------------------------------------------------- */

static void nap_us(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* Half of the time not at all. */
static void dawdle(struct la_play *p)
{
	int us = draw(p, 8000);

	if (once_in(p, 2))
		nap_us(us);
}

static bool ready(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return fd >= 0 && poll(&wait, 1, PATIENCE_MS) == 1;
}

static int bound_socket(struct la_play *p, enum la_lab_host host, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(host, p->family, port);
	int fd = la_lab_socket(p->lab, host, p->family, SOCK_STREAM, 0), one = 1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, (struct sockaddr *)&at.sa, at.len) == 0)
		return fd;
	fprintf(stderr, "play %u: cannot bind port %u: %s\n", p->number, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool listens(struct la_play *p, int backlog)
{
	int queue = 5;

	p->listener = bound_socket(p, SERVER, p->port[SERVER]);
	return p->listener >= 0 &&
	       setsockopt(p->listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)) == 0 &&
	       listen(p->listener, backlog) == 0;
}

static void deafens(struct la_play *p)
{
	if (p->listener >= 0)
		close(p->listener);
	p->listener = -1;
}

/* Sends a SYN from that port and does not wait for what comes of it. */
static int dial_from(struct la_play *p, enum la_lab_host host, unsigned short port)
{
	struct la_lab_addr to = la_lab_addr(OTHER(host), p->family, p->port[OTHER(host)]);
	int fd = bound_socket(p, host, port);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to.sa, to.len) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* --- what is said ------------------------------------------------------------------------- */

/* The byte that a host says at a place of its stream: it tells where it belongs, and whose it is.
 */
static char word(const struct la_play *p, int host, __u32 at)
{
	__u64 dice = (__u64)p->number << 33 | (__u64)host << 32 | at / sizeof(dice);

	return (char)(roll(&dice) >> at % sizeof(dice) * 8);
}

static void begin_words(struct la_play *p)
{
	memset(p->said, 0, sizeof(p->said));
	memset(p->heard, 0, sizeof(p->heard));
}

/* The next words of a host. */
static void next_words(const struct la_play *p, int host, char words[WORDS_MAX], size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		words[i] = word(p, host, p->said[host] + (__u32)i);
}

/* What came of saying them, as send(2) returns. */
static ssize_t said(struct la_play *p, int host, ssize_t bytes)
{
	if (bytes > 0)
		p->said[host] += (__u32)bytes;
	return bytes;
}

/* As recv(2). Other bytes than were said there are noted. */
static ssize_t listen_to(struct la_play *p, int host, char words[WORDS_MAX])
{
	ssize_t got = recv(p->sock[host], words, WORDS_MAX, 0);

	for (ssize_t i = 0; i < got; i++)
		p->end.wrong += words[i] != word(p, OTHER(host), p->heard[host]++);
	p->end.bytes += got > 0 ? (__u32)got : 0;
	return got;
}

static bool dials(struct la_play *p, enum la_lab_host host)
{
	begin_words(p);
	p->sock[host] = dial_from(p, host, p->port[host]);
	return p->sock[host] >= 0;
}

/* Data on the SYN (RFC 7413). */
static bool dials_fast(struct la_play *p)
{
	struct la_lab_addr to = la_lab_addr(SERVER, p->family, p->port[SERVER]);
	size_t bytes = (size_t)draw(p, 1000) + 1;
	char words[WORDS_MAX];

	begin_words(p);
	next_words(p, CLIENT, words, bytes);
	p->sock[CLIENT] = bound_socket(p, CLIENT, p->port[CLIENT]);
	return p->sock[CLIENT] >= 0 &&
	       (said(p, CLIENT,
		     sendto(p->sock[CLIENT], words, bytes, MSG_FASTOPEN | MSG_NOSIGNAL,
			    (struct sockaddr *)&to.sa, to.len)) >= 0 ||
		errno == EINPROGRESS);
}

static bool closes(struct la_play *p, enum la_lab_host host)
{
	int fd = p->sock[host];

	p->sock[host] = -1;
	return fd >= 0 && close(fd) == 0;
}

/* Is a client's address one of this play? Of an earlier one, a SYN may have come late. */
static bool is_ours(const struct la_play *p, const struct la_lab_addr *from)
{
	unsigned short port = ntohs(((const struct sockaddr_in *)&from->sa)->sin_port);

	return (unsigned short)(port - p->port[CLIENT]) < LA_PLAY_PORTS;
}

static bool accepts(struct la_play *p)
{
	struct la_lab_addr from;

	while (ready(p->listener, POLLIN)) {
		from.len = sizeof(from.sa);
		p->sock[SERVER] = accept4(p->listener, (struct sockaddr *)&from.sa, &from.len,
					  SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (p->sock[SERVER] < 0 || is_ours(p, &from))
			return p->sock[SERVER] >= 0;
		closes(p, SERVER);
	}
	return false;
}

static bool meets(struct la_play *p)
{
	return dials(p, CLIENT) && ready(p->sock[CLIENT], POLLOUT) && accepts(p);
}

static bool hears(struct la_play *p, enum la_lab_host host, size_t bytes)
{
	char words[WORDS_MAX];
	ssize_t got;

	while (bytes) {
		if (!ready(p->sock[host], POLLIN))
			return false;
		got = listen_to(p, host, words);
		if (got <= 0)
			return false;
		bytes -= (size_t)got < bytes ? (size_t)got : bytes;
	}
	return true;
}

/* As send(2). */
static ssize_t send_words(struct la_play *p, enum la_lab_host host, size_t bytes)
{
	char words[WORDS_MAX];

	next_words(p, host, words, bytes);
	return said(p, host, send(p->sock[host], words, bytes, MSG_NOSIGNAL));
}

static bool sends(struct la_play *p, enum la_lab_host host, size_t bytes)
{
	return send_words(p, host, bytes) == (ssize_t)bytes;
}

static bool says(struct la_play *p, enum la_lab_host host)
{
	size_t bytes = (size_t)draw(p, once_in(p, 3) ? WORDS_MAX : 300) + 1;

	return sends(p, host, bytes) && hears(p, OTHER(host), bytes);
}

/* Up to four messages, by turns or not. */
static bool talks(struct la_play *p)
{
	int left = draw(p, 5);

	while (left--) {
		if (!says(p, draw(p, 2) ? SERVER : CLIENT))
			return false;
	}
	return true;
}

static bool opens(struct la_play *p)
{
	return listens(p, 16) && meets(p) && talks(p);
}

static bool finishes(struct la_play *p, enum la_lab_host host)
{
	return shutdown(p->sock[host], SHUT_WR) == 0;
}

static bool hears_the_end(struct la_play *p, enum la_lab_host host)
{
	char words[WORDS_MAX];
	ssize_t got;

	do {
		if (!ready(p->sock[host], POLLIN))
			return false;
		got = listen_to(p, host, words);
	} while (got > 0);
	if (!got) /* nothing more will come of what was said before */
		p->end.wrong += p->said[OTHER(host)] - p->heard[host];
	return got == 0;
}

static bool aborts(struct la_play *p, enum la_lab_host host)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	return setsockopt(p->sock[host], SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0 &&
	       closes(p, host);
}

/* Shuts down first, or just closes. */
static bool leaves(struct la_play *p, enum la_lab_host host)
{
	if (once_in(p, 2))
		return closes(p, host);
	return finishes(p, host);
}

static enum la_lab_host one_of_us(struct la_play *p)
{
	return draw(p, 2) ? SERVER : CLIENT;
}

static void delays(struct la_net_rules *rules, int at, enum la_net_aim aim, enum la_net_point point,
		   __u32 us)
{
	rules->rule[at] = (struct la_net_rule){.aim = aim,
					       .point = point,
					       .action = LA_NET_DELAY,
					       .in_order = 1,
					       .left = 1,
					       .us = us};
}

static bool net_does(struct la_play *p, unsigned short client_port,
		     const struct la_net_rules *rules)
{
	return la_net_rule(p->net, (struct la_net_pair){client_port, p->port[SERVER]}, rules);
}

/* --- behaviours --------------------------------------------------------------------------- */

static bool closes_in_turn(struct la_play *p, enum la_lab_host first)
{
	if (!finishes(p, first) || !hears_the_end(p, OTHER(first)))
		return false;
	dawdle(p);
	return leaves(p, OTHER(first)) && hears_the_end(p, first) && closes(p, first);
}

static bool client_first(struct la_play *p)
{
	return opens(p) && closes_in_turn(p, CLIENT);
}

static bool server_first(struct la_play *p)
{
	return opens(p) && closes_in_turn(p, SERVER);
}

/* Neither waits for the other. */
static bool both_close(struct la_play *p)
{
	enum la_lab_host first = one_of_us(p);

	if (!opens(p) || !closes(p, first))
		return false;
	dawdle(p);
	return closes(p, OTHER(first));
}

/* Both FINs are on their way before either arrives. */
static bool crossing_fins(struct la_play *p)
{
	struct la_net_rules rules = {0};

	delays(&rules, 0, LA_AIM_FIN, LA_NET_CLIENT, 40000);
	delays(&rules, 1, LA_AIM_FIN, LA_NET_SERVER, 40000);
	return net_does(p, p->port[CLIENT], &rules) && opens(p) && finishes(p, CLIENT) &&
	       finishes(p, SERVER) && hears_the_end(p, CLIENT) && hears_the_end(p, SERVER);
}

static bool half_close(struct la_play *p)
{
	enum la_lab_host quiet = one_of_us(p);
	int left = 1 + draw(p, 4);

	if (!opens(p) || !finishes(p, quiet) || !hears_the_end(p, OTHER(quiet)))
		return false;
	while (left--) {
		dawdle(p);
		if (!says(p, OTHER(quiet)))
			return false;
	}
	return leaves(p, OTHER(quiet)) && hears_the_end(p, quiet);
}

static bool abort_open(struct la_play *p)
{
	enum la_lab_host who = one_of_us(p);

	if (!opens(p))
		return false;
	if (once_in(p, 2))
		sends(p, OTHER(who), 200);
	return aborts(p, who);
}

static bool abort_half_closed(struct la_play *p)
{
	enum la_lab_host quiet = one_of_us(p), who = one_of_us(p);

	if (!opens(p) || !finishes(p, quiet))
		return false;
	if (once_in(p, 2) && !hears_the_end(p, OTHER(quiet)))
		return false;
	return aborts(p, who);
}

/* Both have said all, and one does not wait for the last ACKs. */
static bool abort_closing(struct la_play *p)
{
	enum la_lab_host first = one_of_us(p);

	return opens(p) && finishes(p, first) && finishes(p, OTHER(first)) && aborts(p, first);
}

static bool abort_both(struct la_play *p)
{
	enum la_lab_host first = one_of_us(p);

	return opens(p) && aborts(p, first) && aborts(p, OTHER(first));
}

/* Closing with unread data resets. */
static bool unread_data(struct la_play *p)
{
	enum la_lab_host rude = one_of_us(p);

	if (!opens(p) || !sends(p, OTHER(rude), 500) || !ready(p->sock[rude], POLLIN))
		return false;
	if (once_in(p, 3) && !finishes(p, OTHER(rude)))
		return false;
	return closes(p, rude);
}

static bool refused(struct la_play *p)
{
	return dials(p, CLIENT) && ready(p->sock[CLIENT], POLLOUT) && closes(p, CLIENT);
}

/* The SYN passes every observer but the server's, and nobody answers. */
static bool unanswered(struct la_play *p)
{
	struct la_net_rules rules = {0};

	rules.rule[0] = (struct la_net_rule){
		.aim = LA_AIM_SYN, .point = LA_NET_RIGHT, .action = LA_NET_DROP, .left = 1000};
	if (!net_does(p, p->port[CLIENT], &rules) || !listens(p, 1) || !dials(p, CLIENT))
		return false;
	nap_us(once_in(p, 2) ? 1200000 : 20000);
	return closes(p, CLIENT);
}

/* The client does not wait for the answer. */
static bool abandoned(struct la_play *p)
{
	if (!listens(p, 1) || !dials(p, CLIENT))
		return false;
	if (once_in(p, 2))
		nap_us(draw(p, 300));
	return once_in(p, 2) ? aborts(p, CLIENT) : closes(p, CLIENT);
}

static bool full_backlog(struct la_play *p)
{
	int late;
	bool ok;

	if (!listens(p, 0) || !dials(p, CLIENT))
		return false;
	if (once_in(p, 2))
		ready(p->sock[CLIENT], POLLOUT);
	late = dial_from(p, CLIENT, p->port[CLIENT] + 1);
	nap_us(3000);
	ok = ready(p->sock[CLIENT], POLLOUT) && accepts(p) && closes_in_turn(p, one_of_us(p));
	if (late >= 0 && ok && ready(p->listener, POLLIN) && accepts(p))
		closes(p, SERVER);
	if (late >= 0)
		close(late);
	return ok;
}

/* What nobody accepted is reset. */
static bool never_accepted(struct la_play *p)
{
	if (!listens(p, 4) || !dials(p, CLIENT) || !ready(p->sock[CLIENT], POLLOUT))
		return false;
	if (once_in(p, 2))
		sends(p, CLIENT, 100);
	dawdle(p);
	deafens(p);
	dawdle(p);
	return closes(p, CLIENT);
}

static bool keepalive(struct la_play *p)
{
	enum la_lab_host who = one_of_us(p);
	int one = 1;

	if (!opens(p) || setsockopt(p->sock[who], IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)) ||
	    setsockopt(p->sock[who], IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one)) ||
	    setsockopt(p->sock[who], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)))
		return false;
	nap_us(1500000);
	return closes_in_turn(p, one_of_us(p));
}

/* The cable is cut, and one side finds out by its keepalive. */
static bool keepalive_fails(struct la_play *p)
{
	struct la_net_rules rules = {0};
	int one = 1, i;

	for (i = 0; i < LA_NET_RULES; i++)
		rules.rule[i] = (struct la_net_rule){
			.aim = LA_AIM_ANY, .point = (__u8)i, .action = LA_NET_DROP, .left = 1000};
	if (!p->loss)
		return keepalive(p);
	if (!opens(p) ||
	    setsockopt(p->sock[CLIENT], IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)) ||
	    setsockopt(p->sock[CLIENT], IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one)) ||
	    setsockopt(p->sock[CLIENT], IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one)) ||
	    setsockopt(p->sock[CLIENT], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) ||
	    !net_does(p, p->port[CLIENT], &rules) || !ready(p->sock[CLIENT], POLLERR))
		return false;
	memset(&rules, 0, sizeof(rules));
	return net_does(p, p->port[CLIENT], &rules) && says(p, SERVER);
}

static bool fast_open(struct la_play *p)
{
	if (!listens(p, 16) || !dials_fast(p))
		return false;
	if (once_in(p, 4))
		return closes(p, CLIENT);
	if (!accepts(p))
		return false;
	if (once_in(p, 3))
		return sends(p, SERVER, 100) && closes_in_turn(p, SERVER);
	return talks(p) && closes_in_turn(p, one_of_us(p));
}

/* The same ports again, while the server is in TIME_WAIT. */
static bool server_time_wait(struct la_play *p)
{
	if (!opens(p) || !closes_in_turn(p, SERVER))
		return false;
	closes(p, CLIENT);
	nap_us(10000);
	return meets(p) && talks(p) && closes_in_turn(p, one_of_us(p));
}

/* The same ports again, while the client is in TIME_WAIT (tcp_tw_reuse). */
static bool client_time_wait(struct la_play *p)
{
	if (!opens(p) || !closes_in_turn(p, CLIENT))
		return false;
	closes(p, SERVER);
	nap_us(1100000);
	return meets(p) && talks(p) && closes_in_turn(p, one_of_us(p));
}

static bool lingers(struct la_play *p)
{
	struct linger some = {.l_onoff = 1, .l_linger = 1};
	enum la_lab_host who = one_of_us(p);

	return opens(p) &&
	       setsockopt(p->sock[who], SOL_SOCKET, SO_LINGER, &some, sizeof(some)) == 0 &&
	       closes(p, who) && hears_the_end(p, OTHER(who));
}

/* Closed, not shut down: after tcp_fin_timeout the host knows nothing of it any more. */
static bool orphan(struct la_play *p)
{
	enum la_lab_host gone = one_of_us(p);

	if (!opens(p) || !closes(p, gone) || !hears_the_end(p, OTHER(gone)))
		return false;
	nap_us(once_in(p, 2) ? 2300000 : 50000);
	if (once_in(p, 2))
		sends(p, OTHER(gone), 100);
	return closes(p, OTHER(gone));
}

/* The socket dies with the process that has it. */
static bool killed(struct la_play *p)
{
	enum la_lab_host who = one_of_us(p);
	pid_t pid;

	if (!opens(p))
		return false;
	if (once_in(p, 3))
		sends(p, OTHER(who), 100);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	if (pid < 0)
		return false;
	closes(p, who);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (who == CLIENT && p->listener >= 0)
		deafens(p);
	return hears_the_end(p, OTHER(who));
}

/* Both SYNs are on their way before either arrives. */
static bool simultaneous_open(struct la_play *p)
{
	struct la_net_rules rules = {0};

	delays(&rules, 0, LA_AIM_SYN, LA_NET_CLIENT, 40000);
	delays(&rules, 1, LA_AIM_SYN, LA_NET_SERVER, 40000);
	return net_does(p, p->port[CLIENT], &rules) && dials(p, CLIENT) && dials(p, SERVER) &&
	       ready(p->sock[CLIENT], POLLOUT) && ready(p->sock[SERVER], POLLOUT) && talks(p) &&
	       closes_in_turn(p, one_of_us(p));
}

/* More than the receiver has room for; it reads late. */
static bool zero_window(struct la_play *p)
{
	enum la_lab_host reader = one_of_us(p);
	int small = 4096, sent = 0;

	if (!opens(p) || setsockopt(p->sock[reader], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)))
		return false;
	while (sent < 40 && send_words(p, OTHER(reader), WORDS_MAX) > 0)
		sent++;
	if (!finishes(p, OTHER(reader)))
		return false;
	nap_us(300000);
	return hears_the_end(p, reader) && closes(p, reader);
}

/* Goes on writing to a peer that has closed both ways. */
static bool writes_on(struct la_play *p)
{
	enum la_lab_host gone = one_of_us(p);

	if (!opens(p) || !closes(p, gone))
		return false;
	dawdle(p);
	sends(p, OTHER(gone), 100);
	dawdle(p);
	sends(p, OTHER(gone), 100);
	return closes(p, OTHER(gone));
}

/* --- the table ---------------------------------------------------------------------------- */

const struct la_behaviour la_behaviours[] = {
	{"client closes first", client_first, 12},
	{"server closes first", server_first, 12},
	{"both close at once", both_close, 10},
	{"FINs cross", crossing_fins, 8},
	{"half-close with data", half_close, 10},
	{"abort", abort_open, 8},
	{"abort half closed", abort_half_closed, 6},
	{"abort while closing", abort_closing, 6},
	{"abort from both sides", abort_both, 4},
	{"unread data", unread_data, 6},
	{"refused", refused, 5},
	{"unanswered SYN", unanswered, 2},
	{"abandoned SYN", abandoned, 4},
	{"full backlog", full_backlog, 3},
	{"never accepted", never_accepted, 3},
	{"keepalive", keepalive, 1},
	{"keepalive fails", keepalive_fails, 1},
	{"fast open", fast_open, 8},
	{"port reuse, server in TIME_WAIT", server_time_wait, 5},
	{"port reuse, client in TIME_WAIT", client_time_wait, 2},
	{"SO_LINGER", lingers, 3},
	{"orphan", orphan, 2},
	{"killed process", killed, 5},
	{"simultaneous open", simultaneous_open, 5},
	{"zero window", zero_window, 2},
	{"writes to a closed peer", writes_on, 5},
};

const int la_behaviour_count = sizeof(la_behaviours) / sizeof(*la_behaviours);

/* Each play has dice of its own, and throws the first for its behaviour. */
static int cast(__u64 *dice)
{
	int i, all = 0, at;

	for (i = 0; i < la_behaviour_count; i++)
		all += la_behaviours[i].weight;
	at = (int)(roll(dice) % (__u64)all);
	for (i = 0; at >= la_behaviours[i].weight; i++)
		at -= la_behaviours[i].weight;
	return i;
}

static __u64 dice_of(__u64 seed, unsigned int number)
{
	__u64 dice = seed;

	return roll(&dice) ^ (__u64)number << 32;
}

int la_play_cast(__u64 seed, unsigned int number)
{
	__u64 dice = dice_of(seed, number);

	return cast(&dice);
}

/* Under loss every other play loses, doubles or delays just one segment that matters. */
static void take_aim(struct la_play *p)
{
	static const struct {
		__u8 aim, point;
	} targets[] = {
		{LA_AIM_SYN, LA_NET_CLIENT},	       {LA_AIM_SYN, LA_NET_RIGHT},
		{LA_AIM_SYN_ACK, LA_NET_SERVER},       {LA_AIM_SYN_ACK, LA_NET_LEFT},
		{LA_AIM_ACK, LA_NET_CLIENT},	       {LA_AIM_ACK, LA_NET_RIGHT},
		{LA_AIM_FIN, LA_NET_CLIENT},	       {LA_AIM_FIN, LA_NET_RIGHT},
		{LA_AIM_FIN, LA_NET_SERVER},	       {LA_AIM_FIN, LA_NET_LEFT},
		{LA_AIM_ACK_AFTER_FIN, LA_NET_CLIENT}, {LA_AIM_ACK_AFTER_FIN, LA_NET_RIGHT},
		{LA_AIM_ACK_AFTER_FIN, LA_NET_SERVER}, {LA_AIM_ACK_AFTER_FIN, LA_NET_LEFT},
		{LA_AIM_RST, LA_NET_CLIENT},	       {LA_AIM_RST, LA_NET_RIGHT},
		{LA_AIM_RST, LA_NET_SERVER},	       {LA_AIM_RST, LA_NET_LEFT},
		{LA_AIM_DATA, LA_NET_RIGHT},	       {LA_AIM_DATA, LA_NET_LEFT},
	};
	static const __u8 actions[] = {LA_NET_DROP, LA_NET_DROP, LA_NET_DELAY, LA_NET_DOUBLE};
	struct la_net_rules rules = {0};
	int target = draw(p, sizeof(targets) / sizeof(*targets));

	rules.rule[3] = (struct la_net_rule){
		.aim = targets[target].aim,
		.point = targets[target].point,
		.action = actions[draw(p, 4)],
		.left = 1U + (__u32)once_in(p, 4),
		.us = 100U + (__u32)draw(p, 10000),
	};
	if (once_in(p, 2))
		net_does(p, p->port[CLIENT], &rules);
}

struct la_play_end la_play_run(struct la_lab *lab, struct la_net *net, __u64 seed,
			       unsigned int number, unsigned short server_port, bool loss)
{
	struct la_play p = {
		.lab = lab,
		.net = net,
		.number = number,
		.loss = loss,
		.dice = dice_of(seed, number),
		.port = {[CLIENT] = (unsigned short)(LA_PLAY_FIRST_PORT +
						     number % LA_PLAY_ROUND * LA_PLAY_PORTS),
			 [SERVER] = server_port},
		.sock = {-1, -1},
		.listener = -1,
	};
	const struct la_behaviour *b = &la_behaviours[cast(&p.dice)];

	p.family = once_in(&p, 3) ? AF_INET6 : AF_INET;
	if (loss)
		take_aim(&p);
	p.end.played = true;
	p.end.through = b->play(&p);
	closes(&p, CLIENT);
	closes(&p, SERVER);
	deafens(&p);
	return p.end;
}
