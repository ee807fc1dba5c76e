/* SPDX-License-Identifier: MIT */
/* The number that the flow table keeps for each entry (4 bytes): the state of the flow's names.
 *
 *   0                       new: no payload yet.
 *   1 + app                 finished, with nothing but the protocol; 1: nothing at all.
 *   BPEI_ID_CUT + 1 + app   finished, with nothing but the protocol and BPE_NAMED_CUT.
 *   BPEI_ID_SLABS + slab    finished, with names.
 *   BPEI_ID_TRIED | ...     payload unknown to the readers; tried again a few times.
 *   BPEI_ID_SYN | seq       a SYN was seen: lower 30 bits of the originator's first number.
 *   BPEI_ID_WATCH | number  unfinished payload, or a TCP flow of messages.
 *   BPEI_ID_EACH | finished a UDP flow of messages: each datagram is read.
 *
 * Finished flows need no look at their packets: a comparison tells them. */
#ifndef BPEI_IDS_H
#define BPEI_IDS_H

#include "bpfengine.h"

#define BPEI_ID_NEW 0u
#define BPEI_ID_NOTHING 1u
#define BPEI_ID_CUT 64u
#define BPEI_ID_SLABS 128u
#define BPEI_ID_TRIED 0x20000000u
#define BPEI_ID_SYN 0x40000000u
#define BPEI_ID_WATCH 0x80000000u
#define BPEI_ID_EACH 0xc0000000u
#define BPEI_ID_SYN_MASK 0x3fffffffu
_Static_assert(BPEI_ID_NOTHING + BPE_APP_COUNT <= BPEI_ID_CUT, "a finished id for each protocol");

/* Returns 1 if packets of the flow are to be looked at, else 0. */
static inline uint32_t bpei_id_is_open(uint32_t id)
{
	return id - 1 >= BPEI_ID_TRIED - 1;
}
static inline bool bpei_id_is_watch(uint32_t id)
{
	return id >> 30 == BPEI_ID_WATCH >> 30;
}
static inline bool bpei_id_is_each(uint32_t id)
{
	return id >> 30 == BPEI_ID_EACH >> 30;
}
static inline bool bpei_id_is_syn(uint32_t id)
{
	return id >> 30 == BPEI_ID_SYN >> 30;
}
static inline bool bpei_id_is_tried(uint32_t id)
{
	return id >> 29 == BPEI_ID_TRIED >> 29;
}

#endif
