/*
 * Asks: what happens on a card, from its showing to the thanks.
 *
 * What was chosen is told at once: who leaves in the middle has answered.
 */

import { makeCard } from "./card.js";
import { listen } from "./hands.js";
import { newRecord } from "./record.js";
import { bucketOf, questionFor } from "./steps.js";

const THANKS_MS = 4000;         /* then the card closes by itself */
const LINK_MS = 12000;          /* where there is something to follow */
const FILLED_MS = 220;          /* the chosen cell is seen before it goes */
const SAY_MS = 200;             /* a status is heard when filled late */

let core;
let drop = () => {};            /* takes the card away; one at a time */

/* {title} and {touchpoint}; they only ever become text nodes */
const fill = survey => JSON.parse(JSON.stringify(survey), (key, value) =>
  key == "url" || !value?.replace ? value
    : value.replace(/\{(title|touchpoint)\}/g, (_, name) =>
      (name == "title" ? document.title : core._view.touchpoint) || ""));

/* a verbatim as the schema wants it: CX_TEXT_MAX bytes, no control bytes */
function clean(text) {
  const bytes = new TextEncoder().encode(
    text.replace(/[^\n\P{Cc}]/gu, " ").trim());

  return new TextDecoder().decode(bytes.subarray(0, CX_TEXT_MAX),
                                  { stream: true });
}

function chosen({ _inputs, _field }) {
  const value = _inputs.filter(i => i.checked).map(i => i.value).join();

  return value && { [_field]: _field == "score" ? +value : value };
}

const say = ({ _status }, text) => { _status.textContent = text; };

/* shows a part, and moves the focus to something in it if the card has it */
function turn(card, part, name, to) {
  const { _box: box, _root: root } = card;
  const from = box.offsetHeight;

  for (const element of box.children) {
    element.classList.toggle("off", element != part && element != card._cross);
  }

  box.setAttribute("aria-labelledby", name);

  /* it may grow, and never shrinks under a pointer */
  box.style.setProperty("--h", from + "px");

  if (box.offsetHeight > from
      && !matchMedia("(prefers-reduced-motion: reduce)").matches)
  {
    box.animate({ blockSize: [from + "px", box.offsetHeight + "px"] },
                { duration: 160, easing: "ease-out" });
  }

  root.activeElement ? to.focus()
    : say(card, root.getElementById(name).textContent);
}

/* from step to step; record: what is told, over(): the card goes */
function walk(card, { metric, link }, record, inline, over) {
  const { _steps: steps, _end: end, _box: box } = card;
  let timer;

  const next = score => steps.findIndex((step, i) => i > card._at
    && questionFor(step._asked, bucketOf(metric, score)));

  /* the card stays as long as somebody is at it */
  function wait() {
    timer = box.matches(":hover,:focus-within") ? setTimeout(wait, 1e3)
      : over();
  }

  function finish() {
    record._settle({ done: 1 });
    turn(card, end, "t", card._pointer || inline ? end.children[1]
      : card._cross);
    timer = inline || setTimeout(wait, link ? LINK_MS : THANKS_MS);
  }

  function open(i) {
    const { _asked, _heading, _element, _name, _area, _first } = steps[i];

    card._at = i;
    _heading.textContent = questionFor(_asked,
                                       bucketOf(metric, record._score()));
    turn(card, _element, _name,
         _area && card._pointer == "touch" ? _heading : _first);
  }

  function advance() {
    const i = next(record._score());

    if (i < 0) {
      finish();
    } else if (steps[i]._asked.offer) {
      card._yes.onclick = () => open(i);
      turn(card, card._offer, "m", card._yes);
    } else {
      open(i);
    }
  }

  return {
    _finish: finish, _advance: advance, _stop: () => clearTimeout(timer),

    /* a choice is made; without one a first step stays */
    _choose(area) {
      const step = steps[card._at];
      const text = area && clean(area.value);
      const found = text ? { text } : chosen(step);

      if (record._sent || found) {
        record._settle({
          ...found,
          done: next(found.score ?? record._score()) < 0 ? 1 : undefined
        });
        clearTimeout(timer);
        timer = setTimeout(advance, area ? 0 : FILLED_MS);
      } else {
        step._first.focus();
      }
    }
  };
}

/*
 * Makes a survey's card; returns a function that shows it, which returns one
 * that takes it away.  trigger: why now; and maybe
 *
 *   _click   it was somebody's click: the focus goes there
 *   _back    what gets the focus at last, if not what had it before
 *   _into    the element it becomes a part of
 *   _free    it is there without asking: how often is no question
 *   _gone()  is called when it is over
 *   _scheme  "light" or "dark", whatever the page is
 */
function make(wanted, trigger, more) {
  const { _click, _back, _into, _free, _gone, _scheme } = more;
  const survey = fill(wanted);
  const { ui, theme } = core._found;
  const words = survey.ui || ui;
  const card = makeCard(survey, words, theme, _scheme, _free, _into);
  const first = card._steps[0]._heading;
  const record = newRecord(core, survey, trigger, _free, () =>
    chosen(card._steps[card._at]));
  let unlisten;

  /* left: the page was, and an arrow key's choice was one, too */
  function remove(left) {
    const had = card._root.activeElement;

    left && record._settle();
    record._over = 1;

    if (!_into) {
      drop = () => {};
      core._taken = 0;
    }

    steps._stop();
    unlisten();
    card._host.remove();
    had && card._back && card._back.focus({ preventScroll: true });
    _gone && _gone();
  }

  function show() {
    unlisten = listen(card, record, steps, _into, how => {
      how == "never" && core._never();
      record._dismiss(how);
      remove();
    });

    if (!_into) {
      drop();
      drop = remove;
      core._taken = _free;
    }

    (_into || document.documentElement).append(card._host);

    if (_click) {
      first.focus();
    } else if (!_into) {
      setTimeout(say, SAY_MS, card, words.announce.replace("{question}", () =>
        first.textContent));
    }

    return remove;
  }

  const steps = walk(card, survey, record, _into, remove);

  card._back = card._keep = _back;
  return show;
}

export default shared => {
  core = shared;

  return {
    _prompt: (survey, trigger, click) =>
      make(survey, trigger, { _click: click }),
    _newView: () => drop(1),
    _ask: (...wanted) => make(...wanted)()
  };
};
