// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_persist.c - tracking that outlives lastack: what stays, who may take over, what status
 * says, and that detach leaves nothing.
 *
 * What hangs on an interface and what the kernel still holds is asked of the kernel.
 */
#include "blind.h"
#include "keeper.h"
#include "pair.h"
#include "persist.h"
#include "talk.h"
#include "told.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PINS	    "/sys/fs/bpf/lastack/default"
#define CLIENT_PORT 43101
#define SERVER_PORT 9401
#define BYTES	    3000ULL
#define IDS_MAX	    64
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

/* Patience for what the kernel does when it finds the time, ms. */
#define SOON_MS 30000

static const char *const detach[] = {"detach", "-o", "jsonl", NULL};
/* Of what is pinned: who listens in /run may be another test's. */
static const char *const status[] = {"status", "-o", "jsonl", "--bpffs", "/sys/fs/bpf", NULL};

static struct la_keeper keeper;

static void world(void)
{
	struct la_lab *lab;

	libbpf_set_print(NULL);
	cr_assert(la_keeper_world());
	lab = la_lab_new(false);
	cr_assert(lab && la_keeper_init(&keeper, lab, LA_LAB_SERVER));
}

static void end_of_world(void)
{
	la_keeper_free(&keeper);
	la_lab_free(keeper.lab);
}

TestSuite(persist, .init = world, .fini = end_of_world);

/* ---- short forms ---- */

static void expect_said(const char *text)
{
	cr_expect(strstr(la_keeper_said(&keeper), text), "no '%s' in: %s", text,
		  la_keeper_said(&keeper));
}

/* A connection, whole, number n. */
static void connection(int n)
{
	const struct la_talk_end client = {
		LA_LAB_CLIENT,
		la_lab_addr(LA_LAB_CLIENT, AF_INET, (unsigned short)(CLIENT_PORT + n))};
	const struct la_talk_end server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT)};

	cr_assert(la_talk(keeper.lab, &client, &server, BYTES));
}

/* Expects that connection n was told without a gap, with one close record and one gone. */
static void expect_told(const json_t *records, int n)
{
	struct la_told told;

	cr_assert_eq(
		la_told_gather(records, (unsigned short)(CLIENT_PORT + n), SERVER_PORT, &told, 1),
		1, "connection %d", n);
	cr_expect(!told.broken, "connection %d", n);
	cr_expect_eq(told.closes, 1, "connection %d", n);
	cr_expect_eq(told.gones, 1, "connection %d", n);
	cr_expect_str_eq(la_told_text(told.close, "reason"), "fin");
	cr_expect_str_eq(la_told_text(told.close, "ifname"), "eth0");
	cr_expect_eq(la_told_number(&told, LA_LAB_CLIENT, "bytes"), (long long)BYTES);
}

static void run_and_stop(const char *const options[])
{
	cr_assert(la_keeper_start(&keeper, options), "%s", la_keeper_said(&keeper));
	cr_assert_eq(la_keeper_end(&keeper, SIGTERM), 0, "%s", la_keeper_said(&keeper));
}

static void expect_detached(void)
{
	cr_expect_eq(la_keeper_verb(&keeper, detach), 0, "%s", la_keeper_said(&keeper));
	cr_expect_eq(access(PINS, F_OK), -1);
}

/* ---- the kernel's word ---- */

/* Ids of programs, of maps, and of links, of all pins. */
struct ids {
	unsigned int count;
	struct {
		char name[64]; /* of the pin */
		__u32 id;
	} of[IDS_MAX];
};

/* The head of each bpf_*_info is type and id, but a link's has them as well. */
static __u32 id_of_pin(const char *name)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info = {0};
	__u32 size = sizeof(info), id = 0;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), PINS "/%s", name);
	fd = bpf_obj_get(path);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		id = info.map.id; /* type and id begin all three */
	close(fd);
	return id;
}

static struct ids ids_of_pins(void)
{
	DIR *dir = opendir(PINS);
	struct ids ids = {0};
	struct dirent *entry;

	cr_assert(dir != NULL);
	while ((entry = readdir(dir)) && ids.count < IDS_MAX) {
		if (*entry->d_name == '.')
			continue;
		snprintf(ids.of[ids.count].name, sizeof(ids.of[0].name), "%.60s", entry->d_name);
		ids.of[ids.count].id = id_of_pin(entry->d_name);
		cr_assert_gt(ids.of[ids.count++].id, 0, "%s", entry->d_name);
	}
	closedir(dir);
	return ids;
}

