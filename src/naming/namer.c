/* SPDX-License-Identifier: MIT */
/* The namer of a worker: looks at the packets of flows without names.
 *
 * Of a batch, the numbers of all flows are prefetched, and compared; a finished flow costs
 * no more.  Other packets are looked at in their order.  A flow without kept bytes
 * has no watch: the number tells the first sequence number (SYN), or the readings in vain. */
#include "naming/watch.h"

#include "base/cacheline.h"

#include <stdlib.h>
#include <string.h>

#define IP_TCP 6u
#define IP_UDP 17u
#define SECOND_NS 1000000000
#define LEAST_BYTES 65536u
#define TRIED_PACKETS 8u /* with unknown payload */
#define TRIED_SHIFT 4
#define TRIED_FAILED 3u

/* ---- New and free ---- */

/* Passes events of DNS on. */
static void emit_dns(void *namer, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns)
{
	struct bpei_namer *const n = namer;

	n->options.emit(n->options.user, BPE_EVENT_DNS, entry, time_ns, dns);
}

/* Lists the readers for options.names. */
static void list_rows(struct bpei_namer *n)
{
	for (uint32_t k = 0; k < bpei_reader_count; k++) {
		const struct bpei_reader *const reader = &bpei_readers[k];

		if (!(reader->names & n->options.names))
			continue;
		if (reader->over & BPEI_OVER_TCP && n->row_count[0] < BPEI_ROWS)
			n->rows[0][n->row_count[0]++] = (uint8_t)k;
		if (reader->over & BPEI_OVER_UDP && n->row_count[1] < BPEI_ROWS)
			n->rows[1][n->row_count[1]++] = (uint8_t)k;
	}
	for (int over = 0; over < 2; over++)
		for (uint32_t k = 0; k < n->row_count[over]; k++)
			n->all_rows[over] |= UINT64_C(1) << k;
}

/* Returns true if a reader says NOT to a direction that begins with a byte.  Some readers take a
 * port as a hint, so the byte is shown with and without the port of DNS. */
static bool refuses_first(
	struct bpei_namer *n, const struct bpei_reader *reader, uint32_t end, uint8_t byte)
{
	static const uint16_t ports[2] = { 0, 53 };

	for (int k = 0; k < 2; k++) {
		struct bpei_stream stream = {
			.bytes = &byte, .n = 1, .end = end, .port = { ports[k], ports[k] }
		};

		bpei_slabs_clear(&n->said);
		if (reader->read(&n->inspector, &stream, &n->said) != BPEI_NOT)
			return false;
	}
	return true;
}

/* Asks each reader over TCP about each first byte: most payload is refused by most readers at
 * once. */
static void list_first_bytes(struct bpei_namer *n)
{
	for (uint32_t end = 0; end < 2; end++)
		for (uint32_t byte = 0; byte < 256; byte++)
			for (uint32_t k = 0; k < n->row_count[0]; k++) {
				const uint32_t row = n->rows[0][k];
				const uint64_t bit = UINT64_C(1) << k;

				if (!refuses_first(n, &bpei_readers[row], end, (uint8_t)byte))
					n->first[end][byte] |= bit;
			}
	n->said_is_empty = false;
}

/* Makes the parts in need of memory.  Returns false without. */
static bool make_namer_parts(struct bpei_namer *n)
{
	const struct bpei_namer_options *const o = &n->options;
	const bool has_watches = bpei_pool_init(&n->watches, &n->account, BPEI_PART_WATCHES,
		sizeof(struct bpei_watch), BPEI_ID_SYN_MASK);
	const bool has_chunks = bpei_pool_init(
		&n->chunks, &n->account, BPEI_PART_CHUNKS, BPEI_CHUNK, UINT32_MAX / 2);

	if (!bpei_slabs_init(&n->slabs, &n->account, o->seed) || !has_watches || !has_chunks)
		return false;
	if (!(o->names & (BPE_NAMES_DNS | BPE_NAMES_HOSTS)))
		return true;
	n->pairs = bpei_dns_pairs_new(o->hosts, o->worker, o->names, o->emit ? emit_dns : NULL, n);
	return n->pairs != NULL;
}

