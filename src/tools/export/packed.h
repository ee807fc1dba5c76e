/* SPDX-License-Identifier: MIT */
/* Records of flows as bytes between processes of this program: the numbers, then each text that is
 * not empty.  Pure. */
#ifndef EXPORT_PACKED_H
#define EXPORT_PACKED_H

#include "bpfengine.h"

#define EXPORT_PACKED_MOST 4096 /* bytes of the longest record */

/* Packs a record.  Returns the bytes written.  A record of another size than this program's is
 * taken as bpe_flow_copy does. */
uint32_t export_pack(uint8_t to[EXPORT_PACKED_MOST], const struct bpe_flow *flow);
/* Unpacks a record.  *flow is a record of before, or all zero.  Bytes behind the end of a text keep
 * what they were.  Returns false if the bytes are no record; *flow then has no meaning. */
bool export_unpack(struct bpe_flow *flow, const uint8_t *from, uint32_t n);

#endif
