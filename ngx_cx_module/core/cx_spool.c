/*
 * The format of the spool's segment files, as cx_spool.h says.  Nothing that
 * is read is believed: lengths are checked before they are used, a record's
 * checksum covers all of it but its length and itself, and a payload that is
 * not exactly the strings it should be is corrupt, as it goes to Redis as it
 * is.
 */

#include <stdio.h>
#include <string.h>
#include "cx_spool.h"


#define CX_SPOOL_MAGIC_LEN    (sizeof(CX_SPOOL_MAGIC) - 1)
#define CX_SPOOL_CHECKED      8  /* what the checksum does not cover */
#define CX_SPOOL_NUMBER_LEN   19 /* digits of a segment's number */
#define CX_SPOOL_PRODUCER_MAX 32
#define CX_SPOOL_STREAM_MAX   (CX_SITE_MAX + 8)


/* CRC-32C, reflected, by byte */

/* clang-format off */

static const uint32_t  cx_spool_crc_table[256] = {
    0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c,
    0x26a1e7e8, 0xd4ca64eb, 0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
    0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24, 0x105ec76f, 0xe235446c,
    0xf165b798, 0x030e349b, 0xd7c45070, 0x25afd373, 0x36ff2087, 0xc494a384,
    0x9a879fa0, 0x68ec1ca3, 0x7bbcef57, 0x89d76c54, 0x5d1d08bf, 0xaf768bbc,
    0xbc267848, 0x4e4dfb4b, 0x20bd8ede, 0xd2d60ddd, 0xc186fe29, 0x33ed7d2a,
    0xe72719c1, 0x154c9ac2, 0x061c6936, 0xf477ea35, 0xaa64d611, 0x580f5512,
    0x4b5fa6e6, 0xb93425e5, 0x6dfe410e, 0x9f95c20d, 0x8cc531f9, 0x7eaeb2fa,
    0x30e349b1, 0xc288cab2, 0xd1d83946, 0x23b3ba45, 0xf779deae, 0x05125dad,
    0x1642ae59, 0xe4292d5a, 0xba3a117e, 0x4851927d, 0x5b016189, 0xa96ae28a,
    0x7da08661, 0x8fcb0562, 0x9c9bf696, 0x6ef07595, 0x417b1dbc, 0xb3109ebf,
    0xa0406d4b, 0x522bee48, 0x86e18aa3, 0x748a09a0, 0x67dafa54, 0x95b17957,
    0xcba24573, 0x39c9c670, 0x2a993584, 0xd8f2b687, 0x0c38d26c, 0xfe53516f,
    0xed03a29b, 0x1f682198, 0x5125dad3, 0xa34e59d0, 0xb01eaa24, 0x42752927,
    0x96bf4dcc, 0x64d4cecf, 0x77843d3b, 0x85efbe38, 0xdbfc821c, 0x2997011f,
    0x3ac7f2eb, 0xc8ac71e8, 0x1c661503, 0xee0d9600, 0xfd5d65f4, 0x0f36e6f7,
    0x61c69362, 0x93ad1061, 0x80fde395, 0x72966096, 0xa65c047d, 0x5437877e,
    0x4767748a, 0xb50cf789, 0xeb1fcbad, 0x197448ae, 0x0a24bb5a, 0xf84f3859,
    0x2c855cb2, 0xdeeedfb1, 0xcdbe2c45, 0x3fd5af46, 0x7198540d, 0x83f3d70e,
    0x90a324fa, 0x62c8a7f9, 0xb602c312, 0x44694011, 0x5739b3e5, 0xa55230e6,
    0xfb410cc2, 0x092a8fc1, 0x1a7a7c35, 0xe811ff36, 0x3cdb9bdd, 0xceb018de,
    0xdde0eb2a, 0x2f8b6829, 0x82f63b78, 0x709db87b, 0x63cd4b8f, 0x91a6c88c,
    0x456cac67, 0xb7072f64, 0xa457dc90, 0x563c5f93, 0x082f63b7, 0xfa44e0b4,
    0xe9141340, 0x1b7f9043, 0xcfb5f4a8, 0x3dde77ab, 0x2e8e845f, 0xdce5075c,
    0x92a8fc17, 0x60c37f14, 0x73938ce0, 0x81f80fe3, 0x55326b08, 0xa759e80b,
    0xb4091bff, 0x466298fc, 0x1871a4d8, 0xea1a27db, 0xf94ad42f, 0x0b21572c,
    0xdfeb33c7, 0x2d80b0c4, 0x3ed04330, 0xccbbc033, 0xa24bb5a6, 0x502036a5,
    0x4370c551, 0xb11b4652, 0x65d122b9, 0x97baa1ba, 0x84ea524e, 0x7681d14d,
    0x2892ed69, 0xdaf96e6a, 0xc9a99d9e, 0x3bc21e9d, 0xef087a76, 0x1d63f975,
    0x0e330a81, 0xfc588982, 0xb21572c9, 0x407ef1ca, 0x532e023e, 0xa145813d,
    0x758fe5d6, 0x87e466d5, 0x94b49521, 0x66df1622, 0x38cc2a06, 0xcaa7a905,
    0xd9f75af1, 0x2b9cd9f2, 0xff56bd19, 0x0d3d3e1a, 0x1e6dcdee, 0xec064eed,
    0xc38d26c4, 0x31e6a5c7, 0x22b65633, 0xd0ddd530, 0x0417b1db, 0xf67c32d8,
    0xe52cc12c, 0x1747422f, 0x49547e0b, 0xbb3ffd08, 0xa86f0efc, 0x5a048dff,
    0x8ecee914, 0x7ca56a17, 0x6ff599e3, 0x9d9e1ae0, 0xd3d3e1ab, 0x21b862a8,
    0x32e8915c, 0xc083125f, 0x144976b4, 0xe622f5b7, 0xf5720643, 0x07198540,
    0x590ab964, 0xab613a67, 0xb831c993, 0x4a5a4a90, 0x9e902e7b, 0x6cfbad78,
    0x7fab5e8c, 0x8dc0dd8f, 0xe330a81a, 0x115b2b19, 0x020bd8ed, 0xf0605bee,
    0x24aa3f05, 0xd6c1bc06, 0xc5914ff2, 0x37faccf1, 0x69e9f0d5, 0x9b8273d6,
    0x88d28022, 0x7ab90321, 0xae7367ca, 0x5c18e4c9, 0x4f48173d, 0xbd23943e,
    0xf36e6f75, 0x0105ec76, 0x12551f82, 0xe03e9c81, 0x34f4f86a, 0xc69f7b69,
    0xd5cf889d, 0x27a40b9e, 0x79b737ba, 0x8bdcb4b9, 0x988c474d, 0x6ae7c44e,
    0xbe2da0a5, 0x4c4623a6, 0x5f16d052, 0xad7d5351
};

