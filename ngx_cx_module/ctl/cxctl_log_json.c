/* A line of a log that is one JSON object: nginx's variables by name. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_log.h"

enum {
    CX_JL_TEXT, /* at offset */
    CX_JL_MS,   /* a time in seconds, at offset */
    CX_JL_ISO,
    CX_JL_LOCAL,
    CX_JL_MSEC,
    CX_JL_STATUS,
    CX_JL_REQUEST,
    CX_JL_REQUEST_URI,
    CX_JL_URI,
    CX_JL_LENGTH,
    CX_JL_BODY,
    CX_JL_SITE, /* Sec-Fetch-Site: only that it is there */
    CX_JL_LIMIT
};

typedef struct {
    const char *name;
    size_t      len;
    int         kind;
    size_t      offset;
    unsigned    has;
} cx_jl_name_t;

#define CX_JL(name, kind, field, has)                                 \
    {                                                                 \
        name, sizeof(name) - 1, kind, offsetof(cx_line_t, field), has \
    }

static const cx_jl_name_t cx_jl_names[] = {
    CX_JL("time_iso8601", CX_JL_ISO, end, 0),
    CX_JL("time_local", CX_JL_LOCAL, end, 0),
    CX_JL("msec", CX_JL_MSEC, end, CX_LOG_MS),
    CX_JL("remote_addr", CX_JL_TEXT, addr, 0),
    CX_JL("host", CX_JL_TEXT, host, CX_LOG_HOST),
    CX_JL("request", CX_JL_REQUEST, uri, 0),
    CX_JL("request_method", CX_JL_TEXT, method, 0),
    CX_JL("request_uri", CX_JL_REQUEST_URI, uri, 0),
    CX_JL("uri", CX_JL_URI, uri, 0),
    CX_JL("status", CX_JL_STATUS, status, 0),
    CX_JL("http_referer", CX_JL_TEXT, referer, CX_LOG_REFERER),
    CX_JL("http_user_agent", CX_JL_TEXT, agent, CX_LOG_AGENT),
    CX_JL("request_time", CX_JL_MS, request_ms, CX_LOG_REQUEST_MS),
    CX_JL("upstream_response_time", CX_JL_MS, upstream_ms, 0),
    CX_JL("upstream_header_time", CX_JL_MS, first_ms, CX_LOG_FIRST_MS),
    CX_JL("request_length", CX_JL_LENGTH, body, CX_LOG_BODY),
    CX_JL("content_length", CX_JL_BODY, body, CX_LOG_BODY),
    CX_JL("http_content_length", CX_JL_BODY, body, CX_LOG_BODY),
    CX_JL("sent_http_content_type", CX_JL_TEXT, type, CX_LOG_TYPE),
    CX_JL("http_sec_fetch_dest", CX_JL_TEXT, dest, CX_LOG_FETCH),
    CX_JL("http_sec_fetch_user", CX_JL_TEXT, user, CX_LOG_FETCH),
    CX_JL("http_sec_fetch_site", CX_JL_SITE, status, 0),
    CX_JL("http_sec_purpose", CX_JL_TEXT, purpose, CX_LOG_PURPOSE),
    CX_JL("limit_req_status", CX_JL_LIMIT, status, 0),
    CX_JL("limit_conn_status", CX_JL_LIMIT, status, 0),
    CX_JL("cx_page", CX_JL_TEXT, page, CX_LOG_PAGE)
};

#define CX_JL_NAMES (sizeof(cx_jl_names) / sizeof(cx_jl_names[0]))

/* what several variables say, the best of them last */
typedef struct {
    int64_t  local, iso, msec;
    int64_t  length, body;
    cx_str_t request, request_uri, uri;
} cx_jl_t;


static int64_t
cx_jl_number(const cx_str_t *v)
{
    size_t  i;
    int64_t n;

    for (n = 0, i = 0; i < v->len && i < 15; i++) {
        if (v->data[i] < '0' || v->data[i] > '9') {
            return -1;
        }

        n = n * 10 + (v->data[i] - '0');
    }

    return v->len && v->len <= 15 ? n : -1;
}


/* "1637531283.123" */

static int64_t
cx_jl_msec(const cx_str_t *v)
{
    int64_t  s, ms;
    cx_str_t part;

    if (v->len < 5 || v->data[v->len - 4] != '.') {
        s = cx_jl_number(v);
        return s < 0 ? -1 : s * 1000;
    }

    part.data = v->data;
    part.len = v->len - 4;
    s = cx_jl_number(&part);
    part.data = v->data + v->len - 3;
    part.len = 3;
    ms = cx_jl_number(&part);

    return s < 0 || ms < 0 ? -1 : s * 1000 + ms;
}


static void
cx_jl_value(cx_line_t *f, cx_jl_t *j, const cx_jl_name_t *name, cx_str_t *v)
{
    int64_t n;

    if (v->len == 1 && *v->data == '-') {
        v->len = 0;
    }

    f->has |= name->has;

    switch (name->kind) {
    case CX_JL_TEXT:
        memcpy((char *) f + name->offset, v, sizeof(cx_str_t));
        break;

    case CX_JL_MS:
        n = cx_log_ms(v);
        memcpy((char *) f + name->offset, &n, sizeof(int64_t));
        break;

    case CX_JL_ISO:
        j->iso = cx_log_time(v);
        break;

    case CX_JL_LOCAL:
        j->local = cx_log_time(v);
        break;

    case CX_JL_MSEC:
        j->msec = cx_jl_msec(v);
        break;

    case CX_JL_STATUS:
        n = cx_jl_number(v);
        f->status = n < 0 || n > 999 ? 1000 : (unsigned) n;
        break;

    case CX_JL_REQUEST:
        j->request = *v;
        break;

    case CX_JL_REQUEST_URI:
        j->request_uri = *v;
        break;

    case CX_JL_URI:
        j->uri = *v;
        break;

    case CX_JL_LENGTH:
        j->length = cx_jl_number(v);
        break;

    case CX_JL_BODY:
        j->body = cx_jl_number(v);
        break;

    case CX_JL_SITE:
        f->told |= v->len != 0;
        break;

    default: /* CX_JL_LIMIT */
        f->limited |= v->len == 8 && memcmp(v->data, "REJECTED", 8) == 0;
    }
}


