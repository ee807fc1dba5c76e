/* SPDX-License-Identifier: MIT */
/* Connections with a VLAN tag in one direction alone, or of which a mirror port shows each packet
 * with and without a tag.  Packets with both keys, tagged and plain, are counted on one flow, which
 * has the tagged key.
 *
 * Only a packet whose key has no flow is checked, before the batch is counted.  The packet joins
 * the flow of the other form in two cases: that flow has seen the opposite direction alone and,
 * with TCP, the numbers of both agree; or the same packet was seen in the other form within a
 * millisecond.  A packet is checked against earlier packets, in the batch and in the table, so
 * results do not depend on batches.  In the batch, a plain packet of a joined flow gets the tagged
 * key.  Plain packets may come in a direction in which tagged packets came, neither copies nor
 * fitting by TCP's numbers.  Then there are two connections after all, and each form goes to a
 * separate flow from then on.
 *
 * A sibling is a tagged key that had a flow.  Siblings are found by the plain key's hash, in sets;
 * the sibling used longest ago makes room, and plain packets no longer join its flow.  Memory is
 * taken only as tagged flows are opened.  Plain traffic alone pays nothing. */
#include "flow/batch.h"
#include "flow/window.h"

#include "base/cacheline.h"
#include "base/mem.h"

#define WAYS 4u
#define MIN_SIBLINGS 1024u
#define COPY_NS 1000000u         /* most time between copies, as in duplicate.c */
#define NUMBER_WINDOW 0x1000000u /* numbers of one connection are no farther apart */
#define BOTH_ENDS 3u

enum { SIBLING_ALONE, SIBLING_JOINED, SIBLING_APART };

/* Returns the number of siblings for so many flows, a power of two. */
static uint32_t siblings_for_flows(uint64_t max_flows)
{
	uint32_t size = MIN_SIBLINGS;

	while (size <= max_flows / 2)
		size *= 2;
	return size;
}

uint64_t bpei_siblings_bytes(uint64_t max_flows)
{
	return siblings_for_flows(max_flows) * (uint64_t)sizeof(struct bpei_sibling);
}

int bpei_siblings_init(struct bpei_table *t)
{
	t->siblings_size = siblings_for_flows(t->options.max_flows);
	t->siblings = bpei_mem_map(t->siblings_size * sizeof *t->siblings, 0);
	return t->siblings ? BPE_OK : BPE_E_MEMORY;
}

void bpei_siblings_free(struct bpei_table *t)
{
	bpei_mem_unmap(t->siblings, t->siblings_size * sizeof *t->siblings);
}

/* ---- Keys ---- */

/* A key and its hash. */
struct hashed_key {
	struct bpe_key key;
	uint32_t hash;
};

/* Returns true if the key has a VLAN id. */
static bool is_key_tagged(const struct bpe_key *key)
{
	return (key->vlan[0] | key->vlan[1]) != 0;
}

/* Returns the key with other VLAN ids, and its hash. */
static struct hashed_key key_with_vlan(
	const struct bpei_table *t, const struct bpe_key *key, const uint16_t vlan[2])
{
	struct bpe_layers layers = { .flags = BPE_PKT_KEY };
	struct hashed_key result = { .key = *key };
	const struct bpei_columns columns = {
		.layers = &layers, .key = &result.key, .hash = &result.hash
	};

	result.key.vlan[0] = vlan[0];
	result.key.vlan[1] = vlan[1];
	bpei_hash(&columns, 1, t->options.key_seed);
	return result;
}

/* Returns the set of siblings by the hash of the plain key. */
static struct bpei_sibling *sibling_set_of(const struct bpei_table *t, uint32_t base)
{
	return t->siblings + (base & (t->siblings_size / WAYS - 1)) * WAYS;
}

/* Returns the word of the filter for the hash of a plain key, and writes the bit. */
static uint64_t *filter_word_of(struct bpei_table *t, uint32_t base, uint64_t *bit)
{
	*bit = (uint64_t)1 << (base & 63);
	return &t->sibling_filter[base / 64 % (BPEI_SIBLING_FILTER / 64)];
}