/* clang-format on */


uint32_t
cx_crc32c(uint32_t crc, const void *data, size_t len)
{
    const unsigned char *p, *end;

    crc = ~crc;

    for (p = data, end = p + len; p < end; p++) {
        crc = cx_spool_crc_table[(crc ^ *p) & 0xff] ^ (crc >> 8);
    }

    return ~crc;
}


static void
cx_spool_put(unsigned char *p, unsigned bytes, uint64_t n)
{
    while (bytes--) {
        *p++ = (unsigned char) n;
        n >>= 8;
    }
}


static uint64_t
cx_spool_get(const unsigned char *p, unsigned bytes)
{
    uint64_t n;

    for (n = 0; bytes; bytes--) {
        n = n << 8 | p[bytes - 1];
    }

    return n;
}


void
cx_spool_record_write(unsigned char *dst, const cx_spool_record_t *rec)
{
    uint32_t crc;

    cx_spool_put(dst, 4, rec->payload.len);
    cx_spool_put(dst + 8, 8, rec->seq);
    cx_spool_put(dst + 16, 8, rec->ms);
    cx_spool_put(dst + 24, 4, rec->events);
    cx_spool_put(dst + 28, 4, rec->args);

    crc = cx_crc32c(0, dst + CX_SPOOL_CHECKED,
                    CX_SPOOL_RECORD - CX_SPOOL_CHECKED);
    crc = cx_crc32c(crc, rec->payload.data, rec->payload.len);

    cx_spool_put(dst + 4, 4, crc);
}


