// Asks what runs next, and counts right and wrong answers.

const CHOICE_LIMIT = 6;

/** Finds questions: the choices at a step, and which of them is right. */
class Questions {
  constructor(recording, chronicle, sentences) {
    Object.assign(this, { recording, chronicle, sentences });
  }

  /** The question at a step, or null if the recording shows nothing after it, or nothing yet to find the answer in. */
  at(state) {
    const { records } = this.recording;
    if (state.at >= records.length - 1) return null;
    const thread = records[state.at][THREAD];
    const choices = this.candidates(state, thread);
    if (choices.length === 0 && !this.hasBegun(state.at, thread)) return null;
    const answer = this.answer(state, thread, new Set(choices.map((choice) => choice.key)));
    return { thread, answer, choices: this.choose(choices, answer) };
  }

  /**
   * The next handler on the thread; or none, if its event is not there yet and the loop ends first. `endsFirst` is what to say
   * to readers who answer that the loop ends first, if it does and another one runs the handler.
   */
  answer(state, thread, known) {
    const { records } = this.recording;
    const { innermost } = this.chronicle.frames;
    let hasTurned = innermost[state.at] !== null;
    let loop = hasTurned ? this.chronicle.frames.contexts[state.at] : -1;
    let end = -1;
    let isOther = false; // whether a loop of another context has begun
    for (let at = state.at + 1; at < records.length; at += 1) {
      const [, on, what, object] = records[at];
      if (on !== thread) continue;
      if (what !== "begin") {
        if (what === "turnBegin" && !innermost[at].parent) {
          if (!hasTurned) loop = object;
          isOther ||= object !== loop;
        }
        if (innermost[at]) hasTurned = true;
        else if (hasTurned && what !== "turnEnd" && what !== "arrived" && end < 0) end = at;
        continue;
      }
      const choice = this.choiceOf(at);
      const isThere = known.has(choice.key) || this.exists(state, records[at]);
      if (end >= 0 && !known.has(choice.key)) break;
      const found = isThere ? choice : { key: "later", order: choice.order, label: words.later };
      const why = this.sentences.why(at);
      return { ...found, record: at, why, endsFirst: end >= 0 || isOther ? fill(words.endsFirst, { why }) : "" };
    }
    const waits = end < 0 && innermost[this.lastOf(thread)]?.kind === "wait";
    return {
      key: "nothing", label: waits ? words.nothingWaits : words.nothingEnds, record: end >= 0 ? end : records.length - 1,
      why: waits ? words.waitsWhy : words.endsWhy,
    };
  }

  /** Whether a loop or a handler of the thread has begun. */
  hasBegun(at, thread) {
    const isBefore = (frame) => frame.thread === thread && frame.begin <= at;
    return this.recording.lost > 0 || this.chronicle.frames.all.some(isBefore);
  }

  exists(state, record) {
    return this.recording.kind(record[OBJECT]) === "inbox"
      ? state.onTheWay.has(messageKey(record)) : state.parents.has(record[OBJECT]);
  }

  lastOf(thread) {
    return this.recording.records.findLastIndex((record) => record[THREAD] === thread);
  }

  choiceOf(at) {
    const record = this.recording.records[at];
    const object = record[OBJECT];
    if (this.recording.kind(object) === "inbox") return this.message(object, record[VALUE]);
    return this.object(object);
  }

  object(object) {
    const label = capitalised(this.recording.label(object));
    const place = this.recording.place(object);
    return { key: `object ${object}`, order: object, label: place ? fill(words.choiceAt, { label, place }) : label };
  }

  message(inbox, number) {
    const label = capitalised(messageText(this.recording, inbox, number));
    return { key: `message ${inbox}:${number}`, order: 1e9 + number, label };
  }

  /** What could run next on a thread, the likeliest first: the first of each list, then the second of each, and so on. */
  candidates(state, thread) {
    const lists = [];
    for (const [number, context] of state.contexts) {
      if (number >= 0 && this.recording.objects[number].thread !== thread) continue;
      const { immediates, descriptors, signals } = context;
      lists.push(immediates.values(), sortedTimers(context).values(), descriptors.values(), signals.values());
    }
    const found = new Map();
    for (let round = 0; round < CHOICE_LIMIT; round += 1) {
      for (const list of lists) {
        const { value: item, done } = list.next();
        const choice = done ? null : this.choiceOfItem(state, item);
        if (choice) found.set(choice.key, choice);
      }
    }
    return [...found.values()];
  }

