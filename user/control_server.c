/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_server.c - one thread that answers, one lock, a batch of records a watcher. See
 * control_server.h.
 *
 * The thread accepts, reads requests and closes clients; the main thread, which drains the ring,
 * sends records. What both touch, the clients, is locked.
 */
#include "control_server.h"
#include "clock.h"
#include "control.h"
#include "filter.h"
#include "options.h"
#include "policy.h"
#include "recall.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64

/* Without a descriptor for another client it looks again after so long. */
#define FULL_WAIT_MS 100

/* What the kernel may keep for a client that is busy, bytes. */
#define CLIENT_QUEUE (4 << 20)

struct client {
	int fd; /* -1: there is none */
	bool watches;
	bool kills;		  /* of the records, only those of LA_SAY_KILL */
	struct la_filter *filter; /* of its watch, or NULL */
	__u64 lost;		  /* records that it has not been told of */
	__u64 batch_count;
	size_t batch_size; /* bytes of batch, with its head; 0: none is begun */
	char batch[LA_CONTROL_BYTES] __attribute__((aligned(8)));
};

struct la_control_server {
	struct la_sink sink; /* first: one is the other */
	const struct la_loader *loader;
	struct la_owners *owners; /* or NULL */
	la_filter_ifname_fn ifname;
	void *ifname_ctx;
	struct sockaddr_un at;
	struct stat bound; /* the socket as it was made, to be sure that it is still ours */
	int listens, epoll, stop;
	bool runs;
	pthread_t thread;
	struct la_rec_close *closes; /* number n in place n % LA_CONTROL_CLOSES; or NULL */
	__u64 close_count;	     /* ever */
	struct la_recall *recall;    /* or NULL */
	pthread_mutex_t lock;	     /* of closes, recall and what follows */
	struct client *clients[CLIENTS_MAX];
	struct la_control_conn *kills; /* that wait */
	unsigned int kill_count;
};

/* ---- watchers: called by the main thread, locked ---- */

static void begin_batch(struct client *c)
{
	struct la_control_head head = la_control_head(LA_SAY_RECORDS);

	memcpy(c->batch, &head, sizeof(head));
	c->batch_size = sizeof(head);
	c->batch_count = 0;
}

static void put_record(struct client *c, const void *rec, size_t size)
{
	memcpy(c->batch + c->batch_size, rec, size);
	c->batch_size += size;
}

/* What did not reach it; not counted as a record of the batch. */
static void put_lost(struct client *c)
{
	struct la_rec_lost lost = {
		.h = {.v = LA_ABI_VERSION, .type = LA_REC_LOST, .ts = la_monotonic_ns()},
		.source = LA_LOST_CLIENT,
		.count = c->lost,
	};

	put_record(c, &lost, sizeof(lost));
}

static void send_batch(struct client *c)
{
	if (!c->batch_size)
		return;
	if (la_control_send(c->fd, c->batch, c->batch_size, NULL, 0))
		c->lost += c->batch_count;
	else
		c->lost = 0;
	c->batch_size = 0;
}

/* In a pause: also tells of losses when nothing else is to be told. */
static void catch_up(struct client *c)
{
	send_batch(c);
	if (!c->lost)
		return;
	begin_batch(c);
	put_lost(c);
	send_batch(c);
}

/* Is it the answer to a LA_SAY_KILL? */
static bool is_of_kill(const struct la_rec *rec)
{
	return rec->type == LA_REC_POLICY &&
	       !strcmp(((const struct la_rec_policy *)rec)->policy, LA_POLICY_KILL);
}

static void offer(struct client *c, const struct la_rec *rec, size_t size)
{
	if (!c->watches || (c->kills && !is_of_kill(rec)) || !la_filter_match(c->filter, rec))
		return;
	if (c->batch_size + size > sizeof(c->batch))
		send_batch(c);
	if (!c->batch_size) {
		begin_batch(c);
		if (c->lost)
			put_lost(c);
	}
	put_record(c, rec, size);
	c->batch_count++;
}

static void remember(struct la_control_server *server, const struct la_rec_close *rec)
{
	if (server->closes)
		server->closes[server->close_count++ % LA_CONTROL_CLOSES] = *rec;
}

