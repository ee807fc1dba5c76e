/* SPDX-License-Identifier: MIT */
/* What the files of the flow table share.
 *
 * Memory for one flow, IPv4 or IPv6, TCP health included, in bytes:
 *   entry                                64	what each packet needs: one line
 *   detail                               64	one line: what TCP's packets need (40), and what
 *only a flow's beginning and end do its slot in the index at 75% load    12.2	64-byte buckets of 7
 *   its share of a cohort                 0.5	16 bytes for 32 entries
 *   its share of the extras               2.8	176 bytes for each 64 flows that may live (1,024 at
 *the least) its share of the histories            0.7	90 bytes for each 128 flows that may live
 *(1,024 at the least, 65,536 at most) in all                              144.2 and 16 more where
 *packets are cut by the snap length, and 16 more where a count leaves its part of the entry. Where
 *there are tunnels: 8 more, and a place of 52 for each tunnel, at most one for each 8 flows that
 *may live (1,024 at the least). Where there are VLAN tags: 16 more for each flow with a tag, at
 *most for as many as may live. What few flows need lies in an extra, found by the entry's number:
 *counts of what went wrong with a connection. */
#ifndef BPEI_TABLE_H
#define BPEI_TABLE_H

#include "arch/arch.h"
#include "flow/flow.h"
#include "flow/history.h"
#include "packet/segment.h"

#include <stddef.h>
#include <string.h>

#define BPEI_PROBE_LIMIT 32u /* buckets that a key may lie behind its own */
#define BPEI_COHORT 32u      /* entries that age together */

/* bpei_entry_bits.  WEAK: the first to go when there is no room: one packet so far, or an end sent
 * ICMP errors alone, or TCP not established or over. */
enum {
	ENTRY_ALIVE = 1,
	ENTRY_ORIGIN = 2 /* the originator is end 1 of the key */,
	ENTRY_MIDSTREAM = 4,
	ENTRY_FIN = 8 /* << end */,
	ENTRY_WEAK = 32,
	ENTRY_EXTRA = 64,
	ENTRY_CONTINUED = 128
};
/* bpei_entry_marks. */
enum {
	STATE = 7 /* enum bpe_tcp_state */,
	STATE_CLASS = 24 /* STATELESS_: of its time-out, while there is no TCP state */,
	STATE_TUNNEL = 64 /* so came its first packet */,
	STATE_CUT = 32 /* an extra was wanted and there was none */,
	STATE_BY_PORT = 128 /* ENTRY_ORIGIN is by the port numbers */
};
enum { STATELESS_OTHER, STATELESS_ICMP, STATELESS_UDP };
#define CLASS_SHIFT 3
#define BPEI_AGED (STATE | STATE_CLASS)

/* One flow, by the ends of its key. */
struct bpei_entry {
	uint64_t key[5]; /* both addresses; bpei_key_rest */
	int64_t last_ns;
	uint64_t sums[2]; /* by end: packets from bit 0, bytes on the wire from bit SUMS_WIRE,
			   * modulo 2^22 and 2^31: the rest is in uppers. SUMS_ERRORS.  From bit
			   * SUMS_MARKS: [0] marks, [1] bits */
};
_Static_assert(sizeof(struct bpei_entry) == 64, "a line");

/* Of the entry of the same number.  By end, of a TCP connection: what each of its segments needs,
 * in the first 40 bytes. */
