/* SPDX-License-Identifier: MIT */
/* The four systems' numbers.  One number means different things on different systems (0x8010427e
 * would be a time-out here, a filter there), so no table borrows from another.  Pure. */
#include "device/bpf_abi.h"
#include "names/numbers.h"

#include <errno.h>
#include <string.h>

/* ---- Link types ---- */

enum {
	DLT_RAW_OPENBSD = 14,
	DLT_RAW_REST = 12,
	DLT_LOOP_OPENBSD = 12,
	DLT_ENC_OPENBSD = 13,
	DLT_PFSYNC_OPENBSD = 18,
	DLT_PFSYNC_FREEBSD = 121,
	DLT_PKTAP_MACOS = 149
};

struct dlt_pair {
	uint32_t dlt, link_type;
};

/* The DLT values which differ from LINKTYPE_, by system; { 0, 0 } ends a list. */
static const struct dlt_pair macos_dlts[] = { { DLT_RAW_REST, LINK_RAW },
	{ DLT_PKTAP_MACOS, LINK_PKTAP }, { 0, 0 } };
static const struct dlt_pair freebsd_dlts[] = { { DLT_RAW_REST, LINK_RAW },
	{ DLT_PFSYNC_FREEBSD, LINK_PFSYNC }, { 0, 0 } };
static const struct dlt_pair netbsd_dlts[] = { { DLT_RAW_REST, LINK_RAW }, { 0, 0 } };
static const struct dlt_pair openbsd_dlts[] = { { DLT_RAW_OPENBSD, LINK_RAW },
	{ DLT_LOOP_OPENBSD, LINK_LOOP }, { DLT_ENC_OPENBSD, LINK_ENC },
	{ DLT_PFSYNC_OPENBSD, LINK_PFSYNC }, { 0, 0 } };

static uint32_t link_of_dlt(const struct dlt_pair *pairs, uint32_t dlt)
{
	for (; pairs->dlt; pairs++)
		if (pairs->dlt == dlt)
			return pairs->link_type;
	return dlt;
}

static uint32_t dlt_of_link(const struct dlt_pair *pairs, uint32_t link_type)
{
	for (; pairs->dlt; pairs++)
		if (pairs->link_type == link_type)
			return pairs->dlt;
	return link_type;
}

static uint32_t link_macos(uint32_t dlt)
{
	return link_of_dlt(macos_dlts, dlt);
}

static uint32_t dlt_macos(uint32_t link_type)
{
	return dlt_of_link(macos_dlts, link_type);
}

static uint32_t link_freebsd(uint32_t dlt)
{
	return link_of_dlt(freebsd_dlts, dlt);
}

static uint32_t dlt_freebsd(uint32_t link_type)
{
	return dlt_of_link(freebsd_dlts, link_type);
}

static uint32_t link_netbsd(uint32_t dlt)
{
	return link_of_dlt(netbsd_dlts, dlt);
}

static uint32_t dlt_netbsd(uint32_t link_type)
{
	return dlt_of_link(netbsd_dlts, link_type);
}

static uint32_t link_openbsd(uint32_t dlt)
{
	return link_of_dlt(openbsd_dlts, dlt);
}

static uint32_t dlt_openbsd(uint32_t link_type)
{
	return dlt_of_link(openbsd_dlts, link_type);
}

/* ---- The systems ---- */

