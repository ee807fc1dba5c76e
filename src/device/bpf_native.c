/* SPDX-License-Identifier: MIT */
/* Compile-time checks of the tables of bpf_abi.c and layout.c against <net/bpf.h> of the real
 * system. Nothing runs.  Elsewhere, and with toolchains without the header, this file is empty. */
#include "device/bpf_abi.h"

#if (defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)) && \
	__has_include(<net/bpf.h>)
#include <sys/types.h>
#include <sys/time.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>
#include <net/bpf.h>

#include <stddef.h>

#define SAME(request, code) _Static_assert((uint32_t)(request) == (code), #request)
#define LAYOUT(type, prefix, stamp, cap, data, hdr)                                                \
	_Static_assert(offsetof(struct type, prefix##tstamp) == 0 &&                               \
			       sizeof(((struct type *)0)->prefix##tstamp) == 2 * (stamp) &&        \
			       offsetof(struct type, prefix##caplen) == (cap) &&                   \
			       offsetof(struct type, prefix##datalen) == (data) &&                 \
			       offsetof(struct type, prefix##hdrlen) == (hdr),                     \
		#type)
#define MICROSECONDS(bytes)                                                                        \
	_Static_assert(offsetof(struct timeval, tv_usec) == 8 &&                                   \
			       sizeof(((struct timeval *)0)->tv_usec) == (bytes),                  \
		"struct timeval")

SAME(BIOCGBLEN, 0x40044266u);
SAME(BIOCSBLEN, 0xc0044266u);
SAME(BIOCSETF, 0x80104267u);
SAME(BIOCFLUSH, 0x20004268u);
SAME(BIOCPROMISC, 0x20004269u);
SAME(BIOCGDLT, 0x4004426au);
SAME(BIOCIMMEDIATE, 0x80044270u);
SAME(BIOCVERSION, 0x40044271u);
_Static_assert(sizeof(struct bpf_insn) == sizeof(struct bpe_insn) &&
		       offsetof(struct bpf_insn, k) == offsetof(struct bpe_insn, k),
	"struct bpf_insn");
_Static_assert(sizeof(struct bpf_program) == 16 && offsetof(struct bpf_program, bf_insns) == 8,
	"struct bpf_program");
_Static_assert(BPF_MAXINSNS == BPE_MAX_INSNS, "BPF_MAXINSNS");

#if defined(__APPLE__)
SAME(BIOCSETIF, 0x8020426cu);
SAME(BIOCSRTIMEOUT, 0x8010426du);
SAME(BIOCGSTATS, 0x4008426fu);
SAME(BIOCSSEESENT, 0x80044277u);
SAME(BIOCSDLT, 0x80044278u);
SAME(BIOCGDLTLIST, 0xc00c4279u);
SAME(BIOCSETFNR, 0x8010427eu);
LAYOUT(bpf_hdr, bh_, 4, 8, 12, 16);
_Static_assert(BPF_ALIGNMENT == 4 && sizeof(struct ifreq) == 32, "macOS");
MICROSECONDS(4);
#elif defined(__FreeBSD__)
SAME(BIOCSETIF, 0x8020426cu);
SAME(BIOCSRTIMEOUT, 0x8010426du);
SAME(BIOCGSTATS, 0x4008426fu);
SAME(BIOCSDIRECTION, 0x80044277u);
SAME(BIOCSDLT, 0x80044278u);
SAME(BIOCGDLTLIST, 0xc0104279u);
SAME(BIOCSETFNR, 0x80104282u);
SAME(BIOCSTSTAMP, 0x80044284u);
SAME(BIOCSETBUFMODE, 0x8004427eu);
SAME(BIOCGETZMAX, 0x4008427fu);
SAME(BIOCROTZBUF, 0x40184280u);
SAME(BIOCSETZBUF, 0x80184281u);
LAYOUT(bpf_hdr, bh_, 8, 16, 20, 24);
LAYOUT(bpf_xhdr, bh_, 8, 16, 20, 24);
_Static_assert(
	BPF_ALIGNMENT == 8 && sizeof(struct ifreq) == 32 && sizeof(struct bpf_zbuf_header) == 32,
	"FreeBSD");
MICROSECONDS(8);
#elif defined(__NetBSD__)
SAME(BIOCSETIF, 0x8090426cu);
SAME(BIOCSRTIMEOUT, 0x8010427au);
SAME(BIOCGSTATS, 0x4080426fu);
SAME(BIOCSDLT, 0x80044276u);
SAME(BIOCGDLTLIST, 0xc0104277u);
LAYOUT(bpf_hdr, bh_, 8, 16, 20, 24);
_Static_assert(BPF_ALIGNMENT == 8 && sizeof(struct ifreq) == 144 && sizeof(struct bpf_stat) == 128,
	"NetBSD");
MICROSECONDS(4);
#elif defined(__OpenBSD__)
SAME(BIOCSETIF, 0x8020426cu);
SAME(BIOCSRTIMEOUT, 0x8010426du);
SAME(BIOCGSTATS, 0x4008426fu);
SAME(BIOCSDIRFILT, 0x8004427du);
SAME(BIOCSDLT, 0x8004427au);
SAME(BIOCGDLTLIST, 0xc010427bu);
SAME(BIOCSETFNR, 0x8010427fu);
LAYOUT(bpf_hdr, bh_, 4, 8, 12, 16);
_Static_assert(BPF_ALIGNMENT == 4 && sizeof(struct ifreq) == 32, "OpenBSD");
MICROSECONDS(8);
#endif
#else
_Static_assert(sizeof(struct bpe_insn) == 8, "an instruction of classic BPF");
#endif
