/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.h - a laboratory: network namespaces with a cable between, for live tests and the demo.
 *
 *   client eth0 ---------------------------- eth0 server      la_lab_new(false)
 *   client eth0 ---- left router right ----- eth0 server      la_lab_new(true)
 *
 * The namespaces have no name: they live as long as a descriptor or a process holds them,
 * so the kernel takes the lab down, interfaces and attached programs with it, however the
 * process that made it ends. Children die with that process too.
 *
 * Addresses, routes and neighbours are static and there is no IPv6 duplicate address
 * detection or router discovery: nothing waits, and nothing but the test speaks.
 * For single-threaded use. Errors are said on stderr; the functions return NULL, -1 or false.
 */
#ifndef LA_LIVE_LAB_H
#define LA_LIVE_LAB_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

enum la_lab_host { LA_LAB_CLIENT = 0, LA_LAB_SERVER, LA_LAB_ROUTER, LA_LAB_HOSTS };

struct la_lab;

/* An address with its length, as the socket calls want them. */
struct la_lab_addr {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct la_lab *la_lab_new(bool router);

/*
 * Lays a second cable, from the server straight to the client (`back` at both), and takes the
 * server's routes over it: what the server sends passes the router no more.
 */
bool la_lab_shortcut(struct la_lab *lab);

/* Free of what the process holds; with it the namespaces go. NULL is fine. */
void la_lab_free(struct la_lab *lab);

/*
 * The lab without a router: deletes the cable, both interfaces with it; lays a new one, with
 * the same names and addresses.
 */
bool la_lab_unplug(struct la_lab *lab);
bool la_lab_plug(struct la_lab *lab);

/* Runs a shell command at a host, a line of printf(). False if it failed. */
bool la_lab_sh(struct la_lab *lab, enum la_lab_host host, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Moves the calling thread into a host's namespace, until la_lab_leave(). Not nested. */
bool la_lab_enter(struct la_lab *lab, enum la_lab_host host);
void la_lab_leave(struct la_lab *lab);

bool la_lab_has_router(const struct la_lab *lab);

/* A socket of that host, close-on-exec and non-blocking; or -1. It stays in its namespace. */
int la_lab_socket(struct la_lab *lab, enum la_lab_host host, int family, int type, int protocol);

/* The client's or the server's address. family: AF_INET or AF_INET6; port in host order. */
struct la_lab_addr la_lab_addr(enum la_lab_host host, int family, unsigned short port);

/* The same as text, as lastack prints it. */
const char *la_lab_addr_text(enum la_lab_host host, int family);

/* The index of an interface of that host, or 0. */
unsigned int la_lab_ifindex(struct la_lab *lab, enum la_lab_host host, const char *ifname);

/* Packets that an interface has sent, as it counts them itself; -1 if it cannot be read. */
long long la_lab_tx_packets(struct la_lab *lab, enum la_lab_host host, const char *ifname);

/*
 * A counter of that host's kernel, as nstat(8) knows it: group "Tcp" or "TcpExt" for instance, and
 * its name. -1 if there is none.
 */
long long la_lab_counter(struct la_lab *lab, enum la_lab_host host, const char *group,
			 const char *name);

/* ICMPv6 messages that this host has sent: neighbours are known, so those of its groups. Or -1. */
long long la_lab_icmp6_sent(struct la_lab *lab, enum la_lab_host host);

/* TSO, GSO and GRO of every interface, on or off. */
bool la_lab_offloads(struct la_lab *lab, bool on);

/*
 * Starts a program in a host's namespace; it gets SIGKILL when this process ends.
 * out, err: descriptors for its stdout and stderr, -1 to inherit. Returns its pid or -1.
 */
pid_t la_lab_spawn(struct la_lab *lab, enum la_lab_host host, const char *const argv[], int out,
		   int err);

#endif
