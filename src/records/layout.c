/* SPDX-License-Identifier: MIT */
/* The layouts' numbers.  Pure. */
#include "records/layout.h"

const struct bpei_layout bpei_layout_macos = { "macOS bpf_hdr", .align = 4, .min_header = 18,
	.timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 4, .stamp_signed = true, .caplen = 8,
	.datalen = 12, .hdrlen = 16, .size = 20, .hdrlen_base = 18 };
const struct bpei_layout bpei_layout_macos_comp = { "macOS bpf_comp_hdr", .align = 4,
	.min_header = 20, .timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 4,
	.stamp_signed = true, .caplen = 8, .datalen = 12, .hdrlen = 16, .size = 20,
	.hdrlen_base = 20 };
const struct bpei_layout bpei_layout_freebsd = { "FreeBSD bpf_hdr", .align = 8, .min_header = 26,
	.timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 8, .stamp_signed = true, .caplen = 16,
	.datalen = 20, .hdrlen = 24, .size = 32, .hdrlen_base = 26 };
const struct bpei_layout bpei_layout_freebsd_nano = { "FreeBSD bpf_xhdr, nanoseconds", .align = 8,
	.min_header = 26, .timestamp_format = BPEI_STAMP_NANO, .stamp_bytes = 8,
	.stamp_signed = true, .caplen = 16, .datalen = 20, .hdrlen = 24, .size = 32,
	.hdrlen_base = 26 };
const struct bpei_layout bpei_layout_freebsd_bintime = { "FreeBSD bpf_xhdr, bintime", .align = 8,
	.min_header = 26, .timestamp_format = BPEI_STAMP_BINTIME, .stamp_bytes = 8,
	.stamp_signed = true, .caplen = 16, .datalen = 20, .hdrlen = 24, .size = 32,
	.hdrlen_base = 26 };
const struct bpei_layout bpei_layout_netbsd = { "NetBSD bpf_hdr", .align = 8, .min_header = 26,
	.timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 8, .stamp_signed = true, .caplen = 16,
	.datalen = 20, .hdrlen = 24, .size = 32, .hdrlen_base = 32 };
const struct bpei_layout bpei_layout_openbsd = { "OpenBSD bpf_hdr", .align = 4, .min_header = 18,
	.timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 4, .stamp_signed = false, .caplen = 8,
	.datalen = 12, .hdrlen = 16, .flags = 22, .size = 28, .hdrlen_base = 28 };
const struct bpei_layout bpei_layout_openbsd_old = { "OpenBSD bpf_hdr before 7", .align = 4,
	.min_header = 18, .timestamp_format = BPEI_STAMP_MICRO, .stamp_bytes = 4,
	.stamp_signed = false, .caplen = 8, .datalen = 12, .hdrlen = 16, .size = 20,
	.hdrlen_base = 20 };
