/* SPDX-License-Identifier: MIT */
/* Text of names and records.  Stateless. */
#include "inspect/dns_text.h"

#include "bpfengine.h"
#include "base/utf8.h"

#include <string.h>

struct bpei_dns_text bpei_dns_text_init(char *to, size_t room)
{
	to[0] = 0;
	return (struct bpei_dns_text){ .to = to, .room = room };
}

void bpei_dns_text_put(struct bpei_dns_text *text, const char *bytes, size_t n)
{
	if (text->cut || n >= text->room - text->n) {
		text->cut = true;
		return;
	}
	memcpy(text->to + text->n, bytes, n);
	text->n += n;
	text->to[text->n] = 0;
}

void bpei_dns_text_word(struct bpei_dns_text *text, const char *word)
{
	bpei_dns_text_put(text, word, strlen(word));
}

void bpei_dns_text_number(struct bpei_dns_text *text, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	bpei_dns_text_put(text, digits + at, sizeof digits - at);
}

/* Adds a character of n bytes, or its bytes as \DDD. */
static void put_character(
	struct bpei_dns_text *text, const uint8_t *bytes, size_t n, const char *special)
{
	char code[4] = { '\\' };

	if (n == 1 && *bytes > ' ' && *bytes < 0x7f) {
		code[1] = (char)*bytes;
		if (strchr(special, code[1]))
			bpei_dns_text_put(text, code, 2);
		else
			bpei_dns_text_put(text, code + 1, 1);
		return;
	}
	if (n > 1 && !bpei_utf8_is_control(bpei_utf8_code((const char *)bytes, n))) {
		bpei_dns_text_put(text, (const char *)bytes, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		code[1] = (char)('0' + bytes[i] / 100);
		code[2] = (char)('0' + bytes[i] / 10 % 10);
		code[3] = (char)('0' + bytes[i] % 10);
		bpei_dns_text_put(text, code, 4);
	}
}

/* Returns how many of the first bytes are letters, digits, '-' and '_', which nothing escapes. */
static size_t count_plain(const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	while (i < n) {
		const uint8_t c = bytes[i];
		const bool is_letter = (uint8_t)((c | 0x20) - 'a') < 26;

		if (!is_letter && (uint8_t)(c - '0') >= 10 && c != '-' && c != '_')
			break;
		i++;
	}
	return i;
}

void bpei_dns_text_escaped(
	struct bpei_dns_text *text, const uint8_t *bytes, size_t n, const char *special)
{
	size_t plain = count_plain(bytes, n);

	/* Nearly always the whole label; a text that is too long is cut by characters. */
	if (text->cut || plain >= text->room - text->n)
		plain = 0;
	else
		bpei_dns_text_put(text, (const char *)bytes, plain);
	for (size_t i = plain, step = 0; i < n && !text->cut; i += step) {
		step = bpei_utf8_bytes((const char *)bytes + i, n - i);
		if (!step)
			step = 1;
		put_character(text, bytes + i, step, special);
	}
}

void bpei_dns_text_address(struct bpei_dns_text *text, const uint8_t *address, size_t n)
{
	uint8_t whole[16] = { 0 };
	char word[64];
	uint32_t version = 6;

	if (n == 4)
		version = 4;
	memcpy(whole, address, n);
	if (bpe_address_text(whole, version, word, sizeof word) > 0)
		bpei_dns_text_word(text, word);
}

void bpei_dns_text_name(struct bpei_dns_text *text, const uint8_t *wire)
{
	if (!*wire)
		bpei_dns_text_word(text, ".");
	for (const uint8_t *label = wire; *label && !text->cut; label += 1 + *label) {
		if (label != wire)
			bpei_dns_text_word(text, ".");
		bpei_dns_text_escaped(text, label + 1, *label, ".\\\"();@$");
	}
}
