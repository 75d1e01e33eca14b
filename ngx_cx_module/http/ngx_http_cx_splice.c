
/*
 * Puts the tag into the body: feeds its first bytes to the tokenizer, splices
 * the tag in where that says, and lets all that follows pass untouched, in
 * memory or in files.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_SCAN_MAX   8192     /* bytes looked at, then given up */
#define NGX_HTTP_CX_READ_SIZE  1024     /* bytes read of a file at a time */


static ngx_int_t ngx_http_cx_splice_buf(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_buf_t *b, ngx_chain_t ***ll);
static ngx_int_t ngx_http_cx_splice_feed(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_buf_t **b, u_char *p, size_t len,
    ngx_chain_t ***ll);
static ngx_int_t ngx_http_cx_splice_tag(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_buf_t *b, u_char *p, size_t len, size_t start,
    ngx_chain_t ***ll);
static ngx_int_t ngx_http_cx_splice_wait(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_buf_t **b, u_char *p, size_t len, size_t keep,
    ngx_chain_t ***ll);
static ngx_int_t ngx_http_cx_splice_leave(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_uint_t outcome, ngx_chain_t ***ll);
static ngx_int_t ngx_http_cx_splice_end(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_buf_t *b, ngx_chain_t ***ll);
static void ngx_http_cx_splice_consume(ngx_buf_t *b, size_t n);
static ngx_int_t ngx_http_cx_splice_link(ngx_http_request_t *r, ngx_buf_t *b,
    ngx_chain_t ***ll);
static ngx_buf_t *ngx_http_cx_splice_bytes(ngx_http_request_t *r, u_char *p,
    size_t len, ngx_chain_t ***ll);
static void ngx_http_cx_splice_flags(ngx_buf_t *to, ngx_buf_t *from);


