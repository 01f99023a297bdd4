/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_attach.c - lastack on an interface and off it again.
 *
 * Each test has a process and a network namespace of its own, so interfaces, programs and
 * filters go with it. What hangs on an interface is asked of the kernel, not of lastack.
 */
#include "clock.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LASTACK	    "build/lastack"
#define WAIT_MS	    30000
#define TEXT_MAX    16384
#define ARGS_MAX    24
#define NOBODY	    65534
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

static bool has(const char *text, const char *needle)
{
	return strstr(text, needle) != NULL;
}

/* ---- a namespace with interfaces in it ---- */

/* Runs a shell command that must succeed. */
static void sh(const char *format, ...)
{
	char command[400];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert(eq(int, system(command), 0), "%s", command);
}

/* What a shell command prints; the caller's buffer. */
static const char *output_of(const char *command, char *text, size_t size)
{
	FILE *pipe = popen(command, "r");
	size_t used;

	cr_assert(ne(ptr, pipe, NULL));
	used = fread(text, 1, size - 1, pipe);
	text[used] = '\0';
	pclose(pipe);
	return text;
}

/* v0 and v1, a veth pair that is up, in a namespace of this test. */
static void world(void)
{
	libbpf_set_print(NULL);
	cr_assert(zero(int, unshare(CLONE_NEWNET)), "tests of attaching need root");
	sh("ip link set lo up");
	sh("ip link add v0 type veth peer name v1");
	sh("ip link set v0 up && ip link set v1 up");
}

static int ifindex_of(const char *ifname)
{
	int ifindex = (int)if_nametoindex(ifname);

	cr_assert(gt(int, ifindex, 0), "%s", ifname);
	return ifindex;
}

/* ---- what hangs on an interface ---- */

static unsigned int xdp_count(const char *ifname)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	cr_assert(zero(int, bpf_xdp_query(ifindex_of(ifname), 0, &query)));
	return !!query.drv_prog_id + !!query.skb_prog_id;
}

static unsigned int tcx_ids(const char *ifname, enum bpf_attach_type type, __u32 ids[16])
{
	__u32 count = 16;

	cr_assert(zero(int, bpf_prog_query(ifindex_of(ifname), type, 0, NULL, ids, &count)));
	return count;
}

static unsigned int tcx_count(const char *ifname, enum bpf_attach_type type)
{
	__u32 ids[16];

	return tcx_ids(ifname, type, ids);
}

static bool text_of_has(const char *needle, const char *format, const char *ifname)
{
	char command[120], text[4096];

	snprintf(command, sizeof(command), format, ifname);
	return has(output_of(command, text, sizeof(text)), needle);
}

static bool has_clsact(const char *ifname)
{
	return text_of_has("clsact", "tc qdisc show dev %s", ifname);
}

static bool has_filter(const char *ifname, const char *name)
{
	return text_of_has(name, "tc filter show dev %s ingress 2>&1", ifname) ||
	       text_of_has(name, "tc filter show dev %s egress 2>&1", ifname);
}

/* Programs of anybody on all hooks of an interface. */
static unsigned int hook_count(const char *ifname)
{
	return xdp_count(ifname) + tcx_count(ifname, TCX_INGRESS) + tcx_count(ifname, TCX_EGRESS) +
	       has_filter(ifname, "bpf");
}

/* ---- a program of somebody else ---- */

static int squatter(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "squatter", "GPL", insns, 2, NULL);

	cr_assert(ge(int, fd, 0));
	return fd;
}

/* Puts it on a hook; it stays until the test's process ends. Returns the link. */
static int squat(const char *ifname, enum bpf_prog_type type, int verdict,
		 enum bpf_attach_type hook)
{
	int link = bpf_link_create(squatter(type, verdict), ifindex_of(ifname), hook, NULL);

	cr_assert(ge(int, link, 0), "%s", strerror(-link));
	return link;
}

/* ---- lastack as a child ---- */

struct child {
	pid_t pid;
	int out; /* read end of its stdout */
	int err; /* read end of its stderr */
	char said[TEXT_MAX];
	size_t said_size;
};

