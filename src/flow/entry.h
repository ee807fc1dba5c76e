/* SPDX-License-Identifier: MIT */
/* One flow in memory: the entry, and the cold line of the same number.  Every packet of the flow
 * reads and writes the entry.  TCP segments, and the start and end of the flow, need the cold
 * line.
 *
 * "End" means one side of the flow by the order of the key: end 0 or end 1.  The originator is one
 * of both, by FLAG_ORIGINATOR.  The functions here read or write one entry and know no table. */
#ifndef BPEI_FLOW_ENTRY_H
#define BPEI_FLOW_ENTRY_H

#include "arch/arch.h"
#include "bpfengine.h"
#include "names/numbers.h"
#include "packet/segment.h"

#include <stddef.h>
#include <string.h>

/* ---- The entry ---- */

/* One flow, by the ends of the key: one cache line. */
struct bpei_entry {
	uint64_t key[5];    /* both addresses, then bpei_key_rest with KEY_INNER and KEY_TUNNEL */
	int64_t last_ns;    /* flow time of the latest packet */
	uint64_t packed[2]; /* by end, see PACKED_ */
};
_Static_assert(sizeof(struct bpei_entry) == 64, "a cache line");

/* Parts of entry.packed[end], from bit 0: packets modulo 2^22; a bit into which packets overflow;
 * PACKED_ICMP_ERRORS; from bit 24 bytes on the wire modulo 2^31; a bit into which bytes overflow;
 * from bit 56 a byte, which is the state byte in packed[0] and the flag byte in packed[1].
 * struct bpei_flow_overflow holds the upper parts of the counters. */
#define PACKED_PACKETS_BITS 22
#define PACKED_BYTES_SHIFT 24
#define PACKED_BYTES_BITS 31
#define PACKED_STATE_SHIFT 56

/* Set if one of both counters of a packed word has overflowed. */
#define PACKED_FULL                                                                                \
	((uint64_t)1 << PACKED_PACKETS_BITS | (uint64_t)1                                          \
						      << (PACKED_BYTES_SHIFT + PACKED_BYTES_BITS))

/* This end sent ICMP errors about the flow, and nothing else. */
#define PACKED_ICMP_ERRORS ((uint64_t)1 << 23)

/* Both counters of a packed word. */
#define PACKED_COUNTS ((((uint64_t)1 << PACKED_STATE_SHIFT) - 1) & ~PACKED_ICMP_ERRORS)

/* Units of the upper counters, as shifts.  Packets move up in halves of their part, so the lower
 * part of an end with packets never becomes 0 (overflow.c). */
#define OVERFLOW_PACKETS_SHIFT (PACKED_PACKETS_BITS - 1)
#define OVERFLOW_BYTES_SHIFT PACKED_BYTES_BITS

/* The flag byte.  FLAG_EVICTABLE: the flow is evicted before others when the table is full.  Such
 * a flow has one packet so far, or an end that sent ICMP errors alone, or TCP is half-open or
 * over. */
enum {
	FLAG_ALIVE = 1,
	FLAG_ORIGINATOR = 2, /* the originator is end 1 of the key */
	FLAG_MIDSTREAM = 4,
	FLAG_FIN = 8, /* << end */
	FLAG_EVICTABLE = 32,
	FLAG_ANOMALIES = 64, /* the flow has a struct bpei_tcp_anomalies */
	FLAG_CONTINUED = 128 /* an earlier period of the flow was reported */
};

/* The state byte. */
enum {
	STATE_TCP = 7,      /* enum bpe_tcp_state */
	STATE_CLASS = 24,   /* CLASS_ << CLASS_SHIFT: class of time-out without a TCP state */
	STATE_CUT = 32,     /* a side table was full, so the record is incomplete */
	STATE_TUNNEL = 64,  /* the first packet came in a tunnel */
	STATE_BY_PORT = 128 /* FLAG_ORIGINATOR was set by the port numbers */
};
enum { CLASS_OTHER, CLASS_ICMP, CLASS_UDP };
#define CLASS_SHIFT 3

/* Bits of the state byte on which the time-out depends. */
#define BPEI_EXPIRY_MASK (STATE_TCP | STATE_CLASS)

/* ---- The cold line ---- */

