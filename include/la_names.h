/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_names.h - every word that lastack says, once.
 *
 * Each list is an X-macro: X(SYMBOL, "word", "text"). The enum, the word that appears in
 * JSON and metric labels, and the text for people all come from the one row. Zero is never
 * a valid value of these enums, so memory that nobody filled in cannot pass for an answer.
 */
#ifndef LA_NAMES_H
#define LA_NAMES_H

#include "la_types.h"

/* RFC 9293 3.3.2: the states of an endpoint. */
#define LA_STATES(X)                                                                               \
	X(CLOSED, "CLOSED", "no connection")                                                       \
	X(LISTEN, "LISTEN", "waits for a connection request")                                      \
	X(SYN_SENT, "SYN_SENT", "asked for a connection, waits for the answer")                    \
	X(SYN_RECEIVED, "SYN_RECEIVED", "answered a request, waits for its ACK")                   \
	X(ESTABLISHED, "ESTABLISHED", "open, data flows")                                          \
	X(FIN_WAIT_1, "FIN_WAIT_1", "sent its FIN, waits for the ACK")                             \
	X(FIN_WAIT_2, "FIN_WAIT_2", "its FIN is acknowledged, waits for the peer's FIN")           \
	X(CLOSE_WAIT, "CLOSE_WAIT", "got the peer's FIN, its application has not closed yet")      \
	X(CLOSING, "CLOSING", "both sent a FIN at once, waits for the ACK of its own")             \
	X(LAST_ACK, "LAST_ACK", "closed after the peer, waits for the last ACK")                   \
	X(TIME_WAIT, "TIME_WAIT", "closed first, waits 2MSL for stray segments")

/* How lastack knows a transition (design: what the tracker says of an endpoint). */
#define LA_CERTAINTIES(X)                                                                          \
	X(SEEN, "seen", "a segment that this endpoint sent proves it")                             \
	X(PRESUMED, "presumed", "a segment to this endpoint should have caused it")                \
	X(CORRECTED, "corrected", "a presumption failed, the state went back")                     \
	X(TIMER, "timer", "a clock ran out")

#define LA_CAUSES(X)                                                                               \
	X(SYN, "syn", "SYN")                                                                       \
	X(SYN_ACK, "syn_ack", "SYN-ACK")                                                           \
	X(ACK, "ack", "ACK")                                                                       \
	X(FIN, "fin", "FIN")                                                                       \
	X(RST, "rst", "RST")                                                                       \
	X(ICMP, "icmp", "ICMP error")                                                              \
	X(TIMEOUT, "timeout", "timeout")                                                           \
	X(POLICY, "policy", "policy")

/* Why a connection ended: the `reason` of its close record. */
#define LA_CLOSE_REASONS(X)                                                                        \
	X(FIN, "fin", "closed in order")                                                           \
	X(SIMULTANEOUS_FIN, "simultaneous_fin", "both closed at once")                             \
	X(RESET, "reset", "reset")                                                                 \
	X(HALF_CLOSED_RESET, "half_closed_reset", "reset after one side had closed")               \
	X(REFUSED, "refused", "refused")                                                           \
	X(UNREACHABLE, "unreachable", "unreachable")                                               \
	X(TIMEOUT, "timeout", "timed out")                                                         \
	X(REPLACED, "replaced", "replaced by a new connection")                                    \
	X(EVICTED, "evicted", "evicted from a full table")                                         \
	X(POLICY, "policy", "ended by policy")                                                     \
	X(SHUTDOWN, "shutdown", "still open when lastack stopped")

#define LA_CLOSERS(X)                                                                              \
	X(ORIG, "orig", "the originator")                                                          \
	X(RESP, "resp", "the responder")                                                           \
	X(BOTH, "both", "both at once")                                                            \
	X(NONE, "none", "nobody")                                                                  \
	X(POLICY, "policy", "policy")

