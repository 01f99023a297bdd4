// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_page.c - the live page in a real browser, with real connections.
 *
 *   client eth0 --- eth0 server   lastack and Chromium at the server, over its loopback
 *
 * Pictures are left in build/screenshots/ to be looked at: light and dark, wide and phone.
 */
#include "browser.h"
#include "crowd.h"
#include "fetch.h"
#include "observer.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define URL	 "http://127.0.0.1:9464/"
#define ECHO	 9443
#define LEAK	 9444
#define NOBODY	 9499
#define OPEN	 6
#define LEAKED	 3
#define TALKS	 5
#define FIRST	 42000
#define SOON_MS	 60000
#define ODD_NAME "<b>e&\"'0"

struct scene {
	struct la_lab *lab;
	struct la_observer *obs;
	struct la_browser *browser;
	const char *ifname;
	int client[OPEN + LEAKED], server[OPEN + LEAKED];
};

/* ---- connections to look at ---- */

static int listen_at(const struct scene *s, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, port);
	int fd = la_lab_socket(s->lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	cr_assert(!bind(fd, (const struct sockaddr *)&at.sa, at.len) && !listen(fd, 16));
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	cr_assert_eq(poll(&wait, 1, SOON_MS), 1);
}

static void open_one(struct scene *s, int i, int listener, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, port);

	s->client[i] = la_lab_socket(s->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0);
	cr_assert(!connect(s->client[i], (const struct sockaddr *)&at.sa, at.len) ||
		  errno == EINPROGRESS);
	wait_for(listener, POLLIN);
	s->server[i] = accept(listener, NULL, NULL);
	cr_assert_geq(s->server[i], 0);
}

/* Six that stay open, three whose server does not close. */
static void plant(struct scene *s)
{
	int echo = listen_at(s, ECHO), leak = listen_at(s, LEAK);

	for (int i = 0; i < OPEN + LEAKED; i++)
		open_one(s, i, i < OPEN ? echo : leak, i < OPEN ? ECHO : LEAK);
	for (int i = OPEN; i < OPEN + LEAKED; i++)
		shutdown(s->client[i], SHUT_WR);
	close(echo);
	close(leak);
}

/* The client of connection i closes, then its server. */
static void finish(struct scene *s, int i)
{
	char byte;

	shutdown(s->client[i], SHUT_WR);
	wait_for(s->server[i], POLLIN);
	cr_assert_eq(read(s->server[i], &byte, 1), 0);
	shutdown(s->server[i], SHUT_WR);
	wait_for(s->client[i], POLLIN);
}

static void talk(const struct scene *s, int n)
{
	const struct la_talk_end client = {LA_LAB_CLIENT, la_lab_addr(LA_LAB_CLIENT, AF_INET,
								      (unsigned short)(FIRST + n))},
				 server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET, 9500)};

	cr_assert(la_talk(s->lab, &client, &server, 5000));
}

static void be_refused(const struct scene *s)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, NOBODY);
	int fd = la_lab_socket(s->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0);

	connect(fd, (const struct sockaddr *)&at.sa, at.len);
	wait_for(fd, POLLOUT);
	close(fd);
}

/* ---- the scene ---- */

static void start(struct scene *s)
{
	/* nothing is printed, for nobody reads it here; the page hears of everything */
	static const char *const options[] = {"port 1", NULL};

	s->obs = la_observer_start(s->lab, LA_LAB_SERVER, s->ifname, NULL, options);
	cr_assert(s->obs, "lastack did not start");
	cr_assert(la_fetch_until_ok(s->lab, LA_LAB_SERVER, 9464, "/readyz", SOON_MS));
}

static struct scene scene_new(const char *ifname)
{
	struct scene s = {.lab = la_lab_new(false), .ifname = ifname};

	cr_assert(s.lab);
	if (strcmp(ifname, "eth0") != 0)
		cr_assert(la_lab_sh(
			s.lab, LA_LAB_SERVER,
			"ip link set eth0 down; ip link set eth0 name '<b>e&\"'\"'\"'0' && "
			"ip link set '<b>e&\"'\"'\"'0' up && "
			"ip addr show '<b>e&\"'\"'\"'0' | grep -q 'inet '"));
	start(&s);
	plant(&s);
	s.browser = la_browser_new(s.lab, LA_LAB_SERVER, URL);
	return s;
}

static void scene_end(struct scene *s)
{
	la_browser_free(s->browser);
	for (int i = 0; i < OPEN + LEAKED; i++) {
		close(s->client[i]);
		close(s->server[i]);
	}
	la_observer_free(s->obs);
	la_lab_free(s->lab);
}

