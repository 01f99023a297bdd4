// SPDX-License-Identifier: BSD-2-Clause
/*
 * compare.c - see compare.h. What of the kernel's walk counts is told in kernel.c. lastack's
 * differs in more, because it tells of a connection and not of a socket, and of what came past:
 *
 *   refused      LISTEN -> CLOSED of a host where nobody listened. There was no socket.
 *   queued       A FIN that its host keeps back (its congestion window is full) until the peer's
 *                has come: the kernel says FIN_WAIT_1 and CLOSING from close() on, but what it
 *                sends is what a host sends that closes second: CLOSE_WAIT, LAST_ACK.
 *   silent       A last CLOSED that no segment tells of is not expected of lastack, but
 *                not held against it either: the peer's next segment may have brought it out.
 *                So are steps whose segment (SYN, SYN-ACK, its ACK, FIN, RST) did not come past
 *                the observer while they lasted, lost or late; without it CLOSING looks like
 *                CLOSE_WAIT.
 *   TIME_WAIT    ends in Linux when a timer runs out that is late by an eighth of its time at most,
 *                and in lastack on the dot; so it may end there so much earlier.
 *   presumed     An endpoint of which lastack told nothing wrong but what it marked as
 *                presumed, and still presumes, because nothing came past any more to prove or
 *                refute it.
 *   doubted      One of which it presumed what was right, and took it back.
 *   in vain      A SYN is refused, but the RST gets lost, and then its host dials: for the client's
 *                kernel one connection. For lastack the refusal is one of its own; that the client
 *                has closed is presumed.
 */
#include "compare.h"
#include <stdio.h>
#include <string.h>

/* Whose walks are compared, and who knows more of them. */
struct la_compared {
	struct la_net_pair pair;
	int host;
	const struct la_witness *witness;
};

/* Longest common subsequence of both walks; marks the steps that are in it. */
static void match(const struct la_walk *a, const struct la_walk *b, bool in_a[], bool in_b[])
{
	__u8 len[LA_WALK_STEPS + 1][LA_WALK_STEPS + 1] = {0};
	int i, j;

	for (i = a->count - 1; i >= 0; i--) {
		for (j = b->count - 1; j >= 0; j--) {
			if (a->step[i].to == b->step[j].to)
				len[i][j] = len[i + 1][j + 1] + 1;
			else
				len[i][j] = len[i + 1][j] > len[i][j + 1] ? len[i + 1][j]
									  : len[i][j + 1];
		}
	}
	for (i = j = 0; i < a->count && j < b->count;) {
		if (a->step[i].to == b->step[j].to)
			in_a[i++] = in_b[j++] = true;
		else if (len[i + 1][j] >= len[i][j + 1])
			i++;
		else
			j++;
	}
}

/* Counts what is in one walk only, and pairs off what is in both, but elsewhere. */
static void count_rest(const struct la_walk *k, const struct la_walk *t, const bool in_k[],
		       const bool in_t[], struct la_tally *tally)
{
	int surplus[LA_STATE_MAX] = {0}, i, missing = 0, extra = 0, disordered = 0;

	for (i = 0; i < k->count; i++)
		surplus[k->step[i].to] += !in_k[i];
	for (i = 0; i < t->count; i++) {
		if (in_t[i])
			continue;
		if (surplus[t->step[i].to]-- > 0)
			disordered++;
		else
			extra++;
	}
	for (i = 0; i < k->count; i++)
		missing += !in_k[i];
	missing -= disordered;
	tally->missing += (unsigned long)missing;
	tally->extra += (unsigned long)extra;
	tally->disordered += (unsigned long)disordered;
}

/* A FIN and an ACK that the kernel read as one segment, so within this time. */
#define MERGED_NS 1000000

/* FIN_WAIT_2 and TIME_WAIT at once, where the wire says CLOSING and TIME_WAIT. */
static bool was_merged(const struct la_walk *k, const struct la_walk *t)
{
	int i;

	if (k->count != t->count)
		return false;
	for (i = 0; i < k->count && k->step[i].to == t->step[i].to; i++)
		;
	return i + 2 == k->count && k->step[i].to == LA_FIN_WAIT_2 && t->step[i].to == LA_CLOSING &&
	       k->step[i + 1].to == LA_TIME_WAIT && t->step[i + 1].to == LA_TIME_WAIT &&
	       k->step[i + 1].ts - k->step[i].ts < MERGED_NS;
}

/*
 * Data that the kernel refuses, read with the ACK of its FIN that was behind it: FIN_WAIT_2 for
 * that moment. The RST says what it says of the data, and lastack takes FIN_WAIT_2 back.
 */
