/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_engine.h - the programs in the kernel as an engine for captures.
 *
 * Loads them, attaches them to nothing, and feeds them packets by BPF_PROG_TEST_RUN with the
 * clock of the capture. For cmd_replay.c and the tests that compare both engines.
 */
#ifndef LA_USER_BPF_ENGINE_H
#define LA_USER_BPF_ENGINE_H

#include "engine.h"

/* Connections at once, unless the caller says otherwise: what one more needs is counted. */
#define LA_BPF_ENGINE_FLOWS 65536

/*
 * An engine for at most max_flows connections at once. The sink stays the caller's.
 * NULL: it failed, and why is on stderr.
 */
struct la_engine *la_bpf_engine_new(const struct la_config *cfg, struct la_sink *sink,
				    __u32 max_flows);

#endif
