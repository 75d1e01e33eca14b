/*
 * form_abandon, form_error, input_hesitation: which field it was, never what
 * was typed.  Searches, and forms that only ask, are no forms here.
 *
 * A part of its own: see wake.js for the events that it is handed.
 */

const TRY_MS = 500;             /* from a click or a key to what it causes */

const ASKS = "search,[role^=search],[type=search],[method=get i],"
  + "[method=dialog i],form[action]:not([method]),"
  + "[autocomplete=one-time-code]";

let core;
let touched = {};               /* {_field, _form, _time} changed last */
let focused = {};               /* {_field, _time}: empty, nothing typed yet */
let tried;                      /* time of the last try to send a form */
let fails = new Map();          /* field: tries in which it was not valid */
let requests;
let loaded;                     /* when this part came */

/* the field of an event and what it stands in; none where we are to ignore */
function fields({ _path: path }) {
  const all = core._elements(path);

  return core._within(all, ASKS) ? [] : all;
}

/* where one field and a button are all, it may be a search by script */
function formOf([field]) {
  const form = field && field.form;

  return form && !form.matches(ASKS)
    && (form.matches("[method=post i]") || form[2]) && form;
}

/* a request after the last change: the page keeps what was typed */
function saved(entries) {
  if (core._finished(entries, touched._time)) {
    touched = {};
  }
}

/* a draft in this browser */
function stored(text) {
  if (touched._field && ("" + text).includes(touched._field.value)) {
    touched = {};
  }
}

/* what was stored before we looked */
function storedBefore() {
  try {
    [localStorage, sessionStorage].forEach(storage =>
      Object.values(storage).forEach(stored));
  } catch (e) {
    /* storage is blocked */
  }
}

function onInput(event) {
  const { _path: [field], _time: time } = event;
  const waited = Math.round(time - focused._time);

  if (!event._trusted) {
    return;
  }

  if (focused._field == field
      && waited >= core._limit[CX_T_INPUT_HESITATION_MS])
  {
    core._count("input_hesitation", core._target(field), waited);
  }

  focused = {};

  if (touched._field == field) {
    touched._time = time;

  /* the browser fills in what nobody has come to */
  } else if (field.matches(":focus")) {
    const form = formOf(fields(event));

    if (form) {
      touched = { _field: field, _form: form, _time: time };
      requests.observe({ type: "resource", buffered: true });
    }
  }

  if (time < loaded) {
    storedBefore();
  }
}

/* is it this person's own way into the field? */
function onFocus(event) {
  const [field] = fields(event);
  const { _node: node, _key: key, _at: at } = event._act;
  const label = node && core._inside(node, "label");

  focused = field && field.value === ""
    && /^(text|email|tel|url|password|number)$/.test(field.type)
    && event._time - at < TRY_MS
    && (key == "Tab" || node == field || label && label.control == field)
    ? { _field: field, _time: event._time } : {};
}

/* the first field of each try, which is the one that the browser shows */
function onInvalid(event) {
  const [field] = fields(event);
  const { _node: by, _key: key, _at: at, _type: type, _nth: nth } = event._act;

  if (field && event._time - at < TRY_MS && !(at - tried < TRY_MS)
      && nth < 2 && (type == "click"
        ? by.closest("button,[type=submit],[type=image]")
        : key == "Enter" && by.localName == "input"))
  {
    const n = (fails.get(field) || 0) + 1;
    const told = n >= core._limit[CX_T_FORM_ERRORS];

    tried = at;
    told && core._count("form_error", core._target(field));
    fails.set(field, told ? 0 : n);
  }
}

/* sent, or read by a script that sends it; or a button of the page's own */
function onSent({ _type: type, _path: path }) {
  if (type != "click" || core._inside(path[0], "[type=button]")) {
    if (path.includes(touched._form)) {
      touched = {};
    }

    fails = new Map();
  }
}

function onLeave() {
  saved(requests.takeRecords());

  const { _field: field, _form: form } = touched;

  /* there, and not as it was at first */
  if (form && form.isConnected && (field.checked != field.defaultChecked
      || field.type != "checkbox" && field.value != field.defaultValue))
  {
    core._count("form_abandon", core._target(field));
  }

  touched = {};
}

function newView() {
  touched = focused = {};
  fails = new Map();
}

const elsewhere = () => { focused = {}; };

const takes = {
  input: onInput, focusin: onFocus, invalid: onInvalid,
  blur: elsewhere, visibilitychange: elsewhere
};

export default shared => {
  core = shared;
  loaded = performance.now();
  requests = new PerformanceObserver(list => saved(list.getEntries()));
  core._spy(Storage.prototype, "setItem", ([, text]) => stored(text));

  /* before what is told at the end, see leave.js */
  core._on("pagehide", onLeave);

  return {
    _newView: newView,
    _take: event => (takes[event._type] || onSent)(event)
  };
};
