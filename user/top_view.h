/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top_view.h - the screen of top: what is on it, and how it is drawn.
 *
 * Owns the terminal while it is open. Knows nothing of where the numbers come from.
 */
#ifndef LA_USER_TOP_VIEW_H
#define LA_USER_TOP_VIEW_H

#include "la_metrics.h"
#include "ranking.h"
#include "servers.h"

/* The counters at one moment. */
struct la_top_counts {
	__u64 at; /* CLOCK_MONOTONIC, ns; 0: there was none */
	__u64 opened, gone, ended, resets, packets, lost;
};

/* All that the screen shows. */
struct la_top {
	struct la_top_counts now, before;
	__u32 room; /* entries of the table */
	__u64 connections[2][LA_METRIC_STATES];
	const struct la_servers *servers; /* sorted by `column` */
	size_t server_count;
	enum la_server_column column;
	const struct la_ranking *flows; /* sorted by `key` */
	size_t flow_count;
	enum la_rank key;
	bool paused;
	size_t selected;   /* of flows */
	char filter[200];  /* its text */
	char message[200]; /* shown once at the bottom, or empty */
};

/* Takes the terminal. Returns 0, or -1 with the reason on stderr. */
int la_top_open(void);
void la_top_close(void);

/* How many connections find room below the rest. */
size_t la_top_rows(void);

void la_top_draw(const struct la_top *top);

/* Waits for a key for so many ms. One of ncurses, or -1. */
int la_top_key(int ms);

/* Shows a text, and lets the user scroll in it, until he leaves. */
void la_top_page(const char *text);

/* Asks for a line of text at the bottom. False: the user took it back. */
bool la_top_ask(const char *question, char *line, size_t size);

#endif
