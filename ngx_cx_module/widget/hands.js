/* What hands do on a card: pointers and keys, and where the focus was. */

const HIDES = ["visibilitychange", "pagehide"];

/*
 * steps: see walk() in ask.js; dismiss(how): it is closed.  A card that is a
 * part of the page, inline, cannot be.  Returns a function for its end.
 */
export function listen(card, record, steps, inline, dismiss) {
  const { _box: box } = card;

  /* the page is going: an arrow key's choice was one, too */
  const hide = () => record._settle();

  function onKey(e) {
    const { key, target } = e;

    card._pointer = "";

    if (key == "Escape" && !e.isComposing && !inline) {
      dismiss("escape");

    } else if (target.type == "radio" && (key == "Enter" || key == " ")) {
      e.preventDefault();
      target.checked = true;
      steps._choose();
    }
  }

  /* a pointer tells what it hits; arrow keys only move (WCAG 3.2.2) */
  box.onclick = ({ target }) => {
    if (target.type == "checkbox") {
      record._settle({}, 1);
    } else if (target.type == "radio") {
      card._pointer ? steps._choose()
        : card._steps[card._at]._go.classList.remove("off");
    }
  };

  card._steps.forEach(({ _go, _left, _area }, i) => {
    _go.onclick = () => steps._choose(_area);
    _left.onclick = () => i ? steps._advance() : dismiss("never");
  });

  card._no.onclick = steps._finish;
  card._cross.onclick = () => dismiss("close");
  box.oninput = record._start;
  box.onpointerdown = e => { card._pointer = e.pointerType || "mouse"; };

  /* the page's own keys are not for what is typed here */
  box.onkeydown = box.onkeyup = box.onkeypress = e => {
    e.type == "keydown" && onKey(e);
    e.stopPropagation();
  };

  box.addEventListener("focusin", e => {
    if (!card._keep && !box.contains(e.relatedTarget)) {
      card._back = e.relatedTarget;
    }
  });

  box.addEventListener("focusout", e =>
    box.contains(e.relatedTarget) || hide());

  HIDES.forEach(type => addEventListener(type, hide, true));

  return () =>
    HIDES.forEach(type => removeEventListener(type, hide, true));
}
