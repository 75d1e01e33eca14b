/*
 * cx_status: counters and gauges of all workers, as JSON or for Prometheus.
 *
 * The array in the zone holds NGX_HTTP_CX_COUNTER_N counters, then one per
 * outcome of a page (NGX_HTTP_CX_COUNTER_N + NGX_HTTP_CX_INJECTED, ...), then
 * one per signal (NGX_HTTP_CX_COUNTER_N + NGX_HTTP_CX_OUTCOME_N + CX_SIG_*).
 */

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_zone.h"


#define NGX_HTTP_CX_STATUS_SIZE    32768       /* bytes; the answer has half
                                                  of it at most */


typedef struct {
    const char                  *family;
    const char                  *label;
    const char                  *help;
} ngx_http_cx_status_row_t;


static ngx_int_t ngx_http_cx_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_status_problem(ngx_http_request_t *r,
    ngx_uint_t status, const char *error, const char *expected);
static u_char *ngx_http_cx_status_json(u_char *p, u_char *last,
    ngx_atomic_t *counters);
static u_char *ngx_http_cx_status_json_group(u_char *p, u_char *last,
    const char *name, const ngx_str_t *labels, ngx_uint_t n,
    ngx_atomic_t *counters);
static u_char *ngx_http_cx_status_prometheus(u_char *p, u_char *last,
    ngx_atomic_t *counters);
static u_char *ngx_http_cx_status_prometheus_group(u_char *p, u_char *last,
    const char *family, const char *label, const char *help,
    const ngx_str_t *labels, ngx_uint_t n, ngx_atomic_t *counters);
static u_char *ngx_http_cx_status_prometheus_gauges(u_char *p, u_char *last);
static u_char *ngx_http_cx_status_json_gauges(u_char *p, u_char *last);
static void ngx_http_cx_status_gauges(
    uint64_t value[NGX_HTTP_CX_GAUGE_N]);


static const ngx_http_cx_status_row_t  ngx_http_cx_status_rows[] = {
#define NGX_HTTP_CX_STATUS_ROW(id, family, label, help)                       \
    { family, label, help },
    NGX_HTTP_CX_COUNTERS(NGX_HTTP_CX_STATUS_ROW)
#undef NGX_HTTP_CX_STATUS_ROW
    { NULL, NULL, NULL }
};


/* of the oldest event in the spool its age is told, not its time */

static const ngx_http_cx_status_row_t  ngx_http_cx_status_gauge_rows[] = {
#define NGX_HTTP_CX_STATUS_GAUGE(id, name, help)  { name, "", help },
    NGX_HTTP_CX_GAUGES(NGX_HTTP_CX_STATUS_GAUGE)
#undef NGX_HTTP_CX_STATUS_GAUGE
};


const ngx_str_t  ngx_http_cx_outcome_names[] = {
#define NGX_HTTP_CX_STATUS_OUTCOME(id, name, what)  ngx_string(name),
    NGX_HTTP_CX_OUTCOMES(NGX_HTTP_CX_STATUS_OUTCOME)
#undef NGX_HTTP_CX_STATUS_OUTCOME
};


static const ngx_str_t  ngx_http_cx_status_signals[] = {
#define NGX_HTTP_CX_STATUS_SIGNAL(id, name, seen, b, cap, rule, source)       \
    ngx_string(name),
    CX_SIGNALS(NGX_HTTP_CX_STATUS_SIGNAL)
#undef NGX_HTTP_CX_STATUS_SIGNAL
};


char *
ngx_http_cx_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_cx_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cx_status_handler(ngx_http_request_t *r)
{
    u_char        *last;
    ngx_str_t      format, body, *type;
    ngx_uint_t     prometheus;
    ngx_atomic_t  *counters;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  text = ngx_string("text/plain; version=0.0.4");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_cx_status_problem(r, NGX_HTTP_NOT_ALLOWED, "method",
                                          "GET, HEAD");
    }

    prometheus = 0;

    if (ngx_http_arg(r, (u_char *) "format", 6, &format) == NGX_OK) {
        prometheus = (format.len == sizeof("prometheus") - 1
                      && ngx_strncmp(format.data, "prometheus", format.len)
                         == 0);

        if (!prometheus
            && (format.len != sizeof("json") - 1
                || ngx_strncmp(format.data, "json", format.len) != 0))
        {
            return ngx_http_cx_status_problem(r, NGX_HTTP_BAD_REQUEST,
                                              "format", "json or prometheus");
        }
    }

    counters = ngx_http_cx_counters();

    if (counters == NULL) {
        return ngx_http_cx_status_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                          "no_zone", "cx on");
    }

    body.data = ngx_pnalloc(r->pool, NGX_HTTP_CX_STATUS_SIZE);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = body.data + NGX_HTTP_CX_STATUS_SIZE;

    if (prometheus) {
        type = &text;
        last = ngx_http_cx_status_prometheus(body.data, last, counters);

    } else {
        type = &json;
        last = ngx_http_cx_status_json(body.data, last, counters);
    }

    body.len = last - body.data;

    return ngx_http_cx_endpoint_send(r, type, &body);
}


