/* SPDX-License-Identifier: MIT */
/* The native line, schema bpfengine.flow/1: keys are stable, later versions only add.  Pure. */
#include "format/text.h"

static void pair(struct bpei_text *t, const char *name, uint64_t a, uint64_t b)
{
	bpei_text_string(t, name);
	bpei_text_char(t, '[');
	bpei_text_number(t, a);
	bpei_text_char(t, ',');
	bpei_text_number(t, b);
	bpei_text_char(t, ']');
}

static void number(struct bpei_text *t, const char *name, int64_t v)
{
	bpei_text_string(t, name);
	bpei_text_signed(t, v);
}

static void tcp(struct bpei_text *t, const struct bpe_flow *f)
{
	const struct {
		const char *name;
		const uint32_t *v;
	} counts[] = { { ",\"retransmissions\":", f->retransmissions },
		{ ",\"fast_retransmissions\":", f->fast_retransmissions },
		{ ",\"spurious_retransmissions\":", f->spurious_retransmissions },
		{ ",\"out_of_order\":", f->out_of_order },
		{ ",\"repeated_acks\":", f->repeated_acks },
		{ ",\"zero_windows\":", f->zero_windows },
		{ ",\"lost_segments\":", f->lost_segments },
		{ ",\"unseen_acks\":", f->unseen_acks }, { ",\"keep_alives\":", f->keep_alives } };
	static const char *const spans[2][2] = { { ",\"client_rtt\":", ",\"server_rtt\":" },
		{ ",\"client_ack_rtt\":", ",\"server_ack_rtt\":" } };
	char letters[2][9];
	for (int k = 0; k < 2; k++)
		bpei_flow_tcp_flags(f->tcp_flags[k], letters[k]);
	BPEI_TEXT(t, ",\"tcp_state\":\"");
	bpei_text_string(t, bpei_flow_tcp_state(f));
	BPEI_TEXT(t, "\",\"tcp_flags\":[\"");
	bpei_text_string(t, letters[0]);
	BPEI_TEXT(t, "\",\"");
	bpei_text_string(t, letters[1]);
	bpei_text_string(t, f->flags & BPE_FLOW_MIDSTREAM ? "\"],\"midstream\":true"
							  : "\"],\"midstream\":false");
	if (f->history[0]) {
		BPEI_TEXT(t, ",\"history\":");
		bpei_text_json(t, f->history, sizeof f->history);
	}
	for (int k = 0; k < 4; k++) {
		int64_t ns = k < 2 ? f->handshake_ns[k] : f->rtt_ns[k % 2];
		if (ns < 0)
			continue;
		bpei_text_string(t, spans[k / 2][k % 2]);
		bpei_text_seconds(t, ns, 9);
	}
	if (f->mss[0] | f->mss[1])
		pair(t, ",\"mss\":", f->mss[0], f->mss[1]);
	if (f->window_scale[0] >= 0 || f->window_scale[1] >= 0) {
		number(t, ",\"window_scale\":[", f->window_scale[0]);
		number(t, ",", f->window_scale[1]);
		bpei_text_char(t, ']');
	}
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
		if (counts[k].v[0] | counts[k].v[1])
			pair(t, counts[k].name, counts[k].v[0], counts[k].v[1]);
}

static void process(struct bpei_text *t, const struct bpe_flow *f)
{
	number(t, ",\"pid\":", f->pid);
	BPEI_TEXT(t, ",\"process\":");
	bpei_text_json(t, f->comm, sizeof f->comm);
	if (f->effective_pid <= 0)
		return;
	number(t, ",\"effective_pid\":", f->effective_pid);
	BPEI_TEXT(t, ",\"effective_process\":");
	bpei_text_json(t, f->effective_comm, sizeof f->effective_comm);
}