struct bpei_detail {
	uint32_t seq[2]; /* the one that it is to send next */
	uint32_t
		ack[2]; /* the last one that it sent, modulo 2^24; from bit ACK_STREAK repeated ACKs
			 * in a row, 3 for more; from bit ACK_SETUP half of the number in setups */
	uint16_t window[2];
	uint16_t running[2];  /* bpei_span_pack; its ACK behind the other's data, smoothed; 0: none
				 yet */
	uint16_t repeated[2]; /* ACKs of the same number */
	uint16_t history;     /* TCP's flags by each end, and Zeek's letters */
	uint16_t inner_vlan;  /* and DETAIL_ALERT */
	uint32_t sight[2];    /* bpei_sight_of the last one that it sent */
	uint32_t hash;
	union {
		uint16_t rtt[2]; /* TCP; bpei_span_pack; of the handshake: ACK behind SYN-ACK,
				    SYN-ACK behind SYN */
		uint32_t icmp;   /* ICMP: type and code of the first packet, and ENTRY_ICMP; 0 not
				    known */
	};
	int64_t first_ns;
	uint32_t isn[2]; /* TCP, by end: the number behind its SYN, if that was seen, or the other
			    end's SYN-ACK */
};
_Static_assert(sizeof(struct bpei_detail) == 64 && offsetof(struct bpei_detail, hash) == 40,
	"head comments");

/* Segments in turn matter to its extra: a hole is open, a keep-alive is unanswered, or copies are
 * expected. */
#define DETAIL_ALERT 0x8000u
#define SUMS_WIRE 24
#define SUMS_MARKS 56
#define SUMS_PACKETS_BITS 22
#define SUMS_WIRE_BITS 31
#define UPPER_PACKETS (SUMS_PACKETS_BITS - 1)
#define SUMS_FULL                                                                                  \
	((uint64_t)1 << SUMS_PACKETS_BITS |                                                        \
		(uint64_t)1 << (SUMS_WIRE +                                                        \
				SUMS_WIRE_BITS)) /* one of the two has reached its end */
#define SUMS_ERRORS                                                                                \
	((uint64_t)1 << 23) /* this end sent ICMP errors about the flow, and nothing else */
#define SUMS_COUNTS ((((uint64_t)1 << SUMS_MARKS) - 1) & ~SUMS_ERRORS)
#define ACK_NUMBER 0xffffffu
#define ACK_STREAK 24
#define ACK_SETUP 26

#define ENTRY_ICMP 0x10000u
#define BPEI_NO_KEY                                                                                \
	UINT64_MAX /* bpei_key_rest of an entry in the free list: no IP version is 255 */

enum { COUNT_PACKETS, COUNT_WIRE };
enum bpei_health {
	HEALTH_RETRANSMISSION,
	HEALTH_FAST,
	HEALTH_SPURIOUS,
	HEALTH_OUT_OF_ORDER,
	HEALTH_ZERO_WINDOW,
	HEALTH_LOST,
	HEALTH_UNSEEN,
	HEALTH_KEEP_ALIVE,
	HEALTH_ICMP_ERROR,
	HEALTH_DUPLICATE,
	HEALTH_COUNT
};
#define BPEI_SIGHTS 16u
struct bpei_extra {
	uint32_t entry; /* + 1; 0: free */
	uint32_t hole[2]
		     [2]; /* sequence numbers that this end jumped over, and has not sent since */
	uint16_t health[HEALTH_COUNT][2];
	uint32_t apart[2]; /* where the stream may go on instead: behind a segment that was not the
			      stream's (window.c) */
	uint8_t apart_is[2]; /* APART_; 0: nowhere */
	bool probed[2];      /* its last was a keep-alive */
	int64_t top_ns[2];   /* when it sent its highest number, while a hole is open */
	int64_t hole_ns[2];  /* when it was opened */
	uint8_t watched[2];  /* so many segments of this end are kept in sights yet */
	uint8_t sights_put;
	uint32_t sights[BPEI_SIGHTS]; /* a ring, of both ends: bpei_sight_of */
};
enum { APART_PLACE = 1, APART_SYN = 2 /* the handshake's ACK will tell */, APART_FIN = 4 };
_Static_assert(sizeof(struct bpei_extra) == 176, "head comment");

/* What sums counted beyond their parts, by COUNT_ and end, in units of 2^UPPER_PACKETS and
 * 2^SUMS_WIRE_BITS. */
struct bpei_upper {
	uint32_t count[2][2];
};

/* What connections share, since few need it at a time, by the lower bits of the entry's number.  A
 * round: data whose acknowledgement is waited for, to tell a round trip, one of each end at most;
 * who finds his place taken by one that is not older than BPEI_ROUND_NS is not timed just then.  A
 * repeater: when an end that repeats an ACK sent the last one; of those of a place the last one is
 * remembered. */
