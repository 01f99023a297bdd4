/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragments.c - see fragments.h.
 *
 *   first fragment    its bytes are kept: the headers are there
 *   all of them       which units of 8 bytes have come, and where the end is
 *   complete          the first one's IP header says so, and how long the packet is
 *
 * The payload itself is not kept, as nobody looks at it: a whole packet looks as if the capture
 * had cut it off behind its first fragment.
 */
#include "fragments.h"
#include "la_decap.h"
#include "la_flow.h"
#include <stdlib.h>
#include <string.h>

/* Packets that wait for fragments; the oldest makes room. And how long: RFC 1122 3.3.2. */
#define WAITING_MAX 256
#define WAIT_NS	    (60 * LA_SEC_NS)

#define PACKET_MAX 65535
#define UNIT	   8 /* bytes, of fragment offsets */
#define UNITS_MAX  ((PACKET_MAX + UNIT) / UNIT)

#define IP4_FRAGMENT_BITS la_hton16(0x3fff) /* more fragments, and the offset */
#define IP6_FRAGMENT_LEN  8

/* What the fragments of a packet have in common. */
struct name {
	__u8 addr[32];
	__u32 id;
	__u32 hook;
	__u16 proto; /* EtherType */
	__u16 next;  /* IPv4: the protocol */
};

/* A fragment within what was captured. */
struct fragment {
	struct name name;
	__u32 ip;	/* where its IP header begins, */
	__u32 field;	/* where IPv6 has its fragment header, from there on, */
	__u32 headers;	/* and how long all headers are in front of what was divided */
	__u32 at, size; /* its part of that, bytes */
	bool more;
	struct la_inner in;
};

struct waiting {
	struct name name;
	__u64 since; /* time of its first fragment to come, ns; 0: the place is free */
	__u32 total; /* bytes that were divided; 0: the last fragment has not come */
	__u8 come[UNITS_MAX / 8 + 1]; /* a bit a unit */
	bool begun;		      /* first and data are valid */
	struct fragment first;
	struct la_captured packet;
	__u8 data[LA_CAPTURED_MAX];
};

struct la_fragments {
	struct waiting waiting[WAITING_MAX];
	struct waiting out; /* what was returned last */
	__u64 now;
};

struct la_fragments *la_fragments_new(void)
{
	return calloc(1, sizeof(struct la_fragments));
}

void la_fragments_free(struct la_fragments *all)
{
	free(all);
}

static bool read_ipv4(const __u8 *h, const __u8 *end, struct fragment *f)
{
	__u32 hdr, len, field;

	if (end - h < LA_IP4_LEN || !(la_load16(h + 6) & IP4_FRAGMENT_BITS))
		return false;
	hdr = (h[0] & 0x0f) * 4;
	len = la_ntoh16(la_load16(h + 2));
	field = la_ntoh16(la_load16(h + 6));
	if (h[0] >> 4 != 4 || hdr < LA_IP4_LEN || len <= hdr || hdr > end - h)
		return false;
	memcpy(f->name.addr, h + 12, 8);
	f->name.id = la_load16(h + 4);
	f->name.next = h[9];
	f->headers = hdr;
	f->size = len - hdr;
	f->at = (field & 0x1fff) * UNIT;
	f->more = field & 0x2000;
	return true;
}

/* Where the fragment header begins; 0: there is none. */
static __u32 find_ip6_fragment(const __u8 *h, const __u8 *end)
{
	__u32 at = LA_IP6_LEN;
	__u8 next = h[6];

	while (end - h >= at + IP6_FRAGMENT_LEN) {
		const struct la_ip6_ext ext = la_ip6_ext(next);

		if (next == LA_IP_FRAGMENT)
			return at;
		if (!ext.unit)
			break;
		next = h[at];
		at += ((h[at + 1] & ext.mask) + ext.plus) * ext.unit;
	}
	return 0;
}

static bool read_ipv6(const __u8 *h, const __u8 *end, struct fragment *f)
{
	__u32 len, field;

	if (end - h < LA_IP6_LEN || h[0] >> 4 != 6)
		return false;
	f->field = find_ip6_fragment(h, end);
	len = LA_IP6_LEN + la_ntoh16(la_load16(h + 4));
	f->headers = f->field + IP6_FRAGMENT_LEN;
	if (!f->field || len <= f->headers)
		return false;
	field = la_ntoh16(la_load16(h + f->field + 2));
	memcpy(f->name.addr, h + 8, 32);
	f->name.id = la_load32(h + f->field + 4);
	f->size = len - f->headers;
	f->at = field & 0xfff8;
	f->more = field & 1;
	return f->at || f->more;
}

/* False: it is no fragment, or one that cannot be a part of anything. */
static bool read_fragment(const struct la_captured *p, struct fragment *f)
{
	const __u8 *data = p->data, *end = data + p->cap_len;
	struct la_inner in = la_decap(data, end, p->wire_len, p->link, p->l3_proto);
	struct la_cursor c = {.pos = data + in.offset, .end = end};

	memset(f, 0, sizeof(*f));
	f->in = in;
	if (!la_decap_link(&c, &in) || c.pos > end)
		return false;
	f->name.hook = p->hook;
	f->name.proto = in.proto;
	f->ip = (__u32)(c.pos - data);
	if (!(in.proto == LA_ETH_IPV4	? read_ipv4(c.pos, end, f)
	      : in.proto == LA_ETH_IPV6 ? read_ipv6(c.pos, end, f)
					: false))
		return false;
	return f->headers + f->at + f->size <= PACKET_MAX && !(f->more && f->size % UNIT) &&
	       f->ip + f->headers <= LA_CAPTURED_MAX;
}

