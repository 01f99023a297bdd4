/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output_zeek.c - a conn.log in Zeek's ASCII format, for the tools that read it.
 *
 * A close record is kept until the flow is gone, because Zeek writes its line some time after
 * the end and counts what came meanwhile; if the gone record is lost, or was filtered out, the
 * line is made of the close record alone, WAIT_NS later or at the end. What lastack does not
 * know is unset: service, tunnel_parents. `uid` is the connection's id
 * in base 62. The times of #open and #close are those of the first line and of the last
 * record, in UTC, so that one capture always makes the same log.
 *
 * Source: Zeek's documentation of Conn::Info and of its ASCII logs. Used through output.h.
 */
#include "output_base.h"
#include "private_space.h"
#include "text.h"
#include <stdlib.h>
#include <time.h>

/* Out of memory must not end the process: the line is then printed at once. */
#define HASH_NONFATAL_OOM	   1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

/* Longer than a flow lingers by default: after that its gone record is not waited for. */
#define WAIT_NS (600 * LA_SEC_NS)

/* A connection that has closed and is not gone. */
struct closed {
	__u64 id;
	struct la_rec h;
	struct la_rec_zeek zeek;
	UT_hash_handle hh; /* in the order in which they closed */
};

struct zeek_log {
	struct la_output output;
	struct closed *closed;
	bool begun;
	__s64 now; /* of the last record, ns since the epoch */
};

/* The columns of Zeek's conn.log, in its order. */
#define COLUMNS(X)                                                                                 \
	X("ts", "time")                                                                            \
	X("uid", "string")                                                                         \
	X("id.orig_h", "addr")                                                                     \
	X("id.orig_p", "port")                                                                     \
	X("id.resp_h", "addr")                                                                     \
	X("id.resp_p", "port")                                                                     \
	X("proto", "enum")                                                                         \
	X("service", "string")                                                                     \
	X("duration", "interval")                                                                  \
	X("orig_bytes", "count")                                                                   \
	X("resp_bytes", "count")                                                                   \
	X("conn_state", "string")                                                                  \
	X("local_orig", "bool")                                                                    \
	X("local_resp", "bool")                                                                    \
	X("missed_bytes", "count")                                                                 \
	X("history", "string")                                                                     \
	X("orig_pkts", "count")                                                                    \
	X("orig_ip_bytes", "count")                                                                \
	X("resp_pkts", "count")                                                                    \
	X("resp_ip_bytes", "count")                                                                \
	X("tunnel_parents", "set[string]")                                                         \
	X("ip_proto", "count")

#define COLUMN_NAME(name, type) "\t" name
#define COLUMN_TYPE(name, type) "\t" type

static void put_stamp(struct la_buf *b, const char *what, __s64 ns)
{
	time_t seconds = (time_t)(ns / (__s64)LA_SEC_NS);
	char text[64] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &tm);
	la_buf_str(b, what);
	la_buf_str(b, text);
	la_buf_char(b, '\n');
}

static void put_header(struct zeek_log *z)
{
	struct la_buf *b = &z->output.out;

	if (z->begun)
		return;
	z->begun = true;
	la_buf_lit(b, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
		      "#unset_field\t-\n#path\tconn\n");
	put_stamp(b, "#open\t", z->now);
	la_buf_lit(b, "#fields" COLUMNS(COLUMN_NAME) "\n#types" COLUMNS(COLUMN_TYPE) "\n");
}

static void put_tab_u64(struct la_buf *b, __u64 value)
{
	la_buf_char(b, '\t');
	la_buf_u64(b, value);
}

/* A tab, and n letters; none is unset. */
static void put_tab_text(struct la_buf *b, const char *text, size_t n)
{
	la_buf_char(b, '\t');
	la_buf_mem(b, n ? text : "-", n ? n : 1);
}

/* Seconds with six digits, as Zeek prints times and intervals. */
static void put_seconds(struct la_buf *b, __s64 ns)
{
	char text[32];
	__s64 us = ns / 1000;
	int n = snprintf(text, sizeof(text), "%s%lld.%06lld", us < 0 ? "-" : "",
			 llabs(us) / 1000000, llabs(us) % 1000000);

	la_buf_mem(b, text, (size_t)n);
}

/* "C", as Zeek's begin, and the id in base 62. */
static void put_uid(struct la_buf *b, __u64 id)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char text[12] = "C";

	for (int i = sizeof(text) - 1; i > 0; i--, id /= 62)
		text[i] = digits[id % 62];
	la_buf_mem(b, text, sizeof(text));
}

static void put_endpoints(struct la_buf *b, const struct la_rec *h)
{
	for (int end = LA_ORIG; end <= LA_RESP; end++) {
		int i = la_text_index(h, (enum la_endpoint)end);
		char addr[LA_TEXT_ADDR];

		put_tab_text(b, addr, la_text_addr(addr, h->key.addr[i]));
		put_tab_u64(b, la_ntoh16(h->key.port[i]));
	}
}

/* Zeek leaves duration and sizes unset where no time has passed, and knows no size of a side that
 * it has not heard, whatever its peer acknowledges. */
