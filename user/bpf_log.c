/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_log.c - keeps the last LOG_MAX bytes of libbpf's warnings. See bpf_log.h.
 *
 * The tail and not the head is kept: the verifier names the reason last.
 */
#include "bpf_log.h"
#include <bpf/libbpf.h>
#include <string.h>

#define LOG_MAX 16384

static char kept[LOG_MAX];
static size_t used;

/* Makes room for size more bytes by dropping the oldest. */
static void make_room(size_t size)
{
	size_t surplus = used + size > LOG_MAX ? used + size - LOG_MAX : 0;

	memmove(kept, kept + surplus, used - surplus);
	used -= surplus;
}

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[LOG_MAX];
	int size;

	if (level > LIBBPF_WARN)
		return 0;
	size = vsnprintf(line, sizeof(line), format, args);
	if (size <= 0)
		return 0;
	if ((size_t)size >= sizeof(line))
		size = sizeof(line) - 1;
	make_room((size_t)size);
	memcpy(kept + used, line, (size_t)size);
	used += (size_t)size;
	return 0;
}

static int tell(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

void la_bpf_log_start(bool loud)
{
	libbpf_set_print(loud ? tell : keep);
}

void la_bpf_log_show(FILE *to)
{
	fwrite(kept, 1, used, to);
	used = 0;
}

void la_bpf_log_forget(void)
{
	used = 0;
}
