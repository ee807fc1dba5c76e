/* SPDX-License-Identifier: MIT */
/* TCP's states as both ends' flags show them to a bystander (RFC 9293, section 3.3.2), and who
 * began where no SYN tells.  Pure functions of an entry. */
#include "flow/table.h"

static void set_state(struct bpei_entry *e, enum bpe_tcp_state state)
{
	bpei_entry_mark(e, STATE, (uint32_t)state);
}

static void fin(struct bpei_entry *e, uint32_t end)
{
	bpei_entry_set(e, 0, (uint32_t)ENTRY_FIN << end);
	set_state(e, (bpei_entry_bits(e) & 3 * ENTRY_FIN) == 3 * ENTRY_FIN ? BPE_TCP_CLOSED
									   : BPE_TCP_CLOSING);
}

void bpei_entry_direct(struct bpei_entry *e, uint8_t flags)
{
	const uint32_t port[2] = { (uint16_t)e->key[4], (uint16_t)(e->key[4] >> 16) };
	const uint8_t proto = bpei_entry_proto(e);
	if (port[0] == port[1] || flags & TCP_SYN ||
		(proto != 6 && proto != 17 && proto != 33 && proto != 132 && proto != 136))
		return;
	bool known[2] = { port[0] < 1024, port[1] < 1024 };
	uint32_t responder = known[0] != known[1] ? known[1] : port[1] < port[0];
	bpei_entry_set(e, ENTRY_ORIGIN, responder ? 0 : ENTRY_ORIGIN);
	bpei_entry_mark(e, 0, STATE_BY_PORT);
}

/* The flow's first packet, sent by this end: who began, and what is known of the handshake. */
void bpei_tcp_open(struct bpei_entry *e, uint32_t end, uint8_t flags)
{
	/* By FIN, SYN, RST and, as fourth bit, ACK; a table, and arithmetic: what comes is not to
	 * be guessed. */
	static const uint8_t begins[16] = { BPE_TCP_ESTABLISHED, BPE_TCP_CLOSING, BPE_TCP_SYN_SENT,
		BPE_TCP_SYN_SENT, BPE_TCP_RESET, BPE_TCP_RESET, BPE_TCP_RESET, BPE_TCP_RESET,
		BPE_TCP_ESTABLISHED, BPE_TCP_CLOSING, BPE_TCP_SYN_RECEIVED, BPE_TCP_SYN_RECEIVED,
		BPE_TCP_RESET, BPE_TCP_RESET, BPE_TCP_RESET, BPE_TCP_RESET };
	const uint32_t state =
		begins[(flags & (TCP_FIN | TCP_SYN | TCP_RST)) | (flags & TCP_ACK) >> 1];
	const uint32_t origin =
		(state == BPE_TCP_SYN_RECEIVED) ^ end; /* a SYN-ACK goes to the originator */
	bpei_entry_set(e, ENTRY_ORIGIN,
		origin * ENTRY_ORIGIN | (state != BPE_TCP_SYN_SENT) * ENTRY_MIDSTREAM |
			(state == BPE_TCP_CLOSING) * (uint32_t)ENTRY_FIN << end);
	bpei_entry_mark(e, STATE, state);
}

void bpei_tcp_step(struct bpei_entry *e, uint32_t end, uint8_t flags)
{
	if (bpei_entry_state(e) == BPE_TCP_NONE) { /* what came before had no TCP header; who sent
						      it, or was quoted, began, if no SYN tells */
		const uint32_t origin = bpei_entry_bits(e) & ENTRY_ORIGIN;
		bpei_tcp_open(e, end, flags);
		if (!(flags & TCP_SYN))
			bpei_entry_set(e, ENTRY_ORIGIN, origin);
		return;
	}
	bool originator = end == !!(bpei_entry_bits(e) & ENTRY_ORIGIN);
	if (bpei_entry_state(e) == BPE_TCP_RESET)
		return;
	if (flags & TCP_RST) {
		set_state(e, BPE_TCP_RESET);
	} else if (flags & TCP_SYN) { /* the answer, or a simultaneous open; a SYN sent again
					 changes nothing */
		if (bpei_entry_state(e) == BPE_TCP_SYN_SENT && !originator)
			set_state(e, BPE_TCP_SYN_RECEIVED);
	} else if (flags & TCP_FIN) {
		fin(e, end);
	} else if (flags & TCP_ACK) { /* an ACK alone by the originator says that it had a SYN-ACK,
					 seen by us or not */
		if (bpei_entry_state(e) == BPE_TCP_SYN_RECEIVED ||
			(bpei_entry_state(e) == BPE_TCP_SYN_SENT && originator))
			set_state(e, BPE_TCP_ESTABLISHED);
	}
}

/* A SYN on a connection that has begun to close or was reset is a new one on the same ports. */
bool bpei_tcp_reopens(const struct bpei_entry *e, uint8_t flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	       bpei_entry_state(e) >= BPE_TCP_CLOSING;
}
