/* SPDX-License-Identifier: MIT */
/* The list of interfaces for capturing, from getifaddrs(3) and, on Linux, sysfs; stateless. */
#include "base/descriptor.h"
#include "base/error.h"
#include "base/sized.h"
#include "device/device.h"
#include "device/interfaces.h"
#include "names/numbers.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <net/if_arp.h>
#include <linux/if_packet.h>
#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif
#define LINK_LEVEL_FAMILY AF_PACKET
#else
#include <net/if_dl.h>
#if __has_include(<net/if_types.h>)
#include <net/if_types.h>
#else /* IANA's ifType numbers, which the BSDs use */
#define IFT_OTHER 1
#define IFT_ETHER 6
#define IFT_PPP 23
#define IFT_LOOP 24
#endif
#endif
#if defined(__FreeBSD__)
#include <sys/sysctl.h>
#endif

static void add_address(
	struct bpe_interface *i, const struct sockaddr *a, const struct sockaddr *mask)
{
	if (i->address_count == sizeof i->addresses / sizeof *i->addresses)
		return;
	struct bpe_address *to = &i->addresses[i->address_count];
	size_t n = a->sa_family == AF_INET ? 4 : 16;
	const void *bytes =
		n == 4 ? (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr
		       : (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	memcpy(to->addr, bytes, n);
	to->family = n == 4 ? 4 : 6;
	if (mask)
		to->prefix = bpei_netmask_prefix(mask, a->sa_family);
	i->address_count++;
}

#if defined(__linux__)
static int link_type_of_hardware(unsigned hatype)
{
	switch (hatype) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return LINK_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		return LINK_RAW;
	default:
		return LINK_SLL2;
	}
}

static void read_link_level(struct bpe_interface *i, const struct sockaddr *sa)
{
	const struct sockaddr_ll *a = (const void *)sa;
	char path[128], vendor[64] = "";
	i->link_type = link_type_of_hardware(a->sll_hatype);
	i->has_mac = a->sll_halen == 6;
	if (i->has_mac)
		memcpy(i->mac, a->sll_addr, 6);
	snprintf(path, sizeof path, "/sys/class/net/%.63s/device/driver/module", i->name);
	ssize_t n = readlink(path, vendor, sizeof vendor - 1); /* the driver names the hardware */
	if (n > 0) {
		vendor[n] = 0;
		const char *base = strrchr(vendor, '/');
		snprintf(i->description, sizeof i->description, "%s", base ? base + 1 : vendor);
	}
}
#else
static void read_link_level(struct bpe_interface *i, const struct sockaddr *sa)
{
	const struct sockaddr_dl *a = (const void *)sa;
	switch (a->sdl_type) {
	case IFT_ETHER:
		i->link_type = LINK_ETHERNET;
		break;
	case IFT_PPP:
		i->link_type = LINK_PPP;
		break;
#if defined(__OpenBSD__)
	case IFT_LOOP:
		i->link_type = LINK_LOOP;
		break;
#else
	case IFT_LOOP:
		i->link_type = LINK_NULL;
		break;
#endif
#if defined(__APPLE__)
	default: /* by the call sites of bpfattach in xnu's bsd/net */
		if (!strncmp(i->name, "utun", 4) || !strncmp(i->name, "ipsec", 5) ||
			!strncmp(i->name, "gif", 3) || !strncmp(i->name, "stf", 3))
			i->link_type = LINK_NULL;
		else if (!strncmp(i->name, "pktap", 5) || !strncmp(i->name, "iptap", 5))
			i->link_type = LINK_PKTAP;
		else if (!strncmp(i->name, "bridge", 6) || !strncmp(i->name, "bond", 4) ||
			 !strncmp(i->name, "feth", 4) || !strncmp(i->name, "vlan", 4))
			i->link_type = LINK_ETHERNET;
		break;
#else
	default:
		break;
#endif
	}
	/* As LLADDR, which on macOS casts const away. */
	size_t at = offsetof(struct sockaddr_dl, sdl_data) + a->sdl_nlen;
	i->has_mac = a->sdl_alen == 6 && at + 6 <= a->sdl_len;
	if (i->has_mac)
		memcpy(i->mac, (const uint8_t *)a + at, 6);
}
#define LINK_LEVEL_FAMILY AF_LINK
#endif

#if defined(__APPLE__)
static void describe_hardware(struct bpe_interface *all, int count, int s)
{
	(void)s;
	bpei_list_frameworks("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation",
		"/System/Library/Frameworks/SystemConfiguration.framework/SystemConfiguration", all,
		count);
}
#elif defined(__FreeBSD__)
/* Copies the driver's description of the device, sysctl(8) dev.DRIVER.UNIT.%desc. */
static void describe_hardware(struct bpe_interface *all, int count, int s)
{
	(void)s;
	for (int k = 0; k < count; k++) {
		char name[160];
		const size_t driver = strcspn(all[k].name, "0123456789");
		size_t length = sizeof all[k].description - 1;
		snprintf(name, sizeof name, "dev.%.*s.%s.%%desc", (int)driver, all[k].name,
			all[k].name + driver);
		if (sysctlbyname(name, all[k].description, &length, NULL, 0))
			length = 0;
		all[k].description[length] = 0;
	}
}
#elif defined(__OpenBSD__) && defined(SIOCGIFDESCR)
/* Copies the administrator's description, ifconfig(8) description: OpenBSD has no other. */
static void describe_hardware(struct bpe_interface *all, int count, int s)
{
	for (int k = 0; s >= 0 && k < count; k++) {
		struct ifreq r;
		memset(&r, 0, sizeof r);
		snprintf(r.ifr_name, sizeof r.ifr_name, "%s", all[k].name);
		r.ifr_data = (void *)all[k].description;
		_Static_assert(sizeof all[k].description >= IFDESCRSIZE, "room for it");
		if (ioctl(s, SIOCGIFDESCR, &r))
			all[k].description[0] = 0;
	}
}
#else
static void describe_hardware(struct bpe_interface *all, int count, int s)
{
	(void)all; /* Linux: see read_link_level */
	(void)count;
	(void)s;
}
#endif

/* Returns the interface of the name in the array; adds a new name. */
static struct bpe_interface *find_or_add(struct bpe_interface *all, int *count, const char *name)
{
	for (int k = 0; k < *count; k++)
		if (!strcmp(all[k].name, name))
			return &all[k];
	struct bpe_interface *i = &all[(*count)++];
	*i = (struct bpe_interface){ .index = if_nametoindex(name), .link_type = -1 };
	snprintf(i->name, sizeof i->name, "%s", name);
	return i;
}

static int compare_indexes(const void *x, const void *y)
{
	const struct bpe_interface *a = x;
	const struct bpe_interface *b = y;

	return a->index < b->index ? -1 : a->index > b->index;
}

/* Writes "if:" before an interface's name which stands for something else, so each name of the list
 * opens the listed source.  Returns true if the interface is called synth. */
static bool qualify_name(struct bpe_interface *i)
{
	const bool synth = bpei_source_is_synth_name(i->name);
	char name[sizeof i->name];
	if (!bpei_device_name_is_taken(i->name))
		return false;
	snprintf(name, sizeof name, "if:%.*s", (int)sizeof name - 4, i->name);
	memcpy(i->name, name, sizeof name);
	return synth;
}

static uint32_t interface_flags(unsigned flags)
{
	static const struct {
		unsigned system, flag;
	} pairs[] = { { IFF_UP, BPE_IF_UP }, { IFF_RUNNING, BPE_IF_RUNNING },
		{ IFF_LOOPBACK, BPE_IF_LOOPBACK }, { IFF_PROMISC, BPE_IF_PROMISCUOUS } };
	uint32_t out = 0;

	for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
		if (flags & pairs[k].system)
			out |= pairs[k].flag;
	return out;
}

/* Copies an entry of getifaddrs to the interface; s: a socket, or -1. */
static void add_entry(struct bpe_interface *i, const struct ifaddrs *a, int s)
{
	struct ifreq r;

	memset(&r, 0, sizeof r);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", a->ifa_name);
	i->flags = interface_flags(a->ifa_flags);
	if (s >= 0 && !i->mtu && !ioctl(s, SIOCGIFMTU, &r))
		i->mtu = (uint32_t)r.ifr_mtu;
	if (!a->ifa_addr)
		return;
	const int family = a->ifa_addr->sa_family;
	if (family == LINK_LEVEL_FAMILY)
		read_link_level(i, a->ifa_addr);
	else if (family == AF_INET || family == AF_INET6)
		add_address(i, a->ifa_addr, a->ifa_netmask);
}

/* Returns the interfaces of the list, sorted, and their number in *count, with room for two more;
 * NULL without memory. */
static struct bpe_interface *collect_interfaces(const struct ifaddrs *list, int *count)
{
	size_t entries = 0;

