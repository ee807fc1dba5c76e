/* SPDX-License-Identifier: MIT */
/* Decides which user the program becomes after opening, what the program keeps, and why (rights.h
 * has the rule); pure, so every system's answer is tested on every host. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

static bool is_synth_name(const char *name)
{
	return !strcmp(name, "synth") || !strncmp(name, "synth:", 6);
}

/* Returns why an option needs rights later (to open, make or remove something), or NULL. */
static const char *later_need(const struct cli_rights_facts *f, const struct cli_rights_plan *p)
{
	if (!p->bpf)
		return NULL;
	if (f->wait_interface && !strcmp(f->interface_name, "any"))
		return "-i any opens the interfaces that come (-Z leaves them out)";
	if (f->wait_interface)
		return "--wait-interface opens the device again";
	if (f->bpf_device)
		return "--bpf-device names a node that may be opened again, and whose server may mind who asks";
	if (f->system == CLI_MACOS && !strcmp(f->interface_name, "pktap"))
		return "-i pktap takes its interface away at the end (-i pktap0, made before, needs nothing then)";
	return NULL;
}

static void set_notice(struct cli_rights_plan *p, const char *why)
{
	p->why = why;
	p->notice = true;
}

/* Returns why root stays root without -Z, or NULL. */
static const char *reason_to_stay_root(const struct cli_rights_facts *f)
{
	if (f->realtime && (f->system == CLI_FREEBSD || f->system == CLI_NETBSD))
		return "--priority realtime is for root";
	if (f->files_unreadable && f->system != CLI_LINUX)
		return "only root may read the filter's files again (SIGUSR2)";
	if (!f->fallback)
		return "there is no user to become, neither bpfengine nor nobody (-Z names one)";
	return NULL;
}

/* Plans for root without -Z. */
static void plan_fallback_user(struct cli_rights_plan *p, const struct cli_rights_facts *f)
{
	const char *reason = reason_to_stay_root(f);

	if (reason) {
		set_notice(p, reason);
		/* keeps the name of root without the capabilities */
		p->reduce = !f->fallback && !f->realtime;
		p->keep_read = p->reduce && f->files;
		return;
	}
	p->become = f->fallback;
	if (!f->files_unreadable)
		return;
	p->keep_read = true;
	set_notice(p,
		"the user to become may not read the filter's files: CAP_DAC_READ_SEARCH is kept, for SIGUSR2");
}

/* Plans for root.  held: why rights are needed later, or NULL. */
static void plan_root(struct cli_rights_plan *p, const struct cli_rights_facts *f, const char *held)
{
	const bool is_user_given = f->user;

	if (is_user_given && f->user_is_root) {
		p->why = "-Z root keeps all rights";
		return;
	}
	if (held) {
		p->refused = is_user_given;
		set_notice(p, held);
		return;
	}
	p->reduce = true;
	p->keep_nice = f->system == CLI_LINUX && f->urgent;
	if (!is_user_given) {
		plan_fallback_user(p, f);
		return;
	}
	p->become = f->user;
	if (f->files_unreadable)
		set_notice(p,
			"SIGUSR2 cannot read the filter's files again: that user may not read them");
}

/* Decides whether a program that may be confined is confined. */
static void plan_confinement(struct cli_rights_plan *p, const struct cli_rights_facts *f)
{
	/* FreeBSD's capability mode knows no paths */
	const bool is_read_impossible =
		(f->system == CLI_FREEBSD && f->files) || f->files > CLI_FILES_MOST;

	if (is_read_impossible) {
		p->confine = false;
		if (!p->why)
			p->why =
				"not confined: SIGUSR2 reads the filter's files again, which a confined process could not";
		return;
	}
	if (f->system != CLI_FREEBSD || !f->pinned)
		return;
	/* there cpuset_setaffinity(2) takes a thread's number in later versions only */
	p->confine = false;
	if (!p->why)
		p->why = "not confined: --pin is not to be had in every FreeBSD's capability mode";
}

void cli_rights_plan(struct cli_rights_plan *p, const struct cli_rights_facts *f)
{
	*p = (struct cli_rights_plan){ .confine = !f->no_confine };
	p->live = f->interface_name && !is_synth_name(f->interface_name);
	p->bpf = p->live && (f->system != CLI_LINUX || !strncmp(f->interface_name, "bpf:", 4));
	const char *held = later_need(f, p);
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
		set_notice(p, "only root can become another user: -Z does nothing");
	if (!f->root && !held) {
		p->reduce = true;
		p->keep_nice = f->system == CLI_LINUX && f->urgent;
	}
	if (held)
		p->confine = false;
	if (held && !p->why)
		p->why = held;
	if (p->confine)
		plan_confinement(p, f);
}
