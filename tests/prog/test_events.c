/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_events.c - what comes out of the ring buffer, and in which order.
 *
 * The records are put into a ring of the test's own by a program of a few instructions, so
 * they can be such as no lastack in the kernel would send.
 */
#include "events.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES  (1 << 20)
#define VALUE_BYTES 512
#define HEARD_MAX   2048

/* A ring, and a map of one value that a program copies into it. */
struct producer {
	int ring;
	int value;
};

static struct producer producer_new(void)
{
	struct producer p;

	libbpf_set_print(NULL);
	p.ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_ring", 0, 0, RING_BYTES, NULL);
	p.value = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test_value", 4, VALUE_BYTES, 1, NULL);
	cr_assert(ge(int, p.ring, 0), "tests of the ring buffer need root");
	cr_assert(ge(int, p.value, 0));
	return p;
}

/* return bpf_ringbuf_output(ring, value, size, 0); */
static int load_copier(const struct producer *p, __u32 size)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = p->ring},
		{0},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = p->value},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = (int)size},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "test_copier", "GPL", insns,
			       sizeof(insns) / sizeof(*insns), NULL);

	cr_assert(ge(int, fd, 0), "%s", strerror(-fd));
	return fd;
}

/* Copies one record into the ring. */
static void copy(const struct producer *p, int copier, const void *data, __u32 size)
{
	static const char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	char value[VALUE_BYTES] = {0};
	__u32 zero = 0;

	memcpy(value, data, size);
	cr_assert(zero(int, bpf_map_update_elem(p->value, &zero, value, BPF_ANY)));
	cr_assert(zero(int, bpf_prog_test_run_opts(copier, &opts)));
	cr_assert(zero(uint, opts.retval), "the ring is full");
}

static void put(const struct producer *p, const void *data, __u32 size)
{
	int copier = load_copier(p, size);

	copy(p, copier, data, size);
	close(copier);
}

static void put_state(struct producer *p, __u64 id, __u32 seq)
{
	struct la_rec_state rec = {
		.h = {.v = LA_ABI_VERSION, .type = LA_REC_STATE, .id = id, .seq = seq},
		.from = LA_SYN_SENT,
		.to = LA_ESTABLISHED,
	};

	put(p, &rec, sizeof(rec));
}

static void put_close(struct producer *p, __u64 id, __u32 seq)
{
	struct la_rec_close rec = {
		.h = {.v = LA_ABI_VERSION, .type = LA_REC_CLOSE, .id = id, .seq = seq},
		.reason = LA_CLOSE_FIN,
		.closed_by = LA_BY_ORIG,
		.conn_state = LA_CONN_SF,
	};

	put(p, &rec, sizeof(rec));
}

/* A sink that remembers. */
struct heard {
	struct la_sink sink;
	unsigned int count, flushes;
	int error; /* of flush */
	struct {
		__u8 type;
		__u64 id;
		__u32 seq;
		__u64 lost;
	} rec[HEARD_MAX];
};

static void hear(struct la_sink *sink, const struct la_rec *rec)
{
	struct heard *heard = (struct heard *)sink;

	cr_assert(lt(uint, heard->count, HEARD_MAX));
	heard->rec[heard->count].type = rec->type;
	heard->rec[heard->count].id = rec->id;
	heard->rec[heard->count].seq = rec->seq;
	if (rec->type == LA_REC_LOST)
		heard->rec[heard->count].lost = ((const struct la_rec_lost *)rec)->count;
	heard->count++;
}

static int note_flush(struct la_sink *sink)
{
	((struct heard *)sink)->flushes++;
	return ((struct heard *)sink)->error;
}

static struct heard heard;

static struct la_events *listen_to(const struct producer *p, const char *filter, __u64 closes,
				   struct la_journal *journal)
{
	char err[600];
	struct la_events_opts opts = {
		.ring_fd = p->ring, .closes = closes, .journal = journal, .output_fd = -1};
	struct la_events *events;

	if (filter)
		opts.filter = la_filter_parse(filter, err, sizeof(err));
	events = la_events_new(&opts);
	cr_assert(ne(ptr, events, NULL));
	heard = (struct heard){.sink = {.record = hear, .flush = note_flush}};
	la_events_to(events, &heard.sink);
	return events;
}

