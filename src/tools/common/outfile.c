/* SPDX-License-Identifier: MIT */
/* An output file (program.h): opened without a change, compared, made or emptied when its time has
 * come.
 *
 * Started as root the program writes where others may have laid something out for it: no symbolic
 * link is followed that is not root's own (the last name may be none at all), new files are for
 * root alone to read, and in a directory that everybody may write in nothing is taken that belongs
 * to somebody else or has a second name.  Elsewhere another owner is told. /dev/stdout, /dev/stderr
 * and /dev/fd/N are what was open at the start: opening them once more would write over what the
 * first descriptor wrote. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MOST 40
#define WRITE_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY)

static int refuse(struct outfile *o, const char *why)
{
	snprintf(o->why, sizeof o->why, "%s", why);
	return -1;
}

/* Returns the descriptor that the path names, or -1. */
static int descriptor_of(const char *path)
{
	static const char *const words[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	static const char *const places[] = { "/dev/fd/", "/proc/self/fd/" };
	for (int i = 0; i < 3; i++)
		if (!strcmp(path, words[i]))
			return i;
	for (int i = 0; i < 2; i++) {
		size_t n = strlen(places[i]);
		const char *number = path + n;
		if (strncmp(path, places[i], n) != 0 || !*number ||
			number[strspn(number, "0123456789")])
			continue;
		return strlen(number) > 6 ? INT_MAX : atoi(number);
	}
	return -1;
}

/* ---- Directories, as root ---- */

/* Puts what the link at the path's next name points to in the name's place. */
static int expand(int at, const char *name, const char *rest, char path[PATH_MAX])
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlinkat(at, name, target, sizeof target - 1);
	if (n < 0)
		return errno;
	target[n] = 0;
	int length = snprintf(whole, sizeof whole, "%s/%s", target, rest);
	if (length >= PATH_MAX)
		return ENAMETOOLONG;
	memcpy(path, whole, (size_t)length + 1);
	return 0;
}

/* Opens a directory name by name.  Returns a descriptor, or -1 and errno; ELOOP: a link of somebody
 * else's, or too many. */
