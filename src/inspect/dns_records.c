/* SPDX-License-Identifier: MIT */
/* RDATA of DNS records as text, as zone files have it.  Stateless.
 *
 * A known type is written in the type's form if the RDATA fits this form as a whole; else, and
 * for all other types, the form of RFC 3597 is written. */
#include "inspect/dns.h"

#include "inspect/svcb.h"

#include "base/bytes.h"

#include <string.h>

/* RDATA on the way to text. */
struct data_walk {
	const struct bpei_dns_message *message;
	uint32_t at, end;
	struct bpei_dns_text *text;
};

/* Adds the name which comes next in the RDATA, and a space before if other fields stand there. */
static bool put_data_name(struct data_walk *walk)
{
	uint8_t wire[BPEI_DNS_WIRE];
	uint32_t behind = 0;

	if (!bpei_dns_name(walk->message, walk->at, wire, &behind) || behind > walk->end)
		return false;
	if (walk->text->n)
		bpei_dns_text_word(walk->text, " ");
	bpei_dns_text_name(walk->text, wire);
	walk->at = behind;
	return true;
}

/* Adds n numbers of `bytes` bytes, with spaces between. */
static bool put_data_numbers(struct data_walk *walk, uint32_t n, uint32_t bytes)
{
	if (walk->end - walk->at < n * bytes)
		return false;
	for (uint32_t i = 0; i < n; i++, walk->at += bytes) {
		const uint8_t *number = walk->message->bytes + walk->at;

		if (walk->text->n)
			bpei_dns_text_word(walk->text, " ");
		if (bytes == 2)
			bpei_dns_text_number(walk->text, bpei_be16(number));
		else
			bpei_dns_text_number(walk->text, bpei_be32(number));
	}
	return true;
}

/* Adds the address which is all of the RDATA. */
static bool put_data_address(struct data_walk *walk, uint32_t bytes)
{
	if (walk->end - walk->at != bytes)
		return false;
	bpei_dns_text_address(walk->text, walk->message->bytes + walk->at, bytes);
	walk->at = walk->end;
	return true;
}

/* Adds the character strings of TXT in quotes. */
static bool put_data_strings(struct data_walk *walk)
{
	if (walk->at == walk->end)
		return false;
	while (walk->at < walk->end) {
		const uint8_t *string = walk->message->bytes + walk->at;

		if (*string >= walk->end - walk->at)
			return false;
		if (walk->text->n)
			bpei_dns_text_word(walk->text, " ");
		bpei_dns_text_word(walk->text, "\"");
		for (uint32_t i = 0, step = 0; i < *string; i += step) {
			/* A space needs no escape within quotes. */
			for (step = 0; i + step < *string && string[1 + i + step] != ' ';)
				step++;
			bpei_dns_text_escaped(walk->text, string + 1 + i, step, "\\\"");
			if (i + step < *string)
				bpei_dns_text_word(walk->text, " ");
			step++;
		}
		bpei_dns_text_word(walk->text, "\"");
		walk->at += 1u + *string;
	}
	return true;
}

/* Adds the rest of the RDATA by the type; returns false if the RDATA has another form, or if the
 * type is not known. */
static bool put_known_data(struct data_walk *walk, uint32_t type)
{
	switch (type) {
	case BPEI_DNS_A:
		return put_data_address(walk, 4);
	case BPEI_DNS_AAAA:
		return put_data_address(walk, 16);
	case BPEI_DNS_NS:
	case BPEI_DNS_CNAME:
	case BPEI_DNS_PTR:
	case BPEI_DNS_DNAME:
		return put_data_name(walk);
	case BPEI_DNS_MX:
		return put_data_numbers(walk, 1, 2) && put_data_name(walk);
	case BPEI_DNS_SRV:
		return put_data_numbers(walk, 3, 2) && put_data_name(walk);
	case BPEI_DNS_SOA:
		return put_data_name(walk) && put_data_name(walk) && put_data_numbers(walk, 5, 4);
	case BPEI_DNS_TXT:
		return put_data_strings(walk);
	case BPEI_DNS_SVCB:
	case BPEI_DNS_HTTPS:
		if (!put_data_numbers(walk, 1, 2) || !put_data_name(walk))
			return false;
		if (!bpei_svcb_text(
			    walk->text, walk->message->bytes + walk->at, walk->end - walk->at))
			return false;
		walk->at = walk->end;
		return true;
	default:
		return false;
	}
}

/* Adds RDATA in the form of RFC 3597. */
static void put_unknown_data(struct bpei_dns_text *text, const uint8_t *data, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";

	bpei_dns_text_word(text, "\\# ");
	bpei_dns_text_number(text, n);
	if (n)
		bpei_dns_text_word(text, " ");
	for (uint32_t i = 0; i < n && !text->cut; i++) {
		const char pair[2] = { digits[data[i] >> 4], digits[data[i] & 15] };

		bpei_dns_text_put(text, pair, 2);
	}
}

void bpei_dns_data_text(char *to, size_t room, const struct bpei_dns_message *message,
	const struct bpei_dns_record *record)
{
	struct bpei_dns_text text = bpei_dns_text_init(to, room);
	struct data_walk walk = { message, record->data, record->data + record->data_bytes, &text };

	/* Addresses of other classes than IN have other forms. */
	if ((record->class_ & 0x7fffu) == 1 || record->type == BPEI_DNS_TXT)
		if (put_known_data(&walk, record->type) && walk.at == walk.end)
			return;
	text = bpei_dns_text_init(to, room);
	put_unknown_data(&text, message->bytes + record->data, record->data_bytes);
}
