/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.h - a small web server: GET only, with threads of its own.
 *
 * Knows nothing of what it serves: a table of routes, each with a function that answers, in one
 * of the server's threads. Every answer carries the headers that keep a browser from doing with it
 * what it is not meant for (a strict Content-Security-Policy among them).
 */
#ifndef LA_USER_HTTP_H
#define LA_USER_HTTP_H

#include "stream.h"
#include <stdbool.h>
#include <sys/socket.h>

/* Where to listen. */
struct la_listen {
	struct sockaddr_storage sa;
	socklen_t len; /* 0: nowhere */
};

#define LA_LISTEN_DEFAULT "127.0.0.1:9464"

/* Reads ADDR:PORT, [ADDR]:PORT, :PORT for all addresses, or none. Returns 0 or -1. */
int la_listen_parse(struct la_listen *at, const char *text);

/* Only this host can connect. */
bool la_listen_is_local(const struct la_listen *at);

struct la_http;
struct la_http_request;

struct la_http_route {
	const char *path;
	void (*answer)(struct la_http_request *request, void *ctx);
};

/* A socket that listens there, or -errno. */
int la_http_socket(const struct la_listen *at);

struct la_http_opts {
	int fd;	    /* of la_http_socket(); the server's own from now on, whatever happens */
	bool local; /* only this host can reach it: see names_this_host() */
	bool tls;   /* encrypted, with the certificate of la_tls_use() */
	const char *credentials; /* USER:PASSWORD that who asks must know (RFC 7617), or NULL */
	const struct la_http_route *routes;
	size_t count;
	void *ctx; /* for the routes */
};

/*
 * Serves the routes. At an address that only this host can reach it answers only who names this
 * host, so that no page of somebody else's can come in by a name of its own. What opts refers to
 * must live as long. NULL: it cannot start.
 */
struct la_http *la_http_start(const struct la_http_opts *opts);

/* The value of a query parameter or of a header; NULL: it is not there. */
const char *la_http_query(const struct la_http_request *request, const char *name);
const char *la_http_header(const struct la_http_request *request, const char *name);

/* Answers with bytes that live as long as the server. Each request is answered once. */
void la_http_reply(struct la_http_request *request, unsigned int status, const char *type,
		   const void *bytes, size_t size);

/* The same with memory of malloc(), which is freed. */
void la_http_reply_owned(struct la_http_request *request, unsigned int status, const char *type,
			 char *bytes, size_t size);

/* One line of text. */
void la_http_reply_text(struct la_http_request *request, unsigned int status, const char *text);

/* Answers with events of the stream that pass the filter, which is freed, until it stops. */
void la_http_reply_stream(struct la_http_request *request, struct la_stream *stream,
			  struct la_filter *filter);

/* Ends all answers; those of a stream need la_stream_stop() before. NULL is allowed. */
void la_http_stop(struct la_http *http);

#endif
