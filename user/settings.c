/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings.c - see settings.h.
 */
#include "settings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *la_settings_default(void)
{
	/* one that is there and cannot be read is an error */
	return access(LA_CONFIG_DEFAULT, F_OK) && (errno == ENOENT || errno == ENOTDIR)
		       ? NULL
		       : LA_CONFIG_DEFAULT;
}

int la_settings_check(const struct la_settings *settings, const struct la_run_args *args)
{
	struct la_run_clash clash;
	unsigned int count = 0;

	for (; la_run_options_clash(&settings->opts, count, &clash); count++) {
		const struct la_run_option *option = la_run_option_named(clash.option);

		if (la_run_args_have(args, option) ||
		    !la_config_file_bad(settings->file, option, clash.why))
			la_run_option_bad(option, clash.why);
	}
	return count ? -1 : 0;
}

static int read_all(struct la_settings *settings, const struct la_run_args *args)
{
	bool failed = false;

	if (args->config)
		settings->file = la_config_file_read(args->config, &settings->opts, &failed);
	if (la_run_args_apply(args, &settings->opts) || la_settings_check(settings, args) || failed)
		return -1;
	la_policies_timeouts(&settings->opts.policies, &settings->opts.shared.cfg);
	return la_select_check(&settings->opts.select);
}

struct la_settings *la_settings_read(const struct la_run_args *args)
{
	struct la_settings *settings = calloc(1, sizeof(*settings));

	if (!settings) {
		la_fail(LA_EXIT_RUNTIME, "cannot start", NULL, strerror(ENOMEM), NULL);
		return NULL;
	}
	la_run_options_init(&settings->opts);
	/* never without the protection that there is by default */
	if (!settings->opts.policies.protect_count)
		la_fail(LA_EXIT_RUNTIME, "cannot start", NULL, strerror(ENOMEM), NULL);
	else if (!read_all(settings, args))
		return settings;
	la_settings_free(settings);
	return NULL;
}

void la_settings_free(struct la_settings *settings)
{
	if (!settings)
		return;
	la_run_options_free(&settings->opts);
	la_config_file_free(settings->file);
	free(settings);
}
