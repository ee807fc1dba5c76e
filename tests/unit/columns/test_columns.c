/* SPDX-License-Identifier: MIT */
/* Tests of records as columns.  Each value of made records is compared with the line of CSV.
 * Further tests: rows taken in the middle of a block, moved children, refused records. */
#include "columns/columns.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 1;

static uint32_t draw_part(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

/* Fills half of the counts. */
static void draw_counts(uint32_t *counts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		counts[i] = draw_part(2) * draw_part(70000);
}

/* Sets a text in a third of the cases: letters, quotes, commas, characters of two to four bytes,
 * and bytes outside UTF-8. */
static void draw_name_text(char *text, size_t room)
{
	static const char *const parts[] = { "a", "example.com", ",", "\"", "ä", "€",
		"\xf0\x9f\x90\xb3", "\xff", "\xe2\x82", "Z9" };
	size_t used = 0;

	memset(text, 0, room);
	if (draw_part(3))
		return;
	for (uint32_t n = draw_part(40); n; n--) {
		const char *const part = parts[draw_part(sizeof parts / sizeof *parts)];

		if (used + strlen(part) > room)
			break; /* a full text has no final 0 */
		memcpy(text + used, part, strlen(part));
		used += strlen(part);
	}
}

static void draw_names(struct bpe_flow_names *n)
{
	n->app = (uint8_t)draw_part(80);
	n->source = (uint8_t)draw_part(12);
	n->owner = (uint8_t)draw_part(5);
	n->others_count = (uint8_t)draw_part(3);
	n->flags = draw_part(64);
	n->tls_version = (uint16_t)(draw_part(2) * (0x0300 + draw_part(7)));
	n->tls_cipher = (uint16_t)(draw_part(2) * (0x1300 + draw_part(8)));
	n->quic_version = draw_part(3);
	n->http_status = (uint16_t)(draw_part(2) * draw_part(600));
	n->uid = (int32_t)draw_part(3) - 1;
	n->age_ns = draw_part(2000000000);
	n->ttl_ns = draw_part(2);
	draw_name_text(n->server, sizeof n->server);
	draw_name_text(n->others, sizeof n->others);
	draw_name_text(n->client, sizeof n->client);
	draw_name_text(n->alpn, sizeof n->alpn);
	draw_name_text(n->ja4, sizeof n->ja4);
	draw_name_text(n->ja3, sizeof n->ja3);
	draw_name_text(n->hassh[0], sizeof n->hassh[0]);
	draw_name_text(n->hassh[1], sizeof n->hassh[1]);
	draw_name_text(n->method, sizeof n->method);
	draw_name_text(n->banner[0], sizeof n->banner[0]);
	draw_name_text(n->banner[1], sizeof n->banner[1]);
	draw_name_text(n->subject, sizeof n->subject);
	draw_name_text(n->issuer, sizeof n->issuer);
	draw_name_text(n->container, sizeof n->container);
}

static void draw_tcp(struct bpe_flow *f)
{
	static const char *const histories[] = { "ShADadFf", "S", "^hCadCc", "", "ShAdDaTtR" };

	f->ip_proto = 6;
	f->tcp_state = (uint8_t)(1 + draw_part(6));
	f->tcp_flags[0] = (uint8_t)draw_part(256);
	f->tcp_flags[1] = (uint8_t)draw_part(256);
	snprintf(f->history, sizeof f->history, "%s", histories[draw_part(5)]);
}

static void draw_spans(struct bpe_flow *f)
{
	for (int k = 0; k < 2; k++) {
		f->handshake_ns[k] = draw_part(2) ? (int64_t)draw_part(4000000) : -1;
		f->rtt_ns[k] = draw_part(2) ? (int64_t)draw_part(4000000) * 1000 : -1;
		f->window_scale[k] = (int8_t)((int)draw_part(15) - 1);
		f->mss[k] = (uint16_t)(draw_part(2) * draw_part(1500));
		f->packets[k] = draw_part(1000);
		f->wire_bytes[k] = (uint64_t)draw_part(1000000) << draw_part(40);
		f->captured_bytes[k] = draw_part(1000000);
		f->ip_bytes[k] = draw_part(1000000);
		f->payload_bytes[k] = UINT64_MAX - draw_part(1000000);
		f->unwritten_packets[k] = draw_part(9);
		f->unwritten_bytes[k] = draw_part(9);
		f->port[k] = (uint16_t)draw_part(65536);
		f->vlan[k] = (uint16_t)(draw_part(2) * draw_part(4096));
	}
}

static void draw_process(struct bpe_flow *f)
{
	f->pid = (int32_t)draw_part(4) - 1;
	f->effective_pid = (int32_t)draw_part(4) - 1;
	draw_name_text(f->comm, sizeof f->comm);
	draw_name_text(f->effective_comm, sizeof f->effective_comm);
	draw_name_text(f->interface_name, sizeof f->interface_name);
}

/* Returns a record with drawn members. */
static struct bpe_flow draw_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION, .size = sizeof f };

	f.flags = draw_part(1024);
	f.ip_version = draw_part(2) ? 4 : 6;
	f.ip_proto = (uint8_t)(draw_part(2) ? 17 : draw_part(256));
	for (size_t i = 0; i < sizeof f.addr; i++)
		((uint8_t *)f.addr)[i] = (uint8_t)(draw_part(2) * draw_part(256));
	f.end = (uint8_t)draw_part(8);
	f.icmp_type = (uint8_t)draw_part(140);
	f.icmp_code = (uint8_t)draw_part(10);
	f.hash = draw_part(UINT32_MAX);
	f.worker = (uint16_t)draw_part(64);
	f.interface_index = draw_part(3);
	f.interface_id = draw_part(3);
	f.first_ns = 1700000000000000000 + draw_part(2000000000);
	f.last_ns = f.first_ns + draw_part(2000000000);
	f.tunnel.kind = (uint8_t)draw_part(25);
	f.tunnel.depth = (uint8_t)(1 + draw_part(3));
	f.tunnel.ip_version = (uint8_t)(draw_part(2) * (draw_part(2) ? 4 : 6));
	f.tunnel.has_id = (uint8_t)draw_part(2);
	f.tunnel.id = draw_part(UINT32_MAX);
	draw_spans(&f);
	if (draw_part(2))
		draw_tcp(&f);
	draw_counts(f.retransmissions, 18);
	draw_counts(f.icmp_errors, 2);
	draw_counts(f.duplicates, 2);
	draw_process(&f);
	draw_names(&f.names);
	return f;
}

