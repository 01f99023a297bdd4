#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# refresh.sh - writes vmlinux.h anew from the BTF of a kernel. Run it through `make vmlinux`.
#
# usage: vmlinux/refresh.sh [BTF]      BTF defaults to /sys/kernel/btf/vmlinux
#
# The types are those of types.txt. Constants that the kernel defines with #define are not
# in BTF; the few we need stand below. None of these types is kernel-internal: they are all
# part of the stable interface, so field offsets need no CO-RE relocation, and there is no
# preserve_access_index here. A kernel-internal type must carry that attribute itself.
set -eu

here=$(dirname "$0")
btf=${1:-/sys/kernel/btf/vmlinux}
new=$here/vmlinux.h.new
trap 'rm -f "$new" "$new.dump"' EXIT

[ -r "$btf" ] || {
	echo "refresh: cannot read $btf: give the BTF of another kernel as argument" >&2
	exit 1
}
${BPFTOOL:-bpftool} btf dump file "$btf" format c >"$new.dump"

{
	cat <<-'EOF'
		/* SPDX-License-Identifier: GPL-2.0-only */
		/*
		 * vmlinux.h - the kernel types that the BPF programs use. Generated, do not edit:
		 * see types.txt (what is in it) and refresh.sh (how it is made).
		 */
		#ifndef __VMLINUX_H__
		#define __VMLINUX_H__

	EOF
	awk -f "$here/extract.awk" "$here/types.txt" "$new.dump"
	cat <<-'EOF'
		/* linux/pkt_cls.h: what a tc program returns. */
		#define TC_ACT_UNSPEC (-1)
		#define TC_ACT_OK     0
		#define TC_ACT_SHOT   2

		#endif
	EOF
} >"$new"
mv "$new" "$here/vmlinux.h"
echo "vmlinux.h: $(wc -l <"$here/vmlinux.h") lines" >&2
