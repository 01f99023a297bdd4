/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pins.h - the maps and programs of a BPF object, pinned in a directory (persist.h) or taken from
 * there.
 *
 * Generic over their names: every map and program of the object is pinned, global variables
 * among them. Only the loader calls it.
 */
#ifndef LA_USER_PINS_H
#define LA_USER_PINS_H

#include "map_fds.h"
#include "persist.h"
#include <bpf/libbpf.h>

/*
 * A number that two objects share only if they agree on all types, global variables and maps: the
 * sum of a hash of each struct, union, enum and variable in their BTF.
 */
__u64 la_pins_layout(const struct bpf_object *obj);

/* Goes on with a hash (FNV-1a, to be begun with LA_PINS_HASH) of n bytes. */
#define LA_PINS_HASH 0xcbf29ce484222325ULL
__u64 la_pins_hash(__u64 hash, const void *data, size_t n);

/*
 * Before loading: lets the object use the pinned maps, the constants (.rodata) only if
 * `constants`. Returns 0 or -errno.
 */
int la_pins_take_maps(struct bpf_object *obj, const struct la_persist *persist, bool constants);

/* Pins the maps, after loading. Returns 0 or -errno. */
int la_pins_put_maps(const struct bpf_object *obj, struct la_persist *persist);

/* All maps of a loaded object. */
void la_pins_list_maps(const struct bpf_object *obj, struct la_map_fds *maps);

/* Before loading: lets the object use these maps. Returns 0, -ENOENT if one is missing, or -errno.
 */
int la_pins_use_maps(struct bpf_object *obj, const struct la_map_fds *maps);

/* Entries of a pinned map; 0: it cannot be asked. */
__u32 la_pins_max_entries(const struct la_persist *persist, const char *map);

/* Programs that were loaded by an earlier process. */
#define LA_PINS_PROGS_MAX 16
struct la_pins_progs {
	unsigned int count;
	struct {
		const struct bpf_program *prog;
		int fd;
	} of[LA_PINS_PROGS_MAX];
};

/* Before loading: takes the programs that are pinned, which are then not loaded. */
void la_pins_take_progs(struct bpf_object *obj, const struct la_persist *persist,
			struct la_pins_progs *progs);

/*
 * Pins the programs that were loaded, and unpins those that are neither among `progs` nor loaded:
 * they are of an earlier build. Returns 0 or -errno.
 */
int la_pins_put_progs(const struct bpf_object *obj, struct la_persist *persist,
		      const struct la_pins_progs *progs);

/* The file descriptor of a program, taken or loaded; below 0: neither. */
int la_pins_prog_fd(const struct la_pins_progs *progs, const struct bpf_program *prog);

/* Closes what was taken. */
void la_pins_close_progs(struct la_pins_progs *progs);

#endif
