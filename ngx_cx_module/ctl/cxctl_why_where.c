/*
 * Where and for whom a survey of a file is, and in which language: the rules
 * of the module's survey_match.c, in the words of its why.c.
 */

#include <string.h>
#include "cx_language.h"
#include "cxctl_why.h"


/* "a, b or c" */

static void
cx_why_list(char *dst, const json_t *list)
{
    size_t      i, n;
    const char *s;

    n = json_array_size(list);

    for (i = 0; i < n; i++) {
        s = json_string_value(json_array_get(list, i));
        cx_why_add(dst, "%s%s",
                   i == 0       ? ""
                   : i == n - 1 ? " or "
                                : ", ",
                   s ? s : "");
    }
}


static int
cx_why_listed(const json_t *list, const char *value)
{
    size_t      i;
    const char *s;

    for (i = 0; i < json_array_size(list); i++) {
        s = json_string_value(json_array_get(list, i));

        if (s && strcmp(s, value) == 0) {
            return 1;
        }
    }

    return json_array_size(list) == 0;
}


static void
cx_why_page(cx_why_t *w, const json_t *pages)
{
    size_t      i;
    cx_str_t    pattern, page;
    const char *s;

    page.data = (unsigned char *) w->page;
    page.len = strlen(w->page);

    for (i = 0; i < json_array_size(pages); i++) {
        s = json_string_value(json_array_get(pages, i));
        pattern.data = (unsigned char *) (s ? s : "");
        pattern.len = s ? strlen(s) : 0;

        if (cx_survey_pattern(&pattern, &page)) {
            return;
        }
    }

    if (json_array_size(pages)) {
        cx_why_add(w->why, "not on this page, only on ");
        cx_why_list(w->why, pages);
    }
}


/* value NULL: nobody said, so it is told */

static void
cx_why_name(cx_why_t *w, const json_t *list, const char *what,
            const char *value)
{
    if (w->why[0] || json_array_size(list) == 0) {
        return;
    }

    if (value == NULL) {
        cx_why_add(w->only, ", only %s ", what);
        cx_why_list(w->only, list);

    } else if (!cx_why_listed(list, value)) {
        cx_why_add(w->why, "the %s is \"%s\", not ", what, value);
        cx_why_list(w->why, list);
    }
}


/* whatever their order in the file is */

static void
cx_why_devices(char *dst, const json_t *list)
{
    size_t                   i;
    const char              *comma;
    static const char *const all[] = { "phone", "tablet", "desktop" };

    for (i = 0, comma = ""; i < 3; i++) {
        if (cx_why_listed(list, all[i])) {
            cx_why_add(dst, "%s%s", comma, all[i]);
            comma = ", ";
        }
    }
}


static void
cx_why_person(cx_why_t *w, const json_t *where)
{
    const char   *visitors;
    const json_t *list;

    list = json_object_get(where, "devices");

    if (json_array_size(list) && w->ctl->device == NULL) {
        cx_why_add(w->only, ", only device ");
        cx_why_devices(w->only, list);

    } else if (w->ctl->device && !cx_why_listed(list, w->ctl->device)) {
        cx_why_add(w->why, "the device is %s, not ", w->ctl->device);
        cx_why_devices(w->why, list);
        return;
    }

    visitors = json_string_value(json_object_get(where, "visitors"));

    if (visitors && w->ctl->visitors == NULL) {
        cx_why_add(w->only, ", only %s visitors", visitors);

    } else if (visitors && strcmp(visitors, w->ctl->visitors) != 0) {
        cx_why_add(w->why, "only for %s visitors", visitors);
    }
}


static void
cx_why_language(cx_why_t *w)
{
    int         at;
    char       *dst;
    cx_str_t    wish, tags[CX_WHY_LANGUAGES];
    unsigned    i;
    const char *lang;

    lang = w->ctl->lang;
    cx_why_languages(w);

    for (i = 0; i < w->tags; i++) {
        tags[i].data = (unsigned char *) w->tag[i];
        tags[i].len = strlen(w->tag[i]);
    }

    if (w->tags == 0) {
        cx_why_add(w->why, "there is no language that all its texts have");
        return;
    }

    if (lang) {
        wish.data = (unsigned char *) lang;
        wish.len = strlen(lang);
        at = cx_language_choose(tags, w->tags, &wish);

        if (at >= 0) {
            w->lang = w->tag[at];
            return;
        }

        cx_why_add(w->why,
                   "not in the language of page or browser (\"%s\", \"\"); "
                   "it has ",
                   lang);

    } else {
        cx_why_add(w->only, ", in ");
    }

    dst = lang ? w->why : w->only;

    for (i = 0; i < w->tags; i++) {
        cx_why_add(dst, "%s%s", i ? ", " : "", w->tag[i]);
    }
}


void
cx_why_where(cx_why_t *w)
{
    const json_t   *where;
    const cx_ctl_t *c;

    c = w->ctl;
    where = json_object_get(w->json, "where");
    cx_why_page(w, json_object_get(where, "pages"));
    cx_why_name(w, json_object_get(where, "touchpoints"), "touchpoint",
                c->touchpoint);
    cx_why_name(w, json_object_get(where, "stages"), "stage", c->stage);
    cx_why_name(w, json_object_get(where, "segments"), "segment", c->segment);

    if (w->why[0] == '\0') {
        cx_why_person(w, where);
    }

    if (w->why[0] == '\0') {
        cx_why_language(w);
    }
}
