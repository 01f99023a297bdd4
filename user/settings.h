/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings.h - what a run goes by: the configuration file, and the command line on top of it.
 *
 * Made as often as the file is read anew; whole and in order, or not at all.
 */
#ifndef LA_USER_SETTINGS_H
#define LA_USER_SETTINGS_H

#include "config.h"

struct la_settings {
	struct la_run_options opts;
	struct la_config_file *file; /* or NULL */
};

/* The file that is read if the command line names none; NULL: it is not there. */
const char *la_settings_default(void);

/*
 * Reads the file args->config, unless that is NULL, and applies the command line. NULL: something
 * is wrong, and all that was found is on stderr. Refers to args.
 */
struct la_settings *la_settings_read(const struct la_run_args *args);

/* Reports options that do not go together. Returns 0, or -1 with the reasons on stderr. */
int la_settings_check(const struct la_settings *settings, const struct la_run_args *args);

/* NULL is allowed. */
void la_settings_free(struct la_settings *settings);

#endif
