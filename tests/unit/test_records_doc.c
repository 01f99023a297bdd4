/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_records_doc.c - docs/records.md says what output_jsonl.c does: every key with its type,
 * and whether it is always there; every word.
 *
 * A full record of each type has no field that is zero, so that a new key shows up here; an
 * empty one has nothing but zeros, so that only those keys are printed that always are.
 */
#include "printed.h"
#include <ctype.h>
#include <jansson.h>

#define DOC	 "docs/records.md"
#define ROWS_MAX 200

/* A row of a table: "| `key` | type | present | text |". */
struct row {
	char section[40];
	char key[40];
	char type[16];
	bool always;
	bool seen;
};

struct doc {
	struct row row[ROWS_MAX];
	int n;
	char *text;
};

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	cr_assert_not_null(file, "%s: run the tests from the top of the tree", path);
	cr_assert_gt(getdelim(&text, &size, '\0', file), 0);
	fclose(file);
	return text;
}

static void read_row(struct doc *d, const char *section, const char *line)
{
	struct row *r = &d->row[d->n];
	char present[40];

	cr_assert_lt(d->n, ROWS_MAX);
	memset(r, 0, sizeof(*r));
	if (sscanf(line, "| `%39[^`]` | %15[a-z] | %39[^|] |", r->key, r->type, present) != 3)
		return;
	snprintf(r->section, sizeof(r->section), "%s", section);
	r->always = !strcmp(present, "always ");
	d->n++;
}

/* The tables of keys end where the words begin. */
static void doc_read(struct doc *d)
{
	char section[40] = "", *copy, *rest, *line;

	d->n = 0;
	d->text = slurp(DOC);
	copy = rest = strdup(d->text);
	while ((line = strsep(&rest, "\n")) && strcmp(line, "## Words") != 0) {
		if (!strncmp(line, "## ", 3))
			snprintf(section, sizeof(section), "%s", line + 3);
		read_row(d, section, line);
	}
	free(copy);
}

/* ---- keys ---- */

/* Is it a state's name in lower case, with "_ns" behind it? */
static bool is_state_ns(const char *key)
{
	for (unsigned int s = 1; s < LA_STATE_MAX; s++) {
		const char *word = la_state_word(s);
		size_t n = strlen(word), i = 0;

		while (i < n && key[i] == tolower((unsigned char)word[i]))
			i++;
		if (i == n && !strcmp(key + n, "_ns"))
			return true;
	}
	return false;
}

static bool row_names(const struct row *r, const char *key)
{
	if (r->key[0] != '*')
		return !strcmp(r->key, key);
	if (strncmp(key, "orig_", 5) != 0 && strncmp(key, "resp_", 5) != 0)
		return false;
	if (!strcmp(r->key, "*_STATE_ns"))
		return is_state_ns(key + 5);
	return !strcmp(r->key + 1, key + 4);
}

/* Is the row one of those for a record of this type? */
static bool row_of_type(const struct row *r, const char *type)
{
	if (!strcmp(r->section, "Every record"))
		return true;
	if (!strcmp(r->section, "Every record of a connection"))
		return strcmp(type, "lost") != 0;
	return !strncmp(r->section, "Record ", 7) && !strcmp(r->section + 7, type);
}

static struct row *find_row(struct doc *d, const char *type, const char *key)
{
	for (int i = 0; i < d->n; i++)
		if (row_of_type(&d->row[i], type) && row_names(&d->row[i], key))
			return &d->row[i];
	return NULL;
}

static const char *type_of(const json_t *value)
{
	return json_is_integer(value)	? "integer"
	       : json_is_string(value)	? "string"
	       : json_is_boolean(value) ? "boolean"
	       : json_is_array(value)	? "list"
					: "?";
}

/* ---- records ---- */

static const size_t record_sizes[LA_RECORD_MAX] = {
	[LA_REC_STATE] = sizeof(struct la_rec_state),
	[LA_REC_RST] = sizeof(struct la_rec_rst),
	[LA_REC_CLOSE] = sizeof(struct la_rec_close),
	[LA_REC_GONE] = sizeof(struct la_rec_gone),
	[LA_REC_SEGMENT] = sizeof(struct la_rec_segment),
	[LA_REC_LOST] = sizeof(struct la_rec_lost),
	[LA_REC_FLOW] = sizeof(struct la_rec_flow),
	[LA_REC_POLICY] = sizeof(struct la_rec_policy),
};

/* Ones in every field mean the first of its words, and true; some fields need better ones. */
static void fill(union la_any_rec *rec, __u8 type)
{
	memset(rec, 1, record_sizes[type]);
	if (type == LA_REC_STATE)
		rec->state.presumed = 1 << LA_ORIG | 1 << LA_RESP;
	if (type == LA_REC_SEGMENT) {
		rec->segment.presumed = 1 << LA_ORIG | 1 << LA_RESP;
		rec->segment.seg.flags = LA_ACK;
	}
	if (type == LA_REC_RST)
		rec->rst.seg.flags = LA_RST | LA_ACK;
	if (type == LA_REC_CLOSE || type == LA_REC_FLOW) {
		rec->close.history[0] = 'S';
		rec->close.icmp_type = 3;
	}
	if (type == LA_REC_GONE)
		rec->gone.zeek.history[0] = 'S';
	if (type == LA_REC_POLICY) {
		strcpy(rec->policy.policy, "name");
		strcpy(rec->policy.detail, "why");
	}
}