static __u32 id_of(const struct ids *ids, const char *name)
{
	for (unsigned int i = 0; i < ids->count; i++)
		if (!strcmp(ids->of[i].name, name))
			return ids->of[i].id;
	cr_assert_fail("nothing is pinned as %s", name);
	return 0;
}

static int open_id(const char *name, __u32 id)
{
	if (!strncmp(name, "prog", 4))
		return bpf_prog_get_fd_by_id(id);
	return !strncmp(name, "link", 4) ? bpf_link_get_fd_by_id(id) : bpf_map_get_fd_by_id(id);
}

/* Expects that the kernel has let go of all of these, as soon as it finds the time. */
static void expect_freed(const struct ids *ids)
{
	for (unsigned int i = 0; i < ids->count; i++) {
		int fd = 0;

		for (int ms = 0; ms < SOON_MS && fd >= 0; ms += 10) {
			fd = open_id(ids->of[i].name, ids->of[i].id);
			if (fd >= 0) {
				close(fd);
				poll(NULL, 0, 10);
			}
		}
		cr_expect_lt(fd, 0, "%s is still in the kernel", ids->of[i].name);
	}
}

static int text_count(const char *command, const char *needle)
{
	char line[400];
	int count = 0;
	FILE *pipe = popen(command, "r");

	while (fgets(line, sizeof(line), pipe))
		count += strstr(line, needle) != NULL;
	pclose(pipe);
	return count;
}

static int tcx_count(int ifindex, enum bpf_attach_type hook)
{
	__u32 ids[16], count = 16;

	return bpf_prog_query(ifindex, hook, 0, NULL, ids, &count) ? 0 : (int)count;
}

/* Programs of anybody at the server's interface: XDP, tcx and filters. */
static int hooks(const char *ifname)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int ifindex, count = 0;
	char command[100];

	cr_assert(la_lab_enter(keeper.lab, LA_LAB_SERVER));
	ifindex = (int)if_nametoindex(ifname);
	cr_assert_gt(ifindex, 0);
	if (!bpf_xdp_query(ifindex, 0, &query))
		count = !!query.prog_id;
	count += tcx_count(ifindex, TCX_INGRESS) + tcx_count(ifindex, TCX_EGRESS);
	for (int way = 0; way < 2; way++) {
		snprintf(command, sizeof(command), "tc filter show dev %s %s 2>&1", ifname,
			 way ? "egress" : "ingress");
		count += text_count(command, "handle 0x");
	}
	la_lab_leave(keeper.lab);
	return count;
}

/* A command in the server's namespace. */
static void at_server(const char *command)
{
	cr_assert(la_lab_enter(keeper.lab, LA_LAB_SERVER));
	cr_assert_eq(system(command), 0, "%s", command);
	la_lab_leave(keeper.lab);
}

static json_t *last_record(void)
{
	json_t *records = la_keeper_records(&keeper), *last;

	cr_assert(records != NULL && json_array_size(records));
	last = json_incref(json_array_get(records, json_array_size(records) - 1));
	json_decref(records);
	return last;
}

/* ---- what stays and what ends ---- */

Test(persist, tracking_goes_on_without_lastack)
{
	json_t *records;
	struct ids ids;

	cr_assert(la_keeper_start(&keeper, NULL));
	connection(0);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	expect_said("still attached and tracking");
	expect_said("1 connection ended\n");
	cr_expect_eq(hooks("eth0"), 2);
	connection(1); /* nobody reads */
	cr_assert(la_keeper_start(&keeper, NULL));
	expect_said("eth0: attached already");
	cr_expect_eq(hooks("eth0"), 2);
	connection(2);
	cr_expect_eq(la_keeper_end(&keeper, SIGKILL), 128 + SIGKILL);
	connection(3);
	ids = ids_of_pins();
	expect_detached();
	cr_expect_eq(hooks("eth0"), 0);
	expect_freed(&ids);
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	for (int n = 0; n < 4; n++)
		expect_told(records, n);
	json_decref(records);
}

static long long flows(void)
{
	json_t *said;
	long long count;

	cr_assert_eq(la_keeper_verb(&keeper, status), 0);
	said = last_record();
	count = json_integer_value(json_object_get(said, "flows"));
	json_decref(said);
	return count;
}

