/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_replays.c - `replay --engine native` and `--engine bpf` say the same, byte for byte
 * and in the same order: on every capture of tests/captures/ in every output format, and on
 * ten thousand random ones that exist only in memory.
 */
#include "bpf_engine.h"
#include "chats.h"
#include "cmd.h"
#include "native.h"
#include "options.h"
#include "output.h"
#include "replay.h"
#include <criterion/criterion.h>
#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- ten thousand captures ---- */

#define CAPTURES	 10000
#define PACKETS_MAX	 100
#define RECORDS_MAX	 4096
#define RECORDS_EXPECTED (20 * CAPTURES)

/* Every record as it came, and zeros behind it. */
struct tape {
	struct la_sink sink;
	union la_any_rec rec[RECORDS_MAX];
	int n;
};

static const size_t record_sizes[LA_RECORD_MAX] = {
	[LA_REC_STATE] = sizeof(struct la_rec_state),
	[LA_REC_RST] = sizeof(struct la_rec_rst),
	[LA_REC_CLOSE] = sizeof(struct la_rec_close),
	[LA_REC_GONE] = sizeof(struct la_rec_gone),
	[LA_REC_SEGMENT] = sizeof(struct la_rec_segment),
};

static void tape_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct tape *t = (struct tape *)sink;

	cr_assert_lt(t->n, RECORDS_MAX);
	memset(&t->rec[t->n], 0, sizeof(*t->rec));
	memcpy(&t->rec[t->n++], rec, record_sizes[rec->type]);
}

static struct tape native_tape = {.sink = {.record = tape_record}};
static struct tape bpf_tape = {.sink = {.record = tape_record}};

/* A quarter each: Ethernet, no link header, two places of capture, cut off behind the header. */
enum kind { ETHER, NO_LINK, TWO_HOOKS, SNAPPED, KINDS };

/* Short captures need more silences than long ones. */
static __u64 time_after(__u64 now, struct dice *d)
{
	if (roll(d, 25) == 0)
		return now + (1 + roll(d, 150)) * LA_SEC_NS;
	if (roll(d, 40) == 0 && now > LA_SEC_NS)
		return now - roll(d, LA_SEC_NS);
	return next_time(now, d);
}

/* Few packets have a checksum that is wrong. */
static enum la_reason damage(struct dice *d)
{
	static const enum la_reason damages[] = {LA_R_IP_BAD_CHECKSUM, LA_R_TCP_BAD_CHECKSUM,
						 LA_R_TCP_BAD_CHECKSUM, LA_R_ICMP_BAD_CHECKSUM};

	return roll(d, 20) ? LA_NO_REASON : damages[roll(d, 4)];
}

static struct la_captured as_captured(const struct la_frame *f, enum kind kind, struct dice *d)
{
	struct la_captured p = {
		.data = f->bytes, .cap_len = f->len, .wire_len = f->len, .link = LA_LINK_ETHER};

	if (kind == NO_LINK) {
		p.data = f->bytes + f->l3;
		p.cap_len = p.wire_len = f->len - f->l3;
		p.link = LA_LINK_L3;
		p.l3_proto = roll(d, 2) ? la_hton16(f->bytes[12] << 8 | f->bytes[13]) : 0;
	}
	if (kind == TWO_HOOKS)
		p.hook = la_hook_id(1 + roll(d, 2), roll(d, 2));
	if (kind == SNAPPED && roll(d, 10))
		p.cap_len = p.cap_len < 80 ? p.cap_len : 80;
	else if (kind == SNAPPED)
		p.cap_len = roll(d, p.cap_len);
	p.cut = p.cap_len < p.wire_len;
	p.damaged = damage(d);
	return p;
}

static void feed_both(struct la_engine *native, struct la_engine *bpf, __u32 seed)
{
	struct chatter chatter = {.dice.state = seed * 104729ULL + 7};
	int packets = 20 + roll(&chatter.dice, PACKETS_MAX - 20);
	__u64 now = LA_SEC_NS;

	begin_all(&chatter);
	for (int i = 0; i < packets; i++) {
		struct la_frame f = next_frame(&chatter);
		struct la_captured p = as_captured(&f, seed % KINDS, &chatter.dice);

		p.ts = now = time_after(now, &chatter.dice);
		cr_assert_eq(native->packet(native, &p), 0);
		cr_assert_eq(bpf->packet(bpf, &p), 0, "seed %u, packet %d", seed, i);
	}
	cr_assert_eq(native->finish(native), 0);
	cr_assert_eq(bpf->finish(bpf), 0);
}

