/* SPDX-License-Identifier: MIT */
/* FreeBSD: sockets by net.inet.tcp.pcblist and net.inet.udp.pcblist, their processes by kern.file
 * (FreeBSD 12 and later); stateless. */
#include "owners/lists.h"

/* the kernel's headers, in the order that they need */
#include <sys/param.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#define _WANT_FILE
#include <sys/file.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/tcp.h>
#include <netinet/tcp_var.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 4 };

#define PCB_LAYOUT(record, inpcb)                                                                  \
	{ .bytes = sizeof(record),                                                                 \
		.handle = (inpcb) + offsetof(struct xinpcb, xi_socket.xso_so),                     \
		.remote_port = (inpcb) + offsetof(struct xinpcb, inp_inc.inc_ie.ie_fport),         \
		.local_port = (inpcb) + offsetof(struct xinpcb, inp_inc.inc_ie.ie_lport),          \
		.remote = (inpcb) + offsetof(struct xinpcb, inp_inc.inc_ie.ie_dependfaddr),        \
		.local = (inpcb) + offsetof(struct xinpcb, inp_inc.inc_ie.ie_dependladdr),         \
		.versions = (inpcb) + offsetof(struct xinpcb, inp_vflag),                          \
		.generation_bytes = sizeof(struct xinpgen) }

static const struct bpei_pcb_layout udp_layout = PCB_LAYOUT(struct xinpcb, 0);
static const struct bpei_pcb_layout tcp_layout =
	PCB_LAYOUT(struct xtcpcb, offsetof(struct xtcpcb, xt_inp));
static const struct bpei_file_layout file_layout = { .bytes = sizeof(struct xfile),
	.pid = offsetof(struct xfile, xf_pid),
	.uid = offsetof(struct xfile, xf_uid),
	.type = offsetof(struct xfile, xf_type),
	.handle = offsetof(struct xfile, xf_data),
	.socket_type = DTYPE_SOCKET };
_Static_assert(INP_IPV4 == BPEI_SOCKET_4 && INP_IPV6 == BPEI_SOCKET_6, "the versions");

/* Reads a list whole, which may grow meanwhile.  Returns the bytes to be freed, or NULL. */
static uint8_t *read_sysctl_list(const char *name, size_t *n)
{
	for (int k = 0; k < TRIES; k++) {
		if (sysctlbyname(name, NULL, n, NULL, 0))
			return NULL;
		*n += *n / 4 + 4096;
		uint8_t *bytes = malloc(*n);

		if (bytes && !sysctlbyname(name, bytes, n, NULL, 0))
			return bytes;
		free(bytes);
	}
	return NULL;
}

/* Adds the sockets of a protocol.  Returns false if the list cannot be read. */
static bool read_protocol(struct bpei_sockets *s, const char *name,
	const struct bpei_pcb_layout *layout, uint8_t ip_proto)
{
	size_t n;
	uint8_t *bytes = read_sysctl_list(name, &n);
	const bool is_read = bytes && bpei_pcbs_read(s, bytes, n, layout, ip_proto);

	free(bytes);
	return is_read;
}

int bpei_listed_read(struct bpei_sockets *s)
{
	size_t n;

	if (!read_protocol(s, "net.inet.tcp.pcblist", &tcp_layout, IPPROTO_TCP) ||
		!read_protocol(s, "net.inet.udp.pcblist", &udp_layout, IPPROTO_UDP))
		return BPE_E_UNSUPPORTED;
	uint8_t *bytes = read_sysctl_list("kern.file", &n);
	const bool is_read = bytes && bpei_files_read(s, bytes, n, &file_layout);

	free(bytes);
	return is_read ? BPE_OK : BPE_E_UNSUPPORTED;
}

void bpei_listed_name(int32_t pid, char *comm, size_t room)
{
	int name[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, pid };
	struct kinfo_proc process;
	size_t bytes = sizeof process;

	comm[0] = 0;
	if (!sysctl(name, 4, &process, &bytes, NULL, 0) && bytes == sizeof process)
		snprintf(comm, room, "%s", process.ki_comm);
}