/* Which way the originator's segments pass the interface that counts them. */
#define LA_FLOW_DIRECTIONS(X)                                                                      \
	X(IN, "in", "it is beyond the interface")                                                  \
	X(OUT, "out", "it is this host, or behind it")

/* RST against the receiver's RCV.NXT: RFC 9293 3.10.7, RFC 5961 3.2. */
#define LA_RST_VERDICTS(X)                                                                         \
	X(EXACT, "exact", "at the next expected sequence: closes both halves")                     \
	X(IN_WINDOW, "in_window", "in the window, not exact: the receiver challenges it")          \
	X(OUT_OF_WINDOW, "out_of_window", "outside the window: the receiver drops it")             \
	X(SYN_SENT_ACK_OK, "syn_sent_ack_ok", "acknowledges the SYN: the attempt is refused")      \
	X(SYN_SENT_ACK_BAD, "syn_sent_ack_bad", "does not acknowledge the SYN: dropped")           \
	X(AFTER_CLOSE, "after_close", "the connection had already ended")                          \
	X(NO_FLOW, "no_flow", "belongs to no connection")

/* What becomes of RSTs that their receivers would not act on, or that are forged. */
#define LA_RST_POLICIES(X)                                                                         \
	X(OBSERVE, "observe", "they pass")                                                         \
	X(DRY_RUN, "dry-run", "they pass, and their records say that they would not")              \
	X(STRICT, "strict", "they are dropped")                                                    \
	X(CHALLENGE, "challenge", "they are dropped, and who they name is asked")

/* The rule by which a RST does not pass: la_rst_policy.h. */
#define LA_RST_RULES(X)                                                                            \
	X(STRICT, "strict", "its receiver would not act on it, or it is proven forged")            \
	X(LIMIT, "limit", "its source has sent too many that did not fit")

/* How far a connection had come when it was cut (Sundara Raman et al., SIGCOMM 2023). */
#define LA_STAGES(X)                                                                               \
	X(POST_SYN, "post_syn", "before the handshake was complete")                               \
	X(POST_ACK, "post_ack", "after the handshake, before any data of the originator")          \
	X(POST_PSH, "post_psh", "after the originator's first data segment")                       \
	X(LATER, "later", "after more data")

/*
 * Evidence that a RST was not sent by the endpoint it names (Weaver et al., NDSS 2009).
 * X(SYMBOL, STRENGTH, "word", "text"); the text names the innocent cause that is left.
 */
#define LA_EVIDENCE(X)                                                                             \
	X(SENDS_ON, STRONG, "sends_on", "the sender goes on after its RST; no host does")          \
	X(SECOND_RST, STRONG, "second_rst",                                                        \
	  "a second RST with numbers that answer no segment; no host sends such")                  \
	X(SEQ_TRAILS, FAIR, "seq_trails",                                                          \
	  "its number lies below the sender's data; or it answers what was not seen")              \
	X(SEQ_JUMPS, WEAK, "seq_jumps",                                                            \
	  "its number lies beyond the sender's data; or data before it was lost")                  \
	X(TTL, WEAK, "ttl", "it comes from another distance; or the route has changed")            \
	X(BOTH_SIDES, FAIR, "both_sides",                                                          \
	  "RSTs to both sides at once; or both ends gave up at once")

/* How much a piece of evidence is worth. */
#define LA_STRENGTHS(X)                                                                            \
	X(WEAK, "weak", "an innocent cause is as likely")                                          \
	X(FAIR, "fair", "an innocent cause is rare")                                               \
	X(STRONG, "strong", "no correct host does this")

/* Which clock may end a flow, see la_timeout.h. Default seconds in the third column. */
#define LA_TIMEOUTS(X)                                                                             \
	X(SYN_SENT, "syn_sent", 120)                                                               \
	X(SYN_RECEIVED, "syn_received", 60)                                                        \
	X(ESTABLISHED, "established", 432000)                                                      \
	X(HALF_CLOSED, "half_closed", 3600)                                                        \
	X(CLOSING, "closing", 120)                                                                 \
	X(LAST_ACK, "last_ack", 120)                                                               \
	X(TIME_WAIT, "time_wait", 60)                                                              \
	X(CLOSED, "closed", 10)                                                                    \
	X(UNANSWERED, "unanswered", 300)