static union la_any_rec record(const struct talk *t, __u8 type, bool full)
{
	union la_any_rec rec;

	memset(&rec, 0, sizeof(rec));
	if (full)
		fill(&rec, type);
	rec.h = t->h;
	rec.h.type = type;
	rec.h.ifindex = full ? t->h.ifindex : 0;
	return rec;
}

static void owned_by_one(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)rec, (void)ctx;
	own[LA_ORIG] = own[LA_RESP] = (struct la_owned){.pid = 1, .comm = "c", .cgroup = "/g"};
}

/* The record as JSON. */
static json_t *line_of(__u8 type, bool full)
{
	struct la_output_opts opts = paper_opts();
	union la_any_rec rec;
	struct paper p;
	struct talk t;
	json_t *line;

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", 443);
	opts.owners = full ? owned_by_one : NULL;
	rec = record(&t, type, full);
	paper_open(&p, la_output_jsonl_new, &opts, "C.UTF-8");
	la_sink_record(p.sink, &rec.h);
	paper_done(&p);
	line = json_loads(p.text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(line, "%s", p.text);
	paper_free(&p);
	return line;
}

static void check_keys(struct doc *d, __u8 type, bool full)
{
	json_t *line = line_of(type, full), *value;
	const char *word = la_record_word(type), *key;

	json_object_foreach (line, key, value) {
		struct row *r = find_row(d, word, key);

		cr_assert_not_null(r, DOC ": %s of a %s record has no row", key, word);
		cr_expect_str_eq(type_of(value), r->type, "%s of a %s record is no %s", key, word,
				 r->type);
		cr_expect(full || r->always,
			  "%s of a %s record is always there, which its row denies", key, word);
		r->seen = true;
	}
	json_decref(line);
}

/* What an empty record lacks is not always there. */
static void check_always(struct doc *d, __u8 type)
{
	const char *word = la_record_word(type);

	for (int i = 0; i < d->n; i++) {
		struct row *r = &d->row[i];

		if (row_of_type(r, word) && r->always)
			cr_expect(r->seen, "%s of a %s record is not always there", r->key, word);
	}
}

Test(records_doc, keys)
{
	static struct doc d;

	doc_read(&d);
	cr_assert_gt(d.n, 60, DOC ": %d rows", d.n);
	for (__u8 type = 1; type < LA_RECORD_MAX; type++) {
		if (!record_sizes[type])
			continue;
		for (int i = 0; i < d.n; i++)
			d.row[i].seen = false;
		check_keys(&d, type, false);
		check_always(&d, type);
		check_keys(&d, type, true);
		for (int i = 0; i < d.n; i++)
			cr_expect(d.row[i].seen || !row_of_type(&d.row[i], la_record_word(type)),
				  "%s of a %s record does not exist", d.row[i].key,
				  la_record_word(type));
	}
	free(d.text);
}

/* ---- words ---- */

/* The part of the text below a heading, up to the next one. To be freed. */
static char *section_of(const char *text, const char *heading)
{
	char line[64];
	const char *at, *end;

	snprintf(line, sizeof(line), "\n### %s\n", heading);
	at = strstr(text, line);
	cr_assert_not_null(at, DOC ": no section %s", heading);
	at += strlen(line);
	end = strstr(at, "\n### ");
	return end ? strndup(at, (size_t)(end - at)) : strdup(at);
}

Test(records_doc, words)
{
	static const struct {
		const char *heading;
		const char *(*word)(unsigned int value);
		unsigned int max;
	} lists[] = {
		{"Certainty", la_certainty_word, LA_CERTAINTY_MAX},
		{"Cause", la_cause_word, LA_CAUSE_MAX},
		{"RST verdict", la_rst_verdict_word, LA_RST_VERDICT_MAX},
		{"RST rule", la_rst_rule_word, LA_RULE_MAX},
		{"Evidence", la_evidence_word, LA_EVIDENCE_MAX},
		{"Close reason", la_close_reason_word, LA_CLOSE_REASON_MAX},
		{"Closer", la_closer_word, LA_CLOSER_MAX},
		{"Stage", la_stage_word, LA_STAGE_MAX},
		{"Timeout", la_timeout_word, LA_TIMEOUT_MAX},
		{"Timeout cause", la_timeout_cause_word, LA_TIMEOUT_CAUSE_MAX},
		{"ICMP error", la_icmp_word, LA_ICMP_MAX},
		{"conn_state", la_conn_state_word, LA_CONN_STATE_MAX},
		{"Why a flow is gone", la_gone_why_word, LA_GONE_WHY_MAX},
		{"Packet reason", la_reason_word, LA_REASON_MAX},
		{"Action", la_action_word, LA_ACTION_MAX},
		{"Result", la_result_word, LA_RESULT_MAX},
	};
	char *text = slurp(DOC);

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		char *section = section_of(text, lists[i].heading), row[64];
		unsigned int rows = 0;

		for (const char *at = section; (at = strstr(at, "| `")); at++)
			rows++;
		cr_expect_eq(rows, lists[i].max - 1, DOC ": %s has %u words", lists[i].heading,
			     rows);
		for (unsigned int value = 1; value < lists[i].max; value++) {
			snprintf(row, sizeof(row), "| `%s` |", lists[i].word(value));
			cr_expect_not_null(strstr(section, row), DOC ": %s has no %s",
					   lists[i].heading, row);
		}
		free(section);
	}
	free(text);
}
