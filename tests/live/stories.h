/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stories.h - the endings of the textbook, played by real sockets on a real cable.
 *
 * A story knows how to play itself, how to be told (title and text, for the demo), and how
 * every connection in it ends (for the tests). It asks both kernels on the way: a story that
 * did not go as told says so, and is then no evidence against lastack.
 *
 * Stories share no port, so that several can be watched by one lastack and told apart.
 */
#ifndef LA_LIVE_STORIES_H
#define LA_LIVE_STORIES_H

#include "la_names.h"
#include "lab.h"
#include "wire.h"

#define LA_STORY_ENDINGS 2
#define LA_SCENE_CHECKS	 12

/* Who closed, in terms of hosts: who of them is the originator is the observer's to say. */
enum la_story_closer {
	LA_STORY_BY_NOBODY,
	LA_STORY_BY_CLIENT,
	LA_STORY_BY_SERVER,
	LA_STORY_BY_BOTH,
};

/* How one connection of a story ends. */
struct la_ending {
	enum la_close_reason reason;
	enum la_story_closer closed_by;
	enum la_conn_state conn_state;
	enum la_state timeout_state; /* that outlived its time; LA_NO_STATE: it did not time out */
	enum la_gone_why gone;
	int fin_retrans;     /* FINs sent again after the close */
	const char *path[2]; /* by host: the states it went through after the first one */
};

/* A moment at which nothing moved and both kernels said what they say here. */
struct la_checkpoint {
	unsigned long long realtime_ns;
	enum la_state state[2]; /* by host */
};

struct la_scene {
	struct la_lab *lab;
	struct la_wire *wire;
	int family;
	unsigned short port[2]; /* by host, host byte order */
	int listener;
	int sock[2];		     /* by host */
	unsigned long long bytes[2]; /* payload each host's sockets sent */
	unsigned long long segs;     /* on the wire when la_scene counted last */
	struct la_checkpoint checks[LA_SCENE_CHECKS];
	int check_count;
	char why[256]; /* what went otherwise than told */
};

struct la_story {
	const char *name;
	const char *title;
	const char *text; /* one sentence */
	bool (*play)(struct la_scene *scene);
	int endings; /* connections in it */
	struct la_ending ending[LA_STORY_ENDINGS];
	bool either_opens; /* which host is the originator depends on where one stands */
};

extern const struct la_story la_stories[];
extern const int la_story_count;

/* The timeouts with which every story ends within seconds, for lastack's command line. */
extern const char *const la_story_timeouts[];

/*
 * Plays a story between the client and the server of a lab. Returns false, with the reason
 * in scene->why, if it did not go as told. Its sockets are gone afterwards, silently.
 */
bool la_story_play(const struct la_story *story, struct la_lab *lab, struct la_wire *wire,
		   int family, struct la_scene *scene);

#endif
