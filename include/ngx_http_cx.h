/*
 * Internals of the nginx module: configuration, request context, counters and
 * the prototypes of each file, grouped by file in the order data flows.
 */

#ifndef NGX_HTTP_CX_H
#define NGX_HTTP_CX_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "cx_core.h"
#include "cx_edge.h"
#include "cx_keys.h"
#include "cx_language.h"
#include "cx_redis.h"
#include "cx_spool.h"
#include "cx_token.h"
#include "cx_version.h"


#define NGX_HTTP_CX_SITE_MAX       CX_SITE_MAX
#define NGX_HTTP_CX_VISIT_LEN      16          /* hex digits of a visit key */

/* what became of a page: $cx_injected and the counters of the status page */

#define NGX_HTTP_CX_OUTCOMES(O)                                               \
    O(OFF, "off", "cx is off here")                                           \
    O(INJECTED, "injected", "the tag went in")                                \
    O(PADDED, "padded", "no place for the tag: white space instead")          \
    O(NO_PLACE, "no_place", "no place for the tag: unchanged")                \
    O(FRAGMENT, "fragment", "no doctype, html or head: not a document")       \
    O(DEST, "dest", "asked for by a script, image, ...: not a document")      \
    O(TYPE, "type", "not text/html")                                          \
    O(STATUS, "status", "1xx, 204, 206 or 3xx")                               \
    O(EMPTY, "empty", "no body")                                              \
    O(ENCODED, "encoded", "the body came with a Content-Encoding")            \
    O(NO_TRANSFORM, "no_transform", "Cache-Control: no-transform")            \
    O(ATTACHMENT, "attachment", "Content-Disposition: attachment")            \
    O(RANGE, "range", "a part of a response")                                 \
    O(CSP, "csp", "'strict-dynamic' without cx_nonce")                        \
    O(PRIVACY, "privacy", "Sec-GPC, DNT, no consent, or opted out")           \
    O(ERROR, "error", "out of memory or an unreadable file: unchanged")

enum {
#define NGX_HTTP_CX_OUTCOME_ID(id, name, what)  NGX_HTTP_CX_##id,
    NGX_HTTP_CX_OUTCOMES(NGX_HTTP_CX_OUTCOME_ID)
#undef NGX_HTTP_CX_OUTCOME_ID
    NGX_HTTP_CX_OUTCOME_N
};

extern const ngx_str_t  ngx_http_cx_outcome_names[];   /* status.c */


/*
 * Counters, shared by all workers: C(id, family, label, help).  A family with
 * labels is one Prometheus metric cx_<family>_total{reason="<label>"}.
 */

