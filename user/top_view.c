/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top_view.c - drawing with ncurses. See top_view.h.
 *
 *   0        how many, and how fast
 *   2..13    states of both sides, left; servers, right
 *   15..     connections, the selected one inverse
 *   last     keys, or a message
 *
 * Drawn for 80 columns and 24 lines; what is wider or higher shows more, what is smaller less.
 */
#include "top_view.h"
#include "la_flow.h"
#include "options.h"
#include "text.h"
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PANEL_LINE  2
#define SERVERS_AT  32 /* column */
#define SERVER_NAME 20 /* columns */
#define SERVER_ROWS 11
#define LIST_LINE   15

/* Colour pairs. */
enum { OPEN = 1, OPENING, HALF, WAITING, CLOSED, ALARM };

static SCREEN *screen;

/* ---- the terminal ---- */

static void init_colours(void)
{
	static const short colours[] = {
		[OPEN] = COLOR_GREEN,	[OPENING] = COLOR_CYAN, [HALF] = COLOR_YELLOW,
		[WAITING] = COLOR_BLUE, [CLOSED] = -1,		[ALARM] = COLOR_RED,
	};
	const char *no_color = getenv("NO_COLOR");

	if ((no_color && *no_color) || !has_colors())
		return;
	start_color();
	use_default_colors();
	for (short pair = 1; pair < (short)(sizeof(colours) / sizeof(*colours)); pair++)
		init_pair(pair, colours[pair], -1);
}

int la_top_open(void)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return la_fail(LA_EXIT_RUNTIME, "cannot draw", NULL,
			       "stdin and stdout must be a terminal that TERM describes",
			       "lastack list and lastack stats need none"),
		       -1;
	init_colours();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	return 0;
}

void la_top_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

int la_top_key(int ms)
{
	timeout(ms);
	return getch();
}

size_t la_top_rows(void)
{
	return LINES > LIST_LINE + 2 ? (size_t)(LINES - LIST_LINE - 2) : 1;
}

/* ---- the head ---- */

static double rate(const struct la_top *top, __u64 now, __u64 before)
{
	if (!top->before.at || top->now.at <= top->before.at)
		return 0;
	return (double)(now - before) * (double)LA_SEC_NS / (double)(top->now.at - top->before.at);
}

static void draw_head(const struct la_top *top)
{
	const struct la_top_counts *now = &top->now, *before = &top->before;

	attron(A_BOLD);
	mvprintw(0, 0, "lastack top");
	attroff(A_BOLD);
	printw("  %llu of %u connections  opened %.1f/s  ended %.1f/s",
	       (unsigned long long)(now->opened - now->gone), top->room,
	       rate(top, now->opened, before->opened), rate(top, now->ended, before->ended));
	mvprintw(1, 0, "packets %.0f/s  resets %.1f/s  records lost %llu",
		 rate(top, now->packets, before->packets), rate(top, now->resets, before->resets),
		 (unsigned long long)now->lost);
	if (*top->filter)
		printw("  filter: %s", top->filter);
	if (top->paused) {
		attron(A_REVERSE);
		mvprintw(0, COLS - 8, " PAUSED ");
		attroff(A_REVERSE);
	}
}

/* ---- the panels ---- */

static int colour_of(unsigned int state)
{
	static const int colours[LA_STATE_MAX] = {
		[LA_SYN_SENT] = OPENING, [LA_SYN_RECEIVED] = OPENING, [LA_ESTABLISHED] = OPEN,
		[LA_FIN_WAIT_1] = HALF,	 [LA_FIN_WAIT_2] = HALF,      [LA_CLOSE_WAIT] = HALF,
		[LA_CLOSING] = HALF,	 [LA_LAST_ACK] = HALF,	      [LA_TIME_WAIT] = WAITING,
		[LA_CLOSED] = CLOSED,	 [LA_LISTEN] = OPENING,
	};

	return COLOR_PAIR(colours[state]);
}

static void draw_states(const struct la_top *top)
{
	attron(A_UNDERLINE);
	mvprintw(PANEL_LINE, 0, "%-13s %8s %8s", "STATE", "CLIENTS", "SERVERS");
	attroff(A_UNDERLINE);
	for (unsigned int state = 1; state < LA_STATE_MAX; state++) {
		attron(colour_of(state));
		mvprintw(PANEL_LINE + (int)state, 0, "%-13s", la_state_word(state));
		attroff(colour_of(state));
		printw(" %8llu %8llu", (unsigned long long)top->connections[LA_ORIG][state],
		       (unsigned long long)top->connections[LA_RESP][state]);
	}
}

/* Of a number below its word, with a space before. */
static int column_width(enum la_server_column column)
{
	int width = (int)strlen(la_server_column_word(column)) + 1;

	return width > 5 ? width : 5;
}

