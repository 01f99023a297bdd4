// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab.c - see lab.h. The topology is a script a host for ip(8); the rest is setns(2).
 */
#include "lab.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct la_lab {
	int home;		 /* the namespace we came from */
	int netns[LA_LAB_HOSTS]; /* -1: no such host */
};

static const char *const host_names[LA_LAB_HOSTS] = {"client", "server", "router"};

static const char *const addr_texts[2][2] = {
	[LA_LAB_CLIENT] = {"10.9.1.1", "fd09::1:1"},
	[LA_LAB_SERVER] = {"10.9.2.1", "fd09::2:1"},
};

/* Written in every namespace; the first column is below /proc/sys/net. */
static const char *const sysctls[][2] = {
	{"ipv4/conf/all/rp_filter", "0"},
	{"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/ip_forward", "1"},
	{"ipv4/ip_local_port_range", "47000 65500"}, /* tests choose below that */
	{"unix/max_dgram_qlen", "10000"},	 /* the observer reads few of lastack's notices */
	{"ipv4/tcp_congestion_control", "reno"}, /* paces nothing, is everywhere */
	{"ipv6/conf/all/forwarding", "1"},
	{"ipv6/conf/default/accept_ra", "0"},
	{"ipv6/conf/default/accept_dad", "0"},
	{"ipv6/conf/default/dad_transmits", "0"},
	{"ipv6/conf/default/autoconf", "0"},
	{"ipv6/conf/default/mldv2_unsolicited_report_interval", "1"}, /* ms: over at once */
};

/*
 * ip -batch scripts. CABLE PEER FD makes the veth pair, the rest is the same for both ends:
 * `prefix` is wide where client and server are neighbours, narrow where a router is between.
 */
#define MAC_CLIENT "02:09:00:00:01:01"
#define MAC_SERVER "02:09:00:00:02:01"
#define MAC_LEFT   "02:09:00:00:01:fe"
#define MAC_RIGHT  "02:09:00:00:02:fe"
#define MAC_BACK_C "02:09:00:00:03:01"
#define MAC_BACK_S "02:09:00:00:03:02"

#define CABLE "link add %s address %s type veth peer name %s address %s netns /proc/%d/fd/%d\n"
#define UP(dev)                                                                                    \
	"link set lo up\n"                                                                         \
	"link set " dev " addrgenmode none\n"                                                      \
	"link set " dev " up\n"
#define ADDR(dev, v4, v6) "addr add " v4 " dev " dev "\naddr add " v6 " dev " dev " nodad\n"
#define NEIGH(dev, mac, v4, v6)                                                                    \
	"neigh replace " v4 " lladdr " mac " dev " dev " nud permanent\n"                          \
	"neigh replace " v6 " lladdr " mac " dev " dev " nud permanent\n"
#define ROUTE(v4, via4, v6, via6) "route add " v4 " via " via4 "\nroute add " v6 " via " via6 "\n"

static const char *const direct_scripts[LA_LAB_HOSTS] = {
	[LA_LAB_CLIENT] = UP("eth0") ADDR("eth0", "10.9.1.1/16", "fd09::1:1/64")
		NEIGH("eth0", MAC_SERVER, "10.9.2.1", "fd09::2:1"),
	[LA_LAB_SERVER] = UP("eth0") ADDR("eth0", "10.9.2.1/16", "fd09::2:1/64")
		NEIGH("eth0", MAC_CLIENT, "10.9.1.1", "fd09::1:1"),
};

static const char *const routed_scripts[LA_LAB_HOSTS] = {
	[LA_LAB_CLIENT] = UP("eth0") ADDR("eth0", "10.9.1.1/24", "fd09::1:1/112")
		NEIGH("eth0", MAC_LEFT, "10.9.1.254", "fd09::1:fe")
			ROUTE("10.9.2.0/24", "10.9.1.254", "fd09::2:0/112", "fd09::1:fe"),
	[LA_LAB_SERVER] = UP("eth0") ADDR("eth0", "10.9.2.1/24", "fd09::2:1/112")
		NEIGH("eth0", MAC_RIGHT, "10.9.2.254", "fd09::2:fe")
			ROUTE("10.9.1.0/24", "10.9.2.254", "fd09::1:0/112", "fd09::2:fe"),
	[LA_LAB_ROUTER] = UP("left") UP("right") ADDR("left", "10.9.1.254/24", "fd09::1:fe/112")
		ADDR("right", "10.9.2.254/24", "fd09::2:fe/112")
			NEIGH("left", MAC_CLIENT, "10.9.1.1", "fd09::1:1")
				NEIGH("right", MAC_SERVER, "10.9.2.1", "fd09::2:1"),
};