/* The browser has none but of this, which it may have several times; NULL: none at all. */
static void complains_only_of(const struct scene *s, const char *what)
{
	json_t *log = la_browser_complaints(s->browser), *entry;
	size_t i;

	cr_expect_eq(!json_array_size(log), !what);
	json_array_foreach (log, i, entry) {
		const char *text = json_string_value(json_object_get(entry, "message"));

		cr_expect(what && strstr(text, what), "the browser says: %s", text);
	}
	json_decref(log);
}

#define COUNT(state, who)                                                                          \
	"[...document.querySelectorAll('#diagram g')].find(g => "                                  \
	"g.querySelector('.count') && g.querySelector('text').textContent === '" state             \
	"').querySelector('.count." who "').textContent"
#define ROWS "document.querySelectorAll('#flows tr[data-id]').length"

/* ---- tests ---- */

/* What is planted is there, the filter picks of it, and the ladder of one grows as it ends. */
Test(page, shows_what_happens, .timeout = 300)
{
	struct scene s = scene_new("eth0");

	la_browser_look(s.browser, 1400, false);
	la_browser_until(s.browser, COUNT("ESTABLISHED", "orig") " === '6'");
	la_browser_until(s.browser, COUNT("CLOSE_WAIT", "resp") " === '3'");
	la_browser_until(s.browser, ROWS " === 9");
	for (int i = 0; i < TALKS; i++)
		talk(&s, i);
	be_refused(&s);
	la_browser_until(s.browser, "document.querySelector('#closes .fin')");
	la_browser_until(s.browser, "document.querySelector('#resets .refused')");
	la_browser_until(
		s.browser,
		"document.querySelector('#stuck tbody').textContent.includes('CLOSE_WAIT')");
	la_browser_type(s.browser, "#filter", "state established and port 9443\n");
	la_browser_until(s.browser, ROWS " === 6");
	la_browser_type(s.browser, "#filter", " (\n");
	la_browser_until(s.browser, "!document.getElementById('complaint').hidden");
	json_decref(
		la_browser_run(s.browser, "document.getElementById('filter').value = 'port 9443'"));
	la_browser_type(s.browser, "#filter", "\n");
	la_browser_until(s.browser,
			 "document.getElementById('complaint').hidden && " ROWS " === 6");
	for (int i = 0; i < OPEN; i++)
		finish(&s, i);
	la_browser_type(s.browser, "#scroll", "\xee\x80\x95"); /* the key Down */
	la_browser_until(s.browser, "document.querySelector('#flows [aria-selected=true]')");
	la_browser_until(s.browser, "Number(document.getElementById('ladder').dataset.rungs) >= 4");
	la_browser_until(s.browser,
			 "document.getElementById('ladder').textContent.includes('fin, by orig')");
	la_browser_picture(s.browser, "page-light");
	la_browser_look(s.browser, 1400, true);
	la_browser_picture(s.browser, "page-dark");
	la_browser_look(s.browser, 390, false);
	la_browser_until(s.browser, "document.documentElement.scrollWidth <= 390");
	la_browser_picture(s.browser, "page-phone-light");
	la_browser_look(s.browser, 390, true);
	la_browser_picture(s.browser, "page-phone-dark");
	complains_only_of(&s, "400 (Bad Request)"); /* that the bad filter earned */
	scene_end(&s);
}

/* Until so many follow the events. */
static void followed_by(const struct scene *s, const char *line)
{
	bool is = false;

	for (int ms = 0; !is && ms < SOON_MS; ms += 100) {
		struct la_fetched got =
			la_fetch(s->lab, LA_LAB_SERVER, 9464, "/metrics", NULL, NULL);

		is = strstr(got.body, line);
		la_fetched_free(&got);
		if (!is)
			poll(NULL, 0, 100);
	}
	cr_assert(is, "not within %d ms: %s", SOON_MS, line);
}

/* lastack ends and starts again: the page says so, and goes on by itself. */
Test(page, survives_a_restart, .timeout = 300)
{
	struct scene s = scene_new("eth0");

	la_browser_until(s.browser, ROWS " === 9");
	cr_assert_eq(la_observer_stop(s.obs), 0);
	la_observer_free(s.obs);
	la_browser_until(s.browser, "document.querySelector('#status.away')");
	start(&s);
	la_browser_until(s.browser, "!document.querySelector('#status.away')");
	followed_by(&s, "\nlastack_event_clients 1\n");
	talk(&s, 0);
	la_browser_until(s.browser, "stories.size > 0");
	la_browser_until(s.browser, ROWS " >= 1");
	scene_end(&s);
}