static void draw_servers(const struct la_top *top)
{
	attron(A_UNDERLINE);
	mvprintw(PANEL_LINE, SERVERS_AT, "%-*s", SERVER_NAME, "SERVER");
	for (enum la_server_column c = 0; c < LA_SERVER_COLUMN_MAX; c++) {
		attron(c == top->column ? A_BOLD : 0);
		printw("%c%*s", c == top->column ? '>' : ' ', column_width(c) - 1,
		       la_server_column_word(c));
		attroff(A_BOLD);
	}
	attroff(A_UNDERLINE);
	for (size_t i = 0; i < top->server_count && i < SERVER_ROWS; i++) {
		const struct la_server *server = la_servers_get(top->servers, i);
		int width = (int)strlen(server->name), room = SERVER_NAME;

		/* of a long address the end tells more */
		mvprintw(PANEL_LINE + 1 + (int)i, SERVERS_AT, "%s%-*s", width > room ? "~" : "",
			 width > room ? room - 1 : room,
			 server->name + (width > room ? width - room + 1 : 0));
		for (enum la_server_column c = 0; c < LA_SERVER_COLUMN_MAX; c++)
			printw("%*llu", column_width(c), (unsigned long long)server->counts[c]);
	}
}

/* ---- the connections ---- */

static void draw_flow(const struct la_top *top, size_t i)
{
	const struct la_rec_flow *flow = la_ranking_get(top->flows, i);
	const struct la_rec_side *orig = &flow->at.side[LA_ORIG], *resp = &flow->at.side[LA_RESP];
	char client[LA_TEXT_ENDPOINT], server[LA_TEXT_ENDPOINT], value[LA_TEXT_SHORT];
	__u64 number = la_rank_value(top->key, flow);
	int stuck = la_text_stuck(&flow->at) >= 0 && !flow->at.reason;

	la_text_endpoint(client, &flow->at.h, LA_ORIG, false);
	la_text_endpoint(server, &flow->at.h, LA_RESP, false);
	if (la_rank_is_time(top->key))
		la_text_duration(value, number);
	else
		snprintf(value, sizeof(value), "%llu", (unsigned long long)number);
	attron((i == top->selected ? A_REVERSE : 0) | (stuck ? COLOR_PAIR(ALARM) : 0));
	mvprintw(LIST_LINE + 1 + (int)i, 0, "%c%-12s %c%-12s %9s  %s > %s",
		 orig->presumed ? '~' : ' ', la_state_word(orig->state), resp->presumed ? '~' : ' ',
		 la_state_word(resp->state), value, client, server);
	attroff(A_REVERSE | COLOR_PAIR(ALARM));
}

static void draw_flows(const struct la_top *top)
{
	attron(A_UNDERLINE);
	mvprintw(LIST_LINE, 0, " %-12s  %-12s %9s  %-*s", "CLIENT", "SERVER",
		 la_rank_word(top->key), COLS > 40 ? COLS - 40 : 1, "CONNECTION");
	attroff(A_UNDERLINE);
	for (size_t i = 0; i < top->flow_count && i < la_top_rows(); i++)
		draw_flow(top, i);
}

static void draw_foot(const struct la_top *top)
{
	const char *keys = "q quit  p pause  s sort  t servers by  / filter  arrows, Enter: show";

	attron(A_REVERSE);
	mvprintw(LINES - 1, 0, "%-*.*s", COLS - 1, COLS - 1, *top->message ? top->message : keys);
	attroff(A_REVERSE);
}

void la_top_draw(const struct la_top *top)
{
	erase();
	draw_flows(top);
	draw_states(top);
	draw_servers(top);
	draw_head(top);
	draw_foot(top);
	refresh();
}

/* ---- pages and questions ---- */

static int lines_of(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void draw_page(const char *text, int first)
{
	erase();
	for (int line = 0; *text; line++) {
		int length = (int)strcspn(text, "\n");

		if (line >= first && line - first < LINES - 1)
			mvaddnstr(line - first, 0, text, length < COLS ? length : COLS);
		text += length + (text[length] == '\n');
	}
	attron(A_REVERSE);
	mvprintw(LINES - 1, 0, "%-*.*s", COLS - 1, COLS - 1, "q back  arrows: scroll");
	attroff(A_REVERSE);
	refresh();
}

void la_top_page(const char *text)
{
	int first = 0, last;

	for (;;) {
		last = lines_of(text) - (LINES - 1);
		draw_page(text, first);
		switch (la_top_key(-1)) {
		case KEY_DOWN:
			first += first < last;
			break;
		case KEY_UP:
			first -= first > 0;
			break;
		case KEY_RESIZE:
			break;
		case ERR: /* the terminal is gone */
		case 'q':
		case '\n':
		case '\033':
			return;
		}
	}
}

/* One key into a line of text. False: it is complete. */
static bool edit(char *line, size_t size, int key)
{
	size_t n = strlen(line);

	if (key == '\n' || key == KEY_ENTER)
		return false;
	if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && n)
		line[n - 1] = '\0';
	else if (key >= ' ' && key < 127 && n + 1 < size) {
		line[n] = (char)key;
		line[n + 1] = '\0';
	}
	return true;
}

bool la_top_ask(const char *question, char *line, size_t size)
{
	int key;

	curs_set(1);
	do {
		move(LINES - 1, 0);
		clrtoeol();
		printw("%s%s", question, line);
		refresh();
		key = la_top_key(-1);
	} while (key != '\033' && key != ERR && edit(line, size, key));
	curs_set(0);
	return key != '\033' && key != ERR;
}
