/* SPDX-License-Identifier: MIT */
/* Addresses and endpoints as text.  Pure. */
#include "bpfengine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(BPE_ADDRESS_TEXT_BYTES >= INET6_ADDRSTRLEN, "the longest address");
_Static_assert(BPE_ENDPOINT_TEXT_BYTES >= INET6_ADDRSTRLEN + sizeof "[]:65535" - 1,
	"the longest endpoint");

/* Copies a text with its final 0.  Returns the length, or BPE_E_ARGUMENT without enough room. */
static int give_text(const char *from, size_t length, char *text, size_t size)
{
	if (!text || length >= size)
		return BPE_E_ARGUMENT;
	memcpy(text, from, length + 1);
	return (int)length;
}

int bpe_address_text(const uint8_t addr[16], uint32_t ip_version, char *text, size_t size)
{
	char whole[INET6_ADDRSTRLEN];

	if (ip_version != 4 && ip_version != 6)
		return BPE_E_ARGUMENT;
	if (!inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, addr, whole, sizeof whole))
		return BPE_E_ARGUMENT;
	return give_text(whole, strlen(whole), text, size);
}

int bpe_endpoint_text(
	const uint8_t addr[16], uint32_t ip_version, uint16_t port, char *text, size_t size)
{
	char address[BPE_ADDRESS_TEXT_BYTES];
	char whole[BPE_ENDPOINT_TEXT_BYTES];
	const int length = bpe_address_text(addr, ip_version, address, sizeof address);

	if (length < 0)
		return length;
	if (!port)
		return give_text(address, (size_t)length, text, size);
	const char *const format = ip_version == 6 ? "[%s]:%u" : "%s:%u";
	const int n = snprintf(whole, sizeof whole, format, address, (unsigned)port);

	return give_text(whole, (size_t)n, text, size);
}
