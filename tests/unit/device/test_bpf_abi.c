/* SPDX-License-Identifier: MIT */
/* The four systems' request numbers against a second source: direction, group, number and size from
 * each system's <net/bpf.h>.  The rule of <sys/ioccom.h> composes the number. */
#include "device/bpf_abi.h"
#include "records/macos_meta.h"

#include <criterion/criterion.h>
#include <errno.h>

enum { V = 0x2, R = 0x4, W = 0x8, WR = 0xc };

struct declared {
	enum bpei_bpf_call call;
	unsigned direction, number, size;
};

static uint32_t ioctl_code(const struct declared *d, char group)
{
	return d->direction << 28 | (d->size & 0x1fff) << 16 | (uint32_t)group << 8 | d->number;
}

static void check_abi(
	enum bpei_bpf_system system, const struct declared *list, size_t n, size_t present)
{
	const struct bpei_bpf_abi *abi = &bpei_bpf_abis[system];
	size_t there = 0;
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(abi->call[list[i].call], ioctl_code(&list[i], 'B'), "%s %s: %#x",
			abi->title, bpei_bpf_call_name(list[i].call), abi->call[list[i].call]);
	cr_expect_eq(abi->call[BPEI_FIONREAD], 0x4004667fu);
	cr_expect_eq(abi->call[BPEI_FIONBIO], 0x8004667eu);
	for (int c = 0; c < BPEI_BPF_CALL_COUNT; c++)
		there += abi->call[c] != 0;
	cr_expect_eq(there, present + 2, "%s has %zu requests that this test does not know",
		abi->title, there - present - 2);
}

#define COMMON                                                                                     \
	{ BPEI_BIOCGBLEN, R, 102, 4 }, { BPEI_BIOCSBLEN, WR, 102, 4 },                             \
		{ BPEI_BIOCSETF, W, 103, 16 }, { BPEI_BIOCFLUSH, V, 104, 0 },                      \
		{ BPEI_BIOCPROMISC, V, 105, 0 }, { BPEI_BIOCGDLT, R, 106, 4 },                     \
		{ BPEI_BIOCIMMEDIATE, W, 112, 4 }, { BPEI_BIOCVERSION, R, 113, 4 },                \
		{ BPEI_BIOCGHDRCMPLT, R, 116, 4 }, { BPEI_BIOCSHDRCMPLT, W, 117, 4 }
#define SIZE(a) (sizeof(a) / sizeof *(a))

Test(bpf_abi, macos)
{
	static const struct declared list[] = { COMMON, { BPEI_BIOCGETIF, R, 107, 32 },
		{ BPEI_BIOCSETIF, W, 108, 32 }, { BPEI_BIOCSRTIMEOUT, W, 109, 16 },
		{ BPEI_BIOCGRTIMEOUT, R, 110, 16 }, { BPEI_BIOCGSTATS, R, 111, 8 },
		{ BPEI_BIOCGSEESENT, R, 118, 4 }, { BPEI_BIOCSSEESENT, W, 119, 4 },
		{ BPEI_BIOCSDLT, W, 120, 4 }, { BPEI_BIOCGDLTLIST, WR, 121, 12 },
		{ BPEI_BIOCSEXTHDR, W, 124, 4 }, { BPEI_BIOCSETFNR, W, 126, 16 },
		{ BPEI_BIOCGWANTPKTAP, R, 127, 4 }, { BPEI_BIOCSWANTPKTAP, WR, 127, 4 },
		{ BPEI_BIOCGHEADDROP, R, 128, 4 }, { BPEI_BIOCSHEADDROP, W, 128, 4 },
		{ BPEI_BIOCSTRUNCATE, W, 129, 4 }, { BPEI_BIOCSPKTHDRV2, W, 132, 4 },
		{ BPEI_BIOCGHDRCOMP, R, 134, 4 }, { BPEI_BIOCSHDRCOMP, W, 135, 4 },
		{ BPEI_BIOCGHDRCOMPSTATS, R, 136, 56 }, { BPEI_BIOCGHDRCOMPON, R, 137, 4 },
		{ BPEI_BIOCGDIRECTION, R, 138, 4 }, { BPEI_BIOCSDIRECTION, W, 139, 4 },
		{ BPEI_BIOCGNOTSTAMP, R, 144, 4 }, { BPEI_BIOCSNOTSTAMP, W, 145, 4 } };
	check_abi(BPEI_MACOS, list, SIZE(list), SIZE(list));
}

