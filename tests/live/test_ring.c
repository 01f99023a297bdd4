// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_ring.c - the daemon stands still under full load, and goes on: what was lost?
 *
 * The ring of records is small and runs over at once. No close record is lost, for it waits in
 * the flow table; of the others exactly those that are missing are counted. The truth about
 * how many connections there were is the kernel's.
 *
 * $SOAK_MINUTES, as `make soak` sets it, makes it stand still for 10 s instead of 3 s.
 */
#include "load.h"
#include "observer.h"
#include "tally.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Flows end while the daemon stands still. */
static const char *const options[] = {"--ring-size", "1",      "--timeout", "time_wait=1",
				      "--max-flows", "262144", NULL};

/* Reads until every connection is gone that has been opened, at most for so long. */
static void read_all(struct la_tally *tally, struct la_observer *obs, unsigned long long opened)
{
	for (int i = 0; tally->gones < opened && i < 300; i++)
		la_tally_read(tally, la_observer_pipe(obs), 100);
}

static void read_to_the_end(struct la_tally *tally, struct la_observer *obs)
{
	kill(la_observer_pid(obs), SIGINT);
	for (int i = 0; i < 10 && la_tally_read(tally, la_observer_pipe(obs), 1000); i++)
		;
	cr_expect(la_observer_stop(obs) == 0, "%s", la_observer_stderr(obs));
}

static void expect_nothing_lost(const struct la_tally *tally, unsigned long long opened)
{
	cr_log_info("%llu connections, %llu records lost", tally->connections, tally->lost);
	cr_expect(tally->lost > 0, "the ring did not run over: this test tested nothing");
	cr_expect(tally->connections == opened, "%llu connections opened, %llu told", opened,
		  tally->connections);
	cr_expect(tally->closes == opened, "%llu connections opened, %llu closed", opened,
		  tally->closes);
	cr_expect(tally->gones == opened, "%llu connections opened, %llu gone", opened,
		  tally->gones);
	cr_expect(tally->broken == 0, "%llu do not add up", tally->broken);
	cr_expect(tally->missing == tally->lost, "%llu records are missing, told are %llu",
		  tally->missing, tally->lost);
	cr_expect(tally->lost_ends == 0);
}

Test(ring, a_daemon_that_stands_still_loses_no_close_record)
{
	int still_ms = getenv("SOAK_MINUTES") ? 10000 : 3000;
	struct la_tally *tally = calloc(1, sizeof(*tally));
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	struct la_load *load;
	long long opened;
	char said[80];

	cr_assert(obs && tally);
	load = la_load_start(lab, still_ms + 1000, LA_LOAD_MOST);
	cr_assert(load);
	la_tally_read(tally, la_observer_pipe(obs), 500);
	kill(la_observer_pid(obs), SIGSTOP);
	poll(NULL, 0, still_ms);
	kill(la_observer_pid(obs), SIGCONT);
	while (la_load_runs(load))
		la_tally_read(tally, la_observer_pipe(obs), 100);
	cr_expect(la_load_end(load));
	opened = la_load_opened(lab);
	cr_assert(opened > 0);
	read_all(tally, obs, (unsigned long long)opened);
	read_to_the_end(tally, obs);
	expect_nothing_lost(tally, (unsigned long long)opened);
	snprintf(said, sizeof(said), "%llu records: the ring buffer was full", tally->lost);
	cr_expect(strstr(la_observer_stderr(obs), said), "no '%s' in:\n%s", said,
		  la_observer_stderr(obs));
	la_observer_free(obs);
	la_lab_free(lab);
	la_tally_free(tally);
	free(tally);
}
