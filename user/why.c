/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * why.c - the questions, each a function from a connection to a clue. See why.h.
 */
#include "why.h"
#include "la_flow.h"
#include "options.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* Out of memory must not end the process: a finding that finds no room is left out. */
#define HASH_NONFATAL_OOM	   1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

/* Findings that are told apart, of each question. */
#define FINDINGS_MAX 16384

/* States that last so long are not just passing. */
#define LASTING_NS LA_SEC_NS

struct entry {
	struct la_finding finding; /* first: who and how are the key */
	UT_hash_handle hh;
};

struct la_why {
	__u32 kinds;
	la_owners_fn owners; /* or NULL */
	void *owners_ctx;
	struct entry *findings[LA_WHY_MAX];
	struct la_finding *sorted[LA_WHY_MAX];
};

/* What one connection says to a question. */
struct clue {
	char who[sizeof(((struct la_finding *)NULL)->who)];
	char how[sizeof(((struct la_finding *)NULL)->how)];
	__u32 cluster; /* of times such as this one; 0: any times are one finding */
	__u64 time;
	unsigned int end; /* enum la_endpoint: who */
};

/* ---- words ---- */

/* A server is its address and port. A client's port means nothing: it is its address and server. */
static void put_who(struct clue *clue, const struct la_rec *h, unsigned int end)
{
	char server[LA_TEXT_ENDPOINT], client[LA_TEXT_ADDR];

	la_text_endpoint(server, h, LA_RESP, false);
	la_text_addr(client, h->key.addr[la_text_index(h, LA_ORIG)]);
	clue->end = end;
	if (end == LA_RESP)
		snprintf(clue->who, sizeof(clue->who), "server %s", server);
	else
		snprintf(clue->who, sizeof(clue->who), "client %s of %s", client, server);
}

/* ---- the questions ---- */

static bool lasts_in(const struct la_rec_close *at, unsigned int end, unsigned int state,
		     struct clue *clue)
{
	const struct la_rec_side *side = &at->side[end];

	if (side->state != state || side->in_state[state] < LASTING_NS)
		return false;
	put_who(clue, &at->h, end);
	clue->time = side->in_state[state];
	return true;
}

static bool ask_close_wait(const struct la_rec_close *at, struct clue *clue)
{
	return lasts_in(at, LA_RESP, LA_CLOSE_WAIT, clue) ||
	       lasts_in(at, LA_ORIG, LA_CLOSE_WAIT, clue);
}

static bool ask_time_wait(const struct la_rec_close *at, struct clue *clue)
{
	if (at->h.type != LA_REC_FLOW) /* what has left the table holds nothing any more */
		return false;
	if (at->side[LA_RESP].state != LA_TIME_WAIT && at->side[LA_ORIG].state != LA_TIME_WAIT)
		return false;
	put_who(clue, &at->h, at->side[LA_RESP].state == LA_TIME_WAIT ? LA_RESP : LA_ORIG);
	snprintf(clue->how, sizeof(clue->how), "%s",
		 at->closed_by == LA_BY_BOTH ? "both close at once" : "closes first");
	clue->time = at->side[at->side[LA_RESP].state == LA_TIME_WAIT].in_state[LA_TIME_WAIT];
	return true;
}

static bool ask_resets(const struct la_rec_close *at, struct clue *clue)
{
	char forged[LA_TEXT_VERDICT] = "";

	if (!at->rst_verdict || !at->reason)
		return false;
	put_who(clue, &at->h, at->rst_sender ? LA_RESP : LA_ORIG);
	if (at->forged)
		la_text_evidence(forged, at->forged);
	snprintf(clue->how, sizeof(clue->how), "%s%s%s%s%.100s",
		 at->reason == LA_CLOSE_REFUSED ? "refuses: nobody listens there"
						: la_rst_verdict_word(at->rst_verdict),
		 at->reason == LA_CLOSE_REFUSED ? "" : ", ",
		 at->reason == LA_CLOSE_REFUSED ? "" : la_stage_text(at->stage),
		 at->forged ? "; perhaps forged by somebody else: " : "", forged);
	clue->time = at->duration_ns;
	return true;
}

/* Why a handshake has come no further. */
static const char *handshake_of(const struct la_rec_close *at)
{
	if (at->reason == LA_CLOSE_REFUSED)
		return "refused";
	if (at->icmp_type)
		return la_icmp_text(
			la_icmp_kind(la_key_is_v4(&at->h.key), at->icmp_type, at->icmp_code));
	if (at->side[LA_RESP].pkts)
		return "answers, and the last ACK of the handshake does not come";
	return "does not answer";
}