#define NGX_HTTP_CX_COUNTERS(C)                                               \
    C(VIEWS, "views", "", "page views recorded")                              \
    C(VIEWS_BOT, "views_skipped", "bot", "page views not recorded")           \
    C(VIEWS_HEALTH, "views_skipped", "health_check", "")                      \
    C(VIEWS_PREFETCH, "views_skipped", "prefetch", "")                        \
    C(VIEWS_PRERENDER, "views_skipped", "prerender", "")                      \
    C(VIEWS_IGNORED, "views_skipped", "cx_ignore", "")                        \
    C(VIEWS_PRIVACY, "views_skipped", "privacy", "")                          \
    C(VIEWS_OPT_OUT, "views_skipped", "opt_out", "")                          \
    C(VIEWS_SAMPLED, "views_skipped", "sampled_out", "")                      \
    C(VIEWS_SHOWN, "views_shown", "",                                         \
      "prefetched pages that a browser showed later: views then")             \
    C(VISITS_NEW, "visits_new", "", "visits that entered the zone")           \
    C(VISITS_EVICTED, "visits_evicted", "",                                   \
      "visits pushed out of a full zone")                                     \
    C(VISITS_ENDED, "visits_ended", "", "visits that were idle for 30 min")   \
    C(PLACES_LOST, "places_lost", "",                                         \
      "signals whose page was pushed out of the zone's list of pages")        \
    C(JOINED, "beacons_joined", "yes",                                        \
      "POSTs by whether the edge knew the page view they are about")          \
    C(JOINED_NOT, "beacons_joined", "no", "")                                 \
    C(BEACONS, "beacons", "", "POSTs taken")                                  \
    C(EVENTS, "events", "", "events taken from POSTs")                        \
    C(ANSWERS, "answers", "", "answers taken from POSTs")                     \
    C(ANSWERS_LATE, "answers_late", "",                                       \
      "POSTs answered 503 because Redis did not acknowledge in time")         \
    C(IGNORED_PRIVACY, "beacons_ignored", "privacy",                          \
      "POSTs answered 204 and not recorded")                                  \
    C(IGNORED_BOT, "beacons_ignored", "bot", "")                              \
    C(IGNORED_HEALTH, "beacons_ignored", "health_check", "")                  \
    C(IGNORED_OWN, "beacons_ignored", "cx_ignore", "")                        \
    C(IGNORED_OPT_OUT, "beacons_ignored", "opt_out", "")                      \
    C(OPTED_OUT, "opt_outs", "out", "uses of the opt-out page")               \
    C(OPTED_IN, "opt_outs", "in", "")                                         \
    C(REJECT_METHOD, "beacons_rejected", "method",                            \
      "requests to the endpoint refused with 4xx")                            \
    C(REJECT_ORIGIN, "beacons_rejected", "origin", "")                        \
    C(REJECT_TYPE, "beacons_rejected", "content_type", "")                    \
    C(REJECT_SIZE, "beacons_rejected", "size", "")                            \
    C(REJECT_JSON, "beacons_rejected", "json", "")                            \
    C(REJECT_SCHEMA, "beacons_rejected", "schema", "")                        \
    C(REJECT_SURVEY, "beacons_rejected", "survey", "")                        \
    C(REJECT_TOKEN, "beacons_rejected", "token", "")                          \
    C(REJECT_EXPIRED, "beacons_rejected", "expired", "")                      \
    C(REJECT_FLOOD, "beacons_rejected", "flood", "")                          \
    C(REJECT_FULL, "beacons_rejected", "queue_full", "")                      \
    C(QUEUED, "queue_events", "", "events put into the queue")                \
    C(DELIVERED, "delivered_events", "", "events acknowledged by Redis")      \
    C(DUPLICATE, "duplicate_batches", "",                                     \
      "batches sent again that Redis had already taken")                      \
    C(DROPPED_FULL, "dropped_events", "queue_full",                           \
      "events lost before they reached Redis")                                \
    C(DROPPED_EXIT, "dropped_events", "worker_exit", "")                      \
    C(DROPPED_SPOOL_FULL, "dropped_events", "spool_full", "")                 \
    C(DROPPED_DISK, "dropped_events", "disk_error", "")                       \
    C(DROPPED_CORRUPT, "dropped_events", "spool_corrupt", "")                 \
    C(SPOOLED, "spooled_events", "", "events written to the spool")           \
    C(REPLAYED, "replayed_events", "",                                        \
      "events of the spool acknowledged by Redis")                            \
    C(SPOOL_TORN, "spool_damages", "torn_tail",                               \
      "segments of the spool that were cut off or set aside")                 \
    C(SPOOL_CORRUPT, "spool_damages", "corrupt", "")                          \
    C(SPOOL_CLAIMED, "spool_claims", "",                                      \
      "producers whose spool another worker took over")                       \
    C(TRIMMED, "trimmed_entries", "",                                         \
      "stream entries the producer's MAXLEN removed unread or read")          \
    C(BATCHES, "batches", "", "batches sent, again or for the first time")    \
    C(CONNECTS, "redis_connects", "", "connections to Redis made")            \
    C(TROUBLE_CONNECT, "redis_troubles", "connect",                           \
      "times Redis became unusable")                                          \
    C(TROUBLE_TIMEOUT, "redis_troubles", "timeout", "")                       \
    C(TROUBLE_CLOSED, "redis_troubles", "closed", "")                         \
    C(TROUBLE_AUTH, "redis_troubles", "auth", "")                             \
    C(TROUBLE_LOADING, "redis_troubles", "loading", "")                       \
    C(TROUBLE_READONLY, "redis_troubles", "readonly", "")                     \
    C(TROUBLE_OOM, "redis_troubles", "oom", "")                               \
    C(TROUBLE_NOSCRIPT, "redis_troubles", "noscript", "")                     \
    C(TROUBLE_TLS, "redis_troubles", "tls", "")                               \
    C(TROUBLE_CLUSTER, "redis_troubles", "cluster", "")                       \
    C(TROUBLE_REFUSED, "redis_troubles", "refused", "")                       \
    C(TROUBLE_SLOW, "redis_troubles", "slow", "")                             \
    C(TROUBLE_OTHER, "redis_troubles", "other", "")                           \
    C(REDIRECTS, "redis_redirects", "", "MOVED, ASK and TRYAGAIN replies")

enum {
#define NGX_HTTP_CX_COUNTER_ID(id, family, label, help)  NGX_HTTP_CX_C_##id,
    NGX_HTTP_CX_COUNTERS(NGX_HTTP_CX_COUNTER_ID)
#undef NGX_HTTP_CX_COUNTER_ID
    NGX_HTTP_CX_COUNTER_N
};


