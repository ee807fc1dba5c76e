/* SPDX-License-Identifier: MIT */
/* Events by the names of the Elastic Common Schema (ECS 8.11; field reference: dns, tls, http).
 *
 * event.dataset is bpfengine.dns, bpfengine.tls and so on.  dns.type is "answer" if an answer was
 * seen.  Left out, since events do not have them: name and class of answers, url but its domain.
 * Not ECS's: bpfengine, for members without a name in ECS.  Pure. */
#include "format/events.h"
#include "names/names.h"

static void write_ecs_answers(struct bpei_writer *w, const struct bpe_dns *d)
{
	const char *before = ",\"resolved_ip\":[";

	for (uint32_t k = 0; k < d->answer_count && k < BPE_DNS_ANSWERS; k++) {
		const struct bpe_dns_answer *a = &d->answers[k];

		bpei_event_write_dns_type(
			w, k ? ",{\"type\":\"" : ",\"answers\":[{\"type\":\"", "TYPE", a->type);
		bpei_write_member(w, ",\"ttl\":", a->ttl);
		BPEI_WRITE(w, ",\"data\":");
		bpei_write_json(w, a->text, sizeof a->text);
		bpei_write_char(w, '}');
	}
	if (d->answer_count)
		bpei_write_char(w, ']');
	for (uint32_t k = 0; k < d->answer_count && k < BPE_DNS_ANSWERS; k++) {
		const struct bpe_dns_answer *a = &d->answers[k];
		const bool is_address = a->type == 1 || a->type == 28;

		const size_t n = strnlen(a->text, sizeof a->text);

		/* a hashed address is no address, and has neither a dot nor a colon */
		if (!is_address || n >= BPE_ADDRESS_TEXT_BYTES ||
			!(memchr(a->text, '.', n) || memchr(a->text, ':', n)))
			continue;
		bpei_event_write_text(w, before, a->text, sizeof a->text);
		before = ",";
	}
	if (before[1] == 0)
		bpei_write_char(w, ']');
}

/* Writes "dns":{}. */
static void write_ecs_dns(struct bpei_writer *w, const struct bpe_dns *d)
{
	const bool is_answered = d->seen & BPE_DNS_ANSWER;
	const char *opcode = bpei_dns_opcode_name(d->opcode);
	const char *class_ = bpei_dns_class_name(d->class_);

	bpei_write_quoted(w, ",\"dns\":{\"type\":\"", is_answered ? "answer" : "query");
	bpei_write_member(w, ",\"id\":\"", d->id);
	bpei_write_char(w, '"');
	if (opcode)
		bpei_write_quoted(w, ",\"op_code\":\"", opcode);
	bpei_event_write_dns_flags(w, ",\"header_flags\":", d->flags);
	BPEI_WRITE(w, ",\"question\":{\"name\":");
	bpei_write_json(w, d->query, sizeof d->query);
	bpei_event_write_dns_type(w, ",\"type\":\"", "TYPE", d->type);
	if (class_)
		bpei_write_quoted(w, ",\"class\":\"", class_);
	bpei_write_char(w, '}');
	if (is_answered)
		bpei_event_write_rcode(w, ",\"response_code\":\"", "RCODE", d->rcode);
	write_ecs_answers(w, d);
	bpei_write_char(w, '}');
}

void bpei_event_ecs(struct bpei_writer *w, const struct bpe_event *e)
{
	const char *kind = bpe_event_kind_name((int)e->kind);

	bpei_ecs_write_head(w, e->time_ns, "\"connection\",\"protocol\",\"info\"", kind);
	if (e->dns && e->dns->rtt_ns >= 0) {
		bpei_ecs_write_time(w, ",\"start\":\"", e->time_ns - e->dns->rtt_ns);
		bpei_ecs_write_time(w, ",\"end\":\"", e->time_ns);
		bpei_write_member(w, ",\"duration\":", (uint64_t)e->dns->rtt_ns);
	}
	bpei_write_char(w, '}');
	bpei_ecs_write_flow(w, e->flow);
	if (e->dns)
		write_ecs_dns(w, e->dns);
	bpei_ecs_write_names(w, e->flow);
	const struct bpei_object own = bpei_write_object(w, ",\"bpfengine\":");

	bpei_names_write(w, e->flow, bpei_ecs_named);
	bpei_flow_write_tunnel_object(w, e->flow, "\"src\":\"", "\"dst\":\"", "\"kind\":\"");
	bpei_write_object_end(w, own);
	bpei_write_char(w, '}');
}
