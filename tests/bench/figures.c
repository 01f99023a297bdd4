/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.c - see figures.h.
 */
#include "figures.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_MAX 128
#define NAME_SIZE   48

struct figure {
	char name[NAME_SIZE];
	const char *unit;
	double value, spread;
	struct la_target target;
};

static struct figure figures[FIGURES_MAX];
static int count;

void la_sample(struct la_samples *samples, double value)
{
	if (samples->count < LA_SAMPLES_MAX)
		samples->value[samples->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double la_quantile(struct la_samples *samples, double share)
{
	double at = share * (samples->count - 1), *v = samples->value;
	int below = (int)at;

	if (!samples->count)
		return 0;
	qsort(v, (size_t)samples->count, sizeof(*v), by_value);
	if (below + 1 >= samples->count)
		return v[below];
	return v[below] + (at - below) * (v[below + 1] - v[below]); /* between two of them */
}

static bool is_met(const struct figure *f)
{
	return f->target.kind == LA_AT_MOST ? f->value <= f->target.value
					    : f->value >= f->target.value;
}

/* Three significant digits or so. */
static const char *number(char text[24], double value)
{
	int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;

	snprintf(text, 24, "%.*f", value == (double)(long long)value ? 0 : decimals, value);
	return text;
}

static void print_row(const struct figure *f)
{
	static const char *const signs[] = {"", "<= ", ">= "};
	char value[24], spread[24], target[24];

	printf("%-36s %11s %-12s %9s", f->name, number(value, f->value), f->unit,
	       f->spread > 0 ? number(spread, f->spread) : "");
	if (f->target.kind != LA_NO_TARGET)
		printf("  %s%-9s %s", signs[f->target.kind], number(target, f->target.value),
		       is_met(f) ? "ok" : "MISS");
	printf("\n");
	fflush(stdout);
}

void la_figures_begin(void)
{
	printf("%-36s %11s %-12s %9s  %s\n", "figure", "median", "unit", "spread", "target");
}

void la_figure(const char *name, const char *unit, struct la_samples *samples,
	       struct la_target target)
{
	struct figure *f = &figures[count];

	if (count == FIGURES_MAX) {
		fprintf(stderr, "bench: more than %d figures\n", FIGURES_MAX);
		abort();
	}
	count++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->unit = unit;
	f->value = la_quantile(samples, 0.5);
	f->spread = la_quantile(samples, 0.75) - la_quantile(samples, 0.25);
	f->target = target;
	print_row(f);
}

void la_figure_one(const char *name, const char *unit, double value, struct la_target target)
{
	struct la_samples samples = {.count = 1, .value = {value}};

	la_figure(name, unit, &samples, target);
}

/* Names and units are words, dots and slashes: nothing in them wants an escape. */
static void write_figure(FILE *to, const struct figure *f)
{
	fprintf(to, "  {\"name\": \"%s\", \"value\": %.10g, \"unit\": \"%s\", ", f->name, f->value,
		f->unit);
	if (f->target.kind == LA_NO_TARGET)
		fprintf(to, "\"target\": null, \"ok\": null, ");
	else
		fprintf(to, "\"target\": %.10g, \"ok\": %s, ", f->target.value,
			is_met(f) ? "true" : "false");
	fprintf(to, "\"spread\": %.10g}", f->spread);
}

int la_figures_write(const char *path)
{
	FILE *to = fopen(path, "w");
	bool failed;

	for (int i = 0; to && i < count; i++) {
		fputs(i ? ",\n" : "[\n", to);
		write_figure(to, &figures[i]);
	}
	if (to)
		fputs(count ? "\n]\n" : "[]\n", to);
	failed = !to || ferror(to);
	if (to && fclose(to))
		failed = true;
	if (failed)
		fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
	return failed ? -1 : 0;
}