const struct bpei_bpf_abi bpei_bpf_abis[BPEI_SYSTEMS] = {
	[BPEI_MACOS] = { .system = BPEI_MACOS,
		.name = "macos",
		.title = "macOS",
		.device = "/dev/bpf",
		.numbered = true,
		.call = { [BPEI_BIOCGBLEN] = 0x40044266u,
			[BPEI_BIOCSBLEN] = 0xc0044266u,
			[BPEI_BIOCSETF] = 0x80104267u,
			[BPEI_BIOCSETFNR] = 0x8010427eu,
			[BPEI_BIOCFLUSH] = 0x20004268u,
			[BPEI_BIOCPROMISC] = 0x20004269u,
			[BPEI_BIOCGDLT] = 0x4004426au,
			[BPEI_BIOCSDLT] = 0x80044278u,
			[BPEI_BIOCGDLTLIST] = 0xc00c4279u,
			[BPEI_BIOCGETIF] = 0x4020426bu,
			[BPEI_BIOCSETIF] = 0x8020426cu,
			[BPEI_BIOCSRTIMEOUT] = 0x8010426du,
			[BPEI_BIOCGRTIMEOUT] = 0x4010426eu,
			[BPEI_BIOCGSTATS] = 0x4008426fu,
			[BPEI_BIOCIMMEDIATE] = 0x80044270u,
			[BPEI_BIOCVERSION] = 0x40044271u,
			[BPEI_BIOCSSEESENT] = 0x80044277u,
			[BPEI_BIOCGSEESENT] = 0x40044276u,
			[BPEI_BIOCGDIRECTION] = 0x4004428au,
			[BPEI_BIOCSDIRECTION] = 0x8004428bu,
			[BPEI_BIOCSDIRFILT] = 0,
			[BPEI_BIOCGHDRCMPLT] = 0x40044274u,
			[BPEI_BIOCSHDRCMPLT] = 0x80044275u,
			[BPEI_BIOCLOCK] = 0,
			[BPEI_BIOCSETWF] = 0,
			[BPEI_FIONREAD] = 0x4004667fu,
			[BPEI_FIONBIO] = 0x8004667eu,
			[BPEI_BIOCSEXTHDR] = 0x8004427cu,
			[BPEI_BIOCSWANTPKTAP] = 0xc004427fu,
			[BPEI_BIOCGWANTPKTAP] = 0x4004427fu,
			[BPEI_BIOCSHEADDROP] = 0x80044280u,
			[BPEI_BIOCGHEADDROP] = 0x40044280u,
			[BPEI_BIOCSTRUNCATE] = 0x80044281u,
			[BPEI_BIOCSPKTHDRV2] = 0x80044284u,
			[BPEI_BIOCSHDRCOMP] = 0x80044287u,
			[BPEI_BIOCGHDRCOMP] = 0x40044286u,
			[BPEI_BIOCGHDRCOMPON] = 0x40044289u,
			[BPEI_BIOCGHDRCOMPSTATS] = 0x40384288u,
			[BPEI_BIOCSNOTSTAMP] = 0x80044291u,
			[BPEI_BIOCGNOTSTAMP] = 0x40044290u },
		.ifreq_bytes = 32,
		.dltlist_bytes = 12,
		.dltlist_pointer = 4,
		.stat_bytes = 8,
		.stat_width = 4,
		.microsecond_bytes = 4,
		.default_buffer = 4096,
		.most_buffer = 32u << 20,
		.buffer_sysctl = "debug.bpf_bufsize_cap",
		.direction = { 3, 1, 2 },
		.layout = &bpei_layout_macos,
		.errno_again = 35,
		.errno_nobufs = 55,
		.errno_netdown = 50,
		.errno_notsup = 102,
		.link_type_of = link_macos,
		.dlt_of = dlt_macos },
	[BPEI_FREEBSD] = { .system = BPEI_FREEBSD,
		.name = "freebsd",
		.title = "FreeBSD",
		.device = "/dev/bpf",
		.call = { [BPEI_BIOCGBLEN] = 0x40044266u,
			[BPEI_BIOCSBLEN] = 0xc0044266u,
			[BPEI_BIOCSETF] = 0x80104267u,
			[BPEI_BIOCSETFNR] = 0x80104282u,
			[BPEI_BIOCFLUSH] = 0x20004268u,
			[BPEI_BIOCPROMISC] = 0x20004269u,
			[BPEI_BIOCGDLT] = 0x4004426au,
			[BPEI_BIOCSDLT] = 0x80044278u,
			[BPEI_BIOCGDLTLIST] = 0xc0104279u,
			[BPEI_BIOCGETIF] = 0x4020426bu,
			[BPEI_BIOCSETIF] = 0x8020426cu,
			[BPEI_BIOCSRTIMEOUT] = 0x8010426du,
			[BPEI_BIOCGRTIMEOUT] = 0x4010426eu,
			[BPEI_BIOCGSTATS] = 0x4008426fu,
			[BPEI_BIOCIMMEDIATE] = 0x80044270u,
			[BPEI_BIOCVERSION] = 0x40044271u,
			[BPEI_BIOCSSEESENT] = 0,
			[BPEI_BIOCGSEESENT] = 0,
			[BPEI_BIOCGDIRECTION] = 0x40044276u,
			[BPEI_BIOCSDIRECTION] = 0x80044277u,
			[BPEI_BIOCSDIRFILT] = 0,
			[BPEI_BIOCGHDRCMPLT] = 0x40044274u,
			[BPEI_BIOCSHDRCMPLT] = 0x80044275u,
			[BPEI_BIOCLOCK] = 0x2000427au,
			[BPEI_BIOCSETWF] = 0x8010427bu,
			[BPEI_FIONREAD] = 0x4004667fu,
			[BPEI_FIONBIO] = 0x8004667eu,
			[BPEI_BIOCSEXTHDR] = 0,
			[BPEI_BIOCSWANTPKTAP] = 0,
			[BPEI_BIOCGWANTPKTAP] = 0,
			[BPEI_BIOCSHEADDROP] = 0,
			[BPEI_BIOCGHEADDROP] = 0,
			[BPEI_BIOCSTRUNCATE] = 0,
			[BPEI_BIOCSPKTHDRV2] = 0,
			[BPEI_BIOCSHDRCOMP] = 0,
			[BPEI_BIOCGHDRCOMP] = 0,
			[BPEI_BIOCGHDRCOMPON] = 0,
			[BPEI_BIOCGHDRCOMPSTATS] = 0,
			[BPEI_BIOCSNOTSTAMP] = 0,
			[BPEI_BIOCGNOTSTAMP] = 0,
			[BPEI_BIOCSTSTAMP] = 0x80044284u,
			[BPEI_BIOCGTSTAMP] = 0x40044283u,
			[BPEI_BIOCSETBUFMODE] = 0x8004427eu,
			[BPEI_BIOCGETBUFMODE] = 0x4004427du,
			[BPEI_BIOCGETZMAX] = 0x4008427fu,
			[BPEI_BIOCSETZBUF] = 0x80184281u,
			[BPEI_BIOCROTZBUF] = 0x40184280u },
		.ifreq_bytes = 32,
		.dltlist_bytes = 16,
		.dltlist_pointer = 8,
		.stat_bytes = 8,
		.stat_width = 4,
		.microsecond_bytes = 8,
		.default_buffer = 4096,
		.most_buffer = 512u << 10,
		.buffer_sysctl = "net.bpf.maxbufsize",
		.direction = { 1, 0, 2 },
		.layout = &bpei_layout_freebsd,
		.errno_again = 35,
		.errno_nobufs = 55,
		.errno_netdown = 50,
		.errno_notsup = 45,
		.link_type_of = link_freebsd,
		.dlt_of = dlt_freebsd },
	[BPEI_NETBSD] = { .system = BPEI_NETBSD,
		.name = "netbsd",
		.title = "NetBSD",
		.device = "/dev/bpf",
		.call = { [BPEI_BIOCGBLEN] = 0x40044266u,
			[BPEI_BIOCSBLEN] = 0xc0044266u,
			[BPEI_BIOCSETF] = 0x80104267u,
			[BPEI_BIOCSETFNR] = 0,
			[BPEI_BIOCFLUSH] = 0x20004268u,
			[BPEI_BIOCPROMISC] = 0x20004269u,
			[BPEI_BIOCGDLT] = 0x4004426au,
			[BPEI_BIOCSDLT] = 0x80044276u,
			[BPEI_BIOCGDLTLIST] = 0xc0104277u,
			[BPEI_BIOCGETIF] = 0x4090426bu,
			[BPEI_BIOCSETIF] = 0x8090426cu,
			[BPEI_BIOCSRTIMEOUT] = 0x8010427au,
			[BPEI_BIOCGRTIMEOUT] = 0x4010427bu,
			[BPEI_BIOCGSTATS] = 0x4080426fu,
			[BPEI_BIOCIMMEDIATE] = 0x80044270u,
			[BPEI_BIOCVERSION] = 0x40044271u,
			[BPEI_BIOCSSEESENT] = 0,
			[BPEI_BIOCGSEESENT] = 0,
			[BPEI_BIOCGDIRECTION] = 0x40044278u,
			[BPEI_BIOCSDIRECTION] = 0x80044279u,
			[BPEI_BIOCSDIRFILT] = 0,
			[BPEI_BIOCGHDRCMPLT] = 0x40044274u,
			[BPEI_BIOCSHDRCMPLT] = 0x80044275u,
			[BPEI_BIOCLOCK] = 0x2000427eu,
			[BPEI_BIOCSETWF] = 0x8010427fu,
			[BPEI_FIONREAD] = 0x4004667fu,
			[BPEI_FIONBIO] = 0x8004667eu },
		.ifreq_bytes = 144,
		.dltlist_bytes = 16,
		.dltlist_pointer = 8,
		.stat_bytes = 128,
		.stat_width = 8,
		.capt_offset = 16,
		.microsecond_bytes = 4,
		.default_buffer = 32768,
		.most_buffer = 1u << 20,
		.buffer_sysctl = "net.bpf.maxbufsize",
		.direction = { 1, 0, 2 },
		.layout = &bpei_layout_netbsd,
		.errno_again = 35,
		.errno_nobufs = 55,
		.errno_netdown = 50,
		.errno_notsup = 45,
		.link_type_of = link_netbsd,
		.dlt_of = dlt_netbsd },
	[BPEI_OPENBSD] = { .system = BPEI_OPENBSD,
		.name = "openbsd",
		.title = "OpenBSD",
		.device = "/dev/bpf",
		.call = { [BPEI_BIOCGBLEN] = 0x40044266u,
			[BPEI_BIOCSBLEN] = 0xc0044266u,
			[BPEI_BIOCSETF] = 0x80104267u,
			[BPEI_BIOCSETFNR] = 0x8010427fu,
			[BPEI_BIOCFLUSH] = 0x20004268u,
			[BPEI_BIOCPROMISC] = 0x20004269u,
			[BPEI_BIOCGDLT] = 0x4004426au,
			[BPEI_BIOCSDLT] = 0x8004427au,
			[BPEI_BIOCGDLTLIST] = 0xc010427bu,
			[BPEI_BIOCGETIF] = 0x4020426bu,
			[BPEI_BIOCSETIF] = 0x8020426cu,
			[BPEI_BIOCSRTIMEOUT] = 0x8010426du,
			[BPEI_BIOCGRTIMEOUT] = 0x4010426eu,
			[BPEI_BIOCGSTATS] = 0x4008426fu,
			[BPEI_BIOCIMMEDIATE] = 0x80044270u,
			[BPEI_BIOCVERSION] = 0x40044271u,
			[BPEI_BIOCSSEESENT] = 0,
			[BPEI_BIOCGSEESENT] = 0,
			[BPEI_BIOCGDIRECTION] = 0,
			[BPEI_BIOCSDIRECTION] = 0,
			[BPEI_BIOCSDIRFILT] = 0x8004427du,
			[BPEI_BIOCGHDRCMPLT] = 0x40044274u,
			[BPEI_BIOCSHDRCMPLT] = 0x80044275u,
			[BPEI_BIOCLOCK] = 0x20004276u,
			[BPEI_BIOCSETWF] = 0x80104277u,
			[BPEI_FIONREAD] = 0x4004667fu,
			[BPEI_FIONBIO] = 0x8004667eu,
			[BPEI_BIOCSEXTHDR] = 0,
			[BPEI_BIOCSWANTPKTAP] = 0,
			[BPEI_BIOCGWANTPKTAP] = 0,
			[BPEI_BIOCSHEADDROP] = 0,
			[BPEI_BIOCGHEADDROP] = 0,
			[BPEI_BIOCSTRUNCATE] = 0,
			[BPEI_BIOCSPKTHDRV2] = 0,
			[BPEI_BIOCSHDRCOMP] = 0,
			[BPEI_BIOCGHDRCOMP] = 0,
			[BPEI_BIOCGHDRCOMPON] = 0,
			[BPEI_BIOCGHDRCOMPSTATS] = 0,
			[BPEI_BIOCSNOTSTAMP] = 0,
			[BPEI_BIOCGNOTSTAMP] = 0,
			[BPEI_BIOCSTSTAMP] = 0,
			[BPEI_BIOCGTSTAMP] = 0,
			[BPEI_BIOCSETBUFMODE] = 0,
			[BPEI_BIOCGETBUFMODE] = 0,
			[BPEI_BIOCGETZMAX] = 0,
			[BPEI_BIOCSETZBUF] = 0,
			[BPEI_BIOCROTZBUF] = 0,
			[BPEI_BIOCSWTIMEOUT] = 0x8010427eu,
			[BPEI_BIOCGWTIMEOUT] = 0x4010427eu,
			[BPEI_BIOCDWTIMEOUT] = 0x2000427eu },
		.ifreq_bytes = 32,
		.dltlist_bytes = 16,
		.dltlist_pointer = 8,
		.stat_bytes = 8,
		.stat_width = 4,
		.microsecond_bytes = 8,
		.default_buffer = 32768,
		.most_buffer = 2u << 20,
		.buffer_sysctl = "net.bpf.maxbufsize",
		.empty_is_zero = true,
		.direction = { 0, 2, 1 }, /* a set bit removes a direction */
		.layout = &bpei_layout_openbsd,
		.errno_again = 35,
		.errno_nobufs = 55,
		.errno_netdown = 50,
		.errno_notsup = 45,
		.link_type_of = link_openbsd,
		.dlt_of = dlt_openbsd },
};