size_t
cx_spool_head_write(unsigned char *dst, const cx_spool_head_t *h)
{
    int               n;
    char             *text;
    cx_spool_record_t rec;

    text = (char *) dst + CX_SPOOL_MAGIC_LEN + CX_SPOOL_RECORD;

    n = snprintf(text, CX_SPOOL_HEAD_MAX - CX_SPOOL_MAGIC_LEN - CX_SPOOL_RECORD,
                 "%.*s %u %.*s %llu", (int) h->producer.len, h->producer.data,
                 h->lane, (int) h->stream.len, h->stream.data,
                 (unsigned long long) h->number);

    memset(&rec, 0, sizeof(cx_spool_record_t));
    rec.payload.data = (unsigned char *) text;
    rec.payload.len = (size_t) n;

    memcpy(dst, CX_SPOOL_MAGIC, CX_SPOOL_MAGIC_LEN);
    cx_spool_record_write(dst + CX_SPOOL_MAGIC_LEN, &rec);

    return CX_SPOOL_MAGIC_LEN + CX_SPOOL_RECORD + rec.payload.len;
}


size_t
cx_spool_record_peek(cx_spool_record_t *rec, const unsigned char *p)
{
    uint64_t len;

    len = cx_spool_get(p, 4);

    if (len > CX_SPOOL_PAYLOAD_MAX) {
        return 0;
    }

    rec->payload.len = (size_t) len;
    rec->payload.data = NULL;
    rec->seq = cx_spool_get(p + 8, 8);
    rec->ms = cx_spool_get(p + 16, 8);
    rec->events = (unsigned) cx_spool_get(p + 24, 4);
    rec->args = (unsigned) cx_spool_get(p + 28, 4);

    return CX_SPOOL_RECORD + rec->payload.len;
}


/* a record of any kind, its payload not looked at */

static cx_spool_e
cx_spool_checked(cx_spool_record_t *rec, unsigned char *p, size_t len,
                 size_t *size)
{
    uint32_t crc;

    *size = 0;

    if (len < CX_SPOOL_RECORD) {
        /* a length that cannot be is wrong however little there is */
        return len >= 4 && cx_spool_get(p, 4) > CX_SPOOL_PAYLOAD_MAX
                   ? CX_SPOOL_BAD
                   : CX_SPOOL_MORE;
    }

    *size = cx_spool_record_peek(rec, p);

    if (*size == 0) {
        return CX_SPOOL_BAD;
    }

    if (*size > len) {
        return CX_SPOOL_MORE;
    }

    rec->payload.data = p + CX_SPOOL_RECORD;

    crc = cx_crc32c(0, p + CX_SPOOL_CHECKED, *size - CX_SPOOL_CHECKED);

    return crc == cx_spool_get(p + 4, 4) ? CX_SPOOL_OK : CX_SPOOL_BAD;
}


/* one RESP bulk string at p; the end of it, or NULL */

static const unsigned char *
cx_spool_string(const unsigned char *p, const unsigned char *end)
{
    size_t   len;
    unsigned digits;

    if (p == end || *p++ != '$') {
        return NULL;
    }

    len = 0;

    for (digits = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        if (++digits > 7) {
            return NULL;
        }

        len = len * 10 + (*p - '0');
    }

    if (digits == 0 || end - p < 4 || p[0] != '\r' || p[1] != '\n'
        || (size_t) (end - p) - 4 < len)
    {
        return NULL;
    }

    p += 2 + len;

    return p[0] == '\r' && p[1] == '\n' ? p + 2 : NULL;
}


static int
cx_spool_strings(const cx_str_t *payload, unsigned n)
{
    const unsigned char *p, *end;

    p = payload->data;
    end = p + payload->len;

    while (n--) {
        p = cx_spool_string(p, end);

        if (p == NULL) {
            return 0;
        }
    }

    return p == end;
}


cx_spool_e
cx_spool_record_read(cx_spool_record_t *rec, unsigned char *p, size_t len,
                     size_t *size)
{
    cx_spool_e rc;

    rc = cx_spool_checked(rec, p, len, size);

    if (rc != CX_SPOOL_OK) {
        return rc;
    }

    return rec->seq && rec->events && rec->args
                   && cx_spool_strings(&rec->payload, rec->args)
               ? CX_SPOOL_OK
               : CX_SPOOL_BAD;
}


