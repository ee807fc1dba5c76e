/* SPDX-License-Identifier: MIT */
/* TCP's states as the flags of both ends show the states to a bystander (RFC 9293, section 3.3.2),
 * and the originator where no SYN tells.  Pure functions of an entry. */
#include "flow/entry.h"

/* System ports lie below (RFC 6335, section 6). */
#define WELL_KNOWN_PORTS 1024u

/* Sets the TCP state alone. */
static void set_tcp_state(struct bpei_entry *e, enum bpe_tcp_state state)
{
	bpei_entry_set_state(e, STATE_TCP, (uint32_t)state);
}

/* Keeps the end's FIN.  The connection is closed when both ends have sent a FIN. */
static void add_fin(struct bpei_entry *e, uint32_t end)
{
	bpei_entry_set_flags(e, 0, (uint32_t)FLAG_FIN << end);
	const bool both = (bpei_entry_flags(e) & 3 * FLAG_FIN) == 3 * FLAG_FIN;
	set_tcp_state(e, both ? BPE_TCP_CLOSED : BPE_TCP_CLOSING);
}

/* Returns true for protocols with ports in their first four bytes. */
static bool protocol_has_ports(uint8_t proto)
{
	return proto == IP_TCP || proto == IP_UDP || proto == IP_DCCP || proto == IP_SCTP ||
	       proto == IP_UDPLITE;
}

void bpei_entry_orient_by_port(struct bpei_entry *e, uint8_t flags)
{
	const uint32_t port[2] = { (uint16_t)e->key[4], (uint16_t)(e->key[4] >> 16) };
	const bool is_well_known[2] = { port[0] < WELL_KNOWN_PORTS, port[1] < WELL_KNOWN_PORTS };
	uint32_t responder = port[1] < port[0];

	if (port[0] == port[1] || flags & TCP_SYN || !protocol_has_ports(bpei_entry_proto(e)))
		return;
	if (is_well_known[0] != is_well_known[1])
		responder = is_well_known[1];
	bpei_entry_set_flags(e, FLAG_ORIGINATOR, responder ? 0 : FLAG_ORIGINATOR);
	bpei_entry_set_state(e, 0, STATE_BY_PORT);
}

void bpei_tcp_state_open(struct bpei_entry *e, uint32_t end, uint8_t flags)
{
	/* By FIN, SYN, RST and, as the fourth bit, ACK.  A table and arithmetic, since the flags
	 * are unpredictable. */
	static const uint8_t first_state[16] = {
		BPE_TCP_ESTABLISHED,
		BPE_TCP_CLOSING,
		BPE_TCP_SYN_SENT,
		BPE_TCP_SYN_SENT,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
		BPE_TCP_ESTABLISHED,
		BPE_TCP_CLOSING,
		BPE_TCP_SYN_RECEIVED,
		BPE_TCP_SYN_RECEIVED,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
		BPE_TCP_RESET,
	};
	const uint32_t control = flags & (TCP_FIN | TCP_SYN | TCP_RST);
	const uint32_t state = first_state[control | (flags & TCP_ACK) >> 1];
	/* A SYN-ACK goes to the originator. */
	const uint32_t originator = (state == BPE_TCP_SYN_RECEIVED) ^ end;
	const uint32_t midstream = (state != BPE_TCP_SYN_SENT) * FLAG_MIDSTREAM;
	const uint32_t fin = (state == BPE_TCP_CLOSING) * (uint32_t)FLAG_FIN << end;

	bpei_entry_set_flags(e, FLAG_ORIGINATOR, originator * FLAG_ORIGINATOR | midstream | fin);
	bpei_entry_set_state(e, STATE_TCP, state);
}

/* Opens the state of a flow whose packets before had no TCP header.  If no SYN tells, the sender of
 * the first packet, or the end that an ICMP error quoted, stays the originator. */
static void open_late(struct bpei_entry *e, uint32_t end, uint8_t flags)
{
	const uint32_t originator = bpei_entry_flags(e) & FLAG_ORIGINATOR;

	bpei_tcp_state_open(e, end, flags);
	if (!(flags & TCP_SYN))
		bpei_entry_set_flags(e, FLAG_ORIGINATOR, originator);
}

void bpei_tcp_state_advance(struct bpei_entry *e, uint32_t end, uint8_t flags)
{
	const uint8_t state = bpei_entry_tcp_state(e);
	const bool is_originator = end == bpei_entry_originator(e);

	if (state == BPE_TCP_NONE) {
		open_late(e, end, flags);
		return;
	}
	if (state == BPE_TCP_RESET)
		return;
	if (flags & TCP_RST) {
		set_tcp_state(e, BPE_TCP_RESET);
	} else if (flags & TCP_SYN) {
		/* The answer, or a simultaneous open; a SYN sent again changes nothing. */
		if (state == BPE_TCP_SYN_SENT && !is_originator)
			set_tcp_state(e, BPE_TCP_SYN_RECEIVED);
	} else if (flags & TCP_FIN) {
		add_fin(e, end);
	} else if (flags & TCP_ACK) {
		/* A bare ACK by the originator says that a SYN-ACK came, seen here or not. */
		if (state == BPE_TCP_SYN_RECEIVED || (state == BPE_TCP_SYN_SENT && is_originator))
			set_tcp_state(e, BPE_TCP_ESTABLISHED);
	}
}

bool bpei_tcp_state_reopens(const struct bpei_entry *e, uint8_t flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	       bpei_entry_tcp_state(e) >= BPE_TCP_CLOSING;
}
