/* SPDX-License-Identifier: MIT */
/* Gives any bytes to the reader of targets, to the reader of packed records, and to the ring of a
 * target.  Input and ring have memory of exactly their size, so a sanitizer sees an access past the
 * end.  Each text ends within the member.
 *
 * Input: a byte of choice (0: a target's words, 1: a packed record, 2: a ring), and the bytes. */
#include "fuzz.h"
#include "tools/export/export.h"
#include "tools/export/packed.h"
#include "tools/export/ring.h"

#include <string.h>

enum { RING_BYTES = 256 };

static uint8_t *take_copy(const struct fuzz_input *in, size_t room)
{
	const size_t n = fuzz_left(in);
	uint8_t *copy = calloc(room, 1);

	FUZZ_CHECK(copy);
	memcpy(copy, in->next, n < room ? n : room);
	return copy;
}

static void fuzz_target(const struct fuzz_input *in)
{
	static struct export_address address;
	uint8_t *text = take_copy(in, fuzz_left(in) + 1);
	char why[64];
	char host[256];
	uint16_t port = 0;

	text[fuzz_left(in)] = 0;
	const int status = export_address_read(&address, (char *)text, why, sizeof why);

	FUZZ_CHECK(strnlen(address.shown, sizeof address.shown) < sizeof address.shown);
	for (const char *at = address.shown; *at; at++)
		FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
	if (!status) {
		FUZZ_CHECK(address.scheme[0] && (address.hosts[0] || address.path[0]));
		FUZZ_CHECK(strnlen(address.path, sizeof address.path) < sizeof address.path);
		FUZZ_CHECK(address.count <= EXPORT_PARAMETERS_MOST);
		for (uint32_t k = 0; k < address.count; k++)
			FUZZ_CHECK(export_parameter(&address, address.parameters[k].name, NULL) ==
				   address.parameters[k].value);
		if (!export_host_split(address.hosts, 4739, host, &port, why, sizeof why))
			FUZZ_CHECK(host[0] && port);
	}
	free(text);
}

static void fuzz_unpack(const struct fuzz_input *in)
{
	static struct bpe_flow flow, again;
	const uint32_t n = (uint32_t)fuzz_left(in);
	uint8_t *record = take_copy(in, n + !n);
	uint8_t packed[EXPORT_PACKED_MOST];

	memset(&flow, 0, sizeof flow);
	const bool is_record = export_unpack(&flow, record, n);

	FUZZ_CHECK(strnlen(flow.interface_name, sizeof flow.interface_name) <
		   sizeof flow.interface_name);
	FUZZ_CHECK(strnlen(flow.names.server, sizeof flow.names.server) < sizeof flow.names.server);
	FUZZ_CHECK(strnlen(flow.names.container, sizeof flow.names.container) <
		   sizeof flow.names.container);
	if (is_record && flow.size == sizeof flow) {
		FUZZ_CHECK(export_unpack(&again, packed, export_pack(packed, &flow)));
		FUZZ_CHECK(!strcmp(again.names.server, flow.names.server));
		FUZZ_CHECK(again.packets[1] == flow.packets[1]);
	}
	free(record);
}

static void fuzz_ring(struct fuzz_input *in)
{
	static const uint8_t pushed[100];
	static struct export_ring ring;
	struct export_ring_end end;
	const uint64_t tail = (uint64_t)fuzz_u32(in) << 32 | fuzz_u16(in);
	const uint64_t head = (uint64_t)fuzz_u32(in) << 32 | fuzz_u16(in);
	uint8_t *bytes = take_copy(in, RING_BYTES);
	uint32_t n = 0;
	bool is_torn = false;

	atomic_store_explicit(&ring.tail, tail, memory_order_relaxed);
	atomic_store_explicit(&ring.head, head, memory_order_relaxed);
	export_ring_attach(&end, &ring, bytes, RING_BYTES, false);
	for (int k = 0; k < RING_BYTES; k++) {
		const uint8_t *record = export_ring_peek(&end, &n, &is_torn);

		if (!record)
			break;
		FUZZ_CHECK(!is_torn && record >= bytes && record + n <= bytes + RING_BYTES);
		export_ring_drop(&end);
	}
	export_ring_attach(&end, &ring, bytes, RING_BYTES, true);
	export_ring_push(&end, pushed, n % sizeof pushed);
	free(bytes);
}

void fuzz_export(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };

	switch (fuzz_u8(&in) % 3) {
	case 0:
		fuzz_target(&in);
		break;
	case 1:
		fuzz_unpack(&in);
		break;
	default:
		fuzz_ring(&in);
		break;
	}
}
