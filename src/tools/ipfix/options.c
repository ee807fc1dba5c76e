/* SPDX-License-Identifier: MIT */
/* Templates, options templates and options records (RFC 7011, 3.4 and 4; RFC 3954, 5 and 6; RFC
 * 5610). */
#include "writing.h"
#include "put.h"

#include <string.h>

/* Sets of templates and of options templates. */
#define SET_TEMPLATES 2u
#define SET_OPTIONS 3u
#define SET_TEMPLATES_NINE 0u
#define SET_OPTIONS_NINE 1u
/* Scopes of NetFlow v9. */
#define SCOPE_SYSTEM 1u
#define SCOPE_INTERFACE 2u
#define ENTERPRISE_BIT 0x8000u
#define TEMPLATE_MOST (8 + 8 * IPFIX_FIELDS_MOST)
#define OPTION_MOST 512

/* Option records before the keys of templates and the types of own elements. */
enum { OPTION_EXPORTED, OPTION_IGNORED, OPTION_NOT_SENT, OPTION_KEYS };
#define KEYS_COUNT 8u /* templates of flows in a config */

/* Writes the specifier of a field. */
static uint8_t *put_specifier(uint8_t *at, const struct ipfix_config *config, uint32_t field)
{
	const struct ipfix_element *element = &ipfix_elements[field];
	const uint32_t length = ipfix_field_length(config, field);

	if (element->pen == IPFIX_PEN_IANA) {
		at = put_net16(at, element->id);
		return put_net16(at, length);
	}
	at = put_net16(at, element->id | ENTERPRISE_BIT);
	at = put_net16(at, length);
	if (element->pen == IPFIX_PEN_OWN)
		return put_net32(at, config->pen);
	return put_net32(at, element->pen);
}

/* Writes what stands before the fields of an options template. */
static uint8_t *put_option_head(
	uint8_t *at, const struct ipfix_layout *layout, bool is_nine, uint32_t scope)
{
	if (!is_nine) {
		at = put_net16(at, layout->count);
		return put_net16(at, layout->scopes);
	}
	/* Bytes of specifiers; the first specifier is of the scope. */
	at = put_net16(at, 4);
	at = put_net16(at, 4 * (layout->count - 1));
	at = put_net16(at, scope);
	return put_net16(at, 4);
}

bool ipfix_template_write(struct ipfix_encoder *e, uint32_t template)
{
	const bool is_nine = e->config.version == IPFIX_NETFLOW9;
	uint32_t set_id = SET_TEMPLATES;
	uint32_t scope = SCOPE_SYSTEM;
	uint32_t first = 0;
	uint32_t n;
	uint8_t bytes[TEMPLATE_MOST];
	struct ipfix_layout layout;
	uint8_t *at;

	if (!ipfix_layout_get(&layout, &e->config, template))
		return true;
	if (template == TEMPLATE_INTERFACES)
		scope = SCOPE_INTERFACE;
	if (is_nine)
		set_id = layout.scopes ? SET_OPTIONS_NINE : SET_TEMPLATES_NINE;
	else if (layout.scopes)
		set_id = SET_OPTIONS;
	at = put_net16(bytes, TEMPLATE_FIRST_ID + template);
	if (layout.scopes) {
		at = put_option_head(at, &layout, is_nine, scope);
		first = is_nine;
	} else {
		at = put_net16(at, layout.count);
	}
	for (uint32_t i = first; i < layout.count; i++)
		at = put_specifier(at, &e->config, layout.fields[i]);
	n = (uint32_t)(at - bytes);
	at = ipfix_set_reserve(e, set_id, n);
	if (!at)
		return false;
	memcpy(at, bytes, n);
	ipfix_set_commit(e, n);
	e->templates++;
	return true;
}

/* Adds an options record to the message.  Returns false if there is no room. */
static bool append_option(
	struct ipfix_encoder *e, uint32_t template, const uint8_t *bytes, const uint8_t *end)
{
	const uint32_t n = (uint32_t)(end - bytes);
	uint8_t *at = ipfix_set_reserve(e, TEMPLATE_FIRST_ID + template, n);

