/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.c - see process.h.
 */
#include "process.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The time of boot, seconds since the epoch. */
static double boot_seconds(void)
{
	FILE *file = fopen("/proc/stat", "re");
	unsigned long long boot = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file) && !boot)
		sscanf(line, "btime %llu", &boot);
	if (file)
		fclose(file);
	return (double)boot;
}

/* Fields of /proc/self/stat behind the name, which may hold anything but is in parentheses. */
static void read_stat(struct la_process *p)
{
	unsigned long long user, system, start, virtual;
	double tick = (double)sysconf(_SC_CLK_TCK);
	FILE *file = fopen("/proc/self/stat", "re");
	char text[1024] = "", *fields;
	long pages;

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	fields = strrchr(text, ')');
	if (!fields || sscanf(fields + 1,
			      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d "
			      "%*d %*d %*d %llu %llu %ld",
			      &user, &system, &start, &virtual, &pages) != 5)
		return;
	p->cpu_seconds = (double)(user + system) / tick;
	p->start_seconds = boot_seconds() + (double)start / tick;
	p->virtual_bytes = (double)virtual;
	p->resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double count = 0;

	if (!dir)
		return 0;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count - 1; /* the directory itself */
}

struct la_process la_process_read(void)
{
	struct la_process p = {.open_fds = count_fds()};
	struct rlimit fds;

	read_stat(&p);
	if (!getrlimit(RLIMIT_NOFILE, &fds))
		p.max_fds = (double)fds.rlim_cur;
	return p;
}
