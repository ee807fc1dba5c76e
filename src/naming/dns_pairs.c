/* SPDX-License-Identifier: MIT */
/* Queries which wait for their answers.
 *
 * A worker has an array of queries.  Each query which waits is on three rings: of the queries with
 * the hash, of the queries of the flow's hash, and of all queries by age.  A ring has the sentinel
 * behind the array's elements, and a query leaves all three at once.  A query which finds no room
 * takes the place of the oldest, which becomes an event as if the time were over: no query is
 * lost.  Free queries are a list by the ring of age.
 *
 * Owner: the worker.  Searches look at a bounded number of queries, so a flow which asks the
 * same again and again costs no more than others. */
#include "naming/dns_said.h"

#include "inspect/dhcp.h"

#include "base/counter.h"
#include "base/mem.h"

#include <string.h>

#define BUCKETS 4096u
#define NODES (BPEI_DNS_WAITING + BUCKETS)
#define LOOK_MOST 64u
/* Host names of DHCP clients which wait for the server's answer. */
#define CLIENTS 64u

/* Rings of a query. */
enum { RING_HASH, RING_FLOW, RING_AGE, RINGS };

struct ring_link {
	uint32_t next, previous;
};

/* A query. */
struct waiting_query {
	int64_t time_ns;
	uint32_t entry, hash;
	uint16_t id, flags, type, class_;
	uint8_t wire[BPEI_DNS_WIRE]; /* the name of the first question; empty: none */
};

/* A client of DHCP which said the name. */
struct waiting_client {
	uint32_t hash; /* 0: none */
	uint8_t version;
	char name[256];
};

struct bpei_dns_pairs {
	struct bpei_hosts *hosts;
	bpei_dns_emit_fn emit;
	void *user;
	uint32_t worker, names;
	uint32_t waiting, fresh; /* queries which wait; elements which were ever used */
	uint32_t free;           /* the first free element by RING_AGE's next; NODES: none */
	bpei_counter messages;   /* w: worker  r: any */
	struct bpe_dns event;
	struct waiting_client clients[CLIENTS];
	struct ring_link rings[RINGS][NODES];
	struct waiting_query queries[BPEI_DNS_WAITING];
};

struct bpei_dns_pairs *bpei_dns_pairs_new(struct bpei_hosts *hosts, uint32_t worker, uint32_t names,
	bpei_dns_emit_fn emit, void *user)
{
	struct bpei_dns_pairs *pairs = bpei_mem_map(sizeof *pairs, 0);

	if (!pairs)
		return NULL;
	pairs->hosts = hosts;
	pairs->worker = worker;
	pairs->names = names;
	if (names & BPE_NAMES_DNS)
		pairs->emit = emit;
	pairs->user = user;
	pairs->free = NODES;
	for (uint32_t r = 0; r < RINGS; r++)
		for (uint32_t i = BPEI_DNS_WAITING; i < NODES; i++)
			pairs->rings[r][i] = (struct ring_link){ i, i };
	return pairs;
}

void bpei_dns_pairs_free(struct bpei_dns_pairs *pairs)
{
	bpei_mem_unmap(pairs, sizeof *pairs);
}

/* Puts a query at the start of a ring. */
static void enter_ring(struct ring_link *ring, uint32_t sentinel, uint32_t query)
{
	ring[query] = (struct ring_link){ ring[sentinel].next, sentinel };
	ring[ring[sentinel].next].previous = query;
	ring[sentinel].next = query;
}

/* Takes a query out of a ring. */
static void leave_ring(struct ring_link *ring, uint32_t query)
{
	ring[ring[query].previous].next = ring[query].next;
	ring[ring[query].next].previous = ring[query].previous;
}

/* Returns the sentinel of a hash. */
static uint32_t ring_of_hash(uint32_t hash)
{
	return BPEI_DNS_WAITING + (hash >> 7) % BUCKETS;
}

/* Returns the sentinel of a flow. */
static uint32_t ring_of_flow(uint32_t entry)
{
	return ring_of_hash(entry * 0x9e3779b1u);
}

/* Returns a hash of n bytes in lower case, going on from another hash. */
static uint32_t hash_lower_bytes(uint32_t hash, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		hash = (hash ^ (bytes[i] | 0x20u)) * 0x01000193u;
	return hash ^ hash >> 15;
}

/* Returns the hash by which a query is found. */
static uint32_t hash_query(const struct waiting_query *query, uint32_t wire_bytes)
{
	const uint8_t numbers[] = { (uint8_t)(query->id >> 8), (uint8_t)query->id,
		(uint8_t)query->entry, (uint8_t)(query->entry >> 8), (uint8_t)(query->entry >> 16),
		(uint8_t)(query->entry >> 24) };
	uint32_t hash = 0x811c9dc5u;

	/* The numbers' bytes have no case. */
	for (uint32_t i = 0; i < sizeof numbers; i++)
		hash = (hash ^ numbers[i]) * 0x01000193u;
	return hash_lower_bytes(hash, query->wire, wire_bytes);
}

