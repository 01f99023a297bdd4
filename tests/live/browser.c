// SPDX-License-Identifier: BSD-2-Clause
/*
 * browser.c - the WebDriver protocol (W3C) by hand. See browser.h.
 */
#include "browser.h"
#include "fetch.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVER_PORT 9515
#define SOON_MS	    60000
#define SHOTS	    "build/screenshots"

struct la_browser {
	struct la_lab *lab;
	enum la_lab_host host;
	pid_t pid;
	char session[160]; /* /session/ID */
};

/* The `value` of the answer to a command. Takes body. */
static json_t *command(struct la_browser *b, const char *what, json_t *body)
{
	char path[256], *text = json_dumps(body, 0);
	struct la_fetched got;
	json_t *answer, *value;

	json_decref(body);
	snprintf(path, sizeof(path), "%s%s", b->session, what);
	got = la_fetch(b->lab, b->host, DRIVER_PORT, path, NULL, text);
	cr_assert_eq(got.status, 200, "%s %s: %d %s", path, text, got.status, got.body);
	answer = json_loads(got.body, 0, NULL);
	value = json_incref(json_object_get(answer, "value"));
	json_decref(answer);
	la_fetched_free(&got);
	free(text);
	return value;
}

static void open_session(struct la_browser *b)
{
	json_t *args = json_pack("[s, s, s, s, s]", "--headless=new", "--no-sandbox",
				 "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run");
	json_t *value = command(b, "/session",
				json_pack("{s:{s:{s:{s:o}, s:{s:s}}}}", "capabilities",
					  "alwaysMatch", "goog:chromeOptions", "args", args,
					  "goog:loggingPrefs", "browser", "ALL"));

	snprintf(b->session, sizeof(b->session), "/session/%s",
		 json_string_value(json_object_get(value, "sessionId")));
	json_decref(value);
}

struct la_browser *la_browser_new(struct la_lab *lab, enum la_lab_host host, const char *url)
{
	struct la_browser *b = calloc(1, sizeof(*b));
	/* with a tmpfs of its own for its files, which goes with it */
	const char *const argv[] = {
		"unshare",
		"--pid",
		"--fork",
		"--mount-proc",
		"--kill-child",
		"sh",
		"-c",
		"mount -t tmpfs tmpfs /mnt && TMPDIR=/mnt exec chromedriver --port=9515 --silent",
		NULL};

	b->lab = lab;
	b->host = host;
	b->pid = la_lab_spawn(lab, host, argv, -1, -1);
	cr_assert_gt(b->pid, 0);
	cr_assert(la_fetch_until_ok(lab, host, DRIVER_PORT, "/status", SOON_MS),
		  "chromedriver did not start: make test-deps installs it");
	open_session(b);
	json_decref(command(b, "/url", json_pack("{s:s}", "url", url)));
	return b;
}

json_t *la_browser_run(struct la_browser *b, const char *script)
{
	return command(b, "/execute/sync", json_pack("{s:s, s:[]}", "script", script, "args"));
}

void la_browser_until(struct la_browser *b, const char *expression)
{
	char *script = NULL;
	bool is = false;

	cr_assert_gt(asprintf(&script, "return Boolean(%s)", expression), 0);
	for (int ms = 0; !is && ms < SOON_MS; ms += 100) {
		json_t *value = la_browser_run(b, script);

		is = json_is_true(value);
		json_decref(value);
		if (!is)
			poll(NULL, 0, 100);
	}
	cr_assert(is, "it does not come true: %s", expression);
	free(script);
}

void la_browser_type(struct la_browser *b, const char *selector, const char *keys)
{
	json_t *found = command(
		b, "/element", json_pack("{s:s, s:s}", "using", "css selector", "value", selector));
	const char *id = json_string_value(json_object_iter_value(json_object_iter(found)));
	char path[200];

	snprintf(path, sizeof(path), "/element/%s/value", id);
	json_decref(command(b, path, json_pack("{s:s}", "text", keys)));
	json_decref(found);
}

static json_t *devtools(struct la_browser *b, const char *method, json_t *params)
{
	return command(b, "/goog/cdp/execute",
		       json_pack("{s:s, s:o}", "cmd", method, "params", params));
}

void la_browser_look(struct la_browser *b, int width, bool dark)
{
	json_decref(devtools(b, "Emulation.setScrollbarsHidden", json_pack("{s:b}", "hidden", 1)));
	json_decref(devtools(b, "Emulation.setEmulatedMedia",
			     json_pack("{s:[{s:s, s:s}]}", "features", "name",
				       "prefers-color-scheme", "value", dark ? "dark" : "light")));
	json_decref(devtools(b, "Emulation.setDeviceMetricsOverride",
			     json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", 900,
				       "deviceScaleFactor", 1, "mobile", width < 600)));
}

static void decode(const char *base64, FILE *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned int word = 0, bits = 0;

	for (const char *digit; *base64 && (digit = strchr(digits, *base64)); base64++) {
		word = word << 6 | (unsigned int)(digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		fputc((int)(word >> bits & 0xff), to);
	}
}

void la_browser_picture(struct la_browser *b, const char *name)
{
	json_t *shot = devtools(b, "Page.captureScreenshot",
				json_pack("{s:b}", "captureBeyondViewport", 1));
	char path[128];
	FILE *to;

	mkdir(SHOTS, 0777);
	snprintf(path, sizeof(path), SHOTS "/%s.png", name);
	to = fopen(path, "w");
	cr_assert(to, "%s cannot be written", path);
	decode(json_string_value(json_object_get(shot, "data")), to);
	cr_assert_eq(fclose(to), 0);
	json_decref(shot);
}

json_t *la_browser_complaints(struct la_browser *b)
{
	return command(b, "/se/log", json_pack("{s:s}", "type", "browser"));
}

void la_browser_free(struct la_browser *b)
{
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	free(b);
}
