/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_hammer.c - two CPUs on one flow lose no packet and no transition.
 *
 * Two threads, each bound to a CPU, run the real program on packets of the same connection
 * as fast as they can. What the close record says is compared with what was sent.
 */
#include "../packet.h"
#include "engine.h"
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define HAMMERS	   2
#define SWINGS	   200
#define BATCH	   1000
#define NOW	   (1000 * LA_SEC_NS)
#define CLIENT_ISN 1000
#define SERVER_ISN 5000

/* Counts what comes out. */
struct tally {
	struct la_sink sink;
	int states, closes, gone, opened;
	struct la_rec_close close;
};

static void count(struct la_sink *sink, const struct la_rec *rec)
{
	struct tally *t = (struct tally *)sink;
	const struct la_rec_state *state = (const void *)rec;

	if (rec->type == LA_REC_STATE) {
		t->states++;
		t->opened += state->to == LA_SYN_SENT;
	}
	if (rec->type == LA_REC_GONE)
		t->gone++;
	if (rec->type == LA_REC_CLOSE) {
		t->closes++;
		t->close = *(const struct la_rec_close *)rec;
	}
}

static struct la_engine *engine_new(struct tally *t)
{
	struct la_engine_opts opts = {.max_flows = 8192};
#define SET(sym, word, seconds) opts.config.timeout[LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS;

	LA_TIMEOUTS(SET)
	memset(t, 0, sizeof(*t));
	t->sink.record = count;
	return la_engine_new(&opts, &t->sink);
}

static struct la_frame from_client(__u8 flags, __u32 seq, __u32 ack, __u32 len)
{
	return LA_FRAME(.sport = 40000, .dport = 80, .flags = flags, .seq = CLIENT_ISN + seq,
			.ack = flags & LA_ACK ? SERVER_ISN + ack : 0, .payload_len = len,
			.win = 60000);
}

static struct la_frame from_server(__u8 flags, __u32 seq, __u32 ack, __u32 len)
{
	return LA_FRAME(.src = "10.0.0.2", .dst = "10.0.0.1", .sport = 80, .dport = 40000,
			.flags = flags, .seq = SERVER_ISN + seq, .ack = CLIENT_ISN + ack,
			.payload_len = len, .win = 60000);
}

static void say(struct la_engine *e, struct la_frame f)
{
	la_engine_packet(e, LA_GATE_XDP, f.bytes, f.len, NOW);
}

/* One thread's work: the same frame, BATCH times a swing, on its own CPU. */
struct hammer {
	pthread_t thread;
	int cpu, prog, err;
	struct la_frame frame;
	pthread_barrier_t *start;
};

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *swing(void *arg)
{
	struct hammer *h = arg;

	bind_to(h->cpu);
	pthread_barrier_wait(h->start);
	for (int i = 0; i < SWINGS && !h->err; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = h->frame.bytes,
			    .data_size_in = h->frame.len, .repeat = BATCH);

		h->err = bpf_prog_test_run_opts(h->prog, &opts);
	}
	return NULL;
}

