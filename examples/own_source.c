/* SPDX-License-Identifier: MIT */
/* own_source: flows of packets that the program itself supplies.  Each line of the standard input
 * is a packet in hexadecimal, from the Ethernet header on.  Prints a line of CSV for each flow.
 * AF_XDP, DPDK, NFQUEUE or a test push packets in the same way. */
#include "bpfengine.h"

#include <stdio.h>

static void print_csv(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	char line[BPE_FORMAT_BYTES];
	(void)user, (void)worker;
	if (bpe_flow_format(flow, BPE_FORMAT_CSV, line, sizeof line) > 0)
		fputs(line, stdout);
}

/* Reads the next line as the bytes of a packet.  Returns false at the end of the input. */
static bool read_hex_packet(uint8_t *bytes, struct bpe_packet *packet)
{
	static char line[2 * 65536];
	unsigned byte;

	if (!fgets(line, sizeof line, stdin))
		return false;
	for (packet->caplen = 0; sscanf(line + 2 * packet->caplen, "%2x", &byte) == 1;)
		bytes[packet->caplen++] = (uint8_t)byte;
	packet->data = bytes;
	packet->wirelen = packet->caplen;
	packet->time_ns += 1000000;
	return true;
}

int main(void)
{
	static uint8_t bytes[65536];
	int status;
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_packet packet;
	struct bpe_error error;

	bpe_options_init(&options);
	options.push = true;
	options.on_flow = print_csv;
	if (bpe_engine_open(&options, &engine, &error) < 0)
		return fprintf(stderr, "%s\n", error.text), 1;
	bpe_packet_init(&packet);
	packet.time_ns = INT64_C(1700000000000000000);
	status = bpe_engine_start(engine, &error);
	while (status >= 0 && read_hex_packet(bytes, &packet))
		status = bpe_engine_push(engine, &packet, 1, -1, &error);
	if (status < 0 || bpe_engine_push_end(engine, &error) < 0)
		fprintf(stderr, "%s\n", error.text);
	else
		bpe_engine_wait(engine, -1);
	bpe_engine_close(engine);
	return status < 0;
}
