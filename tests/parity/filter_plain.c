/* SPDX-License-Identifier: MIT */
/* filter_plain [EXPRESSIONS [SEED]]: every optimized program equals its unoptimized form, in which
 * each test loads what it needs.  Expressions of the grammar, and comparisons over few values that
 * come again and again, so that registers and memory words are shared; whole packets, on which
 * every load succeeds: what a cut one is loses by a load may come later in an optimized program. */
#include "bpfengine.h"
#include "generate.h"

#include <stdlib.h>

#define ROOM                                                                                       \
	(1 << 17) /* beyond what 16 bits and a header can reach; larger indices are compared all   \
		     the same, both refuse them */
#define PACKETS 24

static uint8_t packet[ROOM];

/* A value of a few, of which some are parts of others. */
static void plain_field_value(struct generator *g)
{
	switch (pick(g, 12)) {
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
		say(g, "-"), plain_field_value(g);
		return;
	default:
		say(g, "("), plain_field_value(g);
		ONE_OF(g, "+", "-", "&", "|", "*", "<<", ">>");
		if (pick(g, 4))
			plain_field_value(g);
		else
			ONE_OF(g, "3", "1", "12");
		say(g, ")");
	}
}

static void compare_plain_programs(struct generator *g)
{
	uint32_t n = 1 + pick(g, 5);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			ONE_OF(g, "or", "and", "or not", "and not");
		plain_field_value(g);
		ONE_OF(g, "=", "!=", "<", ">", "<=", ">=");
		plain_field_value(g);
	}
}

static void make_plain_packet(struct generator *g)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132, 2 };
	for (uint32_t i = 0; i < 300; i++)
		packet[i] = (uint8_t)(pick(g, 3) ? pick(g, 8) : pick(g, 256));
	if (pick(g, 8))
		packet[0] = (uint8_t)(0x45 + pick(g, 3)), packet[6] = packet[7] = 0,
		packet[9] = protocols[pick(g, 5)];
	else if (pick(g, 2))
		packet[0] = 0x60, packet[6] = protocols[pick(g, 5)];
}

int main(int argc, char **argv)
{
	static const int links[] = { 101, 101, 101, 1, 127, 192, 276 };
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	unsigned long passed = 0;
	unsigned long failed = 0;
	unsigned long taken = 0;
	unsigned long yes = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	char text[8192];
	for (unsigned long k = 0; k < n; k++) {
		struct generator g = {
			.state = seed + k, .text = text, .room = sizeof text, .sound = 1
		};
		struct bpe_filter_options o;
		struct bpe_insn *program, *plain;
		uint32_t length, plain_length, differ = 0;
		pick(&g, 2);
		bpe_filter_options_init(&o);
		o.link_type = links[pick(&g, sizeof links / sizeof *links)];
		text[0] = 0;
		if (!pick(&g, 8))
			o.through = BPE_THROUGH_IPV6_EXT;
		if (pick(&g, 4))
			compare_plain_programs(&g);
		else
			generate(&g);
		if (bpe_filter_compile_with(text, &o, &program, &length, NULL) < 0)
			continue;
		o.unoptimized = 1;
		if (bpe_filter_compile_with(text, &o, &plain, &plain_length, NULL) <
			0) { /* too deep for the words of memory, say */
			bpe_filter_free(program);
			continue;
		}
		taken++;
		for (int i = 0; i < PACKETS; i++) {
			make_plain_packet(&g);
			uint32_t a = bpe_filter_run(program, packet, 300, sizeof packet);
			uint32_t b = bpe_filter_run(plain, packet, 300, sizeof packet);
			differ += a != b;
			yes += a != 0;
		}
		bpe_filter_free(program), bpe_filter_free(plain);
		if (!differ && ++passed)
			continue;
		if (++failed < 20)
			printf("seed %llu, %s: %s: %u of %u packets have another verdict\n",
				(unsigned long long)(seed + k), bpe_link_type_name(o.link_type),
				text, differ, PACKETS);
	}
	printf("%lu of %lu expressions compiled, %.1f %% of their verdicts yes\n", taken, n,
		100.0 * (double)yes / (double)(taken ? taken * PACKETS : 1));
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || !taken;
}
