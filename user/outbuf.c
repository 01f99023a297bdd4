// SPDX-License-Identifier: BSD-2-Clause
/*
 * outbuf.c - see outbuf.h. Owns the JSON escapes; knows nothing of records.
 */
#include "outbuf.h"
#include "digits.h"
#include <errno.h>

/* Says the first error once. Later bytes are dropped. */
static void remember_error(struct la_buf *out, int error)
{
	out->error = error ? error : EIO;
	if (out->error != EPIPE && out->error != ECANCELED)
		fprintf(stderr,
			"lastack: cannot write the output: %s; further output is discarded\n",
			strerror(out->error));
}

static void write_piece(struct la_buf *out, const char *bytes, size_t n)
{
	errno = 0;
	if (out->wait && !out->wait(out->wait_ctx))
		remember_error(out, ECANCELED);
	else if (fwrite(bytes, 1, n, out->to) != n || fflush(out->to))
		remember_error(out, errno);
}

void la_buf_flush(struct la_buf *out)
{
	size_t most = out->wait ? LA_BUF_PIECE : LA_BUF_SIZE, n;

	for (size_t done = 0; done < out->len && !out->error; done += n) {
		n = out->len - done < most ? out->len - done : most;
		write_piece(out, out->buf + done, n);
	}
	out->len = 0;
}

void la_buf_repeat(struct la_buf *out, const char *text, int times)
{
	size_t n = strlen(text);

	for (int i = 0; i < times; i++)
		la_buf_mem(out, text, n);
}

void la_buf_u64(struct la_buf *out, __u64 value)
{
	char *at = la_buf_room(out, LA_DIGITS_MAX);

	out->len += la_digits(at, value);
}

void la_buf_s64(struct la_buf *out, __s64 value)
{
	if (value < 0)
		la_buf_char(out, '-');
	la_buf_u64(out, value < 0 ? 0 - (__u64)value : (__u64)value);
}

void la_buf_hex64(struct la_buf *out, __u64 value)
{
	char digits[16];

	for (int i = 15; i >= 0; i--, value >>= 4)
		digits[i] = "0123456789abcdef"[value & 15];
	la_buf_mem(out, digits, sizeof(digits));
}

int la_utf8_len(const unsigned char *s)
{
	/* lead byte range, range of the second byte, length */
	static const unsigned char rows[][5] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (s[0] < rows[i][0] || s[0] > rows[i][1])
			continue;
		if (s[1] < rows[i][2] || s[1] > rows[i][3])
			return 0;
		for (int k = 2; k < rows[i][4]; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return rows[i][4];
	}
	return 0;
}

/* One byte below 0x80, escaped if JSON wants it. */
static void json_ascii(struct la_buf *out, unsigned char c)
{
	if (c == '"' || c == '\\') {
		la_buf_char(out, '\\');
		la_buf_char(out, (char)c);
	} else if (c < 0x20 || c == 0x7f) {
		la_buf_lit(out, "\\u00");
		la_buf_char(out, "0123456789abcdef"[c >> 4]);
		la_buf_char(out, "0123456789abcdef"[c & 15]);
	} else {
		la_buf_char(out, (char)c);
	}
}

void la_buf_json(struct la_buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	la_buf_char(out, '"');
	while (*s) {
		int n = la_utf8_len(s);

		if (*s < 0x80)
			json_ascii(out, *s);
		else if (n)
			la_buf_mem(out, (const char *)s, (size_t)n);
		else
			la_buf_lit(out, "\\ufffd");
		s += n ? n : 1;
	}
	la_buf_char(out, '"');
}
