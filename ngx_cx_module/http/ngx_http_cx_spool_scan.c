
/*
 * A look through the spool's directory, in a thread where there are any: whose
 * lock can be had, and what segments belong to it.
 */


#include "ngx_http_cx_spool.h"
#include <sys/file.h>


#define NGX_HTTP_CX_SPOOL_STALE  60            /* s, of what is half made */
#define NGX_HTTP_CX_SPOOL_MANY   100000        /* events of a record: absurd */


typedef void (*ngx_http_cx_spool_each_pt)(ngx_http_cx_spool_scan_t *scan,
    const char *name);


static ngx_int_t ngx_http_cx_spool_each(ngx_http_cx_spool_scan_t *scan,
    ngx_http_cx_spool_each_pt handler);
static size_t ngx_http_cx_spool_hex(const char *p);
static ngx_uint_t ngx_http_cx_spool_is_segment(const char *name);
static void ngx_http_cx_spool_saw(ngx_http_cx_spool_scan_t *scan,
    const char *name);
static void ngx_http_cx_spool_other(ngx_http_cx_spool_scan_t *scan,
    const char *name);
static void ngx_http_cx_spool_claim(ngx_http_cx_spool_scan_t *scan,
    ngx_http_cx_spool_seen_t *seen);
static void ngx_http_cx_spool_fails(ngx_http_cx_spool_scan_t *scan,
    ngx_err_t err);
static ngx_fd_t ngx_http_cx_spool_grab(u_char *producer);
static void ngx_http_cx_spool_collect(ngx_http_cx_spool_scan_t *scan,
    const char *name);
static ngx_int_t ngx_http_cx_spool_head(ngx_http_cx_spool_scan_t *scan,
    const char *name, ngx_fd_t fd, cx_spool_head_t *head, u_char *buf,
    size_t *size);
static ngx_http_cx_spool_t *ngx_http_cx_spool_of(ngx_http_cx_spool_owner_t *o,
    cx_spool_head_t *head);
static void ngx_http_cx_spool_insert(ngx_http_cx_spool_t *s,
    ngx_http_cx_segment_t *seg);
static void ngx_http_cx_spool_count(ngx_http_cx_segment_t *seg, ngx_fd_t fd);


void
ngx_http_cx_spool_scan(void *data, ngx_log_t *log)
{
    ngx_http_cx_spool_scan_t *scan = data;

    ngx_uint_t  i;

    scan->log = log;
    scan->aside = 0;
    scan->n = 0;
    scan->torn = 0;
    scan->corrupt = 0;

    if (ngx_http_cx_spool_each(scan, ngx_http_cx_spool_saw) != NGX_OK) {
        return;
    }

    for (i = 0; i < scan->n; i++) {
        ngx_http_cx_spool_claim(scan, &scan->seen[i]);
    }
}