/* the shared array: counters, then outcomes, then signals */
#define NGX_HTTP_CX_COUNTERS_ALL                                              \
    (NGX_HTTP_CX_COUNTER_N + NGX_HTTP_CX_OUTCOME_N + CX_SIG_N)


/* cx_visitor, cx_privacy */

#define NGX_HTTP_CX_VISITOR_OFF    0
#define NGX_HTTP_CX_VISITOR_HASH   1

#define NGX_HTTP_CX_PRIVACY_SET    0x01
#define NGX_HTTP_CX_PRIVACY_OFF    0x02
#define NGX_HTTP_CX_PRIVACY_GPC    0x04
#define NGX_HTTP_CX_PRIVACY_DNT    0x08


/* a site or, where it is split, a shard of it: what shares a hash tag */
typedef struct {
    ngx_str_t                    name;         /* <site> or <site>/<shard> */
    ngx_str_t                    key;          /* cx:{<name>}:events */
    ngx_uint_t                   slot;         /* of a Redis Cluster */
    ngx_uint_t                   index;        /* of main conf's streams */
} ngx_http_cx_stream_t;

typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   index;        /* of main conf's sites */
    uint32_t                     id;           /* cx_edge_id of its name */
    ngx_uint_t                   shards;       /* cx_site name shards=N; 0: not
                                                  said, one */
    ngx_http_cx_stream_t        *streams;      /* as many */
} ngx_http_cx_site_t;


/* where a node of Redis is; what hosts were known for when nginx started */
typedef struct {
    ngx_str_t                    name;         /* host, address or path: for
                                                  logs and its certificate */
    ngx_str_t                    host;         /* to resolve, or len 0 */
    in_port_t                    port;         /* 0: a unix socket */
    ngx_addr_t                  *addrs;        /* of any port */
    ngx_uint_t                   naddrs;
} ngx_http_cx_redis_peer_t;

/* a parsed cx_redis */
typedef struct {
    cx_redis_target_t            target;
    ngx_str_t                    label;        /* for logs: no password */
    ngx_http_cx_redis_peer_t     seed[CX_REDIS_SEEDS];
    ngx_resolver_t              *resolver;     /* NULL: addrs as of start */
    ngx_msec_t                   resolver_timeout;
#if (NGX_SSL)
    ngx_ssl_t                   *ssl;          /* NULL: no TLS */
#endif
} ngx_http_cx_redis_conf_t;

/* cx_spool */
typedef struct {
    ngx_path_t                  *path;
    off_t                        max_size;     /* bytes, of all workers */
    ngx_uint_t                   sync;         /* NGX_HTTP_CX_SYNC_* */
#if (NGX_THREADS)
    ngx_thread_pool_t           *pool;
#endif
} ngx_http_cx_spool_conf_t;

#define NGX_HTTP_CX_SYNC_OFF       0
#define NGX_HTTP_CX_SYNC_INTERVAL  1           /* once a second */
#define NGX_HTTP_CX_SYNC_ALWAYS    2           /* before an answer's 204 */


typedef struct ngx_http_cx_surveys_s  ngx_http_cx_surveys_t;

/* a site and a file of surveys that one of its locations names */
typedef struct {
    ngx_http_cx_site_t          *site;
    ngx_http_cx_surveys_t       *surveys;
} ngx_http_cx_asked_t;

typedef struct {
    ngx_http_cx_redis_conf_t    *redis;        /* NULL: not configured */
    ngx_http_cx_spool_conf_t    *spool;        /* NULL: not configured */
    ngx_shm_zone_t              *zone;
    ngx_array_t                  sites;        /* ngx_http_cx_site_t * */
    ngx_array_t                  streams;      /* ngx_http_cx_stream_t * */
    ngx_array_t                  surveys;      /* ngx_http_cx_surveys_t * */
    ngx_array_t                  asked;        /* ngx_http_cx_asked_t */
    u_char                      *secret;       /* CX_TOKEN_KEY bytes; NULL: no
                                                  cx_secret */
    size_t                       queue_size;   /* bytes a worker */
    ngx_uint_t                   queue_batch;  /* events a batch */
    ngx_msec_t                   queue_flush;
    ngx_uint_t                   queue_inflight;
    ngx_uint_t                   stream_max;   /* entries; producer's MAXLEN */
    cx_tuning_t                  tuning;       /* cx_thresholds */
    ngx_str_t                    thresholds;   /* its file; len 0: none */
    ngx_flag_t                   on;           /* cx is on somewhere */
    ngx_flag_t                   endpoint;     /* there is a cx_endpoint */
} ngx_http_cx_main_conf_t;


