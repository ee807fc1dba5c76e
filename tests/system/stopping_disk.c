/* SPDX-License-Identifier: MIT */
/* stopping_disk FOLDER MOUNTPOINT: a file system (FUSE) over a folder, for tests.  While FOLDER has
 * a file "stop", writes wait; while it has a file "fail", writes and syncs fail with EIO.  Runs
 * until the file system is unmounted. */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PAUSE_US 2000

static int folder; /* the descriptor of FOLDER */

/* Returns a path of the file system as a path below the folder. */
static const char *path_below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int answer_with(long result)
{
	return result < 0 ? -errno : (int)result;
}

static bool has_order(const char *name)
{
	return !faccessat(folder, name, F_OK, 0);
}

/* Waits while writes are stopped.  Returns 0 or -EIO. */
static int obey_orders(void)
{
	while (has_order("stop"))
		usleep(PAUSE_US);
	return has_order("fail") ? -EIO : 0;
}

static int disk_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	return answer_with(fstatat(folder, path_below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int disk_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
	struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	DIR *all = fdopendir(openat(folder, path_below(path), O_RDONLY | O_DIRECTORY));

	(void)offset;
	(void)info;
	(void)flags;
	if (!all)
		return -errno;
	for (struct dirent *entry = readdir(all); entry; entry = readdir(all))
		fill(buffer, entry->d_name, NULL, 0, 0);
	closedir(all);
	return 0;
}

static int open_below(const char *path, int flags, mode_t mode, struct fuse_file_info *info)
{
	const int fd = openat(folder, path_below(path), flags, mode);

	if (fd < 0)
		return -errno;
	info->fh = (uint64_t)fd;
	return 0;
}

static int disk_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	return open_below(path, info->flags | O_CREAT, mode, info);
}

static int disk_open(const char *path, struct fuse_file_info *info)
{
	return open_below(path, info->flags, 0, info);
}

static int disk_read(
	const char *path, char *buffer, size_t n, off_t offset, struct fuse_file_info *info)
{
	(void)path;
	return answer_with(pread((int)info->fh, buffer, n, offset));
}

static int disk_write(
	const char *path, const char *buffer, size_t n, off_t offset, struct fuse_file_info *info)
{
	const int refused = obey_orders();

	(void)path;
	return refused ? refused : answer_with(pwrite((int)info->fh, buffer, n, offset));
}

static int disk_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	const int fd = openat(folder, path_below(path), O_WRONLY);
	const int answer = fd < 0 ? -errno : answer_with(ftruncate(fd, size));

	(void)info;
	if (fd >= 0)
		close(fd);
	return answer;
}

static int disk_fsync(const char *path, int data_alone, struct fuse_file_info *info)
{
	(void)path;
	(void)data_alone;
	(void)info;
	return obey_orders();
}

static int disk_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	close((int)info->fh);
	return 0;
}

static int disk_rename(const char *from, const char *to, unsigned flags)
{
	return answer_with(renameat2(folder, path_below(from), folder, path_below(to), flags));
}

static int disk_unlink(const char *path)
{
	return answer_with(unlinkat(folder, path_below(path), 0));
}

static int disk_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)info;
	return answer_with(fchmodat(folder, path_below(path), mode, 0));
}

static int disk_statfs(const char *path, struct statvfs *vfs)
{
	(void)path;
	return answer_with(fstatvfs(folder, vfs));
}

static const struct fuse_operations operations = { .getattr = disk_getattr,
	.readdir = disk_readdir,
	.create = disk_create,
	.open = disk_open,
	.read = disk_read,
	.write = disk_write,
	.truncate = disk_truncate,
	.fsync = disk_fsync,
	.release = disk_release,
	.rename = disk_rename,
	.unlink = disk_unlink,
	.chmod = disk_chmod,
	.statfs = disk_statfs };

int main(int argc, char **argv)
{
	char foreground[] = "-f";

	if (argc != 3) {
		fprintf(stderr, "usage: stopping_disk FOLDER MOUNTPOINT\n");
		return 2;
	}
	folder = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (folder < 0) {
		perror(argv[1]);
		return 1;
	}
	char *words[] = { argv[0], argv[2], foreground, NULL };
	return fuse_main(3, words, &operations, NULL);
}