/* Beside the entry of the same number.  The first 40 bytes are needed by each TCP segment, the
 * others when a flow starts or ends. */
struct bpei_flow_cold {
	uint32_t seq[2];          /* by end: next sequence number to be sent */
	uint32_t ack[2];          /* by end: last ACK number, and more, see ACK_ */
	uint16_t window[2];       /* by end: last window, unscaled */
	uint16_t smoothed_rtt[2]; /* by end: bpei_span_pack of data to ACK by this end; 0: none */
	uint16_t repeated[2];     /* by end: ACKs with the number of the ACK before */
	uint16_t history;         /* node in table.history: TCP flags and Zeek's letters */
	uint16_t inner_vlan;      /* inner VLAN id, and COLD_WATCH */
	uint32_t fingerprint[2];  /* by end: bpei_fingerprint of the last segment */
	uint32_t hash;            /* of the key */
	union {
		uint16_t rtt[2]; /* TCP, bpei_span_pack: [0] SYN-ACK to ACK, [1] SYN to SYN-ACK */
		uint32_t icmp; /* ICMP: type << 8 | code of the first packet | COLD_ICMP; 0: unknown
				*/
	};
	int64_t first_ns; /* flow time at which the flow, or the period, started */
	uint32_t isn[2];  /* TCP, by end: number after the SYN, if bpei_end_has_isn */
};
_Static_assert(sizeof(struct bpei_flow_cold) == 64 && offsetof(struct bpei_flow_cold, hash) == 40,
	"head comments");

/* In cold.inner_vlan: even segments in order must see the flow's anomalies, since a hole is open,
 * a keep-alive is unanswered, or copies are expected. */
#define COLD_WATCH 0x8000u
#define COLD_VLAN 0xfffu
#define COLD_ICMP 0x10000u

/* Parts of cold.ack[end]: the last ACK number modulo 2^24; a count of duplicate ACKs in a row, at
 * most 3; half of the number of the flow's element in table.syn_options. */
#define ACK_NUMBER 0xffffffu
#define ACK_DUPACK_SHIFT 24
#define ACK_DUPACK_MASK ((uint32_t)3 << ACK_DUPACK_SHIFT)
#define ACK_OPTIONS_SHIFT 26
#define ACK_OPTIONS_HALF 6 /* bits */

/* ---- Reading and writing an entry ---- */

/* Returns the packets of an end, without the upper part of the counter. */
static inline uint32_t bpei_entry_packets(const struct bpei_entry *e, uint32_t end)
{
	return (uint32_t)e->packed[end] & (((uint32_t)1 << PACKED_PACKETS_BITS) - 1);
}

/* Returns the bytes of an end on the wire, without the upper part of the counter. */
static inline uint32_t bpei_entry_bytes(const struct bpei_entry *e, uint32_t end)
{
	return (uint32_t)(e->packed[end] >> PACKED_BYTES_SHIFT) &
	       (((uint32_t)1 << PACKED_BYTES_BITS) - 1);
}

/* Returns the state byte. */
static inline uint32_t bpei_entry_state(const struct bpei_entry *e)
{
	return (uint32_t)(e->packed[0] >> PACKED_STATE_SHIFT);
}

/* Returns the flag byte. */
static inline uint32_t bpei_entry_flags(const struct bpei_entry *e)
{
	return (uint32_t)(e->packed[1] >> PACKED_STATE_SHIFT);
}

/* Clears, then sets bits of the state byte. */
static inline void bpei_entry_set_state(struct bpei_entry *e, uint32_t clear, uint32_t set)
{
	e->packed[0] = (e->packed[0] & ~((uint64_t)clear << PACKED_STATE_SHIFT)) |
		       (uint64_t)set << PACKED_STATE_SHIFT;
}

/* Clears, then sets bits of the flag byte. */
static inline void bpei_entry_set_flags(struct bpei_entry *e, uint32_t clear, uint32_t set)
{
	e->packed[1] = (e->packed[1] & ~((uint64_t)clear << PACKED_STATE_SHIFT)) |
		       (uint64_t)set << PACKED_STATE_SHIFT;
}

/* Returns the flow's enum bpe_tcp_state. */
static inline uint8_t bpei_entry_tcp_state(const struct bpei_entry *e)
{
	return bpei_entry_state(e) & STATE_TCP;
}

