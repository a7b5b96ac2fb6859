// Puts the parts together, and moves through the steps.

const HASH_PAUSE = 300;
const ANNOUNCE_PAUSE = 250;

class Player {
  constructor(recording) {
    this.recording = recording;
    this.chronicle = new Chronicle(recording);
    this.sentences = new Sentences(recording, this.chronicle);
    this.forecast = new Forecast(recording, this.chronicle, this.sentences);
    this.replay = new Replay(recording, this.chronicle);
    this.unit = "handler";
    this.step = 0;
    this.speed = "1";
    this.timer = 0;
    this.hashTimer = 0;
    this.announceTimer = 0;
    this.controls = new Controls(this, this.unit, this.speed);
    this.now = new NowPanel();
    this.timeline = new Timeline(recording, this.chronicle, (record) => this.goToRecord(record));
    const questions = new Questions(recording, this.chronicle, this.sentences);
    this.predict = new PredictPanel(questions, (answer) => this.answered(answer));
    this.columns = [[new ListsPanel(), new OutputPanel(), new SourcePanel()],
      [new MemoryPanel(), new RequestsPanel(), new QueuesPanel()]];
    this.panels = this.columns.flat();
    this.live = make("div", { class: "hidden", role: "status", "aria-live": "polite", id: "live" });
  }

  elements() {
    const { lost, program } = this.recording;
    return [
      make("header", {}, make("h1", {}, program), make("p", { class: "hint" }, words.keysHint),
        lost > 0 ? make("p", { class: "warning" }, counted(words.lost, lost)) : null),
      this.controls.element,
      make("main", {}, this.now.element, this.predict.element, this.timeline.element,
        make("div", { class: "panels" }, this.columns.map((column) => make("div", {}, column.map((each) => each.element))))),
      this.live,
    ];
  }

  start() {
    this.readHash();
    this.timeline.start(this.index);
    this.show();
    addEventListener("hashchange", () => {
      this.readHash();
      this.show();
    });
  }

  get steps() { return this.chronicle.steps[this.unit]; }

  get index() { return this.steps[this.step]; }

  first() { this.go(0); }

  previous() { this.go(this.step - 1); }

  next() { this.go(this.step + 1); }

  last() { this.go(this.steps.length - 1); }

  /** Goes to a step, counted from 0. */
  go(step) {
    const bounded = Math.min(Math.max(0, step), this.steps.length - 1);
    if (bounded !== step || bounded === this.steps.length - 1) this.stop();
    this.step = bounded;
    this.show();
  }

  goToRecord(record) {
    this.go(this.chronicle.stepAt(this.unit, record));
  }

  setUnit(unit) {
    const { index } = this;
    this.unit = unit;
    this.goToRecord(index);
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.timer) this.play();
  }

  togglePlay() {
    if (this.timer) this.stop();
    else this.play();
    this.showControls();
  }

  play() {
    this.stop();
    if (this.step === this.steps.length - 1) this.step = 0;
    this.timer = setInterval(() => this.next(), 1000 / Number(this.speed));
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  togglePredict() {
    this.stop();
    this.predict.toggle();
    if (this.predict.isOn) this.unit = "handler";
    this.step = this.chronicle.stepAt(this.unit, this.shown ?? 0);
    this.show();
    const hasNoQuestionYet = this.predict.isOn && !this.predict.isAsking && this.step < this.steps.length - 2;
    if (hasNoQuestionYet) this.next();
  }

  choose(number) {
    if (this.predict.isOn) this.predict.choose(number);
  }

  /** Goes to the handler that ran; if none did, to the next step, or the last. */
  answered(answer) {
    const step = this.chronicle.stepAt(this.unit, answer.record);
    this.go(answer.key === "nothing" ? Math.max(step, this.step) + 1 : step);
  }

  show() {
    const { index } = this;
    const since = this.step > 0 ? this.steps[this.step - 1] : -1;
    const state = this.replay.show(index, since);
    const view = new View(this.recording, this.chronicle, this.sentences, this.forecast, state, this.step);
    this.shown = index;
    this.predict.show(state);
    this.now.show(view, this.predict.isAsking);
    keepingFocus(() => this.panels.forEach((each) => each.show(view, since)));
    this.timeline.show(index, this.predict.isOn);
    this.showControls();
    this.announce();
    this.writeHash();
  }

  showControls() {
    this.controls.show(this.step, this.steps.length, this.timer !== 0, this.unit, this.predict.isOn);
  }

  /** Tells screen readers about a step when the reader stays there for a moment. */
  announce() {
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(() => {
      const position = this.controls.position.textContent;
      this.live.textContent = fill(words.announce, { position, sentence: this.now.why.textContent });
    }, ANNOUNCE_PAUSE);
  }

  /** Browsers allow few changes of the address in a short time. */
  writeHash() {
    clearTimeout(this.hashTimer);
    this.hashTimer = setTimeout(() => {
      const unit = this.unit === "handler" ? "" : `&unit=${this.unit}`;
      const hash = `#step=${this.step + 1}${unit}`;
      if (location.hash !== hash) history.replaceState(null, "", hash);
    }, HASH_PAUSE);
  }

  readHash() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const unit = wanted.get("unit") ?? "handler";
    if (Object.hasOwn(this.chronicle.steps, unit)) this.unit = unit;
    const step = Number.parseInt(wanted.get("step") ?? "1", 10) || 1;
    this.step = Math.min(Math.max(1, step), this.steps.length) - 1;
  }
}

function trouble(place, text) {
  place.replaceChildren(make("main", { class: "trouble" }, make("h1", {}, words.bad), make("p", { role: "alert" }, text)));
}

function main() {
  const place = document.getElementById("player");
  try {
    const recording = readRecording();
    if (recording.records.length === 0) {
      place.replaceChildren(make("main", { class: "trouble" }, make("h1", {}, recording.program), make("p", {}, words.empty)));
      return;
    }
    const player = new Player(recording);
    place.replaceChildren(...player.elements());
    player.start();
    window.teventPlayer = player; // for the tests
  } catch (error) {
    trouble(place, error instanceof BadRecording ? error.message : fill(words.broken, { reason: error.message }));
  }
}

main();
