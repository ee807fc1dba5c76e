/* SPDX-License-Identifier: MIT */
/* RFC 4180: the same columns in every line, in this order; later versions add behind the last.  An
 * empty field is not known, or does not apply.  Pure. */
#include "format/text.h"

static const char columns[] =
	"first,last,src,sport,dst,dport,proto,ip_proto,ip,vlan,inner_vlan,orig_packets,resp_packets,orig_wire_bytes,resp_wire_bytes,orig_captured_bytes,resp_captured_bytes,"
	"orig_ip_bytes,resp_ip_bytes,orig_payload_bytes,resp_payload_bytes,icmp_type,icmp_code,tcp_state,orig_tcp_flags,resp_tcp_flags,midstream,history,client_rtt,server_rtt,client_ack_rtt,"
	"server_ack_rtt,orig_mss,resp_mss,orig_window_scale,resp_window_scale,orig_retransmissions,resp_retransmissions,orig_fast_retransmissions,resp_fast_retransmissions,"
	"orig_spurious_retransmissions,resp_spurious_retransmissions,orig_out_of_order,resp_out_of_order,orig_repeated_acks,resp_repeated_acks,orig_zero_windows,resp_zero_windows,"
	"orig_lost_segments,resp_lost_segments,orig_unseen_acks,resp_unseen_acks,orig_keep_alives,resp_keep_alives,conn_state,community_id,interface,interface_index,interface_id,"
	"tunnel,direction,continued,cut,pid,process,effective_pid,effective_process,end,hash,worker,"
	"orig_icmp_errors,resp_icmp_errors,orig_duplicates,resp_duplicates,"
	"tunnel_kind,tunnel_id,tunnel_depth,tunnel_src,tunnel_dst";

static void number(struct bpei_text *t, bool known, uint64_t v)
{
	if (known)
		bpei_text_number(t, v);
	bpei_text_char(t, ',');
}

static void word(struct bpei_text *t, bool known, const char *s)
{
	if (known)
		bpei_text_string(t, s);
	bpei_text_char(t, ',');
}

static void pair(struct bpei_text *t, bool known, const uint64_t v[2])
{
	for (int k = 0; k < 2; k++)
		number(t, known, v[k]);
}

static void tcp(struct bpei_text *t, const struct bpe_flow *f)
{
	const uint32_t *const counts[] = { f->retransmissions, f->fast_retransmissions,
		f->spurious_retransmissions, f->out_of_order, f->repeated_acks, f->zero_windows,
		f->lost_segments, f->unseen_acks, f->keep_alives };
	const bool is = f->tcp_state, health = f->flags & BPE_FLOW_HEALTH;
	char letters[9];
	word(t, is, bpei_flow_tcp_state(f));
	for (int k = 0; k < 2; k++) {
		bpei_flow_tcp_flags(f->tcp_flags[k], letters);
		word(t, is, letters);
	}
	word(t, is, f->flags & BPE_FLOW_MIDSTREAM ? "true" : "false");
	if (is)
		bpei_text_csv(t, f->history, sizeof f->history);
	bpei_text_char(t, ',');
	const int64_t spans[4] = { f->handshake_ns[0], f->handshake_ns[1], f->rtt_ns[0],
		f->rtt_ns[1] };
	for (int k = 0; k < 4; k++) {
		if (spans[k] >= 0)
			bpei_text_seconds(t, spans[k], 9);
		bpei_text_char(t, ',');
	}
	for (int k = 0; k < 2; k++)
		number(t, f->mss[k], f->mss[k]);
	for (int k = 0; k < 2; k++)
		number(t, f->window_scale[k] >= 0, (uint64_t)f->window_scale[k]);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (int k = 0; k < 2; k++)
			number(t, health, counts[i][k]);
}

/* Last of all: no comma behind it. */
static void tunnel(struct bpei_text *t, const struct bpe_flow *f)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	word(t, kind, kind);
	number(t, kind && v->has_id, v->id);
	number(t, kind, v->depth);
	if (kind && v->ip_version)
		bpei_text_address(t, v->addr[0], v->ip_version);
	bpei_text_char(t, ',');
	if (kind && v->ip_version)
		bpei_text_address(t, v->addr[1], v->ip_version);
}

void bpei_format_csv(struct bpei_text *t, const struct bpe_flow *f)
{
	char room[16], community[BPE_COMMUNITY_ID_BYTES] = "";
	if (!f) {
		bpei_text_bytes(t, columns, sizeof columns - 1);
		return;
	}
	bpei_text_seconds(t, f->first_ns, 9);
	bpei_text_char(t, ',');
	bpei_text_seconds(t, f->last_ns, 9);
	for (int k = 0; k < 2; k++) {
		bpei_text_char(t, ',');
		bpei_text_address(t, f->addr[k], f->ip_version);
		bpei_text_char(t, ',');
		bpei_text_number(t, f->port[k]);
	}
	bpei_text_char(t, ',');
	word(t, true, bpei_flow_proto(f, room));
	number(t, true, f->ip_proto);
	number(t, true, f->ip_version);
	number(t, f->vlan[0], f->vlan[0]);
	number(t, f->vlan[1], f->vlan[1]);
	pair(t, true, f->packets);
	pair(t, true, f->wire_bytes);
	pair(t, true, f->captured_bytes);
	pair(t, f->flags & BPE_FLOW_LENGTHS, f->ip_bytes);
	pair(t, f->flags & BPE_FLOW_LENGTHS, f->payload_bytes);
	number(t, f->flags & BPE_FLOW_ICMP, f->icmp_type);
	number(t, f->flags & BPE_FLOW_ICMP, f->icmp_code);
	tcp(t, f);
	word(t, true, bpe_flow_conn_state(f));
	word(t, bpe_flow_community_id(f, 0, community), community);
	bpei_text_csv(t, f->interface_name, sizeof f->interface_name);
	bpei_text_char(t, ',');
	number(t, f->interface_index, f->interface_index);
	number(t, f->flags & BPE_FLOW_INTERFACE_ID, f->interface_id);
	word(t, true, f->flags & BPE_FLOW_TUNNEL ? "true" : "false");
	word(t, f->flags & BPE_FLOW_BY_PORT, "port");
	word(t, true, f->flags & BPE_FLOW_CONTINUED ? "true" : "false");
	word(t, true, f->flags & BPE_FLOW_CUT ? "true" : "false");
	const bool process[2] = { f->pid > 0, f->pid > 0 && f->effective_pid > 0 };
	for (int k = 0; k < 2; k++) {
		number(t, process[k], (uint64_t)(k ? f->effective_pid : f->pid));
		if (process[k])
			bpei_text_csv(t, k ? f->effective_comm : f->comm, sizeof f->comm);
		bpei_text_char(t, ',');
	}
	const char *end = bpe_flow_end_name(f->end);
	word(t, end, end ? end : "");
	number(t, true, f->hash);
	number(t, true, f->worker);
	for (int k = 0; k < 2; k++)
		number(t, true, f->icmp_errors[k]);
	for (int k = 0; k < 2; k++)
		number(t, true, f->duplicates[k]);
	tunnel(t, f);
}
