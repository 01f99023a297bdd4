/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader.c - open, configure, load. See loader.h.
 *
 * The kernel's refusal is one errno for a dozen causes. So nothing is probed beforehand but
 * what changes how to load; after a failure the list `causes` is asked, in order, which of
 * the usual ones holds, and what to do.
 */
#include "loader.h"
#include "bpf_log.h"
#include "options.h"
#include "pins.h"
#include "privilege.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lastack.skel.h"

/* Since Linux 5.18; the header of Debian 12 has it, that of an older one may not. */
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

struct la_loader {
	struct lastack_bpf *skel;
	struct la_pins_progs kept; /* programs that an earlier process has loaded */
	int cpus;
};

/* Why loading failed, and what to do about it. */
struct cause {
	bool (*holds)(int err);
	const char *why;
	const char *todo;
};

static bool no_ring_buffer(int err)
{
	(void)err;
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 0;
}

static bool no_btf(int err)
{
	(void)err;
	return access("/sys/kernel/btf/vmlinux", R_OK) != 0;
}

static bool no_memory(int err)
{
	return err == -ENOMEM;
}

static const struct cause causes[] = {
	{no_memory, "not enough memory for the flow table", "use a smaller --max-flows"},
	{no_ring_buffer, "this kernel has no BPF ring buffer", "Linux 5.15 or newer is needed"},
	{no_btf, "this kernel does not describe its types, /sys/kernel/btf/vmlinux is not readable",
	 "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed, and /sys must be mounted"},
};

/* Reports why the object could not be loaded. */
static void report_load(int err)
{
	static const char what[] = "cannot load the BPF programs";

	if (err == -EPERM || err == -EACCES) {
		la_fail_privilege(what, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		if (!causes[i].holds(err))
			continue;
		la_fail(LA_EXIT_RUNTIME, what, NULL, causes[i].why, causes[i].todo);
		return;
	}
	la_fail(LA_EXIT_RUNTIME, what, NULL, strerror(-err), "what libbpf says follows");
	la_bpf_log_show(stderr);
}

/*
 * True if the kernel knows XDP frames of several buffers (Linux 5.18). Generic XDP does
 * without them: for a program that takes them it copies the packet into a new skb, whose
 * mac_len is 0 (seen on 6.18), and the tc programs behind find no Ethernet header.
 */
static bool kernel_takes_frags(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "la_probe_frags", "GPL", pass, 2, &opts);

	if (fd < 0)
		return fd != -EINVAL; /* forbidden is not unknown */
	close(fd);
	return true;
}

static struct bpf_program *find_prog(const struct lastack_bpf *skel, enum la_prog prog)
{
	struct bpf_program *const progs[LA_PROG_MAX] = {
		[LA_PROG_XDP] = skel->progs.la_xdp,
		[LA_PROG_TC_INGRESS] = skel->progs.la_tc_ingress,
		[LA_PROG_TC_EGRESS] = skel->progs.la_tc_egress,
		[LA_PROG_TC_INGRESS_L3] = skel->progs.la_tc_ingress_l3,
		[LA_PROG_TC_EGRESS_L3] = skel->progs.la_tc_egress_l3,
	};

	return progs[prog];
}

/* All that grows with the number of flows. Returns 0 or -errno. */
static int size_table(struct lastack_bpf *skel, __u32 flows, __u32 attempts)
{
	const struct {
		struct bpf_map *map;
		__u32 entries;
	} sizes[] = {
		{skel->maps.flows, flows},
		{skel->maps.slot_keys, flows},
		{skel->maps.free_slots, flows},
		{skel->maps.ended, flows},
		{skel->maps.attempts, flows},
		{skel->maps.dials, (flows + LA_DIAL_SLOTS - 1) / LA_DIAL_SLOTS},
	};
	int err = 0;

	skel->rodata->la_slots = flows;
	skel->rodata->la_half_open_max = attempts ? attempts : flows / LA_ATTEMPTS_SHARE;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes) && !err; i++)
		err = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
	return err;
}

static int size_ring(struct lastack_bpf *skel, __u32 bytes)
{
	skel->rodata->la_ring_soft = bytes - bytes / LA_RING_RESERVE;
	return bpf_map__set_max_entries(skel->maps.ring, bytes);
}