#define BPEI_ROUNDS 4096u
#define BPEI_ROUND_NS 1000000000u
#define BPEI_REPEATERS 8192u
struct bpei_round {
	uint32_t who, next;
	int64_t ns;
}; /* entry + 1; the number behind it; when, far back if it was acknowledged */
struct bpei_repeater {
	int64_t ns;
	uint32_t who;
}; /* entry + 1 */
struct bpei_shared {
	struct bpei_round round[BPEI_ROUNDS + 1]
			       [2]; /* by the end that sent it; [0]: for what is not timed */
	struct bpei_repeater repeater[BPEI_REPEATERS][2]; /* by end */
};

/* What two SYNs said; flows share them. */
#define BPEI_SETUP_BITS 12
#define BPEI_SETUPS (1u << BPEI_SETUP_BITS)
struct bpei_setup {
	uint16_t mss[2];
	uint8_t scale[2], present[2];
};

/* Entries 32 * number and on.  In the wheel if any of them has a time-out. */
struct bpei_cohort {
	uint32_t next,
		prev; /* in its slot of the wheel; next may be BPEI_NO_FLOW, prev of the first is */
	uint32_t due; /* tick at which it is looked at; 0: not in the wheel */
	uint16_t alive, weak;
};

/* Of a flow that came in a tunnel, apart; via.c.  known: number of the tunnel, from 1; 0: not told.
 */
struct bpei_via {
	uint32_t digest, known;
};
struct bpei_known {
	struct bpe_tunnel tunnel;
	uint32_t flows;      /* 0: free */
	uint32_t next, prev; /* of its chain; 0: none */
};

/* A tagged key that had a flow, and what became of plain packets: of the same key without a tag;
 * sibling.c. */
struct bpei_sibling {
	uint32_t base; /* hash of the key without VLAN ids; 0: free */
	uint32_t used; /* when, by siblings_uses */
	uint16_t vlan[2];
	uint8_t state; /* SIBLING_ */
	uint8_t plain; /* joined: bit by end: its plain packets are of the flow */
	uint8_t zero[2];
};
/* The first packets of flows, for their copies to be known. */
#define BPEI_FIRST_SIGHTS 8u
struct bpei_first_sight {
	int64_t ns;
	uint64_t heads[2];
	uint32_t hash, end;
};
/* A batch of which some packets are counted under another key than their own. */
struct bpei_joined {
	bool any;
	struct bpe_batch batch; /* with the columns below */
	struct bpe_key key[BPE_BATCH];
	uint32_t hash[BPE_BATCH];
};

/* Whose a flow is, apart: few captures know it.  pid 0: nobody has said. */
struct bpei_process {
	int32_t pid, effective_pid;
	char comm[32], effective_comm[32];
};

/* Counted on demand. */
struct bpei_lengths {
	uint64_t ip[2], payload[2];
};

#define BPEI_ODD 1024u
#define BPEI_VICTIMS 16u
#define BPEI_DUE (2 * BPEI_COHORT)
#define BPEI_WHEEL_SLOTS 1024u

struct bpei_victim {
	int64_t last_ns;
	uint32_t entry;
};
struct bpei_index {
	struct bpei_bucket *buckets;
	uint32_t mask;
};

