/*
 * The browser widget: composes page view, signals, leave, vitals, surveys.
 *
 * Built into one classic script, see build.sh.  CX_* names are made from
 * include/ at build time.  Properties that begin with _ are our own: the
 * build shortens them.
 */

import { watchAnswers } from "./answer.js";
import { watchClicks } from "./clicks.js";
import { newErrors, watchErrors } from "./errors.js";
import { newForms, watchForms } from "./forms.js";
import { idle } from "./idle.js";
import { leave, newLeave, watchLeave } from "./leave.js";
import { limit } from "./limits.js";
import { newScroll, watchMoves } from "./moves.js";
import { countView } from "./often.js";
import { here, onNavigation, openView, page, tag } from "./page.js";
import { watchPerson } from "./person.js";
import { queue, send, sendLast } from "./send.js";
import { api, findSurveys } from "./survey.js";
import { watchTouch } from "./touch.js";
import { watchVitals } from "./vitals.js";
import { watchMoments } from "./when.js";

let away;                       /* when the page was left */

function newView(where) {
  openView(where);
  newErrors();
  newForms();
  newScroll();
  newLeave();
  idle(() => {
    countView();
    findSurveys();
  });
}

/* from the next page of a list: same path, another query */
function paged() {
  const next = window.navigation
    && navigation.entries()[navigation.currentEntry.index + 1];

  return next && new URL(next.url).pathname == location.pathname;
}

/* the server sees no request when the back-forward cache has the page */
function onShow(event) {
  const value = Math.round(performance.now() - away);

  if (event.persisted) {
    newView();

    if (value < limit[CX_T_QUICK_BACK_MS] && !paged()) {
      queue({ type: "signal", name: "quick_back", value });
      send();
    }
  }
}

/* in slices, so that no task of ours is a long one */
function start() {
  newView(page == null ? here() : { page });
  watchErrors();
  watchPerson();
  watchAnswers();
  watchClicks();
  watchMoves();
  watchTouch();
  watchForms();
  watchMoments();
  watchLeave(() => {
    leave();
    sendLast();
  });
  idle(watchVitals);
  onNavigation(where => {
    leave();
    send();
    newView(where);
  });
  addEventListener("pagehide", () => { away = performance.now(); });
  addEventListener("pageshow", onShow);
}

/* by the visitor or the browser; where cookies are out of reach, too */
function refused() {
  try {
    return navigator.globalPrivacyControl || navigator.doNotTrack == "1"
      || /(^|; )cx_opt_out=1(;|$)/.test(document.cookie);
  } catch (e) {
    return 1;
  }
}

if (tag && !refused() && !window.cx?.why) {
  window.cx = api;

  if (document.prerendering) {
    document.addEventListener("prerenderingchange", start, { once: true });
  } else {
    start();
  }
}
