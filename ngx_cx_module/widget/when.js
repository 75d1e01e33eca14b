/*
 * The moment a survey appears: the first of its conditions, each of them once
 * in a page view.
 */

import { core } from "./shared.js";

let armed = [];                 /* {_when, _show, _age, _dwell}: they wait */
let timer;
let at;                         /* core._at, as the last tick saw it */
let still;                      /* ticks without any input */

/* by a modal dialog, or what fills the screen: no card would be seen */
export const covered = () => document.querySelector(":is(:modal)");

const whenSeen = f => document.hidden
  ? document.addEventListener("visibilitychange", () => whenSeen(f),
                              { once: true })
  : covered() ? setTimeout(whenSeen, 1e3, f) : f();

function fire(one, trigger) {
  armed = armed.filter(other => other != one);
  whenSeen(() => one._show(trigger));
}

/* something has happened, that those wait for whom it suits */
const moment = (trigger, suits) => armed.forEach(one =>
  suits(one._when, one) && fire(one, trigger));

/* each second, while the page is seen */
function tick() {
  const visible = !document.hidden;

  still = visible && core._at == at ? still + 1 : 0;
  at = core._at;
  armed.forEach(one => {
    one._dwell += visible;
    one._age += visible || one._age > 0;
  });
  moment("delay", ({ delay }, { _age }) => _age >= delay);
  moment("dwell", ({ dwell }, { _dwell }) => _dwell >= dwell);
  moment("idle", ({ idle }) => still >= idle);
  armed[0] || clearInterval(timer);
}

export function newMoments() {
  armed = [];
  still = 0;
  clearInterval(timer);
}

/* show(trigger) at the first of the conditions, or at once; signals: names of
   those that the server saw */
export function arm(when, signals, show) {
  const {
    delay, dwell, idle, scroll, exit, click, after, views, visits, ask
  } = when;
  const one = { _when: when, _show: show, _age: 0, _dwell: 0 };
  const before = after && [...core._seen, ...signals].find(name =>
    after.includes(name));

  if (ask) {
    return;
  }

  armed.push(one);

  if (before) {
    fire(one, before);

  } else if (delay || dwell || idle) {
    clearInterval(timer);
    timer = setInterval(tick, 1e3);

  } else if (!(scroll || exit || click || after)) {
    fire(one, views ? "views" : visits ? "visits" : "load");
  }
}

function onClick(event) {
  const [node] = event.composedPath();

  moment("click", ({ click }) => {
    try {
      return click && node.closest(click);
    } catch (e) {
      /* that is no selector */
    }
  });
}

export function watchMoments() {
  core._moment = (name, percent) => name == "scroll"
    ? moment(name, ({ scroll }) => percent >= scroll)
    : moment(name, ({ after }) => after && after.includes(name));

  document.documentElement.addEventListener("mouseleave", e =>
    e.clientY <= 0 && moment("exit", ({ exit }) => exit), { passive: true });
  core._on("click", onClick);
}