ngx_int_t
ngx_http_cx_splice(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_int_t      rc;
    ngx_chain_t  **ll;

    *out = NULL;
    ll = out;

    for ( /* void */ ; in; in = in->next) {

        if (!ctx->seek && !ctx->pad) {

            /* the rest of the caller's chain as it is */

            *ll = in;
            break;
        }

        rc = ctx->seek ? ngx_http_cx_splice_buf(r, ctx, in->buf, &ll)
                       : ngx_http_cx_splice_end(r, ctx, in->buf, &ll);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* one buffer while the place is not found yet */

static ngx_int_t
ngx_http_cx_splice_buf(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_buf_t *b, ngx_chain_t ***ll)
{
    u_char      *p;
    size_t       size;
    ssize_t      n;
    ngx_int_t    rc;
    ngx_uint_t   data;

    data = (ngx_buf_size(b) != 0);

    if (ngx_buf_in_memory(b)) {

        if (data) {
            rc = ngx_http_cx_splice_feed(r, ctx, &b, b->pos, b->last - b->pos,
                                       ll);
            if (rc != NGX_AGAIN) {
                return rc;
            }
        }

    } else if (b->in_file) {

        /* the first bytes travel in memory, the rest stays in the file */

        while (b->file_pos < b->file_last) {

            size = ngx_min(b->file_last - b->file_pos, NGX_HTTP_CX_READ_SIZE);

            p = ngx_pnalloc(r->pool, size);
            if (p == NULL) {
                return NGX_ERROR;
            }

            n = ngx_read_file(b->file, p, size, b->file_pos);

            if (n <= 0) {
                rc = ngx_http_cx_splice_leave(r, ctx, NGX_HTTP_CX_ERROR, ll);
                return rc == NGX_OK ? ngx_http_cx_splice_end(r, ctx, b, ll)
                                    : rc;
            }

            rc = ngx_http_cx_splice_feed(r, ctx, &b, p, n, ll);
            if (rc != NGX_AGAIN) {
                return rc;
            }
        }
    }

    /* undecided, and all of the buffer is consumed */

    if (b->last_buf) {
        rc = ngx_http_cx_splice_leave(r, ctx, NGX_HTTP_CX_NO_PLACE, ll);
        return rc == NGX_OK ? ngx_http_cx_splice_end(r, ctx, b, ll) : rc;
    }

    if (!ctx->withheld) {
        return ngx_http_cx_splice_end(r, ctx, b, ll);
    }

    if (!data && b->flush) {

        /*
         * An unbuffered upstream flushes the header before there is a body;
         * later a flush without data means that no more will come.
         */

        if (ctx->held || ctx->flushed) {
            rc = ngx_http_cx_splice_leave(r, ctx, NGX_HTTP_CX_NO_PLACE, ll);
            return rc == NGX_OK ? ngx_http_cx_splice_end(r, ctx, b, ll) : rc;
        }

        ctx->flushed = 1;
    }

    return NGX_OK;
}


/*
 * Feeds bytes of b, which lie at p: in b itself or read from its file.
 * NGX_AGAIN: undecided, and the bytes are consumed.
 */

static ngx_int_t
ngx_http_cx_splice_feed(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_buf_t **b, u_char *p, size_t len, ngx_chain_t ***ll)
{
    size_t      start, keep;
    ngx_int_t   rc;
    cx_html_e   html;

    start = ctx->html.seen;
    html = cx_tokenizer_feed(&ctx->html, p,
                             ngx_min(len, NGX_HTTP_CX_SCAN_MAX - start));

    if (html == CX_HTML_FOUND && ctx->facts.dest == NGX_HTTP_CX_DEST_NONE
        && !ctx->html.document)
    {
        rc = ngx_http_cx_splice_leave(r, ctx, NGX_HTTP_CX_FRAGMENT, ll);
        goto unchanged;
    }

    if (html == CX_HTML_NONE || (html == CX_HTML_MORE
                                 && ctx->html.seen == NGX_HTTP_CX_SCAN_MAX))
    {
        rc = ngx_http_cx_splice_leave(r, ctx, NGX_HTTP_CX_NO_PLACE, ll);
        goto unchanged;
    }

    if (html == CX_HTML_FOUND) {
        return ngx_http_cx_splice_tag(r, ctx, *b, p, len, start, ll);
    }

    /* a byte must wait if the tag may have to go in before it */

    keep = ctx->withheld ? len
           : ngx_min(ctx->html.seen - ctx->html.off, len);

    rc = ngx_http_cx_splice_wait(r, ctx, b, p, len, keep, ll);

    return rc == NGX_OK ? NGX_AGAIN : rc;

unchanged:

    return rc == NGX_OK ? ngx_http_cx_splice_end(r, ctx, *b, ll) : rc;
}


/* the place is found: at ctx->html.off, in what was held or in these bytes */

static ngx_int_t
ngx_http_cx_splice_tag(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_buf_t *b, u_char *p, size_t len, size_t start, ngx_chain_t ***ll)
{
    size_t       cut;
    ngx_int_t    rc;
    ngx_buf_t   *tag;
    ngx_uint_t   rest;

    rc = ngx_http_cx_filter_release(r, ctx, 1);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ctx->seek = 0;
    ctx->outcome = NGX_HTTP_CX_INJECTED;
    ngx_http_cx_count_outcome(ctx->outcome);

    cut = (ctx->html.off < start) ? ctx->held - (start - ctx->html.off)
                                  : ctx->held;

    if (cut && ngx_http_cx_splice_bytes(r, ctx->hold, cut, ll) == NULL) {
        return NGX_ERROR;
    }

    rest = 1;

    if (ctx->html.off == start + len && ngx_buf_in_memory(b)) {

        /* the owner may take the memory back once the buffer is empty */

        if (ngx_http_cx_splice_link(r, b, ll) != NGX_OK) {
            return NGX_ERROR;
        }

        rest = 0;

    } else if (ctx->html.off > start) {

        if (ngx_http_cx_splice_bytes(r, p, ctx->html.off - start, ll) == NULL) {
            return NGX_ERROR;
        }

        ngx_http_cx_splice_consume(b, ctx->html.off - start);
        rest = (ngx_buf_size(b) != 0);
    }

    tag = ngx_http_cx_splice_bytes(r, ctx->tag.data, ctx->tag.len, ll);
    if (tag == NULL) {
        return NGX_ERROR;
    }

    if (ctx->held > cut) {
        tag = ngx_http_cx_splice_bytes(r, ctx->hold + cut, ctx->held - cut, ll);
        if (tag == NULL) {
            return NGX_ERROR;
        }
    }

    ctx->held = 0;

    if (rest) {
        return ngx_http_cx_splice_link(r, b, ll);
    }

    ngx_http_cx_splice_flags(tag, b);

    return NGX_OK;
}


/* undecided: all but the last keep bytes go out, those are put aside */

static ngx_int_t
ngx_http_cx_splice_wait(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_buf_t **b, u_char *p, size_t len, size_t keep, ngx_chain_t ***ll)
{
    u_char     *bytes;
    ngx_buf_t  *end;

    if (keep < len && ctx->held) {

        /* what was held turned out not to be the place */

        bytes = ngx_pnalloc(r->pool, ctx->held);
        if (bytes == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(bytes, ctx->hold, ctx->held);

        if (ngx_http_cx_splice_bytes(r, bytes, ctx->held, ll) == NULL) {
            return NGX_ERROR;
        }

        ctx->held = 0;
    }

    if (keep) {
        if (ctx->hold == NULL) {
            ctx->hold = ngx_pnalloc(r->pool, NGX_HTTP_CX_SCAN_MAX);
            if (ctx->hold == NULL) {
                return NGX_ERROR;
            }
        }

        ngx_memcpy(ctx->hold + ctx->held, p + len - keep, keep);
        ctx->held += keep;
    }

    if (keep == len) {
        ngx_http_cx_splice_consume(*b, len);
        return NGX_OK;
    }

    if (!ngx_buf_in_memory(*b)) {
        ngx_http_cx_splice_consume(*b, len);
        return ngx_http_cx_splice_bytes(r, p, len - keep, ll) ? NGX_OK
                                                              : NGX_ERROR;
    }

    /*
     * The owner takes the memory back once the buffer is sent, so the buffer
     * itself goes out; what it signals must come behind the bytes held.
     */

    end = ngx_calloc_buf(r->pool);
    if (end == NULL) {
        return NGX_ERROR;
    }

    ngx_http_cx_splice_flags(end, *b);

    (*b)->last -= keep;

    if (ngx_http_cx_splice_link(r, *b, ll) != NGX_OK) {
        return NGX_ERROR;
    }

    *b = end;

    return NGX_OK;
}


/* gives up: header as the application sent it, or white space at the end */

static ngx_int_t
ngx_http_cx_splice_leave(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_uint_t outcome, ngx_chain_t ***ll)
{
    ngx_int_t  rc;

    ctx->seek = 0;
    ctx->pad = ctx->promised;

    ctx->outcome = (ctx->pad && outcome != NGX_HTTP_CX_ERROR)
                   ? NGX_HTTP_CX_PADDED : outcome;
    ngx_http_cx_count_outcome(ctx->outcome);

    rc = ngx_http_cx_filter_release(r, ctx, 0);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ctx->held) {
        if (ngx_http_cx_splice_bytes(r, ctx->hold, ctx->held, ll) == NULL) {
            return NGX_ERROR;
        }

        ctx->held = 0;
    }

    return NGX_OK;
}


/* links b, with the white space behind it if it is the last */

static ngx_int_t
ngx_http_cx_splice_end(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_buf_t *b, ngx_chain_t ***ll)
{
    u_char     *p;
    ngx_buf_t  *pad, *special;

    if (ngx_buf_size(b) == 0 && !ngx_buf_special(b)) {

        /* consumed: only what it signals goes on */

        if (!b->flush && !b->last_buf && !b->sync) {
            return NGX_OK;
        }

        special = ngx_calloc_buf(r->pool);
        if (special == NULL) {
            return NGX_ERROR;
        }

        ngx_http_cx_splice_flags(special, b);
        b = special;
    }

    if (!ctx->pad || !b->last_buf) {
        return ngx_http_cx_splice_link(r, b, ll);
    }

    ctx->pad = 0;

    p = ngx_pnalloc(r->pool, ctx->tag.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memset(p, ' ', ctx->tag.len);

    if (ngx_buf_size(b) && ngx_http_cx_splice_link(r, b, ll) != NGX_OK) {
        return NGX_ERROR;
    }

    pad = ngx_http_cx_splice_bytes(r, p, ctx->tag.len, ll);
    if (pad == NULL) {
        return NGX_ERROR;
    }

    ngx_http_cx_splice_flags(pad, b);

    return NGX_OK;
}


static void
ngx_http_cx_splice_consume(ngx_buf_t *b, size_t n)
{
    if (ngx_buf_in_memory(b)) {
        b->pos += n;
    }

    if (b->in_file) {
        b->file_pos += n;
    }
}


static ngx_int_t
ngx_http_cx_splice_link(ngx_http_request_t *r, ngx_buf_t *b, ngx_chain_t ***ll)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    **ll = cl;
    *ll = &cl->next;

    return NGX_OK;
}


static ngx_buf_t *
ngx_http_cx_splice_bytes(ngx_http_request_t *r, u_char *p, size_t len,
    ngx_chain_t ***ll)
{
    ngx_buf_t  *b;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NULL;
    }

    b->pos = p;
    b->last = p + len;
    b->memory = 1;

    return ngx_http_cx_splice_link(r, b, ll) == NGX_OK ? b : NULL;
}


static void
ngx_http_cx_splice_flags(ngx_buf_t *to, ngx_buf_t *from)
{
    to->flush = from->flush;
    to->last_buf = from->last_buf;
    to->last_in_chain = from->last_in_chain;

    if (!ngx_buf_in_memory(to)) {
        to->sync = from->sync;
    }

    from->flush = 0;
    from->last_buf = 0;
    from->last_in_chain = 0;
}