/* Why a timeout struck: the `timeout_cause` of a close record. */
#define LA_TIMEOUT_CAUSES(X)                                                                       \
	X(IDLE, "idle", "nothing was said")                                                        \
	X(DEAD_PEER, "dead_peer", "retransmissions went unanswered")                               \
	X(KEEPALIVE_FAILED, "keepalive_failed", "keepalive probes went unanswered")

/* What an ICMP or ICMPv6 error says: la_icmp_kind(). */
#define LA_ICMPS(X)                                                                                \
	X(NET, "net_unreachable", "network unreachable")                                           \
	X(HOST, "host_unreachable", "host unreachable")                                            \
	X(PORT, "port_unreachable", "port unreachable")                                            \
	X(PROHIBITED, "admin_prohibited", "administratively prohibited")                           \
	X(EXPIRED, "time_exceeded", "time exceeded")                                               \
	X(OTHER, "other", "ICMP error")

/* Why a flow left the table: the `why` of its gone record. */
#define LA_GONE_WHYS(X)                                                                            \
	X(TIME_WAIT_OVER, "time_wait_over", "2MSL is over")                                        \
	X(EXPIRED, "expired", "expired")                                                           \
	X(REPLACED, "replaced", "replaced by a new connection")                                    \
	X(EVICTED, "evicted", "evicted from a full table")                                         \
	X(POLICY, "policy", "taken out by policy")                                                 \
	X(DETACHED, "detached", "lastack stopped")

/*
 * What became of a packet. X(SYMBOL, VERDICT, "word", "text").
 * ACCEPT    it counts and may change a state
 * IGNORE    legal, changes nothing
 * INVALID   belongs to a flow but no correct stack would act on it
 * DROP      a policy did not let it pass
 * UNTRACKED not a segment that can be tracked; nothing but this counter remembers it
 */
