// SPDX-License-Identifier: BSD-2-Clause
/*
 * config_file.h - a configuration file that goes with its test, however that ends: a memfd, which
 * the lastack that the test starts inherits.
 */
#ifndef LA_TESTS_CONFIG_FILE_H
#define LA_TESTS_CONFIG_FILE_H

struct la_config_file {
	int fd;
	char path[32]; /* for --config, of a child */
};

/* A new one with this text. A test that gets none fails. Ends with close(fd). */
struct la_config_file la_config_file_new(const char *text);

/* From now on it has this text. */
void la_config_file_put(const struct la_config_file *file, const char *text);

#endif
