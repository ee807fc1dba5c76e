/* SPDX-License-Identifier: MIT */
/* Owners of this test's own sockets, where the system can be asked. */
#include "bpfengine.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Opens what the system has.  Returns NULL where the system cannot be asked, with a clear error. */
static struct bpe_owners *open_owners(void)
{
	struct bpe_owners *owners = NULL;
	struct bpe_error error = { 0 };
	const int status = bpe_owners_open(&owners, &error);

	if (status == BPE_OK)
		return owners;
	cr_expect_null(owners);
	cr_expect_eq(error.status, status);
	cr_expect(strlen(error.text) > 10, "%s", error.text);
	return NULL;
}

/* Returns a socket bound to a free port of loopback, and the port. */
static int bind_loopback(int type, uint16_t *port)
{
	const int fd = socket(AF_INET, type, 0);
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static struct bpe_owner_question make_question(uint8_t ip_proto, uint16_t from, uint16_t to)
{
	struct bpe_owner_question q = {
		.port = { from, to }, .ip_proto = ip_proto, .ip_version = 4
	};

	memcpy(q.addr[0], "\x7f\0\0\1", 4);
	memcpy(q.addr[1], "\x7f\0\0\1", 4);
	return q;
}

/* Expects this process, or the honest answer of a system that does not tell. */
static void expect_own(const struct bpe_owner_answer *a)
{
	cr_expect(a->owner == BPE_OWNER_KNOWN || a->owner == BPE_OWNER_UNKNOWN, "%u", a->owner);
	if (a->owner != BPE_OWNER_KNOWN)
		return;
	cr_expect_eq(a->pid, getpid());
	cr_expect(a->uid == (int32_t)getuid() || a->uid == -1);
	cr_expect(a->comm[0]);
}

Test(owners, sockets_of_this_process)
{
	struct bpe_owners *owners = open_owners();
	struct bpe_owner_answer answers[4];
	uint16_t server, client, datagram;
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (!owners)
		return;
	const int listening = bind_loopback(SOCK_STREAM, &server);
	const int connected = bind_loopback(SOCK_STREAM, &client);
	const int udp = bind_loopback(SOCK_DGRAM, &datagram);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(server);
	cr_assert_eq(listen(listening, 1), 0);
	cr_assert_eq(connect(connected, (struct sockaddr *)&to, sizeof to), 0);
	struct bpe_owner_question questions[4] = { make_question(6, client, server),
		make_question(6, 9, server), make_question(17, datagram, 53),
		make_question(6, 9, 9) };

	memcpy(questions[1].addr[0], "\xc0\0\2\1", 4); /* a client elsewhere */
	memcpy(questions[3].addr[0], "\xc0\0\2\1", 4);
	memcpy(questions[3].addr[1], "\xc0\0\2\2", 4);
	cr_assert_eq(bpe_owners_ask(owners, questions, answers, 4), BPE_OK);
	for (int k = 0; k < 3; k++)
		expect_own(&answers[k]);
	cr_expect_eq(answers[1].end, 1);
	cr_expect_eq(answers[3].owner, BPE_OWNER_NONE, "between two other hosts");
	cr_expect_eq(answers[3].pid, -1);
	close(listening);
	close(connected);
	close(udp);
	bpe_owners_close(owners);
}

Test(owners, wrong_arguments)
{
	struct bpe_owners *owners = open_owners();
	struct bpe_owner_answer answer;

	cr_expect_eq(bpe_owners_open(NULL, NULL), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_owners_ask(NULL, NULL, &answer, 1), BPE_E_ARGUMENT);
	bpe_owners_close(NULL);
	if (!owners)
		return;
	cr_expect_eq(bpe_owners_ask(owners, NULL, &answer, 1), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_owners_ask(owners, NULL, NULL, 0), BPE_OK);
	bpe_owners_close(owners);
}
