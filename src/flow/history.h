/* SPDX-License-Identifier: MIT */
/* The events of a TCP connection, in the order of their first occurrence, as one 16-bit number for
 * each flow: a node of a tree that all flows share. */
#ifndef BPEI_HISTORY_H
#define BPEI_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

/* Events of one end: Zeek's letters, then the eight TCP flags. */
enum {
	HISTORY_SYN,
	HISTORY_SYN_ACK,
	HISTORY_ACK,
	HISTORY_DATA,
	HISTORY_FIN,
	HISTORY_RST,
	HISTORY_RETRANSMISSION,
	HISTORY_WINDOW,
	HISTORY_GAP,
	HISTORY_MULTI,
	HISTORY_INCONSISTENT,
	HISTORY_CHECKSUM,
	HISTORY_LETTERS,
	HISTORY_EVENTS = HISTORY_LETTERS + 8
};
#define BPEI_HISTORY_TEXT 32u

/* The part of a node read by every packet.  known, by end: letters from bit 0, TCP flags from
 * bit SEEN_FLAGS; from bit SEEN_EVENT, in known[0] the event and in known[1] the end by which the
 * node is reached from its parent. */
struct bpei_seen {
	uint32_t known[2];
};
#define SEEN_FLAGS 16
#define SEEN_EVENT 24

/* Returns the letters of an end, as bits. */
static inline uint32_t bpei_seen_letters(const struct bpei_seen *s, uint32_t end)
{
	return s->known[end] & ((1u << HISTORY_LETTERS) - 1);
}

/* Returns the TCP flags of an end. */
static inline uint32_t bpei_seen_flags(const struct bpei_seen *s, uint32_t end)
{
	return s->known[end] >> SEEN_FLAGS & 0xff;
}

/* The part of a node needed by a new event. */
struct bpei_history_node {
	uint16_t parent;
	uint16_t child[2][HISTORY_EVENTS]; /* 0: none yet */
};
#define BPEI_HISTORY_BYTES (sizeof(struct bpei_seen) + sizeof(struct bpei_history_node))

struct bpei_history {
	struct bpei_seen *seen; /* by node */
	struct bpei_history_node *node;
	uint32_t size, used;
};

/* Returns BPE_OK or BPE_E_MEMORY. */
int bpei_history_init(struct bpei_history *h, uint64_t max_flows);
void bpei_history_free(struct bpei_history *h);

/* Returns the bytes reserved for the histories of so many flows. */
uint64_t bpei_history_max_bytes(uint64_t max_flows);

/* Returns the node after node `at`, once the end has sent `flags` and done `letters` (bits).  Sets
 * *is_cut if there is no room for another node. */
uint16_t bpei_history_add(struct bpei_history *h, uint16_t at, uint32_t end, uint8_t flags,
	uint16_t letters, bool *is_cut);

/* Writes the letters of a node, capital for the originator's end, with '^' in front if turned. */
void bpei_history_text(const struct bpei_history *h, uint16_t at, uint32_t originator, bool turned,
	char text[BPEI_HISTORY_TEXT]);

#endif
