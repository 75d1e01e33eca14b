/* cx_language: which language a visitor gets, and what is built in. */

#include <stdlib.h>
#include <time.h>
#include "cx_language.h"
#include "tap.h"


static const struct {
    const char  *tags;           /* joined by spaces */
    const char  *wishes;
    int          want;
} choices[] = {

    /* one tag */
    { "en de", "de", 1 },
    { "en de", "DE", 1 },
    { "en de", "fr", -1 },
    { "en de", "", -1 },
    { "en", "e", -1 },
    { "en", "eng", -1 },

    /* the whole tag, its first part, another of the same first part */
    { "en pt pt-br", "pt-BR", 2 },
    { "en pt-br pt", "pt-PT", 2 },
    { "en pt-br", "pt-PT", 1 },
    { "en pt-br", "pt", 1 },
    { "zh zh-tw", "zh-Hant-TW", 0 },
    { "de-ch de-at", "de-li", 0 },
    { "en de", "de_AT", 1 },
    { "fil", "fi", -1 },
    { "fi", "fil", -1 },

    /* in their order */
    { "en de fr", "fr, de", 2 },
    { "en de fr", "it, fr, de", 2 },
    { "en de fr", "it-CH,it", -1 },
    { "en de", "de-AT, en", 1 },
    { "en de", " \t de \t, en", 1 },
    { "en de", ",,de,,", 1 },

    /* by q */
    { "en de fr", "en;q=0.5, de;q=0.8, fr;q=0.7", 1 },
    { "en de fr", "en;q=0.8, de;q=0.81, fr;q=0.809", 1 },
    { "en de fr", "en;q=0.8, de, fr;q=0.9", 1 },
    { "en de fr", "en; q=0.8, fr ;q=0.9", 2 },
    { "en de fr", "en;Q=0.8, fr;Q=0.9", 2 },
    { "en de fr", "it, en;q=0.8, fr;q=0.8", 0 },
    { "en de", "en;q=0, de;q=0.1", 1 },
    { "en de", "en;q=0.000", -1 },
    { "en de", "de;q=1.000, en;q=1", 1 },
    { "en de", "de;q=x, en;q=0.1", 0 },
    { "en de", "de;level=1, en;q=0.1", 0 },
    { "en de", "de;q=, en;q=0.001", 0 },

    /* any but those that are named */
    { "en de", "*", 0 },
    { "en de fr", "en;q=0.5, *;q=0.6", 1 },
    { "en de", "it, *;q=0.1", 0 },
    { "en", "en;q=0, *", -1 },
    { "en de", "fr, *;q=0", -1 },
    { "en de", "en;q=0, *;q=0.5, de;q=0, *", -1 },

    /* of equal q in the order of the list, however long */
    { "en de fr", "it;q=0.5, fr;q=0.5, de;q=0.5, en;q=0.5", 2 },
    { "en de", "x,y,z,a,b,c,d,e,f,g,h,i,j,k,l,de", 1 },
    { "en de", "x,y,z,a,b,c,d,e,f,g,h,i,j,k,l,m,de", -1 },
};


static void
check(const char *tags, const char *wishes, int want)
{
    int         got;
    char       *copy, *p;
    unsigned    n;
    cx_str_t    list[16], wish;

    copy = strdup(tags);

    for (n = 0, p = strtok(copy, " "); p; p = strtok(NULL, " "), n++) {
        list[n].data = (unsigned char *) p;
        list[n].len = strlen(p);
    }

    /* no byte more, so that a sanitizer sees what is read beyond */

    wish.len = strlen(wishes);
    wish.data = malloc(wish.len ? wish.len : 1);
    memcpy(wish.data, wishes, wish.len);

    got = cx_language_choose(list, n, &wish);

    ok(got == want, "[%s] of \"%s\": %d", tags, wishes, got);

    free(wish.data);
    free(copy);
}


static unsigned
texts(const cx_language_t *l)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < CX_WORD_N; i++) {
        n += l->words[i] && *l->words[i];
    }

    for (i = 0; i < CX_WORDING_N; i++) {
        n += l->wording[i].question && strstr(l->wording[i].question, "{name}")
             && l->wording[i].here && !strstr(l->wording[i].here, "{name}")
             && l->wording[i].low && l->wording[i].high && l->wording[i].why;
    }

    return n;
}


/* 100 surveys in 64 languages, and a header that is made for it: below a
   millisecond each, where it would take tens of them to look at all of it */

static void
test_work(char *list, size_t len)
{
    int         got;
    size_t      i;
    clock_t     took;
    unsigned    n;
    cx_str_t    tags[64], wish;

    static char  names[64][3];

    for (n = 0; n < 64; n++) {
        sprintf(names[n], "%c%c", 'a' + n % 26, 'a' + n / 26);
        tags[n].data = (unsigned char *) names[n];
        tags[n].len = 2;
    }

    /* all are named, with q=0 and at the end, so that none is any */

    for (i = 0; i + 2 <= len; i += 2) {
        list[i] = '*';
        list[i + 1] = ',';
    }

    n = 0;

    for (i = len - 512, n = 0; n < 64; i += 8, n++) {
        memcpy(list + i, names[n], 2);
        memcpy(list + i + 2, ";q=0,,", 6);
    }

    wish.data = (unsigned char *) list;
    wish.len = len;
    took = clock();

    for (i = 0, got = 0; i < 100; i++) {
        got |= cx_language_choose(tags, 64, &wish);
    }

    took = clock() - took;

    ok(took < CLOCKS_PER_SEC / 10, "100 times 8 KiB: %ld us",
       (long) (took * 1000000 / CLOCKS_PER_SEC));

    (void) got;
}


int
main(void)
{
    char        long_list[8192];
    unsigned    i;
    cx_str_t    tag, wish;

    for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        check(choices[i].tags, choices[i].wishes, choices[i].want);
    }

    /* a list that nobody's browser sends takes no time */

    memset(long_list, ',', sizeof(long_list));

    for (i = 0; i + 3 < sizeof(long_list); i += 3) {
        long_list[i] = 'x';
        long_list[i + 1] = 'y';
    }

    tag.data = (unsigned char *) "en";
    tag.len = 2;
    wish.data = (unsigned char *) long_list;
    wish.len = sizeof(long_list);

    ok(cx_language_choose(&tag, 1, &wish) == -1, "a list of 8 KiB");
    test_work(long_list, sizeof(long_list));

    ok(cx_languages_n >= 14, "%u languages", cx_languages_n);
    ok(strcmp(cx_languages[0].tag, "en") == 0, "English is the first");

    for (i = 0; i < cx_languages_n; i++) {
        ok(texts(&cx_languages[i]) == CX_WORD_N + CX_WORDING_N,
           "%s has all texts", cx_languages[i].tag);
        ok(cx_languages[i].rtl == (strcmp(cx_languages[i].tag, "ar") == 0
                                   || strcmp(cx_languages[i].tag, "he") == 0),
           "%s runs %s", cx_languages[i].tag,
           cx_languages[i].rtl ? "from right to left" : "from left to right");
        ok(cx_languages[i].wording[CX_WORDING_CES].question_bare
           && cx_languages[i].wording[CX_WORDING_CES].here_bare
           && !cx_languages[i].wording[CX_WORDING_NPS].question_bare,
           "%s has a ces without a task", cx_languages[i].tag);
    }

    return tap_done();
}
