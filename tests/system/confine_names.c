/* SPDX-License-Identifier: MIT */
/* Attempts to ask for files by their names, which seccomp must refuse (confine.c). */
#include "confine_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_statx
#define SYS_statx (sizeof(long) == 8 && SYS_read == 0 ? 332 : 291)
#endif

static int try_stat_name(void)
{
	struct stat st;
	return errno_of(stat(other_file, &st));
}

static int try_stat_at(void)
{
	struct stat st;
	return errno_of(syscall(SYS_newfstatat, AT_FDCWD, other_file, &st, 0));
}

static int try_stat_empty(void)
{
	struct stat st;
	return errno_of(syscall(SYS_newfstatat, AT_FDCWD, other_file, &st, AT_EMPTY_PATH));
}

static int try_stat_empty_of(void)
{
	struct stat st;
	return errno_of(syscall(SYS_newfstatat, event_fd, other_file, &st, AT_EMPTY_PATH));
}

static int try_stat_link(void)
{
	struct stat st;
	return errno_of(lstat(other_file, &st));
}

static int try_stat_more(void)
{
	char st[256];
	return errno_of(syscall(SYS_statx, AT_FDCWD, other_file, 0, 0x7ff, st));
}

static int try_stat_more_empty(void)
{
	char st[256];
	return errno_of(syscall(SYS_statx, AT_FDCWD, other_file, AT_EMPTY_PATH, 0x7ff, st));
}

static int try_stat_system(void)
{
	char st[256];
	return errno_of(syscall(SYS_statfs, other_file, st));
}

static int try_access(void)
{
	return errno_of(access(other_file, F_OK));
}

static int try_faccessat(void)
{
	return errno_of(faccessat(AT_FDCWD, other_file, F_OK, 0));
}

static int try_faccessat2(void)
{
	return errno_of(syscall(SYS_faccessat2, AT_FDCWD, other_file, F_OK, 0));
}

static int try_read_link(void)
{
	char to[64];
	return errno_of(readlink("/proc/self/exe", to, sizeof to));
}

static int try_name_handle(void)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char room[128];
	} h = { .bytes = 128 };
	int mount;
	return errno_of(syscall(SYS_name_to_handle_at, AT_FDCWD, other_file, &h, &mount, 0));
}

static int try_attribute(void)
{
	char v[8];
	int e = errno_of(syscall(SYS_getxattr, other_file, "user.none", v, sizeof v));
	return e == ENODATA || e == EOPNOTSUPP ? 0 : e;
}

static int try_watch_file(void)
{
	int e = errno_of(syscall(SYS_inotify_add_watch, event_fd, other_file, 1));
	return e == EINVAL ? 0 : e;
}

static int try_open_path(void)
{
	return close_opened(open(other_file, O_PATH));
}

static int try_openat2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };
	return close_opened((int)syscall(SYS_openat2, AT_FDCWD, other_file, how, sizeof how));
}

static int try_list_files(void)
{
	char b[1024];
	int e = errno_of(syscall(SYS_getdents64, event_fd, b, sizeof b));
	return e == ENOTDIR ? 0 : e;
}

static int try_getcwd(void)
{
	char b[1024];
	return errno_of(syscall(SYS_getcwd, b, sizeof b));
}

#define REFUSED(name, make) { name, make, SECCOMP, 0, false }
#define REFUSED_FREE(name, make) { name, make, SECCOMP, 0, true }

static const struct attempt attempts[] = {
	REFUSED("stat", try_stat_name),
	REFUSED("newfstatat", try_stat_at),
	REFUSED("newfstatat with AT_EMPTY_PATH and a name", try_stat_empty),
	REFUSED("the same with a descriptor", try_stat_empty_of),
	REFUSED("lstat", try_stat_link),
	REFUSED_FREE("statx", try_stat_more),
	REFUSED_FREE("statx with AT_EMPTY_PATH and a name", try_stat_more_empty),
	REFUSED("statfs", try_stat_system),
	REFUSED("access", try_access),
	REFUSED("faccessat", try_faccessat),
	REFUSED_FREE("faccessat2", try_faccessat2),
	REFUSED_FREE("readlink", try_read_link),
	REFUSED_FREE("name_to_handle_at", try_name_handle),
	REFUSED_FREE("getxattr", try_attribute),
	REFUSED_FREE("inotify_add_watch", try_watch_file),
	REFUSED("open with O_PATH", try_open_path),
	REFUSED_FREE("openat2", try_openat2),
	REFUSED("getdents", try_list_files),
	REFUSED("getcwd", try_getcwd),
};

const struct attempt_list name_attempts = { attempts, sizeof attempts / sizeof *attempts };
