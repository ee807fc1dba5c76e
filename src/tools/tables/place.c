/* SPDX-License-Identifier: MIT */
/* Where tables are made (place.h).  All calls go by the folder's descriptor.  Hazard: other
 * programs change the folder meanwhile; if the name is taken at the last moment, another number is
 * tried. */
#include "tools/tables/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPTS 10000u

int table_place_find(
	struct table_place *p, const char *path, bool has_single, char *why, size_t room)
{
	struct stat st;

	p->fd = -1;
	p->direct.fd = -1;
	p->direct.directory = -1;
	snprintf(p->path, sizeof p->path, "%s", path);
	if (outfile_find_directory(&p->folder, p->path)) {
		snprintf(why, room, "%s", p->folder.why);
		return -1;
	}
	if (p->rotates)
		return 0;
	if (!fstatat(p->folder.directory, p->folder.name, &st, AT_SYMLINK_NOFOLLOW) &&
		!S_ISREG(st.st_mode)) {
		snprintf(why, room,
			"it is there and is no regular file, but a table replaces a file: name"
			" another");
		return -1;
	}
	/* A file without leave for root is no failure: the folder may serve. */
	if (has_single && p->folder.root && !outfile_find(&p->direct, p->path, NULL, 0) &&
		outfile_make(&p->direct))
		outfile_close(&p->direct);
	return 0;
}

/* Writes why no file can be made, with the next step. */
static void explain_failure(const struct table_place *p, int failed, char *why, size_t room)
{
	const char *slash = strrchr(p->path, '/');
	const struct passwd *user = getpwuid(geteuid());
	char folder[256] = ".";

	if (slash)
		snprintf(folder, sizeof folder, "%.*s",
			(int)(slash == p->path ? 1 : slash - p->path), p->path);
	if ((failed != EACCES && failed != EPERM) || !user || !*folder) {
		snprintf(why, room, "%s", strerror(failed));
		return;
	}
	snprintf(why, room,
		"user %.32s may make no file in %.100s: install -d -m 700 -o %.32s %.100s/flows"
		" makes a folder for that user",
		user->pw_name, folder, user->pw_name, folder);
}

int table_place_choose(struct table_place *p, char *why, size_t room)
{
	struct stat folder, file;
	const bool may_make = !faccessat(p->folder.directory, ".", W_OK | X_OK, AT_EACCESS);
	const bool is_there = p->direct.fd >= 0 && !fstat(p->direct.fd, &file);

	/* In a folder like /tmp another user's file cannot be replaced. */
	const bool may_replace =
		!is_there || file.st_uid == geteuid() ||
		(!fstat(p->folder.directory, &folder) && !(folder.st_mode & S_ISVTX));

	if (may_make && may_replace) {
		/* The folder serves, so the single file is of no use.
		 */
		if (is_there && p->direct.made)
			unlinkat(p->folder.directory, p->folder.name, 0);
		return 0;
	}
	if (!is_there) {
		explain_failure(p, EACCES, why, room);
		return -1;
	}
	p->is_direct = true;
	return 0;
}

/* Returns whether the folder has the name. */
static bool is_name_taken(const struct table_place *p, const char *name)
{
	struct stat st;

	return !fstatat(p->folder.directory, name, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

/* Chooses a free name, or with replaces the first. */
static int choose_name(struct table_place *p, uint32_t *attempt, bool replaces)
{
	for (; *attempt < ATTEMPTS; ++*attempt) {
		if (naming_make(p->folder.name, p->rotates, &p->when, p->number, *attempt, p->name))
			return ENAMETOOLONG;
		if (replaces || !is_name_taken(p, p->name))
			return 0;
	}
	return EEXIST;
}

/* Opens a temporary name.  Returns 0 or an errno. */
static int open_part_file(struct table_place *p)
{
	const mode_t mode = p->folder.root ? 0600 : 0644;

	for (uint32_t k = 1; k < ATTEMPTS; k++) {
		if (k > 1)
			snprintf(p->part, sizeof p->part, "%s.part%" PRIu32, p->name, k);
		else
			snprintf(p->part, sizeof p->part, "%s.part", p->name);
		p->fd = openat(p->folder.directory, p->part,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, mode);
		if (p->fd >= 0)
			return 0;
		if (errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

int table_place_begin(struct table_place *p, uint64_t number, int64_t begun_ns, bool replaces,
	char *why, size_t room)
{
	const time_t seconds = (time_t)(begun_ns / 1000000000);
	uint32_t attempt = 0;

	if (p->is_direct && number > 1) {
		snprintf(why, room, "the folder takes no second file");
		return EACCES;
	}
	if (p->is_direct) {
		p->fd = p->direct.fd;
		return table_place_cut(p, 0);
	}
	localtime_r(&seconds, &p->when);
	p->number = number;
	int failed = choose_name(p, &attempt, replaces && !p->rotates);
	if (!failed)
		failed = open_part_file(p);
	if (failed)
		explain_failure(p, failed, why, room);
	return failed;
}

int table_place_write(struct table_place *p, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		const ssize_t wrote = write(p->fd, at, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote ? errno : EIO;
		at += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

int table_place_cut(struct table_place *p, uint64_t bytes)
{
	if (ftruncate(p->fd, (off_t)bytes) || lseek(p->fd, (off_t)bytes, SEEK_SET) < 0)
		return errno;
	return 0;
}

/* Gives the file the last name.  A link takes no other file's name; a file system without links has
 * the check alone.  Returns 0 or an errno. */
static int name_table_file(struct table_place *p, bool replaces)
{
	const int folder = p->folder.directory;
	uint32_t attempt = 0;
	int failed = EEXIST;

	if (replaces && !p->rotates)
		return renameat(folder, p->part, folder, p->name) ? errno : 0;
	while (failed == EEXIST && attempt < ATTEMPTS) {
		if ((failed = choose_name(p, &attempt, false)))
			return failed;
		failed = linkat(folder, p->part, folder, p->name, 0) ? errno : 0;
		attempt++;
	}
	if (!failed)
		return unlinkat(folder, p->part, 0) ? errno : 0;
	if (failed == EEXIST)
		return failed;
	return renameat(folder, p->part, folder, p->name) ? errno : 0;
}

int table_place_complete(struct table_place *p, bool replaces)
{
	/* Some file systems know no fsync; the disk is asked all the same. */
	if (fsync(p->fd) && errno != EINVAL && errno != ENOTSUP)
		return errno;
	if (p->is_direct) {
		p->fd = -1;
		return 0;
	}
	const int failed = name_table_file(p, replaces);
	if (failed)
		return failed;
	fsync(p->folder.directory);
	close(p->fd);
	p->fd = -1;
	return 0;
}

void table_place_drop(struct table_place *p)
{
	if (p->fd < 0 || p->is_direct)
		return;
	unlinkat(p->folder.directory, p->part, 0);
	close(p->fd);
	p->fd = -1;
}

void table_place_close(struct table_place *p)
{
	table_place_drop(p);
	outfile_close(&p->direct);
	outfile_close(&p->folder);
}
