/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_config.c - any bytes as a configuration file are read, or refused with a reason.
 *
 * What is refused must have been told: a line on stderr, which here is a buffer.
 */
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* A file of those bytes; its path is valid until the next one. */
static const char *file_of(const unsigned char *data, size_t size)
{
	static char path[40];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

/* Reads it as check-config does. Returns whether it is right. */
static bool is_right(const char *path)
{
	const struct la_run_args none = {0};
	struct la_settings settings = {0};
	bool failed = false;

	la_run_options_init(&settings.opts);
	settings.file = la_config_file_read(path, &settings.opts, &failed);
	if (!settings.file && !failed)
		abort();
	if (la_settings_check(&settings, &none))
		failed = true;
	la_run_options_free(&settings.opts);
	la_config_file_free(settings.file);
	return !failed;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	FILE *was = stderr;
	char *said = NULL;
	size_t len = 0;
	bool right;

	stderr = open_memstream(&said, &len);
	if (!stderr)
		abort();
	right = is_right(file_of(data, size));
	fclose(stderr);
	stderr = was;
	if (right != !len || (len && strncmp(said, "lastack: ", 9) != 0))
		abort();
	free(said);
	return 0;
}
