/* SPDX-License-Identifier: MIT */
/* Shims of interfaces, addresses and names.  Darwin's sockaddr begins with a length, and AF_INET6
 * is 30 on Darwin. */
#define _GNU_SOURCE
#include "macho.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { D_INET6 = 30, D_LINK = 18 };
static int family_here(int f)
{
	if (f == D_INET6)
		return AF_INET6;
	return f == 1 || f == 2 ? f : 0;
}

/* Writes {length, family, then the bytes of Linux from the port on}; returns the bytes used. */
static size_t put_address(const struct sockaddr *a, uint8_t *to)
{
	if (a->sa_family == AF_INET) {
		memcpy(to, a, 16);
		to[0] = 16;
		to[1] = 2;
		return 16;
	}
	memcpy(to, a, 28);
	to[0] = 28;
	to[1] = D_INET6;
	return 28;
}

/* Writes a netmask as macOS does: an IPv4 netmask ends at the last byte that is not 0, and the
 * family stays 0 (in_socktrim).  getifaddrs of macOS packs by that length, so the next address
 * follows at once.  Here 0x5a follows, to reveal a reader that reads too far. */
static size_t put_mask(const struct sockaddr *a, uint8_t *to)
{
	if (a->sa_family != AF_INET)
		return put_address(a, to);
	uint8_t whole[16] = { 0 };
	memcpy(whole + 4, (const uint8_t *)a + 4, 4);
	size_t n = 8;
	while (n > 4 && !whole[n - 1])
		n--;
	if (n == 4)
		n = 0;
	whole[0] = (uint8_t)n;
	size_t kept = n ? (n + 3) & ~(size_t)3 : 4;
	memset(to, 0x5a, 16);
	memcpy(to, whole, kept);
	return 16;
}

/* Returns IFT_ETHER, IFT_LOOP or IFT_OTHER for Linux's ARPHRD number. */
static uint8_t link_type_there(uint16_t hatype)
{
	if (hatype == 1)
		return 6;
	return hatype == 772 ? 24 : 1;
}

/* Writes struct sockaddr_dl: {length, family, index, type, lengths of name, address and selector,
 * data}. */
static size_t put_link(const struct sockaddr_ll *a, const char *name, uint8_t *to)
{
	uint16_t index = (uint16_t)a->sll_ifindex;
	uint8_t n = (uint8_t)strlen(name);
	uint8_t halen = a->sll_hatype == 1 ? 6 : 0;
	size_t length = 8u + n + halen;
	if (length < 20)
		length = 20;
	memset(to, 0, 64);
	to[0] = (uint8_t)length;
	to[1] = D_LINK;
	memcpy(to + 2, &index, 2);
	to[4] = link_type_there(a->sll_hatype);
	to[5] = n;
	to[6] = halen;
	memcpy(to + 8, name, n);
	memcpy(to + 8 + n, a->sll_addr, halen);
	return 64;
}

struct entry {
	struct ifaddrs a;
	char name[16];
	uint8_t address[64], mask[64], other[64];
};

static int s_getifaddrs(struct ifaddrs **out)
{
	struct ifaddrs *list, *a, **to = out;
	if (!sandbox_allows("sysctl-read", NULL))
		return fail_as(1);
	if (getifaddrs(&list))
		return -1;
	*out = NULL;
	int n = 0, i = 0;
	for (a = list; a; a = a->ifa_next)
		n++;
	struct entry *e = calloc((size_t)n + 1, sizeof *e);
	for (a = list; e && a; a = a->ifa_next) {
		if (!a->ifa_addr ||
			(a->ifa_addr->sa_family != AF_PACKET && a->ifa_addr->sa_family != AF_INET &&
				a->ifa_addr->sa_family != AF_INET6))
			continue;
		struct entry *x = &e[i++];
		snprintf(x->name, sizeof x->name, "%.15s", a->ifa_name);
		x->a = (struct ifaddrs){ .ifa_name = x->name,
			.ifa_flags = a->ifa_flags & 0xffff,
			.ifa_addr = (void *)x->address };
		if (a->ifa_addr->sa_family == AF_PACKET)
			put_link((const void *)a->ifa_addr, x->name, x->address);
		else {
			put_address(a->ifa_addr, x->address);
			if (a->ifa_netmask) {
				put_mask(a->ifa_netmask, x->mask);
				x->a.ifa_netmask = (void *)x->mask;
			}
		}
		*to = &x->a;
		to = &x->a.ifa_next;
	}
	freeifaddrs(list);
	if (!e)
		return fail_as(12);
	if (!i)
		free(e);
	return 0;
}
static void s_freeifaddrs(struct ifaddrs *a)
{
	free(a);
} /* the first entry begins the array */