/* Of la_lab_shortcut(): the client needs no route, it does not answer this way. */
static const char *const shortcut_scripts[] = {
	[LA_LAB_CLIENT] = UP("back"),
	[LA_LAB_SERVER] =
		UP("back") NEIGH("back", MAC_BACK_C, "10.9.1.1",
				 "fd09::1:1") "route add 10.9.1.1/32 dev back src 10.9.2.1\n"
					      "route add fd09::1:1/128 dev back src fd09::2:1\n",
};

static void complain(const char *what, const char *on)
{
	fprintf(stderr, "lab: %s %s: %s\n", what, on, strerror(errno));
}

static int open_netns(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

bool la_lab_enter(struct la_lab *lab, enum la_lab_host host)
{
	if (setns(lab->netns[host], CLONE_NEWNET) == 0)
		return true;
	complain("cannot enter the namespace of the", host_names[host]);
	return false;
}

/* A thread that cannot go home would do all the rest in the wrong place. */
void la_lab_leave(struct la_lab *lab)
{
	if (setns(lab->home, CLONE_NEWNET) == 0)
		return;
	complain("cannot go back to", "the first namespace");
	abort();
}

bool la_lab_has_router(const struct la_lab *lab)
{
	return lab->netns[LA_LAB_ROUTER] >= 0;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!ok)
		complain("cannot write", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* /proc/sys/net shows the namespace of the thread that opens it. */
static bool set_sysctls(void)
{
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctls[i][0]);
		if (!write_file(path, sysctls[i][1]))
			return false;
	}
	return true;
}

static bool make_host(struct la_lab *lab, enum la_lab_host host)
{
	bool ok;

	if (unshare(CLONE_NEWNET)) {
		complain("cannot make a namespace for the", host_names[host]);
		return false;
	}
	lab->netns[host] = open_netns();
	ok = lab->netns[host] >= 0 && set_sysctls();
	la_lab_leave(lab);
	return ok;
}

