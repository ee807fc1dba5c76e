/* SPDX-License-Identifier: MIT */
/* Names of addresses, for all workers.
 *
 * Each worker has a table of sets of 8 slots, and is the table's only writer; every worker reads
 * every table.  A name is found by the asker and the answered address (ASKED), by the
 * address alone (ANYONE), or as the address's own name (OWN: mDNS, LLMNR, DHCP).  The tables
 * are mapped whole before the first packet, and memory is taken as slots are filled.  A flood of
 * answers turns the oldest out, and costs no more memory.
 *
 * A slot is a seqlock of words.  The writer makes the sequence odd, writes the words, makes the
 * sequence even.  Each word is stored with release and loaded with acquire.  A reader which
 * has seen a word of a later write sees the later sequence as well, and tries again.  So no fence
 * is needed, and a reader waits for nobody: after a few tries the slot counts as empty.  A tag is
 * a hint where to look; the key within the slot decides. */
#include "naming/hosts_table.h"

#include "base/mem.h"

#include <string.h>

#define SECOND_NS 1000000000ll
/* A reader meets a writer in the same slot rarely, and then for some ten nanoseconds. */
#define READ_TRIES 64u

struct bpei_hosts *bpei_hosts_new(uint32_t workers, uint64_t bytes_each)
{
	const uint64_t set_bytes =
		BPEI_HOSTS_WAYS * (sizeof(struct bpei_host_slot) + sizeof(uint32_t));
	struct bpei_hosts *hosts = calloc(1, sizeof *hosts);
	uint64_t sets = 1;

	if (!hosts)
		return NULL;
	while (sets * 2 * set_bytes <= bytes_each && sets < 1u << 24)
		sets *= 2;
	hosts->tables = bpei_mem_map(workers * sizeof *hosts->tables, 0);
	if (hosts->tables)
		hosts->workers = workers;
	for (uint32_t w = 0; w < hosts->workers; w++) {
		struct bpei_hosts_table *table = hosts->tables + w;
		const size_t slots = (size_t)sets * BPEI_HOSTS_WAYS;

		table->mask = (uint32_t)sets - 1;
		table->tags = bpei_mem_map(slots * sizeof *table->tags, 0);
		table->slots = bpei_mem_map(slots * sizeof *table->slots, 0);
		if (table->tags && table->slots)
			continue;
		bpei_hosts_free(hosts);
		return NULL;
	}
	if (hosts->tables)
		return hosts;
	free(hosts);
	return NULL;
}

void bpei_hosts_free(struct bpei_hosts *hosts)
{
	if (!hosts)
		return;
	for (uint32_t w = 0; w < hosts->workers; w++) {
		struct bpei_hosts_table *table = hosts->tables + w;
		const size_t slots = ((size_t)table->mask + 1) * BPEI_HOSTS_WAYS;

		bpei_mem_unmap(table->tags, slots * sizeof *table->tags);
		bpei_mem_unmap(table->slots, slots * sizeof *table->slots);
	}
	bpei_mem_unmap(hosts->tables, hosts->workers * sizeof *hosts->tables);
	free(hosts);
}

/* Copies an address of either version to two words. */
static void copy_host_address(uint64_t words[2], const uint8_t *address, uint32_t version)
{
	uint8_t whole[16] = { 0 };

	memcpy(whole, address, version == 4 ? 4 : 16);
	memcpy(words, whole, sizeof whole);
}

