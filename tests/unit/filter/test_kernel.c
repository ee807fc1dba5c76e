/* SPDX-License-Identifier: MIT */
/* The kernels' rules, and the programs made from programs that break the rules.  The rules of macOS
 * and NetBSD were observed on running systems, the others come from the systems' sources.
 * tests/parity/filter_wide.c has the rest. */
#include "filter/kernel.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RET { 0x06, 0, 0, 0 }

Test(kernel, programs_that_each_refuses)
{
	static const struct {
		const char *what;
		struct bpe_insn program[3];
		const char *takes;
	} cases[] = { /* macOS, FreeBSD, NetBSD, OpenBSD, Linux */
		{ "MOD k", { { 0x94, 0, 0, 3 }, RET, RET }, "-yy-y" },
		{ "MOD x", { { 0x9c, 0, 0, 0 }, RET, RET }, "-yy-y" },
		{ "XOR k", { { 0xa4, 0, 0, 3 }, RET, RET }, "-yy-y" },
		{ "XOR x", { { 0xac, 0, 0, 0 }, RET, RET }, "-yy-y" },
		{ "AND k", { { 0x54, 0, 0, 3 }, RET, RET }, "yyyyy" },
		{ "NEG", { { 0x84, 0, 0, 0 }, RET, RET }, "yyyyy" },
		{ "ld [0x7ffff]", { { 0x20, 0, 0, 0x7ffff }, RET, RET }, "yyyyy" },
		{ "ld [0x80000]", { { 0x20, 0, 0, 0x80000 }, RET, RET }, "-yyyy" },
		{ "ldb [x + 0x80000]", { { 0x50, 0, 0, 0x80000 }, RET, RET }, "-yyyy" },
		{ "ldxb 4*([0x80000]&0xf)", { { 0xb1, 0, 0, 0x80000 }, RET, RET }, "-yyyy" },
		{ "ldb [0xfffff000]", { { 0x30, 0, 0, 0xfffff000 }, RET, RET }, "-yyyy" },
		{ "ld #0x80000", { { 0x00, 0, 0, 0x80000 }, RET, RET }, "yyyyy" },
		{ "ld M[3], never stored", { { 0x60, 0, 0, 3 }, RET, RET }, "yy-y-" },
		{ "st M[3], ld M[3]", { { 0x02, 0, 0, 3 }, { 0x60, 0, 0, 3 }, RET }, "yyyyy" },
		{ "stored on one way only",
			{ { 0x15, 1, 0, 0 }, { 0x02, 0, 0, 3 }, { 0x06, 0, 0, 1 } }, "yyyyy" },
		{ "div by 0", { { 0x34, 0, 0, 0 }, RET, RET }, "-----" },
		{ "st M[16]", { { 0x02, 0, 0, 16 }, RET, RET }, "-----" },
		{ "a jump back", { { 0x05, 0, 0, 0xffffffff }, RET, RET }, "-----" }
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int k = 0; k < BPEI_KERNELS; k++)
			cr_expect_eq(!bpei_kernel_check(&bpei_kernels[k], cases[i].program, 3),
				cases[i].takes[k] == 'y', "%s on %s", cases[i].what,
				bpei_kernels[k].title);
	const struct bpe_insn one_way[] = { { 0x15, 1, 0, 0 }, { 0x02, 0, 0, 3 }, { 0x60, 0, 0, 3 },
		{ 0x16, 0, 0, 0 } };
	cr_expect_not_null(bpei_kernel_check(&bpei_kernels[BPEI_KERNEL_NETBSD], one_way, 4));
	cr_expect_null(bpei_kernel_check(&bpei_kernels[BPEI_KERNEL_MACOS], one_way, 4));
}

Test(kernel, lengths)
{
	struct bpe_insn *p = calloc(4097, sizeof *p);
	for (int i = 0; i < 4097; i++)
		p[i].code = 0x06;
	for (int k = 0; k < BPEI_KERNELS; k++) {
		uint32_t most = k == BPEI_KERNEL_LINUX ? 4096 : 512;
		cr_expect_null(bpei_kernel_check(&bpei_kernels[k], p, most));
		cr_expect_not_null(bpei_kernel_check(&bpei_kernels[k], p, most + 1));
		cr_expect_not_null(bpei_kernel_check(&bpei_kernels[k], p, 0));
		cr_expect_eq(bpei_kernel_find(bpei_kernels[k].name), &bpei_kernels[k]);
	}
	cr_expect_null(bpei_kernel_find("beos"));
	free(p);
}

/* Keeps programs exact: a load past every packet's end refuses the packet in the kernel, too. */
Test(kernel, exact_where_it_can_be)
{
	const struct bpe_insn far[] = { { 0x30, 0, 0, 600000 }, { 0x06, 0, 0, 9 } };
	const struct bpe_insn zero[] = { { 0x60, 0, 0, 3 }, { 0x15, 0, 1, 0 }, { 0x06, 0, 0, 9 },
		RET };
	struct bpei_kernel_program fit;
	cr_assert_eq(
		bpei_kernel_fit(&bpei_kernels[BPEI_KERNEL_MACOS], far, 2, 512, 99, &fit), BPE_OK);
	cr_expect(fit.exact && fit.length == 2 && fit.program[0].code == 0x06 && !fit.program[0].k);
	free(fit.program);
	cr_assert_eq(
		bpei_kernel_fit(&bpei_kernels[BPEI_KERNEL_MACOS], zero, 4, 512, 99, &fit), BPE_OK);
	cr_expect(fit.exact && !memcmp(fit.program, zero, sizeof zero));
	free(fit.program);
	cr_assert_eq(
		bpei_kernel_fit(&bpei_kernels[BPEI_KERNEL_NETBSD], zero, 4, 512, 99, &fit), BPE_OK);
	cr_expect(!fit.exact && fit.program[0].code == 0x06 && fit.program[0].k == 99 && fit.why);
	free(fit.program);
}

