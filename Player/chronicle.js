// What is known about the whole recording: lives of objects and requests, causes, steps, clocks. Found once, when the page
// opens; the panels show only the part that lies before the present step.

class Chronicle {
  constructor(recording) {
    this.recording = recording;
    this.records = recording.records;
    this.frames = new Frames(recording);
    const count = recording.objects.length;
    /** By object: the record that made it, freed it, and mentions it first; -1 if there is none. */
    this.made = new Int32Array(count).fill(-1);
    this.freed = new Int32Array(count).fill(-1);
    this.sizes = new Float64Array(count);
    this.requests = new Map();
    this.queues = new Map();
    this.outputs = [];
    this.messages = new Map();
    /** By record that begins a handler: the record that led to it, or -1. */
    this.causes = new Map();
    this.clocks = new Clocks();
    this.attachedAt = new Map();
    /** By record that begins a part of a task: whether there was one before, and the request awaited since. */
    this.tasks = new Map();
    this.latestOfTask = new Map();
    /** By signal event: when the signal arrived for which no handler has run yet. */
    this.arrivals = new Map();
    this.parents = new Map();
    this.records.forEach((record, index) => this.read(record, index));
    this.steps = this.findSteps();
  }

  read(record, index) {
    const [, , what, object, other] = record;
    const kind = this.recording.kind(object);
    if (what === "made" && object >= 0) this.readMade(record, index);
    else if (what === "moved") this.parents.set(object, other);
    else if (what === "freed" && object >= 0) this.freed[object] = index;
    else if (what === "attached" || what === "changed") this.attachedAt.set(object, index);
    else if (what === "arrived" && kind === "signal") this.arrivals.set(object, index);
    else if (what === "sent" || what === "arrived") this.message(record)[what] = index;
    else if (what === "note" || what === "output") this.outputs.push(index);
    else if (what === "joined" || what === "left") this.readEntry(record, index);
    if (kind === "task") this.readTask(record, index);
    if (what === "begin") this.causes.set(index, this.causeOf(record, index));
    if (kind === "request") this.readRequest(record, index);
    this.clocks.read(record, kind, index);
  }

  readMade(record, index) {
    this.made[record[OBJECT]] = index;
    this.sizes[record[OBJECT]] = record[VALUE];
    this.parents.set(record[OBJECT], record[OTHER]);
  }

  readRequest(record, index) {
    const object = record[OBJECT];
    let life = this.requests.get(object);
    if (!life) {
      const parent = this.requestAbove(object);
      const depth = parent < 0 ? 0 : (this.requests.get(parent)?.depth ?? -1) + 1;
      life = { object, first: index, ended: -1, status: 0, received: -1, freed: -1, begun: -1, parent, depth };
      this.requests.set(object, life);
    }
    if (record[WHAT] === "ended") Object.assign(life, { ended: index, status: record[VALUE] });
    if (record[WHAT] === "received" && life.received < 0) life.received = index;
    if (record[WHAT] === "freed") life.freed = index;
  }

  /** The request whose memory, such as its state, holds an object. */
  requestAbove(object) {
    let parent = this.parents.get(object) ?? -1;
    for (let depth = 0; parent >= 0 && depth < 1000; depth += 1) {
      if (this.recording.kind(parent) === "request") return parent;
      parent = this.parents.get(parent) ?? -1;
    }
    return -1;
  }

  readTask([, , what, task, request], index) {
    const latest = this.latestOfTask.get(task) ?? { before: false, awaited: -1 };
    if (what === "begin") {
      this.tasks.set(index, latest);
      this.latestOfTask.set(task, { before: true, awaited: -1 });
    } else if (what === "awaits") latest.awaited = request;
  }

  readEntry(record, index) {
    const [, , what, entry, queue] = record;
    if (!this.queues.has(queue)) this.queues.set(queue, new Map());
    const entries = this.queues.get(queue);
    if (!entries.has(entry)) entries.set(entry, { entry, joined: what === "joined" ? index : 0, left: -1 });
    if (what === "left") entries.get(entry).left = index;
  }

  /** The records of one message, by its inbox and number. */
  message(record) {
    const key = `${record[OBJECT]}:${record[VALUE]}`;
    if (!this.messages.has(key)) this.messages.set(key, { sent: -1, arrived: -1 });
    return this.messages.get(key);
  }

  causeOf(record, index) {
    const [, , , object, other] = record;
    switch (this.recording.kind(object)) {
      case "signal": return this.arrival(object);
      case "inbox": return this.message(record).sent;
      case "request": return other >= 0 ? this.attachedAt.get(object) ?? -1 : this.requests.get(object)?.ended ?? -1;
      case "entry": return this.frames.isRunByLoop(index) ? this.attachedAt.get(other) ?? -1 : -1;
      default: return this.attachedAt.get(object) ?? -1;
    }
  }

  /** The record of the signal's arrival that a handler is called for; -1 if there is none. */
  arrival(signal) {
    const arrived = this.arrivals.get(signal) ?? -1;
    this.arrivals.delete(signal);
    return arrived;
  }

  /** The records at which the steps of each unit stand. */
  findSteps() {
    const last = this.records.length - 1;
    const where = (what) => {
      const found = [];
      this.records.forEach((record, index) => {
        if (index === 0 || index === last || record[WHAT] === what) found.push(index);
      });
      return found;
    };
    return { handler: where("begin"), turn: where("turnBegin"), record: this.records.map((_, index) => index) };
  }

  /** The number of the last step of a unit that is not after a record. */
  stepAt(unit, record) {
    return lastNotAfter(this.steps[unit], record);
  }
}

/** The index of the last element of a sorted list that is not greater than a value; 0 if all are greater. */
function lastNotAfter(sorted, value) {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * What time it is on each context's clock. The recording says so when a timer is attached or changed, and when its handler
 * begins. A clock that runs keeps pace with the records' own times, and shows times that are no whole microseconds, as no
 * test would choose them; it can be read at any record. Any other is set by hand, and shows its last known time.
 */
class Clocks {
  constructor() {
    this.samples = new Map();
  }

  read(record, kind, index) {
    if (kind !== "timer" || record[OTHER] < 0) return;
    const now = this.timeAt(record);
    if (now === null) return;
    const offset = now - record[TIME];
    const known = this.samples.get(record[OTHER]) ?? { least: offset, most: offset, records: [], times: [], isUneven: false };
    known.least = Math.min(known.least, offset);
    known.most = Math.max(known.most, offset);
    known.isUneven ||= now % 1000 !== 0;
    known.records.push(index);
    known.times.push(now);
    this.samples.set(record[OTHER], known);
  }

  timeAt(record) {
    switch (record[WHAT]) {
      case "begin": return record[VALUE] + record[DETAIL];
      case "attached": case "changed": return record[VALUE] - record[DETAIL];
      default: return null;
    }
  }

  /**
   * Whether a deadline only means that the timer is to run at once: programs in C give zero for that, which lies in 1970, and
   * those in Swift the zero of a clock that has run for long.
   */
  isAtOnce(context, deadline) {
    const first = this.samples.get(context)?.times[0] ?? -Infinity;
    return deadline < first - (deadline <= 0 ? MINUTE : DAY);
  }

  /** The time on a context's clock at a record, or null if it is not known. */
  now(context, index, time) {
    const known = this.samples.get(context);
    if (!known) return null;
    if (known.isUneven && known.most - known.least < 5e6) return time + known.most;
    const before = lastNotAfter(known.records, index);
    return known.records[before] <= index ? known.times[before] : null;
  }
}
