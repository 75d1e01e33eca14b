/*
 * A line of an access log: common or combined log format, as nginx and Apache
 * write them, with times after it; or in front of it the server's name, as
 * Debian's Apache has it.
 */

#include <string.h>
#include "cxctl_log.h"

typedef struct {
    unsigned char *p;
    unsigned char *end;
} cx_scan_t;


static void
cx_line_set(cx_str_t *v, unsigned char *from, unsigned char *to)
{
    v->data = from;
    v->len = (size_t) (to - from);

    if (v->len == 1 && *from == '-') {
        v->len = 0;
    }
}


static int
cx_line_starts(const cx_str_t *v, const char *word)
{
    size_t len;

    len = strlen(word);

    return v->len >= len && memcmp(v->data, word, len) == 0;
}


static int
cx_line_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* up to the next space, and over it; 0: nothing is there */

static int
cx_line_word(cx_scan_t *s, cx_str_t *v)
{
    unsigned char *space;

    space = memchr(s->p, ' ', (size_t) (s->end - s->p));
    space = space ? space : s->end;
    v->data = s->p;
    v->len = (size_t) (space - s->p);
    s->p = space < s->end ? space + 1 : space;

    return v->len != 0;
}


/* \x22 of nginx, \" and \t of Apache */

static unsigned char *
cx_line_escape(unsigned char *p, unsigned char *end, unsigned char *dst)
{
    int               hi, lo;
    const char       *known;
    static const char name[] = "nrtvb";
    static const char byte[] = "\n\r\t\v\b";

    if (*p == 'x' && end - p > 2) {
        hi = cx_line_hex(p[1]);
        lo = cx_line_hex(p[2]);

        if (hi >= 0 && lo >= 0) {
            *dst = (unsigned char) (hi * 16 + lo);
            return p + 3;
        }
    }

    known = strchr(name, *p);
    *dst = known && *p ? (unsigned char) byte[known - name] : *p;

    return p + 1;
}


/* a text in quotes, its escapes undone in place; 0: there is none */

static int
cx_line_quoted(cx_scan_t *s, cx_str_t *v)
{
    unsigned char *p, *dst, *from;

    if (s->p == s->end || *s->p != '"') {
        return 0;
    }

    from = s->p + 1;

    for (p = from; p < s->end && *p != '"' && *p != '\\'; p++) {
        /* void */
    }

    for (dst = p; p < s->end && *p != '"'; dst++) {
        if (*p == '\\' && s->end - p > 1) {
            p = cx_line_escape(p + 1, s->end, dst);

        } else {
            *dst = *p++;
        }
    }

    if (p == s->end) {
        return 0;
    }

    cx_line_set(v, from, dst);
    s->p = p + 1 + (p + 1 < s->end && p[1] == ' ');

    return 1;
}


/* ---- requests ---- */

void
cx_log_uri(cx_line_t *f, const cx_str_t *uri)
{
    unsigned char *p, *end, *hash;

    p = uri->data;
    end = p + uri->len;

    if (cx_line_starts(uri, "http://") || cx_line_starts(uri, "https://")) {
        p = memchr(p, ':', uri->len);
        p = memchr(p + 3, '/', (size_t) (end - p - 3));
    }

    if (p == NULL || p == end || *p != '/') {
        f->uri.len = 0;
        return;
    }

    hash = memchr(p, '#', (size_t) (end - p));
    cx_line_set(&f->uri, p, hash ? hash : end);
}


void
cx_log_request(cx_line_t *f, const cx_str_t *request)
{
    cx_str_t  uri;
    cx_scan_t s;

    s.p = request->data;
    s.end = s.p + request->len;
    f->uri.len = 0;

    if (!cx_line_word(&s, &f->method)) {
        return;
    }

    /* the address may have spaces; the protocol has none */

    uri.data = s.p;

    while (s.end > s.p && s.end[-1] != ' ') {
        s.end--;
    }

    uri.len = s.end > s.p ? (size_t) (s.end - s.p) - 1
                          : request->len - (size_t) (s.p - request->data);
    cx_log_uri(f, &uri);
}


/* ---- what follows the user agent ---- */

static void
cx_line_named(cx_line_t *f, const cx_str_t *name, const cx_str_t *v)
{
    int64_t *ms;
    int      bit;

    if (name->len == 2 && memcmp(name->data, "rt", 2) == 0) {
        ms = &f->request_ms;
        bit = CX_LOG_REQUEST_MS;

    } else if (name->len == 3 && memcmp(name->data, "urt", 3) == 0) {
        ms = &f->upstream_ms;
        bit = 0;

    } else if (name->len == 3 && memcmp(name->data, "uht", 3) == 0) {
        ms = &f->first_ms;
        bit = CX_LOG_FIRST_MS;

    } else {
        return;
    }

    *ms = cx_log_ms(v);
    f->has |= (unsigned) bit;
}


/*
 * A value, maybe in quotes; of several tries it is a list: "0.1, 0.2 : 0.3".
 * 1, or 0: there is none.
 */

