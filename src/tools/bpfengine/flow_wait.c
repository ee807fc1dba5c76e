/* SPDX-License-Identifier: MIT */
/* Says what the flow file waits for: a live run's first line of --flows may come after minutes;
 * stateless. */
#include "cli.h"

#include <string.h>

#define NS_PER_SECOND 1e9

/* Returns whether packets come from an interface: savefiles and generated traffic end soon. */
static bool is_live_source(const char *interface_name)
{
	return interface_name && strcmp(interface_name, "synth") &&
	       strncmp(interface_name, "synth:", 6);
}

/* Returns whether a time-out of a kind of flows was given. */
static bool has_kind_timeout(const struct bpe_options *o)
{
	for (int kind = 0; kind < BPE_TIMEOUT_COUNT; kind++)
		if (o->flow_timeout_ns[kind])
			return true;
	return false;
}

/* Writes when a flow ends. */
static void write_end_times(char *to, size_t room, const struct bpe_options *o)
{
	const double idle = (double)o->flow_idle_ns / NS_PER_SECOND;
	const double closed = (double)o->flow_closed_ns / NS_PER_SECOND;

	if (has_kind_timeout(o))
		snprintf(to, room, "after the times of --flow-timeout, else ");
	else
		to[0] = 0;
	const size_t used = strlen(to);
	snprintf(to + used, room - used,
		"%.15g s after the last packet, or %.15g s after TCP's close", idle, closed);
}

void cli_flows_tell_waiting(const struct cli *c)
{
	const struct bpe_options *o = &c->engine;
	const char *when = "when they end";
	const char *begins = "; --flows-begin tells of each as it begins";
	const char *periods = "; --flow-active 5 tells of long ones every 5 s";
	char ends[160];

	if (!c->flows || c->quiet || c->top || !is_live_source(o->interface_name))
		return;
	if (o->record_begins) {
		when = "as they begin, and when they end";
		begins = "";
	}
	if (o->flow_active_ns)
		periods = "";
	write_end_times(ends, sizeof ends, o);
	program_tell("flows are written to %s %s: %s%s%s; SIGUSR2 writes those that are alive",
		c->flows_shown, when, ends, begins, periods);
}
