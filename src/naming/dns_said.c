/* SPDX-License-Identifier: MIT */
/* From answers to names of addresses.  Stateless. */
#include "naming/dns_said.h"

#include "inspect/svcb.h"

#include <string.h>

/* Names of a chain of aliases, records which are looked at, and turns over them: answers beyond
 * are an attempt to make us work. */
#define CHAIN_MOST 16u
#define RECORDS_MOST 256u
#define TURNS_MOST 4u

/* A chain of aliases which begins with the name asked for. */
struct alias_chain {
	uint8_t names[CHAIN_MOST][BPEI_DNS_WIRE];
	uint32_t n;
	uint32_t ttl_s; /* the least of the aliases' */
	bool grown;
};

/* Returns whether a name is in the chain. */
static bool is_in_chain(const struct alias_chain *chain, const uint8_t *wire)
{
	for (uint32_t i = 0; i < chain->n; i++)
		if (bpei_dns_name_equal(chain->names[i], wire))
			return true;
	return false;
}

/* Adds the target of an alias in the chain, whose name starts at an offset. */
static void add_to_chain(struct alias_chain *chain, const struct bpei_dns_message *dns,
	const struct bpei_dns_record *record, uint32_t offset)
{
	uint8_t wire[BPEI_DNS_WIRE];

	if (chain->n == CHAIN_MOST || !bpei_dns_name(dns, offset, wire, NULL))
		return;
	if (!wire[0] || is_in_chain(chain, wire))
		return;
	memcpy(chain->names[chain->n++], wire, sizeof wire);
	if (record->ttl < chain->ttl_s)
		chain->ttl_s = record->ttl;
	chain->grown = true;
}

/* Puts the hints of a record in service mode. */
static void put_hints(struct bpei_hosts *hosts, uint32_t worker, const struct bpei_dns_message *dns,
	const struct bpei_dns_record *record, struct bpei_host_said *said)
{
	const uint32_t offset = bpei_svcb_find(dns, record);
	struct bpei_svcb_walk walk;

	if (!offset)
		return;
	walk = bpei_svcb_init(dns->bytes + offset, record->data + record->data_bytes - offset);
	while (bpei_svcb_next(&walk)) {
		uint32_t size = 0;

		if (walk.key == BPEI_SVCB_IPV4HINT)
			size = 4;
		else if (walk.key == BPEI_SVCB_IPV6HINT)
			size = 16;
		said->version = size == 4 ? 4 : 6;
		for (uint32_t i = 0; size && i + size <= walk.bytes; i += size) {
			said->address = walk.value + i;
			bpei_hosts_put(hosts, worker, said);
		}
	}
}

/* Sets said->address for a record with an address; returns whether the record has an address. */
static bool take_record_address(struct bpei_host_said *said, const struct bpei_dns_message *dns,
	const struct bpei_dns_record *record)
{
	said->address = dns->bytes + record->data;
	said->version = record->type == BPEI_DNS_A ? 4 : 6;
	if ((record->class_ & 0x7fffu) != 1)
		return false;
	if (record->type == BPEI_DNS_A)
		return record->data_bytes == 4;
	return record->type == BPEI_DNS_AAAA && record->data_bytes == 16;
}

/* Walks once over the answers, follows aliases, and puts the addresses if `put`. */
static void walk_answers(struct alias_chain *chain, struct bpei_hosts *hosts, uint32_t worker,
	const struct bpei_dns_message *dns, const struct bpei_host_said *from, bool put)
{
	struct bpei_host_said said = *from;
	uint8_t wire[BPEI_DNS_WIRE];
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;

	chain->grown = false;
	bpei_dns_walk_init(&walk, dns);
	for (uint32_t i = 0; i < RECORDS_MOST && bpei_dns_walk_next(&walk, &record); i++) {
		const bool service = record.type == BPEI_DNS_HTTPS || record.type == BPEI_DNS_SVCB;

		if (record.section == 2)
			continue;
		if (!bpei_dns_name(dns, record.owner, wire, NULL) || !is_in_chain(chain, wire))
			continue;
		if (record.section == 1 && record.type == BPEI_DNS_CNAME)
			add_to_chain(chain, dns, &record, record.data);
		else if (record.section == 1 && service && record.data_bytes > 2)
			add_to_chain(chain, dns, &record, record.data + 2);
		if (!put)
			continue;
		said.ttl_s = record.ttl < chain->ttl_s ? record.ttl : chain->ttl_s;
		if (service)
			put_hints(hosts, worker, dns, &record, &said);
		else if (take_record_address(&said, dns, &record))
			bpei_hosts_put(hosts, worker, &said);
	}
}

