/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.c - see history.h.
 */
#include "history.h"
#include "options.h"
#include "text.h"
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows that one la_history_trim() takes away for each of both limits. */
#define TRIM_ROWS 5000

/* Tells whether the rows in a file, and the records in them, are those of this build. */
#define COLUMNS 21
#define LAYOUT	(LA_ABI_VERSION << 24 | COLUMNS << 16 | (int)sizeof(struct la_rec_close))

struct la_history {
	struct la_sink sink; /* first */
	struct la_history_opts opts;
	sqlite3 *db;
	sqlite3_stmt *insert;
	unsigned int pending; /* rows since the last commit */
	bool failing;	      /* which has been told */
	__u64 lost;
};

static const char schema[] = "CREATE TABLE IF NOT EXISTS closes ("
			     " ended INTEGER NOT NULL," /* ns since the epoch */
			     " clock INTEGER NOT NULL," /* the same by the clock of the kernel */
			     " id TEXT NOT NULL,"
			     " orig_ip TEXT, orig_port INTEGER, resp_ip TEXT, resp_port INTEGER,"
			     " reason TEXT, closed_by TEXT, conn_state TEXT, duration_ns INTEGER,"
			     " orig_bytes INTEGER, resp_bytes INTEGER, ifname TEXT,"
			     " orig_pid INTEGER, orig_comm TEXT, orig_cgroup TEXT,"
			     " resp_pid INTEGER, resp_comm TEXT, resp_cgroup TEXT,"
			     " record BLOB NOT NULL);"
			     "CREATE UNIQUE INDEX IF NOT EXISTS closes_once ON closes (id, clock);"
			     "CREATE INDEX IF NOT EXISTS closes_ended ON closes (ended);";

static const char insert_row[] =
	"INSERT OR IGNORE INTO closes VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

static void complain(const char *what, const char *path, sqlite3 *db)
{
	la_fail(LA_EXIT_RUNTIME, what, path, db ? sqlite3_errmsg(db) : sqlite3_errstr(SQLITE_NOMEM),
		NULL);
}

/* ---- one file, of this build ---- */

static int layout_of(sqlite3 *db)
{
	sqlite3_stmt *ask = NULL;
	int layout = -1;

	if (!sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &ask, NULL) &&
	    sqlite3_step(ask) == SQLITE_ROW)
		layout = sqlite3_column_int(ask, 0);
	sqlite3_finalize(ask);
	return layout;
}

/* True if the file is ours or, `fresh`, nobody's yet; else why is on stderr. */
static bool is_ours(sqlite3 *db, const char *path, bool fresh)
{
	int layout = layout_of(db);

	if (layout == LAYOUT || (fresh && !layout))
		return true;
	if (layout < 0)
		complain("cannot read the history", path, db);
	else
		la_fail(LA_EXIT_RUNTIME, "cannot use the history", path,
			layout ? "another version of lastack has made it"
			       : "no lastack has made it",
			"name another file");
	return false;
}

/* ---- writing ---- */

static int make_tables(struct la_history *h)
{
	char set_layout[64];

	snprintf(set_layout, sizeof(set_layout), "PRAGMA user_version = %d", LAYOUT);
	return sqlite3_exec(h->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL,
			    NULL, NULL) ||
	       sqlite3_exec(h->db, schema, NULL, NULL, NULL) ||
	       sqlite3_exec(h->db, set_layout, NULL, NULL, NULL) ||
	       sqlite3_prepare_v2(h->db, insert_row, -1, &h->insert, NULL);
}

/* What was to be written since the last commit is not. */
static void fail(struct la_history *h)
{
	if (!h->failing)
		fprintf(stderr,
			"lastack: cannot write the history: %s: %s; tracking goes on, and what "
			"cannot be kept is counted\n",
			h->opts.path, sqlite3_errmsg(h->db));
	h->failing = true;
	h->lost += h->pending;
	h->pending = 0;
	if (!sqlite3_get_autocommit(h->db))
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
}

static void recover(struct la_history *h)
{
	if (h->failing)
		fprintf(stderr,
			"lastack: the history is written again: %s; %llu connections are missing\n",
			h->opts.path, (unsigned long long)h->lost);
	h->failing = false;
}

static void bind_endpoint(sqlite3_stmt *to, int column, const struct la_rec *rec,
			  enum la_endpoint end)
{
	int i = la_text_index(rec, end);
	char addr[LA_TEXT_ADDR];

