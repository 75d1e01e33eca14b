/*
 * What the readers of a surveys file share:
 *
 *   survey_conf.c   the directive, the file, its surveys in order
 *   survey_one.c    one survey: its keys, where, when, until when
 *   survey_ask.c    what it asks: metric, options, thanks
 *   survey_step.c   the further steps
 *   survey_text.c   one text in all languages, standard wording
 *   survey_texts.c  all texts of a survey, by language
 *   survey_render.c version, definition, what a browser gets
 *   survey_theme.c  colours
 *   survey_check.c  values against what their keys allow; mistakes
 */

#ifndef NGX_HTTP_CX_SURVEY_CONF_H
#define NGX_HTTP_CX_SURVEY_CONF_H

#include "ngx_http_cx_survey.h"
#include <jansson.h>


#define NGX_HTTP_CX_SURVEY_PATH_MAX  256


typedef enum {
    NGX_HTTP_CX_SURVEY_OBJECT,
    NGX_HTTP_CX_SURVEY_LIST,                   /* min to max elements */
    NGX_HTTP_CX_SURVEY_INT,                    /* min to max */
    NGX_HTTP_CX_SURVEY_NAME,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_LINE,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_PAGE,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_BOOL,
    NGX_HTTP_CX_SURVEY_SHARE,                  /* percent, two decimals */
    NGX_HTTP_CX_SURVEY_WORD,                   /* one of words */
    NGX_HTTP_CX_SURVEY_DATE,                   /* 2026-12-31 */
    NGX_HTTP_CX_SURVEY_URL,                    /* max bytes */
    NGX_HTTP_CX_SURVEY_TAG,                    /* of a language */
    NGX_HTTP_CX_SURVEY_COLOUR,                 /* #rgb, #rrggbb */
    NGX_HTTP_CX_SURVEY_SIGNAL,
    NGX_HTTP_CX_SURVEY_LATER                   /* checked by who reads it */
} ngx_http_cx_survey_kind_e;


typedef struct {
    const char                  *name;
    ngx_http_cx_survey_kind_e    kind;
    ngx_int_t                    min;
    ngx_int_t                    max;
    ngx_uint_t                   required;
    const char                  *words;        /* joined by spaces; or NULL */
} ngx_http_cx_survey_key_t;


#define ngx_http_cx_survey_null_key                                           \
    { NULL, NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL }


typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   min;
    ngx_uint_t                   max;
    ngx_uint_t                   asks;         /* NGX_HTTP_CX_ASKS_* */
    ngx_int_t                    wording;      /* CX_WORDING_*; -1: none */
    const char                  *buckets;      /* joined by spaces; or NULL */
    const char                  *looks;        /* the first is the default */
} ngx_http_cx_survey_metric_t;


typedef struct {
    ngx_conf_t                  *cf;
    ngx_http_cx_surveys_t       *surveys;
    ngx_str_t                    text;
    size_t                       len;          /* of path */
    char                         path[NGX_HTTP_CX_SURVEY_PATH_MAX];
} ngx_http_cx_survey_loader_t;


/*
 * A survey while it is read.  A text is an object, language tag in lower case
 * -> text, with {name} and {task} put in.  "asks" has those that make the
 * version:
 *
 *   { "question": text, "low": text, "high": text, "options": [text],
 *     "steps": [ { "kind": "text", "by": { bucket: text } },
 *                { "kind": "choice", "if": [bucket], "question": text,
 *                  "options": [text], "offer": true } ] }
 *
 * and "says" the others: { "thanks", "label", "tab" }.
 */
typedef struct {
    json_t                      *json;         /* as in the file; borrowed */
    ngx_http_cx_survey_metric_t *metric;
    ngx_uint_t                   kind;         /* position of the metric */
    const char                  *language;
    const char                  *look;         /* NULL: the metric has none */
    json_t                      *name;         /* text, or NULL */
    json_t                      *task;
    json_t                      *asks;
    json_t                      *says;
    json_t                      *own;          /* list of texts whose languages
                                                  the survey may have */
    json_t                      *standard;     /* list of those whose languages
                                                  it does not get by them */
} ngx_http_cx_survey_draft_t;


/* ---- survey_check.c ---- */

/* an object that has these keys, all that must be there, and no other */
ngx_int_t ngx_http_cx_survey_object(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_key_t *keys);

/* a value as key says; its name is not looked at */
ngx_int_t ngx_http_cx_survey_value(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_key_t *key);

/* a member of an object that is there or not, as its keys say */
ngx_int_t ngx_http_cx_survey_member(ngx_http_cx_survey_loader_t *l,
    json_t *json, const char *name, ngx_http_cx_survey_key_t *keys);

