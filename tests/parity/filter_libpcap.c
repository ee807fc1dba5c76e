/* SPDX-License-Identifier: MIT */
/* filter_libpcap EXPRESSIONS [SAVEFILE...] (GENERATE_SECONDS, GENERATE_SEED: see generated): our
 * compiler beside libpcap's, expression by expression and link type by link type: both take it or
 * both refuse it, and both programs give the same verdict on every packet: those of the savefiles,
 * made ones, their truncations, and random bytes (or ours takes a cut one whose missing bytes
 * libpcap loads, but that cannot change its verdict), our prepared program too; our checked program
 * also ends and is no longer than a kernel takes.  A line that begins with "!" and a link type (or
 * "!*": all) names a justified difference: "!LINKTYPE ours|libpcap expression" is accepted by that
 * one alone, there;
 * "!LINKTYPE verdict expression" has other verdicts. */
#include "bpfengine.h"
#include "filter/decode.h"
#include "generate.h"
#include "link_headers.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 20000u
#define LINKS 62
#define PLAIN 7     /* the first ones; of the others fewer packets are kept */
#define FREQUENT 18 /* these, and of the others still fewer */

/* As savefiles have them, and as libpcap calls them on this system. */
static const struct {
	int link, dlt;
} links[LINKS] = { { 1, DLT_EN10MB }, { 0, DLT_NULL }, { 108, DLT_LOOP }, { 101, DLT_RAW },
	{ 113, DLT_LINUX_SLL }, { 276, DLT_LINUX_SLL2 }, { 9, DLT_PPP }, { 50, DLT_PPP_SERIAL },
	{ 51, DLT_PPP_ETHER }, { 104, DLT_C_HDLC }, { 8, DLT_SLIP }, { 10, DLT_FDDI },
	{ 6, DLT_IEEE802 }, { 105, DLT_IEEE802_11 }, { 127, DLT_IEEE802_11_RADIO },
	{ 163, DLT_IEEE802_11_RADIO_AVS }, { 119, DLT_PRISM_HEADER }, { 192, DLT_PPI },
	{ 7, DLT_ARCNET }, { 12, DLT_RAW }, { 99, 99 }, { 100, DLT_ATM_RFC1483 },
	{ 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS }, { 106, DLT_ATM_CLIP }, { 107, 107 },
	{ 109, 109 }, { 112, 112 }, { 114, 114 }, { 117, 117 }, { 122, 122 }, { 123, 123 },
	{ 129, 129 }, { 130, 130 }, { 132, 132 }, { 133, 133 }, { 135, 135 }, { 137, 137 },
	{ 138, 138 }, { 139, 139 }, { 140, 140 }, { 164, 164 }, { 165, 165 }, { 166, 166 },
	{ 167, 167 }, { 168, 168 }, { 178, 178 }, { 179, 179 }, { 181, 181 }, { 183, 183 },
	{ 197, 197 }, { 226, 226 }, { 228, 228 }, { 229, 229 }, { 232, 232 }, { 240, 240 },
	{ 241, 241 }, { 147, 147 }, { 195, 195 }, { 219, 219 }, { 253, 253 },
	{ 289, 289 } }; /* bytes alone */
_Static_assert(sizeof links / sizeof *links == LINKS, "counted");

struct packet {
	uint8_t *data;
	uint32_t caplen, wirelen;
};
static struct packet *packets[LINKS];
static uint32_t count[LINKS];
static uint32_t stride = 1;     /* every how-manieth packet is looked at */
static unsigned long yes, both; /* verdicts; expressions that both take */
static unsigned long passed, failed, ours_insns, their_insns, longer, compared;
static uint64_t state = 7;

static uint32_t random_libpcap(void)
{
	return (uint32_t)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33);
}

/* Whether libpcap 1.10.3 looks for what an 802.11 frame carries in the wrong place: frames with
 * four addresses or HT control, padding behind a radio header of odd length, several bitmaps.
 * filter_inside.c compares those, and IP in frame relay, with the same packets on Ethernet. */
