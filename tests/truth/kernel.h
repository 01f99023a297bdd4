/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.h - what the kernels of both hosts did with their sockets (truth_kernel.bpf.c).
 *
 * Collects the events while the plays run; afterwards turns them into one walk for each
 * endpoint of each connection. How the kernel's words are read is told in kernel.c.
 */
#ifndef LA_TRUTH_KERNEL_H
#define LA_TRUTH_KERNEL_H

#include "live/lab.h"
#include "walk.h"

struct la_kernel;

/* From here on it listens to both hosts. NULL, with the reason on stderr, if it cannot. */
struct la_kernel *la_kernel_new(struct la_lab *lab);
void la_kernel_free(struct la_kernel *kernel);

/* Readable when there is something to run for; la_kernel_run() takes it. */
int la_kernel_fd(struct la_kernel *kernel);
void la_kernel_run(struct la_kernel *kernel);

/*
 * Sockets of both hosts that are neither listening nor waiting out a TIME_WAIT nor closed,
 * time-wait sockets in FIN_WAIT_2 among them. -1: the kernel could not be asked.
 */
int la_kernel_open_sockets(struct la_lab *lab);

/* The connections as the kernels had them, sorted. False without memory. */
bool la_kernel_walks(struct la_kernel *kernel, struct la_conns *conns);

/* Prints the events of one host's sockets between these ports, once they are walks. */
void la_kernel_print(const struct la_kernel *kernel, struct la_net_pair pair, int host);

/* Events that were lost. Must be 0. */
unsigned long long la_kernel_lost(const struct la_kernel *kernel);

#endif
