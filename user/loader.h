/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader.h - the BPF object in the kernel: loaded, configured, started, closed.
 *
 * The only way to the skeleton: nobody else includes lastack.skel.h, everybody else sees
 * file descriptors and counters. Attaching is attach.h's affair, records are events.h's.
 */
#ifndef LA_USER_LOADER_H
#define LA_USER_LOADER_H

#include "engine.h"
#include "la_act.h"
#include "la_metrics.h"
#include "map_fds.h"
#include "persist.h"
#include "table.h"

/* The programs that can be attached to an interface. */
enum la_prog {
	LA_PROG_XDP,
	LA_PROG_TC_INGRESS,
	LA_PROG_TC_EGRESS,
	LA_PROG_TC_INGRESS_L3, /* L3: the device has no Ethernet header */
	LA_PROG_TC_EGRESS_L3,
	LA_PROG_MAX,
};

struct la_loader_opts {
	struct la_config config;
	const struct la_guards *guards; /* whose RSTs are not judged; NULL: nobody's */
	__u32 progs;	 /* bits 1 << enum la_prog: only these, for verifying takes time; 0: all */
	__u32 max_flows; /* entries of the flow table; 0: as the object declares */
	__u32 max_attempts; /* of them, how many may be half-open; 0: a quarter */
	__u32 ring_bytes;   /* size of the ring buffer, a power of two; 0: as the object declares */
	bool replay;	    /* for la_loader_feed(): the programs believe what they are told */
	bool generic;	    /* XDP will be generic: see kernel_takes_frags() */
	bool debug;	    /* libbpf's messages go to stderr as they come */
	/*
	 * Where maps and programs are pinned. If they were found there they are used, and config
	 * takes effect; programs are loaded if they are of another build, or are missing. NULL:
	 * all goes when the loader is closed.
	 */
	struct la_persist *persist;
	/* Maps of another process, of the same layout, to look at. NULL: its own or pinned ones. */
	const struct la_map_fds *maps;
	bool look; /* of persist take what is there, and change nothing: load, start, configure */
};

struct la_loader;

/* Loads the object into the kernel. NULL: it failed, and why is on stderr. */
struct la_loader *la_loader_open(const struct la_loader_opts *opts);

/* A number that says how maps and records are laid out: equal in builds that understand each other.
 */
__u64 la_loader_layout(void);

/* All maps; the loader keeps owning the file descriptors. */
void la_loader_maps(const struct la_loader *loader, struct la_map_fds *maps);

/* True if what persist has found can be used: its maps are laid out as those of this build. */
bool la_loader_knows(const struct la_persist *persist);

/* The file descriptor of a program that was asked for; the loader keeps owning it. */
int la_loader_prog(const struct la_loader *loader, enum la_prog prog);

/* The file descriptor of the ring buffer map; the loader keeps owning it. */
int la_loader_ring(const struct la_loader *loader);

/* The flow table, to be read; the loader keeps owning its file descriptor. */
struct la_table la_loader_table(const struct la_loader *loader);

/*
 * Replay: expires flows whose time is over. Where the clock is the kernel's, a timer of its
 * own does that, and offers close records again that found the ring buffer full. Returns 0
 * or -errno.
 */
int la_loader_sweep(struct la_loader *loader);

/*
 * Closes the flows that are still open (reason shutdown), as far as the ring buffer has
 * room for their close records; to be called again, with the ring drained in between, until
 * la_loader_flows() is 0. Detach first, or new flows appear meanwhile. Returns 0 or -errno.
 */
int la_loader_shutdown(struct la_loader *loader);

/*
 * Replay: sets the clock of the programs, ns. Returns the time before which no flow's clock
 * runs out, so that until then there is nothing to sweep.
 */
__u64 la_loader_clock(struct la_loader *loader, __u64 now);

/*
 * Replay: runs a program on a packet of at least 14 bytes (the kernel insists), at the time
 * that la_loader_clock() set. Returns 0 or -errno.
 */
int la_loader_feed(struct la_loader *loader, enum la_prog prog, const struct la_captured *packet);

/*
 * Other timeouts, another pressure, RST policy and guards, from now on and for the flows that
 * there are: what would have ended by them, ends. The rest of config must be as it was. Returns 0
 * or -errno.
 */
int la_loader_reconfigure(struct la_loader *loader, const struct la_config *config,
			  const struct la_guards *guards);

/*
 * Does something to one connection (la_act.h), named by its key and id as records have them. If
 * flow is not NULL it is the flow as it is afterwards, for instance to aim a RST (la_rst_aim()).
 * Returns 0, -ENOENT if there is no such connection (any more), or another -errno.
 */
int la_loader_act(struct la_loader *loader, const struct la_key *key, __u64 id, enum la_act act,
		  __u8 arg, struct la_flow *flow);

/* The counters, summed over all CPUs. Returns 0 or -errno. */
int la_loader_counters(const struct la_loader *loader, struct la_counters *sum);

/* The metrics, likewise. Both may be asked for by any thread. */
int la_loader_metrics(const struct la_loader *loader, struct la_metrics *sum);

/* Bytes of kernel memory that all maps take. 0 if the kernel does not say. */
__u64 la_loader_memory(const struct la_loader *loader);

/* Flows in the table by those counters: opened and not gone. 0 if they cannot be read. */
__u64 la_loader_flows(const struct la_loader *loader);

/* Entries of the flow table. 0 if it cannot be asked. */
__u32 la_loader_max_flows(const struct la_loader *loader);

/* Takes the object out of the kernel, unless it is pinned. NULL is allowed. */
void la_loader_close(struct la_loader *loader);

#endif