/* What the child does to itself before it becomes lastack. */
typedef void (*before_fn)(void);

static void become(const char *args, before_fn before, int out, int err)
{
	char copy[400], *argv[ARGS_MAX] = {"lastack"};
	int argc = 1, program = open(LASTACK, O_RDONLY | O_CLOEXEC);

	snprintf(copy, sizeof(copy), "%s", args);
	for (char *word = strtok(copy, " "); word && argc < ARGS_MAX - 1; word = strtok(NULL, " "))
		argv[argc++] = word;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (before)
		before();
	fexecve(program, argv, environ); /* by descriptor: nobody may not reach the path */
	_exit(127);
}

static void spawn(struct child *child, const char *args, before_fn before)
{
	int out[2], err[2];

	memset(child, 0, sizeof(*child));
	cr_assert(zero(int, pipe2(out, O_CLOEXEC)));
	cr_assert(zero(int, pipe2(err, O_CLOEXEC)));
	child->pid = fork();
	cr_assert(ge(int, child->pid, 0));
	if (!child->pid)
		become(args, before, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	child->out = out[0];
	child->err = err[0];
}

/* Reads stderr until it holds the text, ends, or time is up. True if it holds the text. */
static bool says(struct child *child, const char *needle)
{
	long long end = la_monotonic_ms() + WAIT_MS;
	struct pollfd wait = {.fd = child->err, .events = POLLIN};

	while (!strstr(child->said, needle)) {
		ssize_t got;

		if (la_monotonic_ms() >= end || poll(&wait, 1, (int)(end - la_monotonic_ms())) <= 0)
			return false;
		got = read(child->err, child->said + child->said_size,
			   TEXT_MAX - 1 - child->said_size);
		if (got <= 0)
			return false;
		child->said_size += (size_t)got;
	}
	return true;
}

/* Starts `lastack run` and waits until it says that it is on the last interface. */
static void start(struct child *child, const char *args, const char *last)
{
	char needle[40];

	spawn(child, args, NULL);
	snprintf(needle, sizeof(needle), "lastack: %s: ", last);
	cr_assert(says(child, needle), "%s", child->said);
	/* the line is written in pieces: its end */
	cr_assert(says(child, "egress ("), "%s", child->said);
}

/* Waits for its end, reads the rest of stderr. Returns its exit code, 128 + signal. */
static int ended(struct child *child)
{
	long long end = la_monotonic_ms() + WAIT_MS;
	int status = 0;

	says(child, "\n\n\n"); /* which it never says: reads to the end */
	while (waitpid(child->pid, &status, WNOHANG) == 0) {
		if (la_monotonic_ms() > end) {
			kill(child->pid, SIGKILL);
			cr_fatal("lastack does not end: %s", child->said);
		}
		usleep(10000);
	}
	close(child->out);
	close(child->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int stopped(struct child *child, int signal)
{
	kill(child->pid, signal);
	return ended(child);
}

static void expect(struct child *child, const char *text)
{
	cr_expect(has(child->said, text), "no '%s' in: %s", text, child->said);
}

/* Runs it to its end and expects a code and a text on stderr. */
static void expect_end(const char *args, before_fn before, int code, const char *text)
{
	struct child child;

	spawn(&child, args, before);
	cr_expect(eq(int, ended(&child), code), "lastack %s: %s", args, child.said);
	expect(&child, text);
}

/* ---- a connection ---- */

/* A listener on loopback; *at says where. */
static int listener_new(struct sockaddr_in *at)
{
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cr_assert(zero(int, bind(fd, (struct sockaddr *)at, size)));
	cr_assert(zero(int, listen(fd, 16)));
	cr_assert(zero(int, getsockname(fd, (struct sockaddr *)at, &size)));
	return fd;
}

static int connected_to(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(zero(int, connect(fd, (const struct sockaddr *)at, sizeof(*at))));
	return fd;
}

/* So many connections over loopback, each opened, used, and closed by the client first. */
static void connect_and_close(unsigned int count)
{
	struct sockaddr_in at;
	int listener = listener_new(&at), client, server;
	char data[5];

	while (count--) {
		client = connected_to(&at);
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		cr_assert(ge(int, server, 0));
		cr_assert(eq(int, (int)write(client, "hello", 5), 5));
		cr_assert(eq(int, (int)read(server, data, 5), 5)); /* unread data is a reset */
		close(client);
		close(server);
	}
	close(listener);
}

/* ---- wrong usage ---- */

Test(attach, wrong_usage_exits_with_2_and_one_line)
{
	static const struct {
		const char *args;
		const char *text;
	} rows[] = {
		{"", "usage: lastack VERB"},
		{"rum", "no such verb: rum (did you mean run?)"},
		{"xyzzy", "no such verb: xyzzy (lastack help lists them)"},
		{"version foo", "bad argument: foo: version takes none"},
		{"run", "bad option: -i: no interface (give one with -i; there are: lo"},
		{"run -i", "-i: its value is missing"},
		{"run -i v0 -i v0", "-i: v0 (it was given twice)"},
		{"run --interface-regex v(", "--interface-regex: v( ("},
		{"run --interface-regex v0 --interface-regex v1",
		 "--interface-regex: v1 (it was given twice, join them: A|B)"},
		{"run -i v0 --bogus", "--bogus: there is no such option"},
		{"run -i v0 -nx", "-x: there is no such option"},
		{"run -i v0 --debug=1", "--debug=1: it takes no value"},
		{"run -i v0 --hook tcx", "--hook: 'tcx' is none of: auto xdp xdp-generic tc"},
		{"run -i v0 --for 0", "--for: 0 (a duration of more than 0"},
		{"run -i v0 --for soon", "--for: soon (a duration"},
		{"run -i v0 --count 0", "--count: 0 (a whole number from 1"},
		{"run -i v0 --count -1", "--count: -1 (a whole number from 1"},
		{"run -i v0 --count 1x", "--count: 1x (a whole number from 1"},
		{"run -i v0 --max-flows 99999999999", "--max-flows: 99999999999 (a whole number"},
		{"run -i v0 --ring-size 3", "--ring-size: 3 (a power of two"},
		{"run -i v0 --ring-size 2048", "--ring-size: 2048 (a whole number from 1 to 1024"},
		{"run -i v0 --timeout nap=3", "--timeout: no timeout is called 'nap'"},
		{"run -i v0 -o xml", "-o: 'xml' is none of"},
		{"run -i v0 --ladder -o jsonl", "--ladder: a ladder is text"},
		{"run -i v0 --color blue", "--color: 'blue' is none of"},
		{"run -i v0 prot 80", "filter: column 1"},
	};

	world();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_end(rows[i].args, NULL, 2, rows[i].text);
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, help_goes_to_stdout)
{
	static const char *const rows[] = {"--help", "help", "help run", "run --help", "--version"};
	char text[8192];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct child child;
		ssize_t got;

		spawn(&child, rows[i], NULL);
		got = read(child.out, text, sizeof(text) - 1);
		text[got > 0 ? got : 0] = '\0';
		cr_expect(has(text, "lastack"), "%s", rows[i]);
		cr_expect(zero(int, ended(&child)));
		cr_expect(eq(str, child.said, ""));
	}
}

/* ---- what cannot be done ---- */

Test(attach, no_such_interface)
{
	world();
	expect_end("run -i vv0", NULL, 1,
		   "cannot attach: vv0: no such interface (did you mean v0?)");
	expect_end("run -i enp77", NULL, 1, "no such interface (there are: ");
	expect_end("run -i v0 -i nope", NULL, 1, "nope: no such interface");
	expect_end("run -i a\nb", NULL, 1, "cannot attach: a?b: no such interface");
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, one_interface_by_two_names)
{
	world();
	sh("ip link property add dev v0 altname uplink");
	expect_end("run -i v0 -i uplink", NULL, 1, "uplink: it is another name");
	cr_expect(zero(uint, hook_count("v0")));
}

static void be_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(126);
}

static void drop(unsigned long cap)
{
	if (prctl(PR_CAPBSET_DROP, cap) || prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN))
		_exit(126);
}

