/* SPDX-License-Identifier: MIT */
/* filter_libpcap EXPRESSIONS [SAVEFILE...]: our compiler beside libpcap's, expression by expression and link type by link type: both take
 * it or both refuse it, and both programs give the same verdict on every packet: those of the savefiles, made ones, their truncations,
 * and random bytes; our checked program also ends and is no longer than a kernel takes.  A line that begins with "!" names a
 * justified difference: "!LINKTYPE ours|libpcap expression" is accepted by that one alone, there. */
#include "bpfengine.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 20000u
#define LINKS 7

static const struct { int link, dlt; } links[LINKS] = { { 1, DLT_EN10MB }, { 0, DLT_NULL }, { 108, DLT_LOOP }, { 101, DLT_RAW }, { 113, DLT_LINUX_SLL },
	{ 276, DLT_LINUX_SLL2 }, { 9, DLT_PPP } };

struct packet { uint8_t *data; uint32_t caplen, wirelen; };
static struct packet *packets[LINKS];
static uint32_t count[LINKS];
static unsigned long passed, failed, ours_insns, their_insns, longer, compared;
static uint64_t state = 7;

static uint32_t any(void) { return (uint32_t)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33); }

static void keep(int l, const uint8_t *data, uint32_t caplen, uint32_t wirelen)
{
	/* IPv6 in loopback headers has another number on each system; libpcap knows its own host's alone, we know all. */
	if (l == 1 || l == 2)
		for (int k = 0; k < 4; k++)
			if (caplen > (uint32_t)k && (data[k] == 24 || data[k] == 28 || data[k] == 30)) return;
	if (count[l] == PACKETS) return;
	if (!packets[l]) packets[l] = calloc(PACKETS, sizeof **packets);
	uint8_t *copy = malloc(caplen ? caplen : 1);	/* of its size, for the sanitizers */
	if (!packets[l] || !copy) exit(2);
	memcpy(copy, data, caplen);
	packets[l][count[l]++] = (struct packet){ copy, caplen, wirelen };
}

static void read_savefile(const char *path)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	uint32_t taken = 0;
	bpe_options_init(&o);
	o.file = path;
	if (bpe_capture_open(&o, &c, NULL) < 0) return;
	for (int n; taken < 300 && (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++, taken++)
			for (int l = 0; l < LINKS; l++)
				if (b.layers[i].link_type == links[l].link && b.caplen[i] < 4000) {
					keep(l, b.data[i], b.caplen[i], b.wirelen[i]);
					if (any() % 4 == 0 && b.caplen[i]) keep(l, b.data[i], any() % (b.caplen[i] < 100 ? b.caplen[i] : 100), b.wirelen[i]);
				}
	bpe_capture_close(c);
}

/* The Ethernet packets under the other link types' headers, so that all of them see all protocols. */
static void put_elsewhere(void)
{
	uint8_t bytes[4096];
	uint32_t n = count[0];
	for (uint32_t i = 0; i < n; i += 1 + i % 3) {
		const struct packet *p = &packets[0][i];
		if (p->caplen < 14 || p->caplen > 3900) continue;
		uint32_t type = (uint32_t)p->data[12] << 8 | p->data[13], body = p->caplen - 14;
		for (int l = 1; l < LINKS; l++) {
			uint32_t head = 0;
			memset(bytes, 0, 20);
			switch (links[l].link) {
			case 0: bytes[0] = type == 0x86dd ? 10 : 2, head = 4; break;
			case 108: bytes[3] = type == 0x86dd ? 10 : 2, head = 4; break;
			case 113: bytes[1] = any() % 5, bytes[14] = (uint8_t)(type >> 8), bytes[15] = (uint8_t)type, head = 16; break;
			case 276: bytes[10] = any() % 5, bytes[0] = (uint8_t)(type >> 8), bytes[1] = (uint8_t)type, head = 20; break;
			case 9: bytes[0] = 0xff, bytes[1] = 3, bytes[3] = type == 0x86dd ? 0x57 : 0x21, head = 4; break;
			default: break;
			}
			memcpy(bytes + head, p->data + 14, body);
			keep(l, bytes, head + body, p->wirelen + head - 14);
		}
	}
	for (int l = 0; l < LINKS; l++)
		for (int i = 0; i < 500; i++) {
			uint32_t size = any() % 120;
			for (uint32_t k = 0; k < size; k++) bytes[k] = any() % 3 ? (uint8_t)any() : 0;
			keep(l, bytes, size, size + any() % 10);
		}
}

