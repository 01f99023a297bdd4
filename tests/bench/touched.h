/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * touched.h - which bytes of a flow the fast path reads or writes.
 *
 * Found by running it: touched.c is compiled with calls before each access to memory
 * (-fsanitize=kernel-address), and answers them itself.
 */
#ifndef LA_BENCH_TOUCHED_H
#define LA_BENCH_TOUCHED_H

#include "la_flow.h"

enum la_touched { LA_TOUCHED_BY_DATA, LA_TOUCHED_BY_ACK, LA_TOUCHED };

/*
 * Sends a data segment and its ACK through la_fast(), and sets by_data[i], by_ack[i] for the
 * bytes of struct la_flow that were touched. Returns 0, or -1 if la_fast() refused one.
 */
int la_touched(bool by_data[sizeof(struct la_flow)], bool by_ack[sizeof(struct la_flow)]);

#endif
