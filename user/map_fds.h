/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_fds.h - the maps of a BPF object as file descriptors, by name: what one process can pass
 * on to another one.
 */
#ifndef LA_USER_MAP_FDS_H
#define LA_USER_MAP_FDS_H

#define LA_MAP_FDS_MAX 40
#define LA_MAP_NAME    32

struct la_map_fds {
	unsigned int count;
	struct {
		char name[LA_MAP_NAME];
		int fd; /* whose it is, says who fills it */
	} of[LA_MAP_FDS_MAX];
};

#endif
