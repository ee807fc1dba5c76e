/* SPDX-License-Identifier: MIT */
/* Zeek's conn_state, from a flow record alone.  Pure.
 *
 * The record's history is replayed letter by letter, and both ends take the states of Zeek's TCP
 * analyzer (src/packet_analysis/protocol/tcp).  The two states make the name, by the function
 * conn_state of scripts/base/protocols/conn/main.zeek.  Where the history is missing, the flags are
 * replayed in the order of most connections: SYN, ACK, FIN, RST.
 * An ICMP error is no packet of the connection. */
#include "base/sized.h"
#include "bpfengine.h"
#include "names/numbers.h"
#include "packet/segment.h"

#include <string.h>

enum end_state { INACTIVE, PARTIAL, SYN_SENT, SYN_ACK_SENT, ESTABLISHED, CLOSED, RESET };

/* Zeek's view of both ends; 0 is the originator. */
struct ends {
	enum end_state now[2], before[2];
};

static void enter_state(struct ends *e, int k, enum end_state state)
{
	if (e->now[k] == state)
		return;
	e->before[k] = e->now[k];
	e->now[k] = state;
}

/* Takes an end's first segment.  empty: without data. */
static void begin_end(struct ends *e, int k, uint32_t flags, bool empty)
{
	const enum end_state peer = e->now[!k];
	if (flags & TCP_SYN && !k)
		enter_state(e, 0, flags & TCP_ACK ? SYN_ACK_SENT : SYN_SENT);
	if (flags & TCP_SYN && k) {
		if (peer == SYN_SENT)
			enter_state(e, 0, ESTABLISHED);
		enter_state(e, 1, ESTABLISHED);
	}
	if (flags & TCP_FIN)
		enter_state(e, k, CLOSED);
	if (flags & TCP_RST)
		enter_state(e, k, RESET);
	if (flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return;
	if (k && empty && peer == SYN_SENT)
		return; /* an ACK that comes before the SYN-ACK */
	enter_state(e, k, flags & TCP_ACK && peer == ESTABLISHED ? ESTABLISHED : PARTIAL);
}

static void advance_end(struct ends *e, int k, uint32_t flags, bool empty)
{
	const int peer = !k;
	switch (e->now[k]) {
	case INACTIVE:
		begin_end(e, k, flags, empty);
		return;
	case SYN_SENT:
	case SYN_ACK_SENT:
		if (flags & TCP_FIN)
			enter_state(e, k, CLOSED);
		if (flags & TCP_RST)
			enter_state(e, k, RESET);
		return;
	case PARTIAL:
		if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && e->now[peer] == INACTIVE)
			enter_state(e, k, SYN_SENT);
		/* fall through */
	case ESTABLISHED:
		if (flags & TCP_RST) {
			enter_state(e, k, RESET);
		} else if (flags & TCP_FIN) {
			enter_state(e, k,
				CLOSED); /* a reset that followed the peer's FIN was a close */
			if (e->now[peer] == RESET && e->before[peer] == CLOSED)
				enter_state(e, peer, CLOSED);
		}
		return;
	case CLOSED:
		if (flags & TCP_RST && e->now[peer] != CLOSED)
			enter_state(e, k, RESET);
		return;
	case RESET:
		return;
	}
}

static bool has_history_letter(const struct bpe_flow *f, int k, char capital)
{
	const int letter = k ? capital + ('a' - 'A') : capital;
	const void *at = memchr(f->history, letter, strnlen(f->history, sizeof f->history));
	return at;
}

/* Returns the flags for which a letter of the history stands. */
static uint32_t letter_flags(const struct bpe_flow *f, int k, char capital)
{
	const uint32_t had = f->tcp_flags[k];
	const uint32_t ack = had & TCP_ACK;
	switch (capital) {
	case 'S':
		return TCP_SYN;
	case 'H':
		return TCP_SYN | TCP_ACK;
	case 'A':
		return TCP_ACK;
	case 'D':
		return ack;
	case 'F':
		return TCP_FIN | ack;
	case 'R':
		return TCP_RST;
	case 'I':
		return TCP_FIN | TCP_RST;
	default:
		break;
	}
	/* Q: SYN, and the flags without a letter of their own */
	const uint32_t fin = has_history_letter(f, k, 'F') ? 0 : had & TCP_FIN;
	const uint32_t rst = has_history_letter(f, k, 'R') ? 0 : had & TCP_RST;
	return TCP_SYN | fin | rst;
}

static void replay_history(const struct bpe_flow *f, struct ends *e)
{
	for (size_t i = 0; i < sizeof f->history && f->history[i]; i++) {
		const int k = f->history[i] >= 'a';
		const char capital = (char)(f->history[i] - k * ('a' - 'A'));
		if (strchr("SHADFRIQ", capital))
			advance_end(e, k, letter_flags(f, k, capital), capital != 'D');
	}
}

/* Returns whether the end sent packets other than ICMP errors. */
static bool end_has_sent(const struct bpe_flow *f, int k)
{
	return f->tcp_flags[k] || f->packets[k] > f->icmp_errors[k];
}