static void lack_bpf(void)
{
	drop(CAP_BPF);
}

static void lack_net_admin(void)
{
	drop(CAP_NET_ADMIN);
}

Test(attach, without_privilege_it_names_the_capabilities)
{
	world();
	expect_end("run -i v0", be_nobody, 1,
		   "not permitted, CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing (run it with sudo");
	expect_end("run -i v0", lack_bpf, 1, "not permitted, CAP_BPF missing");
	expect_end("run -i v0", lack_net_admin, 1, "not permitted, CAP_NET_ADMIN missing");
	expect_end("run -i v9", be_nobody, 1, "v9: no such interface");
	cr_expect(zero(uint, hook_count("v0")));
}

static void hide_btf(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, NULL))
		_exit(126);
}

static void hide_sys(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/sys", "tmpfs", 0, NULL))
		_exit(126);
}

Test(attach, without_btf_it_says_what_kernel_is_needed)
{
	world();
	expect_end(
		"run -i v0", hide_btf, 1,
		"/sys/kernel/btf/vmlinux is not readable (a kernel with CONFIG_DEBUG_INFO_BTF=y");
	expect_end("run -i v0", hide_sys, 1, "is not readable");
	cr_expect(zero(uint, hook_count("v0")));
}

/* ---- which hooks ---- */

