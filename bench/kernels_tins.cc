// SPDX-License-Identifier: MIT
// libtins's parse of the packets of bench/kernels_road.c, each from memory, down to TCP or UDP and
// its ports.
#include <cstdint>
#include <cstdlib>
#include <tins/tins.h>
#include <vector>

namespace
{
std::vector<std::vector<uint8_t>> packets;
volatile uint64_t kept;
} // namespace

extern "C" void kernels_tins_add(const uint8_t *packet, uint32_t caplen)
{
	packets.emplace_back(packet, packet + caplen);
}
extern "C" void kernels_tins_end(void)
{
	packets.clear();
}

extern "C" uint64_t kernels_tins_round(void)
{
	uint64_t n = 0, sum = 0;
	for (const auto &p : packets) {
		try {
			Tins::EthernetII frame(p.data(), static_cast<uint32_t>(p.size()));
			if (const auto *tcp = frame.find_pdu<Tins::TCP>())
				sum += tcp->sport() + tcp->dport();
			else if (const auto *udp = frame.find_pdu<Tins::UDP>())
				sum += udp->sport() + udp->dport();
		} catch (const std::exception &) { // it throws on what it takes for damaged
		}
		n++;
	}
	kept = sum;
	return n;
}
