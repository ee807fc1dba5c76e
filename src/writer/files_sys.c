/* SPDX-License-Identifier: MIT */
/* The system's calls for writing files (struct bpei_file_calls); stateless. Macros tell the calls
 * of each system. */
#include "base/clock.h"
#include "base/descriptor.h"
#include "writer/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MODE 0600
#define SETTLE_BEHIND (UINT64_C(32) << 20) /* bytes on their way to the disk */
#define NS_IN_MS INT64_C(1000000)

static int real_result(int64_t result)
{
	return result < 0 ? -errno : (int)result;
}

static int from_directory(int directory)
{
	return directory < 0 ? AT_FDCWD : directory;
}

static int real_open_directory(void *context, int directory, const char *folder)
{
	const char *name = *folder ? folder : ".";
	const int flags = O_DIRECTORY | O_CLOEXEC;
	int fd = openat(from_directory(directory), name, O_RDONLY | flags);

	(void)context;
#ifdef O_PATH
	/* A directory with the right to write and not to read. */
	if (fd < 0 && errno == EACCES)
		fd = openat(from_directory(directory), name, O_PATH | flags);
#endif
	return real_result(bpei_fd_keep(fd));
}

/* Sets the flags of a new file. */
static void prepare_file(int fd)
{
#ifdef F_NOCACHE
	fcntl(fd, F_NOCACHE, 1);
#endif
	(void)fd;
}

static int real_open(void *context, int directory, const char *name, enum bpei_file_open how)
{
	static const int flags[] = {
		[BPEI_FILE_CREATE] = O_WRONLY | O_CREAT | O_EXCL,
		[BPEI_FILE_REPLACE] = O_WRONLY | O_NONBLOCK | O_NOCTTY,
		[BPEI_FILE_APPEND] = O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY,
	};
	const int at = from_directory(directory);
	int fd = openat(at, name, flags[how] | O_NOFOLLOW | O_CLOEXEC, MODE);

	(void)context;
	/* A FIFO without a reader: wait for the reader.  Writes do not wait later on. */
	if (fd < 0 && errno == ENXIO && how == BPEI_FILE_REPLACE) {
		fd = openat(at, name, O_WRONLY | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	fd = bpei_fd_keep(fd);
	if (fd < 0)
		return -errno;
	if (how == BPEI_FILE_CREATE && fchmod(fd, MODE)) {
		/* A file system without modes refuses. The umask takes rights away at most. */
	}
	prepare_file(fd);
	return fd;
}

static int real_dup(void *context, int fd)
{
	(void)context;
	return real_result(bpei_fd_dup(fd));
}

static int64_t real_read(void *context, int fd, void *bytes, size_t n)
{
	const ssize_t got = read(fd, bytes, n);

	(void)context;
	return got < 0 ? -errno : (int64_t)got;
}

/* Keeps the signals of a write from this thread; *before is the mask to restore. */
static void block_signals(sigset_t *signals, sigset_t *before)
{
	sigemptyset(signals);
	sigaddset(signals, SIGPIPE);
	sigaddset(signals, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, signals, before);
}

/* Takes away the signals of a write, unless pending before. */
static void restore_signals(const sigset_t *pending_before, const sigset_t *before)
{
	static const int raised[] = { SIGPIPE, SIGXFSZ };
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
		sigset_t one;
		int taken = 0;
		if (!sigismember(&pending, raised[i]) || sigismember(pending_before, raised[i]))
			continue;
		sigemptyset(&one);
		sigaddset(&one, raised[i]);
		sigwait(&one, &taken);
	}
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Returns how many bytes a stream takes without a wait; 0: none. */
static size_t ready_bytes(int fd, size_t n)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	struct stat state;

	/* A device that is no terminal, as /dev/null, takes all. */
	if (!fstat(fd, &state) && S_ISCHR(state.st_mode) && !isatty(fd))
		return n;
	if (fcntl(fd, F_GETFL) & O_NONBLOCK)
		return n;
	if (poll(&ready, 1, 0) <= 0)
		return 0;
	return n < PIPE_BUF ? n : PIPE_BUF;
}

static int64_t real_write(void *context, int fd, const void *bytes, size_t n, bool stream)
{
	sigset_t signals;
	sigset_t before;
	sigset_t pending;

	(void)context;
	if (stream) {
		n = ready_bytes(fd, n);
		if (!n)
			return -EAGAIN;
	}
	sigpending(&pending);
	block_signals(&signals, &before);
	const ssize_t written = write(fd, bytes, n);
	const int why = errno;
	if (written < 0 && (why == EPIPE || why == EFBIG))
		restore_signals(&pending, &before);
	else
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return written < 0 ? -why : (int64_t)written;
}

static int real_wait(void *context, int fd, int64_t timeout_ns)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	const int n = poll(&ready, 1, (int)(timeout_ns / NS_IN_MS));

	(void)context;
	return n < 0 ? -errno : n;
}

