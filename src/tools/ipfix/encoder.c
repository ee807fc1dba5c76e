/* SPDX-License-Identifier: MIT */
/* Messages and sets.
 *
 * A message is a header, which ipfix_finish writes, and sets.  Records share a set until a record
 * of another template comes.  A set is padded to 4 bytes; the padding is shorter than any record.
 * place says where the message ends.  A record without room leaves place unchanged. */
#include "writing.h"
#include "put.h"

#include <stdio.h>
#include <string.h>

#define HEADER_IPFIX 16u
#define HEADER_NETFLOW9 20u

static uint32_t measure_header(const struct ipfix_encoder *e)
{
	switch (e->config.version) {
	case IPFIX_NETFLOW5:
		return NETFLOW5_HEADER;
	case IPFIX_NETFLOW9:
		return HEADER_NETFLOW9;
	default:
		return HEADER_IPFIX;
	}
}

int ipfix_profile_find(const char *word)
{
	static const char *const words[] = { "plain", "ntop", "cesnet", "own" };

	for (int i = 0; i < 4; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

/* Returns the fault of a config, or NULL. */
static const char *judge_config(const struct ipfix_config *config)
{
	const bool is_ipfix = config->version == IPFIX_IPFIX;

	if (!is_ipfix && config->version != IPFIX_NETFLOW9 && config->version != IPFIX_NETFLOW5)
		return "there is no such version: take IPFIX, NetFlow v9 or NetFlow v5";
	if (config->profile > IPFIX_OWN)
		return "there is no such profile: take plain, ntop, cesnet or own";
	if (!is_ipfix && config->profile != IPFIX_PLAIN)
		return "NetFlow has no private elements: take ipfix://, or leave the profile out";
	if (!is_ipfix && config->is_biflow)
		return "NetFlow has no biflows: take ipfix://, or leave biflow out";
	if (!is_ipfix && config->is_ns)
		return "NetFlow has no times in nanoseconds: take ipfix://, or leave them out";
	if (config->profile == IPFIX_OWN && config->pen == 0)
		return "the profile own needs your enterprise number: add pen=NUMBER (IANA assigns "
		       "them for free; 32473 is for tests and documentation)";
	if (config->profile != IPFIX_OWN && config->pen != 0)
		return "an enterprise number goes with the profile own: add profile=own, or leave "
		       "pen out";
	if (config->pen == IPFIX_PEN_REVERSE || config->pen == IPFIX_PEN_NTOP ||
		config->pen == IPFIX_PEN_CESNET || config->pen == UINT32_MAX)
		return "the enterprise number belongs to others: give your own";
	return NULL;
}

int ipfix_open(struct ipfix_encoder *e, const struct ipfix_config *config, char *why, size_t room)
{
	const char *fault = judge_config(config);

	if (fault) {
		snprintf(why, room, "%s", fault);
		return -1;
	}
	memset(e, 0, sizeof *e);
	e->config = *config;
	e->extra = ipfix_profile_fields(config->profile, &e->extra_count);
	e->record_most = ipfix_record_most(config);
	e->boot_ms = ipfix_ms(config->started_ns) / 1000 * 1000;
	ipfix_templates_due(e);
	return 0;
}

void ipfix_templates_due(struct ipfix_encoder *e)
{
	e->template_next = e->config.version == IPFIX_NETFLOW5 ? IPFIX_TEMPLATES : 0;
}

void ipfix_options_due(struct ipfix_encoder *e, const struct ipfix_books *books)
{
	e->books = *books;
	e->option_next = 0;
	e->option_count = ipfix_option_count(&e->config);
	e->seen_next = e->config.version == IPFIX_NETFLOW5 ? e->seen_count : 0;
}

bool ipfix_is_due(const struct ipfix_encoder *e)
{
	return e->template_next < IPFIX_TEMPLATES || e->option_next < e->option_count ||
	       e->seen_next < e->seen_count;
}

/* Writes templates and options that are due, until the message is full.  Templates come first. */
static void write_due(struct ipfix_encoder *e)
{
	while (e->template_next < IPFIX_TEMPLATES) {
		if (!ipfix_template_write(e, e->template_next))
			return;
		e->template_next++;
	}
	while (e->seen_next < e->seen_count) {
		if (!ipfix_interface_write(e, e->seen_next))
			return;
		e->seen_next++;
	}
	while (e->option_next < e->option_count) {
		if (!ipfix_option_write(e, e->option_next))
			return;
		e->option_next++;
	}
}

void ipfix_begin(struct ipfix_encoder *e, uint8_t *buffer, size_t room)
{
	e->buffer = buffer;
	e->room = room > IPFIX_ROOM_MOST ? IPFIX_ROOM_MOST : (uint32_t)room;
	e->place = (struct ipfix_place){ .length = measure_header(e) };
	e->templates = 0;
	e->flows = 0;
	e->last_ms = 0;
	write_due(e);
}

/* Remembers an interface and the name, for an options record. */
static void see_interface(struct ipfix_encoder *e, const struct bpe_flow *flow)
{
	const uint32_t number = ipfix_interface_number(flow);
	struct ipfix_seen *seen;

	if (e->seen_count > 0 && e->seen[e->seen_last].number == number)
		return;
	if (number == 0 || !flow->interface_name[0] || e->config.without_options)
		return;
	for (uint32_t i = 0; i < e->seen_count; i++)
		if (e->seen[i].number == number) {
			e->seen_last = i;
			return;
		}
	if (e->seen_count == IPFIX_INTERFACES_MOST)
		return;
	seen = &e->seen[e->seen_count];
	seen->number = number;
	memcpy(seen->name, flow->interface_name, sizeof seen->name);
	e->seen_last = e->seen_count++;
}

/* Adds the record of a direction.  Returns false if the message has no room. */
static bool add_direction(
	struct ipfix_encoder *e, const struct bpe_flow *flow, uint32_t shape, uint32_t d)
{
	const uint32_t set_id = TEMPLATE_FIRST_ID + shape;
	uint8_t record[IPFIX_RECORD_MOST];
	uint8_t *at = ipfix_set_reserve(e, set_id, e->record_most);
	size_t n;

	if (at) {
		n = (size_t)(ipfix_record_write(at, e, flow, shape, d) - at);
	} else {
		/* The longest record does not fit, but this record may be shorter. */
		n = (size_t)(ipfix_record_write(record, e, flow, shape, d) - record);
		at = ipfix_set_reserve(e, set_id, (uint32_t)n);
		if (!at)
			return false;
		memcpy(at, record, n);
	}
	ipfix_set_commit(e, (uint32_t)n);
	e->place.records++;
	e->place.flow_records++;
	return true;
}

/* Adds a record for each direction with packets, and the originator's if none has any. */
static int add_uniflows(struct ipfix_encoder *e, const struct bpe_flow *flow, uint32_t shape)
{
	const struct ipfix_place before = e->place;
	int added = 0;

	for (uint32_t d = e->left_direction; d < 2; d++) {
		const bool is_empty = flow->packets[d] == 0;

		if (is_empty && (d == 1 || flow->packets[1] > 0))
			continue;
		if (!add_direction(e, flow, shape, d)) {
			if (added > 0 && before.flow_records == 0)
				e->left_direction = d;
			else
				e->place = before;
			return IPFIX_FULL;
		}
		added++;
	}
	e->left_direction = 0;
	return added;
}

int ipfix_add(struct ipfix_encoder *e, const struct bpe_flow *flow)
{
	uint32_t shape = flow->ip_version == 6 ? SHAPE_IP6 : 0;
	int added;

	if ((flow->ip_version != 4 && flow->ip_version != 6) || !ipfix_end_reason(flow))
		return IPFIX_UNFIT;
	if (e->template_next < IPFIX_TEMPLATES)
		return IPFIX_FULL;
	if (e->config.version != IPFIX_IPFIX && !ipfix_uptime_fit(e, flow))
		return IPFIX_FULL;
	if (e->config.version == IPFIX_NETFLOW5)
		return ipfix_five_add(e, flow);
	see_interface(e, flow);
	if (e->config.profile == IPFIX_OWN)
		ipfix_own_begin(&e->own, flow);
	if (flow->vlan[0])
		shape |= SHAPE_VLAN;
	/* nfcapd takes destination ports of TCP and UDP alone if a template has ICMP's element. */
	if (ipfix_is_icmp(flow))
		shape |= SHAPE_ICMP;
	if (e->config.is_biflow)
		added = add_direction(e, flow, shape | SHAPE_BIFLOW, 0);
	else
		added = add_uniflows(e, flow, shape);
	if (added > 0)
		e->flows++;
	return added;
}

/* Writes the header of IPFIX. */
static void write_header_ten(struct ipfix_encoder *e, int64_t now_ns)
{
	uint8_t *at = put_net16(e->buffer, IPFIX_IPFIX);

	at = put_net16(at, e->place.length);
	at = put_net32(at, (uint32_t)(ipfix_ms(now_ns) / 1000));
	at = put_net32(at, e->sequence);
	put_net32(at, e->config.domain);
}

/* Writes the header of NetFlow v9. */
static void write_header_nine(struct ipfix_encoder *e, int64_t now_ns)
{
	const int64_t export_ms = ipfix_uptime_export(e, now_ns);
	uint8_t *at = put_net16(e->buffer, IPFIX_NETFLOW9);

	at = put_net16(at, e->templates + e->place.records);
	at = put_net32(at, (uint32_t)(export_ms - e->boot_ms));
	at = put_net32(at, (uint32_t)(export_ms / 1000));
	at = put_net32(at, e->sequence);
	put_net32(at, e->config.domain);
}

size_t ipfix_finish(struct ipfix_encoder *e, int64_t now_ns, struct ipfix_message *message)
{
	ipfix_set_close(e);
	*message = (struct ipfix_message){ 0 };
	if (e->place.length == measure_header(e))
		return 0;
	*message = (struct ipfix_message){ e->place.length, e->sequence, e->place.records, e->flows,
		e->place.flow_records };
	switch (e->config.version) {
	case IPFIX_NETFLOW5:
		ipfix_five_header(e, now_ns);
		e->sequence += e->place.records;
		break;
	case IPFIX_NETFLOW9:
		write_header_nine(e, now_ns);
		e->sequence++;
		break;
	default:
		write_header_ten(e, now_ns);
		e->sequence += e->place.records;
	}
	return message->length;
}