static ngx_int_t
ngx_http_cx_status_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *error, const char *expected)
{
    ngx_http_cx_problem_t  p;

    p.status = status;
    p.counter = NGX_HTTP_CX_NOT_COUNTED;
    p.error = error;
    p.expected = expected;
    p.field = NULL;
    p.event = -1;

    return ngx_http_cx_endpoint_problem(r, &p);
}


/* rows of one family stand together in the table: one object of its labels */

static u_char *
ngx_http_cx_status_json(u_char *p, u_char *last, ngx_atomic_t *counters)
{
    const char                      *family;
    ngx_uint_t                       i;
    const ngx_http_cx_status_row_t  *row;

    p = ngx_slprintf(p, last, "{\"version\":\"%s\"", CX_VERSION);
    p = ngx_http_cx_status_json_gauges(p, last);

    family = "";
    row = ngx_http_cx_status_rows;

    for (i = 0; i < NGX_HTTP_CX_COUNTER_N; i++) {

        if (row[i].label[0] == '\0') {
            p = ngx_slprintf(p, last, ",\"%s\":%uA", row[i].family,
                             counters[i]);
            continue;
        }

        if (ngx_strcmp(row[i].family, family) != 0) {
            family = row[i].family;
            p = ngx_slprintf(p, last, ",\"%s\":{", family);

        } else {
            p = ngx_slprintf(p, last, ",");
        }

        p = ngx_slprintf(p, last, "\"%s\":%uA", row[i].label, counters[i]);

        if (row[i + 1].family == NULL
            || ngx_strcmp(row[i + 1].family, family) != 0)
        {
            p = ngx_slprintf(p, last, "}");
        }
    }

    counters += NGX_HTTP_CX_COUNTER_N;

    p = ngx_http_cx_status_json_group(p, last, "pages",
                                      ngx_http_cx_outcome_names,
                                      NGX_HTTP_CX_OUTCOME_N, counters);

    counters += NGX_HTTP_CX_OUTCOME_N;

    p = ngx_http_cx_status_json_group(p, last, "signals",
                                      ngx_http_cx_status_signals, CX_SIG_N,
                                      counters);

    return ngx_slprintf(p, last, "}\n");
}


static u_char *
ngx_http_cx_status_json_group(u_char *p, u_char *last, const char *name,
    const ngx_str_t *labels, ngx_uint_t n, ngx_atomic_t *counters)
{
    ngx_uint_t  i;

    p = ngx_slprintf(p, last, ",\"%s\":{", name);

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, last, "%s\"%V\":%uA", i ? "," : "", &labels[i],
                         counters[i]);
    }

    return ngx_slprintf(p, last, "}");
}


static u_char *
ngx_http_cx_status_prometheus(u_char *p, u_char *last, ngx_atomic_t *counters)
{
    const char                      *family;
    ngx_uint_t                       i;
    const ngx_http_cx_status_row_t  *row;

    p = ngx_http_cx_status_prometheus_gauges(p, last);

    family = "";
    row = ngx_http_cx_status_rows;

    for (i = 0; i < NGX_HTTP_CX_COUNTER_N; i++) {

        if (ngx_strcmp(row[i].family, family) != 0) {
            family = row[i].family;
            p = ngx_slprintf(p, last,
                             "# HELP cx_%s_total %s\n"
                             "# TYPE cx_%s_total counter\n",
                             family, row[i].help, family);
        }

        if (row[i].label[0]) {
            p = ngx_slprintf(p, last, "cx_%s_total{reason=\"%s\"} %uA\n",
                             family, row[i].label, counters[i]);

        } else {
            p = ngx_slprintf(p, last, "cx_%s_total %uA\n", family,
                             counters[i]);
        }
    }

    counters += NGX_HTTP_CX_COUNTER_N;

    p = ngx_http_cx_status_prometheus_group(p, last, "pages", "outcome",
                                            "responses by what became of "
                                            "the tag",
                                            ngx_http_cx_outcome_names,
                                            NGX_HTTP_CX_OUTCOME_N, counters);

    counters += NGX_HTTP_CX_OUTCOME_N;

    return ngx_http_cx_status_prometheus_group(p, last, "signals", "name",
                                               "signals recorded",
                                               ngx_http_cx_status_signals,
                                               CX_SIG_N, counters);
}