struct bpei_namer *bpei_namer_new(const struct bpei_namer_options *options)
{
	struct bpei_namer *const n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->options = *options;
	n->account.most = options->bytes > LEAST_BYTES ? options->bytes : LEAST_BYTES;
	n->inspector = (struct bpei_inspector){ .names = options->names,
		.crypto = options->crypto,
		.quic_left = options->quic_per_second };
	n->quic_second_ns = INT64_MIN;
	n->said_is_empty = true;
	n->flow_ns = INT64_MIN;
	list_rows(n);
	list_first_bytes(n);
	if (make_namer_parts(n))
		return n;
	bpei_namer_free(n);
	return NULL;
}

void bpei_namer_free(struct bpei_namer *n)
{
	if (!n)
		return;
	bpei_dns_pairs_free(n->pairs);
	bpei_slabs_free(&n->slabs);
	bpei_pool_free(&n->chunks);
	bpei_pool_free(&n->watches);
	free(n);
}

void bpei_namer_ids(
	struct bpei_namer *n, const struct bpei_table *table, uint32_t *ids, uint64_t count)
{
	n->table = table;
	n->ids = ids;
	n->none = (uint32_t)(count - 1);
	n->ids[n->none] = BPEI_ID_NOTHING;
}

const struct bpei_namer_counts *bpei_namer_counts(const struct bpei_namer *n)
{
	return &n->counts;
}

/* Publishes the counts of other parts. */
static void publish_namer_counts(struct bpei_namer *n)
{
	struct bpei_namer_counts *const c = &n->counts;
	uint64_t bytes = bpei_counter_get(&n->account.used);

	bpei_counter_set(&c->pending, n->watches.used);
	bpei_counter_set(&c->lost, n->slabs.lost);
	bpei_counter_set(&c->quic_opened, n->inspector.quic_opened);
	bpei_counter_set(&c->quic_failed, n->inspector.quic_failed);
	bpei_counter_set(&c->quic_skipped, n->inspector.quic_skipped);
	if (n->pairs)
		bpei_counter_set(&c->dns_messages, bpei_dns_pairs_messages(n->pairs));
	if (n->options.hosts) {
		bytes += bpei_hosts_bytes(n->options.hosts, n->options.worker);
		bpei_counter_set(
			&c->dns_evicted, bpei_hosts_evicted(n->options.hosts, n->options.worker));
	}
	bpei_counter_set(&c->bytes, bytes);
}

/* ---- Payload of a packet ---- */

/* Fills the piece's payload.  Returns false if there is none to look at. */
static bool find_payload(const struct bpe_batch *b, uint32_t p, struct bpei_piece *piece)
{
	const struct bpe_layers *const l = &b->layers[p];
	const uint8_t *const data = b->data[p];
	struct bpei_payload *const payload = &piece->payload;

	piece->flags = 0;
	if (l->flags & (BPE_PKT_FRAGMENT | BPE_PKT_ICMP_ERROR) || l->transport == BPE_NO_OFFSET)
		return false;
	if (l->proto == BPE_PROTO_TCP) {
		piece->over = BPEI_OVER_TCP;
		piece->flags = l->tcp_flags;
		return bpei_payload_of_segment(data, b->caplen[p], b->wirelen[p], l, payload);
	}
	piece->over = BPEI_OVER_UDP;
	return (l->proto == BPE_PROTO_UDP || l->proto == BPE_PROTO_WIREGUARD) &&
	       bpei_payload_of_datagram(data, b->caplen[p], b->wirelen[p], l, payload) &&
	       payload->sent;
}

/* ---- Flows without a watch ---- */

/* Returns the 32-bit number with these lower 30 bits next to a number of the same
 * direction. */
static uint32_t expand_number(uint32_t bits, uint32_t near)
{
	const uint32_t difference = (near - bits) & BPEI_ID_SYN_MASK;

	return near - (uint32_t)((int32_t)(difference << 2) >> 2);
}