/* Returns the end of the key that is the originator. */
static inline uint32_t bpei_entry_originator(const struct bpei_entry *e)
{
	return bpei_entry_flags(e) / FLAG_ORIGINATOR & 1;
}

/* Returns the number of the IP protocol. */
static inline uint8_t bpei_entry_proto(const struct bpei_entry *e)
{
	return (uint8_t)(e->key[4] >> 32);
}

/* Returns the end that sent a packet. */
static inline uint32_t bpei_sender_end(const struct bpe_layers *l)
{
	return l->flags / BPE_PKT_REVERSED & 1;
}

/* ---- Time-outs ---- */

/* Returns CLASS_ of the protocol of a key. */
static inline uint32_t bpei_timeout_class(uint32_t ip_proto)
{
	return ((ip_proto == IP_UDP) | (ip_proto == IP_UDPLITE)) * CLASS_UDP |
	       ((ip_proto == IP_ICMP) | (ip_proto == IP_ICMP6)) * CLASS_ICMP;
}

/* Returns the kind of time-out of the flow.  Branch-free, since the kind of a flow is
 * unpredictable; written as arithmetic, because gcc compiles `?:` to a branch here. */
static inline enum bpe_timeout bpei_entry_timeout_kind(const struct bpei_entry *e)
{
	static const uint8_t by_tcp_state[8] = {
		[BPE_TCP_NONE] = 0,
		[BPE_TCP_SYN_SENT] = BPE_TIMEOUT_TCP_OPENING,
		[BPE_TCP_SYN_RECEIVED] = BPE_TIMEOUT_TCP_OPENING,
		[BPE_TCP_ESTABLISHED] = BPE_TIMEOUT_TCP_ESTABLISHED,
		[BPE_TCP_CLOSING] = BPE_TIMEOUT_TCP_CLOSING,
		[BPE_TCP_CLOSED] = BPE_TIMEOUT_TCP_CLOSED,
		[BPE_TCP_RESET] = BPE_TIMEOUT_TCP_CLOSED,
	};
	const uint32_t end_0 = bpei_entry_packets(e, 0) > 0;
	const uint32_t end_1 = bpei_entry_packets(e, 1) > 0;
	const uint32_t errors = ((e->packed[0] | e->packed[1]) & PACKED_ICMP_ERRORS) != 0;
	const uint32_t continued = bpei_entry_flags(e) / FLAG_CONTINUED & 1;
	const uint32_t two_way = ((end_0 & end_1) | continued) & ~errors;
	const uint32_t state = bpei_entry_state(e);
	const uint32_t tcp_state = state & STATE_TCP;
	const uint32_t class = (state & STATE_CLASS) >> CLASS_SHIFT;
	const uint32_t by_class = BPE_TIMEOUT_OTHER - class - (class / CLASS_UDP & ~two_way);

	return (enum bpe_timeout)(by_tcp_state[tcp_state] | (by_class & ((tcp_state != 0) - 1u)));
}
_Static_assert(BPE_TIMEOUT_UDP_ONE_WAY == BPE_TIMEOUT_OTHER - 3 &&
		       BPE_TIMEOUT_UDP_TWO_WAY == BPE_TIMEOUT_OTHER - 2 &&
		       BPE_TIMEOUT_ICMP == BPE_TIMEOUT_OTHER - 1,
	"bpei_entry_timeout_kind");

/* Returns the index of the entry's state in table.min_expiry_ns[] and table.wheel_ticks[]. */
static inline uint32_t bpei_entry_expiry_index(const struct bpei_entry *e)
{
	return bpei_entry_state(e) & BPEI_EXPIRY_MASK;
}

/* Returns why a flow without packets ends. */
static inline enum bpe_flow_end bpei_entry_end_reason(const struct bpei_entry *e)
{
	return bpei_entry_tcp_state(e) >= BPE_TCP_CLOSED ? BPE_END_CLOSED : BPE_END_IDLE;
}

/* ---- Keys ---- */

/* In entry.key[4], in bits that no IP version uses: the key has an inner VLAN id; the key has a
 * tunnel's digest. */
