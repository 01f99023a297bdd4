/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vlan_abi.h - what the lab's VLAN program (vlan.bpf.c) and its driver (vlan.c) share.
 */
#ifndef LA_LIVE_VLAN_ABI_H
#define LA_LIVE_VLAN_ABI_H

#include "la_types.h"

#define LA_VLAN_TAGS 2

struct la_vlan_tag {
	__u16 tpid; /* host byte order */
	__u16 vid;
};

/* What came to all hosts together. */
struct la_vlan_counts {
	__u32 bare_rsts;     /* without all tags, so they did not arrive */
	__u32 rsts;	     /* with all tags */
	__u32 rsts_in_frame; /* their outer tag in the frame: as XDP and the cable see it */
};

#endif
