/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_check_config.c - lastack check-config: is a configuration file right?
 *
 * What `run --config` would refuse is told, all of it at once; the network is not looked at.
 */
#include "cmd.h"
#include "settings.h"
#include <string.h>

static int help(void)
{
	fputs("usage: lastack check-config [FILE]\n\n"
	      "Reads a configuration file of `lastack run` (default " LA_CONFIG_DEFAULT ")\n"
	      "and tells all that is wrong with it, each with its line. Exit code 2 if anything "
	      "is.\n"
	      "Whether the interfaces exist is not looked at.\n\n"
	      "  -h, --help             this text\n",
	      stdout);
	return LA_EXIT_OK;
}

static int check(const char *path)
{
	const struct la_run_args none = {0};
	struct la_settings settings = {0};
	bool failed = false;

	la_run_options_init(&settings.opts);
	settings.file = la_config_file_read(path, &settings.opts, &failed);
	if (la_settings_check(&settings, &none))
		failed = true;
	la_run_options_free(&settings.opts);
	la_config_file_free(settings.file);
	if (failed)
		return LA_EXIT_USAGE;
	printf("%s: ok\n", path);
	return LA_EXIT_OK;
}

int la_cmd_check_config(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return help();
	if (argc > 2)
		return la_fail(LA_EXIT_USAGE, "wrong usage", argv[2], "one file was expected",
			       "lastack check-config --help tells");
	if (argc > 1 && argv[1][0] == '-')
		return la_fail(LA_EXIT_USAGE, "bad option", argv[1], "there is no such option",
			       "lastack check-config --help tells");
	return check(argc > 1 ? argv[1] : LA_CONFIG_DEFAULT);
}
