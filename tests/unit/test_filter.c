/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_filter.c - the filter language: what passes, what does not, and every error.
 *
 * The records are those of two connections: a v4 one from 10.1.2.3:40000 to
 * 192.0.2.80:443 and a v6 one from 2001:db8::1:50000 to 2001:db8:1::2:22.
 */
#include "filter.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- records ---- */

static void put_address(__u8 out[16], const char *text)
{
	__be32 v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		la_addr_map_v4(out, v4);
	else
		cr_assert_eq(inet_pton(AF_INET6, text, out), 1);
}

static struct la_rec head(enum la_record type, const char *orig, __u16 orig_port, const char *resp,
			  __u16 resp_port)
{
	struct la_rec h = {.v = LA_ABI_VERSION, .type = (__u8)type};
	__u8 a[16] __attribute__((aligned(8))), b[16] __attribute__((aligned(8)));

	put_address(a, orig);
	put_address(b, resp);
	h.orig = la_key_fill(&h.key, a, htons(orig_port), b, htons(resp_port));
	return h;
}

static struct la_rec v4_head(enum la_record type)
{
	return head(type, "10.1.2.3", 40000, "192.0.2.80", 443);
}

static struct la_rec v6_head(enum la_record type)
{
	return head(type, "2001:db8::1", 50000, "2001:db8:1::2", 22);
}

/* The responder's host has the FIN, its application does not close: 90 s, 3000 bytes, 3 again. */
static union la_any_rec a_close(void)
{
	union la_any_rec r = {.close = {.h = v4_head(LA_REC_CLOSE)}};

	r.close.duration_ns = 90 * LA_SEC_NS;
	r.close.side[LA_ORIG].state = LA_FIN_WAIT_2;
	r.close.side[LA_RESP].state = LA_CLOSE_WAIT;
	r.close.side[LA_ORIG].bytes = 1000;
	r.close.side[LA_RESP].bytes = 2000;
	r.close.side[LA_ORIG].retrans = 3;
	r.close.reason = LA_CLOSE_HALF_CLOSED_RESET;
	r.close.closed_by = LA_BY_RESP;
	r.close.conn_state = LA_CONN_RSTR;
	r.close.stage = LA_STAGE_POST_PSH;
	r.close.direction = LA_FLOW_OUT;
	return r;
}

/* The same connection in the table: it has not ended. */
static union la_any_rec a_flow(void)
{
	union la_any_rec r = a_close();

	r.close.h.type = LA_REC_FLOW;
	r.close.reason = 0;
	r.close.rst_verdict = 0;
	r.close.stage = 0;
	r.close.closed_by = LA_BY_ORIG;
	r.close.heard_ns = 30 * LA_SEC_NS;
	r.close.side[LA_RESP].in_state[LA_CLOSE_WAIT] = 60 * LA_SEC_NS;
	return r;
}

static union la_any_rec a_midstream_close(void)
{
	union la_any_rec r = a_close();

	r.close.midstream = 1;
	return r;
}

/* The responder has just come from ESTABLISHED to CLOSE_WAIT. */
static union la_any_rec a_state(void)
{
	return (union la_any_rec){.state = {.h = v4_head(LA_REC_STATE),
					    .endpoint = LA_RESP,
					    .from = LA_ESTABLISHED,
					    .to = LA_CLOSE_WAIT,
					    .state = {LA_FIN_WAIT_2, LA_CLOSE_WAIT}}};
}

static union la_any_rec a_segment(void)
{
	return (union la_any_rec){
		.segment = {.h = v4_head(LA_REC_SEGMENT), .state = {LA_SYN_SENT, LA_LISTEN}}};
}

static union la_any_rec an_rst(void)
{
	return (union la_any_rec){
		.rst = {.h = v4_head(LA_REC_RST), .state = {LA_CLOSED, LA_CLOSED}}};
}

static union la_any_rec a_gone(void)
{
	return (union la_any_rec){.gone = {.h = v4_head(LA_REC_GONE)}};
}

static union la_any_rec a_v6_state(void)
{
	return (union la_any_rec){.state = {.h = v6_head(LA_REC_STATE),
					    .to = LA_TIME_WAIT,
					    .state = {LA_TIME_WAIT, LA_CLOSED}}};
}

/* The same tuple as v4_head(), opened from the other end. */
static union la_any_rec a_turned_state(void)
{
	union la_any_rec r = a_state();

