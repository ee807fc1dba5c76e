/* SPDX-License-Identifier: MIT */
/* filter_libpcap EXPRESSIONS [SAVEFILE...]: our compiler beside libpcap's, for each expression and
 * link type.  Both accept the expression or both refuse.  Both programs have the same verdict on
 * every packet: packets of the savefiles, made packets, cuts of these, and random bytes.  Our
 * decoded program has the same verdict, too.  There is an exception: libpcap may refuse a cut
 * packet for missing bytes which cannot change the verdict.
 *
 * A line "!LINKTYPE ours|libpcap EXPRESSION" names a justified difference: only this compiler
 * accepts the expression.  "!LINKTYPE verdict EXPRESSION" allows other verdicts.  LINKTYPE * means
 * all.
 *
 * Then expressions are generated from the grammar for GENERATE_SECONDS (environment; GENERATE_SEED:
 * the first seed).  Other environment: ALL prints every failure, LONGER each longer program. */
#include "bpfengine.h"
#include "filter/decode.h"
#include "filter_packets.h"
#include "generate.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t stride = 1;     /* distance of the compared packets */
static unsigned long yes, both; /* verdicts; expressions accepted by both */
static unsigned long passed, failed, ours_insns, their_insns, longer, compared;

/* ---- Comparison ---- */

static bool quiet; /* set while a wrong expression is made shorter */

/* Counts a failure, and prints the first failures. */
static void report_difference(const char *what, int l, const char *expression, const char *detail)
{
	failed++;
	if ((failed < 60 || getenv("ALL")) && !quiet)
		printf("%s: %s: %s%s%s\n", bpe_link_type_name(links[l].link), expression, what,
			*detail ? ": " : "", detail);
}

/* Returns true if libpcap accepts the packet once the missing bytes are there: with all zeros and
 * with all ones.  libpcap loads the length of headers first, even for terms that do not need it. */
static bool would_match(const struct bpf_insn *program, const struct packet *k)
{
	uint8_t more[4096 + 256];
	bool always = true;

	if (k->caplen > 4096)
		return false;
	memcpy(more, k->data, k->caplen);
	for (int fill = 0; fill < 256; fill += 255) {
		memset(more + k->caplen, fill, 256);
		always &= bpf_filter(program, more, k->wirelen, k->caplen + 256) != 0;
	}
	return always;
}

/* Returns true if the packet has its radio header and another byte.  libpcap reads these first, for
 * any term, and refuses the packet if they are missing. */
static bool has_radio_header(int l, const struct packet *k)
{
	const uint8_t *d = k->data;
	uint32_t n = k->caplen;
	switch (links[l].link) {
	case 105:
		return n > 0;
	case 127:
	case 192:
		return n >= 4 && n > read_le16(d + 2);
	case 163:
		return n >= 8 && n > ((uint32_t)d[4] << 24 | (uint32_t)d[5] << 16 |
					     (uint32_t)d[6] << 8 | d[7]);
	case 119:
		return n > 144; /* Prism's length; AVS in Prism's place is shorter */
	default:
		return true;
	}
}

/* Returns true for reasons that are no failure of a generated expression: libpcap's optimizer
 * refuses some right texts, libpcap 1.10 has fewer limits, and accepts ranges of three ports. */
static bool is_known_reason(const char *why)
{
	static const char *const known[] = { "division by zero", "modulus by zero",
		"shift by more than 31", "a range of ports is wanted", " end at ", "a byte ends at",
		"a DECnet address", "their interface's index" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strstr(why, known[i]))
			return true;
	return false;
}

/* An expression on a link type, and both programs of it.  theirs is optimized, plain is not:
 * libpcap's optimizer moves loads, which changes verdicts on cut packets. */
struct compiled {
	int l;
	const char *expression;
	struct bpe_insn *ours;
	uint32_t length;
	struct bpf_program theirs, plain;
	bool by_us, by_them;
	const char *why; /* the reason of the compiler that refused */
};

static bool is_ours_matching(const struct compiled *c, const struct packet *k)
{
	return bpe_filter_run(c->ours, k->data, k->wirelen, k->caplen) != 0;
}

static bool is_theirs_matching(const struct bpf_program *program, const struct packet *k)
{
	return bpf_filter(program->bf_insns, k->data, k->wirelen, k->caplen) != 0;
}

