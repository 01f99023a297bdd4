/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - what a packet costs in the BPF programs, on this machine.
 *
 * Opens 2^n connections under BPF_PROG_TEST_RUN and measures segments of theirs, each
 * against a program that does nothing (see drive.bpf.c): the handshake, where flows are
 * made and records emitted (each segment comes once, so few flows give a rough number), and
 * in-sequence data of 100 bytes, the fast path. A number counts only if lastack accepted every
 * single segment, which its counters tell. No interface is touched. Needs root. The table goes to
 * stdout.
 */
#include "bench_replay.h"
#include "drive.skel.h"
#include "loader.h"
#include "options.h"
#include "packet.h"
#include <bpf/bpf.h>
#include <errno.h>

#define ISN_ORIG    1000
#define ISN_RESP    900000000U
#define DATA_BYTES  100
#define DATA_ROUNDS 5	       /* the best of so many counts: other work only ever adds */
#define DATA_MIN    (1U << 20) /* packets a round, at least */

static const struct hook {
	const char *name;
	enum la_prog prog;
	enum la_hook hook;
	int pass;   /* what the driver returns if the tail call worked */
	bool decap; /* as with --decap */
} hooks[] = {
	{"xdp", LA_PROG_XDP, LA_HOOK_XDP, 2 /* XDP_PASS */, false},
	{"xdp decap", LA_PROG_XDP, LA_HOOK_XDP, 2, true},
	{"tc ingress", LA_PROG_TC_INGRESS, LA_HOOK_TC_INGRESS, -1 /* TC_ACT_UNSPEC */, false},
};

static const unsigned int flow_bits[] = {10, 17, 20};

struct bench {
	const struct hook *hook;
	struct la_loader *loader;
	struct drive_bpf *drive;
	unsigned int bits;
};

/* A segment that every flow sends once, in this order. */
struct step {
	const char *name;
	bool from_resp;
	__u8 flags;
	__u32 len;
};

static const struct step opening[] = {
	{"SYN", false, LA_SYN, 0},
	{"SYN-ACK", true, LA_SYN | LA_ACK, 0},
	{"ACK", false, LA_ACK, 0},
	{"window", true, LA_ACK, 0}, /* opens the window to 1 GiB: nobody acknowledges the data */
};
static const struct step data = {"data", false, LA_ACK | LA_PSH, DATA_BYTES};

#define OPENING (sizeof(opening) / sizeof(*opening))

static struct la_frame frame_of(const struct step *step)
{
	static const char syn_options[] = "\2\4\5\264\1\3\3\16"; /* MSS 1460, window scale 14 */
	bool syn = step->flags & LA_SYN;

	return LA_FRAME(.flags = step->flags, .win = 65535, .payload_len = step->len,
			.ack = (step->flags & LA_ACK) == 0 ? 0
			       : step->from_resp	   ? ISN_ORIG + 1
							   : ISN_RESP + 1,
			.options = syn_options, .options_len = syn ? 8 : 0);
}

static int fail(const char *what, const char *on, int err)
{
	fprintf(stderr, "bench: %s: %s: %s\n", what, on, strerror(err));
	return -1;
}

/* Runs `packets` segments to one target. Returns ns a packet, or -1. */
static double run(struct bench *b, const struct step *step, __u32 target, __u32 packets)
{
	struct la_frame frame = frame_of(step);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .data_size_in = frame.len,
		    .repeat = (int)packets);
	bool tc = b->hook->prog != LA_PROG_XDP;
	int fd = bpf_program__fd(tc ? b->drive->progs.drive_tc : b->drive->progs.drive_xdp);

	b->drive->bss->target = target;
	b->drive->bss->from_resp = step->from_resp;
	b->drive->bss->first_seq =
		(step->from_resp ? ISN_RESP : ISN_ORIG) + !(step->flags & LA_SYN);
	b->drive->bss->bytes_round = step->len;
	if (bpf_prog_test_run_opts(fd, &opts))
		return fail("cannot run", b->hook->name, errno);
	if ((int)opts.retval != b->hook->pass)
		return fail("the driver cannot reach the program", b->hook->name, EINVAL);
	return opts.duration;
}

