/*
 * cx_edge: the rules, by the visits of edge_cases.h.  What a browser's report
 * is joined to is in visit.c.
 */

#include <stdlib.h>
#include "tap.h"
#include "cx_edge.h"
#include "edge_cases.h"


#define N(list)   (sizeof(list) / sizeof(list[0]))


/* ---- pages by checksum, to be named again ---- */

static struct {
    uint32_t  id;
    char      text[64];
} pages[64];


static uint32_t
page_id(const char *path, size_t len)
{
    size_t         i;
    uint32_t       id;
    unsigned char  key[CX_PAGE_MAX];

    len = cx_page_fold(key, (const unsigned char *) path, len);
    id = cx_edge_id(0, key, len);

    for (i = 0; i < N(pages); i++) {

        if (pages[i].id == id) {
            break;
        }

        if (pages[i].id == 0) {
            pages[i].id = id;
            (void) snprintf(pages[i].text, sizeof(pages[i].text), "%.*s",
                            (int) len, (const char *) key);
            break;
        }
    }

    return id;
}


static const char *
page_text(uint32_t id)
{
    size_t  i;

    for (i = 0; i < N(pages) && pages[i].id; i++) {
        if (pages[i].id == id) {
            return pages[i].text;
        }
    }

    return "?";
}


/* ---- one visit ---- */

static cx_visit_t    visit;
static cx_tuning_t   tuning;
static uint64_t      clock_ms;
static char          told[2048];


static void
tell(const cx_edge_signal_t *out, unsigned n)
{
    char      value[16], count[16];
    size_t    len;
    unsigned  i;

    for (i = 0; i < n; i++, out++) {

        value[0] = count[0] = '\0';

        if (out->signal != CX_SIG_NAVIGATION_LOOP
            && out->signal != CX_SIG_FORM_ABANDON)
        {
            (void) sprintf(value, " =%u", out->value);
        }

        if (out->count != 1) {
            (void) sprintf(count, " x%u", out->count);
        }

        len = strlen(told);
        (void) snprintf(told + len, sizeof(told) - len, "%s%s %s%s%s%s%s",
                        len ? ", " : "", cx_signals[out->signal].name,
                        page_text(out->page), out->target ? " -> " : "",
                        out->target ? page_text(out->target) : "", value,
                        count);
    }
}


static void
address(cx_step_t *s, const char *word)
{
    size_t  path, len;

    path = strcspn(word, "?");
    len = strlen(word);

    s->page = page_id(word, path);
    s->path = cx_edge_id(0, word, path);
    s->uri = cx_edge_id(s->path, word + path, len - path);
}


/* words of the form name=value; 0 if it is another one */

static int
option(cx_step_t *s, const char *word, uint64_t *took)
{
    if (strncmp(word, "took=", 5) == 0) {
        *took = strtoull(word + 5, NULL, 10);

    } else if (strncmp(word, "first=", 6) == 0) {
        s->first_ms = (uint32_t) atoi(word + 6);

    } else if (strncmp(word, "len=", 4) == 0) {
        s->body = (uint32_t) atoi(word + 4);

    } else if (strncmp(word, "ref=", 4) == 0) {
        s->ref = page_id(word + 4, strlen(word + 4));

    } else if (strncmp(word, "q=", 2) == 0) {
        s->role |= CX_ROLE_SEARCH;
        s->query = cx_edge_id(0, word + 2, strlen(word + 2));

    } else {
        return 0;
    }

    return 1;
}


static int
flag(cx_step_t *s, const char *word)
{
    size_t  i;

    static const char  *words[] = {
        "post", "redirect", "asset", "script", "aborted", "limited", "pending",
        "old", "auto", "form", "help", "search"
    };

    for (i = 0; i < N(words); i++) {
        if (strcmp(words[i], word) == 0) {
            break;
        }
    }

    switch (i) {
    case 0: s->post = 1; break;
    case 1: s->kind = CX_STEP_REDIRECT; break;
    case 2: s->kind = CX_STEP_ASSET; break;
    case 3: s->kind = CX_STEP_POST; s->post = 1; break;
    case 4: s->aborted = 1; break;
    case 5: s->limited = 1; break;
    case 6: s->pending = 1; break;
    case 7: s->told = 0; s->user = 0; break;
    case 8: s->user = 0; break;
    case 9: s->role |= CX_ROLE_FORM; break;
    case 10: s->role |= CX_ROLE_HELP; break;
    case 11: s->role |= CX_ROLE_SEARCH; break;
    default: return 0;
    }

    return 1;
}


