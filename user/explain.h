/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h - one connection in full, in words for a person who is new to TCP.
 *
 * For the verbs that show one: show, top.
 */
#ifndef LA_USER_EXPLAIN_H
#define LA_USER_EXPLAIN_H

#include "output.h"
#include "owners.h"

/*
 * Prints the connection; of opts colour, numeric and the names of interfaces count. With owners
 * (may be NULL) it says which processes of this host it belongs to.
 */
void la_explain(FILE *to, const struct la_rec_flow *flow, const struct la_output_opts *opts,
		const struct la_owners *owners);

#endif
