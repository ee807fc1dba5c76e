/* SPDX-License-Identifier: MIT */
/* Shims of the calls that write, name and remove savefiles, and of the helper process of -z. */
#define _GNU_SOURCE
#include "macho.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DARWIN_CWD (-2)
#define DARWIN_RENAME_EXCL 4u
#define DARWIN_ENOTSUP 45

struct darwin_statvfs {
	unsigned long bsize, frsize;
	uint32_t blocks, bfree, bavail, files, ffree, favail;
	unsigned long fsid, flag, namemax;
};
struct darwin_utsname {
	char field[5][256];
};

static int at_here(int at)
{
	return at == DARWIN_CWD ? AT_FDCWD : at;
}

/* Returns whether the sandbox refuses to write the name beside the directory. */
static int denied_write(int at, const char *name)
{
	char link[64], full[2 * PATH_MAX], directory[PATH_MAX] = "";
	if (!sandboxed)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", at);
	if (*name != '/' && at != DARWIN_CWD) {
		const ssize_t n = readlink(link, directory, sizeof directory - 1);
		directory[n > 0 ? n : 0] = 0;
	}
	snprintf(full, sizeof full, "%s%s%s", directory, *directory ? "/" : "", name);
	return !sandbox_allows("file-write-data", full);
}

static int s_fstatvfs(int fd, struct darwin_statvfs *d)
{
	struct statvfs s;
	if (fstatvfs(fd, &s))
		return -1;
	*d = (struct darwin_statvfs){ .bsize = s.f_bsize,
		.frsize = s.f_frsize,
		.blocks = (uint32_t)s.f_blocks,
		.bfree = (uint32_t)s.f_bfree,
		.bavail = (uint32_t)s.f_bavail,
		.namemax = s.f_namemax };
	return 0;
}

static int s_uname(struct darwin_utsname *d)
{
	memset(d, 0, sizeof *d);
	strcpy(d->field[0], "Darwin");
	strcpy(d->field[1], "machorun");
	strcpy(d->field[2], "24.0.0");
	strcpy(d->field[3], "Darwin Kernel Version 24.0.0 (machorun)");
	strcpy(d->field[4], "x86_64");
	return 0;
}

static int s_renameat(int from_at, const char *from, int to_at, const char *to)
{
	if (denied_write(from_at, from) || denied_write(to_at, to))
		return fail_as(1);
	return renameat(at_here(from_at), from, at_here(to_at), to);
}

static int s_renameatx_np(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	if (flags & ~DARWIN_RENAME_EXCL)
		return fail_as(DARWIN_ENOTSUP);
	if (denied_write(from_at, from) || denied_write(to_at, to))
		return fail_as(1);
	return renameat2(at_here(from_at), from, at_here(to_at), to, flags ? RENAME_NOREPLACE : 0);
}

static int s_linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	if (denied_write(from_at, from) || denied_write(to_at, to))
		return fail_as(1);
	return flags ? fail_as(DARWIN_ENOTSUP)
		     : linkat(at_here(from_at), from, at_here(to_at), to, 0);
}

static int s_unlinkat(int at, const char *name, int flags)
{
	if (denied_write(at, name))
		return fail_as(1);
	return flags ? fail_as(DARWIN_ENOTSUP) : unlinkat(at_here(at), name, 0);
}

static void *s_memmove_chk(void *a, const void *b, size_t n, size_t room)
{
	if (n > room)
		abort();
	return memmove(a, b, n);
}

const struct shim shims_writer[] = {
	{ "___memmove_chk", s_memmove_chk },
	{ "_access", access },
	{ "_dup2", dup2 },
	{ "_execvp", execvp },
	{ "_fchmod", fchmod },
	{ "_flock", flock },
	{ "_fstatvfs", s_fstatvfs },
	{ "_fsync", fsync },
	{ "_linkat", s_linkat },
	{ "_renameat", s_renameat },
	{ "_renameatx_np", s_renameatx_np },
	{ "_setpriority", setpriority },
	{ "_setsid", setsid },
	{ "_strtol", strtol },
	{ "_uname", s_uname },
	{ "_unlinkat", s_unlinkat },
	{ NULL, NULL },
};
