/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate.c - writes the captures of this directory, byte for byte the same every time.
 *
 * A story is a table of segments between a client and a server; a capture is a story in a
 * dress: link type, tags, address family, initial sequence numbers, what was cut off, what
 * the tap missed. `make captures` runs it; the files are committed, and a check tells when
 * they are not what this program writes.
 *
 * usage: captures DIRECTORY
 */
#include "../packet.h"
#include <errno.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Numbers of the LINKTYPE registry, which are what a file holds. */
enum linktype {
	LINKTYPE_NULL = 0,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW = 101,
	LINKTYPE_LOOP = 108,
	LINKTYPE_LINUX_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_LINUX_SLL2 = 276,
};

enum {
	S = LA_SYN,
	SA = LA_SYN | LA_ACK,
	A = LA_ACK,
	PA = LA_PSH | LA_ACK,
	FA = LA_FIN | LA_ACK,
	FPA = LA_FIN | LA_PSH | LA_ACK,
	R = LA_RST,
	RA = LA_RST | LA_ACK,
};

/* One segment; numbers are relative to both initial ones. */
struct step {
	__u32 ms; /* since the segment before */
	char who; /* 'C' or 'S'; 0 ends a story */
	__u8 flags;
	__u32 seq, ack, len;
	int win; /* 0: 64240, -1: none */
};

#define STEPS_MAX 40
typedef const struct step story[STEPS_MAX];

#define HANDSHAKE                                                                                  \
	{0, 'C', S, 0, 0, 0, 0}, {20, 'S', SA, 0, 1, 0, 0},                                        \
	{                                                                                          \
		20, 'C', A, 1, 1, 0, 0                                                             \
	}
#define TALK                                                                                       \
	{5, 'C', PA, 1, 1, 100, 0}, {20, 'S', A, 1, 101, 0, 0}, {30, 'S', PA, 1, 101, 1000, 0},    \
	{                                                                                          \
		20, 'C', A, 101, 1001, 0, 0                                                        \
	}

static story four_segments = {HANDSHAKE,
			      TALK,
			      {50, 'C', FA, 101, 1001, 0, 0},
			      {20, 'S', A, 1001, 102, 0, 0},
			      {200, 'S', FA, 1001, 102, 0, 0},
			      {20, 'C', A, 102, 1002, 0, 0}};
static story three_segments = {HANDSHAKE,
			       TALK,
			       {50, 'S', FA, 1001, 101, 0, 0},
			       {20, 'C', FA, 101, 1002, 0, 0},
			       {20, 'S', A, 1002, 102, 0, 0}};
static story simultaneous_close = {HANDSHAKE,
				   TALK,
				   {50, 'C', FA, 101, 1001, 0, 0},
				   {1, 'S', FA, 1001, 101, 0, 0},
				   {20, 'S', A, 1002, 102, 0, 0},
				   {1, 'C', A, 102, 1002, 0, 0}};
static story half_close_with_data = {HANDSHAKE,
				     TALK,
				     {50, 'C', FA, 101, 1001, 0, 0},
				     {20, 'S', A, 1001, 102, 0, 0},
				     {500000, 'S', PA, 1001, 102, 1400, 0},
				     {20, 'C', A, 102, 2401, 0, 0},
				     {500000, 'S', PA, 2401, 102, 1400, 0},
				     {20, 'C', A, 102, 3801, 0, 0},
				     {30, 'S', FA, 3801, 102, 0, 0},
				     {20, 'C', A, 102, 3802, 0, 0}};
static story reset_by_client = {HANDSHAKE, TALK, {50, 'C', RA, 101, 1001, 0, 0}};
static story reset_by_server = {HANDSHAKE, TALK, {50, 'S', R, 1001, 0, 0, 0}};
static story reset_half_closed = {HANDSHAKE,
				  TALK,
				  {50, 'C', FA, 101, 1001, 0, 0},
				  {20, 'S', A, 1001, 102, 0, 0},
				  {20, 'S', PA, 1001, 102, 300, 0},
				  {20, 'C', R, 102, 0, 0, 0}};
