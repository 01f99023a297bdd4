/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_types.h - the integer types and compiler words that every other header uses.
 *
 * Everything in include/ is compiled twice: natively (replay, unit tests, fuzzers, the
 * daemon) and as BPF (the programs in bpf/). It may therefore use neither a BPF helper nor
 * a libc call, and it never reads a clock: time is always an argument, in nanoseconds.
 */
#ifndef LA_TYPES_H
#define LA_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif
#include <stdbool.h>
#include <stddef.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* A function of the core: inlined, because no call is allowed while a BPF spin lock is held. */
#define LA_INLINE static __always_inline __attribute__((unused))

/*
 * Makes the compiler forget what it knows of a number. Written before a bounds check in BPF,
 * so that the check and the use stay on one register and the verifier sees them both.
 */
#ifdef __bpf__
#define la_opaque(x) asm volatile("" : "+r"(x))
#else
#define la_opaque(x) ((void)0)
#endif

/*
 * Reads a number of memory anew. In BPF, the verifier then does not know the number any more,
 * so that the many ways that lead here go on as one; and the compiler keeps nothing of what
 * it has read before, for which stack is too scarce.
 */
#ifdef __bpf__
#define la_reload(x)                                                                               \
	({                                                                                         \
		asm volatile("" : : : "memory");                                                   \
		*(volatile __typeof__(x) *)&(x);                                                   \
	})
#else
#define la_reload(x) (x)
#endif

#define LA_SEC_NS  1000000000ULL
#define LA_MSEC_NS 1000000ULL

/* Network byte order to host, for a 16-bit and a 32-bit number. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define la_ntoh16(x) __builtin_bswap16(x)
#define la_ntoh32(x) __builtin_bswap32(x)
#else
#define la_ntoh16(x) (x)
#define la_ntoh32(x) (x)
#endif
#define la_hton16(x) la_ntoh16(x)
#define la_hton32(x) la_ntoh32(x)

#endif
