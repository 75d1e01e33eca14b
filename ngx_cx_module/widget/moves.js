/*
 * thrash_cursor, scroll_thrash, excessive_scroll: a position that turns back
 * again and again.
 */

import { core } from "./core.js";
import { IGNORED, NATIVE, PICTURE } from "./kinds.js";
import { limit } from "./limits.js";
import { on } from "./on.js";
import { recent } from "./person.js";
import { turns } from "./runs.js";
import { count } from "./tally.js";
import { inside, target } from "./target.js";

const SCROLL_MS = 2000;         /* that a scroll may last after what made it */

const [across, down, turned] = [turns(), turns(), turns()];

let over;                       /* element that the mouse is over, */
let drawn;                      /* and whether it answers to moves, perhaps */
let shaken = -Infinity;         /* when it was told last */

/* arithmetic only: it runs at each move */
function onMove(event) {
  const { target: node, timeStamp: at } = event;

  core._at = at;

  if (node != over) {
    over = node;
    drawn = node.isContentEditable
      || inside(node, [IGNORED, NATIVE, PICTURE]);
  }

  const least = !drawn && !event.buttons && event.pointerType == "mouse"
    && limit[CX_T_THRASH_PX];
  const ms = limit[CX_T_THRASH_WINDOW_MS];
  const turn = (axis, position) =>
    axis(position, least, at, limit[CX_T_THRASH_TURNS], ms);

  /* a slanting shake turns on both axes */
  if (turn(across, event.clientX) | turn(down, event.clientY)) {
    at - shaken > ms && count("thrash_cursor", target(node));
    shaken = at;
  }
}

export const watchMoves = () => on("pointermove pointerdown", onMove);

let last;                       /* position before */
let space;                      /* how far the page could be scrolled then */
let way;                        /* px scrolled in this view */

export const newScroll = () => { way = 0; };

/* a sample: position, scrollable height and window's height, in px */
export function scrolledTo(y, rest, height) {
  /* the page has moved, not the person, when it has another height */
  const person = rest == space && recent(SCROLL_MS)
    && !document.body.closest(IGNORED);

  if (turned(y, person && height * limit[CX_T_SCROLL_TURN_PCT] / 100,
             performance.now(), limit[CX_T_SCROLL_TURNS],
             limit[CX_T_SCROLL_WINDOW_MS]))
  {
    count("scroll_thrash");
  }

  way += person && Math.abs(y - last);

  if (way >= Math.max(limit[CX_T_EXCESSIVE_SCROLL_X] * rest,
                      limit[CX_T_EXCESSIVE_SCROLL_WINDOWS] * height))
  {
    count("excessive_scroll");
    way = -Infinity;
  }

  last = y;
  space = rest;
}
