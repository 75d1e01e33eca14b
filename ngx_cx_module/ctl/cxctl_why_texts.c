/*
 * In which languages a survey of a file can be asked: the rule of the module's
 * survey_texts.c.  A survey may be asked in its own language and in those of
 * its texts, where each text is in it or in its first part; what is standard
 * wording is in the languages that are built in.
 */

#include <stdio.h>
#include <string.h>
#include "cx_language.h"
#include "cxctl_why.h"


/* "de-AT" -> "de-at"; dst has CX_WHY_TAG bytes */

static const char *
cx_why_lower(char *dst, const char *tag)
{
    char *s;

    snprintf(dst, CX_WHY_TAG, "%s", tag);

    for (s = dst; *s; s++) {
        if (*s >= 'A' && *s <= 'Z') {
            *s = (char) (*s | 0x20);
        }
    }

    return dst;
}


/* a text as an object, tag in lower case -> text; NULL: there is none */

static json_t *
cx_why_text(const cx_why_t *w, json_t *text)
{
    char        lower[CX_WHY_TAG];
    json_t     *o, *value;
    const char *tag;

    if (text == NULL) {
        return NULL;
    }

    o = json_object();

    if (json_is_string(text)) {
        json_object_set(o, w->language, text);
    }

    json_object_foreach(text, tag, value)
    {
        json_object_set(o, cx_why_lower(lower, tag), value);
    }

    return o;
}


/* 1 if a text is in a language, or in its first part, or in any */

static int
cx_why_has(const json_t *text, const char *tag)
{
    char   first[CX_WHY_TAG];
    size_t len;

    len = strcspn(tag, "-");
    snprintf(first, sizeof(first), "%.*s", (int) len, tag);

    return json_object_get(text, tag) || json_object_get(text, first)
           || json_object_get(text, "*");
}


/* ---- which texts there are ---- */

static void
cx_why_own(cx_why_t *w, json_t *text)
{
    text = cx_why_text(w, text);

    if (text) {
        json_array_append_new(w->own, text);
    }
}


static void
cx_why_own_list(cx_why_t *w, json_t *list)
{
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        cx_why_own(w, json_array_get(list, i));
    }
}


/* CX_WORDING_* of a metric; -1: it has no standard wording */

static int
cx_why_wording(const char *metric)
{
    size_t i;
    static const struct {
        const char *metric;
        int         wording;
    } rows[] = { { "nps", CX_WORDING_NPS },    { "csat", CX_WORDING_CSAT },
                 { "csat7", CX_WORDING_CSAT }, { "ces", CX_WORDING_CES },
                 { "psat", CX_WORDING_PSAT },  { "psat5", CX_WORDING_PSAT5 } };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].metric, metric) == 0) {
            return rows[i].wording;
        }
    }

    return -1;
}


/* the standard question, where what is to be put in is there */

static void
cx_why_question(cx_why_t *w, int wording)
{
    json_t             *o, *name, *task;
    unsigned            i;
    const char         *text, *tag;
    const cx_wording_t *words;

    o = json_object();
    name = cx_why_text(w, json_object_get(w->json, "name"));
    task = cx_why_text(w, json_object_get(w->json, "task"));

    for (i = 0; i < cx_languages_n; i++) {
        tag = cx_languages[i].tag;
        words = &cx_languages[i].wording[wording];

        if (words->question_bare && task == NULL) {
            text = name ? words->question_bare : words->here_bare;

        } else {
            text = name ? words->question : words->here;
        }

        if ((name && strstr(text, "{name}") && !cx_why_has(name, tag))
            || (strstr(text, "{task}") && !cx_why_has(task, tag)))
        {
            continue;
        }

        json_object_set_new(o, tag, json_true());
    }

    json_decref(name);
    json_decref(task);
    json_array_append_new(w->own, o);
}


/* standard wording is in all languages that are built in */

static void
cx_why_standard(cx_why_t *w)
{
    json_t  *o;
    unsigned i;

    o = json_object();

    for (i = 0; i < cx_languages_n; i++) {
        json_object_set_new(o, cx_languages[i].tag, json_true());
    }

    json_array_append_new(w->standard, o);
}


/* what the file says, else what is standard */

static void
cx_why_either(cx_why_t *w, json_t *text)
{
    if (text) {
        cx_why_own(w, text);

    } else {
        cx_why_standard(w);
    }
}


static void
cx_why_asks(cx_why_t *w)
{
    int         wording;
    size_t      i;
    json_t     *o, *step, *value;
    const char *key;

    wording = cx_why_wording(cx_why_line(w, "metric"));

    if (json_object_get(w->json, "question") || wording < 0) {
        cx_why_own(w, json_object_get(w->json, "question"));

    } else {
        cx_why_question(w, wording);
    }

    if (wording >= 0) {
        o = json_object_get(w->json, "labels");
        cx_why_either(w, json_object_get(o, "low"));
        cx_why_either(w, json_object_get(o, "high"));
    }

    cx_why_own_list(w, json_object_get(w->json, "options"));
    o = json_object_get(w->json, "follow_up");

    if (json_is_true(o)) {
        cx_why_standard(w);
    }

    json_object_foreach(o, key, value)
    {
        cx_why_own(w, value);
    }
    o = json_object_get(w->json, "more");

    for (i = 0; i < json_array_size(o); i++) {
        step = json_array_get(o, i);
        cx_why_own(w, json_object_get(step, "question"));
        cx_why_own_list(w, json_object_get(step, "options"));
    }
}


static void
cx_why_says(cx_why_t *w)
{
    json_t *o, *text, *link;

    o = json_object_get(w->json, "thanks");
    text = json_object_get(o, "text");
    link = json_object_get(o, "link");
    cx_why_either(w, text || link ? text : o);
    cx_why_own(w, json_object_get(link, "label"));

    if (strcmp(cx_why_line(w, "place"), "tab") == 0) {
        cx_why_either(w, json_object_get(w->json, "tab"));
    }
}


/* ---- which languages all of them have ---- */

static void
cx_why_tag(cx_why_t *w, const char *tag)
{
    size_t   i;
    unsigned k;

    for (k = 0; k < w->tags; k++) {
        if (strcmp(w->tag[k], tag) == 0) {
            return;
        }
    }

    for (i = 0; i < json_array_size(w->own); i++) {
        if (!cx_why_has(json_array_get(w->own, i), tag)) {
            return;
        }
    }

    for (i = 0; i < json_array_size(w->standard); i++) {
        if (!cx_why_has(json_array_get(w->standard, i), tag)) {
            return;
        }
    }

    if (w->tags < CX_WHY_LANGUAGES) {
        w->tag[w->tags++] = tag;
    }
}


void
cx_why_languages(cx_why_t *w)
{
    size_t      i;
    json_t     *text, *value;
    const char *tag;

    tag = cx_why_line(w, "language");
    (void) cx_why_lower(w->language, *tag ? tag : "en");
    w->own = json_array();
    w->standard = json_array();
    cx_why_asks(w);
    cx_why_says(w);

    /* its own is the first: where nobody says a language it is that one */

    cx_why_tag(w, w->language);

    for (i = 0; i < json_array_size(w->own); i++) {
        text = json_array_get(w->own, i);
        json_object_foreach(text, tag, value)
        {
            cx_why_tag(w, tag);
        }
    }
}


void
cx_why_free(cx_why_t *w)
{
    json_decref(w->own);
    json_decref(w->standard);
}