	r.state.h = head(LA_REC_STATE, "192.0.2.80", 443, "10.1.2.3", 40000);
	return r;
}

/* ---- what passes ---- */

static bool passes(const char *text, union la_any_rec rec)
{
	char err[512] = "";
	struct la_filter *filter = la_filter_parse(text, err, sizeof(err));
	bool is;

	cr_assert_not_null(filter, "'%s' does not compile:\n%s", text, err);
	is = la_filter_match(filter, &rec.h);
	la_filter_free(filter);
	return is;
}

struct expected {
	const char *text;
	bool is;
};

static void check_all(const struct expected *rows, size_t count, union la_any_rec rec)
{
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(passes(rows[i].text, rec), rows[i].is, "'%s' should %spass",
			     rows[i].text, rows[i].is ? "" : "not ");
}

Test(filter, addresses)
{
	static const struct expected rows[] = {
		{"host 10.1.2.3", true},
		{"host 192.0.2.80", true},
		{"host 10.1.2.4", false},
		{"host ::ffff:10.1.2.3", true},
		{"orig host 10.1.2.3", true},
		{"resp host 10.1.2.3", false},
		{"src host 192.0.2.80", false},
		{"dst host 192.0.2.80", true},
		{"host 2001:db8::1", false},
		{"net 10.0.0.0/8", true},
		{"net 10.1.2.2/31", true},
		{"net 10.1.2.4/31", false},
		{"net 10.1.2.3/32", true},
		{"net 0.0.0.0/0", true},
		{"net ::/0", false},
		{"net ::ffff:10.0.0.0/104", true},
		{"net ::ffff:0:0/95", false},
		{"orig net 192.0.2.0/24", false},
		{"resp net 192.0.2.0/24", true},
	};

	check_all(rows, COUNT(rows), a_state());
}

Test(filter, addresses_of_ipv6)
{
	static const struct expected rows[] = {
		{"host 2001:db8::1", true},
		{"host 2001:DB8:0::1", true},
		{"host 2001:db8:1::2", true},
		{"orig host 2001:db8:1::2", false},
		{"net 2001:db8::/32", true},
		{"net 2001:db8:1::/48", true},
		{"orig net 2001:db8:1::/48", false},
		{"net 2001:db8:2::/47", false},
		{"net 2001:db8::1/128", true},
		{"net ::/0", true},
		{"net 0.0.0.0/0", false},
		{"port 22", true},
		{"state time-wait", true},
	};

	check_all(rows, COUNT(rows), a_v6_state());
}

Test(filter, ports)
{
	static const struct expected rows[] = {
		{"port 443", true},	    {"port 40000", true},	  {"port 444", false},
		{"port 400-443", true},	    {"port 443-500", true},	  {"port 444-500", false},
		{"port 0-65535", true},	    {"sport 40000", true},	  {"sport 443", false},
		{"dport 443", true},	    {"dport 40000-40001", false}, {"orig port 40000", true},
		{"resp port 40000", false}, {"src port 443", false},	  {"dst port 443", true},
	};

	check_all(rows, COUNT(rows), a_state());
}

Test(filter, sides_follow_the_originator_and_not_the_key)
{
	static const struct expected rows[] = {
		{"orig host 192.0.2.80", true}, {"resp host 10.1.2.3", true}, {"sport 443", true},
		{"dport 443", false},		{"dport 40000", true},
	};

	check_all(rows, COUNT(rows), a_turned_state());
}

Test(filter, states)
{
	static const struct expected rows[] = {
		{"state CLOSE_WAIT", true},	 {"state close-wait", true},
		{"state Close_Wait", true},	 {"state fin-wait-2", true},
		{"state fin-wait2", true},	 {"orig state close-wait", false},
		{"resp state close-wait", true}, {"orig state fin_wait_2", true},
		{"state established", false}, /* it has left it */
		{"state estab", false},		 {"not state established", true},
		{"not state close-wait", false},
	};

	check_all(rows, COUNT(rows), a_state());
	check_all(rows, COUNT(rows), a_close());
}

Test(filter, every_state_has_its_name)
{
	char text[64];

	for (unsigned int s = 1; s < LA_STATE_MAX; s++) {
		union la_any_rec r = a_state();

		r.state.state[LA_RESP] = (__u8)s;
		snprintf(text, sizeof(text), "resp state %s", la_state_word(s));
		cr_expect(passes(text, r), "%s", text);
		r.state.state[LA_RESP] = s == 1 ? 2 : 1;
		cr_expect_not(passes(text, r), "%s", text);
	}
}

