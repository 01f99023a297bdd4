// SPDX-License-Identifier: BSD-2-Clause
/*
 * prometheus.c - see prometheus.h.
 */
#include "prometheus.h"
#include "fetch.h"
#include <criterion/criterion.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT	9090
#define SOON_MS 60000

struct la_prometheus {
	struct la_lab *lab;
	enum la_lab_host host;
	pid_t pid;
	int config; /* memfd */
};

static const char config[] = "global: {scrape_interval: 250ms, evaluation_interval: 500ms}\n"
			     "rule_files: [\"%s/dist/prometheus/lastack.rules.yml\"]\n"
			     "scrape_configs:\n"
			     "  - {job_name: lastack, static_configs: [{targets: "
			     "[\"127.0.0.1:9464\"]}], %s}\n";

struct la_prometheus *la_prometheus_new(struct la_lab *lab, enum la_lab_host host,
					const char *scrape)
{
	struct la_prometheus *p = calloc(1, sizeof(*p));
	char line[256], here[512];
	const char *const argv[] = {"unshare", "--mount", "sh", "-c", line, NULL};

	p->lab = lab;
	p->host = host;
	p->config = memfd_create("prometheus.yml", MFD_CLOEXEC);
	cr_assert(p->config >= 0 && getcwd(here, sizeof(here)));
	cr_assert_gt(dprintf(p->config, config, here, scrape), 0);
	snprintf(
		line, sizeof(line),
		"mount -t tmpfs tmpfs /srv && exec prometheus --config.file=/proc/%d/fd/%d "
		"--storage.tsdb.path=/srv/data --web.listen-address=127.0.0.1:%d --log.level=error",
		getpid(), p->config, PORT);
	p->pid = la_lab_spawn(lab, host, argv, -1, -1);
	cr_assert_gt(p->pid, 0);
	cr_assert(la_fetch_until_ok(lab, host, PORT, "/-/ready", SOON_MS),
		  "Prometheus did not start: make test-deps installs it");
	return p;
}

json_t *la_prometheus_ask(const struct la_prometheus *p, const char *path)
{
	return la_fetch_json(p->lab, p->host, PORT, path);
}

json_t *la_prometheus_query(const struct la_prometheus *p, const char *expr)
{
	char *escaped = la_fetch_escape(expr), *path = NULL;
	json_t *answer, *result;

	cr_assert_gt(asprintf(&path, "/api/v1/query?query=%s", escaped), 0);
	answer = la_prometheus_ask(p, path);
	result = json_incref(json_object_get(json_object_get(answer, "data"), "result"));
	json_decref(answer);
	free(escaped);
	free(path);
	return result;
}

/* The value of the one series of a result; NaN: there is none. */
static double number(const struct la_prometheus *p, const char *expr)
{
	json_t *result = la_prometheus_query(p, expr);
	json_t *pair = json_object_get(json_array_get(result, 0), "value");
	const char *text = json_string_value(json_array_get(pair, 1));
	double n = text ? strtod(text, NULL) : NAN;

	json_decref(result);
	return n;
}

void la_prometheus_until(const struct la_prometheus *p, const char *expr, double wanted)
{
	double is = number(p, expr);

	for (int ms = 0; is != wanted && ms < SOON_MS; ms += 100) {
		poll(NULL, 0, 100);
		is = number(p, expr);
	}
	cr_assert_eq(is, wanted, "%s: %g, not %g", expr, is, wanted);
}

void la_prometheus_free(struct la_prometheus *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->config);
	free(p);
}
