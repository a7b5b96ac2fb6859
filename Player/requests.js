// The panel of the requests: a cascade of bars, from when each was made until it ended and was received.

const REQUEST_LIMIT = 24;

class RequestsPanel {
  constructor() {
    Object.assign(this, panel("requests", words.requests));
    this.more = new More(this.element, () => this.show(this.view));
    this.order = null;
  }

  show(view) {
    this.view = view;
    this.element.hidden = view.chronicle.requests.size === 0;
    if (this.element.hidden) return;
    this.order ??= cascadeOrder(view.chronicle.requests);
    const made = this.order.filter((life) => life.first <= view.index);
    const shown = this.choose(made, view);
    const begin = Math.min(...shown.map((life) => life.first));
    const rows = shown.map((life) => this.row(view, life, begin));
    rows.unshift(this.more.row("requests", made.length - shown.length, made.length, REQUEST_LIMIT, words.earlier));
    this.body.replaceChildren(made.length ? make("ol", { class: "cascade" }, rows) : make("p", { class: "none" }, words.none));
  }

  /** All if they are few, else those in progress and the latest. */
  choose(made, view) {
    const most = this.more.limit("requests", REQUEST_LIMIT);
    if (made.length <= most) return made;
    const isOpen = (life) => life.ended < 0 || life.ended >= view.index;
    const latest = [...made].sort((a, b) => isOpen(b) - isOpen(a) || b.first - a.first).slice(0, most);
    const chosen = new Set(latest);
    return made.filter((life) => chosen.has(life));
  }

  row(view, life, begin) {
    const { recording } = view;
    const span = Math.max(1, view.index - begin);
    const position = (index) => `${(100 * (index - begin)) / span}%`;
    const status = this.status(view, life);
    const until = [life.ended, life.received, life.freed].filter((index) => index >= 0 && index <= view.index);
    const end = until.length ? Math.min(...until) : view.index;
    const tail = Math.max(end, ...until);
    const bar = make("span", { class: "bar", "aria-hidden": "true" },
      this.segment(`span status-${status.key}`, position(life.first), end - life.first, span),
      tail > end ? this.segment("span kept", position(end), tail - end, span) : null);
    const received = life.received >= 0 && life.received <= view.index;
    return make("li", { class: "request kind-request" },
      make("span", { class: "name", style: `--depth: ${Math.min(life.depth, 8)}` },
        make("span", { class: "label" }, recording.label(life.object))),
      bar, make("span", { class: `status status-${status.key}` }, status.text, received ? `, ${words.requestReceived}` : null));
  }

  segment(classes, left, length, span) {
    const segment = make("span", { class: classes });
    segment.style.left = left;
    segment.style.width = `${(100 * length) / span}%`;
    return segment;
  }

  status(view, life) {
    if (life.ended >= 0 && life.ended <= view.index) {
      const known = Object.hasOwn(words.requestStatus, life.status);
      return { key: known ? life.status : "other", text: fill(pick(words.requestStatus, life.status), { status: life.status }) };
    }
    const isFreed = life.freed >= 0 && life.freed <= view.index;
    const key = isFreed ? "freed" : "open";
    return { key, text: words.requestStatus[key] };
  }
}

/** Requests with those below each directly after it, otherwise by when they were made. */
function cascadeOrder(requests) {
  const below = new Map();
  for (const life of requests.values()) {
    const key = requests.has(life.parent) ? life.parent : -1;
    if (!below.has(key)) below.set(key, []);
    below.get(key).push(life);
  }
  const ordered = [];
  const waiting = [...(below.get(-1) ?? [])].reverse();
  while (waiting.length) {
    const life = waiting.pop();
    ordered.push(life);
    waiting.push(...[...(below.get(life.object) ?? [])].reverse());
  }
  return ordered;
}
