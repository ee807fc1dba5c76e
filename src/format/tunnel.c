/* SPDX-License-Identifier: MIT */
/* The tunnel that a flow's first packet came by, as members of the line itself or as an object.
 * Pure. */
#include "format/text.h"

void bpei_text_tunnel(struct bpei_text *t, const struct bpe_flow *f)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	if (!kind)
		return;
	bpei_text_word(t, ",\"tunnel_kind\":\"", kind);
	if (v->has_id)
		bpei_text_member(t, ",\"tunnel_id\":", v->id);
	bpei_text_member(t, ",\"tunnel_depth\":", v->depth);
	for (int k = 0; v->ip_version && k < 2; k++) {
		bpei_text_string(t, k ? ",\"tunnel_dst\":\"" : ",\"tunnel_src\":\"");
		bpei_text_address(t, v->addr[k], v->ip_version);
		bpei_text_char(t, '"');
	}
}

void bpei_text_tunnel_object(struct bpei_text *t, const struct bpe_flow *f, const char *src,
	const char *dst, const char *kind_name)
{
	const struct bpe_tunnel *v = &f->tunnel;
	const char *kind = bpe_tunnel_name(v->kind);
	if (!kind)
		return;
	BPEI_TEXT(t, ",\"tunnel\":{");
	for (int k = 0; v->ip_version && k < 2; k++) {
		bpei_text_string(t, k ? dst : src);
		bpei_text_address(t, v->addr[k], v->ip_version);
		BPEI_TEXT(t, "\",");
	}
	bpei_text_word(t, kind_name, kind);
	if (v->has_id)
		bpei_text_member(t, ",\"id\":", v->id);
	bpei_text_member(t, ",\"depth\":", v->depth);
	bpei_text_char(t, '}');
}
