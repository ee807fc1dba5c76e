/* SPDX-License-Identifier: MIT */
/* The words of columns: short texts of small sets, by number. */
#include "columns/columns.h"
#include "format/flow_text.h"

#include <string.h>

/* Sets a word.  NULL and "": no word. */
static void set_column_word(struct bpei_word *word, const char *text)
{
	const size_t n = text ? strnlen(text, sizeof word->text) : 0;

	if (n)
		memcpy(word->text, text, n);
	word->length = (uint8_t)n;
	word->is_known = n != 0;
}

/* Sets the names of the protocols above both versions of IP. */
static void set_column_protos(struct bpei_word *words)
{
	for (int k = 0; k < 512; k++) {
		const struct bpe_flow flow = { .ip_proto = (uint8_t)k,
			.ip_version = k < 256 ? 6 : 4 };
		char room[16];

		set_column_word(&words[k], bpei_flow_proto(&flow, room));
	}
}

void bpei_columns_fill_words(struct bpe_columns *c)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct bpei_word *const w = c->word;

	set_column_protos(&w[BPEI_WORDS_PROTO]);
	for (int k = 0; k < 256; k++) {
		char letters[9];

		bpei_flow_tcp_flags((uint8_t)k, letters);
		set_column_word(&w[BPEI_WORDS_TCP_FLAGS + k], letters);
		w[BPEI_WORDS_TCP_FLAGS + k].is_known = true;
		set_column_word(&w[BPEI_WORDS_TCP_STATE + k], bpe_tcp_state_name(k));
		set_column_word(&w[BPEI_WORDS_END + k], bpe_flow_end_name(k));
		set_column_word(&w[BPEI_WORDS_TUNNEL + k], bpe_tunnel_name(k));
		set_column_word(&w[BPEI_WORDS_APP + k], bpe_app_name(k));
		set_column_word(&w[BPEI_WORDS_SOURCE + k], bpe_name_source_name(k));
		set_column_word(&w[BPEI_WORDS_OWNER + k], bpe_owner_name(k));
	}
	set_column_word(&w[BPEI_WORDS_OWNER], NULL); /* BPE_OWNER_NONE: not asked */
	set_column_word(&w[BPEI_WORDS_OFFERED], "offered");
	set_column_word(&w[BPEI_WORDS_OUTER], "outer");
	set_column_word(&w[BPEI_WORDS_PORT], "port");
	for (unsigned k = 0; k < 256; k++) {
		struct bpei_writer text = { c->recent.octets[k].text,
			c->recent.octets[k].text + sizeof c->recent.octets[k].text, false };

		bpei_write_number(&text, k);
		bpei_write_char(&text, '.');
		c->recent.octets[k].length = (uint32_t)(text.at - c->recent.octets[k].text);
	}
	for (unsigned k = 0; k < 4096; k++) {
		c->base64[k][0] = base64[k >> 6];
		c->base64[k][1] = base64[k & 63];
	}
}
