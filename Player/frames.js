// Which turn, wait and handler each record lies in. Found once, when the page opens.

/** The stage of a turn in which the loop runs an object of a kind; the others run inside a handler only. */
const STAGE_OF_KIND = { signal: 1, immediate: 3, task: 3, request: 3, entry: 3, inbox: 3, timer: 4, fd: 5 };

/**
 * The frames of a recording. A frame is a turn, a wait or a handler, from the record that begins it to the record that ends
 * it, or -1 if it did not end. Frames of one thread nest.
 */
class Frames {
  constructor(recording) {
    this.records = recording.records;
    this.recording = recording;
    this.all = [];
    /** By record: the innermost frame of its thread after it, and the stage of that thread's turn. */
    this.innermost = new Array(this.records.length).fill(null);
    this.stages = new Uint8Array(this.records.length);
    /** By record: the handler that was open on its thread when it was made, or null. */
    this.makers = new Array(this.records.length).fill(null);
    /** By record: the context whose loop runs on its thread; outside a turn, the one that the thread used last; or -1. */
    this.contexts = new Int32Array(this.records.length).fill(-1);
    this.latest = [];
    /** By record that begins one: its frame. */
    this.begun = new Map();
    this.open = [];
    this.turnCounts = new Map();
    /** By context: the record that begins its first turn. */
    this.firstTurns = new Map();
    this.records.forEach((record, index) => this.read(record, index));
  }

  read(record, index) {
    const thread = record[THREAD];
    const top = this.open[thread] ?? null;
    this.makers[index] = enclosing(top, "handler");
    const begins = { turnBegin: "turn", waitBegin: "wait", begin: "handler" };
    const ends = { turnEnd: "turn", waitEnd: "wait", end: "handler" };
    if (Object.hasOwn(begins, record[WHAT])) this.push(begins[record[WHAT]], record, index);
    else if (Object.hasOwn(ends, record[WHAT])) this.pop(ends[record[WHAT]], record, index);
    this.advance(record, top);
    this.innermost[index] = this.open[thread] ?? null;
    const turn = enclosing(this.innermost[index], "turn");
    this.stages[index] = turn?.stage ?? 0;
    if (turn) this.latest[thread] = turn.context;
    else if (record[WHAT] === "attached") this.latest[thread] = record[OTHER];
    else if (record[WHAT] === "made" && this.recording.kind(record[OBJECT]) === "context") this.latest[thread] = record[OBJECT];
    this.contexts[index] = this.latest[thread] ?? -1;
  }

  push(kind, record, index) {
    const thread = record[THREAD];
    const parent = this.open[thread] ?? null;
    const frame = { kind, begin: index, end: -1, object: record[OBJECT], thread, parent, context: -1, number: 0, level: 0, stage: 0 };
    if (kind === "handler") frame.context = enclosing(parent, "turn")?.context ?? -1;
    else frame.context = record[OBJECT];
    if (kind === "turn") {
      frame.number = (this.turnCounts.get(frame.context) || 0) + 1;
      this.turnCounts.set(frame.context, frame.number);
      frame.level = record[VALUE];
      if (frame.number === 1) this.firstTurns.set(frame.context, index);
      frame.stage = 1;
    }
    this.open[thread] = frame;
    this.all.push(frame);
    this.begun.set(index, frame);
  }

  /** Ends the innermost frame of that kind and object; frames inside it that have no end of their own are over, too. */
  pop(kind, record, index) {
    let frame = this.open[record[THREAD]] ?? null;
    while (frame && !(frame.kind === kind && (frame.object === record[OBJECT] || record[OBJECT] === -1))) frame = frame.parent;
    if (!frame) return;
    frame.end = index;
    this.open[record[THREAD]] = frame.parent;
  }

  /** Moves the turn to the stage that the record shows. */
  advance(record, before) {
    if (record[WHAT] === "begin" && before?.kind === "turn") {
      before.stage = STAGE_OF_KIND[this.recording.kind(record[OBJECT])] ?? before.stage;
    } else if (record[WHAT] === "waitBegin" || record[WHAT] === "waitEnd") {
      const turn = enclosing(before, "turn");
      if (turn) turn.stage = 5;
    } else if (record[WHAT] === "arrived" && before?.kind === "turn" && this.recording.kind(record[OBJECT]) !== "signal") {
      before.stage = 2;
    }
  }

  /** Whether the loop itself runs the handler that begins at a record, and not another handler or the program. */
  isRunByLoop(index) {
    const parent = this.begun.get(index)?.parent;
    return parent ? parent.kind !== "handler" : this.recording.lost > 0;
  }
}

/** The innermost frame of a kind, beginning with the given one. */
function enclosing(frame, kind) {
  while (frame && frame.kind !== kind) frame = frame.parent;
  return frame ?? null;
}
