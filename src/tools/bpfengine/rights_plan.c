/* SPDX-License-Identifier: MIT */
/* Who the program becomes after opening, what it keeps and why (rights.h has the rule); pure, so
 * that every system's answer is tested on every host. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

/* What of the options opens, makes or takes away something later, which neither another user nor a
 * confined one could. */
static const char *later(const struct cli_rights_facts *f, const struct cli_rights_plan *p)
{
	if (!p->bpf)
		return NULL;
	if (f->wait_interface)
		return "--wait-interface opens the device again";
	if (f->bpf_device)
		return "--bpf-device names a node that may be opened again, and whose server may mind who asks";
	if (f->system == CLI_MACOS && !strcmp(f->interface_name, "pktap"))
		return "-i pktap takes its interface away at the end (-i pktap0, made before, needs nothing then)";
	return NULL;
}

static void plan_root(struct cli_rights_plan *p, const struct cli_rights_facts *f, const char *held)
{
	bool asked = f->user;
	if (asked && f->user_is_root) {
		p->why = "-Z root keeps all rights";
		return;
	}
	if (held) {
		p->refused = asked;
		p->why = held;
		p->notice = true;
		return;
	}
	p->reduce = true;
	p->keep_nice = f->system == CLI_LINUX && f->urgent;
	if (asked) {
		p->become = f->user;
		if (f->files_unreadable)
			p->why =
				"SIGUSR2 cannot read the filter's files again: that user may not read them",
			p->notice = true;
		return;
	}
	if (f->realtime && (f->system == CLI_FREEBSD || f->system == CLI_NETBSD))
		p->why = "--priority realtime is for root", p->notice = true;
	else if (f->files_unreadable && f->system != CLI_LINUX)
		p->why = "only root may read the filter's files again (SIGUSR2)", p->notice = true;
	else if (!f->fallback)
		p->why = "there is no user to become, neither bpfengine nor nobody (-Z names one)",
		p->notice = true;
	else
		p->become = f->fallback;
	if (!p->become)
		p->reduce = !f->fallback && !f->realtime,
		p->keep_read = p->reduce && f->files; /* root's name without its capabilities */
	else if (f->files_unreadable)
		p->keep_read = true,
		p->why =
			"the user to become may not read the filter's files: CAP_DAC_READ_SEARCH is kept, for SIGUSR2",
		p->notice = true;
}

void cli_rights_plan(struct cli_rights_plan *p, const struct cli_rights_facts *f)
{
	*p = (struct cli_rights_plan){ .confine = !f->no_confine };
	p->live = f->interface_name && strcmp(f->interface_name, "synth") != 0 &&
		  strncmp(f->interface_name, "synth:", 6) != 0;
	p->bpf = p->live && (f->system != CLI_LINUX || !strncmp(f->interface_name, "bpf:", 4));
	const char *held = later(f, p);
	if (f->system == CLI_NO_SYSTEM) {
		p->confine = false;
		if (f->root && !f->user) {
			p->why =
				"this build is for a sanitizer, which needs its rights: it drops them with -Z only";
			return;
		}
	}
	if (f->root)
		plan_root(p, f, held);
	else if (f->user && !f->user_is_self)
		p->why = "only root can become another user: -Z does nothing", p->notice = true;
	if (!f->root && !held)
		p->reduce = true, p->keep_nice = f->system == CLI_LINUX && f->urgent;
	if (held)
		p->confine = false;
	if (held && !p->why)
		p->why = held;
	if (!p->confine)
		return;
	if (f->system == CLI_FREEBSD && f->files)
		p->confine = false; /* capability mode knows no paths */
	if (f->files > CLI_FILES_MOST)
		p->confine = false;
	if (!p->confine && !p->why)
		p->why =
			"not confined: SIGUSR2 reads the filter's files again, which a confined process could not";
	if (!p->confine || f->system != CLI_FREEBSD || !f->pinned)
		return;
	p->confine = false; /* cpuset_setaffinity(2) there: for a thread by its number in later
			       versions only */
	if (!p->why)
		p->why = "not confined: --pin is not to be had in every FreeBSD's capability mode";
}
