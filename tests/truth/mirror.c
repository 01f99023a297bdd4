// SPDX-License-Identifier: BSD-2-Clause
/*
 * mirror.c - see mirror.h.
 */
#include "mirror.h"
#include "clock.h"
#include "la_fsm.h"
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#define PATIENCE_MS 120000
#define ARGS_MAX    24

struct la_mirror {
	pid_t pid;
	FILE *out;
	FILE *err;
	unsigned long rsts, dropped; /* RSTs that it told of; of them, by a rule not to pass */
};

/* A connection by its id. */
struct named {
	char id[20];
	size_t at; /* in the list of connections */
	UT_hash_handle hh;
};

static const char *const interfaces[LA_LAB_HOSTS][2] = {
	[LA_LAB_CLIENT] = {"eth0", NULL},
	[LA_LAB_SERVER] = {"eth0", NULL},
	[LA_LAB_ROUTER] = {"left", "right"},
};

static bool has_ended(struct la_mirror *mirror, int *status)
{
	if (mirror->pid && waitpid(mirror->pid, status, WNOHANG) == mirror->pid)
		mirror->pid = 0;
	return !mirror->pid;
}

/* It says `lastack: NAME: ` and how, once it is attached to an interface. */
static bool is_attached(struct la_mirror *mirror, const char *ifname)
{
	char wanted[40], line[512];
	bool found = false;

	if (!ifname)
		return true;
	snprintf(wanted, sizeof(wanted), "lastack: %s: ", ifname);
	rewind(mirror->err);
	while (!found && fgets(line, sizeof(line), mirror->err))
		found = !strncmp(line, wanted, strlen(wanted));
	return found;
}

static void show_errors(struct la_mirror *mirror)
{
	int c;

	rewind(mirror->err);
	while ((c = getc(mirror->err)) != EOF)
		putc(c, stderr);
}

static bool wait_attached(struct la_mirror *mirror, const char *const ifname[2])
{
	long long deadline = la_monotonic_ms() + PATIENCE_MS;
	int status = 0;

	while (la_monotonic_ms() < deadline && !has_ended(mirror, &status)) {
		if (is_attached(mirror, ifname[0]) && is_attached(mirror, ifname[1]))
			return true;
		poll(NULL, 0, 10);
	}
	fprintf(stderr, "mirror: lastack is not attached (wait status %d); it said:\n", status);
	show_errors(mirror);
	return false;
}

struct la_mirror *la_mirror_start(struct la_lab *lab, const char *binary, enum la_lab_host host,
				  const char *hook, const char *rst_policy)
{
	const char *const *ifname = interfaces[host];
	/*
	 * Whom a RST never reached sends again for longer than lastack remembers by default; and
	 * hundreds of players may keep it from reading its ring for a while.
	 */
	const char *argv[ARGS_MAX] = {
		binary,	       "run",	      "-o", "jsonl",	    "--timeout",
		"closed=120s", "--ring-size", "64", "--rst-policy", rst_policy,
		"--hook",      hook,	      "-i", ifname[0],
	};
	struct la_mirror *mirror = calloc(1, sizeof(*mirror));

	if (!mirror)
		return NULL;
	if (ifname[1]) {
		argv[14] = "-i";
		argv[15] = ifname[1];
	}
	mirror->out = tmpfile();
	mirror->err = tmpfile();
	if (mirror->out && mirror->err)
		mirror->pid =
			la_lab_spawn(lab, host, argv, fileno(mirror->out), fileno(mirror->err));
	if (mirror->pid > 0 && wait_attached(mirror, ifname))
		return mirror;
	la_mirror_free(mirror);
	return NULL;
}

void la_mirror_free(struct la_mirror *mirror)
{
	if (!mirror)
		return;
	if (mirror->pid > 0) {
		kill(mirror->pid, SIGKILL);
		waitpid(mirror->pid, NULL, 0);
	}
	if (mirror->out)
		fclose(mirror->out);
	if (mirror->err)
		fclose(mirror->err);
	free(mirror);
}

/* --- from records to walks ---------------------------------------------------------------- */

static const char *text(const json_t *record, const char *key)
{
	const char *word = json_string_value(json_object_get(record, key));

	return word ? word : "";
}

