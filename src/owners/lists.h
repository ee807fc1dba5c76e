/* SPDX-License-Identifier: MIT */
/* FreeBSD's lists of sockets and of descriptors, as sysctl(3) gives both; pure.  Where members lie
 * is data, which listed_freebsd.c takes from the system's headers. */
#ifndef BPEI_OWNERS_LISTS_H
#define BPEI_OWNERS_LISTS_H

#include "owners/sockets.h"

/* Places in a record of net.inet.*.pcblist. */
struct bpei_pcb_layout {
	uint32_t bytes;  /* least length of a record */
	uint32_t handle; /* 8 bytes */
	uint32_t remote_port, local_port, remote, local, versions;
	uint32_t generation_bytes; /* of the first and the last record, which are no sockets */
};
/* Places in a record of kern.file. */
struct bpei_file_layout {
	uint32_t bytes, pid, uid, type, handle;
	uint16_t socket_type; /* DTYPE_SOCKET */
};

/* Adds the sockets of a list of n bytes.  Returns false if the list is torn. */
bool bpei_pcbs_read(struct bpei_sockets *sockets, const uint8_t *bytes, size_t n,
	const struct bpei_pcb_layout *layout, uint8_t ip_proto);
/* Gives sockets the processes whose descriptors they are.  Returns false if the list is torn. */
bool bpei_files_read(struct bpei_sockets *sockets, const uint8_t *bytes, size_t n,
	const struct bpei_file_layout *layout);

#endif
