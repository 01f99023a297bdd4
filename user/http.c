/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.c - libmicrohttpd, held by the hand. See http.h.
 */
#include "http.h"
#include "tls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define THREADS		 3 /* one that walks a big table keeps no scrape waiting */
#define CONNECTIONS_MAX	 (THREADS * (LA_STREAM_CLIENTS + 32))
#define IDLE_SECONDS	 30
#define STREAM_BLOCK	 16384
#define LISTEN_BACKLOG	 64
#define TEXT_PLAIN	 "text/plain; charset=utf-8"
#define LOCAL_NAMES_ONLY "ask for it by its address or as localhost\n"

struct la_http {
	struct MHD_Daemon *daemon;
	struct la_http_opts opts;
};

struct la_http_request {
	struct MHD_Connection *connection;
	enum MHD_Result result;
};

/* ---- addresses ---- */

static int parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !number || number > 65535)
		return -1;
	*port = htons((in_port_t)number);
	return 0;
}

int la_listen_parse(struct la_listen *at, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at->sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at->sa;
	const char *colon = strrchr(text, ':');
	char addr[INET6_ADDRSTRLEN];
	size_t len;

	memset(at, 0, sizeof(*at));
	if (!strcmp(text, "none"))
		return 0;
	len = colon ? (size_t)(colon - text) : sizeof(addr);
	if (len >= sizeof(addr))
		return -1;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (!len || (len > 2 && *addr == '[' && addr[len - 1] == ']')) {
		addr[len ? len - 1 : 0] = '\0';
		v6->sin6_family = AF_INET6; /* :: takes IPv4 as well */
		at->len = sizeof(*v6);
		if (len && inet_pton(AF_INET6, addr + 1, &v6->sin6_addr) != 1)
			return -1;
		return parse_port(colon + 1, &v6->sin6_port);
	}
	v4->sin_family = AF_INET;
	at->len = sizeof(*v4);
	if (inet_pton(AF_INET, addr, &v4->sin_addr) != 1)
		return -1;
	return parse_port(colon + 1, &v4->sin_port);
}

bool la_listen_is_local(const struct la_listen *at)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at->sa;

	if (at->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return at->sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

int la_http_socket(const struct la_listen *at)
{
	int fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, (const struct sockaddr *)&at->sa, at->len) && !listen(fd, LISTEN_BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- answers ---- */

static void add_headers(struct MHD_Response *response, const char *type)
{
	static const char *const headers[][2] = {
		{"Content-Security-Policy",
		 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		 "connect-src 'self'; base-uri 'none'; form-action 'none'; "
		 "frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cache-Control", "no-store"},
	};

	MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

/* Queues a response and lets go of it. Without one the connection is closed. */
static void queue(struct la_http_request *request, unsigned int status, const char *type,
		  struct MHD_Response *response)
{
	if (!response)
		return;
	add_headers(response, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"lastack\"");
	request->result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
}

void la_http_reply(struct la_http_request *request, unsigned int status, const char *type,
		   const void *bytes, size_t size)
{
	queue(request, status, type,
	      MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_PERSISTENT));
}

void la_http_reply_owned(struct la_http_request *request, unsigned int status, const char *type,
			 char *bytes, size_t size)
{
	queue(request, status, type,
	      MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE));
}

void la_http_reply_text(struct la_http_request *request, unsigned int status, const char *text)
{
	queue(request, status, TEXT_PLAIN,
	      MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY));
}

static void park(void *connection)
{
	MHD_suspend_connection(connection);
}

static void wake(void *connection)
{
	MHD_resume_connection(connection);
}

