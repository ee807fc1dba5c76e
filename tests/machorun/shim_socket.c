/* SPDX-License-Identifier: MIT */
/* Shims of connected sockets.  Numbers of options, levels and flags are Darwin's: SOL_SOCKET is
 * 0xffff, and each sockaddr begins with a length. */
#include "macho.h"
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { D_INET6 = 30, D_SOL_SOCKET = 0xffff, D_ENOPROTOOPT = 42, D_EAFNOSUPPORT = 47 };

/* An option: level and number on Darwin, and here. */
struct option_pair {
	int level, name, level_here, name_here;
};
static const struct option_pair options[] = {
	{ D_SOL_SOCKET, 0x0008, SOL_SOCKET, SO_KEEPALIVE },
	{ D_SOL_SOCKET, 0x1001, SOL_SOCKET, SO_SNDBUF },
	{ D_SOL_SOCKET, 0x1007, SOL_SOCKET, SO_ERROR },
	{ D_SOL_SOCKET, 0x1080, SOL_SOCKET, SO_LINGER }, /* SO_LINGER_SEC */
	{ IPPROTO_TCP, 0x01, IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, 0x10, IPPROTO_TCP, TCP_KEEPIDLE }, /* TCP_KEEPALIVE */
	{ IPPROTO_TCP, 0x101, IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, 0x102, IPPROTO_TCP, TCP_KEEPCNT },
};

static const struct option_pair *find_socket_option(int level, int name)
{
	for (size_t k = 0; k < sizeof options / sizeof *options; k++)
		if (options[k].level == level && options[k].name == name)
			return &options[k];
	return NULL;
}

static int s_setsockopt(int fd, int level, int name, const void *value, uint32_t n)
{
	const struct option_pair *o = find_socket_option(level, name);

	note("setsockopt 0x%x 0x%x", level, name);
	return o ? setsockopt(fd, o->level_here, o->name_here, value, n) : fail_as(D_ENOPROTOOPT);
}

static int s_getsockopt(int fd, int level, int name, void *value, uint32_t *n)
{
	const struct option_pair *o = find_socket_option(level, name);
	socklen_t size = *n;

	if (level == D_SOL_SOCKET &&
		name == 0x1024) /* SO_NWRITE: bytes that are not acknowledged */
		return ioctl(fd, TIOCOUTQ, value);
	if (!o)
		return fail_as(D_ENOPROTOOPT);
	const int r = getsockopt(fd, o->level_here, o->name_here, value, &size);

	*n = size;
	if (!r && o->name_here == SO_ERROR && *(int *)value)
		*(int *)value = to_darwin_errno(*(int *)value);
	return r;
}

static int s_connect(int fd, const uint8_t *address, uint32_t n)
{
	struct sockaddr_storage here = { .ss_family = AF_UNSPEC };

	if (n < 2 || n > sizeof here || address[0] != n)
		return fail_as(22);
	memcpy(&here, address, n);
	if (address[1] == 2)
		here.ss_family = AF_INET;
	else if (address[1] == D_INET6)
		here.ss_family = AF_INET6;
	else
		return fail_as(D_EAFNOSUPPORT);
	return connect(fd, (const struct sockaddr *)&here, n);
}

/* Returns Linux's flags for Darwin's: MSG_PEEK is the same. */
static int flags_here(int flags)
{
	int here = flags & 2;

	if (flags & 0x80)
		here |= MSG_DONTWAIT;
	if (flags & 0x80000)
		here |= MSG_NOSIGNAL;
	return here;
}

static ssize_t s_send(int fd, const void *from, size_t n, int flags)
{
	return send(fd, from, n, flags_here(flags));
}

static ssize_t s_recv(int fd, void *to, size_t n, int flags)
{
	return recv(fd, to, n, flags_here(flags));
}

static const char *s_gai_strerror(int code)
{
	return code == 8 ? "nodename nor servname provided, or not known" : "lookup failed";
}

/* Attributes of threads: a thread that is created gets the stack of macOS, and joins or not. */
static int s_attr_set(void *attr, int value)
{
	(void)attr, (void)value;
	return 0;
}

static int s_attr_begin(void *attr)
{
	memset(attr, 0, 64); /* pthread_attr_t of Darwin */
	return 0;
}

static int s_attr_end(void *attr)
{
	(void)attr;
	return 0;
}

const struct shim shims_socket[] = {
	{ "_connect", s_connect },
	{ "_gai_strerror", s_gai_strerror },
	{ "_getsockopt", s_getsockopt },
	{ "_pthread_attr_destroy", s_attr_end },
	{ "_pthread_attr_init", s_attr_begin },
	{ "_pthread_attr_setdetachstate", s_attr_set },
	{ "_recv", s_recv },
	{ "_send", s_send },
	{ "_setsockopt", s_setsockopt },
	{ "_shutdown", shutdown },
	{ NULL, NULL },
};
