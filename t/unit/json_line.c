/* cx_json_line: the line of a value in a JSON text. */

#include <stdlib.h>
#include "tap.h"


static const char  text[] =
    "\n"                                                             /* 1 */
    "{\n"                                                            /* 2 */
    "  \"version\": 1, \"odd\": \"}]\\\"\\\\\",\n"                   /* 3 */
    "  \"surveys\": [\n"                                             /* 4 */
    "    { \"id\": \"a\",\n"                                         /* 5 */
    "      \"where\": { \"pages\": [\"/x\",\n"                       /* 6 */
    "        \"/y\"] } },\n"                                         /* 7 */
    "    [], {}, -1.5e3, null,\n"                                    /* 8 */
    "    {\n"                                                        /* 9 */
    "      \"id\"\n"                                                 /* 10 */
    "        :\n"                                                    /* 11 */
    "        \"b\", \"metric\":\"nps\"\n"                            /* 12 */
    "    }\n"                                                        /* 13 */
    "  ], \"last\": true\n"                                          /* 14 */
    "}\n";


static const struct {
    const char  *path;
    unsigned     line;

} cases[] = {
    { "", 2 },
    { "version", 3 },
    { "surveys", 4 },
    { "surveys/0", 5 },
    { "surveys/0/id", 5 },
    { "surveys/0/where/pages/0", 6 },
    { "surveys/0/where/pages/1", 7 },
    { "surveys/4", 8 },
    { "surveys/5", 9 },
    { "surveys/5/id", 12 },
    { "surveys/5/metric", 12 },
    { "last", 14 },

    /* leaves the text */
    { "nothing", 2 },
    { "nothing/at/all", 2 },
    { "last/x", 14 },
    { "surveys/6", 4 },
    { "surveys/x", 4 },
    { "surveys/", 4 },
    { "surveys/1/0", 8 },
    { "surveys/2/id", 8 },
    { "surveys/5/where/pages", 9 },
    { "surveys/0/where/pages/2", 6 },
    { "/version", 2 },
};


int
main(void)
{
    char      *copy;
    size_t     i, k, len;
    unsigned   line;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        line = cx_json_line(text, sizeof(text) - 1, cases[i].path);

        ok(line == cases[i].line, "line %u: \"%s\" (%u)", cases[i].line,
           cases[i].path, line);
    }

    ok(cx_json_line("", 0, "a") == 1, "nothing");
    ok(cx_json_line("\n\n5", 3, "") == 3, "a number");

    /* never reads too far, even where the text is cut */

    line = 0;

    for (len = 0; len < sizeof(text); len++) {

        copy = malloc(len ? len : 1);
        memcpy(copy, text, len);

        for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
            line += cx_json_line(copy, len, cases[k].path) > 15;
        }

        free(copy);
    }

    ok(line == 0, "cut texts");

    return tap_done();
}
