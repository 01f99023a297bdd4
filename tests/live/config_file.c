// SPDX-License-Identifier: BSD-2-Clause
#include "config_file.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct la_config_file la_config_file_new(const char *text)
{
	struct la_config_file file = {.fd = memfd_create("lastack.yaml", 0)};

	cr_assert_geq(file.fd, 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	la_config_file_put(&file, text);
	return file;
}

void la_config_file_put(const struct la_config_file *file, const char *text)
{
	cr_assert(!ftruncate(file->fd, 0));
	cr_assert_eq(pwrite(file->fd, text, strlen(text), 0), (ssize_t)strlen(text));
}
