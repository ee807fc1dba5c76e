/* SPDX-License-Identifier: MIT */
/* Linux: Landlock (landlock(7)) confines files, TCP ports and the ways to other processes; seccomp
 * (seccomp_linux.c) confines system calls.  Stateless.  Either may be missing (an older kernel, an
 * emulator, a container's own policy); the other works without it.
 *
 * A file of the filter is allowed by its directory, since an editor puts a new file in the place of
 * the old.  So everything below the directory can be read, as far as the user may.  The flow file
 * is moved away and made anew (SIGHUP), so every file below its directory can be appended to.  Open
 * descriptors stay as they are. */
#include "confine_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/landlock.h> as of Linux 6.12 (interface version 6).  The copies of distributions are
 * older, and their kernels are often newer. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_REG (1u << 8)
#define FS_TRUNCATE (1u << 14) /* version 3; cuts off a torn line */
enum { SCOPE_ABSTRACT_UNIX = 1, SCOPE_SIGNAL = 2, NET_BIND_TCP = 1, NET_CONNECT_TCP = 2 };

struct ruleset {
	uint64_t fs, net, scoped;
};
struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

const enum cli_system cli_system_here = CLI_LINUX;
const char *const cli_name_files[] = { "/etc/services", "/etc/protocols", "/etc/networks",
	"/etc/hosts", "/etc/ethers", "/etc/nsswitch.conf", "/etc/host.conf", NULL };

/* ---- Landlock ---- */

/* Allows the reading of a file, or of all files below a directory. */
static void allow_path(int ruleset, const char *path)
{
	struct path_beneath rule = { .allowed = FS_READ_FILE };

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0) /* a missing file needs no rule */
		return;
	syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent);
}

static void allow_directory_of(int ruleset, const char *file)
{
	char *copy = strdup(file);
	char *slash = copy ? strrchr(copy, '/') : NULL;

	if (!slash) {
		allow_path(ruleset, ".");
	} else if (slash == copy) {
		allow_path(ruleset, file); /* the directory "/" would allow everything */
	} else {
		*slash = 0;
		allow_path(ruleset, copy);
	}
	free(copy);
}

static void allow_filter_file(int ruleset, const char *file)
{
	char *real = realpath(file, NULL);

	allow_directory_of(ruleset, file);
	if (real)
		allow_directory_of(ruleset, real); /* the target of a link lies elsewhere */
	free(real);
}

static void allow_output(int ruleset, int directory, long version)
{
	struct path_beneath rule = { .allowed = FS_WRITE_FILE | FS_MAKE_REG, .parent = directory };

	if (version >= 3)
		rule.allowed |= FS_TRUNCATE;
	syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

/* Allows the writer's directory: files are made, renamed within the directory, read again (the
 * ledger) and removed.  A rename within a directory needs no right REFER. */
static void allow_write_directory(int ruleset, int directory, long version)
{
	struct path_beneath rule = { .allowed = FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR |
						FS_MAKE_REG | FS_REMOVE_FILE,
		.parent = directory };

	if (version >= 3)
		rule.allowed |= FS_TRUNCATE;
	syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

/* Returns all rights on files that a version of the interface knows: 13 at first, then REFER,
 * TRUNCATE, IOCTL_DEV. */
static uint64_t file_rights_of_version(long version)
{
	if (version >= 5)
		return 0xffff;
	if (version >= 3)
		return 0x7fff;
	return version == 2 ? 0x3fff : 0x1fff;
}

/* Returns the size of struct ruleset in a version of the interface. */
static size_t ruleset_size_of_version(long version)
{
	if (version >= 6)
		return sizeof(struct ruleset);
	return version >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

int cli_landlock(const struct cli_confinement *how, int *version)
{
	const long v = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (v < 0)
		return errno;
	*version = (int)v;
	struct ruleset all = { .fs = file_rights_of_version(v) };
	if (v >= 4)
		all.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (v >= 6)
		all.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	const int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &all, ruleset_size_of_version(v), 0);
	if (ruleset < 0)
		return errno;
	for (size_t i = 0; i < how->file_count; i++)
		allow_filter_file(ruleset, how->files[i]);
	for (size_t i = 0; how->filter && cli_name_files[i]; i++)
		allow_path(ruleset, cli_name_files[i]);
	if (how->output)
		allow_output(ruleset, how->output_directory, v);
	if (how->second)
		allow_output(ruleset, how->second_directory, v);
	if (how->write_folder)
		allow_write_directory(ruleset, how->write_directory, v);
	const int failed = syscall(SYS_landlock_restrict_self, ruleset, 0) ? errno : 0;
	close(ruleset);
	return failed;
}

/* ---- Both ---- */

/* Returns the text which names the readable files; "" if the flow file says enough. */
static const char *describe_readable(const struct cli_confinement *how)
{
	if (how->file_count)
		return "to read: where the filter's files are";
	if (how->filter)
		return "to read: tables of names in /etc";
	return how->output || how->write_folder ? "" : "no files";
}

static const char *describe_writable(const struct cli_confinement *how)
{
	if (how->output && how->write_folder)
		return "to write: where the flows and the packets are";
	if (how->write_folder)
		return "to write: where the packets are";
	return how->output ? "to write: where the flows are" : "";
}

/* Runs Landlock and writes the result. */
static void confine_files(const struct cli_confinement *how, struct cli_confined *done)
{
	const bool reads = how->file_count || how->filter;
	int version = 0;
	const int failed = cli_landlock(how, &version);
	const char *why = strerror(failed);

	if (!failed) {
		const char *writable = describe_writable(how);
		const char *separator = *writable && reads ? "; " : "";
		snprintf(done->holds, sizeof done->holds, "Landlock %d (%s%s%s)", version,
			describe_readable(how), separator, writable);
		return;
	}
	if (failed == ENOSYS || failed == EOPNOTSUPP)
		why = "this kernel has none, or has it switched off";
	snprintf(done->failed, sizeof done->failed, "no Landlock (%s)", why);
}

/* Runs seccomp and appends the result. */
static void confine_calls(const struct cli_confinement *how, struct cli_confined *done)
{
	const size_t holds = strlen(done->holds);
	const size_t failures = strlen(done->failed);
	unsigned calls = 0;
	const int failed = cli_seccomp(how, &calls);
	const char *why = strerror(failed);

	if (!failed) {
		snprintf(done->holds + holds, sizeof done->holds - holds,
			"%sseccomp (%u system calls)", holds ? ", " : "", calls);
		return;
	}
	if (failed == ENOTSUP)
		why = "no list of calls for this kind of machine";
	else if (failed == ENOSYS || failed == EINVAL)
		why = "this kernel, or emulator, has none";
	snprintf(done->failed + failures, sizeof done->failed - failures, "%sno seccomp (%s)",
		failures ? ", " : "", why);
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	*done = (struct cli_confined){ .filter_fixed = false };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(done->failed, sizeof done->failed, "no_new_privs: %s", strerror(errno));
		return;
	}
	confine_files(how, done);
	confine_calls(how, done);
}
