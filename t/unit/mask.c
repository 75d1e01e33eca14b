/* cx_mask: what is masked and what is left. */

#define _GNU_SOURCE

#include <stdlib.h>
#include "tap.h"


static const char  *texts[][2] = {

    /* e-mail */
    { "mail jane.doe+x@example.co.uk. Thanks", "mail [email]. Thanks" },
    { "a@b.cd and <bob@y.org>,c@d.info", "****** and <[email]>,[email]" },
    { "mailto:jane_d-1@sub-1.example.com?x", "mailto:[email]?x" },
    { "j\xc3\xb6rg@m\xc3\xbcller.de", "[email]" },
    { "\xe8\xaf\xb7jane@example.com\xe8\xb0\xa2",
      "\xe8\xaf\xb7[email]\xe8\xb0\xa2" },
    { "0301234567@example.com", "[email]" },
    { "jane@10.example.com", "[email]" },
    { "@jane.doe jane@localhost x@.com @ a@b.c",
      "@jane.doe jane@localhost x@.com @ a@b.c" },
    { "lodash@4.17.21", "lodash@4.17.21" },
    { "a@bob@example.org", "a@[email]" },

    { "taro\xef\xbc\xa0" "example\xef\xbc\x8e" "co.jp", "[email]" },

    /* digits of other scripts */
    { "\xef\xbc\x90\xef\xbc\x99\xef\xbc\x90\xef\xbc\x8d\xef\xbc\x91\xef"
      "\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96\xef\xbc"
      "\x97\xef\xbc\x98", "[phone]" },
    { "\xd9\xa0\xd9\xa5\xd9\xa5\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9"
      "\xa6\xd9\xa7", "[phone]" },
    { "\xdb\xb0\xdb\xb9\xdb\xb1\xdb\xb2\xdb\xb3\xdb\xb4\xdb\xb5\xdb\xb6\xdb"
      "\xb7\xdb\xb8\xdb\xb9", "[phone]" },
    { "\xef\xbc\x95\xe3\x81\xa4\xe6\x98\x9f", "5\xe3\x81\xa4\xe6\x98\x9f" },
    { "\xef\xbc", "\xef\xbc" },

    /* cards */
    { "4111 1111 1111 1111", "[card]" },
    { "card 4111-1111-1111-1111, exp 12/26", "card [card], exp 12/26" },
    { "(4111111111111111)", "([card])" },
    { "5500 0055 5555 5559 12/26 123", "[card] 12/26 123" },
    { "378282246310005 and 6304000000000000", "[card] and [card]" },
    { "1 4111 1111 1111 1111", "1 [card]" },
    { "4111\xc2\xa0" "1111\xe2\x80\x93" "1111 1111", "[card]" },
    { "4222222222222", "[card]" },
    { "6304000000000000000", "[card]" },
    { "\xef\xbc\x9a" "4111111111111111", "\xef\xbc\x9a[card]" },
    { "4111 1111 1111 1112", "[phone]" },

    /* phones */
    { "+49 30 1234567", "[phone]" },
    { "call (030) 123 45 67 8.", "call [phone]." },
    { "(0301234567) (+49) 30-1234567", "([phone]) [phone]" },
    { "+1 (555) 123-4567 x89", "[phone] x89" },
    { "555-123-4567", "[phone]" },
    { "555.123.4567, 1.555.123.4567", "[phone], [phone]" },
    { "0049 170 / 1234567", "[phone]" },
    { "06 12 34 56 78", "[phone]" },
    { "06.12.34.56.78", "[phone]" },
    { "+4512345678 +1234567", "[phone] [phone]" },
    { "tel:+4930123456,+4930123457", "tel:[phone],[phone]" },
    { "\xe7\x94\xb5\xe8\xaf\x9d" "13812345678",
      "\xe7\x94\xb5\xe8\xaf\x9d[phone]" },
    { "at 10:30 030 1234567 8", "at 10:30 [phone]" },
    { "612 345 678", "[phone]" },
    { "#123456789", "#[phone]" },
    { "0301234567\n0301234568", "[phone]\n[phone]" },

    /* left as they are */
    { "In 2023 it cost 1,234.50 EUR or 99.99.", NULL },
    { "order 12345678, 4711", NULL },
    { "2019 2020 2021", NULL },
    { "2024-11-21 10:30:00", NULL },
    { "2024-11-21T10:30:00.123456789Z", NULL },
    { "20241121T101112", NULL },
    { "2024-11-21 2024-11-22", NULL },
    { "21.11.2024 - 22.11.2024", NULL },
    { "11/21/2024 1/2/24 3/4/25", NULL },
    { "1.234.567.890", NULL },
    { "3.14159265358979", NULL },
    { "Chrome 120.0.6099.129 on 192.168.100.200", NULL },
    { "AB123456789 id_123456789", NULL },
    { "+123456, 030 12345", NULL },
    { "1. 2. 3. 4. 5. 6. 7. 8. 9. 10", NULL },
    { "line 12345\n67890", NULL },
    { "", NULL },
    { "(((+++", NULL },
};


static size_t
mask(char *dst, const char *text, size_t len)
{
    size_t          n;
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    n = cx_mask(copy, len);

    memcpy(dst, copy, n < len ? n : len);
    free(copy);

    return n;
}


int
main(void)
{
    char         got[4096], name[600], many[2000];
    size_t       i, n, len;
    const char  *want;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        want = texts[i][1] ? texts[i][1] : texts[i][0];
        len = strlen(texts[i][0]);

        n = mask(got, texts[i][0], len);

        snprintf(name, sizeof(name), "text: %s", tap_show(texts[i][0], len));
        is_bytes(got, n, want, strlen(want), name);
    }

    /* never grows, whatever there is most of */

    for (i = 0; i + 7 <= sizeof(many); i += 7) {
        memcpy(many + i, "a@b.cd ", 7);
    }

    n = mask(got, many, i);
    ok(n == i && memchr(got, '@', n) == NULL, "many short addresses");

    memset(many, '7', sizeof(many));
    n = mask(got, many, sizeof(many));
    is_bytes(got, n, "[phone]", 7, "a number of 2000 digits");

    for (i = 0; i + 2 <= sizeof(many); i += 2) {
        memcpy(many + i, "7 ", 2);
    }

    n = mask(got, many, i);
    ok(n < i && memmem(got, n, "7 7 7 7 7 7 7 7 7", 17) == NULL,
       "a thousand single digits");

    return tap_done();
}
