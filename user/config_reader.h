/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_reader.h - what the parts of the configuration file's reader share.
 *
 * Only config.c and config_*.c include this: a part each for what is more than a value.
 */
#ifndef LA_USER_CONFIG_READER_H
#define LA_USER_CONFIG_READER_H

#include "config.h"
#include <yaml.h>

struct la_config_reader {
	struct la_config_file *file;
	yaml_document_t *document;
	struct la_run_options *opts;
	bool failed;
};

/* Reports what is wrong with a key, at the line of a node, and goes on. */
void la_config_bad(struct la_config_reader *r, const yaml_node_t *node, const char *key,
		   const char *why);

/* The same about a word that is no key: which of these was meant? */
void la_config_bad_key(struct la_config_reader *r, const yaml_node_t *node, const char *key,
		       const char *const *names, size_t count);

/* The text of a scalar; NULL: it is none, is empty, or has a NUL inside. */
const char *la_config_text(const yaml_node_t *node);

/* 1 true, 0 false, -1 neither: the words of YAML 1.1. */
int la_config_truth(const char *text);

/*
 * Calls set for each line `NAME: VALUE` of a map, as the command line says it: NAME=VALUE. Its
 * text goes with the call.
 */
void la_config_map(struct la_config_reader *r, const char *key, const yaml_node_t *node,
		   void (*set)(struct la_config_reader *r, void *ctx, const yaml_node_t *node,
			       const char *entry),
		   void *ctx);

/* The key `policies`: a list of maps, each a policy. */
void la_config_policies(struct la_config_reader *r, const struct la_run_option *option,
			const yaml_node_t *node);

#endif
