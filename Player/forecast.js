// What would come next, as far as the lists of the present step say.

class Forecast {
  constructor(recording, chronicle, sentences) {
    this.recording = recording;
    this.chronicle = chronicle;
    this.sentences = sentences;
  }

  /** One sentence about the loop that the present record belongs to. */
  of(state) {
    const index = state.at;
    if (index === this.recording.records.length - 1) return words.forecast.end;
    const context = this.context(index);
    if (context < 0 || !state.contexts.has(context)) return capitalised(words.forecast.noContext);
    const rest = this.ofContext(state, context, index);
    const isInHandler = enclosing(this.chronicle.frames.innermost[index], "handler") !== null;
    return isInHandler ? fill(words.forecast.returns, { rest }) : capitalised(rest);
  }

  /** The context whose loop runs at a record; on a thread without a loop at that moment, the one that ran last. */
  context(index) {
    const { innermost } = this.chronicle.frames;
    const thread = this.recording.records[index][THREAD];
    for (let at = index; at >= 0 && at > index - 5000; at -= 1) {
      if (this.recording.records[at][THREAD] !== thread) continue;
      const frame = innermost[at];
      const loop = enclosing(frame, "turn") ?? enclosing(frame, "loop");
      if (loop) return loop.context;
      if (["loopEnd", "attached"].includes(this.recording.records[at][WHAT])) return this.loopOf(at);
    }
    return -1;
  }

  loopOf(at) {
    const record = this.recording.records[at];
    return record[WHAT] === "attached" ? record[OTHER] : record[OBJECT];
  }

  ofContext(state, number, index) {
    const context = state.contexts.get(number);
    const first = context.immediates.values().next().value;
    if (first) return fill(words.forecast.immediate, { label: this.itemLabel(first) });
    const timer = sortedTimers(context)[0];
    const now = this.chronicle.clocks.now(number, index, this.recording.records[index][TIME]);
    if (timer && now !== null && timer.value <= now) {
      return fill(words.forecast.due, { label: this.recording.label(timer.object) });
    }
    if (context.ready > 0 && context.descriptors.size > 0) return counted(words.forecast.batch, context.ready);
    return this.afterWait(state, number, timer, now);
  }

  afterWait(state, number, timer, now) {
    const context = state.contexts.get(number);
    const hasDescriptors = context.descriptors.size > 0;
    if (timer) {
      const values = { label: this.recording.label(timer.object), due: this.sentences.due(number, timer.value, state.at) };
      if (now === null) return fill(hasDescriptors ? words.forecast.timerUnknown : words.forecast.timer, values);
      return fill(hasDescriptors ? words.forecast.timerOrFD : words.forecast.timer, values);
    }
    if (hasDescriptors) return words.forecast.fd;
    if (context.signals.size > 0) return words.forecast.signals;
    if (this.hasInbox(state, number)) return words.forecast.messages;
    return this.recording.lost > 0 ? words.forecast.lost : words.forecast.nothing;
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
