/* SPDX-License-Identifier: MIT */
/* The interface of an AF_PACKET socket: hardware, state, drop counters, promiscuous mode, and the
 * return after a removal.  The capture socket answers all questions, since the program may have
 * given up privileges, files and sockets. */
#include "device/afpacket.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "names/numbers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

void bpei_afpacket_present(struct bpei_tpacket *how, unsigned hardware)
{
	how->cooked = false;
	switch (hardware) {
	case ARPHRD_ETHER:
		how->link_type = LINK_ETHERNET;
		break;
	case ARPHRD_LOOPBACK:
		how->link_type = LINK_ETHERNET;
		how->skip_outgoing = true;
		break;
	case ARPHRD_IEEE80211:
		how->link_type = LINK_WLAN;
		break;
	case ARPHRD_IEEE80211_RADIOTAP:
		how->link_type = LINK_RADIOTAP;
		break;
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		how->link_type = LINK_RAW;
		break;
	default:
		how->link_type = LINK_SLL2;
		how->cooked = true;
	}
}

int bpei_afpacket_bind(struct bpei_afpacket *a, struct bpe_error *error)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = a->index
	};

	if (bind(a->device.fd, (struct sockaddr *)&to, sizeof to))
		return bpei_fail(error, bpei_status_of(errno), "bind", errno, "%s", a->name);
	return BPE_OK;
}

void bpei_afpacket_promiscuous(struct bpei_afpacket *a)
{
	struct packet_mreq m = { .mr_ifindex = a->index, .mr_type = PACKET_MR_PROMISC };

	if (!a->options.promiscuous)
		return;
	if (!a->index)
		bpei_notice(&a->options,
			"\"any\" cannot be promiscuous: capturing what this host sees");
	else if (setsockopt(a->device.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m))
		bpei_notice(&a->options, "interface %s is not promiscuous: %s", a->name,
			strerror(errno));
}

void bpei_afpacket_open_counters(struct bpei_afpacket *a)
{
	static const char *const names[] = { "rx_dropped", "rx_missed_errors" };
	char path[128];

	for (int i = 0; i < 2 && a->index; i++) {
		snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", a->name, names[i]);
		a->counters[i] = bpei_fd_open(path, O_RDONLY);
	}
}

/* Returns false if the interface was removed.  Asks by the capture socket: if_indextoname would
 * open another socket. */
static bool interface_exists(struct bpei_afpacket *a)
{
	struct ifreq r = { .ifr_ifindex = a->index };

	return !a->index || !ioctl(a->device.fd, SIOCGIFNAME, &r) || errno != ENODEV;
}

/* Notes that the interface was removed. */
static void leave_interface(struct bpei_afpacket *a)
{
	if (!a->options.wait_interface) {
		a->gone = true;
		return;
	}
	a->away = true;
	a->down = false;
	bpei_counter_set(&a->device.interface_down, 1);
	bpei_notice(&a->options, "interface %s went away: waiting for its return", a->name);
}

void bpei_afpacket_check_interface(struct bpei_afpacket *a)
{
	struct ifreq r = { .ifr_flags = 0 };

	if (!a->index || a->gone || a->away)
		return;
	if (!interface_exists(a)) {
		leave_interface(a);
		return;
	}
	memcpy(r.ifr_name, a->name, sizeof a->name);
	if (ioctl(a->device.fd, SIOCGIFFLAGS, &r))
		return;
	bool down = !(r.ifr_flags & IFF_UP);
	if (down != a->down)
		bpei_notice(&a->options, "interface %s is %s", a->name,
			down ? "down: waiting for it" : "up");
	a->down = down;
	bpei_counter_set(&a->device.interface_down, down);
}

uint64_t bpei_afpacket_interface_drops(const struct bpei_afpacket *a)
{
	uint64_t sum = 0;

	for (int i = 0; i < 2; i++) {
		char text[32] = "";

		if (a->counters[i] >= 0 && pread(a->counters[i], text, sizeof text - 1, 0) > 0)
			sum += strtoull(text, NULL, 10);
	}
	return sum;
}

void bpei_afpacket_close_counters(struct bpei_afpacket *a)
{
	for (int i = 0; i < 2; i++) {
		if (a->counters[i] >= 0)
			close(a->counters[i]);
		a->counters[i] = -1;
	}
}

/* ---- The return of an interface ---- */

/* Opens the counters of an interface after the return.  The counts of the old interface stay.  A
 * confined process may be unable to open the counters: the drops are unknown then. */
static void open_counters_again(struct bpei_afpacket *a)
{
	const uint64_t known = bpei_counter_get(&a->device.kernel_known);
	const bool was_known = known & BPE_KNOWN_INTERFACE_DROPPED;

	bpei_afpacket_close_counters(a);
	bpei_afpacket_open_counters(a);
	a->interface_base = bpei_afpacket_interface_drops(a);
	a->earlier_drops = bpei_counter_get(&a->device.interface_dropped);
	if (!was_known || a->counters[0] >= 0 || a->counters[1] >= 0)
		return;
	bpei_counter_set(&a->device.kernel_known, known & ~(uint64_t)BPE_KNOWN_INTERFACE_DROPPED);
	bpei_notice(&a->options,
		"the drops of interface %s are unknown from now on: its counters cannot be opened",
		a->name);
}

int bpei_afpacket_return(struct bpei_afpacket *a, struct bpe_error *error)
{
	struct bpei_tpacket how = a->how;
	struct ifreq r = { .ifr_flags = 0 };

	memcpy(r.ifr_name, a->name, sizeof a->name);
	if (ioctl(a->device.fd, SIOCGIFINDEX, &r))
		return BPE_OK;
	const int index = r.ifr_ifindex;

	if (ioctl(a->device.fd, SIOCGIFHWADDR, &r))
		return BPE_OK;
	how.skip_outgoing = false;
	bpei_afpacket_present(&how, r.ifr_hwaddr.sa_family);
	if (how.link_type != a->how.link_type || how.cooked != a->how.cooked ||
		how.skip_outgoing != a->how.skip_outgoing)
		return bpei_fail(error, BPE_E_GONE, "read", 0,
			"interface %s came back with another link type; what came before was delivered",
			a->name);
	a->index = index;
	const int status = bpei_afpacket_bind(a, error);

	if (status == BPE_E_ABSENT || status == BPE_E_GONE)
		return BPE_OK; /* gone again */
	if (status < 0)
		return status;
	a->away = false;
	bpei_notice(&a->options, "interface %s is back", a->name);
	bpei_afpacket_promiscuous(a);
	open_counters_again(a);
	bpei_counter_set(&a->device.interface_down, 0);
	bpei_afpacket_check_interface(a);
	return BPE_OK;
}
