/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - what a running lastack gives up once it is attached.
 *
 * From then on it deals with what others may send it: records made of their packets, requests on
 * its sockets. So it keeps only the capabilities that its work needs, and only the system calls
 * that it makes. For the verb `run`, before it has threads: they inherit both.
 */
#ifndef LA_USER_SANDBOX_H
#define LA_USER_SANDBOX_H

#include "la_types.h"

/*
 * Drops all capabilities but CAP_NET_ADMIN (interfaces that come later are attached to, sockets
 * destroyed), CAP_BPF (before Linux 5.16 no map could be read without) and, if `raw`,
 * CAP_NET_RAW; then all system calls but those of sandbox.c, which fail with EPERM. It
 * cannot be undone. Returns 0, or -1 with the reason on stderr. A kernel without seccomp filters
 * is told on stderr, and is no failure.
 */
int la_sandbox_enter(bool raw);

#endif