/* Their time is over while nobody runs: the kernel sees to it. */
Test(persist, flows_expire_without_lastack)
{
	static const char *const options[] = {"--timeout", "time_wait=1", NULL};
	json_t *records;
	int ms = 0;

	run_and_stop(options);
	connection(0);
	cr_expect_eq(flows(), 1);
	while (flows() && ms++ < SOON_MS / 10)
		poll(NULL, 0, 10);
	cr_expect_eq(flows(), 0);
	run_and_stop(options);
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	expect_told(records, 0);
	json_decref(records);
	expect_detached();
}

Test(persist, without_the_option_nothing_stays)
{
	static const char *const run[] = {"run", "-i", "eth0", "--for", "10ms", NULL};

	cr_expect_eq(la_keeper_verb(&keeper, run), 0);
	cr_expect_eq(hooks("eth0"), 0);
	cr_expect_eq(access("/sys/fs/bpf/lastack", F_OK), -1);
}

Test(persist, to_detach_twice_or_nothing_is_no_error)
{
	cr_expect_eq(la_keeper_verb(&keeper, detach), 0);
	expect_said("there is nothing to detach");
	run_and_stop(NULL);
	expect_detached();
	expect_said("nothing is left of it");
	cr_expect_eq(la_keeper_verb(&keeper, detach), 0);
	expect_said("there is nothing to detach");
	cr_expect_eq(access("/sys/fs/bpf/lastack", F_OK), -1);
}

/* What could not be written is there at the next try. */
Test(persist, detach_removes_nothing_that_it_could_not_print)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), out = keeper.out;
	json_t *records;

	run_and_stop(NULL);
	connection(0);
	keeper.out = full;
	cr_expect_eq(la_keeper_verb(&keeper, detach), 1);
	expect_said("detach again");
	keeper.out = out;
	close(full);
	expect_detached();
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	expect_told(records, 0);
	json_decref(records);
}

/* ---- who may take over ---- */

Test(persist, one_owner_at_a_time)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", NULL};
	static const char *const other[] = {"run",   "-i",   "lo", "--persist=other",
					    "--for", "10ms", NULL};
	static const char *const detach_other[] = {"detach", "other", NULL};

	cr_assert(la_keeper_start(&keeper, NULL));
	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	cr_expect_eq(la_keeper_verb(&keeper, detach), 1);
	cr_expect_eq(la_keeper_verb(&keeper, other), 0);
	cr_expect_eq(la_keeper_verb(&keeper, detach_other), 0);
	cr_expect_eq(hooks("eth0"), 2);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	expect_detached();
}

/* Changes a number of the state; the lock is ours alone, for nobody runs. */
static void set_state(size_t offset, __u64 value)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = bpf_obj_get(PINS "/state");
	char *mem = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	cr_assert(mem != MAP_FAILED);
	memcpy(mem + offset, &value, sizeof(value));
	munmap(mem, page);
	close(fd);
}

Test(persist, another_version_is_refused_and_can_be_taken_away)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", NULL};
	struct ids ids;

	run_and_stop(NULL);
	set_state(offsetof(struct la_persist_state, layout), 1);
	ids = ids_of_pins();
	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	expect_said("another version of lastack made it");
	expect_said("lastack detach");
	cr_expect_eq(la_keeper_verb(&keeper, status), 0);
	expect_detached();
	expect_freed(&ids);
	cr_expect_eq(hooks("eth0"), 0);
}

Test(persist, another_abi_is_refused_and_can_be_taken_away)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", NULL};
	json_t *said;

	run_and_stop(NULL);
	set_state(offsetof(struct la_persist_state, abi), 77);
	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	expect_said("ABI 77, this has ABI 1");
	cr_expect_eq(la_keeper_verb(&keeper, status), 0);
	said = last_record();
	cr_expect_eq(json_integer_value(json_object_get(said, "abi")), 77);
	cr_expect(json_is_false(json_object_get(said, "readable")));
	json_decref(said);
	expect_detached();
}

