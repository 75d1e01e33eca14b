/*
 * rage_click, dead_click, js_error: the rules are rows of cx_signal.h.
 *
 * A click waits for an answer, which is anything that happens after it.  In
 * doubt we stay silent: a false signal costs more than a missed one.
 */

import { endpoint } from "./page.js";
import { spy } from "./spy.js";
import { count } from "./tally.js";
import { target } from "./target.js";

const BLOCKED_MS = 250;         /* a thread that stood still: a dialog */
const DRAG_PX = 9;              /* from press to release: no click */
const PRESS_MS = 1000;          /* how long a press is watched */

/* looks interactive by what it is */
const BUTTON = "a[href],area,button,summary,[onclick],"
  + "input[type=button],input[type=submit],input[type=reset],"
  + "[role=button],[role=link],[role=tab],[role=switch],[role=option],"
  + "[role^=menuitem],[role=checkbox],[role=radio]";

/* answers in ways that cannot be seen from here */
const NATIVE = "input,select,option,textarea,label,video,audio,canvas,iframe,"
  + "frame,object,embed";

const ANSWERS = ["scroll", "focusin", "input", "change", "toggle", "play",
  "pause", "invalid", "submit", "reset", "copy", "fullscreenchange",
  "visibilitychange", "pagehide", "beforeprint", "blur"];

const OPTIONS = { capture: true, passive: true };

let waiting = [];               /* clicks without an answer so far */
let press = {};                 /* the last pointerdown */
let run = [];                   /* unanswered clicks close to each other */
let raged;                      /* this run has been counted */
let listening;
let timer;

/* looks for answers while a click waits, and only then */
function watch() {
  const add = waiting.length;

  if (!add) {
    mutations.disconnect();
  }

  if (!add != !listening) {
    ANSWERS.forEach(type =>
      (add ? addEventListener : removeEventListener)(type, onAnswer, OPTIONS));
    add ? requests.observe({ type: "resource" }) : requests.disconnect();
    listening = add;
  }
}

function answered() {
  waiting = [];
  press._answered = 1;
  watch();
}

const onAnswer = e =>
  (e.type != "blur" || e.target == window) && answered();

const onRequests = entries => entries.some(entry =>
  /^(fetch|xmlhttprequest)$/.test(entry.initiatorType)
  && !entry.name.startsWith(endpoint)
  && waiting.some(click => entry.responseEnd > click._time)) && answered();

const mutations = new MutationObserver(answered);
const requests = new PerformanceObserver(list =>
  onRequests(list.getEntries()));

/* in shadow trees, too, where the click passes them; documents are 9, 11 */
const observe = (path, attributes) => path.forEach(node =>
  (node.nodeType | 2) == 11 && mutations.observe(node, {
    subtree: true, childList: true, characterData: true, attributes
  }));

/* an animation that is more than the effect of a hover or a press */
const animated = time => document.getAnimations
  && document.getAnimations().some(a => !a.transitionProperty
    && (a.startTime || a.playState == "running" && time) >= time);

/* looks for the answers that have no event of their own */
function unanswered(click) {
  if (waiting.includes(click)) {
    onRequests(requests.takeRecords());

    if (location.href != click._href || animated(click._time)) {
      answered();
    }
  }

  return waiting.includes(click);
}

/* after the page's handlers: reads style and what they made of the event */
function look(click, event) {
  const { _node: node, _button: button } = click;
  const href = button && button.getAttribute("href");
  const style = getComputedStyle(node);

  click._looks = button || style.cursor == "pointer";
  click._chip = click._looks || style.borderRadius != "0px";

  /* a dialog was up, or the link leads somewhere */
  if (performance.now() - click._since > BLOCKED_MS
      || href && !event.defaultPrevented
         && (!/^(#|javascript:)/.test(href)
             || document.getElementById(href.slice(1))))
  {
    answered();
  }

  unanswered(click);
}

function rage(click) {
  /* fast clicks select words: no answer on what looks like a button */
  if (!unanswered(click) || !click._chip && !getSelection().isCollapsed) {
    return;
  }

  run = run.filter(other => click._at - other._at <= CX_RAGE_WINDOW_MS
    && Math.hypot(click._x - other._x, click._y - other._y)
       <= CX_RAGE_RADIUS_PX);
  raged = run.length && raged;

  if (run.push(click) >= CX_RAGE_CLICKS && !raged) {
    raged = 1;
    count("rage_click", click._name);
  }
}

function dead(click) {
  if (unanswered(click)) {
    waiting = waiting.filter(other => other != click);
    watch();

    if (click._looks && !click._again) {
      count("dead_click", click._name);
    }
  }
}

/* some pages act on the press already */
function onPress(event) {
  press = {
    _x: event.clientX, _y: event.clientY,
    _time: performance.now(), _href: location.href
  };

  if (!waiting.length) {
    observe(event.composedPath());
    clearTimeout(timer);
    timer = setTimeout(watch, PRESS_MS);
  }
}

function onClick(event) {
  const { clientX: x, clientY: y } = event;
  const elements = event.composedPath().filter(node => node.localName);
  const [node] = elements;
  const button = elements.find(element => element.matches(BUTTON));
  const part = elements.slice(0, button ? elements.indexOf(button) + 1 : 3);

  /* a handler that clicks on something else has answered */
  if (!event.isTrusted) {
    answered();
  }

  /* not by a pointer, a drag, on the bare page, or what we cannot judge */
  if (!event.isTrusted || press._answered || event.button || !event.detail
      || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
      || Math.hypot(x - press._x, y - press._y) > DRAG_PX
      || !elements[2] || node.isContentEditable
      || elements.some(element => element.hasAttribute("data-cx-ignore")
        || element != button && element.matches(NATIVE))
      || part.some(element => /-/.test(element.localName)))
  {
    return;
  }

  const click = {
    ...press, _x: x, _y: y, _at: event.timeStamp, _since: performance.now(),
    _node: node, _button: button, _name: target(button || node),
    _again: waiting.some(other => other._node == node)
  };

  waiting.push(click);
  observe(event.composedPath(), true);
  watch();
  setTimeout(look, 0, click, event);
  setTimeout(rage, CX_RAGE_ANSWER_MS, click);
  setTimeout(dead, CX_DEAD_CLICK_MS, click);
}

export function watchClicks() {
  const board = window.Clipboard && Clipboard.prototype;

  addEventListener("pointerdown", onPress, OPTIONS);
  addEventListener("click", onClick, OPTIONS);

  /* answers without any event */
  [
    [window, "alert"], [window, "confirm"], [window, "prompt"],
    [HTMLMediaElement.prototype, "play"],
    [board, "write"], [board, "writeText"]
  ].forEach(([object, name]) => spy(object, name, answered));
}

let errors;                     /* of this view */

export const newErrors = () => { errors = 0; };

/* what browsers and extensions raise, and requests that are given up, is
   no fault of the page */
const onError = (file, error) =>
  /extension:/.test(file) || /^ResizeObserver|^AbortError/.test(error)
  || errors++ < CX_JS_ERRORS_MAX && count("js_error");

export function watchErrors() {
  addEventListener("error", e => onError(e.filename, e.message));
  addEventListener("unhandledrejection", ({ reason }) =>
    onError("", reason && reason.name));
}
