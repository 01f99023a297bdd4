/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd.h - the verbs. One cmd_NAME.c each; main.c has the table.
 *
 * A verb gets its own name as argv[0], prints data on stdout and the rest on stderr, and
 * returns an exit code (enum la_exit).
 */
#ifndef LA_USER_CMD_H
#define LA_USER_CMD_H

/* Attaches to interfaces and prints what happens to connections, until told to stop. */
int la_cmd_run(int argc, char **argv);

/* Prints the same from captures. */
int la_cmd_replay(int argc, char **argv);

/* Tells all that is wrong with a configuration file of run. */
int la_cmd_check_config(int argc, char **argv);

/* Prints what a running lastack sees, as it happens. */
int la_cmd_watch(int argc, char **argv);

/* Prints the connections that are tracked now. */
int la_cmd_list(int argc, char **argv);

/* Explains connections. */
int la_cmd_show(int argc, char **argv);

/* Shows the connections on a screen. */
int la_cmd_top(int argc, char **argv);

/* Answers questions about all connections: who is to blame. */
int la_cmd_history(int argc, char **argv);
int la_cmd_why(int argc, char **argv);

/* Prints how much there is, and how fast it comes. */
int la_cmd_stats(int argc, char **argv);

/* Resets both ends of connections. */
int la_cmd_kill(int argc, char **argv);

/* Tells what `run --persist` has left in the kernel, and who runs it. */
int la_cmd_status(int argc, char **argv);

/* Ends what `run --persist` has left in the kernel. */
int la_cmd_detach(int argc, char **argv);

#endif