static story reset_blind = {HANDSHAKE,
			    TALK,
			    {50, 'S', R, 1301, 0, 0, 0}, /* in the window, not exact */
			    {20, 'C', A, 101, 1001, 0, 0},
			    {20, 'S', PA, 1001, 101, 50, 0},
			    {20, 'S', R, 900000, 0, 0, 0}, /* far off */
			    {20, 'C', A, 101, 1051, 0, 0},
			    {50, 'C', FA, 101, 1051, 0, 0},
			    {20, 'S', FA, 1051, 102, 0, 0},
			    {20, 'C', A, 102, 1052, 0, 0}};
static story refused = {{0, 'C', S, 0, 0, 0, 0}, {20, 'S', RA, 0, 1, 0, 0}};
static story unanswered = {{0, 'C', S, 0, 0, 0, 0},
			   {1000, 'C', S, 0, 0, 0, 0},
			   {2000, 'C', S, 0, 0, 0, 0},
			   {4000, 'C', S, 0, 0, 0, 0},
			   {8000, 'C', S, 0, 0, 0, 0}};
static story last_ack_lost = {HANDSHAKE,
			      TALK,
			      {50, 'C', FA, 101, 1001, 0, 0},
			      {20, 'S', FA, 1001, 102, 0, 0},
			      {20, 'C', A, 102, 1002, 0, 0},
			      {220, 'S', FA, 1001, 102, 0, 0},
			      {20, 'C', A, 102, 1002, 0, 0}};
static story silent_death = {HANDSHAKE,
			     TALK,
			     {50, 'C', PA, 101, 1001, 500, 0},
			     {300, 'C', PA, 101, 1001, 500, 0},
			     {600, 'C', PA, 101, 1001, 500, 0},
			     {1200, 'C', PA, 101, 1001, 500, 0}};
static story simultaneous_open = {
	{0, 'C', S, 0, 0, 0, 0},    {1, 'S', S, 0, 0, 0, 0},	{20, 'C', SA, 0, 1, 0, 0},
	{1, 'S', SA, 0, 1, 0, 0},   {20, 'C', PA, 1, 1, 10, 0}, {20, 'S', A, 1, 11, 0, 0},
	{50, 'C', FA, 11, 1, 0, 0}, {20, 'S', FA, 1, 12, 0, 0}, {20, 'C', A, 12, 2, 0, 0}};
/* The server sends its ACK and its SYN apart; the client answers with a plain ACK. */
static story four_packets = {
	{0, 'C', S, 0, 0, 0, 0},    {20, 'S', A, 0, 1, 0, 0},	{1, 'S', S, 0, 0, 0, 0},
	{20, 'C', A, 1, 1, 0, 0},   {1, 'C', PA, 1, 1, 10, 0},	{20, 'S', A, 1, 11, 0, 0},
	{50, 'S', FA, 1, 11, 0, 0}, {20, 'C', FA, 11, 2, 0, 0}, {20, 'S', A, 2, 12, 0, 0}};
/* Data overtakes the SYN, and the SYN-ACK. */
static story late_syn = {{0, 'C', PA, 1, 1, 10, 0},  {1, 'C', S, 0, 0, 0, 0},
			 {20, 'S', A, 1, 11, 0, 0},  {1, 'S', SA, 0, 1, 0, 0},
			 {50, 'C', FA, 11, 1, 0, 0}, {20, 'S', FA, 1, 12, 0, 0},
			 {20, 'C', A, 12, 2, 0, 0}};
/* Somebody refuses in the server's name; the server answers all the same, and the client goes on.
 */
static story refusal_denied = {
	{0, 'C', S, 0, 0, 0, 0},    {5, 'S', RA, 0, 1, 0, 0},	{20, 'S', SA, 0, 1, 0, 0},
	{20, 'C', A, 1, 1, 0, 0},   {1, 'C', PA, 1, 1, 10, 0},	{20, 'S', A, 1, 11, 0, 0},
	{50, 'C', FA, 11, 1, 0, 0}, {20, 'S', FA, 1, 12, 0, 0}, {20, 'C', A, 12, 2, 0, 0}};
static story data_on_syn_and_fin = {{0, 'C', S, 0, 0, 30, 0},	   {20, 'S', SA, 0, 31, 0, 0},
				    {20, 'C', A, 31, 1, 0, 0},	   {20, 'S', FPA, 1, 31, 700, 0},
				    {20, 'C', FPA, 31, 702, 9, 0}, {20, 'S', A, 702, 41, 0, 0}};
