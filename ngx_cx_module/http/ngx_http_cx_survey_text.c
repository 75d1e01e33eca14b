/*
 * One text of a survey in all its languages: read from the file, or standard
 * wording, with {name} and {task} put in.
 */

#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_PIPED     600       /* bytes of a text at most */
#define NGX_HTTP_CX_SURVEY_WORD_MAX  32


static json_t *ngx_http_cx_survey_read_text(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max,
    ngx_uint_t noun);
static json_t *ngx_http_cx_survey_read_languages(
    ngx_http_cx_survey_loader_t *l, ngx_http_cx_survey_draft_t *d,
    json_t *json, ngx_int_t max, ngx_uint_t noun);
static ngx_int_t ngx_http_cx_survey_add_language(
    ngx_http_cx_survey_loader_t *l, ngx_http_cx_survey_draft_t *d,
    json_t *text, const char *tag, json_t *value, ngx_int_t max,
    ngx_uint_t noun);
static json_t *ngx_http_cx_survey_piped(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, const char *text, const char *tag,
    ngx_uint_t noun);
static const char *ngx_http_cx_survey_stands(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, const char *tag, ngx_str_t *word,
    ngx_uint_t noun);
static size_t ngx_http_cx_survey_braced(const char *p, ngx_str_t *word);


json_t *
ngx_http_cx_survey_text(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max)
{
    return ngx_http_cx_survey_read_text(l, d, json, max, 0);
}


json_t *
ngx_http_cx_survey_noun(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max)
{
    return ngx_http_cx_survey_read_text(l, d, json, max, 1);
}


static json_t *
ngx_http_cx_survey_read_text(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max,
    ngx_uint_t noun)
{
    u_char   text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t  *out;

    if (json_object_size(json)) {
        return ngx_http_cx_survey_read_languages(l, d, json, max, noun);
    }

    if (!json_is_string(json)) {
        ngx_sprintf(text, "a line of text, 1 to %i bytes, or an object of "
                    "languages and texts%Z", max);
        (void) ngx_http_cx_survey_wrong(l, (char *) text);
        return NULL;
    }

    out = json_object();

    if (out == NULL) {
        (void) ngx_http_cx_survey_memory(l);
        return NULL;
    }

    if (ngx_http_cx_survey_add_language(l, d, out, d->language, json, max,
                                        noun)
        != NGX_OK)
    {
        json_decref(out);
        return NULL;
    }

    return out;
}


