/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_metrics_doc.c - docs/metrics.md lists every metric, with its type and its labels, and no
 * other one.
 */
#include "metrics.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define DOC "docs/metrics.md"

static char *slurp(void)
{
	FILE *file = fopen(DOC, "r");
	char *text = NULL;
	size_t size = 0;

	cr_assert_not_null(file, DOC ": run the tests from the top of the tree");
	cr_assert_gt(getdelim(&text, &size, '\0', file), 0);
	fclose(file);
	return text;
}

static char *print(void)
{
	struct la_metrics_view *view = calloc(1, sizeof(*view));
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	view->policy_count = 1;
	la_metrics_print(to, view, LA_METRICS_PROMETHEUS);
	fclose(to);
	free(view);
	return text;
}

/* The labels of the first sample of a metric, as the page writes them: `a`, `b`. */
static void labels_of(const char *text, const char *name, bool histogram, char *labels)
{
	char start[96];
	const char *at;

	snprintf(start, sizeof(start), "\n%s%s{", name, histogram ? "_count" : "");
	at = strstr(text, start);
	*labels = '\0';
	for (at = at ? at + strlen(start) : "}"; *at != '}'; at += *at == ',') {
		size_t n = strcspn(at, "=");

		labels += sprintf(labels, "`%.*s`", (int)n, at);
		at = strchr(strchr(at, '"') + 1, '"') + 1;
		if (*at == ',')
			labels += sprintf(labels, ", ");
	}
}

Test(metrics_doc, every_metric_has_its_row)
{
	char *doc = slurp(), *text = print(), row[256], labels[128], name[64], type[16];
	int count = 0;

	for (const char *at = strstr(text, "# TYPE "); at; at = strstr(at + 1, "# TYPE ")) {
		cr_assert_eq(sscanf(at, "# TYPE %63s %15s", name, type), 2);
		labels_of(text, name, !strcmp(type, "histogram"), labels);
		snprintf(row, sizeof(row), "\n| `%s` | %s | %s%s| ", name, type, labels,
			 *labels ? " " : "");
		cr_expect(strstr(doc, row), "missing in " DOC ":%s", row);
		count++;
	}
	cr_expect_gt(count, 20);
	free(doc);
	free(text);
}

Test(metrics_doc, no_row_is_of_another_one)
{
	char *doc = slurp(), *text = print(), name[64], type[96];

	for (const char *at = strstr(doc, "\n| `"); at; at = strstr(at + 1, "\n| `")) {
		if (sscanf(at, "\n| `%63[a-z_]` |", name) != 1)
			continue;
		snprintf(type, sizeof(type), "# TYPE %s ", name);
		cr_expect(strstr(text, type), DOC ": there is no metric %s", name);
	}
	free(doc);
	free(text);
}
