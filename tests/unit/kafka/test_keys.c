/* SPDX-License-Identifier: MIT */
/* Tests that a connection has a key of its own, the same for both directions. */
#include "tools/kafka/keys.h"

#include <criterion/criterion.h>

static struct bpe_flow make_keyed_flow(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION, .size = sizeof f };

	f.ip_version = 4;
	f.ip_proto = 6;
	memcpy(f.addr[0], "\x80\xe8\x6e\x78", 4); /* the example of Community ID's authors */
	memcpy(f.addr[1], "\x42\x23\xfa\xcc", 4);
	f.port[0] = 34855;
	f.port[1] = 80;
	return f;
}

static struct bpe_flow turn_flow(const struct bpe_flow *f)
{
	struct bpe_flow turned = *f;

	memcpy(turned.addr[0], f->addr[1], 16);
	memcpy(turned.addr[1], f->addr[0], 16);
	turned.port[0] = f->port[1];
	turned.port[1] = f->port[0];
	return turned;
}

Test(keys, community_id)
{
	const struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES];

	cr_assert_eq(kafka_key_write(key, &f, KAFKA_KEY_COMMUNITY), strlen(key));
	cr_assert_str_eq(key, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

Test(keys, both_directions_have_the_same_key)
{
	const struct bpe_flow f = make_keyed_flow();
	const struct bpe_flow turned = turn_flow(&f);
	char key[KAFKA_KEY_BYTES], other[KAFKA_KEY_BYTES];

	cr_assert_eq(kafka_key_write(key, &f, KAFKA_KEY_HASH), 16);
	cr_assert_eq(kafka_key_write(other, &turned, KAFKA_KEY_HASH), 16);
	cr_assert_str_eq(key, other);
	cr_assert_str_eq(key, "13a4fadc9910a147");
}

Test(keys, same_addresses_are_ordered_by_port)
{
	struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES], other[KAFKA_KEY_BYTES];

	memcpy(f.addr[1], f.addr[0], 16);
	const struct bpe_flow turned = turn_flow(&f);

	kafka_key_write(key, &f, KAFKA_KEY_HASH);
	kafka_key_write(other, &turned, KAFKA_KEY_HASH);
	cr_assert_str_eq(key, other);
}

Test(keys, other_connections_have_other_keys)
{
	struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES], other[KAFKA_KEY_BYTES];

	kafka_key_write(key, &f, KAFKA_KEY_HASH);
	f.port[0]++;
	kafka_key_write(other, &f, KAFKA_KEY_HASH);
	cr_assert_str_neq(key, other);
	f.port[0]--;
	f.ip_proto = 17;
	kafka_key_write(other, &f, KAFKA_KEY_HASH);
	cr_assert_str_neq(key, other);
}

Test(keys, hash_where_community_id_has_none)
{
	struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES];

	f.ip_proto = 1;
	f.flags = BPE_FLOW_ICMP;
	f.icmp_type = 3; /* no reply type */
	f.port[0] = 0;
	f.port[1] = 0;
	const size_t n = kafka_key_write(key, &f, KAFKA_KEY_COMMUNITY);

	cr_assert_eq(n, 16);
	cr_assert_str_eq(key, "77823712766c1293");
}

Test(keys, copied_from_a_line)
{
	static const char line[] = "{\"process\":\"x\\\",\\\"community_id\\\":\\\"1:no\","
				   "\"a\":1,\"community_id\":\"1:LQU9=\",\"hash\":2}";
	char key[KAFKA_KEY_BYTES];

	cr_assert_eq(kafka_key_copy(key, line), 7);
	cr_assert_str_eq(key, "1:LQU9=");
	cr_assert_eq(kafka_key_copy(key, "{\"a\":1}"), 0);
	cr_assert_eq(
		kafka_key_copy(key, ",\"community_id\":\"1:12345678901234567890123456789012345\""),
		0);
	cr_assert_str_eq(key, "");
}

Test(keys, line_has_the_key_that_is_written)
{
	const struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES], copied[KAFKA_KEY_BYTES], line[BPE_FORMAT_BYTES];

	cr_assert_gt(bpe_flow_format(&f, BPE_FORMAT_JSON, line, sizeof line), 0);
	kafka_key_write(key, &f, KAFKA_KEY_COMMUNITY);
	cr_assert_eq(kafka_key_copy(copied, line), strlen(key));
	cr_assert_str_eq(copied, key);
}

Test(keys, none)
{
	const struct bpe_flow f = make_keyed_flow();
	char key[KAFKA_KEY_BYTES];

	cr_assert_eq(kafka_key_write(key, &f, KAFKA_KEY_NONE), 0);
	cr_assert_str_eq(key, "");
}
