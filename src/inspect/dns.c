/* SPDX-License-Identifier: MIT */
/* DNS messages: header, questions, records.  Stateless. */
#include "inspect/dns.h"

#include "base/bytes.h"

#include <string.h>

/* Bytes of a record behind the name: type, class, TTL, length of RDATA. */
#define RECORD_HEAD 10u
#define QUESTION_TAIL 4u

/* Returns the offset behind the name at `at`, without following a pointer; 0: the name is cut off
 * or malformed. */
static uint32_t skip_dns_name(const struct bpei_dns_message *message, uint32_t at)
{
	while (at < message->n) {
		const uint32_t length = message->bytes[at];

		if (length >= 0xc0)
			return at + 2 <= message->n ? at + 2 : 0;
		if (length > 63)
			return 0;
		at += 1 + length;
		if (!length)
			return at;
	}
	return 0;
}

bool bpei_dns_open(struct bpei_dns_message *message, const uint8_t *bytes, uint32_t n)
{
	uint8_t wire[BPEI_DNS_WIRE];
	uint32_t at = BPEI_DNS_HEADER;

	if (n < BPEI_DNS_HEADER)
		return false;
	*message = (struct bpei_dns_message){ .bytes = bytes, .n = n };
	message->id = bpei_be16(bytes);
	message->flags = bpei_be16(bytes + 2);
	for (uint32_t i = 0; i < 4; i++)
		message->counts[i] = bpei_be16(bytes + 4 + 2 * i);
	for (uint32_t i = 0; i < message->counts[0]; i++) {
		uint32_t behind = 0;

		if (!bpei_dns_name(message, at, wire, &behind) || behind + QUESTION_TAIL > n)
			return false;
		if (!i) {
			message->question = at;
			message->type = bpei_be16(bytes + behind);
			message->class_ = bpei_be16(bytes + behind + 2);
		}
		at = behind + QUESTION_TAIL;
	}
	message->records = at;
	return true;
}

void bpei_dns_walk_init(struct bpei_dns_walk *walk, const struct bpei_dns_message *message)
{
	*walk = (struct bpei_dns_walk){ .message = message, .at = message->records };
	for (uint32_t i = 1; i < 4; i++)
		walk->left[i] = message->counts[i];
}

bool bpei_dns_walk_next(struct bpei_dns_walk *walk, struct bpei_dns_record *record)
{
	const struct bpei_dns_message *message = walk->message;
	uint32_t section = 1;
	uint32_t at = 0;

	while (section < 4 && !walk->left[section])
		section++;
	if (section == 4 || walk->bad)
		return false;
	at = skip_dns_name(message, walk->at);
	walk->bad = true;
	if (!at || message->n - at < RECORD_HEAD)
		return false;
	*record = (struct bpei_dns_record){ .owner = walk->at, .section = (uint8_t)section };
	record->type = bpei_be16(message->bytes + at);
	record->class_ = bpei_be16(message->bytes + at + 2);
	record->ttl = bpei_be32(message->bytes + at + 4);
	if (record->ttl >> 31)
		record->ttl = 0;
	record->data_bytes = bpei_be16(message->bytes + at + 8);
	record->data = at + RECORD_HEAD;
	if (record->data_bytes > message->n - record->data)
		return false;
	walk->bad = false;
	walk->at = record->data + record->data_bytes;
	walk->left[section]--;
	return true;
}

/* Writes the name at an offset into the event; a malformed name leaves the text empty. */
static void put_event_name(
	struct bpe_dns *dns, const struct bpei_dns_message *message, uint32_t offset)
{
	uint8_t wire[BPEI_DNS_WIRE];

	if (bpei_dns_name(message, offset, wire, NULL))
		bpei_dns_name_text(dns->query, sizeof dns->query, wire);
}

/* Adds a record of the answer section to the event, while the event has room. */
static void put_event_answer(struct bpe_dns *dns, const struct bpei_dns_message *message,
	const struct bpei_dns_record *record)
{
	struct bpe_dns_answer *answer = dns->answers + dns->answer_count;

	/* mDNS announces without a question. */
	if (!message->question && !dns->answer_count) {
		dns->type = record->type;
		dns->class_ = record->class_ & 0x7fffu;
		put_event_name(dns, message, record->owner);
	}
	if (dns->answer_count == BPE_DNS_ANSWERS)
		return;
	answer->type = record->type;
	answer->ttl = record->ttl;
	bpei_dns_data_text(answer->text, sizeof answer->text, message, record);
	dns->answer_count++;
}

void bpei_dns_fill(struct bpe_dns *dns, const struct bpei_dns_message *message)
{
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;
	uint32_t rcode = message->flags & 15u;

	memset(dns, 0, sizeof *dns);
	dns->id = message->id;
	dns->flags = message->flags;
	dns->opcode = message->flags >> 11 & 15u;
	dns->seen = message->flags & BPEI_DNS_RESPONSE ? BPE_DNS_ANSWER : BPE_DNS_QUERY;
	dns->rtt_ns = -1;
	dns->answer_total = message->counts[1];
	if (message->question) {
		dns->type = message->type;
		dns->class_ = message->class_ & 0x7fffu; /* mDNS: the bit above asks for unicast */
		put_event_name(dns, message, message->question);
	}
	bpei_dns_walk_init(&walk, message);
	while (bpei_dns_walk_next(&walk, &record)) {
		if (record.section == 1)
			put_event_answer(dns, message, &record);
		else if (record.section == 3 && record.type == BPEI_DNS_OPT)
			rcode |= message->bytes[record.data - 6] << 4;
	}
	dns->rcode = (uint8_t)rcode;
	if (rcode > 255)
		dns->rcode = message->flags & 15u;
}
