/* What few pages need: surveys in the page, the tab, the panel, the preview. */

import { debug } from "./debug.js";
import { inline } from "./inline.js";
import { preview } from "./preview.js";
import { tab } from "./tab.js";

export default core => {
  let placed = [];              /* functions that take things away again */

  return {
    _place: survey => placed.push(
      (survey.place == "tab" ? tab : inline)(core, survey)),
    _debug: () => debug(core),
    _preview: () => preview(core),

    _newView() {
      placed.forEach(remove => remove());
      placed = [];
    }
  };
};
