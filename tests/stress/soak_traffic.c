/* SPDX-License-Identifier: MIT */
/* soak_traffic flood PACKETS | collide PACKETS SEED: writes a savefile of hostile traffic to
 * standard output, a packet each microsecond.
 *
 * flood: opens 1,000 connections.  Then seven of eight packets are SYNs of random addresses, and
 * each eighth packet is the next segment of a connection.
 * collide: UDP between pairs of endpoints with hashes that agree in 12 bits under the seed, again
 * and again, as an attacker with the seed would send. */
#include "arch/arch.h"
#include "base/bytes.h"
#include "records/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 60, CONNECTIONS = 1000, PAIRS = 20000, SAME_BITS = 12 };
enum { SERVER = (int)0xc0000201, CLIENTS = 0x0a000000, SERVER_PORT = 443, CLIENT_PORT = 5000 };

/* Addresses and ports of a packet. */
struct packet_ends {
	uint32_t source, target;
	uint16_t source_port, target_port;
};

static uint64_t now_ns = UINT64_C(1700000000000000000);
static uint64_t random_state = 88172645463325252u;

/* Returns 64 random bits. */
static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Writes a frame with a record header, a microsecond after the frame before. */
static void write_soak_record(const uint8_t *frame)
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

/* Makes a frame with Ethernet and IPv4 headers, ports, and a byte of data. */
static void make_soak_frame(uint8_t *f, uint8_t proto, const struct packet_ends *ends)
{
	memset(f, 0, FRAME);
	f[12] = 8;
	f[14] = 0x45;
	f[22] = 64;
	f[23] = proto;
	bpei_put_be16(f + 16, proto == 6 ? 41 : 29);
	bpei_put_be32(f + 26, ends->source);
	bpei_put_be32(f + 30, ends->target);
	bpei_put_be16(f + 34, ends->source_port);
	bpei_put_be16(f + 36, ends->target_port);
	if (proto == 17)
		bpei_put_be16(f + 38, 9);
}

/* Writes a TCP segment; has_data: with a byte of data. */
static void write_soak_segment(
	const struct packet_ends *ends, uint8_t flags, uint32_t seq, uint32_t ack, bool has_data)
{
	uint8_t f[FRAME];

	make_soak_frame(f, 6, ends);
	bpei_put_be16(f + 16, has_data ? 41 : 40);
	bpei_put_be32(f + 38, seq);
	bpei_put_be32(f + 42, ack);
	f[46] = 0x50;
	f[47] = flags;
	f[48] = 100;
	write_soak_record(f);
}

/* Returns the ends of a packet of a connection; by_server: sent by the server. */
static struct packet_ends ends_of_connection(uint32_t connection, bool by_server)
{
	const uint32_t client = CLIENTS + connection;

	if (by_server)
		return (struct packet_ends){ (uint32_t)SERVER, client, SERVER_PORT, CLIENT_PORT };
	return (struct packet_ends){ client, (uint32_t)SERVER, CLIENT_PORT, SERVER_PORT };
}

/* Writes the handshakes of all connections. */
static void open_connections(void)
{
	for (uint32_t c = 0; c < CONNECTIONS; c++) {
		const struct packet_ends client = ends_of_connection(c, false);
		const struct packet_ends server = ends_of_connection(c, true);

		write_soak_segment(&client, 2, 0, 0, false);
		write_soak_segment(&server, 18, 0, 1, false);
		write_soak_segment(&client, 16, 1, 1, false);
	}
}

/* Writes a SYN from a random address. */
static void write_random_syn(void)
{
	const uint64_t x = random_bits();
	const struct packet_ends ends = { (uint32_t)x | 0x40000000, (uint32_t)SERVER,
		(uint16_t)(x >> 32), SERVER_PORT };

	write_soak_segment(&ends, 2, (uint32_t)(x >> 16), 0, false);
}

/* Writes connections in a flood of SYNs. */
static void write_flood(uint64_t packets)
{
	static uint32_t sent[CONNECTIONS][2]; /* bytes, by end */

	open_connections();
	for (uint64_t p = 0; p < packets; p++) {
		if (p % 8) {
			write_random_syn();
			continue;
		}
		const uint32_t c = (uint32_t)(p / 8 % CONNECTIONS);
		const uint32_t end = p / 8 / CONNECTIONS & 1;
		const struct packet_ends ends = ends_of_connection(c, end);
		write_soak_segment(&ends, 16, 1 + sent[c][end], 1 + sent[c][!end], true);
		sent[c][end]++;
	}
}

/* Finds `pairs` frames with hashes that agree in SAME_BITS bits under the seed. */
static void find_colliding_frames(
	uint8_t found[PAIRS][FRAME], uint32_t pairs, const struct bpei_seed *seed)
{
	static uint8_t frame[BPE_BATCH][FRAME];
	struct bpei_columns c;
	uint32_t n = 0;

	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(1);
	while (n < pairs) {
		for (uint32_t i = 0; i < BPE_BATCH; i++) {
			const uint64_t x = random_bits();
			const struct packet_ends ends = { (uint32_t)x, (uint32_t)(x >> 32), 53,
				53 };

			make_soak_frame(frame[i], 17, &ends);
			c.data[i] = frame[i];
			c.caplen[i] = FRAME;
			c.wirelen[i] = FRAME;
			c.outgoing[i] = 0;
		}
		bpei_parse(&c, BPE_BATCH, 1, seed);
		for (uint32_t i = 0; i < BPE_BATCH && n < pairs; i++)
			if ((c.hash[i] & ((1u << SAME_BITS) - 1)) == 5)
				memcpy(found[n++], frame[i], FRAME);
	}
	bpei_columns_free(&c, BPE_BATCH);
}

/* Writes colliding frames in random order. */
static void write_collisions(uint64_t packets, uint64_t seed_value)
{
	static uint8_t found[PAIRS][FRAME];
	const uint32_t pairs = packets / 200 < PAIRS ? (uint32_t)(packets / 200) + 1 : PAIRS;
	struct bpei_seed seed;

	bpei_seed_init(&seed, seed_value);
	find_colliding_frames(found, pairs, &seed);
	for (uint64_t p = 0; p < packets; p++)
		write_soak_record(found[random_bits() % pairs]);
}

int main(int argc, char **argv)
{
	static const uint8_t header[24] = { 0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0, 0, 4, 0,
		1, 0, 0, 0 };

	if (argc < 3 || fwrite(header, sizeof header, 1, stdout) != 1)
		return 2;
	if (!strcmp(argv[1], "flood"))
		write_flood(strtoull(argv[2], NULL, 10));
	else if (argc > 3)
		write_collisions(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