static bool was_merged_refusal(const struct la_walk *k, const struct la_walk *t)
{
	int i, last = t->count - 1;

	if (last < 0 || k->count != t->count + 1 || k->step[last].to != LA_FIN_WAIT_2)
		return false;
	for (i = 0; i < last && k->step[i].to == t->step[i].to; i++)
		;
	return i == last && k->step[last + 1].to == LA_CLOSED && t->step[last].to == LA_CLOSED &&
	       (t->doubted & 1U << LA_FIN_WAIT_2) &&
	       k->step[last + 1].ts - k->step[last].ts < MERGED_NS;
}

static void take_out(struct la_walk *walk, int step)
{
	walk->count--;
	memmove(&walk->step[step], &walk->step[step + 1],
		(size_t)(walk->count - step) * sizeof(*walk->step));
}

/* Its listener was gone, but the third ACK had been read: who does that is ESTABLISHED. */
static void read_unclaimed(const struct la_walk *k, struct la_walk *t, struct la_tally *tally)
{
	int last = t->count - 1;

	if (!k->unclaimed || t->count != k->count + 1 || t->step[last].to != LA_CLOSED ||
	    t->step[last - 1].to != LA_ESTABLISHED)
		return;
	tally->unclaimed++;
	take_out(t, last - 1);
}

/* Takes the steps that no segment tells of off the end of both walks. */
static void drop_silent(struct la_walk *k, struct la_walk *t, struct la_tally *tally)
{
	tally->silent++;
	k->count--;
	if (!t->count || la_walk_state(t) != LA_CLOSED)
		return;
	t->count--;
	if (t->step[t->count].certainty == LA_PRESUMED)
		t->doubted = ~0U; /* and with it whatever may have come instead */
}

/* Which segment of its own tells of a step; LA_TELLS_ANY: none, but one of its peer. */
static enum la_telling telling(const struct la_walk *k, int step)
{
	static const enum la_telling tells[LA_STATE_MAX] = {
		[LA_SYN_SENT] = LA_TELLS_SYN,
		[LA_SYN_RECEIVED] = LA_TELLS_SYN_ACK,
		[LA_FIN_WAIT_1] = LA_TELLS_FIN,
		[LA_LAST_ACK] = LA_TELLS_FIN,
	};
	__u8 to = k->step[step].to;

	if (to == LA_ESTABLISHED && step && k->step[step - 1].to == LA_SYN_SENT)
		return LA_TELLS_ACK;
	if (to == LA_CLOSED && k->aborted)
		return LA_TELLS_RST;
	return tells[to];
}

/* The tracepoint comes a little before or behind the segment. */
#define SLACK_NS 500000

/* How long a step lasted. */
static __u64 end_of(const struct la_walk *walk, int step)
{
	return step + 1 < walk->count ? walk->step[step + 1].ts : ~0ULL;
}

/* Both FINs crossed for the kernel, but not on the wire. */
static void read_queued(struct la_walk *k, const struct la_compared *c, struct la_tally *tally)
{
	int i;

	for (i = 0; i + 1 < k->count; i++) {
		if (k->step[i].to != LA_FIN_WAIT_1 || k->step[i + 1].to != LA_CLOSING)
			continue;
		if (c->witness->left(c->pair, c->host, LA_TELLS_FIN, k->step[i].ts - SLACK_NS,
				     k->step[i + 1].ts, c->witness->ctx))
			return;
		tally->queued++;
		k->step[i].to = LA_CLOSE_WAIT;
		k->step[i + 1].to = LA_LAST_ACK;
		if (i + 2 < k->count && k->step[i + 2].to == LA_TIME_WAIT)
			k->step[i + 2].to = LA_CLOSED;
		return;
	}
}

/* Takes out the kernel's steps that lastack does not have and could not: nothing told of them. */
static void drop_untellable(struct la_walk *k, bool in_k[], const struct la_compared *c,
			    struct la_tally *tally)
{
	int i = 0;

	while (i < k->count) {
		enum la_telling what = telling(k, i);

		if (in_k[i] || what == LA_TELLS_ANY ||
		    c->witness->came_past(c->pair, c->host, what, k->step[i].ts - SLACK_NS,
					  end_of(k, i), c->witness->ctx)) {
			i++;
			continue;
		}
		tally->silent++;
		if (i + 1 < k->count && k->step[i + 1].to == LA_CLOSING && !in_k[i + 1])
			k->step[i + 1].to = LA_CLOSE_WAIT;
		take_out(k, i);
		memmove(&in_k[i], &in_k[i + 1], (size_t)(k->count - i) * sizeof(*in_k));
	}
}

