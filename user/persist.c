/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * persist.c - see persist.h.
 */
#include "persist.h"
#include "options.h"
#include "privilege.h"
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Who looks (status) holds the lock for a moment: it is asked for so often, so long apart. */
#define LOCK_TRIES    10
#define LOCK_PAUSE_US 20000

#define STATE "state"

static const char *const prefixes[] = {
	[LA_PIN_MAP] = "map_", [LA_PIN_PROG] = "prog_", [LA_PIN_LINK] = "link_"};

struct la_persist {
	int dir; /* -1: there is none */
	enum la_persist_for use;
	bool locked;
	bool foreign;
	struct la_persist_state *state; /* NULL: there is none */
	size_t state_size;		/* bytes mapped */
	char name[LA_PERSIST_NAME_MAX + 1];
	char above[PATH_MAX]; /* BPFFS/lastack */
	char path[PATH_MAX];  /* BPFFS/lastack/NAME */
};

static const char *const cannot[] = {
	[LA_PERSIST_RUN] = "cannot persist",
	[LA_PERSIST_DETACH] = "cannot detach",
	[LA_PERSIST_LOOK] = "cannot look",
};

static void complain(const struct la_persist *persist, int err)
{
	if (err == -EPERM || err == -EACCES)
		la_fail_privilege(cannot[persist->use], persist->path);
	else
		la_fail(LA_EXIT_RUNTIME, cannot[persist->use], persist->path, strerror(-err), NULL);
}

bool la_persist_name_ok(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(name);

	return len && len <= LA_PERSIST_NAME_MAX && strspn(name, allowed) == len;
}

/* ---- the directory ---- */

