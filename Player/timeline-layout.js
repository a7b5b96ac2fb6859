// The lanes of the timeline: rows of bars, each bar from one record to another.

const LANE_OF_KIND = {
  signal: "signal", inbox: "message", immediate: "immediate", task: "task", timer: "timer", fd: "fd", request: "request", entry: "queue",
};
const HANDLER_LANES = ["signal", "message", "immediate", "task", "timer", "fd", "request", "queue", "other"];
const REQUEST_ROWS = 6;
const QUEUE_ROWS = 3;

/**
 * Lays out a recording. Each row has a title, a kind, and its bars sorted by where they begin. A bar is an array: first
 * record, last record, kind, object; and whether it is a handler, which has causes.
 */
class TimelineLayout {
  constructor(recording, chronicle) {
    this.recording = recording;
    this.chronicle = chronicle;
    this.last = recording.records.length - 1;
    this.rows = [];
    this.rowOfFrame = new Map();
    this.turnRows = new Map();
    const byThread = recording.threads.map(() => []);
    for (const frame of chronicle.frames.all) byThread[frame.thread].push(frame);
    byThread.forEach((frames, thread) => this.addThread(frames, thread));
    this.addRequests();
    this.addQueues();
    for (const row of this.rows) row.bars.sort((a, b) => a.begin - b.begin);
  }

  addRow(title, kind, thread) {
    const row = { title, kind, thread, bars: [], longest: 0 };
    this.rows.push(row);
    return row;
  }

  addBar(row, begin, end, kind, object, isHandler = false) {
    const bar = { begin, end: end < 0 ? this.last : end, kind, object, isHandler };
    row.longest = Math.max(row.longest, bar.end - begin);
    row.bars.push(bar);
  }

  addThread(frames, thread) {
    const isOneOfSeveral = this.recording.threads.length > 1;
    const turns = this.addRow(isOneOfSeveral ? this.recording.threadName(thread) : words.lanes.turns, "turns", thread);
    this.turnRows.set(thread, this.rows.length - 1);
    let turnBar = null;
    for (const frame of frames) {
      if (frame.kind === "turn" || frame.kind === "wait") {
        this.addBar(turns, frame.begin, frame.end, frame.kind, frame.object);
        Object.assign(turns.bars.at(-1), { number: frame.number, labelFrom: frame.begin });
        if (frame.kind === "wait" && turnBar?.end >= frame.begin) turnBar.labelFrom = Math.max(frame.begin, frame.end);
        if (frame.kind === "turn") turnBar = turns.bars.at(-1);
      }
    }
    const handlers = frames.filter((frame) => frame.kind === "handler");
    for (const lane of HANDLER_LANES) {
      const own = handlers.filter((frame) => this.laneOf(frame) === lane);
      if (own.length === 0) continue;
      const row = this.addRow(words.lanes[lane], lane, thread);
      row.isIndented = isOneOfSeveral;
      for (const frame of own) {
        this.rowOfFrame.set(frame, this.rows.length - 1);
        this.addBar(row, frame.begin, frame.end, lane, frame.object, true);
      }
    }
  }

  laneOf(frame) {
    return pick(LANE_OF_KIND, this.recording.kind(frame.object), "") ?? "other";
  }

  /** Bars for the lives of requests, in as few rows as keep them apart. */
  addRequests() {
    const lives = [...this.chronicle.requests.values()];
    const bars = lives.map(({ first, ended, freed, object }) => ({ begin: first, end: ended >= 0 ? ended : freed, object }));
    this.addPacked(bars, "request", words.lanes.lives, REQUEST_ROWS);
  }

  addQueues() {
    for (const [queue, entries] of this.chronicle.queues) {
      const bars = [...entries.values()].map(({ entry, joined, left }) => ({ begin: joined, end: left, object: entry }));
      this.addPacked(bars, "queue", this.recording.label(queue), QUEUE_ROWS);
    }
  }

  addPacked(bars, kind, title, most) {
    const rows = [];
    const ends = [];
    for (const bar of bars) {
      let at = ends.findIndex((end) => end < bar.begin);
      if (at < 0) at = rows.length < most ? rows.length : most - 1;
      if (at === rows.length) rows.push(this.addRow(at === 0 ? title : "", kind, -1));
      ends[at] = Math.max(ends[at] ?? 0, bar.end < 0 ? this.last : bar.end);
      this.addBar(rows[at], bar.begin, bar.end, kind, bar.object);
    }
  }

  /** The bars of a row that may be visible between two records. */
  *visible(row, from, to) {
    let index = firstNotBefore(row.bars, from - row.longest);
    for (; index < row.bars.length && row.bars[index].begin <= to; index += 1) {
      if (row.bars[index].end >= from) yield row.bars[index];
    }
  }

  /** The arrow that leads to the handler that begins at a record, or null. */
  arrow(index) {
    const cause = this.chronicle.causes.get(index) ?? -1;
    if (cause < 0) return null;
    const { frames } = this.chronicle;
    const maker = frames.makers[cause];
    const thread = this.recording.records[cause][THREAD];
    const fromRow = maker ? this.rowOfFrame.get(maker) : this.turnRows.get(thread);
    return { from: cause, fromRow, to: index, toRow: this.rowOfFrame.get(frames.begun.get(index)) };
  }
}

/** The index of the first bar that does not begin before a record. */
function firstNotBefore(bars, record) {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].begin < record) low = middle + 1;
    else high = middle;
  }
  return low;
}
