/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdev.c - asks the kernel about interfaces, by ioctl and rtnetlink. See netdev.h.
 */
#include "netdev.h"
#include "options.h"
#include "suggest.h"
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* No machine that a person types interface names on has more. */
#define NAMES_MAX 256

/* Reports that there is no such interface, with the nearest name or all of them. */
static void report_missing(const char *name)
{
	struct if_nameindex *all = if_nameindex();
	const char *names[NAMES_MAX], *near;
	char todo[400] = "there are: ";
	size_t count = 0;

	for (; all && all[count].if_index && count < NAMES_MAX; count++)
		names[count] = all[count].if_name;
	near = la_suggest(name, names, count);
	if (near)
		snprintf(todo, sizeof(todo), "did you mean %s?", near);
	else
		la_netdev_names(todo + strlen(todo), sizeof(todo) - strlen(todo));
	la_fail(LA_EXIT_RUNTIME, "cannot attach", name, "no such interface", todo);
	if (all)
		if_freenameindex(all);
}

/* True for link types whose frames begin with an Ethernet header. */
static bool is_ethernet(unsigned short arphrd)
{
	return arphrd == ARPHRD_ETHER || arphrd == ARPHRD_LOOPBACK;
}

int la_netdev_look(const char *name, struct la_netdev *dev)
{
	struct ifreq req = {0};
	int fd, err = 0;

	memset(dev, 0, sizeof(*dev));
	dev->ifindex = (int)if_nametoindex(name);
	if (!dev->ifindex || !la_netdev_name(dev->ifindex, dev->name))
		return -ENODEV;
	memcpy(req.ifr_name, dev->name, sizeof(req.ifr_name));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req)) {
		err = -errno;
		goto cleanup;
	}
	dev->ethernet = is_ethernet(req.ifr_hwaddr.sa_family);
	dev->loopback = req.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	if (!ioctl(fd, SIOCGIFMTU, &req))
		dev->mtu = req.ifr_mtu;
cleanup:
	if (fd >= 0)
		close(fd);
	return err;
}

int la_netdev_find(const char *name, struct la_netdev *dev)
{
	int err = la_netdev_look(name, dev);

	if (err == -ENODEV)
		report_missing(name);
	else if (err)
		la_fail(LA_EXIT_RUNTIME, "cannot attach", name, strerror(-err), NULL);
	return err ? -1 : 0;
}

bool la_netdev_name(int ifindex, char name[IF_NAMESIZE])
{
	return if_indextoname((unsigned int)ifindex, name);
}

void la_netdev_names(char *text, size_t size)
{
	struct if_nameindex *all = if_nameindex();
	size_t used = 0;

	for (size_t i = 0; all && all[i].if_index && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 all[i].if_name);
	if (all)
		if_freenameindex(all);
}

int la_netdev_watch_open(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		la_fail(LA_EXIT_RUNTIME, "cannot watch the interfaces", "rtnetlink",
			strerror(errno), NULL);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

void la_netdev_watch_drain(int fd)
{
	char byte;

	/* ENOBUFS: messages were lost, and more may follow in the queue. */
	while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0 || errno == ENOBUFS)
		;
}
