/* SPDX-License-Identifier: MIT */
/* Finds the names of a flow in all workers' tables.  Stateless, but for the tables (hosts.c). */
#include "naming/hosts_table.h"

#include <string.h>

/* Names which a search keeps, the newest first. */
#define FOUND_MOST 8u

struct found_names {
	struct bpei_host_copy hosts[FOUND_MOST];
	int64_t times[FOUND_MOST]; /* rank_answer */
	uint32_t n, more;          /* more: names beyond FOUND_MOST */
	bool clash;                /* another name was valid for the address as well */
};

/* Returns whether a flow which begins at first_ns may have the name. */
static bool is_usable_host(const struct bpei_host_copy *host, int64_t first_ns)
{
	return first_ns >= (int64_t)host->words[BPEI_HOST_FIRST] - BPEI_HOSTS_EARLY_NS &&
	       first_ns <= (int64_t)host->words[BPEI_HOST_UNTIL];
}

/* Returns the time of the last answer before the flow.  An answer within BPEI_HOSTS_EARLY_NS behind
 * counts as older than all of these, since workers are not in step, but time stamps are. */
static int64_t rank_answer(const struct bpei_host_copy *host, int64_t first_ns)
{
	const int64_t first = (int64_t)host->words[BPEI_HOST_FIRST];
	const int64_t last = (int64_t)host->words[BPEI_HOST_LAST];

	if (last <= first_ns)
		return last;
	if (first <= first_ns)
		return first;
	return INT64_MIN + BPEI_HOSTS_EARLY_NS - (first - first_ns);
}

/* Adds a name, or makes a known name newer; sorted by time. */
static void add_found_name(
	struct found_names *found, const struct bpei_host_copy *host, int64_t first_ns)
{
	const int64_t time = rank_answer(host, first_ns);
	uint32_t at = 0;

	while (at < found->n && strcmp(found->hosts[at].name, host->name))
		at++;
	if (at < found->n && found->times[at] >= time)
		return;
	if (at == found->n && at == FOUND_MOST) {
		found->more++;
		at--;
		if (found->times[at] >= time)
			return;
	} else if (at == found->n) {
		found->n++;
	}
	for (; at && found->times[at - 1] < time; at--) {
		found->hosts[at] = found->hosts[at - 1];
		found->times[at] = found->times[at - 1];
	}
	found->hosts[at] = *host;
	found->times[at] = time;
}

/* Collects the names of a key in a table. */
static void search_hosts_table(struct found_names *found, const struct bpei_hosts_table *table,
	const struct bpei_host_key *key, int64_t first_ns)
{
	const size_t first = (size_t)(key->set & table->mask) * BPEI_HOSTS_WAYS;

	for (uint32_t way = 0; way < BPEI_HOSTS_WAYS; way++) {
		struct bpei_host_copy host;

		if (atomic_load_explicit(table->tags + first + way, memory_order_relaxed) !=
			key->tag)
			continue;
		if (!bpei_host_slot_read(table->slots + first + way, key, &host))
			continue;
		if (first_ns <= (int64_t)host.words[BPEI_HOST_CLASH])
			found->clash = true;
		if (is_usable_host(&host, first_ns))
			add_found_name(found, &host, first_ns);
	}
}

/* Collects the names of a key in all tables. */
static bool search_all_hosts(struct found_names *found, const struct bpei_hosts *hosts,
	const struct bpei_host_key *key, int64_t first_ns)
{
	found->n = 0;
	found->more = 0;
	found->clash = false;
	for (uint32_t w = 0; w < hosts->workers; w++)
		if (bpei_counter_get(&hosts->tables[w].used))
			search_hosts_table(found, hosts->tables + w, key, first_ns);
	return found->n != 0;
}