/* Later programs take the place of those that run; table, ring and links stay. */
Test(persist, a_later_build_takes_over)
{
	struct ids before, after;
	json_t *records;

	run_and_stop(NULL);
	before = ids_of_pins();
	connection(0);
	set_state(offsetof(struct la_persist_state, build), 1);
	run_and_stop(NULL);
	after = ids_of_pins();
	cr_expect_eq(id_of(&after, "map_flows"), id_of(&before, "map_flows"));
	cr_expect_eq(id_of(&after, "map_ring"), id_of(&before, "map_ring"));
	cr_expect_eq(id_of(&after, "map_lastack__bss"), id_of(&before, "map_lastack__bss"));
	cr_expect_neq(id_of(&after, "prog_la_xdp"), id_of(&before, "prog_la_xdp"));
	for (unsigned int i = 0; i < before.count; i++)
		if (!strncmp(before.of[i].name, "link_", 5))
			cr_expect_eq(id_of(&after, before.of[i].name), before.of[i].id);
	cr_expect_eq(hooks("eth0"), 2);
	connection(1);
	expect_detached();
	expect_freed(&before);
	expect_freed(&after);
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	expect_told(records, 0);
	expect_told(records, 1);
	json_decref(records);
}

/* The same build with the same options takes over what runs, and loads nothing. */
Test(persist, the_same_build_replaces_nothing)
{
	struct ids before, after;

	run_and_stop(NULL);
	before = ids_of_pins();
	run_and_stop(NULL);
	after = ids_of_pins();
	cr_assert_eq(after.count, before.count);
	for (unsigned int i = 0; i < before.count; i++)
		cr_expect_eq(id_of(&after, before.of[i].name), before.of[i].id, "%s",
			     before.of[i].name);
	expect_detached();
}

Test(persist, a_start_that_was_cut_off_leaves_nothing_in_the_way)
{
	json_t *records;

	cr_assert_eq(mkdir("/sys/fs/bpf/lastack", 0700), 0);
	cr_assert_eq(mkdir(PINS, 0700), 0);
	cr_assert_eq(bpf_obj_pin(bpf_map_create(BPF_MAP_TYPE_ARRAY, "old", 4, 8, 1, NULL),
				 PINS "/map_flows"),
		     0);
	cr_expect_eq(la_keeper_verb(&keeper, status), 1);
	expect_said("nothing is attached");
	cr_assert(la_keeper_start(&keeper, NULL));
	connection(0);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	set_state(offsetof(struct la_persist_state, ready), 0);
	cr_assert(la_keeper_start(&keeper, NULL)); /* begins anew */
	connection(1);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	expect_detached();
	cr_expect_eq(hooks("eth0"), 0);
	records = la_keeper_records(&keeper);
	expect_told(records, 1);
	json_decref(records);
}

/* ---- other options, other interfaces ---- */

Test(persist, options_take_effect_at_the_next_start)
{
	static const char *const tc[] = {"--hook", "tc", "--max-flows", "1000", NULL};
	static const char *const generic[] = {"--hook", "xdp-generic", "--decap", NULL};
	json_t *records;

	run_and_stop(NULL);
	connection(0);
	run_and_stop(tc);
	expect_said("tcx ingress");
	expect_said("--max-flows stays as it was at first");
	connection(1);
	run_and_stop(generic);
	expect_said("generic XDP ingress");
	cr_expect_eq(hooks("eth0"), 2);
	connection(2);
	expect_detached();
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	for (int n = 0; n < 3; n++)
		expect_told(records, n);
	json_decref(records);
}

static bool has_dropped(void)
{
	json_t *records = la_keeper_records(&keeper), *record;
	bool found = false;
	size_t i;

	cr_assert(records != NULL);
	json_array_foreach (records, i, record)
		found |= json_is_true(json_object_get(record, "dropped"));
	json_decref(records);
	return found;
}

static long long challenged(void)
{
	return la_lab_counter(keeper.lab, LA_LAB_SERVER, "TcpExt", "TCPChallengeACK");
}

