/* SPDX-License-Identifier: MIT */
/* The two directions of a conversation in tunnels whose ids belong to one direction: GTP-U's TEIDs,
 * L2TP's sessions, calls of PPTP, labels of pseudowires, paths of NSH, segments of SRv6.  Each end
 * gives its own, so that an answer comes by another id.
 *
 * The first id by which a key comes is its first session's.  The first id that comes the other way
 * is the answer's, if exactly one session waits for one; any other id is another session, whose
 * packets get a key of their own: its number goes into key.tunnel.  So a key that comes by one id
 * each way, as nearly all do, is what it would be without this; and when a key is forgotten, by
 * want of room or after BPEI_ANSWER_NS of packet time, its next packet is the first session's
 * again.  The first sessions of a key lie in a place with it; the ids of all others in a table
 * beside it, each by place, direction and id.  Both are sets of which the least recently used makes
 * room.  Sets are chosen by the seeded hash.  Owner: the reader, alone. */
#include "packet/packet.h"

#include "base/mem.h"

#define SETS 8192u
#define WAYS 4u

/* Sessions without an id of this direction; their numbers, xored. */
struct waiting {
	uint32_t count, numbers;
};

struct place {
	struct bpe_key key;
	int64_t time_ns;
	uint32_t first[2]; /* by direction: the first session's id; 0: it waits */
	struct waiting waiting[2];
	uint32_t birth;    /* 0: free; no other place has had it */
	uint32_t sessions; /* beside the first */
};

/* id: a digest, the direction in its lowest bit. */
struct other {
	uint32_t birth, id, number, used;
};

struct bpei_answers {
	struct place place[SETS][WAYS];
	struct other other[SETS][WAYS];
	uint32_t births, uses;
};

struct bpei_answers *bpei_answers_new(void)
{
	return bpei_mem_map(sizeof(struct bpei_answers), 0);
}
void bpei_answers_free(struct bpei_answers *a)
{
	bpei_mem_unmap(a, sizeof *a);
}

static uint64_t slot_distance(int64_t a, int64_t b)
{
	uint64_t d = (uint64_t)a - (uint64_t)b;
	return a < b ? 0 - d : d;
}

static bool session_is_fresh(const struct place *p, int64_t now_ns)
{
	return p->birth && slot_distance(p->time_ns, now_ns) <= BPEI_ANSWER_NS;
}

/* The key's place; a new one begins with the session of that id. */
static struct place *find_session_slot(
	struct bpei_answers *a, const struct bpe_key *key, uint32_t hash, int64_t now_ns)
{
	struct place *set = a->place[hash % SETS], *to = set;
	for (uint32_t k = 0; k < WAYS; k++) {
		if (set[k].birth && !memcmp(&set[k].key, key, sizeof *key)) {
			to = &set[k];
			break;
		}
		if (session_is_fresh(to, now_ns) &&
			(!session_is_fresh(&set[k], now_ns) || set[k].time_ns < to->time_ns))
			to = &set[k];
	}
	const bool known = session_is_fresh(to, now_ns) && !memcmp(&to->key, key, sizeof *key);
	if (!known) {
		a->births = a->births + 1 ? a->births + 1 : 1;
		*to = (struct place){
			.key = *key, .waiting = { { 1, 0 }, { 1, 0 } }, .birth = a->births
		};
	}
	to->time_ns = now_ns;
	return to;
}

static struct other *session_set(struct bpei_answers *a, uint32_t birth, uint32_t id)
{
	uint64_t h = (birth * UINT64_C(0x9e3779b97f4a7c15) ^ id) * 0x9e3779b97f4a7c15u;
	return a->other[(h >> 32) % SETS];
}

static uint32_t find_partner_id(struct bpei_answers *a, const struct place *p, uint32_t id)
{
	struct other *set = session_set(a, p->birth, id);
	for (uint32_t k = 0; k < WAYS; k++) {
		if (set[k].birth != p->birth || set[k].id != id)
			continue;
		set[k].used = ++a->uses;
		return set[k].number;
	}
	return 0;
}

static void keep_partner_id(
	struct bpei_answers *a, const struct place *p, uint32_t id, uint32_t number)
{
	struct other *set = session_set(a, p->birth, id), *to = set;
	for (uint32_t k = 1; k < WAYS; k++)
		if (to->birth && (!set[k].birth || a->uses - set[k].used > a->uses - to->used))
			to = &set[k];
	*to = (struct other){ .birth = p->birth, .id = id, .number = number, .used = ++a->uses };
}

/* The number of the session that a packet with this id in this direction belongs to; 0: the
 * first. */
static uint32_t make_session_key(
	struct bpei_answers *a, struct place *p, uint32_t way, uint32_t direction)
{
	struct waiting *here = &p->waiting[direction], *back = &p->waiting[!direction];
	const uint32_t id = (way & ~1u) | direction;
	if (p->first[direction] == way)
		return 0;
	uint32_t number = find_partner_id(a, p, id);
	if (number)
		return number;
	if (here->count == 1) {
		number = here->numbers;
		*here = (struct waiting){ 0, 0 };
	} else {
		number = ++p->sessions;
		back->count++;
		back->numbers ^= number;
	}
	if (number)
		keep_partner_id(a, p, id, number);
	else
		p->first[direction] = way;
	return number;
}

void bpei_answers_join(struct bpei_answers *a, const struct bpei_columns *c, uint32_t n,
	const struct bpei_seed *seed)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t flags = c->layers[i].flags;
		if ((flags & (BPE_PKT_TUNNEL | BPE_PKT_FRAGMENT)) != BPE_PKT_TUNNEL || !c->way[i])
			continue;
		struct bpe_key *key = &c->key[i];
		struct place *p = find_session_slot(a, key, c->hash[i], c->time_ns[i]);
		const uint32_t number =
			make_session_key(a, p, c->way[i], flags / BPE_PKT_REVERSED & 1);
		if (!number)
			continue;
		const uint64_t h = (key->tunnel ^ (uint64_t)number << 32) * 0x9e3779b97f4a7c15u;
		key->tunnel = (uint32_t)(h >> 32) | 1;
		const struct bpei_columns one = {
			.layers = c->layers + i, .key = key, .hash = c->hash + i
		};
		bpei_hash(&one, 1, seed);
	}
}