/* Checks that an expression which a compiler refused for matching nothing matches nothing. */
static void check_empty(const struct compiled *c)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < count[c->l]; i += stride) {
		const struct packet *k = &packets[c->l][i];

		wrong += c->by_us ? is_ours_matching(c, k) : is_theirs_matching(&c->theirs, k);
	}
	if (wrong)
		report_difference("said to match nothing, and matches", c->l, c->expression, "");
	else
		passed++;
}

/* Checks an expression that a compiler refused.  only: the listed difference, or NULL. */
static void check_refused_expression(const struct compiled *c, const char *only)
{
	if (!c->by_us && !c->by_them)
		passed++;
	else if (strstr(c->why, "rejects all packets"))
		check_empty(c);
	else if (stride > 1 && is_known_reason(c->why))
		passed++;
	else if (only && !strcmp(only, c->by_us ? "ours" : "libpcap"))
		passed++;
	else
		report_difference(c->by_us ? "only we take it" : "only libpcap takes it", c->l,
			c->expression, c->why);
}

/* Returns true if the verdicts on the packet differ without a justification. */
static bool differs_on_packet(const struct compiled *c, const struct packet *k)
{
	const bool a = is_ours_matching(c, k);

	compared++;
	yes += a;
	if (a == is_theirs_matching(&c->plain, k) || a == is_theirs_matching(&c->theirs, k))
		return false;
	return !a || (!would_match(c->plain.bf_insns, k) && has_radio_header(c->l, k));
}

/* Compares the verdicts of all programs on the packets. */
static void compare_packet_verdicts(const struct compiled *c, const char *only)
{
	struct bpei_decoded *decoded = bpei_decode(c->ours, c->length);
	uint32_t wrong = 0, at = 0, unlike = 0;
	char detail[96];

	if (!decoded)
		exit(2);
	for (uint32_t i = stride > 1 ? draw_packet_number() % stride : 0; i < count[c->l];
		i += stride) {
		const struct packet *k = &packets[c->l][i];

		if (differs_on_packet(c, k) && !wrong++)
			at = i;
		unlike += bpei_decoded_run(decoded, k->data, k->wirelen, k->caplen) !=
			  bpe_filter_run(c->ours, k->data, k->wirelen, k->caplen);
	}
	bpei_decoded_free(decoded);
	if (unlike)
		report_difference("the prepared program says otherwise than the plain one", c->l,
			c->expression, "");
	snprintf(detail, sizeof detail, "%u of %u packets, first %u of %u bytes", wrong,
		count[c->l], at, wrong ? packets[c->l][at].caplen : 0);
	if (wrong && !(only && !strcmp(only, "verdict")))
		report_difference("another verdict", c->l, c->expression, detail);
	else
		passed++;
}

/* Compiles for a kernel where libpcap knows only the kernel's number for IPv6, so that lengths can
 * be compared. */
static void compile_for_kernel(struct compiled *c)
{
	const int link = links[c->l].link;
	struct bpe_filter_options o;
	struct bpe_error error;

	if (link != 0 && link != 108 && link != 109 && link != 117)
		return;
	bpe_filter_options_init(&o);
	o.link_type = link;
	o.kernel = "linux";
	bpe_filter_free(c->ours);
	c->ours = NULL;
	if (bpe_filter_compile_with(c->expression, &o, &c->ours, &c->length, &error) < 0 &&
		!strstr(error.text, "rejects all"))
		report_difference("not for a kernel", c->l, c->expression, error.text);
}

static void compare_lengths(const struct compiled *c)
{
	ours_insns += c->length;
	their_insns += c->theirs.bf_len;
	if (c->length <= c->theirs.bf_len)
		return;
	longer++;
	if (getenv("LONGER"))
		printf("longer by %d: %s: %s\n", (int)(c->length - c->theirs.bf_len),
			bpe_link_type_name(links[c->l].link), c->expression);
}