static __u64 accepted(const struct bench *b)
{
	struct la_counters sum;

	if (la_loader_counters(b->loader, &sum))
		return 0;
	return sum.packets[b->hook->hook][LA_R_ACCEPTED];
}

/*
 * Measures one step, as `rounds` runs of which the quickest counts. Rounds of data go on
 * where the last one ended. Returns net ns a packet, or -1.
 */
static double measure(struct bench *b, const struct step *step, unsigned int rounds, __u32 packets)
{
	double best[2] = {1e12, 1e12}, ns;
	__u64 before = accepted(b), told;

	for (__u32 target = 0; target < 2; target++) {
		b->drive->bss->count = 0;
		for (unsigned int i = 0; i < rounds; i++) {
			ns = run(b, step, target, packets);
			if (ns < 0)
				return -1;
			best[target] = ns < best[target] ? ns : best[target];
		}
	}
	told = accepted(b) - before;
	if (told != (__u64)rounds * packets) {
		fprintf(stderr, "bench: %s: %s: lastack accepted %llu segments of %llu\n",
			b->hook->name, step->name, told, (__u64)rounds * packets);
		return -1;
	}
	printf(" %9.0f", best[1] - best[0]);
	fflush(stdout);
	return best[1] - best[0];
}

static int set_target(const struct bpf_map *map, __u32 index, int fd)
{
	int err = bpf_map__update_elem(map, &index, sizeof(index), &fd, sizeof(fd), BPF_ANY);

	return err ? fail("cannot set", bpf_map__name(map), -err) : 0;
}

static int prepare(struct bench *b)
{
	struct la_loader_opts opts = {.max_flows = 1U << b->bits};
	const struct bpf_map *map;
	int nothing;

	la_config_defaults(&opts.config);
	opts.config.decap = b->hook->decap;
	b->loader = la_loader_open(&opts);
	if (!b->loader)
		return -1;
	b->drive = drive_bpf__open_and_load();
	if (!b->drive)
		return fail("cannot load", "drive.bpf.o", errno);
	b->drive->bss->flow_bits = b->bits;
	map = b->hook->prog == LA_PROG_XDP ? b->drive->maps.xdp_targets : b->drive->maps.tc_targets;
	nothing = bpf_program__fd(b->hook->prog == LA_PROG_XDP ? b->drive->progs.nothing_xdp
							       : b->drive->progs.nothing_tc);
	if (set_target(map, 0, nothing))
		return -1;
	return set_target(map, 1, la_loader_prog(b->loader, b->hook->prog));
}

/* One line of the table. Returns 0 or -1. */
static int bench(const struct hook *hook, unsigned int bits)
{
	struct bench b = {.hook = hook, .bits = bits};
	__u32 flows = 1U << bits;
	int err = -1;

	if (prepare(&b))
		goto cleanup;
	printf("%-11s %8u", hook->name, flows);
	for (size_t i = 0; i < OPENING; i++)
		if (measure(&b, &opening[i], 1, flows) < 0)
			goto cleanup;
	if (measure(&b, &data, DATA_ROUNDS, flows > DATA_MIN ? flows : DATA_MIN) < 0)
		goto cleanup;
	printf("\n");
	err = 0;
cleanup:
	drive_bpf__destroy(b.drive);
	la_loader_close(b.loader);
	return err;
}

int main(void)
{
	printf("net ns a packet\n%-11s %8s", "hook", "flows");
	for (size_t i = 0; i < OPENING; i++)
		printf(" %9s", opening[i].name);
	printf(" %9s\n", data.name);
	for (size_t h = 0; h < sizeof(hooks) / sizeof(*hooks); h++)
		for (size_t i = 0; i < sizeof(flow_bits) / sizeof(*flow_bits); i++)
			if (bench(&hooks[h], flow_bits[i]))
				return 1;
	return bench_replay() ? 1 : 0;
}