static ngx_int_t
ngx_http_cx_spool_each(ngx_http_cx_spool_scan_t *scan,
    ngx_http_cx_spool_each_pt handler)
{
    DIR            *dir;
    ngx_fd_t        fd;
    struct dirent  *de;

    fd = openat(ngx_http_cx_spool.dir, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    for (de = readdir(dir); de; de = readdir(dir)) {
        handler(scan, de->d_name);
    }

    (void) closedir(dir);

    return NGX_OK;
}


static size_t
ngx_http_cx_spool_hex(const char *p)
{
    size_t  n;

    for (n = 0; (p[n] >= '0' && p[n] <= '9') || (p[n] >= 'a' && p[n] <= 'f');
         n++)
    {
        /* void */
    }

    return n;
}


/* <16 hex>-<s|a>-<8 hex>.<digits> */

static ngx_uint_t
ngx_http_cx_spool_is_segment(const char *name)
{
    size_t  n;

    if (ngx_http_cx_spool_hex(name) != NGX_HTTP_CX_PRODUCER) {
        return 0;
    }

    name += NGX_HTTP_CX_PRODUCER;

    if (name[0] != '-' || (name[1] != 's' && name[1] != 'a') || name[2] != '-'
        || ngx_http_cx_spool_hex(name + 3) != 8 || name[11] != '.')
    {
        return 0;
    }

    name += 12;
    n = strspn(name, "0123456789");

    return n && n < 20 && name[n] == '\0';
}


/* notes whose file it is */

static void
ngx_http_cx_spool_saw(ngx_http_cx_spool_scan_t *scan, const char *name)
{
    const char                *end;
    ngx_uint_t                 i, lock;
    ngx_http_cx_spool_seen_t  *seen;

    if (ngx_http_cx_spool_hex(name) != NGX_HTTP_CX_PRODUCER) {
        return;
    }

    end = name + NGX_HTTP_CX_PRODUCER;
    lock = (ngx_strcmp(end, ".lock") == 0);

    if (!lock && !ngx_http_cx_spool_is_segment(name)) {

        ngx_http_cx_spool_other(scan, name);
        return;
    }

    for (i = 0; i < scan->n; i++) {
        if (ngx_memcmp(scan->seen[i].producer, name, NGX_HTTP_CX_PRODUCER)
            == 0)
        {
            scan->seen[i].lock |= lock;
            return;
        }
    }

    if (scan->n == NGX_HTTP_CX_SPOOL_SEEN) {
        /* next time */
        return;
    }

    seen = &scan->seen[scan->n++];

    ngx_memcpy(seen->producer, name, NGX_HTTP_CX_PRODUCER);
    seen->producer[NGX_HTTP_CX_PRODUCER] = '\0';
    seen->lock = lock;
}


/* what was set aside takes room, too; a lock file whose maker died between two
   steps is nothing */

static void
ngx_http_cx_spool_other(ngx_http_cx_spool_scan_t *scan, const char *name)
{
    const char       *end;
    ngx_file_info_t   fi;

    end = name + ngx_strlen(name) - 4;

    if (fstatat(ngx_http_cx_spool.dir, name, &fi, AT_SYMLINK_NOFOLLOW) == -1) {
        return;
    }

    if (ngx_strcmp(end, ".bad") == 0) {
        scan->aside += fi.st_size;
    }

    if (ngx_strcmp(end, ".new") == 0
        && ngx_time() - fi.st_mtime > NGX_HTTP_CX_SPOOL_STALE)
    {
        (void) unlinkat(ngx_http_cx_spool.dir, name, 0);
    }
}


static void
ngx_http_cx_spool_claim(ngx_http_cx_spool_scan_t *scan,
    ngx_http_cx_spool_seen_t *seen)
{
    ngx_fd_t                    fd;
    ngx_http_cx_spool_op_t      op;
    ngx_http_cx_spool_owner_t  *o;

    fd = NGX_INVALID_FILE;

    if (seen->lock) {
        fd = ngx_http_cx_spool_grab(seen->producer);

        if (fd == NGX_INVALID_FILE) {
            return;
        }
    }

    o = ngx_calloc(sizeof(ngx_http_cx_spool_owner_t), scan->log);

    if (o == NULL) {
        if (fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(fd);
        }

        return;
    }

    ngx_queue_init(&o->found);
    ngx_memcpy(o->name, seen->producer, NGX_HTTP_CX_PRODUCER + 1);
    o->lock = fd;

    /* where somebody removed the lock file: of those who make it anew one
       succeeds */

    if (ngx_http_cx_spool_lock(o) != NGX_OK) {
        ngx_free(o);
        return;
    }

    /* only now does nobody else change what belongs to it */

    scan->owner = o;
    scan->failed = 0;
    scan->passing = 0;

    if (ngx_http_cx_spool_each(scan, ngx_http_cx_spool_collect) != NGX_OK
        || scan->passing)
    {
        /* what comes later in a series must not be delivered before what is
           missing: it would be taken for known */

        ngx_http_cx_spool_discard(o);
        return;
    }

    if (ngx_queue_empty(&o->found) && !scan->failed) {
        ngx_memzero(&op, sizeof(ngx_http_cx_spool_op_t));
        op.kind = NGX_HTTP_CX_SPOOL_UNLOCK;
        op.owner = o;

        ngx_http_cx_spool_perform(&op);
        ngx_free(o);

        return;
    }

    ngx_queue_insert_tail(&scan->owners, &o->queue);
}


/* a file cannot be read now, or never */

static void
ngx_http_cx_spool_fails(ngx_http_cx_spool_scan_t *scan, ngx_err_t err)
{
    scan->failed = 1;

    if (err == NGX_EMFILE || err == NGX_ENFILE || err == NGX_ENOMEM
        || err == NGX_EINTR)
    {
        scan->passing = 1;
    }
}


/* the lock of a producer if nobody has it */

static ngx_fd_t
ngx_http_cx_spool_grab(u_char *producer)
{
    ngx_fd_t         fd;
    u_char           name[NGX_HTTP_CX_SPOOL_NAME];
    ngx_file_info_t  fi, there;

    (void) ngx_sprintf(name, "%s.lock%Z", producer);

    fd = openat(ngx_http_cx_spool.dir, (char *) name,
                O_RDWR|O_NOFOLLOW|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return NGX_INVALID_FILE;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == 0
        && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR && fi.st_nlink
        && fstatat(ngx_http_cx_spool.dir, (char *) name, &there,
                   AT_SYMLINK_NOFOLLOW) == 0
        && there.st_ino == fi.st_ino && there.st_dev == fi.st_dev)
    {
        return fd;
    }

    (void) ngx_close_file(fd);

    return NGX_INVALID_FILE;
}


/* a segment of the producer that was claimed */

static void
ngx_http_cx_spool_collect(ngx_http_cx_spool_scan_t *scan, const char *name)
{
    size_t                  size;
    u_char                  buf[CX_SPOOL_HEAD_MAX];
    ngx_fd_t                fd;
    ngx_int_t               rc;
    cx_spool_head_t         head;
    ngx_file_info_t         fi;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    if (ngx_strncmp(name, scan->owner->name, NGX_HTTP_CX_PRODUCER) != 0
        || !ngx_http_cx_spool_is_segment(name))
    {
        return;
    }

    fd = openat(ngx_http_cx_spool.dir, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno != NGX_ENOENT) {
            ngx_http_cx_spool_fails(scan, ngx_errno);
        }

        return;
    }

    rc = ngx_http_cx_spool_head(scan, name, fd, &head, buf, &size);

    if (rc == NGX_ERROR) {
        ngx_http_cx_spool_fails(scan, ngx_errno);
    }

    s = NULL;
    seg = NULL;

    if (rc == NGX_OK) {
        s = ngx_http_cx_spool_of(scan->owner, &head);
        seg = ngx_calloc(sizeof(ngx_http_cx_segment_t), scan->log);
    }

    if (s && seg && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR) {
        seg->spool = s;
        seg->number = head.number;
        seg->fd = NGX_INVALID_FILE;
        seg->full = 1;
        seg->head = size;
        seg->acked = size;
        seg->read = size;
        seg->size = fi.st_size;
        seg->end = fi.st_size;
        ngx_memcpy(seg->name, name, ngx_strlen(name) + 1);

        ngx_http_cx_spool_count(seg, fd);
        ngx_http_cx_spool_insert(s, seg);

    } else if (rc == NGX_OK) {
        ngx_http_cx_spool_fails(scan, NGX_ENOMEM);

        if (seg) {
            ngx_free(seg);
        }
    }

    (void) ngx_close_file(fd);
}


