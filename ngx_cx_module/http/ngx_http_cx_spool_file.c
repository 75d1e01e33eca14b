
/*
 * What operations do to the spool's files.  In a thread, where there are any:
 * nothing is touched but operations, files, and what ngx_http_cx_spool.h says
 * is of operations.
 */


#include "ngx_http_cx_spool.h"


static void ngx_http_cx_spool_undo(ngx_http_cx_segment_t *seg, off_t size);
static ngx_int_t ngx_http_cx_spool_write_ops(ngx_http_cx_spool_op_t **ops,
    ngx_uint_t n);
static ngx_int_t ngx_http_cx_spool_write_iovs(ngx_http_cx_spool_op_t *op,
    struct iovec *iov, ngx_uint_t n);
static ngx_int_t ngx_http_cx_spool_make(ngx_http_cx_spool_op_t *op);
static ngx_int_t ngx_http_cx_spool_open(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_close(ngx_http_cx_segment_t *seg);
static ngx_int_t ngx_http_cx_spool_settled(ngx_http_cx_spool_op_t *op);
static ngx_int_t ngx_http_cx_spool_failed(ngx_http_cx_spool_op_t *op,
    const char *call);
static void ngx_http_cx_spool_sync(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_seal(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_fetch(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_cut(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_remove(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_set_aside(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_unlock(ngx_http_cx_spool_op_t *op);


/* by NGX_HTTP_CX_SPOOL_WRITE, ... */

static void (*ngx_http_cx_spool_do[])(ngx_http_cx_spool_op_t *op) = {
    NULL,
    ngx_http_cx_spool_sync,
    ngx_http_cx_spool_seal,
    ngx_http_cx_spool_fetch,
    ngx_http_cx_spool_cut,
    ngx_http_cx_spool_remove,
    ngx_http_cx_spool_set_aside,
    ngx_http_cx_spool_unlock
};


void
ngx_http_cx_spool_perform(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_spool_do[op->kind](op);
}


/* all or none, and none once one of the channel's failed */

void
ngx_http_cx_spool_write(ngx_http_cx_spool_op_t **ops, ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_http_cx_segment_t   *seg;
    ngx_http_cx_spool_op_t  *op;

    op = ops[0];
    seg = op->segment;

    if (op->spool->failed == 0) {

        if (ngx_http_cx_spool_write_ops(ops, n) == NGX_OK) {

            if (ops[n - 1]->close) {
                ngx_http_cx_spool_close(seg);
            }

            return;
        }

        op->spool->failed = op->err;

        ngx_http_cx_spool_undo(seg, op->offset);
    }

    for (i = 0; i < n; i++) {
        ops[i]->err = op->spool->failed;
    }
}


/*
 * Back to what it was.  If that fails as well, the segment ends with what
 * readers either refuse or know from elsewhere by its number, as nothing is
 * appended to it any more.
 */

static void
ngx_http_cx_spool_undo(ngx_http_cx_segment_t *seg, off_t size)
{
    ngx_file_info_t  fi;

    if (seg->fd == NGX_INVALID_FILE) {
        return;
    }

    if (size == seg->head) {
        /* it had no records */
        ngx_http_cx_spool_close(seg);
        (void) unlinkat(ngx_http_cx_spool.dir, (char *) seg->name, 0);
        return;
    }

    if (ngx_fd_info(seg->fd, &fi) == NGX_FILE_ERROR
        || (fi.st_size > size && ftruncate(seg->fd, size) == -1))
    {
        ngx_http_cx_spool_close(seg);
    }
}


static ngx_int_t
ngx_http_cx_spool_write_ops(ngx_http_cx_spool_op_t **ops, ngx_uint_t n)
{
    ngx_uint_t            i;
    struct iovec          iov[2 * NGX_HTTP_CX_SPOOL_GATHER];
    cx_spool_record_t     rec;
    ngx_http_cx_batch_t  *b;

    if (ngx_http_cx_spool_make(ops[0]) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        b = ops[i]->batch;

        rec.seq = b->seq;
        rec.ms = b->ms;
        rec.events = b->events;
        rec.args = b->args;
        rec.payload.data = b->data;
        rec.payload.len = b->last - b->data;

        cx_spool_record_write(ops[i]->head, &rec);

        iov[2 * i].iov_base = ops[i]->head;
        iov[2 * i].iov_len = CX_SPOOL_RECORD;
        iov[2 * i + 1].iov_base = b->data;
        iov[2 * i + 1].iov_len = rec.payload.len;
    }

    if (ngx_http_cx_spool_write_iovs(ops[0], iov, 2 * n) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_cx_spool_settled(ops[0]);
}


static ngx_int_t
ngx_http_cx_spool_write_iovs(ngx_http_cx_spool_op_t *op, struct iovec *iov,
    ngx_uint_t n)
{
    off_t    offset;
    ssize_t  written;

    offset = op->offset;

    while (n) {

#if (NGX_HAVE_PWRITEV)
        written = pwritev(op->segment->fd, iov, (int) n, offset);
#else
        written = pwrite(op->segment->fd, iov->iov_base, iov->iov_len, offset);
#endif

        if (written <= 0) {

            if (written == 0) {
                ngx_set_errno(NGX_ENOSPC);

            } else if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_http_cx_spool_failed(op, "pwritev()");
        }

        offset += written;

        while (n && (size_t) written >= iov->iov_len) {
            written -= iov->iov_len;
            iov++;
            n--;
        }

        if (n) {
            iov->iov_base = (u_char *) iov->iov_base + written;
            iov->iov_len -= written;
        }
    }

    return NGX_OK;
}


/* the file of a segment that begins, its lock file before it */

static ngx_int_t
ngx_http_cx_spool_make(ngx_http_cx_spool_op_t *op)
{
    size_t                   len;
    u_char                   buf[CX_SPOOL_HEAD_MAX];
    cx_spool_head_t          head;
    ngx_http_cx_segment_t   *seg;

    seg = op->segment;

    if (op->offset > seg->head) {
        return ngx_http_cx_spool_open(op);
    }

    if (ngx_http_cx_spool_lock(op->spool->owner) != NGX_OK) {
        return ngx_http_cx_spool_failed(op, "making a lock file in");
    }

    seg->fd = openat(ngx_http_cx_spool.dir, (char *) seg->name,
                     O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (seg->fd == NGX_INVALID_FILE) {
        return ngx_http_cx_spool_failed(op, "openat()");
    }

    head = op->spool->head;
    head.number = seg->number;
    len = cx_spool_head_write(buf, &head);

    ngx_set_errno(NGX_ENOSPC);

    if (pwrite(seg->fd, buf, len, 0) != (ssize_t) len) {
        return ngx_http_cx_spool_failed(op, "pwrite()");
    }

    if (ngx_http_cx_spool.conf->sync != NGX_HTTP_CX_SYNC_OFF
        && fsync(ngx_http_cx_spool.dir) == -1)
    {
        return ngx_http_cx_spool_failed(op, "fsync()");
    }

    return NGX_OK;
}


/* what was written will be found again */

static ngx_int_t
ngx_http_cx_spool_settled(ngx_http_cx_spool_op_t *op)
{
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    fd = op->segment->fd;

    if (ngx_http_cx_spool.conf->sync == NGX_HTTP_CX_SYNC_ALWAYS
        && fdatasync(fd) == -1)
    {
        return ngx_http_cx_spool_failed(op, "fdatasync()");
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        return ngx_http_cx_spool_failed(op, ngx_fd_info_n);
    }

    if (fi.st_nlink == 0) {
        ngx_set_errno(NGX_ENOENT);
        return ngx_http_cx_spool_failed(op, "somebody removed the file: "
                                        "writing");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_spool_failed(ngx_http_cx_spool_op_t *op, const char *call)
{
    op->err = ngx_errno;
    op->call = call;

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_cx_spool_open(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_segment_t  *seg;

    seg = op->segment;

    if (seg->fd == NGX_INVALID_FILE) {
        seg->fd = openat(ngx_http_cx_spool.dir, (char *) seg->name,
                         O_RDWR|O_NOFOLLOW|O_CLOEXEC);
    }

    return seg->fd == NGX_INVALID_FILE
           ? ngx_http_cx_spool_failed(op, "openat()") : NGX_OK;
}


static void
ngx_http_cx_spool_close(ngx_http_cx_segment_t *seg)
{
    if (seg->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(seg->fd);
        seg->fd = NGX_INVALID_FILE;
    }
}


static void
ngx_http_cx_spool_sync(ngx_http_cx_spool_op_t *op)
{
    if (ngx_http_cx_spool_open(op) != NGX_OK) {

        if (op->err == NGX_ENOENT) {
            /* nothing was written */
            op->err = 0;
        }

        return;
    }

    if (fdatasync(op->segment->fd) == -1) {
        (void) ngx_http_cx_spool_failed(op, "fdatasync()");
    }

    if (op->close) {
        ngx_http_cx_spool_close(op->segment);
    }
}


static void
ngx_http_cx_spool_seal(ngx_http_cx_spool_op_t *op)
{
    if (ngx_http_cx_spool.conf->sync == NGX_HTTP_CX_SYNC_INTERVAL) {
        ngx_http_cx_spool_sync(op);
    }

    ngx_http_cx_spool_close(op->segment);
}


/* size: bytes wanted, then those that there are */

static void
ngx_http_cx_spool_fetch(ngx_http_cx_spool_op_t *op)
{
    size_t   got;
    ssize_t  n;

    if (ngx_http_cx_spool_open(op) != NGX_OK) {
        return;
    }

    for (got = 0; got < op->size; got += n) {

        n = pread(op->segment->fd, op->spool->ahead + got, op->size - got,
                  op->offset + got);

        if (n == 0) {
            break;
        }

        if (n == -1) {
            if (ngx_errno == NGX_EINTR) {
                n = 0;
                continue;
            }

            (void) ngx_http_cx_spool_failed(op, "pread()");
            return;
        }
    }

    op->size = got;

    if (op->close) {
        ngx_http_cx_spool_close(op->segment);
    }
}


static void
ngx_http_cx_spool_cut(ngx_http_cx_spool_op_t *op)
{
    if (ngx_http_cx_spool_open(op) == NGX_OK
        && ftruncate(op->segment->fd, op->offset) == -1)
    {
        (void) ngx_http_cx_spool_failed(op, "ftruncate()");
    }
}


static void
ngx_http_cx_spool_remove(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_spool_close(op->segment);

    if (unlinkat(ngx_http_cx_spool.dir, (char *) op->segment->name, 0) == -1
        && ngx_errno != NGX_ENOENT)
    {
        (void) ngx_http_cx_spool_failed(op, "unlinkat()");
    }
}


static void
ngx_http_cx_spool_set_aside(ngx_http_cx_spool_op_t *op)
{
    u_char  bad[NGX_HTTP_CX_SPOOL_NAME + 8];

    ngx_http_cx_spool_close(op->segment);

    (void) ngx_sprintf(bad, "%s.bad%Z", op->segment->name);

    if (renameat(ngx_http_cx_spool.dir, (char *) op->segment->name,
                 ngx_http_cx_spool.dir, (char *) bad)
        == -1)
    {
        (void) ngx_http_cx_spool_failed(op, "renameat()");
    }
}


static void
ngx_http_cx_spool_unlock(ngx_http_cx_spool_op_t *op)
{
    u_char  name[NGX_HTTP_CX_SPOOL_NAME];

    if (op->owner->lock == NGX_INVALID_FILE) {
        return;
    }

    (void) ngx_sprintf(name, "%s.lock%Z", op->owner->name);
    (void) unlinkat(ngx_http_cx_spool.dir, (char *) name, 0);

    (void) ngx_close_file(op->owner->lock);
    op->owner->lock = NGX_INVALID_FILE;
}
