/* SPDX-License-Identifier: MIT */
/* filter_plain [EXPRESSIONS [SEED]]: every optimized program equals the unoptimized program, in
 * which each test loads all operands anew.  Expressions come from the grammar, or compare a few
 * values again and again, so registers and memory words are shared.  Packets are whole, so every
 * load succeeds: on a cut packet an optimized program may load, and so reject, later. */
#include "bpfengine.h"
#include "generate.h"

#include <stdlib.h>

/* More than 16 bits and a header can reach; with larger indexes both programs refuse. */
#define ROOM (1 << 17)
#define PACKETS 24

static uint8_t packet[ROOM];

/* Writes a value out of a few; some are parts of others. */
static void write_shared_value(struct generator *g)
{
	switch (generate_below(g, 12)) {
	case 0:
	case 1:
		ONE_OF(g, "tcp[2]", "udp[2:2]", "tcp[13]", "icmp[0]");
		return;
	case 2:
		ONE_OF(g, "ip[3]", "ip[4]", "ip[9]", "ip[8]");
		return;
	case 3:
		ONE_OF(g, "ip[2:2]", "ip[ip[9]]", "ip[ip[3] & 15]");
		return;
	case 4:
		ONE_OF(g, "7", "len", "5", "0x10");
		return;
	case 5:
		ONE_OF(g, "tcp[(tcp[12] & 0xf0) >> 2]", "udp[ip[3] & 7]");
		return;
	case 6:
		generate_word(g, "-");
		write_shared_value(g);
		return;
	default:
		generate_word(g, "(");
		write_shared_value(g);
		ONE_OF(g, "+", "-", "&", "|", "*", "<<", ">>");
		if (generate_below(g, 4))
			write_shared_value(g);
		else
			ONE_OF(g, "3", "1", "12");
		generate_word(g, ")");
	}
}

static void write_comparisons(struct generator *g)
{
	uint32_t n = 1 + generate_below(g, 5);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			ONE_OF(g, "or", "and", "or not", "and not");
		write_shared_value(g);
		ONE_OF(g, "=", "!=", "<", ">", "<=", ">=");
		write_shared_value(g);
	}
}

/* Fills in a packet: IPv4 mostly, IPv6, or any bytes. */
static void make_plain_packet(struct generator *g)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132, 2 };

	for (uint32_t i = 0; i < 300; i++)
		packet[i] = (uint8_t)(generate_below(g, 3) ? generate_below(g, 8)
							   : generate_below(g, 256));
	if (generate_below(g, 8)) {
		packet[0] = (uint8_t)(0x45 + generate_below(g, 3));
		packet[6] = 0;
		packet[7] = 0;
		packet[9] = protocols[generate_below(g, 5)];
	} else if (generate_below(g, 2)) {
		packet[0] = 0x60;
		packet[6] = protocols[generate_below(g, 5)];
	}
}

static unsigned long passed, failed, compiled, matched;

/* Compares both programs of an expression on PACKETS packets. */
static void compare_with_plain(
	struct generator *g, struct bpe_filter_options *o, const char *text, uint64_t seed)
{
	struct bpe_insn *program, *plain;
	uint32_t length, plain_length, differ = 0;

	if (bpe_filter_compile_with(text, o, &program, &length, NULL) < 0)
		return;
	o->unoptimized = 1;
	if (bpe_filter_compile_with(text, o, &plain, &plain_length, NULL) < 0) {
		bpe_filter_free(program); /* too deep for the memory words, for example */
		return;
	}
	compiled++;
	for (int i = 0; i < PACKETS; i++) {
		make_plain_packet(g);
		const uint32_t a = bpe_filter_run(program, packet, 300, sizeof packet);
		const uint32_t b = bpe_filter_run(plain, packet, 300, sizeof packet);
		differ += a != b;
		matched += a != 0;
	}
	bpe_filter_free(program);
	bpe_filter_free(plain);
	if (!differ) {
		passed++;
		return;
	}
	if (++failed < 20)
		printf("seed %llu, %s: %s: %u of %u packets have another verdict\n",
			(unsigned long long)seed, bpe_link_type_name(o->link_type), text, differ,
			PACKETS);
}

int main(int argc, char **argv)
{
	static const int links[] = { 101, 101, 101, 1, 127, 192, 276 };
	const unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	char text[8192];

	for (uint64_t seed = first; seed < first + n; seed++) {
		struct generator g = {
			.state = seed, .text = text, .room = sizeof text, .sound = 1
		};
		struct bpe_filter_options o;

		generate_below(&g, 2);
		bpe_filter_options_init(&o);
		o.link_type = links[generate_below(&g, sizeof links / sizeof *links)];
		text[0] = 0;
		if (!generate_below(&g, 8))
			o.through = BPE_THROUGH_IPV6_EXT;
		if (generate_below(&g, 4))
			write_comparisons(&g);
		else
			generate_expression(&g);
		compare_with_plain(&g, &o, text, seed);
	}
	const double verdicts = compiled ? (double)compiled * PACKETS : 1;
	printf("%lu of %lu expressions compiled, %.1f %% of their verdicts yes\n", compiled, n,
		100.0 * (double)matched / verdicts);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !compiled;
}
