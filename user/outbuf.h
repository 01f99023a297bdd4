/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbuf.h - a large buffer before a FILE, written by hand.
 *
 * Outputs print hundreds of thousands of lines a second, too many for printf. They append
 * bytes here; the buffer goes to the FILE when it is full or at la_buf_flush(). The first
 * error is remembered and said once on stderr, and nothing is written after it: a full disk
 * makes one line, not a million. A reader that went away (EPIPE) is not worth a line, nor
 * is one that is given up (ECANCELED) because `wait` says so.
 *
 * For the outputs (output_*.c, ladder.c) and whoever prints lists.
 */
#ifndef LA_USER_OUTBUF_H
#define LA_USER_OUTBUF_H

#include "la_types.h"
#include <stdio.h>
#include <string.h>

#define LA_BUF_SIZE 65536

/* A pipe that can be written to takes so many bytes at once: PIPE_BUF of Linux. */
#define LA_BUF_PIECE 4096

struct la_buf {
	FILE *to;
	size_t len;
	int error; /* errno of the first failed write, or 0 */
	/* Called before each piece is written, to wait until it can be; false: give up. Or NULL. */
	bool (*wait)(void *ctx);
	void *wait_ctx;
	char buf[LA_BUF_SIZE];
};

/* Writes out what is buffered, down to the file descriptor. */
void la_buf_flush(struct la_buf *out);

/* Room for n bytes, at most LA_BUF_SIZE. Who writes there adds to `len` what he has written. */
LA_INLINE char *la_buf_room(struct la_buf *out, size_t n)
{
	if (n > LA_BUF_SIZE - out->len)
		la_buf_flush(out);
	return out->buf + out->len;
}

/* Appends n bytes; n is at most LA_BUF_SIZE. */
LA_INLINE void la_buf_mem(struct la_buf *out, const char *text, size_t n)
{
	memcpy(la_buf_room(out, n), text, n);
	out->len += n;
}

/* Appends a string literal. */
#define la_buf_lit(out, text) la_buf_mem((out), (text), sizeof(text) - 1)

LA_INLINE void la_buf_str(struct la_buf *out, const char *text)
{
	la_buf_mem(out, text, strlen(text));
}

LA_INLINE void la_buf_char(struct la_buf *out, char c)
{
	la_buf_mem(out, &c, 1);
}

/* Appends one character several times, at most LA_BUF_SIZE; none if times is below 1. */
LA_INLINE void la_buf_fill(struct la_buf *out, char c, int times)
{
	size_t n = times > 0 ? (size_t)times : 0;

	memset(la_buf_room(out, n), c, n);
	out->len += n;
}

/* Appends one string several times: rules. */
void la_buf_repeat(struct la_buf *out, const char *text, int times);

/* Appends an unsigned or signed decimal number. */
void la_buf_u64(struct la_buf *out, __u64 value);
void la_buf_s64(struct la_buf *out, __s64 value);

/* Appends 16 lower-case hexadecimal digits. */
void la_buf_hex64(struct la_buf *out, __u64 value);

/* Bytes of the UTF-8 character at s, of a string with its end; 0: it is none (RFC 3629 4). */
int la_utf8_len(const unsigned char *s);

/* Appends a string between quotes, escaped for JSON (RFC 8259 7). Bytes that are not UTF-8
 * become U+FFFD, so that the line stays valid whatever a name holds. */
void la_buf_json(struct la_buf *out, const char *text);

#endif
