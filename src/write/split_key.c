/* SPDX-License-Identifier: MIT */
/* The file of a packet when a capture is split (split_key.h). */
#include "write/split_key.h"

#include <stdio.h>
#include <string.h>

/* Fills the key of the flow.  Packets of both directions, and of later connections on the same
 * ports, have the same key. */
static void fill_flow_key(const struct bpe_batch *b, uint32_t i, struct bpei_split_key *key)
{
	const struct bpe_key *const k = &b->key[i];

	key->kind = BPEI_SPLIT_OF_FLOW;
	key->ip_version = k->ip_version;
	key->ip_proto = k->ip_proto;
	key->tunnel = k->tunnel;
	memcpy(key->vlan, k->vlan, sizeof key->vlan);
	memcpy(key->port, k->port, sizeof key->port);
	memcpy(key->addr, k->addr, sizeof key->addr);
}

/* Fills the key of the sending host. */
static void fill_host_key(const struct bpe_batch *b, uint32_t i, struct bpei_split_key *key)
{
	const struct bpe_key *const k = &b->key[i];

	key->kind = BPEI_SPLIT_OF_HOST;
	key->ip_version = k->ip_version;
	memcpy(key->addr[0], k->addr[bpe_batch_sender(b, i)], sizeof key->addr[0]);
}

/* Fills the key of the packet's process, if the source tells. */
static void fill_process_key(const struct bpe_batch *b, uint32_t i, struct bpei_split_key *key)
{
	struct bpe_meta meta;

	if (!b->meta || !bpe_batch_meta(b, i, &meta) || !(meta.flags & BPE_META_PROCESS))
		return;
	key->kind = BPEI_SPLIT_OF_PROCESS;
	key->pid = meta.pid;
	memcpy(key->comm, meta.comm, strnlen(meta.comm, sizeof key->comm));
}

void bpei_split_key_of(
	const struct bpe_batch *b, uint32_t i, uint32_t by, struct bpei_split_key *key)
{
	memset(key, 0, sizeof *key);
	if (by == BPE_SPLIT_PROCESS)
		fill_process_key(b, i, key);
	else if (b->layers[i].flags & BPE_PKT_KEY && by == BPE_SPLIT_FLOW)
		fill_flow_key(b, i, key);
	else if (b->layers[i].flags & BPE_PKT_KEY)
		fill_host_key(b, i, key);
}

/* ---- Words ---- */

/* The words at hand. */
struct split_words {
	char *to;
	size_t used;
};

static void append_word(struct split_words *w, const char *text)
{
	const size_t room = BPEI_SPLIT_WORDS - w->used;
	const size_t n = strnlen(text, room - 1);

	memcpy(w->to + w->used, text, n);
	w->used += n;
	w->to[w->used] = 0;
}

static void append_split_number(struct split_words *w, const char *front, uint32_t number, bool hex)
{
	char text[32];

	snprintf(text, sizeof text, hex ? "%s%08x" : "%s%u", front, number);
	append_word(w, text);
}

/* Appends an address; ':' becomes '-' for all file systems. */
static void append_address(struct split_words *w, const struct bpei_split_key *key, int end)
{
	char text[64] = "";

	bpe_address_text(key->addr[end], key->ip_version, text, sizeof text);
	for (char *c = text; *c; c++)
		if (*c == ':')
			*c = '-';
	append_word(w, text);
}

static void append_flow(struct split_words *w, const struct bpei_split_key *key)
{
	const char *const proto = bpe_ip_proto_name(key->ip_proto);
	const bool has_ports = key->port[0] | key->port[1];

	append_word(w, proto ? proto : "ip");
	if (!proto)
		append_split_number(w, "-", key->ip_proto, false);
	for (int end = 0; end < 2; end++) {
		append_word(w, "_");
		append_address(w, key, end);
		if (has_ports)
			append_split_number(w, "_", key->port[end], false);
	}
	if (key->vlan[0])
		append_split_number(w, "_vlan", key->vlan[0], false);
	if (key->vlan[1])
		append_split_number(w, "-", key->vlan[1], false);
	if (key->tunnel)
		append_split_number(w, "_tunnel", key->tunnel, true);
}

/* Replaces characters with a meaning for a system or a shell. */
static void make_safe(char *text)
{
	static const char safe[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

	for (char *c = text; *c; c++)
		if (!strchr(safe, *c))
			*c = '-';
	if (*text == '.')
		*text = '-';
}

size_t bpei_split_words(const struct bpei_split_key *key, char words[BPEI_SPLIT_WORDS])
{
	struct split_words w = { .to = words };
	char comm[sizeof key->comm + 1] = "";

	words[0] = 0;
	switch (key->kind) {
	case BPEI_SPLIT_OF_FLOW:
		append_flow(&w, key);
		break;
	case BPEI_SPLIT_OF_HOST:
		append_address(&w, key, 0);
		break;
	case BPEI_SPLIT_OF_PROCESS:
		memcpy(comm, key->comm, sizeof key->comm);
		append_word(&w, comm);
		append_split_number(&w, "_", (uint32_t)key->pid, false);
		break;
	default:
		append_word(&w, "other");
	}
	make_safe(words);
	return w.used;
}
