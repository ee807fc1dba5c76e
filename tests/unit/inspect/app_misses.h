/* SPDX-License-Identifier: MIT */
/* Payloads with a likeness to a protocol, of no protocol with a sample. */
#ifndef APP_MISSES_H
#define APP_MISSES_H

#include "app_samples.h"

#define TCP BPE_APP_NONE, BPEI_OVER_TCP, 0, BPEI_NOT, false
#define UDP BPE_APP_NONE, BPEI_OVER_UDP, 0, BPEI_NOT, false

static const struct app_sample app_misses[] = {
	/* HTTP: another version, a word more, small letters, a control byte, ICAP. */
	{ TCP, false, 0, "GET / HTTP/2.0\r\n\r\n" },
	{ TCP, false, 0, "GET /\r\n" },
	{ TCP, false, 0, "get / HTTP/1.1\r\n\r\n" },
	{ TCP, false, 0, "GET /\001 HTTP/1.1\r\n\r\n" },
	{ TCP, false, 0, "GET HTTP/1.1\r\n\r\n" },
	{ TCP, false, 0, "RESPMOD icap://icap.example.net/f ICAP/1.0\r\nHost: x\r\n\r\n" },
	{ TCP, false, 0, "HTTP/1.1 20 OK\r\n\r\n" },
	{ TCP, false, 0, "HTTP/1.1 200OK\r\n\r\n" },
	{ TCP, false, 0, "HTTP/1.7 200 OK\r\n\r\n" },
	{ UDP, false, 0, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n" },
	/* HTTP/2: a preface with a fault; settings out of range, and none. */
	{ TCP, false, 0, "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n" },
	{ TCP, true, 0, "000006040000000000000200000002000000040100000000" },
	{ TCP, true, 0, "000000040000000000000000040100000000" },
	{ TCP, true, 0, "000006040000000000000300000080000000050100000000" },
	/* SSH: no version of the protocol, no end. */
	{ TCP, false, 0, "SSH-\r\n" },
	{ TCP, false, 0, "SSH-3.0-x\r\n" },
	{ TCP, false, 0, "SSH-2.0-OpenSSH" },
	{ TCP, false, 0, "SSH keys and how to keep them\r\n" },
	/* SMTP and FTP: a greeting of neither, a number, NNTP, a command with a fault. */
	{ TCP, false, 0, "220 example.com ready\r\n" },
	{ TCP, false, 0, "220 smtp.example.com ready\r\n221 bye\r\n" },
	{ TCP, false, 0, "200 news.example.com InterNetNews NNRP server ready\r\n" },
	{ TCP, false, 0, "2200 SMTP\r\n" },
	{ TCP, false, 0, "220SMTP\r\n" },
	{ TCP, false, 0, "EHLO\r\n" },
	{ TCP, false, 0, "EHLOX there\r\n" },
	{ TCP, false, 0, "USER guest 0 * :Ronnie Reagan\r\n" },
	{ TCP, false, 0, "USER guest\r\nPASS secret\r\nNICK guest\r\n" },
	{ TCP, false, 0, "AUTH hello\r\n" },
	{ TCP, false, 0, "FEAT of strength\r\n" },
	/* POP3 and IMAP: replies alone, a tag with a word of no command, ManageSieve. */
	{ TCP, false, 0, "+OK\r\n" },
	{ TCP, false, 0, "+OK fine\r\n" },
	{ TCP, false, 0, "+OK\r\n+OK\r\n" },
	{ TCP, false, 0, "+PONG\r\n" },
	{ TCP, false, 0, "CAPABILITY\r\n" },
	{ TCP, false, 0, "* OK fine\r\n" },
	{ TCP, false, 0, "* a list\r\n" },
	{ TCP, false, 0, "a LOGINS x y\r\n" },
	{ TCP, false, 0, "please login\r\n" },
	{ TCP, false, 0, "a noop\r\n" },
	{ TCP, false, 0, "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n" },
	/* SIP and RTSP: no field behind, another URI, another version. */
	{ UDP, false, 0, "INVITE sip:bob@biloxi.com SIP/2.0\r\n" },
	{ UDP, false, 0, "INVITE sip:bob@biloxi.com SIP/2.0\r\nnothing\r\n" },
	{ UDP, false, 0, "INVITE bob SIP/2.0\r\nVia: x\r\n" },
	{ UDP, false, 0, "SIP/2.0 999 What\r\nVia: x\r\n" },
	{ UDP, false, 0, "invite sip:bob@biloxi.com SIP/2.0\r\nVia: x\r\n" },
	{ TCP, false, 0, "DESCRIBE ftp://foo.com/bar RTSP/1.0\r\nCSeq: 1\r\n" },
	{ TCP, false, 0, "RTSP/1.0 900 OK\r\nCSeq: 1\r\n" },
	{ TCP, false, 0, "RTSP/1.0 200 OK\r\n" },
	/* MQTT: another name, a reserved flag, a length too short and too long; CONNACK alone. */
	{ TCP, true, 0, "101000044d5154580402003c0004" },
	{ TCP, true, 0, "100e00044d5154540403003c00026d65" },
	{ TCP, true, 0, "100d00044d5154540402003c00026d65" },
	{ TCP, true, 0, "100f00044d5154540402003c00026d6500" },
	{ TCP, true, 0, "100e00044d5154540602003c00026d65" },
	{ TCP, true, 0, "20020000" },
	{ TCP, true, 0, "200200009100" },
	/* PostgreSQL: no user, a text without an end, another number, an answer alone. */
	{ TCP, true, 0, "00000013000300006461746100757365720000" },
	{ TCP, true, 0, "00000013000300007573657200626f62627900" },
	{ TCP, true, 0, "0000000804d2162d" },
	{ TCP, true, 0, "53" },
	{ TCP, true, 0, "5316030100" },
	{ TCP, true, 0, "520000000d00000005aabbccdd" },
	{ TCP, true, 0, "450000002053574152460000000000000000000000000000" },
	/* MySQL: another version, a zero in the salt, bytes where zeros are. */
	{ TCP, true, 0, "2c000000090035352e322d6d32000b00000064764840" },
	{ TCP, true, 0,
		"2000000185ae0f00000000010800000000000000000100000000000000000000000001ff" },
	{ TCP, true, 0,
		"20000001850c0f000000000108000000000000000001000000000000000000000000ffff" },
	/* Redis: no count, an empty array, a first string without letters, a wrong length. */
	{ TCP, false, 0, "*\r\n$4\r\nPING\r\n" },
	{ TCP, false, 0, "*0\r\n" },
	{ TCP, false, 0, "*1\r\n$4\r\n1234\r\n" },
	{ TCP, false, 0, "*1\r\n$5\r\nPING\r\n" },
	{ TCP, false, 0, "$4\r\nPING\r\n" },
	{ TCP, false, 0, "-ERR\r\n" },
	{ TCP, false, 0, "*1\n$4\nPING\n" },
	/* SOCKS: greetings alone; DCE/RPC; no address; a port of 0; a name without letters. */
	{ TCP, true, 0, "050100" },
	{ TCP, true, 0, "0500" },
	{ TCP, true, 0, "05000b03100000004800000001000000" },
	{ TCP, true, 0, "05010005010002c00002010050" },
	{ TCP, true, 0, "05010005040001c00002010050" },
	{ TCP, true, 0, "040100004266076300" },
	{ TCP, true, 0, "04010050e000000100" },
	{ TCP, true, 0, "0401005000000001467265640000" },
	{ TCP, true, 0, "0401005042660763ff00" },
	{ TCP, true, 0, "04010050426607630001020304" },
	{ TCP, true, 0, "005a00504266076300" },
	/* BitTorrent: a letter wrong; uTP alone, with jumping numbers, with equal times; no
	   dictionary. */
	{ TCP, false, 0, "\023BitTorrent Protocol" },
	{ UDP, true, 0, "410012340001e240000000000010000000010000" },
	{ UDP, true, 0, "410012340001e240000000000010000000010000" },
	{ UDP, true, 0,
		"2100123500100000000000050010000080010009|21001235001000010000000500100000900"
		"10009|2100123500100002000000050010000090020009" },
	{ UDP, true, 0,
		"4100123400100000000000000010000000010000|21001235001000000000000500100000000"
		"10009|2100123500100000000000050010000000010009" },
	{ UDP, false, 0,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:x"
		"e" },
	{ UDP, false, 0, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q" },
	{ UDP, false, 0, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe!" },
	{ UDP, false, 0, "d1:ad2:id99:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe" },
	{ UDP, true, 0, "00000417271019800000000112345678" },
	/* NTP: 47 bytes, a far poll, a distance of days, a server without times, a server's times
	   in reverse. */
	{ UDP, true, 0,
		"e30006ec00000000000000000000000000000000000000000000000000000000000000000000"
		"0000c50204eceec42e" },
	{ UDP, true, 0,
		"e30044ec00000000000000000000000000000000000000000000000000000000000000000000"
		"0000c50204eceec42ee9" },
	{ UDP, true, 0,
		"e30006ec01000000000000000000000000000000000000000000000000000000000000000000"
		"0000c50204eceec42ee9" },
	{ UDP, true, 0,
		"240106e9000004a000000c3c4750530000000000000000000000000000000000000000000000"
		"00000000000000000000" },
	{ UDP, true, 0,
		"240106e9000004a000000c3c47505300c50204e236f44a12c50204eceec42ee9c50204ebcf4c"
		"6e6ec50204ebcf4959e6" },
	{ UDP, true, 0, "160200010000000000000000" },
	/* SNMP: version 2, a length beyond, a length short, a binding of another kind, another PDU.
	 */
	{ UDP, true, 0, "302902010204067075626c6963a01c0201260201000201003011300f060b2b06010201" },
	{ UDP, true, 0, "302902010104067075626c6963a01c" },
	{ UDP, true, 0, "300c020101040370756201020304" },
	{ UDP, true, 0, "301a0201010403707562a01002010102010002010030053003020101" },
	{ UDP, true, 0, "300f0201010403707562b0050201010500" },
	/* STUN: another magic number, a false length, attributes beyond the end. */
	{ UDP, true, 0, "000100002112a443b7e7a701bc34d686fa87dfae" },
	{ UDP, true, 0, "000100042112a442b7e7a701bc34d686fa87dfae" },
	{ UDP, true, 0, "000100082112a442b7e7a701bc34d686fa87dfae8022000800000000" },
	{ UDP, true, 0, "0001000001020304b7e7a701bc34d686fa87dfae" },
	{ UDP, true, 0, "c00100002112a442b7e7a701bc34d686fa87dfae" },
	{ UDP, true, 0, "0101000801020304b7e7a701bc34d686fa87dfae0001000400000000" },
	/* WireGuard: the length of another type, zeros where keys are, data once. */
	{ UDP, true, 0,
		"0100000011223344000000000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000000000000" },
	{ UDP, true, 0, "04000000112233440500000000000000a1a2a3a4a5a6a7a8a9aaabacadaeafb0" },
	{ UDP, true, 0,
		"04000000112233440500000000000000a1a2a3a4a5a6a7a8a9aaabacadaeafb0|04000000112"
		"233440500000000000000a1a2a3a4a5a6a7a8a9aaabacadaeafb0|0400000011223344050000"
		"0000000000a1a2a3a4a5a6a7a8a9aaabacadaeafb0" },
	{ UDP, true, 0, "020000001122334455667788a1a2a3a4a5a6a7a8a9aaabacadaeafb0" },
};
#define APP_MISSES (sizeof app_misses / sizeof *app_misses)

#undef TCP
#undef UDP

#endif