Test(filter, names_that_ss_has_for_states)
{
	static const struct {
		const char *text;
		enum la_state state;
	} rows[] = {{"state estab", LA_ESTABLISHED},	 {"state syn-recv", LA_SYN_RECEIVED},
		    {"state fin-wait-1", LA_FIN_WAIT_1}, {"state fin-wait1", LA_FIN_WAIT_1},
		    {"state fin-wait2", LA_FIN_WAIT_2},	 {"state listening", LA_LISTEN}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		union la_any_rec r = a_state();

		cr_expect_eq(passes(rows[i].text, r), rows[i].state == LA_FIN_WAIT_2, "%s",
			     rows[i].text);
		r.state.state[LA_ORIG] = (__u8)rows[i].state;
		cr_expect(passes(rows[i].text, r), "%s", rows[i].text);
	}
}

Test(filter, states_of_segments_and_resets)
{
	cr_expect(passes("orig state syn-sent", a_segment()));
	cr_expect(passes("resp state listen", a_segment()));
	cr_expect_not(passes("state established", a_segment()));
	cr_expect(passes("orig state closed and resp state closed", an_rst()));
	cr_expect_not(passes("state close-wait", an_rst()));
}

Test(filter, flows_in_the_table)
{
	static const struct expected rows[] = {
		{"state close-wait", true},
		{"orig state close-wait", false},
		{"in-state > 59s", true},
		{"resp in-state > 61s", false},
		{"idle = 60s", true},
		{"age = 90s", true},
		{"bytes > 2999", true},
		{"retrans = 3", true},
		{"closed-by orig", true},
		{"not closed-by resp", true},
		{"reason fin", false},
		{"not reason fin", false}, /* it has none yet */
		{"dport 443 and host 10.1.2.3", true},
	};
	union la_any_rec open = a_flow();

	check_all(rows, COUNT(rows), open);
	open.close.closed_by = 0;
	cr_expect_not(passes("closed-by orig", open));
	cr_expect_not(passes("not closed-by orig", open));
}

Test(filter, words_of_a_close)
{
	static const struct expected rows[] = {
		{"reason half_closed_reset", true},
		{"reason HALF-CLOSED-RESET", true},
		{"reason fin", false},
		{"not reason fin", true},
		{"closed-by resp", true},
		{"closed_by resp", true},
		{"closed-by orig", false},
		{"conn-state RSTR", true},
		{"conn-state rstr", true},
		{"conn-state SF", false},
		{"stage post_psh", true},
		{"stage later", false},
		{"direction out", true},
		{"direction in", false},
		{"not direction in", true},
		{"midstream", false},
		{"not midstream", true},
	};

	check_all(rows, COUNT(rows), a_close());
	cr_expect(passes("midstream", a_midstream_close()));
	cr_expect_not(passes("not midstream", a_midstream_close()));
}

Test(filter, numbers_of_a_close)
{
	static const struct expected rows[] = {
		{"age > 1m", true},	      {"age > 1.5m", false},
		{"age >= 1.5m", true},	      {"age = 90", true},
		{"age == 90s", true},	      {"age != 90s", false},
		{"age < 0.025h", false},      {"age <= 0.025h", true},
		{"age < 1d", true},	      {"age>89999ms", true},
		{"bytes = 3000", true},	      {"bytes = 3k", true},
		{"bytes < 3Ki", true},	      {"bytes > 3Ki", false},
		{"orig bytes = 1k", true},    {"resp bytes = 2k", true},
		{"dst bytes > 2k", false},    {"bytes < 1G", true},
		{"retrans = 3", true},	      {"resp retrans > 0", false},
		{"orig retrans != 3", false},
	};

	check_all(rows, COUNT(rows), a_close());
}

Test(filter, times_of_a_close)
{
	static const struct expected rows[] = {
		{"idle > 29s", true},
		{"idle = 30s", true},
		{"idle > 30s", false},
		{"in-state = 20s", true},
		{"resp in-state = 20s", true},
		{"orig in-state >= 20s", false},
		{"orig in-state = 19s", true},
		{"state close-wait and in-state > 10", true},
		{"resp state close-wait and resp in-state > 20", false},
	};
	union la_any_rec r = a_close();

	r.close.heard_ns = 60 * LA_SEC_NS;
	r.close.side[LA_ORIG].in_state[LA_FIN_WAIT_2] = 19 * LA_SEC_NS;
	r.close.side[LA_RESP].in_state[LA_CLOSE_WAIT] = 20 * LA_SEC_NS;
	check_all(rows, COUNT(rows), r);
}

