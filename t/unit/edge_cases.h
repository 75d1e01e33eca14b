/*
 * Visits in a few words, and the signals that come of them.
 *
 * A visit is steps divided by ";", a step is words:
 *
 *   +ms            time that passes before it
 *   /path?query    what is asked for
 *   500            status, else 200, or 302 for a redirect
 *   post  redirect  asset  script (a post by one)
 *   aborted  limited  pending
 *   old            the browser sends no Sec-Fetch-*
 *   auto           ... it does, and no person asked
 *   took=ms  first=ms  len=bytes  ref=/page
 *   form  help  search  q=words
 *   end            instead of a step: the visit is closed
 *
 * A signal is "name page[ -> target][ =value][ xcount]".
 */

#ifndef EDGE_CASES_H
#define EDGE_CASES_H

static const struct {
    const char  *name;
    const char  *steps;
    const char  *signals;

} edge_cases[] = {

    /* error_page, broken_link, rate_limited */

    { "500", "/a 500", "error_page /a =500" },
    { "400", "/a 400", "error_page /a =400" },
    { "404 from nowhere", "/a 404", "error_page /a =404" },
    { "404 from a page", "/a; /gone/12 404 ref=/a",
      "broken_link /a -> /gone/:id =404" },
    { "410 from a page", "/gone 410 ref=/a", "broken_link /a -> /gone =410" },
    { "404 within one page", "/o/1; /o/2 404 ref=/o/1",
      "broken_link /o/:id -> /o/:id =404" },
    { "500 from a page", "/b 500 ref=/a", "error_page /b =500" },
    { "a post that fails", "/f 500 post len=3", "error_page /f =500" },
    { "a page that polls and fails", "/a 500 auto", "error_page /a =500" },
    { "statuses of a dialog", "/a 401; /b 403; /c 422 post; /d 499 aborted",
      "" },
    { "what is well", "/a; /b 203; /c 304; /d 206; /e 100", "" },
    { "an error that was given up", "/a 502 aborted took=900", "" },
    { "429", "/a 429", "rate_limited /a =429" },
    { "429 and limit_req", "/a 429 limited", "rate_limited /a =429" },
    { "limit_req", "/a 503 limited ref=/b", "rate_limited /a =503" },
    { "503 of its own", "/a 503", "error_page /a =503" },

    /* broken_asset */

    { "an image", "/a; /x.png 404 asset ref=/a",
      "broken_asset /a -> /x.png =404" },
    { "an image, 500", "/x.png 500 asset ref=/a",
      "broken_asset /a -> /x.png =500" },
    { "an image of no page", "/a; /x.png 404 asset", "" },
    { "assets that need a password", "/x 401 asset ref=/a; /x 403 asset ref=/a"
      "; /x 429 asset ref=/a; /x 499 asset ref=/a; /x 503 asset ref=/a limited",
      "" },
    { "an asset that was given up or prefetched",
      "/x 404 asset ref=/a aborted; /y 404 asset ref=/a pending", "" },
    { "assets are no views",
      "/a; +900 /x 404 asset ref=/a; +900 /a; +900 /a",
      "broken_asset /a -> /x =404, reload /a =3" },

    /* slow_page, aborted_wait */

    { "800 ms", "/a took=800", "" },
    { "801 ms", "/a took=801", "slow_page /a =801" },
    { "3200 ms", "/a took=3200", "slow_page /a =3200" },
    { "3201 ms", "/a took=3201", "slow_page /a =3201 x2" },
    { "a slow end is none of the edge's", "/a first=10 took=9000", "" },
    { "a slow error", "/a 500 took=900", "error_page /a =500, slow_page /a =900"
      },
    { "a slow prefetch", "/a took=9000 pending", "" },
    { "999 ms waited", "/a aborted took=999", "" },
    { "1000 ms waited", "/a aborted took=1000", "aborted_wait /a =1000" },
    { "half a page", "/a aborted first=900 took=5000",
      "slow_page /a =900, aborted_wait /a =5000" },
    { "a prefetch given up", "/a aborted took=5000 pending", "" },

    /* reload */

    { "two views", "/a; +900 /a", "" },
    { "three views", "/a; +900 /a; +2000 /a", "reload /a =3" },
    { "three views, 304", "/a; +900 /a 304; +2000 /a 304", "reload /a =3" },
    { "three failures", "/a 500; +900 /a 500; +2000 /a 500",
      "error_page /a =500, error_page /a =500, error_page /a =500, "
      "reload /a =3" },
    { "three views in 60 s", "/a; +20000 /a; +40000 /a", "reload /a =3" },
    { "three views in 60.001 s", "/a; +20000 /a; +40001 /a", "" },
    { "four views", "/a; +900 /a; +2000 /a; +900 /a", "reload /a =3" },
    { "six views", "/a; +900 /a; +2000 /a; +900 /a; +900 /a; +900 /a",
      "reload /a =3, reload /a =3" },
    { "an old browser", "/a old; +5000 /a old; +9000 /a old", "reload /a =3" },
    { "slow first, then in time", "/a; +50000 /a; +9000 /a; +1000 /a; "
      "+10 /b", "reload /a =3" },
    { "another page between", "/a; +900 /a; +900 /b; +20000 /a", "" },
    { "another query between", "/a?n=1; +900 /a?n=1; +900 /a?n=2; +900 /a?n=1",
      "" },
    { "a prefetch between is nothing", "/a; +900 /a; +900 /b pending; +900 /a",
      "reload /a =3" },
    { "a frame between is nothing", "/a; /i auto; +900 /a; /i auto; +900 /a; "
      "/i auto", "reload /a =3" },
    { "a post between, to it", "/a; +900 /a; +900 /a post len=3; +900 /a; "
      "+900 /a", "" },
    { "a post between, elsewhere", "/a; +900 /a; +900 /f post redirect; /a", ""
      },
    { "a challenge for a password", "/a 401; +5000 /a 401; +6000 /a", "" },
    { "NTLM", "/a 401; /a 401; /a; +900 /b 401; /b 401; /b", "" },
    { "clicked three times", "/a; +200 /a; +200 /a", "" },
    { "a double click, and again", "/a; +200 /a; +900 /a", "" },
    { "a double click, and twice again", "/a; +200 /a; +900 /a; +900 /a",
      "reload /a =3" },
    { "pressed and pressed", "/a; +300 /a; +300 /a; +300 /a; +300 /a",
      "reload /a =3" },
    { "a double click, the first given up",
      "/a; +3000 /b aborted took=180; /b; +900 /b", "" },
    { "... when half was there",
      "/a; +3000 /b aborted took=180 first=90; /b; +900 /b", "" },

    { "asked again after a wait", "/a aborted took=1000; +3000 /a",
      "aborted_wait /a =1000, reload /a =1" },
    { "asked again too late", "/a aborted took=1000; +3001 /a",
      "aborted_wait /a =1000" },
    { "a wait, and another page", "/a aborted took=1000; /b",
      "aborted_wait /a =1000" },
    { "a wait, another page, and back", "/a aborted took=1000; /b; +900 /a",
      "aborted_wait /a =1000" },
    { "a wait, and another query", "/a?1 aborted took=1000; /a?2",
      "aborted_wait /a =1000" },
    { "a wait, and asked by itself", "/a aborted took=1000; /a auto",
      "aborted_wait /a =1000" },
    { "given up at once, and again", "/a aborted took=999; /a", "" },
    { "asked twice after a wait", "/a aborted took=1000; /a; +900 /a",
      "aborted_wait /a =1000, reload /a =1" },
    { "waits in a row", "/a aborted took=2000; /a aborted took=2000; /a",
      "aborted_wait /a =2000, aborted_wait /a =2000, reload /a =1, "
      "reload /a =1" },
    { "a post after a wait", "/f post len=3 aborted took=2000; /f post len=3",
      "aborted_wait /f =2000, reload /f =1" },

    /* pages that ask for themselves */

    { "meta refresh, told", "/q; +2000 /q auto; +2000 /q auto; +2000 /q auto",
      "" },
    { "... and a person now and then", "/q; +2000 /q auto; +2000 /q auto; "
      "+500 /q; +2000 /q auto; +2000 /q auto", "" },
    { "... and a person who is sick of it", "/q; +2000 /q auto; +1000 /q; "
      "+500 /q", "reload /q =3" },
    { "a script's reload, old", "/q old; +5000 /q old; +5040 /q old; "
      "+4980 /q old; +5100 /q old; +5000 /q old; +5000 /q old", "" },
    { "... with one that was late", "/q old; +5000 /q old; +5000 /q old; "
      "+9000 /q old; +5000 /q old; +5000 /q old", "" },
    { "... equal to a tenth", "/q old; +5000 /q old; +4500 /q old", "" },
    { "... and not quite", "/q old; +5000 /q old; +4499 /q old", "reload /q =3"
      },
    { "... told by an extension", "/q; +5000 /q; +5000 /q; +5000 /q", "" },
    { "... at the least interval", "/q old; +3000 /q old; +3000 /q old", "" },
    { "evenly and quickly", "/q old; +2999 /q old; +2999 /q old", "reload /q =3"
      },
    { "a page that polls in another tab, old", "/q old; +4000 /q old; "
      "+4000 /q old; +1000 /a old; +3000 /q old; +1000 /b old; +3000 /q old; "
      "+4000 /q old; +1000 /c old; +3000 /q old", "" },
    { "... told", "/q; +4000 /q auto; +1000 /a; +3000 /q auto; +1000 /a; "
      "+3000 /q auto; +1000 /b; +3000 /q auto", "" },
    { "a page that polls and is refused", "/q; +9000 /q 401 auto; "
      "+9000 /q 401 auto; +9000 /q 401 auto", "" },
    { "a page that polls and fails now and then", "/q; +9000 /q 502 auto; "
      "+9000 /q auto; +100 /a; +9000 /q 502 auto",
      "error_page /q =502, error_page /q =502" },

    /* quick_back */

    { "9999 ms", "/a; +900 /b; +9999 /a", "quick_back /b -> /a =9999" },
    { "10 s", "/a; +900 /b; +10000 /a", "" },
    { "from the end of B's answer", "/a; /b took=700; +9999 /a",
      "quick_back /b -> /a =9999" },
    { "304", "/a; +900 /b 304; +5000 /a 304", "quick_back /b -> /a =5000" },
    { "A was left long ago", "/a; +900000 /b; +5000 /a",
      "quick_back /b -> /a =5000" },
    { "B was looked at twice", "/a; /b; +900 /b; +900 /a",
      "quick_back /b -> /a =1800" },
    { "twice, and long enough", "/a; /b; +9000 /b; +1000 /a", "" },
    { "from one thing to the next", "/a; /b; +5000 /a; +900 /c; +5000 /a",
      "quick_back /b -> /a =5000, quick_back /c -> /a =5000" },
    { "forth is not back", "/a; /b; +20000 /a; +5000 /b",
      "navigation_loop /a -> /b" },
    { "ids of one page", "/o/1; +900 /o/2; +900 /o/1",
      "quick_back /o/:id -> /o/:id =900" },
    { "leafing back", "/l?p=1; +900 /l?p=2; +900 /l?p=1", "" },
    { "tabs of one page", "/l; +900 /l?tab=2; +900 /l; +900 /l?tab=2; +900 /l",
      "" },
    { "A, B, C and A", "/a; +900 /b; +900 /c; +900 /a", "" },
    { "B failed", "/a; +900 /b 500; +900 /a", "error_page /b =500" },
    { "B was missing", "/a; +900 /b 404 ref=/a; +900 /a",
      "broken_link /a -> /b =404" },
    { "B was given up", "/a; +900 /b aborted took=5000; +900 /a",
      "aborted_wait /b =5000" },
    { "a wrong click", "/a; +900 /b aborted took=300 first=100; +900 /a", "" },
    { "A fails again", "/a 500; +900 /b; +900 /a",
      "error_page /a =500" },
    { "A fails now", "/a; +900 /b; +900 /a 500", "error_page /a =500" },
    { "a refused B", "/a; +900 /b 401; +900 /a", "" },
    { "A by itself", "/a; +900 /b; +900 /a auto", "" },
    { "B by itself", "/a; /b auto; +900 /a", "" },
    { "a prefetched B", "/a; /b pending; +900 /a", "" },
    { "another tab that was faster", "/a; +900 /b took=5000; +0 /a",
      "slow_page /b =5000 x2, quick_back /b -> /a =0" },
    { "signing in", "/a; +900 /login; +5000 /login post redirect len=20; /a",
      "" },
    { "signing in, the answer is A", "/a; +900 /login; +5000 /a post len=20",
      "" },
    { "signing in by a script, and on", "/a; +900 /b; +900 /out redirect; /a",
      "" },
    { "a dialog's answer", "/a; +900 /b post len=3; +900 /a", "" },
    { "home, thing, home, thing, each looked at", "/; +20000 /t/1; +45000 /; "
      "+20000 /t/2; +45000 /; +20000 /t/1; +45000 /", "" },
    { "several tabs", "/a; +3000 /b ref=/a; +300 /c ref=/a; +300 /d ref=/a; "
      "+9000 /e ref=/b; +9000 /f ref=/a", "" },

    /* navigation_loop */

    { "A, B, A, B", "/a; +40000 /b; +40000 /a; +40000 /b",
      "navigation_loop /a -> /b" },
    { "in 120.001 s", "/a; +40000 /b; +40000 /a; +40001 /b", "" },
    { "in haste", "/a; +900 /b; +900 /a; +900 /b",
      "quick_back /b -> /a =900, navigation_loop /a -> /b" },
    { "A, B, A, B, A", "/a; +15000 /b; +15000 /a; +16000 /b; +17000 /a",
      "navigation_loop /a -> /b" },
    { "A, B, A, B, A, B", "/a; +15000 /b; +12000 /a; +16000 /b; +11000 /a; "
      "+15000 /b", "navigation_loop /a -> /b" },
    { "A, B, A, B, A, B, A, B", "/a; +15000 /b; +12000 /a; +16000 /b; "
      "+11000 /a; +15000 /b; +12000 /a; +16000 /b",
      "navigation_loop /a -> /b, navigation_loop /a -> /b" },
    { "with a reload in it", "/a; +11000 /b; +11000 /b; +11000 /a; +11000 /b",
      "navigation_loop /a -> /b" },
    { "another page in it", "/a; +11000 /b; +11000 /c; +11000 /a; +11000 /b",
      "" },
    { "ids of one page, to and fro", "/o/1; +11000 /o/2; +12000 /o/1; "
      "+13000 /o/2", "navigation_loop /o/:id -> /o/:id" },
    { "leafing to and fro", "/l?p=1; +900 /l?p=2; +900 /l?p=1; +900 /l?p=2", ""
      },
    { "adding to a basket", "/t; +900 /add post redirect; /basket; +11000 /t; "
      "+900 /add post redirect; /basket", "" },
    { "... by a page", "/t; +11000 /basket post len=3; +11000 /t; "
      "+11000 /basket post len=4", "" },
    { "the last by itself", "/a; +15000 /b; +15000 /a; +15000 /b auto", "" },
    { "B fails", "/a; +15000 /b 500; +15000 /a; +15000 /b 500",
      "error_page /b =500, error_page /b =500, repeat_failure /b =500" },

    /* form_resubmit */

    { "after 422", "/f post 422 len=3; +900 /f post len=5",
      "form_resubmit /f =422" },
    { "after 422, now a redirect", "/f post 422; +900 /f post redirect",
      "form_resubmit /f =422" },
    { "after 500", "/f post 500; +900 /f post",
      "error_page /f =500, form_resubmit /f =500" },
    { "after 403", "/f post 403; +900 /f post", "form_resubmit /f =403" },
    { "a challenge", "/f post 401 len=3; +900 /f post len=3", "" },
    { "after 120 s", "/f post 422; +120000 /f post", "form_resubmit /f =422" },
    { "after 120.001 s", "/f post 422; +120001 /f post", "" },
    { "after the answer", "/f post 422 took=700; +120000 /f post",
      "form_resubmit /f =422" },
    { "another form", "/f post 422; +900 /g post", "" },
    { "another query", "/f?a post 422; +900 /f?b post", "" },
    { "looked at between", "/f; +900 /f post 422; +900 /f; "
      "+9000 /f post redirect; /done", "form_resubmit /f =422" },
    { "three times", "/f post 422; +900 /f post 422; +900 /f post 422",
      "form_resubmit /f =422, form_resubmit /f =422" },
    { "a page, and the same", "/f post len=9; +900 /f post len=9",
      "form_resubmit /f =200" },
    { "a page, and another", "/f post len=9; +900 /f post len=10", "" },
    { "a button", "/like post; +900 /like post", "" },
    { "a redirect, and the same", "/f post redirect len=9; /t; "
      "+900 /f post redirect len=9; /t", "" },
    { "an auction", "/f post redirect len=9; /f; +900 /f post redirect len=9; "
      "/f; +900 /f post redirect len=9; /f", "" },
    { "a search", "/s post len=9 search; +900 /s post len=9 search", "" },
    { "a double click that both answer", "/f post len=9; +200 /f post len=9", ""
      },
    { "a double click, refused", "/f post 422; +200 /f post 422", "" },
    { "a double click, the first given up", "/f post aborted took=150; /f post "
      "redirect; /done", "" },
    { "a refusal, then a double click", "/f post 422; +900 /f post aborted "
      "took=150; /f post redirect", "form_resubmit /f =422" },
    { "a post by itself", "/f post 500 auto; +900 /f post 500 auto",
      "error_page /f =500, error_page /f =500" },
    { "a form of three steps", "/f; /f post len=10; +9000 /f post len=20; "
      "+9000 /f post len=30 redirect; /done", "" },

    /* form_abandon */

    { "a form, and the end", "/f form; +900 /a; end", "form_abandon /f" },
    { "the last of two", "/f form; /g form; end", "form_abandon /g" },
    { "sent", "/f form; /f post redirect; /done; end", "" },
    { "sent elsewhere", "/f form; /g post; end", "" },
    { "refused", "/f form; /f post 422 form; end", "" },
    { "sent by a script", "/f form; /api script ref=/f; end", "" },
    { "sent by a script that says no page", "/f form; /api script; end", "" },
    { "another page's script", "/f form; /api script ref=/a; end",
      "form_abandon /f" },
    { "a script that was refused", "/f form; /api 422 script ref=/f; end",
      "form_abandon /f" },
    { "a form that failed", "/f form 500; end", "error_page /f =500" },
    { "a form that was given up", "/f form aborted took=300; end", "" },
    { "a form that was prefetched", "/f form pending; end", "" },
    { "no form", "/a; end", "" },
    { "idle for 30 min", "/f form; +1800000 /a", "form_abandon /f" },
    { "not idle for so long", "/f form; +1799999 /a", "" },
    { "idle from the answer's end", "/f form took=700; +1799999 /a", "" },
    { "a new visit", "/a 500; /b; +1800000 /a 500; /help help",
      "error_page /a =500, error_page /a =500, help_seek /a -> /help =0" },

    /* search_refine */

    { "two searches", "/s q=a; /s?2 q=b", "" },
    { "three searches", "/s?1 q=a; +60000 /s?2 q=b; +60000 /s?3 q=c",
      "search_refine /s =3" },
    { "in 120.001 s", "/s?1 q=a; +60000 /s?2 q=b; +60001 /s?3 q=c", "" },
    { "a window that moves", "/s?1 q=a; +90000 /s?2 q=b; +40000 /s?3 q=c; "
      "+40000 /s?4 q=d", "search_refine /s =3" },
    { "six searches", "/s?1 q=a; /s?2 q=b; /s?3 q=c; /s?4 q=d; /s?5 q=e; "
      "/s?6 q=f", "search_refine /s =3, search_refine /s =3" },
    { "leafing through results", "/s?1 q=a; /s?2 q=a; /s?3 q=a; /s?4 q=a; "
      "/s?1 q=b; /s?2 q=b", "" },
    { "to and fro", "/s?1 q=a; /s?2 q=b; /s?1 q=a; /s?2 q=b", "" },
    { "nothing is no query", "/s?1 q=a; /s?2 search; /s?3 search; /s?4 q=b", ""
      },
    { "results between", "/s?1 q=a; +900 /r/1; +20000 /s?2 q=b; +900 /r/2; "
      "+20000 /s?3 q=c", "search_refine /s =3" },
    { "bought between", "/s?1 q=a; /r/1; /buy post redirect; /s?2 q=b; /r/2; "
      "/buy post redirect; /s?3 q=c", "" },
    { "three by post", "/s post q=a len=3; +900 /s post q=b len=3; "
      "+900 /s post q=c len=3", "search_refine /s =3" },
    { "searches that fail", "/s?1 q=a 500; /s?2 q=b 500; /s?3 q=c 500",
      "error_page /s =500, error_page /s =500, error_page /s =500" },
    { "as typed, by a script", "/s?1 q=a; /s?2 q=b auto; /s?3 q=c auto", "" },

    /* auth_loop */

    { "refused twice", "/a 401; /b 403", "" },
    { "refused three times", "/a 401; +30000 /b 403; +30000 /c 401",
      "auth_loop /c =401" },
    { "in 60.001 s", "/a 401; +30000 /b 403; +30001 /c 401", "" },
    { "the last three", "/a 401; +40000 /b 403; +30000 /c 401; +9000 /d 401",
      "auth_loop /d =401" },
    { "six times", "/a 401; /b 401; /c 401; /d 401; /e 401; /f 401",
      "auth_loop /c =401, auth_loop /f =401" },
    { "another page between refusals", "/a 401; /b 401; /c; /d 401", "" },
    { "assets are no pages", "/a; /x 401 asset ref=/a; /x 401 asset ref=/a; "
      "/x 401 asset ref=/a", "" },
    { "one challenge, and on", "/a 401; +5000 /a; /b; /c", "" },
    { "a wrong password", "/a 401; +5000 /a 401; +5000 /a; +900 /b", "" },
    { "frames that are refused", "/a; /i 403 auto; /j 403 auto; /k 403 auto",
      "" },

    /* redirect_chain */

    { "three redirects", "/1 redirect; /2 redirect; /3 redirect; /a", "" },
    { "four redirects", "/1 redirect; /2 redirect; /3 redirect; /4 redirect; "
      "/a", "redirect_chain /a =4" },
    { "four, 2 s each", "/1 redirect; +2000 /2 redirect; +2000 /3 redirect; "
      "+2000 /4 redirect; +2000 /a", "redirect_chain /a =4" },
    { "links that lead away", "/1 redirect; +2001 /2 redirect; "
      "+2001 /3 redirect; +2001 /4 redirect; +2001 /a", "" },
    { "tabs at a time", "/1 redirect took=300; +-200 /2 redirect took=300; "
      "+-200 /3 redirect took=300; +-200 /4 redirect took=300; /a", "" },
    { "prefetched", "/1 redirect pending; /2 redirect pending; "
      "/3 redirect pending; /4 redirect pending; /a", "" },
    { "once", "/1 redirect; /2 redirect; /3 redirect; /4 redirect; /a; /b",
      "redirect_chain /a =4" },
    { "to an error", "/1 redirect; /2 redirect; /3 redirect; /4 redirect; "
      "/a 500", "redirect_chain /a =4, error_page /a =500" },
    { "signing in elsewhere", "/own redirect; +900 /login; "
      "+9000 /login post redirect; +300 /cb redirect; +300 /cb2 redirect; /own",
      "" },
    { "no end", "/a redirect; /b redirect; /a redirect; /b redirect; "
      "/a redirect; /b redirect; /a redirect; /b redirect; /a redirect; "
      "/b redirect; /a redirect; /b redirect; /a redirect; /b redirect; "
      "/a redirect; /b redirect; /a redirect; /b redirect; /a redirect; "
      "/z redirect; /b", "redirect_chain /z =20" },
    { "nineteen", "/a redirect; /b redirect; /a redirect; /b redirect; "
      "/a redirect; /b redirect; /a redirect; /b redirect; /a redirect; "
      "/b redirect; /a redirect; /b redirect; /a redirect; /b redirect; "
      "/a redirect; /b redirect; /a redirect; /b redirect; /a redirect", "" },

    /* help_seek */

    { "after an error", "/a 500; +120000 /help help",
      "error_page /a =500, help_seek /a -> /help =120" },
    { "too late", "/a 500; +120001 /help help", "error_page /a =500" },
    { "after a link", "/a; /b 404 ref=/a; +1999 /help help",
      "broken_link /a -> /b =404, help_seek /a -> /help =1" },
    { "once for each", "/a 500; /help help; /help2 help; /a 500; /help2 help",
      "error_page /a =500, help_seek /a -> /help =0, error_page /a =500, "
      "repeat_failure /a =500, help_seek /a -> /help2 =0" },
    { "other pages between", "/a 500; /b; /c; +9000 /help help",
      "error_page /a =500, help_seek /a -> /help =9" },
    { "after a loop", "/a; +15000 /b; +15000 /a; +15000 /b; +900 /help help",
      "navigation_loop /a -> /b, help_seek /a -> /help =0" },
    { "after refusals", "/a 401; /b 401; /c 401; /help help",
      "auth_loop /c =401, help_seek /c -> /help =0" },
    { "after limits", "/a 429; /help help",
      "rate_limited /a =429, help_seek /a -> /help =0" },
    { "after redirects", "/1 redirect; /2 redirect; /3 redirect; /4 redirect; "
      "/a; /help help", "redirect_chain /a =4, help_seek /a -> /help =0" },
    { "after a form", "/f post 422; +900 /f post 422; /help help",
      "form_resubmit /f =422, help_seek /f -> /help =0" },
    { "after reloads", "/a; +900 /a; +900 /a; /help help",
      "reload /a =3, help_seek /a -> /help =0" },
    { "not after a wait", "/a aborted took=5000; /b took=900; "
      "/x 404 asset ref=/b; /help help",
      "aborted_wait /a =5000, slow_page /b =900, broken_asset /b -> /x =404" },
    { "not without trouble", "/a; /help help; +20000 /b; "
      "+20000 /help help", "" },
    { "help that fails", "/a 500; /help help 500",
      "error_page /a =500, error_page /help =500" },
    { "help by itself", "/a 500; /help help auto", "error_page /a =500" },
    { "its own trouble", "/help help 500; /help help", "error_page /help =500"
      },
    { "a prefetched help", "/a 500; /help help pending", "error_page /a =500" },

    /* repeat_failure */

    { "again", "/a?1 500; /b; /a?1 500", "error_page /a =500, "
      "error_page /a =500, repeat_failure /a =500" },
    { "after a post", "/f post 500; +900 /g post redirect; +900 /f post 500",
      "error_page /f =500, error_page /f =500, repeat_failure /f =500" },
    { "a missing page", "/a; /x 404 ref=/a; /a; /x 404 ref=/a",
      "broken_link /a -> /x =404, broken_link /a -> /x =404, "
      "repeat_failure /a -> /x =404" },
    { "a forbidden page", "/a 403; /b; /a 403", "repeat_failure /a =403" },
    { "nothing well between", "/a 500; /b 500; /a 500",
      "error_page /a =500, error_page /b =500, error_page /a =500" },
    { "only itself well between", "/a 500; /a; /a 500",
      "error_page /a =500, error_page /a =500" },
    { "a redirect is not well", "/a 500; /b redirect; /a 500",
      "error_page /a =500, error_page /a =500" },
    { "nothing between", "/a 500; /a 500", "error_page /a =500, "
      "error_page /a =500" },
    { "another status", "/a 500; /b; /a 503", "error_page /a =500, "
      "error_page /a =503" },
    { "another address", "/a?1 500; /b; /a?2 500", "error_page /a =500, "
      "error_page /a =500" },
    { "each time", "/a 500; /b; /a 500; /a 500; /c; /a 500",
      "error_page /a =500, error_page /a =500, repeat_failure /a =500, "
      "error_page /a =500, error_page /a =500, repeat_failure /a =500" },
    { "a form that is refused", "/f post 422; +900 /a; +900 /f post 422",
      "form_resubmit /f =422" },
    { "a challenge on a new connection", "/a 401; /a; +20000 /b; "
      "+20000 /a 401; /a; /c", "" },
    { "out of memory", "/a 500; /b 500; /c 500; /d 500; /e 500; /f; /a 500; "
      "/e 500", "error_page /a =500, error_page /b =500, error_page /c =500, "
      "error_page /d =500, error_page /e =500, error_page /a =500, "
      "error_page /e =500, repeat_failure /e =500" },

    /* what is prefetched is no history */

    { "prefetched loops", "/a pending; /b pending; +900 /a pending; "
      "+900 /b pending; /a pending; /a pending; /a pending 500; "
      "/h help pending", "" },
    { "prefetched, then asked for", "/a; /b pending; /c pending; /a pending; "
      "/b pending; +12000 /b", "" },
};

#endif /* EDGE_CASES_H */
