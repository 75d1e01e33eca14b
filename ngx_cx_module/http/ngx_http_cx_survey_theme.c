/*
 * The theme of a surveys file: its colours, and whether they can be told
 * apart.
 */

#include <math.h>
#include "cx_theme.h"
#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_TEXT_RATIO  4.5     /* WCAG 2.2, 1.4.3 */
#define NGX_HTTP_CX_SURVEY_EDGE_RATIO  3.0     /* WCAG 2.2, 1.4.11 */

#define NGX_HTTP_CX_SURVEY_CSS_MAX     2048


#define ngx_http_cx_survey_id(id, name, light, dark)     NGX_HTTP_CX_##id,
#define ngx_http_cx_survey_name(id, name, light, dark)   name,
#define ngx_http_cx_survey_day(id, name, light, dark)    light,
#define ngx_http_cx_survey_night(id, name, light, dark)  dark,


enum {
    CX_THEME_COLOURS(ngx_http_cx_survey_id)
    NGX_HTTP_CX_COLOURS
};


/* "#rrggbb" each */
typedef struct {
    u_char                       colours[NGX_HTTP_CX_COLOURS][8];
    const char                  *on_accent;
} ngx_http_cx_survey_palette_t;


static ngx_int_t ngx_http_cx_survey_palette(ngx_http_cx_survey_loader_t *l,
    json_t *theme, const char **defaults, ngx_http_cx_survey_palette_t *p);
static void ngx_http_cx_survey_hex(const char *text, u_char *dst);
static ngx_int_t ngx_http_cx_survey_contrasts(ngx_http_cx_survey_loader_t *l,
    json_t *theme, ngx_http_cx_survey_palette_t *p);
static double ngx_http_cx_survey_contrast(const u_char *a, const u_char *b);
static double ngx_http_cx_survey_luminance(const u_char *colour);
static ngx_int_t ngx_http_cx_survey_theme_render(
    ngx_http_cx_survey_loader_t *l, json_t *theme,
    ngx_http_cx_survey_palette_t *light, ngx_http_cx_survey_palette_t *dark);