static __u64 number(const json_t *record, const char *key)
{
	return (__u64)json_integer_value(json_object_get(record, key));
}

static __u8 state_of(const char *word)
{
	__u8 state;

	for (state = 1; state < LA_STATE_MAX; state++) {
		if (strcmp(la_state_word(state), word) == 0)
			return state;
	}
	return LA_NO_STATE;
}

static __u8 certainty_of(const char *word)
{
	__u8 certainty;

	for (certainty = 1; certainty < LA_CERTAINTY_MAX; certainty++) {
		if (strcmp(la_certainty_word(certainty), word) == 0)
			return certainty;
	}
	return LA_NO_CERTAINTY;
}

/* Is the originator the client? Its address is .1.1 in both families. */
static bool client_began(const json_t *record)
{
	const char *ip = text(record, "orig_ip");

	return strcmp(ip, la_lab_addr_text(LA_LAB_CLIENT, AF_INET)) == 0 ||
	       strcmp(ip, la_lab_addr_text(LA_LAB_CLIENT, AF_INET6)) == 0;
}

static struct la_net_pair pair_of(const json_t *record)
{
	__u16 orig = (__u16)number(record, "orig_port"), resp = (__u16)number(record, "resp_port");

	return client_began(record) ? (struct la_net_pair){orig, resp}
				    : (struct la_net_pair){resp, orig};
}

/* Only what was presumed can be taken back. */
static bool is_presumed(const struct la_walk *walk)
{
	return walk->count && walk->step[walk->count - 1].certainty == LA_PRESUMED;
}

/* Can what an endpoint is sent, or sends, bring it from one state to the other? */
static bool leads_to(__u8 from, __u8 to)
{
	int event;

	for (event = LA_EV_SND_SYN; event <= LA_EV_RCV_ACK_OF_FIN; event++) {
		if (la_fsm_next(from, (enum la_event)event) == to)
			return true;
	}
	return false;
}

/*
 * With the state that is taken back: two ways lead to TIME_WAIT, both were open then; and if the
 * peer's FIN has not arrived before its own was sent, but behind it, this is CLOSING.
 */
static __u32 in_doubt(__u8 state)
{
	static const __u32 others[LA_STATE_MAX] = {
		[LA_TIME_WAIT] = 1U << LA_FIN_WAIT_2 | 1U << LA_CLOSING,
		[LA_CLOSE_WAIT] = 1U << LA_CLOSING,
	};

	return 1U << state | others[state];
}

/* The last step; what was presumed leaves a mark. */
static void take_back(struct la_walk *walk)
{
	if (is_presumed(walk)) {
		walk->taken_back++;
		walk->doubted |= in_doubt(la_walk_state(walk));
	}
	walk->count--;
}

/*
 * Back to a state that it had been in; or, if what was presumed went another way, back to
 * where that began and on to this one. A RST that ended it is seen, but not what it ended.
 */
static void take_back_to(struct la_walk *walk, __u8 state, __u64 ts)
{
	if (la_walk_state(walk) == LA_CLOSED && walk->count)
		take_back(walk);
	while (la_walk_state(walk) != state && !leads_to(la_walk_state(walk), state) &&
	       is_presumed(walk))
		take_back(walk);
	if (la_walk_state(walk) != state)
		la_walk_add(walk, ts, state, LA_PRESUMED);
}

static void read_state(struct la_conn *conn, const json_t *record)
{
	bool orig = strcmp(text(record, "endpoint"), "orig") == 0;
	struct la_walk *walk = &conn->walk[orig != client_began(record)];
	__u8 from = state_of(text(record, "from")), to = state_of(text(record, "to"));
	__u8 certainty = certainty_of(text(record, "certainty"));

	if (!walk->first)
		walk->first = from;
	if (certainty == LA_TIMER && from == LA_TIME_WAIT) {
		if (walk->count)
			walk->waited = number(record, "ts_ns") - walk->step[walk->count - 1].ts;
		return;
	}
	if (la_walk_state(walk) != from)
		walk->broken = true;
	if (certainty == LA_CORRECTED)
		take_back_to(walk, to, number(record, "ts_ns"));
	else
		la_walk_add(walk, number(record, "ts_ns"), to, certainty);
}

