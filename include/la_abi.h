/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_abi.h - all that crosses between kernel and user: the records, the configuration and
 * the counters. Fixed layout, explicit padding, a version, sizes checked by the compiler.
 *
 * Times in records are ns of the clock that the producer was given (CLOCK_MONOTONIC in the
 * kernel, the capture's own in replay); userspace turns them into wall-clock time.
 */
#ifndef LA_ABI_H
#define LA_ABI_H

#include "la_key.h"
#include "la_names.h"
#include "la_types.h"

#define LA_ABI_VERSION 1

/* Entries of the flow table, unless the loader is told otherwise. */
#define LA_FLOWS_DEFAULT 131072

/* Endpoints of a connection as records index them. */
enum la_endpoint {
	LA_ORIG = 0, /* sent the first SYN; midstream: looks like the client */
	LA_RESP = 1,
};

/* Clocks that stand in one dial, see bpf/slots.bpf.h. */
#define LA_DIAL_SLOTS 64

/* The part of it that may be half-open, unless the loader is told otherwise. */
#define LA_ATTEMPTS_SHARE 4

/* Percent of the table from which on half-open and ended flows are waited for less long. */
#define LA_PRESSURE_DEFAULT 80

/* Bytes of the ring buffer; the part of it that is reserved for close records. */
#define LA_RING_DEFAULT (8 * 1024 * 1024)
#define LA_RING_RESERVE 8

/* Head of every record. */
struct la_rec {
	__u16 v;	   /* LA_ABI_VERSION */
	__u8 type;	   /* enum la_record */
	__u8 orig;	   /* index in key of the originator */
	__u32 seq;	   /* counts the records of this connection, from 0 */
	__u64 ts;	   /* ns; of the segment or the deadline that caused it */
	__u64 id;	   /* la_conn_id() */
	struct la_key key; /* both endpoints */
	__u32 ifindex;	   /* interface that saw the connection first; 0: a capture */
	__u32 pad;
};

/* The segment behind a record, relative to both initial sequence numbers. */
struct la_rec_seg {
	__u32 seq;   /* SEG.SEQ - ISN of its sender */
	__u32 ack;   /* SEG.ACK - ISN of its receiver; 0 without LA_ACK or before that is known */
	__u32 len;   /* payload bytes */
	__u8 flags;  /* enum la_tcp_flag; 0: no segment, a timer or an ICMP error did it */
	__u8 sender; /* enum la_endpoint */
	__u16 pad;
};

/* type state: one endpoint moved. */
struct la_rec_state {
	struct la_rec h;
	struct la_rec_seg seg;
	__u8 endpoint;	/* enum la_endpoint: who moved */
	__u8 from;	/* enum la_state */
	__u8 to;	/* enum la_state */
	__u8 certainty; /* enum la_certainty */
	__u8 cause;	/* enum la_cause */
	__u8 state[2];	/* enum la_state of orig and resp after this transition */
	__u8 presumed;	/* bit 1 << endpoint: that endpoint's state is only presumed */
	__u64 since;	/* ns spent in `from` */
};

/* type segment: a segment that opens, closes, or answers one that does (only when asked for). */
struct la_rec_segment {
	struct la_rec h;
	struct la_rec_seg seg;
	__u8 reason;   /* enum la_reason: what became of it */
	__u8 state[2]; /* enum la_state of orig and resp after it */
	__u8 presumed; /* as in la_rec_state */
	__u8 pad[4];
};

/* type rst: a RST and what its receiver makes of it. */
struct la_rec_rst {
	struct la_rec h;
	struct la_rec_seg seg;
	__u8 sender;   /* enum la_endpoint */
	__u8 verdict;  /* enum la_rst_verdict */
	__u8 dropped;  /* 1: a policy kept it from its receiver */
	__u8 forged;   /* bits 1 << (enum la_evidence - 1) */
	__u8 state[2]; /* enum la_state of orig and resp after it */
	__u8 rule; /* enum la_rst_rule by which it is, or in a dry run would be, dropped; or 0 */
	__u8 pad;
};

#define LA_HISTORY_MAX 24

/* What one endpoint did, for the close record. */
struct la_rec_side {
	__u64 pkts;		      /* segments on the wire */
	__u64 bytes;		      /* payload by sequence space, each byte once */
	__u64 ip_bytes;		      /* with IP and TCP headers, every time it was sent */
	__u64 in_state[LA_STATE_MAX]; /* ns spent in each state, by enum la_state; 0: never */
	__u64 zero_window_ns;	      /* time in which it advertised a zero window */
	__u32 retrans;		      /* segments that it sent again */
	__u32 ooo;		      /* data segments that later ones had overtaken */
	__u32 dups;		      /* data segments that its peer got twice */

	__u32 in_flight;     /* sequence numbers that were not acknowledged at the end */
	__u32 max_in_flight; /* most of them at any time */
	__u32 window;	     /* bytes, as it advertised it last; midstream: 0 */
	__u32 window_full;   /* its data segments that left no room for a full one after them */
	__u32 window_probes; /* probes that it sent of the peer's zero window */
	__u32 zero_windows;  /* periods in which it advertised a zero window itself */

	__u8 state;    /* enum la_state at the end */
	__u8 presumed; /* 1: that state is only presumed */
	__u8 pad[2];
};

/* type close: once a connection, when nothing more can come of it. h.ts is that moment. */
struct la_rec_close {
	struct la_rec h;
	__u64 duration_ns;	      /* first segment to this moment */
	__u64 handshake_ns;	      /* first SYN to the ACK of the SYN-ACK; 0: not seen */
	__u64 close_ns;		      /* first FIN or RST to the end; 0: neither was seen */
	__u64 heard_ns;		      /* first segment to the last before both had closed */
	__u64 unanswered_ns;	      /* with unanswered: how long the peer had been silent */
	__u64 silence_ns;	      /* before what was answered by nothing, or by RST; or 0 */
	__u64 missed;		      /* payload bytes acknowledged but not seen whole */
	struct la_rec_side side[2];   /* by enum la_endpoint */
	__u8 reason;		      /* enum la_close_reason */
	__u8 closed_by;		      /* enum la_closer */
	__u8 conn_state;	      /* enum la_conn_state */
	__u8 rst_sender;	      /* enum la_endpoint, valid if rst_verdict is not 0 */
	__u8 rst_verdict;	      /* enum la_rst_verdict of the RST that ended it, or 0 */
	__u8 stage;		      /* enum la_stage if a RST or a timeout cut it, or 0 */
	__u8 timeout_state;	      /* enum la_state that outlived its time, or 0 */
	__u8 timeout_cause;	      /* enum la_timeout_cause, or 0 */
	__u8 midstream;		      /* 1: its beginning was not seen */
	__u8 forged;		      /* evidence against its RSTs, as in la_rec_rst */
	__u8 history_len;	      /* letters in history */
	__u8 silent;		      /* with unanswered: enum la_endpoint who did not answer */
	char history[LA_HISTORY_MAX]; /* Zeek's letters, not terminated */

	__u32 unanswered; /* questions at the end that the peer had not answered */
	__u8 icmp_type;	  /* last ICMP error about a segment of it, or 0 */
	__u8 icmp_code;
	__u8 icmp_to;	/* enum la_endpoint: whose segment it was; valid with icmp_type */
	__u8 one_way;	/* 1 + enum la_endpoint: only that one was heard; 0: both, or an attempt */
	__u8 direction; /* enum la_flow_direction; 0: it was not seen at an interface */
	__u8 pad[3];
};

/* type flow: a connection that is in the table, when somebody asks; seq is that of its next record.
 */
struct la_rec_flow {
	struct la_rec_close at; /* as if it had ended at h.ts; reason is 0 if it has not */
	__u64 left_ns;		/* until its clock runs out, if nothing more is heard */
	__u8 timeout;		/* enum la_timeout: that clock */
	__u8 pad[7];
};

/* What Zeek's conn.log says of a connection, as of this moment; arrays by enum la_endpoint. */
struct la_rec_zeek {
	__u64 start;	/* ns; first segment */
	__u64 heard_ns; /* as in la_rec_close */
	__u64 missed;	/* as in la_rec_close */
	__u64 pkts[2];
	__u64 bytes[2];
	__u64 ip_bytes[2];
	__u8 conn_state;  /* enum la_conn_state */
	__u8 history_len; /* letters in history */
	char history[LA_HISTORY_MAX];
	__u8 pad[6];
};

/* type gone: the flow left the table. */
struct la_rec_gone {
	struct la_rec h;
	__u32 late_pkts;   /* segments after the close */
	__u32 fin_retrans; /* FINs sent again after the close */
	__u32 late_rst;	   /* RSTs after the close */
	__u8 why;	   /* enum la_gone_why */
	__u8 forged;	   /* evidence against its RSTs in all its life, as in la_rec_rst */
	__u8 carried_on;   /* 1: its endpoints went on after the RST that closed it */
	__u8 pad;
	struct la_rec_zeek zeek; /* with what came after the close */
};

#define LA_POLICY_NAME_SIZE   32
#define LA_POLICY_DETAIL_SIZE 96

/*
 * type policy: what a policy did with a connection. Made in userspace, so not numbered: h.seq is
 * that of the connection's next record. Texts end with a NUL.
 */
struct la_rec_policy {
	struct la_rec h;
	char policy[LA_POLICY_NAME_SIZE];   /* its name */
	char detail[LA_POLICY_DETAIL_SIZE]; /* may be empty */
	__u8 action;			    /* enum la_action */
	__u8 result;			    /* enum la_result */
	__u8 tries;			    /* how often RSTs were sent */
	__u8 state[2];			    /* enum la_state of orig and resp when it began */
	__u8 pad[3];
};

/* type lost: records of any connection that were not delivered; of h only v, type and ts count. */
struct la_rec_lost {
	struct la_rec h;
	__u64 count;
	__u8 source; /* enum la_lost_source */
	__u8 pad[7];
};

_Static_assert(sizeof(struct la_rec) == 72, "ABI");
_Static_assert(sizeof(struct la_rec_seg) == 16, "ABI");
_Static_assert(sizeof(struct la_rec_state) == 104, "ABI");
_Static_assert(sizeof(struct la_rec_segment) == 96, "ABI");
_Static_assert(sizeof(struct la_rec_rst) == 96, "ABI");
_Static_assert(sizeof(struct la_rec_side) == 168, "ABI");
_Static_assert(sizeof(struct la_rec_close) == 512, "ABI");
_Static_assert(sizeof(struct la_rec_flow) == 528, "ABI");
_Static_assert(sizeof(struct la_rec_zeek) == 104, "ABI");
_Static_assert(sizeof(struct la_rec_gone) == 192, "ABI");
_Static_assert(sizeof(struct la_rec_policy) == 208, "ABI");
_Static_assert(sizeof(struct la_rec_lost) == 88, "ABI");

/* Any record, for whoever only needs room for one. */
union la_any_rec {
	struct la_rec h;
	struct la_rec_state state;
	struct la_rec_segment segment;
	struct la_rec_rst rst;
	struct la_rec_close close;
	struct la_rec_flow flow;
	struct la_rec_gone gone;
	struct la_rec_policy policy;
	struct la_rec_lost lost;
};

/* Tables of timeouts: a policy may give a flow another one than the first. A power of two. */
#define LA_TIMEOUT_TABLES 8

/* What the tracker is told at start and on reload. */
struct la_config {
	union {
		__u64 timeout[LA_TIMEOUT_MAX]; /* ns, by enum la_timeout: table 0, the default */
		__u64 timeouts[LA_TIMEOUT_TABLES][LA_TIMEOUT_MAX];
	};
	__u8 segments; /* 1: emit segment records, for the ladder */
	__u8 decap;    /* 1: look into tunnels; fixed when the programs load */
	__u8 pressure; /* percent of the table from which on what is expendable waits less; 0: none
			*/
	__u8 rst_policy; /* enum la_rst_policy; 0: observe */
	__u32 rst_limit; /* RSTs that do not fit, a second and source; 0: no limit */
};

/* Connections with an end in a net and at one of some ports; of them no RST is judged. */
struct la_guard {
	__u8 addr[16];	 /* network byte order, IPv4 mapped */
	__u8 mask[16];	 /* bits of addr that count; the others are 0 there */
	__u16 low, high; /* ports, host byte order; 0 to 65535: any */
};

#define LA_GUARDS_MAX 64

struct la_guards {
	__u32 count;
	struct la_guard of[LA_GUARDS_MAX];
};

/* What is to be done to one connection: bpf/act.bpf.h. */
struct la_asked {
	struct la_key key;
	__u64 id; /* la_conn_id() */
	__u8 act; /* enum la_act */
	__u8 arg; /* its argument */
	__u8 pad[6];
};

/* Replay: what a capture says of the packet that the programs are fed, and what they say back. */
struct la_fed {
	__u64 due;	 /* back: no clock of a flow runs out before, ns */
	__u32 wire_len;	 /* bytes that it had on the wire */
	__u32 hook;	 /* la_hook_id() */
	__be16 l3_proto; /* for the programs of devices without Ethernet header; 0: see la_parse()
			  */
	__u16 segs;	 /* wire segments that it stands for; 0: not known */
	__u8 damaged;	 /* enum la_reason: a checksum is wrong; or 0 */
	__u8 opts;	 /* LA_OPT_CUT, or 0 */
	__u8 pad[2];
};

/* Per-CPU counters, one array slot each: reasons first, then what was lost. */
enum la_lost_source {
	LA_LOST_STATE = 0, /* ring buffer full: state, rst, segment, gone records */
	LA_LOST_CLOSE,	   /* close records: no memory was left to keep them for later */
	LA_LOST_EVICTED,   /* close records of evicted attempts: the ring buffer was half full */
	LA_LOST_MAX,
};

struct la_counters {
	__u64 packets[LA_HOOK_MAX][LA_REASON_MAX]; /* by enum la_hook, enum la_reason */
	__u64 lost[LA_LOST_MAX];		   /* by enum la_lost_source */
	__u64 opened;				   /* flows created */
	__u64 gone;				   /* flows deleted */
	__u64 evicted[LA_TIMEOUT_MAX]; /* of them, to make room; by enum la_timeout, their clock */
};

#endif
