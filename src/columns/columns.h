/* SPDX-License-Identifier: MIT */
/* Flow records gathered column by column, in the layout of Arrow's C data interface.
 *
 * A single table, bpei_column_plans, says of each column the name, the format, and where the value
 * is in a record.  The schema, the adding of rows and the documents share the table.
 *
 * Rows are staged in blocks of 64.  The numbers of a block are copied column by column, and so are
 * the words of a small set.  Other texts go to their columns at once.  A column without a value in
 * many rows costs nothing there: the column is padded when the next value comes. */
#ifndef BPEI_COLUMNS_H
#define BPEI_COLUMNS_H

#include "bpfengine.h"

#define BPEI_COLUMN_BLOCK 64u
#define BPEI_COLUMN_COUNT 112
#define BPEI_COLUMN_ALIGN 64u
#define BPEI_MADE_BYTES 48u /* most bytes of a made text */
#define BPEI_COMMUNITY_BLOCK 64u
#define BPEI_COMMUNITY_BYTES 30u

/* Which values of a record are known; a bit of bpei_staged.known each. */
enum bpei_known {
	BPEI_KNOWN_ALWAYS,
	BPEI_KNOWN_VLAN,
	BPEI_KNOWN_INNER_VLAN,
	BPEI_KNOWN_LENGTHS,
	BPEI_KNOWN_ICMP,
	BPEI_KNOWN_TCP,
	BPEI_KNOWN_HEALTH,
	BPEI_KNOWN_CLIENT_RTT,
	BPEI_KNOWN_SERVER_RTT,
	BPEI_KNOWN_CLIENT_ACK_RTT,
	BPEI_KNOWN_SERVER_ACK_RTT,
	BPEI_KNOWN_ORIG_MSS,
	BPEI_KNOWN_RESP_MSS,
	BPEI_KNOWN_ORIG_SCALE,
	BPEI_KNOWN_RESP_SCALE,
	BPEI_KNOWN_INTERFACE_INDEX,
	BPEI_KNOWN_INTERFACE_ID,
	BPEI_KNOWN_PID,
	BPEI_KNOWN_EFFECTIVE_PID,
	BPEI_KNOWN_TUNNEL,
	BPEI_KNOWN_TUNNEL_ID,
	BPEI_KNOWN_TUNNEL_ADDRESS,
	BPEI_KNOWN_CUTOFF,
	BPEI_KNOWN_OTHERS_COUNT,
	BPEI_KNOWN_NAME_AGE,
	BPEI_KNOWN_NAME_TTL,
	BPEI_KNOWN_TLS_VERSION,
	BPEI_KNOWN_TLS_CIPHER,
	BPEI_KNOWN_QUIC_VERSION,
	BPEI_KNOWN_HTTP_STATUS,
	BPEI_KNOWN_UID,
	BPEI_KNOWN_COUNT
};

/* Columns of words, by their place in bpei_staged.codes. */
enum bpei_worded {
	BPEI_WORDED_PROTO,
	BPEI_WORDED_TCP_STATE,
	BPEI_WORDED_ORIG_FLAGS,
	BPEI_WORDED_RESP_FLAGS,
	BPEI_WORDED_DIRECTION,
	BPEI_WORDED_END,
	BPEI_WORDED_TUNNEL,
	BPEI_WORDED_APP,
	BPEI_WORDED_SOURCE,
	BPEI_WORDED_ECH,
	BPEI_WORDED_OWNER,
	BPEI_WORDED_COUNT
};

/* Where the words of a kind begin in bpei_columns.words.  Word 0 is no word: null. */
enum bpei_words {
	BPEI_WORDS_NULL = 0,
	BPEI_WORDS_PROTO = 1, /* of IPv6 and others; then 256 of IPv4 */
	BPEI_WORDS_TCP_STATE = BPEI_WORDS_PROTO + 512,
	BPEI_WORDS_TCP_FLAGS = BPEI_WORDS_TCP_STATE + 256,
	BPEI_WORDS_END = BPEI_WORDS_TCP_FLAGS + 256,
	BPEI_WORDS_TUNNEL = BPEI_WORDS_END + 256,
	BPEI_WORDS_APP = BPEI_WORDS_TUNNEL + 256,
	BPEI_WORDS_SOURCE = BPEI_WORDS_APP + 256,
	BPEI_WORDS_OWNER = BPEI_WORDS_SOURCE + 256,
	BPEI_WORDS_OFFERED = BPEI_WORDS_OWNER + 256,
	BPEI_WORDS_OUTER,
	BPEI_WORDS_PORT,
	BPEI_WORDS_COUNT
};

/* Returns 64 bits of a bitmap as they lie in memory: Arrow's bitmaps are bytes, and row 0 is the
 * lowest bit of the first byte. */
static inline uint64_t bpei_bitmap_word(uint64_t bits)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(bits);
#else
	return bits;
