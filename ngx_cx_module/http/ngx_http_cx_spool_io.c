
/*
 * Operations on the spool's files: what waits is done in one go, in order, by
 * one task of nginx's default thread pool at a time; without threads the event
 * loop does the same.
 */


#include "ngx_http_cx_spool.h"


#define NGX_HTTP_CX_SPOOL_LAST    5000         /* ms for a task at the end */


typedef struct {
    ngx_queue_t                  waiting;
    ngx_queue_t                  running;
    ngx_queue_t                  free;
    ngx_event_t                  begin;        /* posted */
    ngx_uint_t                   busy;         /* running is the task's */
    ngx_uint_t                   ending;       /* is being told about */
    volatile ngx_uint_t          finished;     /* ... but not any longer */
#if (NGX_THREADS)
    ngx_thread_task_t           *task;
    ngx_thread_task_t           *beside;
#endif
} ngx_http_cx_spool_io_t;


static void ngx_http_cx_spool_begin(ngx_event_t *ev);
static void ngx_http_cx_spool_end(ngx_event_t *ev);
static void ngx_http_cx_spool_all(void);
static void ngx_http_cx_spool_run(void *data, ngx_log_t *log);
static ngx_uint_t ngx_http_cx_spool_gather(ngx_http_cx_spool_op_t **ops,
    ngx_http_cx_spool_op_t *op);


static ngx_http_cx_spool_io_t  ngx_http_cx_spool_io;


ngx_int_t
ngx_http_cx_spool_io_init(ngx_cycle_t *cycle)
{
    ngx_http_cx_spool_io_t  *io;

    io = &ngx_http_cx_spool_io;

    ngx_queue_init(&io->waiting);
    ngx_queue_init(&io->running);
    ngx_queue_init(&io->free);

    io->begin.handler = ngx_http_cx_spool_begin;
    io->begin.log = cycle->log;

#if (NGX_THREADS)

    io->task = ngx_thread_task_alloc(cycle->pool, 0);
    io->beside = ngx_thread_task_alloc(cycle->pool, 0);

    if (io->task == NULL || io->beside == NULL) {
        return NGX_ERROR;
    }

    io->task->handler = ngx_http_cx_spool_run;
    io->task->event.handler = ngx_http_cx_spool_end;

#endif

    return NGX_OK;
}


ngx_http_cx_spool_op_t *
ngx_http_cx_spool_op(ngx_http_cx_spool_kind_e kind, ngx_http_cx_spool_t *s,
    ngx_http_cx_segment_t *seg)
{
    ngx_queue_t             *q;
    ngx_http_cx_spool_op_t  *op;

    if (ngx_queue_empty(&ngx_http_cx_spool_io.free)) {
        op = ngx_alloc(sizeof(ngx_http_cx_spool_op_t), ngx_http_cx_spool.log);

        if (op == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&ngx_http_cx_spool_io.free);
        ngx_queue_remove(q);
        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);
    }

    ngx_memzero(op, sizeof(ngx_http_cx_spool_op_t));

    op->kind = kind;
    op->spool = s;
    op->segment = seg;

    return op;
}


void
ngx_http_cx_spool_op_free(ngx_http_cx_spool_op_t *op)
{
    if (op->spool) {
        op->spool->ops--;
    }

    ngx_queue_insert_head(&ngx_http_cx_spool_io.free, &op->queue);
}


void
ngx_http_cx_spool_put(ngx_http_cx_spool_op_t *op)
{
    if (op->spool) {
        op->spool->ops++;
    }

    ngx_queue_insert_tail(&ngx_http_cx_spool_io.waiting, &op->queue);

    if (ngx_http_cx_spool.hurry) {
        ngx_http_cx_spool_all();
        return;
    }

    /* with all that this turn of the event loop brings */

    ngx_post_event(&ngx_http_cx_spool_io.begin, &ngx_posted_events);
}


void
ngx_http_cx_spool_take(ngx_http_cx_spool_t *s, ngx_queue_t *to)
{
    ngx_queue_t             *q, *next;
    ngx_http_cx_spool_io_t  *io;
    ngx_http_cx_spool_op_t  *op;

    io = &ngx_http_cx_spool_io;

    for (q = ngx_queue_head(&io->waiting);
         q != ngx_queue_sentinel(&io->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);

        if (op->kind == NGX_HTTP_CX_SPOOL_WRITE && op->spool == s) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(to, q);
        }
    }
}