/* The same ports again: a stale SYN in TIME_WAIT, then one that is new. */
static story ports_again = {HANDSHAKE,
			    TALK,
			    {50, 'C', FA, 101, 1001, 0, 0},
			    {20, 'S', FA, 1001, 102, 0, 0},
			    {20, 'C', A, 102, 1002, 0, 0},
			    {100, 'C', S, 4294000000u, 0, 0, 0},
			    {100, 'C', S, 900000, 0, 0, 0},
			    {20, 'S', SA, 800000, 900001, 0, 0},
			    {20, 'C', A, 900001, 800001, 0, 0},
			    {20, 'S', R, 800001, 0, 0, 0}};
/* A SYN on a live tuple that turns out to be true. */
static story provisional = {HANDSHAKE,
			    TALK,
			    {5000, 'C', S, 700000, 0, 0, 0},
			    {20, 'S', A, 1001, 101, 0, 0},
			    {20, 'C', R, 101, 0, 0, 0},
			    {1000, 'C', S, 700000, 0, 0, 0},
			    {20, 'S', SA, 600000, 700001, 0, 0},
			    {20, 'C', A, 700001, 600001, 0, 0},
			    {20, 'C', FA, 700001, 600001, 0, 0},
			    {20, 'S', FA, 600001, 700002, 0, 0},
			    {20, 'C', A, 700002, 600002, 0, 0}};
static story midstream = {{0, 'S', PA, 1, 1, 400, 0},	 {20, 'C', A, 1, 401, 0, 0},
			  {20, 'C', PA, 1, 401, 50, 0},	 {20, 'S', A, 401, 51, 0, 0},
			  {20, 'S', FA, 401, 51, 0, 0},	 {20, 'C', A, 51, 402, 0, 0},
			  {900, 'C', FA, 51, 402, 0, 0}, {20, 'S', A, 402, 52, 0, 0}};
static story reordered = {{0, 'S', SA, 0, 1, 0, 0}, /* before the SYN that it answers */
			  {1, 'C', S, 0, 0, 0, 0},	  {20, 'C', PA, 1, 1, 100, 0},
			  {1, 'C', A, 1, 1, 0, 0},	  {20, 'S', PA, 501, 101, 500, 0},
			  {1, 'S', PA, 1, 101, 500, 0},	  {20, 'C', A, 101, 1001, 0, 0},
			  {20, 'S', A, 1001, 152, 0, 0}, /* acknowledges what comes next */
			  {1, 'C', FA, 151, 1001, 0, 0},  {1, 'C', PA, 101, 1001, 50, 0},
			  {20, 'S', FA, 1001, 152, 0, 0}, {20, 'C', A, 152, 1002, 0, 0}};
static story retransmitted = {{0, 'C', S, 0, 0, 0, 0},	       {1000, 'C', S, 0, 0, 0, 0},
			      {20, 'S', SA, 0, 1, 0, 0},       {1000, 'S', SA, 0, 1, 0, 0},
			      {20, 'C', A, 1, 1, 0, 0},	       {1, 'C', A, 1, 1, 0, 0},
			      {5, 'C', PA, 1, 1, 100, 0},      {200, 'C', PA, 1, 1, 100, 0},
			      {20, 'S', A, 1, 101, 0, 0},      {1, 'S', A, 1, 101, 0, 0},
			      {30, 'S', PA, 1, 101, 1000, 0},  {300, 'S', PA, 1, 101, 1000, 0},
			      {20, 'C', A, 101, 1001, 0, 0},   {50, 'C', FA, 101, 1001, 0, 0},
			      {200, 'C', FA, 101, 1001, 0, 0}, {20, 'S', A, 1001, 102, 0, 0},
			      {20, 'S', FA, 1001, 102, 0, 0},  {200, 'S', FA, 1001, 102, 0, 0},
			      {20, 'C', A, 102, 1002, 0, 0},   {1, 'C', A, 102, 1002, 0, 0}};
