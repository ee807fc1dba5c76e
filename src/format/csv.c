/* SPDX-License-Identifier: MIT */
/* CSV by RFC 4180: every line has the same columns in the same order.  Later versions append
 * columns.  An empty field is not known, or does not apply.  Pure. */
#include "format/formats.h"
#include "format/names_text.h"

static const char columns[] =
	"first,last,src,sport,dst,dport,proto,ip_proto,ip,vlan,inner_vlan,orig_packets,resp_packets,orig_wire_bytes,resp_wire_bytes,orig_captured_bytes,resp_captured_bytes,"
	"orig_ip_bytes,resp_ip_bytes,orig_payload_bytes,resp_payload_bytes,icmp_type,icmp_code,tcp_state,orig_tcp_flags,resp_tcp_flags,midstream,history,client_rtt,server_rtt,client_ack_rtt,"
	"server_ack_rtt,orig_mss,resp_mss,orig_window_scale,resp_window_scale,orig_retransmissions,resp_retransmissions,orig_fast_retransmissions,resp_fast_retransmissions,"
	"orig_spurious_retransmissions,resp_spurious_retransmissions,orig_out_of_order,resp_out_of_order,orig_repeated_acks,resp_repeated_acks,orig_zero_windows,resp_zero_windows,"
	"orig_lost_segments,resp_lost_segments,orig_unseen_acks,resp_unseen_acks,orig_keep_alives,resp_keep_alives,conn_state,community_id,interface,interface_index,interface_id,"
	"tunnel,direction,continued,cut,pid,process,effective_pid,effective_process,end,hash,worker,"
	"orig_icmp_errors,resp_icmp_errors,orig_duplicates,resp_duplicates,"
	"tunnel_kind,tunnel_id,tunnel_depth,tunnel_src,tunnel_dst,"
	"orig_unwritten_packets,resp_unwritten_packets,orig_unwritten_bytes,resp_unwritten_bytes";

static void write_csv_number(struct bpei_writer *w, bool known, uint64_t v)
{
	if (known)
		bpei_write_number(w, v);
	bpei_write_char(w, ',');
}

static void write_csv_word(struct bpei_writer *w, bool known, const char *s)
{
	if (known)
		bpei_write_string(w, s);
	bpei_write_char(w, ',');
}

static void write_csv_pair(struct bpei_writer *w, bool known, const uint64_t v[2])
{
	for (int k = 0; k < 2; k++)
		write_csv_number(w, known, v[k]);
}

static void write_csv_tcp(struct bpei_writer *w, const struct bpe_flow *f)
{
	const uint32_t *const counts[] = { f->retransmissions, f->fast_retransmissions,
		f->spurious_retransmissions, f->out_of_order, f->repeated_acks, f->zero_windows,
		f->lost_segments, f->unseen_acks, f->keep_alives };
	const bool tcp = f->tcp_state;
	const bool health = f->flags & BPE_FLOW_HEALTH;
	char letters[9];
	write_csv_word(w, tcp, bpei_flow_tcp_state(f));
	for (int k = 0; k < 2; k++) {
		bpei_flow_tcp_flags(f->tcp_flags[k], letters);
		write_csv_word(w, tcp, letters);
	}
	write_csv_word(w, tcp, f->flags & BPE_FLOW_MIDSTREAM ? "true" : "false");
	if (tcp)
		bpei_write_csv(w, f->history, sizeof f->history);
	bpei_write_char(w, ',');
	const int64_t spans[4] = { f->handshake_ns[0], f->handshake_ns[1], f->rtt_ns[0],
		f->rtt_ns[1] };
	for (int k = 0; k < 4; k++) {
		if (spans[k] >= 0)
			bpei_write_seconds(w, spans[k], 9);
		bpei_write_char(w, ',');
	}
	for (int k = 0; k < 2; k++)
		write_csv_number(w, f->mss[k], f->mss[k]);
	for (int k = 0; k < 2; k++)
		write_csv_number(w, f->window_scale[k] >= 0, (uint64_t)f->window_scale[k]);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (int k = 0; k < 2; k++)
			write_csv_number(w, health, counts[i][k]);
}