struct bpei_host_key bpei_host_key_make(uint32_t kind, const uint8_t *asker, uint32_t asker_version,
	const uint8_t *address, uint32_t version)
{
	struct bpei_host_key key = { .kind = kind | version << 8 };
	uint64_t hash = 0;

	if (asker) {
		key.kind |= asker_version << 16;
		copy_host_address(key.words, asker, asker_version);
	}
	copy_host_address(key.words + 2, address, version);
	hash = key.kind;
	for (uint32_t i = 0; i < 4; i++) {
		hash = (hash ^ key.words[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	hash *= 0xbf58476d1ce4e5b9u;
	key.tag = (uint32_t)hash | 1;
	key.set = (uint32_t)(hash >> 32);
	return key;
}

/* Loads a word of a slot. */
static uint64_t load_host_word(const struct bpei_host_slot *slot, uint32_t i)
{
	struct bpei_host_slot *any = (struct bpei_host_slot *)(uintptr_t)slot;

	/* pairs: write_host_slot */
	return atomic_load_explicit(any->words + i, memory_order_acquire);
}

/* Loads the sequence of a slot before the words. */
static uint64_t load_host_sequence(const struct bpei_host_slot *slot)
{
	struct bpei_host_slot *any = (struct bpei_host_slot *)(uintptr_t)slot;

	/* pairs: write_host_slot */
	return atomic_load_explicit(&any->sequence, memory_order_acquire);
}

bool bpei_host_slot_read(const struct bpei_host_slot *slot, const struct bpei_host_key *key,
	struct bpei_host_copy *host)
{
	struct bpei_host_slot *any = (struct bpei_host_slot *)(uintptr_t)slot;

	for (uint32_t i = 0; i < READ_TRIES; i++) {
		const uint64_t sequence = load_host_sequence(slot);
		bool same = true;

		if (sequence & 1)
			continue;
		for (uint32_t k = 0; k < BPEI_HOST_FIXED; k++)
			host->words[k] = load_host_word(slot, k);
		for (uint32_t k = 0; k < 4; k++)
			same = same && host->words[k] == key->words[k];
		same = same && (uint32_t)host->words[BPEI_HOST_KIND] == key->kind;
		for (uint32_t k = 0; same && k * 8 < bpei_host_length(host); k++) {
			const uint64_t word = load_host_word(slot, BPEI_HOST_FIXED + k);

			memcpy(host->name + k * 8, &word, sizeof word);
		}
		if (atomic_load_explicit(&any->sequence, memory_order_relaxed) != sequence)
			continue;
		host->name[bpei_host_length(host)] = 0;
		return same;
	}
	return false;
}

/* Writes a slot; only the table's owner. */
static void write_host_slot(struct bpei_host_slot *slot, const struct bpei_host_copy *host)
{
	const uint64_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);

	atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_relaxed);
	for (uint32_t i = 0; i < BPEI_HOST_FIXED; i++)
		/* pairs: load_host_word */
		atomic_store_explicit(slot->words + i, host->words[i], memory_order_release);
	for (uint32_t i = 0; i * 8 < bpei_host_length(host); i++) {
		uint64_t word = 0;

		memcpy(&word, host->name + i * 8, sizeof word);
		/* pairs: load_host_word */
		atomic_store_explicit(
			slot->words + BPEI_HOST_FIXED + i, word, memory_order_release);
	}
	/* pairs: load_host_sequence */
	atomic_store_explicit(&slot->sequence, sequence + 2, memory_order_release);
}

/* Returns a time of a slot, which the owner reads without regard to others. */
static int64_t own_host_time(const struct bpei_host_slot *slot, uint32_t word)
{
	struct bpei_host_slot *any = (struct bpei_host_slot *)(uintptr_t)slot;

	return (int64_t)atomic_load_explicit(any->words + word, memory_order_relaxed);
}

/* The findings of a search in a set, for a slot to write; BPEI_HOSTS_WAYS: none. */
struct slot_choice {
	uint32_t same;      /* the key with this name, or, of a kind with a single name, the key */
	uint32_t free;      /* a slot without a name */
	uint32_t oldest;    /* of all */
	uint32_t candidate; /* the oldest of the key's names */
	uint32_t candidates;
};

/* Notes the older of two slots; slots[BPEI_HOSTS_WAYS] stands for none. */
static void note_older_slot(uint32_t *choice, const struct bpei_host_slot *slots, uint32_t way)
{
	if (*choice == BPEI_HOSTS_WAYS || own_host_time(slots + way, BPEI_HOST_LAST) <
						  own_host_time(slots + *choice, BPEI_HOST_LAST))
		*choice = way;
}

/* Looks at a set for where to write a name.  *before: a copy of the slot `same`. */
static struct slot_choice choose_host_slot(const struct bpei_hosts_table *table,
	const struct bpei_host_key *key, const char *name, struct bpei_host_copy *before)
{
	const size_t first = (size_t)(key->set & table->mask) * BPEI_HOSTS_WAYS;
	const struct bpei_host_slot *slots = table->slots + first;
	const bool single = (key->kind & 0xff) == BPEI_HOST_ANYONE;
	struct slot_choice choice = { BPEI_HOSTS_WAYS, BPEI_HOSTS_WAYS, BPEI_HOSTS_WAYS,
		BPEI_HOSTS_WAYS, 0 };

	for (uint32_t way = 0; way < BPEI_HOSTS_WAYS; way++) {
		const uint32_t tag =
			atomic_load_explicit(table->tags + first + way, memory_order_relaxed);
		struct bpei_host_copy host;

		if (!tag) {
			choice.free = way;
			continue;
		}
		note_older_slot(&choice.oldest, slots, way);
		if (tag != key->tag || !bpei_host_slot_read(slots + way, key, &host))
			continue;
		choice.candidates++;
		note_older_slot(&choice.candidate, slots, way);
		if (single || !strcmp(host.name, name)) {
			choice.same = way;
			*before = host;
		}
	}
	return choice;
}

/* Returns the way to write to; counts a name which is turned out before the time is over. */
static uint32_t take_host_way(struct bpei_hosts_table *table, const struct slot_choice *choice,
	const struct bpei_host_slot *slots, int64_t now_ns)
{
	uint32_t way = choice->oldest;

	if (choice->same != BPEI_HOSTS_WAYS)
		return choice->same;
	if (choice->candidates < BPEI_HOSTS_CANDIDATES && choice->free != BPEI_HOSTS_WAYS) {
		bpei_counter_add(&table->used, 1);
		return choice->free;
	}
	if (choice->candidates >= BPEI_HOSTS_CANDIDATES)
		way = choice->candidate;
	if (own_host_time(slots + way, BPEI_HOST_UNTIL) >= now_ns)
		bpei_counter_add(&table->evicted, 1);
	return way;
}

/* Returns for how long a name may be used. */
static int64_t host_life_ns(const struct bpei_host_said *said)
{
	uint32_t ttl = said->ttl_s;

	if (said->asker && ttl < BPEI_HOSTS_TTL_LEAST_S)
		ttl = BPEI_HOSTS_TTL_LEAST_S;
	/* A TTL of 0 takes an own name back (RFC 6762, 10.1). */
	if (!said->asker && ttl && ttl < BPEI_HOSTS_OWN_LEAST_S)
		ttl = BPEI_HOSTS_OWN_LEAST_S;
	if (ttl > BPEI_HOSTS_TTL_MOST_S)
		ttl = BPEI_HOSTS_TTL_MOST_S;
	return ttl * SECOND_NS;
}

/* Carries over from the slot before: since when the name is known, and until when another name of
 * the same address can be in use. */
static void keep_host_times(struct bpei_host_copy *host, const struct bpei_host_copy *before)
{
	const int64_t until = (int64_t)before->words[BPEI_HOST_UNTIL];
	const int64_t last = (int64_t)host->words[BPEI_HOST_LAST];

	host->words[BPEI_HOST_CLASH] = before->words[BPEI_HOST_CLASH];
	if (strcmp(host->name, before->name)) {
		if ((int64_t)host->words[BPEI_HOST_CLASH] < until)
			host->words[BPEI_HOST_CLASH] = (uint64_t)until;
		return;
	}
	if (last <= until && last >= (int64_t)before->words[BPEI_HOST_FIRST])
		host->words[BPEI_HOST_FIRST] = before->words[BPEI_HOST_FIRST];
	/* An answer which was late on the way takes nothing back. */
	if (host->words[BPEI_HOST_TTL] && last < (int64_t)before->words[BPEI_HOST_LAST])
		*host = *before;
}

/* Puts a name under a key. */
static void put_host_name(struct bpei_hosts_table *table, const struct bpei_host_said *said,
	const struct bpei_host_key *key, const char *name)
{
	const size_t first = (size_t)(key->set & table->mask) * BPEI_HOSTS_WAYS;
	const size_t length = strlen(name);
	struct bpei_host_copy before = { .words = { 0 } };
	struct bpei_host_copy host = { .words = { 0 } };
	struct slot_choice choice = choose_host_slot(table, key, name, &before);
	uint32_t way = 0;

	if (!said->asker && !said->ttl_s && choice.same == BPEI_HOSTS_WAYS)
		return;
	memcpy(host.words, key->words, sizeof key->words);
	memcpy(host.name, name, length);
	host.words[BPEI_HOST_KIND] =
		key->kind | (uint64_t)said->source << 32 | (uint64_t)length << 40;
	host.words[BPEI_HOST_TTL] = said->ttl_s;
	host.words[BPEI_HOST_FIRST] = (uint64_t)said->time_ns;
	host.words[BPEI_HOST_LAST] = (uint64_t)said->time_ns;
	host.words[BPEI_HOST_UNTIL] = (uint64_t)(said->time_ns + host_life_ns(said));
	host.words[BPEI_HOST_CLASH] = (uint64_t)INT64_MIN;
	if (choice.same != BPEI_HOSTS_WAYS)
		keep_host_times(&host, &before);
	way = take_host_way(table, &choice, table->slots + first, said->time_ns);
	write_host_slot(table->slots + first + way, &host);
	atomic_store_explicit(table->tags + first + way, key->tag, memory_order_relaxed);
}

/* Copies a name in lower case: names of hosts have no case, and resolvers mix cases by will. */
static bool copy_lower_name(char to[256], const char *name)
{
	size_t n = 0;

	for (; name[n]; n++) {
		if (n == 255)
			return false;
		to[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
	}
	to[n] = 0;
	return n != 0;
}

void bpei_hosts_put(struct bpei_hosts *hosts, uint32_t worker, const struct bpei_host_said *said)
{
	struct bpei_hosts_table *table = hosts->tables + worker;
	struct bpei_host_key key;
	char name[256];

	if (!copy_lower_name(name, said->name))
		return;
	if (!said->asker) {
		key = bpei_host_key_make(BPEI_HOST_OWN, NULL, 0, said->address, said->version);
		/* An own name keeps the case: nobody asked. */
		put_host_name(table, said, &key, said->name);
		return;
	}
	key = bpei_host_key_make(
		BPEI_HOST_ASKED, said->asker, said->asker_version, said->address, said->version);
	put_host_name(table, said, &key, name);
	key = bpei_host_key_make(BPEI_HOST_ANYONE, NULL, 0, said->address, said->version);
	put_host_name(table, said, &key, name);
}

uint64_t bpei_hosts_evicted(const struct bpei_hosts *hosts, uint32_t worker)
{
	return bpei_counter_get(&hosts->tables[worker].evicted);
}

uint64_t bpei_hosts_bytes(const struct bpei_hosts *hosts, uint32_t worker)
{
	const struct bpei_hosts_table *table = hosts->tables + worker;

	return bpei_counter_get(&table->used) * (sizeof *table->slots + sizeof *table->tags);
}
