// SPDX-License-Identifier: GPL-2.0-only
/*
 * truth_kernel.bpf.c - the kernel's own word on the state of its sockets.
 *
 * inet_sock_set_state tells of full sockets. Before the third ACK there is only a request,
 * and after the handover only a time-wait socket; neither is in that tracepoint, but each
 * has a timer that is started, stopped and expires, and the timer lies in the mini socket.
 * Only the two hosts of the lab are listened to, known by their network namespaces.
 */
#include "truth_abi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define CORE __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

typedef struct {
	struct net *net;
} CORE possible_net_t;

struct sock_common {
	__be16 skc_dport;
	__u16 skc_num;
	possible_net_t skc_net;
} CORE;

struct sock {
	struct sock_common __sk_common;
	int sk_err;
} CORE;

/* The port of a socket that is closing is no longer in skc_num, but still here. */
struct inet_sock {
	__be16 inet_sport;
} CORE;

struct timer_list {
	void (*function)(struct timer_list *timer);
} CORE;

struct request_sock {
	struct sock_common __req_common;
	struct timer_list rsk_timer;
} CORE;

struct tcp_request_sock {
	__u32 snt_isn;
} CORE;

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	struct timer_list tw_timer;
} CORE;

extern const void reqsk_timer_handler __ksym;
extern const void tw_timer_handler __ksym;

/* Network namespaces of the client and the server, by inode number. */
const volatile __u32 hosts[2];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024);
} events SEC(".maps");

/* Events that found no room: the truth would have holes. */
__u64 lost;

struct what {
	__u8 kind, from, to;
	__u32 error, isn;
};

static __always_inline void tell(const void *common, const void *object, __u16 lport,
				 struct what what)
{
	const struct sock_common *sk = common;
	__u32 inum = BPF_CORE_READ(sk, skc_net.net, ns.inum);
	struct la_kernel_event *e;

	if (inum != hosts[0] && inum != hosts[1])
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	e->ts = bpf_ktime_get_ns();
	e->object = (__u64)object;
	e->lport = lport ? lport : BPF_CORE_READ(sk, skc_num);
	e->rport = bpf_ntohs(BPF_CORE_READ(sk, skc_dport));
	e->host = inum == hosts[1];
	e->kind = what.kind;
	e->from = what.from;
	e->to = what.to;
	e->error = what.error;
	e->isn = what.isn;
	bpf_ringbuf_submit(e, 0);
}

static __always_inline void tell_sock(const struct sock *sk, __u8 kind, __u8 from, __u8 to)
{
	const struct inet_sock *inet = (const void *)sk;
	__u16 lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));

	tell(&sk->__sk_common, sk, lport,
	     (struct what){kind, from, to, (__u32)BPF_CORE_READ(sk, sk_err), 0});
}

/* A timer of ours? The mini socket around it is told of. */
static __always_inline void tell_timer(const struct timer_list *timer, __u8 req, __u8 tw)
{
	const void *function = (const void *)timer->function;
	const char *at = (const char *)timer;

	if (function == &reqsk_timer_handler) {
		const struct tcp_request_sock *tcp;

		at -= bpf_core_field_offset(struct request_sock, rsk_timer);
		tcp = (const void *)at;
		tell(at + bpf_core_field_offset(struct request_sock, __req_common), timer, 0,
		     (struct what){req, 0, 0, 0, BPF_CORE_READ(tcp, snt_isn)});
	} else if (function == &tw_timer_handler) {
		const struct inet_timewait_sock *sk;

		at -= bpf_core_field_offset(struct inet_timewait_sock, tw_timer);
		sk = (const void *)at;
		tell(at + bpf_core_field_offset(struct inet_timewait_sock, __tw_common), timer, 0,
		     (struct what){tw, 0, BPF_CORE_READ(sk, tw_substate), 0, 0});
	}
}

/*
 * An interrupt may come while one of these programs runs, and the kernel lets no program
 * nest in itself: what happens in the interrupt would be lost. So each is attached twice;
 * the second copy tells then. Twice told, which is the rule, does no harm (kernel.c).
 */
#define TWICE(name, tracepoint, ...)                                                               \
	SEC("tp_btf/" tracepoint) int name(__u64 *ctx)                                             \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/" tracepoint) int name##_again(__u64 *ctx)                                     \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
		return 0;                                                                          \
	}

#define SOCK  ((const struct sock *)ctx[0])
#define TIMER ((const struct timer_list *)ctx[0])

TWICE(kernel_state, "inet_sock_set_state", tell_sock(SOCK, LA_KERNEL_SOCK, ctx[1], ctx[2]))
TWICE(kernel_rst_in, "tcp_receive_reset", tell_sock(SOCK, LA_KERNEL_RST_IN, 0, 0))
TWICE(kernel_rst_out, "tcp_send_reset", if (SOCK) tell_sock(SOCK, LA_KERNEL_RST_OUT, 0, 0))
TWICE(kernel_start, "timer_start", tell_timer(TIMER, LA_KERNEL_REQ_START, LA_KERNEL_TW_START))
TWICE(kernel_cancel, "timer_cancel", tell_timer(TIMER, LA_KERNEL_REQ_CANCEL, LA_KERNEL_TW_CANCEL))
TWICE(kernel_expire, "timer_expire_entry",
      tell_timer(TIMER, LA_KERNEL_REQ_EXPIRE, LA_KERNEL_TW_EXPIRE))

char LICENSE[] SEC("license") = "GPL";
