/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fsm.c - the whole transition table, cell by cell.
 *
 * The diagram of RFC 9293 3.3.2 (figure 5) is written down here once more, as a list of its
 * arrows seen from one endpoint, with the three arrows that take a presumption back. What is
 * not in the list must stay: trap 10, an unknown pair never falls through to CLOSED.
 */
#include "la_fsm.h"
#include "la_timeout.h"
#include <criterion/criterion.h>

struct arrow {
	enum la_state from;
	enum la_event event;
	enum la_state to;
};

static const struct arrow arrows[] = {
	/* opening */
	{LA_CLOSED, LA_EV_SND_SYN, LA_SYN_SENT},
	{LA_LISTEN, LA_EV_SND_SYN, LA_SYN_SENT},
	{LA_LISTEN, LA_EV_SND_SYN_ACK, LA_SYN_RECEIVED},
	{LA_SYN_SENT, LA_EV_SND_SYN_ACK, LA_SYN_RECEIVED},
	{LA_SYN_SENT, LA_EV_RCV_SYN, LA_SYN_RECEIVED},
	{LA_SYN_SENT, LA_EV_SND_ACK_OF_SYN, LA_ESTABLISHED},
	{LA_SYN_RECEIVED, LA_EV_RCV_ACK_OF_SYN, LA_ESTABLISHED},
	/* closing first */
	{LA_SYN_RECEIVED, LA_EV_SND_FIN, LA_FIN_WAIT_1},
	{LA_ESTABLISHED, LA_EV_SND_FIN, LA_FIN_WAIT_1},
	{LA_FIN_WAIT_1, LA_EV_RCV_ACK_OF_FIN, LA_FIN_WAIT_2},
	{LA_FIN_WAIT_2, LA_EV_RCV_FIN, LA_TIME_WAIT},
	{LA_TIME_WAIT, LA_EV_2MSL, LA_CLOSED},
	/* closing at once */
	{LA_FIN_WAIT_1, LA_EV_RCV_FIN, LA_CLOSING},
	{LA_CLOSING, LA_EV_RCV_ACK_OF_FIN, LA_TIME_WAIT},
	/* closing second */
	{LA_SYN_RECEIVED, LA_EV_RCV_FIN, LA_CLOSE_WAIT},
	{LA_ESTABLISHED, LA_EV_RCV_FIN, LA_CLOSE_WAIT},
	{LA_CLOSE_WAIT, LA_EV_SND_FIN, LA_LAST_ACK},
	{LA_LAST_ACK, LA_EV_RCV_ACK_OF_FIN, LA_CLOSED},
	/* taken back */
	{LA_ESTABLISHED, LA_EV_LOST_ACK_OF_SYN, LA_SYN_RECEIVED},
	{LA_FIN_WAIT_2, LA_EV_LOST_ACK_OF_FIN, LA_FIN_WAIT_1},
	{LA_TIME_WAIT, LA_EV_LOST_ACK_OF_FIN, LA_CLOSING},
	{LA_CLOSED, LA_EV_LOST_ACK_OF_FIN, LA_LAST_ACK},
	{LA_CLOSE_WAIT, LA_EV_LOST_FIN, LA_ESTABLISHED},
	{LA_CLOSING, LA_EV_LOST_FIN, LA_FIN_WAIT_1},
	{LA_TIME_WAIT, LA_EV_LOST_FIN, LA_FIN_WAIT_2},
	/* cut; TIME_WAIT is not (RFC 1337) */
	{LA_LISTEN, LA_EV_RESET, LA_CLOSED},
	{LA_SYN_SENT, LA_EV_RESET, LA_CLOSED},
	{LA_SYN_RECEIVED, LA_EV_RESET, LA_CLOSED},
	{LA_ESTABLISHED, LA_EV_RESET, LA_CLOSED},
	{LA_FIN_WAIT_1, LA_EV_RESET, LA_CLOSED},
	{LA_FIN_WAIT_2, LA_EV_RESET, LA_CLOSED},
	{LA_CLOSE_WAIT, LA_EV_RESET, LA_CLOSED},
	{LA_CLOSING, LA_EV_RESET, LA_CLOSED},
	{LA_LAST_ACK, LA_EV_RESET, LA_CLOSED},
	/* picked up midstream */
	{LA_CLOSED, LA_EV_PICKUP, LA_ESTABLISHED},
	{LA_LISTEN, LA_EV_PICKUP, LA_ESTABLISHED},
};