Test(bpf_abi, freebsd)
{
	static const struct declared list[] = { COMMON, { BPEI_BIOCGETIF, R, 107, 32 },
		{ BPEI_BIOCSETIF, W, 108, 32 }, { BPEI_BIOCSRTIMEOUT, W, 109, 16 },
		{ BPEI_BIOCGRTIMEOUT, R, 110, 16 }, { BPEI_BIOCGSTATS, R, 111, 8 },
		{ BPEI_BIOCGDIRECTION, R, 118, 4 }, { BPEI_BIOCSDIRECTION, W, 119, 4 },
		{ BPEI_BIOCSDLT, W, 120, 4 }, { BPEI_BIOCGDLTLIST, WR, 121, 16 },
		{ BPEI_BIOCLOCK, V, 122, 0 }, { BPEI_BIOCSETWF, W, 123, 16 },
		{ BPEI_BIOCGETBUFMODE, R, 125, 4 }, { BPEI_BIOCSETBUFMODE, W, 126, 4 },
		{ BPEI_BIOCGETZMAX, R, 127, 8 }, { BPEI_BIOCROTZBUF, R, 128, 24 },
		{ BPEI_BIOCSETZBUF, W, 129, 24 }, { BPEI_BIOCSETFNR, W, 130, 16 },
		{ BPEI_BIOCGTSTAMP, R, 131, 4 }, { BPEI_BIOCSTSTAMP, W, 132, 4 } };
	check_abi(BPEI_FREEBSD, list, SIZE(list), SIZE(list));
}

Test(bpf_abi, netbsd)
{
	static const struct declared list[] = { COMMON, { BPEI_BIOCGETIF, R, 107, 144 },
		{ BPEI_BIOCSETIF, W, 108, 144 }, { BPEI_BIOCSRTIMEOUT, W, 122, 16 },
		{ BPEI_BIOCGRTIMEOUT, R, 123, 16 }, { BPEI_BIOCGSTATS, R, 111, 128 },
		{ BPEI_BIOCGDIRECTION, R, 120, 4 }, { BPEI_BIOCSDIRECTION, W, 121, 4 },
		{ BPEI_BIOCSDLT, W, 118, 4 }, { BPEI_BIOCGDLTLIST, WR, 119, 16 },
		{ BPEI_BIOCLOCK, V, 126, 0 }, { BPEI_BIOCSETWF, W, 127, 16 } };
	check_abi(BPEI_NETBSD, list, SIZE(list), SIZE(list));
}

Test(bpf_abi, openbsd)
{
	static const struct declared list[] = { COMMON, { BPEI_BIOCGETIF, R, 107, 32 },
		{ BPEI_BIOCSETIF, W, 108, 32 }, { BPEI_BIOCSRTIMEOUT, W, 109, 16 },
		{ BPEI_BIOCGRTIMEOUT, R, 110, 16 }, { BPEI_BIOCGSTATS, R, 111, 8 },
		{ BPEI_BIOCSDIRFILT, W, 125, 4 }, { BPEI_BIOCSDLT, W, 122, 4 },
		{ BPEI_BIOCGDLTLIST, WR, 123, 16 }, { BPEI_BIOCLOCK, V, 118, 0 },
		{ BPEI_BIOCSETWF, W, 119, 16 }, { BPEI_BIOCSETFNR, W, 127, 16 },
		{ BPEI_BIOCSWTIMEOUT, W, 126, 16 }, { BPEI_BIOCGWTIMEOUT, R, 126, 16 },
		{ BPEI_BIOCDWTIMEOUT, V, 126, 0 } };
	check_abi(BPEI_OPENBSD, list, SIZE(list), SIZE(list));
}

