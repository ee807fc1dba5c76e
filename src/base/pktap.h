/* SPDX-License-Identifier: MIT */
/* Where the fields of macOS's PKTAP header lie, version 1 (xnu-11417, bsd/net/pktap.h: struct
 * pktap_header), in little-endian order on every Mac there is; and its flags, which version 2 has
 * at the same place.  For those who read the header and those who filter on it. */
#ifndef BPEI_PKTAP_H
#define BPEI_PKTAP_H

enum {
	PKTAP_LENGTH = 0,
	PKTAP_DLT = 8,
	PKTAP_IFNAME = 12,
	PKTAP_FLAGS = 36,
	PKTAP_PID = 52,
	PKTAP_COMM = 56,
	PKTAP_SVC = 76,
	PKTAP_EPID = 84,
	PKTAP_ECOMM = 88,
	PKTAP_FLOW = 108,
	PKTAP_UUID = 124,
	PKTAP_EUUID = 140,
	PKTAP_V1_BYTES = 156
};
enum { PKTAP_IFNAME_BYTES = 24, PKTAP_COMM_BYTES = 17 };
enum {
	PKTAP_IN = 1,
	PKTAP_OUT = 2,
	PKTAP_DELAYED = 0x1000,
	PKTAP_NEW_FLOW = 0x4000,
	PKTAP_RETRANSMIT = 0x8000,
	PKTAP_KEEP_ALIVE = 0x10000,
	PKTAP_SOCKET = 0x20000,
	PKTAP_NEXUS = 0x40000,
	PKTAP_V2 = 0x80000,
	PKTAP_WAKE = 0x100000
};

#endif