const struct bpei_bpf_abi *bpei_bpf_abi_find(const char *name)
{
	for (int i = 0; i < BPEI_SYSTEMS; i++)
		if (!strcmp(bpei_bpf_abis[i].name, name))
			return &bpei_bpf_abis[i];
	return NULL;
}

const struct bpei_bpf_abi *bpei_bpf_abi_native(void)
{
#if defined(__FreeBSD__)
	return &bpei_bpf_abis[BPEI_FREEBSD];
#elif defined(__NetBSD__)
	return &bpei_bpf_abis[BPEI_NETBSD];
#elif defined(__OpenBSD__)
	return &bpei_bpf_abis[BPEI_OPENBSD];
#else
	return &bpei_bpf_abis[BPEI_MACOS];
#endif
}

const char *bpei_bpf_call_name(enum bpei_bpf_call call)
{
	static const char *const names[] = {
#define X(name) #name,
		BPEI_BPF_CALLS(X)
#undef X
	};
	return names[call];
}

int bpei_bpf_errno(const struct bpei_bpf_abi *abi, int number)
{
	if (number == abi->errno_again)
		return EAGAIN;
	if (number == abi->errno_nobufs)
		return ENOBUFS;
	if (number == abi->errno_netdown)
		return ENETDOWN;
	if (number == abi->errno_notsup)
		return EOPNOTSUPP;
	return number;
}
