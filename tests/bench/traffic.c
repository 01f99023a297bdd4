/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic.c - see traffic.h. The other half is drive.bpf.c.
 */
#include "traffic.h"
#include "bench.h"
#include "drive.skel.h"
#include "net.h"
#include "packet.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define ISN_ORIG    1000
#define ISN_RESP    900000000U
#define XDP_GENERIC 2U /* XDP_FLAGS_SKB_MODE */
#define BATCH	    64 /* live frames: what the device takes at once without losing any */

struct la_traffic {
	struct drive_bpf *skel;
	int netns[2], links[2]; /* see keep_ready() */
};

#define DATA LA_BYTES_EACH

const struct la_step la_whole[LA_WHOLE] = {
	{"SYN", false, LA_SYN, 0, .seq = 0, .ack = 0},
	{"SYN-ACK", true, LA_SYN | LA_ACK, 0, .seq = 0, .ack = 1},
	{"ACK", false, LA_ACK, 0, .seq = 1, .ack = 1},
	{"request", false, LA_ACK | LA_PSH, DATA, .seq = 1, .ack = 1},
	{"its ACK", true, LA_ACK, 0, .seq = 1, .ack = DATA + 1},
	{"response", true, LA_ACK | LA_PSH, DATA, .seq = 1, .ack = DATA + 1},
	{"its ACK", false, LA_ACK, 0, .seq = DATA + 1, .ack = DATA + 1},
	{"FIN", false, LA_FIN | LA_ACK, 0, .seq = DATA + 1, .ack = DATA + 1},
	{"FIN back", true, LA_FIN | LA_ACK, 0, .seq = DATA + 1, .ack = DATA + 2},
	{"last ACK", false, LA_ACK, 0, .seq = DATA + 2, .ack = DATA + 2},
};

const struct la_step la_opening[LA_OPENING] = {
	{"SYN", false, LA_SYN, 0, .seq = 0, .ack = 0},
	{"SYN-ACK", true, LA_SYN | LA_ACK, 0, .seq = 0, .ack = 1},
	{"ACK", false, LA_ACK, 0, .seq = 1, .ack = 1},
	{"window", true, LA_ACK, 0, .seq = 1, .ack = 1},
};

const struct la_step la_data = {"data",	  false,    LA_ACK | LA_PSH,  DATA,
				.seq = 1, .ack = 1, .seq_round = DATA};
const struct la_step la_acks = {"ACKs",		  true, LA_ACK, 0, .seq = 1, .ack = DATA + 1,
				.ack_round = DATA};

/* Fields are those of round 0 and of any flow: the driver puts in its own. */
static struct la_frame frame_of(const struct la_step *step)
{
	static const char syn_options[] = "\2\4\5\264\1\3\3\16"; /* MSS 1460, window scale 14 */

	return LA_FRAME(.flags = step->flags, .win = 65535, .payload_len = step->len,
			.options = syn_options, .options_len = step->flags & LA_SYN ? 8 : 0);
}

static void fill_lane(struct la_lane *lane, const struct la_run *run, __u64 cursor)
{
	const struct la_step *step = run->step;
	__u32 seq_base = step->from_resp ? ISN_RESP : ISN_ORIG;
	__u32 ack_base = step->from_resp ? ISN_ORIG : ISN_RESP;

	lane->count = cursor;
	lane->target = run->target;
	lane->first = run->first;
	lane->bits = run->bits;
	lane->factor = run->factor ? run->factor : 2654435761U;
	lane->seq = seq_base + step->seq;
	lane->ack = step->flags & LA_ACK ? ack_base + step->ack : 0;
	lane->seq_round = step->seq_round;
	lane->ack_round = step->ack_round;
	lane->ifindex = run->ifindex;
	lane->from_resp = step->from_resp;
	lane->flood = run->flood;
}

static const struct way {
	const char *name;
	int returns; /* if the driver reached the program; live frames: always 0 */
} ways[] = {
	[LA_WAY_XDP] = {"xdp", XDP_PASS},
	[LA_WAY_TC] = {"tc", -1 /* TC_ACT_UNSPEC */},
	[LA_WAY_LIVE] = {"live frames", 0},
};

static int driver_of(const struct la_traffic *traffic, enum la_way way)
{
	const struct bpf_program *const drivers[] = {
		[LA_WAY_XDP] = traffic->skel->progs.drive_xdp,
		[LA_WAY_TC] = traffic->skel->progs.drive_tc,
		[LA_WAY_LIVE] = traffic->skel->progs.drive_live,
	};

	return bpf_program__fd(drivers[way]);
}

