/* rage_click and dead_click: the rules are rows of cx_signal.h. */

import {
  answered, awaited, expect, forget, later, unanswered, worked
} from "./answer.js";
import { core } from "./core.js";
import { NATIVE } from "./kinds.js";
import { limit } from "./limits.js";
import { on } from "./on.js";
import { runs } from "./runs.js";
import { count } from "./tally.js";
import { elements, target, within } from "./target.js";

const BLOCKED_MS = 250;         /* a thread that stood still: a dialog */
const DRAG_PX = 9;              /* from press to release: no click */
const STEP_MS = 2000;           /* a control that worked is at its end now */
const STEP_ANSWER_MS = 100;     /* how long it is watched for another step */

/* looks interactive by what it is */
const BUTTON = "a[href],area,button,summary,[onclick],"
  + "input[type=button],input[type=submit],input[type=reset],"
  + "[role=button],[role=link],[role=tab],[role=switch],[role=option],"
  + "[role^=menuitem],[role=checkbox],[role=radio]";

/* the last click of all, {_node, _time} */
export let clicked = {};

const raging = runs();

let place = 0;                  /* another one when the pointer went away */

const beside = (click, other) => Math.hypot(click._x - other._x,
  click._y - other._y) <= limit[CX_T_RAGE_RADIUS_PX];

/* a canvas that the control may draw on, or a frame that it may write to */
const canvas = path => path.slice(1, 5).some(element =>
  [...element.querySelectorAll(element.matches("main,body,html")
    ? ":scope>canvas,:scope>iframe" : "canvas,iframe")].some(drawn =>
    !drawn.src || drawn.contentDocument));

/* after the page's handlers: reads style and what they made of the event */
function look(click, event) {
  const { _node: node, _button: button } = click;
  const href = button && button.getAttribute("href");
  const style = getComputedStyle(node);

  click._seen = performance.now();
  click._looks = button || style.cursor == "pointer";
  click._chip = click._looks || style.borderRadius != "0px";

  /* a dialog was up, the link leads somewhere, or a drawing may change */
  if (click._seen - click._since > BLOCKED_MS
      || href && !event.defaultPrevented
         && (!/^(#|javascript:)/.test(href)
             || document.getElementById(href.slice(1)))
      || canvas(click._path))
  {
    answered();
  }

  unanswered(click);
}

function rage(click) {
  /* fast clicks select words: no answer on what looks like a button */
  if (unanswered(click) && (click._chip || getSelection().isCollapsed)
      && raging(click, limit[CX_T_RAGE_CLICKS], other =>
        click._at - other._at <= limit[CX_T_RAGE_WINDOW_MS]
        && click._place == other._place && beside(click, other)))
  {
    count("rage_click", click._name);
  }
}

function dead(click) {
  if (unanswered(click)) {
    forget(click);

    if (click._looks && !click._again && !click._asked) {
      count("dead_click", click._name);
    }
  }
}

function onClick(event) {
  const { clientX: x, clientY: y } = event;
  const path = elements(event.composedPath());
  const [node] = path;
  const button = within(path, BUTTON);
  const part = path.slice(0, button ? path.indexOf(button) + 1 : 3);

  /* a handler that clicks on something else has answered */
  if (!event.isTrusted) {
    answered();
    return;
  }

  clicked = { _node: button || node, _time: performance.now() };

  /* not by a pointer, a drag, on the bare page, or what we cannot judge */
  if (core._press._answered || event.button || !event.detail
      || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
      || Math.hypot(x - core._press._x, y - core._press._y) > DRAG_PX
      || !path[2] || node.isContentEditable
      || document.activeElement?.isContentEditable
      || path.some(element => element != button && element.matches(NATIVE))
      || part.some(element => /-/.test(element.localName)))
  {
    return;
  }

  const click = {
    ...core._press, _x: x, _y: y, _at: event.timeStamp,
    _since: performance.now(), _seen: Infinity, _place: place,
    _node: node, _button: button, _path: path, _name: target(button || node),
    _again: awaited(other => other._node == node)
  };

  const works = click._at - worked._at < STEP_MS && beside(click, worked);

  /* it went away from under the pointer: the clicks go astray */
  if (works && !path.includes(worked._node)) {
    worked._at = click._at;
    return;
  }

  expect(click, event.composedPath());
  setTimeout(look, 0, click, event);

  /* whether it still does is all that this click may tell */
  if (works) {
    setTimeout(forget, STEP_ANSWER_MS, click);
  } else {
    later(rage, limit[CX_T_RAGE_ANSWER_MS], click);
    later(dead, limit[CX_T_DEAD_CLICK_MS], click);
  }
}

function onMove({ clientX: _x, clientY: _y }) {
  place += !beside({ _x, _y }, core._press);
}

export function watchClicks() {
  on("click", onClick);
  on("pointermove", onMove);
}