static void assert_same_tapes(__u32 seed)
{
	int n = native_tape.n < bpf_tape.n ? native_tape.n : bpf_tape.n;

	for (int i = 0; i < n; i++) {
		const struct la_rec *a = &native_tape.rec[i].h, *b = &bpf_tape.rec[i].h;

		cr_assert(!memcmp(a, b, sizeof(union la_any_rec)),
			  "seed %u: record %d of %d and %d: native %s id %llx seq %u ts %llu, "
			  "bpf %s id %llx seq %u ts %llu",
			  seed, i, native_tape.n, bpf_tape.n, la_record_word(a->type), a->id,
			  a->seq, a->ts, la_record_word(b->type), b->id, b->seq, b->ts);
	}
	cr_assert_eq(native_tape.n, bpf_tape.n, "seed %u: %d and %d records", seed, native_tape.n,
		     bpf_tape.n);
}

static void assert_same_counters(const struct la_engine *native, const struct la_engine *bpf)
{
	struct la_counters a, b;

	cr_assert_eq(native->counters(native, &a), 0);
	cr_assert_eq(bpf->counters(bpf, &b), 0);
	for (int r = 0; r < LA_REASON_MAX; r++) {
		__u64 packets = 0;

		for (int hook = 0; hook < LA_HOOK_MAX; hook++)
			packets += b.packets[hook][r];
		cr_expect_eq(a.packets[LA_NO_HOOK][r], packets, "%s: native %llu, bpf %llu",
			     la_reason_word(r), a.packets[LA_NO_HOOK][r], packets);
	}
	cr_expect_eq(a.opened, b.opened);
	cr_expect_eq(b.opened, b.gone);
	cr_expect_eq(native->disordered, bpf->disordered);
}

Test(replays, agree_on_ten_thousand_random_captures, .timeout = 240)
{
	struct la_engine *native, *bpf;
	struct la_native *n;
	struct la_config cfg;
	__u64 records = 0;

	la_config_defaults(&cfg);
	cfg.segments = 1;
	n = la_native_new(&cfg, &native_tape.sink);
	bpf = la_bpf_engine_new(&cfg, &bpf_tape.sink, 64);
	cr_assert(n && bpf);
	native = la_native_engine(n);
	for (__u32 seed = 0; seed < CAPTURES; seed++) {
		native_tape.n = bpf_tape.n = 0;
		feed_both(native, bpf, seed);
		assert_same_tapes(seed);
		records += native_tape.n;
	}
	cr_expect_gt(records, RECORDS_EXPECTED, "only %llu records", records);
	assert_same_counters(native, bpf);
	la_engine_close(bpf);
	la_engine_close(native);
}

/* ---- the captures of tests/captures/ ---- */

/* An engine keeps its sink; the output behind it changes with every capture. */
struct relay {
	struct la_sink sink;
	struct la_sink *to;
};

static void relay_record(struct la_sink *sink, const struct la_rec *rec)
{
	la_sink_record(((struct relay *)sink)->to, rec);
}

enum format { TEXT, JSONL, LADDER };

static struct la_sink *make_output(enum format format, FILE *to)
{
	static const struct la_output_opts opts = {.numeric = true};

	if (format == LADDER)
		return la_output_ladder_new(to, &opts);
	return format == JSONL ? la_output_jsonl_new(to, &opts) : la_output_text_new(to, &opts);
}

/* What an engine prints of a capture, to be freed. */
static char *printed(struct la_engine *engine, struct relay *relay, enum format format,
		     const char *path)
{
	struct la_replay replay = {.engine = engine};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	relay->to = make_output(format, to);
	cr_assert_eq(la_replay_file(&replay, path), 0, "%s: %s %s", path, replay.what, replay.why);
	cr_assert_eq(engine->finish(engine), 0);
	la_sink_flush(relay->to);
	la_sink_close(relay->to);
	fclose(to);
	return text;
}

