/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - see net.h.
 */
#include "net.h"
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The destination of all frames (packet.h). Two queues, so that two CPUs may send at once. */
#define QUEUES "numtxqueues 2 numrxqueues 2"
#define CABLE                                                                                      \
	"link add g%d " QUEUES " type veth peer name rx address 02:00:00:00:00:02 " QUEUES         \
	" netns /proc/%d/fd/%d\n"                                                                  \
	"link set g%d addrgenmode none up\n"

static const char host_script[] = "link set lo up\n"
				  "link set rx addrgenmode none up\n"
				  "link add out type veth peer name sink\n"
				  "link set out addrgenmode none up\n"
				  "link set sink addrgenmode none up\n"
				  "addr add 172.31.0.1/24 dev out\n"
				  "neigh replace 172.31.0.2 lladdr 02:00:00:00:00:03 dev out\n"
				  "route add default via 172.31.0.2\n";

static const char *const sysctls[][2] = {
	{"/proc/sys/net/ipv4/ip_forward", "1"},
	{"/proc/sys/net/ipv4/conf/all/rp_filter", "0"},
	{"/proc/sys/net/ipv4/conf/default/rp_filter", "0"},
};

int la_net_enter(int netns)
{
	return setns(netns, CLONE_NEWNET) ? la_bench_fail("cannot enter", "a namespace", errno) : 0;
}

int la_net_here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? la_bench_fail("cannot open", "the namespace", errno) : fd;
}

int la_net_new(int *netns)
{
	if (unshare(CLONE_NEWNET))
		return la_bench_fail("cannot make", "a namespace", errno);
	*netns = la_net_here();
	return *netns < 0 ? -1 : 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!ok)
		la_bench_fail("cannot write", path, errno);
	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}

static pid_t spawn(int netns, const char *const argv[], FILE *input)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (setns(netns, CLONE_NEWNET) || (input && dup2(fileno(input), STDIN_FILENO) < 0))
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int la_net_run(int netns, const char *const argv[], const char *input)
{
	FILE *file = input ? tmpfile() : NULL;
	int status = -1;
	pid_t pid;

	if (input && (!file || fputs(input, file) == EOF || fflush(file)))
		return la_bench_fail("cannot write", "a script", errno);
	if (file)
		rewind(file);
	pid = spawn(netns, argv, file);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (file)
		fclose(file);
	if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return la_bench_fail("failed or is not installed", argv[0], EINVAL);
}

static int run_ip(int netns, const char *script)
{
	const char *const argv[] = {"ip", "-batch", "-", NULL};

	return la_net_run(netns, argv, script);
}

static int open_host(struct la_net *net, int n)
{
	struct la_host *host = &net->host[n];
	char script[400], name[IFNAMSIZ];

	if (la_net_new(&host->netns))
		return -1;
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++)
		if (write_text(sysctls[i][0], sysctls[i][1]))
			return -1;
	snprintf(script, sizeof(script), CABLE, n, getpid(), host->netns, n);
	if (run_ip(net->generator, script) || run_ip(host->netns, host_script))
		return -1;
	host->rx = if_nametoindex("rx");
	host->out = if_nametoindex("out");
	snprintf(name, sizeof(name), "g%d", n);
	if (la_net_enter(net->generator))
		return -1;
	host->gen = if_nametoindex(name);
	return host->rx && host->out && host->gen ? 0
						  : la_bench_fail("no such device", name, errno);
}

int la_net_open(struct la_net *net)
{
	int err = 0;

	memset(net, -1, sizeof(*net));
	net->home = la_net_here();
	if (net->home < 0 || la_net_new(&net->generator))
		return -1;
	for (int i = 0; i < LA_NET_HOSTS && !err; i++)
		err = open_host(net, i);
	return err;
}

void la_net_close(struct la_net *net)
{
	if (net->home >= 0)
		la_net_enter(net->home);
	for (int i = 0; i < LA_NET_HOSTS; i++)
		if (net->host[i].netns >= 0)
			close(net->host[i].netns);
	if (net->generator >= 0)
		close(net->generator);
	if (net->home >= 0)
		close(net->home);
	memset(net, -1, sizeof(*net));
}