/* Compares both compilers on an expression.  only: the listed difference, or NULL. */
static void compare_compilers(int l, const char *expression, const char *only)
{
	struct compiled c = { .l = l, .expression = expression };
	struct bpe_error error = { 0 };
	pcap_t *p = pcap_open_dead(links[l].dlt, 262144);

	c.by_us = bpe_filter_compile(
			  expression, links[l].link, 262144, &c.ours, &c.length, &error) == BPE_OK;
	c.by_them = pcap_compile(p, &c.theirs, expression, 1, 0) == 0;
	c.why = c.by_us ? pcap_geterr(p) : error.text;
	if (c.by_them && pcap_compile(p, &c.plain, expression, 0, 0))
		exit(2);
	if (c.by_us && c.by_them) {
		both++;
		compare_packet_verdicts(&c, only);
		compile_for_kernel(&c);
		compare_lengths(&c);
	} else {
		check_refused_expression(&c, only);
	}
	if (c.by_them) {
		pcap_freecode(&c.theirs);
		pcap_freecode(&c.plain);
	}
	bpe_filter_free(c.ours);
	pcap_close(p);
}

/* ---- Generated expressions ---- */

#define SHRINK_TRIES 400

/* Returns true if removing n letters at `at` removes whole words, or a single letter. */
static bool is_word_cut(const char *text, size_t at, size_t n)
{
	if (n == 1)
		return true;
	return (!at || text[at - 1] == ' ') && (!text[at + n] || text[at + n] == ' ');
}

/* Removes n letters from the text if the rest still fails.  Returns true if so. */
static bool shorten_text(int l, char text[4096], size_t n, int *tries)
{
	char other[4096];

	for (size_t at = 0; at + n <= strlen(text) && *tries < SHRINK_TRIES; at++) {
		if (!is_word_cut(text, at, n))
			continue;
		memcpy(other, text, at);
		strcpy(other + at, text + at + n);
		if (strspn(other, " ") == strlen(other))
			continue;
		failed = 0;
		compare_compilers(l, other, NULL);
		++*tries;
		if (failed) {
			strcpy(text, other);
			return true;
		}
	}
	return false;
}

/* Prints the shortest wrong expression that is left when words, and then letters, are removed. */
static void print_shortest(int l, const char *expression)
{
	const unsigned long passed_before = passed;
	const unsigned long failed_before = failed;
	bool shorter = true;
	int tries = 0;
	char text[4096];

	snprintf(text, sizeof text, "%s", expression);
	quiet = true;
	while (shorter && tries < SHRINK_TRIES) {
		shorter = false;
		for (size_t n = 40; n && !shorter; n--)
			shorter = shorten_text(l, text, n, &tries);
	}
	quiet = false;
	passed = passed_before;
	failed = failed_before;
	printf("  the shortest: %s\n", text);
}

/* Addresses of the packets, for generated expressions. */
static uint8_t hosts[256][4];
static uint32_t host_count;

static void learn_hosts(void)
{
	for (uint32_t i = 0; i < count[0] && host_count < 256; i += 37) {
		const struct packet *p = &packets[0][i];
		if (p->caplen < 34 || p->data[12] != 8 || p->data[13])
			continue;
		memcpy(hosts[host_count++], p->data + (i & 1 ? 26 : 30), 4);
	}
}

/* Returns true for generated expressions with words for which libpcap is wrong; the list has an
 * entry for each. */
static bool has_wrong_word(int l, const char *text)
{
	static const char *const isis[] = { "l1", "l2", "iih", "lsp", "snp", "isis", "is-is",
		"esis", "es-is", "clnp", "iso" };
	const int link = links[l].link;

	if (strstr(text, "multicast"))
		return true;
	for (size_t i = 0; i < sizeof isis / sizeof *isis; i++)
		if (strstr(text, isis[i]) &&
			(link == 104 || link == 112 || link == 107 || link == 113))
			return true;
	/* libpcap stores the length of PPI's header in a memory word, and loads another. */
	if ((link == 192 || link == 119) && strstr(text, "pppoe"))
		return true;
	/* IPv6 has several numbers there, so a contradiction of both versions is not noticed. */
	if ((link == 0 || link == 109) && strstr(text, "6 ["))
		return true;
	if (strstr(text, "bound")) /* Linux's kernel is asked */
		return true;
	/* Two bytes before the packet. */
	return (link == 132 || link == 165 || link == 183 || link == 232) && strstr(text, "chain");
}