	*count = 0;
	for (const struct ifaddrs *a = list; a; a = a->ifa_next)
		entries++;
	struct bpe_interface *all = calloc(entries + 2, sizeof *all);
	if (!all)
		return NULL;
	int s = bpei_fd_keep(socket(AF_INET, SOCK_DGRAM, 0));
	for (const struct ifaddrs *a = list; a; a = a->ifa_next)
		add_entry(find_or_add(all, count, a->ifa_name), a, s);
	describe_hardware(all, *count, s);
	if (s >= 0)
		close(s);
	qsort(all, (size_t)*count, sizeof *all, compare_indexes);
	return all;
}

/* Returns a copy of the array with elements of a caller's size; NULL without memory. */
static void *copy_interfaces(const struct bpe_interface *all, size_t count, size_t bytes)
{
	char *copy = calloc(count, bytes);

	for (size_t k = 0; copy && k < count; k++)
		bpei_sized_give(copy + k * bytes, bytes, &all[k], sizeof all[k]);
	return copy;
}

int bpe_interfaces_list_sized(
	struct bpe_interface **interfaces, size_t bytes, struct bpe_error *error)
{
	struct ifaddrs *list;
	bool synth = false;
	int count;

	if (!interfaces || !bytes)
		return bpei_fail(error, BPE_E_ARGUMENT, "list", 0, "nowhere to put the list");
	if (getifaddrs(&list))
		return bpei_fail(error, bpei_status_of(errno), "getifaddrs", errno,
			"cannot list the interfaces");
	struct bpe_interface *all = collect_interfaces(list, &count);
	freeifaddrs(list);
	if (!all)
		return bpei_fail(error, BPE_E_MEMORY, "list", 0, "no memory for the list");
	for (int k = 0; k < count; k++)
		synth |= qualify_name(&all[k]);
#if defined(__linux__)
	all[count] = (struct bpe_interface){ .name = "any",
		.description = "all interfaces, cooked",
		.flags = BPE_IF_UP,
		.link_type = LINK_SLL2 };
	count++;
#endif
	all[count] = (struct bpe_interface){ .description = "generated traffic",
		.flags = BPE_IF_UP | BPE_IF_RUNNING,
		.link_type = LINK_ETHERNET };
	snprintf(all[count].name, sizeof all[count].name, "%s", synth ? "synth:" : "synth");
	count++;
	struct bpe_interface *copy = copy_interfaces(all, (size_t)count, bytes);
	free(all);
	if (!copy)
		return bpei_fail(error, BPE_E_MEMORY, "list", 0, "no memory for the list");
	*interfaces = copy;
	return count;
}

void bpe_interfaces_free(struct bpe_interface *interfaces)
{
	free(interfaces);
}