static void take_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct la_control_server *server = (struct la_control_server *)sink;
	size_t size = rec->type == LA_REC_LOST ? sizeof(struct la_rec_lost) : la_record_size(rec);

	if (!size)
		return;
	pthread_mutex_lock(&server->lock);
	if (rec->type == LA_REC_CLOSE)
		remember(server, (const struct la_rec_close *)rec);
	la_recall_add(server->recall, rec);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (server->clients[i])
			offer(server->clients[i], rec, size);
	pthread_mutex_unlock(&server->lock);
}

static int send_batches(struct la_sink *sink)
{
	struct la_control_server *server = (struct la_control_server *)sink;

	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (server->clients[i])
			catch_up(server->clients[i]);
	pthread_mutex_unlock(&server->lock);
	return 0;
}

struct la_sink *la_control_server_sink(struct la_control_server *server)
{
	return &server->sink;
}

/* ---- requests: called by the thread ---- */

static void answer_error(const struct client *c, const char *why)
{
	struct {
		struct la_control_head head;
		char text[LA_FILTER_ERR_SIZE];
	} answer = {.head = la_control_head(LA_SAY_ERROR)};

	snprintf(answer.text, sizeof(answer.text), "%s", why);
	la_control_send(c->fd, &answer, sizeof(answer.head) + strlen(answer.text) + 1, NULL, 0);
}

/* The interfaces of this network namespace, for the records have only their numbers. */
static __u32 list_interfaces(struct la_control_if ifs[LA_CONTROL_IFS_MAX])
{
	struct if_nameindex *all = if_nameindex();
	__u32 count = 0;

	for (struct if_nameindex *i = all; i && i->if_index && count < LA_CONTROL_IFS_MAX; i++) {
		ifs[count].ifindex = i->if_index;
		snprintf(ifs[count++].name, sizeof(ifs->name), "%s", i->if_name);
	}
	if_freenameindex(all);
	return count;
}

static void answer_maps(struct la_control_server *server, struct client *c, const void *request,
			size_t size)
{
	struct la_control_maps answer = {.head = la_control_head(LA_SAY_MAPS_ARE),
					 .pid = (__u32)getpid()};
	struct la_map_fds maps;
	int fds[LA_MAP_FDS_MAX];

	(void)request, (void)size;
	la_loader_maps(server->loader, &maps);
	la_owners_maps(server->owners, &maps);
	for (; answer.map_count < maps.count; answer.map_count++) {
		fds[answer.map_count] = maps.of[answer.map_count].fd;
		snprintf(answer.maps[answer.map_count], LA_MAP_NAME, "%s",
			 maps.of[answer.map_count].name);
	}
	answer.if_count = list_interfaces(answer.ifs);
	la_control_send(c->fd, &answer, sizeof(answer), fds, answer.map_count);
}

/* An empty batch says that it watches from here on. */
static void answer_watch(struct la_control_server *server, struct client *c, const void *request,
			 size_t size)
{
	const struct la_control_watch *watch = request;
	char text[LA_FILTER_TEXT_MAX + 1], err[LA_FILTER_ERR_SIZE];
	size_t len = size - sizeof(*watch);
	struct la_filter *filter;

	if (len > LA_FILTER_TEXT_MAX) {
		answer_error(c, "the filter is too long");
		return;
	}
	memcpy(text, watch->filter, len);
	text[len] = '\0';
	filter = la_filter_parse(text, err, sizeof(err));
	if (!filter) {
		answer_error(c, err);
		return;
	}
	la_filter_ifnames(filter, server->ifname, server->ifname_ctx);
	la_filter_owners(filter, la_owners_of, server->owners);
	pthread_mutex_lock(&server->lock);
	la_filter_free(c->filter);
	c->filter = filter;
	c->watches = true;
	send_batch(c); /* what passed an earlier filter */
	begin_batch(c);
	send_batch(c);
	pthread_mutex_unlock(&server->lock);
}

