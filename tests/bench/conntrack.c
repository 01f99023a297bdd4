/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack.c - see conntrack.h.
 */
#include "conntrack.h"
#include "bench.h"
#include "net.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <string.h>

#define MAX_PATH     "/proc/sys/net/netfilter/nf_conntrack_max"
#define BUCKETS_PATH "/sys/module/nf_conntrack/parameters/hashsize"
#define SUM_PATH     "/proc/sys/net/netfilter/nf_conntrack_checksum"
#define LOOK_AT	     1000

/* A rule that uses conntrack switches it on, also in a chain that no packet comes to. */
static const char rules[] = "table ip bench {\n"
			    "	chain nobody {\n"
			    "		ct state established accept\n"
			    "	}\n"
			    "}\n";

static int read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	bool ok = file && fgets(text, (int)size, file);

	if (!ok) {
		la_bench_fail("cannot read", path, errno);
		*text = '\0';
	}
	if (file)
		fclose(file);
	return ok ? 0 : -1;
}

static int write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool ok = file && fputs(text, file) != EOF;

	if (file && fclose(file))
		ok = false;
	return ok ? 0 : la_bench_fail("cannot write", path, errno);
}

static void hold_signals(sigset_t *before)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, before);
}

int la_conntrack_open(struct la_conntrack *ct, int home, int netns, __u32 entries)
{
	static const char *const nft[] = {"nft", "-f", "-", NULL};
	char wanted[24];

	snprintf(wanted, sizeof(wanted), "%u", entries);
	memset(ct, 0, sizeof(*ct));
	hold_signals(&ct->signals);
	if (la_net_run(netns, nft, rules) || la_net_enter(home))
		return -1;
	if (read_text(MAX_PATH, ct->max, sizeof(ct->max)) ||
	    read_text(BUCKETS_PATH, ct->buckets, sizeof(ct->buckets)) ||
	    write_text(MAX_PATH, wanted) || write_text(BUCKETS_PATH, wanted))
		return -1;
	return la_net_enter(netns) || write_text(SUM_PATH, "0") ? -1 : 0;
}

int la_conntrack_check_established(void)
{
	FILE *file = fopen("/proc/thread-self/net/nf_conntrack", "r");
	int lines = 0, good = 0;
	char line[512];

	if (!file)
		return la_bench_fail("cannot read", "/proc/net/nf_conntrack", errno);
	for (; lines < LOOK_AT && fgets(line, sizeof(line), file); lines++)
		good += strstr(line, "ESTABLISHED") && strstr(line, "[ASSURED]");
	fclose(file);
	if (lines && good == lines)
		return 0;
	fprintf(stderr, "bench: nf_conntrack: of %d connections %d are established\n", lines, good);
	return -1;
}

int la_conntrack_flush(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	char buf[256];
	struct nlmsghdr *head = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *gen;
	ssize_t n = -1;

	head->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	head->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	head->nlmsg_seq = 1;
	gen = mnl_nlmsg_put_extra_header(head, sizeof(*gen));
	gen->version = NFNETLINK_V0;
	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(nl, head, head->nlmsg_len) > 0)
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n > 0)
		n = mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), NULL, NULL);
	if (nl)
		mnl_socket_close(nl);
	return n < 0 ? la_bench_fail("cannot flush", "nf_conntrack", errno) : 0;
}

void la_conntrack_close(struct la_conntrack *ct, int home)
{
	la_net_enter(home);
	if (*ct->buckets)
		write_text(BUCKETS_PATH, ct->buckets);
	if (*ct->max)
		write_text(MAX_PATH, ct->max);
	sigprocmask(SIG_SETMASK, &ct->signals, NULL);
}
