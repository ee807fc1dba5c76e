/* SPDX-License-Identifier: MIT */
/* macOS: sockets of all processes by libproc; stateless.  Without root the system tells the sockets
 * of the same user's processes alone. */
#include "owners/sockets.h"

#include <libproc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/proc_info.h>

/* Copies an address: IPv4 lies in the last 4 of 16 bytes. */
static void copy_darwin_address(uint8_t to[16], const void *from, bool is_4)
{
	if (is_4)
		memcpy(to, (const uint8_t *)from + 12, 4);
	else
		memcpy(to, from, 16);
}

/* Adds a socket, if it is of TCP or UDP. */
static void add_darwin_socket(
	struct bpei_sockets *sockets, const struct socket_info *info, int32_t pid, uint32_t uid)
{
	const bool is_tcp = info->soi_kind == SOCKINFO_TCP;
	const struct in_sockinfo *in =
		is_tcp ? &info->soi_proto.pri_tcp.tcpsi_ini : &info->soi_proto.pri_in;

	if (!is_tcp && (info->soi_kind != SOCKINFO_IN || info->soi_protocol != IPPROTO_UDP))
		return;
	struct bpei_socket *s = bpei_sockets_add(sockets);

	if (!s)
		return;
	s->ip_proto = is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
	s->versions = in->insi_vflag & (INI_IPV4 | INI_IPV6);
	const bool is_4 = s->versions == INI_IPV4;

	/* the ports are in network byte order, in an int */
	s->local_port = ntohs((uint16_t)in->insi_lport);
	s->remote_port = ntohs((uint16_t)in->insi_fport);
	copy_darwin_address(s->local, &in->insi_laddr, is_4);
	copy_darwin_address(s->remote, &in->insi_faddr, is_4);
	s->pid = pid;
	s->uid = uid;
	s->handle = info->soi_so;
}
_Static_assert(INI_IPV4 == BPEI_SOCKET_4 && INI_IPV6 == BPEI_SOCKET_6, "the versions");

/* Adds the sockets of a process. */
static void read_darwin_process(struct bpei_sockets *sockets, int32_t pid)
{
	struct proc_bsdshortinfo process = { .pbsi_uid = 0 };
	const int bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, NULL, 0);
	struct proc_fdinfo *fds = bytes > 0 ? malloc((size_t)bytes) : NULL;

	if (!fds)
		return;
	const int got = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, fds, bytes);

	proc_pidinfo(pid, PROC_PIDT_SHORTBSDINFO, 0, &process, sizeof process);
	for (int k = 0; k < got / (int)sizeof *fds; k++) {
		struct socket_fdinfo info;

		if (fds[k].proc_fdtype != PROX_FDTYPE_SOCKET)
			continue;
		if (proc_pidfdinfo(pid, fds[k].proc_fd, PROC_PIDFDSOCKETINFO, &info, sizeof info) ==
			(int)sizeof info)
			add_darwin_socket(sockets, &info.psi, pid, process.pbsi_uid);
	}
	free(fds);
}

int bpei_listed_read(struct bpei_sockets *sockets)
{
	const int bytes = proc_listpids(PROC_ALL_PIDS, 0, NULL, 0);
	const int room = bytes > 0 ? bytes + bytes / 4 : 0;
	pid_t *pids = room ? malloc((size_t)room) : NULL;

	if (!pids)
		return BPE_E_UNSUPPORTED;
	const int got = proc_listpids(PROC_ALL_PIDS, 0, pids, room);

	for (int k = got / (int)sizeof *pids; k-- > 0;)
		if (pids[k] > 0)
			read_darwin_process(sockets, pids[k]);
	free(pids);
	return BPE_OK;
}

void bpei_listed_name(int32_t pid, char *comm, size_t room)
{
	if (proc_name(pid, comm, (uint32_t)room) <= 0)
		comm[0] = 0;
}
