// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_tls.c - what lastack serves over TLS, asked by curl and by a real Prometheus.
 *
 *   client eth0 --- eth0 server   lastack and who asks at the server, over its loopback
 *
 * The certificates are the test's own, made by openssl(1) in a tmpfs that goes with it.
 */
#include "fetch.h"
#include "observer.h"
#include "prometheus.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define WEB_PORT 9464
#define URL	 "https://localhost:9464"
#define SOON_MS	 60000

/* What curl(1) ends with. */
enum { CURL_OK = 0, CURL_TLS = 35, CURL_NOT_TRUSTED = 60 };

struct site {
	struct la_lab *lab;
	struct la_observer *obs;
};

#define DIR "/mnt" /* in a mount namespace that ends with this process, however that ends */

static void sh(const struct site *s, const char *line)
{
	cr_assert(la_lab_sh(s->lab, LA_LAB_SERVER, "cd " DIR " && { %s; }", line), "%s", line);
}

/* A key, and a certificate for localhost that vouches for itself. */
static void make_pair(const struct site *s, const char *name)
{
	char line[400];

	snprintf(line, sizeof(line),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		 "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
		 "-keyout %s.key -out %s.crt 2>/dev/null",
		 name, name);
	sh(s, line);
}

/* The pair that lastack shall use. */
static void install(const struct site *s, const char *cert, const char *key)
{
	char line[200];

	snprintf(line, sizeof(line), "cp %s cert.pem && cp %s key.pem", cert, key);
	sh(s, line);
}

static struct site site_new(void)
{
	struct site s = {.lab = la_lab_new(false)};

	cr_assert(s.lab && !unshare(CLONE_NEWNS) &&
		  !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		  !mount("tmpfs", DIR, "tmpfs", 0, NULL));
	make_pair(&s, "one");
	make_pair(&s, "two");
	install(&s, "one.crt", "one.key");
	return s;
}

static void start(struct site *s)
{
	static const char *const options[] = {"--config",
					      DIR "/lastack.yaml",
					      "--http-cert-file",
					      DIR "/cert.pem",
					      "--http-key-file",
					      DIR "/key.pem",
					      NULL};

	sh(s, ": >lastack.yaml");
	s->obs = la_observer_start(s->lab, LA_LAB_SERVER, "eth0", NULL, options);
	cr_assert(s->obs && la_observer_says(s->obs, "https://127.0.0.1:9464/: metrics"));
}

static void site_end(struct site *s)
{
	la_observer_free(s->obs);
	la_lab_free(s->lab);
}

/* Runs curl(1) with these words, its output into a file of the directory. Returns how it ended. */
static int curl(const struct site *s, const char *words, const char *out)
{
	char line[400];
	const char *const argv[] = {"sh", "-c", line, NULL};
	int status;
	pid_t pid;

	snprintf(line, sizeof(line), "cd " DIR " && exec curl -sS -m 60 %s >%s 2>/dev/null", words,
		 out);
	pid = la_lab_spawn(s->lab, LA_LAB_SERVER, argv, -1, -1);
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void talk(const struct site *s, unsigned short port)
{
	const struct la_talk_end client = {LA_LAB_CLIENT,
					   la_lab_addr(LA_LAB_CLIENT, AF_INET, port)},
				 server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET, 9500)};

	cr_assert(la_talk(s->lab, &client, &server, SOON_MS));
}

/* Who trusts the certificate is served, who does not or speaks no TLS is not. */
Test(tls, serves_who_trusts_it, .timeout = 180)
{
	struct site s = site_new();
	struct la_fetched got;

	start(&s);
	cr_expect_eq(curl(&s, "--cacert one.crt " URL "/metrics", "metrics"), CURL_OK);
	sh(&s, "promtool check metrics <metrics && grep -q ^lastack_build_info metrics");
	cr_expect_eq(curl(&s, "--cacert one.crt --tls-max 1.2 " URL "/readyz", "ready"), CURL_OK);
	sh(&s, "grep -qx ready ready");
	cr_expect_eq(curl(&s, "--cacert two.crt " URL "/metrics", "none"), CURL_NOT_TRUSTED);
	cr_expect_eq(
		curl(&s, "-k --ciphers DEFAULT:@SECLEVEL=0 --tlsv1.0 --tls-max 1.1 " URL "/metrics",
		     "none"),
		CURL_TLS);
	got = la_fetch(s.lab, LA_LAB_SERVER, WEB_PORT, "/metrics", NULL, NULL);
	cr_expect(!got.status && !*got.body, "%s", got.head);
	la_fetched_free(&got);
	cr_expect_neq(curl(&s, "http://localhost:9464/metrics", "none"), CURL_OK);
	sh(&s, "test ! -s none");
	cr_expect_eq(curl(&s, "--cacert one.crt " URL "/healthz", "health"), CURL_OK);
	cr_expect_eq(la_observer_stop(s.obs), 0);
	site_end(&s);
}

