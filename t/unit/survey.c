/* cx_survey: patterns of pages, choices of options. */

#include "tap.h"


static cx_str_t
str(const char *s)
{
    cx_str_t  v;

    v.data = (unsigned char *) s;
    v.len = strlen(s);

    return v;
}


static void
test_patterns(void)
{
    int       got;
    size_t    i;
    cx_str_t  pattern, page;

    static const struct {
        const char  *pattern;
        const char  *page;
        int          want;
    } row[] = {
        { "/docs", "/docs", 1 }, { "/docs", "/docs/", 0 },
        { "/docs", "/doc", 0 }, { "", "", 1 }, { "", "/", 0 },
        { "*", "", 1 }, { "*", "/a/b", 1 }, { "/docs/*", "/docs/", 1 },
        { "/docs/*", "/docs/a/b", 1 }, { "/docs/*", "/docs", 0 },
        { "*/edit", "/a/edit", 1 }, { "*/edit", "/a/edit/edit", 1 },
        { "*/edit", "/a/edits", 0 }, { "/a*b*c", "/abc", 1 },
        { "/a*b*c", "/axbxbxc", 1 }, { "/a*b*c", "/acb", 0 },
        { "/**/x", "/y/x", 1 }, { "/a**", "/a", 1 },
        { "/a.b", "/axb", 0 }, { "/[a]", "/a", 0 },
        { "*aaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 1 },
        { "/\xc3\xa9*", "/\xc3\xa9t\xc3\xa9", 1 }
    };

    for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        pattern = str(row[i].pattern);
        page = str(row[i].page);
        got = cx_survey_pattern(&pattern, &page);
        ok(got == row[i].want, "\"%s\" %s \"%s\"", row[i].pattern,
           row[i].want ? "is" : "is not", row[i].page);
    }
}


static void
test_choices(void)
{
    int       got;
    size_t    i;
    cx_str_t  v;

    static const struct {
        const char  *text;
        int          want;
    } row[] = {
        { "0", 1 }, { "11", 1 << 11 }, { "0,1,2", 7 },
        { "0,9,10,11", 1 | 7 << 9 },
        { "0,1,2,3,4,5,6,7,8,9,10,11", 4095 },
        { "", -1 }, { ",", -1 }, { "0,", -1 }, { ",0", -1 }, { "0,,1", -1 },
        { "12", -1 }, { "99", -1 }, { "1,0", -1 }, { "1,1", -1 },
        { "01", -1 }, { "0 ,1", -1 }, { "a", -1 }, { "-1", -1 },
        { "1;2", -1 }, { "111", -1 }, { "0,12", -1 }
    };

    for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        v = str(row[i].text);
        got = cx_survey_choice(&v);
        ok(got == row[i].want, "choice \"%s\" is %d", row[i].text,
           row[i].want);
    }
}


int
main(void)
{
    test_patterns();
    test_choices();

    return tap_done();
}
