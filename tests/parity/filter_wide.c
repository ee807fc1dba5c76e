/* SPDX-License-Identifier: MIT */
/* filter_wide [EXPRESSIONS [SEED]]: the program given to a kernel in place of a refused program.
 * The kernel accepts it, and it accepts at least the same packets, whole or cut.  A program called
 * exact has the same verdicts.  Expressions of the grammar, long sets, and programs of any
 * instructions, for every kernel and many limits. */
#include "filter/kernel.h"
#include "filter/opcodes.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 24
#define ROOM 400u
#define KEEP 262144u

static uint8_t packet[ROOM];
static unsigned long passed, failed;

static void report_wide_failure(const char *what, const char *text)
{
	if (++failed < 20)
		printf("FAILED: %s: %.300s\n", what, text);
}

/* Writes the ethertype, which also is the begin of raw IP in some packets. */
static void put_ethertype(uint32_t type)
{
	packet[12] = (uint8_t)(type >> 8);
	packet[13] = (uint8_t)type;
}

/* Fills in a packet: IPv4 mostly, IPv6, or any bytes; raw or in Ethernet. */
static void make_wide_packet(struct generator *g)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132, 2 };
	uint8_t *ip = packet + 14 * generate_below(g, 2);

	for (uint32_t i = 0; i < ROOM; i++)
		packet[i] = (uint8_t)(generate_below(g, 3) ? generate_below(g, 8)
							   : generate_below(g, 256));
	if (generate_below(g, 8)) {
		put_ethertype(0x0800);
		ip[0] = (uint8_t)(0x45 + generate_below(g, 3));
		ip[6] = 0;
		ip[7] = 0;
		ip[9] = protocols[generate_below(g, 5)];
	} else if (generate_below(g, 2)) {
		put_ethertype(0x86dd);
		ip[0] = 0x60;
		ip[6] = protocols[generate_below(g, 5)];
	}
	if (generate_below(g, 2)) {
		memcpy(ip + 12, "\x0a\0", 2);
		memcpy(ip + 16, "\x0a\0", 2);
	}
}

/* Makes the kernel's program of `filter` and compares verdicts.  Returns how many packets only the
 * wider program accepts. */
static uint32_t compare_wide(struct generator *g, const struct bpei_filter *f, uint32_t kernel,
	uint32_t most, const char *text)
{
	struct bpei_kernel_program fit;
	uint32_t more = 0;

	if (bpei_filter_fit(&bpei_kernels[kernel], f, most, KEEP, &fit) < 0)
		exit(2);
	const char *why = bpei_kernel_check(&bpei_kernels[kernel], fit.program, fit.length);
	if (why || fit.length > most)
		report_wide_failure(why ? why : "longer than it was to be", text);
	if (!fit.exact != (fit.why != NULL))
		report_wide_failure("exact, with a reason, or not, without", text);
	for (int i = 0; i < PACKETS; i++) {
		make_wide_packet(g);
		const uint32_t cut = generate_below(g, 3) ? ROOM : generate_below(g, 80);
		const uint32_t a = bpei_filter_run(f->program, packet, ROOM, cut);
		const uint32_t b = bpei_filter_run(fit.program, packet, ROOM, cut);
		if ((a && !b) || (fit.exact && a != b)) {
			report_wide_failure("another verdict", text);
			break;
		}
		if (!fit.exact && b && b != KEEP)
			report_wide_failure("a wider program that cuts packets", text);
		more += b && !a;
	}
	free(fit.program);
	passed++;
	return more;
}

static void check_expressions(unsigned long n, uint64_t seed)
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
		const uint32_t kernel = generate_below(&g, BPEI_KERNELS);
		const uint32_t most = limits[generate_below(&g, 9)];

		bpe_filter_options_init(&o);
		o.link_type = links[generate_below(&g, 6)];
		if (!generate_below(&g, 6))
			o.through = 1u << generate_below(&g, 9);
		text[0] = 0;
		generate_expression(&g);
		if (bpei_compile_for(text, &o, &bpei_kernels[kernel], most, &f, NULL) < 0)
			continue;
		if (f.wide && f.wide_length > most)
			report_wide_failure("the wide one is too long", text);
		compare_wide(&g, &f, kernel, most, text);
		free(f.program);
		free(f.wide);
	}
}

/* ---- Long sets ---- */

#define SET_ROUNDS 60

/* An expression of n members; most_more: how many packets the wider program may accept beside the
 * set's own. */
struct set_case {
	const char *begin, *each, *end;
	uint32_t n, most_more;
};

static const struct set_case set_cases[] = { { "src host ", "10.%u.%u.%u", "", 3000, 300 },
	{ "host ", "10.%u.%u.%u", "", 3000, 350 }, { "ip host ", "10.%u.%u.%u", "", 1500, 350 },
	{ "tcp port 80 and src net ", "10.%u.%u.0/24", "", 900, 130 },
	{ "(src host ", "10.%u.%u.%u", ") and (tcp port 80 or udp)", 2000, 60 },
	{ "not (src host ", "10.%u.%u.%u", ")", 2000, 10 },
	{ "ip and not (tcp port 80 or src host ", "10.%u.%u.%u", ")", 2000, 10 },
	{ "src port ", "%u", "", 9000, 500 },
	{ "ether src host ", "0:%x:%x:%x:%x:1", "", 1000, 400 },
	{ "", "(src host 10.%u.%u.%u and tcp port %u)", "", 800, 20 } };