#define LA_REASONS(X)                                                                              \
	X(ACCEPTED, ACCEPT, "accepted", "accepted")                                                \
	X(SYN_RETRANSMIT, IGNORE, "syn_retransmit", "SYN or SYN-ACK sent again")                   \
	X(PROVISIONAL_SYN, IGNORE, "provisional_syn", "SYN on a live tuple, waits for its answer") \
	X(STALE_SYN, IGNORE, "stale_syn", "SYN older than the connection in TIME_WAIT")            \
	X(OLD_DUPLICATE, IGNORE, "old_duplicate", "wholly below what was acknowledged")            \
	X(PAWS, IGNORE, "paws", "older than the last timestamp of its receiver")                   \
	X(KEEPALIVE, IGNORE, "keepalive", "keepalive probe")                                       \
	X(CHALLENGE_ACK, IGNORE, "challenge_ack", "ACK in answer to an unacceptable segment")      \
	X(WINDOW_PROBE, IGNORE, "window_probe", "probe of a zero window")                          \
	X(LATE, IGNORE, "late", "after the end of its connection")                                 \
	X(OTHER_HOOK, IGNORE, "other_hook", "already counted at another interface or hook")        \
	X(ICMP_ERROR, IGNORE, "icmp_error", "ICMP error about a segment of a connection")          \
	X(RST_IGNORED, IGNORE, "rst_ignored", "RST that its receiver does not act on")             \
	X(SEQ_ABOVE_WINDOW, INVALID, "seq_above_window", "data beyond the receiver's window")      \
	X(ACK_ABOVE_SENT, INVALID, "ack_above_sent", "acknowledges what was never sent")           \
	X(ACK_TOO_OLD, INVALID, "ack_too_old", "acknowledges far below what was acknowledged")     \
	X(BAD_SYN_ACK, INVALID, "bad_syn_ack", "SYN-ACK that answers no SYN of its receiver")      \
	X(RST_OUT_OF_WINDOW, INVALID, "rst_out_of_window", "RST outside the receiver's window")    \
	X(TCP_BAD_CHECKSUM, INVALID, "tcp_bad_checksum", "TCP checksum is wrong")                  \
	X(ICMP_STRAY, INVALID, "icmp_stray", "ICMP error that quotes what is not in flight")       \
	X(RST_DROPPED, DROP, "rst_dropped", "RST that a policy keeps from its receiver")           \
	X(FLOW_DROPPED, DROP, "flow_dropped", "of a connection that a policy drops")               \
	X(FLAGS_NULL, UNTRACKED, "flags_null", "TCP segment without any flag")                     \
	X(FLAGS_SYN_FIN, UNTRACKED, "flags_syn_fin", "TCP segment with SYN and FIN")               \
	X(FLAGS_SYN_RST, UNTRACKED, "flags_syn_rst", "TCP segment with SYN and RST")               \
	X(FLAGS_FIN_RST, UNTRACKED, "flags_fin_rst", "TCP segment with FIN and RST")               \
	X(FLAGS_NO_ACK, UNTRACKED, "flags_no_ack", "TCP segment that needs an ACK and has none")   \
	X(NO_FLOW, UNTRACKED, "no_flow", "RST that belongs to no known connection")                \
	X(NOT_IP, UNTRACKED, "not_ip", "neither IPv4 nor IPv6")                                    \
	X(ICMP, UNTRACKED, "icmp", "ICMP, but no error about a known connection")                  \
	X(NOT_TCP, UNTRACKED, "not_tcp", "IP, but not TCP")                                        \
	X(FRAGMENT, UNTRACKED, "fragment", "later fragment, carries no TCP header")                \
	X(L2_TRUNCATED, UNTRACKED, "l2_truncated", "frame ends within its link header")            \
	X(VLAN_DEPTH, UNTRACKED, "vlan_depth", "more than two VLAN tags")                          \
	X(IP_TRUNCATED, UNTRACKED, "ip_truncated", "packet ends within its IP header")             \
	X(IP_BAD_HEADER, UNTRACKED, "ip_bad_header", "IP version or header length is wrong")       \
	X(IP_BAD_LENGTH, UNTRACKED, "ip_bad_length", "IP length does not fit the frame")           \
	X(IP6_EXT_DEPTH, UNTRACKED, "ip6_ext_depth", "too many IPv6 extension headers")            \
	X(TCP_TRUNCATED, UNTRACKED, "tcp_truncated", "packet ends within its TCP header")          \
	X(TCP_BAD_OFFSET, UNTRACKED, "tcp_bad_offset", "TCP data offset is wrong")                 \
	X(IP_BAD_CHECKSUM, UNTRACKED, "ip_bad_checksum", "IPv4 header checksum is wrong")          \
	X(ICMP_BAD_CHECKSUM, UNTRACKED, "icmp_bad_checksum", "ICMP checksum is wrong")             \
	X(TABLE_FULL, UNTRACKED, "table_full", "no room for another flow")                         \
	X(RACE, UNTRACKED, "race", "the flow was replaced under the packet, twice")

/* How a packet's reason is filed. */
#define LA_VERDICTS(X)                                                                             \
	X(ACCEPT, "accept", "")                                                                    \
	X(IGNORE, "ignore", "")                                                                    \
	X(INVALID, "invalid", "")                                                                  \
	X(DROP, "drop", "")                                                                        \
	X(UNTRACKED, "untracked", "")

/* The kinds of record; flow is made when somebody asks, the others when something happens. */
#define LA_RECORDS(X)                                                                              \
	X(STATE, "state", "")                                                                      \
	X(RST, "rst", "")                                                                          \
	X(CLOSE, "close", "")                                                                      \
	X(GONE, "gone", "")                                                                        \
	X(SEGMENT, "segment", "")                                                                  \
	X(POLICY, "policy", "")                                                                    \
	X(LOST, "lost", "")                                                                        \
	X(FLOW, "flow", "")