/* Returns false if no sibling of a plain key has been made.  The filter is small and stays in the
 * cache, unlike the sets. */
static bool may_have_sibling(struct bpei_table *t, uint32_t base)
{
	uint64_t bit;

	return *filter_word_of(t, base, &bit) & bit;
}

/* Returns the element of the set for a tagged key: the key's own, a free element, or the element
 * used longest ago. */
static struct bpei_sibling *choose_sibling(
	struct bpei_table *t, uint32_t base, const struct bpe_key *key)
{
	struct bpei_sibling *const set = sibling_set_of(t, base);
	struct bpei_sibling *oldest = set;

	for (uint32_t k = 0; k < WAYS; k++) {
		if (set[k].base == base && !memcmp(set[k].vlan, key->vlan, sizeof key->vlan))
			return &set[k];
		const uint32_t age = t->sibling_uses - set[k].used;
		const bool is_older = age > t->sibling_uses - oldest->used;
		if (oldest->base && (!set[k].base || is_older))
			oldest = &set[k];
	}
	return oldest;
}

/* Makes the sibling of a tagged key anew. */
static struct bpei_sibling *make_sibling(
	struct bpei_table *t, uint32_t base, const struct bpe_key *key)
{
	struct bpei_sibling *const sibling = choose_sibling(t, base, key);
	uint64_t bit;
	uint64_t *const word = filter_word_of(t, base, &bit);

	*word |= bit;
	if (!sibling->base)
		t->siblings_used++;
	*sibling = (struct bpei_sibling){
		.base = base, .used = ++t->sibling_uses, .vlan = { key->vlan[0], key->vlan[1] }
	};
	return sibling;
}

/* ---- Earlier packets ---- */

/* Earlier packets of one key: the flow in the table, and packets of the batch. */
struct earlier_packets {
	uint32_t entry;    /* BPEI_NO_FLOW: none, or the flow has timed out */
	uint64_t in_batch; /* bit by packet */
};

/* Returns which of up to 64 numbers are x, as bits.  Compares four at a time, in generic
 * vectors. */
static uint64_t find_equal_numbers(const uint32_t *number, uint32_t n, uint32_t x)
{
	typedef uint32_t lanes __attribute__((vector_size(16)));
	const lanes all = { x, x, x, x };
	const uint32_t whole = n & ~3u;
	uint64_t bits = 0;

	for (uint32_t from = 0; from < whole; from += 32) {
		const uint32_t to = whole - from < 32 ? whole : from + 32;
		lanes found = { 0 };
		lanes bit = { 1, 2, 4, 8 };
		lanes at;

		for (uint32_t p = from; p < to; p += 4, bit <<= 4) {
			memcpy(&at, number + p, sizeof at);
			found |= (lanes)(at == all) & bit;
		}
		bits |= (uint64_t)(found[0] | found[1] | found[2] | found[3]) << from;
	}
	for (uint32_t p = whole; p < n; p++)
		bits |= (uint64_t)(number[p] == x) << p;
	return bits;
}

/* Finds the packets of a key before packet p. */
static struct earlier_packets find_earlier(
	const struct bpei_flow_batch *ctx, uint32_t p, uint32_t hash, const struct bpe_key *key)
{
	const struct bpei_table *const t = ctx->t;
	const struct bpe_batch *const b = ctx->b;
	struct earlier_packets earlier = { .entry = bpei_index_find(t, hash, key) };

	for (uint64_t m = find_equal_numbers(b->hash, p, hash); m; m &= m - 1)
		if (!memcmp(&b->key[__builtin_ctzll(m)], key, sizeof *key))
			earlier.in_batch |= m & -m;
	if (earlier.entry != BPEI_NO_FLOW) {
		const uint32_t first =
			earlier.in_batch ? (uint32_t)__builtin_ctzll(earlier.in_batch) : p;

		if (bpei_entry_has_timed_out(t, &t->entries[earlier.entry], b->time_ns[first]))
			earlier.entry = BPEI_NO_FLOW;
	}
	return earlier;
}