static int libpcap_refuses(int l, const uint8_t *d, uint32_t n)
{
	uint32_t at = 0, padded = 0;
	switch (links[l].link) {
	case 107:
		return n > 3 && d[2] == 3 &&
		       (d[3] == 0xcc || d[3] == 0x8e); /* it takes it for a place 4 before */
	case 105:
		break;
	case 127:
		if (n < 8)
			return 0;
		at = d[2] | (uint32_t)d[3] << 8;
		padded = d[7] & 0x80 || (at % 4 && d[4] & 2);
		break;
	case 163:
		if (n < 8)
			return 0;
		at = (uint32_t)d[6] << 8 | d[7];
		break;
	case 119:
		if (n < 8)
			return 0;
		at = d[0] == 0x80 ? (uint32_t)d[6] << 8 | d[7] : 144;
		if (d[0] != 0x80 && (d[4] != 144 || d[5] || d[6] || d[7]))
			return 1;
		break;
	case 192:
		if (n < 8)
			return 0;
		at = d[2] | (uint32_t)d[3] << 8;
		break;
	default:
		return 0;
	}
	if (at + 2 > n || (d[at] & 0x0c) != 0x08)
		return 0;
	return padded || (d[at + 1] & 3) == 3 || (d[at] & 0x80 && d[at + 1] & 0x80);
}

static void keep_packet_bytes(int l, const uint8_t *data, uint32_t caplen, uint32_t wirelen)
{
	/* IPv6 in loopback headers has another number on each system; libpcap knows its own host's
	 * alone, we know all. */
	if (l == 1 || l == 2 || links[l].link == 109)
		for (int k = 0; k < 4; k++)
			if (caplen > (uint32_t)k &&
				(data[k] == 24 || data[k] == 28 || data[k] == 30))
				return;
	if (l == 1 && caplen > 3 && !data[0] && !data[1] && !data[2])
		return; /* another host's order */
	if (libpcap_refuses(l, data, caplen))
		return;
	if (count[l] == (l < PLAIN ? PACKETS : l < FREQUENT ? PACKETS / 4 : PACKETS / 20))
		return;
	if (!packets[l])
		packets[l] = calloc(PACKETS, sizeof **packets);
	uint8_t *copy = malloc(caplen ? caplen : 1); /* of its size, for the sanitizers */
	if (!packets[l] || !copy)
		exit(2);
	memcpy(copy, data, caplen);
	packets[l][count[l]++] = (struct packet){ copy, caplen, wirelen };
}

static void read_parity_savefile(const char *path)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	uint32_t taken = 0;
	bpe_options_init(&o);
	o.file = path;
	if (bpe_capture_open(&o, &c, NULL) < 0)
		return;
	for (int n; taken < 300 && (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++, taken++)
			for (int l = 0; l < LINKS; l++)
				if (b.layers[i].link_type == links[l].link && b.caplen[i] < 4000) {
					keep_packet_bytes(l, b.data[i], b.caplen[i], b.wirelen[i]);
					if (random_libpcap() % 4 == 0 && b.caplen[i])
						keep_packet_bytes(l, b.data[i],
							random_libpcap() %
								(b.caplen[i] < 100 ? b.caplen[i]
										   : 100),
							b.wirelen[i]);
				}
	bpe_capture_close(c);
}

/* The Ethernet packets under the other link types' headers, so that all of them see all protocols.
 */
