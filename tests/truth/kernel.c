// SPDX-License-Identifier: BSD-2-Clause
/*
 * kernel.c - see kernel.h. How Linux's words are read:
 *
 *   request      SYN_RECEIVED from the moment its timer starts, when the SYN-ACK is sent. The
 *                tracepoint says SYN_RECV only of the child, at the third ACK; that is the
 *                same state and counts once. A request that ends without a child is CLOSED.
 *   handover     A socket that becomes a time-wait socket is reported CLOSED. It is not:
 *                the state goes on in the time-wait socket, FIN_WAIT_2 or TIME_WAIT.
 *   TIME_WAIT    Its end, by the clock or by a new SYN, is no step: no segment tells of it. How
 *                long it lasted until its timer ran out is kept.
 *   silent       A last step to CLOSED without any RST, out of a state that no ACK ends, or with
 *                an error: the socket was closed in SYN_SENT, or gave up (ETIMEDOUT), or
 *                tcp_fin_timeout was over. No segment tells of it, so no observer can know.
 *                A request is taken away without a word, too, when its listener is gone; but
 *                if its SYN comes again when another one listens there, it is that one's.
 *   torn         A step that does not begin where the last one ended: one was missed. So was
 *                the end of a socket that is not told, or of a request, or of a time-wait socket
 *                in FIN_WAIT_2, of which neither a stop nor an expiry of its timer was told: when
 *                a run is over, sock_diag(7) has said that both hosts have none left.
 *   phantom      A connect() from ports that are still taken enters SYN_SENT and leaves it on
 *                the spot; it sends nothing, and is no connection.
 *   merged       Segments that wait for a locked socket may be merged: a FIN, and behind it
 *                the ACK of our own, are then read as one FIN with that ACK, and the socket
 *                goes through FIN_WAIT_2 where the segments on the wire lead to CLOSING.
 *   unclaimed   A socket that the third ACK has made, and whose listener is gone just then, is
 *                closed in SYN_RECEIVED, and sends the RST of an ESTABLISHED one. So is a child
 *                of Fast Open: its third ACK waits for the lock, and is then dropped in silence.
 *   Fast Open    The child exists from the SYN on, and its ports are not yet in the event of
 *                its birth: SYN_RECEIVED is taken from the step that leaves it.
 */
#include "kernel.h"
#include "truth_kernel.skel.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct la_kernel {
	struct truth_kernel_bpf *skel;
	struct ring_buffer *ring;
	struct la_kernel_event *event;
	size_t count, room;
};

/* Linux's numbers (include/net/tcp_states.h). */
enum { TCP_SYN_RECV = 3, TCP_FIN_WAIT2 = 5, TCP_TIME_WAIT = 6, TCP_CLOSE = 7, TCP_LISTEN = 10 };

static const __u8 states[] = {
	[1] = LA_ESTABLISHED,
	[2] = LA_SYN_SENT,
	[TCP_SYN_RECV] = LA_SYN_RECEIVED,
	[4] = LA_FIN_WAIT_1,
	[TCP_FIN_WAIT2] = LA_FIN_WAIT_2,
	[TCP_TIME_WAIT] = LA_TIME_WAIT,
	[TCP_CLOSE] = LA_CLOSED,
	[8] = LA_CLOSE_WAIT,
	[9] = LA_LAST_ACK,
	[TCP_LISTEN] = LA_LISTEN,
	[11] = LA_CLOSING,
	[12] = LA_SYN_RECEIVED,
};

static __u8 state_of(__u8 tcp)
{
	return tcp < sizeof(states) ? states[tcp] : LA_NO_STATE;
}

