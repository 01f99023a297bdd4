/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - why a connection is as it is, who has to act, and until when. See explain.h.
 *
 * What is said follows from the state of the one endpoint that the connection waits for, the
 * same by which its clock is chosen (la_timeout.h): a row of the table each. In the sentences
 * {me} is that endpoint, {peer} the other one.
 */
#include "explain.h"
#include "la_timeout.h"
#include "style.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *why, *next;
} sentences[LA_STATE_MAX] = {
	[LA_LISTEN] = {"The {peer} has asked for a connection, the {me} has not answered.",
		       "The {me} has to answer with SYN and ACK, or refuse with RST."},
	[LA_SYN_SENT] =
		{"The {me} has sent its SYN, and nothing has come back.",
		 "The {peer} has to answer. If it never does, it is down, the way to it is "
		 "cut, or a firewall drops the SYN or the answer; the {me} asks a few times "
		 "more and gives up."},
	[LA_SYN_RECEIVED] =
		{"The {me} has answered the SYN, and waits for the last ACK of the "
		 "handshake.",
		 "The {peer} has to send that ACK. If many wait so, the addresses may be "
		 "forged (a SYN flood), or the answers do not reach who asked."},
	[LA_ESTABLISHED] =
		{"The connection is open at both ends.",
		 "Nobody has to do anything: either may send, or be silent as long as it "
		 "likes. Who is done closes."},
	[LA_FIN_WAIT_1] =
		{"The {me} has closed: it has sent its FIN, which is not acknowledged yet.",
		 "The {peer}'s host has to acknowledge the FIN; it does so by itself, "
		 "whatever its application does. If it does not, the FIN or the ACK was "
		 "lost, or the host is gone."},
	[LA_FIN_WAIT_2] = {"The {me} has closed, and the {peer}'s host knows; the {peer} has not "
			   "closed.",
			   "The application of the {peer} has to close its end."},
	[LA_CLOSE_WAIT] =
		{"The {peer} has closed, and the {me}'s host knows; the application of the "
		 "{me} has not closed its end.",
		 "The application of the {me} has to close its socket. It may still send; "
		 "but one that has nothing to say and stays so leaks a descriptor for each "
		 "such connection, until it can open no more. No timeout of TCP ends this "
		 "state."},
	[LA_CLOSING] =
		{"Both have closed at the same moment, and the {me} waits for the ACK of its "
		 "FIN.",
		 "The {peer}'s host has to acknowledge that FIN."},
	[LA_LAST_ACK] =
		{"Both have closed. The {me}, who closed second, waits for the last ACK.",
		 "The {peer}'s host has to acknowledge the FIN. Until then the {me} sends it "
		 "again; after some tries it gives up, and nobody is harmed."},
	[LA_TIME_WAIT] = {"Both have closed in order. The {me} closed first, and so its host keeps "
			  "the pair of ports for a while: stray segments must not fall into a new "
			  "connection, and the last ACK may have to be sent again.",
			  "Nobody has to do anything: time ends it (2MSL; 60 s on Linux)."},
	[LA_CLOSED] = {"The connection has ended.", "Nobody has to do anything."},
};

static const char *const clocks[LA_TIMEOUT_MAX] = {
	[LA_TIMEOUT_SYN_SENT] = "an attempt that nobody answers",
	[LA_TIMEOUT_SYN_RECEIVED] = "a handshake that is not completed",
	[LA_TIMEOUT_ESTABLISHED] = "an open connection that is silent",
	[LA_TIMEOUT_HALF_CLOSED] = "a half-closed connection that is silent",
	[LA_TIMEOUT_CLOSING] = "the rest of a close",
	[LA_TIMEOUT_LAST_ACK] = "the last ACK",
	[LA_TIMEOUT_TIME_WAIT] = "2MSL",
	[LA_TIMEOUT_CLOSED] = "what may still come after the end",
	[LA_TIMEOUT_UNANSWERED] = "a peer that does not answer",
};

struct page {
	FILE *to;
	const struct la_rec_flow *flow;
	const struct la_rec_close *at; /* of flow */
	const struct la_output_opts *opts;
};

#define WIDTH  80
#define INDENT 10

/* ---- paper ---- */

static void sgr(const struct page *page, const char *code)
{
	if (page->opts->color)
		fputs(code, page->to);
}

static void title(const struct page *page, const char *text)
{
	sgr(page, LA_SGR_BOLD);
	fprintf(page->to, "  %-*s", INDENT - 2, text);
	sgr(page, LA_SGR_RESET);
}