/* What a policy does. */
#define LA_ACTIONS(X)                                                                              \
	X(LOG, "log", "a record, nothing else")                                                    \
	X(EXPIRE, "expire", "lastack forgets the connection")                                      \
	X(RESET, "reset", "both endpoints are told by a RST")                                      \
	X(DROP, "drop", "no further packet of the connection passes")                              \
	X(TIMEOUTS, "timeouts", "other timeouts hold for the connection")                          \
	X(CHALLENGE, "challenge", "the host that a dropped RST names is asked by an ACK")

/* What became of it: the `result` of a policy record. */
#define LA_RESULTS(X)                                                                              \
	X(DONE, "done", "it was done; a reset was seen to end the connection")                     \
	X(FAILED, "failed", "it could not be done; detail says why")                               \
	X(DRY_RUN, "dry_run", "it would have been done, but for dry-run")

/* Zeek's connection states, by Zeek's published definitions. */
#define LA_CONN_STATES(X)                                                                          \
	X(S0, "S0", "attempt seen, no reply")                                                      \
	X(S1, "S1", "established, not terminated")                                                 \
	X(SF, "SF", "normal establishment and termination")                                        \
	X(REJ, "REJ", "attempt rejected")                                                          \
	X(S2, "S2", "established, close attempt by the originator, no reply")                      \
	X(S3, "S3", "established, close attempt by the responder, no reply")                       \
	X(RSTO, "RSTO", "established, originator aborted")                                         \
	X(RSTR, "RSTR", "responder aborted")                                                       \
	X(RSTOS0, "RSTOS0", "originator sent SYN, then RST; no SYN-ACK seen")                      \
	X(RSTRH, "RSTRH", "responder sent SYN-ACK, then RST; no SYN seen")                         \
	X(SH, "SH", "originator sent SYN, then FIN; no SYN-ACK seen")                              \
	X(SHR, "SHR", "responder sent SYN-ACK, then FIN; no SYN seen")                             \
	X(OTH, "OTH", "no SYN seen, midstream")

#define LA_HOOKS(X)                                                                                \
	X(XDP, "xdp", "XDP, ingress")                                                              \
	X(TC_INGRESS, "tc-ingress", "tc, ingress")                                                 \
	X(TC_EGRESS, "tc-egress", "tc, egress")

