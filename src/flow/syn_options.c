/* SPDX-License-Identifier: MIT */
/* Options of SYNs, interned: a hash table without removal, whose elements flows share. */
#include "flow/tcp_analysis.h"

#define PROBES 8u
#define KEPT_OPTIONS                                                                               \
	(BPE_TCP_MSS | BPE_TCP_WINDOW_SCALE | BPE_TCP_SACK_PERMITTED | BPE_TCP_TIMESTAMPS)

/* Returns a hash of the options. */
static uint32_t hash_syn_options(const struct bpei_syn_options *o)
{
	const uint32_t mss = o->mss[0] | (uint32_t)o->mss[1] << 16;
	const uint32_t scale = o->scale[0] | (uint32_t)o->scale[1] << 8;
	const uint32_t present = (uint32_t)o->present[0] << 16 | (uint32_t)o->present[1] << 24;
	const uint32_t hash = mss * 2654435769u ^ (scale | present) * 2246822519u;

	return hash ^ hash >> 15;
}

/* Writes the number of the flow's options to both halves in cold.ack. */
static void set_syn_options(struct bpei_flow_cold *cold, uint32_t number)
{
	const uint32_t half_mask = (1u << ACK_OPTIONS_HALF) - 1;

	for (uint32_t half = 0; half < 2; half++) {
		const uint32_t bits = number >> ACK_OPTIONS_HALF * half & half_mask;

		cold->ack[half] &= ((uint32_t)1 << ACK_OPTIONS_SHIFT) - 1;
		cold->ack[half] |= bits << ACK_OPTIONS_SHIFT;
	}
}

void bpei_syn_options_intern(
	struct bpei_table *t, uint32_t i, uint32_t end, const struct bpe_tcp_options *o)
{
	struct bpei_syn_options wanted = t->syn_options[bpei_cold_syn_options(&t->cold[i])];

	wanted.present[end] = o->present & KEPT_OPTIONS;
	wanted.mss[end] = o->mss;
	wanted.scale[end] = o->window_scale;
	const uint32_t hash = hash_syn_options(&wanted);
	for (uint32_t k = 0; k < PROBES; k++) {
		const uint32_t number = (hash + k) % BPEI_SYN_OPTIONS;
		struct bpei_syn_options *const element = &t->syn_options[number];

		if (!number)
			continue;
		if (!(element->present[0] | element->present[1]))
			*element = wanted;
		if (memcmp(element, &wanted, sizeof wanted))
			continue;
		set_syn_options(&t->cold[i], number);
		return;
	}
	bpei_entry_set_state(&t->entries[i], 0, STATE_CUT);
}