static void complain(const char *what, int l, const char *expression, const char *detail)
{
	failed++;
	if (failed < 60) printf("%s: %s: %s%s%s\n", bpe_link_type_name(links[l].link), expression, what, *detail ? ": " : "", detail);
}

static void compare(int l, const char *expression, const char *only)
{
	struct bpe_insn *program = NULL;
	struct bpe_error error = { 0 };
	uint32_t length = 0;
	struct bpf_program theirs, plain;	/* optimized, and not: the optimizer moves loads, which on cut packets is another verdict */
	pcap_t *p = pcap_open_dead(links[l].dlt, 262144);
	int ours = bpe_filter_compile(expression, links[l].link, 262144, &program, &length, &error) == BPE_OK;
	int them = pcap_compile(p, &theirs, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (them && pcap_compile(p, &plain, expression, 0, PCAP_NETMASK_UNKNOWN)) exit(2);
	if (ours != them && !(only && !strcmp(only, ours ? "ours" : "libpcap"))) complain(ours ? "only we take it" : "only libpcap takes it", l, expression, ours ? pcap_geterr(p) : error.text);
	else if (ours != them || !ours) passed++;
	if (ours && them) {
		uint32_t wrong = 0, at = 0;
		for (uint32_t i = 0; i < count[l]; i++) {
			const struct packet *k = &packets[l][i];
			int a = bpe_filter_run(program, k->data, k->wirelen, k->caplen) != 0, b = bpf_filter(plain.bf_insns, k->data, k->wirelen, k->caplen) != 0;
			if (a != b && a != (bpf_filter(theirs.bf_insns, k->data, k->wirelen, k->caplen) != 0) && !wrong++) at = i;
			compared++;
		}
		char detail[96];
		snprintf(detail, sizeof detail, "%u of %u packets, first %u of %u bytes", wrong, count[l], at, wrong ? packets[l][at].caplen : 0);
		if (wrong) complain("another verdict", l, expression, detail);
		else passed++;
		ours_insns += length, their_insns += theirs.bf_len;
		longer += length > theirs.bf_len;
		if (length > theirs.bf_len && getenv("LONGER")) printf("longer by %d: %s: %s\n", (int)(length - theirs.bf_len), bpe_link_type_name(links[l].link), expression);
	}
	if (them) pcap_freecode(&theirs), pcap_freecode(&plain);
	bpe_filter_free(program);
	pcap_close(p);
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	if (!f) return 2;
	for (int i = 2; i < argc; i++) read_savefile(argv[i]);
	read_savefile("/dev/null");
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	bpe_options_init(&o);
	o.interface_name = "synth:count=2000,flows=200,vlan=20,ipv6=40";
	if (bpe_capture_open(&o, &c, NULL) < 0) return 2;
	for (int n; (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++) {
			keep(0, b.data[i], b.caplen[i], b.wirelen[i]);
			keep(0, b.data[i], any() % (b.caplen[i] < 80 ? b.caplen[i] : 80), b.wirelen[i]);
		}
	bpe_capture_close(c);
	put_elsewhere();
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#' || line[0] == '!') continue;
		for (int l = 0; l < LINKS; l++) {
			char needle[64], found[4096];
			const char *only = NULL;
			FILE *again = fopen(argv[1], "r");
			for (int k = 0; again && k < 2; k++) {
				snprintf(needle, sizeof needle, "!%s %s ", k ? bpe_link_type_name(links[l].link) : "*", "");
				needle[strlen(needle) - 1] = 0;
				rewind(again);
				while (fgets(found, sizeof found, again)) {
					found[strcspn(found, "\n")] = 0;
					if (strncmp(found, needle, strlen(needle))) continue;
					const char *who = found + strlen(needle);
					if (!strncmp(who, "ours ", 5) && !strcmp(who + 5, line)) only = "ours";
					if (!strncmp(who, "libpcap ", 8) && !strcmp(who + 8, line)) only = "libpcap";
				}
			}
			if (again) fclose(again);
			compare(l, line, only);
		}
	}
	fclose(f);
	printf("%lu verdicts compared; instructions: ours %lu, libpcap %lu, ours longer %lu times\n", compared, ours_insns, their_insns, longer);
	printf("%lu passed, %lu failed\n", passed, failed);
	for (int l = 0; l < LINKS; l++) {
		for (uint32_t i = 0; i < count[l]; i++) free(packets[l][i].data);
		free(packets[l]);
	}
	return failed != 0;
}
