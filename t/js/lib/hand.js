/*
 * In the place of the widget's part that draws a card, with the names of its
 * build: a visitor of simulate.test.mjs, who sees nothing but answers.  What
 * is told, and when, is the widget's own record.js; prompted() is the tab's.
 */

import { newRecord } from "../../../ngx_cx_module/widget/record.js";

export default core => ({
  _prompt(survey, trigger) {
    const record = newRecord(core, survey, trigger, 0, () => 0);

    return () => prompted({
      id: survey.id, trigger,
      start: record._start,
      settle: record._settle,
      close(how) {
        how == "never" && core._never();
        record._dismiss(how);
        record._over = 1;
      }
    });
  }
});
