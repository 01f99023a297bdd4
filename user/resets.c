/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resets.c - see resets.h.
 */
#include "resets.h"
#include "diag.h"
#include "la_rst.h"
#include "mark.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct under_way {
	struct la_rec_policy rec;
	__u64 look_at; /* ns */
	int err;       /* of the last RST that could not be sent, -errno, or 0 */
	struct {
		struct la_diag_end end;
		__u64 cookie; /* 0: it is no socket of this host */
		const char *word;
	} sockets[2];
	bool destroyed; /* one of them */
};

struct la_resets {
	struct la_loader *loader;
	struct la_reset *reset;
	la_resets_fn over;
	void *ctx;
	struct under_way *list;
	unsigned int count, room;
};

struct la_resets *la_resets_new(struct la_loader *loader, bool asked, la_resets_fn over, void *ctx)
{
	struct la_resets *resets = calloc(1, sizeof(*resets));

	if (!resets)
		return NULL;
	*resets = (struct la_resets){.loader = loader, .over = over, .ctx = ctx};
	resets->reset = la_reset_open(asked);
	if (resets->reset)
		return resets;
	free(resets);
	return NULL;
}

void la_resets_follow(struct la_resets *resets, const struct la_attach *attach)
{
	la_reset_follow(resets->reset, attach);
}

struct la_reset *la_resets_sender(const struct la_resets *resets)
{
	return resets->reset;
}

/* ---- one connection ---- */

/* Has this endpoint a connection that a RST can end? */
static bool lives(const struct la_side *side)
{
	return side->state != LA_NO_STATE && side->state != LA_CLOSED && side->state != LA_LISTEN &&
	       side->state != LA_TIME_WAIT;
}

/*
 * What p expects next of s. While data is under way that is either the end of what s has sent
 * or what p has acknowledged; so each in turn.
 */
static __u32 aim(const struct la_side *s, const struct la_side *p, unsigned int tries)
{
	return s->flags & LA_S_SEEN && tries % 2 == 0 ? s->nxt : la_rst_aim(s, p);
}

/* Appends to the detail as much as fits. */
__attribute__((format(printf, 2, 3))) static void add_detail(struct la_rec_policy *rec,
							     const char *format, ...)
{
	size_t used = strlen(rec->detail);
	va_list args;

	if (used && used < sizeof(rec->detail) - 2)
		used += (size_t)sprintf(rec->detail + used, ", ");
	va_start(args, format);
	vsnprintf(rec->detail + used, sizeof(rec->detail) - used, format, args);
	va_end(args);
}

static const char *word_of(const struct la_flow *flow, __u8 side)
{
	return side == (flow->orig & 1) ? "orig" : "resp";
}

/* ---- ends that are sockets of this host ---- */

/*
 * A RST to a socket of this host passes no hook, so the table cannot tell whether it got there; but
 * the kernel can. Each is known by its cookie, for its ports may be taken again at once.
 */
static void find_sockets(struct under_way *at, const struct la_flow *flow)
{
	for (__u8 i = 0; i < 2; i++) {
		at->sockets[i].end = (struct la_diag_end){
			.key = at->rec.h.key, .side = i, .ifindex = flow->ifindex};
		at->sockets[i].word = word_of(flow, i);
		if (lives(&flow->side[i]))
			at->sockets[i].cookie = la_diag_find(&at->sockets[i].end);
	}
}

/* Those that are still there in spite of their RST. True: there was one. */
static bool destroy_sockets(struct under_way *at)
{
	bool any = false;

	for (int i = 0; i < 2; i++) {
		__u64 cookie = at->sockets[i].cookie;

		if (!cookie || la_diag_find(&at->sockets[i].end) != cookie ||
		    la_diag_destroy(&at->sockets[i].end, cookie))
			continue;
		at->sockets[i].cookie = 0;
		add_detail(&at->rec, "socket of %s destroyed", at->sockets[i].word);
		any = true;
	}
	at->destroyed |= any;
	return any;
}

/* ---- one try ---- */