Test(attach, auto_takes_native_xdp_and_tcx_egress)
{
	struct child child;

	world();
	start(&child, "run -i v0", "v0");
	cr_expect(eq(uint, xdp_count("v0"), 1));
	cr_expect(zero(uint, tcx_count("v0", TCX_INGRESS)));
	cr_expect(eq(uint, tcx_count("v0", TCX_EGRESS), 1));
	cr_expect(zero(int, stopped(&child, SIGINT)));
	expect(&child, "lastack: v0: native XDP ingress (id ");
	expect(&child, ", tcx egress (id ");
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, xdp_generic)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct child child;

	world();
	start(&child, "run -i v0 --hook xdp-generic", "v0");
	cr_assert(zero(int, bpf_xdp_query(ifindex_of("v0"), 0, &query)));
	cr_expect(eq(int, query.attach_mode, XDP_ATTACHED_SKB));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "lastack: v0: generic XDP ingress (id ");
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, tc_takes_both_directions)
{
	struct child child;

	world();
	start(&child, "run -i v0 --hook tc", "v0");
	cr_expect(zero(uint, xdp_count("v0")));
	cr_expect(eq(uint, tcx_count("v0", TCX_INGRESS), 1));
	cr_expect(eq(uint, tcx_count("v0", TCX_EGRESS), 1));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, loopback_has_no_native_xdp)
{
	struct child child;

	world();
	start(&child, "run -i lo", "lo");
	cr_expect(eq(uint, tcx_count("lo", TCX_INGRESS), 1));
	cr_expect(eq(uint, tcx_count("lo", TCX_EGRESS), 1));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "lo: the driver has no native XDP, using tcx ingress");
	expect_end("run -i lo --hook xdp", NULL, 1,
		   "cannot attach: lo: the driver has no native XDP (--hook auto or tc");
	cr_expect(zero(uint, hook_count("lo")));
}

Test(attach, a_device_without_ethernet_header_takes_tc)
{
	struct child child;

	world();
	sh("ip tuntap add mode tun name tun0 && ip link set tun0 up");
	start(&child, "run -i tun0", "tun0");
	cr_expect(zero(uint, xdp_count("tun0")));
	cr_expect(eq(uint, tcx_count("tun0", TCX_INGRESS), 1));
	cr_expect(eq(uint, tcx_count("tun0", TCX_EGRESS), 1));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "tun0: no Ethernet header, so no XDP, using tcx ingress");
	expect_end("run -i tun0 --hook xdp-generic", NULL, 1, "tun0: no Ethernet header");
	cr_expect(zero(uint, hook_count("tun0")));
}