Test(filter, numbers_of_packets)
{
	static const struct expected rows[] = {
		{"packets = 12", true},	      {"pkts > 11", true},	{"orig packets = 5", true},
		{"resp packets ge 8", false}, {"resp pkts lt 8", true}, {"packets neq 12", false},
	};
	union la_any_rec r = a_close();

	r.close.side[LA_ORIG].pkts = 5;
	r.close.side[LA_RESP].pkts = 7;
	check_all(rows, COUNT(rows), r);
}

Test(filter, numbers_of_a_gone)
{
	static const struct expected rows[] = {
		{"age = 90s", true},	    {"idle = 60s", true},      {"bytes = 30", true},
		{"resp packets = 4", true}, {"conn-state SF", true},   {"conn-state S0", false},
		{"reason fin", false},	    {"not reason fin", false},
	};
	union la_any_rec r = a_gone();

	r.h.ts = 100 * LA_SEC_NS;
	r.gone.zeek = (struct la_rec_zeek){.start = 10 * LA_SEC_NS,
					   .heard_ns = 30 * LA_SEC_NS,
					   .bytes = {10, 20},
					   .pkts = {3, 4},
					   .conn_state = LA_CONN_SF};
	check_all(rows, COUNT(rows), r);
}

Test(filter, evidence_of_forging)
{
	union la_any_rec rst = an_rst(), close = a_close(), gone = a_gone();

	cr_expect(passes("not forged", rst) && !passes("forged", rst));
	cr_expect(passes("not forged", close) && passes("not forged", gone));
	rst.rst.forged = close.close.forged = gone.gone.forged = 1;
	cr_expect(passes("forged", rst) && !passes("not forged", rst));
	cr_expect(passes("forged", close) && passes("forged", gone));
}

static const char *name_of(__u32 ifindex, void *ctx)
{
	cr_assert_str_eq(ctx, "names");
	return ifindex == 2 ? "eth0" : NULL;
}

/* With names for interfaces. */
static bool passes_named(const char *text, __u32 ifindex)
{
	static char ctx[] = "names";
	char err[512];
	struct la_filter *filter = la_filter_parse(text, err, sizeof(err));
	union la_any_rec r = a_state();
	bool is;

	cr_assert(filter, "%s", err);
	la_filter_ifnames(filter, name_of, ctx);
	r.h.ifindex = ifindex;
	is = la_filter_match(filter, &r.h);
	la_filter_free(filter);
	return is;
}

Test(filter, interfaces)
{
	cr_expect(passes_named("iface eth0", 2) && passes_named("dev = eth0", 2));
	cr_expect(passes_named("ifname eth0 or interface eth1", 2));
	cr_expect(passes_named("not iface eth1", 2) && passes_named("iface != eth1", 2));
	cr_expect_not(passes_named("iface eth1", 2));
	cr_expect_not(passes_named("iface eth", 2));
	/* no name is known, or there is no interface: a capture */
	cr_expect_not(passes_named("iface eth0", 3) || passes_named("not iface eth0", 3));
	cr_expect_not(passes_named("iface eth0", 0) || passes_named("not iface eth0", 0));
	la_filter_ifnames(NULL, name_of, NULL);
}

/* At the originator a worker of nginx, at the responder nobody who is known. */
static void owned(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)rec;
	cr_assert_str_eq(ctx, "owners");
	own[LA_ORIG] = (struct la_owned){
		.pid = 123, .comm = "nginx: w", .cgroup = "/system.slice/nginx.service"};
	own[LA_RESP] = (struct la_owned){.pid = 0};
}

static bool passes_owned(const char *text, la_owners_fn of)
{
	static char ctx[] = "owners";
	char err[512];
	struct la_filter *filter = la_filter_parse(text, err, sizeof(err));
	union la_any_rec r = a_state();
	bool is;

	cr_assert(filter, "%s", err);
	la_filter_owners(filter, of, ctx);
	is = la_filter_match(filter, &r.h);
	la_filter_free(filter);
	return is;
}

