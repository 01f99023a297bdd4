/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - reads captures with libpcap. See replay.h.
 *
 * Each link type is a row of the table `links`: the length of its header and how to find
 * the EtherType in it. Ethernet goes to the parser as it is; of all others only what
 * follows the header does, so the parser need not know how captures are written.
 */
#include "replay.h"
#include "checksum.h"
#include "classic.h"
#include "fragments.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* An EtherType that is nothing lastack tracks (IEEE 802: reserved). */
#define PROTO_OTHER la_hton16(0xffff)

struct link {
	int dlt;
	enum la_link type;
	__u32 header;			     /* bytes before the packet */
	__be16 (*proto)(const __u8 *header); /* its EtherType; NULL: by the IP version */
	__u32 (*hook)(const __u8 *header);   /* where it was seen; NULL: not known */
};

/* An address family as systems number it: 2 everywhere, IPv6 differs. */
static __be16 proto_of_family(__u32 family)
{
	static const struct {
		__u32 family;
		__u16 proto;
	} families[] = {
		{2, LA_ETH_IPV4},  {10, LA_ETH_IPV6}, /* Linux */
		{24, LA_ETH_IPV6},		      /* NetBSD, OpenBSD */
		{28, LA_ETH_IPV6},		      /* FreeBSD */
		{30, LA_ETH_IPV6},		      /* macOS */
	};

	for (size_t i = 0; i < COUNT(families); i++)
		if (families[i].family == family)
			return la_hton16(families[i].proto);
	return PROTO_OTHER;
}

/* NULL: the family in the byte order of the machine that captured, so in either. */
static __be16 proto_null(const __u8 *header)
{
	__u32 family;

	memcpy(&family, header, sizeof(family));
	return proto_of_family(family > 0xffff ? __builtin_bswap32(family) : family);
}

/* LOOP: the family in network byte order. */
static __be16 proto_loop(const __u8 *header)
{
	__u32 family;

	memcpy(&family, header, sizeof(family));
	return proto_of_family(la_ntoh32(family));
}

static __be16 load_be16(const __u8 *at)
{
	__be16 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* LINUX_SLL: type, ARPHRD, address length, address[8], protocol. */
static __be16 proto_sll(const __u8 *header)
{
	return load_be16(header + 14);
}

/* LINUX_SLL2: protocol, 2 bytes, ifindex[4], ARPHRD, type, address length, address[8]. */
static __be16 proto_sll2(const __u8 *header)
{
	return load_be16(header);
}

/* A capture of all interfaces sees a forwarded packet twice: it is to count once. */
static __u32 hook_sll2(const __u8 *header)
{
	enum { PACKET_OUTGOING = 4 };
	__u32 ifindex;

	memcpy(&ifindex, header + 4, sizeof(ifindex));
	return la_hook_id(la_ntoh32(ifindex), header[10] == PACKET_OUTGOING);
}

static __be16 proto_ipv4(const __u8 *header)
{
	(void)header;
	return la_hton16(LA_ETH_IPV4);
}

static __be16 proto_ipv6(const __u8 *header)
{
	(void)header;
	return la_hton16(LA_ETH_IPV6);
}

static const struct link links[] = {
	{DLT_EN10MB, LA_LINK_ETHER, 0, NULL, NULL},
	{DLT_RAW, LA_LINK_L3, 0, NULL, NULL},
	{DLT_IPV4, LA_LINK_L3, 0, proto_ipv4, NULL},
	{DLT_IPV6, LA_LINK_L3, 0, proto_ipv6, NULL},
	{DLT_LINUX_SLL, LA_LINK_L3, 16, proto_sll, NULL},
	{DLT_LINUX_SLL2, LA_LINK_L3, 20, proto_sll2, hook_sll2},
	{DLT_NULL, LA_LINK_L3, 4, proto_null, NULL},
	{DLT_LOOP, LA_LINK_L3, 4, proto_loop, NULL},
};

static const struct link *find_link(int dlt)
{
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i].dlt == dlt)
			return &links[i];
	return NULL;
}

/* The largest time that is taken at its word, s: what lies beyond is a broken file. */
#define TIME_MAX_S (1LL << 33)

/* A packet's time, ns since 1970. libpcap was asked for ns, so tv_usec holds ns. */
static __u64 packet_time(const struct pcap_pkthdr *h)
{
	long long s = h->ts.tv_sec, ns = h->ts.tv_usec;

	if (s < 0 || s > TIME_MAX_S || ns < 0)
		return 0;
	return (__u64)s * LA_SEC_NS + (__u64)ns;
}

/* Takes a packet, or NULL. Returns 0 or -errno. */
static int track(const struct la_replay *r, const struct la_captured *packet)
{
	struct la_captured cut;

	if (!packet)
		return 0;
	if (packet->cap_len > LA_CAPTURED_MAX) {
		cut = *packet;
		cut.cap_len = LA_CAPTURED_MAX;
		packet = &cut;
	}
	return r->engine->packet(r->engine, packet);
}

/* What is damaged is no part of anything. */
static int feed_or_keep(const struct la_replay *r, struct la_fragments *fragments,
			const struct la_captured *p)
{
	const struct la_captured *whole = NULL;
	int err = 0;

	if (p->damaged || la_fragments_take(fragments, p, &whole))
		err = track(r, p);
	return err ? err : track(r, whole);
}

