/* SPDX-License-Identifier: MIT */
/* Events in the native line, schema bpfengine.event/1: keys are stable, later versions only add.
 *
 * All kinds have the time, the ends of the flow and the names, by the keys of bpfengine.flow/1.  A
 * DNS event has "dns":{}.  Pure. */
#include "format/events.h"
#include "names/names.h"

/* Writes the members in front of the names. */
static void write_event_head(struct bpei_writer *w, const struct bpe_event *e)
{
	const struct bpe_flow *f = e->flow;
	char room[16], community[BPE_COMMUNITY_ID_BYTES];

	BPEI_WRITE(w, "{\"schema\":\"bpfengine.event/1\"");
	bpei_write_quoted(w, ",\"event\":\"", bpe_event_kind_name((int)e->kind));
	BPEI_WRITE(w, ",\"time\":");
	bpei_write_seconds(w, e->time_ns, 9);
	BPEI_WRITE(w, ",\"src\":\"");
	bpei_write_address(w, f->addr[0], f->ip_version);
	bpei_write_member(w, "\",\"sport\":", f->port[0]);
	BPEI_WRITE(w, ",\"dst\":\"");
	bpei_write_address(w, f->addr[1], f->ip_version);
	bpei_write_member(w, "\",\"dport\":", f->port[1]);
	bpei_write_quoted(w, ",\"proto\":\"", bpei_flow_proto(f, room));
	bpei_write_member(w, ",\"ip\":", f->ip_version);
	if (f->vlan[0]) {
		bpei_write_member(w, ",\"vlan\":[", f->vlan[0]);
		if (f->vlan[1])
			bpei_write_member(w, ",", f->vlan[1]);
		bpei_write_char(w, ']');
	}
	BPEI_WRITE(w, ",\"first\":");
	bpei_write_seconds(w, f->first_ns, 9);
	if (bpe_flow_community_id(f, 0, community))
		bpei_write_quoted(w, ",\"community_id\":\"", community);
	bpei_event_write_text(w, ",\"interface\":", f->interface_name, sizeof f->interface_name);
	bpei_flow_write_tunnel(w, f);
	bpei_zeek_write_process(w, f);
}

static void write_dns_answers(struct bpei_writer *w, const struct bpe_dns *d)
{
	for (uint32_t k = 0; k < d->answer_count && k < BPE_DNS_ANSWERS; k++) {
		const struct bpe_dns_answer *a = &d->answers[k];

		bpei_write_string(w, k ? ",{" : ",\"answers\":[{");
		bpei_event_write_dns_type(w, "\"type\":\"", "TYPE", a->type);
		bpei_write_member(w, ",\"ttl\":", a->ttl);
		BPEI_WRITE(w, ",\"data\":");
		bpei_write_json(w, a->text, sizeof a->text);
		bpei_write_char(w, '}');
	}
	if (d->answer_count)
		bpei_write_char(w, ']');
}

/* Writes "dns":{}. */
static void write_dns_part(struct bpei_writer *w, const struct bpe_dns *d)
{
	static const char *const seen[4] = { "none", "query", "answer", "both" };
	const char *opcode = bpei_dns_opcode_name(d->opcode);
	const char *class_ = bpei_dns_class_name(d->class_);

	bpei_write_quoted(w, ",\"dns\":{\"seen\":\"", seen[d->seen & 3]);
	bpei_write_member(w, ",\"id\":", d->id);
	if (opcode)
		bpei_write_quoted(w, ",\"opcode\":\"", opcode);
	bpei_event_write_dns_flags(w, ",\"flags\":", d->flags);
	BPEI_WRITE(w, ",\"query\":");
	bpei_write_json(w, d->query, sizeof d->query);
	bpei_event_write_dns_type(w, ",\"type\":\"", "TYPE", d->type);
	if (class_)
		bpei_write_quoted(w, ",\"class\":\"", class_);
	else
		bpei_write_member(w, ",\"class\":", d->class_);
	if (d->seen & BPE_DNS_ANSWER) {
		bpei_event_write_rcode(w, ",\"rcode\":\"", "RCODE", d->rcode);
		bpei_write_member(w, ",\"answer_count\":", d->answer_total);
		write_dns_answers(w, d);
	}
	if (d->rtt_ns >= 0) {
		BPEI_WRITE(w, ",\"rtt\":");
		bpei_write_seconds(w, d->rtt_ns, 9);
	}
	bpei_write_char(w, '}');
}

void bpei_event_json(struct bpei_writer *w, const struct bpe_event *e)
{
	write_event_head(w, e);
	if (e->dns)
		write_dns_part(w, e->dns);
	bpei_names_write(w, e->flow, 0);
	bpei_write_member(w, ",\"hash\":", e->flow->hash);
	bpei_write_member(w, ",\"worker\":", e->flow->worker);
	bpei_write_char(w, '}');
}