/* An interface may be called anything but / and blanks, a process anything: here, it is text. */
Test(page, a_name_is_no_markup, .timeout = 300)
{
	struct scene s;

	cr_assert(!prctl(PR_SET_NAME, ODD_NAME));
	s = scene_new(ODD_NAME);
	la_browser_until(s.browser, ROWS " === 9");
	la_browser_until(s.browser, "[...document.querySelectorAll('#flows td')].some(td => "
				    "td.textContent === '<b>e&\"\\'0')");
	la_browser_until(s.browser, "[...document.querySelectorAll('#flows td')].some(td => "
				    "td.textContent === '→ <b>e&\"\\'0')");
	la_browser_until(s.browser, "!document.querySelector('#flows b')");
	complains_only_of(&s, NULL);
	scene_end(&s);
}

/* ---- many connections ---- */

#define CROWD	   10000
#define CROWD_PORT 9600
#define PORTS	   10
#define HALF	   50 /* of the first port: their clients have closed */

/* Draws the table as scrolled to each of the next 50 screens, and notes what is in sight. */
static const char scroll_on[] = "const box = document.getElementById('scroll');"
				"for (let i = 0; i < 50; i++) {"
				"  box.scrollTop = screens++ * (box.clientHeight - 2 * ROW);"
				"  drawFlows();"
				"  const rows = document.querySelectorAll('#flows tr[data-id]');"
				"  for (const tr of rows) seen.add(tr.dataset.id);"
				"  most = Math.max(most, rows.length);"
				"}"
				"return box.scrollTop + box.clientHeight >= box.scrollHeight - 1;";

/* Scrolls for two seconds as fast as frames come, and tells how that went. */
static const char measure[] =
	"window.smooth = null;"
	"const box = document.getElementById('scroll'), start = performance.now();"
	"let frames = 0, last = start, longest = 0;"
	"const frame = () => {"
	"  const now = performance.now();"
	"  frames++; longest = Math.max(longest, now - last); last = now;"
	"  box.scrollTop = frames * 200;"
	"  if (now - start < 2000) requestAnimationFrame(frame);"
	"  else smooth = `${(frames * 1000 / (now - start)).toFixed(0)} frames a second, the "
	"longest "
	"took ${longest.toFixed(0)} ms`;"
	"};"
	"requestAnimationFrame(frame);";

static void print_smoothness(const struct scene *s)
{
	json_t *text;

	json_decref(la_browser_run(s->browser, measure));
	la_browser_until(s->browser, "smooth");
	text = la_browser_run(s->browser, "return smooth");
	fprintf(stderr, "page: scrolling %d connections: %s\n", CROWD, json_string_value(text));
	json_decref(text);
}

static void reaches_every_row(const struct scene *s)
{
	bool end = false;

	/* poll++: no other list comes */
	json_decref(la_browser_run(s->browser, "poll++; seen = new Set(); screens = 0; most = 0;"));
	for (int i = 0; !end && i < CROWD; i++) {
		json_t *is = la_browser_run(s->browser, scroll_on);

		end = json_is_true(is);
		json_decref(is);
	}
	la_browser_until(s->browser, "seen.size === 10000");
	la_browser_until(s->browser, "most >= 10 && most < 100");
}

/* Ten thousand real ones: all are there, those in sight are drawn, and the filter picks of them. */
Test(page, shows_ten_thousand, .timeout = 300)
{
	struct scene s = {.lab = la_lab_new(false), .ifname = "eth0"};
	struct la_crowd *crowd;

	start(&s);
	crowd = la_crowd_new(s.lab, CROWD, CROWD_PORT, PORTS);
	for (int i = 0; i < HALF; i++)
		la_crowd_half_close(crowd, i * PORTS);
	s.browser = la_browser_new(s.lab, LA_LAB_SERVER, URL);
	la_browser_until(s.browser, "flows.length === 10000 && " ROWS " >= 10");
	la_browser_until(s.browser, ROWS " < 100 && document.querySelectorAll('*').length < 2500");
	la_browser_until(s.browser, COUNT("CLOSE_WAIT", "resp") " === '50'");
	la_browser_type(s.browser, "#filter", "state close-wait and port 9600\n");
	la_browser_until(s.browser, "flows.length === 50");
	json_decref(la_browser_run(s.browser, "document.getElementById('filter').value = ''"));
	la_browser_type(s.browser, "#filter", "\n");
	la_browser_until(s.browser, "flows.length === 10000");
	print_smoothness(&s);
	reaches_every_row(&s);
	complains_only_of(&s, NULL);
	la_browser_free(s.browser);
	la_crowd_free(crowd);
	la_observer_free(s.obs);
	la_lab_free(s.lab);
}

