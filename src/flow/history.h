/* SPDX-License-Identifier: MIT */
/* What happened on a TCP connection, in the order of its first time, as one 16-bit number for each
 * flow: a node of a tree that all flows share. */
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

/* What every packet asks for lies apart from what a new event needs. */
struct bpei_seen {
	uint32_t known[2]; /* of each end: letters, TCP flags from bit SEEN_FLAGS; from bit
			    * SEEN_EVENT: [0] event, [1] end, by which the node was reached from its
			    * parent */
};
#define SEEN_FLAGS 16
#define SEEN_EVENT 24
static inline uint32_t bpei_seen_letters(const struct bpei_seen *s, uint32_t end)
{
	return s->known[end] & ((1u << HISTORY_LETTERS) - 1);
}
static inline uint32_t bpei_seen_flags(const struct bpei_seen *s, uint32_t end)
{
	return s->known[end] >> SEEN_FLAGS & 0xff;
}
struct bpei_history_node {
	uint16_t parent;
	uint16_t child[2][HISTORY_EVENTS]; /* 0: none yet */
};
#define BPEI_HISTORY_BYTES (sizeof(struct bpei_seen) + sizeof(struct bpei_history_node))

struct bpei_history {
	struct bpei_seen *seen; /* of the node of the same number */
	struct bpei_history_node *node;
	uint32_t size, used;
};

int bpei_history_init(struct bpei_history *h, uint64_t max_flows);
void bpei_history_free(struct bpei_history *h);
uint64_t bpei_history_most_bytes(uint64_t max_flows);

/* The node behind at, once the end has sent flags and done the letters (bits).  *cut is set if
 * there was no room for another node. */
uint16_t bpei_history_add(struct bpei_history *h, uint16_t at, uint32_t end, uint8_t flags,
	uint16_t letters, bool *cut);
/* Letters, capital for that end, '^' before them if flipped. */
void bpei_history_text(const struct bpei_history *h, uint16_t at, uint32_t originator, bool flipped,
	char text[BPEI_HISTORY_TEXT]);

#endif