static void
step(char *text)
{
    char              *word, *save;
    uint64_t           took;
    cx_step_t          s;
    cx_edge_signal_t   out[CX_EDGE_OUT];

    memset(&s, 0, sizeof(s));

    s.told = 1;
    s.user = 1;
    s.first_ms = CX_NO_MS - 1;
    s.upstream_ms = CX_NO_MS;
    took = 0;

    for (word = strtok_r(text, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
    {
        if (word[0] == '/') {
            address(&s, word);

        } else if (word[0] == '+') {
            clock_ms += (uint64_t) strtoll(word + 1, NULL, 10);

        } else if (word[0] >= '1' && word[0] <= '9') {
            s.status = (uint16_t) atoi(word);

        } else if (strcmp(word, "end") == 0) {
            tell(out, cx_edge_close(&visit, &tuning, out));
            return;

        } else if (!option(&s, word, &took) && !flag(&s, word)) {
            ok(0, "the test knows '%s'", word);
        }
    }

    if (s.status == 0) {
        s.status = (s.kind == CX_STEP_REDIRECT) ? 302 : 200;
    }

    if (s.first_ms == CX_NO_MS - 1) {
        s.first_ms = s.aborted ? CX_NO_MS : (uint32_t) took;
    }

    s.start = clock_ms;
    s.end = s.start + took;
    clock_ms = s.end;

    tell(out, cx_edge_step(&visit, &s, &tuning, out));
}


static void
run(const char *steps)
{
    char  *copy, *one, *save;

    memset(&visit, 0, sizeof(visit));
    memset(pages, 0, sizeof(pages));
    clock_ms = 1795262400000;
    told[0] = '\0';

    copy = strdup(steps);

    for (one = strtok_r(copy, ";", &save); one;
         one = strtok_r(NULL, ";", &save))
    {
        step(one);
    }

    free(copy);
}


static void
test_case(const char *name, const char *steps, const char *signals)
{
    run(steps);

    if (!ok(strcmp(told, signals) == 0, "%s: %s", name,
            signals[0] ? signals : "nothing"))
    {
        printf("# %s\n# got: %s\n", steps, told);
    }
}


/* other numbers than the table's */

static void
test_tuning(void)
{
    tuning.t[CX_T_RELOAD_VIEWS] = 6;
    test_case("reload_views 6", "/a; +900 /a; +2000 /a; +900 /a; +2000 /a; "
              "+900 /a", "reload /a =6");
    tuning.t[CX_T_RELOAD_VIEWS] = 2;
    test_case("reload_views 2", "/a; +900 /a; +2000 /a; +900 /a",
              "reload /a =2, reload /a =2");

    tuning.t[CX_T_SEARCH_REFINE_QUERIES] = 4;
    test_case("search_refine_queries 4", "/s?1 q=a; /s?2 q=b; /s?3 q=c; "
              "/s?2 q=b; /s?4 q=d; /s?5 q=e", "search_refine /s =4");
    tuning.t[CX_T_SEARCH_REFINE_QUERIES] = 2;
    test_case("search_refine_queries 2", "/s?1 q=a; /s?2 q=b",
              "search_refine /s =2");

    tuning.t[CX_T_AUTH_LOOP_REFUSALS] = 4;
    test_case("auth_loop_refusals 4", "/a 401; /b 401; /c 401; /d 401",
              "auth_loop /d =401");
    tuning.t[CX_T_AUTH_LOOP_REFUSALS] = 2;
    test_case("auth_loop_refusals 2", "/a 401; /b 401", "auth_loop /b =401");

    tuning.t[CX_T_REDIRECT_CHAIN_HOPS] = 2;
    test_case("redirect_chain_hops 2", "/1 redirect; /2 redirect; /a",
              "redirect_chain /a =2");

    tuning.t[CX_T_ABORTED_WAIT_MS] = 0;
    test_case("aborted_wait_ms 0", "/a aborted", "aborted_wait /a =0");

    cx_tuning_default(&tuning);
}


/* when a signal was, and that it is counted */

static void
test_times(void)
{
    unsigned          n;
    cx_step_t         s;
    cx_edge_signal_t  out[CX_EDGE_OUT];

    memset(&visit, 0, sizeof(visit));
    memset(&s, 0, sizeof(s));

    s.start = 5000;
    s.end = 9001;
    s.page = 1;
    s.uri = s.path = 2;
    s.first_ms = 4001;
    s.status = 500;
    s.role = CX_ROLE_FORM;

    n = cx_edge_step(&visit, &s, &tuning, out);

    ok(n == 2 && out[0].signal == CX_SIG_ERROR_PAGE && out[0].at == 9001
       && out[1].signal == CX_SIG_SLOW_PAGE && out[1].count == 2
       && out[1].at == 9001 && visit.opened == 5000 && visit.last == 4001,
       "signals belong to the request's end");

    ok(visit.count[CX_SIG_ERROR_PAGE] == 1
       && visit.count[CX_SIG_SLOW_PAGE] == 2, "and are counted");

    s.start = 20000;
    s.end = 20100;
    s.status = 200;
    s.first_ms = 100;
    (void) cx_edge_step(&visit, &s, &tuning, out);

    n = cx_edge_close(&visit, &tuning, out);

    ok(n == 1 && out[0].signal == CX_SIG_FORM_ABANDON && out[0].at == 20000
       && out[0].page == 1 && out[0].count == 1 && visit.opened == 0,
       "form_abandon belongs to the form's view");

    s.start = 0;
    s.end = 0;
    (void) cx_edge_step(&visit, &s, &tuning, out);
    ok(visit.opened == 1, "a visit at the beginning of time");

    /* a request that ends before it began, one from before the visit */

    memset(&visit, 0, sizeof(visit));
    s.start = 10000;
    s.end = 9000;
    (void) cx_edge_step(&visit, &s, &tuning, out);
    s.start = 4000;
    s.end = 11000;
    (void) cx_edge_step(&visit, &s, &tuning, out);
    ok(visit.opened == 10000 && visit.last == 7000 && visit.view[0].at == 0
       && visit.view[0].request_ms == 0 && visit.view[1].at == 0
       && visit.view[1].request_ms == 7000,
       "clocks that do not agree");

    /* the visit's clock ends before it turns over */

    for (n = 0; s.start < 4294967296000; s.start += 1700000) {
        s.end = s.start + 100;
        s.page = 0;
        n += (cx_edge_step(&visit, &s, &tuning, out) > 0);
    }

    ok(s.end - visit.opened <= 0x80000000u + 86400000u && n == 0,
       "a visit of 130 years is many");
}


int
main(void)
{
    size_t  i;

    cx_tuning_default(&tuning);

    for (i = 0; i < N(edge_cases); i++) {
        test_case(edge_cases[i].name, edge_cases[i].steps,
                  edge_cases[i].signals);
    }

    test_tuning();
    test_times();

    return tap_done();
}
