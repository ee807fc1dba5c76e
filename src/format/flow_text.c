/* SPDX-License-Identifier: MIT */
/* Members of a flow record that several formats write.  Pure. */
#include "format/flow_text.h"

#include "names/numbers.h"

const char *bpei_flow_proto(const struct bpe_flow *f, char room[16])
{
	/* each ICMP belongs to its own IP version */
	const uint8_t foreign = f->ip_version == 4 ? IP_ICMP6 : IP_ICMP;
	const char *name = f->ip_proto == foreign ? NULL : bpe_ip_proto_name(f->ip_proto);
	if (name)
		return name;
	struct bpei_writer w = { room, room + 15, false };
	BPEI_WRITE(&w, "ip-proto-");
	bpei_write_number(&w, f->ip_proto);
	*w.at = 0;
	return room;
}

const char *bpei_flow_tcp_state(const struct bpe_flow *f)
{
	const char *name = bpe_tcp_state_name(f->tcp_state);

	return name ? name : "";
}

void bpei_flow_tcp_flags(uint8_t flags, char letters[9])
{
	size_t n = 0;
	for (int i = 0; i < 8; i++)
		if (flags >> i & 1)
			letters[n++] = "FSRP.UEW"[i];
	letters[n] = 0;
}

void bpei_flow_write_counts(struct bpei_writer *w, const char *name, const uint32_t counts[2])
{
	if (!(counts[0] | counts[1]))
		return;
	bpei_write_member(w, name, counts[0]);
	bpei_write_member(w, ",", counts[1]);
	bpei_write_char(w, ']');
}

void bpei_flow_write_unwritten(struct bpei_writer *w, const struct bpe_flow *f, bool first)
{
	if (!(f->flags & BPE_FLOW_CUTOFF))
		return;
	if (!first)
		bpei_write_char(w, ',');
	bpei_write_member(w, "\"unwritten_packets\":[", f->unwritten_packets[0]);
	bpei_write_member(w, ",", f->unwritten_packets[1]);
	bpei_write_member(w, "],\"unwritten_bytes\":[", f->unwritten_bytes[0]);
	bpei_write_member(w, ",", f->unwritten_bytes[1]);
	bpei_write_char(w, ']');
}

bool bpei_flow_has_ports(const struct bpe_flow *f)
{
	return f->ip_proto == IP_TCP || f->ip_proto == IP_UDP || f->ip_proto == IP_DCCP ||
	       f->ip_proto == IP_SCTP || f->ip_proto == IP_UDPLITE;
}

static uint64_t splitmix_finish(uint64_t v) /* splitmix64's last step */
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

struct bpei_flow_id bpei_flow_id(const struct bpe_flow *f)
{
	const uint64_t hash = splitmix_finish(f->hash + UINT64_C(0xbf58476d1ce4e5b9));
	struct bpei_flow_id id = {
		splitmix_finish((uint64_t)f->first_ns + UINT64_C(0x9e3779b97f4a7c15)) ^ hash, hash
	};
	uint64_t words[6] = { 0 };
	memcpy(words, f->addr, 32);
	words[4] = (uint64_t)f->port[0] | (uint64_t)f->port[1] << 16 | (uint64_t)f->ip_proto << 32 |
		   (uint64_t)f->ip_version << 40;
	words[5] = (uint64_t)f->vlan[0] | (uint64_t)f->vlan[1] << 16;
	for (int i = 0; i < 6; i++) {
		id.a = splitmix_finish(id.a ^ words[i]);
		id.b = splitmix_finish(id.b + words[i] + id.a);
	}
	return id;
}

void bpei_flow_write_process(struct bpei_writer *w, const struct bpe_flow *f)
{
	if (f->pid <= 0)
		return;
	bpei_write_member(w, ",\"process\":{\"pid\":", (uint64_t)f->pid);
	BPEI_WRITE(w, ",\"name\":");
	bpei_write_json(w, f->comm, sizeof f->comm);
	bpei_write_char(w, '}');
}

void bpei_flow_write_tunnel(struct bpei_writer *w, const struct bpe_flow *f)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	if (!kind)
		return;
	bpei_write_quoted(w, ",\"tunnel_kind\":\"", kind);
	if (v->has_id)
		bpei_write_member(w, ",\"tunnel_id\":", v->id);
	bpei_write_member(w, ",\"tunnel_depth\":", v->depth);
	for (int k = 0; v->ip_version && k < 2; k++) {
		bpei_write_string(w, k ? ",\"tunnel_dst\":\"" : ",\"tunnel_src\":\"");
		bpei_write_address(w, v->addr[k], v->ip_version);
		bpei_write_char(w, '"');
	}
}

void bpei_flow_write_tunnel_object(struct bpei_writer *w, const struct bpe_flow *f, const char *src,
	const char *dst, const char *kind_name)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	if (!kind)
		return;
	BPEI_WRITE(w, ",\"tunnel\":{");
	for (int k = 0; v->ip_version && k < 2; k++) {
		bpei_write_string(w, k ? dst : src);
		bpei_write_address(w, v->addr[k], v->ip_version);
		BPEI_WRITE(w, "\",");
	}
	bpei_write_quoted(w, kind_name, kind);
	if (v->has_id)
		bpei_write_member(w, ",\"id\":", v->id);
	bpei_write_member(w, ",\"depth\":", v->depth);
	bpei_write_char(w, '}');
}