/* Compares MOD and XOR with the arithmetic for kernels that have neither. */
Test(kernel, mod_and_xor_are_replaced)
{
	static const char *const expressions[] = { "ip[8] % 7 = 3", "ip[8] ^ ip[9] = 5",
		"ip[8] % ip[9] = 1", "ip[2:2] ^ 0xff00 > 0x1234", "ip[8] % 16 = 3",
		"(ip[8] ^ 3) % (ip[9] ^ 1) = 2" };
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
		struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 101 };
		struct bpe_insn *all, *macos;
		uint32_t n, m;
		uint8_t ip[20] = { 0x45 };
		cr_assert_eq(bpe_filter_compile_with(expressions[i], &o, &all, &n, NULL), BPE_OK);
		o.kernel = "macos";
		cr_assert_eq(bpe_filter_compile_with(expressions[i], &o, &macos, &m, NULL), BPE_OK);
		cr_expect_null(bpei_kernel_check(&bpei_kernels[BPEI_KERNEL_MACOS], macos, m));
		for (uint32_t v = 0; v < 65536; v++) {
			ip[2] = (uint8_t)(v >> 8);
			ip[3] = (uint8_t)v;
			memcpy(ip + 8, ip + 2, 2);
			cr_assert_eq(bpe_filter_run(all, ip, 20, 20),
				bpe_filter_run(macos, ip, 20, 20), "%s with %04x", expressions[i],
				v);
		}
		bpe_filter_free(all);
		bpe_filter_free(macos);
	}
}

/* Tests IPv6 on a loopback interface, in the order of the host (NULL) and of the network (LOOP). */
Test(kernel, its_own_number_for_ipv6)
{
	static const uint8_t families[] = { 30, 28, 24, 24, 10 };
	for (int loop = 0; loop < 2; loop++)
		for (int k = -1; k < BPEI_KERNELS; k++) {
			struct bpe_filter_options o = { .struct_size = sizeof o,
				.link_type = loop ? 108 : 0 };
			if (k >= 0)
				o.kernel = bpei_kernels[k].name;
			struct bpe_insn *p;
			uint32_t n;
			cr_assert_eq(bpe_filter_compile_with("ip6", &o, &p, &n, NULL), BPE_OK);
			cr_expect(k < 0 || n == 4);
			for (uint32_t family = 0; family < 256; family++) {
				const uint32_t value = family;
				uint8_t packet[44] = { [3] = (uint8_t)family, [4] = 0x60 };
				if (!loop)
					memcpy(packet, &value, 4);
				bool six = k >= 0 && family == families[k];
				for (int any = 0; k < 0 && any < BPEI_KERNELS; any++)
					six |= family == families[any];
				cr_expect_eq(!!bpe_filter_run(p, packet, 44, 44), six, "%d %u", k,
					family);
			}
			bpe_filter_free(p);
		}
}

Test(kernel, unknown_kernels_are_errors)
{
	struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 1, .kernel = "beos" };
	struct bpe_insn *p;
	uint32_t n;
	struct bpe_error e;
	cr_expect_eq(bpe_filter_compile_with("tcp", &o, &p, &n, &e), BPE_E_ARGUMENT);
	cr_expect(strstr(e.text, "beos") && strstr(e.text, "openbsd"), "%s", e.text);
}

/* Filters PKTAP: the kernel accepts a packet if the process is not known yet; the packet is
 * filtered again once the process is known. */
Test(kernel, processes_known_late)
{
	static const char *const expressions[] = { "pid 77", "proc curl", "epid 77 and tcp",
		"not pid 77", "eproc curl or pid 77" };
	struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 258 };
	uint8_t tap[220] = { 156, [4] = 1, [8] = 12, [156] = 0x45, [165] = 6 };
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
		struct bpei_filter f;
		struct bpei_kernel_program fit;
		cr_assert_eq(bpei_compile_for(expressions[i], &o, &bpei_kernels[BPEI_KERNEL_MACOS],
				     512, &f, NULL),
			BPE_OK);
		cr_assert(f.wide && f.late);
		cr_assert_eq(
			bpei_filter_fit(&bpei_kernels[BPEI_KERNEL_MACOS], &f, 512, 262144, &fit),
			BPE_OK);
		cr_expect(!fit.exact && fit.why);
		for (int known = 0; known < 3; known++) {
			tap[37] = known == 1 ? 0x10 : 0;            /* delayed */
			memset(tap + 52, known == 2 ? 0xff : 0, 4); /* pid -1 */
			memset(tap + 84, 0, 4);
			if (known < 2) {
				tap[52] = 77;
				tap[84] = 77;
			}
			for (int named = 0; named < 2; named++) {
				const uint32_t n = sizeof tap;

				memcpy(tap + 56, named ? "curl" : "sshd", 5);
				memcpy(tap + 88, tap + 56, 5);
				const uint32_t ours = bpei_filter_run(f.program, tap, n, n);
				const uint32_t kernels = bpei_filter_run(fit.program, tap, n, n);
				cr_expect_eq(!kernels, known ? 0 : !ours, "%s, %d", expressions[i],
					known);
			}
		}
		free(fit.program);
		free(f.program);
		free(f.wide);
	}
	struct bpei_filter f;
	cr_assert_eq(bpei_compile_for(
			     "svc BK and tcp", &o, &bpei_kernels[BPEI_KERNEL_MACOS], 512, &f, NULL),
		BPE_OK);
	cr_expect(!f.wide && !f.late);
	free(f.program);
}
