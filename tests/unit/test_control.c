/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_control.c - the control socket: who may have it, what is answered, who loses what.
 *
 * The server is the real one, without tables behind it; clients speak by hand, so that they can
 * be as slow, as many and as wrong as no client of ours is.
 */
#include "control.h"
#include "control_server.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 200000

static char dir[40], path[60];

static void make_dir(void)
{
	strcpy(dir, "/tmp/lastack-control-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
}

static void remove_dir(void)
{
	unlink(path);
	cr_expect_eq(rmdir(dir), 0, "something is left in %s", dir);
}

TestSuite(control, .init = make_dir, .fini = remove_dir);

/* ---- both ends ---- */

static struct la_control_server *serve(void)
{
	struct la_control_server_opts opts = {.path = path, .asked = true};
	struct la_control_server *server = la_control_server_open(&opts);

	cr_assert(!server || !la_control_server_start(server));
	return server;
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, path);
	return at;
}

static int call(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = address();
	struct timeval patience = {.tv_sec = 10};

	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	cr_assert_eq(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0, "%s",
		     strerror(errno));
	return fd;
}

struct heard {
	ssize_t size;
	__u64 records, lost, last; /* last: number of the last record */
	struct la_control_head head;
	char text[LA_CONTROL_BYTES] __attribute__((aligned(8)));
};

static void count_records(struct heard *heard)
{
	size_t at = 0, size = (size_t)heard->size - sizeof(heard->head);

	while (at < size) {
		const struct la_rec *rec = (const struct la_rec *)(heard->text + at);

		if (rec->type == LA_REC_LOST) {
			heard->lost += ((const struct la_rec_lost *)rec)->count;
			at += sizeof(struct la_rec_lost);
		} else {
			heard->records++;
			heard->last = rec->id;
			at += la_record_size(rec);
		}
	}
	cr_assert_eq(at, size, "a batch ends within a record");
}

/* The next message; its size is 0 if the server has gone. */
static void hear(int fd, struct heard *heard)
{
	char message[LA_CONTROL_BYTES] __attribute__((aligned(8)));
	unsigned int fds;

	heard->size = la_control_receive(fd, message, sizeof(message), NULL, 0, &fds);
	cr_assert_geq(heard->size, 0, "%s", strerror((int)-heard->size));
	if (!heard->size)
		return;
	memcpy(&heard->head, message, sizeof(heard->head));
	memset(heard->text, 0, sizeof(heard->text));
	memcpy(heard->text, message + sizeof(heard->head),
	       (size_t)heard->size - sizeof(heard->head));
	if (heard->head.say == LA_SAY_RECORDS)
		count_records(heard);
}

static void say_watch(int fd, const char *filter)
{
	struct {
		struct la_control_watch watch;
		char text[200];
	} request = {.watch.head = la_control_head(LA_SAY_WATCH)};

	strcpy(request.text, filter);
	cr_assert_eq(la_control_send(fd, &request, sizeof(request.watch) + strlen(filter), NULL, 0),
		     0);
}

/* A client that watches from here on. */
static int watch(const char *filter)
{
	static struct heard heard;
	int fd = call();

	say_watch(fd, filter);
	hear(fd, &heard);
	cr_assert_eq(heard.head.say, LA_SAY_RECORDS);
	cr_assert_eq(heard.size, sizeof(heard.head));
	return fd;
}

/* Records number from..to-1, in batches as the ring gives them. */
static void tell(struct la_control_server *server, __u64 from, __u64 to)
{
	struct la_sink *sink = la_control_server_sink(server);
	struct la_rec_state rec = {.h = {.v = LA_ABI_VERSION, .type = LA_REC_STATE},
				   .to = LA_ESTABLISHED};

	rec.state[LA_ORIG] = LA_ESTABLISHED;
	for (__u64 i = from; i < to; i++) {
		rec.h.id = i;
		la_sink_record(sink, &rec.h);
		if (i % 100 == 99 || i + 1 == to)
			la_sink_flush(sink);
	}
}

/* ---- records ---- */

Test(control, watchers_get_what_passes_their_filters)
{
	struct la_control_server *server = serve();
	int all = watch(""), some = watch("state established"), none = watch("state close-wait");
	static struct heard heard;

	tell(server, 0, 10);
	hear(all, &heard);
	cr_expect_eq(heard.records, 10);
	hear(some, &heard);
	cr_expect_eq(heard.records, 20);
	la_control_server_stop(server);
	hear(none, &heard);
	cr_expect_eq(heard.size, 0, "it is let go, and has heard nothing");
	close(all);
	close(some);
	close(none);
}

