/*
 * The format of the spool: what is written is read back, and of a file that
 * was cut or changed anywhere the longest valid prefix, nothing outside it
 * being looked at.
 */

#include <stdlib.h>
#include "tap.h"
#include "cx_spool.h"


#define RECORDS  5
#define STR(s)   { sizeof(s) - 1, (unsigned char *) s }


/* a segment of a few records; off[i] is where record i begins */

typedef struct {
    size_t         len;
    size_t         off[RECORDS + 1];
    unsigned char  data[1024];
} segment_t;


/* what a reader gets of it */

typedef struct {
    cx_spool_e       head;
    cx_spool_e       end;                /* OK: the last byte */
    unsigned         n;
    size_t           at;
    cx_spool_head_t  h;
    uint64_t         seq[RECORDS + 1];
} reading_t;


static cx_str_t  payloads[RECORDS] = {
    STR("$1\r\na\r\n"),
    STR("$0\r\n\r\n$3\r\nb\r\n\r\n"),
    STR("$12\r\n0123456789ab\r\n"),
    STR("$2\r\n$1\r\n$1\r\nx\r\n$1\r\ny\r\n"),
    STR("$5\r\n\0\0\0\0\0\r\n")
};

static unsigned  args[RECORDS] = { 1, 2, 1, 3, 1 };


static size_t
put(unsigned char *p, uint64_t seq, uint64_t ms, unsigned events,
    unsigned n, cx_str_t payload)
{
    cx_spool_record_t  rec;

    memset(&rec, 0, sizeof(rec));
    rec.seq = seq;
    rec.ms = ms;
    rec.events = events;
    rec.args = n;
    rec.payload = payload;

    cx_spool_record_write(p, &rec);
    memcpy(p + CX_SPOOL_RECORD, payload.data, payload.len);

    return CX_SPOOL_RECORD + payload.len;
}


static void
build(segment_t *s)
{
    unsigned         i;
    cx_spool_head_t  h = { STR("0123456789abcdefa"), 1, STR("shop/3"), 42 };

    s->len = cx_spool_head_write(s->data, &h);

    for (i = 0; i < RECORDS; i++) {
        s->off[i] = s->len;
        s->len += put(s->data + s->len, 10 + 3 * i, 1700000000000ull + i,
                      i + 1, args[i], payloads[i]);
    }

    s->off[RECORDS] = s->len;
}


/* in memory of its own, so that a sanitizer sees every byte too far */

static void
read_all(reading_t *r, const unsigned char *data, size_t len)
{
    size_t              size;
    unsigned char      *copy;
    cx_spool_record_t   rec;

    static char  text[2][64];

    memset(r, 0, sizeof(reading_t));

    copy = malloc(len ? len : 1);
    memcpy(copy, data, len);

    r->head = cx_spool_head_read(&r->h, copy, len, &size);
    r->end = r->head;

    if (r->head == CX_SPOOL_OK) {

        snprintf(text[0], sizeof(text[0]), "%.*s", (int) r->h.producer.len,
                 r->h.producer.data);
        snprintf(text[1], sizeof(text[1]), "%.*s", (int) r->h.stream.len,
                 r->h.stream.data);
        r->h.producer.data = (unsigned char *) text[0];
        r->h.stream.data = (unsigned char *) text[1];

        for (r->at = size; r->at < len && r->n <= RECORDS; r->at += size) {

            r->end = cx_spool_record_read(&rec, copy + r->at, len - r->at,
                                          &size);

            if (r->end != CX_SPOOL_OK) {
                break;
            }

            r->seq[r->n++] = rec.seq;
        }
    }

    free(copy);
}


static int
is_prefix(const reading_t *r, unsigned n)
{
    unsigned  i;

    if (r->head != CX_SPOOL_OK || r->n != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (r->seq[i] != 10 + 3 * i) {
            return 0;
        }
    }

    return 1;
}


