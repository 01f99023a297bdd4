/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - reads a BPF ring buffer, and gives the room back only when told to.
 *
 * libbpf's reader gives a record back as soon as its callback returns, so that a process that is
 * killed before it has written it out loses it. Here reading and giving back are two steps: the
 * position up to which records are done with is one number in memory that the kernel keeps, and
 * it outlives the reader if the map is pinned. One reader a ring.
 */
#ifndef LA_USER_RING_H
#define LA_USER_RING_H

#include <linux/types.h>
#include <stddef.h>

struct la_ring;

/* Maps the ring buffer of a map, which the caller keeps open. NULL: errno says why. */
struct la_ring *la_ring_open(int map_fd);

/*
 * The next record and its size, valid until la_ring_release(); 8-byte aligned, in one piece.
 * NULL: none waits, or it is still being filled in.
 */
const void *la_ring_next(struct la_ring *ring, size_t *size);

/* Gives back what la_ring_next() has returned. */
void la_ring_release(struct la_ring *ring);

/* Forgets what la_ring_next() has returned since the last release, so that it comes again. */
void la_ring_rewind(struct la_ring *ring);

/* Bytes that were given back since the ring was made: where the next record begins. */
__u64 la_ring_position(const struct la_ring *ring);

/* Bytes that wait, given back not counted. */
__u64 la_ring_waiting(const struct la_ring *ring);

/* NULL is allowed. */
void la_ring_close(struct la_ring *ring);

#endif
