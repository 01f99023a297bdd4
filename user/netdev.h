/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdev.h - network interfaces: which there are, what kind, and whether they still exist.
 *
 * Knows nothing of BPF. The verbs look their -i up here; the attacher asks what kind of
 * device it is; the main loop waits on the watch.
 */
#ifndef LA_USER_NETDEV_H
#define LA_USER_NETDEV_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct la_netdev {
	char name[IF_NAMESIZE]; /* the kernel's name, even if an alternative one was given */
	int ifindex;
	int mtu;       /* bytes */
	bool ethernet; /* its frames begin with an Ethernet header; false: with the IP header */
	bool loopback;
};

/* Looks an interface up by name. Returns 0 or -errno; -ENODEV: there is none. */
int la_netdev_look(const char *name, struct la_netdev *dev);

/* The same for a name that a person gave: returns 0, or -1 with the reason on stderr. */
int la_netdev_find(const char *name, struct la_netdev *dev);

/* The name of the interface of that index in this network namespace. False: there is none. */
bool la_netdev_name(int ifindex, char name[IF_NAMESIZE]);

/* Writes the names of the interfaces, separated by spaces, as many as fit. */
void la_netdev_names(char *text, size_t size);

/*
 * A file descriptor that becomes readable when any interface changes, comes or goes.
 * It does not tell which: look at all, which also holds when the kernel had more to tell
 * than it could queue. Returns -1 with the reason on stderr.
 */
int la_netdev_watch_open(void);

/* Takes what the watch has to say, so that it is quiet until the next change. */
void la_netdev_watch_drain(int fd);

#endif
