/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.h - the programs on the interfaces.
 *
 * Owns every link and filter that lastack puts on an interface: chooses the hooks, says on
 * stderr what it chose and why, never displaces a program of somebody else, and takes all
 * of it off again. Links are held by file descriptor, so that even a killed lastack leaves
 * nothing behind, unless it is to persist; only the filters of old kernels (clsact.h) need an
 * orderly end.
 */
#ifndef LA_USER_ATTACH_H
#define LA_USER_ATTACH_H

#include "loader.h"
#include "netdev.h"

/* What --hook asks for: where ingress is watched. Egress is always tc. */
enum la_hook_choice {
	LA_CHOICE_AUTO,	       /* native XDP if driver and interface are free, else tc */
	LA_CHOICE_XDP,	       /* native XDP or nothing */
	LA_CHOICE_XDP_GENERIC, /* generic XDP or nothing */
	LA_CHOICE_TC,	       /* tcx, or clsact where the kernel has no tcx */
	LA_CHOICE_TC_LEGACY,   /* clsact even where the kernel has tcx */
};

struct la_attach;

/* The programs that la_attach_add() may want for this: bits 1 << enum la_prog. */
__u32 la_attach_needs(const struct la_netdev *dev, enum la_hook_choice choice);

/*
 * NULL: out of memory, which is on stderr. The loader must outlive it; who adds nothing needs
 * none. With persist (which must
 * outlive it, too) what is attached stays when the process ends, however it does, and what an
 * earlier one has left is taken over when it is added.
 */
struct la_attach *la_attach_new(const struct la_loader *loader, struct la_persist *persist);

/*
 * Attaches to one more interface, all hooks or none. Returns 0, or -1 with the reason on
 * stderr.
 */
int la_attach_add(struct la_attach *attach, const struct la_netdev *dev,
		  enum la_hook_choice choice);

/*
 * True if la_attach_add() was called for this interface and it is still there, be it attached
 * or refused: what was refused is not tried again and again.
 */
bool la_attach_knows(const struct la_attach *attach, int ifindex);

/* True if this interface is attached. */
bool la_attach_has(const struct la_attach *attach, int ifindex);

/*
 * Lets go of interfaces that are gone and takes up new names, with a line on stderr for each.
 * An interface that was moved to another network namespace is gone: its programs, which the
 * kernel moves with it, are taken off. One that was deleted and made again is gone, too, even
 * if it has the same index. Down is not gone: the programs stay.
 */
void la_attach_check(struct la_attach *attach);

/*
 * Takes everything off one interface, with a line on stderr if there was something; it can be
 * added again.
 */
void la_attach_drop(struct la_attach *attach, int ifindex);

/* How many interfaces are attached. */
unsigned int la_attach_count(const struct la_attach *attach);

/*
 * The last name known of an interface that is attached or was, ctx being the struct la_attach;
 * or NULL. Of those that are gone the latest LA_ATTACH_GONE_MAX are remembered.
 */
#define LA_ATTACH_GONE_MAX 1024
const char *la_attach_ifname(__u32 ifindex, void *ctx);

/*
 * With persist: takes off what an earlier process has left on interfaces that were not added, gone
 * ones among them.
 */
void la_attach_prune(struct la_attach *attach);

/* Takes everything off all interfaces; names stay known. Safe to call twice. */
void la_attach_detach(struct la_attach *attach);

/* Detaches, unless it is to persist, and frees. NULL is allowed. */
void la_attach_free(struct la_attach *attach);

#endif