/* Returns whether the history has a letter of this end. */
static bool history_has_end(const struct bpe_flow *f, int k)
{
	for (size_t i = 0; i < sizeof f->history && f->history[i]; i++)
		if (f->history[i] != '^' && (f->history[i] >= 'a') == (k == 1))
			return true;
	return false;
}

/* Returns the end's flags that are in no letter of the history. */
static uint32_t flags_without_letter(const struct bpe_flow *f, int k)
{
	const bool multiple = has_history_letter(f, k, 'Q'), both = has_history_letter(f, k, 'I');
	uint32_t left = f->tcp_flags[k];
	if (multiple || has_history_letter(f, k, 'S') || has_history_letter(f, k, 'H'))
		left &= ~(uint32_t)TCP_SYN;
	if (multiple || both || has_history_letter(f, k, 'F'))
		left &= ~(uint32_t)TCP_FIN;
	if (multiple || both || has_history_letter(f, k, 'R'))
		left &= ~(uint32_t)TCP_RST;
	return left;
}

static void replay_flags(const struct bpe_flow *f, struct ends *e)
{
	static const uint32_t order[] = { TCP_SYN, TCP_ACK, TCP_FIN, TCP_RST };
	const uint32_t left[2] = { flags_without_letter(f, 0), flags_without_letter(f, 1) };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (int k = 0; k < 2; k++) {
			const bool closes = left[k] & (TCP_FIN | TCP_RST);
			if (order[i] != TCP_ACK && left[k] & order[i])
				advance_end(e, k, order[i], true);
			if (order[i] != TCP_ACK || history_has_end(f, k) || !end_has_sent(f, k))
				continue;
			if (e->now[k] != INACTIVE || (closes && !(left[k] & TCP_PSH)))
				continue;
			advance_end(e, k, left[k] & TCP_ACK,
				(left[k] & (TCP_ACK | TCP_PSH)) == TCP_ACK);
		}
}

/* Returns whether the originator sent a SYN and a reset, and neither ACK nor FIN between the two.
 */
static bool is_aborted_attempt(const struct bpe_flow *f)
{
	const char *h = f->history + (f->history[0] == '^');
	if (has_history_letter(f, 0, 'Q') || has_history_letter(f, 0, 'I'))
		return false;
	if (!has_history_letter(f, 0, 'R'))
		return f->tcp_flags[0] & TCP_SYN && !(f->tcp_flags[0] & TCP_FIN);
	if (*h != 'S')
		return false;
	for (; *h != 'R'; h++)
		if (strchr("HAFGIQ", *h))
			return false;
	return true;
}

static bool carried_data(const struct bpe_flow *f)
{
	if (f->flags & BPE_FLOW_LENGTHS && f->payload_bytes[0] | f->payload_bytes[1])
		return true;
	if (f->unseen_acks[0] | f->unseen_acks[1])
		return true;
	for (int k = 0; k < 2; k++)
		if (has_history_letter(f, k, 'D') || has_history_letter(f, k, 'G') ||
			(!f->history[0] && f->tcp_flags[k] & TCP_PSH))
			return true;
	return false;
}

/* Returns the state of a connection reset by the originator. */
static const char *aborted_state(const struct bpe_flow *f, bool responder_inactive)
{
	if (!responder_inactive)
		return "RSTO";
	return is_aborted_attempt(f) ? "RSTOS0" : "OTH";
}

static const char *tcp_conn_state(const struct bpe_flow *f)
{
	struct ends e = { { INACTIVE, INACTIVE }, { INACTIVE, INACTIVE } };
	replay_history(f, &e);
	replay_flags(f, &e);
	const enum end_state o = e.now[0];
	const enum end_state r = e.now[1];
	const bool o_inactive = o <= PARTIAL;
	const bool r_inactive = r <= PARTIAL;
	if (r == RESET) {
		if (o == SYN_SENT || o == SYN_ACK_SENT || (o == RESET && !carried_data(f)))
			return "REJ";
		return o_inactive ? "RSTRH" : "RSTR";
	}
	if (o == RESET)
		return aborted_state(f, r_inactive);
	if (o == CLOSED && r == CLOSED)
		return "SF";
	if (o == CLOSED)
		return r_inactive ? "SH" : "S2";
	if (r == CLOSED)
		return o_inactive ? "SHR" : "S3";
	if (o == SYN_SENT && r == INACTIVE)
		return "S0";
	return o == ESTABLISHED && r == ESTABLISHED ? "S1" : "OTH";
}

const char *bpe_flow_conn_state(const struct bpe_flow *flow)
{
	struct bpe_flow whole;
	const struct bpe_flow *f = bpei_flow_whole(flow, &whole);

	if (!f)
		return "OTH";
	if (f->tcp_state)
		return tcp_conn_state(f);
	if (f->ip_proto != IP_UDP && f->ip_proto != IP_UDPLITE)
		return "OTH";
	const bool o = end_has_sent(f, 0);
	const bool r = end_has_sent(f, 1);
	const bool quoted = f->icmp_errors[0] | f->icmp_errors[1];
	if (o && r)
		return "SF";
	if (o || (!r && quoted))
		return "S0";
	return r ? "SHR" : "OTH";
}
