/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.h - what the bench has found: the rows of its table and of bench.json.
 *
 * A figure is the median of some samples; its spread is their interquartile range, so that a
 * moment of other work on the machine moves neither. Rows are printed as they come.
 */
#ifndef LA_BENCH_FIGURES_H
#define LA_BENCH_FIGURES_H

#include "la_types.h"

/* The samples of one figure. Starts zeroed; what is too many is left out. */
#define LA_SAMPLES_MAX 2048
struct la_samples {
	int count;
	double value[LA_SAMPLES_MAX];
};

void la_sample(struct la_samples *samples, double value);

/* The value below which a share (0 to 1) of the samples lies; 0 of none. Sorts them. */
double la_quantile(struct la_samples *samples, double share);

/* What a figure should be. */
struct la_target {
	enum { LA_NO_TARGET, LA_AT_MOST, LA_AT_LEAST } kind;
	double value;
};

#define LA_MOST(x)  ((struct la_target){LA_AT_MOST, (x)})
#define LA_LEAST(x) ((struct la_target){LA_AT_LEAST, (x)})
#define LA_NONE	    ((struct la_target){LA_NO_TARGET, 0})

/*
 * Adds a row. `unit` is a literal; the name is copied, is stable between versions, and made of
 * lower-case words with dots between.
 */
void la_figure(const char *name, const char *unit, struct la_samples *samples,
	       struct la_target target);

/* The same, of one value that has no spread. */
void la_figure_one(const char *name, const char *unit, double value, struct la_target target);

/* Prints the head of the table. */
void la_figures_begin(void);

/* Writes all rows as JSON. Returns 0, or -1 with the reason on stderr. */
int la_figures_write(const char *path);

#endif
