/*
 * Looks whether a click or a swipe is answered: by anything that happens
 * after it.  In doubt we stay silent: a false signal costs more than a missed
 * one.
 */

import { core } from "./core.js";
import { on } from "./on.js";
import { endpoint } from "./page.js";
import { spy } from "./spy.js";

const PRESS_MS = 1000;          /* how long a press is watched */
const QUICK_MS = 200;           /* an answer that is the gesture's own */
const LATE_MS = 100;            /* a timer's delay: the machine stands still */
const CALM_MS = 350;            /* then it gets so much time again */
const NEAR = 5;                 /* elements up from a gesture: its company */

const ANSWERS = "scroll focusin input change toggle play pause seeking"
  + " volumechange invalid submit reset copy fullscreenchange"
  + " visibilitychange pagehide beforeprint blur";

/* answers without any event, by class */
const CALLS = {
  HTMLElement: ["click"],
  HTMLMediaElement: ["play"],
  Navigator: ["vibrate"],
  Clipboard: ["write", "writeText"],
  AudioScheduledSourceNode: ["start"],
  AudioBufferSourceNode: ["start"],
  WebSocket: ["send"],
  Worker: ["postMessage"]
};

core._press = {};               /* the last pointerdown */

export let worked = {};         /* the last gesture with a quick answer */

let waiting = [];               /* gestures without an answer so far */
let listening;
let timer;

/* looks for answers while a gesture waits, and only then */
function watch() {
  const add = waiting.length;

  if (!add) {
    mutations.disconnect();
  }

  if (!add != !listening) {
    on(ANSWERS, onAnswer, !add);
    add ? requests.observe({ type: "resource" }) : requests.disconnect();
    listening = add;
  }
}

export function answered() {
  const last = waiting[waiting.length - 1];

  if (last && performance.now() - last._seen < QUICK_MS) {
    worked = last;
  }

  waiting = [];
  core._press._answered = 1;
  watch();
}

const onAnswer = e =>
  (e.type != "blur" || e.target == window) && answered();

/* a request of the page's scripts that was finished after a time */
export const finished = (entries, time) => entries.some(entry =>
  /^(fetch|xmlhttprequest)$/.test(entry.initiatorType)
  && !entry.name.startsWith(endpoint) && entry.responseEnd > time);

const onRequests = entries => waiting.some(gesture =>
  finished(entries, gesture._time)) && answered();

const mutations = new MutationObserver(answered);
const requests = new PerformanceObserver(list =>
  onRequests(list.getEntries()));

/* in shadow trees, too, where the gesture passes them; documents are 9, 11 */
const observe = (path, attributes) => path.forEach(node =>
  (node.nodeType | 2) == 11 && mutations.observe(node, {
    subtree: true, childList: true, characterData: true, attributes
  }));

/* an animation that is more than the effect of a hover or a press */
const animated = time => document.getAnimations
  && document.getAnimations().some(a => !a.transitionProperty
    && (a.startTime || a.playState == "running" && time) >= time);

/* what scripts set in fields nearby and style sheets; nobody is told of it */
const values = ({ _near: near }) => near && [
  ...near.querySelectorAll("input,select,textarea"), ...document.styleSheets
].map(set => set.value + set.checked + set.disabled).join();

/* path: what the gesture's event passed */
export function expect(gesture, path) {
  waiting.push(gesture);
  observe(path, true);
  watch();
}

export function forget(gesture) {
  waiting = waiting.filter(other => other != gesture);
  watch();
}

export const awaited = f => waiting.some(f);

/* f(gesture) when the page had ms to answer it and a frame to show that in */
export function later(f, ms, gesture) {
  const due = performance.now() + ms;

  setTimeout(() => performance.now() - due > LATE_MS
    ? later(f, CALM_MS, gesture)
    : requestAnimationFrame(() => f(gesture)), ms);
}

/* a request of the page's scripts that has begun */
const onAsk = ([url]) => url?.startsWith?.(endpoint)
  || [core._press, ...waiting].forEach(gesture => { gesture._asked = 1; });

/* looks for the answers that have no event of their own, too */
export function unanswered(gesture) {
  if (waiting.includes(gesture)) {
    onRequests(requests.takeRecords());

    if (location.href != gesture._href || animated(gesture._time)
        || values(gesture) != gesture._values)
    {
      answered();
    }
  }

  return waiting.includes(gesture);
}

/* some pages act on the press already */
function onPress(event) {
  const path = event.composedPath();

  const press = core._press = {
    _x: event.clientX, _y: event.clientY, _time: performance.now(),
    _href: location.href,
    _near: path.slice(0, NEAR).reverse().find(node => node.localName)
  };
  press._values = values(press);

  if (!waiting.length) {
    observe(path);
    clearTimeout(timer);
    timer = setTimeout(watch, PRESS_MS);
  }
}

export function watchAnswers() {
  on("pointerdown", onPress);

  ["alert", "confirm", "prompt"].forEach(name => spy(window, name, answered));
  spy(window, "fetch", onAsk);
  spy(XMLHttpRequest.prototype, "send", onAsk);

  Object.keys(CALLS).forEach(name => CALLS[name].forEach(call =>
    window[name] && spy(window[name].prototype, call, answered)));
}