/* What the earlier packets tell of a connection.  Arrays are by end. */
struct connection_view {
	uint32_t senders;         /* bit by end: the end has sent a packet */
	uint32_t next[2], isn[2]; /* as seq and isn of the cold line */
	bool has_next[2], has_isn[2];
	bool is_closing;
};

/* Reads the TCP numbers of packet p.  Returns false if they are unknown. */
static bool read_segment(
	const struct bpei_flow_batch *ctx, uint32_t p, struct bpei_segment *segment)
{
	return bpei_layers_have_tcp(&ctx->b->layers[p]) &&
	       bpei_batch_segment(ctx->t, ctx->b, p, segment);
}

/* Returns true if two numbers cannot be of one connection. */
static bool are_numbers_far(uint32_t a, uint32_t b)
{
	return a - b + NUMBER_WINDOW > 2 * NUMBER_WINDOW;
}

/* Returns what the flow in the table tells. */
static struct connection_view view_of_entry(const struct bpei_table *t, uint32_t i)
{
	const struct bpei_entry *const e = &t->entries[i];
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const uint8_t tcp_state = bpei_entry_tcp_state(e);
	/* Which ends have sent before this period is not kept. */
	const bool is_continued = bpei_entry_flags(e) & FLAG_CONTINUED;
	struct connection_view view = { .is_closing = tcp_state >= BPE_TCP_CLOSING };

	for (uint32_t end = 0; end < 2; end++) {
		const bool has_sent = bpei_entry_packets(e, end) || is_continued;

		view.senders |= (uint32_t)has_sent << end;
		view.next[end] = cold->seq[end];
		view.isn[end] = cold->isn[end];
		view.has_next[end] = tcp_state && bpei_end_is_numbered(t, i, end);
		view.has_isn[end] = tcp_state && bpei_end_has_isn(t, i, end);
	}
	return view;
}

/* Adds a segment's numbers to the view.  A SYN may start a new connection, by the rules of
 * bpei_tcp_is_new_connection. */
static void add_segment_to_view(
	struct connection_view *view, uint32_t end, const struct bpei_segment *s, uint32_t flags)
{
	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		const bool is_other_syn = s->seq + 1 != view->isn[end];

		if (view->has_isn[end] ? is_other_syn : view->is_closing)
			*view = (struct connection_view){ 0 };
		view->has_isn[end] = true;
		view->isn[end] = s->seq + 1;
	}
	view->is_closing |= (flags & (TCP_FIN | TCP_RST)) != 0;
	const uint32_t syn = flags >> 1 & 1;
	const uint32_t fin = flags & TCP_FIN;
	const bool is_stray = view->has_next[end] && are_numbers_far(s->seq, view->next[end]);
	if (!is_stray)
		view->next[end] = s->seq + s->bytes + syn + fin;
	view->has_next[end] = true;
}

/* Returns what the earlier packets tell of their connection. */
static struct connection_view view_earlier(
	const struct bpei_flow_batch *ctx, const struct earlier_packets *earlier)
{
	struct connection_view view = { 0 };

	if (earlier->entry != BPEI_NO_FLOW)
		view = view_of_entry(ctx->t, earlier->entry);
	for (uint64_t m = earlier->in_batch; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m);
		const struct bpe_layers *const l = &ctx->b->layers[p];
		const uint32_t end = bpei_sender_end(l);
		struct bpei_segment s;

		if (read_segment(ctx, p, &s))
			add_segment_to_view(&view, end, &s, l->tcp_flags);
		view.senders |= 1u << end;
	}
	return view;
}

