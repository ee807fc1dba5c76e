/* SPDX-License-Identifier: MIT */
/* GoFlow2's FlowMessage: a flow record as protobuf.  Pure.
 *
 * The field numbers are from pb/flow.proto of github.com/netsampler/goflow2, version 2.2.6.
 * FlowMessage has a direction of a flow.  A record becomes a message for each end with packets. */
#ifndef KAFKA_GOFLOW2_H
#define KAFKA_GOFLOW2_H

#include "bpfengine.h"

/* Room for each message with the length in front.  The longest message has 172 bytes. */
#define GOFLOW2_BYTES 256

/* Facts of a message beside the record's. */
struct goflow2_facts {
	int64_t received_ns;   /* time of receipt, UTC */
	uint32_t sequence;     /* number of the message */
	uint32_t domain;       /* observation domain; 0: none */
	uint8_t sampler[16];   /* address of the sensor, network byte order */
	uint8_t sampler_bytes; /* 4, 16, or 0 if unknown */
	bool is_delimited;     /* the message's length stands in front as a varint */
};

/* Returns how many messages a record becomes, 1 or 2, and fills ends with the senders.  A record
 * without packets becomes a message of end 0. */
uint32_t goflow2_ends(const struct bpe_flow *flow, uint32_t ends[2]);
/* Writes the message about the packets that an end sent.  Returns its bytes. */
size_t goflow2_write(uint8_t to[GOFLOW2_BYTES], const struct bpe_flow *flow, uint32_t end,
	const struct goflow2_facts *facts);

#endif
