/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers.h - what becomes of the connections of each server, by its address and port.
 *
 * For top: filled anew at each look.
 */
#ifndef LA_USER_SERVERS_H
#define LA_USER_SERVERS_H

#include "text.h"

/* What is counted, and by what servers are sorted. */
#define LA_SERVER_COLUMNS(X)                                                                       \
	X(OPEN, "open")	   /* connections in the table that have not ended */                      \
	X(ENDED, "ended")  /* of the close records that are remembered */                          \
	X(RESETS, "reset") /* of them: ended by a RST */                                           \
	X(RETRANS, "retr") /* segments sent again, of those in the table, both directions */       \
	X(STUCK, "stuck")  /* its end in CLOSE_WAIT for a second or more */

#define LA_ROW_COLUMN(s, w) LA_SERVER_##s,
enum la_server_column { LA_SERVER_COLUMNS(LA_ROW_COLUMN) LA_SERVER_COLUMN_MAX };

struct la_server {
	char name[LA_TEXT_ENDPOINT];
	__u64 counts[LA_SERVER_COLUMN_MAX];
};

struct la_servers;

/* NULL without memory. */
struct la_servers *la_servers_new(void);

const char *la_server_column_word(enum la_server_column column);

/* A connection of the table; one that has ended. */
void la_servers_flow(struct la_servers *servers, const struct la_rec_flow *flow);
void la_servers_close(struct la_servers *servers, const struct la_rec_close *close);

/* Puts them in order by a column, the largest first. Returns how many there are. */
size_t la_servers_sort(struct la_servers *servers, enum la_server_column column);

/* Number i of them, after sorting. */
const struct la_server *la_servers_get(const struct la_servers *servers, size_t i);

/* NULL is allowed. */
void la_servers_free(struct la_servers *servers);

#endif