/* Returns true if packet p is TCP, and no number of the packet contradicts the view. */
static bool fits_tcp_numbers(
	const struct bpei_flow_batch *ctx, uint32_t p, const struct connection_view *view)
{
	const uint32_t end = bpei_sender_end(&ctx->b->layers[p]);
	const uint32_t flags = ctx->b->layers[p].tcp_flags;
	struct bpei_segment s;

	if (ctx->b->key[p].ip_proto != IP_TCP)
		return false;
	if (!read_segment(ctx, p, &s))
		return true;
	if (view->is_closing && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return true;
	if (flags & TCP_ACK && view->has_next[!end] && are_numbers_far(s.ack, view->next[!end]))
		return false;
	return !view->has_next[end] || !are_numbers_far(s.seq, view->next[end]);
}

/* ---- Copies ---- */

/* Returns true if two times are at most COPY_NS apart. */
static bool are_times_near(int64_t a, int64_t b)
{
	return (uint64_t)a - (uint64_t)b + COPY_NS <= 2 * (uint64_t)COPY_NS;
}

/* Copies the start of the IP header, which has IPv4's identification, and of the next header, which
 * has a checksum or numbers.  Returns false if both were not captured. */
static bool copy_heads(const struct bpe_batch *b, uint32_t p, uint64_t heads[2])
{
	const struct bpe_layers *const l = &b->layers[p];
	const uint32_t end = l->end < b->caplen[p] ? l->end : b->caplen[p];

	if (!b->data || l->network == BPE_NO_OFFSET || l->transport == BPE_NO_OFFSET)
		return false;
	if (l->network + 8u > end || l->transport + 8u > end)
		return false;
	memcpy(&heads[0], b->data[p] + l->network, 8);
	memcpy(&heads[1], b->data[p] + l->transport, 8);
	return true;
}

/* Returns true if both pairs of heads are equal. */
static bool are_heads_equal(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] == b[0] && a[1] == b[1];
}

/* Returns true if packet p was seen just before, in the other form: key and earlier packets of that
 * form. */
static bool is_copy_of_other_form(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t hash,
	const struct earlier_packets *earlier)
{
	const struct bpe_batch *const b = ctx->b;
	const uint32_t end = bpei_sender_end(&b->layers[p]);
	const int64_t ns = b->time_ns[p];
	uint64_t heads[2];
	uint64_t other[2];

	if (!copy_heads(b, p, heads))
		return false;
	for (uint64_t m = earlier->in_batch; m; m &= m - 1) {
		const uint32_t q = (uint32_t)__builtin_ctzll(m);

		if (bpei_sender_end(&b->layers[q]) != end || !are_times_near(b->time_ns[q], ns))
			continue;
		if (copy_heads(b, q, other) && are_heads_equal(heads, other))
			return true;
	}
	for (uint32_t k = 0; k < BPEI_FIRST_PACKETS; k++) {
		const struct bpei_first_packet *const first = &ctx->t->first_packets[k];

		if (first->hash == hash && first->end == end && are_times_near(first->ns, ns) &&
			are_heads_equal(first->heads, heads))
			return true;
	}
	return false;
}

/* Keeps the last packets that open flows, as far as the next batch may have copies of them: a copy
 * comes at most BPEI_FIRST_PACKETS packets later. */
static void keep_first_packets(const struct bpei_flow_batch *ctx, uint64_t opening)
{
	const struct bpe_batch *const b = ctx->b;
	struct bpei_table *const t = ctx->t;

	if (b->count > BPEI_FIRST_PACKETS)
		opening &= ~(uint64_t)0 << (b->count - BPEI_FIRST_PACKETS);
	for (; opening; opening &= opening - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(opening);
		const uint32_t slot = t->first_packet_tail % BPEI_FIRST_PACKETS;
		struct bpei_first_packet *const first = &t->first_packets[slot];

		if (!are_times_near(b->time_ns[p], b->time_ns[b->count - 1]))
			continue;
		if (!copy_heads(b, p, first->heads))
			continue;
		first->ns = b->time_ns[p];
		first->hash = b->hash[p];
		first->end = bpei_sender_end(&b->layers[p]);
		t->first_packet_tail++;
	}
}

/* ---- Joining ---- */

