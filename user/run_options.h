/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_options.h - what `lastack run` can be told, on the command line or in a file.
 *
 * Owns the one table of its options: a row is an option of the command line and a key of the
 * configuration file (config.h) at once, so neither can have what the other lacks. Both give
 * text to la_run_option_set(); who gave it says in an error where it stood.
 */
#ifndef LA_USER_RUN_OPTIONS_H
#define LA_USER_RUN_OPTIONS_H

#include "control.h"
#include "filter.h"
#include "http.h"
#include "metric_groups.h"
#include "options.h"
#include "persist.h"
#include "policy.h"
#include "select.h"
#include <limits.h>

/* The configuration file, if nobody says where it is. */
#define LA_CONFIG_DEFAULT "/etc/lastack/lastack.yaml"

struct la_run_options {
	struct la_options shared;
	struct la_select select;
	__u64 run_for; /* ns; 0: until told otherwise */
	__u64 count;   /* close records; 0: no end */
	__u64 max_flows;
	__u64 max_attempts;
	__u64 ring_bytes;
	/* Zeros behind their ends, so that they can be compared as bytes. */
	char persist[LA_PERSIST_NAME_MAX + 1]; /* empty: all goes at the end */
	char bpffs[PATH_MAX];		       /* empty: LA_PERSIST_BPFFS */
	struct la_listen listen;	       /* where metrics and page are served */
	bool listen_asked;		       /* it is not the default */
	char http_auth_file[PATH_MAX];	       /* empty: who asks there needs no password */
	char http_cert_file[PATH_MAX];	       /* empty: not encrypted */
	char http_key_file[PATH_MAX];	       /* goes with it */
	unsigned int metrics_labels;	       /* bits of enum la_label */
	__u64 metrics_label_sets;	       /* at most so many */
	struct la_metric_groups groups;
	char history[PATH_MAX]; /* empty: none is kept */
	__u64 history_bytes;
	__u64 history_age;		   /* ns */
	char control[LA_CONTROL_PATH_MAX]; /* empty: la_control_path(); "none": no socket */
	bool no_process;		   /* owners of sockets are not looked for */
	bool debug;
	struct la_filter *filter; /* or NULL */
	struct la_policies policies;
};

/* What an option takes, and so what its key may hold. */
enum la_run_value {
	LA_VALUE_FLAG = 1, /* nothing; true or false */
	LA_VALUE_ONE,	   /* one value */
	LA_VALUE_LIST,	   /* may be given again; a value or a list of them */
	LA_VALUE_MAP,	   /* NAME=VALUE, may be given again; lines of `NAME: VALUE` */
	LA_VALUE_MAYBE,	   /* perhaps a value; that, true or false */
	LA_VALUE_POLICIES, /* a list of maps; in a file only */
};

/* Options that say the same thing in several ways: what the command line says replaces all. */
enum la_run_group {
	LA_GROUP_NONE = 0,
	LA_GROUP_SELECT, /* interfaces */
	LA_GROUP_FORMAT,
};

enum la_run_where {
	LA_IN_BOTH = 0,
	LA_IN_FILE, /* on the command line it is no option, but what follows the options */
	LA_IN_LINE,
};

struct la_run_option {
	const char *name; /* --NAME and key */
	int opt;	  /* what getopt_long() returns: the letter, or LA_OPT_OWN and above */
	enum la_run_value value;
	enum la_run_group group;
	enum la_run_where where;
	/* Sets it from text; NULL: it is one of options.h, or means nothing to the options. */
	int (*set)(struct la_run_options *opts, const char *text, char *err, size_t err_size);
	/* Where it lies in la_run_options if it is fixed while lastack runs; size 0: it is not. */
	size_t offset, size;
};

/* Row i of the table; NULL behind the last one. */
const struct la_run_option *la_run_option(unsigned int i);

/* The row of a key or of a long option, - and _ being the same, or NULL. */
const struct la_run_option *la_run_option_named(const char *name);

/* All defaults. */
void la_run_options_init(struct la_run_options *opts);

/*
 * Sets an option from its text (NULL: it was given without one). Text must live as long as
 * opts. Returns 0, or -1 with the reason in err.
 */
int la_run_option_set(struct la_run_options *opts, const struct la_run_option *option,
		      const char *text, char *err, size_t err_size);

/* Makes all options of a group what they are by default. */
void la_run_options_forget(struct la_run_options *opts, enum la_run_group group);

/* Two options that do not go together. */
struct la_run_clash {
	const char *option; /* the name of the one that is wrong then */
	const char *why;
};

/* The i-th clash that there is between the options; false: there are no more. */
bool la_run_options_clash(const struct la_run_options *opts, unsigned int i,
			  struct la_run_clash *clash);

/*
 * Gives the options of next that are fixed the values that they have in now. Returns how many
 * differed; the first max of them are in kept.
 */
unsigned int la_run_options_keep(struct la_run_options *next, const struct la_run_options *now,
				 const struct la_run_option **kept, unsigned int max);

/* Frees what the options own. */
void la_run_options_free(struct la_run_options *opts);

/* A command line, taken apart but not understood; it refers to argv. */
struct la_run_args {
	struct {
		const struct la_run_option *option;
		const char *text;
	} * given;
	unsigned int count;
	const char *config; /* --config, or NULL */
	char *filter;	    /* the words after the options, or NULL */
	bool help;
};

/* Returns 0, or -1 with the reason on stderr. Free it in any case. */
int la_run_args_parse(struct la_run_args *args, int argc, char **argv);

/*
 * Sets what the command line says; of its groups what was set before is forgotten. Returns 0,
 * or -1 with the reason on stderr.
 */
int la_run_args_apply(const struct la_run_args *args, struct la_run_options *opts);

/* True if the command line has this option. */
bool la_run_args_have(const struct la_run_args *args, const struct la_run_option *option);

void la_run_args_free(struct la_run_args *args);

/* Reports on stderr what is wrong with an option of the command line. Returns -1. */
int la_run_option_bad(const struct la_run_option *option, const char *why);

/* Prints the help of `lastack run` on stdout. */
void la_run_options_help(void);

#endif
