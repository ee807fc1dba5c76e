/* SPDX-License-Identifier: MIT */
/* filter_wide [EXPRESSIONS [SEED]]: what a kernel is given in place of a program that it does not
 * take lets through all that the program does, on whole packets and cut ones; it is what the kernel
 * takes; and where it is called exact its verdicts are the same.  Expressions of the grammar, long
 * sets, and programs of any instructions, for every kernel and many limits. */
#include "filter/kernel.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 24
#define ROOM 400u

static uint8_t packet[ROOM];
static unsigned long passed, failed;

static void report_wide_fault(const char *what, const char *text)
{
	if (++failed < 20)
		printf("FAILED: %s: %.300s\n", what, text);
}

static void make_wide_packet(struct generator *g)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132, 2 };
	uint8_t *ip = packet + 14 * pick(g, 2);
	for (uint32_t i = 0; i < ROOM; i++)
		packet[i] = (uint8_t)(pick(g, 3) ? pick(g, 8) : pick(g, 256));
	if (pick(g, 8))
		packet[12] = 8, packet[13] = 0, ip[0] = (uint8_t)(0x45 + pick(g, 3)),
		ip[6] = ip[7] = 0, ip[9] = protocols[pick(g, 5)];
	else if (pick(g, 2))
		packet[12] = 0x86, packet[13] = 0xdd, ip[0] = 0x60, ip[6] = protocols[pick(g, 5)];
	if (pick(g, 2))
		ip[12] = ip[16] = 10, ip[13] = ip[17] = 0;
}

/* Of `filter` for one kernel and limit: how many of the packets were let through that should not
 * have been. */
static uint32_t compare_wide(struct generator *g, const struct bpei_filter *f, uint32_t kernel,
	uint32_t most, const char *text)
{
	struct bpei_kernel_program fit;
	uint32_t more = 0;
	if (bpei_filter_fit(&bpei_kernels[kernel], f, most, 262144, &fit) < 0)
		exit(2);
	const char *why = bpei_kernel_check(&bpei_kernels[kernel], fit.program, fit.length);
	if (why || fit.length > most)
		report_wide_fault(why ? why : "longer than it was to be", text);
	if (!fit.exact != (fit.why != NULL))
		report_wide_fault("exact, with a reason, or not, without", text);
	for (int i = 0; i < PACKETS; i++) {
		make_wide_packet(g);
		uint32_t cut = pick(g, 3) ? ROOM : pick(g, 80);
		uint32_t a = bpei_filter_run(f->program, packet, ROOM, cut);
		uint32_t b = bpei_filter_run(fit.program, packet, ROOM, cut);
		if ((a && !b) || (fit.exact && a != b)) {
			report_wide_fault("another verdict", text);
			break;
		}
		if (!fit.exact && b && b != 262144)
			report_wide_fault("a wider program that cuts packets", text);
		more += b && !a;
	}
	free(fit.program);
	passed++;
	return more;
}

static void check_wide_expressions(unsigned long n, uint64_t seed)
{
	static const int links[] = { 101, 1, 1, 276, 258, 127 };
	static const uint32_t limits[] = { 1, 3, 6, 10, 16, 25, 40, 80, 512 };
	char text[8192];
	for (unsigned long k = 0; k < n; k++) {
		struct generator g = {
			.state = seed + k, .text = text, .room = sizeof text, .sound = 1
		};
		struct bpe_filter_options o;
		struct bpei_filter f;
		uint32_t kernel = pick(&g, BPEI_KERNELS);
		uint32_t most = limits[pick(&g, 9)];
		bpe_filter_options_init(&o);
		o.link_type = links[pick(&g, 6)];
		if (!pick(&g, 6))
			o.through = 1u << pick(&g, 9);
		text[0] = 0;
		generate(&g);
		if (bpei_compile_for(text, &o, &bpei_kernels[kernel], most, &f, NULL) < 0)
			continue;
		if (f.wide && f.wide_length > most)
			report_wide_fault("the wide one is too long", text);
		compare_wide(&g, &f, kernel, most, text);
		free(f.program), free(f.wide);
	}
}