/* Counts packet p under another key. */
static void change_packet_key(struct bpei_flow_batch *ctx, uint32_t p, const struct hashed_key *to)
{
	struct bpei_joined_batch *const joined = &ctx->t->joined;
	const uint32_t i = bpei_index_find(ctx->t, to->hash, &to->key);

	if (!joined->any) {
		joined->any = true;
		memcpy(joined->key, ctx->b->key, ctx->b->count * sizeof *joined->key);
		memcpy(joined->hash, ctx->b->hash, ctx->b->count * sizeof *joined->hash);
		joined->batch = *ctx->b;
		joined->batch.key = joined->key;
		joined->batch.hash = joined->hash;
		ctx->b = &joined->batch;
	}
	joined->key[p] = to->key;
	joined->hash[p] = to->hash;
	ctx->flow[p] = i != BPEI_NO_FLOW ? i : (uint32_t)ctx->t->options.max_flows;
}

/* Gives a flow of the plain key the tagged key, and the batch's tagged packets that flow. */
static void tag_entry(struct bpei_flow_batch *ctx, uint32_t i, const struct hashed_key *to)
{
	struct bpei_table *const t = ctx->t;
	struct bpei_flow_cold *const cold = &t->cold[i];
	const uint32_t watch = cold->inner_vlan & COLD_WATCH;

	bpei_index_remove(t, cold->hash, i);
	t->entries[i].key[4] = bpei_key_rest(&to->key) | bpei_key_extension(&to->key);
	cold->inner_vlan = (uint16_t)(watch | to->key.vlan[1]);
	cold->hash = to->hash;
	bpei_entry_insert(t, to->hash, i);
	for (uint64_t m = find_equal_numbers(ctx->b->hash, ctx->b->count, to->hash); m; m &= m - 1)
		ctx->flow[__builtin_ctzll(m)] = i;
}

/* Returns true if packet p belongs to the flow of the other form.  hash, earlier, view: of that
 * form.  Writes whether the packet is a copy. */
static bool may_join(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t hash,
	const struct earlier_packets *earlier, const struct connection_view *view, bool *is_copy)
{
	const uint32_t end = bpei_sender_end(&ctx->b->layers[p]);
	const bool has_sent = view->senders >> end & 1;

	*is_copy = has_sent && is_copy_of_other_form(ctx, p, hash, earlier);
	if (view->senders != 1u << !end)
		return *is_copy;
	return ctx->b->key[p].ip_proto != IP_TCP || fits_tcp_numbers(ctx, p, view);
}

/* Moves the plain form to the tagged key: the flow in the table, and earlier packets of the
 * batch. */
static void join_plain_form(struct bpei_flow_batch *ctx, const struct hashed_key *tagged,
	const struct hashed_key *plain, const struct earlier_packets *earlier)
{
	struct bpei_table *const t = ctx->t;
	const uint32_t i = bpei_index_find(t, plain->hash, &plain->key);

	if (earlier->entry != BPEI_NO_FLOW)
		tag_entry(ctx, i, tagged);
	else if (i != BPEI_NO_FLOW)
		bpei_entry_end(t, i, bpei_entry_end_reason(&t->entries[i]));
	for (uint64_t m = earlier->in_batch; m; m &= m - 1)
		change_packet_key(ctx, (uint32_t)__builtin_ctzll(m), tagged);
}

/* Checks a tagged packet without a flow.  Returns the later plain packets that are to be checked
 * again, as bits. */