/* Events go over TLS too, though their clients sleep in between. */
Test(tls, streams_events, .timeout = 180)
{
	struct site s = site_new();
	static const char *const argv[] = {"sh", "-c",
					   "cd " DIR " && exec curl -sSN --cacert one.crt " URL
					   "/api/events >events 2>/dev/null",
					   NULL};
	char line[200];
	pid_t pid;

	start(&s);
	pid = la_lab_spawn(s.lab, LA_LAB_SERVER, argv, -1, -1);
	cr_assert_gt(pid, 0);
	sh(&s,
	   "for i in $(seq 600); do grep -qs ^retry: events && exit 0; sleep 0.1; done; exit 1");
	for (int i = 0; i < 3; i++) {
		talk(&s, (unsigned short)(42000 + i));
		snprintf(line, sizeof(line),
			 "for i in $(seq 600); do [ $(grep -c '\"type\":\"close\"' events) = %d ] "
			 "&& exit 0; sleep 0.1; done; exit 1",
			 i + 1);
		sh(&s, line);
	}
	cr_expect_eq(la_observer_stop(s.obs), 0, "a client that listens must not keep it");
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	site_end(&s);
}

static void hang_up(const struct site *s)
{
	cr_assert(!kill(la_observer_pid(s->obs), SIGHUP));
}

/* SIGHUP takes a renewed certificate; a pair that is none is refused, and the old one stays. */
Test(tls, takes_a_renewed_certificate, .timeout = 180)
{
	struct site s = site_new();

	start(&s);
	install(&s, "two.crt", "one.key");
	hang_up(&s);
	cr_expect(la_observer_says(s.obs, "not reloaded, all stays as it was"));
	cr_expect(strstr(la_observer_stderr(s.obs), "no pair of certificate and key"), "%s",
		  la_observer_stderr(s.obs));
	cr_expect_eq(curl(&s, "--cacert one.crt " URL "/healthz", "health"), CURL_OK);
	install(&s, "two.crt", "two.key");
	hang_up(&s);
	cr_expect(la_observer_says(s.obs, "lastack.yaml: reloaded"));
	cr_expect_eq(curl(&s, "--cacert two.crt " URL "/healthz", "health"), CURL_OK);
	cr_expect_eq(curl(&s, "--cacert one.crt " URL "/healthz", "health"), CURL_NOT_TRUSTED);
	cr_expect_eq(la_observer_stop(s.obs), 0);
	site_end(&s);
}

Test(tls, scraped_by_prometheus, .timeout = 180)
{
	struct site s = site_new();
	struct la_prometheus *p;

	start(&s);
	p = la_prometheus_new(s.lab, LA_LAB_SERVER,
			      "scheme: https, tls_config: {ca_file: " DIR "/one.crt}");
	la_prometheus_until(p, "up{job=\"lastack\"}", 1);
	talk(&s, 42000);
	la_prometheus_until(p, "lastack_connections_opened_total", 1);
	la_prometheus_free(p);
	site_end(&s);
}

/* What is wrong with the files is said before anything is attached, and is a usage error. */
Test(tls, names_what_is_wrong, .timeout = 180)
{
	static const struct {
		const char *cert, *key, *says;
	} rows[] = {
		{"none.crt", "one.key", "cannot read the certificate: none.crt: No such file"},
		{"one.crt", "none.key", "cannot read the private key: none.key: No such file"},
		{"one.crt", "/", "cannot read the private key: /: Is a directory"},
		{"one.key", "one.key", "no certificate: one.key: "},
		{"one.crt", "one.crt", "no private key: one.crt: "},
		{"one.crt", "locked.key", "no private key: locked.key: "},
		{"one.crt", "two.key", "no pair of certificate and key: one.crt: "},
	};
	struct site s = site_new();

	sh(&s, "openssl pkcs8 -topk8 -in one.key -passout pass:secret -out locked.key");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[600];

		snprintf(line, sizeof(line),
			 "timeout 60 %s run -i lo --http-cert-file %s --http-key-file %s 2>said; "
			 "[ $? = 2 ] && grep -qF '%s' said && ! grep -q 'table:' said",
			 la_observer_binary(), rows[i].cert, rows[i].key, rows[i].says);
		sh(&s, line);
	}
	site_end(&s);
}

/* Whoever lets strangers ask is told what they get. */
Test(tls, warns_of_strangers, .timeout = 180)
{
	static const struct {
		const char *options, *warning; /* NULL: none */
	} rows[] = {
		{"", "sees all connections (--http-auth-file"},
		{"--http-auth-file auth", "the password is not encrypted"},
		{"--http-cert-file one.crt --http-key-file one.key",
		 "sees all connections (--http-auth-file"},
		{"--http-auth-file auth --http-cert-file one.crt --http-key-file one.key", NULL},
	};
	struct site s = site_new();

	sh(&s, "echo ops:secret >auth");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[600];

		snprintf(line, sizeof(line),
			 "timeout 60 %s run -i lo --listen :9470 --for 100ms %s >/dev/null 2>said "
			 "&& "
			 "%s grep -qF '%s' said",
			 la_observer_binary(), rows[i].options, rows[i].warning ? "" : "!",
			 rows[i].warning ? rows[i].warning : "warning: [::]:9470");
		sh(&s, line);
	}
	site_end(&s);
}
