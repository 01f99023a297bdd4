// SPDX-License-Identifier: BSD-2-Clause
/*
 * gates.c - see gates.h.
 */
#include "gates.h"
#include "la_segment.h"
#include <stdio.h>
#include <stdlib.h>

/* What the cable that begins at a point took, and what it delivered at its other end. */
struct carried {
	long long in, out, rsts;
};

static void count_carried(const struct la_net *net, struct carried at[LA_NET_POINTS])
{
	static const int copies[] = {
		[LA_NET_PASS] = 1, [LA_NET_DROP] = 0, [LA_NET_DELAY] = 1, [LA_NET_DOUBLE] = 2};
	size_t count;
	const struct la_net_log *log = la_net_log(net, &count);

	for (size_t i = 0; i < count; i++) {
		at[log[i].point].in++;
		at[log[i].point].rsts += !!(log[i].flags & LA_RST);
		at[log[i].point].out += copies[log[i].action];
	}
}

long long la_gates_held(struct la_lab *lab, const struct la_net *net)
{
	struct carried at[LA_NET_POINTS] = {0};
	long long all = 0, held = 0;

	count_carried(net, at);
	const struct {
		const char *name;
		long long in, out;
	} gates[] = {
		{"client, RSTs out", la_lab_counter(lab, LA_LAB_CLIENT, "Tcp", "OutRsts"),
		 at[LA_NET_CLIENT].rsts},
		{"middle, to the server", at[LA_NET_CLIENT].out, at[LA_NET_RIGHT].in},
		{"server, in", at[LA_NET_RIGHT].out,
		 la_lab_counter(lab, LA_LAB_SERVER, "Tcp", "InSegs")},
		{"server, RSTs out", la_lab_counter(lab, LA_LAB_SERVER, "Tcp", "OutRsts"),
		 at[LA_NET_SERVER].rsts},
		{"middle, to the client", at[LA_NET_SERVER].out, at[LA_NET_LEFT].in},
		{"client, in", at[LA_NET_LEFT].out,
		 la_lab_counter(lab, LA_LAB_CLIENT, "Tcp", "InSegs")},
	};

	for (size_t i = 0; i < sizeof(gates) / sizeof(*gates); i++) {
		if (gates[i].in != gates[i].out)
			printf("%s: %lld segments went in, %lld came out\n", gates[i].name,
			       gates[i].in, gates[i].out);
		all += gates[i].in;
		held += llabs(gates[i].in - gates[i].out);
	}
	printf("%lld segments at the gates of lastack, %lld did not get through\n", all, held);
	return held;
}