typedef struct {
    ngx_flag_t                   on;
    ngx_str_t                    site_name;
    ngx_uint_t                   site_shards;
    ngx_http_cx_site_t          *site;
    ngx_http_complex_value_t    *page;
    ngx_http_complex_value_t    *segment;
    ngx_http_complex_value_t    *nonce;
    ngx_http_complex_value_t    *consent;
    ngx_http_complex_value_t    *ignore;
    ngx_http_complex_value_t    *debug;
    ngx_uint_t                   role;         /* CX_ROLE_* */
    ngx_str_t                    search;       /* the argument's name */
    ngx_str_t                    touchpoint;
    ngx_str_t                    stage;
    ngx_http_cx_surveys_t       *surveys;
    ngx_uint_t                   sample;       /* 1/100 % */
    ngx_uint_t                   visitor;      /* NGX_HTTP_CX_VISITOR_* */
    ngx_uint_t                   privacy;      /* NGX_HTTP_CX_PRIVACY_* */
    ngx_str_t                    prefix;       /* "/_cx/" */
    ngx_array_t                 *origins;      /* ngx_str_t: scheme://host */
    ngx_str_t                    tag_head;     /* <script ... data-page=" */
    ngx_str_t                    tag_tail;     /* " data-touchpoint="..." */
} ngx_http_cx_loc_conf_t;


/* what the request's headers say, read once: request.c */
typedef struct {
    unsigned                     dest:2;       /* NGX_HTTP_CX_DEST_* */
    unsigned                     gpc:1;
    unsigned                     dnt:1;
    unsigned                     opt_out:1;      /* by its cookie */
    unsigned                     prefetch:1;
    unsigned                     prerender:1;
    unsigned                     bot:1;          /* agent: crawler, library */
    unsigned                     health:1;       /* agent: health check */
    unsigned                     user:1;         /* Sec-Fetch-User: ?1 */
    unsigned                     accept:1;       /* there is an Accept */
    unsigned                     accept_html:1;  /* it names text/html */
    unsigned                     accept_any:1;   /* it starts with any type */
    ngx_str_t                    origin;
    ngx_str_t                    fetch_site;
} ngx_http_cx_facts_t;

#define NGX_HTTP_CX_DEST_NONE      0           /* no Sec-Fetch-Dest */
#define NGX_HTTP_CX_DEST_DOCUMENT  1           /* document or frame */
#define NGX_HTTP_CX_DEST_ASSET     2           /* image, script, style, font */
#define NGX_HTTP_CX_DEST_OTHER     3


typedef struct {
    ngx_http_cx_facts_t          facts;
    ngx_str_t                    page;         /* len 0: not yet made */
    ngx_uint_t                   outcome;      /* NGX_HTTP_CX_* */
    ngx_msec_int_t               first_ms;     /* -1: no answer yet */
    ngx_str_t                    visit;        /* len 0: none */
    ngx_uint_t                   signals;      /* 1 << CX_SIG_* */
    unsigned                     headers:1;    /* facts are filled in, ... */
    unsigned                     agent:1;      /* ... also bot and health */
    unsigned                     logged:1;     /* visit, signals are final */

    /* filter.c, splice.c */
    unsigned                     seek:1;       /* the place is not found yet */
    unsigned                     withheld:1;   /* header waits for evidence */
    unsigned                     flushed:1;    /* a flush came while it did */
    unsigned                     promised:1;   /* Content-Length has grown */
    unsigned                     pad:1;        /* white space must follow */
    cx_tokenizer_t               html;
    ngx_str_t                    tag;
    u_char                      *hold;         /* bytes that must wait */
    size_t                       held;
} ngx_http_cx_ctx_t;


extern ngx_module_t  ngx_http_cx_module;


/* ---- set.c: setters of directives ---- */

