/* SPDX-License-Identifier: MIT */
/* The file of a packet when a capture is split, and the words of the file's name.  Pure. */
#ifndef BPEI_SPLIT_KEY_H
#define BPEI_SPLIT_KEY_H

#include "bpfengine.h"

#include <stddef.h>
#include <stdint.h>

/* Room for the words of a name: a flow of two IPv6 addresses, VLANs and a tunnel. */
#define BPEI_SPLIT_WORDS 200

enum bpei_split_kind {
	BPEI_SPLIT_OTHER, /* packets without a flow, or without a known process */
	BPEI_SPLIT_OF_FLOW,
	BPEI_SPLIT_OF_HOST,
	BPEI_SPLIT_OF_PROCESS
};

/* The key of a file.  Unused members are 0: keys are compared as bytes. */
struct bpei_split_key {
	uint8_t kind; /* enum bpei_split_kind */
	uint8_t ip_version, ip_proto, zero;
	uint16_t vlan[2];
	uint32_t tunnel; /* bpe_key.tunnel */
	int32_t pid;
	uint16_t port[2];
	uint8_t addr[2][16];
	char comm[32];
};

/* Fills the key of packet i of a batch.  by: enum bpe_write_split. */
void bpei_split_key_of(
	const struct bpe_batch *batch, uint32_t i, uint32_t by, struct bpei_split_key *key);
/* Writes the words of the file's name: letters, digits, '.', '-' and '_' alone, and no dot in
 * front.  Returns the length. */
size_t bpei_split_words(const struct bpei_split_key *key, char words[BPEI_SPLIT_WORDS]);

#endif