/* A RST to each end that lives. Returns how many. */
static int send_both(struct la_resets *resets, struct under_way *at, const struct la_flow *flow)
{
	int count = 0;

	at->err = 0;
	*at->rec.detail = '\0';
	for (__u8 i = 0; i < 2; i++) {
		const struct la_side *p = &flow->side[i], *s = &flow->side[!i];
		struct la_reset_segment rst = {.key = at->rec.h.key,
					       .to = i,
					       .flags = LA_RST | LA_ACK,
					       .seq = aim(s, p, at->rec.tries),
					       .ack = p->nxt,
					       .ifindex = flow->ifindex};
		int err;

		if (!lives(p))
			continue;
		err = la_reset_send(resets->reset, &rst);
		at->err = err ? err : at->err;
		add_detail(&at->rec, "RST to %s at %u", word_of(flow, i), rst.seq);
		count++;
	}
	return count;
}

static void spare(const struct la_resets *resets, const struct under_way *at)
{
	la_mark(resets->loader, &at->rec.h, LA_P_RESET, 0, NULL);
}

/* Returns 0 or -ENOENT: there is nothing to reset (any more). */
static int try_once(struct la_resets *resets, struct under_way *at, __u64 now)
{
	struct la_flow flow;
	int err = la_mark(resets->loader, &at->rec.h, 0, LA_P_RESET, &flow);

	if (err)
		return err;
	if (!at->rec.tries)
		find_sockets(at, &flow);
	if (la_ended(&flow) || !send_both(resets, at, &flow)) {
		spare(resets, at);
		return -ENOENT;
	}
	at->rec.tries++;
	at->look_at = now + LA_RESETS_WAIT_NS;
	return 0;
}

/* ---- all of them ---- */

static bool is_under_way(const struct la_resets *resets, __u64 id)
{
	for (unsigned int i = 0; i < resets->count; i++)
		if (resets->list[i].rec.h.id == id)
			return true;
	return false;
}

static struct under_way *add(struct la_resets *resets)
{
	unsigned int room = resets->room ? 2 * resets->room : 16;
	struct under_way *list = resets->list;

	if (resets->count == resets->room) {
		list = realloc(list, room * sizeof(*list));
		if (!list)
			return NULL;
		resets->list = list;
		resets->room = room;
	}
	return &resets->list[resets->count++];
}

int la_resets_begin(struct la_resets *resets, const struct la_rec_policy *rec, __u64 now)
{
	struct under_way *at;
	int err;

	if (is_under_way(resets, rec->h.id))
		return -EALREADY;
	at = add(resets);
	if (!at)
		return -ENOMEM;
	*at = (struct under_way){.rec = *rec};
	err = try_once(resets, at, now);
	if (err)
		resets->count--;
	return err;
}

static void finish(struct la_resets *resets, struct under_way *at, enum la_result result, __u64 now)
{
	at->rec.result = result;
	at->rec.h.ts = now;
	resets->over(&at->rec, resets->ctx);
}

static void tell_why(struct under_way *at)
{
	snprintf(at->rec.detail, sizeof(at->rec.detail), "%s%s",
		 at->err ? strerror(-at->err) : "the connection goes on",
		 at->destroyed ? "; its socket here is destroyed" : "");
}

/* The last that can be done: the kernel tells the other end, if it can. */
static bool destroy_at_last(struct under_way *at, __u64 now)
{
	at->look_at = now + LA_RESETS_WAIT_NS;
	return !at->destroyed && destroy_sockets(at);
}

/* True if it is over with this one. */
static bool look(struct la_resets *resets, struct under_way *at, __u64 now)
{
	struct la_flow flow;
	int err =
		la_loader_act(resets->loader, &at->rec.h.key, at->rec.h.id, LA_ACT_LOOK, 0, &flow);

	if (err == -ENOENT || (!err && la_ended(&flow))) {
		destroy_sockets(at);
		finish(resets, at, LA_RESULT_DONE, now);
		return true;
	}
	if (at->rec.tries < LA_RESETS_TRIES && !try_once(resets, at, now))
		return false;
	if (destroy_at_last(at, now))
		return false;
	tell_why(at);
	spare(resets, at);
	finish(resets, at, LA_RESULT_FAILED, now);
	return true;
}

void la_resets_tick(struct la_resets *resets, __u64 now)
{
	la_reset_learn(resets->reset);
	for (unsigned int i = resets->count; i--;)
		if (now >= resets->list[i].look_at && look(resets, &resets->list[i], now))
			resets->list[i] = resets->list[--resets->count];
}

unsigned int la_resets_count(const struct la_resets *resets)
{
	return resets->count;
}

void la_resets_free(struct la_resets *resets)
{
	if (!resets)
		return;
	while (resets->count)
		spare(resets, &resets->list[--resets->count]);
	la_reset_close(resets->reset);
	free(resets->list);
	free(resets);
}