#define KEY_VERSION_SHIFT 40
#define KEY_INNER ((uint64_t)0x80 << KEY_VERSION_SHIFT)
#define KEY_TUNNEL ((uint64_t)0x40 << KEY_VERSION_SHIFT)

/* entry.key[4] of an entry in the free list: no IP version is 255. */
#define BPEI_NO_KEY UINT64_MAX

/* Returns ports, protocol, IP version and outer VLAN id of a key in a word.  The order is the order
 * of the key's bytes on a little-endian host. */
static inline uint64_t bpei_key_rest(const struct bpe_key *k)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t rest;
	memcpy(&rest, k->port, sizeof rest);
	return rest;
#else
	return (uint64_t)k->port[0] | (uint64_t)k->port[1] << 16 | (uint64_t)k->ip_proto << 32 |
	       (uint64_t)k->ip_version << KEY_VERSION_SHIFT | (uint64_t)k->vlan[0] << 48;
#endif
}
_Static_assert(offsetof(struct bpe_key, ip_proto) == 36 &&
		       offsetof(struct bpe_key, ip_version) == 37 &&
		       offsetof(struct bpe_key, vlan) == 38,
	"bpei_key_rest");

/* Returns KEY_INNER and KEY_TUNNEL as far as the key has an inner VLAN id and a tunnel. */
static inline uint64_t bpei_key_extension(const struct bpe_key *key)
{
	const uint64_t inner = key->vlan[1] ? KEY_INNER : 0;
	const uint64_t tunnel = key->tunnel ? KEY_TUNNEL : 0;

	return inner | tunnel;
}

/* Returns true if the key has an inner VLAN id or a tunnel, by one load of both. */
static inline bool bpei_key_has_extension(const struct bpe_key *key)
{
	uint64_t inner_and_tunnel;

	memcpy(&inner_and_tunnel,
		(const char *)key + offsetof(struct bpe_key, vlan) + sizeof key->vlan[0],
		sizeof inner_and_tunnel);
	return inner_and_tunnel != 0;
}
_Static_assert(offsetof(struct bpe_key, vlan) == 38 && offsetof(struct bpe_key, tunnel) == 44 &&
		       sizeof(struct bpe_key) == 48,
	"bpei_key_has_extension");

/* Returns 0 if the key is the entry's.  Of inner VLAN id and tunnel, only the presence in the entry
 * is compared, see bpei_key_extension. */
static inline uint64_t bpei_entry_key_difference(
	const struct bpei_entry *e, const struct bpe_key *key)
{
	const char *address = (const char *)key->addr;
	uint64_t difference = e->key[4] ^ bpei_key_rest(key);
	uint64_t word;

	for (int i = 0; i < 4; i++) {
		memcpy(&word, address + 8 * i, sizeof word);
		difference |= e->key[i] ^ word;
	}
	return difference;
}

/* ---- The cold line's parts ---- */

/* Returns the last ACK number of an end, modulo 2^24. */
static inline uint32_t bpei_cold_ack(const struct bpei_flow_cold *cold, uint32_t end)
{
	return cold->ack[end] & ACK_NUMBER;
}

/* Returns the index in table.syn_options; 0: no options are known. */
static inline uint32_t bpei_cold_syn_options(const struct bpei_flow_cold *cold)
{
	return cold->ack[0] >> ACK_OPTIONS_SHIFT | cold->ack[1] >> ACK_OPTIONS_SHIFT
									   << ACK_OPTIONS_HALF;
}

/* ---- TCP states and direction; tcp_state.c ---- */

/* Sets state and originator from a flow's first packet with a TCP header, sent by `end`. */
void bpei_tcp_state_open(struct bpei_entry *e, uint32_t end, uint8_t tcp_flags);

/* Advances the TCP state by the flags of a packet of `end`. */
void bpei_tcp_state_advance(struct bpei_entry *e, uint32_t end, uint8_t tcp_flags);

/* Returns true if the flags are a SYN on a connection that is closing, closed or reset. */
bool bpei_tcp_state_reopens(const struct bpei_entry *e, uint8_t tcp_flags);

/* Sets the originator of a new flow by the port numbers, if the ports differ and no SYN tells
 * (options.direction_by_port). */
void bpei_entry_orient_by_port(struct bpei_entry *e, uint8_t tcp_flags);

#endif
