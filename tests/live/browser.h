/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * browser.h - a headless Chromium in a host's namespace, driven by chromedriver.
 *
 * Both run in a process namespace of their own, so the kernel takes all their processes down
 * with the test, however that ends. Errors end the test.
 */
#ifndef LA_LIVE_BROWSER_H
#define LA_LIVE_BROWSER_H

#include "lab.h"
#include <jansson.h>

struct la_browser;

/* Opens the page. Ends the test if there is no Chromium. */
struct la_browser *la_browser_new(struct la_lab *lab, enum la_lab_host host, const char *url);

/* What a script returns; free it. Ends the test if it throws. */
json_t *la_browser_run(struct la_browser *browser, const char *script);

/* Waits until an expression is true; ends the test after a minute. */
void la_browser_until(struct la_browser *browser, const char *expression);

/* Types keys into the element of a selector. */
void la_browser_type(struct la_browser *browser, const char *selector, const char *keys);

/* Width of the window in CSS pixels, dark or light. */
void la_browser_look(struct la_browser *browser, int width, bool dark);

/* A picture of the whole page into build/screenshots/NAME.png. */
void la_browser_picture(struct la_browser *browser, const char *name);

/* What the browser complained of (the page's errors, breaches of its policy), as JSON; free it. */
json_t *la_browser_complaints(struct la_browser *browser);

void la_browser_free(struct la_browser *browser);

#endif
