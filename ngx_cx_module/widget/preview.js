/*
 * The page at <prefix>preview: a survey as visitors see it; nothing is told to
 * anybody.  The tag has the address of the survey, which is an answer like that
 * of GET surveys, as data-preview; and data-theme, dark or not there.
 */

export async function preview(core) {
  const { preview: url, theme = "light" }
    = document.querySelector("script[data-preview]").dataset;
  const [ask, found] = await Promise.all([core._part("ask"),
    fetch(url).then(answer => answer.json())]);
  const [survey] = found.surveys;
  const inline = survey.place == "inline";
  const nothing = () => {};

  Object.assign(core, {
    _queue: nothing, _send: nothing, _answered: nothing, _dismissed: nothing,
    _never: nothing, _view: {}, _found: found, _tokens: {}
  });
  ask._ask(survey, "api", {
    _scheme: theme, _free: survey.place && survey.place != "card",
    _into: inline && document.querySelector("[data-cx-survey]")
  });
}
