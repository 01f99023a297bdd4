/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vlan.h - puts the lab's hosts into a VLAN, or into one within another (QinQ).
 *
 * Its programs (vlan.bpf.c) sit behind lastack's hooks, so lastack sees what comes in with the
 * tags. They go with the lab. Errors are said on stderr.
 */
#ifndef LA_LIVE_VLAN_H
#define LA_LIVE_VLAN_H

#include "lab.h"
#include "vlan_abi.h"

struct la_vlan;

/*
 * tags: one, or two with 802.1ad outside. in_frame: they lie in the frames on the cable, not
 * beside it (`ethtool -K txvlan off`); one tag only. A router that `routes` is in the VLAN, one
 * that is a bridge is not.
 */
struct la_vlan *la_vlan_new(struct la_lab *lab, int tags, bool in_frame, bool routes);

struct la_vlan_counts la_vlan_counts(const struct la_vlan *vlan);

/* NULL is fine. */
void la_vlan_free(struct la_vlan *vlan);

#endif
