/* SPDX-License-Identifier: MIT */
/* dns_counter INTERFACE|FILE: prints how often DNS queries over UDP ask for each name. */
#include <bpfengine.h>
#include <stdio.h>
#include <string.h>

#define ROOM 4096u /* names; later ones are counted together in the last */
static char names[ROOM][256];
static unsigned long queries[ROOM];
static uint32_t used; /* names[used] is free, or the last */

/* Writes a name with dots.  Returns false if the name is cut or compressed. */
static bool read_name(const uint8_t *p, const uint8_t *end, char text[256])
{
	uint32_t left = 0; /* bytes of the label */
	for (uint32_t n = 0; n < 256 && p + n < end && left < 64; n++) {
		const bool is_length = !left;
		left = is_length ? p[n] : left - 1;
		const bool is_plain = !is_length && p[n] > ' ' && p[n] < 127;
		text[n] = is_plain ? (char)p[n] : "?."[is_length];
		if (is_length && !left)
			return text[n] = 0, true;
	}
	return false;
}

static void count_queries(void *user, const struct bpe_batch *b)
{
	(void)user;
	for (uint32_t i = 0; i < b->count; i++) {
		const uint32_t name = b->layers[i].payload + 12u;
		const uint8_t *end = b->data[i] + b->layers[i].end;
		uint32_t k = 0;
		if (name >= b->layers[i].end || !read_name(b->data[i] + name, end, names[used]))
			continue;
		while (strcmp(names[k], names[used]) != 0)
			k++;
		queries[k]++;
		used += k == used && used < ROOM - 1;
	}
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { 0 };
	bpe_options_init(&o);
	o.filter_expression = "udp dst port 53 and udp[10] & 128 = 0"; /* queries */
	o.on_batch = count_queries;
	o.workers = 0; /* a single thread: the names need no lock */
	if (bpe_options_set_source(&o, argc > 1 ? argv[1] : "", &error) < 0 ||
		bpe_engine_open(&o, &engine, &error) < 0 || bpe_engine_run(engine, 0, &error) < 0)
		fprintf(stderr, "dns_counter: %s\n", error.text);
	for (uint32_t k = 0; k < ROOM && queries[k]; k++)
		printf("%lu %s\n", queries[k], names[k][0] ? names[k] + 1 : ".");
	bpe_engine_close(engine);
	return argc < 2 ? 2 : error.status < 0;
}
