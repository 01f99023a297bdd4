/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gates.h - did every segment get through? Each lastack of the lab sits between two counts that
 * are not its own: what the cables' log says they took and delivered, and what the hosts' kernels
 * say that they sent and received. One that is missing behind it was dropped there.
 */
#ifndef LA_TRUTH_GATES_H
#define LA_TRUTH_GATES_H

#include "net.h"

/*
 * Prints how many segments went in and came out, and where some did not. Returns how many were
 * held back in all, or -1 with the reason on stderr. When nothing is under way any more.
 */
long long la_gates_held(struct la_lab *lab, const struct la_net *net);

#endif