	la_text_addr(addr, rec->key.addr[i]);
	sqlite3_bind_text(to, column, addr, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(to, column + 1, la_ntoh16(rec->key.port[i]));
}

/* Without an owner the columns stay NULL. */
static void bind_owner(sqlite3_stmt *to, int column, const struct la_owned *own)
{
	if (!own->pid)
		return;
	sqlite3_bind_int64(to, column, own->pid);
	sqlite3_bind_text(to, column + 1, own->comm, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(to, column + 2, own->cgroup, -1, SQLITE_TRANSIENT);
}

static void bind_row(struct la_history *h, struct la_rec_close *close)
{
	const char *ifname =
		h->opts.ifname ? h->opts.ifname(close->h.ifindex, h->opts.ifname_ctx) : NULL;
	struct la_owned own[2] = {0};
	sqlite3_stmt *to = h->insert;
	char id[17];

	if (h->opts.owners)
		h->opts.owners(&close->h, own, h->opts.owners_ctx);
	sqlite3_clear_bindings(to);

	sqlite3_bind_int64(to, 2, (sqlite3_int64)close->h.ts);
	close->h.ts += (__u64)h->opts.clock_offset;
	sqlite3_bind_int64(to, 1, (sqlite3_int64)close->h.ts);
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)close->h.id);
	sqlite3_bind_text(to, 3, id, -1, SQLITE_TRANSIENT);
	bind_endpoint(to, 4, &close->h, LA_ORIG);
	bind_endpoint(to, 6, &close->h, LA_RESP);
	sqlite3_bind_text(to, 8, la_close_reason_word(close->reason), -1, SQLITE_STATIC);
	sqlite3_bind_text(to, 9, la_closer_word(close->closed_by), -1, SQLITE_STATIC);
	sqlite3_bind_text(to, 10, la_conn_state_word(close->conn_state), -1, SQLITE_STATIC);
	sqlite3_bind_int64(to, 11, (sqlite3_int64)close->duration_ns);
	sqlite3_bind_int64(to, 12, (sqlite3_int64)close->side[LA_ORIG].bytes);
	sqlite3_bind_int64(to, 13, (sqlite3_int64)close->side[LA_RESP].bytes);
	sqlite3_bind_text(to, 14, ifname ? ifname : "", -1, SQLITE_TRANSIENT);
	bind_owner(to, 15, &own[LA_ORIG]);
	bind_owner(to, 18, &own[LA_RESP]);
	sqlite3_bind_blob(to, COLUMNS, close, sizeof(*close), SQLITE_TRANSIENT);
}

static void take_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct la_history *h = (struct la_history *)sink;
	struct la_rec_close close;

	if (rec->type != LA_REC_CLOSE)
		return;
	close = *(const struct la_rec_close *)rec;
	bind_row(h, &close);
	h->pending++;
	if ((h->pending == 1 && sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) ||
	    sqlite3_step(h->insert) != SQLITE_DONE)
		fail(h);
	sqlite3_reset(h->insert);
}

static int commit(struct la_sink *sink)
{
	struct la_history *h = (struct la_history *)sink;

	if (!h->pending)
		return 0;
	if (sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL)) {
		fail(h);
		return 0;
	}
	h->pending = 0;
	recover(h);
	return 0;
}

struct la_history *la_history_open(const struct la_history_opts *opts)
{
	struct la_history *h = calloc(1, sizeof(*h));

	if (!h) {
		complain("cannot keep a history", opts->path, NULL);
		return NULL;
	}
	h->opts = *opts;
	h->sink.record = take_record;
	h->sink.flush = commit;
	if (sqlite3_open_v2(opts->path, &h->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL))
		complain("cannot open the history", opts->path, h->db);
	else if (!is_ours(h->db, opts->path, true))
		; /* which it has told */
	else if (make_tables(h))
		complain("cannot write the history", opts->path, h->db);
	else
		return h;
	la_history_close(h);
	return NULL;
}

struct la_sink *la_history_sink(struct la_history *history)
{
	return &history->sink;
}

__u64 la_history_lost(const struct la_history *history)
{
	return history->lost;
}

/* ---- limits ---- */

