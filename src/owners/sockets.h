/* SPDX-License-Identifier: MIT */
/* A list of all sockets with their processes, for systems that tell lists: FreeBSD, macOS. */
#ifndef BPEI_OWNERS_SOCKETS_H
#define BPEI_OWNERS_SOCKETS_H

#include "bpfengine.h"

#define BPEI_SOCKET_4 0x1u /* takes IPv4 */
#define BPEI_SOCKET_6 0x2u

/* A socket; addresses of IPv4 are the first 4 bytes, all 0: bound to none. */
struct bpei_socket {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* remote_port 0: not connected */
	uint8_t ip_proto;
	uint8_t versions; /* BPEI_SOCKET_* */
	int32_t pid;      /* 0: none is known */
	uint32_t uid;
	uint64_t handle; /* the socket in the kernel; 0: not told */
};

struct bpei_sockets {
	struct bpei_socket *of;
	size_t count, room;
};

/* Returns a new zeroed element; NULL without memory. */
struct bpei_socket *bpei_sockets_add(struct bpei_sockets *sockets);
void bpei_sockets_free(struct bpei_sockets *sockets);
/* Returns the socket of an end of the flow: connected, else bound to the address, else to none;
 * NULL: there is no socket. */
const struct bpei_socket *bpei_sockets_find(const struct bpei_sockets *sockets,
	const struct bpe_owner_question *question, uint32_t end);

/* ---- A file for each system (listed_*.c) ---- */

/* Fills the emptied list with all sockets that the system tells.  Returns BPE_OK or a status. */
int bpei_listed_read(struct bpei_sockets *sockets);
/* Writes the name of a process; "" if the process is gone. */
void bpei_listed_name(int32_t pid, char *comm, size_t room);

#endif