/* A connection that began under another rule: its RSTs in the window are let through, or not. */
Test(persist, protection_holds_for_connections_that_there_are)
{
	static const char *const safe[] = {"--rst-policy", "strict", "--protect",
					   "dport 9401 and resp net 10.9.2.0/24", NULL};
	static const char *const strict[] = {"--rst-policy", "strict", NULL};
	struct la_pair pair;
	__u32 expected;

	cr_assert(la_keeper_start(&keeper, NULL));
	cr_assert(la_pair_open(&pair, keeper.lab, AF_INET, CLIENT_PORT, SERVER_PORT));
	cr_assert(la_blind_expected(pair.server, &expected));
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	cr_assert(la_keeper_start(&keeper, safe));
	for (int ms = 0; challenged() == 0 && ms < SOON_MS; ms += 20) {
		la_pair_rst(keeper.lab, AF_INET, CLIENT_PORT, SERVER_PORT, expected + 100);
		poll(NULL, 0, 20);
	}
	cr_expect_gt(challenged(), 0, "none of its RSTs arrives");
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	cr_assert(la_keeper_start(&keeper, strict));
	for (int ms = 0; !has_dropped() && ms < SOON_MS; ms += 20) {
		la_pair_rst(keeper.lab, AF_INET, CLIENT_PORT, SERVER_PORT, expected + 100);
		poll(NULL, 0, 20);
	}
	cr_expect(has_dropped(), "it is protected for ever");
	cr_expect(la_pair_carry(pair.client, pair.server, 1000));
	close(pair.client);
	close(pair.server);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0);
	expect_detached();
}

Test(persist, interfaces_are_added_and_left)
{
	static const char *const both[] = {"-i", "lo", NULL};

	run_and_stop(both);
	cr_expect_eq(hooks("lo"), 2);
	run_and_stop(NULL);
	expect_said("lo: detached");
	cr_expect_eq(hooks("lo"), 0);
	cr_expect_eq(hooks("eth0"), 2);
	expect_detached();
}

Test(persist, an_interface_that_went_away_is_let_go)
{
	static const char *const with[] = {"-i", "v0", NULL};

	at_server("ip link add v0 type veth peer name v1");
	run_and_stop(with);
	at_server("ip link del v0");
	run_and_stop(NULL);
	expect_said("v0: detached");
	expect_detached();
}

/* Made again under the same number: what was attached is not there. */
Test(persist, an_interface_that_was_made_again_is_attached_again)
{
	static const char *const with[] = {"-i", "v0", NULL};

	at_server("ip link add v0 index 777 type veth peer name v1");
	run_and_stop(with);
	at_server("ip link del v0");
	at_server("ip link add v0 index 777 type veth peer name v1");
	cr_expect_eq(hooks("v0"), 0);
	run_and_stop(with);
	cr_expect_eq(hooks("v0"), 2);
	expect_detached();
	cr_expect_eq(hooks("v0"), 0);
}

Test(persist, a_renamed_interface_is_taken_over)
{
	static const char *const before[] = {"-i", "v0", NULL};
	static const char *const after[] = {"-i", "w0", NULL};
	json_t *said;

	at_server("ip link add v0 type veth peer name v1");
	run_and_stop(before);
	at_server("ip link set v0 name w0");
	run_and_stop(after);
	expect_said("w0: attached already");
	cr_expect_eq(hooks("w0"), 2);
	cr_expect_eq(la_keeper_verb(&keeper, status), 0);
	said = last_record();
	cr_expect_eq(json_array_size(json_object_get(said, "interfaces")), 2);
	cr_expect_str_eq(
		la_told_text(json_array_get(json_object_get(said, "interfaces"), 1), "ifname"),
		"w0");
	json_decref(said);
	expect_detached();
	cr_expect_eq(hooks("w0"), 0);
}

/* Filters stay by themselves; they are found again, not added again, and taken away. */
Test(persist, filters_of_clsact_are_found_again)
{
	static const char *const legacy[] = {"--hook", "tc-legacy", NULL};
	json_t *records;

	run_and_stop(legacy);
	cr_expect_eq(hooks("eth0"), 2);
	connection(0);
	run_and_stop(legacy);
	expect_said("attached already, using clsact ingress");
	cr_expect_eq(hooks("eth0"), 2);
	set_state(offsetof(struct la_persist_state, build), 1);
	run_and_stop(legacy);
	cr_expect_eq(hooks("eth0"), 2);
	connection(1);
	expect_detached();
	cr_expect_eq(hooks("eth0"), 0);
	at_server("! tc qdisc show dev eth0 | grep -q clsact");
	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	expect_told(records, 0);
	expect_told(records, 1);
	json_decref(records);
}

/* A number is another interface in another namespace. */
Test(persist, another_network_namespace_is_refused)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", NULL};

	run_and_stop(NULL);
	keeper.host = LA_LAB_CLIENT;
	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	expect_said("it was begun in another network namespace");
	expect_detached(); /* which works from anywhere */
	cr_expect_eq(hooks("eth0"), 0);
}

