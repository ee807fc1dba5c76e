/* SPDX-License-Identifier: MIT */
/* Types, classes and results of DNS by name (IANA: "Domain Name System Parameters").  Pure. */
#include "names/names.h"

#include "bpfengine.h"

const char *bpei_dns_type_name(uint16_t type)
{
	static const struct {
		uint16_t number;
		const char *name;
	} types[] = {
		{ 1, "A" },
		{ 2, "NS" },
		{ 5, "CNAME" },
		{ 6, "SOA" },
		{ 12, "PTR" },
		{ 13, "HINFO" },
		{ 15, "MX" },
		{ 16, "TXT" },
		{ 17, "RP" },
		{ 18, "AFSDB" },
		{ 24, "SIG" },
		{ 25, "KEY" },
		{ 28, "AAAA" },
		{ 29, "LOC" },
		{ 33, "SRV" },
		{ 35, "NAPTR" },
		{ 36, "KX" },
		{ 37, "CERT" },
		{ 39, "DNAME" },
		{ 41, "OPT" },
		{ 42, "APL" },
		{ 43, "DS" },
		{ 44, "SSHFP" },
		{ 45, "IPSECKEY" },
		{ 46, "RRSIG" },
		{ 47, "NSEC" },
		{ 48, "DNSKEY" },
		{ 49, "DHCID" },
		{ 50, "NSEC3" },
		{ 51, "NSEC3PARAM" },
		{ 52, "TLSA" },
		{ 53, "SMIMEA" },
		{ 55, "HIP" },
		{ 59, "CDS" },
		{ 60, "CDNSKEY" },
		{ 61, "OPENPGPKEY" },
		{ 62, "CSYNC" },
		{ 63, "ZONEMD" },
		{ 64, "SVCB" },
		{ 65, "HTTPS" },
		{ 99, "SPF" },
		{ 108, "EUI48" },
		{ 109, "EUI64" },
		{ 249, "TKEY" },
		{ 250, "TSIG" },
		{ 251, "IXFR" },
		{ 252, "AXFR" },
		{ 255, "ANY" },
		{ 256, "URI" },
		{ 257, "CAA" },
	};

	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (types[k].number == type)
			return types[k].name;
	return NULL;
}

const char *bpei_dns_class_name(uint16_t class_)
{
	switch (class_) {
	case 1:
		return "IN";
	case 3:
		return "CH";
	case 4:
		return "HS";
	case 254:
		return "NONE";
	case 255:
		return "ANY";
	default:
		return NULL;
	}
}

const char *bpei_dns_rcode_name(uint8_t rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI" };

	return rcode < sizeof names / sizeof *names ? names[rcode] : NULL;
}

const char *bpei_dns_opcode_name(uint8_t opcode)
{
	static const char *const names[] = { "QUERY", "IQUERY", "STATUS", NULL, "NOTIFY", "UPDATE",
		"DSO" };

	return opcode < sizeof names / sizeof *names ? names[opcode] : NULL;
}
