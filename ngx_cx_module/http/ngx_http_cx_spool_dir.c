
/*
 * The spool's directory: opening it, and looking for what producers that are
 * gone have left.
 *
 *   <producer>.lock                      held with flock() by who has the rest
 *   <producer>-<lane>-<checksum of the stream's name>.<number>
 *   ....bad                              set aside, never touched again
 *
 * Whoever gets hold of a lock delivers what belongs to it, and removes the lock
 * file last; so a lock file that was removed meanwhile is not worth having.
 */


#include "ngx_http_cx_spool.h"
#include <sys/file.h>


#define NGX_HTTP_CX_SPOOL_SOON      100        /* ms, the first look, at most */
#define NGX_HTTP_CX_SPOOL_LOOK      2000       /* ms between two, +- 25 % */


static void ngx_http_cx_spool_dir_timer(ngx_msec_t ms);
static void ngx_http_cx_spool_dir_handler(ngx_event_t *ev);
static void ngx_http_cx_spool_dir_unstick(void);
static ngx_int_t ngx_http_cx_spool_dir_open(void);
static ngx_int_t ngx_http_cx_spool_dir_fits(ngx_fd_t fd);
static void ngx_http_cx_spool_dir_done(ngx_event_t *ev);


static ngx_event_t               ngx_http_cx_spool_dir_event;
static ngx_http_cx_spool_scan_t  ngx_http_cx_spool_dir_scan;


ngx_int_t
ngx_http_cx_spool_dir_init(void)
{
    ngx_event_t  *ev;

    static ngx_connection_t  dummy;

    dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_cx_spool_dir_event;

    ngx_memzero(ev, sizeof(ngx_event_t));
    ev->handler = ngx_http_cx_spool_dir_handler;
    ev->data = &dummy;
    ev->log = ngx_http_cx_spool.log;
    ev->cancelable = 1;

    (void) ngx_http_cx_spool_dir_open();

    ngx_http_cx_spool_dir_timer(NGX_HTTP_CX_SPOOL_SOON / 2);

    return NGX_OK;
}


static void
ngx_http_cx_spool_dir_timer(ngx_msec_t ms)
{
    ngx_add_timer(&ngx_http_cx_spool_dir_event,
                  ms * 3 / 4 + ngx_random() % (ms / 2 + 1));
}


static void
ngx_http_cx_spool_dir_handler(ngx_event_t *ev)
{
    ngx_http_cx_spool_scan_t  *scan;

    if (ngx_http_cx_spool.hurry) {
        return;
    }

    ngx_http_cx_spool_dir_unstick();

    scan = &ngx_http_cx_spool_dir_scan;

    /* who leaves takes nothing over */

    if (!ngx_exiting && !scan->running
        && ngx_http_cx_spool_dir_open() == NGX_OK)
    {
        scan->running = 1;
        ngx_queue_init(&scan->owners);

        ngx_http_cx_spool_beside(ngx_http_cx_spool_scan,
                                 ngx_http_cx_spool_dir_done, scan);
    }

    ngx_http_cx_spool_dir_timer(NGX_HTTP_CX_SPOOL_LOOK);
}


/* channels that could not read for a reason that may have passed */

static void
ngx_http_cx_spool_dir_unstick(void)
{
    ngx_queue_t          *q;
    ngx_http_cx_spool_t  *s;

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (s->stuck) {
            s->stuck = 0;
            s->tell = 1;
            ngx_http_cx_spool_post();
        }
    }
}


/* NGX_OK if the directory is there; when it is not, tried again next time */

