/*
 * The browser widget: composes page view, signals, leave, surveys; see core.js
 * for the parts that come later.
 *
 * Built into one classic script, see build.sh.  CX_* names are made from
 * include/ at build time.  Properties that begin with _ are our own: the
 * build shortens them.
 */

import {
  expect, finished, forget, later, unanswered, watchAnswers
} from "./answer.js";
import { watchClicks } from "./clicks.js";
import { core } from "./core.js";
import { newErrors, watchErrors } from "./errors.js";
import { idle } from "./idle.js";
import { leave, newLeave, note, watchLeave } from "./leave.js";
import { limit } from "./limits.js";
import { newScroll, watchMoves } from "./moves.js";
import { on } from "./on.js";
import {
  endpoint, here, navigation, onNavigation, openView, page, preview, surveys,
  tag
} from "./page.js";
import { newParts, part } from "./part.js";
import { watchPerson } from "./person.js";
import { addToken, queue, send, sendLast } from "./send.js";
import { spy } from "./spy.js";
import { change, countView, now, read } from "./store.js";
import { count, signal } from "./tally.js";
import { elements, inside, target, within } from "./target.js";
import { watchForms } from "./wake.js";

let away;                       /* when the page was left */

/* until surveys.js is there */
const api = {
  ask: () => false,
  why: () => [core._state],
  version: CX_VERSION
};

Object.assign(core, {
  _endpoint: endpoint, _surveys: surveys, _limit: limit, _api: api,
  _moment() {},

  _part: part, _queue: queue, _send: send, _addToken: addToken, _read: read,
  _change: change, _now: now, _countView: countView,

  _on: on, _idle: idle, _count: count, _note: note, _spy: spy,
  _finished: finished, _expect: expect, _forget: forget, _later: later,
  _unanswered: unanswered, _target: target, _elements: elements,
  _inside: inside, _within: within
});

function newView(where) {
  openView(where);
  newErrors();
  newScroll();
  newLeave();
  core._seen = new Set();
  core._state = surveys ? "not loaded yet" : "no survey is meant for this page";
  idle(countView);
  newParts();
}

/* from the next page of a list: same path, another query */
function paged() {
  const next = navigation
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
      signal("quick_back");
      send();
    }
  }
}

function onHide() {
  leave();
  sendLast();
}

/* for surveys, and for answers that an earlier page could not send */
function loadSurveys(wanted) {
  const debug = /[?&]cx_debug=1/.test(location.search);

  if (wanted || debug || surveys != null && read().q) {
    part("survey").then(() => debug && part("more"))
      .then(more => more && more._debug());
  }
}

/* what not every page needs, and what makes the browser look at its disk */
function loadParts() {
  part("vitals");
  navigator.maxTouchPoints && part("touch");
  surveys || loadSurveys();
}

/* each in a task of its own, so that none of them is a long one */
const steps = [
  () => newView(page == null ? here() : { page }),
  () => surveys && loadSurveys(1),
  () => {
    watchLeave(onHide);
    watchErrors();
    watchPerson();
  },
  watchAnswers,
  () => {
    watchClicks();
    watchMoves();
    watchForms();
    idle(loadParts);
  },
  () => {
    onNavigation(where => {
      leave();
      send();
      newView(where);
    });
    addEventListener("pagehide", () => { away = performance.now(); });
    addEventListener("pageshow", onShow);
  }
];

const start = () => steps.forEach(step => setTimeout(step));

/*
 * By the visitor or the browser; where cookies are out of reach, too.  To read
 * document.cookie is to wait for another process, with the page standing
 * still.
 */
async function refused() {
  try {
    return navigator.globalPrivacyControl || navigator.doNotTrack == "1"
      || (window.cookieStore
        ? (await cookieStore.get("cx_opt_out"))?.value == 1
        : /(^|; )cx_opt_out=1(;|$)/.test(document.cookie));
  } catch (e) {
    return 1;
  }
}

async function begin() {
  if (await refused()) {
    read().q && change(state => { state.q = undefined; });

  } else if (!window.cx?.why) {
    /* a page that has such a variable keeps it */
    window.hasOwnProperty("cx") || (window.cx = api);

    if (document.prerendering) {
      document.addEventListener("prerenderingchange", start, { once: true });
    } else {
      start();
    }
  }
}

if (preview != null) {
  part("more").then(more => more && more._preview());
} else if (tag) {
  setTimeout(begin);
}