/* Some of the close records that are remembered. */
static void answer_closes(struct la_control_server *server, struct client *c, const void *request,
			  size_t size)
{
	char answer[LA_CONTROL_BYTES] __attribute__((aligned(8)));
	struct la_control_closes *closes = (struct la_control_closes *)answer;
	const size_t most = (sizeof(answer) - sizeof(*closes)) / sizeof(*closes->records);
	__u64 from = ((const struct la_control_closes *)request)->from;
	size_t n = 0;

	(void)size;
	pthread_mutex_lock(&server->lock);
	if (server->close_count > LA_CONTROL_CLOSES &&
	    from < server->close_count - LA_CONTROL_CLOSES)
		from = server->close_count - LA_CONTROL_CLOSES;
	for (; n < most && from < server->close_count; n++, from++)
		closes->records[n] = server->closes[from % LA_CONTROL_CLOSES];
	pthread_mutex_unlock(&server->lock);
	closes->head = la_control_head(LA_SAY_CLOSES_ARE);
	closes->from = from;
	la_control_send(c->fd, answer, sizeof(*closes) + n * sizeof(*closes->records), NULL, 0);
}

static void answer_recall(struct la_control_server *server, struct client *c, const void *request,
			  size_t size)
{
	char answer[LA_CONTROL_BYTES] __attribute__((aligned(8)));
	struct la_control_head head = la_control_head(LA_SAY_RECORDS);
	__u64 id = ((const struct la_control_recall *)request)->id;

	(void)size;
	memcpy(answer, &head, sizeof(head));
	pthread_mutex_lock(&server->lock);
	size = la_recall_copy(server->recall, id, answer + sizeof(head),
			      sizeof(answer) - sizeof(head) - 1);
	pthread_mutex_unlock(&server->lock);
	la_control_send(c->fd, answer, sizeof(head) + size, NULL, 0);
}

/* With the lock. False: they would be too many. */
static bool add_kills(struct la_control_server *server, const struct la_control_conn *conns,
		      size_t count)
{
	struct la_control_conn *kills;

	if (server->kill_count + count > LA_CONTROL_KILLS_MAX)
		return false;
	kills = realloc(server->kills, (server->kill_count + count) * sizeof(*kills));
	if (!kills)
		return false;
	memcpy(kills + server->kill_count, conns, count * sizeof(*conns));
	server->kills = kills;
	server->kill_count += (unsigned int)count;
	return true;
}

/* The first of them is answered by an empty batch. */
static void answer_kill(struct la_control_server *server, struct client *c, const void *request,
			size_t size)
{
	const struct la_control_kill *kill = request;
	size_t count = (size - sizeof(*kill)) / sizeof(*kill->conns);
	bool first = !c->watches, taken;

	pthread_mutex_lock(&server->lock);
	taken = !count || add_kills(server, kill->conns, count);
	if (taken && first) {
		c->watches = c->kills = true;
		begin_batch(c);
		send_batch(c);
	}
	pthread_mutex_unlock(&server->lock);
	if (!taken)
		answer_error(c, "too many connections wait to be reset");
}

void la_control_server_kills(struct la_control_server *server,
			     void (*fn)(const struct la_control_conn *conn, void *ctx), void *ctx)
{
	struct la_control_conn *kills;
	unsigned int count;

	pthread_mutex_lock(&server->lock);
	kills = server->kills;
	count = server->kill_count;
	server->kills = NULL;
	server->kill_count = 0;
	pthread_mutex_unlock(&server->lock);
	for (unsigned int i = 0; i < count; i++)
		fn(&kills[i], ctx);
	free(kills);
}

/* What clients may say, and how long that is at least. */
static const struct {
	void (*answer)(struct la_control_server *server, struct client *c, const void *request,
		       size_t size);
	size_t size;
} requests[] = {
	[LA_SAY_MAPS] = {answer_maps, sizeof(struct la_control_head)},
	[LA_SAY_WATCH] = {answer_watch, sizeof(struct la_control_watch)},
	[LA_SAY_CLOSES] = {answer_closes, sizeof(struct la_control_closes)},
	[LA_SAY_KILL] = {answer_kill, sizeof(struct la_control_kill)},
	[LA_SAY_RECALL] = {answer_recall, sizeof(struct la_control_recall)},
};