static void put_extent(struct la_buf *b, const struct la_rec_zeek *r)
{
	if (r->heard_ns < 1000) {
		la_buf_lit(b, "\t-\t-\t-");
		return;
	}
	la_buf_char(b, '\t');
	put_seconds(b, (__s64)r->heard_ns);
	for (int end = LA_ORIG; end <= LA_RESP; end++)
		put_tab_u64(b, r->pkts[end] ? r->bytes[end] : 0);
}

/* local_orig and local_resp, as Zeek has them where nobody told it which networks are local. */
static void put_local(struct la_buf *b, const struct la_rec *h)
{
	for (int end = LA_ORIG; end <= LA_RESP; end++)
		put_tab_text(b, la_is_private(h->key.addr[la_text_index(h, end)]) ? "T" : "F", 1);
}

static void put_line(struct zeek_log *z, const struct la_rec *h, const struct la_rec_zeek *r)
{
	const char *state = la_conn_state_word(r->conn_state);
	struct la_buf *b = &z->output.out;

	put_header(z);
	put_seconds(b, (__s64)r->start + z->output.opts.clock_offset);
	la_buf_char(b, '\t');
	put_uid(b, h->id);
	put_endpoints(b, h);
	la_buf_lit(b, "\ttcp\t-");
	put_extent(b, r);
	put_tab_text(b, state, strlen(state));
	put_local(b, h);
	put_tab_u64(b, r->missed);
	put_tab_text(b, r->history,
		     r->history_len < LA_HISTORY_MAX ? r->history_len : LA_HISTORY_MAX);
	for (int end = LA_ORIG; end <= LA_RESP; end++) {
		put_tab_u64(b, r->pkts[end]);
		put_tab_u64(b, r->ip_bytes[end]);
	}
	la_buf_lit(b, "\t-\t6\n");
}

/* ---- those that have closed ---- */

static void forget(struct zeek_log *z, struct closed *c)
{
	HASH_DEL(z->closed, c);
	free(c);
}

static struct la_rec_zeek zeek_of_close(const struct la_rec_close *r)
{
	struct la_rec_zeek zeek = {
		.start = r->h.ts - r->duration_ns,
		.heard_ns = r->heard_ns,
		.missed = r->missed,
		.conn_state = r->conn_state,
		.history_len = r->history_len,
	};

	for (int end = LA_ORIG; end <= LA_RESP; end++) {
		zeek.pkts[end] = r->side[end].pkts;
		zeek.bytes[end] = r->side[end].bytes;
		zeek.ip_bytes[end] = r->side[end].ip_bytes;
	}
	memcpy(zeek.history, r->history, sizeof(zeek.history));
	return zeek;
}

static void on_close(struct zeek_log *z, const struct la_rec_close *r)
{
	struct la_rec_zeek zeek = zeek_of_close(r);
	struct closed *c = calloc(1, sizeof(*c));

	if (!c) {
		put_line(z, &r->h, &zeek);
		return;
	}
	c->id = r->h.id;
	c->h = r->h;
	c->zeek = zeek;
	HASH_ADD(hh, z->closed, id, sizeof(c->id), c);
	if (!c->hh.tbl) {
		put_line(z, &r->h, &zeek);
		free(c);
	}
}

static void on_gone(struct zeek_log *z, const struct la_rec_gone *r)
{
	struct closed *c;

	HASH_FIND(hh, z->closed, &r->h.id, sizeof(r->h.id), c);
	if (!c)
		return; /* it was printed already */
	put_line(z, &r->h, &r->zeek);
	forget(z, c);
}

/* Those that closed before `limit` have waited long enough. */
static void give_up_waiting(struct zeek_log *z, __u64 limit)
{
	struct closed *c, *next;

	HASH_ITER (hh, z->closed, c, next) {
		if (c->h.ts >= limit)
			return;
		put_line(z, &c->h, &c->zeek);
		forget(z, c);
	}
}

static void zeek_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct zeek_log *z = (struct zeek_log *)sink;

	if (rec->type != LA_REC_CLOSE && rec->type != LA_REC_GONE)
		return;
	z->now = la_output_time(&z->output, rec);
	if (rec->type == LA_REC_CLOSE)
		on_close(z, (const struct la_rec_close *)rec);
	else
		on_gone(z, (const struct la_rec_gone *)rec);
	if (rec->ts > WAIT_NS)
		give_up_waiting(z, rec->ts - WAIT_NS);
}

static void zeek_close(struct la_sink *sink)
{
	struct zeek_log *z = (struct zeek_log *)sink;

	give_up_waiting(z, ~0ULL);
	if (z->begun)
		put_stamp(&z->output.out, "#close\t", z->now);
	la_output_close(sink);
}

struct la_sink *la_output_zeek_new(FILE *to, const struct la_output_opts *opts)
{
	struct zeek_log *z = la_output_alloc(sizeof(*z), to, opts, zeek_record);

	if (!z)
		return NULL;
	z->output.sink.close = zeek_close;
	return &z->output.sink;
}
