/* SPDX-License-Identifier: MIT */
/* Sending frames on macOS and the BSDs: a BPF device that is open for writing alone.  The driver
 * keeps the source address of each frame (BIOCSHDRCMPLT). */
#include "numbered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <net/if.h>
#include <net/bpf.h>
#include <unistd.h>

/* Opens /dev/bpf, which clones itself on the BSDs, or the first numbered node that is free. */
static int open_sending_node(void)
{
	int fd = open("/dev/bpf", O_WRONLY | O_CLOEXEC);

	for (int i = 0; fd < 0 && i < 256; i++) {
		char path[32];

		snprintf(path, sizeof path, "/dev/bpf%d", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno != EBUSY)
			break;
	}
	return fd < 0 ? -errno : fd;
}

int numbered_wire_open(const char *interface, const char **step)
{
	struct ifreq request;
	u_int one = 1;

	memset(&request, 0, sizeof request);
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	*step = "open /dev/bpf";
	int fd = open_sending_node();
	if (fd < 0)
		return fd;
	*step = "BIOCSETIF";
	if (!ioctl(fd, BIOCSETIF, &request)) {
		*step = "BIOCSHDRCMPLT";
		if (!ioctl(fd, BIOCSHDRCMPLT, &one))
			return fd;
	}
	const int failed = errno;
	close(fd);
	return -failed;
}