struct bpei_table {
	struct bpei_index index, old; /* old.buckets NULL: not growing */
	uint32_t moved;               /* buckets of old that are empty for good */
	uint32_t used, grow_at;       /* entries in both; when to grow */
	struct bpei_entry *entries;   /* max_flows of them reserved, `touched` of them used so far,
					 and one that no key fits */
	struct bpei_detail *details;
	uint64_t (*missed)[2]; /* of the entry of the same number: bytes on the wire that were not
				  captured, modulo 2^64 */
	struct bpei_upper
		*uppers; /* the same; reserved for each entry, so that no count is ever lost */
	bool any_missed, any_upper; /* missed and uppers were touched */
	bool any_via;               /* the same, of the next */
	struct bpei_via *vias;      /* of the entry of the same number, where it has STATE_TUNNEL */
	struct bpei_known *knowns;  /* from 1 */
	uint32_t *known_first;      /* of each chain */
	uint32_t knowns_size, knowns_touched, knowns_free;
	struct bpei_sibling *siblings; /* in sets */
	uint32_t siblings_size, siblings_used, siblings_uses;
	bool any_tagged;                                         /* a packet with a VLAN tag came */
	struct bpei_first_sight first_sights[BPEI_FIRST_SIGHTS]; /* a ring */
	uint32_t first_sights_put;
	struct bpei_joined joined; /* the last batch */
	uint32_t touched, free; /* free: head of the list of entries given back, each with the next
				   one's number in key[0] */
	uint32_t weak;          /* entries */
	uint32_t weak_cohort, weak_left; /* where the next weak victim is looked for: of that cohort
					    those that have not been looked at, a bit for each */
	uint32_t hand;                   /* where the next other victim is */
	struct bpei_victim victims[BPEI_VICTIMS]; /* weak ones, in a queue: free-running indices */
	uint32_t victims_put, victims_taken;
	struct bpei_cohort *cohorts;
	struct bpei_extra *extras;
	uint32_t extras_size, extras_used;
	uint64_t extras_key; /* odd, from the seed: who gets an extra can be chosen, where it lies
				cannot */
	struct bpei_history history;
	uint16_t first_syn[2]; /* the node of a connection of which one SYN was seen, by the end
				  that sent it; 0: not made yet */
	uint8_t odd[BPEI_ODD]; /* by the lower bits of an entry's number: within a batch, a packet
				  of its was left for later */
	struct bpei_setup setups[BPEI_SETUPS]; /* 0: none */
	struct bpei_shared *shared;
	struct bpei_process *processes; /* of the entry of the same number; NULL: not kept */
	struct bpei_lengths *lengths;   /* the same */
	uint32_t *interfaces;           /* the same */
	int64_t timeout_ns[BPE_TIMEOUT_COUNT],
		patience_ns[BPE_TIMEOUT_COUNT]; /* and with the slack; INT64_MAX: never */
	/* By marks (BPEI_AGED): of the kinds of time-out that these may mean the least patience,
	 * and when one who is quiet from now on is looked at; 0: never. */
	int64_t least_patience_ns[BPEI_AGED + 1];
	uint32_t await_ticks[BPEI_AGED + 1];
	int64_t least_timeout_ns, active_ns;
	int64_t now_ns;  /* the packets' clock; wheel.c */
	int64_t step_ns; /* where it seems to have jumped to */
	bool has_time, has_step;
	uint64_t wheel_ns;                 /* how far it has gone forward in all, jumps included */
	uint32_t tick;                     /* up to which the wheel was looked after */
	uint32_t due[BPEI_DUE], due_count; /* seen to be due: end at the next sweep, when their
					      details and then their buckets have come */
	uint32_t slot[BPEI_WHEEL_SLOTS];
	struct bpei_table_options options;
	struct bpei_table_counts counts;
};

static inline uint32_t bpei_entry_packets(const struct bpei_entry *e, uint32_t end)
{
	return (uint32_t)e->sums[end] & (((uint32_t)1 << SUMS_PACKETS_BITS) - 1);
}
static inline uint32_t bpei_entry_wire(const struct bpei_entry *e, uint32_t end)
{
	return (uint32_t)(e->sums[end] >> SUMS_WIRE) & (((uint32_t)1 << SUMS_WIRE_BITS) - 1);
}

/* How often a sum of the entry went beyond its part. */
static inline uint64_t bpei_upper(
	const struct bpei_table *t, uint32_t i, uint32_t what, uint32_t end)
{
	return t->any_upper ? t->uppers[i].count[what][end] : 0;
}