static void interface(struct bpei_text *t, const struct bpe_flow *f)
{
	if (f->interface_name[0]) {
		BPEI_TEXT(t, ",\"interface\":");
		bpei_text_json(t, f->interface_name, sizeof f->interface_name);
	}
	if (f->interface_index)
		number(t, ",\"interface_index\":", f->interface_index);
	if (f->flags & BPE_FLOW_INTERFACE_ID)
		number(t, ",\"interface_id\":", f->interface_id);
}

void bpei_format_json(struct bpei_text *t, const struct bpe_flow *f)
{
	char room[16], community[BPE_COMMUNITY_ID_BYTES];
	BPEI_TEXT(t, "{\"schema\":\"bpfengine.flow/1\",\"src\":\"");
	bpei_text_address(t, f->addr[0], f->ip_version);
	number(t, "\",\"sport\":", f->port[0]);
	BPEI_TEXT(t, ",\"dst\":\"");
	bpei_text_address(t, f->addr[1], f->ip_version);
	number(t, "\",\"dport\":", f->port[1]);
	BPEI_TEXT(t, ",\"proto\":\"");
	bpei_text_string(t, bpei_flow_proto(f, room));
	number(t, "\",\"ip_proto\":", f->ip_proto);
	number(t, ",\"ip\":", f->ip_version);
	if (f->vlan[1])
		pair(t, ",\"vlan\":", f->vlan[0], f->vlan[1]);
	else if (f->vlan[0])
		number(t, ",\"vlan\":[", f->vlan[0]), bpei_text_char(t, ']');
	BPEI_TEXT(t, ",\"first\":");
	bpei_text_seconds(t, f->first_ns, 9);
	BPEI_TEXT(t, ",\"duration\":");
	bpei_text_span(t, f->first_ns, f->last_ns, 9);
	pair(t, ",\"packets\":", f->packets[0], f->packets[1]);
	pair(t, ",\"wire_bytes\":", f->wire_bytes[0], f->wire_bytes[1]);
	pair(t, ",\"captured_bytes\":", f->captured_bytes[0], f->captured_bytes[1]);
	if (f->flags & BPE_FLOW_LENGTHS) {
		pair(t, ",\"ip_bytes\":", f->ip_bytes[0], f->ip_bytes[1]);
		pair(t, ",\"payload_bytes\":", f->payload_bytes[0], f->payload_bytes[1]);
	}
	if (f->flags & BPE_FLOW_ICMP) {
		number(t, ",\"icmp_type\":", f->icmp_type);
		number(t, ",\"icmp_code\":", f->icmp_code);
	}
	if (f->tcp_state)
		tcp(t, f);
	bpei_text_counts(t, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_text_counts(t, ",\"duplicates\":[", f->duplicates);
	BPEI_TEXT(t, ",\"conn_state\":\"");
	bpei_text_string(t, bpe_flow_conn_state(f));
	bpei_text_char(t, '"');
	if (bpe_flow_community_id(f, 0, community)) {
		BPEI_TEXT(t, ",\"community_id\":\"");
		bpei_text_string(t, community);
		bpei_text_char(t, '"');
	}
	interface(t, f);
	if (f->flags & BPE_FLOW_TUNNEL)
		BPEI_TEXT(t, ",\"tunnel\":true");
	bpei_text_tunnel(t, f);
	if (f->flags & BPE_FLOW_BY_PORT)
		BPEI_TEXT(t, ",\"direction\":\"port\"");
	if (f->flags & BPE_FLOW_CONTINUED)
		BPEI_TEXT(t, ",\"continued\":true");
	if (f->flags & BPE_FLOW_CUT)
		BPEI_TEXT(t, ",\"cut\":true");
	if (f->pid > 0)
		process(t, f);
	const char *end = bpe_flow_end_name(f->end);
	if (end && end[0]) {
		BPEI_TEXT(t, ",\"end\":\"");
		bpei_text_string(t, end);
		bpei_text_char(t, '"');
	}
	number(t, ",\"hash\":", f->hash);
	number(t, ",\"worker\":", f->worker);
	bpei_text_char(t, '}');
}
