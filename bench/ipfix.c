/* SPDX-License-Identifier: MIT */
/* bench/ipfix: measures the cost of a flow in messages of IPFIX and NetFlow, templates and headers
 * included, beside the same flow as a line of JSON.  A sender has each flow in a structure that
 * lies in the cache, so the flows measured are few.  Each flow has packets in both directions: two
 * records, or one of a biflow. */
#include "bench.h"
#include "bpfengine.h"
#include "tools/ipfix/encoder.h"

#include <string.h>

#define FLOWS 64u
#define PASSES 2000u
#define DUE_EVERY 256u /* passes between two rounds of templates: 16,384 flows */

static struct bpe_flow flows[FLOWS];
static struct ipfix_encoder encoder;
static uint8_t message[IPFIX_ROOM_MOST];
static char text[BPE_FORMAT_BYTES];

static const struct {
	const char *name;
	struct ipfix_config config;
	uint32_t room;
} forms[] = {
	{ "IPFIX, two uniflows, 1400 bytes", { .version = IPFIX_IPFIX }, 1400 },
	{ "IPFIX, biflow, 1400 bytes", { .version = IPFIX_IPFIX, .is_biflow = true }, 1400 },
	{ "IPFIX, two uniflows, times in ns", { .version = IPFIX_IPFIX, .is_ns = true }, 1400 },
	{ "IPFIX, two uniflows, 65535 bytes (TCP, file)", { .version = IPFIX_IPFIX },
		IPFIX_ROOM_MOST },
	{ "IPFIX, profile ntop", { .version = IPFIX_IPFIX, .profile = IPFIX_NTOP }, 1400 },
	{ "IPFIX, profile cesnet", { .version = IPFIX_IPFIX, .profile = IPFIX_CESNET }, 1400 },
	{ "IPFIX, profile own", { .version = IPFIX_IPFIX, .profile = IPFIX_OWN, .pen = 32473 },
		1400 },
	{ "NetFlow v9", { .version = IPFIX_NETFLOW9, .is_live = true }, 1400 },
	{ "NetFlow v5", { .version = IPFIX_NETFLOW5, .is_live = true }, 1464 },
};
enum { FORMS = sizeof forms / sizeof *forms };

static void make_encoder_flows(void)
{
	uint64_t seed = 88172645463325252u;

	for (uint32_t k = 0; k < FLOWS; k++) {
		struct bpe_flow *f = &flows[k];

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		memset(f, 0, sizeof *f);
		f->version = BPE_FLOW_VERSION;
		f->size = sizeof *f;
		f->ip_proto = 6;
		f->ip_version = 4;
		f->flags = BPE_FLOW_HEALTH | BPE_FLOW_LENGTHS;
		f->end = BPE_END_CLOSED;
		f->hash = (uint32_t)seed;
		f->slot = k;
		f->interface_index = 2;
		strcpy(f->interface_name, "eth0");
		memcpy(f->addr[0], &seed, 4);
		memcpy(f->addr[1], (char *)&seed + 4, 4);
		f->port[0] = (uint16_t)(seed >> 40 | 1024);
		f->port[1] = 443;
		f->first_ns = 1700000000000000000 + (int64_t)(seed % 1000000000000);
		f->last_ns = f->first_ns + (int64_t)(seed % 30000000000);
		f->pid = f->effective_pid = f->names.uid = -1;
		strcpy(f->history, "ShADadFf");
		strcpy(f->names.server, "www.example.com");
		f->names.source = BPE_NAME_TLS;
		for (int e = 0; e < 2; e++) {
			f->packets[e] = seed % 50 + 1;
			f->ip_bytes[e] = f->packets[e] * 386;
			f->wire_bytes[e] = f->packets[e] * 400;
			f->captured_bytes[e] = f->wire_bytes[e];
			f->tcp_flags[e] = 0x1b;
			f->handshake_ns[e] = 1200000;
			f->rtt_ns[e] = -1;
			f->mss[e] = 1460;
			f->window_scale[e] = 7;
		}
	}
}

/* Ends the message and begins the next. */
static void turn_encoder_message(uint32_t room)
{
	struct ipfix_message told;

	bench_keep(ipfix_finish(&encoder, 1700001000000000000, &told));
	ipfix_begin(&encoder, message, room);
}

static double time_encoder(uint32_t form)
{
	const uint32_t room = forms[form].room;
	struct ipfix_config config = forms[form].config;
	int64_t t;
	char why[128];

	config.started_ns = 1699999000000000000;
	if (ipfix_open(&encoder, &config, why, sizeof why) < 0)
		abort();
	ipfix_begin(&encoder, message, room);
	t = bpei_clock_mono_ns();
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		if (pass % DUE_EVERY == 0)
			ipfix_templates_due(&encoder);
		for (uint32_t k = 0; k < FLOWS; k++)
			while (ipfix_add(&encoder, &flows[k]) == IPFIX_FULL)
				turn_encoder_message(room);
	}
	return (double)(bpei_clock_mono_ns() - t) / (PASSES * FLOWS);
}

static double time_line(uint32_t format)
{
	const int64_t t = bpei_clock_mono_ns();

	for (uint32_t pass = 0; pass < PASSES / 10; pass++)
		for (uint32_t k = 0; k < FLOWS; k++)
			bench_keep((uint64_t)bpe_flow_format(
				&flows[k], (int)format, text, sizeof text));
	return (double)(bpei_clock_mono_ns() - t) / (PASSES / 10 * FLOWS);
}

int main(void)
{
	static struct bench_row rows[FORMS + 1] = { { .name = "JSON line" } };

	make_encoder_flows();
	for (uint32_t f = 0; f < FORMS; f++)
		rows[f + 1].name = forms[f].name;
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		rows[0].ns[round] = time_line(BPE_FORMAT_JSON);
		for (uint32_t f = 0; f < FORMS; f++)
			rows[f + 1].ns[round] = time_encoder(f);
	}
	bench_print(rows, FORMS + 1, "flow");
	return 0;
}