static void expect_heard(const __u32 (*rows)[2], unsigned int count)
{
	cr_assert(eq(uint, heard.count, count));
	for (unsigned int i = 0; i < count; i++) {
		cr_expect(eq(u64, heard.rec[i].id, rows[i][0]), "record %u", i);
		cr_expect(eq(u32, heard.rec[i].seq, rows[i][1]), "record %u", i);
	}
}

Test(events, records_come_in_order_and_are_flushed_once)
{
	static const __u32 want[][2] = {{7, 0}, {7, 1}, {8, 0}};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, NULL);

	cr_expect(zero(int, la_events_drain(events)));
	cr_expect(zero(uint, heard.flushes));
	put_state(&p, 7, 0);
	put_state(&p, 7, 1);
	put_close(&p, 8, 0);
	cr_expect(eq(int, la_events_drain(events), 3));
	expect_heard(want, 3);
	cr_expect(eq(uint, heard.flushes, 1));
	la_events_free(events);
}

/* Two CPUs: the second put its record into the ring before the first did. */
Test(events, records_of_one_connection_are_put_in_order)
{
	static const __u32 want[][2] = {{7, 0}, {9, 5}, {7, 1}, {7, 2}, {7, 3}, {9, 6}, {8, 0}};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, NULL);

	put_state(&p, 7, 0);
	put_state(&p, 9, 5);
	put_state(&p, 7, 2);
	put_state(&p, 7, 3);
	put_state(&p, 9, 6);
	put_state(&p, 8, 0);
	put_state(&p, 7, 1);
	cr_expect(eq(int, la_events_drain(events), 7));
	expect_heard(want, 7);
	la_events_free(events);
}

Test(events, what_is_no_record_is_passed_over)
{
	static const __u32 want[][2] = {{7, 0}};
	struct la_rec_state rec = {.h = {.v = LA_ABI_VERSION + 1, .type = LA_REC_STATE, .id = 1}};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, NULL);

	put(&p, &rec, sizeof(rec)); /* another version */
	rec.h.v = LA_ABI_VERSION;
	put(&p, &rec, sizeof(rec.h));	  /* cut short */
	put(&p, &rec, sizeof(rec.h) - 8); /* within its head */
	rec.h.type = LA_RECORD_MAX;
	put(&p, &rec, sizeof(rec)); /* a type that does not exist */
	rec.h.type = LA_NO_RECORD;
	put(&p, &rec, sizeof(rec));
	rec.h.type = LA_REC_LOST; /* is made here, never in the kernel */
	put(&p, &rec, sizeof(rec));
	put_state(&p, 7, 0);
	cr_expect(eq(int, la_events_drain(events), 7));
	expect_heard(want, 1);
	la_events_free(events);
}

Test(events, nothing_follows_the_last_close_record_that_was_asked_for)
{
	static const __u32 want[][2] = {{7, 0}, {7, 1}, {8, 0}, {9, 0}};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 2, NULL);

	put_state(&p, 7, 0);
	put_close(&p, 7, 1);
	put_state(&p, 8, 0);
	cr_expect(eq(int, la_events_drain(events), 3));
	cr_expect(zero(int, la_events_done(events)));
	put_close(&p, 9, 0);
	put_close(&p, 10, 0);
	put_state(&p, 11, 0);
	cr_expect(eq(int, la_events_drain(events), 1));
	cr_expect(eq(int, la_events_done(events), 1));
	cr_expect(zero(int, la_events_drain(events))); /* what is left belongs to who comes next */
	expect_heard(want, 4);
	la_events_free(events);
}

