/* SPDX-License-Identifier: MIT */
/* anonymise [DIRECTORY]: replaces the addresses of every packet of every capture of
 * DIRECTORY/index.tsv.  The packets' layers stay.  Each flow becomes exactly the flow with the
 * addresses replaced.  Right checksums are right afterwards, and wrong checksums wrong.  A second
 * time gives the same bytes.  The first packets of a file are also cut at each of their first
 * bytes: no address of the IP header stays, whole or in part.
 *
 * The last line is "N passed, N failed", counted in files.  Exit code 77 (skipped): there are no
 * captures. */
#include "anonymise_check.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_CUT 200u

static const uint8_t key[BPEI_PREFIX_KEY_BYTES] = "the addresses of these captures";

struct judge {
	struct bpei_anonymiser *first, *second;
	struct bpei_prefix *prefix;
	uint8_t *copy, *again;
	unsigned long long packets, right, wrong;
};

/* Returns a difference, or NULL. */
static const char *judge_packet(struct judge *j, const struct bpe_batch *b, uint32_t i)
{
	const uint32_t link_type = b->layers[i].link_type;
	struct parsed_packet was = {
		.data = b->data[i], .caplen = b->caplen[i], .wirelen = b->wirelen[i]
	};
	struct parsed_packet is = {
		.data = j->copy, .caplen = b->caplen[i], .wirelen = b->wirelen[i]
	};

	memcpy(j->copy, was.data, was.caplen);
	memcpy(j->again, was.data, was.caplen);
	const uint32_t n =
		bpei_anonymise(j->first, was.data, j->copy, was.caplen, was.wirelen, link_type);
	bpei_anonymise(j->second, was.data, j->again, was.caplen, was.wirelen, link_type);
	if (n != was.caplen)
		return "another length";
	if (memcmp(j->copy, j->again, n) != 0)
		return "other bytes a second time";
	const char *wrong = anonymised_wrong(j->prefix, &was, &is, link_type);
	j->packets++;
	if (was.layers.flags & BPE_PKT_BAD_CHECKSUM)
		j->wrong++;
	else
		j->right++;
	return wrong;
}

/* Cuts the packet inside and behind its outermost IPv4 header, and looks for the addresses. */
static const char *judge_cuts(struct judge *j, const struct bpe_batch *b, uint32_t i)
{
	struct bpe_layers outer;
	uint8_t turned[8];
	const uint32_t most = b->caplen[i] < MOST_CUT ? b->caplen[i] : MOST_CUT;

	bpe_batch_layers(b, i, BPE_LAYERS_OUTERMOST, &outer, NULL);
	if (!(outer.flags & BPE_PKT_IP4))
		return NULL;
	const uint32_t at = outer.network + 12u;
	for (int end = 0; end < 2; end++)
		bpei_prefix_ip4(j->prefix, b->data[i] + at + 4 * end, turned + 4 * end);
	for (uint32_t cut = outer.network + 1u; cut <= most; cut++) {
		memcpy(j->copy, b->data[i], cut);
		bpei_anonymise(
			j->first, b->data[i], j->copy, cut, b->wirelen[i], b->layers[i].link_type);
		for (uint32_t k = 0; k < 8 && at + k < cut; k++) {
			const bool whole = cut >= at + (k / 4 + 1) * 4;

			if (j->copy[at + k] != (whole ? turned[k] : 0))
				return "a cut packet shows a part of an address";
		}
	}
	return NULL;
}

static bool judge_file(struct judge *j, const char *path, const char *name)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	struct bpe_error error;
	unsigned long long number = 0;
	const char *wrong = NULL;

	bpe_options_init(&o);
	o.file = path;
	if (bpe_capture_open(&o, &c, &error) < 0) {
		printf("%s: %s\n", name, error.text);
		return false;
	}
	while (!wrong && bpe_capture_next(c, &b, -1, &error) > 0)
		for (uint32_t i = 0; i < b.count && !wrong; i++) {
			number++;
			wrong = judge_packet(j, &b, i);
			if (!wrong && number <= 100)
				wrong = judge_cuts(j, &b, i);
		}
	bpe_capture_close(c);
	if (wrong)
		printf("%s: packet %llu: %s\n", name, number, wrong);
	return !wrong;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "../shared/captures";
	char path[4096], line[1024], name[512];
	struct judge j = { .first = bpei_anonymiser_new(key, 0),
		.second = bpei_anonymiser_new(key, 0),
		.prefix = bpei_prefix_new(key, false),
		.copy = malloc(BPE_MAX_SNAPLEN),
		.again = malloc(BPE_MAX_SNAPLEN) };
	unsigned long passed = 0;
	unsigned long failed = 0;

	snprintf(path, sizeof path, "%s/index.tsv", directory);
	FILE *index = fopen(path, "r");
	if (!index) {
		printf("skipped: no captures at %s\n", directory);
		return 77;
	}
	if (!j.first || !j.second || !j.prefix || !j.copy || !j.again)
		return 1;
	while (fgets(line, sizeof line, index)) {
		if (sscanf(line, "%511[^\t]\t%*[^\t]\t%*u", name) != 1 || !strchr(name, '.'))
			continue; /* the first line, which names the columns */
		snprintf(path, sizeof path, "%s/%s", directory, name);
		if (judge_file(&j, path, name))
			passed++;
		else
			failed++;
	}
	fclose(index);
	const struct bpei_anonymise_counts *counts = bpei_anonymise_counts(j.second);
	printf("%llu packets, of %llu with a wrong checksum; %llu changed, %llu without an address\n",
		j.packets, j.wrong, (unsigned long long)counts->changed,
		(unsigned long long)counts->unreached);
	printf("%lu passed, %lu failed\n", passed, failed);
	bpei_anonymiser_free(j.first);
	bpei_anonymiser_free(j.second);
	bpei_prefix_free(j.prefix);
	free(j.copy);
	free(j.again);
	return failed || !passed ? 1 : 0;
}
