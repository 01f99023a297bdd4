/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - network namespaces of the bench's own, for live frames.
 *
 *   generator                    host
 *     gN ---------- veth ------- rx        frames go in, are routed,
 *                                out ----- sink    and end before they leave
 *
 * One generator, some hosts. No namespace has a name: file descriptors hold them, so nothing is
 * left of them however the process ends. For one thread at a time.
 */
#ifndef LA_BENCH_NET_H
#define LA_BENCH_NET_H

#include "la_types.h"

#define LA_NET_HOSTS 5

struct la_host {
	int netns;
	__u32 gen;     /* ifindex of its cable, at the generator's end */
	__u32 rx, out; /* ifindexes at its own */
};

struct la_net {
	int home, generator;
	struct la_host host[LA_NET_HOSTS];
};

/* Builds all of it. Returns 0, or -1 with the reason on stderr; close it either way. */
int la_net_open(struct la_net *net);

/* The namespace that the thread is in, to be closed; or -1 with the reason on stderr. */
int la_net_here(void);

/* Moves the thread to a new namespace, to be closed. Returns 0, or -1 likewise. */
int la_net_new(int *netns);

/* Moves the thread to a namespace: net->generator, net->home or that of a host. */
int la_net_enter(int netns);

/* Runs a program in a namespace, `input` on its stdin (NULL: none). Returns 0, or -1 likewise. */
int la_net_run(int netns, const char *const argv[], const char *input);

void la_net_close(struct la_net *net);

#endif
