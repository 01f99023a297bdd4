/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h - one connection in full, in words for a person who is new to TCP.
 *
 * For the verbs that show one: show, top.
 */
#ifndef LA_USER_EXPLAIN_H
#define LA_USER_EXPLAIN_H

#include "output.h"

/* Prints the connection; of opts colour, numeric, names of interfaces and owners count. */
void la_explain(FILE *to, const struct la_rec_flow *flow, const struct la_output_opts *opts);

#endif