/*
 * Goes on in a line of `at` columns, behind a space if there is more than the title, and on
 * further lines below, with no word cut.
 */
static void paragraph(const struct page *page, int at, const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, " ");

		if (at > INDENT && at + 1 + n > WIDTH) {
			fprintf(page->to, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			fputc(' ', page->to);
			at++;
		}
		fwrite(text, 1, (size_t)n, page->to);
		at += n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', page->to);
}

/* A sentence of the table, of who is waited for. */
static void sentence(const struct page *page, const char *name, const char *text, unsigned int me)
{
	char line[600] = "";
	size_t n = 0;

	while (*text && n + 16 < sizeof(line)) {
		bool is_me = !strncmp(text, "{me}", 4);

		if (!is_me && strncmp(text, "{peer}", 6)) {
			line[n++] = *text++;
			continue;
		}
		n = (size_t)(stpcpy(line + n, la_text_end(is_me ? me : !me)) - line);
		text += is_me ? 4 : 6;
	}
	line[n] = '\0';
	title(page, name);
	paragraph(page, INDENT, line);
}

/* ---- who and where ---- */

/* The process that has this end, if it is a socket of this host. */
static void print_owner(const struct page *page, const struct la_owned *own)
{
	if (!own->pid)
		return;
	fprintf(page->to, ", %s (pid %u)", own->comm, own->pid);
	if (own->cgroup[1]) /* "/" says nothing */
		fprintf(page->to, " of %s", own->cgroup);
}

static void print_head(const struct page *page)
{
	const struct la_rec *h = &page->at->h;
	const char *ifname =
		page->opts->ifname ? page->opts->ifname(h->ifindex, page->opts->ifname_ctx) : NULL;
	struct la_owned own[2] = {0};
	char text[LA_TEXT_ENDPOINT];

	if (page->opts->owners)
		page->opts->owners(h, own, page->opts->owners_ctx);
	sgr(page, LA_SGR_BOLD);
	fprintf(page->to, "connection %016llx", (unsigned long long)h->id);
	sgr(page, LA_SGR_RESET);
	fprintf(page->to, "%s%s\n", ifname ? ", first seen at " : "", ifname ? ifname : "");
	for (unsigned int end = 0; end < 2; end++) {
		la_text_endpoint(text, h, end, !page->opts->numeric);
		fprintf(page->to, "  %-*s%s", INDENT - 2, la_text_end(end), text);
		print_owner(page, &own[end]);
		fputc('\n', page->to);
	}
}

static void print_state(const struct page *page, unsigned int end)
{
	const struct la_rec_side *side = &page->at->side[end];
	char spent[LA_TEXT_SHORT], line[160];

	la_text_duration(spent, side->in_state[side->state < LA_STATE_MAX ? side->state : 0]);
	snprintf(line, sizeof(line), "for %s: %s", spent, la_state_text(side->state));
	title(page, la_text_end(end));
	sgr(page, la_style_state(side->state));
	fputs(la_state_word(side->state), page->to);
	sgr(page, LA_SGR_RESET);
	paragraph(page, INDENT + (int)strlen(la_state_word(side->state)), line);
	if (side->presumed) {
		fprintf(page->to, "%*s", INDENT, "");
		paragraph(page, INDENT,
			  "(presumed: a segment that was sent to it should have caused this; "
			  "nothing that it has sent since then proves it)");
	}
}

/* ---- why, and what next ---- */

/* The endpoint that the connection waits for. */
static unsigned int waited_for(const struct la_rec_close *at)
{
	__u8 orig = at->side[LA_ORIG].state, resp = at->side[LA_RESP].state;

	if (orig >= LA_STATE_MAX || resp >= LA_STATE_MAX)
		return LA_ORIG;
	return la_waits[resp].weight > la_waits[orig].weight ? LA_RESP : LA_ORIG;
}

static void print_end(const struct page *page)
{
	char verdict[LA_TEXT_VERDICT], line[LA_TEXT_VERDICT + 20];

	la_text_verdict(verdict, page->at);
	snprintf(line, sizeof(line), "It is over: %s.", verdict);
	title(page, "end");
	paragraph(page, INDENT, line);
}

static void print_silence(const struct page *page)
{
	char spent[LA_TEXT_SHORT], line[240];

	if (!page->at->unanswered)
		return;
	la_text_duration(spent, page->at->unanswered_ns);
	snprintf(line, sizeof(line),
		 "The %s has said nothing for %s, though the %s has asked %u times (segments sent "
		 "again, or probes): it is gone, or the way to it is cut.",
		 la_text_end(page->at->silent), spent, la_text_end(!page->at->silent),
		 page->at->unanswered);
	title(page, "silence");
	paragraph(page, INDENT, line);
}