static int real_truncate(void *context, int fd, uint64_t bytes)
{
	(void)context;
	if (ftruncate(fd, (off_t)bytes) || lseek(fd, (off_t)bytes, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int real_sync(void *context, int fd)
{
	(void)context;
#ifdef F_FULLFSYNC
	/* macOS: fsync alone leaves the bytes in the drive's memory. */
	if (!fcntl(fd, F_FULLFSYNC))
		return 0;
#endif
	return real_result(fsync(fd));
}

static void real_settle(void *context, int fd, uint64_t from, uint64_t to)
{
	(void)context;
#ifdef SYNC_FILE_RANGE_WRITE
	if (to > from)
		sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
#endif
#ifdef POSIX_FADV_DONTNEED
	if (from == to)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	else if (from > SETTLE_BEHIND)
		posix_fadvise(fd, 0, (off_t)(from - SETTLE_BEHIND), POSIX_FADV_DONTNEED);
#endif
	(void)fd;
	(void)from;
	(void)to;
}

static int real_close(void *context, int fd)
{
	(void)context;
	return real_result(close(fd));
}

/* Renames without replacing, without a call of the system. */
static int rename_by_link(int directory, const char *from, const char *to)
{
	struct stat there;

	if (!linkat(directory, from, directory, to, 0))
		return real_result(unlinkat(directory, from, 0));
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return -errno;
	/* No links (FAT): a file made by another program in this moment would be replaced. */
	if (!fstatat(directory, to, &there, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return real_result(renameat(directory, from, directory, to));
}

static int real_rename(void *context, int directory, const char *from, const char *to, bool replace)
{
	const int at = from_directory(directory);
	int result = -ENOSYS;

	(void)context;
	if (replace)
		return real_result(renameat(at, from, at, to));
#if defined RENAME_NOREPLACE
	result = real_result(renameat2(at, from, at, to, RENAME_NOREPLACE));
#elif defined RENAME_EXCL
	result = real_result(renameatx_np(at, from, at, to, RENAME_EXCL));
#endif
	if (result == -ENOSYS || result == -EINVAL || result == -ENOTSUP)
		result = rename_by_link(at, from, to);
	return result;
}

static int real_remove(void *context, int directory, const char *name)
{
	(void)context;
	return real_result(unlinkat(from_directory(directory), name, 0));
}

static void fill_state(struct bpei_file_state *state, const struct stat *st)
{
	memset(state, 0, sizeof *state);
	state->device = (uint64_t)st->st_dev;
	state->inode = (uint64_t)st->st_ino;
	state->bytes = (uint64_t)st->st_size;
	state->regular = S_ISREG(st->st_mode);
	state->fifo = S_ISFIFO(st->st_mode);
}

static int real_state(void *context, int fd, struct bpei_file_state *state)
{
	struct stat st;

	(void)context;
	if (fstat(fd, &st))
		return -errno;
	fill_state(state, &st);
	const off_t offset = lseek(fd, 0, SEEK_CUR);
	state->offset = offset < 0 ? 0 : (uint64_t)offset;
	if (state->regular && fcntl(fd, F_GETFL) & O_APPEND)
		state->offset = state->bytes;
	return 0;
}

static int real_state_of(
	void *context, int directory, const char *name, struct bpei_file_state *state)
{
	struct stat st;

	(void)context;
	if (fstatat(from_directory(directory), name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	fill_state(state, &st);
	return 0;
}

static int real_space(void *context, int directory, uint64_t *bytes, uint64_t *free_bytes)
{
	struct statvfs vfs;

	(void)context;
	if (fstatvfs(directory, &vfs))
		return -errno;
	*bytes = (uint64_t)vfs.f_blocks * vfs.f_frsize;
	*free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

static int real_lock(void *context, int fd)
{
	(void)context;
	return real_result(flock(fd, LOCK_EX | LOCK_NB));
}

static int64_t real_now(void *context)
{
	(void)context;
	return bpei_clock_mono_ns();
}

const struct bpei_file_calls bpei_file_calls_real = { .open_directory = real_open_directory,
	.open = real_open,
	.dup = real_dup,
	.read = real_read,
	.write = real_write,
	.wait = real_wait,
	.truncate = real_truncate,
	.sync = real_sync,
	.settle = real_settle,
	.close = real_close,
	.rename = real_rename,
	.remove = real_remove,
	.state = real_state,
	.state_of = real_state_of,
	.space = real_space,
	.lock = real_lock,
	.now = real_now };