static story zero_window = {HANDSHAKE,
			    {5, 'C', PA, 1, 1, 1000, 0},
			    {20, 'S', A, 1, 1001, 0, -1},
			    {300, 'C', A, 1000, 1, 0, 0},
			    {20, 'S', A, 1, 1001, 0, -1},
			    {600, 'C', PA, 1001, 1, 1, 0},
			    {20, 'S', A, 1, 1001, 0, -1},
			    {900, 'S', A, 1, 1001, 0, 0},
			    {20, 'C', FPA, 1001, 1, 1000, 0},
			    {20, 'S', FA, 1, 2002, 0, 0},
			    {20, 'C', A, 2002, 2, 0, 0}};
static story keepalives = {HANDSHAKE,
			   TALK,
			   {7200000, 'C', A, 100, 1001, 0, 0},
			   {20, 'S', A, 1001, 101, 0, 0},
			   {7200000, 'C', A, 100, 1001, 1, 0},
			   {75000, 'C', A, 100, 1001, 1, 0},
			   {75000, 'C', A, 100, 1001, 1, 0},
			   {75000, 'C', R, 101, 0, 0, 0}};

/* How a story is dressed. */
struct capture {
	const char *name;
	const struct step *story;
	enum linktype link;
	struct la_packet dress; /* tags, extension headers, padding */
	bool v6;
	bool scaled;	 /* both SYNs carry options with a window scale of 7 */
	char only;	 /* the tap saw only this side; 0: both */
	__u32 isn[2];	 /* of client and server; 0: 1000 and 5000 */
	__u32 snaplen;	 /* 0: everything */
	bool fragmented; /* IP fragments of 24 bytes, so that TCP headers stay whole */
	bool broken;	 /* every segment is followed by its damaged sisters */
	bool backwards;	 /* every third time stamp lies before the one before */
	bool crowd;	 /* a dozen clients at the same moments, so they expire together */
	bool damaged;	 /* before every segment come two that bits were flipped in on the way */
	bool offloaded;	 /* the client captured it, before its network card summed its segments */
};

