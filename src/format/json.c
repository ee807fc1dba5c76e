/* SPDX-License-Identifier: MIT */
/* The native line, schema bpfengine.flow/1: keys are stable, later versions only add.  Pure. */
#include "format/formats.h"
#include "format/names_text.h"

static void write_json_pair(struct bpei_writer *w, const char *name, uint64_t a, uint64_t b)
{
	bpei_write_string(w, name);
	bpei_write_char(w, '[');
	bpei_write_number(w, a);
	bpei_write_char(w, ',');
	bpei_write_number(w, b);
	bpei_write_char(w, ']');
}

static void write_json_number(struct bpei_writer *w, const char *name, int64_t v)
{
	bpei_write_string(w, name);
	bpei_write_signed(w, v);
}

static void write_json_tcp(struct bpei_writer *w, const struct bpe_flow *f)
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
	BPEI_WRITE(w, ",\"tcp_state\":\"");
	bpei_write_string(w, bpei_flow_tcp_state(f));
	BPEI_WRITE(w, "\",\"tcp_flags\":[\"");
	bpei_write_string(w, letters[0]);
	BPEI_WRITE(w, "\",\"");
	bpei_write_string(w, letters[1]);
	bpei_write_string(w, f->flags & BPE_FLOW_MIDSTREAM ? "\"],\"midstream\":true"
							   : "\"],\"midstream\":false");
	if (f->history[0]) {
		BPEI_WRITE(w, ",\"history\":");
		bpei_write_json(w, f->history, sizeof f->history);
	}
	for (int k = 0; k < 4; k++) {
		int64_t ns = k < 2 ? f->handshake_ns[k] : f->rtt_ns[k % 2];
		if (ns < 0)
			continue;
		bpei_write_string(w, spans[k / 2][k % 2]);
		bpei_write_seconds(w, ns, 9);
	}
	if (f->mss[0] | f->mss[1])
		write_json_pair(w, ",\"mss\":", f->mss[0], f->mss[1]);
	if (f->window_scale[0] >= 0 || f->window_scale[1] >= 0) {
		write_json_number(w, ",\"window_scale\":[", f->window_scale[0]);
		write_json_number(w, ",", f->window_scale[1]);
		bpei_write_char(w, ']');
	}
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
		if (counts[k].v[0] | counts[k].v[1])
			write_json_pair(w, counts[k].name, counts[k].v[0], counts[k].v[1]);
}

static void write_json_process(struct bpei_writer *w, const struct bpe_flow *f)
{
	write_json_number(w, ",\"pid\":", f->pid);
	BPEI_WRITE(w, ",\"process\":");
	bpei_write_json(w, f->comm, sizeof f->comm);
	if (f->effective_pid <= 0)
		return;
	write_json_number(w, ",\"effective_pid\":", f->effective_pid);
	BPEI_WRITE(w, ",\"effective_process\":");
	bpei_write_json(w, f->effective_comm, sizeof f->effective_comm);
}

static void write_json_interface(struct bpei_writer *w, const struct bpe_flow *f)
{
	if (f->interface_name[0]) {
		BPEI_WRITE(w, ",\"interface\":");
		bpei_write_json(w, f->interface_name, sizeof f->interface_name);
	}
	if (f->interface_index)
		write_json_number(w, ",\"interface_index\":", f->interface_index);
	if (f->flags & BPE_FLOW_INTERFACE_ID)
		write_json_number(w, ",\"interface_id\":", f->interface_id);
}

