/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - a client of the control socket, or a reader of pins. See source.h.
 */
#include "source.h"
#include "control.h"
#include "options.h"
#include "privilege.h"
#include "sink.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A daemon answers at once, or hangs. */
#define PATIENCE_S 5

struct la_source {
	const struct la_source_opts *opts;
	char path[PATH_MAX]; /* of the socket */
	int fd;		     /* to the daemon, or -1 */
	__u32 pid;
	struct la_persist *persist;
	struct la_loader *loader;
	struct la_owners *owners; /* or NULL */
	__u32 if_count;
	struct la_control_if ifs[LA_CONTROL_IFS_MAX];
	char message[LA_CONTROL_BYTES] __attribute__((aligned(8)));
};

/* ---- the daemon ---- */

static int connect_to(struct la_source *source)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = PATIENCE_S};

	if (strlen(source->path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, source->path);
	source->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (source->fd < 0)
		return -errno;
	setsockopt(source->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(source->fd, (const struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return la_control_trusts(source->fd) ? 0 : -EPERM;
}

static int fail(const struct la_source *source, const char *why, const char *todo)
{
	la_fail(LA_EXIT_RUNTIME, source->opts->cannot, source->path, why, todo);
	return -1;
}

static int fail_with(const struct la_source *source, int err)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return fail(source, "no lastack listens there",
			    "start `lastack run`, or say with --control where it listens");
	case -EACCES:
	case -EPERM:
		return fail(source, "not permitted", "only root and who runs it may ask it");
	case -EPIPE:
	case -ECONNRESET:
		return fail(source, "it hung up",
			    "only root and who runs it may ask it; or has it just ended?");
	case -EAGAIN:
		return fail(source, "it does not answer", NULL);
	case -EPROTO:
		return fail(source, "that is no lastack, or a very different version", NULL);
	default:
		return fail(source, strerror(-err), NULL);
	}
}

/* Sends a request; the answer is in message. Returns its length, or -1 with the reason. */
static ssize_t ask(struct la_source *source, const void *request, size_t size, int *fds,
		   unsigned int max, unsigned int *count)
{
	const struct la_control_head *head = (const struct la_control_head *)source->message;
	int err = la_control_send(source->fd, request, size, NULL, 0);
	ssize_t got;

	if (err)
		return fail_with(source, err);
	got = la_control_receive(source->fd, source->message, sizeof(source->message) - 1, fds, max,
				 count);
	if (got < 0)
		return fail_with(source, (int)got);
	if (!got)
		return fail_with(source, -EPIPE);
	source->message[got] = '\0';
	if (head->say == LA_SAY_ERROR)
		return fail(source, source->message + sizeof(*head), NULL);
	return got;
}

/* Opens on the maps that the daemon has passed on what tells the owners and, if wanted, a loader.
 */
static int take_maps(struct la_source *source, const int *fds, unsigned int count, bool wanted)
{
	const struct la_control_maps *maps = (const struct la_control_maps *)source->message;
	struct la_map_fds given = {.count = count};
	struct la_loader_opts opts = {.maps = &given, .look = true};

	if (count > LA_MAP_FDS_MAX || count != maps->map_count)
		return fail_with(source, -EPROTO);
	for (unsigned int i = 0; i < count; i++) {
		memcpy(given.of[i].name, maps->maps[i], LA_MAP_NAME);
		given.of[i].name[LA_MAP_NAME - 1] = '\0';
		given.of[i].fd = fds[i];
	}
	source->owners = la_owners_take(&given);
	if (wanted)
		source->loader = la_loader_open(&opts);
	return wanted && !source->loader ? -1 : 0;
}

/* Who it is, and its maps. Returns 0, or -1 with the reason on stderr. */
static int ask_maps(struct la_source *source, bool wanted)
{
	struct la_control_head request = la_control_head(LA_SAY_MAPS);
	const struct la_control_maps *maps = (const struct la_control_maps *)source->message;
	int fds[LA_MAP_FDS_MAX], err;
	unsigned int count;
	ssize_t got = ask(source, &request, sizeof(request), fds, LA_MAP_FDS_MAX, &count);

	if (got < 0)
		return -1;
	err = (size_t)got < sizeof(*maps) || maps->if_count > LA_CONTROL_IFS_MAX ? -EPROTO : 0;
	if (err) {
		fail_with(source, err);
	} else {
		source->pid = maps->pid;
		source->if_count = maps->if_count;
		memcpy(source->ifs, maps->ifs, sizeof(source->ifs));
		err = take_maps(source, fds, count, wanted);
	}
	while (count)
		close(fds[--count]);
	return err ? -1 : 0;
}

/* ---- what is pinned ---- */

/* Returns 0, -ENOENT if nothing is, or -1 with the reason on stderr. */
static int open_pins(struct la_source *source, const char *name)
{
	struct la_loader_opts opts = {.look = true};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.3900s/lastack/%.100s", source->opts->bpffs, name);
	if (access(path, F_OK))
		return errno == EACCES ? la_fail_privilege(source->opts->cannot, path),
		       -1	       : -ENOENT;
	source->persist = la_persist_open(source->opts->bpffs, name, LA_PERSIST_LOOK);
	if (!source->persist)
		return -1;
	if (!la_persist_found(source->persist))
		return -ENOENT;
	opts.persist = source->persist;
	source->loader = la_loader_open(&opts);
	if (!source->loader)
		return -1;
	if (la_persist_owned(source->persist))
		source->pid = la_persist_state(source->persist)->daemon_pid;
	return 0;
}

/* The names that its interfaces had when they were attached. */
static void take_names(struct la_source *source)
{
	const struct la_persist_state *state = la_persist_state(source->persist);

	for (int i = 0; i < LA_PERSIST_PLACES && source->if_count < LA_CONTROL_IFS_MAX; i++) {
		struct la_control_if *to = &source->ifs[source->if_count];

		if (!state->places[i].ifindex)
			continue;
		to->ifindex = (__u32)state->places[i].ifindex;
		memcpy(to->name, state->places[i].ifname, sizeof(to->name));
		source->if_count++;
	}
}

/* ---- opening ---- */

static struct la_source *new_source(const struct la_source_opts *opts)
{
	struct la_source *source = calloc(1, sizeof(*source));

	if (!source) {
		la_fail(LA_EXIT_RUNTIME, opts->cannot, NULL, strerror(ENOMEM), NULL);
		return NULL;
	}
	source->opts = opts;
	source->fd = -1;
	if (opts->control)
		snprintf(source->path, sizeof(source->path), "%s", opts->control);
	else
		la_control_path(source->path, sizeof(source->path),
				opts->persist ? opts->persist : LA_PERSIST_NAME);
	return source;
}

static int open_tables(struct la_source *source)
{
	const struct la_source_opts *opts = source->opts;
	int err = opts->persist ? -ENOENT : connect_to(source), pins;

	if (!err)
		return ask_maps(source, true);
	if (opts->control || (err != -ENOENT && err != -ECONNREFUSED))
		return fail_with(source, err);
	pins = open_pins(source, opts->persist ? opts->persist : LA_PERSIST_NAME);
	if (!pins) {
		take_names(source);
		return 0;
	}
	if (pins != -ENOENT)
		return -1;
	if (!opts->persist)
		return fail_with(source, err);
	return la_fail(LA_EXIT_RUNTIME, opts->cannot, opts->persist,
		       "nothing is pinned by that name", "`lastack status` tells what is"),
	       -1;
}

struct la_source *la_source_open(const struct la_source_opts *opts)
{
	struct la_source *source = new_source(opts);

	if (!source || !open_tables(source))
		return source;
	la_source_close(source);
	return NULL;
}

static int ask_watch(struct la_source *source, const char *filter)
{
	union {
		struct la_control_watch watch;
		char bytes[sizeof(struct la_control_watch) + LA_FILTER_TEXT_MAX + 1];
	} request = {.watch.head = la_control_head(LA_SAY_WATCH)};
	const struct timeval forever = {0};
	unsigned int fds;

	snprintf(request.watch.filter, LA_FILTER_TEXT_MAX + 1, "%s", filter);
	if (ask(source, &request, sizeof(request.watch) + strlen(request.watch.filter), NULL, 0,
		&fds) < 0)
		return -1;
	setsockopt(source->fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	return 0;
}

struct la_source *la_source_watch(const struct la_source_opts *opts, const char *filter)
{
	struct la_source *source = new_source(opts);
	int err = source ? connect_to(source) : -1;

	if (source && err)
		fail_with(source, err);
	else if (source && !ask_maps(source, false) && !ask_watch(source, filter))
		return source;
	la_source_close(source);
	return NULL;
}

/* ---- using ---- */

const struct la_loader *la_source_loader(const struct la_source *source)
{
	return source->loader;
}

__u32 la_source_pid(const struct la_source *source)
{
	return source->pid;
}

const char *la_source_ifname(__u32 ifindex, void *ctx)
{
	const struct la_source *source = ctx;

	for (__u32 i = 0; i < source->if_count; i++)
		if (source->ifs[i].ifindex == ifindex)
			return source->ifs[i].name;
	return NULL;
}

void la_source_owners(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	la_owners_of(rec, own, ((const struct la_source *)ctx)->owners);
}

void la_source_names(struct la_source *source, struct la_filter *filter)
{
	la_filter_ifnames(filter, la_source_ifname, source);
	la_filter_owners(filter, la_source_owners, source);
}

int la_source_fd(const struct la_source *source)
{
	return source->fd;
}

int la_source_closes(struct la_source *source,
		     void (*fn)(const struct la_rec_close *close, void *ctx), void *ctx)
{
	const struct la_control_closes *closes = (const struct la_control_closes *)source->message;
	struct la_control_closes request = {.head = la_control_head(LA_SAY_CLOSES)};
	unsigned int fds;
	size_t n = 1;

	while (source->fd >= 0 && n) {
		ssize_t got = ask(source, &request, sizeof(request), NULL, 0, &fds);

		if (got < 0)
			return -1;
		if ((size_t)got < sizeof(*closes))
			return fail_with(source, -EPROTO);
		n = ((size_t)got - sizeof(*closes)) / sizeof(*closes->records);
		for (size_t i = 0; i < n; i++)
			fn(&closes->records[i], ctx);
		request.from = closes->from;
	}
	return 0;
}

/* Bytes of a record, if that many are there; else 0. */
static size_t size_of(const struct la_rec *rec, size_t left)
{
	size_t size;

	if (left < sizeof(*rec))
		return 0;
	size = rec->type == LA_REC_LOST ? sizeof(struct la_rec_lost) : la_record_size(rec);
	return size <= left ? size : 0;
}

/* Gives each record of the message to fn. Returns how many there are, or -1 with the reason. */
static int take_records(struct la_source *source, size_t got,
			void (*fn)(const struct la_rec *rec, void *ctx), void *ctx)
{
	size_t at = sizeof(struct la_control_head), size;
	int count = 0;

	for (; at < got; at += size, count++) {
		const struct la_rec *rec = (const struct la_rec *)(source->message + at);

		size = size_of(rec, got - at);
		if (!size)
			return fail_with(source, -EPROTO);
		fn(rec, ctx);
	}
	return count;
}

int la_source_read(struct la_source *source, void (*fn)(const struct la_rec *rec, void *ctx),
		   void *ctx)
{
	unsigned int fds;
	ssize_t got = la_control_receive(source->fd, source->message, sizeof(source->message), NULL,
					 0, &fds);

	if (got == -ECONNRESET)
		return 0;
	if (got <= 0)
		return got ? fail_with(source, (int)got) : 0;
	return take_records(source, (size_t)got, fn, ctx);
}

int la_source_recall(struct la_source *source, __u64 id,
		     void (*fn)(const struct la_rec *rec, void *ctx), void *ctx)
{
	const struct la_control_recall request = {.head = la_control_head(LA_SAY_RECALL), .id = id};
	unsigned int fds;
	ssize_t got;

	if (source->fd < 0)
		return 0;
	got = ask(source, &request, sizeof(request), NULL, 0, &fds);
	return got < 0 ? -1 : take_records(source, (size_t)got, fn, ctx);
}

/* Connections a message. */
#define KILL_CONNS                                                                                 \
	((LA_CONTROL_BYTES - sizeof(struct la_control_kill)) / sizeof(struct la_control_conn))

/* Sends a message, and waits if the daemon is slow to take it. Returns 0 or -errno. */
static int send_patiently(const struct la_source *source, const void *message, size_t size)
{
	struct pollfd wait = {.fd = source->fd, .events = POLLOUT};
	int err = la_control_send(source->fd, message, size, NULL, 0);

	while (err == -EAGAIN && poll(&wait, 1, PATIENCE_S * 1000) == 1)
		err = la_control_send(source->fd, message, size, NULL, 0);
	return err;
}

int la_source_kill(struct la_source *source, const struct la_control_conn *conns, size_t count)
{
	union {
		struct la_control_kill kill;
		char bytes[LA_CONTROL_BYTES];
	} request = {.kill.head = la_control_head(LA_SAY_KILL)};
	unsigned int fds;
	int err = 0;

	/* an empty one first: only that is answered */
	if (ask(source, &request, sizeof(request.kill), NULL, 0, &fds) < 0)
		return -1;
	for (size_t part; count && !err; conns += part, count -= part) {
		part = count < KILL_CONNS ? count : KILL_CONNS;
		memcpy(request.kill.conns, conns, part * sizeof(*conns));
		err = send_patiently(source, &request,
				     sizeof(request.kill) + part * sizeof(*conns));
	}
	return err ? fail_with(source, err) : 0;
}

void la_source_close(struct la_source *source)
{
	if (!source)
		return;
	la_owners_free(source->owners);
	la_loader_close(source->loader);
	la_persist_close(source->persist);
	if (source->fd >= 0)
		close(source->fd);
	free(source);
}