Test(attach, several_interfaces)
{
	struct child child;

	world();
	start(&child, "run -i v0 -i lo -i v1", "v1");
	cr_expect(eq(uint, hook_count("v0"), 2));
	cr_expect(eq(uint, hook_count("v1"), 2));
	cr_expect(eq(uint, hook_count("lo"), 2));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	cr_expect(zero(uint, hook_count("v0") + hook_count("v1") + hook_count("lo")));
}

Test(attach, one_failing_interface_leaves_none_attached)
{
	world();
	expect_end("run -i v0 -i lo --hook xdp", NULL, 1, "cannot attach: lo: ");
	cr_expect(zero(uint, hook_count("v0") + hook_count("lo")));
}

/* ---- programs of others ---- */

Test(attach, taken_xdp_is_left_alone)
{
	struct child child;

	world();
	squat("v0", BPF_PROG_TYPE_XDP, XDP_PASS, BPF_XDP);
	start(&child, "run -i v0", "v0");
	cr_expect(eq(uint, tcx_count("v0", TCX_INGRESS), 1));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "v0: XDP is taken by \"squatter\" (id ");
	expect(&child, "), using tcx ingress (id ");
	expect_end("run -i v0 --hook xdp", NULL, 1,
		   "cannot attach: v0: XDP is taken by \"squatter\" (id ");
	expect_end("run -i v0 --hook xdp-generic", NULL, 1, "XDP is taken by");
	cr_expect(eq(uint, hook_count("v0"), 1), "the squatter, and nobody else");
}

Test(attach, taken_tcx_goes_on_behind_lastack)
{
	__u32 before[16] = {0}, ids[16] = {0};
	struct child child;

	world();
	squat("v0", BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK, TCX_EGRESS);
	cr_assert(eq(uint, tcx_ids("v0", TCX_EGRESS, before), 1));
	start(&child, "run -i v0", "v0");
	cr_assert(eq(uint, tcx_ids("v0", TCX_EGRESS, ids), 2));
	cr_expect(eq(uint, ids[1], before[0]));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	cr_assert(eq(uint, tcx_ids("v0", TCX_EGRESS, ids), 1));
	cr_expect(eq(uint, ids[0], before[0]));
}

/* ---- clsact, as before Linux 6.6 ---- */

/* A filter that is not a BPF program. */
#define MATCH_ALL "u32 match u32 0 0 classid 1:1"

Test(attach, clsact_is_made_and_removed)
{
	struct child child;

	world();
	start(&child, "run -i v0 --hook tc-legacy", "v0");
	cr_expect(has_clsact("v0"));
	cr_expect(text_of_has("la_tc_ingress", "tc filter show dev %s ingress", "v0"));
	cr_expect(text_of_has("la_tc_egress", "tc filter show dev %s egress", "v0"));
	cr_expect(zero(uint, tcx_count("v0", TCX_INGRESS) + tcx_count("v0", TCX_EGRESS)));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "clsact ingress (pref 1 handle 1), clsact egress (pref 1 handle 1)");
	cr_expect(not(has_clsact("v0")));
}

Test(attach, clsact_of_somebody_else_stays_with_its_filters)
{
	struct child child;

	world();
	sh("tc qdisc add dev v0 clsact");
	sh("tc filter add dev v0 ingress pref 1 protocol ip " MATCH_ALL);
	start(&child, "run -i v0 --hook tc-legacy", "v0");
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	expect(&child, "clsact ingress (pref 2 handle 1), clsact egress (pref 1 handle 1)");
	cr_expect(has_clsact("v0"));
	cr_expect(has_filter("v0", "u32"));
	cr_expect(not(has_filter("v0", "la_tc")));
}

Test(attach, clsact_stays_when_somebody_came_to_use_it)
{
	struct child child;

	world();
	start(&child, "run -i v0 --hook tc-legacy", "v0");
	sh("tc filter add dev v0 egress pref 7 protocol ip " MATCH_ALL);
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	cr_expect(has_clsact("v0"));
	cr_expect(has_filter("v0", "u32"));
	cr_expect(not(has_filter("v0", "la_tc")));
}