Test(events, the_filter_comes_before_the_count)
{
	static const __u32 want[][2] = {{9, 0}};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, "reason fin and closed-by orig", 1, NULL);
	struct la_rec_close rec = {
		.h = {.v = LA_ABI_VERSION, .type = LA_REC_CLOSE, .id = 8},
		.reason = LA_CLOSE_RESET,
		.closed_by = LA_BY_ORIG,
	};

	put_state(&p, 7, 0);
	put(&p, &rec, sizeof(rec));
	cr_expect(eq(int, la_events_drain(events), 2));
	cr_expect(zero(int, la_events_done(events)));
	put_close(&p, 9, 0);
	cr_expect(eq(int, la_events_drain(events), 1));
	cr_expect(eq(int, la_events_done(events), 1));
	expect_heard(want, 1);
	la_events_free(events);
}

/* However much waits, one call is a bounded piece of work and nothing is dropped. */
Test(events, a_flood_is_drained_in_batches)
{
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, NULL);
	struct la_rec_gone rec = {.h = {.v = LA_ABI_VERSION, .type = LA_REC_GONE, .id = 7}};
	int taken, total = 0, rounds = 0, fd = load_copier(&p, sizeof(rec));

	for (rec.h.seq = 0; rec.h.seq < 1500; rec.h.seq++)
		copy(&p, fd, &rec, sizeof(rec));
	for (; (taken = la_events_drain(events)) > 0 && rounds < 100; rounds++)
		total += taken;
	cr_expect(zero(int, taken));
	cr_expect(eq(int, total, 1500));
	cr_expect(gt(int, rounds, 1));
	cr_assert(eq(uint, heard.count, 1500));
	for (unsigned int i = 0; i < heard.count; i++)
		cr_assert(eq(u32, heard.rec[i].seq, i));
	close(fd);
	la_events_free(events);
}

/* Somebody who has a journal keeps what he could not write for who comes next. */
Test(events, what_could_not_be_written_waits_on)
{
	static const __u32 want[][2] = {{7, 0}, {7, 1}, {8, 0}};
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, &journal);

	put_state(&p, 7, 0);
	put_close(&p, 7, 1);
	put_state(&p, 8, 0);
	heard.error = ENOSPC;
	cr_expect(eq(int, la_events_drain(events), -ENOSPC));
	cr_expect(eq(int, la_events_drain(events), -ENOSPC));
	la_events_free(events);
	events = listen_to(&p, NULL, 0, &journal);
	cr_expect(eq(int, la_events_drain(events), 3));
	expect_heard(want, 3);
	la_events_free(events);
	events = listen_to(&p, NULL, 0, &journal);
	cr_expect(zero(int, la_events_drain(events)));
	la_events_free(events);
}

/* Losses that an earlier process has told are not told again. */
Test(events, losses_are_told_once_whoever_tells_them)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, &journal);
	__u64 lost[LA_LOST_MAX] = {[LA_LOST_STATE] = 5};

	la_events_lost(events, lost, 1);
	cr_expect(eq(uint, heard.count, 1));
	la_events_free(events);
	events = listen_to(&p, NULL, 0, &journal);
	la_events_lost(events, lost, 2);
	cr_expect(zero(uint, heard.count));
	lost[LA_LOST_STATE] = 7;
	la_events_lost(events, lost, 3);
	cr_assert(eq(uint, heard.count, 1));
	cr_expect(eq(u64, heard.rec[0].lost, 2));
	la_events_free(events);
}

Test(events, losses_are_told_when_they_rise)
{
	struct producer p = producer_new();
	struct la_events *events = listen_to(&p, NULL, 0, NULL);
	__u64 lost[LA_LOST_MAX] = {0};

	la_events_lost(events, lost, 1);
	cr_expect(zero(uint, heard.count));
	lost[LA_LOST_STATE] = 5;
	la_events_lost(events, lost, 2);
	la_events_lost(events, lost, 3);
	lost[LA_LOST_STATE] = 6;
	la_events_lost(events, lost, 4);
	lost[LA_LOST_CLOSE] = 3;
	la_events_lost(events, lost, 5);
	cr_assert(eq(uint, heard.count, 3));
	cr_expect(eq(uint, heard.rec[0].type, LA_REC_LOST));
	cr_expect(eq(u64, heard.rec[0].lost, 5));
	cr_expect(eq(u64, heard.rec[1].lost, 1));
	cr_expect(eq(u64, heard.rec[2].lost, 3));
	la_events_free(events);
}