static const struct capture captures[] = {
	{.name = "four-segments", .story = four_segments, .link = LINKTYPE_ETHERNET},
	{.name = "three-segments", .story = three_segments, .link = LINKTYPE_ETHERNET},
	{.name = "simultaneous-close", .story = simultaneous_close, .link = LINKTYPE_ETHERNET},
	{.name = "half-close-with-data", .story = half_close_with_data, .link = LINKTYPE_ETHERNET},
	{.name = "reset-by-client", .story = reset_by_client, .link = LINKTYPE_ETHERNET},
	{.name = "reset-by-server", .story = reset_by_server, .link = LINKTYPE_ETHERNET},
	{.name = "reset-half-closed", .story = reset_half_closed, .link = LINKTYPE_ETHERNET},
	{.name = "reset-blind", .story = reset_blind, .link = LINKTYPE_ETHERNET},
	{.name = "refused", .story = refused, .link = LINKTYPE_ETHERNET},
	{.name = "unanswered", .story = unanswered, .link = LINKTYPE_ETHERNET},
	{.name = "last-ack-lost", .story = last_ack_lost, .link = LINKTYPE_ETHERNET},
	{.name = "silent-death", .story = silent_death, .link = LINKTYPE_ETHERNET},
	{.name = "simultaneous-open", .story = simultaneous_open, .link = LINKTYPE_ETHERNET},
	{.name = "four-packet-handshake", .story = four_packets, .link = LINKTYPE_ETHERNET},
	{.name = "late-syn", .story = late_syn, .link = LINKTYPE_ETHERNET},
	{.name = "refusal-denied", .story = refusal_denied, .link = LINKTYPE_ETHERNET},
	{.name = "data-on-syn-and-fin", .story = data_on_syn_and_fin, .link = LINKTYPE_ETHERNET},
	{.name = "ports-again", .story = ports_again, .link = LINKTYPE_ETHERNET},
	{.name = "provisional-syn", .story = provisional, .link = LINKTYPE_ETHERNET},
	{.name = "midstream", .story = midstream, .link = LINKTYPE_ETHERNET},
	{.name = "reordered", .story = reordered, .link = LINKTYPE_ETHERNET},
	{.name = "retransmitted", .story = retransmitted, .link = LINKTYPE_ETHERNET},
	{.name = "zero-window", .story = zero_window, .link = LINKTYPE_ETHERNET},
	{.name = "keepalives", .story = keepalives, .link = LINKTYPE_ETHERNET},
	{.name = "window-scale", .story = four_segments, .link = LINKTYPE_ETHERNET, .scaled = true},
	{.name = "one-sided-client",
	 .story = four_segments,
	 .link = LINKTYPE_ETHERNET,
	 .only = 'C'},
	{.name = "one-sided-server",
	 .story = four_segments,
	 .link = LINKTYPE_ETHERNET,
	 .only = 'S'},
	{.name = "wrap-around",
	 .story = retransmitted,
	 .link = LINKTYPE_ETHERNET,
	 .isn = {0xffffffff, 0xfffffe00}},
	{.name = "vlan", .story = four_segments, .link = LINKTYPE_ETHERNET, .dress.vlans = 1},
	{.name = "qinq", .story = three_segments, .link = LINKTYPE_ETHERNET, .dress.vlans = 2},
	{.name = "vlan-depth", .story = refused, .link = LINKTYPE_ETHERNET, .dress.vlans = 3},
	{.name = "padded", .story = four_segments, .link = LINKTYPE_ETHERNET, .dress.pad_to = 60},
	{.name = "ip-options",
	 .story = three_segments,
	 .link = LINKTYPE_ETHERNET,
	 .dress.ip4_options = 24},
	{.name = "ipv6", .story = four_segments, .link = LINKTYPE_ETHERNET, .v6 = true},
	{.name = "ipv6-extensions",
	 .story = three_segments,
	 .link = LINKTYPE_ETHERNET,
	 .v6 = true,
	 .dress.ext = {{LA_IP_HOPOPTS, 8}, {LA_IP_DSTOPTS, 24}}},
	{.name = "fragments",
	 .story = four_segments,
	 .link = LINKTYPE_ETHERNET,
	 .fragmented = true},
	{.name = "ipv6-fragments",
	 .story = four_segments,
	 .link = LINKTYPE_ETHERNET,
	 .v6 = true,
	 .fragmented = true},
	{.name = "snaplen", .story = four_segments, .link = LINKTYPE_ETHERNET, .snaplen = 60},
	{.name = "snaplen-retransmitted",
	 .story = retransmitted,
	 .link = LINKTYPE_ETHERNET,
	 .snaplen = 60},
	{.name = "snaplen-short", .story = refused, .link = LINKTYPE_ETHERNET, .snaplen = 13},
	{.name = "broken", .story = four_segments, .link = LINKTYPE_ETHERNET, .broken = true},
	{.name = "damaged", .story = four_segments, .link = LINKTYPE_ETHERNET, .damaged = true},
	{.name = "damaged-ipv6",
	 .story = three_segments,
	 .link = LINKTYPE_RAW,
	 .v6 = true,
	 .damaged = true},
	{.name = "offloaded", .story = four_segments, .link = LINKTYPE_ETHERNET, .offloaded = true},
	{.name = "disordered-time",
	 .story = ports_again,
	 .link = LINKTYPE_ETHERNET,
	 .backwards = true},
	{.name = "crowd", .story = unanswered, .link = LINKTYPE_ETHERNET, .crowd = true},
	{.name = "link-raw", .story = four_segments, .link = LINKTYPE_RAW},
	{.name = "link-raw-ipv6", .story = three_segments, .link = LINKTYPE_RAW, .v6 = true},
	{.name = "link-ipv4", .story = three_segments, .link = LINKTYPE_IPV4},
	{.name = "link-ipv6", .story = four_segments, .link = LINKTYPE_IPV6, .v6 = true},
	{.name = "link-null", .story = simultaneous_close, .link = LINKTYPE_NULL},
	{.name = "link-loop", .story = reset_by_server, .link = LINKTYPE_LOOP, .v6 = true},
	{.name = "link-sll", .story = four_segments, .link = LINKTYPE_LINUX_SLL},
	{.name = "link-sll2-forwarded", .story = four_segments, .link = LINKTYPE_LINUX_SLL2},
};

/* ---- writing ---- */

struct writer {
	FILE *file;
	const struct capture *c;
	__u64 ns; /* time of the next packet */
	unsigned int packets;
};