/* Returns true for link types with headers of variable length. */
static bool has_variable_headers(int link)
{
	return link == 105 || link == 127 || link == 119 || link == 163 || link == 192 ||
	       link == 117;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) * 1e-9;
}

/* Compares expressions of the grammar for some seconds.  The seed of a wrong expression is printed.
 */
static void compare_generated(double seconds, uint64_t seed)
{
	struct timespec begin;
	unsigned long n = 0;
	char text[4096];

	learn_hosts();
	stride = 23;
	compared = 0;
	yes = 0;
	both = 0;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		struct generator g = { .state = seed + n,
			.text = text,
			.room = sizeof text,
			.hosts = (const uint8_t(*)[4])hosts,
			.host_count = host_count };
		const int l = (int)generate_below(&g, LINKS);
		const unsigned long before = failed;

		generate_below(&g, 2);
		g.variable = has_variable_headers(links[l].link);
		generate_expression(&g);
		if (!has_wrong_word(l, text))
			compare_compilers(l, text, NULL);
		if (failed != before && failed < 60) {
			printf("  (seed %llu)\n", (unsigned long long)(seed + n));
			print_shortest(l, text);
		}
		n++;
	} while (seconds_since(&begin) < seconds);
	printf("generated: %lu expressions, both take %lu; %lu verdicts, %.1f %% of them yes\n", n,
		both, compared, 100.0 * (double)yes / (double)(compared ? compared : 1));
}

/* ---- The list ---- */

static char *list[4096];
static uint32_t list_count;

static void read_list(FILE *f)
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

static int is_difference(const char *line)
{
	return line[0] == '!' && line[1] && strchr("*ABCDEFGHIJKLMNOPQRSTUVWXYZ", line[1]);
}

/* Returns the kind of difference in a line that begins with "!NAME", for the expression; else NULL.
 */
static const char *find_listed_kind(const char *line, const char *name, const char *expression)
{
	static const char *const kinds[] = { "ours", "libpcap", "verdict" };
	const size_t n = strlen(name);

	if (!is_difference(line) || strncmp(line + 1, name, n) || line[1 + n] != ' ')
		return NULL;
	line += 1 + n + 1;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const size_t m = strlen(kinds[k]);

		if (!strncmp(line, kinds[k], m) && line[m] == ' ' &&
			!strcmp(line + m + 1, expression))
			return kinds[k];
	}
	return NULL;
}

/* Returns the listed difference of the expression on the link type: ours, libpcap or verdict; NULL:
 * none is listed.  Lines for the link type win over lines for all. */
static const char *find_listed_difference(int l, const char *expression)
{
	const char *name = bpe_link_type_name(links[l].link);
	const char *found = NULL;

	for (int k = 0; k < 2; k++) {
		const char *wanted = k ? name : "*";

		for (uint32_t i = 0; wanted && i < list_count; i++) {
			const char *kind = find_listed_kind(list[i], wanted, expression);

			if (kind)
				found = kind;
		}
	}
	return found;
}

static void compare_list(void)
{
	for (uint32_t i = 0; i < list_count; i++)
		for (int l = 0; l < LINKS && !is_difference(list[i]); l++)
			compare_compilers(l, list[i], find_listed_difference(l, list[i]));
}

static void free_all(void)
{
	while (list_count)
		free(list[--list_count]);
	for (int l = 0; l < LINKS; l++) {
		for (uint32_t i = 0; i < count[l]; i++)
			free(packets[l][i].data);
		free(packets[l]);
	}
}

int main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	const char *seconds = getenv("GENERATE_SECONDS");
	const char *seed = getenv("GENERATE_SEED");

	if (!f)
		return 2;
	for (int i = 2; i < argc; i++)
		read_savefile(argv[i]);
	read_synth();
	make_other_packets();
	make_random_packets();
	read_list(f);
	fclose(f);
	compare_list();
	printf("%lu verdicts compared; instructions: ours %lu, libpcap %lu, ours longer %lu times\n",
		compared, ours_insns, their_insns, longer);
	const double duration = seconds ? atof(seconds) : 8;
	compare_generated(duration, seed ? strtoull(seed, NULL, 10) : 1);
	printf("%lu passed, %lu failed\n", passed, failed);
	free_all();
	return failed != 0;
}
