// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_stories.c - every ending of the textbook, watched from everywhere, by every hook.
 *
 * One lastack watches all stories, over IPv4 and IPv6, at the client, at the server or on a
 * router between them. Each connection gets exactly one close record, with the right reason,
 * closer, states and amounts; whatever both kernels said in a quiet moment, it said too.
 */
#include "observer.h"
#include "stories.h"
#include "told.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define GONE_MS	      30000
#define STORIES_MAX   32
#define TCX_INGRESS   46
#define TCX_EGRESS    47
#define OPTIONS_COUNT 12

enum hook { NATIVE, GENERIC, TC, HOOKS };

static const char *const hook_words[] = {[NATIVE] = "xdp", [GENERIC] = "xdp-generic", [TC] = "tc"};
static const char *const host_words[] = {"client", "server", "router"};

/* Where a lastack stands. */
struct place {
	enum la_lab_host host;
	enum hook hook;
};

/* One story as played and as it should be told. */
struct played {
	const struct la_story *story;
	struct la_scene scene;
	char name[96]; /* for messages: host/hook/family/story */
};

struct play {
	struct la_lab *lab;
	struct la_wire *wire;
	struct played all[STORIES_MAX];
	int count;
	int endings;
};

/* --- playing ----------------------------------------------------------------------------- */

static void play_all(struct play *play, const struct place *at)
{
	static const int families[] = {AF_INET, AF_INET6};
	int f, i;

	for (f = 0; f < 2; f++) {
		for (i = 0; i < la_story_count; i++) {
			struct played *p = &play->all[play->count++];

			p->story = &la_stories[i];
			play->endings += p->story->endings;
			snprintf(p->name, sizeof(p->name), "%s/%s/%s/%s", host_words[at->host],
				 hook_words[at->hook], families[f] == AF_INET ? "v4" : "v6",
				 p->story->name);
			cr_assert(la_story_play(p->story, play->lab, play->wire, families[f],
						&p->scene),
				  "%s did not go as told: %s", p->name, p->scene.why);
		}
	}
}

static bool all_gone(const json_t *records, void *endings)
{
	int gone = 0;
	size_t i;

	for (i = 0; i < json_array_size(records); i++)
		gone += !strcmp(la_told_text(json_array_get(records, i), "type"), "gone");
	return gone >= *(int *)endings;
}

static struct la_observer *observe(struct la_lab *lab, struct place at)
{
	const char *options[OPTIONS_COUNT] = {"--hook", hook_words[at.hook]};
	bool router = at.host == LA_LAB_ROUTER;
	struct la_observer *obs;
	int i;

	for (i = 0; la_story_timeouts[i]; i++)
		options[2 + i] = la_story_timeouts[i];
	obs = la_observer_start(lab, at.host, router ? "left" : "eth0", router ? "right" : NULL,
				options);
	cr_assert(obs, "lastack did not start at the %s with --hook %s", host_words[at.host],
		  hook_words[at.hook]);
	return obs;
}

/* --- what should have been told ---------------------------------------------------------- */

static const char *expected_closer(const struct la_told *told, enum la_story_closer closer)
{
	static const char *const hosts[] = {
		[LA_STORY_BY_CLIENT] = "client",
		[LA_STORY_BY_SERVER] = "server",
	};

	if (closer == LA_STORY_BY_NOBODY)
		return "none";
	if (closer == LA_STORY_BY_BOTH)
		return "both";
	return strcmp(hosts[closer], told->orig) == 0 ? "orig" : "resp";
}

static void check_word(const char *name, const json_t *record, const char *key,
		       const char *expected)
{
	const char *word = la_told_text(record, key);

	cr_expect(strcmp(word, expected) == 0, "%s: %s is \"%s\", not \"%s\"", name, key, word,
		  expected);
}

static void check_path(const char *name, const struct la_told *told, int host, const char *expected)
{
	char path[256];

	la_told_path(told, host, path, sizeof(path));
	cr_expect(strcmp(path, expected) == 0, "%s: the %s went through \"%s\", not \"%s\"", name,
		  host_words[host], path, expected);
}

/* The state at the end is where the path stood when the close record was made. */
static void check_end_states(const char *name, const struct la_told *told)
{
	unsigned long long at =
		(unsigned long long)json_integer_value(json_object_get(told->close, "ts_ns"));
	int host;

	for (host = 0; host < 2; host++) {
		const char *word = la_told_word(told, host, "state");
		const char *due = la_state_word(la_told_state_at(told, host, at));

		if (told->corrected)
			continue; /* the path is what came of it later */
		cr_expect(strcmp(word, due) == 0, "%s: the %s ended in \"%s\", not \"%s\"", name,
			  host_words[host], word, due);
	}
}

