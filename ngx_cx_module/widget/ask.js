/* Asks: what happens on the card, from its showing to the thanks. */

import { makeCard } from "./card.js";
import { set } from "./dom.js";
import { answered, dismissed, never, shown } from "./often.js";
import { hex, view } from "./page.js";
import { queue, send } from "./send.js";

const THANKS_MS = 4000;         /* then the card closes by itself */
const FILLED_MS = 200;          /* the chosen cell is seen before it goes */
const SAY_MS = 200;             /* a status is heard when filled late */

/* first and last score; ends of the lower buckets, the buckets' names */
const SCALES = {
  nps: [[0, 10], [6, 8], ["detractor", "passive", "promoter"]],
  csat: [[1, 5], [2, 3], ["dissatisfied", "neutral", "satisfied"]],
  ces: [[1, 7], [3, 4], ["hard", "neutral", "easy"]],
  psat: [[0, 1], [0], ["down", "up"]]
};

/* one card at a time: this is its state */
let survey, card, answer;
let head;                       /* the view it was shown in */
let score;
let sent;                       /* the score that has been sent */
let pointer;                    /* kind of it, "" while keys are used */
let back;                       /* what had the focus before */
let timer;

/* a verbatim as the schema wants it: CX_TEXT_MAX bytes, no control bytes */
function clean(text) {
  const bytes = new TextEncoder().encode(
    text.replace(/[^\n\P{Cc}]/gu, " ").trim());

  return new TextDecoder().decode(bytes.subarray(0, CX_TEXT_MAX),
                                  { stream: true });
}

function record(text) {
  sent = answer.score = score;
  queue({ ...answer, text }, head, survey.token);
  send();
  answered(survey.id);
}

/* takes the card away, if there is one, and gives the focus back */
export function removeCard() {
  if (card) {
    const focused = card._root.activeElement;

    score = sent;
    clearTimeout(timer);
    card._host.remove();
    card = 0;
    focused && back && back.focus({ preventScroll: true });
  }
}

function dismiss(how) {
  if (sent == null) {
    queue({ type: "dismiss", survey: survey.id, how }, head);
    dismissed(survey.id);
  }

  removeCard();
}

const say = text => { card._status.textContent = text; };

/* shows a step, and moves the focus with it if the card has it */
function turn(step, name, focus) {
  const focused = card._root.activeElement;

  [card._rate, card._tell, card._end].forEach(element =>
    element.classList.toggle("off", element != step));
  set(card._box, { "aria-labelledby": name });
  focused && focus && focus.focus();
  return focused;
}

function finish() {
  const wait = () => {
    timer = card._box.matches(":hover,:focus-within")
      ? setTimeout(wait, 1e3) : removeCard();
  };

  turn(card._end, "t", pointer ? back : card._cross);
  say(survey.thanks);
  timer = setTimeout(wait, THANKS_MS);
}

function ask() {
  const [, ends, names] = SCALES[survey.metric];
  const { _box: box, _why: why, _area: area } = card;

  why.textContent = survey.follow_up[names[ends.filter(n => score > n).length]]
    || survey.follow_up.any || "";

  if (!why.textContent) {
    finish();

  } else if (!turn(card._tell, "f", pointer == "touch" ? box : area)) {
    say(why.textContent);
  }
}

function choose() {
  if (score != sent) {
    record();
  }

  clearTimeout(timer);
  timer = setTimeout(ask, FILLED_MS);
}

function onKey(e) {
  const { key, target } = e;

  pointer = "";

  if (key == "Escape" && !e.isComposing) {
    dismiss("escape");

  } else if (target.name && (key == "Enter" || key == " ")) {
    e.preventDefault();
    target.checked = true;
    score = +target.value;
    choose();
  }
}

function listen() {
  const box = card._box;

  /* a pointer sends what it hits; arrow keys only move (WCAG 3.2.2) */
  card._scale.onclick = ({ target }) => {
    if (target.name) {
      score = +target.value;
      pointer ? choose() : card._next.classList.remove("off");
    }
  };

  card._next.onclick = choose;
  card._skip.onclick = finish;
  card._send.onclick = () => {
    const text = clean(card._area.value);

    text && record(text);
    finish();
  };
  card._cross.onclick = () => dismiss("close");
  card._never.onclick = () => {
    never();
    dismiss("never");
  };

  box.onpointerdown = e => { pointer = e.pointerType || "mouse"; };

  /* the page's own keys are not for what is typed here */
  box.onkeydown = box.onkeyup = box.onkeypress = e => {
    e.type == "keydown" && onKey(e);
    e.stopPropagation();
  };

  box.addEventListener("focusin", e => {
    if (!box.contains(e.relatedTarget)) {
      back = e.relatedTarget;
    }
  });

  box.addEventListener("focusout", e => {
    if (score != sent && !box.contains(e.relatedTarget)) {
      record();
    }
  });
}

/* shows a survey */
export function prompt(wanted, trigger) {
  const { id, metric, question, chance } = wanted;
  const { lang } = document.documentElement;

  survey = {
    ...wanted, follow_up: wanted.follow_up || {},
    thanks: wanted.thanks || "Thank you for your feedback."
  };
  answer = {
    type: "answer", answer: hex(8), survey: id, source: "asked", trigger,
    chance, lang: /^[a-z0-9-]{1,16}$/i.test(lang) ? lang : undefined
  };
  head = view;
  score = sent = pointer = back = undefined;
  card = makeCard(survey, SCALES[metric][0]);
  listen();
  document.body.append(card._host);

  /* the focus comes here only when somebody clicked for it */
  if (window.event && event.isTrusted && event.type == "click") {
    card._box.focus();
  }

  timer = setTimeout(say, SAY_MS, "Question at the end of this page: "
    + question);
  shown(id);
  queue({ type: "shown", survey: id, trigger, chance }, head);
}