static int
cx_jl_object(cx_line_t *f, cx_jl_t *o, const cx_str_t *line)
{
    size_t               i;
    cx_str_t             key, v;
    cx_json_e            type;
    cx_json_t            j;
    const unsigned char *start;
    static unsigned char room[CX_LOG_BUFFER];

    cx_json_start(&j, line->data, line->len, room);

    if (!cx_json_open(&j, '{')) {
        return 0;
    }

    if (cx_json_close(&j)) {
        return cx_json_end(&j);
    }

    do {
        if (!cx_json_key(&j, &key)) {
            return 0;
        }

        (void) cx_json_peek(&j);
        start = j.p;
        type = cx_json_value(&j, &v);

        if (type == CX_JSON_BAD) {
            return 0;
        }

        if (type == CX_JSON_OTHER) { /* 0.123 is one */
            v.data = (unsigned char *) start;
            v.len = *start >= '0' && *start <= '9' ? (size_t) (j.p - start) : 0;
        }

        for (i = 0; i < CX_JL_NAMES; i++) {
            if (key.len == cx_jl_names[i].len
                && memcmp(key.data, cx_jl_names[i].name, key.len) == 0)
            {
                cx_jl_value(f, o, &cx_jl_names[i], &v);
                break;
            }
        }
    } while (cx_json_byte(&j, ','));

    return cx_json_close(&j) && cx_json_end(&j);
}


/*
 * log_format without escape=json writes \xHH, and with it bytes as they are:
 * undone, and what is no character becomes "_".  1: something was changed.
 */

static int
cx_jl_mend(cx_str_t *line)
{
    int            changed;
    char           hex[3], *after;
    size_t         n;
    unsigned char *p, *end, *dst;

    end = line->data + line->len;
    changed = 0;

    for (p = line->data, dst = p; p < end; p += n) {
        n = 1;

        if (*p == '\\' && end - p > 3 && p[1] == 'x') {
            memcpy(hex, p + 2, 2);
            hex[2] = '\0';
            *dst = (unsigned char) strtoul(hex, &after, 16);
            n = after == hex + 2 ? 4 : 1;
            *dst = *dst < 0x20 || *dst == '"' || *dst == '\\' ? '_' : *dst;
            dst++;
            changed = 1;

        } else if (*p == '\\' && end - p > 1) {
            *dst++ = *p++;
            *dst++ = *p;

        } else {
            *dst++ = *p;
        }
    }

    line->len = (size_t) (dst - line->data);
    end = dst;

    for (p = line->data; p < end; p += n) {
        n = *p < 0x80 ? 1 : cx_utf8_char(p, (size_t) (end - p));

        if (n == 0) {
            *p = '_';
            n = 1;
            changed = 1;
        }
    }

    return changed;
}


static void
cx_jl_begin(cx_line_t *f, cx_jl_t *j)
{
    memset(f, 0, sizeof(cx_line_t));
    memset(j, 0, sizeof(cx_jl_t));
    f->status = 1000;
    f->request_ms = -1;
    f->first_ms = -1;
    f->upstream_ms = -1;
    j->local = -1;
    j->iso = -1;
    j->msec = -1;
    j->length = -1;
    j->body = -1;
}


/* the address from whichever variable has it; the method is known */

static void
cx_jl_address(cx_line_t *f, cx_jl_t *j)
{
    cx_str_t method;

    method = f->method;

    if (j->request.len) {
        cx_log_request(f, &j->request);
    }

    f->method = method.len ? method : f->method;

    if (j->request_uri.len) {
        cx_log_uri(f, &j->request_uri);

    } else if (f->uri.len == 0) {
        cx_log_uri(f, &j->uri);
    }
}


const char *
cx_log_json(cx_line_t *f, cx_str_t *line)
{
    cx_jl_t j;

    cx_jl_begin(f, &j);

    if (!cx_jl_object(f, &j, line)) {
        if (!cx_jl_mend(line)) {
            return "no JSON object";
        }

        cx_jl_begin(f, &j);

        if (!cx_jl_object(f, &j, line)) {
            return "no JSON object";
        }
    }

    f->end = j.msec >= 0 ? j.msec : j.iso >= 0 ? j.iso : j.local;
    f->body = j.body >= 0 ? j.body : j.length;
    f->told |= f->dest.len || f->user.len;

    if (f->end < 0) {
        return "no time_iso8601, time_local or msec";
    }

    if (f->addr.len == 0) {
        return "no remote_addr";
    }

    if (f->status == 1000) {
        return "no status";
    }

    if (j.request.data == NULL && j.request_uri.data == NULL
        && j.uri.data == NULL) {
        return "no request, request_uri or uri";
    }

    cx_jl_address(f, &j);

    return NULL;
}


const char *
cx_log_parse(cx_line_t *f, cx_str_t *line, int format)
{
    if (format == CX_LOG_JSON
        || (format == CX_LOG_GUESS && line->len && *line->data == '{'))
    {
        return cx_log_json(f, line);
    }

    return cx_log_combined(f, line);
}