#endif
}

/* A word of at most 22 bytes.  All bytes are copied, and `length` of them count. */
struct bpei_word {
	char text[22];
	uint8_t length;
	bool is_known; /* false: the row is null */
};

/* How the value of a column is made. */
enum bpei_column_kind {
	BPEI_COLUMN_NUMBER,   /* a member of the record, copied */
	BPEI_COLUMN_FLAG,     /* a bit of a member */
	BPEI_COLUMN_WORD,     /* a word of a small set */
	BPEI_COLUMN_TEXT,     /* a text of the record */
	BPEI_COLUMN_MADE,     /* a text that a function writes */
	BPEI_COLUMN_COMMUNITY /* the Community ID, made for a block of rows */
};

struct bpei_columns_recent;

/* Writes the text of a column to `room`, which has BPEI_MADE_BYTES.  Returns the length; 0:
 * unknown. */
typedef size_t (*bpei_make_fn)(struct bpei_columns_recent *recent, const struct bpe_flow *flow,
	char room[BPEI_MADE_BYTES]);

/* A column, as the table has it. */
struct bpei_column_plan {
	const char *name;   /* CSV's, but for spans, which end in _ns */
	const char *format; /* of Arrow */
	const char *help;
	enum bpei_column_kind kind;
	enum bpei_known known;
	bool keeps_empty;  /* TEXT: an empty text is known */
	uint32_t from;     /* NUMBER, FLAG: place in bpei_staged; TEXT: in bpe_flow; WORD: worded */
	uint32_t bytes;    /* NUMBER: width; TEXT: room of the text */
	uint32_t bit;      /* FLAG: the bit in the member */
	bpei_make_fn make; /* MADE */
};
extern const struct bpei_column_plan bpei_column_plans[BPEI_COLUMN_COUNT];

/* The parts of a record that hold numbers: all before interface_name, pid and effective_pid, and
 * from handshake_ns to the texts of names. */
#define BPEI_STAGED_HEAD offsetof(struct bpe_flow, interface_name)
#define BPEI_STAGED_PIDS offsetof(struct bpe_flow, pid)
#define BPEI_STAGED_TEXTS offsetof(struct bpe_flow, comm)
#define BPEI_STAGED_TAIL offsetof(struct bpe_flow, handshake_ns)
#define BPEI_STAGED_END (offsetof(struct bpe_flow, names) + offsetof(struct bpe_flow_names, server))
#define BPEI_STAGED_BYTES                                                                          \
	(BPEI_STAGED_END - (BPEI_STAGED_TAIL - BPEI_STAGED_TEXTS) -                                \
		(BPEI_STAGED_PIDS - BPEI_STAGED_HEAD))
/* The place of a record's byte in bpei_staged.bytes. */
#define BPEI_STAGED_AT(at)                                                                         \
	((at) - (BPEI_STAGED_PIDS - BPEI_STAGED_HEAD) * ((at) >= BPEI_STAGED_PIDS) -               \
		(BPEI_STAGED_TAIL - BPEI_STAGED_TEXTS) * ((at) >= BPEI_STAGED_TAIL))

/* A row that waits for its block to be full. */
struct bpei_staged {
	uint8_t bytes[BPEI_STAGED_BYTES];
	uint64_t known; /* bits of enum bpei_known */
	uint16_t codes[BPEI_WORDED_COUNT];
	bool has_community;
	uint8_t message[BPEI_COMMUNITY_BLOCK]; /* has_community: for SHA-1, padded */
};

/* A column's rows so far.  Rows from `filled` on are null, or 0 for numbers. */
struct bpei_column {
	void *values;     /* numbers, bits, or bytes of texts; NULL: no value so far */
	int32_t *offsets; /* texts: room for c->room + 1 */
	uint64_t *valid;  /* texts: bits */
	uint64_t filled;
	size_t text_room; /* bytes of texts that fit into values */
};

/* The latest texts of addresses.  A hash of the address chooses the place of a text. */
#define BPEI_RECENT_ADDRESSES 256u
struct bpei_columns_recent {
	struct {
		uint8_t addr[16];
		uint8_t length; /* 0: empty */
		char text[47];
	} addresses[BPEI_RECENT_ADDRESSES];
	struct {
		char text[4]; /* "255." */
		uint32_t length;
	} octets[256];
};

/* Columns by kind, in the order of the table. */
struct bpei_column_list {
	uint8_t of[BPEI_COLUMN_COUNT];
	uint32_t count;
};