/* The whole counts of a flow's end. */
static inline uint64_t bpei_flow_packets(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_entry_packets(&t->entries[i], end) +
	       (bpei_upper(t, i, COUNT_PACKETS, end) << UPPER_PACKETS);
}
static inline uint64_t bpei_flow_wire(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return bpei_entry_wire(&t->entries[i], end) +
	       (bpei_upper(t, i, COUNT_WIRE, end) << SUMS_WIRE_BITS);
}

static inline uint32_t bpei_entry_marks(const struct bpei_entry *e)
{
	return (uint32_t)(e->sums[0] >> SUMS_MARKS);
}
static inline uint32_t bpei_entry_bits(const struct bpei_entry *e)
{
	return (uint32_t)(e->sums[1] >> SUMS_MARKS);
}
static inline void bpei_entry_mark(struct bpei_entry *e, uint32_t off, uint32_t on)
{
	e->sums[0] = (e->sums[0] & ~((uint64_t)off << SUMS_MARKS)) | (uint64_t)on << SUMS_MARKS;
}
static inline void bpei_entry_set(struct bpei_entry *e, uint32_t off, uint32_t on)
{
	e->sums[1] = (e->sums[1] & ~((uint64_t)off << SUMS_MARKS)) | (uint64_t)on << SUMS_MARKS;
}
static inline uint8_t bpei_entry_state(const struct bpei_entry *e)
{
	return bpei_entry_marks(e) & STATE;
}
static inline uint8_t bpei_entry_proto(const struct bpei_entry *e)
{
	return (uint8_t)(e->key[4] >> 32);
}

/* Without a branch: what a flow is is not to be guessed.  By arithmetic: of a choice gcc makes a
 * branch. */
static inline enum bpe_timeout bpei_entry_kind(const struct bpei_entry *e)
{
	static const uint8_t by_state[8] = { [BPE_TCP_NONE] = 0,
		[BPE_TCP_SYN_SENT] = BPE_TIMEOUT_TCP_OPENING,
		[BPE_TCP_SYN_RECEIVED] = BPE_TIMEOUT_TCP_OPENING,
		[BPE_TCP_ESTABLISHED] = BPE_TIMEOUT_TCP_ESTABLISHED,
		[BPE_TCP_CLOSING] = BPE_TIMEOUT_TCP_CLOSING,
		[BPE_TCP_CLOSED] = BPE_TIMEOUT_TCP_CLOSED,
		[BPE_TCP_RESET] = BPE_TIMEOUT_TCP_CLOSED };
	const uint32_t one = bpei_entry_packets(e, 0) > 0, other = bpei_entry_packets(e, 1) > 0,
		       errors = ((e->sums[0] | e->sums[1]) & SUMS_ERRORS) != 0;
	const uint32_t two_way =
		((one & other) | (bpei_entry_bits(e) / ENTRY_CONTINUED & 1)) & ~errors;
	const uint32_t marks = bpei_entry_marks(e), state = marks & STATE,
		       of = (marks & STATE_CLASS) >> CLASS_SHIFT,
		       stateless = BPE_TIMEOUT_OTHER - of - (of / STATELESS_UDP & ~two_way);
	return (enum bpe_timeout)(by_state[state] | (stateless & ((state != 0) - 1u)));
}
_Static_assert(BPE_TIMEOUT_UDP_ONE_WAY == BPE_TIMEOUT_OTHER - 3 &&
		       BPE_TIMEOUT_UDP_TWO_WAY == BPE_TIMEOUT_OTHER - 2 &&
		       BPE_TIMEOUT_ICMP == BPE_TIMEOUT_OTHER - 1,
	"bpei_entry_kind");

/* By the protocol of a key. */
static inline uint32_t bpei_stateless(uint32_t ip_proto)
{
	return ((ip_proto == 17) | (ip_proto == 136)) * STATELESS_UDP |
	       ((ip_proto == 1) | (ip_proto == 58)) * STATELESS_ICMP;
}

/* Where in least_patience_ns and await_ticks what its marks may mean is. */
static inline uint32_t bpei_entry_aged(const struct bpei_entry *e)
{
	return bpei_entry_marks(e) & BPEI_AGED;
}

