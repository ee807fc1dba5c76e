/* SPDX-License-Identifier: MIT */
/* Connections of which only one direction has a VLAN tag, or of which a mirror port shows each
 * packet with and without it: packets with both keys, the tagged and the plain one, are counted on
 * one flow, which has the tagged key.
 *
 * Only a packet whose key has no flow is judged, before its batch is counted.  It joins the flow of
 * the other form in two cases: of that flow only the opposite direction was seen, and, with TCP,
 * the numbers of both agree; or the same packet was seen in the other form within a millisecond.
 * It is judged by what came before it, in its batch and in the table, so that batches do not
 * matter. A plain packet of a joined flow has the tagged key put in its place.  When plain packets
 * come in a direction in which tagged ones came, and are no copies and do not fit by TCP's numbers,
 * there are two connections after all, and each form goes to its own flow from then on.
 *
 * A sibling is a tagged key that had a flow.  It is found by the plain key's hash, in sets of which
 * the sibling that was used longest ago makes room: its flow is then apart from plain packets.
 * Memory is taken only as tagged flows are opened.  Plain traffic alone pays nothing. */
#include "flow/tcp_fast.h"

#include "base/cacheline.h"
#include "base/mem.h"

#define WAYS 4u
#define LEAST 1024u
#define NEAR_NS 1000000u        /* a copy's distance, as in duplicate.c */
#define NUMBERS_NEAR 0x1000000u /* numbers of one connection are no farther apart */
#define BOTH 3u
#define KEY_TCP 6

enum { SIBLING_ALONE, SIBLING_JOINED, SIBLING_APART };

static uint32_t size_of(uint64_t max_flows)
{
	uint32_t size = LEAST;
	while (size <= max_flows / 2)
		size *= 2;
	return size;
}

uint64_t bpei_siblings_bytes(uint64_t max_flows)
{
	return size_of(max_flows) * (uint64_t)sizeof(struct bpei_sibling);
}

int bpei_siblings_init(struct bpei_table *t)
{
	t->siblings_size = size_of(t->options.max_flows);
	t->siblings = bpei_mem_map(t->siblings_size * sizeof *t->siblings, 0);
	return t->siblings ? BPE_OK : BPE_E_MEMORY;
}

void bpei_siblings_free(struct bpei_table *t)
{
	bpei_mem_unmap(t->siblings, t->siblings_size * sizeof *t->siblings);
}

/* ---- Keys ---- */

static bool is_tagged(const struct bpe_key *key)
{
	return (key->vlan[0] | key->vlan[1]) != 0;
}

static struct bpe_key with_vlan(const struct bpe_key *key, uint32_t outer, uint32_t inner)
{
	struct bpe_key k = *key;
	k.vlan[0] = (uint16_t)outer;
	k.vlan[1] = (uint16_t)inner;
	return k;
}

static uint32_t hash_of(const struct bpei_table *t, struct bpe_key *key)
{
	struct bpe_layers l = { .flags = BPE_PKT_KEY };
	uint32_t hash;
	const struct bpei_columns one = { .layers = &l, .key = key, .hash = &hash };
	bpei_hash(&one, 1, t->options.key_seed);
	return hash;
}

static struct bpei_sibling *set_of(const struct bpei_table *t, uint32_t base)
{
	return t->siblings + (base & (t->siblings_size / WAYS - 1)) * WAYS;
}

/* The sibling of a tagged key, made if need be. */
static struct bpei_sibling *put_sibling(
	struct bpei_table *t, uint32_t base, const struct bpe_key *key)
{
	struct bpei_sibling *set = set_of(t, base), *to = set;
	for (uint32_t k = 0; k < WAYS; k++) {
		if (set[k].base == base && !memcmp(set[k].vlan, key->vlan, sizeof key->vlan)) {
			to = &set[k];
			break;
		}
		const uint32_t age = t->siblings_uses - set[k].used;
		if (to->base && (!set[k].base || age > t->siblings_uses - to->used))
			to = &set[k];
	}
	if (!to->base)
		t->siblings_used++;
	*to = (struct bpei_sibling){
		.base = base, .used = ++t->siblings_uses, .vlan = { key->vlan[0], key->vlan[1] }
	};
	return to;
}

/* ---- What came before a packet ---- */

/* The packets of one key: those of its flow in the table, those of the batch before the packet. */
struct before {
	uint32_t entry;    /* BPEI_NO_FLOW: none, or its time is over */
	uint64_t in_batch; /* bit by packet */
};

static uint32_t direction_of(const struct bpe_batch *b, uint32_t p)
{
	return b->layers[p].flags / BPE_PKT_REVERSED & 1;
}

