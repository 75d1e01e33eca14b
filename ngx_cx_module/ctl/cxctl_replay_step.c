/*
 * A line of a log as the module would have seen the request: page, redirect or
 * asset, of which page key, linked to by which.
 */

#include <string.h>
#include <strings.h>
#include "cxctl_replay.h"

#define CX_PATH_MAX  2048
#define CX_QUERY_MAX 256

static int
cx_replay_is(const cx_str_t *v, const char *text)
{
    size_t len;

    len = strlen(text);

    return v->len == len && memcmp(v->data, text, len) == 0;
}


static void
cx_replay_path(const cx_str_t *uri, cx_str_t *path)
{
    unsigned char *p;

    p = uri->len ? memchr(uri->data, '?', uri->len) : NULL;
    path->data = uri->data;
    path->len = p ? (size_t) (p - uri->data) : uri->len;
}


/* ---- page, asset or neither ---- */

/* 1 if the word, in any case, is in a list with a space around each */

static int
cx_replay_listed(const char *list, const unsigned char *word, size_t len)
{
    const char *p;

    if (len == 0 || memchr(word, ' ', len)) {
        return 0;
    }

    for (p = list; p[1]; p = strchr(p + 1, ' ')) {
        if (strncasecmp(p + 1, (const char *) word, len) == 0
            && p[1 + len] == ' ') {
            return 1;
        }
    }

    return 0;
}


static int
cx_replay_by_dest(const cx_str_t *dest)
{
    if (cx_replay_listed(" document iframe frame ", dest->data, dest->len)) {
        return CX_STEP_PAGE;
    }

    return cx_replay_listed(" image script style font ", dest->data, dest->len)
               ? CX_STEP_ASSET
               : -1;
}


static int
cx_replay_by_type(const cx_str_t *type)
{
    size_t              i;
    static const char  *asset[] = { "image/",
                                    "text/css",
                                    "font/",
                                    "application/javascript",
                                    "text/javascript",
                                    "application/font",
                                    "application/x-javascript" };
    static const size_t n = sizeof(asset) / sizeof(asset[0]);

    if ((type->len >= 9 && memcmp(type->data, "text/html", 9) == 0)
        || (type->len >= 21
            && memcmp(type->data, "application/xhtml+xml", 21) == 0))
    {
        return CX_STEP_PAGE;
    }

    for (i = 0; i < n; i++) {
        if (type->len >= strlen(asset[i])
            && memcmp(type->data, asset[i], strlen(asset[i])) == 0)
        {
            return CX_STEP_ASSET;
        }
    }

    return -1;
}


static int
cx_replay_by_name(const cx_str_t *path)
{
    size_t               len;
    const unsigned char *p, *end;
    static const char    asset[] = " png jpg jpeg jpe gif webp avif svg svgz "
                                   "ico cur bmp tif tiff heic css js mjs cjs "
                                   "woff woff2 ttf otf eot ";
    static const char    other[] = " mp4 m4v webm mov avi mkv wmv flv mp3 m4a "
                                   "ogg oga ogv wav flac aac opus m3u8 ts mpd "
                                   "vtt zip gz tgz bz2 xz zst lz4 7z rar tar "
                                   "jar war exe msi dmg pkg deb rpm apk iso "
                                   "img bin dll pdf ps eps doc docx xls xlsx "
                                   "ppt pptx odt ods odp rtf csv txt md xml "
                                   "log json jsonp rss atom rdf map "
                                   "webmanifest "
                                   "manifest wasm swf appcache asc sig torrent "
                                   "ics vcf yml yaml ";

    end = path->data + path->len;

    for (p = end; p > path->data && p[-1] != '.' && p[-1] != '/'; p--) {
        /* void */
    }

    len = (size_t) (end - p);

    if (p == path->data || p[-1] == '/' || len == 0 || len > 12) {
        return CX_STEP_PAGE;
    }

    if (cx_replay_listed(asset, p, len)) {
        return CX_STEP_ASSET;
    }

    return cx_replay_listed(other, p, len) ? -1 : CX_STEP_PAGE;
}


/*
 * The type of an answer is the best sign, but that of an error or a redirect
 * is not the type of what was asked for.
 */

static int
cx_replay_by_answer(const cx_line_t *f, const cx_str_t *path)
{
    int kind;

    kind = f->type.len ? cx_replay_by_type(&f->type) : -1;

    if (f->type.len
        && (f->status < 300 || (f->status >= 400 && kind != CX_STEP_PAGE)))
    {
        return kind;
    }

    return cx_replay_by_name(path);
}


/* browsers ask for these of their own accord */

static int
cx_replay_unasked(const cx_str_t *path)
{
    return (path->len >= 12 && memcmp(path->data, "/favicon.ico", 12) == 0)
           || (path->len >= 17
               && memcmp(path->data, "/apple-touch-icon", 17) == 0);
}


