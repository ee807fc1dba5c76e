/* SPDX-License-Identifier: MIT */
/* Carries the plan out (rights.h).  Life: prepare, while nothing is open yet, so that what cannot
 * be is told before any file is touched; give_up, between opening the source and the first thread:
 * what it takes away is gone for every thread, and for good. */
#include "cli.h"
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MOST 64 /* of a user; macOS's and NetBSD's kernels take 16 */

struct account {
	char name[64];
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MOST];
	int group_count;
};

static struct {
	struct cli_rights_plan plan;
	struct account account; /* of plan.become */
	char *files[CLI_FILES_MOST];
	size_t files_found, file_count; /* in the filter; of those looked after */
} state;

static bool find(const char *name, struct account *a)
{
	const struct passwd *p = getpwnam(name);
	if (!p)
		return false;
	snprintf(a->name, sizeof a->name, "%s", p->pw_name);
	a->uid = p->pw_uid, a->gid = p->pw_gid;
	long most = sysconf(_SC_NGROUPS_MAX);
	a->group_count = GROUPS_MOST;
	getgrouplist(
		a->name, a->gid, (void *)a->groups, &a->group_count); /* macOS has them as int */
	if (a->group_count > GROUPS_MOST)
		a->group_count = GROUPS_MOST;
	if (most > 0 && a->group_count > most)
		a->group_count = (int)most;
	return true;
}

static int switch_to(const struct account *a)
{
	/* Not initgroups, which asks a server in macOS: this runs in a child without exec, too.
	 * setuid by root sets the real, the effective and the saved id, on every system. */
	return setgroups(a->group_count, a->groups) || setgid(a->gid) || setuid(a->uid) ? errno : 0;
}

static bool is_regained(const struct account *a)
{
	return (a->uid && (!seteuid(0) || !setuid(0))) || (a->gid && (!setegid(0) || !setgid(0))) ||
	       getuid() != a->uid || geteuid() != a->uid;
}

/* Asked of a process that is that user: no other way minds every directory, group and list of
 * access. */
