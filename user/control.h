/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - what is said over the control socket of `run`.
 *
 *   client                      daemon
 *     request  ---------------->
 *              <----------------  answer, or an error with its text
 *              <----------------  records ...                (after LA_SAY_WATCH and LA_SAY_KILL)
 *
 * A local SOCK_SEQPACKET socket, so a message arrives whole or not at all; its head names the
 * layout of everything behind it. The daemon computes nothing for a client: LA_SAY_MAPS is
 * answered with the file descriptors of the BPF maps, which the client reads itself, by the
 * same code as pinned ones. Both ends check by the kernel's word who the other one is.
 */
#ifndef LA_USER_CONTROL_H
#define LA_USER_CONTROL_H

#include "la_abi.h"
#include "map_fds.h"
#include <net/if.h>
#include <sys/types.h>

#define LA_CONTROL_DIR "/run/lastack"
/* A path that fits a socket's address, see unix(7). */
#define LA_CONTROL_PATH_MAX 108

#define LA_CONTROL_MAGIC 0x6c617374 /* "last" */

/* What a message is: first those of clients, then those of the daemon. */
enum la_say {
	LA_SAY_MAPS = 1, /* no more than a head; answered by struct la_control_maps */
	LA_SAY_WATCH,	 /* struct la_control_watch; answered by records without an end */
	LA_SAY_CLOSES,	 /* struct la_control_closes; answered by the same, and some records */
	LA_SAY_KILL,	 /* struct la_control_kill; answered by a policy record a connection */
	LA_SAY_RECALL,	 /* struct la_control_recall; answered by the records that there are */

	LA_SAY_ERROR = 128, /* the text of why not */
	LA_SAY_MAPS_ARE,
	LA_SAY_CLOSES_ARE,
	LA_SAY_RECORDS, /* records of the ABI one behind the other; of a stream the first is empty
			 */
};

/* Head of every message. */
struct la_control_head {
	__u32 magic;  /* LA_CONTROL_MAGIC */
	__u16 say;    /* enum la_say */
	__u16 abi;    /* LA_ABI_VERSION */
	__u64 layout; /* la_loader_layout(): of maps and records */
};

/* LA_SAY_WATCH. */
struct la_control_watch {
	struct la_control_head head;
	char filter[]; /* text of a filter, up to the end of the message */
};

/* How many close records a daemon remembers. */
#define LA_CONTROL_CLOSES 16384

/*
 * LA_SAY_CLOSES: from which close record on, counted since the daemon began; and the answer: the
 * number of the record behind those that follow, as many as fit. If it is `from`, that was all.
 */
struct la_control_closes {
	struct la_control_head head;
	__u64 from;
	struct la_rec_close records[];
};

/* A connection by its names. */
struct la_control_conn {
	struct la_key key;
	__u64 id;
};

/*
 * LA_SAY_KILL: both ends of these connections are to be reset. What else a connection of the
 * socket asks of the kind is answered in the same stream; each answer is told to all who have
 * asked.
 */
struct la_control_kill {
	struct la_control_head head;
	struct la_control_conn conns[]; /* up to the end of the message */
};

/* LA_SAY_RECALL: what is remembered of a connection (recall.h); one message, the latest of it. */
struct la_control_recall {
	struct la_control_head head;
	__u64 id;
};

/* Connections that may wait to be reset. */
#define LA_CONTROL_KILLS_MAX 65536

#define LA_CONTROL_IFS_MAX 256

/* An interface of the daemon's network namespace. */
struct la_control_if {
	__u32 ifindex;
	char name[IF_NAMESIZE];
};

/* LA_SAY_MAPS_ARE: the message bears a file descriptor for each of the maps. */
struct la_control_maps {
	struct la_control_head head;
	__u32 pid; /* of the daemon */
	__u32 map_count;
	__u32 if_count;
	__u32 pad;
	char maps[LA_MAP_FDS_MAX][LA_MAP_NAME];
	struct la_control_if ifs[LA_CONTROL_IFS_MAX];
};

/* The largest message: records are sent in batches of it, as long as they fit. */
#define LA_CONTROL_BYTES 32768

_Static_assert(sizeof(struct la_control_head) == 16, "ABI");
_Static_assert(sizeof(struct la_control_maps) <= LA_CONTROL_BYTES, "a message");
_Static_assert(sizeof(struct la_control_watch) + 4096 <= LA_CONTROL_BYTES, "a message");

/* The head of a message. */
struct la_control_head la_control_head(enum la_say say);

/* The socket of a daemon by its name (of --persist, or "default"). */
void la_control_path(char *path, size_t size, const char *name);

/*
 * True if the process at the other end may talk to this one: it is root's, or runs as the same
 * user as this one.
 */
bool la_control_trusts(int fd);

/* Sends a message with file descriptors, without waiting. Returns 0 or -errno. */
int la_control_send(int fd, const void *message, size_t size, const int *fds, unsigned int count);

/*
 * Receives a message of at most `size` bytes, and up to `max` file descriptors, which are the
 * caller's then; *count is how many there are. Returns its length, 0 if the other end is gone,
 * or -errno: -EPROTO if it is none of this protocol and version.
 */
ssize_t la_control_receive(int fd, void *message, size_t size, int *fds, unsigned int max,
			   unsigned int *count);

#endif