/* The size of a map: as it is pinned, else as it is wanted, else the default. */
static __u32 size_of(const struct la_loader_opts *opts, const char *map, const char *option,
		     __u32 wanted, __u32 otherwise)
{
	__u32 pinned = opts->persist && la_persist_found(opts->persist)
			       ? la_pins_max_entries(opts->persist, map)
			       : 0;

	if (pinned && wanted && pinned != wanted)
		fprintf(stderr,
			"lastack: %s: %s stays as it was at first; to change it needs `lastack "
			"detach`\n",
			la_persist_path(opts->persist), option);
	return pinned ? pinned : wanted ? wanted : otherwise;
}

/* Whatever must be said before the kernel sees the object. Returns 0 or -errno. */
static int configure(struct lastack_bpf *skel, const struct la_loader_opts *opts)
{
	__u32 flows = size_of(opts, "flows", "--max-flows", opts->max_flows, LA_FLOWS_DEFAULT);
	__u32 ring = size_of(opts, "ring", "--ring-size", opts->ring_bytes, LA_RING_DEFAULT);
	int err = 0;

	skel->bss->la_cfg = opts->config;
	skel->rodata->la_decap_on = opts->config.decap;
	for (enum la_prog i = 0; i < LA_PROG_MAX; i++)
		bpf_program__set_autoload(find_prog(skel, i),
					  !opts->progs || opts->progs & 1U << i);
	if (!opts->generic && kernel_takes_frags())
		bpf_program__set_flags(skel->progs.la_xdp, BPF_F_XDP_HAS_FRAGS);
	skel->rodata->la_virtual_clock = skel->rodata->la_replayed = opts->replay;
	if (opts->replay) /* its ring is never full, so nothing pends; a sweep is quicker */
		err = bpf_map__set_max_entries(skel->maps.pending, 1);
	if (!err)
		err = size_ring(skel, ring);
	return err ? err : size_table(skel, flows, opts->max_attempts);
}

/* ---- what is pinned ---- */

/* Asked for often, by several threads: who is first computes it, and all come to the same. */
__u64 la_loader_layout(void)
{
	static __u64 layout;
	__u64 known = __atomic_load_n(&layout, __ATOMIC_RELAXED);
	struct lastack_bpf *skel = known ? NULL : lastack_bpf__open();

	if (skel)
		known = la_pins_layout(skel->obj);
	lastack_bpf__destroy(skel);
	__atomic_store_n(&layout, known, __ATOMIC_RELAXED);
	return known;
}

bool la_loader_knows(const struct la_persist *persist)
{
	__u64 layout = la_loader_layout();

	return layout && !la_persist_foreign(persist) &&
	       la_persist_state(persist)->layout == layout;
}

static void report_foreign(const struct la_persist *persist)
{
	char why[120];

	snprintf(why, sizeof(why), "another version of lastack made it (ABI %u, this has ABI %u)",
		 la_persist_state(persist)->abi, LA_ABI_VERSION);
	if (la_persist_state(persist)->abi == LA_ABI_VERSION)
		strcpy(why, "another version of lastack made it, whose tables differ");
	la_fail(LA_EXIT_RUNTIME, "cannot go on", la_persist_path(persist), why,
		"end it with `lastack detach`: that version can print what is open (-o), this "
		"one only take it away");
}

/* What the programs are made of, and what is frozen into them: a change makes them others. */
static __u64 build_of(const struct lastack_bpf *skel, bool generic)
{
	size_t size;
	const void *elf = lastack_bpf__elf_bytes(&size);
	__u64 hash = la_pins_hash(LA_PINS_HASH, elf, size);

	hash = la_pins_hash(hash, skel->rodata, sizeof(*skel->rodata));
	return la_pins_hash(hash, &generic, sizeof(generic));
}

static void load_no_programs(const struct lastack_bpf *skel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
	{
		bpf_program__set_autoload(prog, false);
	}
}

/* Before loading. Returns 0 or -errno. */
static int take_pinned(struct la_loader *loader, const struct la_loader_opts *opts)
{
	bool same = opts->look ||
		    la_persist_state(opts->persist)->build == build_of(loader->skel, opts->generic);
	int err = la_pins_take_maps(loader->skel->obj, opts->persist, same);

	if (!err && same)
		la_pins_take_progs(loader->skel->obj, opts->persist, &loader->kept);
	if (opts->look)
		load_no_programs(loader->skel);
	return err;
}

/* Maps of a process that runs: there is nothing to load. Returns 0 or -errno. */
static int take_given(const struct la_loader *loader, const struct la_loader_opts *opts)
{
	load_no_programs(loader->skel);
	return la_pins_use_maps(loader->skel->obj, opts->maps);
}

