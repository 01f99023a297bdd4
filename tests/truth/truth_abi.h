/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * truth_abi.h - what the truth lab's BPF programs and their drivers share: what the kernels
 * do with their sockets (truth_kernel.bpf.c), and what the cables do with the segments
 * (truth_net.bpf.c).
 */
#ifndef LA_TRUTH_ABI_H
#define LA_TRUTH_ABI_H

#include "la_types.h"

/* What happened to a socket, a request (before the third ACK) or a time-wait socket. */
enum la_kernel_kind {
	LA_KERNEL_SOCK = 1,   /* `from` to `to`, both TCP_* of the kernel */
	LA_KERNEL_REQ_START,  /* a request waits for its ACK, or its timer was wound up again */
	LA_KERNEL_REQ_CANCEL, /* its timer was stopped, or ran out */
	LA_KERNEL_REQ_EXPIRE, /* it ran out */
	LA_KERNEL_TW_START,   /* a time-wait socket in substate `to` */
	LA_KERNEL_TW_CANCEL,
	LA_KERNEL_TW_EXPIRE,
	LA_KERNEL_RST_IN,  /* a RST was accepted */
	LA_KERNEL_RST_OUT, /* a RST was sent for a socket */
};

struct la_kernel_event {
	__u64 ts;     /* ns, CLOCK_MONOTONIC */
	__u64 object; /* of the socket, or of the timer */
	__u16 lport;  /* host byte order */
	__u16 rport;
	__u8 host; /* 0: client, 1: server */
	__u8 kind; /* enum la_kernel_kind */
	__u8 from;
	__u8 to;
	__u32 error; /* sk_err of a socket: ETIMEDOUT if it gave up */
	__u32 isn;   /* that a request offers, whose memory the next one may get at once */
};

/* Where the cables act: what an interface sends, after every hook of an observer there. */
enum la_net_point {
	LA_NET_CLIENT = 0, /* the client's eth0: client -> middle */
	LA_NET_LEFT,	   /* the router's left: middle -> client */
	LA_NET_RIGHT,	   /* the router's right: middle -> server */
	LA_NET_SERVER,	   /* the server's eth0: server -> middle */
	LA_NET_POINTS,
};

/* Which segment a rule is aimed at. */
enum la_net_aim {
	LA_AIM_ANY = 1,
	LA_AIM_SYN,
	LA_AIM_SYN_ACK,
	LA_AIM_ACK, /* carries nothing but its ACK; the client's first one is the third segment */
	LA_AIM_DATA,
	LA_AIM_FIN,
	LA_AIM_ACK_AFTER_FIN, /* an ACK, after the other way's FIN went through here */
	LA_AIM_RST,
	LA_AIM_MAX,
};

enum la_net_action {
	LA_NET_PASS = 0,
	LA_NET_DROP,
	LA_NET_DELAY,
	LA_NET_DOUBLE, /* passes, and a copy comes later */
};

struct la_net_rule {
	__u8 aim;      /* enum la_net_aim; 0: no rule */
	__u8 point;    /* enum la_net_point */
	__u8 action;   /* enum la_net_action */
	__u8 in_order; /* LA_NET_DELAY: what comes behind it waits, too */
	__u32 left;    /* how many more segments it takes */
	__u32 us;      /* delay */
};

#define LA_NET_RULES 4

/* The rules of one connection, by its ports in host byte order. */
struct la_net_pair {
	__u16 client;
	__u16 server;
};

struct la_net_rules {
	struct la_net_rule rule[LA_NET_RULES];
};

/* What happens to a segment without a rule, in parts of a million. */
struct la_net_weather {
	__u64 seed;
	__u32 loss;
	__u32 twice;
	__u32 late;
	__u32 late_us; /* at most */
};

/* A segment as it came to an interface to be sent. */
struct la_net_log {
	__u64 ts;  /* ns, CLOCK_MONOTONIC */
	__u64 out; /* when the cable lets it go; 0: never */
	struct la_net_pair pair;
	__u32 seq;
	__u32 ack;
	__u32 len; /* payload */
	__u16 win;
	__u8 flags;
	__u8 point;  /* enum la_net_point */
	__u8 action; /* enum la_net_action */
	__u8 pad[3];
};

#define LA_NET_FRAME_MAX 1600

/* A frame that is kept back; if all of it is, it is logged when it goes. */
struct la_net_frame {
	struct la_net_log log;
	__u64 due; /* ns, CLOCK_MONOTONIC */
	__u32 len;
	__u32 point;
	__u8 data[LA_NET_FRAME_MAX];
};

#endif