  choiceOfItem(state, item) {
    if (item.message >= 0) return this.message(item.object, item.message);
    if (this.recording.kind(item.object) !== "queue") return this.object(item.object);
    const entry = state.queues.get(item.object)?.entries.keys().next().value;
    return entry === undefined ? null : this.object(entry);
  }

  choose(candidates, answer) {
    const nothing = answer.key === "nothing" ? answer : { key: "nothing", label: words.nothingEnds };
    const others = candidates.filter((choice) => choice.key !== answer.key);
    const most = CHOICE_LIMIT - (answer.key === "nothing" ? 1 : 2);
    const chosen = others.slice(0, most);
    if (answer.key !== "nothing") chosen.push(answer);
    if (chosen.length === 0) chosen.push({ key: "later", order: 0, label: words.later });
    return [...chosen.sort((a, b) => a.order - b.order), nothing];
  }
}

/** The panel that asks. */
class PredictPanel {
  /** `answered` is called with the record to go on to. */
  constructor(questions, answered) {
    Object.assign(this, { questions, answered, right: 0, wrong: 0, question: null });
    Object.assign(this, panel("predict", words.question));
    this.feedback = make("p", { class: "feedback", role: "status" });
    this.choices = make("div", { class: "choices", role: "group", "aria-labelledby": "title-predict" });
    this.score = make("p", { class: "score" });
    this.element.prepend(this.feedback); // above the heading of the next question
    this.body.append(this.choices, this.score);
    this.heading.setAttribute("tabindex", "-1");
    this.element.hidden = true;
  }

  get isOn() {
    return !this.element.hidden;
  }

  /** Whether there is a question at the present step. */
  get isAsking() {
    return this.isOn && this.question !== null;
  }

  toggle() {
    this.element.hidden = !this.element.hidden;
  }

  /** Puts the focus on the question, where no key chooses but the numbers. */
  focus() {
    this.heading.focus({ preventScroll: true });
  }

  show(state) {
    // The feedback belongs to the step that the answer led to.
    this.feedback.textContent = "";
    this.feedback.className = "feedback";
    if (!this.isOn) return;
    this.question = this.questions.at(state);
    const { threads } = this.questions.recording;
    const isOneOfSeveral = this.question && threads.length > 1;
    this.heading.textContent = isOneOfSeveral
      ? fill(words.questionOn, { thread: this.questions.recording.threadPhrase(this.question.thread) }) : words.question;
    this.choices.replaceChildren(...(this.question
      ? this.question.choices.map((choice, index) => this.choice(choice, index)) : [make("p", {}, this.noQuestion(state))]));
    this.score.textContent = fill(words.score, { right: this.right, wrong: this.wrong });
  }

  noQuestion(state) {
    return state.at === this.questions.recording.records.length - 1 ? words.noQuestion : words.noQuestionYet;
  }

  choice(choice, index) {
    return make("button", { type: "button", "data-key": choice.key, onclick: (event) => this.choose(index, event.detail > 0) },
      make("kbd", { "aria-hidden": "true" }, String(index + 1)), make("span", {}, choice.label));
  }

  /** After a click with the mouse, the focus is not on a new choice, which Space would choose. */
  choose(index, isByMouse = false) {
    const choice = this.question?.choices[index];
    if (!choice) return;
    const { answer } = this.question;
    const endsFirst = choice.key === "nothing" && answer.endsFirst;
    const isRight = choice.key === answer.key || Boolean(endsFirst);
    if (isRight) this.right += 1;
    else this.wrong += 1;
    const verdict = isRight ? words.right : words.wrong;
    const held = this.choices.contains(document.activeElement);
    this.answered(answer);
    this.feedback.className = `feedback ${isRight ? "right" : "wrong"}`;
    this.feedback.replaceChildren(make("strong", {}, verdict), ` ${endsFirst || answer.why}`);
    if (isByMouse) this.focus();
    else if (held) (this.choices.querySelector("button") ?? this.element).focus();
  }
}
