/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners.c - see owners.h. The only one that sees the skeleton of bpf/owners.bpf.c.
 */
#include "owners.h"
#include "bpf_log.h"
#include "clock.h"
#include "text.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owners.skel.h"

/*
 * A look comes so long after an accept(2), when a worker has taken over; and between two looks lies
 * so many times as long as the last one took.
 */
#define LOOK_AFTER_NS (2 * LA_SEC_NS)
#define LOOK_SHARE    100

/* What other processes may read. */
enum map { OWNERS, CGROUPS, MAP_MAX };

static const struct {
	char name[LA_MAP_NAME];
	__u32 value_size;
} kinds[MAP_MAX] = {
	[OWNERS] = {"owners", sizeof(struct la_owners_value)},
	[CGROUPS] = {"cgroups", sizeof(struct la_cgroup)},
};

struct la_owners {
	struct owners_bpf *skel; /* NULL: the maps are another's */
	int maps[MAP_MAX];
	__u64 accepted; /* that were noticed */
	__u64 due;	/* the look that they are to have, ns; 0: they have had it */
	__u64 next;	/* no look before, ns */
};

/* ---- asking the kernel ---- */

/* Runs the program that visits all open files. */
static int look(struct la_owners *owners)
{
	char nothing[64];
	int fd;

	owners->skel->bss->la_look++;
	fd = bpf_iter_create(bpf_link__fd(owners->skel->links.la_socket_held));
	if (fd < 0)
		return -errno;
	while (read(fd, nothing, sizeof(nothing)) > 0)
		; /* it writes nothing, but is run in pieces */
	close(fd);
	return 0;
}

void la_owners_look(struct la_owners *owners, __u64 now)
{
	__u64 accepted;

	if (!owners)
		return;
	accepted = __atomic_load_n(&owners->skel->bss->la_accepted, __ATOMIC_RELAXED);
	if (accepted != owners->accepted && !owners->due)
		owners->due = now + LOOK_AFTER_NS;
	owners->accepted = accepted;
	if (!owners->due || now < owners->due || now < owners->next)
		return;
	owners->due = 0;
	look(owners);
	owners->next = now + LOOK_SHARE * (la_monotonic_ns() - now);
}

/* The first one, and that of the SYN-ACK: a SYN may be told before its receiver has heard of it. */
static bool begins(const struct la_rec *rec)
{
	if (rec->type == LA_REC_LOST)
		return false;
	return !rec->seq || (rec->type == LA_REC_STATE &&
			     ((const struct la_rec_state *)rec)->to == LA_SYN_RECEIVED);
}

void la_owners_meet(struct la_owners *owners, const struct la_rec *rec)
{
	char frame[14] = {0}; /* the kernel insists on an Ethernet header */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	if (!owners || !begins(rec))
		return;
	owners->skel->bss->la_wanted = rec->key;
	bpf_prog_test_run_opts(bpf_program__fd(owners->skel->progs.la_owner_of), &opts);
}

/* ---- reading ---- */

/* Appends a name behind a slash. */
static size_t put_name(char *path, size_t at, const char name[LA_CGROUP_NAME])
{
	size_t len = strnlen(name, LA_CGROUP_NAME);

	path[at++] = '/';
	memcpy(path + at, name, len);
	return at + len;
}

static void put_cgroup(const struct la_owners *owners, __u64 id, char path[LA_CGROUP_PATH])
{
	struct la_cgroup cgroup;
	int depth = 0;
	size_t n = 0;

	if (bpf_map_lookup_elem(owners->maps[CGROUPS], &id, &cgroup))
		return;
	while (depth < LA_CGROUP_DEPTH && *cgroup.name[depth])
		depth++;
	if (!depth)
		path[n++] = '/';
	while (depth)
		n = put_name(path, n, cgroup.name[--depth]);
	path[n] = '\0';
}

void la_owners_of(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	const struct la_owners *owners = ctx;
	struct la_owners_value value;

	for (unsigned int end = 0; end < 2; end++)
		own[end].pid = own[end].comm[0] = own[end].cgroup[0] = 0;
	if (!owners || bpf_map_lookup_elem(owners->maps[OWNERS], &rec->key, &value))
		return;
	for (unsigned int end = 0; end < 2; end++) {
		const struct la_owner *owner = &value.side[la_text_index(rec, end)];

		own[end].pid = owner->pid;
		snprintf(own[end].comm, LA_COMM_SIZE, "%.*s", LA_COMM_SIZE - 1, owner->comm);
		if (owner->pid)
			put_cgroup(owners, owner->cgroup, own[end].cgroup);
	}
}

/* ---- maps that are passed on ---- */

void la_owners_maps(const struct la_owners *owners, struct la_map_fds *maps)
{
	for (int i = 0; owners && i < MAP_MAX && maps->count < LA_MAP_FDS_MAX; i++, maps->count++) {
		memcpy(maps->of[maps->count].name, kinds[i].name, LA_MAP_NAME);
		maps->of[maps->count].fd = owners->maps[i];
	}
}

/* A map by its name, if its values are as large as they are here; or -1. */
static int take_map(const struct la_map_fds *maps, enum map kind)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	for (unsigned int i = 0; i < maps->count; i++) {
		if (strcmp(maps->of[i].name, kinds[kind].name) != 0)
			continue;
		if (bpf_obj_get_info_by_fd(maps->of[i].fd, &info, &size) ||
		    info.value_size != kinds[kind].value_size)
			return -1;
		return dup(maps->of[i].fd);
	}
	return -1;
}

struct la_owners *la_owners_take(const struct la_map_fds *maps)
{
	struct la_owners *owners = calloc(1, sizeof(*owners));
	bool all = owners;

	for (enum map i = 0; owners && i < MAP_MAX; i++) {
		owners->maps[i] = take_map(maps, i);
		all = all && owners->maps[i] >= 0;
	}
	if (all)
		return owners;
	la_owners_free(owners);
	return NULL;
}

/* ---- beginning and end ---- */

/* Returns 0 or -errno. */
static int load(struct la_owners *owners)
{
	struct stat netns;
	int err;

	owners->skel = owners_bpf__open();
	if (!owners->skel || stat("/proc/self/ns/net", &netns))
		return -errno;
	owners->skel->rodata->la_netns = (__u32)netns.st_ino;
	err = owners_bpf__load(owners->skel);
	if (!err)
		err = owners_bpf__attach(owners->skel);
	if (err)
		return err;
	owners->maps[OWNERS] = bpf_map__fd(owners->skel->maps.owners);
	owners->maps[CGROUPS] = bpf_map__fd(owners->skel->maps.cgroups);
	return look(owners);
}

struct la_owners *la_owners_open(bool debug)
{
	struct la_owners *owners = calloc(1, sizeof(*owners));
	int err;

	la_bpf_log_start(debug);
	err = owners ? load(owners) : -ENOMEM;
	la_bpf_log_forget();
	if (!err)
		return owners;
	fprintf(stderr,
		"lastack: processes cannot be told: %s (--no-process: do not try); all else can\n",
		strerror(-err));
	la_owners_free(owners);
	return NULL;
}

void la_owners_free(struct la_owners *owners)
{
	if (!owners)
		return;
	for (int i = 0; !owners->skel && i < MAP_MAX; i++)
		if (owners->maps[i] > 0)
			close(owners->maps[i]);
	owners_bpf__destroy(owners->skel);
	free(owners);
}
