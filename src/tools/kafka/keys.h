/* SPDX-License-Identifier: MIT */
/* Keys of messages: records of a connection have the same key, so Kafka keeps their order.  Pure.
 *
 * A key depends on the addresses, the ports and the protocol alone: it is the same for both
 * directions, in each run and at each sensor. */
#ifndef KAFKA_KEYS_H
#define KAFKA_KEYS_H

#include "bpfengine.h"

enum kafka_key {
	KAFKA_KEY_COMMUNITY = 0, /* Community ID; without this, as KAFKA_KEY_HASH */
	KAFKA_KEY_HASH,          /* 16 hexadecimal digits */
	KAFKA_KEY_NONE
};

#define KAFKA_KEY_BYTES BPE_COMMUNITY_ID_BYTES

/* Writes the key with a final 0.  Returns the length without the 0; 0: the message has no key. */
size_t kafka_key_write(char to[KAFKA_KEY_BYTES], const struct bpe_flow *flow, enum kafka_key kind);
/* Copies the Community ID of a line of BPE_FORMAT_JSON, which takes less time than its digest.
 * Returns as kafka_key_write; 0: the line has none. */
size_t kafka_key_copy(char to[KAFKA_KEY_BYTES], const char *line);

#endif
