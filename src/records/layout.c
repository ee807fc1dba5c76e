/* SPDX-License-Identifier: MIT */
/* The numbers of each system's records (layout.h).  Pure. */
#include "records/layout.h"

const struct bpei_layout bpei_layout_macos = {
	.name = "macOS bpf_hdr",
	BPEI_LAYOUT_STAMP32(18, true),
	.loop = BPEI_LOOP_STAMP32,
	.size = 20,
	.hdrlen_base = 18,
};
const struct bpei_layout bpei_layout_macos_comp = {
	.name = "macOS bpf_comp_hdr",
	BPEI_LAYOUT_STAMP32(20, true),
	.size = 20,
	.hdrlen_base = 20,
};
const struct bpei_layout bpei_layout_freebsd = {
	.name = "FreeBSD bpf_hdr",
	BPEI_LAYOUT_STAMP64(BPEI_STAMP_MICRO),
	.loop = BPEI_LOOP_STAMP64,
	.size = 32,
	.hdrlen_base = 26,
};
const struct bpei_layout bpei_layout_freebsd_nano = {
	.name = "FreeBSD bpf_xhdr, nanoseconds",
	BPEI_LAYOUT_STAMP64(BPEI_STAMP_NANO),
	.size = 32,
	.hdrlen_base = 26,
};
const struct bpei_layout bpei_layout_freebsd_bintime = {
	.name = "FreeBSD bpf_xhdr, bintime",
	BPEI_LAYOUT_STAMP64(BPEI_STAMP_BINTIME),
	.size = 32,
	.hdrlen_base = 26,
};
const struct bpei_layout bpei_layout_netbsd = {
	.name = "NetBSD bpf_hdr",
	BPEI_LAYOUT_STAMP64(BPEI_STAMP_MICRO),
	.loop = BPEI_LOOP_STAMP64,
	.size = 32,
	.hdrlen_base = 32,
};
const struct bpei_layout bpei_layout_openbsd = {
	.name = "OpenBSD bpf_hdr",
	BPEI_LAYOUT_STAMP32(18, false),
	.flags = 22,
	.size = 28,
	.hdrlen_base = 28,
};
const struct bpei_layout bpei_layout_openbsd_old = {
	.name = "OpenBSD bpf_hdr before 7",
	BPEI_LAYOUT_STAMP32(18, false),
	.size = 20,
	.hdrlen_base = 20,
};
