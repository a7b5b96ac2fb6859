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

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z", previous: "M11 3v10L4 8z", next: "M5 3v10l7-5z", last: "M3 3v10l7-5zM11 3h2v10h-2z",
  play: "M4 2v12l10-6z", pause: "M4 3h3v10H4zM9 3h3v10H9z",
};

/** A drawn symbol: fonts often lack those of players. */
function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" })) {
    picture.setAttribute(key, value);
  }
  path.setAttribute("d", ICONS[name]);
  picture.append(path);
  return picture;
}

function mark(kind, text) {
  return make("span", { class: `mark ${kind}` }, text);
}

/** A panel with a heading. Its body is filled at each step. */
function panel(name, title) {
  const body = make("div", { class: "body" });
  const id = `title-${name}`;
  const heading = make("h2", { id }, title);
  const head = make("div", { class: "head" }, heading);
  const element = make("section", { class: "panel", id: `panel-${name}`, "aria-labelledby": id }, head, body);
  return { element, body, head, heading };
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

const MORE_LIMIT = 500;

/** Remembers which lists of a panel the reader wants to see more of. */
class More {
  /** `redraw` shows the panel again. */
  constructor(panel, redraw) {
    this.panel = panel;
    this.redraw = redraw;
    this.open = new Set();
  }

  /** How many rows of a list to show if there are usually so many. */
  limit(key, usual) {
    return usual + (this.open.has(key) ? MORE_LIMIT : 0);
  }

  /** The row that says how many are missing, with a button that shows them, or hides them again. */
  row(key, missing, total, usual, text = words.more) {
    if (missing === 0 && (total <= usual || !this.open.has(key))) return null;
    const isOpen = this.open.has(key);
    const label = fill(text, { count: grouped(missing) });
    const attributes = { "aria-expanded": String(isOpen), "data-keep": this.name(key), onclick: () => this.toggle(key) };
    return make("li", { class: "more" }, isOpen && missing > 0 ? make("span", {}, label) : null,
      make("button", { type: "button", ...attributes }, isOpen ? words.fewer : label));
  }

  toggle(key) {
    if (!this.open.delete(key)) this.open.add(key);
    keepingFocus(this.redraw);
  }

  name(key) {
    return `${this.panel.id} ${key}`;
  }
}

/** Does what makes elements again; the focus stays if a new element has the same `data-keep`. */
function keepingFocus(action) {
  const { keep } = document.activeElement?.dataset ?? {};
  action();
  if (!keep) return;
  const all = [...document.querySelectorAll("[data-keep]")];
  all.find((each) => each.dataset.keep === keep)?.focus({ preventScroll: true });
}
