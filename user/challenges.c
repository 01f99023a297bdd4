/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * challenges.c - see challenges.h.
 */
#include "challenges.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

bool la_challenges_wants(const struct la_rec *rec)
{
	const struct la_rec_rst *rst = (const struct la_rec_rst *)rec;

	return rec->type == LA_REC_RST && rst->dropped && rst->rule == LA_RULE_STRICT &&
	       (rst->verdict == LA_RST_IN_WINDOW || rst->verdict == LA_RST_EXACT);
}

static unsigned int roll(unsigned int sides)
{
	unsigned int r;

	return getrandom(&r, sizeof(r), GRND_NONBLOCK) == sizeof(r) ? r % sides : 0;
}

bool la_challenges_turn(struct la_challenges *c, __u64 id, __u64 now)
{
	struct la_challenged *recent = &c->recent[id & (LA_CHALLENGES_RECENT - 1)];
	__u64 second = now / LA_SEC_NS;

	if (recent->id == id && now - recent->at < LA_CHALLENGE_EVERY_NS)
		return false;
	if (second != c->second)
		c->left = LA_CHALLENGES_MAX / 2 + roll(LA_CHALLENGES_MAX / 2);
	c->second = second;
	if (!c->left)
		return false;
	c->left--;
	*recent = (struct la_challenged){.id = id, .at = now};
	return true;
}

/* The ACK that the receiver of a RST would send to the host that the RST names. */
static struct la_reset_segment ack_of(const struct la_key *key, const struct la_flow *flow,
				      __u8 sender)
{
	const struct la_side *p = &flow->side[!sender];
	__u32 window = p->wnd >> (p->wscale & 15);

	return (struct la_reset_segment){.key = *key,
					 .to = sender,
					 .flags = LA_ACK,
					 .seq = p->nxt,
					 .ack = p->ack,
					 .window = (__u16)(window < 65535 ? window : 65535),
					 .ifindex = flow->ifindex};
}

int la_challenges_answer(struct la_challenges *c, struct la_loader *loader, struct la_reset *reset,
			 const struct la_rec_rst *rst, __u64 now, struct la_rec_policy *told)
{
	const struct la_rec *h = &rst->h;
	struct la_reset_segment ack;
	struct la_flow flow;
	int err = la_loader_act(loader, &h->key, h->id, LA_ACT_LOOK, 0, &flow);

	if (err)
		return err;
	if (la_ended(&flow))
		return -ENOENT;
	if (!la_challenges_turn(c, h->id, now))
		return -EBUSY;
	ack = ack_of(&h->key, &flow, (rst->sender == LA_ORIG ? flow.orig : !flow.orig) & 1);
	snprintf(told->detail, sizeof(told->detail), "ACK %u to %s at %u", ack.ack,
		 la_text_end(rst->sender), ack.seq);
	la_reset_learn(reset); /* the connection may have begun a moment ago */
	return la_reset_send(reset, &ack);
}
