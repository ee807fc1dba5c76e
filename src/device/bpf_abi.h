/* SPDX-License-Identifier: MIT */
/* The binary interface of each system's BPF device as data: ioctl codes, argument sizes, layouts,
 * limits.  Every host can so test the interface of every system.  On the real system bpf_native.c
 * compares the data with <net/bpf.h>.  Sources: bpf(4) and <net/bpf.h>, <sys/ioccom.h> of
 * xnu-11417, FreeBSD 14, NetBSD 10, OpenBSD 7.7 (bpf.h 1.74). */
#ifndef BPEI_BPF_ABI_H
#define BPEI_BPF_ABI_H

#include "bpfengine.h"
#include "records/layout.h"

/* All requests, by the names of bpf(4).  X(name). */
/* clang-format off */
#define BPEI_BPF_CALLS(X) \
	X(BIOCGBLEN) X(BIOCSBLEN) X(BIOCSETF) X(BIOCSETFNR) X(BIOCFLUSH) \
	X(BIOCPROMISC) X(BIOCGDLT) X(BIOCSDLT) X(BIOCGDLTLIST) X(BIOCGETIF) \
	X(BIOCSETIF) X(BIOCSRTIMEOUT) X(BIOCGRTIMEOUT) X(BIOCGSTATS) \
	X(BIOCIMMEDIATE) X(BIOCVERSION) X(BIOCSSEESENT) X(BIOCGSEESENT) \
	X(BIOCGDIRECTION) X(BIOCSDIRECTION) X(BIOCSDIRFILT) X(BIOCGHDRCMPLT) \
	X(BIOCSHDRCMPLT) X(BIOCLOCK) X(BIOCSETWF) X(FIONREAD) X(FIONBIO) \
	X(BIOCSEXTHDR) X(BIOCSWANTPKTAP) X(BIOCGWANTPKTAP) X(BIOCSHEADDROP) \
	X(BIOCGHEADDROP) X(BIOCSTRUNCATE) X(BIOCSPKTHDRV2) X(BIOCSHDRCOMP) \
	X(BIOCGHDRCOMP) X(BIOCGHDRCOMPON) X(BIOCGHDRCOMPSTATS) X(BIOCSNOTSTAMP) \
	X(BIOCGNOTSTAMP) X(BIOCSTSTAMP) X(BIOCGTSTAMP) X(BIOCSETBUFMODE) \
	X(BIOCGETBUFMODE) X(BIOCGETZMAX) X(BIOCSETZBUF) X(BIOCROTZBUF) \
	X(BIOCSWTIMEOUT) X(BIOCGWTIMEOUT) X(BIOCDWTIMEOUT)
/* clang-format on */

enum bpei_bpf_call {
#define X(name) BPEI_##name,
	BPEI_BPF_CALLS(X)
#undef X
		BPEI_BPF_CALL_COUNT
};

enum bpei_bpf_system { BPEI_MACOS, BPEI_FREEBSD, BPEI_NETBSD, BPEI_OPENBSD, BPEI_SYSTEMS };

#define BPEI_IFREQ_MOST 144u
#define BPEI_IFREQ_NAME 16u

struct bpei_bpf_abi {
	enum bpei_bpf_system system;
	const char *name, *title; /* word of --bpf-abi; name for people */
	const char *device;       /* path, without the number where numbered */
	bool numbered;            /* macOS: nodes are scanned; elsewhere the node clones itself */
	uint32_t call[BPEI_BPF_CALL_COUNT]; /* 0: the system lacks the request */

	uint16_t ifreq_bytes, dltlist_bytes,
		dltlist_pointer; /* sizes; where struct bpf_dltlist's pointer lies */
	uint16_t stat_bytes,
		stat_width;         /* struct bpf_stat; bytes of a counter; recv at 0, then drop */
	uint16_t capt_offset;       /* NetBSD: bs_capt; 0: none */
	uint16_t microsecond_bytes; /* struct timeval's tv_usec at 8: 4 (and 4 of padding) or 8 */

	uint32_t default_buffer, most_buffer; /* as shipped; BIOCSBLEN cuts to the second */
	const char *buffer_sysctl;            /* which bounds the buffer */
	bool empty_is_zero;    /* a non-blocking read with nothing there gives 0, not EWOULDBLOCK */
	uint32_t direction[3]; /* BIOCSDIRECTION's or BIOCSDIRFILT's value for enum bpe_direction */

	const struct bpei_layout *layout;
	uint16_t errno_again, errno_nobufs, errno_netdown,
		errno_notsup;                   /* where the systems' numbers differ */
	uint32_t (*link_type_of)(uint32_t dlt); /* the kernel's DLT to LINKTYPE_ */
	uint32_t (*dlt_of)(uint32_t link_type); /* and back */
};

extern const struct bpei_bpf_abi bpei_bpf_abis[BPEI_SYSTEMS];

const struct bpei_bpf_abi *bpei_bpf_abi_find(const char *name); /* NULL: unknown name */
const struct bpei_bpf_abi *bpei_bpf_abi_native(
	void); /* this system's; macOS's where there is none */
const char *bpei_bpf_call_name(enum bpei_bpf_call call); /* "BIOCSETIF" */

/* Returns this host's errno for a number from a device of another system, which a served node may
 * pass on unchanged.  Numbers with the same meaning everywhere, or without meaning to a reader, are
 * returned as they are. */
int bpei_bpf_errno(const struct bpei_bpf_abi *abi, int number);

#endif
