// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_soak.c - nothing piles up, neither in the daemon nor in the kernel.
 *
 * A few seconds each, or $SOAK_MINUTES, as `make soak` sets it. What is left in the kernel is
 * asked of the kernel, by the maps that the daemon holds.
 */
#include "clock.h"
#include "control.h"
#include "la_abi.h"
#include "load.h"
#include "observer.h"
#include "recall.h"
#include "tally.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHORT_MS  4000
#define SAMPLE_MS 500

#define TCX_EGRESS ((enum bpf_attach_type)47)

/* What an allocator may keep for itself once it is warm. */
#define GROWTH_KB 1024

static int soak_ms(void)
{
	const char *minutes = getenv("SOAK_MINUTES");

	return minutes ? atoi(minutes) * 60000 : SHORT_MS;
}

/* ---- the daemon's memory and descriptors ---- */

struct memory {
	long long warm_at; /* ms; what it takes until then is its start */
	long warm_kb;
	long most_kb;
};

static long rss_kb(pid_t pid)
{
	char path[64], line[128];
	long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmRSS: %ld", &kb);
	if (file)
		fclose(file);
	cr_assert(kb > 0, "no VmRSS in %s", path);
	return kb;
}

static void sample(struct memory *memory, pid_t pid)
{
	long kb = rss_kb(pid);

	if (la_monotonic_ms() < memory->warm_at)
		memory->warm_kb = kb;
	else if (kb > memory->most_kb)
		memory->most_kb = kb;
}

/* But for what it has yet to remember, kB. */
static void expect_flat(const struct memory *memory, long yet)
{
	cr_log_info("VmRSS: %ld kB when warm, then %ld kB at most", memory->warm_kb,
		    memory->most_kb);
	cr_expect(memory->warm_kb && memory->most_kb, "too short to tell");
	cr_expect(memory->most_kb <= memory->warm_kb + yet + GROWTH_KB,
		  "VmRSS grew from %ld to %ld kB", memory->warm_kb, memory->most_kb);
}

static unsigned int descriptors(pid_t pid)
{
	unsigned int count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		count++;
	cr_assert(dir);
	closedir(dir);
	return count;
}

/* The fewest of some looks: some are open for a moment only. */
static unsigned int descriptors_kept(pid_t pid)
{
	unsigned int least = descriptors(pid), now;

	for (int i = 0; i < 50; i++) {
		poll(NULL, 0, 20);
		now = descriptors(pid);
		least = now < least ? now : least;
	}
	return least;
}

/* ---- the kernel's side ---- */

static int map_id_in(const char *path)
{
	char line[128];
	FILE *file = fopen(path, "re");
	int id = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "map_id: %d", &id);
	if (file)
		fclose(file);
	return id;
}

/* A descriptor of the map of this name that a process holds. */
static int map_of(pid_t pid, const char *name)
{
	struct bpf_map_info info;
	struct dirent *entry;
	char path[300];
	int found = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && found < 0 && (entry = readdir(dir))) {
		__u32 size = sizeof(info);
		int id;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		id = map_id_in(path);
		found = id ? bpf_map_get_fd_by_id((__u32)id) : -1;
		memset(&info, 0, sizeof(info));
		if (found >= 0 && !bpf_obj_get_info_by_fd(found, &info, &size) &&
		    !strcmp(info.name, name))
			break;
		if (found >= 0)
			close(found);
		found = -1;
	}
	cr_assert(dir);
	closedir(dir);
	cr_assert(found >= 0, "lastack has no map %s", name);
	return found;
}

static bool is_empty(pid_t pid, const char *name)
{
	int fd = map_of(pid, name);
	char key[256];
	bool empty = bpf_map_get_next_key(fd, NULL, key) == -ENOENT;

	close(fd);
	return empty;
}

static struct la_counters counters_of(pid_t pid)
{
	int cpus = libbpf_num_possible_cpus(), fd = map_of(pid, "counters");
	struct la_counters *each = calloc((size_t)cpus, sizeof(*each)), sum = {0};
	__u32 zero = 0;

	cr_assert(each && !bpf_map_lookup_elem(fd, &zero, each));
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.opened += each[cpu].opened;
		sum.gone += each[cpu].gone;
	}
	free(each);
	close(fd);
	return sum;
}

/* ---- connections come and go ---- */

/* What it will yet remember, kB, when so many have closed: of each the end, and eight moves. */
static long yet_kb(long closes)
{
	long ends = LA_CONTROL_CLOSES - closes, moves = LA_RECALL_MAX - 8 * closes;

	return ((ends > 0 ? ends : 0) * (long)sizeof(struct la_rec_close) +
		(moves > 0 ? moves : 0) * (long)sizeof(struct la_rec_state)) /
	       1024;
}