/* Who does not read loses records, is told how many, and keeps nobody from his. */
Test(control, a_slow_watcher_loses_its_own_records)
{
	static struct heard slow_heard, quick_heard;
	struct la_control_server *server = serve();
	int slow = watch(""), quick = watch("");

	for (__u64 i = 0; i < MANY; i += 1000) {
		tell(server, i, i + 1000);
		while (quick_heard.last < i + 999)
			hear(quick, &quick_heard);
	}
	cr_expect_eq(quick_heard.records, MANY);
	cr_expect_eq(quick_heard.lost, 0);
	hear(slow, &slow_heard); /* so there is room again */
	while (slow_heard.last != MANY) {
		tell(server, MANY, MANY + 1);
		while (slow_heard.last != MANY &&
		       recv(slow, (char[1]){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			hear(slow, &slow_heard);
	}
	cr_expect_gt(slow_heard.lost, 0);
	cr_expect_eq(slow_heard.records + slow_heard.lost, MANY + 1, "%llu and %llu lost",
		     (unsigned long long)slow_heard.records, (unsigned long long)slow_heard.lost);
	la_control_server_stop(server);
	close(slow);
	close(quick);
}

/* ---- refusals ---- */

static void expect_error(int fd, const char *text)
{
	static struct heard heard;

	hear(fd, &heard);
	cr_expect_eq(heard.head.say, LA_SAY_ERROR);
	cr_expect(strstr(heard.text, text), "no '%s' in: %s", text, heard.text);
}

Test(control, what_is_wrong_is_said)
{
	struct la_control_server *server = serve();
	struct la_control_head odd = la_control_head(77), old = la_control_head(LA_SAY_MAPS);
	int fd = call();

	say_watch(fd, "prot 80");
	expect_error(fd, "did you mean 'port'?");
	la_control_send(fd, &odd, sizeof(odd), NULL, 0);
	expect_error(fd, "does not understand");
	old.layout++;
	la_control_send(fd, &old, sizeof(old), NULL, 0);
	expect_error(fd, "another version of lastack");
	say_watch(fd, "");
	cr_expect_gt(recv(fd, &old, sizeof(old), 0), 0, "it is served all the same");
	la_control_server_stop(server);
	close(fd);
}

/* Garbage ends the connection, and nothing else. */
Test(control, garbage_is_hung_up_on)
{
	static struct heard heard;
	struct la_control_server *server = serve();
	int fd = call(), other = watch("");

	cr_assert_eq(send(fd, "GET / HTTP/1.1", 14, 0), 14);
	hear(fd, &heard);
	cr_expect_eq(heard.size, 0);
	tell(server, 0, 1);
	hear(other, &heard);
	cr_expect_eq(heard.records, 1);
	la_control_server_stop(server);
	close(fd);
	close(other);
}

/* ---- the socket ---- */

Test(control, the_socket_is_its_owners_alone_and_goes_with_it)
{
	struct la_control_server *server = serve();
	struct stat there;

	cr_assert_eq(lstat(path, &there), 0);
	cr_expect(S_ISSOCK(there.st_mode));
	cr_expect_eq(there.st_mode & 0777, 0600);
	la_control_server_stop(server);
	cr_expect_eq(lstat(path, &there), -1);
}

Test(control, a_second_one_does_not_take_it)
{
	struct la_control_server *server = serve();
	int fd;

	cr_expect_null(serve());
	fd = watch("");
	close(fd);
	la_control_server_stop(server);
}

/* Left by one that was killed. */
Test(control, a_stale_socket_is_replaced)
{
	struct la_control_server *server;
	struct sockaddr_un at = address();
	int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	cr_assert_eq(bind(dead, (const struct sockaddr *)&at, sizeof(at)), 0);
	close(dead);
	server = serve();
	cr_assert_not_null(server);
	close(watch(""));
	la_control_server_stop(server);
}

Test(control, a_file_of_that_name_is_left_alone)
{
	FILE *file = fopen(path, "w");

	fputs("precious", file);
	fclose(file);
	cr_expect_null(serve());
	cr_expect_eq(access(path, F_OK), 0);
}

/* Ours was replaced by somebody else's: that is not ours to remove. */
Test(control, anothers_socket_is_not_removed)
{
	struct la_control_server *server = serve();
	struct sockaddr_un at = address();
	int other = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	unlink(path);
	cr_assert_eq(bind(other, (const struct sockaddr *)&at, sizeof(at)), 0);
	la_control_server_stop(server);
	cr_expect_eq(access(path, F_OK), 0);
	close(other);
}
