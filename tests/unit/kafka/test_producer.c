/* SPDX-License-Identifier: MIT */
/* Tests the books of the producer with the brokers that librdkafka brings for tests
 * (test.mock.num.brokers).  tests/export/kafka.py has a real broker. */
#include "tools/kafka/producer.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MOCK "kafka://127.0.0.1:1/flows?rdkafka.test.mock.num.brokers=1&linger=1"

static struct export_address address;
static struct export_books books;
static struct export_sender sender;
static struct kafka_producer producer;
static char said[4096];

void export_say(struct export_sender *s, const char *format, ...)
{
	const size_t used = strlen(said);
	va_list args;

	(void)s;
	va_start(args, format);
	vsnprintf(said + used, sizeof said - used, format, args);
	va_end(args);
}

static int64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void open_producer(const char *target)
{
	char why[400] = "";

	cr_assert_eq(export_address_read(&address, target, why, sizeof why), 0, "%s", why);
	cr_assert_eq(
		kafka_settings_read(&producer.settings, &address, why, sizeof why), 0, "%s", why);
	producer.wake[0] = -1;
	producer.wake[1] = -1;
	producer.conf = kafka_conf_build(&producer.settings, why, sizeof why);
	cr_assert(producer.conf, "%s", why);
	sender.address = &address;
	sender.books = &books;
	producer.sender = &sender;
	producer.now_ns = mono_ns();
	cr_assert_eq(kafka_producer_open(&producer, why, sizeof why), 0, "%s", why);
}

static void send_parts(uint32_t count, size_t last_bytes)
{
	static char text[20000];
	const struct kafka_part parts[2] = { { text, count > 1 ? 100 : last_bytes },
		{ text, last_bytes } };

	kafka_producer_send(&producer, "key", 3, parts, count);
}

/* Polls until no record is under way; the time is long so that a busy machine passes. */
static void settle_all(void)
{
	const int64_t until = mono_ns() + 300 * (int64_t)1000000000;

	while (producer.records && mono_ns() < until) {
		kafka_producer_poll(&producer, mono_ns());
		usleep(1000);
	}
	cr_assert_eq(producer.records, 0);
	cr_assert_eq(producer.messages, 0);
	cr_assert_eq(producer.bytes, 0);
}

Test(producer, each_record_is_counted_once, .timeout = 550)
{
	open_producer(MOCK);
	for (int k = 0; k < 1000; k++)
		send_parts(1 + k % 2, 200);
	settle_all();
	cr_assert_eq(books.sent, 1000);
	cr_assert_eq(books.failed, 0);
	cr_assert_eq(books.messages, 1500);
	cr_assert_eq(books.bytes, 500 * 203 + 500 * (203 + 103));
	cr_assert_eq(books.is_connected, 1);
	cr_assert_eq(books.connects, 1);
	cr_assert_str_eq(said, "");
	kafka_producer_close(&producer);
}

Test(producer, a_record_fails_with_one_of_its_messages, .timeout = 550)
{
	open_producer(MOCK "&rdkafka.message.max.bytes=1000");
	send_parts(2, 5000);
	send_parts(1, 5000);
	send_parts(2, 50);
	settle_all();
	cr_assert_eq(books.sent, 1);
	cr_assert_eq(books.failed, 2);
	cr_assert_eq(books.messages, 3);
	cr_assert(strstr(said, "records for the topic flows fail"), "%s", said);
	cr_assert(strstr(said, "max.message.bytes"), "%s", said);
	cr_assert(!strstr(strstr(said, "fail") + 4, "fail"), "told twice: %s", said);
	kafka_producer_close(&producer);
}

Test(producer, no_broker, .timeout = 550)
{
	open_producer("kafka://127.0.0.1:1/flows?timeout=2&linger=1");
	for (int k = 0; k < 10; k++)
		send_parts(2, 100);
	settle_all();
	cr_assert_eq(books.sent, 0);
	cr_assert_eq(books.failed, 10);
	cr_assert_eq(books.is_connected, 0);
	cr_assert(strstr(said, "no broker of 127.0.0.1:1 answers"), "%s", said);
	kafka_producer_close(&producer);
}

Test(producer, room_ends_before_the_queue_is_full, .timeout = 550)
{
	uint64_t taken = 0;

	open_producer("kafka://127.0.0.1:1/flows?buffer=1M");
	while (kafka_producer_has_room(&producer)) {
		send_parts(1, 1000);
		taken++;
	}
	cr_assert_eq(books.failed, 0);
	cr_assert_eq(producer.records, taken);
	cr_assert_gt(taken, 900);
	kafka_producer_finish(&producer, mono_ns() + 100000000);
	cr_assert_eq(books.failed, taken);
	cr_assert(strstr(said, "were not acknowledged in time"), "%s", said);
	kafka_producer_close(&producer);
	cr_assert_eq(books.failed, taken);
}

Test(producer, starts_again_after_a_fatal_error, .timeout = 550)
{
	open_producer(MOCK);
	send_parts(2, 100);
	rd_kafka_test_fatal_error(
		producer.handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "planted");
	settle_all();
	cr_assert_eq(books.sent + books.failed, 1);
	cr_assert(strstr(said, "librdkafka starts again: "), "%s", said);
	cr_assert(kafka_producer_has_room(&producer));
	const uint64_t sent = books.sent;

	for (int k = 0; k < 100; k++)
		send_parts(2, 100);
	kafka_producer_finish(&producer, mono_ns() + 300 * (int64_t)1000000000);
	cr_assert_eq(books.sent, sent + 100);
	kafka_producer_close(&producer);
}

/* Reads the files of a target.  Returns the configuration, or NULL with the reason in said. */
static rd_kafka_conf_t *read_files_of(const char *target)
{
	rd_kafka_conf_t *conf;

	cr_assert_eq(export_address_read(&address, target, said, sizeof said), 0, "%s", said);
	cr_assert_eq(kafka_settings_read(&producer.settings, &address, said, sizeof said), 0, "%s",
		said);
	conf = kafka_conf_build(&producer.settings, said, sizeof said);
	cr_assert(conf, "%s", said);
	if (!kafka_conf_read_files(conf, &producer.settings, said, sizeof said))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

Test(producer, password_comes_from_a_file)
{
	char path[] = "/tmp/bpe_kafka_XXXXXX", target[200], password[64] = "";
	const int fd = mkstemp(path);
	size_t n = sizeof password;

	cr_assert_geq(fd, 0);
	snprintf(target, sizeof target,
		"kafka://b/f?security=sasl_plaintext&mechanism=PLAIN&user=u&password-file=%s",
		path);
	cr_assert(!read_files_of(target), "an empty file is accepted");
	cr_assert(strstr(said, "has no text of"), "%s", said);
	cr_assert_eq(write(fd, "s3cret word\r\nmore\n", 18), 18);
	rd_kafka_conf_t *conf = read_files_of(target);

	cr_assert(conf, "%s", said);
	cr_assert_eq(rd_kafka_conf_get(conf, "sasl.password", password, &n), RD_KAFKA_CONF_OK);
	cr_assert_str_eq(password, "s3cret word");
	rd_kafka_conf_destroy(conf);
	close(fd);
	unlink(path);
	cr_assert(!read_files_of(target), "a missing file is accepted");
	cr_assert(strstr(said, "No such file"), "%s", said);
}
