/* A survey as a part of the page, in its <div data-cx-survey="id">. */

export function inline(core, survey) {
  const place = document.querySelector(
    "[data-cx-survey=" + CSS.escape(survey.id) + "]");
  let remove;

  /* shown is what somebody can see */
  const seen = new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting) {
      seen.disconnect();
      core._shown(survey, "inline");
    }
  });

  if (place) {
    const gone = core._view;

    core._part("ask").then(ask => {
      if (ask && gone == core._view) {
        remove = survey.dry
          || ask._ask(survey, "inline", { _into: place, _free: 1 });
        seen.observe(place);
      }
    });
  }

  return () => {
    seen.disconnect();
    remove && remove.call && remove(1);
  };
}
