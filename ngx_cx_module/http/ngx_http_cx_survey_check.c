/*
 * The values in a surveys file against what their keys allow, and where a
 * mistake stands.
 */

#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_TEXT_MAX  1024      /* bytes of an expectation */
#define NGX_HTTP_CX_SURVEY_TAG_MAX   16        /* bytes of a language tag */
#define NGX_HTTP_CX_SURVEY_LETTERS                                            \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


static ngx_int_t ngx_http_cx_survey_unknown(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_key_t *keys);
static ngx_uint_t ngx_http_cx_survey_right(json_t *json,
    ngx_http_cx_survey_key_t *key);
static ngx_uint_t ngx_http_cx_survey_string(json_t *json,
    ngx_http_cx_survey_key_t *key);
static ngx_uint_t ngx_http_cx_survey_field(json_t *json, int kind,
    ngx_int_t max);
static ngx_uint_t ngx_http_cx_survey_url(const char *s);
static ngx_uint_t ngx_http_cx_survey_colour(const char *s);
static void ngx_http_cx_survey_expected(ngx_http_cx_survey_key_t *key,
    char *text);


ngx_int_t
ngx_http_cx_survey_object(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_key_t *keys)
{
    char                       text[NGX_HTTP_CX_SURVEY_TEXT_MAX];
    size_t                     len;
    json_t                    *value;
    const char                *name;
    ngx_http_cx_survey_key_t  *key;

    if (!json_is_object(json)) {
        return ngx_http_cx_survey_wrong(l, "an object");
    }

    json_object_foreach(json, name, value) {
        for (key = keys; key->name; key++) {
            if (ngx_strcmp(name, key->name) == 0) {
                break;
            }
        }

        len = ngx_http_cx_survey_enter(l, name);

        if (key->name == NULL) {
            return ngx_http_cx_survey_unknown(l, keys);
        }

        if (ngx_http_cx_survey_value(l, value, key) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    for (key = keys; key->name; key++) {
        if (key->required && json_object_get(json, key->name) == NULL) {
            ngx_sprintf((u_char *) text, "a key \"%s\"%Z", key->name);
            return ngx_http_cx_survey_wrong(l, text);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_unknown(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_key_t *keys)
{
    u_char                    *p, text[NGX_HTTP_CX_SURVEY_TEXT_MAX];
    ngx_http_cx_survey_key_t  *key;

    p = ngx_sprintf(text, "only the keys");

    for (key = keys; key->name; key++) {
        p = ngx_sprintf(p, "%s %s", key == keys ? "" : ",", key->name);
    }

    *p = '\0';

    return ngx_http_cx_survey_wrong(l, (char *) text);
}


ngx_int_t
ngx_http_cx_survey_member(ngx_http_cx_survey_loader_t *l, json_t *json,
    const char *name, ngx_http_cx_survey_key_t *keys)
{
    size_t      len;
    json_t     *part;
    ngx_int_t   rc;

    part = json_object_get(json, name);

    if (part == NULL) {
        return NGX_OK;
    }

    len = ngx_http_cx_survey_enter(l, name);
    rc = ngx_http_cx_survey_object(l, part, keys);

    if (rc == NGX_OK) {
        ngx_http_cx_survey_leave(l, len);
    }

    return rc;
}


ngx_int_t
ngx_http_cx_survey_value(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_key_t *key)
{
    char  text[NGX_HTTP_CX_SURVEY_TEXT_MAX];

    if (ngx_http_cx_survey_right(json, key)) {
        return NGX_OK;
    }

    ngx_http_cx_survey_expected(key, text);

    return ngx_http_cx_survey_wrong(l, text);
}


static ngx_uint_t
ngx_http_cx_survey_right(json_t *json, ngx_http_cx_survey_key_t *key)
{
    switch (key->kind) {

    case NGX_HTTP_CX_SURVEY_LATER:
        return 1;

    case NGX_HTTP_CX_SURVEY_OBJECT:
        return json_is_object(json);

    case NGX_HTTP_CX_SURVEY_LIST:
        return json_is_array(json)
               && json_array_size(json) >= (size_t) key->min
               && json_array_size(json) <= (size_t) key->max;

    case NGX_HTTP_CX_SURVEY_INT:
        return json_is_integer(json)
               && json_integer_value(json) >= key->min
               && json_integer_value(json) <= key->max;

    case NGX_HTTP_CX_SURVEY_BOOL:
        return json_is_boolean(json);

    case NGX_HTTP_CX_SURVEY_SHARE:
        return ngx_http_cx_survey_share(json) != NGX_ERROR;

    case NGX_HTTP_CX_SURVEY_NAME:
        return ngx_http_cx_survey_field(json, CX_KIND_NAME, key->max);

    default:
        return ngx_http_cx_survey_line(json, key->max ? key->max : 100)
               && ngx_http_cx_survey_string(json, key);
    }
}


/* a line of text that is more than that */

static ngx_uint_t
ngx_http_cx_survey_string(json_t *json, ngx_http_cx_survey_key_t *key)
{
    ngx_uint_t   n;
    const char  *s;

    s = json_string_value(json);

    switch (key->kind) {

    case NGX_HTTP_CX_SURVEY_PAGE:
        return s[0] == '/' || s[0] == '*';

    case NGX_HTTP_CX_SURVEY_WORD:
        return ngx_http_cx_survey_word(key->words, s, &n);

    case NGX_HTTP_CX_SURVEY_DATE:
        return ngx_http_cx_survey_date(s) != NGX_ERROR;

    case NGX_HTTP_CX_SURVEY_URL:
        return ngx_http_cx_survey_url(s);

    case NGX_HTTP_CX_SURVEY_TAG:
        return ngx_http_cx_survey_tag(s);

    case NGX_HTTP_CX_SURVEY_COLOUR:
        return ngx_http_cx_survey_colour(s);

    case NGX_HTTP_CX_SURVEY_SIGNAL:
        return cx_signal_find((u_char *) s, ngx_strlen(s)) != -1;

    default: /* NGX_HTTP_CX_SURVEY_LINE */
        return 1;
    }
}


ngx_uint_t
ngx_http_cx_survey_line(json_t *json, ngx_int_t max)
{
    return ngx_http_cx_survey_field(json, CX_KIND_LINE, max);
}


static ngx_uint_t
ngx_http_cx_survey_field(json_t *json, int kind, ngx_int_t max)
{
    cx_str_t    v;
    cx_field_t  field;

    if (!json_is_string(json) || json_string_length(json) == 0) {
        return 0;
    }

    ngx_memzero(&field, sizeof(cx_field_t));

    field.kind = kind;
    field.max = max;

    v.data = (u_char *) json_string_value(json);
    v.len = json_string_length(json);

    return cx_field_ok(&field, &v);
}


/* where a link may lead: no script, and nothing that ends an attribute */

static ngx_uint_t
ngx_http_cx_survey_url(const char *s)
{
    size_t  n;

    if (ngx_strncmp(s, "https://", 8) == 0) {
        n = 8;

    } else if (ngx_strncmp(s, "http://", 7) == 0) {
        n = 7;

    } else {
        return s[0] == '/' && s[1] != '/'
               && s[strcspn(s, " \"'<>\\`")] == '\0';
    }

    return s[n] && s[n] != '/' && s[strcspn(s, " \"'<>\\`")] == '\0';
}


static ngx_uint_t
ngx_http_cx_survey_colour(const char *s)
{
    size_t  n;

    if (s[0] != '#') {
        return 0;
    }

    n = strspn(s + 1, "0123456789abcdefABCDEF");

    return (n == 3 || n == 6) && s[n + 1] == '\0';
}


ngx_uint_t
ngx_http_cx_survey_tag(const char *tag)
{
    size_t      n;
    ngx_uint_t  first;

    if (ngx_strlen(tag) > NGX_HTTP_CX_SURVEY_TAG_MAX) {
        return 0;
    }

    for (first = 1; ; first = 0) {
        n = strspn(tag, first ? NGX_HTTP_CX_SURVEY_LETTERS
                              : NGX_HTTP_CX_SURVEY_LETTERS "0123456789");

        if (n < 1 + first || n > (first ? 3 : 8)) {
            return 0;
        }

        tag += n;

        if (*tag == '\0') {
            return 1;
        }

        if (*tag++ != '-') {
            return 0;
        }
    }
}


ngx_uint_t
ngx_http_cx_survey_word(const char *words, const char *word, ngx_uint_t *n)
{
    size_t       len;
    const char  *p;

    *n = 0;

    for (p = words; *p; p += len) {
        p += (*p == ' ');
        len = strcspn(p, " ");

        if (ngx_strlen(word) == len && ngx_strncmp(p, word, len) == 0) {
            return 1;
        }

        (*n)++;
    }

    return 0;
}


time_t
ngx_http_cx_survey_date(const char *s)
{
    u_char     *p, date[sizeof("Thu, 31 Dec 2026 00:00:00 GMT")];
    ngx_int_t   month;

    static const char  *months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    if (ngx_strlen(s) != 10 || s[4] != '-' || s[7] != '-') {
        return NGX_ERROR;
    }

    month = ngx_atoi((u_char *) s + 5, 2);

    if (month < 1 || month > 12) {
        return NGX_ERROR;
    }

    /* the day of the week is not looked at */

    p = ngx_sprintf(date, "Thu, %*s %s %*s 00:00:00 GMT", (size_t) 2, s + 8,
                    months[month - 1], (size_t) 4, s);

    return ngx_parse_http_time(date, p - date);
}


ngx_int_t
ngx_http_cx_survey_share(json_t *json)
{
    double     v, rest;
    ngx_int_t  n;

    if (!json_is_number(json)) {
        return NGX_ERROR;
    }

    v = json_number_value(json);

    if (!(v >= 0 && v <= 100)) {
        return NGX_ERROR;
    }

    n = (ngx_int_t) (v * 100 + 0.5);
    rest = v * 100 - n;

    return (rest < 1e-6 && rest > -1e-6) ? n : NGX_ERROR;
}


static void
ngx_http_cx_survey_expected(ngx_http_cx_survey_key_t *key, char *text)
{
    u_char  *p = (u_char *) text;

    switch (key->kind) {

    case NGX_HTTP_CX_SURVEY_OBJECT:
        ngx_sprintf(p, "an object%Z");
        break;

    case NGX_HTTP_CX_SURVEY_LIST:
        if (key->min) {
            ngx_sprintf(p, "a list of %i to %i%Z", key->min, key->max);

        } else {
            ngx_sprintf(p, "a list of at most %i%Z", key->max);
        }

        break;

    case NGX_HTTP_CX_SURVEY_INT:
        if (key->min == key->max) {
            ngx_sprintf(p, "%i%Z", key->min);

        } else {
            ngx_sprintf(p, "a whole number from %i to %i%Z", key->min,
                        key->max);
        }

        break;

    case NGX_HTTP_CX_SURVEY_NAME:
        ngx_sprintf(p, "a name, 1 to %i of A-Z a-z 0-9 _ . : -%Z", key->max);
        break;

    case NGX_HTTP_CX_SURVEY_LINE:
        ngx_sprintf(p, "a line of text, 1 to %i bytes%Z", key->max);
        break;

    case NGX_HTTP_CX_SURVEY_PAGE:
        ngx_sprintf(p, "a page pattern that starts with \"/\" or \"*\", "
                    "at most %i bytes%Z", key->max);
        break;

    case NGX_HTTP_CX_SURVEY_BOOL:
        ngx_sprintf(p, "true or false%Z");
        break;

    case NGX_HTTP_CX_SURVEY_SHARE:
        ngx_sprintf(p, "a percentage from 0 to 100 with at most two "
                    "decimals%Z");
        break;

    case NGX_HTTP_CX_SURVEY_WORD:
        ngx_http_cx_survey_words(p, key->words, "or");
        break;

    case NGX_HTTP_CX_SURVEY_DATE:
        ngx_sprintf(p, "a day such as 2026-12-31%Z");
        break;

    case NGX_HTTP_CX_SURVEY_URL:
        ngx_sprintf(p, "a URL that starts with \"https://\" or \"http://\", "
                    "or a path of this site, at most %i bytes%Z", key->max);
        break;

    case NGX_HTTP_CX_SURVEY_TAG:
        ngx_sprintf(p, "a language tag such as de or pt-BR%Z");
        break;

    case NGX_HTTP_CX_SURVEY_COLOUR:
        ngx_sprintf(p, "a colour such as #06c or #0b57d0%Z");
        break;

    case NGX_HTTP_CX_SURVEY_SIGNAL:
        ngx_sprintf(p, "a signal that \"cxctl signals\" lists, such as "
                    "rage_click%Z");
        break;

    case NGX_HTTP_CX_SURVEY_LATER:
        *p = '\0';
        break;
    }
}


void
ngx_http_cx_survey_words(u_char *dst, const char *words, const char *last)
{
    size_t  len;

    for ( ;; ) {
        len = strcspn(words, " ");
        dst = ngx_cpymem(dst, words, len);
        words += len;

        if (*words == '\0') {
            *dst = '\0';
            return;
        }

        words++;
        dst = strchr(words, ' ') ? ngx_sprintf(dst, ", ")
                                 : ngx_sprintf(dst, " %s ", last);
    }
}


/*
 * What does not fit is cut off, and what would break a line of the log is
 * replaced: a key with that is wrong anyway.
 */

size_t
ngx_http_cx_survey_enter(ngx_http_cx_survey_loader_t *l, const char *key)
{
    size_t   len;
    u_char  *p, *last;

    len = l->len;
    last = (u_char *) l->path + NGX_HTTP_CX_SURVEY_PATH_MAX - 1;

    p = ngx_slprintf((u_char *) l->path + len, last, "%s%s", len ? "/" : "",
                     key);
    *p = '\0';

    l->len = p - (u_char *) l->path;

    for (p = (u_char *) l->path + len; *p; p++) {
        if (*p < ' ') {
            *p = '?';
        }
    }

    return len;
}


size_t
ngx_http_cx_survey_enter_item(ngx_http_cx_survey_loader_t *l, ngx_uint_t index)
{
    u_char  text[NGX_INT_T_LEN + 1];

    ngx_sprintf(text, "%ui%Z", index);

    return ngx_http_cx_survey_enter(l, (char *) text);
}


void
ngx_http_cx_survey_leave(ngx_http_cx_survey_loader_t *l, size_t len)
{
    l->len = len;
    l->path[len] = '\0';
}


ngx_int_t
ngx_http_cx_survey_wrong(ngx_http_cx_survey_loader_t *l, const char *expected)
{
    unsigned  line;

    line = cx_json_line((char *) l->text.data, l->text.len, l->path);

    ngx_conf_log_error(NGX_LOG_EMERG, l->cf, 0,
                       "cx_surveys: \"%V\":%ud: %s%sexpected %s",
                       &l->surveys->file, line, l->path, l->len ? ": " : "",
                       expected);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_cx_survey_wrong_at(ngx_http_cx_survey_loader_t *l, const char *key,
    const char *expected)
{
    (void) ngx_http_cx_survey_enter(l, key);

    return ngx_http_cx_survey_wrong(l, expected);
}


ngx_int_t
ngx_http_cx_survey_memory(ngx_http_cx_survey_loader_t *l)
{
    ngx_conf_log_error(NGX_LOG_EMERG, l->cf, 0,
                       "cx_surveys: \"%V\": out of memory",
                       &l->surveys->file);
    return NGX_ERROR;
}


ngx_int_t
ngx_http_cx_survey_copy(ngx_http_cx_survey_loader_t *l, const char *text,
    ngx_str_t *dst)
{
    dst->len = ngx_strlen(text);

    dst->data = ngx_pnalloc(l->cf->pool, dst->len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, text, dst->len + 1);

    return NGX_OK;
}