struct bpe_columns {
	struct bpei_columns_store *store;
	struct bpei_column columns[BPEI_COLUMN_COUNT];
	uint64_t *known[BPEI_KNOWN_COUNT]; /* bits of the rows; [ALWAYS] is not used */
	uint64_t rows, room;               /* room: rows that the allocated columns have room for */
	uint32_t staged;                   /* rows of the last block, below BPEI_COLUMN_BLOCK */
	uint64_t groups;                   /* known groups that have memory */
	uint32_t worded;                   /* columns of words that have memory */
	struct bpei_column_list numbers, flags, texts;
	uint8_t worded_column[BPEI_WORDED_COUNT];
	uint8_t community_column;
	char base64[4096][2]; /* of 12 bits */
	struct bpei_word word[BPEI_WORDS_COUNT];
	struct bpei_columns_recent recent;
	struct bpei_staged block[BPEI_COLUMN_BLOCK];
	struct bpe_flow waiting; /* a record of an engine that found no memory */
	bool has_waiting;
};

/* ---- words.c ---- */

/* Fills the words and the octets. */
void bpei_columns_fill_words(struct bpe_columns *columns);

/* ---- made.c ---- */

size_t bpei_make_src(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_dst(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_conn_state(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_tunnel_src(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_tunnel_dst(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_tls_version(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_tls_cipher(struct bpei_columns_recent *, const struct bpe_flow *, char *);
size_t bpei_make_quic_version(struct bpei_columns_recent *, const struct bpe_flow *, char *);

/* ---- community.c ---- */

/* Keeps what the row's Community ID is made of. */
void bpei_columns_stage_community(struct bpei_staged *row, const struct bpe_flow *flow);
/* Writes the IDs of the n staged rows one behind the other, BPEI_COMMUNITY_BYTES each.  Returns the
 * rows that have an ID, as bits. */
uint64_t bpei_columns_write_communities(const struct bpe_columns *columns, uint32_t n, char *to);

/* ---- store.c ---- */

/* Where released buffers wait.  A slot keeps one buffer: of a column (numbers, texts: bits, values,
 * offsets), or the bits of a known group. */
struct bpei_columns_store;
#define BPEI_SLOT(column, buffer) ((column) * 3u + (buffer))
#define BPEI_KNOWN_SLOT(group) (BPEI_SLOT(BPEI_COLUMN_COUNT, 0) + (group))
#define BPEI_SLOTS BPEI_KNOWN_SLOT(BPEI_KNOWN_COUNT)

/* Returns bytes rounded up to whole lines, at least one. */
static inline size_t bpei_columns_padded(size_t bytes)
{
	return (bytes + !bytes + BPEI_COLUMN_ALIGN - 1) / BPEI_COLUMN_ALIGN * BPEI_COLUMN_ALIGN;
}

/* Makes a store with a holder, the columns.  NULL without memory. */
struct bpei_columns_store *bpei_columns_store_open(void);
/* Adds a holder, or takes one away; the last one frees the store. */
void bpei_columns_store_hold(struct bpei_columns_store *store);
void bpei_columns_store_leave(struct bpei_columns_store *store);
/* Frees the kept buffers, keeps none from now on, and leaves. */
void bpei_columns_store_close(struct bpei_columns_store *store);
/* Returns memory of at least `bytes`, aligned and padded as Arrow recommends, or NULL. */
void *bpei_columns_alloc(struct bpei_columns_store *store, uint32_t slot, size_t bytes);
/* Returns the bytes of such memory; NULL: 0. */
size_t bpei_columns_bytes(const void *memory);
void bpei_columns_drop(void *memory);
/* Keeps the memory for the next that wants the slot.  NULL is allowed.  Any thread. */
void bpei_columns_give_back(struct bpei_columns_store *store, uint32_t slot, void *memory);

/* ---- rooms.c ---- */

/* Makes room for the rows of a block in all columns that have memory.  Returns false without
 * memory; the columns are unharmed. */
bool bpei_columns_reserve(struct bpe_columns *columns);
/* Gives memory to the columns of known groups and of words.  Returns false without memory. */
bool bpei_columns_begin_groups(struct bpe_columns *columns, uint64_t groups);
bool bpei_columns_begin_words(struct bpe_columns *columns, uint32_t worded);
bool bpei_columns_begin_communities(struct bpe_columns *columns);
/* Makes room for a text of n bytes in column i, of texts.  Returns false without memory, or if the
 * column would exceed 2 GiB. */
bool bpei_columns_reserve_text(struct bpe_columns *columns, uint32_t i, size_t n);
/* Pads a column of texts with nulls up to `rows`. */
void bpei_column_pad_text(struct bpei_column *column, uint64_t rows);
/* Makes the rows from `rows` on null. */
void bpei_column_cut_text(struct bpei_column *column, uint64_t rows);
/* Frees all rows; the columns are as if just opened. */
void bpei_columns_forget(struct bpe_columns *columns);

/* ---- gather.c ---- */

/* Writes the staged rows to their columns.  The block stays: the same rows may be written again. */
void bpei_columns_flush(struct bpe_columns *columns);

#endif