static void check_ending(const char *name, const struct la_told *told,
			 const struct la_ending *ending)
{
	cr_expect(!told->broken, "%s: record numbers or steps do not join", name);
	cr_expect(told->closes == 1, "%s: %d close records", name, told->closes);
	cr_expect(told->gones == 1, "%s: %d gone records", name, told->gones);
	check_word(name, told->close, "reason", la_close_reason_word(ending->reason));
	check_word(name, told->close, "closed_by", expected_closer(told, ending->closed_by));
	check_word(name, told->close, "conn_state", la_conn_state_word(ending->conn_state));
	check_word(name, told->close, "timeout_state",
		   ending->timeout_state ? la_state_word(ending->timeout_state) : "");
	check_word(name, told->gone, "why", la_gone_why_word(ending->gone));
	cr_expect(json_is_false(json_object_get(told->close, "midstream")),
		  "%s: its beginning was seen, but it is called midstream", name);
	cr_expect(json_integer_value(json_object_get(told->gone, "fin_retrans")) ==
			  ending->fin_retrans,
		  "%s: not %d FIN sent again", name, ending->fin_retrans);
	cr_expect(!ending->fin_retrans || told->corrected, "%s: nothing was corrected", name);
	check_path(name, told, LA_LAB_CLIENT, ending->path[LA_LAB_CLIENT]);
	check_path(name, told, LA_LAB_SERVER, ending->path[LA_LAB_SERVER]);
	check_end_states(name, told);
}

/* The connection that was the youngest at a moment. */
static const struct la_told *youngest(const struct la_told *told, int count, unsigned long long at)
{
	int i = count - 1;

	while (i > 0 && told[i].start > at)
		i--;
	return &told[i];
}

/* A host that listens has closed the connection that was, or does not have it yet. */
static bool agrees(unsigned int told, enum la_state kernel)
{
	return told == kernel || (kernel == LA_LISTEN && told == LA_CLOSED);
}

static void check_moments(const struct played *p, const struct la_told *told, int count)
{
	int i, host;

	for (i = 0; i < p->scene.check_count; i++) {
		const struct la_checkpoint *check = &p->scene.checks[i];
		const struct la_told *then = youngest(told, count, check->realtime_ns);

		for (host = 0; host < 2; host++) {
			unsigned int said = la_told_state_at(then, host, check->realtime_ns);

			cr_expect(agrees(said, check->state[host]),
				  "%s: moment %d: the %s's kernel said %s, lastack %s", p->name, i,
				  host_words[host], la_state_word(check->state[host]),
				  la_state_word(said));
		}
	}
}

static void check_amounts(const struct play *play, const struct played *p,
			  const struct la_told *told, int count)
{
	unsigned long long pkts[2] = {0}, bytes[2] = {0}, late = 0, sent[2];
	int i, host;

	for (host = 0; host < 2; host++) {
		sent[host] =
			la_wire_sent(play->wire, p->scene.port[host], p->scene.port[!host]).segs;
		for (i = 0; i < count; i++) {
			pkts[host] += (unsigned long long)la_told_number(&told[i], host, "pkts");
			bytes[host] += (unsigned long long)la_told_number(&told[i], host, "bytes");
		}
		cr_expect(bytes[host] == p->scene.bytes[host],
			  "%s: the %s sent %llu bytes, told are %llu", p->name, host_words[host],
			  p->scene.bytes[host], bytes[host]);
	}
	for (i = 0; i < count; i++)
		late += (unsigned long long)json_integer_value(
			json_object_get(told[i].gone, "late_pkts"));
	cr_expect(pkts[0] + pkts[1] + late == sent[0] + sent[1] && pkts[0] <= sent[0] &&
			  pkts[1] <= sent[1] &&
			  (late || (pkts[0] == sent[0] && pkts[1] == sent[1])),
		  "%s: on the wire %llu and %llu segments, told are %llu and %llu and %llu late",
		  p->name, sent[0], sent[1], pkts[0], pkts[1], late);
}

