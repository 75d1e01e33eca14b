/* pinch_zoom and dead_swipe: a part of its own, for where there is touch. */

import { IGNORED, NATIVE, PICTURE } from "./kinds.js";

const EDGE_PX = 30;             /* from the side: the browser's own swipe */
const DRAG_MS = 800;            /* a finger that moves longer drags */

let core;
let swipe = 0;                  /* of the finger that is down */
let pinched;                    /* are two fingers on what is no picture? */
let scale = 1;                  /* of the page, as it was zoomed last */

function onStart(event) {
  const { touches, isTrusted, timeStamp } = event;
  const mine = {
    ...core._press, _at: timeStamp,
    _path: core._elements(event.composedPath())
  };

  swipe && core._forget(swipe);
  swipe = isTrusted && !touches[1] && mine;
  pinched = isTrusted && touches[1] && ![...touches].some(touch =>
    core._inside(touch.target, [IGNORED, PICTURE])) && mine;

  /* not in the listener: most touches are taps, which are over by then */
  setTimeout(path => swipe == mine && core._expect(mine, path), 0,
             event.composedPath());
}

/* at its end a list that can be swiped does not move */
const scrolls = element => element.scrollWidth > element.clientWidth
  && /auto|scroll/.test(getComputedStyle(element).overflowX);

function judge(mine) {
  const { _path: path, _x: x } = mine;
  const dead = core._unanswered(mine);

  core._forget(mine);

  if (dead && path[0] && x > EDGE_PX && x < innerWidth - EDGE_PX
      && !path[0].isContentEditable && !core._within(path, NATIVE)
      && getSelection().isCollapsed && !path.some(scrolls))
  {
    core._count("dead_swipe", core._target(path[0]));
  }
}

function onEnd(event) {
  const mine = swipe;
  const [touch] = event.changedTouches || [{}];
  const x = Math.abs(touch.clientX - mine._x);
  const y = Math.abs(touch.clientY - mine._y);

  swipe = 0;

  if (x >= core._limit[CX_T_DEAD_SWIPE_PX] && x > 2 * y && scale == 1
      && event.type == "touchend" && event.timeStamp - mine._at < DRAG_MS)
  {
    core._later(judge, core._limit[CX_T_DEAD_SWIPE_MS], mine);

  } else if (mine) {
    core._forget(mine);
  }
}

export default shared => {
  core = shared;
  core._on("touchstart", onStart);
  core._on("touchend touchcancel", onEnd);

  /* of the fingers' zoom: the browser's own leaves the scale as it is */
  window.visualViewport && visualViewport.addEventListener("resize", () => {
    const before = scale;
    const least = core._limit[CX_T_PINCH_ZOOM_PCT] / 100;

    scale = visualViewport.scale;

    if (pinched && before < least && scale >= least
        && getComputedStyle(pinched._path[0]).backgroundImage == "none")
    {
      core._count("pinch_zoom", core._target(pinched._path[0]));
    }
  });
};