/* Byte order is that of the file's magic number: little endian on every machine. */
static void put(struct writer *w, __u32 value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		fputc(value >> 8 * i & 0xff, w->file);
}

static void put_head(struct writer *w)
{
	put(w, 0xa1b23c4d, 4); /* times in ns */
	put(w, 2, 2);
	put(w, 4, 2);
	put(w, 0, 4);
	put(w, 0, 4);
	put(w, w->c->snaplen ? w->c->snaplen : 65535, 4);
	put(w, w->c->link, 4);
}

/* The header of a link type before the IP packet. Returns its size. */
static size_t link_header(const struct capture *c, bool forwarded, __u8 *to)
{
	__u16 proto = c->v6 ? LA_ETH_IPV6 : LA_ETH_IPV4;

	memset(to, 0, 20);
	switch (c->link) {
	case LINKTYPE_NULL:
		to[0] = c->v6 ? 30 : 2;
		return 4;
	case LINKTYPE_LOOP:
		to[3] = c->v6 ? 24 : 2;
		return 4;
	case LINKTYPE_LINUX_SLL:
		la_put16(to + 2, 1);
		la_put16(to + 4, 6);
		la_put16(to + 14, proto);
		return 16;
	case LINKTYPE_LINUX_SLL2:
		la_put16(to, proto);
		la_put32(to + 4, forwarded ? 3 : 2);
		la_put16(to + 8, 1);
		to[10] = forwarded ? 4 : 0;
		to[11] = 6;
		return 20;
	default:
		return 0;
	}
}

static void put_packet(struct writer *w, const struct la_frame *f, bool forwarded)
{
	__u64 ns = w->c->backwards && w->packets % 3 == 2 ? w->ns - 700 * LA_MSEC_NS : w->ns;
	__u8 head[20];
	size_t head_len = link_header(w->c, forwarded, head), len = head_len + f->len;
	size_t cap = w->c->snaplen && w->c->snaplen < len ? w->c->snaplen : len;

	put(w, (__u32)(ns / LA_SEC_NS), 4);
	put(w, (__u32)(ns % LA_SEC_NS), 4);
	put(w, (__u32)cap, 4);
	put(w, (__u32)len, 4);
	fwrite(head, 1, head_len, w->file);
	fwrite(f->bytes, 1, cap - head_len, w->file);
	w->packets++;
}

static struct la_packet dressed(const struct capture *c, const struct step *s)
{
	static const char options[] = "\2\4\5\264\4\2\1\3\3\7"; /* MSS, SACK, window scale 7 */
	bool from_client = s->who == 'C';
	const __u32 *isn = c->isn[0] ? c->isn : (const __u32[]){1000, 5000};
	struct la_packet p = c->dress;

	p.l3 = c->link != LINKTYPE_ETHERNET;
	p.src = c->v6 ? (from_client ? "fd00::1" : "fd00::2")
		      : (from_client ? "10.0.0.1" : "10.0.0.2");
	p.dst = c->v6 ? (from_client ? "fd00::2" : "fd00::1")
		      : (from_client ? "10.0.0.2" : "10.0.0.1");
	p.sport = from_client ? 40000 : 443;
	p.dport = from_client ? 443 : 40000;
	p.flags = s->flags;
	p.seq = isn[!from_client] + s->seq;
	p.ack = s->flags & LA_ACK ? isn[from_client] + s->ack : 0;
	p.win = s->win < 0 ? 0 : s->win ? s->win : 64240;
	p.payload_len = s->len;
	if (s->flags & LA_SYN) {
		p.options = options;
		p.options_len = c->scaled ? 10 : 4;
	}
	return p;
}

/* The same segment as fragments; the first holds the TCP header. */
static void put_fragments(struct writer *w, struct la_packet p)
{
	unsigned int whole = LA_TCP_LEN + (p.options_len + 3) / 4 * 4 + p.payload_len;

	p.frag_len = 24;
	for (p.frag_at = 0; p.frag_at < whole; p.frag_at += p.frag_len) {
		struct la_frame f;

		p.more_fragments = p.frag_at + p.frag_len < whole;
		f = la_frame_build(&p);
		put_packet(w, &f, false);
	}
}

