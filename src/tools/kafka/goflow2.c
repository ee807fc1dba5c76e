/* SPDX-License-Identifier: MIT */
/* GoFlow2's FlowMessage (goflow2.h).
 *
 * Protobuf (protobuf.dev, "Encoding"): a field is a varint of number and wire type, then the value.
 * Fields with the value 0 are left out, as in proto3.  The fields stand in the order of numbers, so
 * the bytes equal those of Go's marshalling. */
#include "goflow2.h"

#include <string.h>

/* pb/flow.proto. */
enum flow_field {
	FIELD_SAMPLING_RATE = 3,
	FIELD_SEQUENCE_NUM = 4,
	FIELD_SRC_ADDR = 6,
	FIELD_DST_ADDR = 7,
	FIELD_BYTES = 9,
	FIELD_PACKETS = 10,
	FIELD_SAMPLER_ADDRESS = 11,
	FIELD_IN_IF = 18,
	FIELD_PROTO = 20,
	FIELD_SRC_PORT = 21,
	FIELD_DST_PORT = 22,
	FIELD_TCP_FLAGS = 26,
	FIELD_VLAN_ID = 29,
	FIELD_ETYPE = 30,
	FIELD_ICMP_TYPE = 31,
	FIELD_ICMP_CODE = 32,
	FIELD_OBSERVATION_DOMAIN_ID = 70,
	FIELD_TIME_RECEIVED_NS = 110,
	FIELD_TIME_FLOW_START_NS = 111,
	FIELD_TIME_FLOW_END_NS = 112
};

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { IP_ICMP = 1, IP_ICMP6 = 58 };

static uint8_t *put_proto_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

static uint8_t *put_flow_number(uint8_t *to, enum flow_field field, uint64_t value)
{
	if (!value)
		return to;
	return put_proto_varint(put_proto_varint(to, (uint64_t)field << 3 | WIRE_VARINT), value);
}

static uint8_t *put_flow_octets(uint8_t *to, enum flow_field field, const uint8_t *bytes, size_t n)
{
	if (!n)
		return to;
	to = put_proto_varint(put_proto_varint(to, (uint64_t)field << 3 | WIRE_BYTES), n);
	memcpy(to, bytes, n);
	return to + n;
}

/* Returns the type of ICMP's answer to a type, or -1. */
static int answer_of_icmp(uint8_t ip_proto, uint8_t type)
{
	static const uint8_t pairs[][3] = { /* protocol, question, answer */
		{ IP_ICMP, 8, 0 }, { IP_ICMP, 10, 9 }, { IP_ICMP, 13, 14 }, { IP_ICMP, 15, 16 },
		{ IP_ICMP, 17, 18 }, { IP_ICMP6, 128, 129 }, { IP_ICMP6, 133, 134 },
		{ IP_ICMP6, 135, 136 }, { IP_ICMP6, 139, 140 }
	};

	for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
		if (pairs[k][0] != ip_proto)
			continue;
		if (pairs[k][1] == type)
			return pairs[k][2];
		if (pairs[k][2] == type)
			return pairs[k][1];
	}
	return -1;
}

/* Puts type and code of ICMP.  The record has those of the first packet, which end 0 sent. */
static uint8_t *put_flow_icmp(uint8_t *to, const struct bpe_flow *f, uint32_t end)
{
	const int answer = answer_of_icmp(f->ip_proto, f->icmp_type);

	if (!(f->flags & BPE_FLOW_ICMP))
		return to;
	if (!end) {
		to = put_flow_number(to, FIELD_ICMP_TYPE, f->icmp_type);
		return put_flow_number(to, FIELD_ICMP_CODE, f->icmp_code);
	}
	return answer < 0 ? to : put_flow_number(to, FIELD_ICMP_TYPE, (uint64_t)answer);
}

static uint8_t *put_flow_times(
	uint8_t *to, const struct bpe_flow *f, const struct goflow2_facts *facts)
{
	to = put_flow_number(to, FIELD_TIME_RECEIVED_NS, (uint64_t)facts->received_ns);
	to = put_flow_number(to, FIELD_TIME_FLOW_START_NS, (uint64_t)f->first_ns);
	return put_flow_number(to, FIELD_TIME_FLOW_END_NS, (uint64_t)f->last_ns);
}

/* Puts the members in the order of their numbers.  Returns the end. */
static uint8_t *put_flow_message(
	uint8_t *to, const struct bpe_flow *f, uint32_t end, const struct goflow2_facts *facts)
{
	const size_t address = f->ip_version == 6 ? 16 : 4;
	const uint64_t *bytes = f->flags & BPE_FLOW_LENGTHS ? f->ip_bytes : f->wire_bytes;
	const bool is_icmp = f->ip_proto == IP_ICMP || f->ip_proto == IP_ICMP6;

	to = put_flow_number(to, FIELD_SAMPLING_RATE, 1);
	to = put_flow_number(to, FIELD_SEQUENCE_NUM, facts->sequence);
	to = put_flow_octets(to, FIELD_SRC_ADDR, f->addr[end], address);
	to = put_flow_octets(to, FIELD_DST_ADDR, f->addr[!end], address);
	to = put_flow_number(to, FIELD_BYTES, bytes[end]);
	to = put_flow_number(to, FIELD_PACKETS, f->packets[end]);
	to = put_flow_octets(to, FIELD_SAMPLER_ADDRESS, facts->sampler, facts->sampler_bytes);
	to = put_flow_number(to, FIELD_IN_IF, f->interface_index);
	to = put_flow_number(to, FIELD_PROTO, f->ip_proto);
	if (!is_icmp) {
		to = put_flow_number(to, FIELD_SRC_PORT, f->port[end]);
		to = put_flow_number(to, FIELD_DST_PORT, f->port[!end]);
	}
	to = put_flow_number(to, FIELD_TCP_FLAGS, f->tcp_flags[end]);
	to = put_flow_number(to, FIELD_VLAN_ID, f->vlan[0]);
	to = put_flow_number(to, FIELD_ETYPE, f->ip_version == 6 ? 0x86dd : 0x0800);
	to = put_flow_icmp(to, f, end);
	to = put_flow_number(to, FIELD_OBSERVATION_DOMAIN_ID, facts->domain);
	return put_flow_times(to, f, facts);
}

uint32_t goflow2_ends(const struct bpe_flow *flow, uint32_t ends[2])
{
	uint32_t count = 0;

	for (uint32_t end = 0; end < 2; end++)
		if (flow->packets[end])
			ends[count++] = end;
	if (!count)
		ends[count++] = 0;
	return count;
}

size_t goflow2_write(uint8_t to[GOFLOW2_BYTES], const struct bpe_flow *flow, uint32_t end,
	const struct goflow2_facts *facts)
{
	uint8_t message[GOFLOW2_BYTES];
	const size_t n = (size_t)(put_flow_message(message, flow, end, facts) - message);
	uint8_t *at = to;

	if (facts->is_delimited)
		at = put_proto_varint(at, n);
	memcpy(at, message, n);
	return (size_t)(at - to) + n;
}
