// SPDX-License-Identifier: BSD-2-Clause
/*
 * summary.c - counts what went by and says it in a few lines at the end.
 *
 * A sink without output: connections by close reason and by closer, resets by verdict,
 * applications that left a connection in CLOSE_WAIT, losses. Connections that were still
 * open when lastack stopped have a close record of reason `shutdown` and are told apart.
 * Packets that were not tracked have no record: their reasons come from the counters.
 * Used by cmd_run.c and cmd_replay.c through output.h.
 */
#include "output.h"
#include "style.h"
#include "text.h"
#include <stdlib.h>

struct summary {
	struct la_sink sink;
	__u64 closed;
	__u64 reason[LA_CLOSE_REASON_MAX];
	__u64 closer[LA_CLOSER_MAX];
	__u64 rst[LA_RST_VERDICT_MAX];
	__u64 forged; /* resets with evidence of forging */
	__u64 stuck;
	__u64 lost[LA_LOST_MAX];
	bool goes_on;
};

static void count_close(struct summary *s, const struct la_rec_close *r)
{
	s->closed++;
	if (r->reason < LA_CLOSE_REASON_MAX)
		s->reason[r->reason]++;
	if (r->reason != LA_CLOSE_SHUTDOWN && r->closed_by < LA_CLOSER_MAX)
		s->closer[r->closed_by]++;
	s->stuck += la_text_stuck(r) >= 0;
}

static void count_rst(struct summary *s, const struct la_rec_rst *r)
{
	if (r->verdict < LA_RST_VERDICT_MAX)
		s->rst[r->verdict]++;
	s->forged += r->forged != 0;
}

static void count_lost(struct summary *s, const struct la_rec_lost *r)
{
	if (r->source < LA_LOST_MAX)
		s->lost[r->source] += r->count;
}

static void summary_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct summary *s = (struct summary *)sink;

	if (rec->type == LA_REC_CLOSE)
		count_close(s, (const struct la_rec_close *)rec);
	else if (rec->type == LA_REC_RST)
		count_rst(s, (const struct la_rec_rst *)rec);
	else if (rec->type == LA_REC_LOST)
		count_lost(s, (const struct la_rec_lost *)rec);
}

static void summary_close(struct la_sink *sink)
{
	free(sink);
}

struct la_sink *la_summary_new(void)
{
	struct summary *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sink.record = summary_record;
	s->sink.close = summary_close;
	return &s->sink;
}

void la_summary_goes_on(struct la_sink *summary)
{
	((struct summary *)summary)->goes_on = true;
}

/* One line: a title, then count and text of each value that occurred. Nothing if none did. */
static void print_counts(FILE *to, const char *title, const __u64 *count, size_t values,
			 const char *(*text)(unsigned int), const char *(*sgr)(unsigned int))
{
	const char *between = "";

	for (unsigned int v = 1; v < values; v++) {
		const char *on = count[v] && sgr ? sgr(v) : "";

		if (!count[v])
			continue;
		if (!*between)
			fprintf(to, "  %-11s ", title);
		fprintf(to, "%s%s%llu %s%s", between, on, (unsigned long long)count[v], text(v),
			*on ? LA_SGR_RESET : "");
		between = ", ";
	}
	if (*between)
		fputc('\n', to);
}

static const char *plural(__u64 count)
{
	return count == 1 ? "" : "s";
}

/* What became of the packets, at whatever hook: how many, and the bad ones; and who had to go. */
static void print_packets(FILE *to, const struct la_counters *packets)
{
	__u64 bad[LA_VERDICT_MAX][LA_REASON_MAX] = {0}, all = 0;

	for (unsigned int hook = 0; hook < LA_HOOK_MAX; hook++)
		for (unsigned int r = 1; r < LA_REASON_MAX; r++) {
			bad[la_reason_verdict(r)][r] += packets->packets[hook][r];
			all += packets->packets[hook][r];
		}
	fprintf(to, "  %-11s %llu\n", "packets", (unsigned long long)all);
	print_counts(to, "evicted", packets->evicted, LA_TIMEOUT_MAX, la_timeout_word, NULL);
	print_counts(to, "invalid", bad[LA_VERDICT_INVALID], LA_REASON_MAX, la_reason_text, NULL);
	print_counts(to, "dropped", bad[LA_VERDICT_DROP], LA_REASON_MAX, la_reason_text, NULL);
	print_counts(to, "untracked", bad[LA_VERDICT_UNTRACKED], LA_REASON_MAX, la_reason_text,
		     NULL);
}

void la_summary_print(struct la_sink *summary, const struct la_counters *packets, FILE *to,
		      bool color)
{
	const struct summary *s = (const struct summary *)summary;
	__u64 open = s->reason[LA_CLOSE_SHUTDOWN], ended = s->closed - open;
	__u64 lost = s->lost[LA_LOST_STATE] + s->lost[LA_LOST_CLOSE];
	const char *bold = color ? LA_SGR_BOLD : "", *off = color ? LA_SGR_RESET : "";
	const char *red = color ? LA_SGR_RED : "", *alarm = color ? LA_SGR_ALARM : "";

	fprintf(to, "%s%llu connection%s ended", bold, (unsigned long long)ended, plural(ended));
	if (!s->goes_on)
		fprintf(to, ", %llu still open", (unsigned long long)open);
	fprintf(to, "%s\n", off);
	print_counts(to, "ended", s->reason, LA_CLOSE_SHUTDOWN, la_close_reason_text,
		     color ? la_style_close : NULL);
	print_counts(to, "closed by", s->closer, LA_CLOSER_MAX, la_closer_text, NULL);
	print_counts(to, "resets", s->rst, LA_RST_VERDICT_MAX, la_rst_verdict_word, NULL);
	if (s->forged)
		fprintf(to, "  %-11s %s%llu reset%s with signs of forging%s\n", "forged", red,
			(unsigned long long)s->forged, plural(s->forged), off);
	if (s->stuck)
		fprintf(to, "  %-11s %s%llu CLOSE_WAIT that the application never closed%s\n",
			"stuck", alarm, (unsigned long long)s->stuck, off);
	if (lost)
		fprintf(to, "  %-11s %s%llu record%s: the ring buffer was full%s\n", "lost", red,
			(unsigned long long)lost, plural(lost), off);
	if (s->lost[LA_LOST_EVICTED])
		fprintf(to, "  %-11s %llu half-open connections were evicted and not told of\n", "",
			(unsigned long long)s->lost[LA_LOST_EVICTED]);
	if (packets)
		print_packets(to, packets);
}
