/* SPDX-License-Identifier: MIT */
/* Sending frames on Linux: a packet socket, bound to the interface (packet(7)). */
#include "numbered.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

int numbered_wire_open(const char *interface, const char **step)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };

	*step = "interface";
	to.sll_ifindex = (int)if_nametoindex(interface);
	if (!to.sll_ifindex)
		return -ENODEV;
	*step = "socket";
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*step = "bind";
	if (!bind(fd, (struct sockaddr *)&to, sizeof to))
		return fd;
	const int failed = errno;
	close(fd);
	return -failed;
}