/*
 * The head of a segment; size: its bytes.  NGX_DECLINED: there is none, so that
 * nothing was ever written behind it, or it is not one that this version can
 * read, and was set aside; NGX_ERROR: it cannot be read now.
 */

static ngx_int_t
ngx_http_cx_spool_head(ngx_http_cx_spool_scan_t *scan, const char *name,
    ngx_fd_t fd, cx_spool_head_t *head, u_char *buf, size_t *size)
{
    ssize_t                  n;
    cx_spool_e               rc;
    u_char                   right[NGX_HTTP_CX_SPOOL_NAME];
    ngx_http_cx_spool_t      s;

    n = pread(fd, buf, CX_SPOOL_HEAD_MAX, 0);

    if (n == -1) {
        return NGX_ERROR;
    }

    rc = cx_spool_head_read(head, buf, n, size);

    if (rc == CX_SPOOL_MORE) {
        scan->torn += (n > 0);
        (void) unlinkat(ngx_http_cx_spool.dir, name, 0);

        return NGX_DECLINED;
    }

    if (rc == CX_SPOOL_OK && head->lane < NGX_HTTP_CX_LANES
        && head->producer.len >= NGX_HTTP_CX_PRODUCER)
    {
        s.head = *head;
        (void) ngx_http_cx_spool_name(right, &s, head->number);

        if (ngx_strcmp(right, name) == 0) {
            return NGX_OK;
        }
    }

    scan->corrupt++;

    (void) ngx_sprintf(right, "%s.bad%Z", name);

    ngx_log_error(NGX_LOG_ERR, scan->log, 0,
                  "cx: spool \"%V/%s\" has no head that can be read: it is "
                  "\"%s\" now", &ngx_http_cx_spool.conf->path->name, name,
                  right);

    (void) renameat(ngx_http_cx_spool.dir, name, ngx_http_cx_spool.dir,
                    (char *) right);

    return NGX_DECLINED;
}


