/* SPDX-License-Identifier: MIT */
/* Carries out the plan (rights.h).
 *
 * Life: prepare, before anything is opened, so an impossible wish is refused before any file is
 * touched; give_up, between the opening of the source and the first thread, so the rights are lost
 * for every thread and for good.  State: the plan and the filter's files; main thread. */
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
	struct account account;      /* of plan.become */
	bool is_user_given;          /* -Z */
	char *files[CLI_FILES_MOST]; /* of the filter, which can be read again */
	size_t file_count;
	size_t files_found; /* in the filter: may be more than file_count */
} state;

/* ---- Accounts ---- */

/* Looks up a user.  Returns whether the user exists. */
static bool find_account(const char *name, struct account *a)
{
	const struct passwd *p = getpwnam(name);
	const long most = sysconf(_SC_NGROUPS_MAX);

	if (!p)
		return false;
	snprintf(a->name, sizeof a->name, "%s", p->pw_name);
	a->uid = p->pw_uid;
	a->gid = p->pw_gid;
	a->group_count = GROUPS_MOST;
	/* the cast: on macOS the groups are int */
	getgrouplist(a->name, a->gid, (void *)a->groups, &a->group_count);
	if (a->group_count > GROUPS_MOST)
		a->group_count = GROUPS_MOST;
	if (most > 0 && a->group_count > most)
		a->group_count = (int)most;
	return true;
}

/* Changes groups and user.  Returns 0 or an errno.  Not by initgroups, which asks a server on
 * macOS: this function runs in a child without exec, too.  setuid by root sets the real, the
 * effective and the saved id on every system. */
static int switch_to_account(const struct account *a)
{
	if (setgroups(a->group_count, a->groups) || setgid(a->gid) || setuid(a->uid))
		return errno;
	return 0;
}

/* Returns whether the process can become root again. */
static bool can_regain_root(const struct account *a)
{
	if (a->uid && (!seteuid(0) || !setuid(0)))
		return true;
	if (a->gid && (!setegid(0) || !setgid(0)))
		return true;
	return getuid() != a->uid || geteuid() != a->uid;
}

/* Waits for a child.  Returns whether the child exited with 0. */
static bool has_child_succeeded(pid_t child)
{
	int status = 1;

	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && !status;
}

/* Returns whether the user may read the filter's files.  Asks in a child that becomes the user: no
 * other way respects every directory, group and access control list. */
static bool may_read_files(const struct account *a)
{
	const pid_t child = fork();

	if (child)
		return has_child_succeeded(child);
	if (switch_to_account(a))
		_exit(1);
	for (size_t i = 0; i < state.file_count; i++)
		if (open(state.files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK) < 0)
			_exit(1);
	_exit(0);
}

static bool can_make_files_in(int directory)
{
	return !faccessat(directory, ".", W_OK | X_OK, AT_EACCESS);
}

uid_t cli_rights_user(void)
{
	return state.plan.become ? state.account.uid : geteuid();
}

const char *cli_rights_user_name(char *to, size_t room)
{
	const struct passwd *self = state.plan.become ? NULL : getpwuid(geteuid());

	if (state.plan.become)
		snprintf(to, room, "%s", state.plan.become);
	else if (self)
		snprintf(to, room, "%s", self->pw_name);
	else
		snprintf(to, room, "%lu", (unsigned long)geteuid());
	return to;
}

bool cli_rights_give(int file, bool made)
{
	const struct account *a = &state.account;
	const bool is_shared = !state.is_user_given && !strcmp(a->name, "nobody");
	struct stat st;

	if (!state.plan.become || fstat(file, &st))
		return false;
	if (st.st_uid == a->uid)
		return true;
	return made && !is_shared && !fchown(file, a->uid, a->gid);
}

int cli_rights_shed(void)
{
	const struct cli_rights_plan *p = &state.plan;
	int failed = 0;

	if (p->become)
		failed = switch_to_account(&state.account);
	if (!failed && p->reduce)
		failed = cli_caps_after(false, false);
	return failed;
}

int cli_rights_shed_wholly(void)
{
	const struct cli_rights_plan *p = &state.plan;
	const struct account *a = &state.account;
	const bool keeps_root = !p->become && !geteuid() && a->name[0] && a->uid;

	if (!keeps_root || cli_system_here == CLI_NO_SYSTEM)
		return cli_rights_shed();
	const int failed = switch_to_account(a);

	return failed ? failed : cli_caps_after(false, false);
}