/* Cuts the next field from a line of CSV, without its quotes. */
static char *cut_field(char **at)
{
	char *const field = *at;
	char *from = field;
	char *to = field;
	const bool quoted = *from == '"';

	for (from += quoted; *from; from++) {
		if (quoted && *from == '"' && *++from != '"')
			break;
		if (!quoted && (*from == ',' || *from == '\r'))
			break;
		*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = 0;
	return field;
}

static bool has_value(const struct ArrowArray *array, int64_t row)
{
	const uint8_t *const valid = array->buffers[0];

	return !valid || valid[row / 8] >> row % 8 & 1;
}

static int64_t number_at(const struct ArrowArray *array, const char *format, int64_t row)
{
	const void *const values = array->buffers[1];

	switch (format[0]) {
	case 'b':
		return ((const uint8_t *)values)[row / 8] >> row % 8 & 1;
	case 'C':
		return ((const uint8_t *)values)[row];
	case 'S':
		return ((const uint16_t *)values)[row];
	case 'I':
		return ((const uint32_t *)values)[row];
	case 'i':
		return ((const int32_t *)values)[row];
	default:
		return ((const int64_t *)values)[row];
	}
}

/* Finds spans and times: CSV has seconds. */
static bool is_time(const struct ArrowSchema *field)
{
	return field->format[0] == 't' || field->format[0] == 'l';
}

/* Writes a value in CSV's form; null: "". */
static void show_value(const struct ArrowSchema *field, const struct ArrowArray *array, int64_t row,
	char *text, size_t size)
{
	text[0] = 0;
	if (!has_value(array, row))
		return;
	if (field->format[0] == 'u') {
		const int32_t *const offsets = array->buffers[1];

		snprintf(text, size, "%.*s", offsets[row + 1] - offsets[row],
			(const char *)array->buffers[2] + offsets[row]);
		return;
	}
	const int64_t number = number_at(array, field->format, row);

	if (is_time(field))
		snprintf(text, size, "%" PRId64 ".%09" PRId64, number / 1000000000,
			number % 1000000000);
	else if (field->format[0] == 'b')
		snprintf(text, size, "%s", number ? "true" : "false");
	else
		snprintf(text, size, "%" PRIu64, (uint64_t)number);
}

/* Compares a value with CSV's.  CSV leaves out false in a few columns, and puts ' before a
 * formula of a spreadsheet. */
static bool is_csv_value(const char *field, const char *value)
{
	return !strcmp(field, value) || (!*field && !strcmp(value, "false")) ||
	       (*field == '\'' && !strcmp(field + 1, value));
}

static void check_row(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row,
	const struct bpe_flow *f)
{
	static char line[BPE_FORMAT_BYTES];
	char value[1024];
	char *at = line;

	cr_assert_gt(bpe_flow_format(f, BPE_FORMAT_CSV, line, sizeof line), 0);
	for (int64_t i = 0; i < schema->n_children; i++) {
		const char *const field = cut_field(&at);

		show_value(schema->children[i], array->children[i], row, value, sizeof value);
		cr_expect(is_csv_value(field, value), "row %" PRId64 ", %s: \"%s\", not \"%s\"",
			row, schema->children[i]->name, value, field);
	}
	cr_assert_str_eq(at, "\n");
}

static struct bpe_columns *open_columns(void)
{
	struct bpe_columns *columns;

	cr_assert_eq(bpe_columns_open(&columns, NULL), BPE_OK);
	return columns;
}

/* Checks null counts, alignment and the order of offsets. */
static void check_buffers(const struct ArrowSchema *schema, const struct ArrowArray *array)
{
	for (int64_t i = 0; i < array->n_children; i++) {
		const struct ArrowArray *child = array->children[i];
		int64_t nulls = 0;

		cr_assert_eq(child->length, array->length);
		cr_assert_eq(child->offset, 0);
		for (int64_t row = 0; row < child->length; row++)
			nulls += !has_value(child, row);
		cr_expect_eq(child->null_count, nulls, "%s", schema->children[i]->name);
		cr_expect(nulls == 0 || schema->children[i]->flags & ARROW_FLAG_NULLABLE);
		cr_expect_eq(child->n_buffers, schema->children[i]->format[0] == 'u' ? 3 : 2);
		for (int64_t k = 0; k < child->n_buffers; k++)
			cr_expect_eq((uintptr_t)child->buffers[k] % BPEI_COLUMN_ALIGN, 0);
		for (int64_t row = 0; child->n_buffers == 3 && row < child->length; row++)
			cr_assert_leq(((const int32_t *)child->buffers[1])[row],
				((const int32_t *)child->buffers[1])[row + 1]);
	}
}

/* Adds `rows` drawn records, takes the rows, and checks each value. */
static void check_drawn_rows(struct bpe_columns *columns, int64_t rows)
{
	struct bpe_flow *const flows = calloc((size_t)rows + 1, sizeof *flows);
	struct ArrowSchema schema;
	struct ArrowArray array;

	for (int64_t row = 0; row < rows; row++) {
		flows[row] = draw_flow();
		cr_assert_eq(bpe_columns_add(columns, &flows[row]), BPE_OK);
	}
	cr_assert_eq(bpe_columns_rows(columns), (uint64_t)rows);
	cr_assert_eq(bpe_columns_take(columns, &schema, &array), BPE_OK);
	cr_assert_eq(bpe_columns_rows(columns), 0);
	cr_assert_eq(array.length, rows);
	check_buffers(&schema, &array);
	for (int64_t row = 0; row < rows; row++)
		check_row(&schema, &array, row, &flows[row]);
	array.release(&array);
	schema.release(&schema);
	cr_expect_null(array.release);
	cr_expect_null(schema.release);
	free(flows);
}

Test(columns, every_value_is_that_of_csv)
{
	struct bpe_columns *const columns = open_columns();
	static const int64_t rows[] = { 1, 63, 64, 65, 0, 200, 2100, 5 };

	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		check_drawn_rows(columns, rows[k]);
	bpe_columns_close(columns);
}

/* Returns a record with few known members. */
static struct bpe_flow make_bare_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.ip_version = 4,
		.pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };
	return f;
}

