/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - the one filter language, over records.
 *
 *	expression := conjunct { ("or" | "||") conjunct }
 *	conjunct   := factor { ["and" | "&&"] factor }
 *	factor     := { "not" | "!" } ( "(" expression ")" | term )
 *	term       := [ "orig" | "resp" | "src" | "dst" ] [ field ] [ comparison ] [ argument ]
 *
 * docs/filter.md lists the fields. `and` binds tighter than `or` and may be left out. A field
 * looks at both sides of the connection unless orig (src) or resp (dst) binds it to one; an
 * address right behind those needs no field.
 *
 * A field that a record does not have is neither true nor false but unknown, and so is its
 * negation: `not reason fin` takes the close records with another reason and no other
 * record. Only a record for which the whole expression is true passes.
 *
 * Used by the verbs that print or pick connections. A filter is not changed by matching.
 */
#ifndef LA_USER_FILTER_H
#define LA_USER_FILTER_H

#include "owners.h"

#define LA_FILTER_TEXT_MAX  4096 /* bytes of text */
#define LA_FILTER_STEPS_MAX 256	 /* terms and operators */
#define LA_FILTER_DEPTH_MAX 32	 /* parentheses within parentheses */
#define LA_FILTER_ERR_SIZE  1024 /* bytes that hold any error */

struct la_filter;

/*
 * Compiles a filter. Text without a term passes every record. Returns NULL on an error, with
 * three lines in err: the column (from 1) and what is wrong, the text, and a caret under it.
 */
struct la_filter *la_filter_parse(const char *text, char *err, size_t err_size);

/* The name of an interface, or NULL if it has none that is known. */
typedef const char *(*la_filter_ifname_fn)(__u32 ifindex, void *ctx);

/* Says how `iface` finds names; without it no record has one. A NULL filter is allowed. */
void la_filter_ifnames(struct la_filter *filter, la_filter_ifname_fn of, void *ctx);

/* Says how `pid`, `comm` and `cgroup` find owners; without it nobody's are known. Likewise. */
void la_filter_owners(struct la_filter *filter, la_owners_fn of, void *ctx);

/* True if the record passes. A NULL filter passes everything. */
bool la_filter_match(const struct la_filter *filter, const struct la_rec *rec);

/*
 * True if the filter asks for nothing but an address, a net or ports of either end: what the
 * programs in the kernel can ask as well.
 */
bool la_filter_guard(const struct la_filter *filter, struct la_guard *guard);

void la_filter_free(struct la_filter *filter);

/* True if the text begins as a filter does: what tells filter words from file names. */
bool la_filter_begins(const char *text);

#endif
