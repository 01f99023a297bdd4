/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observer.h - a `lastack run -o jsonl` in one of the lab's namespaces, and what it said.
 *
 * The binary is $LASTACK, or the `lastack` beside or above the running program. Every wait
 * has a deadline. Records are parsed as they come; a line that is no JSON object is an
 * error of the observer.
 */
#ifndef LA_LIVE_OBSERVER_H
#define LA_LIVE_OBSERVER_H

#include "lab.h"
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct la_observer;

/* Path of the lastack binary, or NULL with the reason on stderr. Valid for ever. */
const char *la_observer_binary(void);

/*
 * Starts lastack at a host with these options (NULL-terminated), `run -o jsonl` is given;
 * returns when it is ready, attached to `ifname` and, if not NULL, `ifname2`. NULL: it did
 * not start, or not in time; what it said on stderr is then on ours. Without `ifname` no
 * interface is named: options say which, and it need not have become ready.
 */
struct la_observer *la_observer_start(struct la_lab *lab, enum la_lab_host host, const char *ifname,
				      const char *ifname2, const char *const options[]);

/*
 * The same with our stdout for its own, and without `-o jsonl`: for people to look at. It
 * has no records.
 */
struct la_observer *la_observer_start_drawing(struct la_lab *lab, enum la_lab_host host,
					      const char *ifname, const char *const options[]);

/* All records so far, in order, as a JSON array. Owned by the observer. */
const json_t *la_observer_records(struct la_observer *obs);

/* Reads on until done() says so (true), or for so many ms (false). */
bool la_observer_until(struct la_observer *obs, bool (*done)(const json_t *records, void *ctx),
		       void *ctx, int ms);

/* Asks it to end, takes its last records. Returns its exit code, -1 if it did not end well. */
int la_observer_stop(struct la_observer *obs);

/* All that it said on stderr so far. Valid until the next call or la_observer_free(). */
const char *la_observer_stderr(struct la_observer *obs);

/* Waits for the next thing that it tells its service manager. True if that is `state`. */
bool la_observer_notifies(struct la_observer *obs, const char *state);

/* Waits until it has said this on stderr; false after some seconds. */
bool la_observer_says(struct la_observer *obs, const char *text);

/*
 * The pipe of its records, for whoever reads them himself, from the beginning; the observer
 * then has none.
 */
int la_observer_pipe(const struct la_observer *obs);

pid_t la_observer_pid(const struct la_observer *obs);

/* Kills it if it still runs. NULL is fine. */
void la_observer_free(struct la_observer *obs);

#endif