static int take(void *ctx, void *data, size_t size)
{
	struct la_kernel *kernel = ctx;

	if (kernel->count == kernel->room) {
		size_t room = kernel->room ? kernel->room * 2 : 65536;
		struct la_kernel_event *more = realloc(kernel->event, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		kernel->event = more;
		kernel->room = room;
	}
	if (size >= sizeof(*kernel->event))
		memcpy(&kernel->event[kernel->count++], data, sizeof(*kernel->event));
	return 0;
}

/* A network namespace is known by its inode number. */
static __u32 netns_inum(struct la_lab *lab, enum la_lab_host host)
{
	struct stat st = {0};

	if (!la_lab_enter(lab, host))
		return 0;
	if (stat("/proc/thread-self/ns/net", &st))
		st.st_ino = 0;
	la_lab_leave(lab);
	return (__u32)st.st_ino;
}

struct la_kernel *la_kernel_new(struct la_lab *lab)
{
	struct la_kernel *kernel = calloc(1, sizeof(*kernel));
	__u32 hosts[2] = {netns_inum(lab, LA_LAB_CLIENT), netns_inum(lab, LA_LAB_SERVER)};

	if (!kernel)
		return NULL;
	kernel->skel = truth_kernel_bpf__open();
	if (!kernel->skel)
		goto failed;
	memcpy((void *)kernel->skel->rodata->hosts, hosts, sizeof(hosts));
	if (truth_kernel_bpf__load(kernel->skel) || truth_kernel_bpf__attach(kernel->skel))
		goto failed;
	kernel->ring = ring_buffer__new(bpf_map__fd(kernel->skel->maps.events), take, kernel, NULL);
	if (kernel->ring)
		return kernel;
failed:
	fprintf(stderr, "kernel: cannot listen to its tracepoints: %s\n", strerror(errno));
	la_kernel_free(kernel);
	return NULL;
}

void la_kernel_free(struct la_kernel *kernel)
{
	if (!kernel)
		return;
	ring_buffer__free(kernel->ring);
	truth_kernel_bpf__destroy(kernel->skel);
	free(kernel->event);
	free(kernel);
}

int la_kernel_fd(struct la_kernel *kernel)
{
	return ring_buffer__epoll_fd(kernel->ring);
}

void la_kernel_run(struct la_kernel *kernel)
{
	ring_buffer__consume(kernel->ring);
}

unsigned long long la_kernel_lost(const struct la_kernel *kernel)
{
	return kernel->skel->bss->lost;
}

/* --- open sockets, by sock_diag(7) -------------------------------------------------------- */

static int count_answers(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char buf[32768];
	int count = 0;

	while (poll(&wait, 1, 1000) == 1) {
		int got = (int)recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *nl = (const struct nlmsghdr *)buf;

		for (; NLMSG_OK(nl, got); nl = NLMSG_NEXT(nl, got)) {
			if (nl->nlmsg_type == NLMSG_DONE)
				return count;
			if (nl->nlmsg_type == NLMSG_ERROR)
				return -1;
			count++;
		}
	}
	return -1;
}

static int count_open(struct la_lab *lab, enum la_lab_host host, int family)
{
	struct {
		struct nlmsghdr nl;
		struct inet_diag_req_v2 diag;
	} req = {
		.nl = {.nlmsg_len = sizeof(req),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.diag = {.sdiag_family = (__u8)family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states =
				 ~(1U << TCP_LISTEN | 1U << TCP_TIME_WAIT | 1U << TCP_CLOSE)},
	};
	int fd = la_lab_socket(lab, host, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG), count = -1;

	if (fd >= 0 && send(fd, &req, sizeof(req), 0) == (ssize_t)sizeof(req))
		count = count_answers(fd);
	if (fd >= 0)
		close(fd);
	return count;
}

int la_kernel_open_sockets(struct la_lab *lab)
{
	static const int families[] = {AF_INET, AF_INET6};
	int host, i, count, all = 0;

	for (host = 0; host < 2; host++) {
		for (i = 0; i < 2; i++) {
			count = count_open(lab, host, families[i]);
			if (count < 0)
				return -1;
			all += count;
		}
	}
	return all;
}

/* --- from events to walks ----------------------------------------------------------------- */

/* Reads the events of one host and one pair of ports. */
struct reader {
	const struct la_kernel *kernel;
	struct la_conns *conns;
	struct la_net_pair pair;
	__u8 host;
	size_t first;	      /* connection with these ports */
	struct la_walk *walk; /* the last one */
	__u64 mini;	      /* timer of its request or time-wait socket */
	__u32 isn;	      /* that its request offers */
	__u64 stopped;	      /* ns since that runs no more, 0: it runs */
	__u64 phantom;	      /* a socket that dials from ports that are still taken */
	bool is_tw;
	bool expired;
	bool handover; /* the next CLOSED is none */
	bool reset;    /* a RST came or went */
};

static struct la_net_pair pair_of(const struct la_kernel_event *e)
{
	return (struct la_net_pair){e->host ? e->rport : e->lport, e->host ? e->lport : e->rport};
}

static int by_socket(const void *a, const void *b)
{
	const struct la_kernel_event *x = a, *y = b;
	struct la_net_pair p = pair_of(x), q = pair_of(y);

	if (p.client != q.client)
		return p.client - q.client;
	if (p.server != q.server)
		return p.server - q.server;
	if (x->host != y->host)
		return x->host - y->host;
	return (x->ts > y->ts) - (x->ts < y->ts);
}

/* The time that a listener takes to go: a request may be made meanwhile on another CPU. */
#define GOING_NS 1000000

/*
 * Did the listener go while the request waited? Events of listeners have no peer and so are
 * sorted to the front.
 */
static bool is_deaf(const struct reader *r)
{
	__u64 since = r->walk->step[r->walk->count - 1].ts;
	size_t i;

	for (i = 0; i < r->kernel->count && !pair_of(&r->kernel->event[i]).client; i++) {
		const struct la_kernel_event *e = &r->kernel->event[i];

		if (e->host == r->host && e->lport == r->pair.server && e->from == TCP_LISTEN &&
		    e->to == TCP_CLOSE && e->ts + GOING_NS >= since && e->ts <= r->stopped)
			return true;
	}
	return false;
}

static bool is_over(const struct reader *r)
{
	__u8 state = r->walk ? la_walk_state(r->walk) : LA_CLOSED;

	return state == LA_CLOSED || state == LA_TIME_WAIT;
}

/* No more is told of the walk. Its mini socket is gone and nothing came of it: was that a step? */
static void settle(struct reader *r)
{
	__u8 state;
	bool deaf;

	if (!r->walk)
		return;
	if (!r->mini) {
		r->walk->torn |= !is_over(r);
		return;
	}
	state = la_walk_state(r->walk);
	r->mini = 0;
	if (state != LA_SYN_RECEIVED && state != LA_FIN_WAIT_2)
		return;
	if (!r->stopped) {
		r->walk->torn = true;
		return;
	}
	deaf = r->walk->count && is_deaf(r);
	la_walk_add(r->walk, r->stopped, LA_CLOSED, LA_SEEN);
	r->walk->silent = r->expired || (state == LA_SYN_RECEIVED && deaf);
}

/* When a walk was over; the end of time if it is not, or if its peer cannot know. */
static __u64 end_of(const struct la_walk *walk)
{
	return la_walk_state(walk) == LA_CLOSED && !walk->silent ? walk->step[walk->count - 1].ts
								 : ~0ULL;
}

/* The connection of the other host that this host's walk, beginning in `first`, is part of. */
static struct la_conn *find_peer(const struct reader *r, __u8 first, __u64 ts)
{
	bool answers = r->host == 1 && first == LA_LISTEN;
	struct la_conn *conn;
	size_t i;

	for (i = r->first; i < r->conns->count; i++) {
		conn = &r->conns->conn[i];
		if (!conn->walk[r->host].first && conn->walk[!r->host].first && conn->order < ts &&
		    ts < end_of(&conn->walk[!r->host]))
			return conn;
	}
	/* A copy of its SYN may come when its client is gone: still it is the same SYN. */
	conn = i > r->first ? &r->conns->conn[i - 1] : NULL;
	return answers && conn && !conn->walk[1].first && conn->order < ts ? conn : NULL;
}

/* A connection begins for this host: one that the other host has begun, or a new one. */
static bool begin(struct reader *r, __u8 first, __u64 ts)
{
	struct la_conn *conn;

	settle(r);
	conn = find_peer(r, first, ts);
	if (!conn) {
		conn = la_conns_add(r->conns, r->pair);
		if (!conn)
			return false;
		conn->order = ts;
	}
	r->walk = &conn->walk[r->host];
	r->walk->first = first;
	r->mini = r->stopped = 0;
	r->handover = r->reset = r->is_tw = false;
	return true;
}

/* Another connection has these ports still: connect() gives up before it sends a SYN. */
static bool ports_are_taken(const struct reader *r)
{
	if (!r->walk || la_walk_state(r->walk) == LA_CLOSED)
		return false;
	return !r->is_tw || !r->stopped;
}

/* The time-wait socket made way for it (tcp_tw_reuse): a connection after all. */
static bool take_over(struct reader *r, __u64 ts)
{
	la_walk_add(r->walk, ts, LA_CLOSED, LA_SEEN);
	r->walk->silent = true; /* its SYN may be lost, and the RST that answers a FIN is seen */
	if (!begin(r, LA_CLOSED, ts))
		return false;
	la_walk_add(r->walk, ts, LA_SYN_SENT, LA_SEEN);
	r->phantom = 0;
	return true;
}

static bool read_sock(struct reader *r, const struct la_kernel_event *e)
{
	__u8 from = state_of(e->from), to = state_of(e->to);

	if (e->to == TCP_LISTEN || e->from == TCP_LISTEN || to == from)
		return true; /* of a listener, or no step: a FIN again in CLOSING */
	if (to == LA_CLOSED && r->handover) {
		r->handover = false;
		return true;
	}
	if (to == LA_SYN_SENT && ports_are_taken(r))
		r->phantom = e->object;
	if (r->phantom == e->object) {
		if (to == LA_CLOSED)
			r->phantom = 0;
		return true;
	}
	if (to == LA_SYN_SENT && !begin(r, LA_CLOSED, e->ts))
		return false;
	if (from == LA_SYN_RECEIVED && (is_over(r) || (r->is_tw && r->stopped))) {
		if (!begin(r, LA_LISTEN, e->ts))
			return false;
		la_walk_add(r->walk, e->ts, LA_SYN_RECEIVED, LA_SEEN);
	}
	if (!r->walk) {
		if (!begin(r, from, e->ts))
			return false;
		r->walk->torn = true;
	}
	r->walk->unclaimed = from == LA_SYN_RECEIVED && to == LA_CLOSED;
	r->mini = 0; /* the request has become a socket */
	r->walk->torn |= la_walk_state(r->walk) != from;
	la_walk_add(r->walk, e->ts, to, LA_SEEN);
	if (to == LA_CLOSED)
		r->walk->silent = !r->reset && (from != LA_LAST_ACK || e->error);
	return true;
}

/* A Fast Open child that was dropped as it was made: its SYN becomes a request instead. */
#define STILLBORN_NS 100000

static bool was_stillborn(const struct reader *r, __u64 ts)
{
	const struct la_walk *walk = r->walk;

	return walk && walk->count == 2 && walk->step[0].to == LA_SYN_RECEIVED &&
	       walk->step[1].to == LA_CLOSED && ts - walk->step[0].ts < STILLBORN_NS;
}

/* The request that waits from here on is not the last one, though it may lie in its place. */
static bool is_another(const struct reader *r, const struct la_kernel_event *e)
{
	return r->mini != e->object || r->isn != e->isn;
}

/* A request whose listener is gone makes way for the next one at once. */
#define MOVED_NS 20000

/* Has the client that this host's walk belongs to taken its answer, before ts? */
static bool was_answered(const struct reader *r, __u64 ts)
{
	const struct la_walk *client = NULL;
	size_t i;

	for (i = r->first; i < r->conns->count && !client; i++) {
		if (&r->conns->conn[i].walk[r->host] == r->walk)
			client = &r->conns->conn[i].walk[!r->host];
	}
	for (i = 0; client && i < client->count; i++) {
		if (client->step[i].to == LA_ESTABLISHED)
			return client->step[i].ts < ts;
	}
	return false;
}

/* Its listener was gone when the SYN came again, and the next one took it at once. */
static bool has_moved(const struct reader *r, const struct la_kernel_event *e)
{
	return r->mini && is_another(r, e) && la_walk_state(r->walk) == LA_SYN_RECEIVED &&
	       r->stopped && e->ts - r->stopped < MOVED_NS && is_deaf(r) && !was_answered(r, e->ts);
}

static bool read_request(struct reader *r, const struct la_kernel_event *e)
{
	bool starts = e->kind == LA_KERNEL_REQ_START && is_another(r, e);

	if (starts && r->mini != e->object && was_stillborn(r, e->ts)) {
		r->walk->count = 1;
		r->walk->silent = false;
	} else if (starts && !has_moved(r, e)) {
		if (!begin(r, LA_LISTEN, e->ts))
			return false;
		la_walk_add(r->walk, e->ts, LA_SYN_RECEIVED, LA_SEEN);
	}
	if (starts) {
		r->mini = e->object;
		r->isn = e->isn;
	}
	if (r->mini != e->object)
		return true;
	r->stopped = e->kind == LA_KERNEL_REQ_START ? 0 : e->ts;
	r->expired = e->kind == LA_KERNEL_REQ_EXPIRE;
	return true;
}

static bool read_time_wait(struct reader *r, const struct la_kernel_event *e)
{
	if (!r->walk)
		return true;
	if (e->kind == LA_KERNEL_TW_START && r->mini != e->object) {
		r->mini = e->object;
		r->is_tw = true;
		r->handover = true;
	}
	if (r->mini != e->object)
		return true;
	if (e->kind == LA_KERNEL_TW_START && la_walk_state(r->walk) == LA_FIN_WAIT_1)
		r->walk->torn = true; /* nothing leads from there to a time-wait socket */
	if (e->kind == LA_KERNEL_TW_START && la_walk_state(r->walk) != state_of(e->to))
		la_walk_add(r->walk, e->ts, state_of(e->to), LA_SEEN);
	r->stopped = e->kind == LA_KERNEL_TW_START ? 0 : e->ts;
	r->expired = e->kind == LA_KERNEL_TW_EXPIRE;
	if (r->expired && r->walk->count && la_walk_state(r->walk) == LA_TIME_WAIT)
		r->walk->waited = e->ts - r->walk->step[r->walk->count - 1].ts;
	if (e->kind == LA_KERNEL_TW_CANCEL && r->phantom)
		return take_over(r, e->ts);
	return true;
}

static bool read_rst(struct reader *r, const struct la_kernel_event *e)
{
	r->reset = true;
	if (r->walk)
		r->walk->aborted = e->kind == LA_KERNEL_RST_OUT;
	if (r->walk && e->kind == LA_KERNEL_RST_OUT && la_walk_state(r->walk) == LA_CLOSED)
		r->walk->silent = false; /* closed first, then said so */
	return true;
}

/* Each event is told by two programs, unless one was interrupted by it. */
static bool is_again(const struct la_kernel_event *e, const struct la_kernel_event *last)
{
	return last && e->object == last->object && e->kind == last->kind &&
	       e->from == last->from && e->to == last->to;
}

static bool read_event(struct reader *r, const struct la_kernel_event *e)
{
	static bool (*const reads[])(struct reader *, const struct la_kernel_event *) = {
		[LA_KERNEL_SOCK] = read_sock,		[LA_KERNEL_REQ_START] = read_request,
		[LA_KERNEL_REQ_CANCEL] = read_request,	[LA_KERNEL_REQ_EXPIRE] = read_request,
		[LA_KERNEL_TW_START] = read_time_wait,	[LA_KERNEL_TW_CANCEL] = read_time_wait,
		[LA_KERNEL_TW_EXPIRE] = read_time_wait, [LA_KERNEL_RST_IN] = read_rst,
		[LA_KERNEL_RST_OUT] = read_rst,
	};

	return e->kind >= sizeof(reads) / sizeof(*reads) || !reads[e->kind] || reads[e->kind](r, e);
}

bool la_kernel_walks(struct la_kernel *kernel, struct la_conns *conns)
{
	const struct la_kernel_event *last = NULL;
	struct reader r = {.kernel = kernel, .conns = conns};
	size_t i, first;

	if (kernel->count)
		qsort(kernel->event, kernel->count, sizeof(*kernel->event), by_socket);
	for (i = 0; i < kernel->count; i++) {
		const struct la_kernel_event *e = &kernel->event[i];
		struct la_net_pair pair = pair_of(e);

		if (!pair.client || !pair.server)
			continue; /* a listener, or a child that has no peer yet */
		if (memcmp(&pair, &r.pair, sizeof(pair)) || e->host != r.host) {
			settle(&r);
			first = memcmp(&pair, &r.pair, sizeof(pair)) ? conns->count : r.first;
			r = (struct reader){.kernel = kernel,
					    .conns = conns,
					    .pair = pair,
					    .host = e->host,
					    .first = first};
			last = NULL;
		}
		if (!is_again(e, last) && !read_event(&r, e))
			return false;
		last = e;
	}
	settle(&r);
	la_conns_sort(conns);
	return true;
}

void la_kernel_print(const struct la_kernel *kernel, struct la_net_pair pair, int host)
{
	static const char *const kinds[] = {
		[LA_KERNEL_SOCK] = "socket",
		[LA_KERNEL_REQ_START] = "request waits",
		[LA_KERNEL_REQ_CANCEL] = "request stopped",
		[LA_KERNEL_REQ_EXPIRE] = "request expired",
		[LA_KERNEL_TW_START] = "time-wait waits",
		[LA_KERNEL_TW_CANCEL] = "time-wait stopped",
		[LA_KERNEL_TW_EXPIRE] = "time-wait expired",
		[LA_KERNEL_RST_IN] = "RST received",
		[LA_KERNEL_RST_OUT] = "RST sent",
	};
	__u64 start = 0;
	size_t i;

	for (i = 0; i < kernel->count; i++) {
		const struct la_kernel_event *e = &kernel->event[i];
		struct la_net_pair p = pair_of(e);

		if (e->host != host || memcmp(&p, &pair, sizeof(p)))
			continue;
		start = start ? start : e->ts;
		printf("    %9.3f ms  %-17s %s -> %s\n", (double)(e->ts - start) / 1e6,
		       kinds[e->kind], la_state_word(state_of(e->from)),
		       la_state_word(state_of(e->to)));
	}
}