	if (!at)
		return false;
	memcpy(at, bytes, n);
	ipfix_set_commit(e, n);
	e->place.records++;
	return true;
}

bool ipfix_interface_write(struct ipfix_encoder *e, uint32_t index)
{
	const struct ipfix_seen *seen = &e->seen[index];
	uint8_t bytes[OPTION_MOST] = { 0 };
	uint8_t *at = put_net32(bytes, seen->number);

	if (e->config.version == IPFIX_NETFLOW9) {
		ipfix_text_copy(at, seen->name, IPFIX_NAME_NETFLOW9);
		at += IPFIX_NAME_NETFLOW9;
	} else {
		at = ipfix_text_put(at, seen->name, sizeof seen->name);
	}
	return append_option(e, TEMPLATE_INTERFACES, bytes, at);
}

/* Writes the keys of the template number k of those that the config has. */
static bool write_keys(struct ipfix_encoder *e, uint32_t k)
{
	const uint32_t shape = k + (e->config.is_biflow ? SHAPE_BIFLOW : 0);
	struct ipfix_layout layout;
	uint8_t bytes[OPTION_MOST];
	uint64_t keys = 0;
	uint8_t *at;

	if (!ipfix_layout_get(&layout, &e->config, shape))
		return true;
	for (uint32_t i = 0; i < layout.count && i < 64; i++)
		if (ipfix_field_is_key(layout.fields[i]))
			keys |= UINT64_C(1) << i;
	at = put_net16(bytes, TEMPLATE_FIRST_ID + shape);
	at = put_net64(at, keys);
	return append_option(e, TEMPLATE_KEYS, bytes, at);
}

/* Writes the type of an own element (RFC 5610). */
static bool write_type(struct ipfix_encoder *e, uint32_t field)
{
	const struct ipfix_element *element = &ipfix_elements[field];
	uint8_t bytes[OPTION_MOST];
	uint8_t *at = put_net32(bytes, e->config.pen);

	at = put_net16(at, element->id);
	at = put_byte(at, element->type);
	at = put_byte(at, element->semantics);
	at = put_net16(at, element->units);
	at = ipfix_text_put(at, element->name, 64);
	return append_option(e, TEMPLATE_TYPES, bytes, at);
}

uint32_t ipfix_option_count(const struct ipfix_config *config)
{
	switch (config->version) {
	case IPFIX_NETFLOW5:
		return 0;
	case IPFIX_NETFLOW9:
		return OPTION_EXPORTED + 1;
	default:
		break;
	}
	if (config->profile != IPFIX_OWN)
		return OPTION_KEYS + KEYS_COUNT;
	return OPTION_KEYS + KEYS_COUNT + FIELD_OWN_LAST - FIELD_OWN_FIRST + 1;
}

bool ipfix_option_write(struct ipfix_encoder *e, uint32_t option)
{
	const struct ipfix_books *books = &e->books;
	uint8_t bytes[OPTION_MOST];
	uint8_t *at;

	switch (option) {
	case OPTION_EXPORTED:
		at = put_net32(bytes, e->config.domain);
		at = put_net64(at, books->messages);
		at = put_net64(at, books->records);
		at = put_net64(at, books->bytes);
		return append_option(e, TEMPLATE_EXPORTED, bytes, at);
	case OPTION_IGNORED:
		at = put_net32(bytes, e->config.domain);
		at = put_net64(at, books->flows);
		at = put_net64(at, books->ignored_packets);
		return append_option(e, TEMPLATE_IGNORED, bytes, at);
	case OPTION_NOT_SENT:
		at = put_net32(bytes, e->config.exporter);
		at = put_net64(at, books->not_sent_records);
		return append_option(e, TEMPLATE_NOT_SENT, bytes, at);
	default:
		break;
	}
	if (option < OPTION_KEYS + KEYS_COUNT)
		return write_keys(e, option - OPTION_KEYS);
	return write_type(e, option - OPTION_KEYS - KEYS_COUNT + FIELD_OWN_FIRST);
}