Test(attach, an_ingress_qdisc_leaves_no_room_for_clsact)
{
	world();
	sh("tc qdisc add dev v0 ingress");
	expect_end("run -i v0 --hook tc-legacy", NULL, 1, "cannot attach: v0: it has an ingress");
	cr_expect(not(has_filter("v0", "la_tc")));
	cr_expect(text_of_has("ingress", "tc qdisc show dev %s", "v0"));
}

/* What lastack printed for this case must work: run it. */
Test(attach, clsact_filters_of_a_killed_lastack_are_removed_as_it_says)
{
	static const char lead[] = "remove them: ";
	struct child child;
	char *remedy;

	world();
	start(&child, "run -i v0 --hook tc-legacy", "v0");
	cr_assert(says(&child, lead), "%s", child.said);
	cr_expect(eq(int, stopped(&child, SIGKILL), 128 + SIGKILL));
	cr_expect(has_filter("v0", "la_tc"));
	remedy = strstr(child.said, lead) + strlen(lead);
	remedy[strcspn(remedy, "\n")] = '\0';
	sh("%s", remedy);
	cr_expect(not(has_filter("v0", "la_tc")));
	cr_expect(has_clsact("v0"), "it may be in use, so nobody is told to remove it blindly");
}

/* ---- the end ---- */

/* A killed process lets go of its links when the kernel gets around to it. */
Test(attach, links_go_with_a_killed_lastack)
{
	long long end = la_monotonic_ms() + WAIT_MS;
	struct child child;

	world();
	start(&child, "run -i v0 -i lo", "lo");
	cr_expect(eq(int, stopped(&child, SIGKILL), 128 + SIGKILL));
	while (hook_count("v0") + hook_count("lo") && la_monotonic_ms() < end)
		usleep(20000);
	cr_expect(zero(uint, hook_count("v0") + hook_count("lo")));
}

Test(attach, it_ends_by_itself_when_time_is_up)
{
	world();
	expect_end("run -i v0 --for 300ms", NULL, 0, "connections ended");
	cr_expect(zero(uint, hook_count("v0")));
}

Test(attach, a_closed_stdout_is_a_quiet_end)
{
	struct child child;

	world();
	start(&child, "run -i v0", "v0");
	close(child.out);
	child.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect(zero(int, ended(&child)));
	cr_expect(not(has(child.said, "cannot")), "%s", child.said);
	cr_expect(zero(uint, hook_count("v0")));
}

static void close_stdout(void)
{
	close(STDOUT_FILENO);
}

Test(attach, a_stdout_that_was_never_open_is_an_error_once_it_is_needed)
{
	struct child child;

	world();
	expect_end("run -i lo --for 200ms", close_stdout, 0, "0 connections ended");
	spawn(&child, "run -i lo --count 1", close_stdout);
	cr_assert(says(&child, "egress ("), "%s", child.said);
	connect_and_close(1);
	cr_expect(eq(int, ended(&child), 1));
	expect(&child, "cannot write the output: Bad file descriptor");
}

/* The pipe is full and lastack waits for its reader, but not when it is told to stop. */
Test(attach, a_reader_that_stands_still_does_not_keep_it)
{
	struct child child;
	long long begin;

	world();
	start(&child, "run -i lo -o jsonl", "lo");
	cr_assert(gt(int, fcntl(child.out, F_SETPIPE_SZ, 4096), 0));
	connect_and_close(20);
	usleep(500000); /* so that it stands in the write, most of the time */
	begin = la_monotonic_ms();
	cr_expect(eq(int, stopped(&child, SIGTERM), 1));
	cr_expect(lt(long, (long)(la_monotonic_ms() - begin), 5000));
	expect(&child, "told to stop, and nobody reads it");
	cr_expect(zero(uint, hook_count("lo")));
}

