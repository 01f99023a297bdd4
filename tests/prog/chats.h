/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chats.h - random conversations, from orderly to nonsense, packet by packet.
 *
 * A handful of connections at once drift through the stages of a life, with accidents: flags
 * and numbers out of place, packets again, silences longer than a timeout. The same seed
 * tells the same story. For the tests that compare the kernel with the native engine.
 */
#ifndef LA_TEST_CHATS_H
#define LA_TEST_CHATS_H

#include "../icmp.h"

struct dice {
	__u64 state;
};

static inline __u32 roll(struct dice *d, __u32 sides)
{
	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (__u32)(d->state >> 33) % sides;
}

struct peer {
	const char *addr;
	__u16 port;
	__u32 nxt; /* what it would send next */
	__u8 ttl;
};

/* A conversation drifts through the stages of a connection, with accidents. */
struct chat {
	struct peer peer[2];
	int stage;
	__u32 clock; /* of its timestamps; 0: it has none */
	char options[24];
};

#define CHATS 6

static const __u8 syn_options[] = {2, 4, 0x05, 0xb4, 1, 3, 3, 7};

static inline void begin(struct chat *c, struct dice *d, int n)
{
	static const char *const addrs[][2] = {{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}};

	for (int i = 0; i < 2; i++) {
		c->peer[i].addr = addrs[n & 1][i];
		c->peer[i].port = i ? 443 : 40000 + n;
		c->peer[i].nxt = roll(d, 4) ? roll(d, 0xffffffff) : 0xffffff00;
		c->peer[i].ttl = 64;
	}
	c->stage = 0;
	c->clock = n & 2 ? 1 + roll(d, 0xfffffffe) : 0;
}

/* Timestamps, at times from the past, and at times a SACK block near the ACK. */
static inline void put_options(struct chat *c, struct dice *d, struct la_packet *p)
{
	__u8 *o = (__u8 *)c->options;

	c->clock += roll(d, 3);
	la_put32(o, 0x0101080a);
	la_put32(o + 4, roll(d, 10) ? c->clock : c->clock - roll(d, 5));
	la_put32(o + 8, c->clock - roll(d, 3));
	la_put32(o + 12, 0x0101050a);
	la_put32(o + 16, p->ack + roll(d, 400) - 200);
	la_put32(o + 20, p->ack + roll(d, 400) - 200);
	p->options = c->options;
	p->options_len = roll(d, 4) ? 12 : 24;
}

/* What an orderly pair would send next; moves the chat on. */
static inline struct la_packet orderly(struct chat *c, struct dice *d)
{
	static const struct {
		__u8 from, flags;
	} stages[] = {{0, LA_SYN},	    {1, LA_SYN | LA_ACK}, {0, LA_ACK},
		      {0, LA_ACK | LA_PSH}, {1, LA_ACK | LA_PSH}, {0, LA_ACK},
		      {1, LA_ACK | LA_PSH}, {0, LA_ACK | LA_PSH}, {1, LA_ACK},
		      {0, LA_FIN | LA_ACK}, {1, LA_ACK},	  {1, LA_FIN | LA_ACK},
		      {0, LA_ACK}};
	int last = sizeof(stages) / sizeof(*stages), at = c->stage < last ? c->stage : last - 1;
	__u8 from = stages[at].from, flags = stages[at].flags;
	struct la_packet p = {.flags = flags, .win = 500};

	c->stage = c->stage < last + 3 ? c->stage + 1 : 0;
	if (roll(d, 12) == 0)
		from = !from;
	if (flags & LA_PSH)
		p.payload_len = 1 + roll(d, 200);
	if (flags & LA_SYN) {
		p.options = (const char *)syn_options;
		p.options_len = roll(d, 3) ? sizeof(syn_options) : 4;
		if (c->stage == 1 && roll(d, 2))
			c->peer[0].nxt += 100000;
	}
	p.src = c->peer[from].addr;
	p.dst = c->peer[!from].addr;
	p.sport = c->peer[from].port;
	p.dport = c->peer[!from].port;
	p.ttl = c->peer[from].ttl;
	p.seq = c->peer[from].nxt;
	p.ack = flags & LA_ACK ? c->peer[!from].nxt : 0;
	if (c->clock && !(flags & LA_SYN))
		put_options(c, d, &p);
	c->peer[from].nxt += p.payload_len + !!(flags & (LA_SYN | LA_FIN));
	return p;
}

/* An accident: another flag, a RST, a number out of place, a closed window. */
static inline void disturb(struct la_packet *p, struct dice *d)
{
	static const __u8 flags[] = {
		LA_RST,		 LA_RST | LA_ACK, LA_SYN,	   LA_SYN | LA_ACK,
		LA_FIN | LA_ACK, LA_ACK,	  LA_SYN | LA_FIN, 0};

	switch (roll(d, 7)) {
	case 0:
		p->flags = flags[roll(d, sizeof(flags))];
		break;
	case 1:
		p->seq += roll(d, 3000) - 1500;
		break;
	case 2:
		p->ack += roll(d, 3000) - 1500;
		break;
	case 3:
		p->seq += roll(d, 0xffffffff);
		break;
	case 4:
		p->win = roll(d, 2) ? 0 : 65535;
		break;
	case 5:
		p->ttl = 30 + roll(d, 40);
		break;
	default:
		p->flags = LA_RST | (roll(d, 2) ? LA_ACK : 0);
	}
}

/* The packet does not arrive: an ICMP message, mostly an error, quotes it. */
static inline struct la_frame complaint(const struct la_packet *p, struct dice *d)
{
	static const __u8 types[] = {1, 3, 3, 3, 11, 12, 2, 8};
	struct la_icmp_message m = {.type = types[roll(d, sizeof(types))],
				    .code = roll(d, 6),
				    .quoted = *p,
				    .quote = roll(d, 2) ? 0 : 20 + roll(d, 60)};

	return la_icmp_build(&m);
}

/* All of them at once. */
struct chatter {
	struct dice dice;
	struct chat chats[CHATS];
	struct la_frame recent[8];
	int said;
};

/* Begins them, by its dice. */
static inline void begin_all(struct chatter *all)
{
	all->said = 0;
	for (int i = 0; i < CHATS; i++)
		begin(&all->chats[i], &all->dice, i);
}

/* The next packet: orderly, disturbed, or one of the last again. */
static inline struct la_frame next_frame(struct chatter *all)
{
	struct dice *d = &all->dice;
	struct chat *c = &all->chats[roll(d, CHATS)];
	struct la_frame f;
	struct la_packet p;

	if (all->said > 8 && roll(d, 10) == 0)
		return all->recent[roll(d, 8)];
	if (roll(d, 150) == 0)
		begin(c, d, c - all->chats);
	p = orderly(c, d);
	if (roll(d, 10) == 0)
		disturb(&p, d);
	f = roll(d, 12) ? la_frame_build(&p) : complaint(&p, d);
	all->recent[all->said++ % 8] = f;
	return f;
}

/* Mostly milliseconds, sometimes longer than any timeout but the longest. */
static inline __u64 next_time(__u64 now, struct dice *d)
{
	__u32 what = roll(d, 400);

	if (what == 0)
		return now + (1 + roll(d, 200)) * LA_SEC_NS;
	if (what < 10)
		return now + roll(d, 3000) * LA_MSEC_NS;
	return now + roll(d, 2000000);
}

#endif