#define LA_ROW_STATE(s, w, t) LA_##s,
enum la_state { LA_NO_STATE = 0, LA_STATES(LA_ROW_STATE) LA_STATE_MAX };
#define LA_ROW_CERTAINTY(s, w, t) LA_##s,
enum la_certainty { LA_NO_CERTAINTY = 0, LA_CERTAINTIES(LA_ROW_CERTAINTY) LA_CERTAINTY_MAX };
#define LA_ROW_CAUSE(s, w, t) LA_CAUSE_##s,
enum la_cause { LA_NO_CAUSE = 0, LA_CAUSES(LA_ROW_CAUSE) LA_CAUSE_MAX };
#define LA_ROW_CLOSE(s, w, t) LA_CLOSE_##s,
enum la_close_reason { LA_NO_CLOSE = 0, LA_CLOSE_REASONS(LA_ROW_CLOSE) LA_CLOSE_REASON_MAX };
#define LA_ROW_CLOSER(s, w, t) LA_BY_##s,
enum la_closer { LA_NO_CLOSER = 0, LA_CLOSERS(LA_ROW_CLOSER) LA_CLOSER_MAX };
#define LA_ROW_FLOW_DIRECTION(s, w, t) LA_FLOW_##s,
enum la_flow_direction {
	LA_NO_DIRECTION = 0,
	LA_FLOW_DIRECTIONS(LA_ROW_FLOW_DIRECTION) LA_FLOW_DIRECTION_MAX
};
#define LA_ROW_RST(s, w, t) LA_RST_##s,
enum la_rst_verdict { LA_NO_RST = 0, LA_RST_VERDICTS(LA_ROW_RST) LA_RST_VERDICT_MAX };
#define LA_ROW_RST_POLICY(s, w, t) LA_RST_POLICY_##s,
enum la_rst_policy { LA_NO_RST_POLICY = 0, LA_RST_POLICIES(LA_ROW_RST_POLICY) LA_RST_POLICY_MAX };
#define LA_ROW_RULE(s, w, t) LA_RULE_##s,
enum la_rst_rule { LA_NO_RULE = 0, LA_RST_RULES(LA_ROW_RULE) LA_RULE_MAX };
#define LA_ROW_STAGE(s, w, t) LA_STAGE_##s,
enum la_stage { LA_NO_STAGE = 0, LA_STAGES(LA_ROW_STAGE) LA_STAGE_MAX };
#define LA_ROW_EVIDENCE(s, g, w, t) LA_EVIDENCE_##s,
enum la_evidence { LA_NO_EVIDENCE = 0, LA_EVIDENCE(LA_ROW_EVIDENCE) LA_EVIDENCE_MAX };
#define LA_ROW_STRENGTH(s, w, t) LA_##s,
enum la_strength { LA_NO_STRENGTH = 0, LA_STRENGTHS(LA_ROW_STRENGTH) LA_STRENGTH_MAX };
#define LA_ROW_TIMEOUT(s, w, t) LA_TIMEOUT_##s,
enum la_timeout { LA_NO_TIMEOUT = 0, LA_TIMEOUTS(LA_ROW_TIMEOUT) LA_TIMEOUT_MAX };
#define LA_ROW_TCAUSE(s, w, t) LA_TIMEOUT_CAUSE_##s,
enum la_timeout_cause { LA_NO_TCAUSE = 0, LA_TIMEOUT_CAUSES(LA_ROW_TCAUSE) LA_TIMEOUT_CAUSE_MAX };
#define LA_ROW_ICMP(s, w, t) LA_ICMP_##s,
enum la_icmp { LA_NO_ICMP = 0, LA_ICMPS(LA_ROW_ICMP) LA_ICMP_MAX };
#define LA_ROW_GONE(s, w, t) LA_GONE_##s,
enum la_gone_why { LA_NO_GONE = 0, LA_GONE_WHYS(LA_ROW_GONE) LA_GONE_WHY_MAX };
#define LA_ROW_VERDICT(s, w, t) LA_VERDICT_##s,
enum la_verdict { LA_NO_VERDICT = 0, LA_VERDICTS(LA_ROW_VERDICT) LA_VERDICT_MAX };
#define LA_ROW_REASON(s, v, w, t) LA_R_##s,
enum la_reason { LA_NO_REASON = 0, LA_REASONS(LA_ROW_REASON) LA_REASON_MAX };
#define LA_ROW_RECORD(s, w, t) LA_REC_##s,
enum la_record { LA_NO_RECORD = 0, LA_RECORDS(LA_ROW_RECORD) LA_RECORD_MAX };
#define LA_ROW_ACTION(s, w, t) LA_ACTION_##s,
enum la_action { LA_NO_ACTION = 0, LA_ACTIONS(LA_ROW_ACTION) LA_ACTION_MAX };
#define LA_ROW_RESULT(s, w, t) LA_RESULT_##s,
enum la_result { LA_NO_RESULT = 0, LA_RESULTS(LA_ROW_RESULT) LA_RESULT_MAX };
#define LA_ROW_CONN(s, w, t) LA_CONN_##s,
enum la_conn_state { LA_NO_CONN = 0, LA_CONN_STATES(LA_ROW_CONN) LA_CONN_STATE_MAX };
#define LA_ROW_HOOK(s, w, t) LA_HOOK_##s,
enum la_hook { LA_NO_HOOK = 0, LA_HOOKS(LA_ROW_HOOK) LA_HOOK_MAX };