/* of a page that was asked for: what its answer made of it */

static int
cx_replay_page_kind(const cx_line_t *f, int answer)
{
    if (f->status > 300 && f->status < 400 && f->status != 304) {
        return CX_STEP_REDIRECT;
    }

    /* a download is asked for like a page */

    if (answer != CX_STEP_PAGE && (f->status < 400 || f->status == 499)) {
        return -1;
    }

    return f->status < 200 || f->status == 204 || f->status == 206
                   || f->status == 300
               ? -1
               : CX_STEP_PAGE;
}


int
cx_replay_kind(const cx_line_t *f)
{
    int      kind, post, answer;
    cx_str_t path;

    cx_replay_path(&f->uri, &path);
    post = cx_replay_is(&f->method, "POST");

    if ((!post && !cx_replay_is(&f->method, "GET"))
        || (path.len >= 5 && memcmp(path.data, "/_cx/", 5) == 0)
        || cx_replay_unasked(&path))
    {
        return -1;
    }

    answer = cx_replay_by_answer(f, &path);
    kind = f->dest.len ? cx_replay_by_dest(&f->dest) : answer;
    kind = kind == CX_STEP_PAGE ? cx_replay_page_kind(f, answer) : kind;

    return kind < 0 && post && f->status >= 200 && f->status < 400
               ? CX_STEP_POST
               : kind;
}


/* ---- addresses ---- */

static int
cx_replay_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* %41 -> A.  dst holds len bytes */

static size_t
cx_replay_decode(unsigned char *dst, const unsigned char *p, size_t len)
{
    unsigned char       *d;
    const unsigned char *end;

    d = dst;

    for (end = p + len; p < end; p++) {
        if (*p == '%' && end - p > 2 && cx_replay_hex(p[1]) >= 0
            && cx_replay_hex(p[2]) >= 0)
        {
            *d++ = (unsigned char) (cx_replay_hex(p[1]) * 16
                                    + cx_replay_hex(p[2]));
            p += 2;

        } else {
            *d++ = *p;
        }
    }

    return (size_t) (d - dst);
}


size_t
cx_replay_fold(unsigned char *dst, const cx_str_t *uri)
{
    cx_str_t      path;
    unsigned char buf[CX_PATH_MAX];

    cx_replay_path(uri, &path);
    path.len = path.len < CX_PATH_MAX ? path.len : CX_PATH_MAX;

    return cx_page_fold(dst, buf, cx_replay_decode(buf, path.data, path.len));
}


void
cx_replay_host(const cx_str_t *url, cx_str_t *host, cx_str_t *path)
{
    size_t               skip;
    unsigned char       *p, *end;
    static unsigned char root[] = "/";

    host->len = 0;
    end = url->data + url->len;
    skip = url->len > 8 && strncasecmp((char *) url->data, "https://", 8) == 0
               ? 8
           : url->len > 7 && strncasecmp((char *) url->data, "http://", 7) == 0
               ? 7
               : 0;

    if (skip == 0) {
        return;
    }

    for (p = url->data + skip; p < end && *p != '/' && *p != '?' && *p != '#';
         p++) {
        /* void */
    }

    host->data = url->data + skip;
    host->len = (size_t) (p - host->data);
    path->data = p < end && *p == '/' ? p : root;
    path->len = path->data == root ? 1 : (size_t) (end - p);
    p = memchr(path->data, '#', path->len);
    path->len = p ? (size_t) (p - path->data) : path->len;
}


int
cx_replay_glob(const char *pattern, const unsigned char *s, size_t len)
{
    size_t      i, again;
    const char *star;

    star = NULL;
    again = 0;

    for (i = 0; i < len;) {
        if (*pattern == '*') {
            star = pattern++;
            again = i;

        } else if (*pattern && (unsigned char) *pattern == s[i]) {
            pattern++;
            i++;

        } else if (star) {
            pattern = star + 1;
            i = ++again;

        } else {
            return 0;
        }
    }

    while (*pattern == '*') {
        pattern++;
    }

    return *pattern == '\0';
}


cx_str_t
cx_replay_bare(const cx_str_t *host)
{
    cx_str_t bare;

    bare = *host;

    if (bare.len > 4 && strncasecmp((char *) bare.data, "www.", 4) == 0) {
        bare.data += 4;
        bare.len -= 4;
    }

    return bare;
}


/* ---- roles ---- */

/* checksum of what was searched for: the same words however they are typed */

static uint32_t
cx_replay_words(const unsigned char *text, size_t len)
{
    unsigned char *p, *d, *end, value[CX_QUERY_MAX];

    len = len < CX_QUERY_MAX ? len : CX_QUERY_MAX;
    end = value + cx_replay_decode(value, text, len);
    d = value;

    for (p = value; p < end; p++) {
        if (*p > ' ' && *p != '+') {
            *d++ = *p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p;

        } else if (d > value && d[-1] != ' ') {
            *d++ = ' ';
        }
    }

    d -= d > value && d[-1] == ' ';

    return cx_edge_id(0, value, (size_t) (d - value));
}