static int open_directory_as_root(const char *from)
{
	char path[PATH_MAX];
	int links = 0, at = open(*from == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    failed = 0;
	if (strlen(from) >= sizeof path)
		failed = ENAMETOOLONG;
	else
		memcpy(path, from, strlen(from) + 1);
	for (const char *next = path; at >= 0 && !failed && *(next += strspn(next, "/"));) {
		struct stat st;
		char name[NAME_MAX + 1];
		size_t n = strcspn(next, "/");
		int below = -1;
		if (n > NAME_MAX)
			failed = ENAMETOOLONG;
		else
			memcpy(name, next, n), name[n] = 0;
		if (!failed && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
			failed = errno;
		if (!failed && S_ISLNK(st.st_mode)) {
			failed = st.st_uid || ++links > LINKS_MOST
					 ? ELOOP
					 : expand(at, name, next + n, path);
			next = path;
			if (!failed && *path == '/')
				below = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			else if (!failed)
				continue;
		} else if (!failed) {
			below = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			next += n;
		}
		if (!failed && below < 0)
			failed = errno;
		if (below >= 0)
			close(at), at = below;
	}
	if (failed && at >= 0)
		close(at), at = -1;
	if (failed)
		errno = failed;
	return at;
}

static int open_directory(struct outfile *o)
{
	const char *slash = strrchr(o->path, '/');
	size_t n = slash ? slash == o->path ? 1 : (size_t)(slash - o->path) : 1;
	char *parent = strndup(slash ? o->path : ".", n);
	o->name = slash ? slash + 1 : o->path;
	if (!parent)
		return refuse(o, "no memory");
	o->directory = o->root ? open_directory_as_root(parent)
			       : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = errno;
	free(parent);
	if (o->directory >= 0)
		return 0;
	return refuse(o,
		failed == ELOOP && o->root
			? "a directory on the way to it is another user's symbolic link, which root does not follow"
			: strerror(failed));
}

/* ---- The file ---- */

/* Says what is wrong with the file that is open. */
static int judge(struct outfile *o, int fd, bool *regular)
{
	struct stat st, place;
	if (fstat(fd, &st))
		return refuse(o, strerror(errno));
	const char *what = program_files_find(o->others, &st, o->standard < 0);
	if (what) {
		snprintf(o->why, sizeof o->why, "it is %s: name another file", what);
		return -1;
	}
	*regular = S_ISREG(st.st_mode);
	if (!o->root || !*regular || o->directory < 0 || fstat(o->directory, &place))
		return 0;
	/* Once rights are given up new files are the other user's.  Not geteuid(2): seccomp denies
	 * it. */
	bool shared = place.st_mode & S_IWOTH,
	     own = !st.st_uid || (o->again && st.st_uid == o->owner);
	if (shared && !own)
		return refuse(o,
			"it belongs to another user, in a directory that everybody may write in:"
			" remove it, or name a file elsewhere");
	if (shared && st.st_nlink > 1)
		return refuse(o,
			"it has other names, and everybody may write in its directory: name a file elsewhere");
	if (!own && st.st_uid != o->owner)
		snprintf(o->notice, sizeof o->notice, "%.80s belongs to user %lu, who can read it",
			o->name, (unsigned long)st.st_uid);
	return 0;
}

static int open_at(struct outfile *o, int flags)
{
	/* 0600: what goes over a network is for root alone.  Others have their umask. */
	int fd = openat(o->directory, o->name, WRITE_FLAGS | (o->root ? O_NOFOLLOW : 0) | flags,
		o->root ? 0600 : 0644);
	if (fd < 0 && o->root && (errno == ELOOP || errno == EMLINK)) /* FreeBSD: EMLINK */
		refuse(o,
			"it is a symbolic link, which root does not follow: name the file itself");
	else if (fd < 0)
		refuse(o, strerror(errno));
	return fd;
}

/* Whether the file has something in it whose last line is not ended, where that can be read. */
static bool ends_within_line(const struct outfile *o)
{
	struct stat st, seen;
	char last = '\n';
	if (!o->regular || o->directory < 0 || fstat(o->fd, &st) || !st.st_size)
		return false;
	int fd = openat(o->directory, o->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool same = !fstat(fd, &seen) && seen.st_dev == st.st_dev && seen.st_ino == st.st_ino;
	if (!same || pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

/* Closes what this program opened. */
static int close_own(int fd)
{
	return fd > STDERR_FILENO ? close(fd) : 0;
}

/* Takes the place of what was open, if all is well with it. */
static int take(struct outfile *o, int fd)
{
	bool regular;
	if (fd < 0)
		return -1;
	if (judge(o, fd, &regular)) {
		close_own(fd);
		return -1;
	}
	close_own(o->fd);
	o->fd = fd;
	o->regular = regular;
	o->torn = ends_within_line(o);
	return 0;
}

int outfile_find(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner)
{
	struct stat st;
	*o = (struct outfile){ .others = others,
		.path = path,
		.fd = -1,
		.directory = -1,
		.standard = !strcmp(path, "-") ? STDOUT_FILENO : descriptor_of(path),
		.root = !geteuid(),
		.owner = owner };
	if (o->standard >= 0) { /* stdout and stderr as they are: a confined program may write to no
				   other socket */
		bool direct = o->standard == STDOUT_FILENO || o->standard == STDERR_FILENO;
		int fd = direct ? o->standard
				: fcntl(o->standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return fd < 0 ? refuse(o, strerror(errno)) : take(o, fd);
	}
	const char *what = stat(path, &st) ? NULL : program_files_find(others, &st, true);
	if (what) { /* before a link to it is refused for being a link */
		snprintf(o->why, sizeof o->why, "it is %s: name another file", what);
		return -1;
	}
	if (open_directory(o))
		return -1;
	if (!fstatat(o->directory, o->name, &st, o->root ? AT_SYMLINK_NOFOLLOW : 0))
		return take(o, open_at(o, 0));
	if (errno != ENOENT || !*o->name)
		return refuse(o, strerror(*o->name ? errno : EISDIR));
	if (faccessat(o->directory, ".", W_OK, AT_EACCESS))
		return refuse(o, strerror(errno));
	o->regular = true;
	return 0;
}

int outfile_make(struct outfile *o)
{
	if (o->fd >= 0)
		return 0;
	o->made = true;
	return take(o, open_at(o, O_CREAT | (o->root ? O_EXCL : 0)));
}

int outfile_empty(struct outfile *o)
{
	struct stat st;
	if (!o->regular || o->standard >= 0 || o->fd < 0)
		return 0;
	if (fstat(o->fd, &st) || (st.st_size && ftruncate(o->fd, 0)))
		return refuse(o, strerror(errno));
	return 0;
}

int outfile_again(struct outfile *o)
{
	/* A pipe in the file's place would be waited for: without a reader it is an error. */
	o->again = true;
	return take(o, open_at(o, O_CREAT | O_NONBLOCK));
}

int outfile_close(struct outfile *o)
{
	int failed = close_own(o->fd) ? errno : 0;
	if (o->directory >= 0)
		close(o->directory);
	o->fd = o->directory = -1;
	return failed;
}