static int
cx_line_value(cx_scan_t *s, cx_str_t *v)
{
    cx_str_t word;

    if (s->p < s->end && *s->p == '"') {
        if (!cx_line_quoted(s, v)) {
            s->p = s->end;
            return 0;
        }

        return v->len != 0;
    }

    v->data = s->p;
    v->len = 0;

    while (cx_line_word(s, &word)) {
        v->len = (size_t) (word.data + word.len - v->data);

        if (word.data[word.len - 1] != ',' && word.data[word.len - 1] != ':'
            && (s->end - s->p < 2 || memcmp(s->p, ": ", 2) != 0))
        {
            break;
        }
    }

    return v->len != 0;
}


/* 1 if all numbers have three digits after a point, as nginx's times have */

static int
cx_line_plain(const cx_str_t *v)
{
    unsigned char *p, *end;

    if (cx_log_ms(v) < 0) {
        return 0;
    }

    end = v->data + v->len;

    for (p = v->data; p < end; p++) {
        p = memchr(p, '.', (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        if (end - p < 4 || cx_log_digits(p + 1, 3) < 0
            || (end - p > 4 && cx_log_digits(p + 4, 1) >= 0))
        {
            return 0;
        }
    }

    return memchr(v->data, '.', v->len) != NULL;
}


/* the first plain time is the request's, the second the upstreams' */

static void
cx_line_times(cx_line_t *f, cx_scan_t *s)
{
    int            plain;
    cx_str_t       name, v;
    unsigned char *p;

    plain = 0;

    while (s->p < s->end) {
        for (p = s->p; p < s->end && *p != '=' && *p != ' ' && *p != '"'; p++) {
            /* void */
        }

        if (p < s->end && *p == '=') {
            name.data = s->p;
            name.len = (size_t) (p - s->p);
            s->p = p + 1;

            if (cx_line_value(s, &v)) {
                cx_line_named(f, &name, &v);
            }

        } else if (*s->p == ' ') {
            s->p++;

        } else if (cx_line_value(s, &v) && plain < 2 && cx_line_plain(&v)) {
            if (plain++) {
                f->upstream_ms = cx_log_ms(&v);

            } else {
                f->request_ms = cx_log_ms(&v);
                f->has |= CX_LOG_REQUEST_MS;
            }
        }
    }
}


/* ---- the line ---- */

/* "name:port"; Referer does not say the usual ports */

static cx_str_t
cx_line_server(const cx_str_t *name)
{
    cx_str_t server;

    server = *name;

    if (server.len > 3 && memcmp(server.data + server.len - 3, ":80", 3) == 0) {
        server.len -= 3;

    } else if (server.len > 4
               && memcmp(server.data + server.len - 4, ":443", 4) == 0)
    {
        server.len -= 4;
    }

    return server;
}


/* "address - user [time] "; the user's name may have spaces */

static const char *
cx_line_head(cx_line_t *f, cx_scan_t *s)
{
    cx_str_t       word, time;
    cx_scan_t      next;
    unsigned char *p;

    if (!cx_line_word(s, &f->addr)) {
        return "no address";
    }

    next = *s;

    if (cx_line_word(&next, &word) && word.len > 1
        && (memchr(word.data, '.', word.len)
            || memchr(word.data, ':', word.len)))
    {
        f->host = cx_line_server(&f->addr);
        f->addr = word;
        f->has |= CX_LOG_HOST;
        *s = next;
    }

    for (p = s->p; p < s->end; p++) {
        p = memchr(p, '[', (size_t) (s->end - p));

        if (p == NULL) {
            break;
        }

        if (s->end - p > 28 && p[27] == ']') {
            time.data = p + 1;
            time.len = 26;
            f->end = cx_log_time(&time);

            if (f->end >= 0) {
                s->p = p + 28 + (p[28] == ' ');
                return NULL;
            }
        }
    }

    return "no [day/month/year:hour:minute:second zone]";
}


const char *
cx_log_combined(cx_line_t *f, cx_str_t *line)
{
    int         status;
    cx_str_t    request, word;
    cx_scan_t   s;
    const char *err;

    memset(f, 0, sizeof(cx_line_t));
    f->request_ms = -1;
    f->first_ms = -1;
    f->upstream_ms = -1;
    f->body = -1;
    s.p = line->data;
    s.end = s.p + line->len;
    err = cx_line_head(f, &s);

    if (err) {
        return err;
    }

    if (!cx_line_quoted(&s, &request)) {
        return "no request in quotes";
    }

    cx_log_request(f, &request);
    status = -1;

    if (cx_line_word(&s, &word) && word.len == 3) {
        status = cx_log_digits(word.data, 3);
    }

    if (status < 0) {
        return "no status of three digits";
    }

    f->status = (unsigned) status;

    if (!cx_line_word(&s, &word)) {
        return "no bytes sent after the status";
    }

    if (s.p == s.end) {
        return NULL; /* the common log format ends here */
    }

    if (*s.p == '"') {
        if (!cx_line_quoted(&s, &f->referer) || !cx_line_quoted(&s, &f->agent))
        {
            return "no referer and user agent in quotes";
        }

        f->has |= CX_LOG_REFERER | CX_LOG_AGENT;
    }

    cx_line_times(f, &s);

    return NULL;
}