static int cpus(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void hammer(struct la_engine *e, struct la_frame a, struct la_frame b)
{
	struct hammer h[HAMMERS] = {{.frame = a}, {.frame = b}};
	pthread_barrier_t start;

	cr_assert_geq(cpus(), HAMMERS, "this test needs two CPUs");
	pthread_barrier_init(&start, NULL, HAMMERS);
	for (int i = 0; i < HAMMERS; i++) {
		h[i].cpu = i;
		h[i].prog = la_engine_prog(e, LA_GATE_XDP);
		h[i].start = &start;
		pthread_create(&h[i].thread, NULL, swing, &h[i]);
	}
	for (int i = 0; i < HAMMERS; i++) {
		pthread_join(h[i].thread, NULL);
		cr_assert_eq(h[i].err, 0, "BPF_PROG_TEST_RUN failed on CPU %d", i);
	}
	pthread_barrier_destroy(&start);
}

static void open_connection(struct la_engine *e)
{
	say(e, from_client(LA_SYN, 0, 0, 0));
	say(e, from_server(LA_SYN | LA_ACK, 0, 1, 0));
	say(e, from_client(LA_ACK, 1, 1, 0));
}

static void close_connection(struct la_engine *e, __u32 client, __u32 server)
{
	say(e, from_client(LA_FIN | LA_ACK, client, server, 0));
	say(e, from_server(LA_FIN | LA_ACK, server, client + 1, 0));
	say(e, from_client(LA_ACK, client + 1, server + 1, 0));
}

#define HAMMERED ((__u64)SWINGS * BATCH)

/* The same segment on both CPUs: one of them is new, all the others are copies. */
Test(hammer, one_direction_on_two_cpus, .timeout = 60)
{
	struct tally t;
	struct la_engine *e = engine_new(&t);
	struct la_frame data = from_client(LA_ACK | LA_PSH, 1, 1, 100);

	open_connection(e);
	hammer(e, data, data);
	close_connection(e, 101, 1);
	la_engine_drain(e);
	cr_assert_eq(t.closes, 1);
	cr_assert_eq(t.close.side[LA_ORIG].pkts, 2 * HAMMERED + 4, "%llu packets",
		     t.close.side[LA_ORIG].pkts);
	cr_assert_eq(t.close.side[LA_ORIG].bytes, 100);
	cr_assert_eq(t.close.side[LA_ORIG].retrans, 2 * HAMMERED - 1, "%u",
		     t.close.side[LA_ORIG].retrans);
	cr_assert_eq(t.states, 10, "%d transitions", t.states);
	la_engine_free(e);
}

/* One CPU a direction, as a NIC with several queues delivers them: the fast path. */
Test(hammer, both_directions, .timeout = 60)
{
	struct tally t;
	struct la_engine *e = engine_new(&t);

	open_connection(e);
	say(e, from_client(LA_ACK | LA_PSH, 1, 1, 10));
	say(e, from_client(LA_ACK | LA_PSH, 11, 1, 10));
	say(e, from_server(LA_ACK, 1, 21, 0));
	hammer(e, from_client(LA_ACK, 21, 1, 0), from_server(LA_ACK, 1, 21, 0));
	close_connection(e, 21, 1);
	la_engine_drain(e);
	cr_assert_eq(t.closes, 1);
	cr_assert_eq(t.close.side[LA_ORIG].pkts, HAMMERED + 6, "%llu packets",
		     t.close.side[LA_ORIG].pkts);
	cr_assert_eq(t.close.side[LA_RESP].pkts, HAMMERED + 3, "%llu packets",
		     t.close.side[LA_RESP].pkts);
	cr_assert_eq(t.states, 10, "%d transitions", t.states);
	la_engine_free(e);
}

/* Both CPUs try to make every transition, again and again: each happens once. */
Test(hammer, transitions, .timeout = 60)
{
	struct la_frame steps[] = {
		from_client(LA_SYN, 0, 0, 0),	       from_server(LA_SYN | LA_ACK, 0, 1, 0),
		from_client(LA_ACK, 1, 1, 0),	       from_client(LA_FIN | LA_ACK, 1, 1, 0),
		from_server(LA_FIN | LA_ACK, 1, 2, 0), from_client(LA_ACK, 2, 2, 0),
	};
	struct tally t;
	struct la_engine *e = engine_new(&t);
	size_t n = sizeof(steps) / sizeof(*steps);

	for (size_t i = 0; i < n; i++) {
		hammer(e, steps[i], steps[i]);
		la_engine_drain(e);
	}
	cr_assert_eq(t.closes, 1, "%d close records", t.closes);
	cr_assert_eq(t.opened, 1, "opened %d times", t.opened);
	la_engine_shutdown(e, NOW);
	la_engine_drain(e);
	cr_assert_eq(t.gone, 1);
	cr_assert_eq(la_engine_counters(e).packets[LA_HOOK_XDP][LA_R_RACE], 0);
	la_engine_free(e);
}

/* Thousands of connections, each of whose packets comes on both CPUs at about the same time. */
struct crowd {
	pthread_t thread;
	int cpu, prog, err;
	pthread_barrier_t *start;
};

#define CROWD 4000

static struct la_frame crowd_frame(int n, int step)
{
	__u16 port = 10000 + n;
	struct la_packet p = {.sport = port,
			      .dport = 80,
			      .win = 60000,
			      .seq = 100 + (step > 2) + (step > 0),
			      .flags = LA_ACK};

	switch (step) {
	case 0:
		p.flags = LA_SYN;
		break;
	case 1:
		p = (struct la_packet){.src = "10.0.0.2",
				       .dst = "10.0.0.1",
				       .sport = 80,
				       .dport = port,
				       .seq = 900,
				       .ack = 101,
				       .win = 60000,
				       .flags = LA_SYN | LA_ACK};
		break;
	case 2:
		p.seq = 101;
		p.ack = 901;
		break;
	default:
		p.seq = 101;
		p.ack = 901;
		p.flags = LA_RST | LA_ACK;
	}
	return la_frame_build(&p);
}

static void *run_crowd(void *arg)
{
	struct crowd *c = arg;

	bind_to(c->cpu);
	pthread_barrier_wait(c->start);
	for (int n = 0; n < CROWD; n++) {
		for (int step = 0; step < 4 && !c->err; step++) {
			struct la_frame f = crowd_frame(n, step);
			LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f.bytes,
				    .data_size_in = f.len, .repeat = 1);

			c->err = bpf_prog_test_run_opts(c->prog, &opts);
		}
	}
	return NULL;
}

Test(hammer, crowd, .timeout = 60)
{
	struct crowd c[HAMMERS] = {0};
	struct tally t;
	struct la_engine *e = engine_new(&t);
	pthread_barrier_t start;
	struct la_counters sum;

	pthread_barrier_init(&start, NULL, HAMMERS);
	for (int i = 0; i < HAMMERS; i++) {
		c[i].cpu = i;
		c[i].prog = la_engine_prog(e, LA_GATE_XDP);
		c[i].start = &start;
		pthread_create(&c[i].thread, NULL, run_crowd, &c[i]);
	}
	for (int i = 0; i < HAMMERS; i++) {
		pthread_join(c[i].thread, NULL);
		cr_assert_eq(c[i].err, 0);
	}
	la_engine_drain(e);
	sum = la_engine_counters(e);
	cr_assert_eq(t.closes, CROWD, "%d close records", t.closes);
	cr_assert_eq(sum.opened, CROWD, "%llu flows", sum.opened);
	cr_assert_eq(la_engine_flows(e), CROWD);
	la_engine_free(e);
}
