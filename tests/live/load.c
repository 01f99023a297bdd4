// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.c - see load.h. A process a server, some for the client; plain blocking sockets.
 */
#include "load.h"
#include "clock.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS	   2
#define PORTS	   40 /* of the server: a client has as many times its own ports */
#define FIRST_PORT 9500

/* What the clients ask before each connection; shared with them. */
struct bound {
	unsigned long long opened, most;
	bool over;
};

struct la_load {
	pid_t server;
	pid_t clients[CLIENTS];
	struct bound *bound;
};

/* The ports of a connection are not used again while the kernel remembers it. */
static const char sysctls[] = "cd /proc/sys/net/ipv4 && echo 0 >tcp_tw_reuse && "
			      "echo 2000000 >tcp_max_tw_buckets && "
			      "echo 1024 65535 >ip_local_port_range";

/* ---- the server ---- */

static int listen_at(unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at.sa, at.len) && !listen(fd, 64))
		return fd;
	perror("load: cannot listen");
	_exit(1);
}

/* Answers each request, and closes when the client has. */
static void answer(int listener)
{
	int fd = accept(listener, NULL, NULL);
	char byte;

	while (fd >= 0 && read(fd, &byte, 1) == 1)
		if (write(fd, &byte, 1) != 1)
			break;
	if (fd >= 0)
		close(fd);
}

static void serve(const int listeners[PORTS])
{
	struct pollfd waits[PORTS];

	for (int i = 0; i < PORTS; i++)
		waits[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
	while (poll(waits, PORTS, -1) > 0)
		for (int i = 0; i < PORTS; i++)
			if (waits[i].revents)
				answer(listeners[i]);
	_exit(1);
}

/* ---- the clients ---- */

static bool connect_and_close(unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 'a';
	bool ok;

	ok = fd >= 0 && !connect(fd, (struct sockaddr *)&at.sa, at.len) &&
	     write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1 && !shutdown(fd, SHUT_WR) &&
	     read(fd, &byte, 1) == 0;
	if (!ok)
		perror("load: a connection failed");
	if (fd >= 0)
		close(fd);
	return ok;
}

/* True if it may open one more connection; false: it is time to end. */
static bool may_open(struct bound *bound, long long end)
{
	while (!__atomic_load_n(&bound->over, __ATOMIC_RELAXED) && la_monotonic_ms() < end) {
		if (__atomic_load_n(&bound->opened, __ATOMIC_RELAXED) <
		    __atomic_load_n(&bound->most, __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&bound->opened, 1, __ATOMIC_RELAXED);
			return true;
		}
		poll(NULL, 0, 1);
	}
	return false;
}

static void ask_for(struct bound *bound, int ms)
{
	long long end = la_monotonic_ms() + ms;

	for (unsigned int i = 0; may_open(bound, end); i++)
		if (!connect_and_close((unsigned short)(FIRST_PORT + i % PORTS)))
			_exit(1);
	_exit(0);
}

/* ---- both ---- */

/* Forks a process at a host, which ends with this one. Returns as fork() does. */
static pid_t fork_at(struct la_lab *lab, enum la_lab_host host)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !la_lab_enter(lab, host))
		_exit(1);
	return 0;
}

/* The listeners are made here, so that they are there before the first client asks. */
static pid_t start_server(struct la_lab *lab)
{
	int listeners[PORTS];
	pid_t pid;

	if (!la_lab_enter(lab, LA_LAB_SERVER))
		return -1;
	for (int i = 0; i < PORTS; i++)
		listeners[i] = listen_at((unsigned short)(FIRST_PORT + i));
	la_lab_leave(lab);
	pid = fork_at(lab, LA_LAB_SERVER);
	if (!pid)
		serve(listeners);
	for (int i = 0; i < PORTS; i++)
		close(listeners[i]);
	return pid;
}

static struct bound *bound_new(unsigned long long most)
{
	struct bound *bound = mmap(NULL, sizeof(*bound), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (bound == MAP_FAILED)
		return NULL;
	bound->most = most;
	return bound;
}

struct la_load *la_load_start(struct la_lab *lab, int ms, unsigned long long most)
{
	struct la_load *load = calloc(1, sizeof(*load));

	if (!load || !la_lab_sh(lab, LA_LAB_CLIENT, "%s", sysctls))
		goto failed;
	load->bound = bound_new(most);
	load->server = load->bound ? start_server(lab) : -1;
	if (load->server < 0)
		goto failed;
	for (int i = 0; i < CLIENTS; i++) {
		load->clients[i] = fork_at(lab, LA_LAB_CLIENT);
		if (!load->clients[i])
			ask_for(load->bound, ms);
	}
	return load;
failed:
	if (load && load->bound)
		munmap(load->bound, sizeof(*load->bound));
	free(load);
	return NULL;
}

void la_load_let(struct la_load *load, unsigned long long most)
{
	__atomic_store_n(&load->bound->most, most, __ATOMIC_RELAXED);
}

void la_load_stop(struct la_load *load)
{
	__atomic_store_n(&load->bound->over, true, __ATOMIC_RELAXED);
}

bool la_load_runs(struct la_load *load)
{
	siginfo_t info;

	for (int i = 0; i < CLIENTS; i++) {
		info.si_pid = 0;
		if (load->clients[i] > 0 &&
		    !waitid(P_PID, (id_t)load->clients[i], &info, WEXITED | WNOHANG | WNOWAIT) &&
		    !info.si_pid)
			return true;
	}
	return false;
}

bool la_load_end(struct la_load *load)
{
	bool ok = true;
	int status;

	for (int i = 0; i < CLIENTS; i++)
		ok &= load->clients[i] > 0 &&
		      waitpid(load->clients[i], &status, 0) == load->clients[i] && !status;
	kill(load->server, SIGKILL);
	waitpid(load->server, &status, 0);
	munmap(load->bound, sizeof(*load->bound));
	free(load);
	return ok;
}

long long la_load_opened(struct la_lab *lab)
{
	return la_lab_counter(lab, LA_LAB_CLIENT, "Tcp", "ActiveOpens");
}
