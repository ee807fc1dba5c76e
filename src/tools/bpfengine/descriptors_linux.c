/* SPDX-License-Identifier: MIT */
/* What a confined program may do with descriptors (seccomp_linux.c): which of them are outputs, and
 * a fstat(2) that asks by a descriptor alone.
 *
 * Outputs are the standard output, the standard error, and of what this program opened (FD_CLOEXEC:
 * what was inherited cannot have it) all that is open for writing and no socket: the flows' file,
 * pipes and eventfds that wake threads.  Everything else that is open when the confinement begins
 * is never written to.  Numbers that are free then stay allowed: no call that is let through gives
 * an old file a new number (dup, fcntl's F_DUPFD, recvmsg, pidfd_getfd are refused), so what comes
 * there later is what openat may open, a file to read, or the flows' file anew. */
#include "confine_linux.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 1024u
#define MOST_SCANNED 65536u /* numbers above it are refused */

static bool is_output(int fd)
{
	struct stat st;
	int domain = AF_UNIX, flags = fcntl(fd, F_GETFL), own = fcntl(fd, F_GETFD);
	socklen_t size = sizeof domain;
	if (fd == STDOUT_FILENO || fd == STDERR_FILENO) /* a socket of a shell or a service, but
							   none that packets come from */
		return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_PACKET;
	if (flags < 0 || own < 0 || !(own & FD_CLOEXEC) || (flags & O_ACCMODE) == O_RDONLY)
		return false;
	return !fstat(fd, &st) && !S_ISSOCK(st.st_mode);
}

/* Takes a number into the last range, or begins one.  Returns false where there is no room. */
static bool take(struct cli_range *ranges, size_t most, size_t *count, uint32_t number)
{
	if (*count && ranges[*count - 1].last + 1 == number)
		return ranges[*count - 1].last = number, true;
	if (*count == most)
		return false;
	ranges[(*count)++] = (struct cli_range){ number, number };
	return true;
}

static uint32_t scan_end(void)
{
	struct rlimit limit = { 0, 0 };
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > MOST_SCANNED)
		return MOST_SCANNED;
	return (uint32_t)limit.rlim_cur;
}

size_t cli_unwritten(struct cli_range *ranges, size_t most)
{
	static struct pollfd p[CHUNK];
	const uint32_t end = scan_end();
	size_t count = 0;
	for (uint32_t from = 0; from < end; from += CHUNK) {
		const uint32_t n = end - from < CHUNK ? end - from : CHUNK;
		for (uint32_t i = 0; i < n; i++)
			p[i] = (struct pollfd){ .fd = (int)(from + i) };
		if (poll(p, n, 0) < 0)
			return SIZE_MAX;
		for (uint32_t i = 0; i < n; i++) {
			if (p[i].revents & POLLNVAL || is_output((int)(from + i)))
				continue;
			if (!take(ranges, most, &count, from + i))
				return SIZE_MAX;
		}
	}
	if (count == most)
		return SIZE_MAX;
	ranges[count++] = (struct cli_range){ end, UINT32_MAX };
	return count;
}

size_t cli_written(struct cli_range *ranges, size_t most)
{
	const uint32_t end = scan_end();
	size_t count = 0;
	for (uint32_t fd = 0; fd < end; fd++)
		if (fcntl((int)fd, F_GETFD) >= 0 && is_output((int)fd) &&
			!take(ranges, most, &count, fd))
			break;
	return count;
}

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__ILP32__)

/* In the C library's place: glibc's asks newfstatat for an empty path, and whether a path is empty
 * a seccomp filter cannot see.  On these machines the structure is the kernel's. */
int fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

#endif