static inline bool bpei_entry_due(
	const struct bpei_table *t, const struct bpei_entry *e, int64_t now_ns)
{
	return now_ns > e->last_ns && (uint64_t)now_ns - (uint64_t)e->last_ns >
					      (uint64_t)t->timeout_ns[bpei_entry_kind(e)];
}

/* What of a key is not address, but for the inner VLAN id: as its bytes lie on little-endian hosts.
 */
static inline uint64_t bpei_key_rest(const struct bpe_key *k)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t rest;
	memcpy(&rest, k->port, sizeof rest);
	return rest;
#else
	return (uint64_t)k->port[0] | (uint64_t)k->port[1] << 16 | (uint64_t)k->ip_proto << 32 |
	       (uint64_t)k->ip_version << 40 | (uint64_t)k->vlan[0] << 48;
#endif
}
_Static_assert(offsetof(struct bpe_key, ip_proto) == 36 &&
		       offsetof(struct bpe_key, ip_version) == 37 &&
		       offsetof(struct bpe_key, vlan) == 38,
	"bpei_key_rest");
/* In an entry's: there is an inner VLAN id, too; a tunnel's digest.  Of no key's version. */
#define KEY_VERSION 40
#define KEY_INNER ((uint64_t)0x80 << 40)
#define KEY_TUNNEL ((uint64_t)0x40 << 40)

static inline uint64_t bpei_key_beside(const struct bpe_key *key)
{
	return (key->vlan[1] ? KEY_INNER : 0) | (key->tunnel ? KEY_TUNNEL : 0);
}

/* Whether the key has either of the two, asked at once. */
static inline bool bpei_key_has_more(const struct bpe_key *key)
{
	uint64_t more;
	memcpy(&more, (const char *)key + offsetof(struct bpe_key, vlan) + sizeof key->vlan[0],
		sizeof more);
	return more != 0;
}
_Static_assert(offsetof(struct bpe_key, vlan) == 38 && offsetof(struct bpe_key, tunnel) == 44 &&
		       sizeof(struct bpe_key) == 48,
	"bpei_key_has_more");

/* 0: the key is the entry's, unless one of the two has an inner VLAN id or a tunnel. */
static inline uint64_t bpei_entry_differs(const struct bpei_entry *e, const struct bpe_key *key)
{
	const char *k = (const char *)key->addr;
	uint64_t differ = e->key[4] ^ bpei_key_rest(key), w;
	for (int i = 0; i < 4; i++)
		memcpy(&w, k + 8 * i, sizeof w), differ |= e->key[i] ^ w;
	return differ;
}

bool bpei_entry_is_beside(const struct bpei_table *t, uint32_t i, const struct bpe_key *key,
	uint64_t differs); /* via.c */

static inline bool bpei_entry_is(const struct bpei_table *t, uint32_t i, const struct bpe_key *key)
{
	uint64_t differs = bpei_entry_differs(&t->entries[i], key);
	return bpei_key_has_more(key) ? bpei_entry_is_beside(t, i, key, differs) : !differs;
}

static inline uint32_t bpei_detail_ack(const struct bpei_detail *d, uint32_t end)
{
	return d->ack[end] & ACK_NUMBER;
}
static inline uint32_t bpei_detail_setup(const struct bpei_detail *d)
{
	return d->ack[0] >> ACK_SETUP | d->ack[1] >> ACK_SETUP << 6;
}
_Static_assert(BPEI_SETUP_BITS == 12, "bpei_detail_setup");

/* table.c: takes the entry out of index and cohort, hands it over and frees it. */
void bpei_table_end(struct bpei_table *t, uint32_t entry, enum bpe_flow_end why);
void bpei_table_evict(struct bpei_table *t, uint32_t entry, bool crowded);
void bpei_table_count_bytes(struct bpei_table *t);

