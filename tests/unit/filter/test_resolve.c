/* SPDX-License-Identifier: MIT */
/* Names, with a double of the system's resolver, which counts the questions. */
#include "bpfengine.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int asked;

/* Resolves two.example to an IPv4 and an IPv6 address, which change with each question.  No other
 * name is known. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **result)
{
	static struct sockaddr_in four;
	static struct sockaddr_in6 six;
	static struct addrinfo list[2];

	(void)service;
	(void)hints;
	if (!name || strcmp(name, "two.example") != 0) {
		asked += name && strstr(name, ".example");
		return EAI_NONAME;
	}
	asked++;
	four = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a000000 + (uint32_t)asked) };
	six = (struct sockaddr_in6){ .sin6_family = AF_INET6,
		.sin6_addr.s6_addr = { 0x20, 1, [15] = (uint8_t)asked } };
	list[0] = (struct addrinfo){
		.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&four, .ai_next = &list[1]
	};
	list[1] = (struct addrinfo){ .ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&six };
	*result = list;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

Test(resolve, a_name_is_resolved_once_for_all_shapes)
{
	struct bpe_filter_options o;
	struct bpe_insn *program, *plain;
	uint32_t length, plain_length;
	struct bpe_error e;
	bpe_filter_options_init(&o);
	cr_assert_eq(bpe_filter_compile_with(
			     "host two.example or src host two.example", &o, &program, &length, &e),
		BPE_OK, "%s", e.text);
	cr_expect_eq(asked, 1);
	cr_assert_eq(
		bpe_filter_compile_with(
			"host 10.0.0.1 or host 2001::1 or (src host 10.0.0.1 or src host 2001::1)",
			&o, &plain, &plain_length, &e),
		BPE_OK, "%s", e.text);
	cr_expect(length == plain_length && !memcmp(program, plain, length * sizeof *plain));
	bpe_filter_free(program);
	bpe_filter_free(plain);

	o.through = 0xff;
	cr_assert_eq(bpe_filter_compile_with("host two.example", &o, &program, &length, &e), BPE_OK,
		"%s", e.text);
	cr_expect_eq(asked, 2, "once more, for another expression");
	bpe_filter_free(program);
	cr_expect_eq(bpe_filter_compile_with("inner(host none.example) or host none.example", &o,
			     &program, &length, &e),
		BPE_E_ARGUMENT);
	cr_expect(strstr(e.text, "unknown host"), "%s", e.text);
	cr_expect_eq(asked, 3, "an unknown name is not resolved again");
}
