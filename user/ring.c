/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.c - the memory of a BPF ring buffer. See ring.h.
 *
 *   map:  [ consumer page | producer page | data | data once more ]
 *          position, rw     position, ro    so that no record is cut by the end
 *
 * A record is a header of 8 bytes, whose first four are its length and two flags, and the
 * bytes. The producer sets the length with BUSY, fills in, and clears BUSY: acquire and release
 * on the length and on both positions are all the synchronisation there is.
 */
#include "ring.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct la_ring {
	__u64 *consumer;
	const __u64 *producer;
	const char *data;
	__u64 next; /* position that la_ring_next() has come to */
	__u64 mask; /* size of the data - 1 */
	size_t page;
};

static size_t readable_bytes(const struct la_ring *ring)
{
	return ring->page + 2 * (size_t)(ring->mask + 1);
}

static __u64 produced(const struct la_ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

struct la_ring *la_ring_open(int map_fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	struct la_ring *ring = NULL;
	void *mem;

	if (bpf_obj_get_info_by_fd(map_fd, &info, &size))
		return NULL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return NULL;
	ring->mask = info.max_entries - 1;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	mem = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (mem == MAP_FAILED)
		goto failed;
	ring->consumer = mem;
	mem = mmap(NULL, readable_bytes(ring), PROT_READ, MAP_SHARED, map_fd, (off_t)ring->page);
	if (mem == MAP_FAILED)
		goto failed;
	ring->producer = mem;
	ring->data = (const char *)mem + ring->page;
	la_ring_rewind(ring);
	return ring;
failed:
	la_ring_close(ring);
	return NULL;
}

const void *la_ring_next(struct la_ring *ring, size_t *size)
{
	while (ring->next < produced(ring)) {
		const char *head = ring->data + (ring->next & ring->mask);
		__u32 len = __atomic_load_n((const __u32 *)head, __ATOMIC_ACQUIRE);

		if (len & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		*size = len & ~BPF_RINGBUF_DISCARD_BIT;
		ring->next += (*size + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
		if (!(len & BPF_RINGBUF_DISCARD_BIT))
			return head + BPF_RINGBUF_HDR_SZ;
	}
	return NULL;
}

void la_ring_release(struct la_ring *ring)
{
	__atomic_store_n(ring->consumer, ring->next, __ATOMIC_RELEASE);
}

void la_ring_rewind(struct la_ring *ring)
{
	ring->next = *ring->consumer;
}

__u64 la_ring_position(const struct la_ring *ring)
{
	return *ring->consumer;
}

__u64 la_ring_waiting(const struct la_ring *ring)
{
	return produced(ring) - *ring->consumer;
}

void la_ring_close(struct la_ring *ring)
{
	if (!ring)
		return;
	if (ring->producer)
		munmap((void *)ring->producer, readable_bytes(ring));
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	free(ring);
}