double la_traffic_run(struct la_traffic *traffic, const struct la_run *run, __u64 *cursor)
{
	struct la_lane *lane = &traffic->skel->bss->lanes[sched_getcpu() & (LA_LANES - 1)];
	struct la_frame frame = frame_of(run->step);
	bool live = run->way == LA_WAY_LIVE;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes,
		    .data_size_in = (__u32)frame.len, .repeat = (int)run->packets,
		    .flags = live ? BPF_F_TEST_XDP_LIVE_FRAMES : 0, .batch_size = live ? BATCH : 0);
	__u64 begun;

	fill_lane(lane, run, *cursor);
	begun = la_bench_cpu_ns();
	if (bpf_prog_test_run_opts(driver_of(traffic, run->way), &opts))
		return la_bench_fail("cannot run", ways[run->way].name, errno);
	begun = la_bench_cpu_ns() - begun;
	if ((int)opts.retval != ways[run->way].returns)
		return la_bench_fail("the driver cannot reach the program", ways[run->way].name,
				     EINVAL);
	*cursor = lane->count;
	return live ? (double)begun / (double)run->packets : opts.duration;
}

int la_traffic_target(struct la_traffic *traffic, enum la_way way, enum la_drive_target target,
		      int prog_fd)
{
	const struct bpf_map *map = way == LA_WAY_XDP ? traffic->skel->maps.xdp_targets
						      : traffic->skel->maps.tc_targets;
	__u32 index = target;
	int err = bpf_map__update_elem(map, &index, sizeof(index), &prog_fd, sizeof(prog_fd), 0);

	return err ? la_bench_fail("cannot set", bpf_map__name(map), -err) : 0;
}

int la_traffic_sink(const struct la_traffic *traffic)
{
	return bpf_program__fd(traffic->skel->progs.sink_tc);
}

int la_traffic_nothing(const struct la_traffic *traffic)
{
	return bpf_program__fd(traffic->skel->progs.nothing_xdp);
}

__u64 la_traffic_arrived(const struct la_traffic *traffic)
{
	__u64 sum = 0;

	for (int i = 0; i < LA_LANES; i++)
		sum += __atomic_load_n(&traffic->skel->bss->lanes[i].arrived, __ATOMIC_RELAXED);
	return sum;
}

/*
 * A program that runs at XDP enters the kernel's dispatcher, and each TEST_RUN would wait for
 * that, and for the program to leave it afterwards: some 20 ms. So it is there all the time,
 * attached to the loopback of a namespace where nothing happens.
 */
static int keep_ready(struct la_traffic *traffic, int nth, enum la_way way)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_GENERIC);
	const int loopback = 1;
	int home = la_net_here();

	if (home < 0 || la_net_new(&traffic->netns[nth]))
		return -1;
	traffic->links[nth] = bpf_link_create(driver_of(traffic, way), loopback, BPF_XDP, &opts);
	if (traffic->links[nth] < 0)
		la_bench_fail("cannot attach", "XDP to a loopback", errno);
	if (la_net_enter(home))
		abort();
	close(home);
	return traffic->links[nth] < 0 ? -1 : 0;
}

struct la_traffic *la_traffic_new(void)
{
	struct la_traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic) {
		*traffic = (struct la_traffic){.netns = {-1, -1}, .links = {-1, -1}};
		traffic->skel = drive_bpf__open_and_load();
	}
	if (!traffic || !traffic->skel) {
		la_bench_fail("cannot load", "drive.bpf.o", errno);
		free(traffic);
		return NULL;
	}
	if (la_traffic_target(traffic, LA_WAY_XDP, LA_TARGET_NOTHING,
			      la_traffic_nothing(traffic)) ||
	    la_traffic_target(traffic, LA_WAY_TC, LA_TARGET_NOTHING,
			      bpf_program__fd(traffic->skel->progs.nothing_tc)) ||
	    keep_ready(traffic, 0, LA_WAY_XDP) || keep_ready(traffic, 1, LA_WAY_LIVE)) {
		la_traffic_free(traffic);
		return NULL;
	}
	return traffic;
}

void la_traffic_free(struct la_traffic *traffic)
{
	if (!traffic)
		return;
	for (int i = 0; i < 2; i++) {
		if (traffic->links[i] >= 0)
			close(traffic->links[i]);
		if (traffic->netns[i] >= 0)
			close(traffic->netns[i]);
	}
	drive_bpf__destroy(traffic->skel);
	free(traffic);
}