static void churn(struct la_load *load, struct la_tally *tally, struct la_observer *obs, int ms)
{
	struct memory memory = {.warm_at = la_monotonic_ms() + ms / 4};
	long closes = 0; /* when it was warm */

	while (la_load_runs(load)) {
		la_tally_read(tally, la_observer_pipe(obs), SAMPLE_MS);
		sample(&memory, la_observer_pid(obs));
		if (!memory.most_kb)
			closes = (long)tally->closes;
	}
	cr_expect(la_load_end(load));
	expect_flat(&memory, yet_kb(closes));
}

static void expect_all_told(const struct la_tally *tally, unsigned long long opened)
{
	cr_log_info("%llu connections, %llu records lost", opened, tally->lost);
	cr_expect(tally->connections == opened && tally->closes == opened && tally->gones == opened,
		  "%llu connections: %llu told, %llu closed, %llu gone", opened, tally->connections,
		  tally->closes, tally->gones);
	cr_expect(tally->broken == 0 && tally->missing == tally->lost && tally->lost_ends == 0,
		  "%llu broken, %llu missing, %llu lost", tally->broken, tally->missing,
		  tally->lost);
}

static void expect_table_empty(pid_t pid, unsigned long long opened)
{
	struct la_counters sum = counters_of(pid);

	cr_expect(sum.opened == opened && sum.gone == opened,
		  "%llu connections: the kernel counted %llu opened, %llu gone", opened,
		  (unsigned long long)sum.opened, (unsigned long long)sum.gone);
	cr_expect(is_empty(pid, "flows"), "flows are left in the table");
	cr_expect(is_empty(pid, "pending"), "ended flows are left that wait for the ring");
}

Test(soak, connections_leave_nothing_behind)
{
	static const char *const options[] = {"--timeout", "time_wait=1", NULL};
	struct la_tally *tally = calloc(1, sizeof(*tally));
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	struct la_load *load = la_load_start(lab, soak_ms(), LA_LOAD_MOST);
	unsigned long long opened;

	cr_assert(obs && tally && load);
	churn(load, tally, obs, soak_ms());
	opened = (unsigned long long)la_load_opened(lab);
	for (int i = 0; tally->gones < opened && i < 100; i++)
		la_tally_read(tally, la_observer_pipe(obs), 100);
	expect_all_told(tally, opened);
	expect_table_empty(la_observer_pid(obs), opened);
	cr_expect(la_observer_stop(obs) == 0);
	la_observer_free(obs);
	la_lab_free(lab);
	la_tally_free(tally);
	free(tally);
}

/* ---- interfaces come and go ---- */

/* Waits until the tc egress hook of an interface has a program. */
static bool gets_program(struct la_lab *lab, const char *ifname)
{
	__u32 count = 0;

	for (int ms = 0; !count && ms < 30000; ms += 5) {
		poll(NULL, 0, 5);
		cr_assert(la_lab_enter(lab, LA_LAB_SERVER));
		bpf_prog_query((int)if_nametoindex(ifname), TCX_EGRESS, 0, NULL, NULL, &count);
		la_lab_leave(lab);
	}
	return count;
}

/* One that comes and goes; none has the name or the index of an earlier one. */
static bool plug_and_unplug(struct la_lab *lab, unsigned int n)
{
	char ifname[IF_NAMESIZE];

	snprintf(ifname, sizeof(ifname), "h%u", n);
	return la_lab_sh(lab, LA_LAB_SERVER, "ip link add %s type veth peer name other", ifname) &&
	       gets_program(lab, ifname) && la_lab_sh(lab, LA_LAB_SERVER, "ip link del %s", ifname);
}

Test(soak, interfaces_leave_nothing_behind)
{
	static const char *const options[] = {"--interface-regex", "h[0-9]+", NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, NULL, NULL, options);
	unsigned int before, n = 0;
	struct memory memory = {0};
	long long end;

	cr_assert(obs && la_observer_says(obs, "waiting for one to appear"));
	before = descriptors_kept(la_observer_pid(obs));
	memory.warm_at = la_monotonic_ms() + soak_ms() / 4;
	end = la_monotonic_ms() + soak_ms();
	for (; la_monotonic_ms() < end; n++) {
		cr_assert(plug_and_unplug(lab, n));
		sample(&memory, la_observer_pid(obs));
	}
	cr_log_info("%u interfaces", n);
	for (int i = 0; descriptors_kept(la_observer_pid(obs)) > before && i < 20; i++)
		;
	cr_expect_eq(descriptors_kept(la_observer_pid(obs)), before, "descriptors are left open");
	expect_flat(&memory, 0);
	cr_expect(la_observer_stop(obs) == 0);
	la_observer_free(obs);
	la_lab_free(lab);
}
