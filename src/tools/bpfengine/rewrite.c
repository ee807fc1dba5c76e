/* SPDX-License-Identifier: MIT */
/* Changes of packets that are written: --dedup and --anonymise.  The key is read before rights are
 * given up.  State: in struct write_options. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_DIGITS = 2 * BPE_ANONYMISE_KEY_BYTES, MOST_FILE = HEX_DIGITS + 3, MOST_PATH = 4096 };

static int hex_digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char lower = c >= 'A' && c <= 'F' ? (char)(c + ('a' - 'A')) : c;
	const char *found = lower ? strchr(digits, lower) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Reads the key from n bytes of its file: 32 bytes, or 64 hexadecimal digits and a line's end. */
static bool decode_key(const char *text, size_t n, uint8_t key[BPE_ANONYMISE_KEY_BYTES])
{
	if (n == BPE_ANONYMISE_KEY_BYTES) {
		memcpy(key, text, n);
		return true;
	}
	while (n > HEX_DIGITS && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n != HEX_DIGITS)
		return false;
	for (size_t i = 0; i < BPE_ANONYMISE_KEY_BYTES; i++) {
		const int high = hex_digit_value(text[2 * i]);
		const int low = hex_digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int cli_load_key(struct cli *c)
{
	struct write_options *w = &c->write;
	char path[MOST_PATH], text[MOST_FILE];

	if (!w->anonymise)
		return 0;
	snprintf(path, sizeof path, "%.*s", (int)strcspn(w->anonymise, ","), w->anonymise);
	FILE *file = fopen(path, "rb");

	if (!file) {
		program_tell("cannot read the key in %s: %s", path, strerror(errno));
		return EXIT_ERROR;
	}
	const size_t n = fread(text, 1, sizeof text, file);
	const bool good = decode_key(text, n, w->anonymise_key);

	fclose(file);
	memset(text, 0, sizeof text);
	if (!good) {
		program_tell(
			"%s is no key: a key has 32 bytes, or 64 hexadecimal digits. Make one: head -c 32 /dev/urandom >%s",
			path, path);
		return EXIT_ERROR;
	}
	if (!(w->anonymise_flags & BPE_ANONYMISE_CUT_PAYLOAD))
		program_tell(
			"--anonymise leaves payloads as they are, with the names and addresses in them; --anonymise %s,cut=payload cuts them",
			path);
	return 0;
}

void cli_set_rewriting(struct bpe_writer_options *o, const struct write_options *w)
{
	o->dedup_ns = w->dedup_ns;
	o->dedup_packets = w->dedup_packets;
	o->dedup = w->dedup;
	if (w->anonymise)
		o->anonymise_key = w->anonymise_key;
	o->anonymise = w->anonymise_flags;
}

void cli_report_rewriting(FILE *to, const struct cli *c, const struct bpe_written *s)
{
	char packets[CLI_TIME];

	if (s->dedup_forgotten)
		fprintf(to,
			"  %s forgotten before the window was over: copies may be in the file\n",
			cli_counted(packets, sizeof packets, s->dedup_forgotten, "packet"));
	if (c->write.anonymise && s->not_anonymised)
		fprintf(to, "  %s without an address that --anonymise knows\n",
			cli_counted(packets, sizeof packets, s->not_anonymised, "packet"));
	if (s->macs_kept)
		fprintf(to, "  %s of a link type with MAC addresses that --anonymise keeps\n",
			cli_counted(packets, sizeof packets, s->macs_kept, "packet"));
}

void cli_report_rewriting_json(FILE *to, const struct bpe_written *s)
{
	fprintf(to,
		",\"dedup_forgotten\":%" PRIu64 ",\"not_anonymised\":%" PRIu64
		",\"macs_kept\":%" PRIu64,
		s->dedup_forgotten, s->not_anonymised, s->macs_kept);
}
