/* SPDX-License-Identifier: MIT */
/* Joins the two directions of a conversation in tunnels with an id for each direction: GTP-U's
 * TEIDs, L2TP's sessions, calls of PPTP, labels of pseudowires, paths of NSH, segments of SRv6.
 * Each end chooses an id, so an answer comes with another id.
 *
 * The first id seen with a key belongs to the key's first session.  The first id in the other
 * direction is the answer's, if exactly one session waits for an answer.  Any other id is another
 * session, whose packets get a key of their own: the session's number goes into key.tunnel.  So
 * the usual key, with a single id in each direction, stays as parsed.  A key is forgotten for want
 * of room, or after BPEI_ANSWER_NS of packet time; then the next packet opens a first session
 * again.
 *
 * The ids of a key's first session lie in the key's slot.  The ids of all other sessions lie in a
 * second table, by slot, direction and id.  Both tables are sets that evict the least recently used
 * element.  Sets are chosen by the seeded hash.  Owner: the reader, alone. */
#include "packet/packet.h"

#include "base/mem.h"

#define SETS 8192u
#define WAYS 4u

/* Sessions that wait for an id of this direction. */
struct waiting {
	uint32_t count;
	uint32_t numbers; /* xored: of a single session the number */
};

/* A key and the key's sessions. */
struct place {
	struct bpe_key key;
	int64_t time_ns;
	uint32_t first[2]; /* by direction: the first session's id; 0: none yet */
	struct waiting waiting[2];
	uint32_t birth;    /* unique number of this use of the slot; 0: free */
	uint32_t sessions; /* numbers given to further sessions */
};

/* An id of a further session.  id: a digest, with the direction in the lowest bit. */
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

static uint64_t time_distance(int64_t a, int64_t b)
{
	uint64_t d = (uint64_t)a - (uint64_t)b;
	return a < b ? 0 - d : d;
}

static bool session_is_fresh(const struct place *p, int64_t now_ns)
{
	return p->birth && time_distance(p->time_ns, now_ns) <= BPEI_ANSWER_NS;
}

/* Returns the key's slot.  A new slot waits for the first session's id in both directions. */
static struct place *find_session_slot(
	struct bpei_answers *a, const struct bpe_key *key, uint32_t hash, int64_t now_ns)
{
	struct place *set = a->place[hash % SETS];
	struct place *to = set;
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

static uint32_t find_session_number(struct bpei_answers *a, const struct place *p, uint32_t id)
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

static void keep_session_number(
	struct bpei_answers *a, const struct place *p, uint32_t id, uint32_t number)
{
	struct other *set = session_set(a, p->birth, id);
	struct other *to = set;
	for (uint32_t k = 1; k < WAYS; k++)
		if (to->birth && (!set[k].birth || a->uses - set[k].used > a->uses - to->used))
			to = &set[k];
	*to = (struct other){ .birth = p->birth, .id = id, .number = number, .used = ++a->uses };
}

/* Returns the number of the session to which a packet with this id belongs; 0: the first session.
 */
static uint32_t find_session(
	struct bpei_answers *a, struct place *p, uint32_t way, uint32_t direction)
{
	struct waiting *here = &p->waiting[direction];
	struct waiting *back = &p->waiting[!direction];
	const uint32_t id = (way & ~1u) | direction;
	if (p->first[direction] == way)
		return 0;
	uint32_t number = find_session_number(a, p, id);
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
		keep_session_number(a, p, id, number);
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
		const uint32_t number = find_session(a, p, c->way[i], flags / BPE_PKT_REVERSED & 1);
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
