// The state of the program at any record, by applying the records in order.

const LISTS = ["signals", "immediates", "timers", "descriptors", "others"];
const LIST_OF_KIND = {
  signal: "signals", immediate: "immediates", task: "immediates", request: "immediates", queue: "immediates", timer: "timers", fd: "descriptors",
};

/** What changed between two steps. Each map or set is by object. */
class Changes {
  constructor() {
    this.made = new Set();
    this.freed = new Map(); // its parent until then
    this.moved = new Set();
    this.came = new Set();
    this.went = new Map(); // the item that left its list
    this.altered = new Set();
    this.joined = new Set();
    this.left = new Map(); // the queue
    this.brief = 0; // how many were made and freed in between
  }
}

class State {
  constructor(recording, chronicle) {
    this.recording = recording;
    this.chronicle = chronicle;
    this.at = -1;
    this.parents = new Map();
    this.contexts = new Map();
    this.homes = new Map(); // where an event is: [context, list]
    this.queues = new Map();
    this.onTheWay = new Map(); // messages that were sent and did not arrive
    this.changes = null;
  }

  copy() {
    const copy = new State(this.recording, this.chronicle);
    copy.at = this.at;
    copy.parents = new Map(this.parents);
    copy.homes = new Map(this.homes);
    copy.onTheWay = new Map(this.onTheWay);
    for (const [number, context] of this.contexts) {
      const lists = Object.fromEntries(LISTS.map((list) => [list, new Map(context[list])]));
      copy.contexts.set(number, { ...context, ...lists });
    }
    for (const [number, queue] of this.queues) copy.queues.set(number, { ...queue, entries: new Map(queue.entries) });
    return copy;
  }

  context(number) {
    if (!this.contexts.has(number)) {
      const lists = Object.fromEntries(LISTS.map((list) => [list, new Map()]));
      this.contexts.set(number, { ...lists, ready: 0 });
    }
    this.ensure(number);
    return this.contexts.get(number);
  }

  queue(number) {
    if (!this.queues.has(number)) this.queues.set(number, { entries: new Map(), stopped: false, active: -1 });
    return this.queues.get(number);
  }

  /** Shows an object whose making the recording lost. */
  ensure(object) {
    if (object < 0 || this.parents.has(object) || this.chronicle.made[object] >= 0) return;
    if (this.recording.kind(object) === "task") return; // it is no talloc memory
    const freed = this.chronicle.freed[object];
    if (freed >= 0 && freed <= this.at) return;
    this.parents.set(object, -1);
    if (this.recording.kind(object) === "context") this.context(object);
  }

  apply(index) {
    const record = this.recording.records[index];
    this.at = index;
    if (record[WHAT] !== "made" && record[WHAT] !== "freed") this.ensure(record[OBJECT]);
    this.ensure(record[OTHER]);
    if (Object.hasOwn(CHANGES, record[WHAT])) CHANGES[record[WHAT]](this, record, index);
  }

  place(record, index) {
    const [, , , object, other, value, detail] = record;
    const list = pick(LIST_OF_KIND, this.recording.kind(object), "") ?? "others";
    const context = other >= 0 ? other : this.homes.get(object)?.[0] ?? -1;
    const known = this.context(context)[list];
    if (list === "timers") known.delete(object); // it joins again, after those with the same deadline
    known.set(object, { object, value, detail, since: index, message: -1 });
    const wasThere = this.homes.has(object);
    this.homes.set(object, [context, list]);
    (wasThere ? this.changes?.altered : this.changes?.came)?.add(object);
  }

  unplace(object) {
    const home = this.homes.get(object);
    if (!home) return;
    const [context, list] = home;
    this.homes.delete(object);
    const events = this.contexts.get(context)?.[list]; // none if the context was freed first
    this.changes?.went.set(object, { object, ...events?.get(object), context, list });
    events?.delete(object);
  }

  free(object) {
    this.unplace(object);
    if (this.changes?.made.delete(object)) this.changes.brief += 1;
    else if (this.parents.has(object)) this.changes?.freed.set(object, this.parents.get(object));
    this.parents.delete(object);
    this.contexts.delete(object);
    this.queues.delete(object);
    if (this.recording.kind(object) === "inbox") this.dropMessages(object);
    if (this.recording.kind(object) === "entry") for (const queue of this.queues.keys()) this.leave(object, queue);
  }