static enum la_state drawn(enum la_state from, enum la_event event)
{
	for (size_t i = 0; i < sizeof(arrows) / sizeof(*arrows); i++)
		if (arrows[i].from == from && arrows[i].event == event)
			return arrows[i].to;
	return LA_NO_STATE;
}

Test(fsm, every_cell)
{
	for (unsigned int s = LA_CLOSED; s < LA_STATE_MAX; s++)
		for (unsigned int e = 0; e < LA_EV_MAX; e++)
			cr_expect_eq(la_fsm_next(s, e), drawn(s, e), "%s, event %u: %s, not %s",
				     la_state_word(s), e, la_state_word(la_fsm_next(s, e)),
				     la_state_word(drawn(s, e)));
}

/* Memory that nobody filled in, or that is broken, moves nothing. */
Test(fsm, no_state_and_beyond_stay)
{
	for (unsigned int e = 0; e < LA_EV_MAX; e++) {
		cr_expect_eq(la_fsm_next(LA_NO_STATE, e), 0);
		for (unsigned int s = LA_STATE_MAX; s < LA_FSM_ROWS; s++)
			cr_expect_eq(la_fsm_next(s, e), 0);
	}
}

/* What is taken back is what was presumed: undoing an arrow leads where it came from. */
Test(fsm, corrections_undo_their_arrow)
{
	static const struct {
		enum la_event done, undone;
	} pairs[] = {
		{LA_EV_RCV_ACK_OF_SYN, LA_EV_LOST_ACK_OF_SYN},
		{LA_EV_RCV_ACK_OF_FIN, LA_EV_LOST_ACK_OF_FIN},
		{LA_EV_RCV_FIN, LA_EV_LOST_FIN},
	};

	for (size_t i = 0; i < 3; i++)
		for (unsigned int s = LA_CLOSED; s < LA_STATE_MAX; s++) {
			__u8 to = la_fsm_next(s, pairs[i].done);

			if (to && s != LA_SYN_RECEIVED)
				cr_expect_eq(la_fsm_next(to, pairs[i].undone), s, "%s",
					     la_state_word(s));
		}
	cr_expect_eq(la_fsm_next(LA_ESTABLISHED, LA_EV_LOST_ACK_OF_SYN), LA_SYN_RECEIVED);
}

/* Every state waits on a clock, and every pair of states picks the same one either way. */
Test(fsm, every_pair_of_states_has_its_clock)
{
	struct la_flow f = {.flags = LA_F_REPLIED};

	for (unsigned int a = LA_CLOSED; a < LA_STATE_MAX; a++)
		for (unsigned int b = LA_CLOSED; b < LA_STATE_MAX; b++) {
			__u8 class;

			f.side[0].state = a;
			f.side[1].state = b;
			class = la_flow_class(&f);
			f.side[0].state = b;
			f.side[1].state = a;
			cr_expect(class > 0 && class < LA_TIMEOUT_MAX);
			cr_expect_eq(class, la_flow_class(&f), "%s %s", la_state_word(a),
				     la_state_word(b));
		}
}

Test(fsm, half_closed_waits_for_the_open_half)
{
	struct la_flow f = {.flags = LA_F_REPLIED};

	f.side[0].state = LA_FIN_WAIT_2;
	f.side[1].state = LA_CLOSE_WAIT;
	cr_expect_eq(la_flow_class(&f), LA_TIMEOUT_HALF_CLOSED);
	cr_expect_eq(la_waiting_side(&f), 1);
	f.side[0].state = LA_TIME_WAIT;
	f.side[1].state = LA_LAST_ACK;
	cr_expect_eq(la_flow_class(&f), LA_TIMEOUT_LAST_ACK);
	f.side[1].state = LA_CLOSED;
	cr_expect_eq(la_flow_class(&f), LA_TIMEOUT_TIME_WAIT);
}