static u_char *ngx_http_cx_survey_theme_part(u_char *dst,
    ngx_http_cx_survey_palette_t *p, const char *quote, const char *between);


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_theme_keys[] = {
    { "accent", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "background", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "text", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "muted", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "border", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "radius", NGX_HTTP_CX_SURVEY_INT, 0, 32, 0, NULL },
    { "font", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 0, "inherit system-ui" },
    { "dark", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_dark_keys[] = {
    { "accent", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "background", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "text", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "muted", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    { "border", NGX_HTTP_CX_SURVEY_COLOUR, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


/* by NGX_HTTP_CX_ACCENT and so on */

static const char  *ngx_http_cx_survey_colours[] = {
    CX_THEME_COLOURS(ngx_http_cx_survey_name)
};

static const char  *ngx_http_cx_survey_light[] = {
    CX_THEME_COLOURS(ngx_http_cx_survey_day)
};

static const char  *ngx_http_cx_survey_dark[] = {
    CX_THEME_COLOURS(ngx_http_cx_survey_night)
};


ngx_int_t
ngx_http_cx_survey_theme(ngx_http_cx_survey_loader_t *l, json_t *theme)
{
    size_t                        len, all;
    json_t                       *night;
    ngx_http_cx_survey_palette_t  light, dark;

    if (theme == NULL) {
        return NGX_OK;
    }

    all = ngx_http_cx_survey_enter(l, "theme");

    if (ngx_http_cx_survey_object(l, theme, ngx_http_cx_survey_theme_keys)
        != NGX_OK
        || ngx_http_cx_survey_member(l, theme, "dark",
                                     ngx_http_cx_survey_dark_keys) != NGX_OK
        || ngx_http_cx_survey_palette(l, theme, ngx_http_cx_survey_light,
                                      &light) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = ngx_http_cx_survey_enter(l, "dark");
    night = json_object_get(theme, "dark");

    if (ngx_http_cx_survey_palette(l, night, ngx_http_cx_survey_dark, &dark)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);
    ngx_http_cx_survey_leave(l, all);

    return ngx_http_cx_survey_theme_render(l, theme, &light, &dark);
}


static ngx_int_t
ngx_http_cx_survey_palette(ngx_http_cx_survey_loader_t *l, json_t *theme,
    const char **defaults, ngx_http_cx_survey_palette_t *p)
{
    ngx_uint_t   i;
    const char  *text;
    double       white, black;

    for (i = 0; i < NGX_HTTP_CX_COLOURS; i++) {
        text = json_string_value(json_object_get(theme,
                                             ngx_http_cx_survey_colours[i]));
        ngx_http_cx_survey_hex(text ? text : defaults[i], p->colours[i]);
    }

    white = ngx_http_cx_survey_contrast((u_char *) "#ffffff",
                                        p->colours[NGX_HTTP_CX_ACCENT]);
    black = ngx_http_cx_survey_contrast((u_char *) "#000000",
                                        p->colours[NGX_HTTP_CX_ACCENT]);

    /* the better of the two is never below 4.58:1 */

    p->on_accent = white >= black ? "#ffffff" : "#000000";

    return ngx_http_cx_survey_contrasts(l, theme, p);
}


/* "#06c" and "#0066CC" -> "#0066cc" */

static void
ngx_http_cx_survey_hex(const char *text, u_char *dst)
{
    ngx_uint_t  i;

    if (ngx_strlen(text) == 7) {
        ngx_strlow(dst, (u_char *) text, 8);
        return;
    }

    *dst++ = '#';

    for (i = 1; i < 4; i++) {
        *dst++ = ngx_tolower((u_char) text[i]);
        *dst++ = ngx_tolower((u_char) text[i]);
    }

    *dst = '\0';
}


static ngx_int_t
ngx_http_cx_survey_contrasts(ngx_http_cx_survey_loader_t *l, json_t *theme,
    ngx_http_cx_survey_palette_t *p)
{
    u_char       text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    double       ratio;
    ngx_uint_t   i, at;

    static struct {
        ngx_uint_t  colour;
        double      least;
    } pairs[] = {
        { NGX_HTTP_CX_TEXT, NGX_HTTP_CX_SURVEY_TEXT_RATIO },
        { NGX_HTTP_CX_MUTED, NGX_HTTP_CX_SURVEY_TEXT_RATIO },
        { NGX_HTTP_CX_ACCENT, NGX_HTTP_CX_SURVEY_EDGE_RATIO },
        { NGX_HTTP_CX_BORDER, NGX_HTTP_CX_SURVEY_EDGE_RATIO }
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        at = pairs[i].colour;
        ratio = ngx_http_cx_survey_contrast(p->colours[at],
                                    p->colours[NGX_HTTP_CX_BACKGROUND]);

        if (ratio >= pairs[i].least) {
            continue;
        }

        /* cut, not rounded: 4.499 is not 4.50 */

        ngx_sprintf(text, "at least %.1f:1: %s on background, %s on %s, is "
                    "%.2f:1%Z", pairs[i].least, ngx_http_cx_survey_colours[at],
                    p->colours[at], p->colours[NGX_HTTP_CX_BACKGROUND],
                    floor(ratio * 100) / 100);

        if (json_object_get(theme, ngx_http_cx_survey_colours[at]) == NULL) {
            at = NGX_HTTP_CX_BACKGROUND;
        }

        return ngx_http_cx_survey_wrong_at(l, ngx_http_cx_survey_colours[at],
                                           (char *) text);
    }

    return NGX_OK;
}


/* WCAG 2.2, "contrast ratio": from 1 to 21 */

static double
ngx_http_cx_survey_contrast(const u_char *a, const u_char *b)
{
    double  la, lb;

    la = ngx_http_cx_survey_luminance(a);
    lb = ngx_http_cx_survey_luminance(b);

    return (ngx_max(la, lb) + 0.05) / (ngx_min(la, lb) + 0.05);
}


/* WCAG 2.2, "relative luminance", of sRGB */

static double
ngx_http_cx_survey_luminance(const u_char *colour)
{
    double      sum, c;
    ngx_uint_t  i;

    static const double  weights[] = { 0.2126, 0.7152, 0.0722 };

    sum = 0;

    for (i = 0; i < 3; i++) {
        c = ngx_hextoi((u_char *) colour + 1 + 2 * i, 2) / 255.0;
        c = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
        sum += weights[i] * c;
    }

    return sum;
}


/* as JSON for the widget, and as rules for the pages of ours */

static ngx_int_t
ngx_http_cx_survey_theme_render(ngx_http_cx_survey_loader_t *l, json_t *theme,
    ngx_http_cx_survey_palette_t *light, ngx_http_cx_survey_palette_t *dark)
{
    u_char       *p, text[NGX_HTTP_CX_SURVEY_CSS_MAX];
    json_int_t    radius;
    const char   *font;

    font = json_string_value(json_object_get(theme, "font"));
    font = font ? font : "system-ui";

    radius = CX_THEME_RADIUS;

    if (json_object_get(theme, "radius")) {
        radius = json_integer_value(json_object_get(theme, "radius"));
    }

    p = ngx_sprintf(text, "{\"light\":{");
    p = ngx_http_cx_survey_theme_part(p, light, "\"", ",");
    p = ngx_sprintf(p, ",\"--cx-radius\":\"%Lpx\",\"--cx-font\":\"%s\"},"
                    "\"dark\":{", (int64_t) radius, font);
    p = ngx_http_cx_survey_theme_part(p, dark, "\"", ",");
    ngx_sprintf(p, "}}%Z");

    if (ngx_http_cx_survey_copy(l, (char *) text, &l->surveys->theme)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* pages of ours have nothing to inherit from */

    if (ngx_strcmp(font, "inherit") == 0) {
        font = "system-ui";
    }

    p = ngx_sprintf(text, ":root{");
    p = ngx_http_cx_survey_theme_part(p, light, "", ";");
    p = ngx_sprintf(p, ";--cx-radius:%Lpx;--cx-font:%s}"
                    "@media (prefers-color-scheme:dark){:root{",
                    (int64_t) radius, font);
    p = ngx_http_cx_survey_theme_part(p, dark, "", ";");
    ngx_sprintf(p, "}}%Z");

    return ngx_http_cx_survey_copy(l, (char *) text, &l->surveys->css);
}


static u_char *
ngx_http_cx_survey_theme_part(u_char *dst, ngx_http_cx_survey_palette_t *p,
    const char *quote, const char *between)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CX_COLOURS; i++) {
        dst = ngx_sprintf(dst, "%s--cx-%s%s:%s%s%s%s", quote,
                          ngx_http_cx_survey_colours[i], quote, quote,
                          p->colours[i], quote, between);
    }

    return ngx_sprintf(dst, "%s--cx-on-accent%s:%s%s%s", quote, quote, quote,
                       p->on_accent, quote);
}