int shim_ioctl_net(int fd, unsigned long request, void *argument, int *done);
int shim_ioctl_net(int fd, unsigned long request, void *argument, int *done)
{
	struct ifreq r;
	*done = 1;
	switch (request & 0xffffffffu) {
	case 0xc0206933: /* SIOCGIFMTU: 16 bytes of name, then the value */
		memset(&r, 0, sizeof r);
		memcpy(r.ifr_name, argument, 16);
		if (ioctl(fd, SIOCGIFMTU, &r))
			return -1;
		memcpy((char *)argument + 16, &r.ifr_mtu, 4);
		return 0;
	case 0xc0206978: /* SIOCIFCREATE: pktap gets a number */
		note("SIOCIFCREATE %.16s", (char *)argument);
		if (getuid())
			return fail_as(1);
		if (strncmp(argument, "pktap", 5))
			return fail_as(22);
		if (!strcmp(argument, "pktap"))
			strcpy(argument, "pktap0");
		return 0;
	case 0x80206979:
		note("SIOCIFDESTROY %.16s", (char *)argument);
		return 0;
	default:
		*done = 0;
		return 0;
	}
}

static const char *s_inet_ntop(int f, const void *a, char *to, uint32_t n)
{
	if (!family_here(f)) {
		fail_as(47);
		return NULL;
	}
	return inet_ntop(family_here(f), a, to, n);
}
static int s_inet_pton(int f, const char *text, void *to)
{
	return family_here(f) ? inet_pton(family_here(f), text, to) : fail_as(47);
}
static int s_socket(int f, int type, int protocol)
{
	if (!family_here(f))
		return fail_as(47);
	return socket(family_here(f), type, protocol);
}

/* ---- Names ---- */
struct darwin_addrinfo {
	int flags, family, socktype, protocol;
	uint32_t addrlen;
	char *canonname;
	void *addr;
	struct darwin_addrinfo *next;
};

/* Returns Darwin's EAI number for Linux's. */
static int lookup_error_there(int here)
{
	switch (here) {
	case EAI_NONAME:
		return 8;
	case EAI_AGAIN:
		return 2;
	case EAI_FAIL:
		return 4;
	case EAI_FAMILY:
		return 5;
	case EAI_MEMORY:
		return 6;
	case EAI_SERVICE:
		return 9;
	case EAI_SOCKTYPE:
		return 10;
	case EAI_BADFLAGS:
		return 3;
	default:
		return 11;
	}
}

static int s_getaddrinfo(const char *host, const char *service, const struct darwin_addrinfo *d,
	struct darwin_addrinfo **out)
{
	struct addrinfo hints = { 0 };
	struct addrinfo *list = NULL;
	if (sandboxed && !sandbox_allows("mach-lookup", NULL))
		return 8;
	if (d) {
		hints.ai_flags = d->flags & 7;
		if (d->flags & 0x1000)
			hints.ai_flags |= AI_NUMERICSERV;
		if (d->flags & 0x400)
			hints.ai_flags |= AI_ADDRCONFIG;
		hints.ai_family = d->family ? family_here(d->family) : 0;
		hints.ai_socktype = d->socktype;
		hints.ai_protocol = d->protocol;
	}
	int r = getaddrinfo(host, service, &hints, &list);
	note("getaddrinfo %s: %d", host, r);
	if (r)
		return lookup_error_there(r);
	struct darwin_addrinfo **to = out;
	*out = NULL;
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		struct {
			struct darwin_addrinfo i;
			uint8_t address[32];
		} *x = calloc(1, sizeof *x);
		if (!x)
			break;
		size_t n = put_address(a->ai_addr, x->address);
		x->i = (struct darwin_addrinfo){ .family = a->ai_family == AF_INET6 ? D_INET6 : 2,
			.socktype = a->ai_socktype,
			.protocol = a->ai_protocol,
			.addrlen = (uint32_t)n,
			.addr = x->address };
		*to = &x->i;
		to = &x->i.next;
	}
	freeaddrinfo(list);
	return *out ? 0 : 6;
}
static void s_freeaddrinfo(struct darwin_addrinfo *a)
{
	if (!a) {
		fputs("machorun: freeaddrinfo(NULL): a crash on some systems\n", stderr);
		return;
	}
	while (a) {
		struct darwin_addrinfo *n = a->next;
		free(a);
		a = n;
	}
}
static struct servent *s_getservbyname(const char *n, const char *p)
{
	return sandbox_allows("file-read-data", "/etc/services") ? getservbyname(n, p) : NULL;
}
static struct protoent *s_getprotobyname(const char *n)
{
	return sandbox_allows("file-read-data", "/etc/protocols") ? getprotobyname(n) : NULL;
}
static struct netent *s_getnetbyname(const char *n)
{
	return sandbox_allows("file-read-data", "/etc/networks") ? getnetbyname(n) : NULL;
}

const struct shim shims_net[] = { { "_ether_hostton", ether_hostton },
	{ "_freeaddrinfo", s_freeaddrinfo }, { "_freeifaddrs", s_freeifaddrs },
	{ "_getaddrinfo", s_getaddrinfo }, { "_getifaddrs", s_getifaddrs },
	{ "_getnetbyname", s_getnetbyname }, { "_getprotobyname", s_getprotobyname },
	{ "_getservbyname", s_getservbyname }, { "_if_freenameindex", if_freenameindex },
	{ "_if_indextoname", if_indextoname }, { "_if_nameindex", if_nameindex },
	{ "_if_nametoindex", if_nametoindex }, { "_inet_ntop", s_inet_ntop },
	{ "_inet_pton", s_inet_pton }, { "_socket", s_socket }, { NULL, NULL } };
