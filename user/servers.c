/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers.c - a hash table by address and port. See servers.h.
 */
#include "servers.h"
#include <stdlib.h>
#include <string.h>

/* Out of memory must not end the process: a server that finds no room is left out. */
#define HASH_NONFATAL_OOM	   1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

#define SERVERS_MAX 65536

struct address {
	__u8 addr[16];
	__be16 port;
};

struct entry {
	struct address address;
	struct la_server server;
	UT_hash_handle hh;
};

struct la_servers {
	struct entry *entries;
	struct la_server *sorted;
};

struct la_servers *la_servers_new(void)
{
	return calloc(1, sizeof(struct la_servers));
}

const char *la_server_column_word(enum la_server_column column)
{
#define LA_ROW_COLUMN_WORD(s, w) w,
	static const char *const words[] = {LA_SERVER_COLUMNS(LA_ROW_COLUMN_WORD)};

	return words[column];
}

/* The server of a record; NULL: there is no room for another one. */
static struct la_server *server_of(struct la_servers *servers, const struct la_rec *h)
{
	int resp = la_text_index(h, LA_RESP);
	struct address address;
	struct entry *entry;

	memset(&address, 0, sizeof(address));
	memcpy(address.addr, h->key.addr[resp], sizeof(address.addr));
	address.port = h->key.port[resp];
	HASH_FIND(hh, servers->entries, &address, sizeof(address), entry);
	if (entry || HASH_COUNT(servers->entries) >= SERVERS_MAX)
		return entry ? &entry->server : NULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->address = address;
	la_text_endpoint(entry->server.name, h, LA_RESP, false);
	HASH_ADD(hh, servers->entries, address, sizeof(entry->address), entry);
	if (entry->hh.tbl)
		return &entry->server;
	free(entry);
	return NULL;
}

void la_servers_flow(struct la_servers *servers, const struct la_rec_flow *flow)
{
	struct la_server *server = server_of(servers, &flow->at.h);

	if (!server)
		return;
	server->counts[LA_SERVER_OPEN] += !flow->at.reason;
	server->counts[LA_SERVER_RETRANS] +=
		(__u64)flow->at.side[LA_ORIG].retrans + flow->at.side[LA_RESP].retrans;
	server->counts[LA_SERVER_STUCK] += la_text_stuck(&flow->at) == LA_RESP;
}

void la_servers_close(struct la_servers *servers, const struct la_rec_close *close)
{
	struct la_server *server = server_of(servers, &close->h);

	if (!server)
		return;
	server->counts[LA_SERVER_ENDED]++;
	server->counts[LA_SERVER_RESETS] += !!close->rst_verdict;
}

struct order {
	enum la_server_column column;
};

static int largest_first(const void *a, const void *b, void *ctx)
{
	const struct la_server *x = a, *y = b;
	const struct order *order = ctx;
	__u64 left = x->counts[order->column], right = y->counts[order->column];

	if (left != right)
		return left < right ? 1 : -1;
	return strcmp(x->name, y->name);
}

size_t la_servers_sort(struct la_servers *servers, enum la_server_column column)
{
	struct order order = {.column = column};
	struct entry *entry, *next;
	size_t n = 0;

	free(servers->sorted);
	servers->sorted = calloc(HASH_COUNT(servers->entries) + 1, sizeof(*servers->sorted));
	if (!servers->sorted)
		return 0;
	HASH_ITER (hh, servers->entries, entry, next)
		servers->sorted[n++] = entry->server;
	qsort_r(servers->sorted, n, sizeof(*servers->sorted), largest_first, &order);
	return n;
}

const struct la_server *la_servers_get(const struct la_servers *servers, size_t i)
{
	return &servers->sorted[i];
}

void la_servers_free(struct la_servers *servers)
{
	struct entry *entry, *next;

	if (!servers)
		return;
	HASH_ITER (hh, servers->entries, entry, next) {
		HASH_DEL(servers->entries, entry);
		free(entry);
	}
	free(servers->sorted);
	free(servers);
}