/* Returns the name of a host in the name of a question: behind the labels which name a port and
 * a scheme (RFC 9460, 2.3). */
static const uint8_t *skip_service_labels(const uint8_t *wire)
{
	while (*wire && wire[1] == '_')
		wire += 1 + *wire;
	return wire;
}

void bpei_dns_said_put(struct bpei_hosts *hosts, uint32_t worker,
	const struct bpei_dns_message *dns, const struct bpei_message *message)
{
	struct alias_chain chain = { .n = 1, .ttl_s = UINT32_MAX };
	struct bpei_host_said said = { .asker = message->to,
		.asker_version = message->version,
		.source = BPE_NAME_DNS,
		.time_ns = message->time_ns };
	const uint8_t *asked = chain.names[0];
	char name[256];

	if (!dns->question || dns->class_ != 1 || dns->flags & 0x780fu || !dns->counts[1])
		return;
	if (dns->type != BPEI_DNS_A && dns->type != BPEI_DNS_AAAA && dns->type != 255 &&
		dns->type != BPEI_DNS_HTTPS && dns->type != BPEI_DNS_SVCB)
		return;
	if (!bpei_dns_name(dns, dns->question, chain.names[0], NULL))
		return;
	if (dns->type == BPEI_DNS_HTTPS || dns->type == BPEI_DNS_SVCB)
		asked = skip_service_labels(asked);
	if (!*asked || !bpei_dns_name_text(name, sizeof name, asked))
		return;
	said.name = name;
	for (uint32_t i = 0; i < TURNS_MOST; i++) {
		walk_answers(&chain, hosts, worker, dns, &said, false);
		if (!chain.grown)
			break;
	}
	walk_answers(&chain, hosts, worker, dns, &said, true);
}

/* Reads a number from the name of a reverse lookup: a label of digits below `most`, to a base. */
static bool take_reverse_label(const uint8_t **wire, uint32_t base, uint32_t most, uint32_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *label = *wire;

	*value = 0;
	if (!*label || *label > 3)
		return false;
	for (uint32_t i = 1; i <= *label; i++) {
		const char letter = (char)(label[i] | 0x20);
		const char *digit = memchr(digits, letter, base);

		if (!digit)
			return false;
		*value = *value * base + (uint32_t)(digit - digits);
	}
	*wire += 1 + *label;
	return *value < most;
}

/* Reads the address in the name of a reverse lookup (RFC 1035, 3.5; RFC 3596, 2.5); returns the
 * version, or 0. */
static uint8_t read_reverse_name(uint8_t address[16], const uint8_t *wire)
{
	static const uint8_t ends[2][16] = { "\7in-addr\4arpa", "\3ip6\4arpa" };
	const uint8_t *at = wire;
	uint32_t value = 0;
	uint32_t n = 0;

	for (; n < 4 && take_reverse_label(&at, 10, 256, &value); n++)
		address[3 - n] = (uint8_t)value;
	if (n == 4 && bpei_dns_name_equal(at, ends[0]))
		return 4;
	memset(address, 0, 16);
	at = wire;
	for (n = 0; n < 32 && take_reverse_label(&at, 16, 16, &value); n++)
		address[15 - n / 2] |= (uint8_t)(value << (n % 2 * 4));
	return n == 32 && bpei_dns_name_equal(at, ends[1]) ? 6 : 0;
}

void bpei_mdns_said_put(struct bpei_hosts *hosts, uint32_t worker,
	const struct bpei_dns_message *dns, const struct bpei_message *message)
{
	struct bpei_host_said said = { .source = BPE_NAME_MDNS, .time_ns = message->time_ns };
	uint8_t wire[BPEI_DNS_WIRE];
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;
	uint8_t address[16];
	char name[256];

	if (!(dns->flags & BPEI_DNS_RESPONSE) || dns->flags & 15u)
		return;
	said.name = name;
	bpei_dns_walk_init(&walk, dns);
	for (uint32_t i = 0; i < RECORDS_MOST && bpei_dns_walk_next(&walk, &record); i++) {
		said.ttl_s = record.ttl;
		if (!bpei_dns_name(dns, record.owner, wire, NULL))
			continue;
		if (record.type == BPEI_DNS_PTR) {
			said.address = address;
			said.version = read_reverse_name(address, wire);
			if (!said.version || !bpei_dns_name(dns, record.data, wire, NULL))
				continue;
		} else if (!take_record_address(&said, dns, &record)) {
			continue;
		}
		if (wire[0] && bpei_dns_name_text(name, sizeof name, wire))
			bpei_hosts_put(hosts, worker, &said);
	}
}