static void
test_crc(void)
{
    size_t         i;
    unsigned char  zero[32], ones[32], up[32];

    memset(zero, 0, 32);
    memset(ones, 0xff, 32);

    for (i = 0; i < 32; i++) {
        up[i] = (unsigned char) i;
    }

    /* RFC 3720, B.4 */

    ok(cx_crc32c(0, zero, 32) == 0x8a9136aa, "32 bytes of zeros");
    ok(cx_crc32c(0, ones, 32) == 0x62a8ab43, "32 bytes of ones");
    ok(cx_crc32c(0, up, 32) == 0x46dd794e, "32 bytes that go up");
    ok(cx_crc32c(0, "123456789", 9) == 0xe3069283, "the usual check");
    ok(cx_crc32c(cx_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283,
       "in two parts");
    ok(cx_crc32c(0, "", 0) == 0, "nothing");
}


static void
test_whole(segment_t *s)
{
    size_t              size;
    unsigned            i, wrong;
    reading_t           r;
    cx_spool_record_t   rec;

    read_all(&r, s->data, s->len);

    ok(is_prefix(&r, RECORDS) && r.end == CX_SPOOL_OK && r.at == s->len,
       "all records are read");
    ok(r.h.lane == 1 && r.h.number == 42
       && strcmp((char *) r.h.producer.data, "0123456789abcdefa") == 0
       && strcmp((char *) r.h.stream.data, "shop/3") == 0, "and the head");

    wrong = 0;

    for (i = 0; i < RECORDS; i++) {
        wrong += cx_spool_record_read(&rec, s->data + s->off[i],
                                      s->len - s->off[i], &size)
                     != CX_SPOOL_OK
                 || size != s->off[i + 1] - s->off[i]
                 || rec.ms != 1700000000000ull + i || rec.events != i + 1
                 || rec.args != args[i] || rec.payload.len != payloads[i].len
                 || memcmp(rec.payload.data, payloads[i].data,
                           rec.payload.len) != 0;

        wrong += cx_spool_record_peek(&rec, s->data + s->off[i]) != size
                 || rec.seq != 10 + 3 * i || rec.events != i + 1;
    }

    ok(wrong == 0, "with all that was written");
}


static void
test_cut(segment_t *s)
{
    size_t          len;
    unsigned        n, wrong, damage;
    reading_t       r;
    unsigned char  *copy;

    wrong = 0;
    damage = 0;

    for (len = 0; len < s->len; len++) {

        read_all(&r, s->data, len);

        if (len < s->off[0]) {
            wrong += (r.head != CX_SPOOL_MORE);
            continue;
        }

        for (n = 0; s->off[n + 1] <= len; n++) { /* void */ }

        wrong += !is_prefix(&r, n) || r.at != s->off[n]
                 || r.end != (len == s->off[n] ? CX_SPOOL_OK : CX_SPOOL_MORE);

        if (len > s->off[n]) {
            copy = malloc(len - s->off[n]);
            memcpy(copy, s->data + s->off[n], len - s->off[n]);
            damage += cx_spool_damage(copy, len - s->off[n])
                      != CX_SPOOL_MORE;
            free(copy);
        }
    }

    ok(wrong == 0, "cut anywhere: the records before");
    ok(damage == 0, "and it is seen that it was cut");
}


static void
test_flip(segment_t *s)
{
    size_t          bit, at;
    unsigned        n, wrong, taken;
    reading_t       r;
    unsigned char   data[1024], *copy;

    wrong = 0;
    taken = 0;

    for (bit = 0; bit < s->len * 8; bit++) {
        at = bit / 8;

        memcpy(data, s->data, s->len);
        data[at] ^= 1 << bit % 8;

        read_all(&r, data, s->len);

        if (at < s->off[0]) {
            wrong += (r.head == CX_SPOOL_OK);
            continue;
        }

        for (n = 0; s->off[n + 1] <= at; n++) { /* void */ }

        wrong += !is_prefix(&r, n) || r.at != s->off[n]
                 || r.end == CX_SPOOL_OK;

        /* a length that points behind the end is no torn tail if there is a
           record after it */

        if (n < RECORDS - 1) {
            copy = malloc(s->len - s->off[n]);
            memcpy(copy, data + s->off[n], s->len - s->off[n]);
            taken += cx_spool_damage(copy, s->len - s->off[n])
                     != CX_SPOOL_BAD;
            free(copy);
        }
    }

    ok(wrong == 0, "any bit changed: the records before");
    ok(taken == 0, "and it is not taken for cut while others follow");
}


static void
test_tail(segment_t *s)
{
    size_t         len;
    reading_t      r;
    unsigned char  data[1024];

    memcpy(data, s->data, s->len);
    memset(data + s->len, 0, 100);

    read_all(&r, data, s->len + 100);
    ok(is_prefix(&r, RECORDS) && r.end == CX_SPOOL_BAD
       && cx_spool_damage(data + s->len, 100) == CX_SPOOL_MORE,
       "zeros behind: never written");

    data[s->len + 99] = 1;
    ok(cx_spool_damage(data + s->len, 100) == CX_SPOOL_BAD,
       "zeros and something: corrupt");

    memset(data + s->len, 0xff, 3);
    read_all(&r, data, s->len + 3);
    ok(is_prefix(&r, RECORDS) && r.end == CX_SPOOL_MORE, "three bytes behind");

    memset(data + s->len, 0xff, 4);
    read_all(&r, data, s->len + 4);
    ok(is_prefix(&r, RECORDS) && r.end == CX_SPOOL_BAD,
       "a length that cannot be, even cut");

    len = s->off[2] - s->off[0];
    memmove(data, s->data + s->off[0], len);
    ok(cx_spool_damage(data, len) == CX_SPOOL_OK, "nothing is wrong");
}


static void
test_record(const char *name, uint64_t seq, unsigned events, unsigned n,
    cx_str_t payload)
{
    size_t              size;
    cx_spool_e          rc;
    unsigned char      *p;
    cx_spool_record_t   rec;

    p = malloc(CX_SPOOL_RECORD + payload.len);
    size = put(p, seq, 1, events, n, payload);

    rc = cx_spool_record_read(&rec, p, size, &size);
    ok(rc == CX_SPOOL_BAD, "%s", name);

    free(p);
}


/* the checksum is right, and yet it must not go to Redis */

static void
test_payload(void)
{
    int                 n;
    size_t              size;
    cx_str_t            big;
    unsigned char      *p;
    cx_spool_record_t   rec;

    static const cx_str_t  good = STR("$1\r\na\r\n"), none = STR("");

    static const struct {
        const char  *name;
        cx_str_t     payload;
    } bad[] = {
        { "a command after the string",
          STR("$1\r\na\r\n*1\r\n$4\r\nPING\r\n") },
        { "a string too many", STR("$1\r\na\r\n$1\r\nb\r\n") },
        { "a length too short", STR("$0\r\na\r\n") },
        { "a length too long", STR("$2\r\na\r\n") },
        { "a length of many digits", STR("$00000001\r\na\r\n") },
        { "a huge length", STR("$9999999\r\na\r\n") },
        { "a negative length", STR("$-1\r\n") },
        { "no length", STR("$\r\na\r\n") },
        { "no end", STR("$1\r\na") },
        { "half an end", STR("$1\r\na\r") },
        { "another end", STR("$1\r\na\n\n") },
        { "no string", STR(":1\r\n") },
        { "nothing", STR("") }
    };

    for (size = 0; size < sizeof(bad) / sizeof(bad[0]); size++) {
        test_record(bad[size].name, 1, 1, 1, bad[size].payload);
    }

    test_record("no number", 0, 1, 1, good);
    test_record("no events", 1, 0, 1, good);
    test_record("no strings", 1, 1, 0, none);
    test_record("fewer strings than it says", 1, 1, 2, good);
    test_record("far fewer", 1, 1, 0xffffffff, good);

    /* as big as it may be, and bigger */

    big.len = CX_SPOOL_PAYLOAD_MAX;
    p = malloc(CX_SPOOL_RECORD + big.len + 1);
    big.data = malloc(big.len + 1);
    memset(big.data, 'x', big.len + 1);

    /* "$", digits and two line ends are 12 bytes */

    n = sprintf((char *) big.data, "$%d\r\n", CX_SPOOL_PAYLOAD_MAX - 12);
    big.data[n] = 'x';
    memcpy(big.data + big.len - 2, "\r\n", 2);

    size = put(p, 1, 1, 1, 1, big);
    ok(cx_spool_record_read(&rec, p, size, &size) == CX_SPOOL_OK
       && rec.payload.len == big.len, "a payload as big as may be");

    big.len++;
    size = put(p, 1, 1, 1, 1, big);
    ok(cx_spool_record_read(&rec, p, size, &size) == CX_SPOOL_BAD,
       "and one byte more");

    free(big.data);
    free(p);
}


static void
test_head(const char *name, int good, const char *producer, unsigned lane,
    const char *stream, uint64_t number)
{
    size_t           len, size;
    cx_spool_e       rc;
    cx_spool_head_t  h, back;
    unsigned char   *p, out[CX_SPOOL_HEAD_MAX];

    h.producer.data = (unsigned char *) producer;
    h.producer.len = strlen(producer);
    h.lane = lane;
    h.stream.data = (unsigned char *) stream;
    h.stream.len = strlen(stream);
    h.number = number;

    len = cx_spool_head_write(out, &h);

    p = malloc(len);
    memcpy(p, out, len);
    rc = cx_spool_head_read(&back, p, len, &size);

    ok(good ? rc == CX_SPOOL_OK && size == len && back.number == number
              && back.lane == lane && back.stream.len == h.stream.len
            : rc == CX_SPOOL_BAD, "head: %s", name);

    free(p);
}


static void
test_heads(segment_t *s)
{
    reading_t      r;
    unsigned char  data[1024];

    static const char  *long_name =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    test_head("short names", 1, "0", 0, "a", 1);
    test_head("long ones", 1, "0123456789abcdefa", 1, long_name,
              999999999999999999);
    test_head("a producer that is none", 0, "0123456789abcdeg", 0, "a", 1);
    test_head("no producer", 0, "", 0, "a", 1);
    test_head("no stream", 0, "0", 0, "", 1);
    test_head("a stream of two words", 0, "0", 0, "a b", 1);
    test_head("a stream with a control character", 0, "0", 0, "a\n", 1);
    test_head("no number", 0, "0", 0, "a", 0);
    test_head("a lane of two digits", 0, "0", 10, "a", 1);

    memcpy(data, s->data, s->len);
    data[7] = '2';
    read_all(&r, data, s->len);
    ok(r.head == CX_SPOOL_BAD, "head: of another version");

    memcpy(data, s->data, 8);
    memcpy(data + 8, s->data + s->off[0], s->len - s->off[0]);
    read_all(&r, data, s->len - s->off[0] + 8);
    ok(r.head == CX_SPOOL_BAD, "head: a batch instead");
}


int
main(void)
{
    segment_t  s;

    build(&s);

    test_crc();
    test_whole(&s);
    test_cut(&s);
    test_flip(&s);
    test_tail(&s);
    test_payload();
    test_heads(&s);

    return tap_done();
}
