/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - every measure, one table. See bench.h, and docs/performance.md for what it means.
 *
 * usage: bench [LASTACK [MEASURE...]]; QUICK=1 in the environment for fewer repetitions.
 * The table goes to stdout and to build/bench.json. Exit code: 0 if everything could be
 * measured, whether or not it meets its target, else 1. Needs root. No interface of the machine
 * is touched: programs are run by BPF_PROG_TEST_RUN or between namespaces of the bench's own.
 */
#include "bench.h"
#include "figures.h"
#include "la_types.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct measure {
	const char *name;
	int (*run)(const struct la_bench *bench);
} measures[] = {
	{"packets", la_bench_packets}, {"connections", la_bench_connections},
	{"live", la_bench_live},       {"drain", la_bench_drain},
	{"memory", la_bench_memory},   {"latency", la_bench_latency},
	{"expiry", la_bench_expiry},   {"flood", la_bench_flood},
	{"replay", la_bench_replay},
};

static cpu_set_t allowed; /* CPUs, as the process was started */

int la_bench_fail(const char *what, const char *on, int err)
{
	fprintf(stderr, "bench: %s: %s: %s\n", what, on, strerror(err));
	return -1;
}

int la_bench_cpus(void)
{
	return CPU_COUNT(&allowed);
}

void la_bench_bind(int nth)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	nth %= la_bench_cpus();
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

__u64 la_bench_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (__u64)t.tv_sec * LA_SEC_NS + (__u64)t.tv_nsec;
}

static bool is_wanted(const struct measure *m, char *const *names)
{
	if (!*names)
		return true;
	while (*names)
		if (!strcmp(*names++, m->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct la_bench bench = {.quick = getenv("QUICK") != NULL,
				 .lastack = argc > 1 ? argv[1] : "build/lastack"};
	char *const *names = argc > 1 ? argv + 2 : argv + 1;
	int code = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	la_figures_begin();
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		if (!is_wanted(&measures[i], names))
			continue;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "bench: %s\n", measures[i].name);
		la_bench_bind(0);
		if (!measures[i].run(&bench))
			continue;
		fprintf(stderr, "bench: %s: could not be measured\n", measures[i].name);
		code = 1;
	}
	return la_figures_write("build/bench.json") ? 1 : code;
}
