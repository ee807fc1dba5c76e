/* SPDX-License-Identifier: MIT */
/* Shims of files and devices: Darwin's open flags, struct stat, ioctl codes. */
#define _GNU_SOURCE
#include "macho.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int denied_open(const char *path, int l)
{
	if (!sandboxed)
		return 0;
	if ((l & O_ACCMODE) != O_WRONLY && !sandbox_allows("file-read-data", path))
		return 1;
	if ((l & O_ACCMODE) != O_RDONLY && !sandbox_allows("file-write-data", path))
		return 1;
	return l & O_CREAT && access(path, F_OK) && !sandbox_allows("file-write-create", path);
}

static int note_opened(int fd, const char *path, int is_bpf)
{
	if (is_bpf)
		note("open %s: %d (%s)", path, fd, fd < 0 ? strerror(errno) : "");
	if (fd >= 0)
		set_bpf_fd(fd, is_bpf);
	return fd;
}

static int s_open(const char *path, int flags, ...)
{
	char room[PATH_MAX];
	int is_bpf, l = darwin_open_flags(flags);
	va_list a;
	va_start(a, flags);
	mode_t mode = l & O_CREAT ? (mode_t)va_arg(a, int) & 07777 : 0;
	va_end(a);
	if (denied_open(path, l))
		return fail_as(1);
	const char *here = here_path(path, room, sizeof room, &is_bpf);
	return note_opened(open(here, l, mode), path, is_bpf);
}