/* Fills *query with the question of a message. */
static void take_query(struct waiting_query *query, const struct bpei_dns_message *dns,
	const struct bpei_message *message)
{
	uint32_t n = 0;

	query->time_ns = message->time_ns;
	query->entry = message->entry;
	query->id = dns->id;
	query->flags = dns->flags;
	query->type = dns->type;
	query->class_ = dns->class_;
	query->wire[0] = 0;
	if (dns->question)
		n = bpei_dns_name(dns, dns->question, query->wire, NULL);
	query->hash = hash_query(query, n);
}

/* Returns whether a query which waits asks the same. */
static bool is_same_query(const struct waiting_query *a, const struct waiting_query *b)
{
	return a->entry == b->entry && a->id == b->id && a->type == b->type &&
	       a->class_ == b->class_ && bpei_dns_name_equal(a->wire, b->wire);
}

/* Finds the query which waits for what `like` says; without a question, the flow's query with the
 * id.  Returns NODES if there is none. */
static uint32_t find_query(
	const struct bpei_dns_pairs *pairs, const struct waiting_query *like, bool question)
{
	const uint32_t which = question ? RING_HASH : RING_FLOW;
	const struct ring_link *ring = pairs->rings[which];
	const uint32_t sentinel = question ? ring_of_hash(like->hash) : ring_of_flow(like->entry);
	uint32_t at = ring[sentinel].next;

	for (uint32_t i = 0; i < LOOK_MOST && at != sentinel; i++, at = ring[at].next) {
		const struct waiting_query *query = pairs->queries + at;

		if (question && is_same_query(query, like))
			return at;
		if (!question && query->entry == like->entry && query->id == like->id)
			return at;
	}
	return NODES;
}

/* Takes a query out of all rings. */
static void free_query(struct bpei_dns_pairs *pairs, uint32_t query)
{
	for (uint32_t r = 0; r < RINGS; r++)
		leave_ring(pairs->rings[r], query);
	pairs->rings[RING_AGE][query].next = pairs->free;
	pairs->free = query;
	pairs->waiting--;
}

/* Writes the question of a query into an event. */
static void fill_asked(struct bpe_dns *dns, const struct waiting_query *query)
{
	dns->type = query->type;
	dns->class_ = query->class_ & 0x7fffu;
	bpei_dns_name_text(dns->query, sizeof dns->query, query->wire);
}

/* Emits a query without an answer, and frees the query. */
static void emit_query(struct bpei_dns_pairs *pairs, uint32_t at)
{
	const struct waiting_query query = pairs->queries[at];
	struct bpe_dns *dns = &pairs->event;

	free_query(pairs, at);
	memset(dns, 0, sizeof *dns);
	dns->id = query.id;
	dns->flags = query.flags;
	dns->opcode = query.flags >> 11 & 15u;
	dns->rcode = query.flags & 15u;
	dns->seen = BPE_DNS_QUERY;
	dns->rtt_ns = -1;
	fill_asked(dns, &query);
	pairs->emit(pairs->user, query.entry, query.time_ns, dns);
}

/* Lets a query wait; a query which is sent again waits since the first time. */
static void add_query(struct bpei_dns_pairs *pairs, const struct waiting_query *query)
{
	uint32_t at = pairs->free;

	if (find_query(pairs, query, true) != NODES)
		return;
	if (pairs->waiting == BPEI_DNS_WAITING) {
		emit_query(pairs, pairs->rings[RING_AGE][BPEI_DNS_WAITING].previous);
		at = pairs->free;
	}
	if (at != NODES)
		pairs->free = pairs->rings[RING_AGE][at].next;
	else
		at = pairs->fresh++;
	pairs->queries[at] = *query;
	enter_ring(pairs->rings[RING_HASH], ring_of_hash(query->hash), at);
	enter_ring(pairs->rings[RING_FLOW], ring_of_flow(query->entry), at);
	enter_ring(pairs->rings[RING_AGE], BPEI_DNS_WAITING, at);
	pairs->waiting++;
}

/* Emits an answer, with the query if the query waits. */
static void emit_dns_answer(struct bpei_dns_pairs *pairs, const struct bpei_dns_message *dns,
	const struct waiting_query *like)
{
	const uint32_t at = find_query(pairs, like, dns->question != 0);
	struct bpe_dns *event = &pairs->event;

	bpei_dns_fill(event, dns);
	if (at != NODES) {
		const struct waiting_query *query = pairs->queries + at;

		event->seen |= BPE_DNS_QUERY;
		if (like->time_ns >= query->time_ns)
			event->rtt_ns = like->time_ns - query->time_ns;
		if (!dns->question)
			fill_asked(event, query);
		free_query(pairs, at);
	}
	pairs->emit(pairs->user, like->entry, like->time_ns, event);
}