Test(persist, a_start_that_fails_leaves_nothing)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", "--hook",
					  "xdp", "-i", "lo",   NULL}; /* lo has no native XDP */

	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	cr_expect_eq(hooks("eth0"), 0);
	cr_expect_eq(access("/sys/fs/bpf/lastack", F_OK), -1);
}

/* Anybody may make directories where bpffs is mounted so. */
Test(persist, a_directory_of_somebody_else_is_refused)
{
	static const char *const run[] = {"run", "-i", "eth0", "--persist", NULL};

	cr_assert_eq(mkdir("/sys/fs/bpf/lastack", 0777), 0);
	cr_assert_eq(chown("/sys/fs/bpf/lastack", 65534, 65534), 0);
	cr_expect_eq(la_keeper_verb(&keeper, run), 1);
	expect_said("/sys/fs/bpf/lastack: it belongs to somebody else");
	cr_expect_eq(hooks("eth0"), 0);
}

/* ---- status ---- */

Test(persist, status_tells_who_runs_what_where)
{
	json_t *said;
	const json_t *on;

	cr_expect_eq(la_keeper_verb(&keeper, status), 1);
	expect_said("nothing is attached");
	cr_assert(la_keeper_start(&keeper, NULL));
	connection(0);
	cr_expect_eq(la_keeper_verb(&keeper, status), 0);
	said = last_record();
	cr_expect_str_eq(la_told_text(said, "type"), "status");
	cr_expect_str_eq(la_told_text(said, "name"), "default");
	cr_expect_str_eq(la_told_text(said, "user"), "root");
	cr_expect(json_is_true(json_object_get(said, "running")));
	cr_expect_eq(json_integer_value(json_object_get(said, "pid")), keeper.pid);
	cr_expect_eq(json_integer_value(json_object_get(said, "flows")), 1);
	cr_expect_eq(json_integer_value(json_object_get(said, "flows_limit")), 131072);
	on = json_array_get(json_object_get(said, "interfaces"), 0);
	cr_expect_str_eq(la_told_text(on, "ifname"), "eth0");
	cr_expect_str_eq(la_told_text(on, "ingress"), "xdp");
	cr_expect_str_eq(la_told_text(on, "egress"), "tcx");
	json_decref(said);
	cr_expect_eq(la_keeper_end(&keeper, SIGKILL), 128 + SIGKILL);
	connection(1);
	cr_expect_eq(la_keeper_verb(&keeper, status), 0);
	said = last_record();
	cr_expect(json_is_false(json_object_get(said, "running")));
	cr_expect_gt(json_integer_value(json_object_get(said, "waiting_bytes")), 0);
	cr_expect_eq(json_integer_value(json_object_get(said, "flows")), 2);
	json_decref(said);
	expect_detached();
}

/* ---- usage ---- */

Test(persist, what_cannot_be_is_said)
{
	static const struct {
		const char *args[8];
		int code;
		const char *text;
	} rows[] = {
		{{"run", "-i", "eth0", "--persist=a/b", NULL}, 2, "a name is letters, digits"},
		{{"run", "-i", "eth0", "--persist=", NULL}, 2, "a name is letters, digits"},
		{{"run", "-i", "eth0", "--bpffs", "/tmp", NULL}, 2, "it goes with persist"},
		{{"run", "-i", "eth0", "--persist", "--bpffs", "/tmp", NULL},
		 1,
		 "/tmp: there is no bpffs (mount one: mount -t bpf bpf /tmp"},
		{{"status", "--bpffs", "/tmp", NULL}, 1, "there is no bpffs"},
		{{"detach", "--bpffs", "/tmp", NULL}, 1, "there is no bpffs"},
		{{"status", "-o", "zeek", NULL}, 2, "there are: text jsonl"},
		{{"status", "..", NULL}, 2, "a name is letters, digits"},
		{{"status", "a", "b", NULL}, 2, "only one name"},
		{{"status", "a", NULL}, 1, "nothing is attached by the name of a"},
		{{"detach", "--bogus", NULL}, 2, "there is no such option"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(la_keeper_verb(&keeper, rows[i].args), rows[i].code, "row %zu", i);
		expect_said(rows[i].text);
	}
	cr_expect_eq(access("/sys/fs/bpf/lastack", F_OK), -1);
}
