/* SPDX-License-Identifier: MIT */
/* What a user of --flows is told at the start of a live run; stateless.
 *
 * Waiting: a flow's line comes when the flow ends, which may be after minutes.
 * Rotation: a log is moved away, and SIGHUP asks for a new file.  In root's directories, as
 * /var/log, the user after opening can make no file.  A helper process with root's rights would be
 * another target of attacks.  So a file of root's making is given to the user: logrotate's create
 * then leaves a new file of the same owner, and SIGHUP opens the new file.  The limits of SIGHUP
 * are told at the start, not at the first rotation. */
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

/* Writes the file's directory as the user gave it. */
static void write_directory(char *to, size_t room, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(to, room, ".");
	else if (slash == path)
		snprintf(to, room, "/");
	else
		snprintf(to, room, "%.*s", (int)(slash - path), path);
}

void cli_flows_prepare_rotation(
	const struct cli *c, const struct cli_flows *flows, const char *shown)
{
	const int directory = flows ? cli_flows_directory(flows) : -1;
	char user[64];
	char place[200];

	if (directory < 0 || !c->engine.interface_name || cli_rights_may_make(directory))
		return;
	bool is_made;
	const int file = cli_flows_descriptor(flows, &is_made);
	const bool is_users = file >= 0 && cli_rights_give(file, is_made);
	const char *what = "will not open";
	const char *when = "";
	if (is_users) {
		what = "opens";
		when = " once logrotate's create has made it";
	}
	cli_rights_user_name(user, sizeof user);
	write_directory(place, sizeof place, shown);
	cli_notice(c->quiet,
		"SIGHUP %s %s anew%s: user %s may make no file in %s"
		" (install -d -o %s %s/bpfengine makes a directory for that user)",
		what, shown, when, user, place, user, place);
}