/* Writes the schema, the key, the times and the counters of packets and bytes. */
static void write_json_head(struct bpei_writer *w, const struct bpe_flow *f)
{
	char room[16];
	BPEI_WRITE(w, "{\"schema\":\"bpfengine.flow/1\",\"src\":\"");
	bpei_write_address(w, f->addr[0], f->ip_version);
	write_json_number(w, "\",\"sport\":", f->port[0]);
	BPEI_WRITE(w, ",\"dst\":\"");
	bpei_write_address(w, f->addr[1], f->ip_version);
	write_json_number(w, "\",\"dport\":", f->port[1]);
	BPEI_WRITE(w, ",\"proto\":\"");
	bpei_write_string(w, bpei_flow_proto(f, room));
	write_json_number(w, "\",\"ip_proto\":", f->ip_proto);
	write_json_number(w, ",\"ip\":", f->ip_version);
	if (f->vlan[1])
		write_json_pair(w, ",\"vlan\":", f->vlan[0], f->vlan[1]);
	if (f->vlan[0] && !f->vlan[1]) {
		write_json_number(w, ",\"vlan\":[", f->vlan[0]);
		bpei_write_char(w, ']');
	}
	BPEI_WRITE(w, ",\"first\":");
	bpei_write_seconds(w, f->first_ns, 9);
	BPEI_WRITE(w, ",\"duration\":");
	bpei_write_span(w, f->first_ns, f->last_ns, 9);
	write_json_pair(w, ",\"packets\":", f->packets[0], f->packets[1]);
	write_json_pair(w, ",\"wire_bytes\":", f->wire_bytes[0], f->wire_bytes[1]);
	write_json_pair(w, ",\"captured_bytes\":", f->captured_bytes[0], f->captured_bytes[1]);
	if (f->flags & BPE_FLOW_LENGTHS) {
		write_json_pair(w, ",\"ip_bytes\":", f->ip_bytes[0], f->ip_bytes[1]);
		write_json_pair(w, ",\"payload_bytes\":", f->payload_bytes[0], f->payload_bytes[1]);
	}
	bpei_flow_write_unwritten(w, f, false);
}

/* Writes why the record was written: "event" for a flow that has begun, or "end". */
static void write_json_end(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *end = bpe_flow_end_name(f->end);

	if (!end || !end[0])
		return;
	bpei_write_string(w, f->end == BPE_END_BEGUN ? ",\"event\":\"" : ",\"end\":\"");
	bpei_write_string(w, end);
	bpei_write_char(w, '"');
}

void bpei_format_json(struct bpei_writer *w, const struct bpe_flow *f)
{
	char community[BPE_COMMUNITY_ID_BYTES];
	write_json_head(w, f);
	if (f->flags & BPE_FLOW_ICMP) {
		write_json_number(w, ",\"icmp_type\":", f->icmp_type);
		write_json_number(w, ",\"icmp_code\":", f->icmp_code);
	}
	if (f->tcp_state)
		write_json_tcp(w, f);
	bpei_flow_write_counts(w, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_flow_write_counts(w, ",\"duplicates\":[", f->duplicates);
	BPEI_WRITE(w, ",\"conn_state\":\"");
	bpei_write_string(w, bpe_flow_conn_state(f));
	bpei_write_char(w, '"');
	if (bpe_flow_community_id(f, 0, community)) {
		BPEI_WRITE(w, ",\"community_id\":\"");
		bpei_write_string(w, community);
		bpei_write_char(w, '"');
	}
	write_json_interface(w, f);
	if (f->flags & BPE_FLOW_TUNNEL)
		BPEI_WRITE(w, ",\"tunnel\":true");
	bpei_flow_write_tunnel(w, f);
	if (f->flags & BPE_FLOW_BY_PORT)
		BPEI_WRITE(w, ",\"direction\":\"port\"");
	if (f->flags & BPE_FLOW_CONTINUED)
		BPEI_WRITE(w, ",\"continued\":true");
	if (f->flags & BPE_FLOW_CUT)
		BPEI_WRITE(w, ",\"cut\":true");
	if (f->pid > 0)
		write_json_process(w, f);
	bpei_names_write(w, f, 0);
	write_json_end(w, f);
	write_json_number(w, ",\"hash\":", f->hash);
	write_json_number(w, ",\"worker\":", f->worker);
	bpei_write_char(w, '}');
}
