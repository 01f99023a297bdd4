// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_history.c - what is kept of connections that have ended: all of them, also after a kill -9;
 * and a full disk keeps nobody from tracking.
 */
#include "lab.h"
#include "observer.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS	    30000
#define TALKS	    20
#define TALKS_MOST  400
#define CLIENT_PORT 46000
#define SERVER_PORT 9801

/* ---- a directory that goes with the test ---- */

struct place {
	char dir[64], file[80];
};

/* A small tmpfs, in a mount namespace that ends with this process, however that ends. */
static struct place place_new(const char *size)
{
	struct place p = {.dir = "/mnt"};

	cr_assert(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	cr_assert(!mount("tmpfs", p.dir, "tmpfs", 0, size));
	snprintf(p.file, sizeof(p.file), "%s/history.db", p.dir);
	return p;
}

static void place_end(struct place *p)
{
	umount(p->dir);
}

/* ---- what is in the file ---- */

/* The connections that `lastack history` tells of, as a JSON array. */
static json_t *history_of(const char *file, const char *filter)
{
	json_t *rows = json_array(), *row;
	char command[400];
	FILE *out;

	snprintf(command, sizeof(command), "%s history -f %s -o jsonl '%s'", la_observer_binary(),
		 file, filter);
	out = popen(command, "re");
	cr_assert(out);
	while ((row = json_loadf(out, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(rows, row);
	cr_expect_eq(pclose(out), 0);
	return rows;
}

/* True if `lastack why` says that of the file. */
static bool answers_from(const char *file, const char *said)
{
	char command[400], text[4096] = "";
	FILE *out;

	snprintf(command, sizeof(command), "%s why --history %s 2>&1", la_observer_binary(), file);
	out = popen(command, "re");
	cr_assert(out);
	(void)!fread(text, 1, sizeof(text) - 1, out);
	return !pclose(out) && strstr(text, said);
}

static const char *text(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static bool has_row(const json_t *rows, const json_t *record)
{
	size_t i;
	json_t *row;

	json_array_foreach (rows, i, row)
		if (!strcmp(text(row, "id"), text(record, "id")) &&
		    !strcmp(text(row, "reason"), text(record, "reason")) &&
		    !strcmp(text(row, "ifname"), text(record, "ifname")) &&
		    json_equal(json_object_get(row, "duration_ns"),
			       json_object_get(record, "duration_ns")))
			return true;
	return false;
}

static int closes_among(const json_t *records)
{
	int count = 0;
	size_t i;
	json_t *record;

	json_array_foreach (records, i, record)
		count += !strcmp(text(record, "type"), "close");
	return count;
}

static bool all_closed(const json_t *records, void *ctx)
{
	(void)ctx;
	return closes_among(records) == TALKS;
}

/* ---- tests ---- */

static bool talk_once(struct la_lab *lab, int n)
{
	struct la_talk_end client = {LA_LAB_CLIENT,
				     la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT + n)};
	struct la_talk_end server = {LA_LAB_SERVER,
				     la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT)};

	return la_talk(lab, &client, &server, 1000);
}

struct saying {
	struct la_observer *obs;
	const char *text;
};

static bool is_said(const json_t *records, void *ctx)
{
	const struct saying *saying = ctx;

	(void)records;
	return strstr(la_observer_stderr(saying->obs), saying->text);
}

/* Connections, until it says something, but no more than TALKS_MOST; its records are read. */
static bool talks_until(struct la_lab *lab, struct la_observer *obs, const char *said)
{
	struct saying saying = {obs, said};
	static int n;

	for (int i = 0; i < TALKS_MOST; i++)
		if (!talk_once(lab, n++) || la_observer_until(obs, is_said, &saying, 1))
			break;
	return la_observer_until(obs, is_said, &saying, WAIT_MS);
}

Test(history, survives_a_kill, .timeout = 60)
{
	struct place place = place_new("size=16m");
	const char *const options[] = {"--history", place.file, NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	json_t *rows, *record;
	size_t i;

	cr_assert(lab && obs);
	for (int n = 0; n < TALKS; n++)
		cr_assert(talk_once(lab, n));
	cr_assert(la_observer_until(obs, all_closed, NULL, WAIT_MS));
	kill(la_observer_pid(obs), SIGKILL);
	rows = history_of(place.file, "reason fin");
	cr_expect_eq(json_array_size(rows), TALKS);
	json_array_foreach (la_observer_records(obs), i, record)
		cr_expect(strcmp(text(record, "type"), "close") || has_row(rows, record));
	json_decref(rows);
	cr_expect(
		answers_from(place.file, "from 0 connections in the table and 20 that have ended"));
	rows = history_of(place.file, "port 1");
	cr_expect_eq(json_array_size(rows), 0);
	json_decref(rows);
	la_observer_free(obs);
	la_lab_free(lab);
	place_end(&place);
}

Test(history, a_full_disk_is_told_and_tracking_goes_on, .timeout = 120)
{
	struct place place = place_new("size=300k");
	const char *const options[] = {"--history", place.file, NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	int before;

	cr_assert(lab && obs);
	cr_assert(talks_until(lab, obs, "cannot write the history"), "%s", la_observer_stderr(obs));
	before = closes_among(la_observer_records(obs));
	cr_assert(!mount(NULL, place.dir, NULL, MS_REMOUNT, "size=64m"));
	cr_expect(talks_until(lab, obs, "the history is written again"), "%s",
		  la_observer_stderr(obs));
	cr_expect_eq(la_observer_stop(obs), 0, "%s", la_observer_stderr(obs));
	cr_expect_gt(closes_among(la_observer_records(obs)), before);
	la_observer_free(obs);
	la_lab_free(lab);
	place_end(&place);
}