static __u64 ask_number(sqlite3 *db, const char *question)
{
	sqlite3_stmt *ask = NULL;
	__u64 number = 0;

	if (!sqlite3_prepare_v2(db, question, -1, &ask, NULL) && sqlite3_step(ask) == SQLITE_ROW)
		number = (__u64)sqlite3_column_int64(ask, 0);
	sqlite3_finalize(ask);
	return number;
}

/* Pages that hold something. Those that do not are used again. */
static __u64 bytes_used(sqlite3 *db)
{
	return ask_number(db, "SELECT (page_count - freelist_count) * page_size FROM"
			      " pragma_page_count, pragma_freelist_count, pragma_page_size");
}

static void remove_until(sqlite3 *db, __u64 ended)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "DELETE FROM closes WHERE rowid IN (SELECT rowid FROM closes WHERE ended < %lld "
		 "ORDER BY ended LIMIT %d)",
		 (long long)ended, TRIM_ROWS);
	sqlite3_exec(db, text, NULL, NULL, NULL); /* the next time it is tried again */
}

void la_history_trim(struct la_history *history, __u64 now)
{
	const struct la_history_opts *opts = &history->opts;

	commit(&history->sink);
	if (opts->max_age && now > opts->max_age)
		remove_until(history->db, now - opts->max_age);
	if (opts->max_bytes && bytes_used(history->db) > opts->max_bytes)
		remove_until(history->db, LLONG_MAX);
}

void la_history_close(struct la_history *history)
{
	if (!history)
		return;
	if (history->insert)
		commit(&history->sink);
	sqlite3_finalize(history->insert);
	sqlite3_close(history->db);
	free(history);
}

/* ---- reading ---- */

static void read_owner(sqlite3_stmt *rows, int column, struct la_owned *own)
{
	const char *comm = (const char *)sqlite3_column_text(rows, column + 1);
	const char *cgroup = (const char *)sqlite3_column_text(rows, column + 2);

	own->pid = (__u32)sqlite3_column_int64(rows, column);
	snprintf(own->comm, sizeof(own->comm), "%s", comm ? comm : "");
	snprintf(own->cgroup, sizeof(own->cgroup), "%s", cgroup ? cgroup : "");
}

static int read_rows(sqlite3_stmt *rows, int (*fn)(const struct la_history_row *row, void *ctx),
		     void *ctx, int *step)
{
	struct la_history_row row;
	int stop = 0;

	while (!stop && (*step = sqlite3_step(rows)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(rows, 0) != sizeof(row.close))
			continue;
		memcpy(&row.close, sqlite3_column_blob(rows, 0), sizeof(row.close));
		row.ifname = (const char *)sqlite3_column_text(rows, 1);
		read_owner(rows, 2, &row.own[LA_ORIG]);
		read_owner(rows, 5, &row.own[LA_RESP]);
		if (row.ifname)
			stop = fn(&row, ctx);
	}
	return stop;
}

int la_history_read(const char *path, __u64 since, __u64 until,
		    int (*fn)(const struct la_history_row *row, void *ctx), void *ctx)
{
	static const char question[] = "SELECT record, ifname, orig_pid, orig_comm, orig_cgroup,"
				       " resp_pid, resp_comm, resp_cgroup FROM closes"
				       " WHERE ended >= ? AND ended < ? ORDER BY ended";
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	int stop = -1, step = SQLITE_DONE;

	if (access(path, F_OK)) {
		la_fail(LA_EXIT_RUNTIME, "cannot open the history", path, strerror(errno),
			"`lastack run --history FILE` keeps one; say with -f where it is");
		return -1;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL)) {
		complain("cannot open the history", path, db);
		goto cleanup;
	}
	sqlite3_busy_timeout(db, 5000); /* ms */
	if (!is_ours(db, path, false))
		goto cleanup;
	if (sqlite3_prepare_v2(db, question, -1, &rows, NULL)) {
		complain("cannot read the history", path, db);
		goto cleanup;
	}
	sqlite3_bind_int64(rows, 1, (sqlite3_int64)since);
	sqlite3_bind_int64(rows, 2, until > LLONG_MAX ? LLONG_MAX : (sqlite3_int64)until);
	stop = read_rows(rows, fn, ctx, &step);
	if (!stop && step != SQLITE_DONE) {
		complain("cannot read the history", path, db);
		stop = -1;
	}
cleanup:
	sqlite3_finalize(rows);
	sqlite3_close(db);
	return stop;
}
