/* SPDX-License-Identifier: MIT */
/* Passes whole structures through pipes. */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

bool peer_take(int fd, void *to, size_t bytes)
{
	for (size_t n = 0; n < bytes;) {
		ssize_t k = read(fd, (char *)to + n, bytes - n);
		if (!k || (k < 0 && errno != EINTR))
			return false;
		n += k > 0 ? (size_t)k : 0;
	}
	return true;
}

bool peer_give(int fd, const void *from, size_t bytes)
{
	for (size_t n = 0; n < bytes;) {
		ssize_t k = write(fd, (const char *)from + n, bytes - n);
		if (k < 0 && errno != EINTR)
			return false;
		n += k > 0 ? (size_t)k : 0;
	}
	return true;
}

bool peer_over(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}