/* Notes the originator's first number, as a SYN or the answer tells. */
static void note_syn(struct bpei_namer *n, const struct bpei_piece *piece)
{
	const bool is_answer = piece->end && piece->flags & TCP_ACK;
	const uint32_t first = is_answer ? piece->payload.ack : piece->payload.seq + 1;

	if (n->ids[piece->entry] == BPEI_ID_NEW && (is_answer || !piece->end))
		n->ids[piece->entry] = BPEI_ID_SYN | (first & BPEI_ID_SYN_MASK);
}

/* Prepares a watch by the entry's id. */
static void begin_watch(struct bpei_namer *n, const struct bpei_piece *piece, struct bpei_watch *w)
{
	const uint32_t id = n->ids[piece->entry];
	struct bpei_side *const first = &w->side[0];

	*w = (struct bpei_watch){ .entry = piece->entry,
		.id = BPEI_ID_NOTHING,
		.since_ns = n->flow_ns,
		.port = { piece->key->port[piece->originator],
			piece->key->port[!piece->originator] },
		.over = piece->over };
	if (bpei_id_is_syn(id) && (!piece->end || piece->flags & TCP_ACK)) {
		first->next = expand_number(id & BPEI_ID_SYN_MASK,
			piece->end ? piece->payload.ack : piece->payload.seq);
		first->started = true;
		first->sure = true;
	}
	if (!bpei_id_is_tried(id))
		return;
	w->packets = id >> TRIED_SHIFT & 0xff;
	for (uint32_t end = 0; end < 2; end++) {
		w->side[end].tries = id >> 2 * end & 3;
		if (w->side[end].tries == TRIED_FAILED)
			w->side[end].state = BPEI_SIDE_FAILED;
	}
}

/* Returns the id of a flow with unknown payload so far. */
static uint32_t tried_id(const struct bpei_watch *w)
{
	uint32_t id = BPEI_ID_TRIED | (uint32_t)w->packets << TRIED_SHIFT;

	for (uint32_t end = 0; end < 2; end++) {
		const bool has_failed = w->side[end].state == BPEI_SIDE_FAILED;

		id |= (has_failed ? TRIED_FAILED : w->side[end].tries) << 2 * end;
	}
	return w->packets < TRIED_PACKETS ? id : BPEI_ID_NOTHING;
}

/* Returns true if nothing more is to be read of an end of a flow with unknown payload. */
static bool has_direction_failed(uint32_t id, uint32_t end)
{
	return (id >> 2 * end & 3) == TRIED_FAILED;
}

/* ---- Conclusions ---- */

/* Keeps a name by the answers to the originator, if payload told none.  The time at hand stands for
 * the time of the flow's first packet. */
static void look_up_host(struct bpei_namer *n, const struct bpei_piece *piece)
{
	const uint32_t id = n->ids[piece->entry];
	const struct bpei_hosts_ask ask = { .originator = piece->key->addr[piece->originator],
		.responder = piece->key->addr[!piece->originator],
		.version = piece->key->ip_version,
		.first_ns = piece->time_ns };

	if (!n->options.hosts || bpei_slabs_source(&n->slabs, id) != BPE_NAME_NONE)
		return;
	if (!n->said_is_empty)
		bpei_slabs_clear(&n->said);
	bpei_hosts_find(n->options.hosts, &ask, &n->said);
	n->said_is_empty = n->said.source == BPE_NAME_NONE && !n->said.client[0];
	if (n->said.source == BPE_NAME_NONE)
		return;
	const struct bpe_flow_names found = n->said;

	bpei_slabs_clear(&n->said);
	bpei_slabs_fill(&n->slabs, id, &n->said);
	memcpy(n->said.server, found.server, sizeof n->said.server);
	memcpy(n->said.others, found.others, sizeof n->said.others);
	n->said.source = found.source;
	n->said.others_count = found.others_count;
	n->said.age_ns = piece->time_ns - found.age_ns;
	n->said.ttl_ns = found.ttl_ns;
	n->said_is_empty = false;
	n->ids[piece->entry] = bpei_slabs_keep(&n->slabs, id, &n->said);
}

