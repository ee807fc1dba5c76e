/* SPDX-License-Identifier: MIT */
/* Any text as the options of synth: refused in a sentence that fits its room, or within bounds;
 * what is then generated is well-formed, and its own counts agree with it. */
#include "arch/arch.h"
#include "device/synth_gen.h"
#include "fuzz.h"
#include "layers_check.h"

#include <string.h>

#define FRAMES 300u
#define MOST_FLOWS 5000u /* more would only take time */

static void generate_frames(const struct bpei_synth_options *o)
{
	uint8_t frame[BPEI_SYNTH_FRAME];
	uint64_t wire_bytes = 0, arp = 0;
	struct bpei_synth_gen *gen = bpei_synth_gen_new(o);
	FUZZ_CHECK(gen != NULL);
	for (uint32_t i = 0; i < FRAMES; i++) {
		const uint8_t *data[1] = { frame };
		uint32_t length = bpei_synth_gen_next(gen, frame);
		uint32_t wirelen = length;
		struct bpe_layers layers = { .flags = 0 };
		struct bpe_key key;
		struct bpei_columns c = { .data = data,
			.caplen = &length,
			.wirelen = &wirelen,
			.layers = &layers,
			.key = &key };
		FUZZ_CHECK(length >= 60 && length <= 1514 + 4);
		bpei_parse_scalar(&c, 1, 1, NULL);
		FUZZ_CHECK(
			!(layers.flags & BPE_PKT_WRONG) && !layers_wrong(&layers, &key, length, 1));
		FUZZ_CHECK(layers.flags & BPE_PKT_KEY || layers.proto == BPE_PROTO_ARP);
		wire_bytes += length;
		arp += layers.proto == BPE_PROTO_ARP;
	}
	const struct bpei_synth_truth *truth = bpei_synth_gen_truth(gen);
	FUZZ_CHECK(truth->packets == FRAMES && truth->wire_bytes == wire_bytes &&
		   truth->arp_packets == arp);
	FUZZ_CHECK(truth->tcp_closed <= truth->tcp_opened && truth->tcp_opened <= truth->flows);
	bpei_synth_gen_free(gen);
}

void fuzz_synth_options(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	struct bpei_synth_options o = { .flows = 12345 };
	size_t room = 1 + fuzz_u8(&in) % 200;
	size_t left = fuzz_left(&in);
	char *text = malloc(room);
	char *name = malloc(left + 7);
	FUZZ_CHECK(text && name);
	memcpy(name, "synth:", 6);
	memcpy(name + 6, in.next, left);
	name[6 + left] = 0;
	const char *wrong = bpei_synth_parse(name, &o, text, room);
	if (wrong) {
		FUZZ_CHECK(strlen(wrong) < room || wrong != text);
		FUZZ_CHECK(o.flows == 12345); /* untouched */
	} else {
		FUZZ_CHECK(o.flows >= 1 && o.flows <= 10000000 &&
			   (!o.size || (o.size >= 60 && o.size <= 1514)));
		FUZZ_CHECK(o.vlan <= 100 && o.ipv6 <= 100 && o.retransmit <= 1000);
		if (o.flows <= MOST_FLOWS)
			generate_frames(&o);
	}
	free(text);
	free(name);
}
