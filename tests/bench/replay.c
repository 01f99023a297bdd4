/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - the speed of `lastack replay`.
 *
 * A thousand connections at a time open, talk and close, 50 packets each, until there are
 * two million packets in a temporary file. It was just written, so it is warm. The way is
 * that of `lastack replay FILE >/dev/null`: libpcap's format, the native engine, one line of
 * text a transition. What counts is the processor time of this thread, so that other work on
 * the machine does not.
 */
#include "replay.h"
#include "bench.h"
#include "figures.h"
#include "native.h"
#include "options.h"
#include "output.h"
#include "packet.h"
#include <errno.h>
#include <unistd.h>

#define AT_ONCE	     1000
#define GENERATIONS  40
#define PACKETS_EACH 50
#define PACKETS	     (AT_ONCE * GENERATIONS * PACKETS_EACH)
#define DATA_BYTES   200

/* A segment of every connection, its numbers relative to both initial ones. */
struct part {
	bool from_server;
	__u8 flags;
	__u32 seq, ack, len;
};

/* What the i-th of the packets of a connection is: three to open, four to close, else talk. */
static struct part part_of(int i)
{
	static const struct part opening[] = {{false, LA_SYN, 0, 0, 0},
					      {true, LA_SYN | LA_ACK, 0, 1, 0},
					      {false, LA_ACK, 1, 1, 0}};
	int talk = (PACKETS_EACH - 7) / 2;
	__u32 sent = 1 + talk * DATA_BYTES;
	const struct part closing[] = {{false, LA_FIN | LA_ACK, 1, sent, 0},
				       {true, LA_ACK, sent, 2, 0},
				       {true, LA_FIN | LA_ACK, sent, 2, 0},
				       {false, LA_ACK, 2, sent + 1, 0}};
	__u32 before = 1 + (i - 3) / 2 * DATA_BYTES;

	if (i < 3)
		return opening[i];
	if (i >= PACKETS_EACH - 4)
		return closing[i - (PACKETS_EACH - 4)];
	if (i == PACKETS_EACH - 5)
		return (struct part){false, LA_ACK, 1, sent, 0};
	if (i % 2)
		return (struct part){true, LA_ACK | LA_PSH, before, 1, DATA_BYTES};
	return (struct part){false, LA_ACK, 1, before + DATA_BYTES, 0};
}

struct pcap_head {
	__u32 magic;
	__u16 major, minor;
	__u32 zone, sigfigs, snaplen, link;
};

struct packet_head {
	__u32 s, ns, cap_len, wire_len;
};

/* One generation: every part in turn, of every connection. */
static void write_generation(FILE *file, int generation, __u64 *now)
{
	for (int i = 0; i < PACKETS_EACH; i++) {
		struct part part = part_of(i);
		struct la_frame f =
			LA_FRAME(.src = part.from_server ? "10.0.0.2" : "10.0.0.1",
				 .dst = part.from_server ? "10.0.0.1" : "10.0.0.2",
				 .flags = part.flags, .win = 65000, .payload_len = part.len);
		__u8 *client_port = f.bytes + f.l4 + (part.from_server ? 2 : 0);
		__u8 *server_port = f.bytes + f.l4 + (part.from_server ? 0 : 2);

		la_put16(server_port, 443);
		for (int c = 0; c < AT_ONCE; c++) {
			__u32 isn[] = {0x1000 * c + generation, 0x2000 * c + 7};
			struct packet_head head = {(__u32)(*now / LA_SEC_NS),
						   (__u32)(*now % LA_SEC_NS), (__u32)f.len,
						   (__u32)f.len};

			la_put16(client_port, (generation % 60 * AT_ONCE + c) % 64000 + 1024);
			la_put32(f.bytes + f.l4 + 4, isn[part.from_server] + part.seq);
			la_put32(f.bytes + f.l4 + 8, isn[!part.from_server] + part.ack);
			la_frame_resum(&f);
			fwrite(&head, sizeof(head), 1, file);
			fwrite(f.bytes, 1, f.len, file);
			*now += 10000;
		}
	}
}

static int write_capture(FILE *file)
{
	const struct pcap_head head = {0xa1b23c4d, 2, 4, 0, 0, 65535, 1};
	__u64 now = 1700000000 * LA_SEC_NS;

	fwrite(&head, sizeof(head), 1, file);
	for (int g = 0; g < GENERATIONS; g++)
		write_generation(file, g, &now);
	return fflush(file) || ferror(file) ? -1 : 0;
}

/* One replay. Returns its processor time, ns, or 0 with the reason on stderr. */
static __u64 replay_once(const char *path, FILE *nowhere)
{
	struct la_sink *output = la_output_text_new(nowhere, &(struct la_output_opts){0});
	struct la_replay replay = {0};
	struct la_config cfg;
	__u64 begun = la_bench_cpu_ns(), took = 0;
	struct la_native *native;

	la_config_defaults(&cfg);
	native = la_native_new(&cfg, output);
	replay.engine = native ? la_native_engine(native) : NULL;
	if (!output || !native)
		la_bench_fail("cannot replay", path, ENOMEM);
	else if (la_replay_file(&replay, path))
		fprintf(stderr, "bench: replay: %s\n", replay.why);
	else if (la_native_counters(native)->packets[LA_NO_HOOK][LA_R_ACCEPTED] != PACKETS)
		la_bench_fail("not every segment was accepted", "replay", EBADMSG);
	else {
		la_native_finish(native);
		took = la_bench_cpu_ns() - begun;
	}
	la_native_free(native);
	la_sink_close(output);
	return took;
}

int la_bench_replay(const struct la_bench *bench)
{
	char path[] = "/tmp/lastack-bench-XXXXXX";
	FILE *nowhere = fopen("/dev/null", "w"), *file = NULL;
	struct la_samples ns = {0}, rate = {0};
	int fd = mkstemp(path), err = -1;
	__u64 took;

	if (fd >= 0)
		file = fdopen(fd, "wb");
	if (!nowhere || !file || write_capture(file)) {
		la_bench_fail("cannot write", path, errno);
		goto cleanup;
	}
	for (int i = 0; i < (bench->quick ? 3 : 7); i++) {
		took = replay_once(path, nowhere);
		if (!took)
			goto cleanup;
		la_sample(&ns, (double)took / PACKETS);
		la_sample(&rate, PACKETS * (double)LA_SEC_NS / (double)took);
	}
	la_figure("replay.packet.ns", "ns", &ns, LA_NONE);
	la_figure("replay.packets_per_s", "/s", &rate, LA_LEAST(5e6));
	err = 0;
cleanup:
	if (fd >= 0)
		unlink(path);
	if (file)
		fclose(file);
	if (nowhere)
		fclose(nowhere);
	return err;
}