/* Concludes a flow with payload read or given up. */
static void conclude_flow(
	struct bpei_namer *n, const struct bpei_watch *w, const struct bpei_piece *piece)
{
	n->ids[w->entry] = w->id;
	look_up_host(n, piece);
	bpei_watch_tell(n, w);
}

/* Returns true if nothing more is to be read of a watch. */
static bool is_read(const struct bpei_watch *w)
{
	const bool both = w->side[0].state != BPEI_SIDE_OPEN && w->side[1].state != BPEI_SIDE_OPEN;

	return !w->each && (both || w->packets >= BPEI_NAMER_PACKETS);
}

/* Reads a packet of a flow without a watch. */
static void read_without_watch(struct bpei_namer *n, const struct bpei_piece *piece)
{
	struct bpei_watch w;

	begin_watch(n, piece, &w);
	bpei_watch_read(n, &w, piece);
	const bool is_known = w.row[0] || w.id != BPEI_ID_NOTHING;
	const bool is_kept = bpei_side_is_kept(&w.side[0]) || bpei_side_is_kept(&w.side[1]);

	if (w.each && w.over == BPEI_OVER_UDP) {
		n->ids[w.entry] = BPEI_ID_EACH | w.id;
		return;
	}
	if (is_read(&w)) {
		conclude_flow(n, &w, piece);
		return;
	}
	if (!is_known && !is_kept) {
		n->ids[w.entry] = tried_id(&w);
		if (n->ids[w.entry] == BPEI_ID_NOTHING)
			look_up_host(n, piece);
		return;
	}
	if (bpei_watch_add(n, &w))
		return;
	bpei_counter_add(&n->counts.evicted, 1); /* no room for a single watch */
	bpei_side_give_up(n, &w, 0);
	bpei_side_give_up(n, &w, 1);
	conclude_flow(n, &w, piece);
}

/* Reads a packet of a watch. */
static void read_watch(struct bpei_namer *n, uint32_t number, const struct bpei_piece *piece)
{
	struct bpei_watch *const w = bpei_watch_at(n, number);

	n->busy = number;
	bpei_watch_read(n, w, piece);
	if (is_read(w)) {
		bpei_side_give_up(n, w, 0);
		bpei_side_give_up(n, w, 1);
	}
	n->busy = 0;
	if (w->each && w->over == BPEI_OVER_UDP) {
		n->ids[w->entry] = BPEI_ID_EACH | w->id;
		bpei_watch_remove(n, number);
	} else if (is_read(w)) {
		const struct bpei_watch last = *w;

		bpei_watch_remove(n, number);
		conclude_flow(n, &last, piece);
	} else if (w->each) {
		bpei_watch_renew(n, number);
	}
}

/* Reads a packet of a flow of messages without a watch. */
static void read_each(struct bpei_namer *n, const struct bpei_piece *piece)
{
	const uint32_t known = n->ids[piece->entry] & BPEI_ID_SYN_MASK;
	const uint8_t app = bpei_slabs_app(&n->slabs, known);

	if (piece->over == BPEI_OVER_UDP) {
		bpei_message_read(n, piece, app);
		return;
	}
	/* TCP, after a pause: a segment is expected to begin with a message. */
	struct bpei_watch w;

	begin_watch(n, piece, &w);
	w.id = known;
	w.known = true;
	w.each = true;
	for (uint32_t k = 0; k < n->row_count[0]; k++)
		if (bpei_readers[n->rows[0][k]].app == app)
			w.row[0] = (uint8_t)(k + 1);
	bpei_watch_read(n, &w, piece);
	if (bpei_watch_add(n, &w))
		return;
	bpei_counter_add(&n->counts.evicted, 1);
	bpei_side_clear(&w.side[0], &n->chunks);
	bpei_side_clear(&w.side[1], &n->chunks);
}

/* ---- A batch ---- */