Test(filter, owners)
{
	static const struct {
		const char *text;
		bool passes;
	} rows[] = {
		{"pid 123", true},
		{"orig pid = 123", true},
		{"pid != 124", true},
		{"pid 12", false},
		{"resp pid 123", false},
		{"not resp pid 123", false}, /* nobody is known there */
		{"comm nginx*", true},
		{"comm *w", true},
		{"comm n*g*x*w", true},
		{"comm nginx", false},
		{"comm != nginx", true},
		{"not comm nginx*", false},
		{"cgroup system.slice/nginx.service", true},
		{"cgroup /system.slice/nginx.service", true},
		{"cgroup system.slice", true},
		{"cgroup /", false},
		{"cgroup system.sl", false},
		{"cgroup */nginx.*", true},
		{"cgroup user.slice", false},
		{"cgroup != user.slice", true},
		{"src cgroup *slice and orig comm nginx*", true},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(passes_owned(rows[i].text, owned), rows[i].passes, "%s", rows[i].text);
	cr_expect_not(passes_owned("pid 123", NULL) || passes_owned("not pid 123", NULL));
	la_filter_owners(NULL, owned, NULL);
}

Test(filter, as_in_ss_and_tcpdump)
{
	static const struct expected rows[] = {
		{"dport = :443", true},
		{"dport eq 443", true},
		{"dport ne :443", false},
		{"sport != 443", true},
		{"port != 443", false},
		{"dport > 442 and dport < 444", true},
		{"dport >= :443", true},
		{"dport le 442", false},
		{"dport > 443", false},
		{"port > 65535", false},
		{"port < 0", false},
		{"port <= 65535 and port >= 0", true},
		{"sport gt 1024", true},
		{"portrange 440-450", true},
		{"port != 440-450", false},
		{"src 10.1.2.3", true},
		{"dst 10.1.2.3", false},
		{"dst 192.0.2.0/24 and src 10.0.0.0/8", true},
		{"src ::1", false},
		{"host = 10.1.2.3", true},
		{"host != 10.1.2.3", false},
		{"state != established", true},
		{"state = close-wait", true},
		{"state connected", true},
		{"state synchronized", true},
		{"tcp port 443", true},
		{"tcp and not port 443", false},
		{"ip and host 10.1.2.3", true},
		{"ip6", false},
		{"not ip6", true},
	};
	union la_any_rec r = a_segment();

	check_all(rows, COUNT(rows), a_state());
	cr_expect(passes("orig state connected", r) && !passes("resp state connected", r));
	cr_expect_not(passes("state synchronized", r));
	cr_expect(passes("ip6", a_v6_state()) && passes("src 2001:db8::1", a_v6_state()));
	cr_expect_not(passes("ip", a_v6_state()));
}

Test(filter, names_of_services)
{
	const struct servent *https = getservbyname("https", "tcp");
	char err[512];

	if (https && ntohs((__u16)https->s_port) == 443)
		cr_expect(passes("dport https", a_state()) && passes("dport = :https", a_state()));
	else /* no such list on this machine: then it is no port */
		cr_expect_null(la_filter_parse("dport https", err, sizeof(err)));
}

Test(filter, what_a_record_does_not_have_is_unknown)
{
	static const struct expected rows[] = {
		{"reason fin", false},
		{"not reason fin", false},
		{"not not reason fin", false},
		{"midstream", false},
		{"not midstream", false},
		{"not retrans > 0", false},
		{"not stage later", false},
		{"port 443 and reason fin", false},
		{"port 443 or reason fin", true},
		{"reason fin or port 443", true},
		{"not (port 80 and reason fin)", true},
		{"not (port 443 and reason fin)", false},
		{"not (port 443 or reason fin)", false},
	};

	static const struct expected of_state[] = {
		{"age < 1d", false},	     {"not age < 1d", false},
		{"idle < 1d", false},	     {"not idle < 1d", false},
		{"not bytes > 0", false},    {"not packets > 0", false},
		{"in-state < 1d", false},    {"not in-state < 1d", false},
		{"forged", false},	     {"not forged", false},
		{"not iface eth0", false},   {"iface eth0", false},
		{"conn-state != SF", false}, {"conn-state = SF", false},
	};

	check_all(rows, COUNT(rows), a_state());
	check_all(of_state, COUNT(of_state), a_state());
	check_all(rows, COUNT(rows), a_gone());
	cr_expect_not(passes("state close-wait", a_gone()));
	cr_expect_not(passes("not state close-wait", a_gone()));
}

Test(filter, operators)
{
	static const struct expected rows[] = {
		{"port 443 and state close-wait", true},
		{"port 443 and state closed", false},
		{"port 443 && state close-wait", true},
		{"port 443 state close-wait", true},
		{"port 443 state closed", false},
		{"port 80 or port 443", true},
		{"port 80 || port 443", true},
		{"port 80 or port 81", false},
		{"not port 80", true},
		{"!port 80", true},
		{"! port 443", false},
		{"not not port 443", true},
		{"!!!port 443", false},
		{"NOT port 80 AND port 443 OR port 80", true},
		/* and binds tighter than or, also when it is left out */
		{"port 443 or port 443 and port 80", true},
		{"port 80 and port 80 or port 443", true},
		{"port 443 or port 443 port 80", true},
		{"(port 443 or port 443) and port 80", false},
		{"not port 80 or port 443", true},
		{"not (port 80 or port 443)", false},
		{"not(port 80)and(port 443)", true},
		{"((((port 443))))", true},
		{"port 443 (port 80 or port 443)", true},
		{"\tport\n443 ", true},
	};

	check_all(rows, COUNT(rows), a_state());
}

Test(filter, example_of_the_contract)
{
	const char *text = "state close-wait and dport 443 and net 10.0.0.0/8 and age > 10m";
	union la_any_rec r = a_close();

	cr_expect_not(passes(text, r));
	r.close.duration_ns = 601 * LA_SEC_NS;
	cr_expect(passes(text, r));
}

Test(filter, nothing_passes_everything)
{
	union la_any_rec r = a_gone();

	cr_expect(passes("", r));
	cr_expect(passes(" \t\n", r));
	cr_expect(la_filter_match(NULL, &r.h));
}

/* ---- errors ---- */

struct error_row {
	const char *text;
	unsigned int column;
	const char *says;
};

/* The caret stands under the column: below the character that the message names. */
static void check_caret(const char *err, const char *text, unsigned int column)
{
	const char *line = strchr(err, '\n'), *caret;

	cr_assert_not_null(line, "'%s': one line only: %s", text, err);
	cr_expect_eq(strncmp(line + 1, "  ", 2), 0);
	cr_expect_eq(strncmp(line + 3, text, strlen(text)), 0, "'%s' is not repeated", text);
	caret = strchr(line + 1, '\n');
	cr_assert_not_null(caret);
	caret++;
	cr_expect_eq(strspn(caret, " "), column - 1 + 2, "'%s': caret at %zu", text,
		     strspn(caret, " "));
	cr_expect_str_eq(caret + strspn(caret, " "), "^");
}

static void check_error(const struct error_row *row)
{
	char err[1024] = "", column[32];
	struct la_filter *filter = la_filter_parse(row->text, err, sizeof(err));

	cr_expect_null(filter, "'%s' compiles", row->text);
	la_filter_free(filter);
	snprintf(column, sizeof(column), "column %u: ", row->column);
	cr_expect_eq(strncmp(err, column, strlen(column)), 0, "'%s': %s", row->text, err);
	cr_expect_not_null(strstr(err, row->says), "'%s' does not say '%s': %s", row->text,
			   row->says, err);
	check_caret(err, row->text, row->column);
}

Test(filter, errors)
{
	static const struct error_row rows[] = {
		/* words */
		{"prot 80", 1, "not 'prot'; did you mean 'port'?"},
		{"port 80 adn port 81", 9, "did you mean 'and'?"},
		{"port 80 xyzzy", 9, "a term was expected, not 'xyzzy'\n"},
		{"hots 10.0.0.1", 1, "did you mean 'host'?"},
		{"closed_bye orig", 1, "did you mean 'closed-by'?"},
		{"and port 80", 1, "a term was expected, not 'and'\n"},
		{"port 80 and or port 81", 13, "a term was expected, not 'or'\n"},
		{"port 80 & port 81", 9, "not '&'"},
		{"port 80 > 3", 9, "not '>'"},
		{"10.0.0.1", 1, "not '10.0.0.1'"},
		/* ends */
		{"port 80 and", 12, "a term was expected here"},
		{"port 80 or ", 12, "a term was expected here"},
		{"not", 4, "a term was expected here"},
		{"orig", 5, "a term was expected here"},
		{"!", 2, "a term was expected here"},
		/* parentheses */
		{"(port 80", 9, "the '(' of column 1 is not closed"},
		{"port 80 and (port 81 or (port 82)", 34, "the '(' of column 13 is not closed"},
		{"port 80)", 8, "this ')' closes nothing"},
		{"()", 2, "not ')'"},
		{")", 1, "not ')'"},
		/* bindings */
		{"orig age > 3s", 1, "age cannot be bound to a side"},
		{"port 1 and resp dport 80", 12, "dport cannot be bound to a side"},
		{"src reason fin", 1, "reason cannot be bound to a side"},
		{"orig midstream", 1, "midstream cannot be bound to a side"},
		{"orig (port 80)", 6, "not '('"},
		{"orig not port 80", 6, "not 'not'"},
		{"orig resp port 80", 6, "not 'resp'"},
		/* addresses */
		{"host", 5, "host needs an IP address"},
		{"host localhost", 6, "'localhost' after host is not an IP address"},
		{"host 10.0.0", 6, "'10.0.0' after host"},
		{"host 10.0.0.256", 6, "'10.0.0.256' after host"},
		{"host 10.0.0.0/8", 6, "'10.0.0.0/8' after host"},
		{"host 2001:db8::1::2", 6, "after host is not"},
		{"net 10.0.0.0", 5, "'10.0.0.0' after net is not an address and a prefix length"},
		{"net 10.0.0.0/33", 5, "'10.0.0.0/33' after net"},
		{"net 10.0.0.0/", 5, "'10.0.0.0/' after net"},
		{"net 10.0.0.0/8x", 5, "'10.0.0.0/8x' after net"},
		{"net 10.0.0.0/-1", 5, "after net"},
		{"net 2001:db8::/129", 5, "after net"},
		{"net x/8", 5, "after net"},
		{"net", 4, "net needs an address and a prefix length"},
		/* ports */
		{"port", 5, "port needs a port of 0 to 65535"},
		{"port nosuchservice", 6, "'nosuchservice' after port is not a port"},
		{"port > 80-90", 8, "'80-90' after port is not a port"},
		{"port >", 7, "port needs a port"},
		{"port > < 80", 8, "'<' after port"},
		/* interfaces */
		{"iface", 6, "iface needs the name of an interface"},
		{"iface a-name-that-is-too-long", 7, "is not the name of an interface"},
		/* an address that no field stands before */
		{"src 10.0.0.256", 5, "'10.0.0.256' after host is not an IP address"},
		{"dst 10.0.0.0/33", 5, "'10.0.0.0/33' after net"},
		{"src 443", 5, "a term was expected, not '443'"},
		/* times */
		{"idle 10m", 6, "'10m' after idle is not a comparison with a duration"},
		{"in-state > soon", 12, "'soon' after in-state"},
		{"resp idle > 10m", 1, "idle cannot be bound to a side"},
		{"packtes > 3", 1, "did you mean 'packets'?"},
		{"forgd", 1, "did you mean 'forged'?"},
		{"port 65536", 6, "'65536' after port"},
		{"port 99999999999999999999999", 6, "after port is not"},
		{"port 80-", 6, "'80-' after port"},
		{"port -80", 6, "'-80' after port"},
		{"port 81-80", 6, "'81-80' after port"},
		{"port 1-2-3", 6, "'1-2-3' after port"},
		{"port (80)", 6, "'(' after port"},
		{"dport x", 7, "'x' after dport"},
		/* words of lists */
		{"state", 6, "state needs one of: closed listen syn-sent"},
		{"state closewait", 7, "did you mean 'close-wait'?"},
		{"state FIN_WAIT", 7, "did you mean 'fin-wait-1'?"},
		{"state open", 7, "'open' after state is not one of: closed listen"},
		{"reason rst", 8, "after reason is not one of: fin simultaneous-fin reset"},
		{"reason timeuot", 8, "did you mean 'timeout'?"},
		{"closed-by client", 11, "one of: orig resp both none policy"},
		{"conn-state SX", 12, "'SX' after conn-state"},
		{"stage post-sin", 7, "did you mean 'post-syn'?"},
		/* numbers */
		{"age", 4, "age needs a comparison with a duration"},
		{"age 10m", 5, "'10m' after age is not a comparison"},
		{"age >", 6, "age needs a comparison"},
		{"age > 10x", 7, "'10x' after age"},
		{"age > -1", 7, "'-1' after age"},
		{"age > 1.", 7, "'1.' after age"},
		{"age > 99999999999999999999d", 7, "after age is not"},
		{"age => 3", 6, "'>' after age"},
		{"bytes > 10q", 9, "'10q' after bytes"},
		{"bytes > 99999999999999999999", 9, "after bytes is not"},
		{"bytes ! 3", 7, "'!' after bytes"},
		{"retrans", 8, "retrans needs a comparison with a number"},
		{"orig retrans > x", 16, "'x' after retrans"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check_error(&rows[i]);
}

/* Fills text with count copies of a piece. */
static void repeat(char *text, size_t size, const char *piece, unsigned int count)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_lt(used + strlen(piece), size);
		used += (size_t)snprintf(text + used, size - used, "%s", piece);
	}
}

static void expect_error_starts(const char *text, const char *start)
{
	char err[1024];

	cr_expect_null(la_filter_parse(text, err, sizeof(err)));
	cr_expect_eq(strncmp(err, start, strlen(start)), 0, "%s", err);
}

Test(filter, bounds)
{
	char text[2 * LA_FILTER_TEXT_MAX];
	char deep[4 * LA_FILTER_DEPTH_MAX];

	/* n terms are n steps and n - 1 operators */
	repeat(text, sizeof(text), "port 443 ", LA_FILTER_STEPS_MAX / 2);
	cr_expect(passes(text, a_state()));
	repeat(text, sizeof(text), "port 443 ", LA_FILTER_STEPS_MAX / 2 + 1);
	expect_error_starts(text, "column 1162: the filter has too many terms");

	repeat(deep, sizeof(deep), "(", LA_FILTER_DEPTH_MAX);
	snprintf(text, sizeof(text), "%sport 443", deep);
	repeat(deep, sizeof(deep), ")", LA_FILTER_DEPTH_MAX);
	strcat(text, deep);
	cr_expect(passes(text, a_state()));
	repeat(text, sizeof(text), "(", LA_FILTER_DEPTH_MAX + 1);
	expect_error_starts(text, "column 33: too many parentheses within parentheses");

	repeat(text, sizeof(text), " ", LA_FILTER_TEXT_MAX);
	cr_expect(passes(text, a_state()));
	repeat(text, sizeof(text), " ", LA_FILTER_TEXT_MAX + 1);
	expect_error_starts(text, "column 4097: the filter is too long");
}

Test(filter, a_long_text_is_shown_around_the_column)
{
	char text[400], err[1024];
	const char *line, *caret;

	repeat(text, sizeof(text), "port 80 or ", 20);
	strcat(text, "prot 80");
	repeat(text + strlen(text), sizeof(text) - strlen(text), " or port 80", 10);
	cr_expect_null(la_filter_parse(text, err, sizeof(err)));
	cr_expect_eq(strncmp(err, "column 221: ", 12), 0, "%s", err);
	line = strchr(err, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	cr_expect_lt(caret - line, 80);
	cr_expect_eq(strncmp(line + strspn(caret, " "), "prot", 4), 0, "%s", err);
}

Test(filter, an_error_never_overruns_its_buffer)
{
	char err[64];

	for (size_t size = 1; size < sizeof(err); size++) {
		memset(err, 'x', sizeof(err));
		cr_expect_null(la_filter_parse("state closewait", err, size));
		cr_expect_lt(strnlen(err, size), size);
		cr_expect_eq(err[size], 'x');
	}
}

Test(filter, bytes_that_do_not_print_are_blank_in_an_error)
{
	char err[512];

	cr_expect_null(la_filter_parse("port 80\tand \033[31m", err, sizeof(err)));
	cr_expect_null(strchr(err, '\033'));
	cr_expect_null(strchr(err, '\t'));
}

Test(filter, what_begins_a_filter)
{
	static const struct expected rows[] = {
		{"port", true},	   {"port 80 and host 1.2.3.4", true},
		{"(port", true},   {"!port", true},
		{"not", true},	   {"orig", true},
		{"DPORT", true},   {"capture.pcap", false},
		{"./port", false}, {"port.pcap", false},
		{"and", false},	   {"", false},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(la_filter_begins(rows[i].text), rows[i].is, "'%s'", rows[i].text);
}
