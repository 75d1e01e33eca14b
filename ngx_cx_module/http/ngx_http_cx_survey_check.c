/*
 * The values in a surveys file against what their keys allow, and where a
 * mistake stands.
 */

#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_TEXT_MAX  1024      /* bytes of an expectation */


static ngx_int_t ngx_http_cx_survey_unknown(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_key_t *keys);
static ngx_uint_t ngx_http_cx_survey_text(json_t *json, int kind,
    ngx_int_t max);
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
ngx_http_cx_survey_value(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_key_t *key)
{
    char         text[NGX_HTTP_CX_SURVEY_TEXT_MAX];
    ngx_uint_t   ok;
    const char  *s;

    switch (key->kind) {

    case NGX_HTTP_CX_SURVEY_OBJECT:
        ok = json_is_object(json);
        break;

    case NGX_HTTP_CX_SURVEY_LIST:
        ok = json_is_array(json)
             && json_array_size(json) <= (size_t) key->max;
        break;

    case NGX_HTTP_CX_SURVEY_INT:
        ok = json_is_integer(json)
             && json_integer_value(json) >= key->min
             && json_integer_value(json) <= key->max;
        break;

    case NGX_HTTP_CX_SURVEY_NAME:
        ok = ngx_http_cx_survey_text(json, CX_KIND_NAME, key->max);
        break;

    case NGX_HTTP_CX_SURVEY_LINE:
        ok = ngx_http_cx_survey_text(json, CX_KIND_LINE, key->max);
        break;

    case NGX_HTTP_CX_SURVEY_PAGE:
        s = json_string_value(json);
        ok = ngx_http_cx_survey_text(json, CX_KIND_LINE, key->max)
             && (s[0] == '/' || s[0] == '*');
        break;

    case NGX_HTTP_CX_SURVEY_BOOL:
        ok = json_is_boolean(json);
        break;

    default: /* NGX_HTTP_CX_SURVEY_SHARE */
        ok = ngx_http_cx_survey_share(json) != NGX_ERROR;
    }

    if (ok) {
        return NGX_OK;
    }

    ngx_http_cx_survey_expected(key, text);

    return ngx_http_cx_survey_wrong(l, text);
}


static ngx_uint_t
ngx_http_cx_survey_text(json_t *json, int kind, ngx_int_t max)
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
        ngx_sprintf(p, "a list of at most %i%Z", key->max);
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
