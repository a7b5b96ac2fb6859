// Draws the timeline on two canvases: the bars, which change when the view does, and above them what belongs to the step.

const ROW_HEIGHT = 22;
const BAR_HEIGHT = 15;
const ARROW_LIMIT = 80;

class TimelineDrawing {
  constructor(layout, base, overlay) {
    Object.assign(this, { layout, base, overlay });
    this.records = layout.recording.records;
    this.scale = "order";
    this.from = 0;
    this.to = 1;
    this.isPredicting = false;
    this.hiddenAfter = Infinity;
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    const names = ["text", "muted", "line", "page", "panel", "accent", "wait", "turn"];
    this.colours = Object.fromEntries(names.map((name) => [name, read(name)]));
    for (const kind of HANDLER_LANES) {
      const name = { fd: "descriptor", message: "immediate", task: "immediate", queue: "queue" }[kind] ?? kind;
      this.colours[`${kind}-ink`] = read(`${name}-ink`);
      this.colours[`${kind}-paper`] = read(`${name}-paper`);
    }
  }

  /** Fits the canvases to the element that holds them. */
  resize(width) {
    this.width = Math.max(200, Math.floor(width));
    this.gutter = Math.round(Math.min(150, Math.max(84, this.width * 0.16)));
    this.height = this.layout.rows.length * ROW_HEIGHT + 8;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.overlay]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
  }

  /** A record's place on the axis: its number, or its time. */
  place(index) {
    return this.scale === "order" ? index : this.records[Math.min(index, this.records.length - 1)][TIME];
  }

  x(place) {
    return this.gutter + ((place - this.from) / (this.to - this.from)) * (this.width - this.gutter - 8);
  }

  placeAt(x) {
    return this.from + ((x - this.gutter) / (this.width - this.gutter - 8)) * (this.to - this.from);
  }

  recordAt(place) {
    const index = this.scale === "order" ? Math.round(place) : this.recordAtTime(place);
    return Math.min(Math.max(0, index), this.records.length - 1);
  }

  recordAtTime(time) {
    let low = 0;
    let high = this.records.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.records[middle][TIME] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  drawBase() {
    const pen = this.base.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    const from = this.recordAt(this.from) - 1;
    const to = this.recordAt(this.to) + 1;
    this.layout.rows.forEach((row, number) => {
      this.drawTitle(pen, row, number);
      pen.save();
      pen.beginPath();
      pen.rect(this.gutter, number * ROW_HEIGHT, this.width - this.gutter, ROW_HEIGHT + 8);
      pen.clip();
      this.drawRow(pen, row, number, from, to);
      pen.restore();
    });
    if (!this.isPredicting) this.drawArrows(pen, from, to);
  }

  drawTitle(pen, row, number) {
    const y = number * ROW_HEIGHT + 4;
    pen.fillStyle = this.colours.muted;
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const indent = row.isIndented ? 10 : 0;
    pen.fillText(fitted(pen, row.title, this.gutter - 10 - indent), indent, y + BAR_HEIGHT / 2);
    pen.fillStyle = this.colours.line;
    pen.fillRect(this.gutter, y + BAR_HEIGHT + 3, this.width - this.gutter, 1);
  }

  drawRow(pen, row, number, from, to) {
    const y = number * ROW_HEIGHT + 4;
    let drawnTo = -1;
    for (const bar of this.layout.visible(row, from, to)) {
      const left = Math.round(this.x(this.place(bar.begin)));
      const right = Math.max(left + 2, this.x(this.place(bar.end)));
      if (right - left <= 2 && left < drawnTo) continue;
      this.drawBar(pen, bar, left, y, right - left);
      drawnTo = Math.max(drawnTo, left + 1);
    }
  }

  drawBar(pen, bar, left, y, width) {
    if (bar.kind === "turn" || bar.kind === "wait") {
      pen.fillStyle = this.colours[bar.kind];
      pen.fillRect(left, y, Math.max(1, width - 1), BAR_HEIGHT);
      pen.fillStyle = this.colours.muted;
      const text = bar.kind === "wait" ? words.waitBar : fill(words.turnBar, { number: grouped(bar.number) });
      const start = Math.max(left, this.x(this.place(bar.labelFrom)));
      if (left + width - start > 40) this.drawText(pen, text, start - 2, y, left + width - start);
    } else {
      pen.fillStyle = this.colours[`${bar.kind}-paper`];
      pen.fillRect(left, y, width, BAR_HEIGHT);
      pen.fillStyle = this.colours[`${bar.kind}-ink`];
      pen.fillRect(left, y, Math.min(3, width), BAR_HEIGHT);
      if (width > 6) pen.fillRect(left, y + BAR_HEIGHT - 1, width, 1);
      if (width > 30) this.drawText(pen, this.layout.recording.label(bar.object), left, y, width);
    }
  }

  drawText(pen, whole, left, y, width) {
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const inside = Math.max(left, this.gutter);
    const text = fitted(pen, whole, width - (inside - left) - 8);
    pen.fillText(text, inside + 6, y + BAR_HEIGHT / 2);
  }

  /** The arrows of all visible handlers, unless they are too many to tell apart. */
  drawArrows(pen, from, to) {
    const arrows = [];
    for (const row of this.layout.rows) {
      for (const bar of this.layout.visible(row, from, to)) {
        if (bar.isHandler) arrows.push(this.layout.arrow(bar.begin));
        if (arrows.length > ARROW_LIMIT) return;
      }
    }
    for (const arrow of arrows) if (arrow) this.drawArrow(pen, arrow, this.colours.line, 1);
  }

  drawArrow(pen, { from, fromRow, to, toRow }, colour, width) {
    if (fromRow === undefined || toRow === undefined) return;
    const [x1, x2] = [from, to].map((index) => this.x(this.place(index)));
    const [y1, y2] = [fromRow, toRow].map((row) => row * ROW_HEIGHT + 4 + BAR_HEIGHT / 2);
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, 0, this.width - this.gutter, this.height);
    pen.clip();
    pen.strokeStyle = colour;
    pen.fillStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(x1, y1);
    const bend = Math.max(12, Math.min(60, (x2 - x1) / 2));
    pen.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 4, y2);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x2, y2);
    pen.lineTo(x2 - 6, y2 - 3.5);
    pen.lineTo(x2 - 6, y2 + 3.5);
    pen.fill();
    pen.restore();
  }

  /** The present step: a line, and the arrow that leads to it. While the reader predicts, covers what comes later. */
  drawOverlay(index) {
    const pen = this.overlay.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    const x = this.x(this.place(index));
    if (this.isPredicting) {
      pen.fillStyle = this.colours.page;
      pen.fillRect(Math.max(this.gutter, x), 0, this.width, this.height);
    }
    const arrow = this.records[index][WHAT] === "begin" ? this.layout.arrow(index) : null;
    if (arrow) this.drawArrow(pen, arrow, this.colours.text, 1.5);
    if (x < this.gutter - 1 || x > this.width) return;
    pen.fillStyle = this.colours.accent;
    pen.fillRect(x - 1, 0, 2, this.height);
  }

  barAt(x, y) {
    const row = this.layout.rows[Math.floor((y - 2) / ROW_HEIGHT)];
    if (!row) return null;
    const record = this.recordAt(this.placeAt(x));
    let best = null;
    for (const bar of this.layout.visible(row, record - 50, record + 50)) {
      if (bar.begin > this.hiddenAfter) break;
      const left = this.x(this.place(bar.begin)) - 3;
      const right = this.x(this.place(bar.end)) + 3;
      if (x >= left && x <= right) best = bar; // the innermost one begins last
    }
    return best;
  }
}

/** A text cut to a width in pixels. */
function fitted(pen, text, width) {
  if (width < 14) return "";
  if (pen.measureText(text).width <= width) return text;
  let length = Math.min(text.length, Math.floor(width / 5));
  while (length > 0 && pen.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return length > 0 ? `${text.slice(0, length)}…` : "";
}