static bool exited_ok(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs `ip -batch -` on a script in a host's namespace. */
static bool run_ip(struct la_lab *lab, enum la_lab_host host, const char *script)
{
	const char *const argv[] = {"ip", "-batch", "/dev/fd/3", NULL};
	FILE *file = tmpfile();
	pid_t pid = -1;
	bool ok;

	if (!file || fputs(script, file) == EOF || fflush(file))
		goto failed;
	rewind(file);
	pid = fork();
	if (pid == 0) {
		if (!la_lab_enter(lab, host) || dup2(fileno(file), 3) < 0)
			_exit(126);
		lseek(3, 0, SEEK_SET);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0)
		goto failed;
	ok = exited_ok(pid);
	fclose(file);
	if (!ok)
		fprintf(stderr, "lab: ip(8) failed for the %s with this script:\n%s",
			host_names[host], script);
	return ok;
failed:
	complain("cannot run ip(8) for the", host_names[host]);
	if (file)
		fclose(file);
	return false;
}

static bool lay_cable(struct la_lab *lab, enum la_lab_host a, const char *if_a, const char *mac_a,
		      enum la_lab_host b, const char *if_b, const char *mac_b)
{
	char script[256];

	snprintf(script, sizeof(script), CABLE, if_a, mac_a, if_b, mac_b, getpid(), lab->netns[b]);
	return run_ip(lab, a, script);
}

bool la_lab_plug(struct la_lab *lab)
{
	return lay_cable(lab, LA_LAB_CLIENT, "eth0", MAC_CLIENT, LA_LAB_SERVER, "eth0",
			 MAC_SERVER) &&
	       run_ip(lab, LA_LAB_CLIENT, direct_scripts[LA_LAB_CLIENT]) &&
	       run_ip(lab, LA_LAB_SERVER, direct_scripts[LA_LAB_SERVER]);
}

bool la_lab_unplug(struct la_lab *lab)
{
	return run_ip(lab, LA_LAB_CLIENT, "link del eth0\n");
}

static bool build_direct(struct la_lab *lab)
{
	return make_host(lab, LA_LAB_CLIENT) && make_host(lab, LA_LAB_SERVER) && la_lab_plug(lab);
}

static bool build_routed(struct la_lab *lab)
{
	return make_host(lab, LA_LAB_CLIENT) && make_host(lab, LA_LAB_SERVER) &&
	       make_host(lab, LA_LAB_ROUTER) &&
	       lay_cable(lab, LA_LAB_CLIENT, "eth0", MAC_CLIENT, LA_LAB_ROUTER, "left", MAC_LEFT) &&
	       lay_cable(lab, LA_LAB_SERVER, "eth0", MAC_SERVER, LA_LAB_ROUTER, "right",
			 MAC_RIGHT) &&
	       run_ip(lab, LA_LAB_ROUTER, routed_scripts[LA_LAB_ROUTER]) &&
	       run_ip(lab, LA_LAB_CLIENT, routed_scripts[LA_LAB_CLIENT]) &&
	       run_ip(lab, LA_LAB_SERVER, routed_scripts[LA_LAB_SERVER]);
}

struct la_lab *la_lab_new(bool router)
{
	struct la_lab *lab = malloc(sizeof(*lab));
	bool ok;

	if (!lab)
		return NULL;
	*lab = (struct la_lab){.home = open_netns(), .netns = {-1, -1, -1}};
	ok = lab->home >= 0 && (router ? build_routed(lab) : build_direct(lab));
	if (ok)
		return lab;
	la_lab_free(lab);
	return NULL;
}

bool la_lab_shortcut(struct la_lab *lab)
{
	return lay_cable(lab, LA_LAB_CLIENT, "back", MAC_BACK_C, LA_LAB_SERVER, "back",
			 MAC_BACK_S) &&
	       run_ip(lab, LA_LAB_CLIENT, shortcut_scripts[LA_LAB_CLIENT]) &&
	       run_ip(lab, LA_LAB_SERVER, shortcut_scripts[LA_LAB_SERVER]);
}

void la_lab_free(struct la_lab *lab)
{
	int i;

	if (!lab)
		return;
	for (i = 0; i < LA_LAB_HOSTS; i++) {
		if (lab->netns[i] >= 0)
			close(lab->netns[i]);
	}
	if (lab->home >= 0)
		close(lab->home);
	free(lab);
}

int la_lab_socket(struct la_lab *lab, enum la_lab_host host, int family, int type, int protocol)
{
	int fd;

	if (!la_lab_enter(lab, host))
		return -1;
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		complain("cannot make a socket at the", host_names[host]);
	la_lab_leave(lab);
	return fd;
}

const char *la_lab_addr_text(enum la_lab_host host, int family)
{
	return addr_texts[host][family == AF_INET6];
}

struct la_lab_addr la_lab_addr(enum la_lab_host host, int family, unsigned short port)
{
	struct la_lab_addr addr = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr.sa;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr.sa;
	const char *text = la_lab_addr_text(host, family);

	addr.sa.ss_family = (sa_family_t)family;
	in->sin_port = htons(port); /* the same place in both */
	if (family == AF_INET) {
		inet_pton(AF_INET, text, &in->sin_addr);
		return addr;
	}
	inet_pton(AF_INET6, text, &in6->sin6_addr);
	addr.len = sizeof(*in6);
	return addr;
}

unsigned int la_lab_ifindex(struct la_lab *lab, enum la_lab_host host, const char *ifname)
{
	unsigned int ifindex;

	if (!la_lab_enter(lab, host))
		return 0;
	ifindex = if_nametoindex(ifname);
	la_lab_leave(lab);
	return ifindex;
}

/* /proc/net is the thread group's, so the thread's own is asked. */
long long la_lab_icmp6_sent(struct la_lab *lab, enum la_lab_host host)
{
	long long sent = -1;
	char line[128];
	FILE *file;

	if (!la_lab_enter(lab, host))
		return -1;
	file = fopen("/proc/thread-self/net/snmp6", "re");
	while (file && sent < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Icmp6OutMsgs %lld", &sent);
	if (file)
		fclose(file);
	la_lab_leave(lab);
	return sent;
}

long long la_lab_tx_packets(struct la_lab *lab, enum la_lab_host host, const char *ifname)
{
	char line[512], name[IFNAMSIZ + 1];
	long long tx, found = -1;
	FILE *file;

	if (!la_lab_enter(lab, host))
		return -1;
	file = fopen("/proc/thread-self/net/dev", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %16[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %lld", name, &tx) ==
			    2 &&
		    strcmp(name, ifname) == 0)
			found = tx;
	}
	if (file)
		fclose(file);
	la_lab_leave(lab);
	return found;
}

static bool set_offload(int fd, const char *ifname, __u32 command, bool on)
{
	struct ethtool_value value = {.cmd = command, .data = on};
	struct ifreq req = {.ifr_data = (char *)&value};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCETHTOOL, &req) == 0)
		return true;
	complain("cannot set the offloads of", ifname);
	return false;
}

