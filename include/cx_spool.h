/*
 * Segment files of the spool: batches on disk while Redis is away.  Pure C:
 * bytes in memory, no files.
 *
 * A segment belongs to one channel of one producer and is only appended to:
 *
 *   head    "cxspool1", then a record without number whose payload is
 *           "<producer> <lane> <stream> <number>"
 *   record  u32 length of payload, u32 CRC-32C of the rest, u64 sequence,
 *           u64 Unix time in ms, u32 events, u32 strings, payload;
 *           little-endian
 *
 * The payload of a batch is RESP: the strings that the produce script takes
 * behind its own arguments, names of the fields included, so that a later
 * version can deliver what an earlier one left.
 */

#ifndef CX_SPOOL_H
#define CX_SPOOL_H

#include <stdint.h>
#include "cx_core.h"

#define CX_SPOOL_MAGIC        "cxspool1"
#define CX_SPOOL_RECORD       32         /* bytes before the payload */
#define CX_SPOOL_PAYLOAD_MAX  (1 << 20)  /* bytes */
#define CX_SPOOL_HEAD_MAX     256        /* bytes, magic included */

/* CRC-32C (Castagnoli) of len bytes, going on from crc; start with 0 */
uint32_t cx_crc32c(uint32_t crc, const void *data, size_t len);

typedef struct {
    cx_str_t  producer;                  /* hex digits, maybe a lane letter */
    unsigned  lane;
    cx_str_t  stream;                    /* <site> or <site>/<shard> */
    uint64_t  number;                    /* of the segment, from 1 */
} cx_spool_head_t;

typedef struct {
    uint64_t  seq;
    uint64_t  ms;                        /* Unix time of its first event */
    unsigned  events;
    unsigned  args;                      /* RESP strings in payload */
    cx_str_t  payload;
} cx_spool_record_t;

/* writes a segment's head into dst, CX_SPOOL_HEAD_MAX bytes; the length */
size_t cx_spool_head_write(unsigned char *dst, const cx_spool_head_t *h);

/* writes what stands before rec->payload into dst, CX_SPOOL_RECORD bytes */
void cx_spool_record_write(unsigned char *dst, const cx_spool_record_t *rec);

typedef enum {
    CX_SPOOL_OK,
    CX_SPOOL_MORE,                       /* the bytes end within it: at the
                                            end of the file, torn */
    CX_SPOOL_BAD                         /* corrupt */
} cx_spool_e;

/*
 * Both set *size to the bytes it takes, 0 if that is not known; values point
 * into p.  A record whose payload is not exactly args strings is corrupt.
 */
cx_spool_e cx_spool_head_read(cx_spool_head_t *h, unsigned char *p,
    size_t len, size_t *size);
cx_spool_e cx_spool_record_read(cx_spool_record_t *rec, unsigned char *p,
    size_t len, size_t *size);

/* numbers of a record by its first CX_SPOOL_RECORD bytes, unchecked; the bytes
   it takes, or 0 if that cannot be */
size_t cx_spool_record_peek(cx_spool_record_t *rec, const unsigned char *p);

/*
 * What is wrong with the last len bytes of a file, which do not begin with a
 * record: MORE, a writer was cut short there (part of a record, or zeros); BAD,
 * corrupt: for one, whole records follow.
 */
cx_spool_e cx_spool_damage(unsigned char *p, size_t len);

#endif /* CX_SPOOL_H */
