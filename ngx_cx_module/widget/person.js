/* What a person did last. */

import { on } from "./on.js";

/* {_type, _key, _node, _at}, and for clicks which one of a double one */
export let act = {};

export const recent = ms => performance.now() - act._at < ms;

export const watchPerson = () =>
  on("pointerdown keydown click wheel touchend", e => {
    if (e.isTrusted) {
      act = {
        _type: e.type, _key: e.key, _node: e.composedPath()[0],
        _at: performance.now(), _nth: e.detail
      };
    }
  });
