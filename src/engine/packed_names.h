/* SPDX-License-Identifier: MIT */
/* Names of a flow as they lie in a ring of records: the numbers, then each text with its final 0.
 * Pure. */
#ifndef BPEI_PACKED_NAMES_H
#define BPEI_PACKED_NAMES_H

#include "bpfengine.h"

/* Returns the bytes of the packed names; 0: the names are empty. */
uint32_t bpei_packed_names_bytes(const struct bpe_flow_names *names);
/* Packs names to as many bytes. */
void bpei_packed_names_write(uint8_t *to, const struct bpe_flow_names *names);
/* Unpacks names into a zeroed structure.  Returns the byte behind the packed names. */
const uint8_t *bpei_packed_names_read(const uint8_t *from, struct bpe_flow_names *names);

#endif