static json_t *
ngx_http_cx_survey_read_languages(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *json, ngx_int_t max,
    ngx_uint_t noun)
{
    size_t       len;
    json_t      *out, *value;
    ngx_int_t    rc;
    const char  *tag;

    out = json_object();

    if (out == NULL) {
        (void) ngx_http_cx_survey_memory(l);
        return NULL;
    }

    json_object_foreach(json, tag, value) {
        len = ngx_http_cx_survey_enter(l, tag);

        if (ngx_http_cx_survey_tag(tag)
            || (noun && ngx_strcmp(tag, "*") == 0))
        {
            rc = ngx_http_cx_survey_add_language(l, d, out, tag, value, max,
                                                 noun);

        } else {
            rc = ngx_http_cx_survey_wrong(l, "a language tag such as de or "
                                          "pt-BR");
        }

        if (rc != NGX_OK) {
            json_decref(out);
            return NULL;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    return out;
}


static ngx_int_t
ngx_http_cx_survey_add_language(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *text, const char *tag,
    json_t *value, ngx_int_t max, ngx_uint_t noun)
{
    char     lower[NGX_HTTP_CX_SURVEY_WORD_MAX];
    u_char   expected[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t  *piped;

    if (!ngx_http_cx_survey_line(value, max)) {
        ngx_sprintf(expected, "a line of text, 1 to %i bytes%Z", max);
        return ngx_http_cx_survey_wrong(l, (char *) expected);
    }

    ngx_strlow((u_char *) lower, (u_char *) tag, ngx_strlen(tag) + 1);

    if (json_object_get(text, lower)) {
        return ngx_http_cx_survey_wrong(l, "each language once");
    }

    piped = ngx_http_cx_survey_piped(l, d, json_string_value(value), lower,
                                     noun);
    if (piped == NULL) {
        return NGX_ERROR;
    }

    if (json_object_set_new(text, lower, piped) != 0) {
        return ngx_http_cx_survey_memory(l);
    }

    return NGX_OK;
}


/* l is NULL: nothing is logged where what is to be put in is not there */

static json_t *
ngx_http_cx_survey_piped(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, const char *text, const char *tag,
    ngx_uint_t noun)
{
    size_t       len;
    u_char       expected[NGX_HTTP_CX_SURVEY_PATH_MAX];
    u_char      *dst, *last, buf[NGX_HTTP_CX_SURVEY_PIPED + 1];
    ngx_str_t    word;
    const char  *p, *by;

    dst = buf;
    last = buf + NGX_HTTP_CX_SURVEY_PIPED;

    for (p = text; *p; p += len) {
        len = ngx_http_cx_survey_braced(p, &word);

        if (len) {
            by = ngx_http_cx_survey_stands(l, d, tag, &word, noun);

            if (by == NULL) {
                return NULL;
            }

        } else {
            by = "";
            len = 1;
        }

        if (*by) {
            dst = ngx_slprintf(dst, last, "%s", by);

        } else {
            dst = ngx_slprintf(dst, last, "%*s", len, p);
        }
    }

    if (dst == last) {
        if (l) {
            ngx_sprintf(expected, "at most %d bytes with all words put in%Z",
                        NGX_HTTP_CX_SURVEY_PIPED - 1);
            (void) ngx_http_cx_survey_wrong(l, (char *) expected);
        }

        return NULL;
    }

    return json_stringn((char *) buf, dst - buf);
}


/* length of "{word}" at p, or 0 */

static size_t
ngx_http_cx_survey_braced(const char *p, ngx_str_t *word)
{
    if (*p != '{') {
        return 0;
    }

    word->data = (u_char *) p + 1;
    word->len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    if (word->len == 0 || word->len > NGX_HTTP_CX_SURVEY_WORD_MAX
        || p[word->len + 1] != '}')
    {
        return 0;
    }

    return word->len + 2;
}


/* what is put in for a word; "": the browser does it; NULL: nothing can be */

static const char *
ngx_http_cx_survey_stands(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, const char *tag, ngx_str_t *word,
    ngx_uint_t noun)
{
    int          language;
    u_char       expected[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t      *text;
    cx_str_t     wish;
    const char  *by;

    if ((word->len == 5 && ngx_strncmp(word->data, "title", 5) == 0)
        || (word->len == 10 && ngx_strncmp(word->data, "touchpoint", 10) == 0))
    {
        return "";
    }

    if (noun || word->len != 4
        || (ngx_strncmp(word->data, "name", 4) != 0
            && ngx_strncmp(word->data, "task", 4) != 0))
    {
        (void) ngx_http_cx_survey_wrong(l, noun
                   ? "no words in braces but {title} and {touchpoint}"
                   : "no words in braces but {name}, {task}, {title} and "
                     "{touchpoint}");
        return NULL;
    }

    text = word->data[0] == 'n' ? d->name : d->task;
    by = ngx_http_cx_survey_in_language(text, tag);

    if (by) {
        return by;
    }

    wish.data = (u_char *) tag;
    wish.len = ngx_strlen(tag);

    if (text == NULL && word->data[0] == 'n') {
        language = ngx_http_cx_survey_built_in(&wish);

        if (language >= 0) {
            return cx_languages[language].words[CX_WORD_THIS_SITE];
        }
    }

    if (l) {
        ngx_sprintf(expected, "the survey to have a \"%V\" in %s, as {%V} "
                    "stands here%Z", word, tag, word);
        (void) ngx_http_cx_survey_wrong(l, (char *) expected);
    }

    return NULL;
}


const char *
ngx_http_cx_survey_in_language(json_t *text, const char *tag)
{
    char     first[NGX_HTTP_CX_SURVEY_WORD_MAX];
    size_t   len;
    json_t  *value;

    value = json_object_get(text, tag);

    if (value == NULL) {
        len = ngx_min(strcspn(tag, "-"), sizeof(first) - 1);
        ngx_memcpy(first, tag, len);
        first[len] = '\0';

        value = json_object_get(text, first);
    }

    if (value == NULL) {
        value = json_object_get(text, "*");
    }

    return json_string_value(value);
}


int
ngx_http_cx_survey_built_in(const cx_str_t *tag)
{
    unsigned  i;
    cx_str_t  tags[NGX_HTTP_CX_SURVEY_LANGUAGES];

    for (i = 0; i < cx_languages_n; i++) {
        tags[i].data = (u_char *) cx_languages[i].tag;
        tags[i].len = ngx_strlen(cx_languages[i].tag);
    }

    return cx_language_choose(tags, i, tag);
}


json_t *
ngx_http_cx_survey_standard_question(ngx_http_cx_survey_draft_t *d)
{
    json_t              *out, *piped;
    unsigned             i;
    const char          *text;
    const cx_wording_t  *w;

    out = json_object();

    for (i = 0; i < cx_languages_n; i++) {
        w = &cx_languages[i].wording[d->metric->wording];

        if (w->question_bare && d->task == NULL) {
            text = d->name ? w->question_bare : w->here_bare;

        } else {
            text = d->name ? w->question : w->here;
        }

        piped = ngx_http_cx_survey_piped(NULL, d, text, cx_languages[i].tag,
                                         0);

        if (piped
            && json_object_set_new(out, cx_languages[i].tag, piped) != 0)
        {
            json_decref(out);
            return NULL;
        }
    }

    return out;
}


ngx_int_t
ngx_http_cx_survey_default(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *to, const char *key, size_t offset)
{
    json_t    *text;
    unsigned   i;

    text = json_object();

    for (i = 0; i < cx_languages_n; i++) {
        if (json_object_set_new(text, cx_languages[i].tag,
                                json_string(*(const char **)
                                    ((char *) &cx_languages[i] + offset)))
            != 0)
        {
            json_decref(text);
            return ngx_http_cx_survey_memory(l);
        }
    }

    return ngx_http_cx_survey_keep(l, d->standard, to, key, text);
}


ngx_int_t
ngx_http_cx_survey_put(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *from, const char *key,
    ngx_int_t max, json_t *to,
    const char *as)
{
    size_t   len;
    json_t  *text;

    len = ngx_http_cx_survey_enter(l, key);

    text = ngx_http_cx_survey_text(l, d, json_object_get(from, key), max);
    if (text == NULL) {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return ngx_http_cx_survey_keep(l, d->own, to, as, text);
}


ngx_int_t
ngx_http_cx_survey_keep(ngx_http_cx_survey_loader_t *l, json_t *list,
    json_t *to, const char *key, json_t *text)
{
    if (json_object_set_new(to, key, text) != 0
        || json_array_append(list, text) != 0)
    {
        return ngx_http_cx_survey_memory(l);
    }

    return NGX_OK;
}
