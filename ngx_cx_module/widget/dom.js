/* Elements, made one by one: markup in strings is what Trusted Types forbid. */

export function set(element, attributes) {
  for (const name in attributes) {
    element.setAttribute(name, attributes[name]);
  }

  return element;
}

export function h(name, attributes, ...children) {
  const element = set(document.createElement(name), attributes);

  element.append(...children);
  return element;
}

export function icon(d, name) {
  const [svg, path] = ["svg", "path"].map(tag =>
    document.createElementNS("http://www.w3.org/2000/svg", tag));

  svg.append(set(path, { d }));
  return set(svg, {
    viewBox: "0 0 24 24", class: name || "", "aria-hidden": true
  });
}