static void write_csv_tunnel(struct bpei_writer *w, const struct bpe_flow *f)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	write_csv_word(w, kind, kind);
	write_csv_number(w, kind && v->has_id, v->id);
	write_csv_number(w, kind, v->depth);
	if (kind && v->ip_version)
		bpei_write_address(w, v->addr[0], v->ip_version);
	bpei_write_char(w, ',');
	if (kind && v->ip_version)
		bpei_write_address(w, v->addr[1], v->ip_version);
	bpei_write_char(w, ',');
}

/* Writes what the cutoff left out, without a comma at the end. */
static void write_csv_unwritten(struct bpei_writer *w, const struct bpe_flow *f)
{
	const bool is_known = f->flags & BPE_FLOW_CUTOFF;

	write_csv_pair(w, is_known, f->unwritten_packets);
	write_csv_number(w, is_known, f->unwritten_bytes[0]);
	if (is_known)
		bpei_write_number(w, f->unwritten_bytes[1]);
}

void bpei_format_csv(struct bpei_writer *w, const struct bpe_flow *f)
{
	char room[16], community[BPE_COMMUNITY_ID_BYTES] = "";
	if (!f) {
		bpei_write_bytes(w, columns, sizeof columns - 1);
		bpei_names_write_columns(w);
		return;
	}
	bpei_write_seconds(w, f->first_ns, 9);
	bpei_write_char(w, ',');
	bpei_write_seconds(w, f->last_ns, 9);
	for (int k = 0; k < 2; k++) {
		bpei_write_char(w, ',');
		bpei_write_address(w, f->addr[k], f->ip_version);
		bpei_write_char(w, ',');
		bpei_write_number(w, f->port[k]);
	}
	bpei_write_char(w, ',');
	write_csv_word(w, true, bpei_flow_proto(f, room));
	write_csv_number(w, true, f->ip_proto);
	write_csv_number(w, true, f->ip_version);
	write_csv_number(w, f->vlan[0], f->vlan[0]);
	write_csv_number(w, f->vlan[1], f->vlan[1]);
	write_csv_pair(w, true, f->packets);
	write_csv_pair(w, true, f->wire_bytes);
	write_csv_pair(w, true, f->captured_bytes);
	write_csv_pair(w, f->flags & BPE_FLOW_LENGTHS, f->ip_bytes);
	write_csv_pair(w, f->flags & BPE_FLOW_LENGTHS, f->payload_bytes);
	write_csv_number(w, f->flags & BPE_FLOW_ICMP, f->icmp_type);
	write_csv_number(w, f->flags & BPE_FLOW_ICMP, f->icmp_code);
	write_csv_tcp(w, f);
	write_csv_word(w, true, bpe_flow_conn_state(f));
	write_csv_word(w, bpe_flow_community_id(f, 0, community), community);
	bpei_write_csv(w, f->interface_name, sizeof f->interface_name);
	bpei_write_char(w, ',');
	write_csv_number(w, f->interface_index, f->interface_index);
	write_csv_number(w, f->flags & BPE_FLOW_INTERFACE_ID, f->interface_id);
	write_csv_word(w, true, f->flags & BPE_FLOW_TUNNEL ? "true" : "false");
	write_csv_word(w, f->flags & BPE_FLOW_BY_PORT, "port");
	write_csv_word(w, true, f->flags & BPE_FLOW_CONTINUED ? "true" : "false");
	write_csv_word(w, true, f->flags & BPE_FLOW_CUT ? "true" : "false");
	const bool process[2] = { f->pid > 0, f->pid > 0 && f->effective_pid > 0 };
	for (int k = 0; k < 2; k++) {
		write_csv_number(w, process[k], (uint64_t)(k ? f->effective_pid : f->pid));
		if (process[k])
			bpei_write_csv(w, k ? f->effective_comm : f->comm, sizeof f->comm);
		bpei_write_char(w, ',');
	}
	const char *end = bpe_flow_end_name(f->end);
	write_csv_word(w, end, end ? end : "");
	write_csv_number(w, true, f->hash);
	write_csv_number(w, true, f->worker);
	for (int k = 0; k < 2; k++)
		write_csv_number(w, true, f->icmp_errors[k]);
	for (int k = 0; k < 2; k++)
		write_csv_number(w, true, f->duplicates[k]);
	write_csv_tunnel(w, f);
	write_csv_unwritten(w, f);
	bpei_names_write_csv(w, f);
}