/* Windows that are shut: an application that does not read. */
static void print_shut(const struct page *page, unsigned int end)
{
	const struct la_rec_side *side = &page->at->side[end];
	char line[200];

	if (side->window || !side->zero_windows || page->at->reason)
		return;
	snprintf(line, sizeof(line),
		 "The %s's window is zero: its application does not read what has arrived, and the "
		 "%s may send nothing until it does.",
		 la_text_end(end), la_text_end(!end));
	title(page, "stalled");
	paragraph(page, INDENT, line);
}

static void print_clock(const struct page *page)
{
	char left[LA_TEXT_SHORT], idle[LA_TEXT_SHORT], line[300];
	unsigned int clock = page->flow->timeout;

	la_text_duration(left, page->flow->left_ns);
	la_text_duration(idle, la_elapsed(page->at->heard_ns, page->at->duration_ns));
	snprintf(line, sizeof(line),
		 "lastack forgets it in %s, if nothing more is heard (timeout %s: %s). The last "
		 "segment was heard %s ago.",
		 left, la_timeout_word(clock),
		 clock < LA_TIMEOUT_MAX && clocks[clock] ? clocks[clock] : "", idle);
	title(page, "until");
	paragraph(page, INDENT, line);
}

/* ---- what it has done ---- */

static void print_times(const struct page *page, unsigned int end)
{
	const struct la_rec_side *side = &page->at->side[end];
	char line[400], spent[LA_TEXT_SHORT];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s:", la_text_end(end));

	for (unsigned int state = 1; state < LA_STATE_MAX && n < sizeof(line); state++) {
		if (!side->in_state[state])
			continue;
		la_text_duration(spent, side->in_state[state]);
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %s %s,", la_state_word(state),
				      spent);
	}
	line[n - 1] = '\0'; /* the last comma */
	fprintf(page->to, "%*s", INDENT, "");
	paragraph(page, INDENT, line);
}

static void print_sent(const struct page *page, unsigned int end)
{
	const struct la_rec_side *side = &page->at->side[end];
	char bytes[LA_TEXT_SHORT], window[LA_TEXT_SHORT];

	la_text_bytes(bytes, side->bytes);
	la_text_bytes(window, side->window);
	fprintf(page->to, "%*s%s: %s in %llu segments, %u of them again", INDENT, "",
		la_text_end(end), bytes, (unsigned long long)side->pkts, side->retrans);
	if (side->in_flight)
		fprintf(page->to, "; %u bytes not acknowledged", side->in_flight);
	if (side->window)
		fprintf(page->to, "; window %s", window);
	if (side->zero_windows)
		fprintf(page->to, "; window %u times zero", side->zero_windows);
	fputc('\n', page->to);
}

static void print_life(const struct page *page)
{
	char age[LA_TEXT_SHORT], handshake[LA_TEXT_SHORT];

	la_text_duration(age, page->at->duration_ns);
	la_text_duration(handshake, page->at->handshake_ns);
	title(page, "age");
	fputs(age, page->to);
	if (page->at->handshake_ns)
		fprintf(page->to, ", of it %s of handshake", handshake);
	if (page->at->midstream)
		fputs("; its beginning was not seen, so who is the client is a guess by the ports",
		      page->to);
	fputs("\n", page->to);
	title(page, "times");
	fputs("in each state:\n", page->to);
	print_times(page, LA_ORIG);
	print_times(page, LA_RESP);
	title(page, "sent");
	fputs("payload, segments:\n", page->to);
	print_sent(page, LA_ORIG);
	print_sent(page, LA_RESP);
}

void la_explain(FILE *to, const struct la_rec_flow *flow, const struct la_output_opts *opts)
{
	struct page page = {.to = to, .flow = flow, .at = &flow->at, .opts = opts};
	unsigned int me = waited_for(page.at);
	__u8 state = page.at->side[me].state;

	print_head(&page);
	fputc('\n', to);
	print_state(&page, LA_ORIG);
	print_state(&page, LA_RESP);
	fputc('\n', to);
	if (page.at->reason)
		print_end(&page);
	if (state < LA_STATE_MAX && sentences[state].why) {
		sentence(&page, "why", sentences[state].why, me);
		sentence(&page, "next", sentences[state].next, me);
	}
	print_silence(&page);
	print_shut(&page, LA_ORIG);
	print_shut(&page, LA_RESP);
	print_clock(&page);
	fputc('\n', to);
	print_life(&page);
}
