// SPDX-License-Identifier: BSD-2-Clause
/*
 * style.c - see style.h. Three tables.
 */
#include "style.h"
#include <langinfo.h>
#include <locale.h>
#include <string.h>

static const struct la_glyphs utf8 = {
	.line = "─",
	.right = "▶",
	.left = "◀",
	.heavy = "═",
	.life = "│",
	.life_maybe = "┆",
	.life_none = "·",
	.rule = "─",
	.to = "→",
	.from = "←",
	.dot = "·",
};

static const struct la_glyphs ascii = {
	.line = "-",
	.right = ">",
	.left = "<",
	.heavy = "=",
	.life = "|",
	.life_maybe = ":",
	.life_none = ".",
	.rule = "-",
	.to = ">",
	.from = "<",
	.dot = "-",
};

const struct la_glyphs *la_style_glyphs(void)
{
	locale_t env = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool is_utf8 = env && !strcmp(nl_langinfo_l(CODESET, env), "UTF-8");

	if (env)
		freelocale(env);
	return is_utf8 ? &utf8 : &ascii;
}

const char *la_style_state(unsigned int state)
{
	static const char *const sgr[LA_STATE_MAX] = {
		[LA_CLOSED] = LA_SGR_GREY,	 [LA_LISTEN] = LA_SGR_GREY,
		[LA_SYN_SENT] = LA_SGR_CYAN,	 [LA_SYN_RECEIVED] = LA_SGR_CYAN,
		[LA_ESTABLISHED] = LA_SGR_GREEN, [LA_FIN_WAIT_1] = LA_SGR_YELLOW,
		[LA_FIN_WAIT_2] = LA_SGR_YELLOW, [LA_CLOSE_WAIT] = LA_SGR_YELLOW,
		[LA_CLOSING] = LA_SGR_YELLOW,	 [LA_LAST_ACK] = LA_SGR_YELLOW,
		[LA_TIME_WAIT] = LA_SGR_BLUE,
	};

	return state < LA_STATE_MAX && sgr[state] ? sgr[state] : "";
}

const char *la_style_presumed(unsigned int state)
{
	return state == LA_CLOSED || state == LA_LISTEN ? "" : LA_SGR_DIM;
}

const char *la_style_close(unsigned int reason)
{
	static const char *const sgr[LA_CLOSE_REASON_MAX] = {
		[LA_CLOSE_FIN] = "",
		[LA_CLOSE_SIMULTANEOUS_FIN] = "",
		[LA_CLOSE_RESET] = LA_SGR_RED,
		[LA_CLOSE_HALF_CLOSED_RESET] = LA_SGR_RED,
		[LA_CLOSE_REFUSED] = LA_SGR_RED,
		[LA_CLOSE_UNREACHABLE] = LA_SGR_RED,
		[LA_CLOSE_TIMEOUT] = LA_SGR_YELLOW,
		[LA_CLOSE_REPLACED] = LA_SGR_PURPLE,
		[LA_CLOSE_EVICTED] = LA_SGR_PURPLE,
		[LA_CLOSE_POLICY] = LA_SGR_PURPLE,
		[LA_CLOSE_SHUTDOWN] = LA_SGR_GREEN,
	};

	return reason < LA_CLOSE_REASON_MAX && sgr[reason] ? sgr[reason] : "";
}
