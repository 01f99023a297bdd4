/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_classic.c - captures read in place give the packets that libpcap gives, and its errors.
 */
#include "capture.h"
#include "classic.h"
#include "la_record.h"

/* A reader of a file: with la_classic, or libpcap alone. */
struct source {
	struct la_classic classic;
	pcap_t *pcap;
	struct pcap_pkthdr own, *h;
	const __u8 *data;
	__u64 in_place; /* packets that la_classic has read */
};

static void source_open(struct source *s, FILE *file, bool in_place)
{
	char err[PCAP_ERRBUF_SIZE] = "";

	*s = (struct source){0};
	s->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, err);
	cr_assert_not_null(s->pcap, "%s", err);
	if (in_place)
		la_classic_open(&s->classic, s->pcap);
}

static int source_next(struct source *s)
{
	s->h = &s->own;
	if (!la_classic_next(&s->classic, s->h, &s->data))
		return pcap_next_ex(s->pcap, &s->h, &s->data);
	s->in_place++;
	return 1;
}

static void expect_same_packet(const struct source *a, const struct source *b)
{
	cr_assert_eq(a->h->ts.tv_sec, b->h->ts.tv_sec);
	cr_assert_eq(a->h->ts.tv_usec, b->h->ts.tv_usec);
	cr_assert_eq(a->h->caplen, b->h->caplen);
	cr_assert_eq(a->h->len, b->h->len);
	cr_assert_arr_eq(a->data, b->data, a->h->caplen);
}

/* Reads a file both ways to its end. Returns how many packets were read in place. */
static __u64 expect_same(FILE *file, FILE *again)
{
	struct source a, b;
	int got;

	source_open(&a, file, true);
	source_open(&b, again, false);
	do {
		got = source_next(&a);
		cr_assert_eq(got, source_next(&b));
		if (got == 1)
			expect_same_packet(&a, &b);
	} while (got == 1);
	cr_assert_str_eq(pcap_geterr(a.pcap), pcap_geterr(b.pcap));
	pcap_close(a.pcap);
	pcap_close(b.pcap);
	return a.in_place;
}

static __u64 expect_same_capture(const struct capture *c)
{
	return expect_same(capture_file(c), capture_file(c));
}

/* Packets of any length, at any address of the file. */
static void put_packets(struct capture *c, unsigned int count)
{
	__u8 bytes[300];

	for (unsigned int i = 0; i < count; i++) {
		__u64 random = la_mix(3, i);

		memset(bytes, (int)i, sizeof(bytes));
		pcap_packet(c, BEGINNING + i * S + random % S, bytes, random % sizeof(bytes),
			    sizeof(bytes));
	}
}

Test(classic, times_in_us_and_ns)
{
	for (int nano = 0; nano < 2; nano++) {
		struct capture c = {.nano = nano};

		pcap_begin(&c, LINKTYPE_ETHERNET);
		put_packets(&c, 300);
		cr_expect_eq(expect_same_capture(&c), 300);
	}
}

Test(classic, cut_off_anywhere)
{
	struct capture c = {.nano = true};
	size_t whole;

	pcap_begin(&c, LINKTYPE_ETHERNET);
	whole = c.len;
	put_packets(&c, 4);
	for (; c.len >= whole; c.len--)
		expect_same_capture(&c);
}

/* A record that is damaged is libpcap's, and so is what follows. */
Test(classic, what_is_not_plain_is_left_to_libpcap)
{
	static const __u32 odd[][4] = {
		{1, 5, 65536, 65536},	/* longer than the file says that they are */
		{1, 5, 0x7fffffff, 60}, /* longer than any */
		{1, 5, ~0U, 60},	{1, 2000000, 4, 4}, /* no fraction of a second */
		{1, ~0U, 4, 4},
	};

	for (size_t i = 0; i < COUNT(odd); i++) {
		struct capture c = {.nano = false};

		pcap_begin(&c, LINKTYPE_ETHERNET);
		put_packets(&c, 3);
		put_bytes(&c, odd[i], sizeof(odd[i]));
		put_packets(&c, 3);
		cr_expect_eq(expect_same_capture(&c), 3, "record %zu", i);
	}
}

Test(classic, other_formats_are_left_to_libpcap)
{
	struct capture swapped = {.swapped = true}, ng = {0};

	pcap_begin(&swapped, LINKTYPE_ETHERNET);
	put_packets(&swapped, 3);
	cr_expect_eq(expect_same_capture(&swapped), 0);
	pcapng_section(&ng);
	pcapng_interface(&ng, LINKTYPE_ETHERNET);
	pcapng_packet(&ng, BEGINNING, "packet", 6);
	cr_expect_eq(expect_same_capture(&ng), 0);
}

/* Many times what is read at once, so that packets lie across its ends. */
Test(classic, a_large_file)
{
	struct capture c = {.nano = true};
	FILE *file = tmpfile(), *again = tmpfile();
	size_t head;

	cr_assert(file && again);
	pcap_begin(&c, LINKTYPE_ETHERNET);
	head = c.len;
	put_packets(&c, 300);
	for (int i = 0; i < 40; i++) {
		fwrite(c.bytes + (i ? head : 0), 1, c.len - (i ? head : 0), file);
		fwrite(c.bytes + (i ? head : 0), 1, c.len - (i ? head : 0), again);
	}
	rewind(file);
	rewind(again);
	cr_expect_eq(expect_same(file, again), 40 * 300);
}