Test(bpf_abi, header_lengths)
{
	/* Ethernet, 4 bytes of NULL or LOOP, RAW: what each kernel's bpfattach computes. */
	static const struct {
		const struct bpei_layout *l;
		uint32_t hdrlen[3];
	} known[] = { { &bpei_layout_macos, { 18, 20, 20 } },
		{ &bpei_layout_macos_comp, { 22, 20, 20 } },
		{ &bpei_layout_freebsd, { 26, 28, 32 } },
		{ &bpei_layout_freebsd_nano, { 26, 28, 32 } },
		{ &bpei_layout_netbsd, { 34, 36, 32 } }, { &bpei_layout_openbsd, { 30, 28, 28 } },
		{ &bpei_layout_openbsd_old, { 22, 20, 20 } } };
	static const uint32_t links[3] = { 14, 4, 0 };
	for (size_t i = 0; i < SIZE(known); i++)
		for (int k = 0; k < 3; k++)
			cr_expect_eq(bpei_layout_hdrlen(
					     known[i].l->hdrlen_base, known[i].l->align, links[k]),
				known[i].hdrlen[k], "%s, link header of %u", known[i].l->name,
				links[k]);
	static const struct {
		uint32_t counted, ethernet, raw;
		enum bpei_ext known, unknown;
	} ext[] = { { 52, 54, 52, BPEI_EXT_52, BPEI_EXT_52 },
		{ 60, 62, 60, BPEI_EXT_60, BPEI_EXT_60_OLD },
		{ 64, 66, 64, BPEI_EXT_64, BPEI_EXT_64 } };
	for (size_t i = 0; i < SIZE(ext); i++) {
		cr_expect_eq(bpei_layout_hdrlen(ext[i].counted, 4, 14), ext[i].ethernet);
		cr_expect_eq(bpei_ext_generation(ext[i].ethernet, true), ext[i].known);
		cr_expect_eq(bpei_ext_generation(ext[i].raw, false), ext[i].unknown);
	}
	cr_expect_eq(bpei_ext_generation(18, true), BPEI_EXT_NONE);
	cr_expect_eq(bpei_ext_generation(68, true), BPEI_EXT_NONE);
}

Test(bpf_abi, link_types_go_there_and_back)
{
	static const uint32_t links[] = { 0, 1, 9, 101, 105, 108, 109, 113, 117, 127, 192, 246,
		258 };
	for (int s = 0; s < BPEI_SYSTEMS; s++)
		for (size_t i = 0; i < SIZE(links); i++)
			if (links[i] != 258 || s == BPEI_MACOS)
				cr_expect_eq(bpei_bpf_abis[s].link_type_of(
						     bpei_bpf_abis[s].dlt_of(links[i])),
					links[i]);
	cr_expect_eq(bpei_bpf_abis[BPEI_OPENBSD].link_type_of(14), 101);
	cr_expect_eq(bpei_bpf_abis[BPEI_OPENBSD].link_type_of(12), 108);
	cr_expect_eq(bpei_bpf_abis[BPEI_MACOS].link_type_of(12), 101);
	cr_expect_eq(bpei_bpf_abis[BPEI_MACOS].link_type_of(149), 258);
}

Test(bpf_abi, names_and_errors)
{
	cr_expect_eq(bpei_bpf_abi_find("netbsd"), &bpei_bpf_abis[BPEI_NETBSD]);
	cr_expect_null(bpei_bpf_abi_find("linux"));
	cr_expect_not_null(bpei_bpf_abi_native());
	cr_expect_eq(bpei_bpf_errno(&bpei_bpf_abis[BPEI_MACOS], 35), EAGAIN);
	cr_expect_eq(bpei_bpf_errno(&bpei_bpf_abis[BPEI_MACOS], 55), ENOBUFS);
	cr_expect_eq(bpei_bpf_errno(&bpei_bpf_abis[BPEI_OPENBSD], 50), ENETDOWN);
	cr_expect_eq(bpei_bpf_errno(&bpei_bpf_abis[BPEI_FREEBSD], ENXIO), ENXIO);
	cr_expect_str_eq(bpei_bpf_call_name(BPEI_BIOCSETIF), "BIOCSETIF");
}