/*
 * How often the page draws in two seconds in which something changes all the time, when the display
 * refreshes so often. The clock is ours: no frame of the browser's comes in between.
 */
static long long draws_at(const struct scene *s, const char *hz)
{
	static const char script[] = "const before = requestAnimationFrame, step = 1000 / %s;"
				     "let frame = null, drawn = 0;"
				     "const count = () => { drawn++; };"
				     "requestAnimationFrame = f => { frame = f; };"
				     "dirty.clear();"
				     "for (let ms = 0, start = due + 1000; ms < 2000; ms += step) {"
				     "  const now = frame;"
				     "  frame = null;"
				     "  if (now) now(start + ms);"
				     "  changed(count);"
				     "}"
				     "requestAnimationFrame = before;"
				     "dirty.clear();"
				     "due = 0;"
				     "return drawn;";
	char text[sizeof(script) + 16];
	json_t *drawn;
	long long n;

	snprintf(text, sizeof(text), script, hz);
	drawn = la_browser_run(s->browser, text);
	n = json_integer_value(drawn);
	json_decref(drawn);
	return n;
}

/* However often something changes and the display refreshes: 60 times a second at most. */
Test(page, draws_no_faster_than_anybody_reads, .timeout = 300)
{
	struct scene s = scene_new("eth0");

	la_browser_until(s.browser, ROWS " === 9");
	cr_expect(draws_at(&s, "30") >= 58 && draws_at(&s, "30") <= 60);
	cr_expect(draws_at(&s, "60") >= 118 && draws_at(&s, "60") <= 120);
	cr_expect(draws_at(&s, "144") >= 118 && draws_at(&s, "144") <= 121);
	cr_expect(draws_at(&s, "1000") >= 118 && draws_at(&s, "1000") <= 121);
	complains_only_of(&s, NULL);
	scene_end(&s);
}

/* ---- for everybody ---- */

#define AXE "build/axe/node_modules/axe-core/axe.min.js"

/* What axe-core finds against WCAG 2.2, levels A and AA, a line each; it is in the page already. */
static const char violations[] =
	"axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],"
	"         resultTypes: ['violations']})"
	"  .then(r => { window.found = {checked: r.passes.length, text: r.violations.map(v => "
	"    `${v.id}: ${v.help}: ${v.nodes.map(n => n.target).join(' ')}`).join('\\n')}; },"
	"        e => { window.found = {checked: 0, text: String(e)}; });";

static void load_axe(const struct scene *s)
{
	FILE *file = fopen(AXE, "r");
	char *text = NULL;
	size_t size = 0;

	cr_assert(file, AXE " is missing: make build/test-live fetches it by npm");
	cr_assert_gt(getdelim(&text, &size, '\0', file), 0);
	fclose(file);
	json_decref(la_browser_run(s->browser, text));
	free(text);
}

static void is_accessible_now(const struct scene *s, const char *how)
{
	const char *text;
	json_t *found;

	json_decref(la_browser_run(s->browser, "window.found = null;"));
	json_decref(la_browser_run(s->browser, violations));
	la_browser_until(s->browser, "window.found");
	found = la_browser_run(s->browser, "return window.found");
	cr_expect_gt(json_integer_value(json_object_get(found, "checked")), 10, "%s", how);
	text = json_string_value(json_object_get(found, "text"));
	cr_expect(text && !*text, "%s: %s", how, text);
	json_decref(found);
}

/* With connections, hot spots, a ladder and a complaint on it; light and dark, wide and phone. */
Test(page, is_accessible, .timeout = 300)
{
	static const int widths[] = {1400, 390};
	struct scene s = scene_new("eth0");

	la_browser_type(s.browser, "#filter", "port 9443\n");
	la_browser_until(s.browser, ROWS " === 6");
	followed_by(&s, "\nlastack_event_clients 1\n");
	for (int i = 0; i < OPEN; i++)
		finish(&s, i);
	be_refused(&s);
	la_browser_until(s.browser, "document.querySelector('#closes .fin')");
	la_browser_until(s.browser, "document.querySelector('#resets .refused')");
	la_browser_type(s.browser, "#scroll", "\xee\x80\x95"); /* the key Down */
	la_browser_until(s.browser, "Number(document.getElementById('ladder').dataset.rungs) >= 4");
	la_browser_type(s.browser, "#filter", "(\n");
	la_browser_until(s.browser, "!document.getElementById('complaint').hidden");
	load_axe(&s);
	for (int i = 0; i < 4; i++) {
		la_browser_look(s.browser, widths[i / 2], i % 2);
		is_accessible_now(&s, (const char *const[]){"wide, light", "wide, dark",
							    "phone, light", "phone, dark"}[i]);
	}
	scene_end(&s);
}