static uint32_t
cx_replay_query(const cx_str_t *uri, const char *name)
{
    size_t         len;
    unsigned char *p, *end, *next;

    len = strlen(name);
    p = memchr(uri->data, '?', uri->len);
    end = uri->data + uri->len;

    for (; p && p < end; p = next) {
        p++;
        next = memchr(p, '&', (size_t) (end - p));

        if ((size_t) (end - p) > len && p[len] == '='
            && strncasecmp((char *) p, name, len) == 0)
        {
            p += len + 1;
            return cx_replay_words(p, (size_t) ((next ? next : end) - p));
        }
    }

    return 0;
}


static void
cx_replay_roles(const cx_ctl_t *c, cx_step_t *s, const cx_line_t *f,
                const cx_str_t *path)
{
    unsigned             i;
    const cx_ctl_role_t *role;

    for (i = 0; i < c->n_roles; i++) {
        role = &c->role[i];

        if (role->role == 0
            || !cx_replay_glob(role->pattern, path->data, path->len)) {
            continue;
        }

        s->role |= (uint8_t) role->role;

        if (role->role == CX_ROLE_SEARCH && s->query == 0) {
            s->query = cx_replay_query(&f->uri, role->arg);
        }
    }
}


/* ---- the step ---- */

static int
cx_replay_own(const cx_replay_t *p, const cx_line_t *f, const cx_str_t *host)
{
    unsigned i;
    cx_str_t bare;

    if (f->host.len == host->len
        && strncasecmp((char *) f->host.data, (char *) host->data, host->len)
               == 0)
    {
        return 1;
    }

    for (i = 0; i < p->ctl->n_hosts; i++) {
        if (strlen(p->ctl->host[i]) == host->len
            && strncasecmp(p->ctl->host[i], (char *) host->data, host->len)
                   == 0)
        {
            return 1;
        }
    }

    if (p->ctl->n_hosts || f->host.len || p->host == NULL) {
        return 0;
    }

    bare = cx_replay_bare(host);

    return strlen(p->host) == bare.len
           && strncasecmp(p->host, (char *) bare.data, bare.len) == 0;
}


/* the page that linked here, if it is of this site */

static void
cx_replay_ref(const cx_replay_t *p, const cx_line_t *f, cx_str_t *ref)
{
    cx_str_t host, path;

    ref->len = 0;

    if (f->referer.len) {
        cx_replay_host(&f->referer, &host, &path);

        if (host.len && cx_replay_own(p, f, &host)) {
            ref->len = cx_replay_fold(ref->data, &path);
        }
    }
}


static void
cx_replay_times(cx_step_t *s, const cx_line_t *f)
{
    int64_t first;

    s->end = (uint64_t) f->end;
    s->start = s->end
               - (uint64_t) (f->request_ms > 0 && f->request_ms < f->end
                                 ? f->request_ms
                                 : 0);
    first = f->first_ms >= 0 ? f->first_ms : f->request_ms;
    s->upstream_ms = f->upstream_ms >= 0 ? (uint32_t) f->upstream_ms : CX_NO_MS;
    s->first_ms = first < 0 || s->aborted ? CX_NO_MS : (uint32_t) first;
}


void
cx_replay_facts(const cx_replay_t *p, cx_step_t *s, const cx_line_t *f,
                int kind, cx_str_t *page, cx_str_t *ref)
{
    cx_str_t path;

    memset(s, 0, sizeof(cx_step_t));
    cx_replay_path(&f->uri, &path);

    if (f->page.len && f->page.len <= CX_PAGE_MAX) {
        memcpy(page->data, f->page.data, f->page.len);
        page->len = f->page.len;

    } else {
        page->len = cx_replay_fold(page->data, &f->uri);
    }

    cx_replay_ref(p, f, ref);

    s->page = cx_edge_id(0, page->data, page->len);
    s->ref = ref->len ? cx_edge_id(0, ref->data, ref->len) : 0;
    s->path = cx_edge_id(0, path.data, path.len);
    s->uri = cx_edge_id(s->path, path.data + path.len, f->uri.len - path.len);
    s->status = (uint16_t) f->status;
    s->kind = (unsigned) kind;
    s->post = cx_replay_is(&f->method, "POST");
    s->aborted = f->status == 499;
    s->limited = f->limited;
    s->told = f->told;
    s->user = cx_replay_is(&f->user, "?1");
    s->pending = f->purpose.len && !cx_replay_is(&f->purpose, "preview");
    s->body = f->body > 0 && f->body < UINT32_MAX ? (uint32_t) f->body : 0;

    cx_replay_times(s, f);
    cx_replay_roles(p->ctl, s, f, &path);
}
