// One sentence for each record: why a handler runs, or what happened.

class Sentences {
  constructor(recording, chronicle) {
    this.recording = recording;
    this.chronicle = chronicle;
  }

  /** The sentence of a record. */
  of(index) {
    const record = this.recording.records[index];
    return record[WHAT] === "begin" ? this.why(index) : this.what(index);
  }

  /** Why the handler that begins at a record runs. */
  why(index) {
    const record = this.recording.records[index];
    const [, , , object, other, value, detail] = record;
    const values = {
      at: this.recording.labelAndPlace(object), label: this.recording.label(object), inside: this.inside(index),
      number: value, flags: flagsText(detail), queue: this.recording.label(other), sender: this.sender(record, index),
    };
    const kind = this.recording.kind(object);
    const isRunByLoop = this.chronicle.frames.isRunByLoop(index);
    switch (kind) {
      case "signal":
        return fill(words.why.signal, { ...values, times: counted(words.why.times, Math.max(1, detail)), since: this.since(index) });
      case "timer":
        return isRunByLoop ? fill(words.why.timer, { ...values, late: this.late(record) }) : this.nested(index, values);
      case "fd":
        return isRunByLoop ? fill(words.why.fd, values) : this.nested(index, values);
      case "immediate":
        return isRunByLoop ? fill(words.why.immediate, { ...values, cause: this.cause(index) }) : this.nested(index, values);
      case "task":
        return isRunByLoop ? this.task(index, values) : this.nested(index, values);
      case "request": {
        if (value === 0) return fill(words.why.progress, values);
        const ended = fill(pick(words.why.ended, value), { status: value });
        return fill(other >= 0 ? words.why.posted : words.why.callback, { ...values, ended });
      }
      case "inbox": return fill(words.why.inbox, values);
      case "entry": return fill(isRunByLoop ? words.why.entryByLoop : words.why.entry, values);
      default: return object < 0 && value > 0 ? fill(words.why.message, values) : fill(words.why.other, values);
    }
  }

  /** How late the handler of a timer begins. */
  late({ [OTHER]: context, [VALUE]: deadline, [DETAIL]: late }) {
    if (this.chronicle.clocks.isAtOnce(context, deadline)) return words.why.late.atOnce;
    return late > 0 ? fill(words.why.late.ago, { time: duration(late) }) : words.why.late.now;
  }

  /** A task that begins, or goes on after the request that it awaited. */
  task(index, values) {
    const { before, awaited } = this.chronicle.tasks.get(index);
    const waited = awaited < 0 ? "" : fill(words.why.waited, { label: this.recording.label(awaited) });
    return fill(before ? words.why.task : words.why.taskBegins, { ...values, waited, cause: this.cause(index) });
  }

  nested(index, values) {
    const maker = this.chronicle.frames.makers[index];
    if (!maker) return fill(words.why.other, values);
    return fill(words.why.nested, { at: values.at, handler: this.recording.handler(maker.object) });
  }

  /** “, inside the handler of …” for a handler that another one runs. */
  inside(index) {
    const parent = this.chronicle.frames.begun.get(index)?.parent;
    return parent?.kind === "handler" ? fill(words.why.inside, { handler: this.recording.handler(parent.object) }) : "";
  }

  /** “, scheduled by …” if a handler did that. */
  cause(index) {
    const cause = this.chronicle.causes.get(index) ?? -1;
    const maker = cause >= 0 ? this.chronicle.frames.makers[cause] : null;
    return maker ? fill(words.why.cause, { handler: this.recording.handler(maker.object) }) : "";
  }

  /** “, 12 µs ago” if it is known when the signal arrived. */
  since(index) {
    const cause = this.chronicle.causes.get(index) ?? -1;
    if (cause < 0) return "";
    const { [TIME]: time, [DETAIL]: times } = this.recording.records[index];
    return counted(words.why.since, Math.max(1, times), { time: duration(time - this.recording.records[cause][TIME]) });
  }

  sender(record, index) {
    const cause = this.chronicle.causes.get(index) ?? -1;
    if (cause < 0 || this.recording.kind(record[OBJECT]) !== "inbox") return "";
    const sent = this.recording.records[cause];
    const thread = this.recording.threadPhrase(sent[THREAD]);
    return fill(words.why.sender, { thread, time: duration(record[TIME] - sent[TIME]) });
  }

  /** What happened at a record that is not the beginning of a handler. */
  what(index) {
    const record = this.recording.records[index];
    const maker = this.chronicle.frames.makers[index];
    const [, thread, what, object, other, value, detail, text] = record;
    const values = {
      object: this.recording.wording(object), label: this.recording.label(object), other: this.recording.wording(other), value, what,
      handler: this.recording.handler(what === "end" || !maker ? object : maker.object),
      thread: this.recording.threadPhrase(thread), text: firstLine(this.recording.text(text)), size: counted(words.bytes, value),
      due: this.due(other, value, index), flags: flagsText(detail), time: duration(value),
      status: fill(pick(words.requestStatus, value), { status: value }),
    };
    const template = this.template(record, index);
    return typeof template === "string" ? fill(template, values) : counted(template, value, values);
  }

  hasEnded(request, index) {
    const ended = this.chronicle.requests.get(request)?.ended ?? -1;
    return ended >= 0 && ended < index;
  }

  template([, , what, object, other, value, detail], index) {
    const kind = this.recording.kind(object);
    const table = words.what;
    switch (what) {
      case "made": return other < 0 ? table.madeRoot : table.made;
      case "moved": return other < 0 ? table.movedRoot : table.moved;
      case "turnBegin": return value > 1 ? table.turnBeginNested : table.turnBegin;
      case "waitBegin": return value < 0 ? table.waitBeginForever : value === 0 ? table.waitBeginZero : table.waitBegin;
      case "waitEnd": return detail === 1 ? table.waitWoken : value === 0 ? table.waitEndNone : table.waitEnd;
      case "attached": return pick(table.attached, kind);
      case "changed": return kind === "fd" && detail === 0 ? table.changed.fdOff : pick(table.changed, kind);
      case "freed": return kind === "task" ? table.taskEnds : table.freed;
      case "received": return this.hasEnded(object, index) ? table.received : table.discarded;
      case "detached": return other < 0 ? table.detachedGone : table.detached;
      case "sent": return object < 0 ? table.sentCall : table.sent;
      case "arrived": return kind === "signal" ? table.arrivedSignal : object < 0 ? table.arrivedCall : table.arrived;
      case "output": return table.output[value === 2 ? 2 : 1];
      default: return pick(table, what);
    }
  }

  /** “due in 2 ms” by the context's clock, or the deadline if what time it is there is not known. */
  due(context, deadline, index) {
    const { clocks } = this.chronicle;
    if (clocks.isAtOnce(context, deadline)) return words.dueAtOnce;
    const now = clocks.now(context, index, this.recording.records[index][TIME]);
    if (now === null) return fill(words.deadline, { time: duration(deadline) });
    const wait = deadline - now;
    if (Math.abs(wait) < 1000) return words.dueNow;
    return fill(wait < 0 ? words.dueAgo : words.dueIn, { time: duration(Math.abs(wait)) });
  }
}
