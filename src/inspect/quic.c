/* SPDX-License-Identifier: MIT */
/* The reader of QUIC: recognises long headers, opens a client's Initials, and gives the hello of
 * their CRYPTO frames to TLS's reader.
 *
 * The keys come from the client's first destination connection id, or after a Retry from the
 * server's (RFC 9001, 5.2).  A reader sees a single direction, and so no Retry: a packet is tried
 * with the keys at hand first, then with the keys of the packet's own connection id.
 *
 * A reader keeps nothing between two calls, so that a hello in d datagrams is opened anew when the
 * next datagram comes: of 1 datagram once, of 2 datagrams 3 times in all, of 3 datagrams 6 times.
 * From the 4th datagram on more come before the next call (want), and TRIES_MOST bounds a call.
 * A flow in which nothing opens is given up after FAILURES_MOST failures.  The last call for the
 * flow makes a single try more.  Each try counts against the budget, and as opened or
 * failed; a call stopped by the budget counts as skipped. */
#include "inspect/quic.h"

#include "inspect/client_hello.h"

#include <string.h>

#define TRIES_MOST 16u
#define FAILURES_MOST 3u
#define UNKNOWN_MOST 4u      /* datagrams in which a known version may follow an unknown version */
#define DATAGRAM_HELLO 1100u /* bytes of a hello in a datagram, about */

/* Keys, and their connection id. */
struct quic_source {
	const struct bpei_quic_version *version;
	struct bpei_quic_keys keys;
	uint32_t number; /* of the version, as sent */
	uint32_t bytes;
	uint8_t dcid[BPEI_QUIC_CID_MOST];
};

/* A call's work. */
struct quic_work {
	struct bpei_inspector *in;
	struct quic_source source; /* of the last packet opened */
	uint32_t tries, opened;
	bool known;     /* a version with published keys was seen */
	bool exhausted; /* by the budget, or by TRIES_MOST */
	struct bpei_quic_opened packet;
	struct bpei_quic_stream stream;
};

/* Returns whether a try may be made, and counts a refusal by the budget. */
static bool take_budget(struct quic_work *w)
{
	if (w->tries >= TRIES_MOST) {
		w->exhausted = true;
		return false;
	}
	if (!w->in->quic_left) {
		w->in->quic_skipped++;
		w->exhausted = true;
		return false;
	}
	w->in->quic_left--;
	w->tries++;
	return true;
}

/* Opens a packet with keys, and counts the try. */
static bool try_keys(
	struct quic_work *w, const struct quic_source *from, const struct bpei_quic_packet *p)
{
	bool opened = bpei_quic_open(&w->packet, w->in->crypto, &from->keys, p) &&
		      bpei_quic_frames_read(&w->stream, from->version->crypto,
			      w->packet.bytes + w->packet.frames_at, w->packet.frames_bytes);
	if (opened) {
		w->in->quic_opened++;
		w->opened++;
	} else {
		w->in->quic_failed++;
	}
	return opened;
}

/* Returns whether the keys at hand come from the packet's own connection id. */
static bool is_own_source(const struct quic_source *s, const struct bpei_quic_packet *p)
{
	return s->number == p->version && s->bytes == p->dcid_bytes &&
	       !memcmp(s->dcid, p->dcid, p->dcid_bytes);
}

/* Opens an Initial with the keys of the packet's own connection id.  If they open the packet, they
 * are at hand from now on: after a Retry, a change of version, or in another connection the hello
 * begins anew. */
static void open_by_itself(struct quic_work *w, const struct bpei_quic_packet *p)
{
	struct quic_source own = { .version = p->known, .number = p->version };

	own.bytes = p->dcid_bytes;
	memcpy(own.dcid, p->dcid, p->dcid_bytes);
	for (; own.version; own.version = bpei_quic_version_next(p->version, own.version)) {
		uint32_t count = w->stream.count;
		if (!take_budget(w))
			return;
		w->stream.count = 0;
		if (!bpei_quic_keys_make(
			    &own.keys, w->in->crypto, own.version, p->dcid, p->dcid_bytes)) {
			w->in->quic_failed++;
		} else if (try_keys(w, &own, p)) {
			w->source = own;
			return;
		}
		w->stream.count = count;
	}
}

/* Opens an Initial: with the keys at hand, else with the keys of the packet's connection id. */
static void open_initial(struct quic_work *w, const struct bpei_quic_packet *p)
{
	if (w->opened && w->source.number == p->version) {
		if (!take_budget(w) || try_keys(w, &w->source, p) || is_own_source(&w->source, p))
			return;
	}
	open_by_itself(w, p);
}

/* Reads the packets of a datagram. */
static void read_quic_datagram(
	struct quic_work *w, const uint8_t *bytes, uint32_t n, struct bpe_flow_names *said)
{
	struct bpei_quic_packet p;

