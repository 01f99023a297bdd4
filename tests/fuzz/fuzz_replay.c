/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_replay.c - any capture of any link type, and any bytes for a capture, are read to
 * their end or refused with a reason. The first byte chooses: what format and link type the
 * rest is framed as, or that it is the file as it stands; and whether checksums count.
 */
#include "invariants.h"
#include "native.h"
#include "options.h"
#include "replay.h"
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX 16384

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct file {
	size_t len;
	unsigned char bytes[FILE_MAX];
};

static void put(struct file *f, const void *data, size_t n)
{
	if (n > FILE_MAX - f->len)
		n = FILE_MAX - f->len;
	memcpy(f->bytes + f->len, data, n);
	f->len += n;
}

static void put_words(struct file *f, const __u32 *words, size_t n)
{
	put(f, words, n * sizeof(*words));
}

/* Packets of a length byte, a byte of what the wire had more, and that many bytes. */
static void put_pcap(struct file *f, __u32 linktype, const unsigned char *data, size_t size)
{
	const __u32 head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, linktype};
	__u32 second = 0;

	put_words(f, head, 6);
	while (size > 2) {
		__u32 n = data[0] < size - 2 ? data[0] : (__u32)(size - 2);
		const __u32 packet[] = {second += data[1] & 0x7f, 0, n, n + (data[1] >> 7) * 1000};

		put_words(f, packet, 4);
		put(f, data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
}

static void make_file(struct file *f, const unsigned char *data, size_t size)
{
	static const __u32 linktypes[] = {0, 1, 101, 108, 113, 228, 229, 276};
	unsigned int choice = size ? data[0] % 9 : 8;

	f->len = 0;
	if (choice < 8)
		put_pcap(f, linktypes[choice], data + 1, size - 1);
	else if (size)
		put(f, data + 1, size - 1);
}

/* A file that can be sought in, because such are read otherwise than pipes. */
static FILE *open_file(const struct file *f)
{
	int fd = memfd_create("capture", 0);

	if (fd < 0 || pwrite(fd, f->bytes, f->len, 0) != (ssize_t)f->len)
		abort();
	return fdopen(fd, "rb");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct invariants v;
	static struct file f;
	struct la_replay replay = {.no_checksums = !size || data[0] < 0x80};
	struct la_native *native;
	struct la_config cfg;
	FILE *file;

	make_file(&f, data, size);
	if (!f.len)
		return 0;
	invariants_start(&v);
	la_config_defaults(&cfg);
	native = la_native_new(&cfg, &v.sink);
	file = open_file(&f);
	if (!native || !file)
		abort();
	replay.engine = la_native_engine(native);
	if (la_replay_stream(&replay, file) && (!replay.what || !replay.why[0]))
		abort();
	la_native_finish(native);
	invariants_end(&v);
	la_native_free(native);
	return 0;
}