static void write_set(char *text, const struct set_case *c, struct generator *g)
{
	size_t used = (size_t)sprintf(text, "%s", c->begin);

	for (uint32_t i = 0; i < c->n; i++) {
		const uint32_t a = generate_below(g, 16);
		const uint32_t b = generate_below(g, 256);
		const uint32_t d = generate_below(g, 256);

		if (i)
			used += (size_t)sprintf(text + used, " or ");
		if (!strcmp(c->each, "%u"))
			used += (size_t)sprintf(
				text + used, c->each, (a << 12 | b << 4 | d >> 4) & 0xffff);
		else
			used += (size_t)sprintf(text + used, c->each, a, b, d, d);
	}
	sprintf(text + used, "%s", c->end);
}

/* Compares the set's programs for a kernel, and counts the other packets accepted. */
static void check_set(
	const struct set_case *c, uint32_t kernel, const char *text, struct generator *g)
{
	struct bpe_filter_options o;
	struct bpei_filter f;
	struct bpe_error e;
	uint32_t more = 0;

	bpe_filter_options_init(&o);
	if (bpei_compile_for(text, &o, &bpei_kernels[kernel], 512, &f, &e) < 0) {
		report_wide_failure(e.text, text);
		return;
	}
	if (!f.wide || f.wide_length < 256)
		report_wide_failure("no wide program, or one that leaves half of the room", text);
	for (int i = 0; i < SET_ROUNDS; i++)
		more += compare_wide(g, &f, kernel, 512, text);
	if (more > c->most_more)
		report_wide_failure("too many are let through", text);
	if (!kernel)
		printf("%u times \"%s%s%s\": %u instructions, wide %u; %u of %u packets more\n",
			c->n, c->begin, c->each, c->end, f.length, f.wide_length, more,
			SET_ROUNDS * PACKETS);
	free(f.program);
	free(f.wide);
}

static void check_sets(void)
{
	char *text = malloc(1 << 20);

	if (!text)
		exit(2);
	for (size_t c = 0; c < sizeof set_cases / sizeof *set_cases; c++) {
		struct generator g = { .state = c + 77 };

		write_set(text, &set_cases[c], &g);
		for (uint32_t kernel = 0; kernel < BPEI_KERNELS; kernel++)
			check_set(&set_cases[c], kernel, text, &g);
	}
	free(text);
}

/* ---- Programs of any instructions ---- */

/* Returns a random instruction that the check accepts; `left` instructions follow. */
static struct bpe_insn draw_insn(struct generator *g, uint32_t left)
{
	static const uint16_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x81, 0x00,
		0x01, 0x60, 0x61, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x24, 0x34, 0x3c, 0x94, 0x9c,
		0x44, 0x54, 0x5c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x05, 0x15, 0x1d, 0x25,
		0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87, 0x06, 0x16 };
	const uint32_t near = left < 9 ? left : 9;
	struct bpe_insn i = { .code = codes[generate_below(g, sizeof codes / sizeof *codes)] };

	if (bpei_insn_is_return(&i) && generate_below(g, 4))
		i.code = INSN_JEQ_K;
	i.k = generate_below(g, 3) ? generate_below(g, 40) : generate_below(g, 600000);
	if (bpei_insn_is_jump(&i) && !left) {
		i.code = INSN_RET_K;
	} else if (i.code == INSN_JA) {
		i.k = generate_below(g, near);
	} else if (bpei_insn_is_jump(&i)) {
		i.jt = (uint8_t)generate_below(g, near);
		i.jf = (uint8_t)generate_below(g, near);
		i.k = generate_below(g, 9);
	} else if (i.code == INSN_LD_MEM || i.code == INSN_LDX_MEM || i.code == INSN_ST ||
		   i.code == INSN_STX) {
		i.k = generate_below(g, INSN_WORDS);
	} else if (bpei_insn_class(&i) == INSN_ALU) {
		i.k = 1 + generate_below(g, 31);
	} else if (i.code == INSN_RET_K && generate_below(g, 2)) {
		i.k = 0;
	}
	return i;
}

static void check_programs(unsigned long n, uint64_t seed)
{
	struct bpe_insn p[96];

	for (unsigned long k = 0; k < n; k++) {
		struct generator g = { .state = seed + k };
		const uint32_t length = 2 + generate_below(&g, 90);
		char text[64];

		snprintf(text, sizeof text, "program %lu", k);
		for (uint32_t i = 0; i < length; i++)
			p[i] = draw_insn(&g, length - i - 1);
		p[length - 1].code = INSN_RET_K;
		const char *why = bpei_filter_check(p, length);
		if (why) {
			report_wide_failure("the test's program is none", why);
			continue;
		}
		const struct bpei_filter f = { .program = p, .length = length };
		const uint32_t kernel = generate_below(&g, BPEI_KERNELS);
		const uint32_t most = 1 + generate_below(&g, generate_below(&g, 2) ? length : 512);
		compare_wide(&g, &f, kernel, most, text);
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	check_expressions(n, seed);
	check_programs(n * 2, seed);
	check_sets();
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !passed;
}
