/* SPDX-License-Identifier: MIT */
/* The words of "synth:key=value,...".  Pure. */
#include "device/synth_gen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_FRAME = 60, MOST_FRAME = 1514 };

#define MEMBER(m) offsetof(struct bpei_synth_options, m), sizeof((struct bpei_synth_options *)0)->m

/* A key with a number, and the member which gets the number. */
static const struct synth_key {
	const char *name;
	uint64_t least, most;
	size_t offset, bytes;
} synth_keys[] = {
	{ "flows", 1, 10000000, MEMBER(flows) },
	{ "seed", 0, 9999999999999999999u, MEMBER(seed) },
	{ "rate", 1, 1000000000, MEMBER(rate) },
	{ "count", 1, 1000000000000000, MEMBER(count) },
	{ "vlan", 0, 100, MEMBER(vlan) },
	{ "ipv6", 0, 100, MEMBER(ipv6) },
	{ "retransmit", 0, 1000, MEMBER(retransmit) },
};

/* A part between commas: key=value.  Neither text ends with a 0. */
struct synth_word {
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
};

static uint64_t unit_of(char letter)
{
	switch (letter) {
	case 'k':
		return 1000;
	case 'M':
		return 1000000;
	case 'G':
		return 1000000000;
	default:
		return 1;
	}
}

/* Reads digits and k, M or G.  Returns false if the text is no number, or above `most`. */
static bool parse_synth_number(const struct synth_word *w, uint64_t most, uint64_t *value)
{
	char digits[24];
	char *end;

	if (!w->value_length || w->value_length >= sizeof digits)
		return false;
	if (!isdigit((unsigned char)*w->value))
		return false;
	memcpy(digits, w->value, w->value_length);
	digits[w->value_length] = 0;
	const unsigned long long v = strtoull(digits, &end, 10);
	if (end - digits > 19)
		return false;
	const uint64_t unit = unit_of(*end);
	if (unit > 1)
		end++;
	if (*end || v > most / unit)
		return false;
	*value = v * unit;
	return true;
}

static bool is_key(const struct synth_word *w, const char *name)
{
	return strlen(name) == w->key_length && !memcmp(w->key, name, w->key_length);
}

/* Reads size=imix or size=BYTES.  Returns NULL, or what is wrong, in text. */
static const char *apply_size(
	const struct synth_word *w, struct bpei_synth_options *o, char *text, size_t room)
{
	uint64_t value = 0;

	if (w->value_length == 4 && !memcmp(w->value, "imix", 4)) {
		o->size = 0;
		return NULL;
	}
	if (parse_synth_number(w, MOST_FRAME, &value) && value >= LEAST_FRAME) {
		o->size = (uint32_t)value;
		return NULL;
	}
	snprintf(text, room, "synth: size must be imix or 60 to 1514 bytes, not \"%.*s\"",
		(int)w->value_length, w->value);
	return text;
}

static const char *apply_number(const struct synth_word *w, const struct synth_key *key,
	struct bpei_synth_options *o, char *text, size_t room)
{
	char *member = (char *)o + key->offset;
	uint64_t value = 0;

	if (!parse_synth_number(w, key->most, &value) || value < key->least) {
		snprintf(text, room, "synth: %s must be a number from %llu to %llu, not \"%.*s\"",
			key->name, (unsigned long long)key->least, (unsigned long long)key->most,
			(int)w->value_length, w->value);
		return text;
	}
	if (key->bytes == sizeof(uint32_t))
		memcpy(member, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
	else
		memcpy(member, &value, sizeof value);
	return NULL;
}

static const char *apply_synth_word(
	const struct synth_word *w, struct bpei_synth_options *o, char *text, size_t room)
{
	if (is_key(w, "size"))
		return apply_size(w, o, text, room);
	for (size_t i = 0; i < sizeof synth_keys / sizeof *synth_keys; i++)
		if (is_key(w, synth_keys[i].name))
			return apply_number(w, &synth_keys[i], o, text, room);
	snprintf(text, room,
		"synth: unknown key \"%.*s\": known are flows, size, seed, rate, count, vlan, ipv6, retransmit",
		(int)w->key_length, w->key);
	return text;
}

const char *bpei_synth_parse(
	const char *name, struct bpei_synth_options *options, char *text, size_t room)
{
	struct bpei_synth_options o = {
		.flows = 1000, .seed = 1, .vlan = 5, .ipv6 = 30, .retransmit = 5
	};
	const char *p = name + strlen("synth");

	if (*p == ':')
		p++;
	while (*p) {
		const size_t length = strcspn(p, ",");
		const size_t key = strcspn(p, "=,");
		const struct synth_word w = { .key = p,
			.key_length = key,
			.value = p + key + 1,
			.value_length = key < length ? length - key - 1 : 0 };
		const char *wrong = apply_synth_word(&w, &o, text, room);

		if (wrong)
			return wrong;
		p += length;
		if (*p)
			p++;
	}
	*options = o;
	return NULL;
}
