/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_entry.h - an element of the map of flows, as it is written into it and read out of it.
 *
 * The programs see the same memory as struct la_entry of bpf/maps.bpf.h, whose lock has a type
 * that only they know.
 */
#ifndef LA_ENTRY_H
#define LA_ENTRY_H

#include "la_flow.h"
#include "la_metrics.h"

struct la_blank {
	__u32 lock;
	__u32 slot;
	__u32 tag;
	__u16 due;
	__u16 half;
	struct la_flow flow;
	struct la_counted counted;
	__u32 pad;
};

#endif