/* the series that a segment belongs to; NULL: out of memory */

static ngx_http_cx_spool_t *
ngx_http_cx_spool_of(ngx_http_cx_spool_owner_t *o, cx_spool_head_t *head)
{
    ngx_queue_t          *q;
    ngx_http_cx_spool_t  *s;

    for (q = ngx_queue_head(&o->found);
         q != ngx_queue_sentinel(&o->found);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (s->head.lane == head->lane
            && s->head.producer.len == head->producer.len
            && s->head.stream.len == head->stream.len
            && ngx_memcmp(s->head.producer.data, head->producer.data,
                          head->producer.len) == 0
            && ngx_memcmp(s->head.stream.data, head->stream.data,
                          head->stream.len) == 0)
        {
            return s;
        }
    }

    s = ngx_http_cx_spool_create(o, head);

    if (s) {
        ngx_queue_insert_tail(&o->found, &s->queue);
    }

    return s;
}


static void
ngx_http_cx_spool_insert(ngx_http_cx_spool_t *s, ngx_http_cx_segment_t *seg)
{
    ngx_queue_t            *q;
    ngx_http_cx_segment_t  *other;

    for (q = ngx_queue_last(&s->segments);
         q != ngx_queue_sentinel(&s->segments);
         q = ngx_queue_prev(q))
    {
        other = ngx_queue_data(q, ngx_http_cx_segment_t, queue);

        if (other->number < seg->number) {
            break;
        }
    }

    ngx_queue_insert_after(q, &seg->queue);
}


/* what is in it, as far as can be told without reading all of it */

static void
ngx_http_cx_spool_count(ngx_http_cx_segment_t *seg, ngx_fd_t fd)
{
    off_t               at;
    size_t              n;
    u_char              buf[CX_SPOOL_RECORD];
    cx_spool_record_t   rec;

    for (at = seg->head; at + CX_SPOOL_RECORD <= seg->size; at += n) {

        if (pread(fd, buf, CX_SPOOL_RECORD, at) != CX_SPOOL_RECORD) {
            return;
        }

        n = cx_spool_record_peek(&rec, buf);

        if (n == 0 || at + (off_t) n > seg->size
            || rec.events > NGX_HTTP_CX_SPOOL_MANY)
        {
            return;
        }

        if (seg->ms == 0) {
            seg->ms = rec.ms;
        }

        seg->events += rec.events;
    }
}
