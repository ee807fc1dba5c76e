/* SPDX-License-Identifier: MIT */
/* Linux: Landlock (landlock(7)) for files, TCP ports, and what other processes could be reached by;
 * seccomp (seccomp_linux.c) for system calls.  Either may be missing (an older kernel, an emulator,
 * a container's own policy): the other holds without it.
 *
 * A file of the filter is given by its directory, since an editor puts a new file in its place: so
 * everything below that directory can be read, by whoever we are then; and as the flows' file is
 * moved away and made anew (SIGHUP), whatever is below its directory can be appended to.
 * Descriptors that are open stay as they are. */
#include "confine_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/landlock.h> as of Linux 6.12 (interface version 6); distributions' copies are older, and
 * their kernels often newer. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_MAKE_REG (1u << 8)
#define FS_TRUNCATE (1u << 14) /* version 3: cuts a torn line off */
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

static void allow(int ruleset, const char *path)
{
	struct path_beneath rule = { .allowed = FS_READ_FILE,
		.parent = open(path, O_PATH | O_CLOEXEC) };
	if (rule.parent < 0)
		return; /* not there: nothing to allow */
	syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent);
}

static void allow_directory_of(int ruleset, const char *file)
{
	char *copy = strdup(file), *slash = copy ? strrchr(copy, '/') : NULL;
	if (slash == copy && slash)
		allow(ruleset, file); /* "/" would be everything */
	else if (slash)
		*slash = 0, allow(ruleset, copy);
	else
		allow(ruleset, ".");
	free(copy);
}

static void allow_file(int ruleset, const char *file)
{
	char *real = realpath(file, NULL);
	allow_directory_of(ruleset, file);
	if (real)
		allow_directory_of(ruleset, real); /* a link's target lies elsewhere */
	free(real);
}

int cli_landlock(const struct cli_confinement *how, int *version)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (v < 0)
		return errno;
	*version = (int)v;
	/* All of the file system's rights that this version knows: 13 at first, REFER, TRUNCATE,
	 * IOCTL_DEV. */
	struct ruleset all = { .fs = v >= 5   ? 0xffff
				     : v >= 3 ? 0x7fff
				     : v == 2 ? 0x3fff
					      : 0x1fff,
		.net = v >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
		.scoped = v >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0 };
	size_t size = v >= 6   ? sizeof all
		      : v >= 4 ? offsetof(struct ruleset, scoped)
			       : offsetof(struct ruleset, net);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
	if (ruleset < 0)
		return errno;
	for (size_t i = 0; i < how->file_count; i++)
		allow_file(ruleset, how->files[i]);
	for (size_t i = 0; how->filter && cli_name_files[i]; i++)
		allow(ruleset, cli_name_files[i]);
	if (how->output) {
		uint64_t cut = v >= 3 ? FS_TRUNCATE : 0;
		struct path_beneath rule = { .allowed = FS_WRITE_FILE | FS_MAKE_REG | cut,
			.parent = how->output_directory };
		syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
	}
	int e = syscall(SYS_landlock_restrict_self, ruleset, 0) ? errno : 0;
	close(ruleset);
	return e;
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	int version = 0, e;
	unsigned calls = 0;
	size_t used = 0;
	*done = (struct cli_confined){ .filter_fixed = false };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(done->failed, sizeof done->failed, "no_new_privs: %s", strerror(errno));
		return;
	}
	e = cli_landlock(how, &version);
	if (e)
		snprintf(done->failed, sizeof done->failed, "no Landlock (%s)",
			e == ENOSYS || e == EOPNOTSUPP
				? "this kernel has none, or has it switched off"
				: strerror(e));
	else
		used = (size_t)snprintf(done->holds, sizeof done->holds, "Landlock %d (%s%s%s)",
			version,
			how->file_count ? "to read: where the filter's files are"
			: how->filter   ? "to read: tables of names in /etc"
			: how->output   ? ""
					: "no files",
			how->output && (how->file_count || how->filter) ? "; " : "",
			how->output ? "to write: where the flows are" : "");
	size_t failed = strlen(done->failed);
	e = cli_seccomp(how, &calls);
	if (e)
		snprintf(done->failed + failed, sizeof done->failed - failed, "%sno seccomp (%s)",
			failed ? ", " : "",
			e == ENOTSUP                 ? "no list of calls for this kind of machine"
			: e == ENOSYS || e == EINVAL ? "this kernel, or emulator, has none"
						     : strerror(e));
	else
		snprintf(done->holds + used, sizeof done->holds - used,
			"%sseccomp (%u system calls)", used ? ", " : "", calls);
}