static bool set_offloads(struct la_lab *lab, enum la_lab_host host, const char *ifname, bool on)
{
	static const __u32 commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
	int fd = la_lab_socket(lab, host, AF_INET, SOCK_DGRAM, 0);
	bool ok = fd >= 0;
	size_t i;

	for (i = 0; ok && i < sizeof(commands) / sizeof(*commands); i++)
		ok = set_offload(fd, ifname, commands[i], on);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The value under a name, of a line of names and one of values; -1 if it is not among them. */
static long long value_under(char *names, char *values, const char *name)
{
	char *name_at, *value_at;
	char *key = strtok_r(names, " \n", &name_at), *value = strtok_r(values, " \n", &value_at);

	while (key && value && strcmp(key, name) != 0) {
		key = strtok_r(NULL, " \n", &name_at);
		value = strtok_r(NULL, " \n", &value_at);
	}
	return key && value ? atoll(value) : -1;
}

long long la_lab_counter(struct la_lab *lab, enum la_lab_host host, const char *group,
			 const char *name)
{
	static const char *const paths[] = {"/proc/thread-self/net/snmp",
					    "/proc/thread-self/net/netstat"};
	static char names[16384], values[16384];
	size_t len = strlen(group);
	long long found = -1;

	if (!la_lab_enter(lab, host))
		return -1;
	for (int i = 0; i < 2 && found < 0; i++) {
		FILE *f = fopen(paths[i], "re");

		while (f && found < 0 && fgets(names, sizeof(names), f) &&
		       fgets(values, sizeof(values), f))
			if (!strncmp(names, group, len) && names[len] == ':')
				found = value_under(names, values, name);
		if (f)
			fclose(f);
	}
	la_lab_leave(lab);
	return found;
}

bool la_lab_offloads(struct la_lab *lab, bool on)
{
	bool ok = set_offloads(lab, LA_LAB_CLIENT, "eth0", on) &&
		  set_offloads(lab, LA_LAB_SERVER, "eth0", on);

	if (la_lab_has_router(lab))
		ok = ok && set_offloads(lab, LA_LAB_ROUTER, "left", on) &&
		     set_offloads(lab, LA_LAB_ROUTER, "right", on);
	return ok;
}

/* Between fork and exec: if the parent died before prctl(), nobody would send the signal. */
static void become(struct la_lab *lab, enum la_lab_host host, const char *const argv[], int out,
		   int err, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !la_lab_enter(lab, host))
		_exit(126);
	if ((out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (err >= 0 && dup2(err, STDERR_FILENO) < 0))
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	complain("cannot run", argv[0]);
	_exit(127);
}

pid_t la_lab_spawn(struct la_lab *lab, enum la_lab_host host, const char *const argv[], int out,
		   int err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become(lab, host, argv, out, err, parent);
	if (pid < 0)
		complain("cannot fork for", argv[0]);
	return pid;
}

bool la_lab_sh(struct la_lab *lab, enum la_lab_host host, const char *format, ...)
{
	char command[512];
	const char *const argv[] = {"sh", "-c", command, NULL};
	va_list args;
	pid_t pid;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pid = la_lab_spawn(lab, host, argv, -1, -1);
	if (pid > 0 && exited_ok(pid))
		return true;
	fprintf(stderr, "lab: failed at the %s: %s\n", host_names[host], command);
	return false;
}