  dropMessages(inbox) {
    for (const [key, message] of this.onTheWay) if (message.inbox === inbox) this.onTheWay.delete(key);
    for (const { immediates } of this.contexts.values()) {
      for (const [key, item] of immediates) if (item.message >= 0 && item.object === inbox) immediates.delete(key);
    }
  }

  leave(entry, queue) {
    if (this.queues.get(queue)?.entries.delete(entry)) this.changes?.left.set(entry, queue);
  }
}

const messageKey = (record) => `message ${record[OBJECT]}:${record[VALUE]}`;

/** What each kind of record does to the state. Kinds that are not here change nothing that the panels keep. */
const CHANGES = {
  made(state, record) {
    if (record[OBJECT] < 0) return;
    state.parents.set(record[OBJECT], record[OTHER]);
    state.changes?.made.add(record[OBJECT]);
    if (state.recording.kind(record[OBJECT]) === "context") state.context(record[OBJECT]);
    if (state.recording.kind(record[OBJECT]) === "queue") state.queue(record[OBJECT]);
  },
  moved(state, record) {
    state.parents.delete(record[OBJECT]);
    state.parents.set(record[OBJECT], record[OTHER]);
    state.changes?.moved.add(record[OBJECT]);
  },
  freed: (state, record) => state.free(record[OBJECT]),
  attached: (state, record, index) => state.place(record, index),
  changed: (state, record, index) => state.place(record, index),
  detached: (state, record) => state.unplace(record[OBJECT]),
  /** The count includes the descriptor that wakes the loop. */
  waitEnd(state, record) { state.context(record[OBJECT]).ready = record[VALUE]; },
  begin(state, record) {
    const kind = state.recording.kind(record[OBJECT]);
    const isTakenOut = ["timer", "immediate", "task"].includes(kind) || (kind === "request" && record[OTHER] >= 0);
    if (isTakenOut) state.unplace(record[OBJECT]);
    if (kind === "fd" && record[OTHER] >= 0) {
      const context = state.context(record[OTHER]);
      context.ready = Math.max(0, context.ready - 1);
    }
    if (kind === "entry" && record[OTHER] >= 0) state.queue(record[OTHER]).active = record[OBJECT];
    if (kind === "inbox") {
      for (const context of state.contexts.values()) context.immediates.delete(messageKey(record));
    }
  },
  joined(state, record, index) {
    state.queue(record[OTHER]).entries.set(record[OBJECT], index);
    state.changes?.joined.add(record[OBJECT]);
  },
  left: (state, record) => state.leave(record[OBJECT], record[OTHER]),
  stopped(state, record) { state.queue(record[OBJECT]).stopped = true; },
  started(state, record) { state.queue(record[OBJECT]).stopped = false; },
  sent(state, record, index) {
    state.onTheWay.set(messageKey(record), { inbox: record[OBJECT], number: record[VALUE], since: index });
  },
  arrived(state, record, index) {
    if (state.recording.kind(record[OBJECT]) === "signal") return;
    state.onTheWay.delete(messageKey(record));
    if (record[OBJECT] < 0) return; // it is opened immediately
    const item = { object: record[OBJECT], value: record[VALUE], detail: 0, since: index, message: record[VALUE] };
    state.context(record[OTHER]).immediates.set(messageKey(record), item);
  },
};

/** Goes to any record, with checkpoints so that going back does not begin from the first record. */
class Replay {
  constructor(recording, chronicle) {
    this.fresh = () => new State(recording, chronicle);
    this.spacing = Math.max(2000, Math.ceil(recording.records.length / 24));
    this.checkpoints = [];
    this.live = this.fresh();
  }

  /** The state at a record, with what changed since an earlier one. It is valid until the next call. */
  show(index, since) {
    const state = this.reach(Math.min(since, index));
    state.changes = new Changes();
    while (state.at < index) this.forward(state);
    return state;
  }

  reach(index) {
    const checkpoint = this.checkpoints[Math.floor((index + 1) / this.spacing) - 1] ?? this.checkpoints.at(-1);
    const isAhead = this.live.at > index;
    if (checkpoint && checkpoint.at <= index && (isAhead || checkpoint.at > this.live.at)) this.live = checkpoint.copy();
    else if (isAhead) this.live = this.fresh();
    this.live.changes = null;
    while (this.live.at < index) this.forward(this.live);
    return this.live;
  }

  forward(state) {
    state.apply(state.at + 1);
    const count = state.at + 1;
    if (count % this.spacing === 0 && this.checkpoints.length === count / this.spacing - 1) {
      this.checkpoints.push(state.copy());
    }
  }
}
