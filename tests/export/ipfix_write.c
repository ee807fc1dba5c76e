/* SPDX-License-Identifier: MIT */
/* ipfix_write FOLDER CAPTURE...: writes the flows of savefiles in every form of the encoder.
 *
 * FOLDER gets a file for each form: messages, each behind a length of four bytes, big-endian.  In
 * FOLDER/flows.json stands each record as a line of JSON.  The order is the same everywhere.
 *
 * ipfix_write --elements: prints the elements of the encoder. */
#include "tools/ipfix/elements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUE_EVERY 1000 /* records between two rounds of templates and options */

struct form {
	const char *name;
	struct ipfix_config config;
	uint32_t room;
	FILE *file;
	uint64_t flows, unfit;
	struct ipfix_books books;
	struct ipfix_encoder encoder;
	uint8_t buffer[IPFIX_ROOM_MOST];
};

static struct form forms[] = {
	{ .name = "plain", .config = { .version = IPFIX_IPFIX, .domain = 7 }, .room = 1400 },
	{ .name = "biflow",
		.config = { .version = IPFIX_IPFIX, .is_biflow = true, .is_ns = true },
		.room = 1400 },
	{ .name = "ntop",
		.config = { .version = IPFIX_IPFIX, .profile = IPFIX_NTOP },
		.room = IPFIX_ROOM_LEAST },
	{ .name = "cesnet",
		.config = { .version = IPFIX_IPFIX, .profile = IPFIX_CESNET, .is_biflow = true },
		.room = 1400 },
	{ .name = "own",
		.config = { .version = IPFIX_IPFIX, .profile = IPFIX_OWN, .pen = 32473 },
		.room = IPFIX_ROOM_LEAST },
	{ .name = "file",
		.config = { .version = IPFIX_IPFIX,
			.profile = IPFIX_OWN,
			.pen = 32473,
			.is_biflow = true },
		.room = IPFIX_ROOM_MOST },
	{ .name = "nine", .config = { .version = IPFIX_NETFLOW9, .domain = 7 }, .room = 1400 },
	{ .name = "five", .config = { .version = IPFIX_NETFLOW5 }, .room = 1464 },
};
enum { FORMS = sizeof forms / sizeof *forms };

static FILE *json;
static uint64_t records;

static void end_writer(const char *what)
{
	fprintf(stderr, "ipfix_write: %s\n", what);
	exit(1);
}

/* Writes the message, if there is one, and begins the next. */
static void turn_message(struct form *form)
{
	struct ipfix_message message;
	const size_t n = ipfix_finish(&form->encoder, INT64_C(1700000000000000000), &message);
	const uint8_t length[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	if (n > form->room)
		end_writer("a message is longer than its room");
	if (n > 0 && (fwrite(length, 4, 1, form->file) != 1 ||
			     fwrite(form->buffer, n, 1, form->file) != 1))
		end_writer("cannot write a message");
	form->flows += message.flows;
	form->books.messages += n > 0;
	form->books.records += message.records;
	form->books.bytes += n;
	ipfix_begin(&form->encoder, form->buffer, form->room);
}

static void write_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	char line[BPE_FORMAT_BYTES];

	(void)user;
	(void)worker;
	if (!flow)
		return;
	if (bpe_flow_format(flow, BPE_FORMAT_JSON, line, sizeof line) <= 0)
		end_writer("a record has no line");
	fputs(line, json);
	for (size_t k = 0; k < FORMS; k++) {
		struct form *form = &forms[k];
		int added = ipfix_add(&form->encoder, flow);

		while (added == IPFIX_FULL) {
			turn_message(form);
			added = ipfix_add(&form->encoder, flow);
		}
		if (added == IPFIX_UNFIT)
			form->unfit++;
		if (records % DUE_EVERY == DUE_EVERY - 1) {
			form->books.not_sent_records = form->unfit;
			ipfix_templates_due(&form->encoder);
			ipfix_options_due(&form->encoder, &form->books);
		}
	}
	records++;
}

/* Reads a savefile.  Returns whether the library could open the file. */
static bool read_capture(const char *path)
{
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_error error;

	bpe_options_init(&options);
	options.file = path;
	options.on_record = write_flow;
	options.names = BPE_NAMES_ALL | BPE_NAMES_JA3;
	options.process = true;
	options.flow_lengths = true;
	if (bpe_engine_open(&options, &engine, &error) < 0) {
		printf("%s: %s\n", path, error.text);
		return false;
	}
	bpe_engine_run(engine, 0, &error);
	bpe_engine_close(engine);
	return true;
}

/* Prints enterprise number, number, length and name of each element. */
static int print_elements(void)
{
	for (uint32_t k = 0; k < FIELD_COUNT; k++) {
		const struct ipfix_element *e = &ipfix_elements[k];

		printf("%u %u %u %s\n", e->pen, e->id, e->length, e->name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	char path[4096];
	char why[256];
	int opened = 0;

	if (argc == 2 && !strcmp(argv[1], "--elements"))
		return print_elements();
	if (argc < 3)
		end_writer("usage: ipfix_write FOLDER CAPTURE...");
	snprintf(path, sizeof path, "%s/flows.json", argv[1]);
	json = fopen(path, "w");
	if (!json)
		end_writer("cannot create flows.json");
	for (size_t k = 0; k < FORMS; k++) {
		struct form *form = &forms[k];

		snprintf(path, sizeof path, "%s/%s", argv[1], form->name);
		form->file = fopen(path, "w");
		if (!form->file)
			end_writer("cannot create a file");
		if (ipfix_open(&form->encoder, &form->config, why, sizeof why) < 0)
			end_writer(why);
		ipfix_begin(&form->encoder, form->buffer, form->room);
	}
	for (int i = 2; i < argc; i++)
		opened += read_capture(argv[i]);
	for (size_t k = 0; k < FORMS; k++) {
		struct form *form = &forms[k];

		form->books.not_sent_records = form->unfit;
		ipfix_options_due(&form->encoder, &form->books);
		do
			turn_message(form);
		while (ipfix_is_due(&form->encoder));
		turn_message(form);
		if (fclose(form->file) != 0)
			end_writer("cannot write a file");
		printf("%s flows %llu unfit %llu messages %llu\n", form->name,
			(unsigned long long)form->flows, (unsigned long long)form->unfit,
			(unsigned long long)form->books.messages);
	}
	if (fclose(json) != 0)
		end_writer("cannot write flows.json");
	printf("captures %d records %llu\n", opened, (unsigned long long)records);
	return 0;
}
