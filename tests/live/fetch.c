// SPDX-License-Identifier: BSD-2-Clause
/*
 * fetch.c - see fetch.h.
 */
#include "fetch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 60000 /* a browser may take its time */

static bool ready(int fd, short events, int ms)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, ms) == 1;
}

static bool send_all(int fd, const char *bytes)
{
	size_t left = strlen(bytes);

	while (left) {
		ssize_t n = send(fd, bytes, left, MSG_NOSIGNAL);

		if (n < 0 && (errno != EAGAIN || !ready(fd, POLLOUT, PATIENCE_MS)))
			return false;
		bytes += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int dial(struct la_lab *lab, enum la_lab_host host, unsigned short port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = la_lab_socket(lab, host, AF_INET, SOCK_STREAM, 0), err = 0;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) && errno == EINPROGRESS &&
	    ready(fd, POLLOUT, PATIENCE_MS))
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	else if (errno && errno != EINPROGRESS)
		err = errno;
	if (!err)
		return fd;
	close(fd);
	return -1;
}

int la_fetch_open(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		  const char *request)
{
	int fd;

	errno = 0;
	fd = dial(lab, host, port);
	if (fd < 0 || send_all(fd, request))
		return fd;
	close(fd);
	return -1;
}

/* The answer is complete: some servers say how long it is, and do not close. */
static bool is_whole(const char *text, size_t len)
{
	const char *end = strstr(text, "\r\n\r\n"), *length;

	length = end ? strcasestr(text, "\r\nContent-Length:") : NULL;
	return length && length < end &&
	       len >= (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);
}

/* All that comes, until it is complete or the other side closes. */
static char *read_all(int fd)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	ssize_t n = 1;

	*text = '\0';
	while (n && !is_whole(text, len) && ready(fd, POLLIN, PATIENCE_MS)) {
		if (len + 1 == room)
			text = realloc(text, room *= 2);
		n = recv(fd, text + len, room - len - 1, 0);
		if (n < 0 && errno != EAGAIN)
			break;
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
	}
	return text;
}

/* Takes the lengths out of a chunked body. */
static void unchunk(char *body)
{
	char *to = body, *from = body, *end;
	size_t n;

	while ((n = strtoul(from, &end, 16)) > 0 && end[0] == '\r') {
		n = strlen(end + 2) < n ? strlen(end + 2) : n;
		memmove(to, end + 2, n);
		to += n;
		from = end + 2 + n + 2;
	}
	*to = '\0';
}

struct la_fetched la_fetch(struct la_lab *lab, enum la_lab_host host, unsigned short port,
			   const char *path, const char *header, const char *body)
{
	struct la_fetched got = {0};
	char *request = NULL, *end;
	int fd;

	if (asprintf(&request,
		     "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n"
		     "Content-Type: application/json\r\nContent-Length: %zu\r\n%s%s\r\n%s",
		     body ? "POST" : "GET", path, port, body ? strlen(body) : 0,
		     header ? header : "", header ? "\r\n" : "", body ? body : "") < 0)
		abort();
	fd = la_fetch_open(lab, host, port, request);
	free(request);
	got.head = fd >= 0 ? read_all(fd) : strdup("");
	if (fd >= 0)
		close(fd);
	sscanf(got.head, "HTTP/1.%*d %d", &got.status);
	end = strstr(got.head, "\r\n\r\n");
	got.body = strdup(end ? end + 4 : "");
	if (end)
		end[2] = '\0';
	if (strcasestr(got.head, "\r\nTransfer-Encoding: chunked"))
		unchunk(got.body);
	return got;
}

void la_fetched_free(struct la_fetched *fetched)
{
	free(fetched->head);
	free(fetched->body);
}

json_t *la_fetch_json(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		      const char *path)
{
	struct la_fetched got = la_fetch(lab, host, port, path, NULL, NULL);
	json_t *json = got.status == 200 ? json_loads(got.body, JSON_DECODE_ANY, NULL) : NULL;

	if (!json)
		fprintf(stderr, "fetch: %s: status %d: %.300s\n", path, got.status, got.body);
	la_fetched_free(&got);
	return json;
}

bool la_fetch_until_ok(struct la_lab *lab, enum la_lab_host host, unsigned short port,
		       const char *path, int ms)
{
	int status = 0;

	for (; status != 200 && ms > 0; ms -= 50) {
		struct la_fetched got = la_fetch(lab, host, port, path, NULL, NULL);

		status = got.status;
		la_fetched_free(&got);
		if (status != 200)
			poll(NULL, 0, 50);
	}
	return status == 200;
}

char *la_fetch_escape(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *to = out;

	for (; *text; text++)
		to += sprintf(to,
			      strchr("-_.~", *text) || (*text >= '0' && *text <= '9') ||
					      ((*text | 32) >= 'a' && (*text | 32) <= 'z')
				      ? "%c"
				      : "%%%02X",
			      (unsigned char)*text);
	*to = '\0';
	return out;
}