static void check_story(const struct play *play, const struct played *p, const json_t *records)
{
	struct la_told told[LA_STORY_ENDINGS] = {0};
	int count = la_told_gather(records, p->scene.port[LA_LAB_CLIENT],
				   p->scene.port[LA_LAB_SERVER], told, LA_STORY_ENDINGS);
	int i;

	cr_expect(count == p->story->endings, "%s: %d connections told, not %d", p->name, count,
		  p->story->endings);
	if (count != p->story->endings)
		return;
	for (i = 0; i < count; i++) {
		if (!p->story->either_opens)
			cr_expect(strcmp(told[i].orig, "client") == 0, "%s: opened by the server",
				  p->name);
		check_ending(p->name, &told[i], &p->story->ending[i]);
	}
	check_moments(p, told, count);
	check_amounts(play, p, told, count);
}

static void check_detached(struct la_lab *lab, enum la_lab_host host, const char *ifname)
{
	static const enum bpf_attach_type ways[] = {TCX_INGRESS, TCX_EGRESS};
	int ifindex = (int)la_lab_ifindex(lab, host, ifname), err, i;
	__u32 id = 0, count;

	cr_assert(la_lab_enter(lab, host));
	err = bpf_xdp_query_id(ifindex, 0, &id);
	cr_expect(!err && !id, "an XDP program is left on %s", ifname);
	for (i = 0; i < 2; i++) {
		count = 0;
		err = bpf_prog_query(ifindex, ways[i], 0, NULL, NULL, &count);
		cr_expect(!err && !count, "a tcx program is left on %s (query: %d)", ifname, err);
	}
	la_lab_leave(lab);
}

static void open_play(struct play *play, bool router)
{
	play->lab = la_lab_new(router);
	cr_assert(play->lab, "no laboratory");
	play->wire = la_wire_new(play->lab);
	cr_assert(play->wire, "no wire");
}

static void close_play(struct play *play)
{
	la_wire_free(play->wire);
	la_lab_free(play->lab);
}

/* --- the tests --------------------------------------------------------------------------- */

ParameterizedTestParameters(stories, end_as_the_textbook_says)
{
	static struct place places[3 * HOOKS];
	int host, hook, count = 0;

	for (host = LA_LAB_CLIENT; host <= LA_LAB_ROUTER; host++) {
		for (hook = NATIVE; hook < HOOKS; hook++)
			places[count++] = (struct place){(enum la_lab_host)host, (enum hook)hook};
	}
	return cr_make_param_array(struct place, places, 3 * HOOKS);
}

ParameterizedTest(struct place *at, stories, end_as_the_textbook_says)
{
	static struct play play;
	struct la_observer *obs;
	int i;

	open_play(&play, at->host == LA_LAB_ROUTER);
	obs = observe(play.lab, *at);
	play_all(&play, at);
	cr_expect(la_observer_until(obs, all_gone, &play.endings, GONE_MS),
		  "after %d ms not all of %d connections are gone", GONE_MS, play.endings);
	cr_expect(la_observer_stop(obs) == 0, "lastack ended badly; it said:\n%s",
		  la_observer_stderr(obs));
	for (i = 0; i < play.count; i++)
		check_story(&play, &play.all[i], la_observer_records(obs));
	cr_expect(la_wire_headless(play.wire) == 0,
		  "%u packets came to the tc programs behind lastack without Ethernet header",
		  la_wire_headless(play.wire));
	check_detached(play.lab, at->host, at->host == LA_LAB_ROUTER ? "left" : "eth0");
	la_observer_free(obs);
	close_play(&play);
}

Test(stories, two_observers_name_a_connection_alike)
{
	static const struct place places[] = {{LA_LAB_CLIENT, TC}, {LA_LAB_SERVER, NATIVE}};
	struct la_observer *obs[2];
	struct la_told told[2] = {0};
	struct la_scene scene;
	struct play play = {0};
	int one = 1, i;

	open_play(&play, false);
	for (i = 0; i < 2; i++)
		obs[i] = observe(play.lab, places[i]);
	cr_assert(la_story_play(&la_stories[0], play.lab, play.wire, AF_INET, &scene), "%s",
		  scene.why);
	for (i = 0; i < 2; i++) {
		cr_expect(la_observer_until(obs[i], all_gone, &one, GONE_MS), "it is not gone");
		cr_expect(la_observer_stop(obs[i]) == 0, "lastack ended badly");
		cr_assert(la_told_gather(la_observer_records(obs[i]), scene.port[LA_LAB_CLIENT],
					 scene.port[LA_LAB_SERVER], &told[i], 1) == 1,
			  "not one connection told");
	}
	cr_expect(*told[0].id && !strcmp(told[0].id, told[1].id), "ids \"%s\" and \"%s\"",
		  told[0].id, told[1].id);
	for (i = 0; i < 2; i++)
		la_observer_free(obs[i]);
	close_play(&play);
}