/* index.c */
int bpei_index_init(struct bpei_table *t);
void bpei_index_free(struct bpei_table *t);
uint64_t bpei_index_most_bytes(uint64_t max_flows);
/* Entry with that tag, and that key if there is one to compare; BPEI_NO_FLOW. */
uint32_t bpei_index_find(const struct bpei_table *t, uint32_t tag, const struct bpe_key *key);
void bpei_index_insert(
	struct bpei_table *t, uint32_t tag, uint32_t entry); /* evicts, if so many keys collide */
void bpei_index_remove(struct bpei_table *t, uint32_t tag, uint32_t entry);
void bpei_index_step(struct bpei_table *t); /* a batch's share of growing */

/* wheel.c */
void bpei_clock_follow(struct bpei_table *t, int64_t latest_ns); /* of a batch */
void bpei_clock_set(struct bpei_table *t, int64_t now_ns);
void bpei_age_init(struct bpei_table *t); /* options are set, all else is 0 */
void bpei_entry_await(
	struct bpei_table *t, uint32_t entry); /* its time-out may be shorter than it was */
void bpei_cohort_disarm(struct bpei_table *t, uint32_t cohort);
void bpei_table_sweep(struct bpei_table *t, uint32_t cohorts);
void bpei_table_ask_due(
	const struct bpei_table *t); /* for the buckets of what the last sweep found */
void bpei_table_end_due(
	struct bpei_table *t); /* what the last look of a sweep found, if it is still so */
uint32_t bpei_table_victim(struct bpei_table *t); /* the table is not empty */
void bpei_entry_weigh(
	struct bpei_table *t, uint32_t entry); /* its state or packets changed: weak or not? */
static inline enum bpe_flow_end bpei_entry_why(const struct bpei_entry *e)
{
	return bpei_entry_state(e) >= BPE_TCP_CLOSED ? BPE_END_CLOSED : BPE_END_IDLE;
}

/* via.c */
uint64_t bpei_knowns_bytes(uint64_t max_flows);
int bpei_knowns_init(struct bpei_table *t);
void bpei_knowns_free(struct bpei_table *t);
void bpei_via_open(struct bpei_table *t, uint32_t entry, const struct bpe_batch *b,
	uint32_t p); /* of a flow that packet p opens */
void bpei_via_drop(struct bpei_table *t, uint32_t entry);
const struct bpe_tunnel *bpei_via_tunnel(
	const struct bpei_table *t, uint32_t entry); /* NULL: not told */

/* sibling.c */
uint64_t bpei_siblings_bytes(uint64_t max_flows);
int bpei_siblings_init(struct bpei_table *t);
void bpei_siblings_free(struct bpei_table *t);

/* overflow.c */
uint32_t bpei_extras_size(uint64_t max_flows);
/* Returns an odd number for bpei_extra_home, made of the seed. */
uint64_t bpei_extras_key(uint64_t seed);

/* Returns where the extra of an entry belongs in a table of that size: multiply-shift with a random
 * factor (Dietzfelbinger et al., 1997), under which numbers that were chosen without knowing the
 * factor collide as seldom as any. */
uint32_t bpei_extra_home(uint64_t key, uint32_t size, uint32_t entry);
struct bpei_extra *bpei_extra_find(const struct bpei_table *t, uint32_t entry);
struct bpei_extra *bpei_extra_get(
	struct bpei_table *t, uint32_t entry); /* made if need be; NULL: no room */
void bpei_extra_drop(struct bpei_table *t, uint32_t entry);
/* One packet more at that end, where a sum of the entry has no room for it. */
void bpei_count_large(struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t wire)
	__attribute__((noinline));
/* A packet, counted by now, was not captured whole (or, if its record is damaged, more than whole).
 */
void bpei_count_missed(struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t wire,
	uint32_t captured) __attribute__((noinline));

/* tcp_state.c */
void bpei_tcp_open(struct bpei_entry *e, uint32_t end, uint8_t flags);
void bpei_entry_direct(struct bpei_entry *e,
	uint8_t tcp_flags); /* options.direction_by_port, of a flow that was just opened */