/* After loading. The build is noted last: if this is cut off, it is done again. */
static int put_pins(const struct la_loader *loader, const struct la_loader_opts *opts)
{
	struct la_persist *persist = opts->persist;
	bool begins = !la_persist_found(persist);
	int err = begins ? la_persist_begin(persist) : 0;

	if (err)
		return err;
	la_persist_state(persist)->build = 0;
	err = la_pins_put_maps(loader->skel->obj, persist);
	if (!err)
		err = la_pins_put_progs(loader->skel->obj, persist, &loader->kept);
	if (err)
		return err;
	la_persist_state(persist)->layout = la_pins_layout(loader->skel->obj);
	la_persist_state(persist)->build = build_of(loader->skel, opts->generic);
	la_persist_sign(persist);
	__atomic_store_n(&la_persist_state(persist)->ready, 1, __ATOMIC_RELEASE);
	return 0;
}

/* ---- loading ---- */

/*
 * Runs a tc program that wants no packet; the kernel insists on an Ethernet header. Returns what
 * it returns, 0 or -errno.
 */
static int run_once(const struct la_loader *loader, const struct bpf_program *prog)
{
	char frame[14] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	int err = bpf_prog_test_run_opts(la_pins_prog_fd(&loader->kept, prog), &opts);

	return err ? err : (int)opts.retval;
}

/* Winds the clocks of all flows anew, some in each call. Returns 0 or -errno. */
static int rewind_clocks(const struct la_loader *loader)
{
	__u32 dials = bpf_map__max_entries(loader->skel->maps.dials), last = 0;
	int err = 0;

	loader->skel->bss->la_rewound = 0;
	do {
		last = loader->skel->bss->la_rewound;
		err = run_once(loader, loader->skel->progs.la_rewind);
	} while (!err && loader->skel->bss->la_rewound < dials &&
		 loader->skel->bss->la_rewound > last);
	return err;
}

/* Into the list that is not in force; then that one is. */
static void put_guards(struct la_loader *loader, const struct la_guards *guards)
{
	struct lastack_bpf__bss *bss = loader->skel->bss;
	__u32 other = !(bss->la_guards_at & 1);

	bss->la_guards[other] = *guards;
	__atomic_store_n(&bss->la_guards_at, other, __ATOMIC_RELEASE);
}

/*
 * Number by number, for programs that run read them meanwhile. None needs two that belong
 * together: a flow runs on one clock, and all are wound anew in the end.
 */
int la_loader_reconfigure(struct la_loader *loader, const struct la_config *config,
			  const struct la_guards *guards)
{
	struct la_config *cfg = &loader->skel->bss->la_cfg;

	put_guards(loader, guards);
	for (int t = 0; t < LA_TIMEOUT_TABLES; t++)
		for (int i = 0; i < LA_TIMEOUT_MAX; i++)
			__atomic_store_n(&cfg->timeouts[t][i], config->timeouts[t][i],
					 __ATOMIC_RELAXED);
	__atomic_store_n(&cfg->rst_policy, config->rst_policy, __ATOMIC_RELAXED);
	__atomic_store_n(&cfg->rst_limit, config->rst_limit, __ATOMIC_RELAXED);
	__atomic_store_n(&cfg->pressure, config->pressure, __ATOMIC_RELEASE);
	return rewind_clocks(loader);
}

int la_loader_act(struct la_loader *loader, const struct la_key *key, __u64 id, enum la_act act,
		  __u8 arg, struct la_flow *flow)
{
	struct lastack_bpf__bss *bss = loader->skel->bss;
	int err;

	bss->la_asked = (struct la_asked){.key = *key, .id = id, .act = act, .arg = arg};
	err = run_once(loader, loader->skel->progs.la_act_on);
	if (!err && flow)
		*flow = bss->la_acted;
	return err;
}

/* From an open object to one that runs. Returns 0 or -errno. */
static int load(struct la_loader *loader, const struct la_loader_opts *opts)
{
	int err = configure(loader->skel, opts);

	if (!err && opts->maps)
		err = take_given(loader, opts);
	else if (!err && opts->persist && la_persist_found(opts->persist))
		err = take_pinned(loader, opts);
	if (!err)
		err = lastack_bpf__load(loader->skel);
	if (err || opts->look)
		return err;
	if (opts->guards)
		put_guards(loader, opts->guards);
	loader->skel->bss->la_cfg = opts->config; /* also if it was pinned */
	if (!opts->replay)
		err = run_once(loader, loader->skel->progs.la_start);
	if (!err && opts->persist && la_persist_found(opts->persist))
		err = rewind_clocks(loader);
	return err || !opts->persist ? err : put_pins(loader, opts);
}

