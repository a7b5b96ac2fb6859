// What would come next, as far as the lists of the present step say.

class Forecast {
  constructor(recording, chronicle, sentences) {
    this.recording = recording;
    this.chronicle = chronicle;
    this.sentences = sentences;
    this.hasLoop = recording.records.some((record) => record[WHAT] === "turnBegin");
  }

  /** One sentence about the loop that the present record belongs to. */
  of(state) {
    const index = state.at;
    if (index === this.recording.records.length - 1) return words.forecast.end;
    const begin = this.begunNext(index);
    if (begin) return this.aboutToRun(begin);
    const context = this.chronicle.frames.contexts[index];
    if (!this.hasLoop) return capitalised(words.forecast.noLoop);
    if (context < 0) return capitalised(this.recording.lost > 0 ? words.forecast.lost : words.forecast.noContext);
    if (!state.contexts.has(context)) return capitalised(words.forecast.freed);
    const hasBegun = this.chronicle.frames.firstTurns.get(context) <= index || this.recording.lost > 0;
    if (!hasBegun && this.isEmpty(state, context)) return capitalised(words.forecast.noContext);
    const rest = this.ofContext(state, context, index);
    const frame = this.chronicle.frames.innermost[index];
    const handler = enclosing(frame, "handler");
    if (handler) {
      return fill(words.forecast.returns, { what: pick(words.forecast.kinds, this.recording.kind(handler.object)), rest });
    }
    const isLooping = frame !== null || this.recording.records[index][WHAT] === "turnEnd";
    return isLooping ? capitalised(rest) : fill(words.forecast.outside, { rest });
  }

  /**
   * The record that begins a handler directly after its event left the lists, or null. The engine takes a queue or a posted
   * request off its list first; in between, the lists alone do not show that it is about to run.
   */
  begunNext(index) {
    const { records } = this.recording;
    const { [THREAD]: thread, [WHAT]: what, [OBJECT]: object } = records[index];
    if (what !== "detached" || object < 0) return null;
    let at = index + 1;
    while (at < records.length && records[at][THREAD] !== thread) at += 1;
    const next = records[at];
    const isItsOwn = next?.[WHAT] === "begin" && next[this.recording.kind(object) === "queue" ? OTHER : OBJECT] === object;
    return isItsOwn ? next : null;
  }

  aboutToRun({ [OBJECT]: object, [OTHER]: other }) {
    if (this.recording.kind(object) !== "entry") {
      return fill(words.forecast.aboutToRun, { handler: this.recording.handler(object) });
    }
    return fill(words.forecast.aboutToCall, { queue: this.recording.label(other), entry: this.recording.label(object) });
  }

  ofContext(state, number, index) {
    const context = state.contexts.get(number);
    const first = context.immediates.values().next().value;
    if (first) return fill(words.forecast.immediate, { label: this.itemLabel(first) });
    const timer = sortedTimers(context)[0];
    const now = this.chronicle.clocks.now(number, index, this.recording.records[index][TIME]);
    if (timer && (this.chronicle.clocks.isAtOnce(number, timer.value) || (now !== null && timer.value <= now))) {
      return fill(words.forecast.due, { label: this.recording.label(timer.object) });
    }
    if (context.ready > 0 && this.watches(context)) return counted(words.forecast.batch, context.ready);
    return this.afterWait(state, number, timer, now);
  }

  afterWait(state, number, timer, now) {
    const context = state.contexts.get(number);
    const hasDescriptors = this.watches(context);
    if (timer) {
      const values = { label: this.recording.label(timer.object), due: this.sentences.due(number, timer.value, state.at) };
      if (now === null) return fill(hasDescriptors ? words.forecast.timerUnknown : words.forecast.timer, values);
      return fill(hasDescriptors ? words.forecast.timerOrFD : words.forecast.timer, values);
    }
    if (hasDescriptors) return this.descriptors(context);
    if (context.signals.size > 0) return words.forecast.signals;
    if (this.hasInbox(state, number)) return words.forecast.messages;
    return this.recording.lost > 0 ? words.forecast.lost : words.forecast.nothing;
  }

  descriptors(context) {
    const watching = [...context.descriptors.values()].filter((item) => item.detail !== 0);
    if (watching.length > 1) return words.forecast.fds;
    return fill(words.forecast.fd, { label: this.recording.label(watching[0].object) });
  }

  isEmpty(state, context) {
    const known = state.contexts.get(context);
    return LISTS.every((list) => known[list].size === 0);
  }

  /** Whether the context has a descriptor that waits for anything. */
  watches(context) {
    for (const item of context.descriptors.values()) if (item.detail !== 0) return true;
    return false;
  }

  /** Whether the context's thread has an inbox: the recording does not say which context an inbox belongs to. */
  hasInbox(state, number) {
    const { objects } = this.recording;
    const thread = objects[number]?.thread;
    return objects.some((object, index) => object.kind === "inbox" && object.thread === thread && state.parents.has(index));
  }

  itemLabel(item) {
    if (item.message >= 0) return messageText(this.recording, item.object, item.message);
    return this.recording.label(item.object);
  }
}

function messageText(recording, inbox, number) {
  if (inbox < 0) return fill(words.messageCall, { number });
  return fill(words.messageItem, { number, inbox: recording.label(inbox) });
}

/** The timers of a context in the order in which they will run. */
function sortedTimers(context) {
  return [...context.timers.values()].sort((a, b) => a.value - b.value);
}
