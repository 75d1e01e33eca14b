/* Access logs, line by line: files, gzip, combined and JSON. */

#ifndef CXCTL_LOG_H
#define CXCTL_LOG_H

#include <stdint.h>
#include <sys/types.h>
#include "cx_core.h"

#define CX_LOG_BUFFER  1048576           /* bytes; the longest line */

/* an open log */
typedef struct {
    const char     *name;                /* "-": standard input */
    int             fd;
    pid_t           pid;                 /* of gzip; 0: none */
    unsigned char  *buf;
    size_t          start, end;          /* of what is unread */
    uint64_t        line;                /* number of the last line, from 1 */
    unsigned        eof:1;
    unsigned        failed:1;
    unsigned        cut:1;               /* in the middle of a long line */
} cx_log_t;

/* 0, or -1 (said on stderr); a name that ends in .gz is read by gzip */
int cx_log_open(cx_log_t *l, const char *name);

/*
 * The next line without its end, in the buffer, which may be changed.  1; 0
 * at the end; -1 (said).  A line beyond CX_LOG_BUFFER has data NULL.
 */
int cx_log_next(cx_log_t *l, cx_str_t *line);

/* fills the buffer; then the same from the beginning: reads nothing */
int cx_log_peek(cx_log_t *l);

/* 0, or -1 (said): gzip found the file damaged */
int cx_log_close(cx_log_t *l);


/* what the format of a log holds: bits of has */

enum {
    CX_LOG_AGENT = 0x001,
    CX_LOG_REFERER = 0x002,
    CX_LOG_REQUEST_MS = 0x004,
    CX_LOG_FIRST_MS = 0x008,
    CX_LOG_FETCH = 0x010,                /* Sec-Fetch-Dest or -User */
    CX_LOG_TYPE = 0x020,
    CX_LOG_BODY = 0x040,
    CX_LOG_MS = 0x080,                   /* time in ms */
    CX_LOG_HOST = 0x100,
    CX_LOG_PAGE = 0x200,
    CX_LOG_PURPOSE = 0x400
};

/* a line taken apart; what is empty or "-" has len 0, or is -1 */
typedef struct {
    unsigned  has;                       /* CX_LOG_* */
    unsigned  status;
    unsigned  limited:1;                 /* by limit_req or limit_conn */
    unsigned  told:1;                    /* the browser sent Sec-Fetch-* */
    int64_t   end;                       /* Unix ms when it was written */
    int64_t   request_ms, first_ms, upstream_ms;
    int64_t   body;                      /* bytes of the request */
    cx_str_t  addr, host, method;
    cx_str_t  uri;                       /* from "/" on, with its query;
                                            len 0: no request */
    cx_str_t  referer, agent, page, type, dest, user, purpose;
} cx_line_t;

enum { CX_LOG_GUESS, CX_LOG_COMBINED, CX_LOG_JSON };

/*
 * Takes a line apart; fields point into it, and escapes in it are undone in
 * place.  Returns NULL, or why it is not understood.
 */
const char *cx_log_combined(cx_line_t *f, cx_str_t *line);
const char *cx_log_json(cx_line_t *f, cx_str_t *line);

/* by format, or by how the line begins */
const char *cx_log_parse(cx_line_t *f, cx_str_t *line, int format);

/* "GET /x HTTP/1.1" -> f->method, f->uri; anything else is no request */
void cx_log_request(cx_line_t *f, const cx_str_t *request);

/* f->uri: "http://host/x" -> "/x", "/x#y" -> "/x" */
void cx_log_uri(cx_line_t *f, const cx_str_t *uri);

/* Unix ms of "21/Nov/2026:21:48:03 +0000" or "2026-11-21T21:48:03+00:00";
   -1: it is none */
int64_t cx_log_time(const cx_str_t *s);

/* ms of "0.123", or the sum of a list "0.1, 0.02 : -"; -1: no number */
int64_t cx_log_ms(const cx_str_t *s);

/* value of n digits; -1: something else is there */
int cx_log_digits(const unsigned char *p, int n);

#endif /* CXCTL_LOG_H */
