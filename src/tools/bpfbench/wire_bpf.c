/* SPDX-License-Identifier: MIT */
/* Sends on macOS and FreeBSD: a write() to a BPF device for each frame.  No other place of the
 * project opens a BPF device for writing. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <net/bpf.h>

static int open_node(void)
{
	/* FreeBSD's node clones itself; macOS numbers the nodes */
	int fd = open("/dev/bpf", O_WRONLY | O_CLOEXEC);
	const int e = errno;

	for (int i = 0; fd < 0 && i < 256; i++) {
		char path[32];
		snprintf(path, sizeof path, "/dev/bpf%d", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			break;
		if (fd < 0 && errno != EBUSY)
			return -errno;
	}
	return fd < 0 ? -e : fd;
}

int wire_open(const struct pair *p, const char **step)
{
	struct ifreq r;
	u_int one = 1;
	memset(&r, 0, sizeof r);
	*step = "interface";
	if (!p->made)
		return -ENODEV;
	memcpy(r.ifr_name, p->send, strlen(p->send) + 1);
	*step = "open /dev/bpf";
	int fd = open_node();
	if (fd < 0)
		return fd;
	*step = "BIOCSETIF";
	if (!ioctl(fd, BIOCSETIF, &r)) {
		*step = "BIOCSHDRCMPLT";
		if (!ioctl(fd, BIOCSHDRCMPLT, &one))
			return fd; /* the frames have their own source address */
	}
	int failed = errno;
	close(fd);
	return -failed;
}

int wire_send(int fd, uint8_t *const *frames, uint32_t n, uint32_t bytes)
{
	for (uint32_t i = 0; i < n; i++)
		if (write(fd, frames[i], bytes) != (ssize_t)bytes)
			return i ? (int)i : -errno;
	return (int)n;
}
