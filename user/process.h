/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.h - what the kernel says of this process (proc(5)), for the metrics.
 */
#ifndef LA_USER_PROCESS_H
#define LA_USER_PROCESS_H

struct la_process {
	double cpu_seconds;   /* user and system */
	double start_seconds; /* since the epoch */
	double resident_bytes;
	double virtual_bytes;
	double open_fds;
	double max_fds;
};

/* What cannot be read is 0. */
struct la_process la_process_read(void);

#endif