/* Which of up to 64 numbers are x: a bit for each.  Four at a time, in generic vectors. */
static uint64_t equal_bits(const uint32_t *number, uint32_t n, uint32_t x)
{
	typedef uint32_t lanes __attribute__((vector_size(16)));
	const lanes all = { x, x, x, x };
	const uint32_t whole = n & ~3u;
	uint64_t bits = 0;
	for (uint32_t from = 0; from < whole; from += 32) {
		const uint32_t to = whole - from < 32 ? whole : from + 32;
		lanes found = { 0 }, bit = { 1, 2, 4, 8 }, at;
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

static struct before find_before(
	const struct bpei_passage *g, uint32_t p, uint32_t hash, const struct bpe_key *key)
{
	const struct bpe_batch *b = g->b;
	struct before f = { .entry = bpei_index_find(g->t, hash, key) };
	for (uint64_t m = equal_bits(b->hash, p, hash); m; m &= m - 1) {
		const uint32_t q = (uint32_t)__builtin_ctzll(m);
		if (!memcmp(&b->key[q], key, sizeof *key))
			f.in_batch |= m & -m;
	}
	const uint32_t first = f.in_batch ? (uint32_t)__builtin_ctzll(f.in_batch) : p;
	const bool found = f.entry != BPEI_NO_FLOW;
	if (found && bpei_entry_due(g->t, &g->t->entries[f.entry], b->time_ns[first]))
		f.entry = BPEI_NO_FLOW;
	return f;
}

static bool is_any(const struct before *f)
{
	return f->in_batch || f->entry != BPEI_NO_FLOW;
}

/* What they tell of a connection. */
struct story {
	uint32_t ways;            /* bit by end: it has sent something */
	uint32_t next[2], isn[2]; /* by end, as in details, where they are known */
	bool has_next[2], has_isn[2];
	bool closing;
};

static bool is_segment(const struct bpei_passage *g, uint32_t p, struct bpei_segment *s)
{
	return g->tcp >> p & 1 && bpei_packet_segment(g->t, g->b, p, s);
}

static bool is_far(uint32_t a, uint32_t b)
{
	return a - b + NUMBERS_NEAR > 2 * NUMBERS_NEAR;
}

static struct story story_of_entry(const struct bpei_table *t, uint32_t i)
{
	const struct bpei_entry *e = &t->entries[i];
	const struct bpei_detail *d = &t->details[i];
	struct story y = { .closing = bpei_entry_state(e) >= BPE_TCP_CLOSING };
	for (uint32_t end = 0; end < 2; end++) {
		/* What came before this period is not kept. */
		const bool any = bpei_entry_packets(e, end) || bpei_entry_bits(e) & ENTRY_CONTINUED;
		y.ways |= (uint32_t)any << end;
		y.next[end] = d->seq[end];
		y.isn[end] = d->isn[end];
		y.has_next[end] = bpei_entry_state(e) && bpei_end_is_numbered(t, i, end);
		y.has_isn[end] = bpei_entry_state(e) && bpei_end_has_isn(t, i, end);
	}
	return y;
}

/* The same segment may be of a new connection, by the rules of bpei_health_begins_anew. */
static void add_to_story(const struct bpei_passage *g, uint32_t p, struct story *y)
{
	const uint32_t end = direction_of(g->b, p), flags = g->b->layers[p].tcp_flags;
	struct bpei_segment s;
	if (is_segment(g, p, &s)) {
		if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
			const bool other = s.seq + 1 != y->isn[end];
			if (y->has_isn[end] ? other : y->closing)
				*y = (struct story){ 0 };
			y->has_isn[end] = true;
			y->isn[end] = s.seq + 1;
		}
		y->closing |= (flags & (TCP_FIN | TCP_RST)) != 0;
		const uint32_t next =
			s.seq + s.bytes + (flags >> 1 & 1) /* SYN */ + (flags & TCP_FIN);
		const bool strays = y->has_next[end] && is_far(s.seq, y->next[end]); /* window.c */
		if (!strays)
			y->next[end] = next;
		y->has_next[end] = true;
	}
	y->ways |= 1u << end;
}

static struct story tell_story(const struct bpei_passage *g, const struct before *f)
{
	struct story y = { 0 };
	if (f->entry != BPEI_NO_FLOW)
		y = story_of_entry(g->t, f->entry);
	for (uint64_t m = f->in_batch; m; m &= m - 1)
		add_to_story(g, (uint32_t)__builtin_ctzll(m), &y);
	return y;
}

/* Whether packet p is TCP's, and has no numbers that contradict theirs. */
static bool fits_numbers(const struct bpei_passage *g, uint32_t p, const struct story *y)
{
	const uint32_t end = direction_of(g->b, p);
	struct bpei_segment s;
	if (g->b->key[p].ip_proto != KEY_TCP)
		return false;
	if (!is_segment(g, p, &s))
		return true;
	const uint32_t flags = g->b->layers[p].tcp_flags;
	if (y->closing && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return true;
	const bool acks = flags & TCP_ACK && y->has_next[!end];
	if (acks && is_far(s.ack, y->next[!end]))
		return false;
	return !y->has_next[end] || !is_far(s.seq, y->next[end]);
}

/* ---- Copies ---- */

static bool is_near(int64_t a, int64_t b)
{
	return (uint64_t)a - (uint64_t)b + NEAR_NS <= 2 * (uint64_t)NEAR_NS;
}

/* What the packet is known by: the beginnings of its IP header, which has IPv4's identification,
 * and of the header behind it, which has a checksum or numbers.  False: they were not captured. */
static bool find_heads(const struct bpe_batch *b, uint32_t p, uint64_t heads[2])
{
	const struct bpe_layers *l = &b->layers[p];
	const uint32_t end = l->end < b->caplen[p] ? l->end : b->caplen[p];
	if (!b->data || l->network == BPE_NO_OFFSET || l->transport == BPE_NO_OFFSET)
		return false;
	if (l->network + 8u > end || l->transport + 8u > end)
		return false;
	memcpy(&heads[0], b->data[p] + l->network, 8);
	memcpy(&heads[1], b->data[p] + l->transport, 8);
	return true;
}

static bool is_same(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] == b[0] && a[1] == b[1];
}

/* Whether packet p was seen in the other form just before.  hash, f: of that form. */
static bool is_copy(const struct bpei_passage *g, uint32_t p, uint32_t hash, const struct before *f)
{
	const struct bpe_batch *const b = g->b;
	const uint32_t end = direction_of(b, p);
	uint64_t heads[2], other[2];
	if (!find_heads(b, p, heads))
		return false;
	for (uint64_t m = f->in_batch; m; m &= m - 1) {
		const uint32_t q = (uint32_t)__builtin_ctzll(m);
		if (direction_of(b, q) != end || !is_near(b->time_ns[q], b->time_ns[p]))
			continue;
		if (find_heads(b, q, other) && is_same(heads, other))
			return true;
	}
	for (uint32_t k = 0; k < BPEI_FIRST_SIGHTS; k++) {
		const struct bpei_first_sight *s = &g->t->first_sights[k];
		if (s->hash != hash || s->end != end || !is_near(s->ns, b->time_ns[p]))
			continue;
		if (is_same(s->heads, heads))
			return true;
	}
	return false;
}

/* Keeps what the last packets were with which flows began, as far as the next batch may have copies
 * of them: a copy is at most so many packets behind. */
static void keep_sights(const struct bpei_passage *g, uint64_t opened)
{
	const struct bpe_batch *const b = g->b;
	struct bpei_table *const t = g->t;
	if (b->count > BPEI_FIRST_SIGHTS)
		opened &= ~(uint64_t)0 << (b->count - BPEI_FIRST_SIGHTS);
	for (; opened; opened &= opened - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(opened);
		struct bpei_first_sight *s =
			t->first_sights + t->first_sights_put % BPEI_FIRST_SIGHTS;
		if (!is_near(b->time_ns[p], b->time_ns[b->count - 1]))
			continue;
		if (!find_heads(b, p, s->heads))
			continue;
		s->ns = b->time_ns[p];
		s->hash = b->hash[p];
		s->end = direction_of(b, p);
		t->first_sights_put++;
	}
}

/* ---- Joining ---- */

/* Counts packet p under another key. */
static void move_packet(
	struct bpei_passage *g, uint32_t p, const struct bpe_key *key, uint32_t hash)
{
	struct bpei_joined *j = &g->t->joined;
	if (!j->any) {
		j->any = true;
		memcpy(j->key, g->b->key, g->b->count * sizeof *j->key);
		memcpy(j->hash, g->b->hash, g->b->count * sizeof *j->hash);
		j->batch = *g->b;
		j->batch.key = j->key;
		j->batch.hash = j->hash;
		g->b = &j->batch;
	}
	j->key[p] = *key;
	j->hash[p] = hash;
	const uint32_t i = bpei_index_find(g->t, hash, key);
	g->flow[p] = i != BPEI_NO_FLOW ? i : (uint32_t)g->t->options.max_flows;
}

/* Gives a flow of the plain key the tagged one.  The batch's tagged packets have a flow, then. */
static void tag_entry(struct bpei_passage *g, uint32_t i, const struct bpe_key *key, uint32_t hash)
{
	struct bpei_table *const t = g->t;
	struct bpei_detail *d = &t->details[i];
	bpei_index_remove(t, d->hash, i);
	t->entries[i].key[4] = bpei_key_rest(key) | bpei_key_beside(key);
	d->inner_vlan = (uint16_t)((d->inner_vlan & DETAIL_ALERT) | key->vlan[1]);
	d->hash = hash;
	bpei_index_insert(t, hash, i);
	for (uint64_t m = equal_bits(g->b->hash, g->b->count, hash); m; m &= m - 1)
		g->flow[__builtin_ctzll(m)] = i;
}

/* Whether packet p belongs to the flow of the other form.  hash, f, y: of that form. */
static bool may_join(const struct bpei_passage *g, uint32_t p, uint32_t hash,
	const struct before *f, const struct story *y, bool *copy)
{
	const uint32_t end = direction_of(g->b, p);
	*copy = y->ways >> end & 1 && is_copy(g, p, hash, f);
	if (y->ways != 1u << !end)
		return *copy;
	return g->b->key[p].ip_proto != KEY_TCP || fits_numbers(g, p, y);
}

/* A tagged packet without a flow.  Returns the plain packets that are to be judged again (bits). */
static uint64_t judge_tagged(struct bpei_passage *g, uint32_t p)
{
	struct bpei_table *const t = g->t;
	const struct bpe_key key = g->b->key[p];
	const uint32_t hash = g->b->hash[p];
	struct bpe_key plain = with_vlan(&key, 0, 0);
	const uint32_t base = hash_of(t, &plain);
	if (find_before(g, p, hash, &key).in_batch)
		return 0; /* the first of them was judged */
	struct bpei_sibling *s = put_sibling(t, base, &key);
	const struct before f = find_before(g, p, base, &plain);
	bool copy;
	const struct story y = tell_story(g, &f);
	if (!y.ways || !may_join(g, p, base, &f, &y, &copy))
		return 0;
	s->state = SIBLING_JOINED;
	s->plain = (uint8_t)(copy ? BOTH : y.ways);
	const uint32_t i = bpei_index_find(t, base, &plain);
	if (f.entry != BPEI_NO_FLOW)
		tag_entry(g, i, &key, hash);
	else if (i != BPEI_NO_FLOW)
		bpei_table_end(t, i, bpei_entry_why(&t->entries[i]));
	for (uint64_t m = f.in_batch; m; m &= m - 1)
		move_packet(g, (uint32_t)__builtin_ctzll(m), &key, hash);
	return equal_bits(g->b->hash, g->b->count, base) & -((uint64_t)2 << p);
}

/* Whether a plain packet is to be counted on the flow of a sibling.  hash, f: of its key. */
static bool joins_sibling(const struct bpei_passage *g, uint32_t p, struct bpei_sibling *s,
	uint32_t hash, const struct before *f)
{
	const uint32_t end = direction_of(g->b, p);
	if (s->state == SIBLING_APART)
		return false;
	if (s->state == SIBLING_JOINED && s->plain >> end & 1)
		return true;
	const struct story y = tell_story(g, f);
	if (s->state == SIBLING_ALONE) {
		bool copy;
		if (!may_join(g, p, hash, f, &y, &copy))
			return false;
		s->state = SIBLING_JOINED;
		s->plain = (uint8_t)(copy ? BOTH : 1u << end);
		return true;
	}
	if (is_copy(g, p, hash, f))
		s->plain = BOTH;
	else if (fits_numbers(g, p, &y))
		s->plain |= (uint8_t)(1u << end);
	else
		s->state = SIBLING_APART;
	return s->state == SIBLING_JOINED;
}

/* A plain packet without a flow. */
static void judge_plain(struct bpei_passage *g, uint32_t p)
{
	struct bpei_table *const t = g->t;
	const struct bpe_key key = g->b->key[p];
	const uint32_t base = g->b->hash[p];
	struct bpei_sibling *const set = set_of(t, base);
	for (uint32_t k = 0; k < WAYS; k++) {
		if (BPEI_LIKELY(set[k].base != base))
			continue;
		if (find_before(g, p, base, &key).in_batch)
			return; /* the first was judged */
		struct bpe_key tagged = with_vlan(&key, set[k].vlan[0], set[k].vlan[1]);
		const uint32_t hash = hash_of(t, &tagged);
		const struct before f = find_before(g, p, hash, &tagged);
		if (!is_any(&f) || !joins_sibling(g, p, &set[k], hash, &f))
			continue;
		set[k].used = ++t->siblings_uses;
		move_packet(g, p, &tagged, hash);
		return;
	}
}

void bpei_siblings_join(struct bpei_passage *g)
{
	struct bpei_table *const t = g->t;
	if (!t->options.key_seed || !t->options.max_flows)
		return;
	const uint64_t open = equal_bits(g->flow, g->b->count, (uint32_t)t->options.max_flows);
	for (uint64_t m = open; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m);
		if (!g->b->hash[p])
			continue;
		if (is_tagged(&g->b->key[p]))
			m |= judge_tagged(g, p);
		else
			judge_plain(g, p);
	}
	if (open)
		keep_sights(g, open);
}