/* Makes events of a message. */
static void pair_dns_message(struct bpei_dns_pairs *pairs, const struct bpei_dns_message *dns,
	const struct bpei_message *message)
{
	struct waiting_query like;

	if (message->app == BPE_APP_MDNS) {
		/* Everybody may answer, in flows of their own, or keep silent. */
		bpei_dns_fill(&pairs->event, dns);
		pairs->emit(pairs->user, message->entry, message->time_ns, &pairs->event);
		return;
	}
	take_query(&like, dns, message);
	if (dns->flags & BPEI_DNS_RESPONSE)
		emit_dns_answer(pairs, dns, &like);
	else
		add_query(pairs, &like);
}

/* Reads a message of DNS, mDNS or LLMNR. */
static bool take_dns_message(struct bpei_dns_pairs *pairs, const struct bpei_message *message)
{
	struct bpei_dns_message dns;

	if (!bpei_dns_open(&dns, message->bytes, message->n))
		return message->cut;
	if (pairs->emit)
		pair_dns_message(pairs, &dns, message);
	if (!pairs->hosts || !(dns.flags & BPEI_DNS_RESPONSE))
		return true;
	if (message->app == BPE_APP_DNS && pairs->names & BPE_NAMES_DNS)
		bpei_dns_said_put(pairs->hosts, pairs->worker, &dns, message);
	else if (message->app != BPE_APP_DNS && pairs->names & BPE_NAMES_HOSTS)
		bpei_mdns_said_put(pairs->hosts, pairs->worker, &dns, message);
	return true;
}

/* Returns the place for the name of a DHCP client, and the client's hash. */
static struct waiting_client *place_of_client(
	struct bpei_dns_pairs *pairs, const struct bpei_dhcp_said *said, uint32_t *hash)
{
	*hash = 0x811c9dc5u;
	for (uint32_t i = 0; i < said->client_bytes; i++)
		*hash = (*hash ^ said->client[i]) * 0x01000193u;
	*hash |= 1;
	return pairs->clients + (*hash >> 7) % CLIENTS;
}

/* Keeps the name which a client says, or completes the server's answer by the name. */
static void remember_client(struct bpei_dns_pairs *pairs, struct bpei_dhcp_said *said)
{
	struct waiting_client *client = NULL;
	uint32_t hash = 0;

	if (!said->client_bytes)
		return;
	client = place_of_client(pairs, said, &hash);
	if (!said->reply && said->name[0]) {
		client->hash = hash;
		client->version = said->version;
		memcpy(client->name, said->name, sizeof client->name);
	} else if (said->reply && !said->name[0] && client->hash == hash &&
		   client->version == said->version) {
		memcpy(said->name, client->name, sizeof said->name);
	}
}

/* Reads a message of DHCP. */
static bool take_dhcp_message(struct bpei_dns_pairs *pairs, const struct bpei_message *message)
{
	struct bpei_host_said host = { .source = BPE_NAME_DHCP, .time_ns = message->time_ns };
	struct bpei_dhcp_said said;
	bool good = false;

	if (message->app == BPE_APP_DHCP)
		good = bpei_dhcp_read(&said, message->bytes, message->n);
	else
		good = bpei_dhcp6_read(&said, message->bytes, message->n);
	if (!good)
		return message->cut;
	remember_client(pairs, &said);
	if (!said.name[0])
		return true;
	host.version = said.version;
	host.name = said.name;
	host.ttl_s = said.ttl_s;
	if (!host.ttl_s)
		host.ttl_s = BPEI_HOSTS_OWN_LEAST_S;
	for (uint32_t i = 0; i < said.count; i++) {
		host.address = said.address[i];
		bpei_hosts_put(pairs->hosts, pairs->worker, &host);
	}
	return true;
}

bool bpei_dns_pairs_message(struct bpei_dns_pairs *pairs, const struct bpei_message *message)
{
	if (message->app != BPE_APP_DHCP && message->app != BPE_APP_DHCPV6) {
		bpei_counter_add(&pairs->messages, 1);
		return take_dns_message(pairs, message);
	}
	if (!pairs->hosts || !(pairs->names & BPE_NAMES_HOSTS))
		return true;
	return take_dhcp_message(pairs, message);
}

void bpei_dns_pairs_expire(struct bpei_dns_pairs *pairs, int64_t now_ns)
{
	const struct ring_link *ring = pairs->rings[RING_AGE];

	while (pairs->waiting) {
		const uint32_t oldest = ring[BPEI_DNS_WAITING].previous;

		if (now_ns - pairs->queries[oldest].time_ns < BPEI_DNS_WAIT_NS)
			return;
		emit_query(pairs, oldest);
	}
}

void bpei_dns_pairs_end(struct bpei_dns_pairs *pairs, uint32_t entry)
{
	const struct ring_link *ring = pairs->rings[RING_FLOW];
	const uint32_t sentinel = ring_of_flow(entry);

	if (!pairs->waiting)
		return;
	/* From the oldest on. */
	for (uint32_t at = ring[sentinel].previous; at != sentinel;) {
		const uint32_t previous = ring[at].previous;

		if (pairs->queries[at].entry == entry)
			emit_query(pairs, at);
		at = previous;
	}
}

uint64_t bpei_dns_pairs_messages(const struct bpei_dns_pairs *pairs)
{
	return bpei_counter_get(&pairs->messages);
}
