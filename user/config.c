/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - walks the YAML document and sets options. See config.h.
 *
 * libyaml reads the file, not libcyaml on top of it, because that stops at the first error.
 * The document keeps the place of every node, and options refer to its texts.
 */
#include "config_reader.h"
#include "suggest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Rows of the table of options. */
#define OPTIONS_MAX 64

struct la_config_file {
	char *path;
	yaml_document_t document;
	size_t lines[OPTIONS_MAX]; /* by row: where the key is, from 1; 0: nowhere */
};

static unsigned int row_of(const struct la_run_option *option)
{
	return (unsigned int)(option - la_run_option(0));
}

static void complain(const char *path, size_t line, const char *key, const char *why)
{
	char at[PATH_MAX + 32];

	snprintf(at, sizeof(at), "%s:%zu", path, line);
	la_fail(LA_EXIT_USAGE, at, key, why, NULL);
}

void la_config_bad(struct la_config_reader *r, const yaml_node_t *node, const char *key,
		   const char *why)
{
	complain(r->file->path, node->start_mark.line + 1, key, why);
	r->failed = true;
}

/* ---- values ---- */

const char *la_config_text(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || !*text || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

int la_config_truth(const char *text)
{
	static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (la_word_equal(text, strlen(text), words[i]))
			return i >= COUNT(words) / 2;
	return -1;
}

static void set(struct la_config_reader *r, const struct la_run_option *option,
		const yaml_node_t *node, const char *text)
{
	char err[LA_FILTER_ERR_SIZE];

	if (la_run_option_set(r->opts, option, text, err, sizeof(err)))
		la_config_bad(r, node, option->name, err);
}

static void read_one(struct la_config_reader *r, const struct la_run_option *option,
		     const yaml_node_t *node)
{
	const char *text = la_config_text(node);

	if (text)
		set(r, option, node, text);
	else if (node->type == YAML_SCALAR_NODE)
		la_config_bad(r, node, option->name, "its value is missing");
	else
		la_config_bad(r, node, option->name, "one value was expected here");
}

static void read_flag(struct la_config_reader *r, const struct la_run_option *option,
		      const yaml_node_t *node)
{
	static const char *const words[] = {"true", "false"};
	const char *text = la_config_text(node);
	char err[200];

	if (text && la_config_truth(text) >= 0) {
		if (la_config_truth(text))
			set(r, option, node, NULL);
		return;
	}
	la_word_find(text ? text : "", words, COUNT(words), err, sizeof(err));
	la_config_bad(r, node, option->name, err);
}

static void read_maybe(struct la_config_reader *r, const struct la_run_option *option,
		       const yaml_node_t *node)
{
	const char *text = la_config_text(node);

	if (text && la_config_truth(text) >= 0)
		read_flag(r, option, node);
	else
		read_one(r, option, node);
}

static void read_list(struct la_config_reader *r, const struct la_run_option *option,
		      const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		read_one(r, option, node);
		return;
	}
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++)
		read_one(r, option, yaml_document_get_node(r->document, *item));
}

void la_config_map(struct la_config_reader *r, const char *key, const yaml_node_t *node,
		   void (*set_entry)(struct la_config_reader *r, void *ctx, const yaml_node_t *node,
				     const char *entry),
		   void *ctx)
{
	static const char wanted[] = "lines of `NAME: VALUE` were expected here";
	if (node->type != YAML_MAPPING_NODE) {
		la_config_bad(r, node, key, wanted);
		return;
	}
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(r->document, pair->key);
		const char *left = la_config_text(name),
			   *right =
				   la_config_text(yaml_document_get_node(r->document, pair->value));

		char *entry = NULL;

		if (left && right && asprintf(&entry, "%s=%s", left, right) > 0)
			set_entry(r, ctx, name, entry);
		else
			la_config_bad(r, name, key, left && right ? strerror(ENOMEM) : wanted);
		free(entry);
	}
}

static void set_entry(struct la_config_reader *r, void *ctx, const yaml_node_t *node,
		      const char *entry)
{
	set(r, ctx, node, entry);
}

static void read_map(struct la_config_reader *r, const struct la_run_option *option,
		     const yaml_node_t *node)
{
	la_config_map(r, option->name, node, set_entry, (void *)option);
}

/* ---- keys ---- */

void la_config_bad_key(struct la_config_reader *r, const yaml_node_t *node, const char *key,
		       const char *const *names, size_t count)
{
	const char *meant = la_suggest(key, names, count);
	char why[100] = "there is no such key";

	if (meant)
		snprintf(why, sizeof(why), "there is no such key (did you mean %s?)", meant);
	la_config_bad(r, node, key, why);
}

static void unknown_key(struct la_config_reader *r, const yaml_node_t *node, const char *key)
{
	const char *names[OPTIONS_MAX];
	size_t count = 0;

	for (unsigned int i = 0; la_run_option(i); i++)
		if (la_run_option(i)->where != LA_IN_LINE)
			names[count++] = la_run_option(i)->name;
	la_config_bad_key(r, node, key, names, count);
}

