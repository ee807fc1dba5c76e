/* SPDX-License-Identifier: MIT */
/* Connections by records of the tracepoint, made by hand; the format as of Linux 6.18 and 5.4. */
#include "base/bytes.h"
#include "owners/trace.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char format_6_18[] =
	"name: inet_sock_set_state\nID: 2287\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;\n"
	"\tfield:int newstate;\toffset:20;\tsize:4;\tsigned:1;\n"
	"\tfield:__u16 sport;\toffset:24;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 protocol;\toffset:30;\tsize:2;\tsigned:0;\n"
	"\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n"
	"\tfield:__u8 daddr[4];\toffset:36;\tsize:4;\tsigned:0;\n"
	"\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n"
	"\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;\n";

enum { RAW = 28, RAW_BYTES = 72, SAMPLE = RAW + RAW_BYTES + 4 };
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT_1 = 4, CLOSE = 7, CLOSE_WAIT = 8, LAST_ACK = 9 };
static const uint8_t here[4] = { 127, 0, 0, 1 };
static const uint8_t there[4] = { 192, 0, 2, 7 };

struct change {
	int32_t pid;
	uint64_t socket;
	uint32_t before, after;
	uint16_t local_port, remote_port;
	bool is_6;
};

static void make_sample(uint8_t to[SAMPLE], const struct change *c)
{
	uint8_t *raw = to + RAW;

	memset(to, 0, SAMPLE);
	bpei_store32(to, 9);
	bpei_store16(to + 6, SAMPLE);
	bpei_store32(to + 8, (uint32_t)c->pid);
	bpei_store32(to + 24, RAW_BYTES + 4);
	bpei_store64(raw + 8, c->socket);
	bpei_store32(raw + 16, c->before);
	bpei_store32(raw + 20, c->after);
	bpei_store16(raw + 24, c->local_port);
	bpei_store16(raw + 26, c->remote_port);
	bpei_store16(raw + 28, c->is_6 ? 10 : 2);
	bpei_store16(raw + 30, 6);
	memcpy(raw + 32, here, 4);
	memcpy(raw + 36, there, 4);
	memset(raw + 40, 0x11, 16);
	memset(raw + 56, 0x22, 16);
}

static void take_sample(struct bpei_trace *t, struct change c)
{
	uint8_t record[SAMPLE];

	make_sample(record, &c);
	bpei_trace_take(t, record, sizeof record);
}

/* Takes a record of two numbers, and for names a text. */
static void take_pair(struct bpei_trace *t, uint32_t type, int32_t a, int32_t b, const char *text)
{
	uint8_t record[48] = { 0 };

	bpei_store32(record, type);
	bpei_store32(record + 8, (uint32_t)a);
	bpei_store32(record + 12, (uint32_t)b);
	memcpy(record + 16, text, strlen(text));
	bpei_trace_take(t, record, sizeof record);
}

static struct bpei_trace *make_trace(void)
{
	struct bpei_trace_format format;

	cr_assert(bpei_trace_format_read(format_6_18, &format));
	struct bpei_trace *t = bpei_trace_new(&format);

	cr_assert_not_null(t);
	return t;
}

static bool find_traced_here(const struct bpei_trace *t, uint16_t local_port, uint16_t remote_port,
	struct bpei_trace_owner *owner)
{
	const struct bpei_trace_ends ends = { here, there, local_port, remote_port, 4 };

	return bpei_trace_find(t, &ends, owner);
}

Test(trace, the_format)
{
	struct bpei_trace_format f;
	char text[sizeof format_6_18];

	memcpy(text, format_6_18, sizeof text);
	cr_assert(bpei_trace_format_read(text, &f));
	cr_expect_eq(f.socket, 8);
	cr_expect_eq(f.protocol, 30);
	cr_expect_eq(f.remote_6, 56);
	cr_expect_eq(f.bytes, 72);
	/* old kernels have a byte for the protocol */
	memcpy(strstr(text, "protocol;\toffset:30;\tsize:2"), "protocol;\toffset:30;\tsize:1", 27);
	cr_expect(bpei_trace_format_read(text, &f));
	memcpy(strstr(text, "size:8"), "size:4", 6); /* of the socket's address */
	cr_expect_not(bpei_trace_format_read(text, &f));
	memcpy(text, format_6_18, sizeof text);
	memcpy(strstr(text, "sport"), "spxrt", 5);
	cr_expect_not(bpei_trace_format_read(text, &f), "a field is missing");
	cr_expect_not(bpei_trace_format_read("", &f));
}