static ngx_int_t
ngx_http_cx_spool_dir_open(void)
{
    ngx_fd_t         fd;
    ngx_str_t       *name;
    ngx_file_info_t  fi;

    if (ngx_http_cx_spool.dir != NGX_INVALID_FILE
        && ngx_fd_info(ngx_http_cx_spool.dir, &fi) != NGX_FILE_ERROR
        && fi.st_nlink)
    {
        return NGX_OK;
    }

    name = &ngx_http_cx_spool.conf->path->name;

    fd = open((char *) name->data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_http_cx_spool_trouble("opening the directory", NULL, ngx_errno);
        return NGX_ERROR;
    }

    if (ngx_http_cx_spool_dir_fits(fd) != NGX_OK) {
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    if (ngx_http_cx_spool.dir == NGX_INVALID_FILE) {
        ngx_http_cx_spool.dir = fd;
        return NGX_OK;
    }

    /* a thread may be about to use the old one */

    if (dup2(fd, ngx_http_cx_spool.dir) == -1
        || fcntl(ngx_http_cx_spool.dir, F_SETFD, FD_CLOEXEC) == -1)
    {
        ngx_http_cx_spool_trouble("dup2() of", NULL, ngx_errno);
    }

    (void) ngx_close_file(fd);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_spool_dir_fits(ngx_fd_t fd)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_http_cx_spool_trouble(ngx_fd_info_n, NULL, ngx_errno);
        return NGX_ERROR;
    }

    if (fi.st_mode & (S_IWGRP|S_IWOTH)) {
        ngx_http_cx_spool_trouble("as others may write to it, using", NULL,
                                  0);
        return NGX_ERROR;
    }

    if (faccessat(fd, ".", R_OK|W_OK|X_OK, AT_EACCESS) == -1) {
        ngx_http_cx_spool_trouble("faccessat()", NULL, ngx_errno);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* in the event loop again */

static void
ngx_http_cx_spool_dir_done(ngx_event_t *ev)
{
    ngx_queue_t                *q;
    ngx_http_cx_spool_scan_t   *scan;
    ngx_http_cx_spool_owner_t  *o;

    scan = ev->data;
    scan->running = 0;

    if (ngx_http_cx_spool.hurry) {
        /* what was claimed goes with the process */
        return;
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_SPOOL_TORN, scan->torn);
    ngx_http_cx_count(NGX_HTTP_CX_C_SPOOL_CORRUPT, scan->corrupt);

    while (!ngx_queue_empty(&scan->owners)) {
        q = ngx_queue_head(&scan->owners);
        ngx_queue_remove(q);
        o = ngx_queue_data(q, ngx_http_cx_spool_owner_t, queue);

        if (!ngx_queue_empty(&o->found)) {
            ngx_http_cx_count(NGX_HTTP_CX_C_SPOOL_CLAIMED, 1);
            ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_spool.log, 0,
                          "cx: spool \"%V\": takes over what %s left",
                          &ngx_http_cx_spool.conf->path->name, o->name);
        }

        ngx_http_cx_spool_claimed(o);
    }

    ngx_http_cx_spool.aside = scan->aside;
}


/* files, in a thread where there are any, from here on */

u_char *
ngx_http_cx_spool_name(u_char *dst, ngx_http_cx_spool_t *s, uint64_t number)
{
    return ngx_sprintf(dst, "%*s-%c-%08xD.%010uL%Z",
                       (size_t) NGX_HTTP_CX_PRODUCER, s->head.producer.data,
                       s->head.lane == NGX_HTTP_CX_LANE_ANSWERS ? 'a' : 's',
                       cx_crc32c(0, s->head.stream.data, s->head.stream.len),
                       number);
}


/* made under another name and linked once it is held: nobody sees it unlocked,
   and of two who try one wins */

ngx_int_t
ngx_http_cx_spool_lock(ngx_http_cx_spool_owner_t *o)
{
    ngx_fd_t         dir;
    ngx_int_t        rc;
    ngx_err_t        err;
    u_char           name[NGX_HTTP_CX_SPOOL_NAME];
    u_char           half[NGX_HTTP_CX_SPOOL_NAME];
    ngx_file_info_t  fi;

    dir = ngx_http_cx_spool.dir;

    if (o->lock != NGX_INVALID_FILE) {

        if (ngx_fd_info(o->lock, &fi) != NGX_FILE_ERROR && fi.st_nlink) {
            return NGX_OK;
        }

        /* somebody removed it */

        (void) ngx_close_file(o->lock);
        o->lock = NGX_INVALID_FILE;
    }

    (void) ngx_sprintf(name, "%s.lock%Z", o->name);
    (void) ngx_sprintf(half, "%s.%P.new%Z", o->name, ngx_pid);

    o->lock = openat(dir, (char *) half,
                     O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (o->lock == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = (flock(o->lock, LOCK_EX|LOCK_NB) == 0
          && linkat(dir, (char *) half, dir, (char *) name, 0) == 0)
         ? NGX_OK : NGX_ERROR;

    err = ngx_errno;
    (void) unlinkat(dir, (char *) half, 0);

    if (rc != NGX_OK) {
        (void) ngx_close_file(o->lock);
        o->lock = NGX_INVALID_FILE;
        ngx_set_errno(err);
    }

    return rc;
}