/* Steps that lastack only presumes, and the kernel did not take. */
static int drop_presumed(struct la_walk *t, bool in_t[])
{
	int i, kept = 0, dropped = 0;

	for (i = 0; i < t->count; i++) {
		if (!in_t[i] && t->step[i].certainty == LA_PRESUMED) {
			dropped++;
			continue;
		}
		in_t[kept] = in_t[i];
		t->step[kept++] = t->step[i];
	}
	t->count = (__u8)kept;
	return dropped;
}

/*
 * Is each step that only the kernel took one that lastack presumed and took back, or does
 * lastack presume what it tells from there on?
 */
static bool is_marked(const struct la_walk *k, const bool in_k[], const struct la_walk *t)
{
	int i, at = 0;

	for (i = 0; i < k->count; i++) {
		bool presumes = at < t->count ? t->step[at].certainty == LA_PRESUMED
					      : at && t->step[at - 1].certainty == LA_PRESUMED;

		at += in_k[i];
		if (!in_k[i] && !presumes && !(t->doubted & 1U << k->step[i].to))
			return false;
	}
	return true;
}

/* What the wire cannot know is taken out of both walks. */
static void make_comparable(struct la_walk *k, struct la_walk *t, const struct la_compared *c,
			    struct la_tally *tally)
{
	bool in_k[LA_WALK_STEPS] = {false}, in_t[LA_WALK_STEPS] = {false};

	read_queued(k, c, tally);
	read_unclaimed(k, t, tally);
	if (k->silent)
		drop_silent(k, t, tally);
	if (was_merged(k, t)) {
		tally->merged++;
		k->step[k->count - 2].to = LA_CLOSING;
	}
	if (was_merged_refusal(k, t)) {
		tally->merged++;
		take_out(k, t->count - 1);
	}
	if (!k->count && t->first == LA_LISTEN && t->count == 1 && t->step[0].to == LA_CLOSED)
		t->count = 0;
	match(k, t, in_k, in_t);
	drop_untellable(k, in_k, c, tally);
}

/* What two CPUs, or the way to the observer, may lie apart. */
#define WAIT_SLACK_NS 300000000ULL

/* Did TIME_WAIT last as long as the kernel's, of an endpoint whose steps are all equal? */
static void compare_waits(const struct la_walk *k, const struct la_walk *t, struct la_tally *tally)
{
	if (!k->waited && !t->waited)
		return;
	tally->waits++;
	tally->waits_off += !k->waited || !t->waited || t->waited > k->waited + WAIT_SLACK_NS ||
			    k->waited > t->waited + t->waited / 8 + WAIT_SLACK_NS;
}

static bool compare_walks(const struct la_walk *kernel, const struct la_walk *told,
			  const struct la_compared *c, struct la_tally *tally, bool *marked)
{
	bool in_k[LA_WALK_STEPS] = {false}, in_t[LA_WALK_STEPS] = {false};
	struct la_walk k = *kernel, t = *told;
	int i, equal = 0, extra;

	if (k.torn) {
		tally->untold++;
		return true;
	}
	make_comparable(&k, &t, c, tally);
	match(&k, &t, in_k, in_t);
	extra = drop_presumed(&t, in_t);
	for (i = 0; i < k.count; i++)
		equal += in_k[i];
	tally->walks++;
	tally->compared += k.count;
	tally->equal += (unsigned long)equal;
	tally->taken_back += t.taken_back;
	tally->broken += t.broken || k.broken;
	if (equal == k.count && equal == t.count && !extra && !t.broken && !k.broken) {
		if (c->witness->waits)
			compare_waits(&k, &t, tally);
		return true;
	}
	count_rest(&k, &t, in_k, in_t, tally);
	tally->extra += (unsigned long)extra;
	*marked = (extra || is_marked(&k, in_k, &t)) && equal == t.count && !t.broken;
	tally->presumed += *marked && extra;
	tally->doubted += *marked && !extra;
	tally->differing += !*marked;
	return false;
}

static int by_name(const struct la_conn *a, const struct la_conn *b)
{
	if (a->pair.client != b->pair.client)
		return a->pair.client - b->pair.client;
	if (a->pair.server != b->pair.server)
		return a->pair.server - b->pair.server;
	return (int)a->nth - (int)b->nth;
}

/*
 * Can an observer not know of the connection? Nothing of it came past; or a copy of an old SYN
 * made it a request, without a client, while its client still has the first one, and the
 * observer cannot know that the server has not: it is elsewhere, or the server's first socket
 * went without a word.
 */
static bool is_unknowable(const struct la_conn *conn, const struct la_witness *w)
{
	const struct la_conn *first = conn->nth ? conn - 1 : NULL; /* on these ports */

	if (!conn->walk[0].first && (w->at != 1 || (first && first->walk[1].silent)))
		return true;
	return !w->came_past(conn->pair, 0, LA_TELLS_ANY, 0, ~0ULL, w->ctx) &&
	       !w->came_past(conn->pair, 1, LA_TELLS_ANY, 0, ~0ULL, w->ctx);
}

