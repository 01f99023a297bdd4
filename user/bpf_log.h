/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_log.h - what libbpf has to say.
 *
 * libbpf explains at length why the kernel refused a program. Most of that helps nobody
 * who runs lastack, so it is kept back: the last part of it can be shown when something
 * failed for a reason that lastack cannot name itself. Process-wide, because libbpf's print
 * hook is. The loader installs it; whoever reports a failure of libbpf may show it.
 */
#ifndef LA_USER_BPF_LOG_H
#define LA_USER_BPF_LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Takes over libbpf's messages. loud: they go to stderr at once, debug messages included. */
void la_bpf_log_start(bool loud);

/* Shows what was kept since the start or the last forget, and forgets it. */
void la_bpf_log_show(FILE *to);

/* Forgets what was kept: the failure was expected, or is explained better elsewhere. */
void la_bpf_log_forget(void);

#endif
