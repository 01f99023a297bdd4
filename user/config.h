/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - the configuration file of `lastack run`: YAML, a key for each of its options.
 *
 * Knows YAML and the table of run_options.h, and which line said what. All that is wrong with
 * a file is told at once, a line on stderr each: `lastack: FILE:LINE: KEY: what (what to do)`.
 */
#ifndef LA_USER_CONFIG_H
#define LA_USER_CONFIG_H

#include "run_options.h"

struct la_config_file;

/*
 * Reads a file into opts, which must have been initialized and refers to the file from then
 * on. What is wrong with a key is told, sets *failed, and the others are read on. NULL: the
 * file cannot be read, or is not YAML, and why is on stderr. Whether the options go together is
 * not looked at.
 */
struct la_config_file *la_config_file_read(const char *path, struct la_run_options *opts,
					   bool *failed);

/* The path that it was read from. */
const char *la_config_file_path(const struct la_config_file *file);

/*
 * Reports on stderr what is wrong with an option, at its line in the file. False: the file
 * does not have it. file may be NULL.
 */
bool la_config_file_bad(const struct la_config_file *file, const struct la_run_option *option,
			const char *why);

/* NULL is allowed. */
void la_config_file_free(struct la_config_file *file);

#endif
