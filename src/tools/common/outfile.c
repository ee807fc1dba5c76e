/* SPDX-License-Identifier: MIT */
/* An output file (program.h): opened without a change, compared with other files, and made or
 * emptied when its time has come.  The caller owns the state.
 *
 * A program started as root writes where others may have prepared a trap.  So no symbolic link is
 * followed but root's own, and the last name may be no link at all.  New files are readable for
 * root alone.  In a directory which everybody may write in, a file is refused which belongs to
 * somebody else or has a second name.  Elsewhere another owner causes a notice. /dev/stdout,
 * /dev/stderr and /dev/fd/N are the descriptors which were open at the start: opening such a path
 * once more would overwrite what the first descriptor wrote. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MOST 40
#define WRITE_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY)

static int refuse_outfile(struct outfile *o, const char *why)
{
	snprintf(o->why, sizeof o->why, "%s", why);
	return -1;
}

/* Returns the number of a path as /dev/fd/3, or -1. */
static int parse_descriptor_path(const char *path, const char *place)
{
	const char *number = path + strlen(place);

	if (strncmp(path, place, strlen(place)) != 0 || !*number)
		return -1;
	if (number[strspn(number, "0123456789")])
		return -1;
	return strlen(number) > 6 ? INT_MAX : atoi(number);
}

/* Returns the descriptor which the path names, or -1. */
static int descriptor_of_path(const char *path)
{
	static const char *const words[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(path, words[i]))
			return i;
	const int number = parse_descriptor_path(path, "/dev/fd/");
	return number >= 0 ? number : parse_descriptor_path(path, "/proc/self/fd/");
}

/* ---- Directories, as root ---- */

/* Replaces the first name of the path, a link, by the link's target.  rest: the other names.
 * Returns 0 or an errno. */
static int expand_link(int at, const char *name, const char *rest, char path[PATH_MAX])
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	const ssize_t n = readlinkat(at, name, target, sizeof target - 1);

	if (n < 0)
		return errno;
	target[n] = 0;
	const int length = snprintf(whole, sizeof whole, "%s/%s", target, rest);
	if (length >= PATH_MAX)
		return ENAMETOOLONG;
	memcpy(path, whole, (size_t)length + 1);
	return 0;
}

/* A path which is followed name by name. */
struct path_walk {
	char path[PATH_MAX];
	const char *next; /* the part which is not followed yet */
	int at;           /* descriptor of the directory so far; -1: none */
	int links;        /* which were followed */
};

/* Continues the walk in another directory.  Returns 0 or an errno. */
static int enter_directory(struct path_walk *w, int directory)
{
	if (directory < 0)
		return errno;
	close(w->at);
	w->at = directory;
	return 0;
}