/* Checks a value that comes first after many rows, and columns without any value. */
Test(columns, late_values_are_padded)
{
	struct bpe_columns *const columns = open_columns();
	const struct bpe_flow bare = make_bare_flow();
	const struct bpe_flow full = draw_flow();
	struct ArrowSchema schema;
	struct ArrowArray array;

	for (int row = 0; row < 3000; row++)
		cr_assert_eq(bpe_columns_add(columns, row == 2500 ? &full : &bare), BPE_OK);
	cr_assert_eq(bpe_columns_take(columns, &schema, &array), BPE_OK);
	check_buffers(&schema, &array);
	for (int row = 0; row < 3000; row++)
		check_row(&schema, &array, row, row == 2500 ? &full : &bare);
	array.release(&array);
	schema.release(&schema);
	bpe_columns_close(columns);
}

Test(columns, the_names_are_those_of_csv)
{
	struct bpe_columns *const columns = open_columns();
	char line[BPE_FORMAT_BYTES];
	char *at = line;
	struct ArrowSchema schema;

	cr_assert_gt(bpe_flow_format(NULL, BPE_FORMAT_CSV, line, sizeof line), 0);
	cr_assert_eq(bpe_columns_take(columns, &schema, NULL), BPE_OK);
	cr_assert_str_eq(schema.format, "+s");
	for (int64_t i = 0; i < schema.n_children; i++) {
		const struct ArrowSchema *field = schema.children[i];
		char name[BPE_FORMAT_BYTES + 8];

		snprintf(name, sizeof name, "%s%s", cut_field(&at),
			field->format[0] == 'l' ? "_ns" : "");
		cr_expect_str_eq(field->name, name);
		cr_expect(!memcmp(field->metadata + 4, "\x0b\0\0\0description", 15) ||
			  !memcmp(field->metadata + 4,
				  "\0\0\0\x0b"
				  "description",
				  15));
	}
	cr_expect_str_eq(at, "\n");
	schema.release(&schema);
	bpe_columns_close(columns);
}

