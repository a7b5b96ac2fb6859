// The timeline's panel: its buttons, keys, wheel and clicks.

const FIRST_VIEW = 240;

class Timeline {
  /** `go` leads to a record. */
  constructor(recording, chronicle, go) {
    Object.assign(this, { recording, chronicle, go });
    Object.assign(this, panel("timeline", words.timeline));
    this.layout = new TimelineLayout(recording, chronicle);
    this.base = make("canvas", { "aria-hidden": "true" });
    this.overlay = make("canvas", { "aria-hidden": "true" });
    this.stage = make("div", { class: "canvases", tabindex: 0, role: "application", "aria-label": words.timelineLabel },
      this.base, this.overlay);
    this.drawing = new TimelineDrawing(this.layout, this.base, this.overlay);
    this.at = 0;
    this.head.append(this.tools());
    this.body.append(this.stage, make("p", { class: "hint" }, words.timelineHint));
    this.listen();
  }

  tools() {
    return make("div", { class: "tools" },
      chooser(words.scale, Object.entries(words.scales), "order", (scale) => this.setScale(scale)),
      button(words.panLeft, "←", () => this.pan(-0.3)), button(words.panRight, "→", () => this.pan(0.3)),
      button(words.zoomOut, "−", () => this.zoom(1.6)), button(words.zoomIn, "+", () => this.zoom(1 / 1.6)),
      make("button", { type: "button", onclick: () => this.fit() }, words.fit));
  }

  listen() {
    this.stage.addEventListener("click", (event) => this.click(event));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("pointermove", (event) => this.hover(event));
    new ResizeObserver(() => this.resize()).observe(this.body);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.drawing.readColours();
      this.draw();
    });
  }

  /** Shows everything if it is little, else the part around the present step. */
  start(index) {
    this.at = index;
    this.drawing.resize(this.body.clientWidth);
    if (this.recording.records.length <= FIRST_VIEW) this.fit();
    else this.setView(index - FIRST_VIEW / 4, index + (3 * FIRST_VIEW) / 4);
  }

  resize() {
    if (this.body.clientWidth === this.measured || this.body.clientWidth === 0) return;
    this.measured = this.body.clientWidth;
    this.drawing.resize(this.body.clientWidth);
    this.draw();
  }

  bounds() {
    const last = this.drawing.place(this.recording.records.length - 1);
    const first = this.drawing.place(0);
    const margin = Math.max(1, (last - first) * 0.01);
    return [first - margin, last + margin];
  }

  setView(from, to) {
    const [first, last] = this.bounds();
    const length = Math.min(Math.max(to - from, this.drawing.scale === "order" ? 8 : 200), last - first);
    this.drawing.from = Math.min(Math.max(first, from), last - length);
    this.drawing.to = this.drawing.from + length;
    this.draw();
  }

  fit() {
    this.setView(...this.bounds());
  }

  pan(share) {
    const { from, to } = this.drawing;
    const way = (to - from) * share;
    this.setView(from + way, to + way);
  }

  /** Keeps a place where it is; without one, the present step if it is visible, else the middle. */
  zoom(factor, around = null) {
    const { from, to } = this.drawing;
    const present = this.drawing.place(this.at);
    const centre = around ?? (present >= from && present <= to ? present : (from + to) / 2);
    this.setView(centre - (centre - from) * factor, centre + (to - centre) * factor);
  }

  setScale(scale) {
    const [from, to] = [this.drawing.from, this.drawing.to].map((place) => this.drawing.recordAt(place));
    this.drawing.scale = scale;
    this.setView(this.drawing.place(from), this.drawing.place(to));
  }

  draw() {
    if (this.recording.records.length === 0) return;
    this.drawing.drawBase();
    this.drawing.drawOverlay(this.at);
  }

  /** Shows a step, and nothing after it while the reader predicts. */
  show(index, isPredicting) {
    this.at = index;
    const mustDraw = isPredicting !== this.drawing.isPredicting;
    this.drawing.isPredicting = isPredicting;
    this.drawing.hiddenAfter = isPredicting ? index : Infinity;
    const { from, to } = this.drawing;
    const place = this.drawing.place(index);
    const margin = (to - from) * 0.04;
    const isNearEnd = place > to || (place > to - margin && to < this.bounds()[1]);
    if (place < from || isNearEnd) this.setView(place - (to - from) * 0.25, place + (to - from) * 0.75);
    else if (mustDraw) this.draw();
    else this.drawing.drawOverlay(index);
  }

  click(event) {
    const [x, y] = this.point(event);
    const bar = this.drawing.barAt(x, y);
    if (bar) this.go(bar.begin);
    if (bar || x <= this.drawing.gutter) return;
    const record = this.drawing.recordAt(this.drawing.placeAt(x));
    this.go(Math.min(record, this.drawing.hiddenAfter));
  }

  point(event) {
    const box = this.base.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  hover(event) {
    const bar = this.drawing.barAt(...this.point(event));
    const name = bar && !["turn", "wait"].includes(bar.kind) ? this.recording.labelAndPlace(bar.object) : "";
    if (this.stage.title !== name) this.stage.title = name;
  }

  wheel(event) {
    if (event.ctrlKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.drawing.placeAt(this.point(event)[0]));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      this.pan((event.deltaX || event.deltaY) / 600);
    }
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const actions = {
      "+": () => this.zoom(1 / 1.6), "=": () => this.zoom(1 / 1.6), "-": () => this.zoom(1.6), 0: () => this.fit(),
    };
    if (event.shiftKey) Object.assign(actions, { ArrowLeft: () => this.pan(-0.3), ArrowRight: () => this.pan(0.3) });
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }
}
