/* SPDX-License-Identifier: MIT */
/* A confined writer of savefiles: what it may do in its directory, and nothing outside
 * (confine.c). */
#include "confine_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { MAKE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };

/* Makes a file as the writer does, gives the file its name, and removes the file. */
static int use_files(void)
{
	const int fd = openat(output_directory_fd, "made.part", MAKE, 0600);

	if (fd < 0 || fchmod(fd, 0600) || write(fd, "x", 1) != 1 || fsync(fd))
		return errno;
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) || close(fd))
		return errno;
	sync_file_range(fd, 0, 1, SYNC_FILE_RANGE_WRITE);
	return errno_of(renameat(output_directory_fd, "made.part", output_directory_fd, "made")) ||
			       unlinkat(output_directory_fd, "made", 0)
		       ? errno
		       : 0;
}

/* Appends to a list as the ledger is appended to, and reads the list. */
static int use_ledger(void)
{
	char text[2];
	const int fd = openat(output_directory_fd, "made",
		O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || write(fd, "x", 1) != 1)
		return errno;
	if (lseek(fd, 0, SEEK_SET) || read(fd, text, 1) != 1 || close(fd))
		return errno;
	return errno_of(unlinkat(output_directory_fd, "made", 0));
}

static int look_at_directory(void)
{
	struct statvfs space;
	struct stat st;
	const int fd = openat(output_directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstatvfs(fd, &space) || fsync(fd))
		return errno;
	if (!fstatat(fd, "missing", &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	return errno == ENOENT ? close_opened(fd) : errno;
}

static int use_link(void)
{
	if (linkat(output_directory_fd, "ours", output_directory_fd, "made", 0))
		return errno;
	return errno_of(unlinkat(output_directory_fd, "made", 0));
}

/* Copies the descriptor that the writer got. */
static int use_copy(void)
{
	return close_opened(fcntl(output_fd, F_DUPFD_CLOEXEC, 3));
}

const struct allowed writer_actions[] = {
	{ "make, rename and remove a file", use_files, false },
	{ "append to the ledger and read", use_ledger, false },
	{ "the directory and its room", look_at_directory, false },
	{ "a second name for a file", use_link, false },
	{ "a copy of the output's descriptor", use_copy, false },
};
const size_t writer_action_count = sizeof writer_actions / sizeof *writer_actions;

static int make_outside(void)
{
	return close_opened(open(made_file, MAKE, 0600));
}

static int write_outside(void)
{
	return close_opened(open(own_file, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

static int list_outside(void)
{
	return close_opened(open(test_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int remove_outside(void)
{
	return errno_of(unlinkat(AT_FDCWD, other_file, 0));
}

static int move_out(void)
{
	return errno_of(renameat(output_directory_fd, "ours", AT_FDCWD, made_file));
}

static int link_in(void)
{
	return errno_of(linkat(AT_FDCWD, other_file, output_directory_fd, "made", 0));
}

static int make_symlink(void)
{
	return errno_of(symlinkat("ours", output_directory_fd, "made"));
}

static int make_directory(void)
{
	return errno_of(mkdirat(output_directory_fd, "made", 0700));
}

static int copy_socket(void)
{
	return close_opened(fcntl(sender_fd, F_DUPFD_CLOEXEC, 3));
}

static int write_to_socket(void)
{
	return errno_of(write(sender_fd, "x", 1));
}

const struct attempt writer_attempts[] = {
	{ "make a file elsewhere", make_outside, LANDLOCK, 1, false },
	{ "write to a file elsewhere", write_outside, LANDLOCK, 1, false },
	{ "list another directory", list_outside, LANDLOCK, 1, false },
	{ "remove a file elsewhere", remove_outside, LANDLOCK, 1, false },
	{ "move a file out", move_out, LANDLOCK, 1, false },
	{ "link a file in", link_in, LANDLOCK, 1, false },
	{ "make a symbolic link", make_symlink, BOTH, 1, false },
	{ "make a directory", make_directory, BOTH, 1, false },
	{ "copy the packet socket's descriptor", copy_socket, SECCOMP, 1, false },
	{ "send a packet", write_to_socket, SECCOMP, 1, false },
};
const size_t writer_attempt_count = sizeof writer_attempts / sizeof *writer_attempts;
