/*
 * Steps of a survey: a score, a choice, a text.  What each is made of, and
 * whom it is for.
 */

import { h, icon } from "./dom.js";

const THUMB = "M3 11h4v9H3zM7 11l4-8c2 0 3 1 3 3v4h5c1 0 2 1 2 2l-1 6"
  + "a2 2 0 0 1-2 2H7";

const STAR = "M12 3l2.8 5.6 6.2.9-4.5 4.4 1.1 6.1-5.6-2.9-5.6 2.9 1.1-6.1"
  + "L3 9.5l6.2-.9z";

const LONG = 14;                /* characters: such options get a line each */

/* first and last score; ends of the lower buckets, the buckets' names */
const SATISFIED = ["dissatisfied", "neutral", "satisfied"];
const SCALES = {
  nps: [0, 10, 6, 8, "detractor", "passive", "promoter"],
  csat: [1, 5, 2, 3, ...SATISFIED],
  csat7: [1, 7, 3, 5, ...SATISFIED],
  ces: [1, 7, 3, 4, "hard", "neutral", "easy"],
  psat: [0, 1, 0, 0, "down", "", "up"],
  psat5: [1, 5, 2, 3, ...SATISFIED]
};

export function bucketOf(metric, score) {
  const [, , low, middle, ...names] = SCALES[metric] || [];

  return names[(score > low) + (score > middle)];
}

/* from a corner of the mouth to the other, by n of 5 */
const face = n => "M12 3a9 9 0 1 0 .01 0M9 9.5v.01M15 9.5v.01M8 "
  + (16.5 - n / 2) + "q4 " + (n * 2 - 6) + " 8 0";

/* what is in a cell, and its name where that is no text */
function cell(n, last, { look, low = "", high = "" }, ui) {
  if (last == 1) {
    return n ? [[icon(THUMB), high || ui.up]]
      : [[icon(THUMB, "down"), low || ui.down]];
  }

  const end = n == 1 ? low : n == last ? high : "";

  return look == "stars" || look == "faces"
    ? [[icon(look == "stars" ? STAR : face(n))],
       ui.of.replace("{n}", n).replace("{last}", last) + (end && ", " + end)]
    : [[n]];
}

/*
 * Native radios: one tab stop, arrows move; and checkboxes.  Those of another
 * step have another name, else they would be one group.
 */
function options(step, cells, type, attributes) {
  const cell = h("label", 0, h("input", { type, name: step._name }), h("span"));

  step._group = h("div", attributes, ...cells.map(([inside, name], i) => {
    const label = cell.cloneNode(true);
    const { firstChild: input, lastChild: span } = label;

    input.value = i + step._from;
    name && input.setAttribute("aria-label", name);
    step._inputs.push(input);
    span.append(...inside);
    return label;
  }));
}

function score(step, asked, ui) {
  const [first, last] = SCALES[asked.metric];
  const { look, low = "", high = "" } = asked;
  const cells = [];

  for (let n = first; n <= last; n++) {
    cells.push(cell(n, last, asked, ui));
  }

  step._from = first;
  options(step, cells, "radio", {
    class: "scale n" + (last - first) + " " + look, role: "radiogroup",
    "aria-labelledby": step._name, "aria-describedby": "low high"
  });

  return [step._group, last == 1 ? "" : h("p", { class: "ends" },
    h("span", { id: "low" }, low), h("span", { id: "high" }, high))];
}

function choice(step, asked, many) {
  const wide = asked.options.some(text => text.length > LONG);

  step._from = 0;
  options(step, asked.options.map(text => [[text]]),
    many ? "checkbox" : "radio", {
      class: "list" + (wide ? " wide" : ""),
      role: many ? "group" : "radiogroup", "aria-labelledby": step._name
    });

  return [step._group];
}

function text(step, ui) {
  const hint = step._name + "h";

  step._area = h("textarea", {
    maxlength: CX_TEXT_MAX, rows: 2,
    "aria-labelledby": step._name, "aria-describedby": hint
  });

  return [step._area, h("p", { id: hint, class: "hint" },
    ui.privacy)];
}

/*
 * A step by what the server says of it; i is its position, the first is the
 * survey itself.  left: the text of the button at its start, "" for none.
 */
export function makeStep(asked, i, last, ui, left) {
  const kind = asked.kind || asked.metric;
  const step = { _asked: asked, _name: "q" + i, _inputs: [] };
  const inside = SCALES[kind] ? score(step, asked, ui)
    : kind == "text" ? text(step, ui)
      : choice(step, asked, kind == "choices");

  step._field = SCALES[kind] ? "score" : kind == "text" ? "" : "choice";
  step._heading = h("p", { id: step._name, class: "q", tabindex: -1 },
    asked.question || Object.values(asked.by).sort((a, b) =>
      b.length - a.length)[0]);
  step._left = h("button", { class: "quiet" }, left);
  step._go = h("button", {
    class: kind == "text" || kind == "choices" ? "go" : "go off"
  }, kind == "text" || last ? ui.send : ui.next);
  step._first = step._inputs[0] || step._area;
  step._element = h("div", { class: i ? "off" : "" }, step._heading,
    ...inside, h("div", { class: "row" }, left ? step._left : "", step._go));

  return step;
}

/* the question of a step for a bucket; none: it is not for it */
export const questionFor = ({ if: buckets, by, question }, bucket) =>
  (!buckets || buckets.includes(bucket))
    && (by ? by[bucket] || by.any : question);