static void
ngx_http_cx_spool_begin(ngx_event_t *ev)
{
    ngx_http_cx_spool_io_t  *io;

    io = &ngx_http_cx_spool_io;

    if (io->busy || ngx_queue_empty(&io->waiting)) {
        return;
    }

    ngx_queue_add(&io->running, &io->waiting);
    ngx_queue_init(&io->waiting);

    io->busy = 1;
    io->finished = 0;

#if (NGX_THREADS)

    if (!ngx_http_cx_spool.hurry
        && ngx_thread_task_post(ngx_http_cx_spool.conf->pool, io->task)
           == NGX_OK)
    {
        return;
    }

#endif

    ngx_http_cx_spool_run(NULL, ngx_http_cx_spool.log);
    ngx_http_cx_spool_end(NULL);
}


static void
ngx_http_cx_spool_end(ngx_event_t *ev)
{
    ngx_queue_t              done;
    ngx_http_cx_spool_io_t  *io;

    io = &ngx_http_cx_spool_io;

    if (!io->busy || !io->finished) {
        /* at the process's end it was not waited for */
        return;
    }

    ngx_queue_init(&done);
    ngx_queue_add(&done, &io->running);
    ngx_queue_init(&io->running);

    io->busy = 0;

    io->ending = 1;
    ngx_http_cx_spool_done(&done);
    io->ending = 0;

    if (!ngx_queue_empty(&io->waiting) && !ngx_http_cx_spool.hurry) {
        ngx_post_event(&io->begin, &ngx_posted_events);
    }
}


/* at the process's end: now, not in a thread, and told in order */

static void
ngx_http_cx_spool_all(void)
{
    ngx_http_cx_spool_io_t  *io;

    io = &ngx_http_cx_spool_io;

    while (!io->busy && !io->ending && !ngx_queue_empty(&io->waiting)) {
        ngx_http_cx_spool_begin(NULL);
    }
}


void
ngx_http_cx_spool_hurry(void)
{
    ngx_uint_t               ms;
    ngx_http_cx_spool_io_t  *io;

    io = &ngx_http_cx_spool_io;

    if (ngx_http_cx_spool.conf == NULL || ngx_http_cx_spool.hurry) {
        return;
    }

    ngx_http_cx_spool.hurry = 1;

    for (ms = 0; io->busy && !io->finished; ms++) {

        if (ms == NGX_HTTP_CX_SPOOL_LAST) {
            ngx_log_error(NGX_LOG_ERR, ngx_http_cx_spool.log, 0,
                          "cx: spool \"%V\": a write did not end in %ui ms",
                          &ngx_http_cx_spool.conf->path->name, ms);
            return;
        }

        ngx_msleep(1);
    }

    ngx_memory_barrier();

    ngx_http_cx_spool_end(NULL);
    ngx_http_cx_spool_all();
}


ngx_int_t
ngx_http_cx_spool_beside(void (*run)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done, void *data)
{
    ngx_event_t  ev;

#if (NGX_THREADS)

    ngx_thread_task_t  *task;

    task = ngx_http_cx_spool_io.beside;

    task->handler = run;
    task->ctx = data;
    task->event.handler = done;
    task->event.data = data;

    if (ngx_thread_task_post(ngx_http_cx_spool.conf->pool, task) == NGX_OK) {
        return NGX_OK;
    }

#endif

    ngx_memzero(&ev, sizeof(ngx_event_t));
    ev.data = data;

    run(data, ngx_http_cx_spool.log);
    done(&ev);

    return NGX_OK;
}


/* in the thread, from here on */

static void
ngx_http_cx_spool_run(void *data, ngx_log_t *log)
{
    ngx_uint_t               n;
    ngx_queue_t             *q;
    ngx_http_cx_spool_io_t  *io;
    ngx_http_cx_spool_op_t  *op, *ops[NGX_HTTP_CX_SPOOL_GATHER];

    io = &ngx_http_cx_spool_io;

    for (q = ngx_queue_head(&io->running);
         q != ngx_queue_sentinel(&io->running);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);

        if (op->kind != NGX_HTTP_CX_SPOOL_WRITE) {
            ngx_http_cx_spool_perform(op);
            continue;
        }

        n = ngx_http_cx_spool_gather(ops, op);
        ngx_http_cx_spool_write(ops, n);

        q = &ops[n - 1]->queue;
    }

    ngx_memory_barrier();

    io->finished = 1;
}


/* the writes from op on that go to the same segment */

static ngx_uint_t
ngx_http_cx_spool_gather(ngx_http_cx_spool_op_t **ops,
    ngx_http_cx_spool_op_t *op)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;

    ops[0] = op;

    for (n = 1; n < NGX_HTTP_CX_SPOOL_GATHER; n++) {

        q = ngx_queue_next(&ops[n - 1]->queue);

        if (q == ngx_queue_sentinel(&ngx_http_cx_spool_io.running)) {
            break;
        }

        ops[n] = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);

        if (ops[n]->kind != NGX_HTTP_CX_SPOOL_WRITE
            || ops[n]->segment != op->segment)
        {
            break;
        }
    }

    return n;
}