static ssize_t read_stream(void *client, uint64_t position, char *bytes, size_t max)
{
	ssize_t n = la_stream_read(client, bytes, max);

	(void)position;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void close_stream(void *client)
{
	la_stream_close(client);
}

void la_http_reply_stream(struct la_http_request *request, struct la_stream *stream,
			  struct la_filter *filter)
{
	const struct la_stream_waiter waiter = {park, wake, request->connection};
	struct la_stream_client *client = la_stream_open(stream, filter, &waiter);

	if (!client) {
		la_http_reply_text(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too many clients\n");
		return;
	}
	queue(request, MHD_HTTP_OK, "text/event-stream",
	      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, client,
						close_stream));
}

/* ---- requests ---- */

const char *la_http_query(const struct la_http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *la_http_header(const struct la_http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* An address, or localhost: no name that somebody else could have pointed here. */
static bool names_this_host(const char *host)
{
	size_t name = host ? strcspn(host, ":") : 0;
	struct in_addr v4;
	char text[INET_ADDRSTRLEN];

	if (!host || *host == '[')
		return true;
	if (name == strlen("localhost") && !strncasecmp(host, "localhost", name))
		return true;
	if (name >= sizeof(text))
		return false;
	memcpy(text, host, name);
	text[name] = '\0';
	return inet_pton(AF_INET, text, &v4) == 1;
}

/* Takes as long wherever they differ, so that nobody learns from it how far he was right. */
static bool same_text(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned int differ = n != m;

	for (size_t i = 0; i < n; i++)
		differ |= (unsigned int)(a[i] ^ b[m ? i % m : 0]);
	return !differ;
}

static bool knows_password(struct MHD_Connection *connection, const char *credentials)
{
	char *password = NULL, *given = NULL;
	char *user = MHD_basic_auth_get_username_password(connection, &password);
	bool knows = user && asprintf(&given, "%s:%s", user, password ? password : "") > 0 &&
		     same_text(given, credentials);

	free(given);
	MHD_free(user);
	MHD_free(password);
	return knows;
}

/* Why it is not answered, and that as the answer; false: it is. */
static bool refuses(const struct la_http *http, struct la_http_request *request, const char *method)
{
	const struct la_http_opts *opts = &http->opts;

	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		la_http_reply_text(request, MHD_HTTP_METHOD_NOT_ALLOWED, "read only\n");
	else if (opts->local && !names_this_host(la_http_header(request, "Host")))
		la_http_reply_text(request, MHD_HTTP_FORBIDDEN, LOCAL_NAMES_ONLY);
	else if (opts->credentials && !knows_password(request->connection, opts->credentials))
		la_http_reply_text(request, MHD_HTTP_UNAUTHORIZED, "user and password, please\n");
	else
		return false;
	return true;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct la_http_request request = {.connection = connection, .result = MHD_NO};
	const struct la_http *http = cls;

	(void)version, (void)upload;
	/* Not all of it has come: after an answer now, the connection could not be used again. */
	if (!*state || *upload_size) {
		*state = connection;
		*upload_size = 0;
		return MHD_YES;
	}
	if (refuses(http, &request, method))
		return request.result;
	for (size_t i = 0; i < http->opts.count; i++) {
		if (strcmp(url, http->opts.routes[i].path))
			continue;
		http->opts.routes[i].answer(&request, http->opts.ctx);
		return request.result;
	}
	la_http_reply_text(&request, MHD_HTTP_NOT_FOUND, "there is no such page\n");
	return request.result;
}

/* ---- beginning and end ---- */

struct la_http *la_http_start(const struct la_http_opts *opts)
{
	static const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	static const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)la_tls_retrieve},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, LA_TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL}};
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct la_http *http = calloc(1, sizeof(*http));

	if (http) {
		http->opts = *opts;
		http->daemon =
			MHD_start_daemon(flags | (opts->tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
					 handle, http, MHD_OPTION_LISTEN_SOCKET, opts->fd,
					 MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
					 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
					 MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)THREADS,
					 MHD_OPTION_ARRAY, opts->tls ? tls : plain, MHD_OPTION_END);
	}
	if (http && http->daemon)
		return http;
	close(opts->fd);
	free(http);
	return NULL;
}

void la_http_stop(struct la_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon); /* closes the socket */
	free(http);
}