/* Writes the other names by commas, as far as they fit. */
static void fill_other_names(struct bpe_flow_names *said, const struct found_names *found)
{
	uint32_t count = found->n - 1 + found->more;
	size_t n = 0;

	for (uint32_t i = 1; i < found->n; i++) {
		const size_t length = strlen(found->hosts[i].name);
		const size_t comma = n != 0;

		if (strchr(found->hosts[i].name, ',') || n + comma + length >= sizeof said->others)
			continue;
		if (comma)
			said->others[n] = ',';
		memcpy(said->others + n + comma, found->hosts[i].name, length);
		n += comma + length;
	}
	said->others[n] = 0;
	if (count > 255)
		count = 255;
	said->others_count = (uint8_t)count;
}

/* Takes the best of the names which were found for the responder, unless said has a better name. */
static void fill_server_name(
	struct bpe_flow_names *said, const struct found_names *found, int64_t first_ns)
{
	const struct bpei_host_copy *best = found->hosts;
	int64_t age = 0;

	if (said->source && said->source <= bpei_host_source(best))
		return;
	if (found->times[0] > INT64_MIN + BPEI_HOSTS_EARLY_NS)
		age = first_ns - found->times[0];
	said->source = bpei_host_source(best);
	said->age_ns = age;
	said->ttl_ns = (int64_t)best->words[BPEI_HOST_TTL] * 1000000000ll;
	memcpy(said->server, best->name, bpei_host_length(best) + 1u);
	fill_other_names(said, found);
}

/* Moves the newest name by mDNS before names by DHCP, which the server may have changed. */
static void prefer_own_source(struct found_names *found)
{
	for (uint32_t i = 1; i < found->n; i++)
		if (bpei_host_source(found->hosts + i) < bpei_host_source(found->hosts)) {
			const struct bpei_host_copy host = found->hosts[i];
			const int64_t time = found->times[i];

			found->hosts[i] = found->hosts[0];
			found->times[i] = found->times[0];
			found->hosts[0] = host;
			found->times[0] = time;
		}
}

/* Finds the address's own names. */
static bool search_own_names(struct found_names *found, const struct bpei_hosts *hosts,
	const uint8_t *address, const struct bpei_hosts_ask *ask)
{
	const struct bpei_host_key key =
		bpei_host_key_make(BPEI_HOST_OWN, NULL, 0, address, ask->version);

	if (!search_all_hosts(found, hosts, &key, ask->first_ns))
		return false;
	prefer_own_source(found);
	return true;
}

/* Finds names which were asked for: by the originator, else by anyone, if there is a single name.
 */
static bool search_asked_names(
	struct found_names *found, const struct bpei_hosts *hosts, const struct bpei_hosts_ask *ask)
{
	struct bpei_host_key key = bpei_host_key_make(
		BPEI_HOST_ASKED, ask->originator, ask->version, ask->responder, ask->version);

	if (search_all_hosts(found, hosts, &key, ask->first_ns))
		return true;
	key = bpei_host_key_make(BPEI_HOST_ANYONE, NULL, 0, ask->responder, ask->version);
	return search_all_hosts(found, hosts, &key, ask->first_ns) && found->n == 1 &&
	       !found->clash;
}

void bpei_hosts_find(const struct bpei_hosts *hosts, const struct bpei_hosts_ask *ask,
	struct bpe_flow_names *said)
{
	struct found_names found;
	bool any = false;

	for (uint32_t w = 0; w < hosts->workers; w++)
		any = any || bpei_counter_get(&hosts->tables[w].used);
	if (!any)
		return;
	if (!said->source || said->source > BPE_NAME_DNS) {
		if (search_asked_names(&found, hosts, ask) ||
			search_own_names(&found, hosts, ask->responder, ask))
			fill_server_name(said, &found, ask->first_ns);
	}
	if (said->client[0] || !search_own_names(&found, hosts, ask->originator, ask))
		return;
	if (bpei_host_length(found.hosts) < sizeof said->client)
		memcpy(said->client, found.hosts[0].name, bpei_host_length(found.hosts) + 1u);
}