/* Prints every capture by both engines, in the formats from first to last. */
static void compare_captures(enum format first, enum format last)
{
	struct relay native_relay = {.sink = {.record = relay_record}}, bpf_relay = native_relay;
	struct la_engine *native, *bpf;
	struct la_config cfg;
	glob_t files;

	la_config_defaults(&cfg);
	cfg.segments = first == LADDER;
	native = la_native_engine(la_native_new(&cfg, &native_relay.sink));
	bpf = la_bpf_engine_new(&cfg, &bpf_relay.sink, 1024);
	cr_assert(native && bpf);
	cr_assert_eq(glob("tests/captures/*.pcap", 0, NULL, &files), 0);
	cr_assert_geq(files.gl_pathc, 40, "%zu captures", files.gl_pathc);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		for (enum format f = first; f <= last; f++) {
			char *a = printed(native, &native_relay, f, files.gl_pathv[i]);
			char *b = printed(bpf, &bpf_relay, f, files.gl_pathv[i]);

			cr_expect_str_eq(a, b, "%s: native:\n%sbpf:\n%s", files.gl_pathv[i], a, b);
			free(a);
			free(b);
		}
	}
	globfree(&files);
	assert_same_counters(native, bpf);
	la_engine_close(bpf);
	la_engine_close(native);
}

Test(replays, agree_on_the_captures_in_text_and_json, .timeout = 60)
{
	compare_captures(TEXT, JSONL);
}

Test(replays, agree_on_the_captures_in_ladders, .timeout = 60)
{
	compare_captures(LADDER, LADDER);
}

/* ---- the verb ---- */

struct outcome {
	int code;
	char text[4096];
};

static struct outcome shell(const char *command)
{
	struct outcome o = {.code = -1};
	FILE *pipe = popen(command, "r");
	size_t n;

	cr_assert_not_null(pipe);
	n = fread(o.text, 1, sizeof(o.text) - 1, pipe);
	o.text[n] = '\0';
	o.code = WEXITSTATUS(pclose(pipe));
	return o;
}

#define LASTACK "build/lastack replay -o jsonl "
#define CAPTURE " tests/captures/four-segments.pcap 2>/dev/null"

Test(replays, the_engine_is_an_option, .timeout = 60)
{
	struct outcome native = shell(LASTACK "--engine native" CAPTURE);
	struct outcome bpf = shell(LASTACK "--engine bpf" CAPTURE);

	cr_expect_eq(native.code, 0);
	cr_expect_eq(bpf.code, 0);
	cr_expect(strstr(native.text, "\"type\":\"close\""), "%s", native.text);
	cr_expect_str_eq(native.text, bpf.text);
}

Test(replays, an_engine_that_does_not_exist)
{
	struct outcome o = shell("build/lastack replay --engine warp x 2>&1");

	cr_expect_eq(o.code, 2);
	cr_expect_str_eq(o.text, "lastack: bad option: --engine: warp (native or bpf)\n");
}

/* In a child, for there is no way back; nobody may not reach the binary by its path. */
Test(replays, the_programs_want_privilege, .timeout = 60)
{
	char *argv[] = {"replay", "--engine", "bpf", "tests/captures/refused.pcap", NULL};
	char text[512] = "";
	int pipe_fds[2], status;
	pid_t child;

	cr_assert_eq(pipe(pipe_fds), 0);
	child = fork();
	if (!child) {
		dup2(pipe_fds[1], STDERR_FILENO);
		_exit(setresuid(65534, 65534, 65534) ? 99 : la_cmd_replay(4, argv));
	}
	close(pipe_fds[1]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_gt(read(pipe_fds[0], text, sizeof(text) - 1), 0);
	close(pipe_fds[0]);
	cr_expect_eq(WEXITSTATUS(status), 1);
	cr_expect_str_eq(text, "lastack: cannot load the BPF programs: not permitted, CAP_BPF, "
			       "CAP_NET_ADMIN, CAP_PERFMON missing (run it with sudo, or give it "
			       "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)\n");
}
