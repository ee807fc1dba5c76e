/* SPDX-License-Identifier: MIT */
/* Descriptors above the standard descriptors (descriptor.h); stateless. */
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Stands behind stdin, stdout, stderr. */
#define FIRST 3

int bpei_fd_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST);
}

int bpei_fd_keep(int fd)
{
	if (fd < 0)
		return -1;
	if (fd >= FIRST) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		return fd;
	}
	const int higher = bpei_fd_dup(fd);
	const int why = errno;
	close(fd);
	errno = why;
	return higher;
}

int bpei_fd_open(const char *path, int flags)
{
	return bpei_fd_keep(open(path, flags | O_CLOEXEC));
}

int bpei_fd_pipe(int ends[2], bool nonblocking)
{
	int made[2];
	int failed = 0;

	ends[0] = -1;
	ends[1] = -1;
	if (pipe(made))
		return -1;
	for (int i = 0; i < 2; i++) {
		ends[i] = bpei_fd_keep(made[i]);
		if (ends[i] < 0 && !failed)
			failed = errno;
		else if (!failed && nonblocking && fcntl(ends[i], F_SETFL, O_NONBLOCK))
			failed = errno;
	}
	if (!failed)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
		ends[i] = -1;
	}
	errno = failed;
	return -1;
}