/* a line of text of up to max bytes */
ngx_uint_t ngx_http_cx_survey_line(json_t *json, ngx_int_t max);

/* percent -> 1/100 %, or NGX_ERROR */
ngx_int_t ngx_http_cx_survey_share(json_t *json);

/* "2026-12-31" -> Unix time of its first second in UTC, or NGX_ERROR */
time_t ngx_http_cx_survey_date(const char *text);

/* 1: one of the words; it is the n-th */
ngx_uint_t ngx_http_cx_survey_word(const char *words, const char *word,
    ngx_uint_t *n);

/* 1: a language tag */
ngx_uint_t ngx_http_cx_survey_tag(const char *tag);

/*
 * The place in the file that a mistake is reported at, as cx_json_line() takes
 * it.  Entering returns what ngx_http_cx_survey_leave() takes.
 */
size_t ngx_http_cx_survey_enter(ngx_http_cx_survey_loader_t *l,
    const char *key);
size_t ngx_http_cx_survey_enter_item(ngx_http_cx_survey_loader_t *l,
    ngx_uint_t index);
void ngx_http_cx_survey_leave(ngx_http_cx_survey_loader_t *l, size_t len);

/* logs what is expected at this place, or at a key of it; NGX_ERROR */
ngx_int_t ngx_http_cx_survey_wrong(ngx_http_cx_survey_loader_t *l,
    const char *expected);
ngx_int_t ngx_http_cx_survey_wrong_at(ngx_http_cx_survey_loader_t *l,
    const char *key, const char *expected);

/* "a b c" -> "a, b or c"; dst has room for it */
void ngx_http_cx_survey_words(u_char *dst, const char *words,
    const char *last);

/* logs that memory is out; NGX_ERROR */
ngx_int_t ngx_http_cx_survey_memory(ngx_http_cx_survey_loader_t *l);


/* ---- one survey, step by step ---- */

ngx_int_t ngx_http_cx_survey_one(ngx_http_cx_survey_loader_t *l, json_t *json);

/* what it asks into the draft and into info */
ngx_int_t ngx_http_cx_survey_ask(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);
ngx_int_t ngx_http_cx_survey_steps(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);

/* from["options"] into to["options"], if asks is of those that have some */
ngx_int_t ngx_http_cx_survey_options(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *from, json_t *to, ngx_uint_t asks,
    ngx_http_cx_survey_t *survey);


/* ---- survey_text.c ---- */

/* bytes of a text in the file */
#define NGX_HTTP_CX_SURVEY_QUESTION  300
#define NGX_HTTP_CX_SURVEY_NOUN      100
#define NGX_HTTP_CX_SURVEY_LABEL     120
#define NGX_HTTP_CX_SURVEY_OPTION    120

/* a text of the file; NULL: it is wrong, and this is logged */
json_t *ngx_http_cx_survey_text(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max);
/* the same for what {name} and {task} stand for */
json_t *ngx_http_cx_survey_noun(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max);

/* a metric's standard question, in all languages that have what is put in */
json_t *ngx_http_cx_survey_standard_question(ngx_http_cx_survey_draft_t *d);

/* from[key], a text of the file, becomes to[as] */
ngx_int_t ngx_http_cx_survey_put(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *from, const char *key,
    ngx_int_t max, json_t *to, const char *as);
/* to[key] becomes what the member of cx_language_t at this offset says */
ngx_int_t ngx_http_cx_survey_default(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *to, const char *key,
    size_t offset);
/* to[key] becomes this text, whose reference is taken; list is d's */
ngx_int_t ngx_http_cx_survey_keep(ngx_http_cx_survey_loader_t *l,
    json_t *list, json_t *to, const char *key, json_t *text);

/* of a text, in the nearest language: the same tag, its first part, any */
const char *ngx_http_cx_survey_in_language(json_t *text, const char *tag);

/* the language of cx_languages that is nearest; -1: none is near */
int ngx_http_cx_survey_built_in(const cx_str_t *tag);


/* ---- survey_texts.c, survey_render.c, survey_theme.c ---- */

/* survey->texts, all but their json */
ngx_int_t ngx_http_cx_survey_texts(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);

/* version, definition, when in words, json of the texts */
ngx_int_t ngx_http_cx_survey_render(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);

/* surveys->theme, css */
ngx_int_t ngx_http_cx_survey_theme(ngx_http_cx_survey_loader_t *l,
    json_t *theme);

/* a copy that lives as long as the configuration */
ngx_int_t ngx_http_cx_survey_copy(ngx_http_cx_survey_loader_t *l,
    const char *text, ngx_str_t *dst);

#endif /* NGX_HTTP_CX_SURVEY_CONF_H */