static void move_packet_elsewhere(void)
{
	uint8_t bytes[4096];
	uint32_t n = count[0];
	for (uint32_t i = 0; i < n; i += 1 + i % 3) {
		const struct packet *p = &packets[0][i];
		if (p->caplen < 14 || p->caplen > 3800)
			continue;
		uint32_t type = (uint32_t)p->data[12] << 8 | p->data[13];
		uint32_t body = p->caplen - 14;
		for (int l = 1; l < LINKS; l++) {
			uint32_t head = 0;
			memset(bytes, 0, 20);
			switch (links[l].link) {
			case 0:
				bytes[0] = type == 0x86dd ? 10 : 2, head = 4;
				break;
			case 108:
				bytes[3] = type == 0x86dd ? 10 : 2, head = 4;
				break;
			case 113:
				bytes[1] = random_libpcap() % 5, bytes[14] = (uint8_t)(type >> 8),
				bytes[15] = (uint8_t)type, head = 16;
				break;
			case 276:
				bytes[10] = random_libpcap() % 5, bytes[0] = (uint8_t)(type >> 8),
				bytes[1] = (uint8_t)type, head = 20;
				break;
			case 9:
				bytes[0] = 0xff, bytes[1] = 3,
				bytes[3] = type == 0x86dd ? 0x57 : 0x21, head = 4;
				break;
			case 101:
				break;
			default:
				head = other_header(links[l].link, bytes, type);
			}
			memcpy(bytes + head, p->data + 14, body);
			keep_packet_bytes(l, bytes, head + body, p->wirelen + head - 14);
		}
	}
	for (int l = 0; l < LINKS; l++)
		for (int i = 0; i < 500; i++) {
			uint32_t size = random_libpcap() % 120;
			for (uint32_t k = 0; k < size; k++)
				bytes[k] = random_libpcap() % 3 ? (uint8_t)random_libpcap() : 0;
			keep_packet_bytes(l, bytes, size, size + random_libpcap() % 10);
		}
}

static int quiet; /* while a wrong expression is made shorter */

static void report_libpcap_fault(
	const char *what, int l, const char *expression, const char *detail)
{
	failed++;
	if ((failed < 60 || getenv("ALL")) && !quiet)
		printf("%s: %s: %s%s%s\n", bpe_link_type_name(links[l].link), expression, what,
			*detail ? ": " : "", detail);
}

/* Whether libpcap takes the packet as well, once the bytes that are missing are there, whatever
 * they are: both ways of filling up.  (It looks for the length of headers first, also where what is
 * asked for does not depend on it.) */
static int libpcap_matches(const struct bpf_insn *program, const struct packet *k)
{
	uint8_t more[4096 + 256];
	int always = 1;
	if (k->caplen > 4096)
		return 0;
	memcpy(more, k->data, k->caplen);
	for (int fill = 0; fill < 256; fill += 255) {
		memset(more + k->caplen, fill, 256);
		always &= bpf_filter(program, more, k->wirelen, k->caplen + 256) != 0;
	}
	return always;
}

/* Whether the packet's radio header and one byte more are there: libpcap looks at them first,
 * whatever is asked for, and refuses the packet if they are not. */
static int radio_header_is_whole(int l, const struct packet *k)
{
	const uint8_t *d = k->data;
	uint32_t n = k->caplen;
	switch (links[l].link) {
	case 105:
		return n > 0;
	case 127:
	case 192:
		return n >= 4 && n > (d[2] | (uint32_t)d[3] << 8);
	case 163:
		return n >= 8 && n > ((uint32_t)d[4] << 24 | (uint32_t)d[5] << 16 |
					     (uint32_t)d[6] << 8 | d[7]);
	case 119:
		return n > 144; /* Prism's; an AVS header in its place is shorter */
	default:
		return 1;
	}
}

/* Generated expressions: what libpcap's optimizer refuses although the text is right, and the
 * ranges of three ports that it takes. */
static int find_known_difference(const char *why)
{
	return strstr(why, "division by zero") || strstr(why, "modulus by zero") ||
	       strstr(why, "shift by more than 31") || strstr(why, "a range of ports is wanted") ||
	       strstr(why, " end at ") ||
	       strstr(why, "a byte ends at") /* ranges: 1.11 has them, too */
	       || strstr(why, "a DECnet address") ||
	       strstr(why, "their interface's index"); /* Linux's kernel could be asked for that */
}

