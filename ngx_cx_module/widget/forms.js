/*
 * form_abandon, form_error, input_hesitation: which field it was, never what
 * was typed.  Searches, and forms that only ask, are no forms here.
 */

import { finished } from "./answer.js";
import { limit } from "./limits.js";
import { on } from "./on.js";
import { act, recent } from "./person.js";
import { spy } from "./spy.js";
import { count } from "./tally.js";
import { elements, inside, target, within } from "./target.js";

const TRY_MS = 500;             /* from a click or a key to what it causes */

const ASKS = "search,[role^=search],[type=search],[method=get i],"
  + "[method=dialog i],form[action]:not([method]),"
  + "[autocomplete=one-time-code]";

let touched = {};               /* {_field, _form, _time} changed last */
let focused = {};               /* {_field, _time}: empty, nothing typed yet */
let tried;                      /* time of the last try to send a form */
let fails = new Map();          /* field: tries in which it was not valid */

/* the field of an event and what it stands in; none where we are to ignore */
function fields(event) {
  const path = elements(event);

  return within(path, ASKS) ? [] : path;
}

/* where one field and a button are all, it may be a search by script */
function formOf([field]) {
  const form = field && field.form;

  return form && !form.matches(ASKS)
    && (form.matches("[method=post i]") || form[2]) && form;
}

const requests = new PerformanceObserver(list => saved(list.getEntries()));

/* a request after the last change: the page keeps what was typed */
function saved(entries) {
  if (finished(entries, touched._time)) {
    touched = {};
  }
}

function onInput(event) {
  const [field] = event.composedPath();
  const time = performance.now();
  const waited = Math.round(time - focused._time);

  if (!event.isTrusted) {
    return;
  }

  if (focused._field == field && waited >= limit[CX_T_INPUT_HESITATION_MS]) {
    count("input_hesitation", target(field), waited);
  }

  focused = {};

  if (touched._field == field) {
    touched._time = time;

  /* the browser fills in what nobody has come to */
  } else if (field.matches(":focus")) {
    const form = formOf(fields(event));

    if (form) {
      touched = { _field: field, _form: form, _time: time };
      requests.observe({ type: "resource" });
    }
  }
}

/* is it this person's own way into the field? */
function onFocus(event) {
  const [field] = fields(event);
  const label = act._node && inside(act._node, "label");

  focused = field && field.value === ""
    && /^(text|email|tel|url|password|number)$/.test(field.type)
    && recent(TRY_MS)
    && (act._key == "Tab" || act._node == field
        || label && label.control == field)
    ? { _field: field, _time: performance.now() } : {};
}

/* the first field of each try, which is the one that the browser shows */
function onInvalid(event) {
  const [field] = fields(event);
  const by = act._node;

  if (field && recent(TRY_MS) && !(act._at - tried < TRY_MS)
      && act._nth < 2 && (act._type == "click"
        ? by.closest("button,[type=submit],[type=image]")
        : act._key == "Enter" && by.localName == "input"))
  {
    const n = (fails.get(field) || 0) + 1;
    const told = n >= limit[CX_T_FORM_ERRORS];

    tried = act._at;
    told && count("form_error", target(field));
    fails.set(field, told ? 0 : n);
  }
}

/* sent, or read by a script that sends it; or a button of the page's own */
function onSent(event) {
  const path = event.composedPath();

  if (event.type != "click" || inside(path[0], "[type=button]")) {
    if (path.includes(touched._form)) {
      touched = {};
    }

    fails = new Map();
  }
}

export function newForms() {
  touched = focused = {};
  fails = new Map();
}

export function watchForms() {
  on("input", onInput);
  on("focusin", onFocus);
  on("blur visibilitychange", () => { focused = {}; });
  on("invalid", onInvalid);
  on("submit formdata reset click", onSent);

  /* a draft in this browser */
  spy(Storage.prototype, "setItem", ([, text]) => {
    if (touched._field && ("" + text).includes(touched._field.value)) {
      touched = {};
    }
  });

  /* before what is told at the end, see leave.js */
  on("pagehide", () => {
    saved(requests.takeRecords());

    const { _field: field, _form: form } = touched;

    /* there, and not as it was at first */
    if (form && form.isConnected && (field.checked != field.defaultChecked
        || field.type != "checkbox" && field.value != field.defaultValue))
    {
      count("form_abandon", target(field));
    }

    touched = {};
  });
}
