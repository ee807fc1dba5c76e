/* SPDX-License-Identifier: MIT */
/* Sends requests of sock_diag(7) and waits for answers (diag_linux.h).  State: the sequence number
 * of the last request; one thread at a time. */
#include "owners/diag_linux.h"

#include "base/descriptor.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { ANSWER_ROOM = 1024, STRAYS_MOST = 16 };

int bpei_diag_open(void)
{
	const struct timeval patience = { .tv_sec = 1 };
	const int fd = bpei_fd_keep(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

enum bpei_diag_answer bpei_diag_ask(
	int fd, const struct bpei_diag_ends *ends, struct bpei_diag_socket *socket)
{
	static uint32_t sequence;
	uint8_t request[BPEI_DIAG_REQUEST];
	uint8_t answer[ANSWER_ROOM];
	const uint32_t number = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);

	bpei_diag_write(request, ends, number);
	if (send(fd, request, sizeof request, 0) != (ssize_t)sizeof request)
		return BPEI_DIAG_OTHER;
	for (int k = 0; k < STRAYS_MOST; k++) {
		const ssize_t n = recv(fd, answer, sizeof answer, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return BPEI_DIAG_OTHER;
		const enum bpei_diag_answer a = bpei_diag_read(answer, (size_t)n, number, socket);

		if (a != BPEI_DIAG_OTHER)
			return a;
	}
	return BPEI_DIAG_OTHER;
}