/* Checks that a moved child outlives the array and the columns. */
Test(columns, a_moved_child_lives_on)
{
	struct bpe_columns *const columns = open_columns();
	const struct bpe_flow f = make_bare_flow();
	struct ArrowArray array;
	struct ArrowArray kept[3];
	static const int moved[3] = { 2, 80, 0 }; /* src, a column without values, first */

	for (int row = 0; row < 100; row++)
		cr_assert_eq(bpe_columns_add(columns, &f), BPE_OK);
	cr_assert_eq(bpe_columns_take(columns, NULL, &array), BPE_OK);
	for (int k = 0; k < 3; k++) {
		kept[k] = *array.children[moved[k]];
		array.children[moved[k]]->release = NULL;
	}
	array.release(&array);
	bpe_columns_close(columns);
	cr_expect(!memcmp(kept[0].buffers[2], "0.0.0.00.0.0.0", 14));
	cr_expect_eq(kept[1].null_count, 100);
	cr_expect(!has_value(&kept[1], 99));
	cr_expect_eq(((const int64_t *)kept[2].buffers[1])[99], 0);
	for (int k = 0; k < 3; k++) {
		kept[k].release(&kept[k]);
		cr_expect_null(kept[k].release);
	}
}

/* Adds n bare records and takes the rows. */
static struct ArrowArray take_bare_rows(struct bpe_columns *columns, int n)
{
	const struct bpe_flow f = make_bare_flow();
	struct ArrowArray array;