static u_char *
ngx_http_cx_status_prometheus_group(u_char *p, u_char *last,
    const char *family, const char *label, const char *help,
    const ngx_str_t *labels, ngx_uint_t n, ngx_atomic_t *counters)
{
    ngx_uint_t  i;

    p = ngx_slprintf(p, last,
                     "# HELP cx_%s_total %s\n# TYPE cx_%s_total counter\n",
                     family, help, family);

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, last, "cx_%s_total{%s=\"%V\"} %uA\n", family,
                         label, &labels[i], counters[i]);
    }

    return p;
}


static u_char *
ngx_http_cx_status_json_gauges(u_char *p, u_char *last)
{
    size_t      len;
    u_char      text[NGX_HTTP_CX_ERROR_LEN], *q;
    uint64_t    ms, value[NGX_HTTP_CX_GAUGE_N];
    ngx_uint_t  i;

    ngx_http_cx_status_gauges(value);

    for (i = 0; i < NGX_HTTP_CX_GAUGE_N; i++) {
        p = ngx_slprintf(p, last, ",\"%s\":%uL",
                         i == NGX_HTTP_CX_G_SPOOL_SINCE
                         ? "spool_age_ms"
                         : ngx_http_cx_status_gauge_rows[i].family, value[i]);
    }

    len = ngx_http_cx_gauge_last_error(text, &ms);

    if (len == 0) {
        return ngx_slprintf(p, last, ",\"last_error\":null");
    }

    p = ngx_slprintf(p, last, ",\"last_error\":{\"ts\":%uL,\"text\":\"", ms);

    /* printable: nothing takes more than two bytes */

    for (q = text; q < text + len && last - p > 2; q++) {
        if (*q == '"' || *q == '\\') {
            *p++ = '\\';
        }

        *p++ = *q;
    }

    return ngx_slprintf(p, last, "\"}");
}


static u_char *
ngx_http_cx_status_prometheus_gauges(u_char *p, u_char *last)
{
    uint64_t                         value[NGX_HTTP_CX_GAUGE_N];
    ngx_uint_t                       i;
    const ngx_http_cx_status_row_t  *row;

    ngx_http_cx_status_gauges(value);

    for (i = 0; i < NGX_HTTP_CX_GAUGE_N; i++) {

        if (i == NGX_HTTP_CX_G_SPOOL_SINCE) {
            p = ngx_slprintf(p, last,
                             "# HELP cx_spool_age_seconds age of the oldest "
                             "event in the spool; 0: it is empty\n"
                             "# TYPE cx_spool_age_seconds gauge\n"
                             "cx_spool_age_seconds %uL.%03uL\n",
                             value[i] / 1000, value[i] % 1000);
            continue;
        }

        row = &ngx_http_cx_status_gauge_rows[i];

        p = ngx_slprintf(p, last,
                         "# HELP cx_%s %s\n# TYPE cx_%s gauge\ncx_%s %uL\n",
                         row->family, row->help, row->family, row->family,
                         value[i]);
    }

    return p;
}


/* the time since when the spool has events becomes their age in ms */

static void
ngx_http_cx_status_gauges(uint64_t value[NGX_HTTP_CX_GAUGE_N])
{
    uint64_t     now, *since;
    ngx_time_t  *tp;

    ngx_http_cx_gauge_read(value);

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;
    since = &value[NGX_HTTP_CX_G_SPOOL_SINCE];

    /* at least 1, as 0 is an empty spool */

    if (*since) {
        *since = now > *since ? now - *since : 1;
    }
}
