/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_policies.c - the policies of a configuration file. See config_reader.h, policy.h.
 */
#include "config_reader.h"
#include <string.h>

/* At most this many keys in a policy. */
#define KEYS_MAX 16

struct reading {
	struct la_policy policy;
	size_t lines[KEYS_MAX]; /* where a key is, from 1; 0: nowhere */
	const char *key;	/* which is being read */
	bool failed;
};

/* An error says `policies: KEY`, because keys of that name may be elsewhere. */
static void bad(struct la_config_reader *r, struct reading *reading, const yaml_node_t *node,
		const char *key, const char *why)
{
	char name[60];

	snprintf(name, sizeof(name), "policies: %.40s", key);
	la_config_bad(r, node, name, why);
	reading->failed = true;
}

static void set(struct la_config_reader *r, void *ctx, const yaml_node_t *node, const char *text)
{
	struct reading *reading = ctx;
	char err[LA_FILTER_ERR_SIZE];

	if (la_policy_set(&reading->policy, reading->key, text, err, sizeof(err)))
		bad(r, reading, node, reading->key, err);
}

/* Any word of YAML for a truth is one of ours. */
static const char *plain(const char *text)
{
	int truth = la_config_truth(text);

	return truth < 0 ? text : truth ? "true" : "false";
}

static void read_value(struct la_config_reader *r, struct reading *reading, const yaml_node_t *node)
{
	const char *text = la_config_text(node);

	if (!strcmp(reading->key, LA_POLICY_MAP))
		la_config_map(r, "policies: " LA_POLICY_MAP, node, set, reading);
	else if (text)
		set(r, reading, node, plain(text));
	else
		bad(r, reading, node, reading->key, "one value was expected here");
}

/* Row of a key of a policy that has not been there before, or -1. */
static int find_key(struct la_config_reader *r, struct reading *reading, const yaml_node_t *node)
{
	const char *key = la_config_text(node);
	size_t count = 0;

	for (; la_policy_keys[count]; count++) {
		if (!key || !la_word_equal(key, strlen(key), la_policy_keys[count]))
			continue;
		if (!reading->lines[count])
			return (int)count;
		bad(r, reading, node, key, "it is there twice in one policy");
		return -1;
	}
	la_config_bad_key(r, node, key ? key : "", la_policy_keys, count);
	reading->failed = true;
	return -1;
}

static void read_pair(struct la_config_reader *r, struct reading *reading, const yaml_node_t *key,
		      const yaml_node_t *value)
{
	int row = find_key(r, reading, key);

	if (row < 0)
		return;
	reading->lines[row] = key->start_mark.line + 1;
	reading->key = la_policy_keys[row];
	read_value(r, reading, value);
}

/* What is wrong with a part of it is told; what is wrong with the whole only if no part is. */
static void read_policy(struct la_config_reader *r, const yaml_node_t *node)
{
	struct reading reading = {0};
	bool failed = r->failed;
	char err[200], name[60];

	if (node->type != YAML_MAPPING_NODE) {
		la_config_bad(r, node, "policies", "lines of `KEY: VALUE` were expected here");
		return;
	}
	r->failed = false;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		read_pair(r, &reading, yaml_document_get_node(r->document, pair->key),
			  yaml_document_get_node(r->document, pair->value));
	snprintf(name, sizeof(name), "policies: %s", reading.policy.name);
	if (r->failed)
		la_policy_free(&reading.policy);
	else if (la_policy_check(&reading.policy, err, sizeof(err))) {
		la_config_bad(r, node, name, err);
		la_policy_free(&reading.policy);
	} else if (la_policies_add(&r->opts->policies, &reading.policy, err, sizeof(err))) {
		la_config_bad(r, node, name, err);
	}
	r->failed = r->failed || failed;
}

void la_config_policies(struct la_config_reader *r, const struct la_run_option *option,
			const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		la_config_bad(r, node, option->name, "a list of policies was expected here");
		return;
	}
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++)
		read_policy(r, yaml_document_get_node(r->document, *item));
}
