// Makes elements. Text from the recording becomes text nodes only, never markup.

/** An element with attributes and children; `class` and `on…` work as attributes do, `false` and `null` omit one. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function button(label, symbol, action, attributes = {}) {
  return make("button", { type: "button", "aria-label": label, title: label, onclick: action, ...attributes }, symbol);
}

/** A choice with a visible label. `options` are pairs of value and text. */
function chooser(label, options, chosen, action) {
  const select = make("select", { onchange: () => action(select.value) },
    options.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
  return make("label", { class: "chooser" }, make("span", {}, label), select);
}

function mark(kind, text) {
  return make("span", { class: `mark ${kind}` }, text);
}

/** A panel with a heading. Its body is filled at each step. */
function panel(name, title) {
  const body = make("div", { class: "body" });
  const id = `title-${name}`;
  const heading = make("h2", { id }, title);
  const element = make("section", { class: "panel", id: `panel-${name}`, "aria-labelledby": id }, heading, body);
  return { element, body, heading };
}

/** The first elements of a list, and with them those that must be seen; how many are missing is the second value. */
function capped(items, most, mustShow = () => false) {
  if (items.length <= most) return [items, 0];
  const shown = [];
  items.forEach((item, index) => {
    if (index < most || (mustShow(item) && shown.length < 2 * most)) shown.push(item);
  });
  return [shown, items.length - shown.length];
}

function moreText(count) {
  return fill(words.more, { count: grouped(count) });
}