/* At the end of a capture. */
static int feed_rest(const struct la_replay *r, struct la_fragments *fragments)
{
	const struct la_captured *p;
	int err = 0;

	while (!err && (p = la_fragments_rest(fragments)))
		err = track(r, p);
	return err;
}

static int feed(const struct la_replay *r, struct la_fragments *fragments, const struct link *link,
		const struct pcap_pkthdr *h, const __u8 *data)
{
	/* no link header, no packet: what the parser says of an empty frame */
	struct la_captured p = {
		.data = data, .link = LA_LINK_ETHER, .ts = packet_time(h), .segs = r->as_captured};

	if (h->caplen >= link->header && h->len >= link->header) {
		p.data = data + link->header;
		p.cap_len = h->caplen - link->header;
		p.wire_len = h->len - link->header;
		p.cut = h->caplen < h->len;
		p.link = link->type;
		p.l3_proto = link->proto ? link->proto(data) : 0;
		p.hook = link->hook ? link->hook(data) : 0;
	}
	if (!r->no_checksums)
		p.damaged = la_checksum_verify(&p);
	return feed_or_keep(r, fragments, &p);
}

static int fail(struct la_replay *r, const char *what, const char *why, const char *todo)
{
	r->what = what;
	r->todo = todo;
	snprintf(r->why, sizeof(r->why), "%s", why);
	return -1;
}

static int fail_link(struct la_replay *r, int dlt)
{
	const char *name = pcap_datalink_val_to_name(dlt);

	fail(r, "cannot replay", "",
	     "Ethernet, RAW, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, NULL and LOOP are read");
	if (name)
		snprintf(r->why, sizeof(r->why), "unsupported link type %s", name);
	else
		snprintf(r->why, sizeof(r->why), "unsupported link type %d", dlt);
	return -1;
}

/* The capture breaks off: says how far it went. */
static int fail_broken(struct la_replay *r, const char *why, __u64 packets)
{
	r->what = "capture ends early";
	r->todo = "the records up to there are printed";
	snprintf(r->why, sizeof(r->why), "after %llu packets: %s", (unsigned long long)packets,
		 why);
	return -1;
}

/* Packets between two looks at the clock. */
#define TELL_PACKETS 8192

static void tell_progress(const struct la_replay *r, FILE *file, const struct la_classic *classic)
{
	off_t at = classic->pcap ? la_classic_tell(classic) : ftello(file);
	struct stat st;

	if (r->progress && at >= 0 && !fstat(fileno(file), &st))
		la_progress_tell(r->progress, (__u64)at, (__u64)st.st_size);
}

/* As pcap_next_ex(). */
static int next_packet(pcap_t *pcap, struct la_classic *classic, struct pcap_pkthdr **h,
		       const __u8 **data)
{
	static struct pcap_pkthdr head;

	*h = &head;
	return la_classic_next(classic, &head, data) ? 1 : pcap_next_ex(pcap, h, data);
}

static int read_packets(struct la_replay *r, pcap_t *pcap, struct la_fragments *fragments,
			const struct link *link)
{
	__u64 before = r->packets;
	struct la_classic classic;
	struct pcap_pkthdr *h;
	const __u8 *data;
	int got, err;

	la_classic_open(&classic, pcap);
	while ((got = next_packet(pcap, &classic, &h, &data)) == 1) {
		r->packets++;
		err = feed(r, fragments, link, h, data);
		if (err)
			return fail(r, "cannot track", strerror(-err), NULL);
		if (!(r->packets % TELL_PACKETS))
			tell_progress(r, pcap_file(pcap), &classic);
		if (r->stop && r->stop(r->stop_ctx))
			return 0;
	}
	err = feed_rest(r, fragments);
	if (err)
		return fail(r, "cannot track", strerror(-err), NULL);
	if (got == PCAP_ERROR_BREAK)
		return 0;
	return fail_broken(r, pcap_geterr(pcap), r->packets - before);
}

static int read_capture(struct la_replay *r, pcap_t *pcap)
{
	const struct link *link = find_link(pcap_datalink(pcap));
	struct la_fragments *fragments;
	int ret;

	if (!link)
		return fail_link(r, pcap_datalink(pcap));
	fragments = la_fragments_new();
	if (!fragments)
		return fail(r, "cannot replay", strerror(ENOMEM), NULL);
	ret = read_packets(r, pcap, fragments, link);
	la_fragments_free(fragments);
	return ret;
}

int la_replay_stream(struct la_replay *r, FILE *file)
{
	/* System calls for 4 KiB each would be a fifth of the time. One capture at a time. */
	static char buffer[256 * 1024];
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;
	int ret;

	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	__fsetlocking(file, FSETLOCKING_BYCALLER); /* nobody else reads it */
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, err);
	if (!pcap) {
		if (file != stdin)
			fclose(file);
		return fail(r, "cannot replay", err, "a pcap or pcapng file is needed");
	}
	ret = read_capture(r, pcap);
	pcap_close(pcap); /* closes the file, too, unless it is stdin */
	return ret;
}

int la_replay_file(struct la_replay *r, const char *path)
{
	FILE *file;

	if (!strcmp(path, "-"))
		return la_replay_stream(r, stdin);
	file = fopen(path, "rbe");
	if (!file)
		return fail(r, "cannot replay", strerror(errno), NULL);
	return la_replay_stream(r, file);
}