/* Long sets: beside the verdicts, how many packets of other networks are let through. */
static void check_wide_sets(void)
{
	static const struct {
		const char *begin, *each, *end;
		uint32_t n, most_more;
	} cases[] = { { "src host ", "10.%u.%u.%u", "", 3000, 300 },
		{ "host ", "10.%u.%u.%u", "", 3000, 350 },
		{ "ip host ", "10.%u.%u.%u", "", 1500, 350 },
		{ "tcp port 80 and src net ", "10.%u.%u.0/24", "", 900, 130 },
		{ "(src host ", "10.%u.%u.%u", ") and (tcp port 80 or udp)", 2000, 60 },
		{ "not (src host ", "10.%u.%u.%u", ")", 2000, 10 },
		{ "ip and not (tcp port 80 or src host ", "10.%u.%u.%u", ")", 2000, 10 },
		{ "src port ", "%u", "", 9000, 500 },
		{ "ether src host ", "0:%x:%x:%x:%x:1", "", 1000, 400 },
		{ "", "(src host 10.%u.%u.%u and tcp port %u)", "", 800, 20 } };
	char *text = malloc(1 << 20);
	if (!text)
		exit(2);
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct generator g = { .state = c + 77 };
		size_t used = (size_t)sprintf(text, "%s", cases[c].begin);
		for (uint32_t i = 0; i < cases[c].n; i++) {
			uint32_t a = pick(&g, 16);
			uint32_t b = pick(&g, 256);
			uint32_t d = pick(&g, 256);
			if (i)
				used += (size_t)sprintf(text + used, " or ");
			if (strstr(cases[c].each, "port") || strstr(cases[c].each, "."))
				used += (size_t)sprintf(text + used, cases[c].each, a, b, d, d);
			else if (cases[c].each[1] == 'u')
				used += (size_t)sprintf(text + used, cases[c].each,
					(a << 12 | b << 4 | d >> 4) & 0xffff);
			else
				used += (size_t)sprintf(text + used, cases[c].each, a, b, d, d);
		}
		sprintf(text + used, "%s", cases[c].end);
		for (uint32_t kernel = 0; kernel < BPEI_KERNELS; kernel++) {
			struct bpe_filter_options o;
			struct bpei_filter f;
			struct bpe_error e;
			uint32_t more = 0;
			bpe_filter_options_init(&o);
			if (bpei_compile_for(text, &o, &bpei_kernels[kernel], 512, &f, &e) < 0) {
				report_wide_fault(e.text, text);
				break;
			}
			if (!f.wide || f.wide_length < 256)
				report_wide_fault(
					"no wide program, or one that leaves half of the room",
					text);
			for (int i = 0; i < 60; i++)
				more += compare_wide(&g, &f, kernel, 512, text);
			if (more > cases[c].most_more)
				report_wide_fault("too many are let through", text);
			if (!kernel)
				printf("%u times \"%s%s%s\": %u instructions, wide %u; %u of %u packets more\n",
					cases[c].n, cases[c].begin, cases[c].each, cases[c].end,
					f.length, f.wide_length, more, 60 * PACKETS);
			free(f.program), free(f.wide);
		}
	}
	free(text);
}

static void check_wide_programs(unsigned long n, uint64_t seed)
{
	static const uint16_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x81, 0x00,
		0x01, 0x60, 0x61, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x24, 0x34, 0x3c, 0x94, 0x9c,
		0x44, 0x54, 0x5c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x05, 0x15, 0x1d, 0x25,
		0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87, 0x06, 0x16 };
	struct bpe_insn p[96];
	for (unsigned long k = 0; k < n; k++) {
		struct generator g = { .state = seed + k };
		uint32_t length = 2 + pick(&g, 90);
		char text[64];
		snprintf(text, sizeof text, "program %lu", k);
		for (uint32_t i = 0; i < length; i++) {
			uint16_t code = codes[pick(&g, sizeof codes / sizeof *codes)];
			if ((code & 7) == 6 && pick(&g, 4))
				code = 0x15;
			uint32_t left = length - i - 1;
			p[i] = (struct bpe_insn){ .code = code,
				.k = pick(&g, 3) ? pick(&g, 40) : pick(&g, 600000) };
			if ((code & 7) == 5 && !left)
				p[i].code = 0x06;
			else if (code == 0x05)
				p[i].k = pick(&g, left < 9 ? left : 9);
			else if ((code & 7) == 5)
				p[i].jt = (uint8_t)pick(&g, left < 9 ? left : 9),
				p[i].jf = (uint8_t)pick(&g, left < 9 ? left : 9),
				p[i].k = pick(&g, 9);
			else if (code == 0x60 || code == 0x61 || code == 0x02 || code == 0x03)
				p[i].k = pick(&g, 16);
			else if ((code & 7) == 4)
				p[i].k = 1 + pick(&g, 31);
			else if (code == 0x06 && pick(&g, 2))
				p[i].k = 0;
		}
		p[length - 1].code = 0x06;
		if (bpei_filter_check(p, length)) {
			report_wide_fault(
				"the test's program is none", bpei_filter_check(p, length));
			continue;
		}
		struct bpei_filter f = { .program = p, .length = length };
		compare_wide(&g, &f, pick(&g, BPEI_KERNELS),
			1 + pick(&g, pick(&g, 2) ? length : 512), text);
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	check_wide_expressions(n, seed);
	check_wide_programs(n * 2, seed);
	check_wide_sets();
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !passed;
}
