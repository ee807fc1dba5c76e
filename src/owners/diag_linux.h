/* SPDX-License-Identifier: MIT */
/* The socket of sock_diag(7): a question and its answer at a time. */
#ifndef BPEI_OWNERS_DIAG_LINUX_H
#define BPEI_OWNERS_DIAG_LINUX_H

#include "owners/diag.h"

/* Opens the netlink socket.  Returns a descriptor, or -1 and errno. */
int bpei_diag_open(void);
/* Asks for a socket.  Returns BPEI_DIAG_OTHER if the kernel did not answer. */
enum bpei_diag_answer bpei_diag_ask(
	int fd, const struct bpei_diag_ends *ends, struct bpei_diag_socket *socket);

#endif