/*
 * What an ICMP (RFC 792, RFC 1812 5.2.7.1) or ICMPv6 (RFC 4443) message reports about the
 * packet that it quotes; 0: no error, or only advice about its size. The table has 32 columns
 * because clang puts one of 32 bytes where libbpf finds no type for it (.rodata.cst32).
 */
LA_INLINE __u8 la_icmp_kind(bool v4, __u32 type, __u32 code)
{
	static const __u8 unreachable[2][32] = {
		{LA_ICMP_NET, LA_ICMP_PROHIBITED, LA_ICMP_HOST, LA_ICMP_HOST, LA_ICMP_PORT,
		 LA_ICMP_PROHIBITED, LA_ICMP_PROHIBITED},
		{LA_ICMP_NET, LA_ICMP_HOST, LA_ICMP_OTHER, LA_ICMP_PORT, LA_NO_ICMP, LA_ICMP_OTHER,
		 LA_ICMP_NET, LA_ICMP_HOST, LA_ICMP_HOST, LA_ICMP_PROHIBITED, LA_ICMP_PROHIBITED,
		 LA_ICMP_NET, LA_ICMP_HOST, LA_ICMP_PROHIBITED, LA_ICMP_PROHIBITED,
		 LA_ICMP_PROHIBITED},
	};

	if (type == (v4 ? 3 : 1))
		return code < 32 ? unreachable[v4][code & 31] : LA_NO_ICMP;
	if (type == (v4 ? 11 : 3))
		return code < 2 ? LA_ICMP_EXPIRED : LA_NO_ICMP;
	return type == (v4 ? 12 : 4) ? LA_ICMP_OTHER : LA_NO_ICMP;
}

/* Port unreachable: the numbers of one family are no error in the other. */
LA_INLINE bool la_icmp_is_port(__u32 type, __u32 code)
{
	return (type == 3 && code == 3) || (type == 1 && code == 4);
}

#ifndef __bpf__
/* The word and the text of a value; "?" for a value outside its list. */
#define LA_ROW_WORD(s, w, t) w,
#define LA_ROW_TEXT(s, w, t) t,
#define LA_DEFINE_WORDS(fn, LIST)                                                                  \
	LA_INLINE const char *fn##_word(unsigned int value)                                        \
	{                                                                                          \
		static const char *const words[] = {"?", LIST(LA_ROW_WORD)};                       \
		return words[value < sizeof(words) / sizeof(*words) ? value : 0];                  \
	}
#define LA_DEFINE_TEXTS(fn, LIST)                                                                  \
	LA_INLINE const char *fn##_text(unsigned int value)                                        \
	{                                                                                          \
		static const char *const texts[] = {"?", LIST(LA_ROW_TEXT)};                       \
		return texts[value < sizeof(texts) / sizeof(*texts) ? value : 0];                  \
	}

