/* SPDX-License-Identifier: MIT */
/* Generated traffic: a number of conversations at a time, each following a script.  The same seed
 * generates the same traffic. */
#ifndef BPEI_SYNTH_GEN_H
#define BPEI_SYNTH_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_SYNTH_FRAME 2048u /* no frame is longer */

struct bpei_synth_options {
	uint32_t flows; /* conversations alive at a time */
	uint32_t size;  /* of a full frame; 0: imix */
	uint64_t seed;
	uint64_t rate;       /* packets a second; 0: at reading speed */
	uint64_t count;      /* packets in all; 0: endless */
	uint32_t vlan, ipv6; /* percent of conversations */
	uint32_t retransmit; /* of a thousand TCP data segments */
};

/* Counts of the generated traffic, by the generator itself. */
struct bpei_synth_truth {
	uint64_t packets, wire_bytes, arp_packets;
	uint64_t flows; /* IP conversations begun */
	uint64_t tcp_opened, tcp_closed, tcp_refused, tcp_reset, tcp_retransmitted;
};

/* Reads "synth" or "synth:key=value,...".  Returns NULL, or what is wrong, in text (room bytes). */
const char *bpei_synth_parse(
	const char *name, struct bpei_synth_options *options, char *text, size_t room);

struct bpei_synth_gen;
/* Returns a generator, or NULL without memory. */
struct bpei_synth_gen *bpei_synth_gen_new(const struct bpei_synth_options *options);
void bpei_synth_gen_free(struct bpei_synth_gen *gen);
/* Builds the next frame at p, which has room for BPEI_SYNTH_FRAME bytes.  Returns the length. */
uint32_t bpei_synth_gen_next(struct bpei_synth_gen *gen, uint8_t *p);
const struct bpei_synth_truth *bpei_synth_gen_truth(const struct bpei_synth_gen *gen);

#endif