int cli_rights_shed_for_owners(void)
{
	const struct cli_rights_plan *p = &state.plan;
	int failed = 0;

	/* macOS lets root alone look at processes of other users */
	if (cli_system_here == CLI_MACOS)
		return 0;
	if (p->become) {
		failed = cli_caps_before_owners();
		if (!failed)
			failed = switch_to_account(&state.account);
	}
	if (!failed && p->reduce)
		failed = cli_caps_after_owners();
	return failed;
}

bool cli_rights_may_make(int directory)
{
	if (!state.plan.become)
		return can_make_files_in(directory);
	const pid_t child = fork();
	if (!child)
		_exit(switch_to_account(&state.account) || !can_make_files_in(directory));
	return has_child_succeeded(child);
}

/* ---- Prepare ---- */

/* Finds the files of the filter that can be read again: regular files, no pipe, no terminal. */
static void find_filter_files(const struct cli *c)
{
	char *paths[CLI_FILES_MOST] = { NULL };
	size_t found = 0;
	struct stat st;

	if (c->filter_path)
		paths[0] = strdup(c->filter_path);
	if (paths[0])
		found = 1;
	if (c->filter)
		found += program_filter_files(c->filter, paths + found, CLI_FILES_MOST - found);
	state.file_count = 0;
	state.files_found = found > CLI_FILES_MOST ? found : 0;
	for (size_t i = 0; i < found && i < CLI_FILES_MOST; i++) {
		if (paths[i] && !stat(paths[i], &st) && S_ISREG(st.st_mode))
			state.files[state.file_count++] = paths[i];
		else
			free(paths[i]);
	}
	if (state.files_found < state.file_count)
		state.files_found = state.file_count;
}