LA_DEFINE_WORDS(la_state, LA_STATES)
LA_DEFINE_TEXTS(la_state, LA_STATES)
LA_DEFINE_WORDS(la_certainty, LA_CERTAINTIES)
LA_DEFINE_TEXTS(la_certainty, LA_CERTAINTIES)
LA_DEFINE_WORDS(la_cause, LA_CAUSES)
LA_DEFINE_TEXTS(la_cause, LA_CAUSES)
LA_DEFINE_WORDS(la_close_reason, LA_CLOSE_REASONS)
LA_DEFINE_TEXTS(la_close_reason, LA_CLOSE_REASONS)
LA_DEFINE_WORDS(la_closer, LA_CLOSERS)
LA_DEFINE_TEXTS(la_closer, LA_CLOSERS)
LA_DEFINE_WORDS(la_flow_direction, LA_FLOW_DIRECTIONS)
LA_DEFINE_WORDS(la_rst_verdict, LA_RST_VERDICTS)
LA_DEFINE_TEXTS(la_rst_verdict, LA_RST_VERDICTS)
LA_DEFINE_WORDS(la_rst_policy, LA_RST_POLICIES)
LA_DEFINE_WORDS(la_rst_rule, LA_RST_RULES)
LA_DEFINE_WORDS(la_stage, LA_STAGES)
LA_DEFINE_TEXTS(la_stage, LA_STAGES)
LA_DEFINE_WORDS(la_strength, LA_STRENGTHS)
LA_DEFINE_TEXTS(la_strength, LA_STRENGTHS)
LA_DEFINE_WORDS(la_timeout, LA_TIMEOUTS)
LA_DEFINE_WORDS(la_timeout_cause, LA_TIMEOUT_CAUSES)
LA_DEFINE_TEXTS(la_timeout_cause, LA_TIMEOUT_CAUSES)
LA_DEFINE_WORDS(la_icmp, LA_ICMPS)
LA_DEFINE_TEXTS(la_icmp, LA_ICMPS)
LA_DEFINE_WORDS(la_gone_why, LA_GONE_WHYS)
LA_DEFINE_TEXTS(la_gone_why, LA_GONE_WHYS)
LA_DEFINE_WORDS(la_verdict, LA_VERDICTS)
LA_DEFINE_WORDS(la_record, LA_RECORDS)
LA_DEFINE_WORDS(la_action, LA_ACTIONS)
LA_DEFINE_WORDS(la_result, LA_RESULTS)
LA_DEFINE_WORDS(la_conn_state, LA_CONN_STATES)
LA_DEFINE_TEXTS(la_conn_state, LA_CONN_STATES)
LA_DEFINE_WORDS(la_hook, LA_HOOKS)
LA_DEFINE_TEXTS(la_hook, LA_HOOKS)

LA_INLINE const char *la_evidence_word(unsigned int value)
{
#define LA_ROW_EVIDENCE_WORD(s, g, w, t) w,
	static const char *const words[] = {"?", LA_EVIDENCE(LA_ROW_EVIDENCE_WORD)};
	return words[value < LA_EVIDENCE_MAX ? value : 0];
}

LA_INLINE const char *la_evidence_text(unsigned int value)
{
#define LA_ROW_EVIDENCE_TEXT(s, g, w, t) t,
	static const char *const texts[] = {"?", LA_EVIDENCE(LA_ROW_EVIDENCE_TEXT)};
	return texts[value < LA_EVIDENCE_MAX ? value : 0];
}

/* How much a piece of evidence is worth (enum la_strength). */
LA_INLINE unsigned int la_evidence_strength(unsigned int value)
{
#define LA_ROW_EVIDENCE_STRENGTH(s, g, w, t) LA_##g,
	static const unsigned char strengths[] = {0, LA_EVIDENCE(LA_ROW_EVIDENCE_STRENGTH)};
	return strengths[value < LA_EVIDENCE_MAX ? value : 0];
}

LA_INLINE const char *la_reason_word(unsigned int value)
{
#define LA_ROW_REASON_WORD(s, v, w, t) w,
	static const char *const words[] = {"?", LA_REASONS(LA_ROW_REASON_WORD)};
	return words[value < LA_REASON_MAX ? value : 0];
}

LA_INLINE const char *la_reason_text(unsigned int value)
{
#define LA_ROW_REASON_TEXT(s, v, w, t) t,
	static const char *const texts[] = {"?", LA_REASONS(LA_ROW_REASON_TEXT)};
	return texts[value < LA_REASON_MAX ? value : 0];
}

/* The verdict under which a reason is filed (enum la_verdict). */
LA_INLINE unsigned int la_reason_verdict(unsigned int value)
{
#define LA_ROW_REASON_VERDICT(s, v, w, t) LA_VERDICT_##v,
	static const unsigned char verdicts[] = {0, LA_REASONS(LA_ROW_REASON_VERDICT)};
	return verdicts[value < LA_REASON_MAX ? value : 0];
}
#endif

#endif