static void answer(struct la_control_server *server, struct client *c,
		   const struct la_control_head *head, size_t size)
{
	struct la_control_head own = la_control_head(head->say);

	if (head->abi != own.abi || head->layout != own.layout)
		answer_error(c, "it is another version of lastack: restart it, or use the lastack "
				"that it was started with");
	else if (head->say >= sizeof(requests) / sizeof(*requests) || !requests[head->say].answer ||
		 size < requests[head->say].size)
		answer_error(c, "it does not understand the request");
	else
		requests[head->say].answer(server, c, head, size);
}

static void close_client(struct la_control_server *server, struct client *c)
{
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (server->clients[i] == c)
			server->clients[i] = NULL;
	pthread_mutex_unlock(&server->lock);
	close(c->fd);
	la_filter_free(c->filter);
	free(c);
}

static void client_speaks(struct la_control_server *server, struct client *c)
{
	char request[LA_CONTROL_BYTES] __attribute__((aligned(8)));
	unsigned int fds;
	ssize_t got = la_control_receive(c->fd, request, sizeof(request), NULL, 0, &fds);

	if (got == -EAGAIN)
		return;
	if (got <= 0)
		close_client(server, c);
	else
		answer(server, c, (const struct la_control_head *)request, (size_t)got);
}

/* ---- the thread ---- */

/* Returns 0, or -1 if there is no room for it. */
static int add_client(struct la_control_server *server, struct client *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int i = 0;

	pthread_mutex_lock(&server->lock);
	while (i < CLIENTS_MAX && server->clients[i])
		i++;
	if (i < CLIENTS_MAX)
		server->clients[i] = c;
	pthread_mutex_unlock(&server->lock);
	return i < CLIENTS_MAX ? epoll_ctl(server->epoll, EPOLL_CTL_ADD, c->fd, &event) : -1;
}

static void somebody_connects(struct la_control_server *server)
{
	int fd = accept4(server->listens, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const int queue = CLIENT_QUEUE;
	struct client *c;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			poll(NULL, 0, FULL_WAIT_MS); /* who connects waits in the queue */
		return;
	}
	c = la_control_trusts(fd) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &queue, sizeof(queue)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
	if (!add_client(server, c))
		return;
	answer_error(c, "it has too many clients");
	close_client(server, c);
}

static void *serve(void *ctx)
{
	struct la_control_server *server = ctx;
	struct epoll_event event;

	for (;;) {
		if (epoll_wait(server->epoll, &event, 1, -1) < 1)
			continue;
		if (event.data.ptr == &server->stop)
			return NULL;
		if (event.data.ptr == server)
			somebody_connects(server);
		else
			client_speaks(server, event.data.ptr);
	}
}

/* ---- the socket ---- */

/* The directory of the socket, locked against others who begin or end here; or -errno. */
static int lock_dir(const struct la_control_server *server)
{
	char path[sizeof(server->at.sun_path)];
	const char *dir;
	int fd;

	memcpy(path, server->at.sun_path, sizeof(path));
	dir = dirname(path);
	if (!strcmp(dir, LA_CONTROL_DIR) && mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX))
		return fd;
	close(fd);
	return -errno;
}

/* Does somebody listen there? */
static bool is_taken(const struct la_control_server *server)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = !connect(fd, (const struct sockaddr *)&server->at, sizeof(server->at)) ||
		     errno == EAGAIN;

	if (fd >= 0)
		close(fd);
	return taken;
}

/* With the directory locked. Returns 0 or -errno. */
static int bind_socket(struct la_control_server *server)
{
	const char *path = server->at.sun_path;
	struct stat there;
	mode_t before;
	int err;

	if (!lstat(path, &there)) {
		if (!S_ISSOCK(there.st_mode))
			return -EEXIST;
		if (is_taken(server))
			return -EADDRINUSE;
		unlink(path);
	}
	server->listens = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listens < 0)
		return -errno;
	before = umask(0177);
	err = bind(server->listens, (const struct sockaddr *)&server->at, sizeof(server->at))
		      ? -errno
		      : 0;
	umask(before);
	if (!err && (listen(server->listens, CLIENTS_MAX) || lstat(path, &server->bound)))
		err = -errno;
	return err;
}

