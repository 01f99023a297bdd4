/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.c - see mark.h.
 */
#include "mark.h"

int la_mark(struct la_loader *loader, const struct la_rec *rec, __u8 clear, __u8 set,
	    struct la_flow *flow)
{
	struct la_flow was;
	int err = la_loader_act(loader, &rec->key, rec->id, LA_ACT_LOOK, 0, &was);

	if (err)
		return err;
	return la_loader_act(loader, &rec->key, rec->id, LA_ACT_POLICY,
			     (__u8)((was.policy & ~clear) | set), flow);
}