struct la_loader *la_loader_open(const struct la_loader_opts *opts)
{
	struct la_loader *loader;
	int err = -ENOMEM;

	la_bpf_log_start(opts->debug);
	if (opts->persist && la_persist_found(opts->persist) && !la_loader_knows(opts->persist)) {
		report_foreign(opts->persist);
		return NULL;
	}
	loader = calloc(1, sizeof(*loader));
	if (!loader)
		goto cleanup;
	err = loader->cpus = libbpf_num_possible_cpus();
	if (err < 0)
		goto cleanup;
	loader->skel = lastack_bpf__open();
	err = loader->skel ? 0 : -errno;
	if (!err)
		err = load(loader, opts);
cleanup:
	if (!err) {
		la_bpf_log_forget();
		return loader;
	}
	report_load(err);
	la_loader_close(loader);
	return NULL;
}

int la_loader_prog(const struct la_loader *loader, enum la_prog prog)
{
	return la_pins_prog_fd(&loader->kept, find_prog(loader->skel, prog));
}

int la_loader_ring(const struct la_loader *loader)
{
	return bpf_map__fd(loader->skel->maps.ring);
}

void la_loader_maps(const struct la_loader *loader, struct la_map_fds *maps)
{
	la_pins_list_maps(loader->skel->obj, maps);
}

struct la_table la_loader_table(const struct la_loader *loader)
{
	return (struct la_table){.fd = bpf_map__fd(loader->skel->maps.flows),
				 .config = loader->skel->bss->la_cfg};
}

int la_loader_sweep(struct la_loader *loader)
{
	return run_once(loader, loader->skel->progs.la_sweep);
}

int la_loader_shutdown(struct la_loader *loader)
{
	return run_once(loader, loader->skel->progs.la_shutdown);
}

__u64 la_loader_clock(struct la_loader *loader, __u64 now)
{
	loader->skel->bss->la_clock_ns = now;
	return loader->skel->bss->la_fed.due;
}

int la_loader_feed(struct la_loader *loader, enum la_prog prog, const struct la_captured *packet)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data,
		    .data_size_in = packet->cap_len, .repeat = 1);
	struct la_fed *fed = &loader->skel->bss->la_fed;

	fed->wire_len = packet->wire_len;
	fed->hook = packet->hook;
	fed->l3_proto = packet->l3_proto;
	fed->damaged = (__u8)packet->damaged;
	fed->segs = packet->segs;
	fed->opts = packet->cut ? LA_OPT_CUT : 0;
	return bpf_prog_test_run_opts(la_loader_prog(loader, prog), &opts);
}

/* The only element of a per-CPU map, which is nothing but __u64: size bytes, added up. */
static int sum_cpus(const struct la_loader *loader, const struct bpf_map *map, __u64 *sum,
		    size_t size)
{
	size_t count = size / sizeof(*sum), cpus = (size_t)loader->cpus;
	__u64 *each = calloc(cpus, size);
	__u32 zero = 0;
	int err;

	memset(sum, 0, size);
	if (!each)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(map), &zero, each);
	for (size_t i = 0; !err && i < cpus * count; i++)
		sum[i % count] += each[i];
	free(each);
	return err;
}

int la_loader_counters(const struct la_loader *loader, struct la_counters *sum)
{
	return sum_cpus(loader, loader->skel->maps.counters, (__u64 *)sum, sizeof(*sum));
}

int la_loader_metrics(const struct la_loader *loader, struct la_metrics *sum)
{
	return sum_cpus(loader, loader->skel->maps.metrics, (__u64 *)sum, sizeof(*sum));
}

__u64 la_loader_flows(const struct la_loader *loader)
{
	struct la_counters sum;

	return la_loader_counters(loader, &sum) ? 0 : sum.opened - sum.gone;
}

__u32 la_loader_max_flows(const struct la_loader *loader)
{
	return bpf_map__max_entries(loader->skel->maps.flows);
}

/* What the kernel says that a map takes (proc(5)). */
static __u64 map_memory(int fd)
{
	char path[64], line[128];
	__u64 bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtoull(line + 8, NULL, 10);
	if (file)
		fclose(file);
	return bytes;
}

__u64 la_loader_memory(const struct la_loader *loader)
{
	const struct bpf_map *map;
	__u64 bytes = 0;

	bpf_object__for_each_map(map, loader->skel->obj) bytes += map_memory(bpf_map__fd(map));
	return bytes;
}

void la_loader_close(struct la_loader *loader)
{
	if (!loader)
		return;
	la_pins_close_progs(&loader->kept);
	lastack_bpf__destroy(loader->skel);
	free(loader);
}