/* Follows a link if the link is root's.  Returns 0 or an errno. */
static int follow_link(struct path_walk *w, const char *name, const char *rest, uid_t owner)
{
	int failed;

	if (owner || ++w->links > LINKS_MOST)
		return ELOOP;
	failed = expand_link(w->at, name, rest, w->path);
	w->next = w->path;
	if (failed || *w->path != '/')
		return failed;
	return enter_directory(w, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Follows the next name.  Returns 0 or an errno. */
static int follow_name(struct path_walk *w)
{
	const size_t n = strcspn(w->next, "/");
	char name[NAME_MAX + 1];
	struct stat st;

	if (n > NAME_MAX)
		return ENAMETOOLONG;
	memcpy(name, w->next, n);
	name[n] = 0;
	if (fstatat(w->at, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno;
	if (S_ISLNK(st.st_mode))
		return follow_link(w, name, w->next + n, st.st_uid);
	w->next += n;
	return enter_directory(
		w, openat(w->at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Opens a directory name by name.  Returns a descriptor, or -1 and errno; ELOOP: a link which is
 * not root's, or too many links. */
static int open_directory_as_root(const char *from)
{
	struct path_walk w = { .next = w.path };
	int failed = 0;

	if (strlen(from) >= sizeof w.path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(w.path, from, strlen(from) + 1);
	w.at = open(*from == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w.at < 0)
		return -1;
	while (!failed && *(w.next += strspn(w.next, "/")))
		failed = follow_name(&w);
	if (!failed)
		return w.at;
	close(w.at);
	errno = failed;
	return -1;
}

/* Returns the path of the file's directory, to be freed, or NULL. */
static char *parent_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Opens the file's directory.  Returns 0, or -1 and why. */
static int open_directory(struct outfile *o)
{
	const char *slash = strrchr(o->path, '/');
	char *parent = parent_of_path(o->path);

	o->name = slash ? slash + 1 : o->path;
	if (!parent)
		return refuse_outfile(o, "no memory");
	if (o->root)
		o->directory = open_directory_as_root(parent);
	else
		o->directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int failed = errno;
	free(parent);
	if (o->directory >= 0)
		return 0;
	return refuse_outfile(o,
		failed == ELOOP && o->root
			? "a directory on the way to it is another user's symbolic link, which root does not follow"
			: strerror(failed));
}

/* ---- The file ---- */

/* Writes why the file is refused (`what` it is).  Returns -1. */
static int refuse_used_file(struct outfile *o, const char *what)
{
	snprintf(o->why, sizeof o->why, "it is %s: name another file", what);
	return -1;
}

/* Checks owner and names of a regular file which root writes to.  Returns 0, or -1 and why. */
static int check_ownership(struct outfile *o, const struct stat *st)
{
	struct stat place;

	if (fstat(o->directory, &place))
		return 0;
	/* Once rights are given up, new files are the other user's.  Not by geteuid(2), which
	 * seccomp refuses. */
	const bool is_owners = st->st_uid == o->owner && (o->again || o->replaced);
	const bool is_own = !st->st_uid || is_owners;
	const bool is_shared = place.st_mode & S_IWOTH;
	if (is_shared && !is_own)
		return refuse_outfile(o,
			"it belongs to another user, in a directory that everybody may write in:"
			" remove it, or name a file elsewhere");
	if (is_shared && st->st_nlink > 1)
		return refuse_outfile(o,
			"it has other names, and everybody may write in its directory: name a file elsewhere");
	if (!is_own && st->st_uid != o->owner)
		snprintf(o->notice, sizeof o->notice, "%.80s belongs to user %lu, who can read it",
			o->name, (unsigned long)st->st_uid);
	return 0;
}

/* Checks whether the open file may be written to.  Returns 0, or -1 and why. */
static int check_open_file(struct outfile *o, int fd, bool *regular)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse_outfile(o, strerror(errno));
	const char *what = program_files_find(o->others, &st, o->standard < 0);
	if (what)
		return refuse_used_file(o, what);
	*regular = S_ISREG(st.st_mode);
	if (!o->root || !*regular || o->directory < 0)
		return 0;
	return check_ownership(o, &st);
}

/* Opens the file in its directory.  Returns a descriptor, or -1 and why. */
static int open_output(struct outfile *o, int flags)
{
	/* root's records of network traffic are for root alone; others have their umask */
	const mode_t mode = o->root ? 0600 : 0644;
	const int no_follow = o->root ? O_NOFOLLOW : 0;
	const int fd = openat(o->directory, o->name, WRITE_FLAGS | no_follow | flags, mode);

	if (fd >= 0)
		return fd;
	if (o->root && (errno == ELOOP || errno == EMLINK)) /* FreeBSD: EMLINK */
		return refuse_outfile(o,
			"it is a symbolic link, which root does not follow: name the file itself");
	return refuse_outfile(o, strerror(errno));
}

/* Returns whether the file is known to end within a line. */
static bool ends_within_line(const struct outfile *o)
{
	struct stat st, seen;
	char last = '\n';

	if (!o->regular || o->directory < 0 || fstat(o->fd, &st) || !st.st_size)
		return false;
	const int fd =
		openat(o->directory, o->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	const bool is_same =
		!fstat(fd, &seen) && seen.st_dev == st.st_dev && seen.st_ino == st.st_ino;
	if (!is_same || pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

/* Closes a descriptor which this program opened. */
static int close_own(int fd)
{
	return fd > STDERR_FILENO ? close(fd) : 0;
}

/* Writes to another descriptor from now on, if the file may be written to.  Returns 0, or -1 and
 * why. */
static int use_descriptor(struct outfile *o, int fd)
{
	bool regular;

	if (fd < 0)
		return -1;
	if (check_open_file(o, fd, &regular)) {
		close_own(fd);
		return -1;
	}
	close_own(o->fd);
	o->fd = fd;
	o->regular = regular;
	o->torn = ends_within_line(o);
	return 0;
}

/* Uses a standard descriptor which is open.  stdout and stderr are used as they are, since a
 * confined program may write to no other socket.  Returns 0, or -1 and why. */
static int find_standard(struct outfile *o)
{
	int fd = o->standard;

	if (fd != STDOUT_FILENO && fd != STDERR_FILENO)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? refuse_outfile(o, strerror(errno)) : use_descriptor(o, fd);
}

static void begin_outfile(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner)
{
	*o = (struct outfile){
		.others = others,
		.path = path,
		.fd = -1,
		.directory = -1,
		.standard = !strcmp(path, "-") ? STDOUT_FILENO : descriptor_of_path(path),
		.root = !geteuid(),
		.owner = owner,
	};
}

/* Finds what the path names.  Returns 0, or -1 and why. */
static int find_outfile(struct outfile *o)
{
	const struct program_files *others = o->others;
	const char *path = o->path;
	struct stat st;

	if (o->standard >= 0)
		return find_standard(o);
	/* before a link to the file is refused for being a link */
	const char *what = stat(path, &st) ? NULL : program_files_find(others, &st, true);
	if (what)
		return refuse_used_file(o, what);
	if (open_directory(o))
		return -1;
	if (!fstatat(o->directory, o->name, &st, o->root ? AT_SYMLINK_NOFOLLOW : 0))
		return use_descriptor(o, open_output(o, 0));
	if (errno != ENOENT || !*o->name)
		return refuse_outfile(o, strerror(*o->name ? errno : EISDIR));
	if (faccessat(o->directory, ".", W_OK, AT_EACCESS))
		return refuse_outfile(o, strerror(errno));
	o->regular = true;
	return 0;
}

int outfile_find(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner)
{
	begin_outfile(o, path, others, owner);
	return find_outfile(o);
}

int outfile_find_replaced(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner)
{
	begin_outfile(o, path, others, owner);
	o->replaced = true;
	return find_outfile(o);
}

int outfile_find_directory(struct outfile *o, const char *path)
{
	begin_outfile(o, path, NULL, geteuid());
	o->standard = -1;
	if (open_directory(o))
		return -1;
	return *o->name ? 0 : refuse_outfile(o, strerror(EISDIR));
}

int outfile_make(struct outfile *o)
{
	if (o->fd >= 0)
		return 0;
	o->made = true;
	return use_descriptor(o, open_output(o, O_CREAT | (o->root ? O_EXCL : 0)));
}

int outfile_empty(struct outfile *o)
{
	struct stat st;
	if (!o->regular || o->standard >= 0 || o->fd < 0)
		return 0;
	if (fstat(o->fd, &st) || (st.st_size && ftruncate(o->fd, 0)))
		return refuse_outfile(o, strerror(errno));
	return 0;
}

int outfile_again(struct outfile *o)
{
	/* without O_NONBLOCK the call would wait for the reader of a pipe in the file's place */
	o->again = true;
	return use_descriptor(o, open_output(o, O_CREAT | O_NONBLOCK));
}

int outfile_close(struct outfile *o)
{
	int failed = close_own(o->fd) ? errno : 0;
	if (o->directory >= 0)
		close(o->directory);
	o->fd = o->directory = -1;
	return failed;
}

size_t outfile_pipe_length(const char *bytes, size_t n)
{
	if (n <= PIPE_BUF)
		return n;
	for (size_t end = PIPE_BUF; end; end--)
		if (bytes[end - 1] == '\n')
			return end;
	return PIPE_BUF;
}