/* Returns the name of the user that root becomes without -Z, or NULL. */
static const char *find_fallback_account(void)
{
	static const char *const names[] = { "bpfengine", "nobody" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (find_account(names[i], &state.account))
			return state.account.name;
	return NULL;
}

/* Returns how many rights a source needs later, as a number to compare. */
static int weigh_source(const char *name)
{
	if (!strcmp(name, "pktap"))
		return 3;
	if (!strncmp(name, "bpf:", 4))
		return 2;
	return strcmp(name, "synth") && strncmp(name, "synth:", 6);
}

/* Returns the interface that needs the most rights. */
static const char *find_demanding_source(const struct cli *c)
{
	const char *name = c->engine.interface_name;

	for (uint32_t k = 0; k < c->source_count && name; k++) {
		const char *other = c->sources[k].interface_name;

		if (cli_has_several(c) && other && weigh_source(other) > weigh_source(name))
			name = other;
	}
	return name;
}

static struct cli_rights_facts collect_facts(const struct cli *c)
{
	const struct bpe_options *o = &c->engine;

	return (struct cli_rights_facts){
		.system = cli_system_here,
		.root = !geteuid(),
		.no_confine = c->no_confine,
		.wait_interface = o->wait_interface,
		.urgent = o->priority != BPE_PRIORITY_NORMAL,
		.realtime = o->priority == BPE_PRIORITY_REALTIME,
		.pinned = o->pin_workers,
		.files = state.files_found,
		.user = c->user,
		.interface_name = find_demanding_source(c),
		.bpf_device = o->bpf_device,
	};
}

int cli_rights_prepare(struct cli *c)
{
	struct cli_rights_facts f;
	bool has_account = false;

	find_filter_files(c);
	f = collect_facts(c);
	state.is_user_given = c->user;
	if (c->user) {
		has_account = find_account(c->user, &state.account);
		if (!has_account) {
			program_tell(
				"-Z %s: there is no such user (getent passwd lists them; -Z root keeps all rights)",
				c->user);
			return EXIT_USAGE;
		}
		f.user_is_root = !state.account.uid;
		f.user_is_self = state.account.uid == geteuid();
	} else if (f.root) {
		f.fallback = find_fallback_account();
		has_account = f.fallback;
	}
	f.files_unreadable = f.root && has_account && state.account.uid && state.file_count &&
			     !may_read_files(&state.account);
	cli_rights_plan(&state.plan, &f);
	if (!state.plan.refused)
		return 0;
	program_tell(
		"-Z %s and this cannot be together: %s (leave out one of the two; -Z root keeps all rights)",
		c->user, state.plan.why);
	return EXIT_USAGE;
}

/* ---- Give up ---- */

/* Changes the user and reduces the privileges as planned.  asked: -Z, or NULL; failed: what did not
 * work.  Returns 0, or the exit code after the message. */
static int drop_rights(struct cli_rights_plan *p, const char *asked, char *failed, size_t room)
{
	int error = cli_caps_before(p->keep_read, p->keep_nice);

	if (!error && p->become && (error = switch_to_account(&state.account))) {
		snprintf(failed, room, "could not become user %s: %s%s", p->become, strerror(error),
			asked ? "" : "; going on as the user that started it");
		if (asked) {
			program_tell("-Z: %s", failed);
			return EXIT_RIGHTS;
		}
		/* stays the same user, without root's capabilities */
		p->keep_read = state.file_count;
		p->become = NULL;
	}
	if (p->reduce && (error = cli_caps_after(p->keep_read, p->keep_nice)))
		snprintf(failed, room, "could not give up all capabilities: %s", strerror(error));
	if (p->become && can_regain_root(&state.account)) {
		program_tell(
			"user %s could become root again: not capturing like that (-Z root keeps all rights, --no-confine does not help)",
			p->become);
		return EXIT_RIGHTS;
	}
	return 0;
}

/* Confines the program as planned. */
static void confine_program(const struct cli *c, struct cli_confined *confined)
{
	const struct cli_rights_plan *p = &state.plan;
	const int flows = c->flows ? cli_flows_directory(c->flows) : -1;
	const int events = c->events ? cli_flows_directory(c->events) : -1;
	struct cli_confinement how = {
		.files = (const char *const *)state.files,
		.file_count = state.file_count,
		.filter = c->filter,
		.live = p->live,
		.bpf = p->bpf,
		.waits = c->engine.wait_interface,
		.tuned = c->engine.pin_workers || c->engine.priority != BPE_PRIORITY_NORMAL,
		.terminal = c->top,
		.output_directory = flows,
		.second_directory = events,
		.writes = c->place.used,
		.write_folder = c->place.folder,
		.write_directory = c->place.directory,
		.write_fd = c->place.fd,
		.command = c->write.command || c->exports,
	};

	if (flows >= 0)
		how.output = c->flows_path;
	if (events >= 0)
		how.second = c->events_path;
	if (!how.output) {
		how.output = how.second;
		how.output_directory = how.second_directory;
		how.second = NULL;
	}
	*confined = (struct cli_confined){ .filter_fixed = false };
	if (p->confine)
		cli_confine(&how, confined);
}

static void report_rights(const struct cli *c, const char *before, const char *text)
{
	if (text && text[0])
		cli_notice(c->quiet, "%s%s", before, text);
}

static void free_filter_files(void)
{
	for (size_t i = 0; i < state.file_count; i++) {
		free(state.files[i]);
		state.files[i] = NULL;
	}
}

int cli_rights_give_up(struct cli *c)
{
	struct cli_rights_plan *p = &state.plan;
	struct cli_rights *r = &c->rights;
	const char *why = p->why ? p->why : "";
	struct cli_confined confined;
	char failed[128] = "";
	int code = 0;

	if (p->become || p->reduce)
		code = drop_rights(p, c->user, failed, sizeof failed);
	if (code)
		return code;
	cli_rights_user_name(r->user, sizeof r->user);
	/* asked before the confinement, which may forbid the call */
	cli_caps_text(r->capabilities, sizeof r->capabilities);
	confine_program(c, &confined);
	r->dropped = p->become;
	r->filter_fixed = confined.filter_fixed;
	snprintf(r->kept, sizeof r->kept, "%s", failed[0] ? failed : why);
	snprintf(r->confined, sizeof r->confined, "%s", confined.holds);
	snprintf(r->missing, sizeof r->missing, "%s", confined.failed);
	report_rights(c, "", failed);
	if (p->notice)
		report_rights(c, geteuid() || p->reduce ? "" : "rights are kept: ", p->why);
	report_rights(
		c, confined.holds[0] ? "confined in part: " : "not confined: ", confined.failed);
	free_filter_files();
	return 0;
}
