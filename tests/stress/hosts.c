/* SPDX-License-Identifier: MIT */
/* hosts [rounds]: four threads put names into their tables and read all tables at the same time.
 * The sets are so few that slots are written over and over.  A found name belongs to the key of the
 * question, and is whole.  A thread finds each name which the thread has just put.  Meant for
 * ThreadSanitizer; a plain program. */
#include "naming/hosts.h"

#include "base/bytes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 4u
#define ADDRESSES 64u
#define SECOND 1000000000ll

static struct bpei_hosts *hosts;
static uint64_t rounds;

/* A worker, and the counts of found names. */
struct hosts_worker {
	uint32_t number;
	uint64_t found, wrong, missed;
};

/* Writes the name which belongs to an asker and an address: the numbers, and letters up to a length
 * which depends on the turn. */
static void write_name(char name[256], uint32_t asker, uint32_t address, uint32_t turn)
{
	const int n = snprintf(name, 256, "%u-%u-%u.", asker, address, turn % 7);
	const size_t length = 20 + turn % 7 * 39;

	for (size_t i = (size_t)n; i < length; i++)
		name[i] = (char)('a' + (asker + address + turn % 7) % 26);
	name[length > (size_t)n ? length : (size_t)n] = 0;
}

/* Returns whether a name is among the seven names which belong to asker and address. */
static bool is_whole_name(const char *name, uint32_t asker, uint32_t address)
{
	char expected[256];

	for (uint32_t turn = 0; turn < 7; turn++) {
		write_name(expected, asker, address, turn);
		if (!strcmp(name, expected))
			return true;
	}
	return false;
}

/* Looks up a flow, and checks the name. */
static bool look_up_flow(
	struct hosts_worker *worker, uint32_t asker, uint32_t address, int64_t now_ns)
{
	struct bpe_flow_names said;
	uint8_t from[16] = { 10 };
	uint8_t to[16] = { 11 };
	const struct bpei_hosts_ask ask = { from, to, 4, now_ns };

	bpei_put_be32(from, asker);
	bpei_put_be32(to, address);
	memset(&said, 0, sizeof said);
	bpei_hosts_find(hosts, &ask, &said);
	if (!said.source)
		return false;
	worker->found++;
	/* The second choice is the name for which another worker asked. */
	for (uint32_t other = 0; other < WORKERS; other++)
		if (is_whole_name(said.server, other, address))
			return true;
	worker->wrong++;
	return false;
}

static void *run_worker(void *argument)
{
	struct hosts_worker *worker = argument;
	uint8_t from[16] = { 0 };
	uint8_t to[16] = { 0 };
	char name[256];

	bpei_put_be32(from, worker->number);
	for (uint64_t i = 0; i < rounds; i++) {
		const uint32_t address = (uint32_t)(i * 2654435761u >> 7) % ADDRESSES;
		const int64_t now_ns = (int64_t)i * 1000;
		const struct bpei_host_said host = { .asker = from,
			.address = to,
			.asker_version = 4,
			.version = 4,
			.source = BPE_NAME_DNS,
			.ttl_s = 60,
			.time_ns = now_ns,
			.name = name };

		bpei_put_be32(to, address);
		write_name(name, worker->number, address, (uint32_t)i);
		bpei_hosts_put(hosts, worker->number, &host);
		if (!look_up_flow(worker, worker->number, address, now_ns))
			worker->missed++;
		look_up_flow(worker, (uint32_t)i % WORKERS, (uint32_t)(i >> 3) % ADDRESSES, now_ns);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct hosts_worker workers[WORKERS];
	pthread_t threads[WORKERS];
	uint64_t failed = 0;

	rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	/* A set or two for each worker. */
	hosts = bpei_hosts_new(WORKERS, 6000);
	if (!hosts)
		return 1;
	for (uint32_t i = 0; i < WORKERS; i++) {
		workers[i] = (struct hosts_worker){ .number = i };
		if (pthread_create(threads + i, NULL, run_worker, workers + i))
			return 1;
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		printf("worker %u: %llu found, %llu wrong, %llu missed, %llu evicted\n", i,
			(unsigned long long)workers[i].found, (unsigned long long)workers[i].wrong,
			(unsigned long long)workers[i].missed,
			(unsigned long long)bpei_hosts_evicted(hosts, i));
		failed += workers[i].wrong || workers[i].missed || !workers[i].found ||
			  !bpei_hosts_evicted(hosts, i);
	}
	bpei_hosts_free(hosts);
	printf("%llu passed, %llu failed\n", (unsigned long long)(WORKERS - failed),
		(unsigned long long)failed);
	return failed != 0;
}