static bool ask_handshakes(const struct la_rec_close *at, struct clue *clue)
{
	bool waits = at->side[LA_ORIG].state == LA_SYN_SENT ||
		     at->side[LA_RESP].state == LA_SYN_RECEIVED;
	bool failed = at->reason == LA_CLOSE_REFUSED || at->reason == LA_CLOSE_UNREACHABLE;

	if (at->midstream || at->handshake_ns ||
	    (!failed && (!waits || at->duration_ns < LASTING_NS)))
		return false;
	put_who(clue, &at->h, LA_RESP);
	snprintf(clue->how, sizeof(clue->how), "%s", handshake_of(at));
	clue->time = at->duration_ns;
	return true;
}

/* Steps of a quarter, from 1 on. */
static __u32 cluster_of(__u64 time)
{
	__u32 cluster = 1;

	for (__u64 edge = LASTING_NS; edge < time; edge += edge / 4)
		cluster++;
	return cluster;
}

/* Open and silent; then one end speaks, and is told by RST, or not at all, that all is forgotten.
 */
static bool ask_forgotten(const struct la_rec_close *at, struct clue *clue)
{
	bool reset = at->rst_verdict && at->reason;

	if (!at->silence_ns || (!reset && !at->unanswered))
		return false;
	put_who(clue, &at->h, LA_RESP);
	snprintf(clue->how, sizeof(clue->how), "after a silence the %s's words are %s",
		 la_text_end(reset ? !at->rst_sender : !at->silent),
		 reset ? "answered by RST" : "not answered");
	clue->time = at->silence_ns;
	clue->cluster = cluster_of(clue->time);
	return true;
}

/* Open, then one end asks and hears nothing any more: the path, or the peer, has forgotten it. */
static bool ask_idle(const struct la_rec_close *at, struct clue *clue)
{
	if (!(at->handshake_ns || at->midstream))
		return false;
	if (ask_forgotten(at, clue))
		return true;
	if (!at->unanswered || at->unanswered_ns < LASTING_NS)
		return false;
	put_who(clue, &at->h, at->silent ? LA_RESP : LA_ORIG);
	snprintf(clue->how, sizeof(clue->how), "says nothing any more to the %s, who asks",
		 la_text_end(!at->silent));
	clue->time = at->unanswered_ns;
	return true;
}

static const struct {
	bool (*ask)(const struct la_rec_close *at, struct clue *clue);
	const char *title, *measure, *remedy; /* measure: what the times are */
} questions[LA_WHY_MAX] = {
	[LA_WHY_CLOSE_WAIT] =
		{ask_close_wait, "who does not close, though the peer has (CLOSE_WAIT)",
		 "stuck for",
		 "the application there has to close its sockets; each one that it keeps "
		 "costs it a descriptor"},
	[LA_WHY_RESETS] =
		{ask_resets, "who ends connections by RST", "had lived",
		 "look at that host's application at that stage; if the RST may be forged, "
		 "at what lies between"},
	[LA_WHY_HANDSHAKES] = {ask_handshakes, "which handshakes are not completed", "waited",
			       "is the server up and listening; do routes and firewalls let both "
			       "directions pass"},
	[LA_WHY_TIME_WAIT] =
		{ask_time_wait, "who holds TIME_WAIT", "held for",
		 "a server that closes first keeps the ports: let the client close, or "
		 "keep connections open and use them again"},
	[LA_WHY_IDLE] = {ask_idle, "who falls silent, or forgets open connections that are",
			 "silent for",
			 "if it is after a time without data, something between forgets idle "
			 "connections: send keepalives more often than that"},
};

const char *la_why_word(enum la_question_kind kind)
{
#define LA_ROW_QUESTION_WORD(s, w) w,
	static const char *const words[] = {"?", LA_QUESTIONS(LA_ROW_QUESTION_WORD)};

	return words[kind];
}

enum la_question_kind la_why_find(const char *word)
{
	for (enum la_question_kind kind = 1; kind < LA_WHY_MAX; kind++)
		if (la_word_equal(word, strlen(word), la_why_word(kind)))
			return kind;
	return LA_NO_WHY;
}

const char *la_why_title(enum la_question_kind kind)
{
	return questions[kind].title;
}

const char *la_why_measure(enum la_question_kind kind)
{
	return questions[kind].measure;
}

const char *la_why_remedy(enum la_question_kind kind)
{
	return questions[kind].remedy;
}

/* ---- findings ---- */

/* Who, how and cluster lie one behind the other, filled with zeros. */
#define KEY_SIZE (offsetof(struct la_finding, cluster) + sizeof(__u32))

_Static_assert(offsetof(struct clue, cluster) == offsetof(struct la_finding, cluster), "a key");

/* Times that differ by less than a quarter are one cluster, on whichever side of a step they lie.
 */