void bpei_tcp_step(struct bpei_entry *e, uint32_t end, uint8_t flags);
bool bpei_tcp_reopens(const struct bpei_entry *e, uint8_t flags);

/* tcp_analysis.c */
uint16_t bpei_span_pack(int64_t ns);
int64_t bpei_span_unpack(uint16_t packed);
/* Whether a segment with the same bytes as one just before is a copy of it, rather than sent twice.
 */
bool bpei_health_may_copy(struct bpei_table *t, uint32_t entry, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns);
uint16_t bpei_health_step(struct bpei_table *t, uint32_t entry, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns);
void bpei_round_trip(struct bpei_table *t, uint32_t entry, uint32_t end,
	int64_t took_ns);                                    /* end has acknowledged */
void bpei_health_open(struct bpei_table *t, uint32_t entry); /* nothing is known yet */
struct bpei_told;
/* Does what was told, and nothing is told any more. */
void bpei_health_tell(struct bpei_table *t, struct bpei_told *told);
void bpei_health_forget(
	struct bpei_table *t, uint32_t entry); /* a period is over: counts begin anew */
bool bpei_health_begins_anew(const struct bpei_table *t, uint32_t entry, uint32_t end,
	const struct bpei_segment *s, uint8_t flags, int64_t ns);
void bpei_setup_note(
	struct bpei_table *t, uint32_t entry, uint32_t end, const struct bpe_tcp_options *options);

/* window.c */
enum bpei_verdict {
	SEGMENT_OF_STREAM,
	SEGMENT_STRAY,
	SEGMENT_RESUMES /* it goes on behind a stray: the stream is there */
};
#define BPEI_NUMBERED                                                                              \
	(1u << HISTORY_SYN | 1u << HISTORY_SYN_ACK | 1u << HISTORY_ACK | 1u << HISTORY_DATA |      \
		1u << HISTORY_FIN | 1u << HISTORY_MULTI)
/* details.seq is known. */
static inline bool bpei_end_is_numbered(const struct bpei_table *t, uint32_t i, uint32_t end)
{
	return t->history.seen[t->details[i].history].known[end] & BPEI_NUMBERED;
}
bool bpei_end_has_syn(const struct bpei_table *t, uint32_t entry, uint32_t end);
bool bpei_end_has_isn(
	const struct bpei_table *t, uint32_t entry, uint32_t end); /* details.isn is known */
enum bpei_verdict bpei_segment_judge(const struct bpei_table *t, uint32_t entry, uint32_t end,
	const struct bpei_segment *s, uint32_t flags);
bool bpei_apart_put(
	struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t next, uint32_t what);
/* The other end acknowledges.  True: the stream goes on farther ahead, and what lies between was
 * not seen. */
bool bpei_apart_take(
	struct bpei_table *t, uint32_t entry, struct bpei_extra *x, uint32_t end, uint32_t ack);

/* record.c */
void bpei_entry_record(
	const struct bpei_table *t, uint32_t entry, enum bpe_flow_end why, struct bpe_flow *record);

/* Whether a segment may be the one before it once more: there is nothing new in it. */
static inline bool bpei_health_repeats(const struct bpei_table *t, uint32_t i, uint32_t end,
	const struct bpei_segment *s, uint32_t flags)
{
	const struct bpei_detail *d = &t->details[i];
	const uint32_t next = s->seq + s->bytes + (flags >> 1 & 1) /* SYN */ + (flags & TCP_FIN),
		       newer = (s->ack - d->ack[end]) & ACK_NUMBER;
	if ((int32_t)(next - d->seq[end]) > 0 && !(d->inner_vlan & DETAIL_ALERT))
		return false;
	if (!bpei_end_is_numbered(t, i, end))
		return false;
	if ((int32_t)(next - d->seq[end]) > 0) {
		const struct bpei_extra *x = bpei_extra_find(t, i);
		return x && x->apart_is[end] && next == x->apart[end];
	}
	if (s->bytes || flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return true;
	return newer ? newer > ACK_NUMBER / 2 /* it may come behind another ACK */
		     : d->window[end] == s->window;
}

#endif
