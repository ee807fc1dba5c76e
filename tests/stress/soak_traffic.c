/* SPDX-License-Identifier: MIT */
/* soak_traffic flood PACKETS | collide PACKETS SEED: a savefile of bad traffic on standard output,
 * a microsecond a packet.
 *
 * flood: 1,000 connections are opened; then seven of eight packets are SYNs of random addresses,
 * and every eighth is the next in turn of a connection. collide: UDP between pairs of ends whose
 * hashes with that seed agree in 12 bits, again and again: an attacker who knows the seed. */
#include "arch/arch.h"
#include "base/bytes.h"
#include "records/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 60, CONNECTIONS = 1000, PAIRS = 20000, SAME_BITS = 12 };

static uint64_t now_ns = UINT64_C(1700000000000000000), random_state = 88172645463325252u;

static uint64_t roll(void)
{
	random_state ^= random_state << 13, random_state ^= random_state >> 7,
		random_state ^= random_state << 17;
	return random_state;
}

static void emit(const uint8_t *frame)
{
	uint8_t record[16 + FRAME];
	now_ns += 1000;
	bpei_store32(record, (uint32_t)(now_ns / 1000000000));
	bpei_store32(record + 4, (uint32_t)(now_ns % 1000000000));
	bpei_store32(record + 8, FRAME);
	bpei_store32(record + 12, FRAME);
	memcpy(record + 16, frame, FRAME);
	if (fwrite(record, sizeof record, 1, stdout) != 1)
		exit(1);
}

static void make(
	uint8_t *f, uint8_t proto, uint32_t source, uint32_t target, uint16_t sport, uint16_t dport)
{
	memset(f, 0, FRAME);
	f[12] = 8, f[14] = 0x45, f[22] = 64, f[23] = proto;
	bpei_put_be16(f + 16, proto == 6 ? 41 : 29); /* a byte of data */
	bpei_put_be32(f + 26, source), bpei_put_be32(f + 30, target);
	bpei_put_be16(f + 34, sport), bpei_put_be16(f + 36, dport);
	if (proto == 17)
		bpei_put_be16(f + 38, 9);
}

static void segment(uint32_t source, uint32_t target, uint16_t sport, uint16_t dport, uint8_t flags,
	uint32_t seq, uint32_t ack, bool data)
{
	uint8_t f[FRAME];
	make(f, 6, source, target, sport, dport);
	bpei_put_be16(f + 16, data ? 41 : 40);
	bpei_put_be32(f + 38, seq), bpei_put_be32(f + 42, ack);
	f[46] = 0x50, f[47] = flags, f[48] = 100;
	emit(f);
}

static void flood(uint64_t packets)
{
	static uint32_t sent[CONNECTIONS][2];
	for (uint32_t c = 0; c < CONNECTIONS; c++) {
		segment(0x0a000000 + c, 0xc0000201, 5000, 443, 2, 0, 0, false);
		segment(0xc0000201, 0x0a000000 + c, 443, 5000, 18, 0, 1, false);
		segment(0x0a000000 + c, 0xc0000201, 5000, 443, 16, 1, 1, false);
	}
	for (uint64_t p = 0; p < packets; p++) {
		if (p % 8) {
			uint64_t x = roll();
			segment((uint32_t)x | 0x40000000, 0xc0000201, (uint16_t)(x >> 32), 443, 2,
				(uint32_t)(x >> 16), 0, false);
			continue;
		}
		uint32_t c = (uint32_t)(p / 8 % CONNECTIONS), end = p / 8 / CONNECTIONS & 1,
			 *s = sent[c];
		if (end)
			segment(0xc0000201, 0x0a000000 + c, 443, 5000, 16, 1 + s[1]++, 1 + s[0],
				true);
		else
			segment(0x0a000000 + c, 0xc0000201, 5000, 443, 16, 1 + s[0]++, 1 + s[1],
				true);
	}
}

static void collide(uint64_t packets, uint64_t seed_value)
{
	static uint8_t found[PAIRS][FRAME], frame[BPE_BATCH][FRAME];
	struct bpei_seed seed;
	struct bpei_columns c;
	uint32_t n = 0;
	bpei_seed_init(&seed, seed_value);
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(1);
	uint32_t pairs = packets / 200 < PAIRS ? (uint32_t)(packets / 200) + 1 : PAIRS;
	while (n < pairs) {
		for (uint32_t i = 0; i < BPE_BATCH; i++) {
			uint64_t x = roll();
			make(frame[i], 17, (uint32_t)x, (uint32_t)(x >> 32), 53, 53);
			c.data[i] = frame[i];
			c.caplen[i] = c.wirelen[i] = FRAME;
			c.outgoing[i] = 0;
		}
		bpei_parse(&c, BPE_BATCH, 1, &seed);
		for (uint32_t i = 0; i < BPE_BATCH && n < pairs; i++)
			if ((c.hash[i] & ((1u << SAME_BITS) - 1)) == 5)
				memcpy(found[n++], frame[i], FRAME);
	}
	for (uint64_t p = 0; p < packets; p++)
		emit(found[roll() % pairs]);
	bpei_columns_free(&c, BPE_BATCH);
}

int main(int argc, char **argv)
{
	static const uint8_t header[24] = { 0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0, 0, 4, 0,
		1, 0, 0, 0 };
	if (argc < 3 || fwrite(header, sizeof header, 1, stdout) != 1)
		return 2;
	if (!strcmp(argv[1], "flood"))
		flood(strtoull(argv[2], NULL, 10));
	else if (argc > 3)
		collide(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