cx_spool_e
cx_spool_damage(unsigned char *p, size_t len)
{
    size_t            i, size;
    cx_spool_e        rc;
    cx_spool_record_t rec;

    rc = cx_spool_record_read(&rec, p, len, &size);

    if (rc == CX_SPOOL_OK) {
        return CX_SPOOL_OK;
    }

    if (rc == CX_SPOOL_BAD) {
        /* after a power loss a file may be longer than what was written */

        i = 0;

        while (i < len && p[i] == 0) {
            i++;
        }

        return i == len ? CX_SPOOL_MORE : CX_SPOOL_BAD;
    }

    for (i = 1; i + CX_SPOOL_RECORD < len; i++) {
        if (p[i + CX_SPOOL_RECORD] == '$'
            && cx_spool_record_read(&rec, p + i, len - i, &size) == CX_SPOOL_OK)
        {
            return CX_SPOOL_BAD;
        }
    }

    return CX_SPOOL_MORE;
}


/* the next word of p up to end: 1 to max visible characters */

static unsigned char *
cx_spool_word(cx_str_t *word, unsigned char *p, unsigned char *end, size_t max)
{
    word->data = p;

    while (p != end && p[0] > ' ' && p[0] < 0x7f) {
        p++;
    }

    word->len = (size_t) (p - word->data);

    if (word->len == 0 || word->len > max || (p < end && *p != ' ')) {
        return NULL;
    }

    return p < end ? p + 1 : p;
}


/* decimal, without leading zeros; 0 if it is none */

static uint64_t
cx_spool_number(const cx_str_t *word)
{
    size_t   i;
    uint64_t n;

    n = 0;

    for (i = 0; i < word->len; i++) {
        if (word->data[i] < (n ? '0' : '1') || word->data[i] > '9') {
            return 0;
        }

        n = n * 10 + (word->data[i] - '0');
    }

    return n;
}


static int
cx_spool_words(cx_spool_head_t *h, const cx_str_t *text)
{
    size_t         i;
    cx_str_t       lane, number;
    unsigned char *p, *end;

    p = text->data;
    end = p + text->len;

    p = cx_spool_word(&h->producer, p, end, CX_SPOOL_PRODUCER_MAX);
    p = p ? cx_spool_word(&lane, p, end, 1) : NULL;
    p = p ? cx_spool_word(&h->stream, p, end, CX_SPOOL_STREAM_MAX) : NULL;
    p = p ? cx_spool_word(&number, p, end, CX_SPOOL_NUMBER_LEN) : NULL;

    if (p != end || end[-1] == ' ' || lane.data[0] < '0' || lane.data[0] > '9')
    {
        return 0;
    }

    for (i = 0; i < h->producer.len; i++) {
        if ((h->producer.data[i] < '0' || h->producer.data[i] > '9')
            && (h->producer.data[i] < 'a' || h->producer.data[i] > 'f'))
        {
            return 0;
        }
    }

    h->lane = lane.data[0] - '0';
    h->number = cx_spool_number(&number);

    return h->number != 0;
}


cx_spool_e
cx_spool_head_read(cx_spool_head_t *h, unsigned char *p, size_t len,
                   size_t *size)
{
    size_t            n;
    cx_spool_e        rc;
    cx_spool_record_t rec;

    *size = 0;

    n = len < CX_SPOOL_MAGIC_LEN ? len : CX_SPOOL_MAGIC_LEN;

    if (n && memcmp(p, CX_SPOOL_MAGIC, n) != 0) {
        return CX_SPOOL_BAD;
    }

    rc = cx_spool_checked(&rec, p + n, len - n, size);
    *size += CX_SPOOL_MAGIC_LEN;

    if (rc != CX_SPOOL_OK) {
        return *size > CX_SPOOL_HEAD_MAX ? CX_SPOOL_BAD : rc;
    }

    return *size <= CX_SPOOL_HEAD_MAX && rec.seq == 0
                   && cx_spool_words(h, &rec.payload)
               ? CX_SPOOL_OK
               : CX_SPOOL_BAD;
}
