/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - walks the YAML document and sets options. See config.h.
 *
 * libyaml reads the file, not libcyaml on top of it, because that stops at the first error.
 * The document keeps the place of every node, and options refer to its texts.
 */
#include "config.h"
#include "suggest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Rows of the table of options. */
#define OPTIONS_MAX 64

struct la_config_file {
	char *path;
	yaml_document_t document;
	size_t lines[OPTIONS_MAX]; /* by row: where the key is, from 1; 0: nowhere */
};

struct reader {
	struct la_config_file *file;
	struct la_run_options *opts;
	bool failed;
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

static void bad(struct reader *r, const yaml_node_t *node, const char *key, const char *why)
{
	complain(r->file->path, node->start_mark.line + 1, key, why);
	r->failed = true;
}

/* ---- values ---- */

/* The text of a scalar; NULL: it is none, is empty, or has a NUL inside. */
static const char *text_of(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || !*text || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

/* 1 true, 0 false, -1 neither: the words of YAML 1.1. */
static int truth_of(const char *text)
{
	static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (la_word_equal(text, strlen(text), words[i]))
			return i >= COUNT(words) / 2;
	return -1;
}

static void set(struct reader *r, const struct la_run_option *option, const yaml_node_t *node,
		const char *text)
{
	char err[LA_FILTER_ERR_SIZE];

	if (la_run_option_set(r->opts, option, text, err, sizeof(err)))
		bad(r, node, option->name, err);
}

static void read_one(struct reader *r, const struct la_run_option *option, const yaml_node_t *node)
{
	const char *text = text_of(node);

	if (text)
		set(r, option, node, text);
	else if (node->type == YAML_SCALAR_NODE)
		bad(r, node, option->name, "its value is missing");
	else
		bad(r, node, option->name, "one value was expected here");
}

static void read_flag(struct reader *r, const struct la_run_option *option, const yaml_node_t *node)
{
	static const char *const words[] = {"true", "false"};
	const char *text = text_of(node);
	char err[200];

	if (text && truth_of(text) >= 0) {
		if (truth_of(text))
			set(r, option, node, NULL);
		return;
	}
	la_word_find(text ? text : "", words, COUNT(words), err, sizeof(err));
	bad(r, node, option->name, err);
}

static void read_maybe(struct reader *r, const struct la_run_option *option,
		       const yaml_node_t *node)
{
	const char *text = text_of(node);

	if (text && truth_of(text) >= 0)
		read_flag(r, option, node);
	else
		read_one(r, option, node);
}

static void read_list(struct reader *r, const struct la_run_option *option, const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		read_one(r, option, node);
		return;
	}
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++)
		read_one(r, option, yaml_document_get_node(&r->file->document, *item));
}

/* One line of a map, as the command line says it: NAME=VALUE. */
static void read_entry(struct reader *r, const struct la_run_option *option,
		       const yaml_node_t *name, const yaml_node_t *value)
{
	char entry[200];

	if (!text_of(name) || !text_of(value)) {
		bad(r, name, option->name, "lines of `NAME: VALUE` were expected here");
		return;
	}
	snprintf(entry, sizeof(entry), "%s=%s", text_of(name), text_of(value));
	set(r, option, name, entry);
}

static void read_map(struct reader *r, const struct la_run_option *option, const yaml_node_t *node)
{
	if (node->type != YAML_MAPPING_NODE) {
		bad(r, node, option->name, "lines of `NAME: VALUE` were expected here");
		return;
	}
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		read_entry(r, option, yaml_document_get_node(&r->file->document, pair->key),
			   yaml_document_get_node(&r->file->document, pair->value));
}

/* ---- keys ---- */

static void bad_key(struct reader *r, const yaml_node_t *node, const char *key)
{
	const char *names[OPTIONS_MAX], *meant;
	char why[100] = "there is no such key";
	size_t count = 0;

	for (unsigned int i = 0; la_run_option(i); i++)
		if (la_run_option(i)->where != LA_IN_LINE)
			names[count++] = la_run_option(i)->name;
	meant = la_suggest(key, names, count);
	if (meant)
		snprintf(why, sizeof(why), "there is no such key (did you mean %s?)", meant);
	bad(r, node, key, why);
}

/* The option of a key, if it is one and has not been there before. */
static const struct la_run_option *read_key(struct reader *r, const yaml_node_t *node)
{
	const char *key = text_of(node);
	const struct la_run_option *option = key ? la_run_option_named(key) : NULL;
	char why[80];
	size_t *line;

	if (!option || option->where == LA_IN_LINE) {
		bad_key(r, node, key ? key : "");
		return NULL;
	}
	line = &r->file->lines[row_of(option)];
	if (*line) {
		snprintf(why, sizeof(why), "it is there twice (first in line %zu)", *line);
		bad(r, node, key, why);
		return NULL;
	}
	*line = node->start_mark.line + 1;
	return option;
}

static void read_pair(struct reader *r, const yaml_node_t *key, const yaml_node_t *value)
{
	static void (*const read[])(struct reader *, const struct la_run_option *,
				    const yaml_node_t *) = {
		[LA_VALUE_FLAG] = read_flag,   [LA_VALUE_ONE] = read_one,
		[LA_VALUE_LIST] = read_list,   [LA_VALUE_MAP] = read_map,
		[LA_VALUE_MAYBE] = read_maybe,
	};
	const struct la_run_option *option = read_key(r, key);

	if (option)
		read[option->value](r, option, value);
}

static void read_document(struct reader *r)
{
	yaml_document_t *document = &r->file->document;
	const yaml_node_t *root = yaml_document_get_root_node(document);

	if (!root) /* an empty file: all defaults */
		return;
	if (root->type != YAML_MAPPING_NODE) {
		bad(r, root, NULL, "lines of `key: value` were expected here");
		return;
	}
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++)
		read_pair(r, yaml_document_get_node(document, pair->key),
			  yaml_document_get_node(document, pair->value));
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
	struct reader r = {.file = open_file(path), .opts = opts};

	if (r.file)
		read_document(&r);
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
