/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pins.c - see pins.h.
 */
#include "pins.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- layout ---- */

__u64 la_pins_hash(__u64 hash, const void *data, size_t n)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static __u64 hash_name(__u64 hash, const struct btf *btf, __u32 offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? la_pins_hash(hash, name, strlen(name) + 1) : hash;
}

static __u64 hash_members(__u64 hash, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		hash = hash_name(hash, btf, members[i].name_off);
		hash = la_pins_hash(hash, &members[i].offset, sizeof(members[i].offset));
	}
	return hash;
}

static __u64 hash_values(__u64 hash, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *values = btf_enum(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		hash = hash_name(hash, btf, values[i].name_off);
		hash = la_pins_hash(hash, &values[i].val, sizeof(values[i].val));
	}
	return hash;
}

static __u64 hash_variables(__u64 hash, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		hash = hash_name(hash, btf, btf__type_by_id(btf, vars[i].type)->name_off);
		hash = la_pins_hash(hash, &vars[i].offset, sizeof(vars[i].offset));
		hash = la_pins_hash(hash, &vars[i].size, sizeof(vars[i].size));
	}
	return hash;
}

/* What goes into the hash beside name and size, by kind; kinds without have no layout. */
static __u64 (*const hash_parts[])(__u64, const struct btf *, const struct btf_type *) = {
	[BTF_KIND_STRUCT] = hash_members,
	[BTF_KIND_UNION] = hash_members,
	[BTF_KIND_ENUM] = hash_values,
	[BTF_KIND_DATASEC] = hash_variables,
};

/* A sum, because compilers put types in any order. */
__u64 la_pins_layout(const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	__u64 sum = 0;

	for (__u32 id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		unsigned int kind = btf_kind(type);
		__u64 hash = LA_PINS_HASH;

		if (kind >= sizeof(hash_parts) / sizeof(*hash_parts) || !hash_parts[kind])
			continue;
		hash = hash_name(hash, btf, type->name_off);
		hash = la_pins_hash(hash, &type->size, sizeof(type->size));
		sum += hash_parts[kind](hash, btf, type);
	}
	return sum;
}

/* ---- maps ---- */

static bool is_constant(const struct bpf_map *map)
{
	return strstr(bpf_map__name(map), ".rodata") != NULL;
}

static int take_map(struct bpf_map *map, const struct la_persist *persist)
{
	int fd = la_persist_get(persist, LA_PIN_MAP, bpf_map__name(map)), err;

	if (fd < 0)
		return fd;
	err = bpf_map__reuse_fd(map, fd);
	close(fd);
	return err;
}

int la_pins_take_maps(struct bpf_object *obj, const struct la_persist *persist, bool constants)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj)
	{
		if (!err && (constants || !is_constant(map)))
			err = take_map(map, persist);
	}
	return err;
}

int la_pins_put_maps(const struct bpf_object *obj, struct la_persist *persist)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj)
	{
		if (!err)
			err = la_persist_put(persist, LA_PIN_MAP, bpf_map__name(map),
					     bpf_map__fd(map));
	}
	return err;
}

void la_pins_list_maps(const struct bpf_object *obj, struct la_map_fds *maps)
{
	const struct bpf_map *map;

	maps->count = 0;
	bpf_object__for_each_map(map, obj)
	{
		if (maps->count == LA_MAP_FDS_MAX)
			return;
		snprintf(maps->of[maps->count].name, sizeof(maps->of->name), "%s",
			 bpf_map__name(map));
		maps->of[maps->count++].fd = bpf_map__fd(map);
	}
}

static int use_map(struct bpf_map *map, const struct la_map_fds *maps)
{
	for (unsigned int i = 0; i < maps->count; i++)
		if (!strcmp(maps->of[i].name, bpf_map__name(map)))
			return bpf_map__reuse_fd(map, maps->of[i].fd);
	return -ENOENT;
}

int la_pins_use_maps(struct bpf_object *obj, const struct la_map_fds *maps)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj)
	{
		if (!err)
			err = use_map(map, maps);
	}
	return err;
}

__u32 la_pins_max_entries(const struct la_persist *persist, const char *map)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	int fd = la_persist_get(persist, LA_PIN_MAP, map);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		info.max_entries = 0;
	close(fd);
	return info.max_entries;
}

/* ---- programs ---- */

void la_pins_take_progs(struct bpf_object *obj, const struct la_persist *persist,
			struct la_pins_progs *progs)
{
	struct bpf_program *prog;
	int fd;

	bpf_object__for_each_program(prog, obj)
	{
		if (progs->count == LA_PINS_PROGS_MAX)
			return;
		fd = la_persist_get(persist, LA_PIN_PROG, bpf_program__name(prog));
		if (fd < 0)
			continue;
		bpf_program__set_autoload(prog, false);
		progs->of[progs->count].prog = prog;
		progs->of[progs->count++].fd = fd;
	}
}

int la_pins_put_progs(const struct bpf_object *obj, struct la_persist *persist,
		      const struct la_pins_progs *progs)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, obj)
	{
		const char *name = bpf_program__name(prog);

		if (err)
			break;
		if (bpf_program__fd(prog) >= 0)
			err = la_persist_put(persist, LA_PIN_PROG, name, bpf_program__fd(prog));
		else if (la_pins_prog_fd(progs, prog) < 0)
			la_persist_drop(persist, LA_PIN_PROG, name);
	}
	return err;
}

int la_pins_prog_fd(const struct la_pins_progs *progs, const struct bpf_program *prog)
{
	for (unsigned int i = 0; i < progs->count; i++)
		if (progs->of[i].prog == prog)
			return progs->of[i].fd;
	return bpf_program__fd(prog);
}

void la_pins_close_progs(struct la_pins_progs *progs)
{
	while (progs->count)
		close(progs->of[--progs->count].fd);
}