/* Leaving a bridge is announced by the same message as vanishing. */
Test(attach, leaving_a_bridge_is_not_vanishing)
{
	struct child child;

	world();
	sh("ip link add b0 type bridge && ip link set v0 master b0");
	start(&child, "run -i v0", "v0");
	sh("ip link set v0 nomaster && ip link set v0 mtu 1400");
	usleep(300000);
	cr_expect(eq(uint, hook_count("v0"), 2));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	cr_expect(not(has(child.said, "gone")), "%s", child.said);
}

/* ---- what it prints ---- */

static unsigned int occurrences(const char *text, const char *needle)
{
	unsigned int count = 0;

	for (; (text = strstr(text, needle)); text += strlen(needle))
		count++;
	return count;
}

/* All that the child has printed, once it has ended. */
static void read_out(struct child *child, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	while (used < size - 1 && (got = read(child->out, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
}

Test(attach, count_ends_it_after_so_many_connections)
{
	static char text[65536];
	struct child child;

	world();
	start(&child, "run -i lo -o jsonl --count 2", "lo");
	connect_and_close(3);
	read_out(&child, text, sizeof(text));
	cr_expect(zero(int, ended(&child)));
	cr_expect(eq(uint, occurrences(text, "\"type\":\"close\""), 2), "%s", text);
	cr_expect(zero(uint, hook_count("lo")));
}

Test(attach, a_filter_picks_what_is_printed)
{
	static char text[65536];
	struct child child;

	world();
	start(&child, "run -i lo -o jsonl --for 1s port 1", "lo");
	connect_and_close(1);
	read_out(&child, text, sizeof(text));
	cr_expect(zero(int, ended(&child)));
	cr_expect(eq(str, text, ""));
}

Test(attach, what_is_open_at_the_end_is_told)
{
	static char text[65536];
	struct sockaddr_in at;
	struct child child;
	int listener, client;

	world();
	listener = listener_new(&at);
	start(&child, "run -i lo -o jsonl", "lo");
	client = connected_to(&at);
	kill(child.pid, SIGINT);
	read_out(&child, text, sizeof(text));
	cr_expect(zero(int, ended(&child)));
	cr_expect(eq(uint, occurrences(text, "\"reason\":\"shutdown\""), 1), "%s", text);
	cr_expect(eq(uint, occurrences(text, "\"why\":\"detached\""), 1), "%s", text);
	expect(&child, "1 still open");
	close(client);
	close(listener);
}

Test(attach, the_summary_tells_which_packets_were_not_tracked)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct child child;
	int udp;

	world();
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	start(&child, "run -i lo", "lo");
	cr_assert(eq(int, (int)sendto(udp, "hello", 5, 0, (struct sockaddr *)&at, sizeof(at)), 5));
	cr_expect(zero(int, stopped(&child, SIGTERM)));
	close(udp);
	/* The datagram and the ICMP error that answers it, each on its way out and in. */
	expect(&child, "0 connections ended, 0 still open\n  packets     4\n"
		       "  untracked   2 ICMP, but no error about a known connection, "
		       "2 IP, but not TCP\n");
}

/* Nobody reads stdout until the ring has run over: transitions are lost, no close record is. */
Test(attach, a_stalled_reader_loses_no_close_record)
{
	enum { CONNECTIONS = 8000 };
	unsigned int closes = 0, losses = 0;
	size_t size = 0;
	char *line = NULL;
	struct child child;
	FILE *out;

	world();
	sh("echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse"); /* every connection has ports of its own */
	start(&child, "run -i lo -o jsonl", "lo");
	connect_and_close(CONNECTIONS);
	kill(child.pid, SIGINT);
	out = fdopen(dup(child.out), "r");
	while (getline(&line, &size, out) > 0) {
		closes += has(line, "\"type\":\"close\"");
		losses += has(line, "\"type\":\"lost\"");
	}
	fclose(out);
	free(line);
	cr_expect(zero(int, ended(&child)), "%s", child.said);
	cr_expect(eq(uint, closes, CONNECTIONS));
	cr_expect(gt(uint, losses, 0), "the ring did not run over: this test tested nothing");
	expect(&child, "records: the ring buffer was full");
}