/* The option of a key, if it is one and has not been there before. */
static const struct la_run_option *read_key(struct la_config_reader *r, const yaml_node_t *node)
{
	const char *key = la_config_text(node);
	const struct la_run_option *option = key ? la_run_option_named(key) : NULL;
	char why[80];
	size_t *line;

	if (!option || option->where == LA_IN_LINE) {
		unknown_key(r, node, key ? key : "");
		return NULL;
	}
	line = &r->file->lines[row_of(option)];
	if (*line) {
		snprintf(why, sizeof(why), "it is there twice (first in line %zu)", *line);
		la_config_bad(r, node, key, why);
		return NULL;
	}
	*line = node->start_mark.line + 1;
	return option;
}

static void read_pair(struct la_config_reader *r, const yaml_node_t *key, const yaml_node_t *value)
{
	static void (*const read[])(struct la_config_reader *, const struct la_run_option *,
				    const yaml_node_t *) = {
		[LA_VALUE_FLAG] = read_flag,   [LA_VALUE_ONE] = read_one,
		[LA_VALUE_LIST] = read_list,   [LA_VALUE_MAP] = read_map,
		[LA_VALUE_MAYBE] = read_maybe, [LA_VALUE_POLICIES] = la_config_policies,
	};
	const struct la_run_option *option = read_key(r, key);

	if (option)
		read[option->value](r, option, value);
}

static void read_document(struct la_config_reader *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(r->document);

	if (!root) /* an empty file: all defaults */
		return;
	if (root->type != YAML_MAPPING_NODE) {
		la_config_bad(r, root, NULL, "lines of `key: value` were expected here");
		return;
	}
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++)
		read_pair(r, yaml_document_get_node(r->document, pair->key),
			  yaml_document_get_node(r->document, pair->value));
}

/* ---- the file ---- */

/* What libyaml does not understand ends the reading: what follows could mean anything. */
static int load_failed(const struct la_config_file *file, const yaml_parser_t *parser, FILE *from)
{
	char why[300];

	if (ferror(from))
		return la_fail(LA_EXIT_USAGE, "cannot read", file->path, strerror(errno), NULL), -1;
	snprintf(why, sizeof(why), "this is not YAML: %s%s%s%s",
		 parser->problem ? parser->problem : "out of memory", parser->context ? " (" : "",
		 parser->context ? parser->context : "", parser->context ? ")" : "");
	complain(file->path, parser->problem_mark.line + 1, NULL, why);
	return -1;
}

/* Loads the one document of a file. Returns 0, or -1 with the reason on stderr. */
static int load(struct la_config_file *file, FILE *from)
{
	yaml_document_t more;
	yaml_parser_t parser;
	int err = -1;

	if (!yaml_parser_initialize(&parser))
		return la_fail(LA_EXIT_RUNTIME, "cannot read", file->path, strerror(ENOMEM), NULL),
		       -1;
	yaml_parser_set_input_file(&parser, from);
	errno = 0;
	if (!yaml_parser_load(&parser, &file->document)) {
		load_failed(file, &parser, from);
	} else if (!yaml_parser_load(&parser, &more)) {
		load_failed(file, &parser, from);
	} else {
		err = yaml_document_get_root_node(&more) ? -1 : 0;
		if (err)
			complain(file->path, more.start_mark.line + 1, NULL,
				 "a second document begins here (one was expected)");
		yaml_document_delete(&more);
	}
	yaml_parser_delete(&parser);
	return err;
}

static struct la_config_file *open_file(const char *path)
{
	struct la_config_file *file = calloc(1, sizeof(*file));
	FILE *from = file ? fopen(path, "re") : NULL;
	int err = -1;

	if (file)
		file->path = strdup(path);
	if (!from || !file->path)
		la_fail(LA_EXIT_USAGE, "cannot read", path, strerror(errno), NULL);
	else
		err = load(file, from);
	if (from)
		fclose(from);
	if (!err)
		return file;
	la_config_file_free(file);
	return NULL;
}

struct la_config_file *la_config_file_read(const char *path, struct la_run_options *opts,
					   bool *failed)
{
	struct la_config_reader r = {.file = open_file(path), .opts = opts};

	if (r.file) {
		r.document = &r.file->document;
		read_document(&r);
	}
	*failed = *failed || !r.file || r.failed;
	return r.file;
}

const char *la_config_file_path(const struct la_config_file *file)
{
	return file->path;
}

bool la_config_file_bad(const struct la_config_file *file, const struct la_run_option *option,
			const char *why)
{
	size_t line = file ? file->lines[row_of(option)] : 0;

	if (line)
		complain(file->path, line, option->name, why);
	return line;
}

void la_config_file_free(struct la_config_file *file)
{
	if (!file)
		return;
	yaml_document_delete(&file->document);
	free(file->path);
	free(file);
}