Test(trace, a_connection_of_a_process_that_ended)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;

	take_pair(t, 7, 500, 400, ""); /* a fork, of an unknown parent */
	take_pair(t, 3, 500, 500, "curl");
	take_sample(t, (struct change){ 500, 0xabc, CLOSE, SYN_SENT, 0, 443, false });
	cr_expect_not(find_traced_here(t, 4711, 443, &owner));
	/* the handshake ends on behalf of whatever runs */
	take_sample(t, (struct change){ 0, 0xabc, SYN_SENT, ESTABLISHED, 4711, 443, false });
	take_sample(t, (struct change){ 99, 0xabc, ESTABLISHED, FIN_WAIT_1, 4711, 443, false });
	cr_assert(find_traced_here(t, 4711, 443, &owner));
	cr_expect_eq(owner.pid, 500);
	cr_expect_str_eq(owner.comm, "curl");
	cr_expect_not(find_traced_here(t, 4712, 443, &owner));
	bpei_trace_free(t);
}

Test(trace, a_child_has_the_name_of_its_parent)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;

	bpei_trace_name(t, 400, "python3");
	take_pair(t, 7, 500, 400, "");
	take_pair(t, 3, 500, 501, "thread"); /* of a thread: not the process's */
	take_sample(t, (struct change){ 500, 1, CLOSE, SYN_SENT, 0, 443, false });
	take_sample(t, (struct change){ 3, 1, SYN_SENT, CLOSE, 4711, 443, false }); /* refused */
	cr_assert(find_traced_here(t, 4711, 443, &owner));
	cr_expect_str_eq(owner.comm, "python3");
	bpei_trace_free(t);
}

Test(trace, a_socket_that_was_accepted_is_its_closers)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;

	take_sample(t, (struct change){ 77, 5, 3, ESTABLISHED, 80, 9000, false });
	cr_expect_not(find_traced_here(t, 80, 9000, &owner));
	take_sample(t, (struct change){ 88, 5, CLOSE_WAIT, LAST_ACK, 80, 9000, false });
	cr_assert(find_traced_here(t, 80, 9000, &owner));
	cr_expect_eq(owner.pid, 88);
	cr_expect_str_eq(owner.comm, "");
	bpei_trace_free(t);
}

Test(trace, ipv6_and_mapped_addresses)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;
	uint8_t from[16], to[16], record[SAMPLE];
	const struct change mapped = { 0, 9, SYN_SENT, ESTABLISHED, 4711, 444, true };

	memset(from, 0x11, 16);
	memset(to, 0x22, 16);
	take_sample(t, (struct change){ 5, 9, CLOSE, SYN_SENT, 0, 443, true });
	take_sample(t, (struct change){ 0, 9, SYN_SENT, ESTABLISHED, 4711, 443, true });
	const struct bpei_trace_ends ends = { from, to, 4711, 443, 6 };
	cr_assert(bpei_trace_find(t, &ends, &owner));
	cr_expect_eq(owner.pid, 5);
	/* ::ffff:192.0.2.7 is IPv4 on the wire */
	take_sample(t, (struct change){ 6, 9, CLOSE, SYN_SENT, 0, 444, true });
	make_sample(record, &mapped);
	memset(record + RAW + 56, 0, 10);
	memset(record + RAW + 66, 0xff, 2);
	bpei_trace_take(t, record, sizeof record);
	cr_assert(find_traced_here(t, 4711, 444, &owner));
	cr_expect_eq(owner.pid, 6);
	bpei_trace_free(t);
}

Test(trace, other_protocols_and_torn_records)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;
	uint8_t record[SAMPLE];
	const struct change c = { 5, 9, ESTABLISHED, FIN_WAIT_1, 4711, 443, false };

	make_sample(record, &c);
	bpei_store16(record + RAW + 30, 132); /* SCTP */
	bpei_trace_take(t, record, sizeof record);
	cr_expect_not(find_traced_here(t, 4711, 443, &owner));
	make_sample(record, &c);
	for (size_t k = 0; k < RAW + RAW_BYTES; k++) {
		uint8_t *exact = malloc(k + 1);

		memcpy(exact, record, k);
		bpei_trace_take(t, exact, k);
		free(exact);
	}
	cr_expect_not(find_traced_here(t, 4711, 443, &owner));
	bpei_trace_take(t, record, sizeof record);
	cr_expect(find_traced_here(t, 4711, 443, &owner));
	bpei_trace_free(t);
}

Test(trace, more_connections_than_there_is_room_for)
{
	struct bpei_trace *t = make_trace();
	struct bpei_trace_owner owner;
	uint32_t found = 0;

	for (uint32_t k = 1; k < 60000; k++) {
		const uint16_t port = (uint16_t)k;

		bpei_trace_name(t, (int32_t)k, "x");
		take_sample(t, (struct change){ (int32_t)k, k, CLOSE, SYN_SENT, 0, 443, false });
		take_sample(t, (struct change){ 0, k, SYN_SENT, ESTABLISHED, port, 443, false });
	}
	for (uint32_t k = 1; k < 60000; k++) {
		if (!find_traced_here(t, (uint16_t)k, 443, &owner))
			continue;
		found++;
		cr_assert_eq(owner.pid, (int32_t)k);
	}
	cr_expect(found > 8192 && found <= 16384, "%u", found);
	cr_assert(find_traced_here(t, 59999, 443, &owner), "the last is there");
	bpei_trace_free(t);
}