static uint64_t check_tagged_packet(struct bpei_flow_batch *ctx, uint32_t p)
{
	static const uint16_t no_vlan[2] = { 0, 0 };
	struct bpei_table *const t = ctx->t;
	const struct hashed_key tagged = { ctx->b->key[p], ctx->b->hash[p] };
	const struct hashed_key plain = key_with_vlan(t, &tagged.key, no_vlan);
	bool is_copy;

	if (find_earlier(ctx, p, tagged.hash, &tagged.key).in_batch)
		return 0; /* the first packet of the key was checked */
	struct bpei_sibling *const sibling = make_sibling(t, plain.hash, &tagged.key);
	const struct earlier_packets earlier = find_earlier(ctx, p, plain.hash, &plain.key);
	const struct connection_view view = view_earlier(ctx, &earlier);
	if (!view.senders || !may_join(ctx, p, plain.hash, &earlier, &view, &is_copy))
		return 0;
	sibling->state = SIBLING_JOINED;
	sibling->plain = (uint8_t)(is_copy ? BOTH_ENDS : view.senders);
	join_plain_form(ctx, &tagged, &plain, &earlier);
	const uint64_t later = -((uint64_t)2 << p);
	return find_equal_numbers(ctx->b->hash, ctx->b->count, plain.hash) & later;
}

/* Returns true if plain packet p is to be counted on the flow of a sibling.  hash, earlier: of the
 * sibling's key. */
static bool joins_sibling(const struct bpei_flow_batch *ctx, uint32_t p,
	struct bpei_sibling *sibling, uint32_t hash, const struct earlier_packets *earlier)
{
	const uint32_t end = bpei_sender_end(&ctx->b->layers[p]);
	bool is_copy;

	if (sibling->state == SIBLING_APART)
		return false;
	if (sibling->state == SIBLING_JOINED && sibling->plain >> end & 1)
		return true;
	const struct connection_view view = view_earlier(ctx, earlier);
	if (sibling->state == SIBLING_ALONE) {
		if (!may_join(ctx, p, hash, earlier, &view, &is_copy))
			return false;
		sibling->state = SIBLING_JOINED;
		sibling->plain = (uint8_t)(is_copy ? BOTH_ENDS : 1u << end);
		return true;
	}
	if (is_copy_of_other_form(ctx, p, hash, earlier))
		sibling->plain = BOTH_ENDS;
	else if (fits_tcp_numbers(ctx, p, &view))
		sibling->plain |= (uint8_t)(1u << end);
	else
		sibling->state = SIBLING_APART;
	return sibling->state == SIBLING_JOINED;
}

/* Checks a plain packet without a flow. */
static void check_plain_packet(struct bpei_flow_batch *ctx, uint32_t p)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_key key = ctx->b->key[p];
	const uint32_t base = ctx->b->hash[p];
	struct bpei_sibling *const set = sibling_set_of(t, base);

	for (uint32_t k = 0; k < WAYS; k++) {
		if (BPEI_LIKELY(set[k].base != base))
			continue;
		if (find_earlier(ctx, p, base, &key).in_batch)
			return; /* the first packet of the key was checked */
		const struct hashed_key tagged = key_with_vlan(t, &key, set[k].vlan);
		const struct earlier_packets earlier =
			find_earlier(ctx, p, tagged.hash, &tagged.key);
		if (!earlier.in_batch && earlier.entry == BPEI_NO_FLOW)
			continue;
		if (!joins_sibling(ctx, p, &set[k], tagged.hash, &earlier))
			continue;
		set[k].used = ++t->sibling_uses;
		change_packet_key(ctx, p, &tagged);
		return;
	}
}

void bpei_siblings_join(struct bpei_flow_batch *ctx)
{
	struct bpei_table *const t = ctx->t;
	const uint32_t none = (uint32_t)t->options.max_flows;

	if (!t->options.key_seed || !none)
		return;
	const uint64_t opening = find_equal_numbers(ctx->flow, ctx->b->count, none);
	for (uint64_t m = opening; m; m &= m - 1) {
		const uint32_t hash = ctx->b->hash[__builtin_ctzll(m)];

		if (may_have_sibling(t, hash))
			__builtin_prefetch(sibling_set_of(t, hash));
	}
	for (uint64_t m = opening; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m);
		const uint32_t hash = ctx->b->hash[p];

		if (!hash)
			continue;
		if (is_key_tagged(&ctx->b->key[p]))
			m |= check_tagged_packet(ctx, p);
		else if (may_have_sibling(t, hash))
			check_plain_packet(ctx, p);
	}
	if (opening)
		keep_first_packets(ctx, opening);
}