char *ngx_http_cx_set_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_site(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_name(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_sample(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_privacy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_prefix(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_role(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cx_set_thresholds(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cx_set_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ---- site.c: sites and their streams ---- */

/* the site is that of cx_site, else the first server_name without its
   wildcard, else "default" */
char *ngx_http_cx_site_merge(ngx_conf_t *cf, ngx_http_cx_loc_conf_t *conf);
/* once the shards of all sites are known */
ngx_int_t ngx_http_cx_site_streams(ngx_conf_t *cf,
    ngx_http_cx_main_conf_t *cxmcf);


/* ---- request.c: what a request is, by its headers ---- */

/* ctx with facts filled in; NULL: out of memory */
ngx_http_cx_ctx_t *ngx_http_cx_request_ctx(ngx_http_request_t *r);
/* the same but for bot and health, which cost most */
ngx_http_cx_ctx_t *ngx_http_cx_request_headers(ngx_http_request_t *r);
/* ctx, its facts not filled in unless they are already */
ngx_http_cx_ctx_t *ngx_http_cx_request_bare(ngx_http_request_t *r);

/* the method as it was sent, and the same in words: error_page and
   X-Accel-Redirect go on with GET; NGX_HTTP_UNKNOWN for most that were others
   before */
ngx_uint_t ngx_http_cx_request_method(ngx_http_request_t *r, ngx_str_t *name);

/* ms since the request's first byte */
ngx_msec_int_t ngx_http_cx_elapsed(ngx_http_request_t *r);

/* 1 if nothing may be recorded about this request: GPC, DNT, no consent, or
   opted out (facts->opt_out) */
ngx_uint_t ngx_http_cx_request_private(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);

/*
 * Why a request is not to be recorded, as an NGX_HTTP_CX_C_VIEWS_* counter, or
 * -1 if it is: private, bot, health check, cx_ignore.  Prefetches are not
 * among the reasons, as what was prefetched may be shown later.
 */
ngx_int_t ngx_http_cx_request_unwanted(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);

/* 1 if it asks for an image, script, style or font */
ngx_uint_t ngx_http_cx_request_asset(ngx_http_request_t *r,
    ngx_http_cx_facts_t *facts);

/* 1 if the extension says that it is something else than a page */
ngx_uint_t ngx_http_cx_request_file(ngx_http_request_t *r);

/* 1 if a page is asked for, as far as the request can tell */
ngx_uint_t ngx_http_cx_request_document(ngx_http_request_t *r,
    ngx_http_cx_facts_t *facts);

/* page key of the request, kept in ctx; NGX_ERROR: out of memory */
ngx_int_t ngx_http_cx_request_page(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ctx_t *ctx);

/* page key of a percent-encoded path into dst (CX_PAGE_MAX bytes) */
size_t ngx_http_cx_request_fold(u_char *dst, u_char *path, size_t len);

/* page key of the page of this site in Referer into dst; 0: none */
size_t ngx_http_cx_request_referer(ngx_http_request_t *r, u_char *dst);

/* value of cx_segment; len 0: none.  Valid LINE of at most CX_NAME_MAX. */
void ngx_http_cx_request_segment(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_str_t *segment);

/* PREACCESS: documents are asked for uncompressed from upstreams */
ngx_int_t ngx_http_cx_request_identity(ngx_http_request_t *r);


/* ---- filter.c: injection ---- */

ngx_int_t ngx_http_cx_filter_init(ngx_conf_t *cf);
/* makes tag_head, tag_tail; needs prefix, touchpoint, stage */
char *ngx_http_cx_filter_tag(ngx_conf_t *cf, ngx_http_cx_loc_conf_t *cxlcf);


/* sends the header that waited for the body, if it did; grown: Content-Length
   counts the tag */
ngx_int_t ngx_http_cx_filter_release(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx, ngx_uint_t grown);


/* ---- splice.c: the tag into the body ---- */

/* what goes out for in, while ctx->seek or ctx->pad; NULL: nothing yet */
ngx_int_t ngx_http_cx_splice(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_chain_t *in, ngx_chain_t **out);


/* ---- zone.c: the shared memory: counters, lock, room for what follows ---- */

char *ngx_http_cx_zone_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* the default zone where cx_zone is not given */
ngx_int_t ngx_http_cx_zone_default(ngx_conf_t *cf,
    ngx_http_cx_main_conf_t *cxmcf);

/* in a worker, before all that follows */
void ngx_http_cx_zone_use(ngx_http_cx_main_conf_t *cxmcf);

void ngx_http_cx_zone_lock(void);
void ngx_http_cx_zone_unlock(void);

void ngx_http_cx_count(ngx_uint_t counter, ngx_int_t n);
void ngx_http_cx_count_outcome(ngx_uint_t outcome);
void ngx_http_cx_count_signal(ngx_uint_t signal);

ngx_atomic_t *ngx_http_cx_counters(void);      /* NULL: no zone yet */


/* ---- secret.c: the day's salt, visit keys, the signing key ---- */

/* visit key as 16 hex digits into dst, by site, address and user agent under
   the day's salt; NGX_DECLINED: visits are not told apart here */
ngx_int_t ngx_http_cx_visit_key(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, u_char *dst);

/* 1 if the visit is in the recorded share */
ngx_uint_t ngx_http_cx_visit_sampled(ngx_str_t *visit, ngx_uint_t sample);

/* a number from 0 to 9999 that is the same for this visit and name */
ngx_uint_t ngx_http_cx_visit_draw(ngx_str_t *visit, ngx_str_t *name);

ngx_int_t ngx_http_cx_random(u_char *dst, size_t len);

/* the key of tokens, CX_TOKEN_KEY bytes: that of cx_secret, else a random one
   of the zone, which is kept over reloads */
const u_char *ngx_http_cx_secret(void);
/* in a worker, before that */
void ngx_http_cx_secret_use(ngx_http_cx_main_conf_t *cxmcf);


/* ---- visit.c: what is remembered of each visit ---- */

typedef struct {
    uint64_t                     key;          /* the visit key's bits */
    uint32_t                     hash_next;    /* private, as the next two */
    uint32_t                     newer, older;
    uint32_t                     site;         /* cx_edge_id of its name */
    uint32_t                     told[2];      /* 1 << CX_SIG_*: signals since
                                                  the last page was asked for,
                                                  and since the one before */
    u_char                       segment_len;
    u_char                       segment[CX_NAME_MAX];
    cx_visit_t                   state;
} ngx_http_cx_visit_t;

/* all of these with the zone locked */

/* what is known of a visit, now the one used last; where nothing is, NULL or,
   if create, a new one for which the visit idle longest makes room if need
   be */
ngx_http_cx_visit_t *ngx_http_cx_visit_find(ngx_str_t *visit,
    ngx_uint_t create);
/* the visit idle longest, if it has ended; NULL: none has */
ngx_http_cx_visit_t *ngx_http_cx_visit_ended(uint64_t now);
void ngx_http_cx_visit_forget(ngx_http_cx_visit_t *visit);

/* with the zone unlocked: segment noted with the visit's last view into dst,
   which holds CX_NAME_MAX bytes; returns its length */
size_t ngx_http_cx_visit_segment(ngx_str_t *visit, u_char *dst);


/* ---- place.c: page keys, touchpoints and stages by checksum ---- */

typedef struct {
    uint32_t                     id;           /* 0: free */
    uint32_t                     used;         /* s, last note */
    u_char                       page_len, touchpoint_len, stage_len;
    u_char                       page[CX_PAGE_MAX];
    u_char                       touchpoint[CX_NAME_MAX];
    u_char                       stage[CX_NAME_MAX];
} ngx_http_cx_place_t;

/* checksum of a page of a site */
uint32_t ngx_http_cx_place_id(ngx_http_cx_site_t *site, ngx_str_t *page);

/* with the zone locked: */

void ngx_http_cx_place_note(uint32_t id, ngx_str_t *page,
    ngx_str_t *touchpoint, ngx_str_t *stage);
/* NULL: another one took its room */
ngx_http_cx_place_t *ngx_http_cx_place_find(uint32_t id);


/* ---- edge.c: log phase -> view and signal events ---- */

ngx_int_t ngx_http_cx_edge_handler(ngx_http_request_t *r);


/* ---- step.c: a finished request as the rules see it ---- */

/* fills in s, but for status, kind, post and aborted, which are the caller's;
   ref: page key of the page of this site that linked here, len 0: none */
void ngx_http_cx_step(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ctx_t *ctx, ngx_str_t *ref, cx_step_t *s);


/* ---- close.c: visits that have ended ---- */

/* begins to look for them, in this worker */
void ngx_http_cx_close_init(ngx_cycle_t *cycle,
    ngx_http_cx_main_conf_t *cxmcf);


/* ---- event.c: values of events that the edge fills in ---- */

/* a signal with what is in the zone about its pages */
typedef struct {
    cx_edge_signal_t             signal;
    off_t                        upstream_ms;  /* -1: none */
    char                         seen;         /* 0, '0' or '1': "seen" */
    ngx_http_cx_place_t          place;        /* of its page; id 0: lost */
    ngx_http_cx_place_t          target;       /* id 0: none */
} ngx_http_cx_told_t;

/* with the zone locked: copies a signal and its pages */
void ngx_http_cx_event_told(ngx_http_cx_told_t *told, cx_edge_signal_t *s);

/* queues a signal of the edge; NGX_DECLINED: its page is lost, or no room;
   both are counted */
ngx_int_t ngx_http_cx_event_signal(ngx_http_cx_site_t *site, ngx_str_t *visit,
    ngx_str_t *segment, ngx_http_cx_told_t *told);

/* clears an event and fills in what all have; ts points into buf, which holds
   NGX_INT64_LEN bytes */
void ngx_http_cx_event_start(cx_event_t *ev, ngx_uint_t type, uint64_t ts,
    u_char *buf);

void ngx_http_cx_event_text(cx_str_t *v, ngx_str_t *text);

/* n in decimal at the end of buf, which holds NGX_INT64_LEN bytes */
void ngx_http_cx_event_number(cx_str_t *v, u_char *buf, off_t n);


/* ---- join.c: a beacon and what the edge saw of its page view ---- */

typedef struct {
    ngx_str_t                    segment;      /* of the visit; len 0: none */
    ngx_uint_t                   told;         /* visits are told apart */
    ngx_uint_t                   seen;         /* the edge served this page */
    ngx_uint_t                   joined;       /* view is set */
    ngx_uint_t                   shown;        /* a prefetched page is shown:
                                                  its view is to be recorded */
    ngx_uint_t                   first;        /* its first leave */
    uint64_t                     view_ts;      /* ms */
    cx_seen_t                    view;
    ngx_uint_t                   vitals;       /* bits 1 << CX_SIG_*, judged */
    ngx_str_t                    back;         /* quick_back: page that it was
                                                  on; len 0: this one */
    u_char                       back_text[CX_PAGE_MAX];
    u_char                       segment_text[CX_NAME_MAX];
    u_char                       signals_text[CX_COUNTS_MAX];
    ngx_str_t                    signals;      /* the visit's so far */
} ngx_http_cx_join_t;

/* joins a checked beacon; its browser signals count for the visit */
void ngx_http_cx_join(ngx_http_cx_main_conf_t *cxmcf,
    ngx_http_cx_site_t *site, ngx_str_t *visit, ngx_str_t *page,
    cx_batch_t *b, ngx_http_cx_join_t *j);


/* ---- optout.c: <prefix>opt-out ---- */

#define NGX_HTTP_CX_OPT_OUT_COOKIE  "cx_opt_out"

/* GET: a page that says what is recorded and has a button; POST: sets or
   clears the cookie and goes back to that page */
ngx_int_t ngx_http_cx_optout_handler(ngx_http_request_t *r);


/* ---- endpoint.c, widget.c, survey*.c, collect.c: below cx_prefix ---- */

char *ngx_http_cx_endpoint(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* one line of JSON {"error":...} with this status; counted */
typedef struct {
    ngx_uint_t                   status;
    ngx_uint_t                   counter;      /* NGX_HTTP_CX_C_REJECT_* */
    const char                  *error;
    const char                  *expected;     /* or NULL */
    const char                  *field;        /* or NULL */
    ngx_int_t                    event;        /* or -1 */
} ngx_http_cx_problem_t;

ngx_int_t ngx_http_cx_endpoint_problem(ngx_http_request_t *r,
    ngx_http_cx_problem_t *p);

/* 200 with this body and type, no-store unless headers say otherwise */
ngx_int_t ngx_http_cx_endpoint_send(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *body);

ngx_int_t ngx_http_cx_widget_handler(ngx_http_request_t *r);
extern const ngx_str_t  ngx_http_cx_widget_hash;   /* 16 hex digits */

ngx_int_t ngx_http_cx_collect_handler(ngx_http_request_t *r);

/* cx_surveys file.json: *conf is ngx_http_cx_surveys_t *, shared by equal
   paths; every mistake is an error with file, line and expectation */
char *ngx_http_cx_survey_load(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

typedef struct {
    ngx_str_t                    id;
    ngx_str_t                    version;      /* 8 hex digits, the first is
                                                  of the metric */
    ngx_str_t                    metric;       /* nps, csat, csat7, ces, psat,
                                                  psat5, choice, choices,
                                                  text */
    ngx_uint_t                   score_min;    /* if a score is asked for */
    ngx_uint_t                   score_max;
    ngx_uint_t                   asks;         /* NGX_HTTP_CX_ASKS_* */
    ngx_uint_t                   options;      /* of its choice */
} ngx_http_cx_survey_info_t;

/* a survey of this site: of this version, else of this location, else of any
   file; NULL: none */
ngx_http_cx_survey_info_t *ngx_http_cx_survey_find(ngx_http_request_t *r,
    cx_str_t *id, cx_str_t *version);

/* metric, scores and asks of a version, which tells them; 0: it does not */
ngx_uint_t ngx_http_cx_survey_was(cx_str_t *version,
    ngx_http_cx_survey_info_t *info);

/* 8 hex digits by which a tag names the surveys of its page's location */
const u_char *ngx_http_cx_survey_key(ngx_http_cx_surveys_t *surveys);

/* 1 if some visits may get a survey at this place: the tag's data-surveys is
   the key then; empty, if others of this location may */
ngx_uint_t ngx_http_cx_survey_possible(ngx_http_cx_surveys_t *surveys,
    ngx_str_t *page, ngx_str_t *touchpoint, ngx_str_t *stage);

ngx_int_t ngx_http_cx_survey_handler(ngx_http_request_t *r);

/*
 * token.c: an answer's id, and the token that says it was given out for this
 * survey of this site.  The same visit gets the same id for a survey all day.
 */

#define NGX_HTTP_CX_ANSWER_LEN     16          /* hex digits */
#define NGX_HTTP_CX_TOKEN_LEN      (8 + 1 + NGX_HTTP_CX_ANSWER_LEN + 1 + 16)

/* visit, len 0: a random id; both dst without NUL, of these lengths */
ngx_int_t ngx_http_cx_token_make(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *visit, u_char *answer,
    u_char *token);

/* NGX_OK; NGX_DECLINED: expired; NGX_ERROR: not of this survey and answer */
ngx_int_t ngx_http_cx_token_check(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *answer, ngx_str_t *token);

/* the same for a token of a link, which has no version, and of any answer */
ngx_int_t ngx_http_cx_token_link(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *token);


/* ---- refused.c: answers that were refused, gathered for a while ---- */

#define NGX_HTTP_CX_REFUSED_TOKEN    0
#define NGX_HTTP_CX_REFUSED_EXPIRED  1
#define NGX_HTTP_CX_REFUSED_FLOOD    2

void ngx_http_cx_refused_init(ngx_cycle_t *cycle);

/* counts one, with its survey and version, each of which may be of len 0 */
void ngx_http_cx_refused(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_str_t *version, ngx_uint_t reason);

/* log phase: requests that nginx answered with 429 */
ngx_int_t ngx_http_cx_refused_handler(ngx_http_request_t *r);


/* ---- define.c: what the surveys ask, as events ---- */

/* when the configuration is read: a location's site and surveys */
ngx_int_t ngx_http_cx_define_note(ngx_http_cx_main_conf_t *cxmcf,
    ngx_http_cx_loc_conf_t *cxlcf);

/* in a worker: one of them says it */
void ngx_http_cx_define_init(ngx_http_cx_main_conf_t *cxmcf);


/* ---- quota.c: begins to ask Redis, in a worker ---- */

ngx_int_t ngx_http_cx_quota_init(ngx_cycle_t *cycle,
    ngx_http_cx_main_conf_t *cxmcf);


/* ---- gauge.c: what each worker holds now ---- */

/*
 * G(id, name, help): one number a worker in the zone, summed for the status
 * page over the workers that live.
 */

#define NGX_HTTP_CX_GAUGES(G)                                                 \
    G(QUEUE_EVENTS, "queue_depth", "events in memory, not yet in Redis or "   \
      "in the spool")                                                         \
    G(QUEUE_BYTES, "queue_bytes", "memory of the batches that hold them")     \
    G(INFLIGHT, "inflight_batches", "batches sent and not acknowledged")      \
    G(SPOOL_BYTES, "spool_bytes", "bytes in the spool")                       \
    G(SPOOL_EVENTS, "spool_events", "events in the spool")                    \
    G(SPOOL_SINCE, "spool_since_ms", "Unix time in ms of the oldest event in "\
      "the spool; 0: it is empty")                                            \
    G(LINKS, "redis_connections", "open connections to Redis")                \
    G(LINKS_WANTED, "redis_connections_wanted", "connections that there "     \
      "should be")

enum {
#define NGX_HTTP_CX_GAUGE_ID(id, name, help)  NGX_HTTP_CX_G_##id,
    NGX_HTTP_CX_GAUGES(NGX_HTTP_CX_GAUGE_ID)
#undef NGX_HTTP_CX_GAUGE_ID
    NGX_HTTP_CX_GAUGE_N
};

/* takes a place in the zone for this process; gives it back */
void ngx_http_cx_gauge_init(ngx_cycle_t *cycle);
void ngx_http_cx_gauge_exit(void);

void ngx_http_cx_gauge_set(ngx_uint_t gauge, uint64_t value);

/* sums over the workers that live; of SPOOL_SINCE the earliest */
void ngx_http_cx_gauge_read(uint64_t value[NGX_HTTP_CX_GAUGE_N]);

/* the last thing that went wrong, of all workers */
void ngx_http_cx_gauge_error(ngx_str_t *text);


/* ---- status.c, variables.c ---- */

char *ngx_http_cx_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

ngx_int_t ngx_http_cx_variables(ngx_conf_t *cf);


/* nginx 1.23 made header lists of what were single headers */

#if (nginx_version >= 1023000)
#define ngx_http_cx_header_next(h)  (h)->next = NULL
#else
#define ngx_http_cx_header_next(h)
#endif

#endif /* NGX_HTTP_CX_H */