static bool is_near(const struct la_finding *finding, __u64 time)
{
	return time <= finding->shortest + finding->shortest / 4 &&
	       finding->longest <= time + time / 4;
}

/* Takes the number of a cluster nearby that there is already. */
static void join_cluster(struct entry *findings, struct clue *clue)
{
	const __u32 own = clue->cluster;
	struct entry *entry;

	for (int step = 0; own && step < 3; step++) {
		clue->cluster = own + (__u32[]){0, (__u32)-1, 1}[step];
		HASH_FIND(hh, findings, clue, KEY_SIZE, entry);
		if (entry && is_near(&entry->finding, clue->time))
			return;
	}
	clue->cluster = own;
}

static struct entry *find_or_make(struct entry **findings, const struct clue *clue)
{
	struct entry *entry;

	HASH_FIND(hh, *findings, clue, KEY_SIZE, entry);
	if (entry || HASH_COUNT(*findings) >= FINDINGS_MAX)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	memcpy(&entry->finding, clue, KEY_SIZE);
	entry->finding.shortest = clue->time;
	HASH_ADD(hh, *findings, finding, KEY_SIZE, entry);
	if (entry->hh.tbl)
		return entry;
	free(entry);
	return NULL;
}

static void name_process(const struct la_why *why, struct la_finding *finding,
			 const struct la_rec *rec, unsigned int end)
{
	struct la_owned own[2];

	if (!why->owners)
		return;
	why->owners(rec, own, why->owners_ctx);
	finding->pid = own[end].pid;
	memcpy(finding->comm, own[end].comm, sizeof(finding->comm));
}

static void add(struct la_why *why, struct entry **findings, const struct clue *clue,
		const struct la_rec *rec)
{
	struct entry *entry = find_or_make(findings, clue);
	struct la_finding *finding = &entry->finding;

	if (!entry)
		return;
	if (!finding->pid)
		name_process(why, finding, rec, clue->end);
	finding->connections++;
	if (clue->time > finding->longest)
		finding->longest = clue->time;
	if (clue->time < finding->shortest)
		finding->shortest = clue->time;
	if (finding->id_count < LA_FINDING_IDS)
		finding->ids[finding->id_count++] = rec->id;
}

void la_why_take(struct la_why *why, const struct la_rec *rec)
{
	for (enum la_question_kind kind = 1; kind < LA_WHY_MAX; kind++) {
		struct clue clue;

		if (!(why->kinds & 1U << kind))
			continue;
		memset(&clue, 0, sizeof(clue));
		if (!questions[kind].ask((const struct la_rec_close *)rec, &clue))
			continue;
		join_cluster(why->findings[kind], &clue);
		add(why, &why->findings[kind], &clue, rec);
	}
}

/* Connections that make a pattern. */
#define PATTERN_MIN 3

__u64 la_why_forgets_after(enum la_question_kind kind, const struct la_finding *finding)
{
	bool pattern = kind == LA_WHY_IDLE && finding->cluster;

	return pattern && finding->connections >= PATTERN_MIN ? finding->shortest : 0;
}

static int most_first(const void *a, const void *b)
{
	const struct la_finding *x = a, *y = b;

	if (x->connections != y->connections)
		return x->connections < y->connections ? 1 : -1;
	return memcmp(x, y, KEY_SIZE);
}

size_t la_why_sort(struct la_why *why, enum la_question_kind kind)
{
	struct entry *entry, *next;
	size_t n = 0, count = HASH_COUNT(why->findings[kind]);

	free(why->sorted[kind]);
	why->sorted[kind] = calloc(count + 1, sizeof(*why->sorted[kind]));
	if (!why->sorted[kind])
		return 0;
	HASH_ITER (hh, why->findings[kind], entry, next)
		why->sorted[kind][n++] = entry->finding;
	qsort(why->sorted[kind], n, sizeof(*why->sorted[kind]), most_first);
	return n;
}

const struct la_finding *la_why_get(const struct la_why *why, enum la_question_kind kind, size_t i)
{
	return &why->sorted[kind][i];
}

struct la_why *la_why_new(__u32 kinds)
{
	struct la_why *why = calloc(1, sizeof(*why));

	if (why)
		why->kinds = kinds;
	return why;
}

void la_why_owners(struct la_why *why, la_owners_fn of, void *ctx)
{
	why->owners = of;
	why->owners_ctx = ctx;
}

void la_why_free(struct la_why *why)
{
	struct entry *entry, *next;

	for (enum la_question_kind kind = 1; why && kind < LA_WHY_MAX; kind++) {
		HASH_ITER (hh, why->findings[kind], entry, next) {
			HASH_DEL(why->findings[kind], entry);
			free(entry);
		}
		free(why->sorted[kind]);
	}
	free(why);
}