/* Counts a packet of a direction that has failed, without a look at the bytes. */
static void count_tried_packet(struct bpei_namer *n, const struct bpei_piece *piece)
{
	const uint32_t id = n->ids[piece->entry] + (1u << TRIED_SHIFT);
	const bool is_over = (id >> TRIED_SHIFT & 0xff) >= TRIED_PACKETS;

	n->ids[piece->entry] = is_over ? BPEI_ID_NOTHING : id;
	if (is_over)
		look_up_host(n, piece);
}

/* Notes a try of a direction without memory of the flow: a segment whose first byte no reader
 * accepts.  Returns false if the segment is to be read as others are. */
static bool refuse_first_byte(struct bpei_namer *n, const struct bpei_piece *piece)
{
	const uint32_t id = n->ids[piece->entry];
	const uint32_t shift = 2 * piece->end;
	uint32_t tried = BPEI_ID_TRIED;
	uint32_t tries = 1;

	if (piece->over != BPEI_OVER_TCP || !piece->payload.n ||
		n->first[piece->end][piece->payload.bytes[0]])
		return false;
	if (bpei_id_is_tried(id)) {
		tried = id & ~(TRIED_FAILED << shift);
		tries = (id >> shift & 3) + 1;
	} else if (bpei_id_is_syn(id) && !piece->end) {
		if ((id ^ piece->payload.seq) & BPEI_ID_SYN_MASK)
			return false; /* the first segments are out of order */
		tries = TRIED_FAILED;
	} else if (id != BPEI_ID_NEW && !bpei_id_is_syn(id)) {
		return false;
	}
	tried |= tries << shift;
	if (has_direction_failed(tried, 0) && has_direction_failed(tried, 1))
		tried = BPEI_ID_TRIED | TRIED_PACKETS << TRIED_SHIFT;
	n->ids[piece->entry] = tried;
	count_tried_packet(n, piece);
	return true;
}

/* Looks at packet p of an unfinished flow. */
static void look_at_packet(struct bpei_namer *n, const struct bpe_batch *b, uint32_t p)
{
	struct bpei_piece piece;
	const uint32_t entry = b->flow[p];
	const struct bpe_key *const key = &b->key[p];
	const uint32_t sender = b->layers[p].flags & BPE_PKT_REVERSED ? 1 : 0;

	if (!bpei_id_is_open(n->ids[entry]))
		return; /* finished by an earlier packet of the batch */
	const bool has_payload = find_payload(b, p, &piece);
	const uint32_t id = n->ids[entry];
	const bool is_watch = bpei_id_is_watch(id);
	const bool is_bare = !has_payload || !piece.payload.sent;

	/* before the flow is asked, as most bare segments tell nothing */
	if (is_bare && (!has_payload || !(piece.flags & (TCP_SYN | TCP_FIN))) &&
		(key->ip_proto == IP_TCP || key->ip_proto == IP_UDP))
		return;
	const int end = n->options.end_of(n->table, entry, key, sender);

	if (end < 0)
		return; /* the flow ended within the batch */
	if (key->ip_proto != IP_TCP && key->ip_proto != IP_UDP) {
		n->ids[entry] = BPEI_ID_NOTHING;
		return;
	}
	piece.entry = entry;
	piece.key = key;
	piece.end = (uint32_t)end;
	piece.originator = sender ^ (uint32_t)end;
	piece.time_ns = b->time_ns[p];
	if (is_bare && !(is_watch && piece.flags & TCP_FIN)) {
		if (piece.flags & TCP_SYN)
			note_syn(n, &piece);
		return;
	}
	if (bpei_id_is_tried(id) && has_direction_failed(id, piece.end)) {
		count_tried_packet(n, &piece);
		return;
	}
	if (refuse_first_byte(n, &piece))
		return;
	if (is_watch)
		read_watch(n, id & BPEI_ID_SYN_MASK, &piece);
	else if (bpei_id_is_each(id))
		read_each(n, &piece);
	else
		read_without_watch(n, &piece);
}

