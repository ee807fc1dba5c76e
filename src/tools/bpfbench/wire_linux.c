/* SPDX-License-Identifier: MIT */
/* Sends on Linux: many frames in a call to AF_PACKET, past the queueing discipline (packet(7),
 * PACKET_QDISC_BYPASS). */
#include "pair.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int wire_open(const struct pair *p, const char **step)
{
	int one = 1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_ifindex = p->made ? (int)if_nametoindex(p->send) : 0 };
	*step = "interface";
	if (!to.sll_ifindex)
		return -ENODEV;
	*step = "socket";
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0 receives nothing */
	if (fd < 0)
		return -errno;
	setsockopt(
		fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one); /* optional: only speed */
	*step = "bind";
	if (!bind(fd, (struct sockaddr *)&to, sizeof to))
		return fd;
	int failed = errno;
	close(fd);
	return -failed;
}

int wire_send(int fd, uint8_t *const *frames, uint32_t n, uint32_t bytes)
{
	struct mmsghdr m[WIRE_BURST];
	struct iovec v[WIRE_BURST];
	memset(m, 0, n * sizeof *m);
	for (uint32_t i = 0; i < n; i++) {
		v[i] = (struct iovec){ frames[i], bytes };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	int sent = sendmmsg(fd, m, n, 0);
	return sent < 0 ? -errno : sent;
}
