/* SPDX-License-Identifier: MIT */
/* Shared by the tests of bpfengine.hpp: counted checks, and savefiles with known contents. */
#ifndef CHECK_HPP
#define CHECK_HPP

#include <bpfengine.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

namespace test
{
inline std::atomic<int> passed{ 0 };
inline std::atomic<int> failed{ 0 };

/* Counts a check, and prints where a check failed. */
inline void check(bool good, const char *what, const char *file, int line)
{
	(good ? passed : failed)++;
	if (!good)
		std::printf("%s:%d: failed: %s\n", file, line, what);
}
#define MISSED(text) test::check(false, text, __FILE__, __LINE__)
#define CHECK(condition) test::check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

/* Prints the last line of a test and returns the exit code of the program. */
inline int finish()
{
	std::printf("%d passed, %d failed\n", passed.load(), failed.load());
	return failed || !passed;
}

inline void put_le(std::string &to, std::uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to.push_back(char(value >> (8 * i) & 0xff));
}

/* Returns the head of a pcap savefile of Ethernet packets, with times in microseconds. */
inline std::string pcap_head()
{
	std::string head;
	put_le(head, 0xa1b2c3d4, 4);
	put_le(head, 2, 2);
	put_le(head, 4, 2);
	put_le(head, 0, 4);
	put_le(head, 0, 4);
	put_le(head, 65535, 4);
	put_le(head, 1, 4);
	return head;
}

/* Returns the record of an Ethernet packet with IPv4 from 128.232.110.120 to 66.35.250.204, the
 * addresses of Community ID's specification. */
inline std::string pcap_record(std::uint32_t second, int ip_proto, const std::string &inside)
{
	std::string packet("\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
	const std::size_t length = 20 + inside.size();
	packet += std::string("\x45\0", 2);
	packet.push_back(char(length >> 8));
	packet.push_back(char(length & 0xff));
	packet += std::string("\0\1\0\0\x40", 5);
	packet.push_back(char(ip_proto));
	packet += std::string("\0\0\x80\xe8\x6e\x78\x42\x23\xfa\xcc", 10);
	packet += inside;
	std::string record;
	put_le(record, second, 4);
	put_le(record, 5, 4);
	put_le(record, std::uint32_t(packet.size()), 4);
	put_le(record, std::uint32_t(packet.size()), 4);
	return record + packet;
}

/* Returns a savefile of three packets: a SYN from port 34855 to port 80 with the option MSS 1460,
 * a UDP packet from port 7 to port 9 with the payload "hello", and a packet of protocol 89. */
inline std::string three_packets()
{
	const std::string syn("\x88\x27\0\x50\0\0\0\1\0\0\0\0\x60\2\4\0\0\0\0\0\2\4\5\xb4", 24);
	const std::string udp("\0\7\0\x09\0\x0d\0\0hello", 13);
	return pcap_head() + pcap_record(100, 6, syn) + pcap_record(101, 17, udp) +
	       pcap_record(102, 89, std::string(26, '\0'));
}

/* A file that exists as long as the object. */
class temporary_file
{
      public:
	explicit temporary_file(const std::string &contents)
	{
		const int fd = mkstemp(path_);
		if (fd < 0 || write(fd, contents.data(), contents.size()) !=
				      static_cast<ssize_t>(contents.size())) {
			std::perror("temporary_file");
			std::exit(2);
		}
		close(fd);
	}
	temporary_file(const temporary_file &) = delete;
	temporary_file &operator=(const temporary_file &) = delete;
	~temporary_file()
	{
		unlink(path_);
	}
	std::string path() const
	{
		return path_;
	}

      private:
	char path_[32] = "/tmp/bpe_cpp_XXXXXX";
};
} // namespace test

#endif