/* Begins a second with a new budget of Initials. */
static void renew_budget(struct bpei_namer *n, int64_t now_ns)
{
	uint64_t apart = (uint64_t)now_ns - (uint64_t)n->quic_second_ns;

	/* Packets in disorder are of the same second; a clock that was set is not. */
	if (now_ns < n->quic_second_ns)
		apart = (uint64_t)n->quic_second_ns - (uint64_t)now_ns;
	if (apart < SECOND_NS)
		return;
	n->quic_second_ns = now_ns;
	n->inspector.quic_left = n->options.quic_per_second;
}

void bpei_namer_batch(struct bpei_namer *n, const struct bpe_batch *b, int64_t flow_ns)
{
	const uint32_t *const flow = b->flow;
	const uint32_t *const ids = n->ids;
	const uint32_t none = n->none;
	uint64_t open = 0;

	for (uint32_t p = 0; p < b->count; p++)
		__builtin_prefetch(&ids[flow[p] < none ? flow[p] : none]);
	for (uint32_t p = 0; p < b->count; p++) {
		const uint32_t entry = flow[p] < none ? flow[p] : none;

		open |= (uint64_t)bpei_id_is_open(ids[entry]) << p;
	}
	n->flow_ns = flow_ns;
	if (open) {
		renew_budget(n, b->time_ns[0]);
		for (; open; open &= open - 1)
			look_at_packet(n, b, (uint32_t)__builtin_ctzll(open));
		publish_namer_counts(n);
	}
	/* behind the packets: a batch of a quiet link can span more than the wait */
	if (BPEI_UNLIKELY(n->oldest))
		bpei_watch_expire(n);
	if (n->pairs)
		bpei_dns_pairs_expire(n->pairs, b->time_ns[b->count - 1]);
}

void bpei_namer_age(struct bpei_namer *n, int64_t flow_ns)
{
	n->flow_ns = flow_ns;
	bpei_watch_expire(n);
	if (n->pairs)
		bpei_dns_pairs_expire(n->pairs, flow_ns);
	publish_namer_counts(n);
}

void bpei_namer_finish(struct bpei_namer *n)
{
	while (n->oldest)
		bpei_watch_give_up(n, n->oldest);
	if (n->pairs)
		bpei_dns_pairs_expire(n->pairs, INT64_MAX);
	publish_namer_counts(n);
}

/* ---- Called by the flow table ---- */

/* Returns the finished id of the names so far. */
static uint32_t finished_id(const struct bpei_namer *n, uint32_t id)
{
	if (bpei_id_is_watch(id))
		return bpei_watch_at(n, id & BPEI_ID_SYN_MASK)->id;
	if (bpei_id_is_each(id))
		return id & BPEI_ID_SYN_MASK;
	return bpei_id_is_open(id) ? BPEI_ID_NOTHING : id;
}

void bpei_namer_fill(void *namer, uint32_t entry, struct bpe_flow *record)
{
	const struct bpei_namer *const n = namer;
	struct bpe_flow_names *const names = &record->names;
	const struct bpei_hosts_ask ask = { .originator = record->addr[0],
		.responder = record->addr[1],
		.version = record->ip_version,
		.first_ns = record->first_ns };

	bpei_slabs_fill(&n->slabs, finished_id(n, n->ids[entry]), names);
	if (names->source >= BPE_NAME_DNS)
		names->age_ns = record->first_ns - names->age_ns;
	if (n->options.hosts)
		bpei_hosts_find(n->options.hosts, &ask, names);
	bpei_names_form(n->options.form, names);
}

void bpei_namer_close(void *namer, uint32_t entry)
{
	struct bpei_namer *const n = namer;
	const uint32_t id = n->ids[entry];

	if (bpei_id_is_watch(id)) {
		bpei_watch_give_up(n, id & BPEI_ID_SYN_MASK);
		bpei_counter_set(&n->counts.pending, n->watches.used);
	}
	if (n->pairs && bpei_id_is_each(n->ids[entry]))
		bpei_dns_pairs_end(n->pairs, entry);
}

void bpei_namer_drop(void *namer, uint32_t entry)
{
	struct bpei_namer *const n = namer;

	bpei_slabs_drop(&n->slabs, finished_id(n, n->ids[entry]));
	n->ids[entry] = BPEI_ID_NEW;
}