static void compare_with_libpcap(int l, const char *expression, const char *only)
{
	struct bpe_insn *program = NULL;
	struct bpe_error error = { 0 };
	uint32_t length = 0;
	struct bpf_program theirs, plain; /* optimized, and not: the optimizer moves loads, which on
					     cut packets is another verdict */
	pcap_t *p = pcap_open_dead(links[l].dlt, 262144);
	int ours = bpe_filter_compile(
			   expression, links[l].link, 262144, &program, &length, &error) == BPE_OK;
	int them = pcap_compile(p, &theirs, expression, 1, 0) == 0;
	if (them && pcap_compile(p, &plain, expression, 0, 0))
		exit(2);
	/* Who sees that nothing can match says so; the other's program must then match nothing. */
	const char *none =
		ours != them ? strstr(ours ? pcap_geterr(p) : error.text, "rejects all packets")
			     : NULL;
	if (none) {
		uint32_t wrong = 0;
		for (uint32_t i = 0; i < count[l]; i += stride) {
			const struct packet *k = &packets[l][i];
			wrong += ours ? bpe_filter_run(program, k->data, k->wirelen, k->caplen) != 0
				      : bpf_filter(theirs.bf_insns, k->data, k->wirelen,
						k->caplen) != 0;
		}
		if (wrong)
			report_libpcap_fault(
				"said to match nothing, and matches", l, expression, "");
		else
			passed++;
	} else if (stride > 1 && ours != them &&
		   find_known_difference(ours ? pcap_geterr(p) : error.text)) {
		passed++;
	} else if (ours != them && !(only && !strcmp(only, ours ? "ours" : "libpcap")))
		report_libpcap_fault(ours ? "only we take it" : "only libpcap takes it", l,
			expression, ours ? pcap_geterr(p) : error.text);
	else if (ours != them || !ours)
		passed++;
	if (ours && them) {
		uint32_t wrong = 0, at = 0, unlike = 0;
		struct bpei_decoded *prepared = bpei_decode(program, length);
		if (!prepared)
			exit(2);
		both++;
		for (uint32_t i = stride > 1 ? random_libpcap() % stride : 0; i < count[l];
			i += stride) {
			const struct packet *k = &packets[l][i];
			int a = bpe_filter_run(program, k->data, k->wirelen, k->caplen) != 0;
			int b = bpf_filter(plain.bf_insns, k->data, k->wirelen, k->caplen) != 0;
			if (a != b &&
				a != (bpf_filter(theirs.bf_insns, k->data, k->wirelen, k->caplen) !=
					     0) &&
				!(a && (libpcap_matches(plain.bf_insns, k) ||
					       !radio_header_is_whole(l, k))) &&
				!wrong++)
				at = i;
			unlike += bpei_decoded_run(prepared, k->data, k->wirelen, k->caplen) !=
				  bpe_filter_run(program, k->data, k->wirelen, k->caplen);
			compared++;
			yes += (unsigned)a;
		}
		char detail[96];
		snprintf(detail, sizeof detail, "%u of %u packets, first %u of %u bytes", wrong,
			count[l], at, wrong ? packets[l][at].caplen : 0);
		bpei_decoded_free(prepared);
		if (unlike)
			report_libpcap_fault(
				"the prepared program says otherwise than the plain one", l,
				expression, "");
		if (wrong && !(only && !strcmp(only, "verdict")))
			report_libpcap_fault("another verdict", l, expression, detail);
		else
			passed++;
		if (links[l].link == 0 || links[l].link == 108 || links[l].link == 109 ||
			links[l].link == 117) { /* libpcap knows one number for IPv6 there, this
						   kernel's: so do we for a kernel */
			struct bpe_filter_options o;
			bpe_filter_options_init(&o);
			o.link_type = links[l].link, o.kernel = "linux";
			bpe_filter_free(program);
			program = NULL;
			if (bpe_filter_compile_with(expression, &o, &program, &length, &error) <
					0 &&
				!strstr(error.text, "rejects all"))
				report_libpcap_fault("not for a kernel", l, expression, error.text);
		}
		ours_insns += length, their_insns += theirs.bf_len;
		longer += length > theirs.bf_len;
		if (length > theirs.bf_len && getenv("LONGER"))
			printf("longer by %d: %s: %s\n", (int)(length - theirs.bf_len),
				bpe_link_type_name(links[l].link), expression);
	}
	if (them)
		pcap_freecode(&theirs), pcap_freecode(&plain);
	bpe_filter_free(program);
	pcap_close(p);
}