/* Writes the path that a name means beside an open directory; Darwin's AT_FDCWD is -2. */
static void join_path(int at, const char *path, char full[PATH_MAX])
{
	char link[64], dir[PATH_MAX];
	if (path[0] == '/' || at == -2) {
		snprintf(full, PATH_MAX, "%s", path);
		return;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", at);
	ssize_t n = readlink(link, dir, sizeof dir - 1);
	dir[n > 0 ? n : 0] = 0;
	snprintf(full, PATH_MAX, "%.2000s/%.2000s", dir, path);
}

static int directory_here(int at)
{
	return at == -2 ? AT_FDCWD : at;
}

static int s_openat(int at, const char *path, int flags, ...)
{
	char room[PATH_MAX], full[PATH_MAX];
	int is_bpf, l = darwin_open_flags(flags);
	va_list a;
	va_start(a, flags);
	mode_t mode = l & O_CREAT ? (mode_t)va_arg(a, int) & 07777 : 0;
	va_end(a);
	join_path(at, path, full);
	if (denied_open(full, l))
		return fail_as(1);
	const char *here = here_path(path, room, sizeof room, &is_bpf);
	return note_opened(openat(directory_here(at), here, l, mode), path, is_bpf);
}

static int denied_metadata(int at, const char *path)
{
	char full[PATH_MAX];
	join_path(at, path, full);
	return sandboxed && !sandbox_allows("file-read-metadata", full);
}

static int s_faccessat(int at, const char *path, int mode, int flags)
{
	char room[PATH_MAX];
	int is_bpf;
	if (denied_metadata(at, path))
		return fail_as(1);
	const char *here = here_path(path, room, sizeof room, &is_bpf);
	return faccessat(directory_here(at), here, mode, flags & 0x10 ? AT_EACCESS : 0);
}

static ssize_t s_readlinkat(int at, const char *path, char *to, size_t n)
{
	char room[PATH_MAX];
	int is_bpf;
	if (denied_metadata(at, path))
		return fail_as(1);
	return readlinkat(directory_here(at), here_path(path, room, sizeof room, &is_bpf), to, n);
}

static FILE *s_fopen(const char *path, const char *mode)
{
	char room[PATH_MAX];
	int is_bpf;
	if (sandboxed &&
		!sandbox_allows(mode[0] == 'r' ? "file-read-data" : "file-write-data", path)) {
		fail_as(1);
		return NULL;
	}
	return fopen(here_path(path, room, sizeof room, &is_bpf), mode);
}

static char *s_realpath(const char *path, char *to)
{
	char room[PATH_MAX], mac[PATH_MAX], *r;
	int is_bpf;
	if (sandboxed && !sandbox_allows("file-read-metadata", path)) {
		fail_as(1);
		return NULL;
	}
	if (!(r = realpath(here_path(path, room, sizeof room, &is_bpf), NULL)))
		return NULL;
	free(r);
	mac_path(path, mac);
	return to ? strcpy(to, mac) : strdup(mac);
}

static int s_close(int fd)
{
	set_bpf_fd(fd, 0);
	return close(fd);
}

static int s_dup(int fd)
{
	int n = dup(fd);
	if (n >= 0)
		set_bpf_fd(n, is_bpf_fd(fd));
	return n;
}

static ssize_t s_read(int fd, void *to, size_t n)
{
	if (n > INT_MAX)
		return fail_as(22); /* read(2) of macOS: more than INT_MAX is EINVAL */
	return read(fd, to, n);
}

static ssize_t s_pread(int fd, void *to, size_t n, int64_t at)
{
	if (n > INT_MAX)
		return fail_as(22);
	return pread(fd, to, n, at);
}

static ssize_t s_write(int fd, const void *from, size_t n)
{
	if (n > INT_MAX)
		return fail_as(22);
	return write(fd, from, n);
}

struct darwin_stat { /* 64-bit inodes */
	int32_t dev;
	uint16_t mode, nlink;
	uint64_t ino;
	uint32_t uid, gid;
	int32_t rdev;
	uint32_t pad;
	int64_t times[8];
	int64_t size, blocks;
	int32_t blksize;
	uint32_t flags, gen;
	int32_t spare;
	int64_t spares[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144 && offsetof(struct darwin_stat, size) == 96,
	"struct stat");

static int put_stat(const struct stat *s, struct darwin_stat *d)
{
	memset(d, 0, sizeof *d);
	d->dev = (int32_t)s->st_dev;
	d->mode = (uint16_t)s->st_mode;
	d->nlink = (uint16_t)s->st_nlink;
	d->ino = s->st_ino;
	d->uid = s->st_uid;
	d->gid = s->st_gid;
	d->rdev = (int32_t)s->st_rdev;
	d->size = s->st_size;
	d->blocks = s->st_blocks;
	d->blksize = (int32_t)s->st_blksize;
	d->times[0] = s->st_atim.tv_sec;
	d->times[1] = s->st_atim.tv_nsec;
	d->times[2] = s->st_mtim.tv_sec;
	d->times[3] = s->st_mtim.tv_nsec;
	d->times[4] = s->st_ctim.tv_sec;
	d->times[5] = s->st_ctim.tv_nsec;
	return 0;
}

static int s_stat(const char *path, struct darwin_stat *d)
{
	char room[PATH_MAX];
	int is_bpf;
	struct stat s;
	if (sandboxed && !sandbox_allows("file-read-metadata", path))
		return fail_as(1);
	return stat(here_path(path, room, sizeof room, &is_bpf), &s) ? -1 : put_stat(&s, d);
}

static int s_fstatat(int at, const char *path, struct darwin_stat *d, int flags)
{
	char room[PATH_MAX];
	int is_bpf;
	int l = flags & 0x20 ? AT_SYMLINK_NOFOLLOW : 0;
	struct stat s;
	if (denied_metadata(at, path))
		return fail_as(1);
	const char *here = here_path(path, room, sizeof room, &is_bpf);
	return fstatat(directory_here(at), here, &s, l) ? -1 : put_stat(&s, d);
}

static int s_fstat(int fd, struct darwin_stat *d)
{
	struct stat s;
	return fstat(fd, &s) ? -1 : put_stat(&s, d);
}

static int get_file_flags(int fd)
{
	int here = fcntl(fd, F_GETFL);
	if (here < 0)
		return here;
	int there = here & 3;
	if (here & O_NONBLOCK)
		there |= 4;
	if (here & O_APPEND)
		there |= 8;
	return there;
}

static int set_file_flags(int fd, long there)
{
	int here = 0;
	if (there & 4)
		here |= O_NONBLOCK;
	if (there & 8)
		here |= O_APPEND;
	return fcntl(fd, F_SETFL, here);
}

static int s_fcntl(int fd, int cmd, ...)
{
	va_list a;
	va_start(a, cmd);
	long v = va_arg(a, long);
	va_end(a);
	int r;
	switch (cmd) {
	case 1:
		return fcntl(fd, F_GETFD);
	case 2:
		return fcntl(fd, F_SETFD, (int)v & 1);
	case 3:
		return get_file_flags(fd);
	case 4:
		r = set_file_flags(fd, v);
		if (!r && is_bpf_fd(fd)) { /* macOS sends FIONBIO to the device; the served node
					      knows FIONBIO only */
			uint32_t on = v & 4 ? 1 : 0;
			r = ioctl(fd, 0x8004667eul, &on);
			if (r > 0)
				r = 0;
		}
		return r;
	case 67:
		return fcntl(fd, F_DUPFD_CLOEXEC, (int)v);
	default:
		note("fcntl %d: not known here", cmd);
		return fail_as(22);
	}
}

int shim_ioctl_net(int fd, unsigned long request, void *argument, int *done); /* shim_net.c */

static int s_ioctl(int fd, unsigned long request, ...)
{
	va_list a;
	va_start(a, request);
	void *argument = va_arg(a, void *);
	va_end(a);
	int done = 0, r;
	if (is_bpf_fd(fd)) {
		if (sandboxed && !sandbox_allows("file-ioctl", NULL))
			return fail_as(1);
		r = ioctl(fd, request & 0xffffffffu, argument);
		if (r < 0)
			note("ioctl bpf %d 0x%lx: %d %s", fd, request, r, strerror(errno));
		else
			note("ioctl bpf %d 0x%lx: %d", fd, request, r);
		return r;
	}
	r = shim_ioctl_net(fd, request, argument, &done);
	if (done)
		return r;
	switch (request & 0xffffffffu) {
	case 0x4004667f:
		return ioctl(fd, FIONREAD, argument);
	case 0x8004667e:
		return ioctl(fd, FIONBIO, argument);
	case 0x40087468:
		return ioctl(fd, TIOCGWINSZ, argument);
	default:
		note("ioctl 0x%lx: not known here", request);
		return fail_as(25);
	}
}

static void *s_mmap(void *at, size_t n, int protection, int flags, int fd, int64_t offset)
{
	int l = flags & 0x13; /* SHARED, PRIVATE, FIXED */
	if (flags & 0x40)
		l |= MAP_NORESERVE;
	if (flags & 0x1000)
		l |= MAP_ANONYMOUS;
	if (flags & ~0x1053)
		note("mmap flags 0x%x", flags);
	return mmap(at, n, protection, l, flags & 0x1000 ? -1 : fd, offset);
}

static int s_poll(struct pollfd *p, uint32_t n, int ms)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_bpf_fd(p[i].fd))
			note("poll on a BPF descriptor");
	return poll(p, n, ms);
}

const struct shim shims_files[] = {
	{ "_close", s_close },
	{ "_dup", s_dup },
	{ "_fcntl", s_fcntl },
	{ "_fopen$DARWIN_EXTSN", s_fopen },
	{ "_fstat$INODE64", s_fstat },
	{ "_ioctl", s_ioctl },
	{ "_mmap", s_mmap },
	{ "_open", s_open },
	{ "_openat", s_openat },
	{ "_poll", s_poll },
	{ "_read", s_read },
	{ "_realpath$DARWIN_EXTSN", s_realpath },
	{ "_stat$INODE64", s_stat },
	{ "_write", s_write },
	{ "_faccessat", s_faccessat },
	{ "_fstatat$INODE64", s_fstatat },
	{ "_fchown", fchown },
	{ "_ftruncate", ftruncate },
	{ "_pread", s_pread },
	{ "_readlinkat", s_readlinkat },
	{ NULL, NULL },
};