	for (uint32_t at = 0; at < n && !w->exhausted; at += p.bytes) {
		if (!bpei_quic_packet_read(&p, bytes + at, n - at) || !p.version)
			return;
		if (p.known || bpei_quic_version_known(p.version))
			said->quic_version = p.version;
		if (!p.known)
			return;
		w->known = true;
		if (p.kind == BPEI_QUIC_INITIAL && w->in->crypto)
			open_initial(w, &p);
	}
}

/* Reads the hello, as far as the hello is there. */
static enum bpei_verdict read_hello(struct quic_work *w, struct bpe_flow_names *said)
{
	uint32_t ready = bpei_quic_stream_ready(&w->stream);
	enum bpei_verdict verdict = BPEI_MORE;

	if (ready)
		verdict = bpei_client_hello(w->stream.bytes, ready, BPEI_HELLO_QUIC, w->in, said);
	/* More bytes make no hello of other messages. */
	if (verdict != BPEI_MORE)
		verdict = BPEI_DONE;
	return verdict;
}

/* Tells the namer how many datagrams the reader wants for the rest of the hello. */
static uint32_t count_wanted(const struct quic_work *w, uint32_t datagrams)
{
	uint32_t ready = bpei_quic_stream_ready(&w->stream);
	uint32_t more = 1;

	if (ready >= 4) {
		size_t rest = bpei_hello_bytes(w->stream.bytes, ready) - ready;
		if (rest < sizeof w->stream.bytes)
			more += (uint32_t)rest / DATAGRAM_HELLO;
	}
	if (datagrams >= 4 && more < datagrams / 2)
		more = datagrams / 2;
	if (datagrams + more > BPEI_DATAGRAMS_MOST && datagrams < BPEI_DATAGRAMS_MOST)
		more = BPEI_DATAGRAMS_MOST - datagrams;
	return datagrams + more;
}

/* Returns whether more datagrams cannot help. */
static bool is_hopeless(const struct quic_work *w, const struct bpei_stream *s)
{
	if (!w->in->crypto && w->known)
		return true;
	if (!w->known && s->datagrams >= UNKNOWN_MOST)
		return true;
	return (!w->opened && w->tries >= FAILURES_MOST) || s->datagrams >= BPEI_DATAGRAMS_MOST;
}

/* Ends without a whole hello: takes the part at hand. */
static enum bpei_verdict give_up(struct quic_work *w, struct bpe_flow_names *said)
{
	uint32_t ready = bpei_quic_stream_ready(&w->stream);

	if (w->known && w->in->crypto)
		said->flags |= BPE_NAMED_CUT;
	if (ready)
		bpei_client_hello_part(w->stream.bytes, ready, BPEI_HELLO_QUIC, w->in, said);
	return BPEI_DONE;
}

/* Reads a server's datagrams: the version of the server.  Behind a Version Negotiation follows a
 * connection of a version known to both ends. */
static enum bpei_verdict read_quic_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_quic_packet p;
	uint32_t at = 0;

	for (uint32_t k = 0; k < s->datagrams; k++) {
		uint32_t n = s->ends[k] - at;
		if (bpei_quic_packet_begins(&p, s->bytes + at, n) && p.version) {
			said->quic_version = p.version;
			return BPEI_DONE;
		}
		at = s->ends[k];
	}
	if (s->last || s->datagrams >= UNKNOWN_MOST)
		return BPEI_DONE;
	s->want = s->datagrams + 1;
	return BPEI_MORE;
}

/* Reads a client's datagrams. */
static enum bpei_verdict read_quic_client(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct quic_work w;
	uint32_t at = 0;

	w.in = in;
	w.tries = 0;
	w.opened = 0;
	w.known = false;
	w.exhausted = false;
	w.stream.count = 0;
	for (uint32_t k = 0; k < s->datagrams && !w.exhausted; k++) {
		/* The last call is for the part of a hello: if nothing opens, there is none. */
		if (s->last && !w.opened && w.tries)
			break;
		read_quic_datagram(&w, s->bytes + at, s->ends[k] - at, said);
		at = s->ends[k];
		if (read_hello(&w, said) == BPEI_DONE)
			return BPEI_DONE;
	}
	if (s->last || is_hopeless(&w, s))
		return give_up(&w, said);
	s->want = count_wanted(&w, s->datagrams);
	return BPEI_MORE;
}

enum bpei_verdict bpei_read_quic(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_quic_packet first;

	if (!s->datagrams || !bpei_quic_packet_begins(&first, s->bytes, s->ends[0]))
		return BPEI_NOT;
	said->app = BPE_APP_QUIC;
	if (s->end == 1 || !first.version)
		return read_quic_server(s, said);
	said->quic_version = first.version;
	if (first.kind == BPEI_QUIC_OPAQUE || first.kind == BPEI_QUIC_RETRY ||
		!(in->names & BPE_NAMES_QUIC))
		return BPEI_DONE;
	return read_quic_client(in, s, said);
}