	for (int row = 0; row < n; row++)
		cr_assert_eq(bpe_columns_add(columns, &f), BPE_OK);
	cr_assert_eq(bpe_columns_take(columns, NULL, &array), BPE_OK);
	return array;
}

/* Checks that rows get the buffers of released rows, if these are long enough, and no others. */
Test(columns, released_buffers_are_used_again)
{
	struct bpe_columns *const columns = open_columns();
	struct ArrowArray first = take_bare_rows(columns, 2000);
	struct ArrowArray second = take_bare_rows(columns, 2000);
	const void *const buffers[2] = { first.children[0]->buffers[1],
		first.children[2]->buffers[2] };

	cr_expect_neq(second.children[0]->buffers[1], buffers[0]);
	cr_expect_neq(second.children[2]->buffers[2], buffers[1]);
	first.release(&first);
	first = take_bare_rows(columns, 10);
	cr_expect_eq(first.children[0]->buffers[1], buffers[0]);
	cr_expect_eq(first.children[2]->buffers[2], buffers[1]);
	second.release(&second);
	first.release(&first);
	check_drawn_rows(columns, 5000);
	first = take_bare_rows(columns, 1);
	bpe_columns_close(columns);
	cr_expect(!memcmp(first.children[2]->buffers[2], "0.0.0.0", 7));
	first.release(&first);
}

/* Checks a record of an older library, without names; a record without a size is refused. */
Test(columns, records_of_other_sizes)
{
	struct bpe_columns *const columns = open_columns();
	struct bpe_flow f = draw_flow();
	const size_t most = offsetof(struct bpe_flow, names);
	struct bpe_flow *const old = malloc(most); /* so that a sanitizer sees reads behind it */
	struct ArrowSchema schema;
	struct ArrowArray array;

	f.size = (uint16_t)most;
	memcpy(old, &f, most);
	cr_assert_eq(bpe_columns_add(columns, old), BPE_OK);
	cr_assert_eq(bpe_columns_take(columns, &schema, &array), BPE_OK);
	check_row(&schema, &array, 0, old);
	array.release(&array);
	schema.release(&schema);
	f.size = 2;
	cr_expect_eq(bpe_columns_add(columns, &f), BPE_E_ARGUMENT);
	f.size = sizeof f;
	f.version = BPE_FLOW_VERSION + 1;
	cr_expect_eq(bpe_columns_add(columns, &f), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_columns_rows(columns), 0);
	free(old);
	bpe_columns_close(columns);
}

/* Returns how docs/arrow.md names a format. */
static const char *type_of_format(const char *format)
{
	static const char *const types[][2] = { { "tsn:UTC", "time" }, { "L", "uint64" },
		{ "I", "uint32" }, { "S", "uint16" }, { "C", "uint8" }, { "l", "int64" },
		{ "i", "int32" }, { "b", "bool" }, { "u", "utf8" } };

	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (!strcmp(types[k][0], format))
			return types[k][1];
	return "?";
}

/* Checks that the page has a line for each column, in order. */
Test(columns, the_page_lists_the_columns)
{
	FILE *const page = fopen("docs/arrow.md", "r");
	char line[512];
	char wanted[512];
	uint32_t i = 0;

	cr_assert_not_null(page);
	while (fgets(line, sizeof line, page)) {
		if (strncmp(line, "| `", 3) != 0)
			continue;
		cr_assert_lt(i, BPEI_COLUMN_COUNT);
		const struct bpei_column_plan *plan = &bpei_column_plans[i++];
		const bool never =
			plan->known == BPEI_KNOWN_ALWAYS &&
			(plan->kind == BPEI_COLUMN_NUMBER || plan->kind == BPEI_COLUMN_FLAG);

		snprintf(wanted, sizeof wanted, "| `%s` | %s | %s | %s |\n", plan->name,
			type_of_format(plan->format), never ? "no" : "yes", plan->help);
		cr_expect_str_eq(line, wanted);
	}
	cr_expect_eq(i, BPEI_COLUMN_COUNT);
	fclose(page);
}
