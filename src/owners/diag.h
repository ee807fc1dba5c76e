/* SPDX-License-Identifier: MIT */
/* Messages of sock_diag(7) for a single socket; pure.  The layouts are from
 * <linux/inet_diag.h>, written down here, and so every system tests the layouts. */
#ifndef BPEI_OWNERS_DIAG_H
#define BPEI_OWNERS_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_DIAG_REQUEST 72u /* bytes of a request */
/* States of TCP's sockets. */
enum { BPEI_DIAG_ESTABLISHED = 1, BPEI_DIAG_TIME_WAIT = 6, BPEI_DIAG_LISTEN = 10 };

/* A socket by its ends: from, to. */
struct bpei_diag_ends {
	const uint8_t *addr[2]; /* 4 or 16 bytes, network byte order */
	uint16_t port[2];
	uint8_t ip_proto, ip_version;
	uint32_t interface_index; /* 0: any */
};

struct bpei_diag_socket {
	uint32_t inode; /* 0: no descriptor */
	uint32_t uid;
	uint16_t local_port, remote_port;
	uint8_t state;
};

enum bpei_diag_answer {
	BPEI_DIAG_OTHER = 0, /* no answer to this request, or a torn answer */
	BPEI_DIAG_FOUND,
	BPEI_DIAG_MISSING /* the kernel has no socket with these ends */
};

/* Writes the request for a socket. */
void bpei_diag_write(
	uint8_t to[BPEI_DIAG_REQUEST], const struct bpei_diag_ends *ends, uint32_t sequence);
/* Reads the first message of n bytes.  Fills *socket if the answer is BPEI_DIAG_FOUND. */
enum bpei_diag_answer bpei_diag_read(
	const uint8_t *from, size_t n, uint32_t sequence, struct bpei_diag_socket *socket);

#endif
