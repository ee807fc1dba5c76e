/* SPDX-License-Identifier: MIT */
/* Descriptors of a confined program (seccomp_linux.c): which descriptors are outputs, and an
 * fstat(2) that asks by the descriptor alone.
 *
 * Outputs are the standard output, the standard error, and the descriptors that this program opened
 * for writing, unless they are sockets: the flow file, pipes and eventfds that wake threads.  A
 * descriptor of this program has FD_CLOEXEC, which an inherited descriptor cannot have.  All other
 * open descriptors are never written to.
 * Free numbers stay allowed: no allowed call gives an old file a new number (dup, F_DUPFD of fcntl,
 * recvmsg and pidfd_getfd are refused).  So a later descriptor is a file that openat may open,
 * which is a file to read or the flow file anew. */
#include "confine_linux.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 1024u
#define MOST_SCANNED 65536u /* higher numbers are refused */

/* Returns whether packets come from the descriptor. */
static bool is_packet_socket(int fd)
{
	int domain = AF_UNIX;
	socklen_t size = sizeof domain;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_PACKET;
}

static bool is_output(int fd)
{
	struct stat st;

	/* may be a socket of a shell or a service manager */
	if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
		return !is_packet_socket(fd);
	const int status_flags = fcntl(fd, F_GETFL);
	const int fd_flags = fcntl(fd, F_GETFD);
	if (status_flags < 0 || fd_flags < 0 || !(fd_flags & FD_CLOEXEC))
		return false;
	if ((status_flags & O_ACCMODE) == O_RDONLY)
		return false;
	return !fstat(fd, &st) && !S_ISSOCK(st.st_mode);
}

/* Adds a number to the last range, or begins a range.  Returns false if there is no room. */
static bool append_number(struct cli_range *ranges, size_t most, size_t *count, uint32_t number)
{
	if (*count && ranges[*count - 1].last + 1 == number) {
		ranges[*count - 1].last = number;
		return true;
	}
	if (*count == most)
		return false;
	ranges[*count] = (struct cli_range){ number, number };
	(*count)++;
	return true;
}

/* Returns the number after the last one that can be open. */
static uint32_t descriptor_limit(void)
{
	struct rlimit limit = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > MOST_SCANNED)
		return MOST_SCANNED;
	return (uint32_t)limit.rlim_cur;
}

size_t cli_unwritten(struct cli_range *ranges, size_t most)
{
	static struct pollfd polled[CHUNK];
	const uint32_t end = descriptor_limit();
	size_t count = 0;

	for (uint32_t from = 0; from < end; from += CHUNK) {
		const uint32_t n = end - from < CHUNK ? end - from : CHUNK;

		for (uint32_t i = 0; i < n; i++)
			polled[i] = (struct pollfd){ .fd = (int)(from + i) };
		if (poll(polled, n, 0) < 0)
			return SIZE_MAX;
		for (uint32_t i = 0; i < n; i++) {
			if (polled[i].revents & POLLNVAL || is_output((int)(from + i)))
				continue;
			if (!append_number(ranges, most, &count, from + i))
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
	const uint32_t end = descriptor_limit();
	size_t count = 0;

	for (uint32_t fd = 0; fd < end; fd++) {
		if (fcntl((int)fd, F_GETFD) < 0 || !is_output((int)fd))
			continue;
		if (!append_number(ranges, most, &count, fd))
			return SIZE_MAX;
	}
	return count;
}

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__ILP32__)

/* Replaces the C library's fstat.  glibc's calls newfstatat with an empty path, and a seccomp
 * filter cannot see whether a path is empty.  On these machines the structure is the kernel's. */
int fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

#endif