/* The packet that f belongs to, or a place for it. */
static struct waiting *find(struct la_fragments *all, const struct fragment *f)
{
	struct waiting *oldest = &all->waiting[0];

	for (struct waiting *w = all->waiting; w < all->waiting + WAITING_MAX; w++) {
		if (w->since && !memcmp(&w->name, &f->name, sizeof(w->name)))
			return w;
		if (w->since < oldest->since)
			oldest = w;
	}
	return oldest;
}

static void note(struct waiting *w, const struct fragment *f)
{
	for (__u32 unit = f->at / UNIT; unit * UNIT < f->at + f->size; unit++)
		w->come[unit / 8] |= (__u8)(1 << unit % 8);
	if (!f->more)
		w->total = f->at + f->size;
}

static bool is_whole(const struct waiting *w)
{
	if (!w->begun || !w->total)
		return false;
	for (__u32 unit = 0; unit * UNIT < w->total; unit++)
		if (!(w->come[unit / 8] & 1 << unit % 8))
			return false;
	return true;
}

/* Without a link-layer trailer, which would look like payload. */
static void keep_first(struct waiting *w, const struct la_captured *p, const struct fragment *f)
{
	__u32 end = f->ip + f->headers + f->size;

	w->begun = true;
	w->first = *f;
	w->packet = *p;
	if (w->packet.cap_len > end)
		w->packet.cap_len = end;
	if (w->packet.cap_len > LA_CAPTURED_MAX)
		w->packet.cap_len = LA_CAPTURED_MAX;
	memcpy(w->data, p->data, w->packet.cap_len);
}

static void store16(__u8 *at, __u16 value)
{
	value = la_hton16(value);
	memcpy(at, &value, sizeof(value));
}

/* The first fragment says of itself that it is the packet. */
static void make_whole(struct waiting *w)
{
	const struct fragment *f = &w->first;
	__u8 *h = w->data + f->ip;

	if (f->name.proto == LA_ETH_IPV4) {
		store16(h + 2, (__u16)(f->headers + w->total));
		store16(h + 6, 0);
	} else {
		store16(h + 4, (__u16)(f->headers + w->total - LA_IP6_LEN));
		store16(h + f->field + 2, 0);
	}
	w->packet.wire_len += w->total - f->size;
}

/* It will not become whole, and counts as a fragment, as its others do. */
static void make_remnant(struct waiting *w)
{
	const struct fragment *f = &w->first;
	__u8 *h = w->data + f->ip;

	store16(f->name.proto == LA_ETH_IPV4 ? h + 6 : h + f->field + 2, UNIT);
}

/* Takes it out. The tunnels around it say nothing of a whole packet, and are left away. */
static const struct la_captured *give(struct la_fragments *all, struct waiting *w)
{
	struct la_captured *p = &all->out.packet;

	if (!w->begun) {
		w->since = 0;
		return NULL;
	}
	all->out = *w;
	w->since = 0;
	if (is_whole(&all->out))
		make_whole(&all->out);
	else
		make_remnant(&all->out);
	p->data = all->out.data + all->out.first.in.offset;
	p->cap_len -= all->out.first.in.offset;
	p->wire_len -= all->out.first.in.offset;
	p->link = (enum la_link)all->out.first.in.link;
	p->l3_proto = la_hton16(all->out.first.in.proto);
	p->ts = all->now;
	return p;
}

/* Nearly all packets of nearly all captures; so no time is spent on tunnels within it. */
static bool is_plain(const struct la_captured *p)
{
	const __u8 *data = p->data, *ip = data + LA_ETH_LEN;

	return p->link == LA_LINK_ETHER && p->cap_len >= LA_ETH_LEN + LA_IP4_LEN &&
	       la_load16(ip - 2) == la_hton16(LA_ETH_IPV4) && ip[9] == LA_IP_TCP &&
	       !(la_load16(ip + 6) & IP4_FRAGMENT_BITS);
}

bool la_fragments_take(struct la_fragments *all, const struct la_captured *p,
		       const struct la_captured **whole)
{
	struct fragment f;
	struct waiting *w;

	*whole = NULL;
	all->now = p->ts;
	if (is_plain(p) || !read_fragment(p, &f))
		return true;
	w = find(all, &f);
	if (w->since &&
	    (memcmp(&w->name, &f.name, sizeof(f.name)) || la_elapsed(w->since, p->ts) > WAIT_NS))
		*whole = give(all, w);
	if (!w->since) {
		memset(w, 0, sizeof(*w));
		w->name = f.name;
		w->since = p->ts ? p->ts : 1;
	}
	note(w, &f);
	if (!f.at && !w->begun)
		keep_first(w, p, &f);
	if (is_whole(w))
		*whole = give(all, w);
	return f.at != 0;
}

const struct la_captured *la_fragments_rest(struct la_fragments *all)
{
	for (struct waiting *w = all->waiting; w < all->waiting + WAITING_MAX; w++) {
		const struct la_captured *p = w->since ? give(all, w) : NULL;

		if (p)
			return p;
	}
	return NULL;
}