/* Expressions out of the grammar for some seconds; the seed that made a wrong one is printed with
 * it. */
/* The shortest wrong expression that is left when words, and then characters, are taken out of this
 * one. */
static void shrink_expression(int l, const char *expression)
{
	char text[4096], other[4096];
	const unsigned long passed_before = passed;
	const unsigned long failed_before = failed;
	snprintf(text, sizeof text, "%s", expression);
	quiet = 1;
	for (int tries = 0, shorter = 1; shorter && tries < 400;) {
		shorter = 0;
		for (size_t n = 40; n && !shorter; n--)
			for (size_t at = 0; at + n <= strlen(text) && tries < 400; at++) {
				if (n > 1 && ((at && text[at - 1] != ' ') ||
						     (text[at + n] && text[at + n] != ' ')))
					continue; /* whole words first */
				memcpy(other, text, at);
				strcpy(other + at, text + at + n);
				if (strspn(other, " ") == strlen(other))
					continue;
				failed = 0;
				compare_with_libpcap(l, other, NULL);
				tries++;
				if (!failed)
					continue;
				strcpy(text, other);
				shorter = 1;
				break;
			}
	}
	quiet = 0;
	passed = passed_before, failed = failed_before;
	printf("  the shortest: %s\n", text);
}

/* Addresses that the packets have. */
static uint8_t hosts[256][4];
static uint32_t host_count;

static void learn_host_names(void)
{
	for (uint32_t i = 0; i < count[0] && host_count < 256; i += 37) {
		const struct packet *p = &packets[0][i];
		if (p->caplen < 34 || p->data[12] != 8 || p->data[13])
			continue;
		memcpy(hosts[host_count++], p->data + (i & 1 ? 26 : 30), 4);
	}
}

/* Generated expressions with words in which libpcap errs: the list has each by itself. */
static int errors_match(int l, const char *text)
{
	static const char *const isis[] = { "l1", "l2", "iih", "lsp", "snp", "isis", "is-is",
		"esis", "es-is", "clnp", "iso" };
	const int link = links[l].link;
	if (strstr(text, "multicast"))
		return 1;
	for (size_t i = 0; i < sizeof isis / sizeof *isis; i++)
		if (strstr(text, isis[i]) &&
			(link == 104 || link == 112 || link == 107 || link == 113))
			return 1;
	/* It puts the length of PPI's header into one word there and looks for it in another. */
	if ((link == 192 || link == 119) && strstr(text, "pppoe"))
		return 1;
	/* IPv6 has several numbers there, so that what is of both versions is not seen to be
	 * nothing. */
	if ((link == 0 || link == 109) && strstr(text, "6 ["))
		return 1;
	if (strstr(text, "bound"))
		return 1; /* Linux's kernel is asked */
	/* Two bytes before the packet. */
	return (link == 132 || link == 165 || link == 183 || link == 232) && strstr(text, "chain");
}