/* Says what to do when there is no bpffs. */
static int check_bpffs(const char *bpffs, const char *what)
{
	struct statfs fs;
	char todo[300];

	if (!statfs(bpffs, &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	snprintf(todo, sizeof(todo),
		 "mount one: mount -t bpf bpf %s; `ip netns exec` hides that of the host: name "
		 "another mount of it with --bpffs",
		 bpffs);
	la_fail(LA_EXIT_RUNTIME, what, bpffs, "there is no bpffs", todo);
	return -1;
}

/* Makes the directories. Returns 0, or -errno; -ESTALE: the upper one was removed meanwhile. */
static int make_dirs(const struct la_persist *persist)
{
	if (mkdir(persist->above, 0700) && errno != EEXIST)
		return -errno;
	if (!mkdir(persist->path, 0700) || errno == EEXIST)
		return 0;
	return errno == ENOENT ? -ESTALE : -errno;
}

/* Removes the directory, and the one above if this was the last in it. Returns 0 or -errno. */
static int remove_dirs(const struct la_persist *persist)
{
	int err = rmdir(persist->path) ? -errno : 0;

	rmdir(persist->above);
	return err;
}

/* True if the open directory is still what is found by its path. */
static bool is_linked(const struct la_persist *persist)
{
	struct stat open_one, found;

	return !fstat(persist->dir, &open_one) && !stat(persist->path, &found) &&
	       open_one.st_ino == found.st_ino && open_one.st_dev == found.st_dev;
}

/*
 * Anybody may make a directory in a bpffs, unless it is mounted otherwise; what is in one of
 * somebody else's cannot be believed. Returns 0, or -1 with the reason on stderr.
 */
static int check_owner(const struct la_persist *persist)
{
	const char *const paths[] = {persist->above, persist->path};
	struct stat st;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		if (persist->dir < 0 ||
		    (!lstat(paths[i], &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		     !(st.st_mode & (S_IWGRP | S_IWOTH))))
			continue;
		la_fail(LA_EXIT_RUNTIME, cannot[persist->use], paths[i],
			"it belongs to somebody else, or others may write there",
			"remove it, or name another bpffs with --bpffs");
		return -1;
	}
	return 0;
}

static int lock(const struct la_persist *persist)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(persist->dir, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		usleep(LOCK_PAUSE_US);
	}
	return -EWOULDBLOCK;
}

static void close_dir(struct la_persist *persist)
{
	if (persist->dir >= 0)
		close(persist->dir);
	persist->dir = -1;
}

/* One try at what open_dir() does. -ESTALE: it was taken away meanwhile. */
static int try_dir(struct la_persist *persist)
{
	int err = persist->use == LA_PERSIST_RUN ? make_dirs(persist) : 0;

	if (err)
		return err;
	persist->dir = open(persist->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (persist->dir < 0 && errno == ENOENT)
		return persist->use == LA_PERSIST_RUN ? -ESTALE : 0;
	if (persist->dir < 0)
		return -errno;
	if (persist->use == LA_PERSIST_LOOK)
		return 0;
	err = lock(persist);
	if (!err && !is_linked(persist))
		err = -ESTALE;
	persist->locked = !err;
	return err;
}

/* Opens the directory, if there is one, and locks it, if it is to be changed. 0 or -errno. */
static int open_dir(struct la_persist *persist)
{
	int err = -ESTALE;

	for (int i = 0; i < LOCK_TRIES && err == -ESTALE; i++) {
		close_dir(persist);
		err = try_dir(persist);
	}
	return err;
}

/* ---- the state ---- */

static __u64 realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (__u64)t.tv_sec * LA_SEC_NS + (__u64)t.tv_nsec;
}

static __u64 own_netns(void)
{
	struct stat ns;

	return stat("/proc/self/ns/net", &ns) ? 0 : ns.st_ino;
}

static void pin_path(const struct la_persist *persist, const char *prefix, const char *name,
		     char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.3900s/%s%.150s", persist->path, prefix, name);
	for (char *at = path + strlen(persist->path); *at; at++)
		if (*at == '.') /* bpffs keeps dots for itself */
			*at = '_';
}

/* Maps the state that fd is. Returns 0 or -errno. */
static int map_state(struct la_persist *persist, int fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	int writable = persist->use == LA_PERSIST_LOOK ? 0 : PROT_WRITE;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	persist->foreign = info.value_size != sizeof(*persist->state);
	persist->state_size = (info.value_size + page - 1) & ~(page - 1);
	mem = mmap(NULL, persist->state_size, PROT_READ | writable, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	persist->state = mem;
	if (persist->state->abi != LA_ABI_VERSION)
		persist->foreign = true;
	return 0;
}

static void unmap_state(struct la_persist *persist)
{
	if (persist->state)
		munmap(persist->state, persist->state_size);
	persist->state = NULL;
}

/* Returns 0, also if there is none, or -errno. */
static int find_state(struct la_persist *persist)
{
	char path[PATH_MAX];
	int fd, err;

	pin_path(persist, STATE, "", path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = map_state(persist, fd);
	close(fd);
	return err;
}

int la_persist_begin(struct la_persist *persist)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	char path[PATH_MAX];
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "la_state", sizeof(__u32),
				     sizeof(*persist->state), 1, &opts);

	if (fd < 0)
		return fd;
	pin_path(persist, STATE, "", path);
	err = bpf_obj_pin(fd, path);
	if (!err)
		err = map_state(persist, fd);
	close(fd);
	if (err)
		return err;
	persist->state->abi = LA_ABI_VERSION;
	persist->foreign = false;
	persist->state->netns = own_netns();
	persist->state->since = realtime_ns();
	persist->state->journal.position = LA_JOURNAL_NONE;
	return 0;
}

void la_persist_sign(struct la_persist *persist)
{
	persist->state->daemon_pid = (__u32)getpid();
	persist->state->daemon_uid = getuid();
	persist->state->daemon_since = realtime_ns();
}

/* ---- opening ---- */

static int complain_owned(struct la_persist *persist)
{
	char why[80], todo[120];
	__u32 pid = 0;

	if (!find_state(persist) && persist->state && !persist->foreign)
		pid = persist->state->daemon_pid;
	snprintf(why, sizeof(why), "another lastack owns it, pid %u", pid);
	snprintf(todo, sizeof(todo), "stop that first: kill %u%s", pid,
		 persist->use == LA_PERSIST_RUN ? "; or take another name: --persist=NAME" : "");
	return la_fail(LA_EXIT_RUNTIME, cannot[persist->use], persist->path,
		       pid ? why : "another lastack owns it", pid ? todo : NULL);
}

/* Interfaces are numbers, which mean something in their own network namespace only. */
static int check_netns(const struct la_persist *persist)
{
	char why[120];

	if (persist->use != LA_PERSIST_RUN || !la_persist_found(persist) || persist->foreign ||
	    la_persist_here(persist))
		return 0;
	snprintf(why, sizeof(why), "it was begun in another network namespace, net:[%llu]",
		 (unsigned long long)persist->state->netns);
	la_fail(LA_EXIT_RUNTIME, cannot[persist->use], persist->path, why,
		"go there (nsenter --net=), or take another name: --persist=NAME");
	return -1;
}

/* Unpins all. Returns 0 or -errno. */
static int unpin_all(const struct la_persist *persist)
{
	int fd = openat(persist->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.' && unlinkat(persist->dir, entry->d_name, 0))
			err = -errno;
	closedir(dir);
	return err;
}

/* Sees to what a start left that was cut off. Returns 0 or -errno. */
static int sweep_up(struct la_persist *persist)
{
	if (persist->use == LA_PERSIST_LOOK || persist->dir < 0 || la_persist_found(persist))
		return 0;
	if (persist->use == LA_PERSIST_DETACH)
		return la_persist_remove(persist);
	unmap_state(persist);
	return unpin_all(persist);
}

struct la_persist *la_persist_open(const char *bpffs, const char *name, enum la_persist_for use)
{
	struct la_persist *persist = calloc(1, sizeof(*persist));
	int err;

	if (!persist)
		return la_fail(LA_EXIT_RUNTIME, cannot[use], name, strerror(ENOMEM), NULL), NULL;
	persist->dir = -1;
	persist->use = use;
	snprintf(persist->name, sizeof(persist->name), "%s", name);
	snprintf(persist->above, sizeof(persist->above), "%.3800s/lastack", bpffs);
	snprintf(persist->path, sizeof(persist->path), "%.3900s/%s", persist->above, name);
	if (check_bpffs(bpffs, cannot[use]))
		goto failed;
	err = open_dir(persist);
	if (check_owner(persist))
		goto failed;
	if (err == -EWOULDBLOCK) {
		complain_owned(persist);
		goto failed;
	}
	if (!err && persist->dir >= 0)
		err = find_state(persist);
	if (!err)
		err = sweep_up(persist);
	if (err) {
		complain(persist, err);
		goto failed;
	}
	if (check_netns(persist))
		goto failed;
	return persist;
failed:
	if (persist->locked)
		remove_dirs(persist); /* which only works if they are empty */
	la_persist_close(persist);
	return NULL;
}

bool la_persist_found(const struct la_persist *persist)
{
	return persist->state && (persist->foreign || persist->state->ready);
}

bool la_persist_foreign(const struct la_persist *persist)
{
	return persist->foreign;
}

struct la_persist_state *la_persist_state(const struct la_persist *persist)
{
	return persist->state;
}

bool la_persist_here(const struct la_persist *persist)
{
	return persist->state->netns == own_netns();
}

bool la_persist_owned(const struct la_persist *persist)
{
	if (flock(persist->dir, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK;
	flock(persist->dir, LOCK_UN);
	return false;
}

const char *la_persist_path(const struct la_persist *persist)
{
	return persist->path;
}

const char *la_persist_name(const struct la_persist *persist)
{
	return persist->name;
}

/* ---- pins ---- */

int la_persist_get(const struct la_persist *persist, enum la_pin kind, const char *name)
{
	char path[PATH_MAX];

	pin_path(persist, prefixes[kind], name, path);
	return bpf_obj_get(path);
}

int la_persist_put(struct la_persist *persist, enum la_pin kind, const char *name, int fd)
{
	char fresh[PATH_MAX], path[PATH_MAX];
	int err;

	pin_path(persist, "fresh", "", fresh);
	pin_path(persist, prefixes[kind], name, path);
	unlink(fresh);
	err = bpf_obj_pin(fd, fresh);
	if (err)
		return err;
	return rename(fresh, path) ? -errno : 0;
}

void la_persist_drop(struct la_persist *persist, enum la_pin kind, const char *name)
{
	char path[PATH_MAX];

	pin_path(persist, prefixes[kind], name, path);
	unlink(path);
}

int la_persist_remove(struct la_persist *persist)
{
	int err;

	if (persist->state && !persist->foreign)
		persist->state->ready = 0; /* from here on it is of no use to anybody */
	err = unpin_all(persist);
	if (!err)
		err = remove_dirs(persist);
	unmap_state(persist);
	return err;
}

void la_persist_close(struct la_persist *persist)
{
	if (!persist)
		return;
	unmap_state(persist);
	close_dir(persist);
	free(persist);
}

/* ---- all of them ---- */

static int is_instance(const struct dirent *entry)
{
	return la_persist_name_ok(entry->d_name);
}

int la_persist_each(const char *bpffs, int (*fn)(const char *name, void *ctx), void *ctx)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int count, result = 0;

	if (check_bpffs(bpffs, cannot[LA_PERSIST_LOOK]))
		return -1;
	snprintf(path, sizeof(path), "%s/lastack", bpffs);
	count = scandir(path, &entries, is_instance, alphasort);
	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0) {
		if (errno == EACCES)
			la_fail_privilege(cannot[LA_PERSIST_LOOK], path);
		else
			la_fail(LA_EXIT_RUNTIME, cannot[LA_PERSIST_LOOK], path, strerror(errno),
				NULL);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		if (!result)
			result = fn(entries[i]->d_name, ctx);
		free(entries[i]);
	}
	free(entries);
	return result;
}