static bool may_read(const struct account *a)
{
	int status = 1;
	pid_t child = fork();
	if (!child) {
		if (switch_to(a))
			_exit(1);
		for (size_t i = 0; i < state.file_count; i++)
			if (open(state.files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK) < 0)
				_exit(1);
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && !status;
}

/* Of what the filter was read from, what can be read again: no pipe, no terminal. */
static void find_files(const struct cli *c)
{
	char *paths[CLI_FILES_MOST] = { NULL };
	size_t found = 0;
	struct stat st;
	if (c->filter_path && (paths[0] = strdup(c->filter_path)))
		found = 1;
	if (c->filter)
		found += program_filter_files(c->filter, paths + found, CLI_FILES_MOST - found);
	state.files_found = state.file_count = 0;
	if (found > CLI_FILES_MOST)
		state.files_found = found;
	for (size_t i = 0; i < found && i < CLI_FILES_MOST; i++) {
		if (paths[i] && !stat(paths[i], &st) && S_ISREG(st.st_mode))
			state.files[state.file_count++] = paths[i];
		else
			free(paths[i]);
	}
	if (state.files_found < state.file_count)
		state.files_found = state.file_count;
}

int cli_rights_prepare(struct cli *c)
{
	static const char *const fallbacks[] = { "bpfengine", "nobody" };
	const struct bpe_options *o = &c->engine;
	struct cli_rights_facts f = { .system = cli_system_here,
		.root = !geteuid(),
		.no_confine = c->no_confine,
		.wait_interface = o->wait_interface,
		.urgent = o->priority != BPE_PRIORITY_NORMAL,
		.realtime = o->priority == BPE_PRIORITY_REALTIME,
		.pinned = o->pin_workers,
		.user = c->user,
		.interface_name = o->interface_name,
		.bpf_device = o->bpf_device };
	bool found = false;
	find_files(c);
	f.files = state.files_found;
	if (c->user && !(found = find(c->user, &state.account))) {
		program_tell(
			"-Z %s: there is no such user (getent passwd lists them; -Z root keeps all rights)",
			c->user);
		return EXIT_USAGE;
	}
	for (size_t i = 0; f.root && !c->user && !found && i < 2; i++)
		if ((found = find(fallbacks[i], &state.account)))
			f.fallback = state.account.name;
	f.user_is_root = c->user && !state.account.uid;
	f.user_is_self = c->user && state.account.uid == geteuid();
	f.files_unreadable = f.root && found && state.account.uid && state.file_count &&
			     !may_read(&state.account);
	cli_rights_plan(&state.plan, &f);
	if (!state.plan.refused)
		return 0;
	program_tell(
		"-Z %s and this cannot be together: %s (leave out one of the two; -Z root keeps all rights)",
		c->user, state.plan.why);
	return EXIT_USAGE;
}

/* 0, or an exit code after the message. */
static int drop(struct cli_rights_plan *p, const char *asked, char *failed, size_t room)
{
	int e = cli_caps_before(p->keep_read, p->keep_nice);
	if (!e && p->become && (e = switch_to(&state.account))) {
		snprintf(failed, room, "could not become user %s: %s%s", p->become, strerror(e),
			asked ? "" : "; going on as the user that started it");
		if (asked) {
			program_tell("-Z: %s", failed);
			return EXIT_RIGHTS;
		}
		p->keep_read =
			state.file_count; /* as whoever we are, without root's capabilities */
		p->become = NULL;
	}
	if (p->reduce && (e = cli_caps_after(p->keep_read, p->keep_nice)))
		snprintf(failed, room, "could not give up all capabilities: %s", strerror(e));
	if (p->become && is_regained(&state.account)) {
		program_tell(
			"user %s could become root again: not capturing like that (-Z root keeps all rights, --no-confine does not help)",
			p->become);
		return EXIT_RIGHTS;
	}
	return 0;
}

uid_t cli_rights_user(void)
{
	return state.plan.become ? state.account.uid : geteuid();
}

bool cli_rights_may_make(int directory)
{
	int status = 1;
	if (!state.plan.become)
		return !faccessat(directory, ".", W_OK | X_OK, AT_EACCESS);
	pid_t child = fork();
	if (!child)
		_exit(switch_to(&state.account) ||
			faccessat(directory, ".", W_OK | X_OK, AT_EACCESS));
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && !status;
}

static void tell(const struct cli *c, const char *before, const char *text)
{
	if (text && text[0] && !c->quiet)
		program_tell("%s%s", before, text);
}

int cli_rights_give_up(struct cli *c)
{
	struct cli_rights_plan *p = &state.plan;
	struct cli_rights *r = &c->rights;
	struct cli_confined confined = { .filter_fixed = false };
	char failed[128] = "", caps[64] = "";
	int code = p->become || p->reduce ? drop(p, c->user, failed, sizeof failed) : 0;
	if (code)
		return code;
	const struct passwd *self = p->become ? NULL : getpwuid(geteuid());
	if (p->become || self)
		snprintf(r->user, sizeof r->user, "%s", p->become ? p->become : self->pw_name);
	else
		snprintf(r->user, sizeof r->user, "%lu", (unsigned long)geteuid());
	const int directory = c->flows ? cli_flows_directory(c->flows) : -1;
	const struct cli_confinement how = { .files = (const char *const *)state.files,
		.file_count = state.file_count,
		.filter = c->filter,
		.live = p->live,
		.bpf = p->bpf,
		.tuned = c->engine.pin_workers || c->engine.priority != BPE_PRIORITY_NORMAL,
		.terminal = c->top,
		.output = directory >= 0 ? c->flows_path : NULL,
		.output_directory = directory };
	cli_caps_text(caps, sizeof caps); /* asked now: a confined program may not */
	if (p->confine)
		cli_confine(&how, &confined);
	r->dropped = p->become;
	r->filter_fixed = confined.filter_fixed;
	snprintf(r->kept, sizeof r->kept, "%s", failed[0] ? failed : p->why ? p->why : "");
	snprintf(r->capabilities, sizeof r->capabilities, "%s", caps);
	snprintf(r->confined, sizeof r->confined, "%s", confined.holds);
	snprintf(r->missing, sizeof r->missing, "%s", confined.failed);
	tell(c, "", failed);
	if (p->notice)
		tell(c, geteuid() || p->reduce ? "" : "rights are kept: ", p->why);
	tell(c, confined.holds[0] ? "confined in part: " : "not confined: ", confined.failed);
	for (size_t i = 0; i < state.file_count; i++)
		free(state.files[i]), state.files[i] = NULL;
	return 0;
}