static bool same_ports(const struct la_conn *a, const struct la_conn *b)
{
	return a->pair.client == b->pair.client && a->pair.server == b->pair.server;
}

/* Did its host refuse the SYN, and dial later, when the RST had not reached who sent it? */
static bool is_refused_in_vain(const struct la_conn *k, const struct la_conn *t)
{
	const struct la_walk *dials = &k->walk[1], *refuses = &t->walk[1];

	return dials->count && dials->step[0].to == LA_SYN_SENT && refuses->first == LA_LISTEN &&
	       refuses->count == 1 && refuses->step[0].to == LA_CLOSED;
}

/* The attempt at told[at] is the beginning of the next one, or all there is. */
static void join_next(struct la_conns *told, size_t at)
{
	const struct la_walk *syn = &told->conn[at].walk[0];
	struct la_walk *walk;
	size_t i;

	for (i = at + 1; i < told->count && same_ports(&told->conn[i], &told->conn[at]); i++)
		told->conn[i].nth--;
	walk = &told->conn[at + 1].walk[0];
	if (i == at + 1 || walk->first != LA_LISTEN || walk->count == LA_WALK_STEPS || !syn->count)
		return;
	memmove(&walk->step[1], &walk->step[0], walk->count++ * sizeof(*walk->step));
	walk->step[0] = syn->step[0];
	walk->first = syn->first;
}

/* Connections from the at-th on that have its ports. */
static size_t count_on_ports(const struct la_conns *conns, size_t at)
{
	size_t i = at;

	while (i < conns->count && same_ports(&conns->conn[i], &conns->conn[at]))
		i++;
	return i - at;
}

/*
 * Does the observer have one less on these ports than the kernels, and is kernel[i] that one? Then
 * what it has instead is the next one, and is called so.
 */
static bool is_passed_over(const struct la_conns *kernel, size_t i, struct la_conns *told, size_t j,
			   const struct la_witness *w)
{
	size_t count = count_on_ports(told, j), n;

	if (kernel->conn[i].walk[0].first || !told->conn[j].walk[0].count ||
	    !is_unknowable(&kernel->conn[i], w) || count_on_ports(kernel, i) <= count)
		return false;
	for (n = 0; n < count; n++)
		told->conn[j + n].nth++;
	return true;
}

void la_compare(const struct la_conns *kernel, struct la_conns *told,
		const struct la_witness *witness, struct la_tally tally[2],
		void (*differs)(const struct la_difference *d, void *ctx))
{
	static const struct la_walk none;
	size_t i = 0, j = 0;
	int host, order;

	while (i < kernel->count || j < told->count) {
		const struct la_conn *k = i < kernel->count ? &kernel->conn[i] : NULL;
		const struct la_conn *t = j < told->count ? &told->conn[j] : NULL;

		order = !k ? 1 : !t ? -1 : by_name(k, t);
		k = order > 0 ? NULL : k;
		t = order < 0 ? NULL : t;
		if (k && t && is_refused_in_vain(k, t)) {
			tally[0].presumed++;
			join_next(told, j++);
			continue;
		}
		if (k && t && is_passed_over(kernel, i, told, j, witness))
			t = NULL;
		i += k != NULL;
		j += t != NULL;
		if (!t && is_unknowable(k, witness)) {
			tally[0].unseen++;
			tally[1].unseen++;
			continue;
		}
		for (host = 0; host < 2; host++) {
			struct la_difference d = {
				.pair = k ? k->pair : t->pair,
				.nth = k ? k->nth : t->nth,
				.host = host,
				.kernel = k ? &k->walk[host] : NULL,
				.told = t ? &t->walk[host] : NULL,
			};

			const struct la_compared c = {d.pair, host, witness};

			if (!compare_walks(k ? d.kernel : &none, t ? d.told : &none, &c,
					   &tally[host], &d.presumed))
				differs(&d, witness->ctx);
		}
	}
}

void la_compare_print(const char *who, const struct la_walk *walk)
{
	static const char *const marks[] = {"?", "", "~", "!", "+"};
	int i;

	printf("  %-8s", who);
	if (!walk || !walk->count)
		printf(" nothing");
	for (i = 0; walk && i < walk->count; i++)
		printf(" %s%s", marks[walk->step[i].certainty], la_state_word(walk->step[i].to));
	printf("%s%s\n", walk && walk->silent ? " (silently)" : "",
	       walk && walk->broken ? " (contradicts itself)" : "");
}