static struct named *find(struct named **names, struct la_conns *conns, const json_t *record)
{
	const char *id = text(record, "id");
	struct named *named;

	HASH_FIND_STR(*names, id, named);
	if (named && number(record, "seq") != 0)
		return named;
	if (!la_conns_add(conns, pair_of(record)))
		return NULL;
	if (named) { /* an old SYN has come again, and makes a connection of the same name */
		named->at = conns->count - 1;
		return named;
	}
	named = calloc(1, sizeof(*named));
	if (!named)
		return NULL;
	snprintf(named->id, sizeof(named->id), "%s", id);
	named->at = conns->count - 1;
	HASH_ADD_STR(*names, id, named);
	return named;
}

/* Shows a RST that a rule would not let pass: in the lab all of them are sent by a host. */
static void read_rst(struct la_mirror *mirror, const json_t *record, const char *line)
{
	mirror->rsts++;
	if (!json_object_get(record, "rule"))
		return;
	if (!mirror->dropped++)
		fprintf(stderr, "mirror: a RST that should pass: %s", line);
}

static bool read_record(struct la_mirror *mirror, const char *line, struct named **names,
			struct la_conns *conns)
{
	json_t *record = json_loads(line, 0, NULL);
	bool ok = json_is_object(record);

	if (ok && strcmp(text(record, "type"), "state") == 0) {
		struct named *named = find(names, conns, record);

		ok = named;
		if (named)
			read_state(&conns->conn[named->at], record);
	} else if (ok && strcmp(text(record, "type"), "rst") == 0) {
		read_rst(mirror, record, line);
	} else if (ok && strcmp(text(record, "type"), "lost") == 0) {
		ok = false;
	}
	if (!ok)
		fprintf(stderr, "mirror: a record that cannot be used: %s", line);
	json_decref(record);
	return ok;
}

static bool read_records(struct la_mirror *mirror, struct la_conns *conns)
{
	struct named *names = NULL, *named, *next;
	char *line = NULL;
	size_t room = 0;
	bool ok = true;

	rewind(mirror->out);
	while (ok && getline(&line, &room, mirror->out) > 0)
		ok = read_record(mirror, line, &names, conns);
	HASH_ITER (hh, names, named, next) {
		HASH_DEL(names, named);
		free(named);
	}
	free(line);
	la_conns_sort(conns);
	return ok;
}

bool la_mirror_stop(struct la_mirror *mirror, struct la_conns *conns)
{
	long long deadline = la_monotonic_ms() + PATIENCE_MS;
	int status = -1;

	if (mirror->pid > 0)
		kill(mirror->pid, SIGTERM);
	while (la_monotonic_ms() < deadline && !has_ended(mirror, &status))
		poll(NULL, 0, 10);
	if (!mirror->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return read_records(mirror, conns);
	fprintf(stderr, "mirror: lastack did not end well (wait status %d); it said:\n", status);
	show_errors(mirror);
	return false;
}

unsigned long la_mirror_rsts(const struct la_mirror *mirror, unsigned long *dropped)
{
	*dropped = mirror->dropped;
	return mirror->rsts;
}

static void print_record(const json_t *record)
{
	const char *type = text(record, "type");

	if (strcmp(type, "state") == 0)
		printf("    %s %3llu  %s %s -> %s, %s by %s\n", text(record, "id"),
		       number(record, "seq"), text(record, "endpoint"), text(record, "from"),
		       text(record, "to"), text(record, "certainty"), text(record, "cause"));
	else
		printf("    %s %3llu  %s %s%s%s\n", text(record, "id"), number(record, "seq"), type,
		       text(record, "reason"), text(record, "verdict"), text(record, "why"));
}

void la_mirror_print(const struct la_mirror *mirror, struct la_net_pair pair)
{
	char orig[32], resp[32], *line = NULL;
	size_t room = 0;

	snprintf(orig, sizeof(orig), "_port\":%u,", pair.client);
	snprintf(resp, sizeof(resp), "_port\":%u,", pair.server);
	rewind(mirror->out);
	while (getline(&line, &room, mirror->out) > 0) {
		json_t *record = NULL;

		if (strstr(line, orig) && strstr(line, resp))
			record = json_loads(line, 0, NULL);
		if (record)
			print_record(record);
		json_decref(record);
	}
	free(line);
}