static void compare_generated(double seconds, uint64_t seed)
{
	learn_host_names();
	char text[4096];
	struct timespec begin, now;
	unsigned long n = 0;
	stride = 23;
	compared = yes = both = 0;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		struct generator g = { .state = seed + n,
			.text = text,
			.room = sizeof text,
			.hosts = (const uint8_t(*)[4])hosts,
			.host_count = host_count };
		int l = (int)pick(&g, LINKS);
		int before = (int)failed;
		pick(&g, 2);
		g.variable = links[l].link == 105 || links[l].link == 127 || links[l].link == 119 ||
			     links[l].link == 163 || links[l].link == 192 || links[l].link == 117;
		generate(&g);
		if (!errors_match(l, text))
			compare_with_libpcap(l, text, NULL);
		if ((int)failed != before && failed < 60)
			printf("  (seed %llu)\n", (unsigned long long)(seed + n)),
				shrink_expression(l, text);
		n++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (
		(double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) * 1e-9 <
		seconds);
	printf("generated: %lu expressions, both take %lu; %lu verdicts, %.1f %% of them yes\n", n,
		both, compared, 100.0 * (double)yes / (double)(compared ? compared : 1));
}

static char *list[4096];
static uint32_t list_count;

static void read_expression_list(FILE *f)
{
	char line[4096];
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		if (list_count == sizeof list / sizeof *list ||
			!(list[list_count++] = strdup(line)))
			exit(2);
	}
}

static int is_known_difference(const char *line)
{
	return line[0] == '!' && line[1] && strchr("*ABCDEFGHIJKLMNOPQRSTUVWXYZ", line[1]);
}

/* What the list says of the expression on that link type: ours, libpcap or verdict; NULL: nothing.
 */
static const char *record_difference(int l, const char *expression)
{
	static const char *const kinds[] = { "ours", "libpcap", "verdict" };
	const char *found = NULL;
	for (int of_all = 1; of_all >= 0; of_all--) {
		const char *name = of_all ? "*" : bpe_link_type_name(links[l].link);
		size_t n = name ? strlen(name) : 0;
		for (uint32_t i = 0; name && i < list_count; i++) {
			const char *line = list[i] + 1;
			if (!is_known_difference(list[i]) || strncmp(line, name, n) ||
				line[n] != ' ')
				continue;
			for (int k = 0; k < 3; k++) {
				size_t m = strlen(kinds[k]);
				if (!strncmp(line + n + 1, kinds[k], m) && line[n + 1 + m] == ' ' &&
					!strcmp(line + n + 2 + m, expression))
					found = kinds[k];
			}
		}
	}
	return found;
}

int main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	if (!f)
		return 2;
	for (int i = 2; i < argc; i++)
		read_parity_savefile(argv[i]);
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	bpe_options_init(&o);
	o.interface_name = "synth:count=2000,flows=200,vlan=20,ipv6=40";
	if (bpe_capture_open(&o, &c, NULL) < 0)
		return 2;
	for (int n; (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n; i++) {
			keep_packet_bytes(0, b.data[i], b.caplen[i], b.wirelen[i]);
			keep_packet_bytes(0, b.data[i],
				random_libpcap() % (b.caplen[i] < 80 ? b.caplen[i] : 80),
				b.wirelen[i]);
		}
	bpe_capture_close(c);
	move_packet_elsewhere();
	read_expression_list(f);
	for (uint32_t i = 0; i < list_count; i++) {
		if (is_known_difference(list[i]))
			continue;
		for (int l = 0; l < LINKS; l++)
			compare_with_libpcap(l, list[i], record_difference(l, list[i]));
	}
	fclose(f);
	printf("%lu verdicts compared; instructions: ours %lu, libpcap %lu, ours longer %lu times\n",
		compared, ours_insns, their_insns, longer);
	compare_generated(getenv("GENERATE_SECONDS") ? atof(getenv("GENERATE_SECONDS")) : 8,
		getenv("GENERATE_SEED") ? strtoull(getenv("GENERATE_SEED"), NULL, 10) : 1);
	printf("%lu passed, %lu failed\n", passed, failed);
	while (list_count)
		free(list[--list_count]);
	for (int l = 0; l < LINKS; l++) {
		for (uint32_t i = 0; i < count[l]; i++)
			free(packets[l][i].data);
		free(packets[l]);
	}
	return failed != 0;
}