static int make_socket(struct la_control_server *server, const char *path)
{
	int dir, err;

	server->at.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(server->at.sun_path))
		return -ENAMETOOLONG;
	strcpy(server->at.sun_path, path);
	dir = lock_dir(server);
	if (dir < 0)
		return dir;
	err = bind_socket(server);
	close(dir);
	return err;
}

/* Unless another one has it by now. */
static void remove_socket(struct la_control_server *server)
{
	int dir = lock_dir(server);
	struct stat now;

	if (!lstat(server->at.sun_path, &now) && now.st_ino == server->bound.st_ino &&
	    now.st_dev == server->bound.st_dev)
		unlink(server->at.sun_path);
	if (dir >= 0)
		close(dir);
}

/* ---- beginning and end ---- */

static int start_thread(struct la_control_server *server)
{
	struct epoll_event connects = {.events = EPOLLIN, .data.ptr = server};
	struct epoll_event stops = {.events = EPOLLIN, .data.ptr = &server->stop};
	int err;

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->stop = eventfd(0, EFD_CLOEXEC);
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listens, &connects) ||
	    epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->stop, &stops))
		return -errno;
	err = pthread_create(&server->thread, NULL, serve, server);
	server->runs = !err;
	return -err;
}

static void complain(const struct la_control_server_opts *opts, int err)
{
	const char *why = err == -EADDRINUSE ? "another lastack listens there"
			  : err == -EEXIST   ? "there is something else of that name"
					     : strerror(-err);

	if (opts->asked)
		la_fail(LA_EXIT_RUNTIME, "cannot make the control socket", opts->path, why,
			"choose another path with --control, or none");
	else
		fprintf(stderr,
			"lastack: no control socket: %s: %s (--control PATH chooses another)\n",
			opts->path, why);
}

static struct la_control_server *new_server(const struct la_control_server_opts *opts)
{
	struct la_control_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->sink.record = take_record;
	server->sink.flush = send_batches;
	server->loader = opts->loader;
	server->owners = opts->owners;
	server->ifname = opts->ifname;
	server->ifname_ctx = opts->ifname_ctx;
	server->closes = calloc(LA_CONTROL_CLOSES, sizeof(*server->closes));
	server->recall = la_recall_new();
	server->listens = server->epoll = server->stop = -1;
	pthread_mutex_init(&server->lock, NULL);
	return server;
}

struct la_control_server *la_control_server_open(const struct la_control_server_opts *opts)
{
	struct la_control_server *server = new_server(opts);
	int err;

	if (!server) {
		complain(opts, -ENOMEM);
		return NULL;
	}
	if (!*opts->path)
		return server;
	err = make_socket(server, opts->path);
	if (!err)
		return server;
	complain(opts, err);
	if (!opts->asked)
		return server;
	la_control_server_stop(server);
	return NULL;
}

int la_control_server_start(struct la_control_server *server)
{
	int err = server->bound.st_ino ? start_thread(server) : 0;

	if (err)
		la_fail(LA_EXIT_RUNTIME, "cannot serve the control socket", server->at.sun_path,
			strerror(-err), NULL);
	return err ? -1 : 0;
}

static void close_all(struct la_control_server *server)
{
	const int fds[] = {server->listens, server->epoll, server->stop};

	for (int i = 0; i < CLIENTS_MAX; i++)
		if (server->clients[i])
			close_client(server, server->clients[i]);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void la_control_server_stop(struct la_control_server *server)
{
	const __u64 one = 1;

	if (!server)
		return;
	if (server->runs) {
		(void)!write(server->stop, &one, sizeof(one));
		pthread_join(server->thread, NULL);
	}
	if (server->bound.st_ino)
		remove_socket(server);
	close_all(server);
	pthread_mutex_destroy(&server->lock);
	free(server->closes);
	la_recall_free(server->recall);
	free(server->kills);
	free(server);
}
