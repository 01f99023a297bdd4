// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_flood.c - a flood of SYNs from random sources beside live connections.
 *
 * The flood goes to an address that nobody has, so nothing answers it, at the full speed of
 * one socket. The table has room for a fraction of it. Every connection that two sockets
 * made, before the flood or in it, must be told of from beginning to end.
 */
#include "../packet.h"
#include "observer.h"
#include "told.h"
#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_PORT 9401
#define FLOOD_PORT  9402
#define CLIENT_PORT 20000
#define BEFORE	    300 /* connections that live through the flood */
#define DURING	    50	/* that are made in it */
#define ALL	    (BEFORE + DURING)
#define FLOOD	    200000
#define BATCH	    64

/* ---- the flood ---- */

struct flood {
	pthread_t thread;
	int fd;
	unsigned int sent;
	volatile bool stop;
};

static __u32 roll(__u64 *dice)
{
	*dice = *dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return (__u32)(*dice >> 33);
}

/* A SYN from somewhere in 10.0.0.0/8. Its checksums are wrong; nobody looks at them. */
static void forge(struct la_frame *f, __u64 *dice)
{
	__u32 source = la_hton32(10U << 24 | roll(dice) >> 8), isn = roll(dice);
	__u16 port = (__u16)roll(dice);

	memcpy(f->bytes + f->l3 + 12, &source, 4);
	memcpy(f->bytes + f->l4, &port, 2);
	memcpy(f->bytes + f->l4 + 4, &isn, 4);
}

static void *flow(void *arg)
{
	static struct la_frame frames[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr batch[BATCH] = {0};
	struct flood *flood = arg;
	__u64 dice = 7;

	for (int i = 0; i < BATCH; i++) {
		frames[i] = LA_FRAME(.dst = "198.18.0.1", .dport = FLOOD_PORT, .flags = LA_SYN,
				     .win = 1024);
		iov[i] = (struct iovec){frames[i].bytes, frames[i].len};
		batch[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (!flood->stop && flood->sent < FLOOD) {
		struct pollfd room = {.fd = flood->fd, .events = POLLOUT};
		int n;

		for (int i = 0; i < BATCH; i++)
			forge(&frames[i], &dice);
		n = sendmmsg(flood->fd, batch, BATCH, 0);
		if (n > 0)
			flood->sent += (unsigned int)n;
		else
			poll(&room, 1, 100);
	}
	return NULL;
}

static void flood_start(struct flood *flood, struct la_lab *lab)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};

	*flood = (struct flood){.fd = la_lab_socket(lab, LA_LAB_CLIENT, AF_PACKET, SOCK_RAW, 0)};
	at.sll_ifindex = (int)la_lab_ifindex(lab, LA_LAB_CLIENT, "eth0");
	cr_assert(flood->fd >= 0 && !bind(flood->fd, (struct sockaddr *)&at, sizeof(at)));
	cr_assert(!pthread_create(&flood->thread, NULL, flow, flood));
}

static void flood_end(struct flood *flood)
{
	pthread_join(flood->thread, NULL);
	close(flood->fd);
}

/* ---- connections ---- */

struct pair {
	int client, server;
};

static bool ready(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, 30000) == 1;
}

static struct pair join(struct la_lab *lab, int listener, int n)
{
	struct la_lab_addr from = la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT + n),
			   to = la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT);
	struct pair p = {la_lab_socket(lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0), -1};

	cr_assert(p.client >= 0 && !bind(p.client, (struct sockaddr *)&from.sa, from.len));
	connect(p.client, (struct sockaddr *)&to.sa, to.len);
	cr_assert(ready(p.client, POLLOUT) && ready(listener, POLLIN), "connection %d", n);
	p.server = accept(listener, NULL, NULL);
	cr_assert(p.server >= 0);
	return p;
}

/* The client closes, then the server, and both have seen it. */
static void part(const struct pair *p)
{
	char byte;

	cr_assert(!shutdown(p->client, SHUT_WR) && ready(p->server, POLLIN) &&
		  recv(p->server, &byte, 1, 0) == 0);
	cr_assert(!shutdown(p->server, SHUT_WR) && ready(p->client, POLLIN) &&
		  recv(p->client, &byte, 1, 0) == 0 && ready(p->server, POLLHUP));
	close(p->client);
	close(p->server);
}

static int listen_at(struct la_lab *lab)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT);
	int fd = la_lab_socket(lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0);

	cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at.sa, at.len) && !listen(fd, 64));
	return fd;
}

/* ---- the test ---- */

static bool all_closed(const json_t *records, void *ctx)
{
	size_t closes = 0, i;

	(void)ctx;
	for (i = 0; i < json_array_size(records); i++)
		closes += !strcmp(la_told_text(json_array_get(records, i), "type"), "close");
	return closes >= ALL;
}

/*
 * What begins beside the flood is an attempt among attempts: if its handshake is held up, they may
 * displace it, and it is picked up again in the middle. What was there before is never touched.
 */
static void told_once(const json_t *records, int n)
{
	bool beside = n >= BEFORE;
	struct la_told told[2] = {0};
	int count = la_told_gather(records, CLIENT_PORT + n, SERVER_PORT, told, 2);
	const struct la_told *last = &told[count == 2];

	cr_assert(count == 1 || (beside && count == 2), "connection %d is told %d times", n, count);
	cr_expect(last->closes == 1 || (beside && last->closes == 2),
		  "connection %d has %d close records", n, last->closes);
	cr_expect(!strcmp(la_told_text(last->close, "reason"), "fin"), "connection %d: %s", n,
		  la_told_text(last->close, "reason"));
	cr_expect(beside || !json_is_true(json_object_get(last->close, "midstream")),
		  "connection %d", n);
}

static void beside_a_flood(const char *hook)
{
	const char *const options[] = {"--hook", hook,	 "--max-flows", "4096", "--max-attempts",
				       "1024",	 "port", "9401",	NULL};
	static struct pair pairs[ALL];
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs =
		lab ? la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options) : NULL;
	struct flood flood;
	int listener;

	cr_assert(obs, "lastack did not start");
	listener = listen_at(lab);
	for (int n = 0; n < BEFORE; n++)
		pairs[n] = join(lab, listener, n);
	flood_start(&flood, lab);
	for (int n = BEFORE; n < ALL; n++)
		pairs[n] = join(lab, listener, n);
	flood_end(&flood);
	for (int n = 0; n < ALL; n++)
		part(&pairs[n]);
	cr_expect(la_observer_until(obs, all_closed, NULL, 30000), "some have no close record");
	cr_expect(la_observer_stop(obs) == 0);
	cr_expect(flood.sent >= FLOOD, "%u SYNs were sent", flood.sent);
	cr_expect(strstr(la_observer_stderr(obs), "evicted"), "there was no flood: %s",
		  la_observer_stderr(obs));
	for (int n = 0; n < ALL; n++)
		told_once(la_observer_records(obs), n);
	close(listener);
	la_observer_free(obs);
	la_lab_free(lab);
}

Test(flood, live_connections_live_through_it_tc, .timeout = 60)
{
	beside_a_flood("tc");
}

Test(flood, live_connections_live_through_it_xdp, .timeout = 60)
{
	beside_a_flood("xdp");
}