/* What hostile or broken hosts make of a segment; none of it may be tracked. */
static void put_broken(struct writer *w, const struct la_frame *good)
{
	static const struct {
		size_t from_l3; /* offset from the IP header */
		__u8 value;
	} damages[] = {
		{0, 0x35},  /* IP version 3 */
		{0, 0x44},  /* header length 16 */
		{3, 10},    /* total length below the headers */
		{2, 0x7f},  /* total length beyond the frame */
		{9, 17},    /* UDP */
		{32, 0x40}, /* TCP data offset 16 */
		{32, 0xf0}, /* and 60: beyond the packet */
		{33, 0x00}, /* no flag */
		{33, 0x3f}, /* all flags */
		{33, 0x03}, /* SYN and FIN */
		{33, 0x06}, /* SYN and RST */
		{33, 0x05}, /* FIN and RST */
		{33, 0x08}, /* PSH without ACK */
	};
	struct la_frame f;

	for (size_t i = 0; i < COUNT(damages); i++) {
		f = *good;
		f.bytes[f.l3 + damages[i].from_l3] = damages[i].value;
		la_frame_resum(&f);
		put_packet(w, &f, false);
	}
	for (size_t len = 0; len < good->l4 + 20; len += 3) {
		f = *good;
		f.len = len;
		put_packet(w, &f, false);
	}
	f = *good;
	la_put16(f.bytes + 12, 0x0806); /* ARP */
	put_packet(w, &f, false);
}

/* Two copies, of which a checksum tells that they are none: a RST, and another hop limit. */
static void put_damaged(struct writer *w, const struct la_frame *good)
{
	struct la_frame f = *good;

	f.bytes[f.l4 + 13] ^= LA_RST;
	put_packet(w, &f, false);
	f = *good;
	f.bytes[f.l3 + (w->c->v6 ? 7 : 8)] ^= 0x20;
	put_packet(w, &f, false);
}

static void put_step(struct writer *w, const struct step *s)
{
	const struct capture *c = w->c;
	struct la_packet p = dressed(c, s);
	struct la_frame f;

	if (c->only && c->only != s->who)
		return;
	if (c->fragmented) {
		put_fragments(w, p);
		return;
	}
	for (int i = 0; i < (c->crowd ? 12 : 1); i++) {
		p.sport += (__u16)(7 * i);
		f = la_frame_build(&p);
		if (c->damaged)
			put_damaged(w, &f);
		if (c->offloaded && s->who == 'C')
			la_put16(f.bytes + f.l4 + 16, la_frame_pseudo(&f));
		put_packet(w, &f, false);
	}
	if (c->link == LINKTYPE_LINUX_SLL2)
		put_packet(w, &f, true);
	if (c->broken)
		put_broken(w, &f);
}

/* Two more packets at the end, late: what lingers has left by then. */
static void put_late(struct writer *w)
{
	static const struct step late[] = {{0, 'C', S, 77, 0, 0, 0}, {0, 'S', RA, 0, 78, 0, 0}};

	for (size_t i = 0; i < COUNT(late); i++) {
		w->ns += 1000 * LA_SEC_NS;
		put_step(w, &late[i]);
	}
}

/* Returns 0, or -1 with the reason on stderr. */
static int write_capture(const char *dir, const struct capture *c)
{
	struct writer w = {.c = c, .ns = 1700000000 * LA_SEC_NS};
	char path[4096];
	bool failed;

	snprintf(path, sizeof(path), "%s/%s.pcap", dir, c->name);
	w.file = fopen(path, "wb");
	if (!w.file) {
		fprintf(stderr, "captures: cannot write: %s: %s\n", path, strerror(errno));
		return -1;
	}
	put_head(&w);
	for (const struct step *s = c->story; s->who; s++) {
		w.ns += s->ms * LA_MSEC_NS + 1;
		put_step(&w, s);
	}
	put_late(&w);
	failed = ferror(w.file);
	if (!fclose(w.file) && !failed)
		return 0;
	fprintf(stderr, "captures: cannot write: %s: %s\n", path, strerror(errno));
	return -1;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: captures DIRECTORY\n");
		return 2;
	}
	for (size_t i = 0; i < COUNT(captures); i++)
		if (write_capture(argv[1], &captures[i]))
			return 1;
	return 0;
}
