// The panels for the present step, the events, the queues, the output and the source. memory.js and requests.js have the
// other two.

const LIST_LIMIT = 12;
const OUTPUT_LIMIT = 60;

/** What the panels need to draw a step. */
class View {
  constructor(recording, chronicle, sentences, forecast, state, step) {
    Object.assign(this, { recording, chronicle, sentences, forecast, state, step });
    this.index = state.at;
    this.record = recording.records[this.index];
    this.frame = chronicle.frames.innermost[this.index];
    this.running = new Set();
    for (let frame = this.frame; frame; frame = frame.parent) if (frame.kind === "handler") this.running.add(frame.object);
  }
}

function kindClass(kind) {
  const known = ["signal", "immediate", "timer", "fd", "request", "queue", "entry", "inbox"];
  return `kind-${known.includes(kind) ? kind : "other"}`;
}

/** The head of the page: position, sentence, forecast and stages. */
class NowPanel {
  constructor() {
    this.where = make("p", { class: "where" });
    this.why = make("p", { class: "why", id: "why" });
    this.next = make("p", { class: "next", id: "next" });
    this.stagesTitle = make("p", { class: "stages-title", id: "stages-title" });
    this.stages = words.stages.map((name) => make("li", {}, make("span", {}, name)));
    const list = make("ol", { class: "stages", id: "stages", "aria-labelledby": "stages-title" }, this.stages);
    const heading = make("h2", { class: "hidden" }, words.now);
    this.element = make("section", { class: "now" }, heading, this.where,
      make("div", { class: "sentences" }, this.why, this.next), this.stagesTitle, list);
  }

  show(view, isPredicting) {
    const { record, recording, frame } = view;
    this.element.className = `now ${kindClass(record[WHAT] === "begin" ? recording.kind(record[OBJECT]) : "")}`;
    this.where.replaceChildren(...this.places(view).map((text) => make("span", {}, text)));
    this.why.textContent = view.sentences.of(view.index);
    this.next.textContent = isPredicting ? words.hidden : view.forecast.of(view.state);
    const turn = enclosing(frame, "turn");
    this.stagesTitle.textContent = turn
      ? fill(words.stagesOf, { number: grouped(turn.number), context: recording.label(turn.context) }) : words.noTurn;
    this.showStages(view);
  }

  places({ record, recording, frame }) {
    const texts = [fill(words.where.time, { time: duration(record[TIME]) })];
    if (recording.threads.length > 1) texts.push(fill(words.where.thread, { name: recording.threadName(record[THREAD]) }));
    let level = 0;
    for (let outer = frame; outer; outer = outer.parent) if (outer.kind === "loop") level += 1;
    if (level > 1) texts.push(fill(words.where.nested, { level }));
    return texts;
  }

  showStages(view) {
    const present = view.chronicle.frames.stages[view.index];
    this.stages.forEach((element, index) => {
      const isPresent = present === index + 1;
      element.className = `stage-${index + 1}`;
      if (isPresent) element.setAttribute("aria-current", "step");
      else element.removeAttribute("aria-current");
      const isWaiting = isPresent && view.frame?.kind === "wait";
      element.firstChild.textContent = isWaiting ? words.stageWaiting : words.stages[index];
    });
  }
}

/** The lists of each context. */
class ListsPanel {
  constructor() {
    Object.assign(this, panel("lists", words.lists));
  }

  show(view) {
    const contexts = [...view.state.contexts].filter(([number]) => view.state.parents.has(number) || number < 0);
    this.body.replaceChildren(...contexts.map(([number, context]) => this.context(view, number, context, contexts.length)),
      this.messages(view));
  }

  context(view, number, context, count) {
    const lists = LISTS.filter((list) => list !== "others" || context.others.size > 0);
    const heading = count > 1 ? make("h3", {}, capitalised(view.recording.label(number))) : null;
    return make("div", { class: "context" }, heading,
      make("dl", { class: "lists" }, lists.map((list) => this.list(view, number, list, context))));
  }

  list(view, number, list, context) {
    const items = list === "timers" ? sortedTimers(context) : [...context[list].values()];
    const { came, altered, went } = view.state.changes;
    const isMarked = ({ object }) => came.has(object) || altered.has(object);
    const [shown, missing] = capped(items, LIST_LIMIT, isMarked);
    const rows = this.running(view, number, list);
    rows.push(...shown.map((item) => this.item(view, number, item)));
    if (missing > 0) rows.push(make("li", { class: "more" }, moreText(missing)));
    const gone = [...went.values()].filter((item) => item.context === number && item.list === list
      && !view.state.homes.has(item.object) && !view.running.has(item.object));
    rows.push(...gone.slice(0, LIST_LIMIT).map(({ object }) => this.row(view, object, mark("old", words.gone), "gone")));
    if (rows.length === 0) rows.push(make("li", { class: "none" }, words.none));
    return make("div", { class: `list list-${list}` }, make("dt", {}, words.listNames[list]),
      make("dd", {}, make("ul", {}, rows)));
  }

  item(view, number, item) {
    const { recording, state } = view;
    const { came, altered, went } = state.changes;
    const isNew = came.has(item.object) && !went.has(item.object);
    const isAltered = altered.has(item.object) || (came.has(item.object) && !isNew);
    const row = make("li", { class: `event ${kindClass(recording.kind(item.object))}` },
      make("span", { class: "label" }, view.forecast.itemLabel(item)), this.detail(view, number, item));
    if (item.message >= 0) return row;
    if (view.running.has(item.object)) row.append(mark("running", words.running));
    else if (isNew) row.append(mark("new", words.came));
    else if (isAltered) row.append(mark("altered", words.altered));
    return row;
  }

  detail(view, number, item) {
    const kind = view.recording.kind(item.object);
    if (item.message >= 0) return null;
    const place = view.recording.place(item.object);
    const texts = [];
    if (kind === "timer") texts.push(view.sentences.due(number, item.value, view.index));
    if (kind === "fd") texts.push(flagsText(item.detail));
    if (place) texts.push(place);
    return texts.length ? make("span", { class: "detail" }, texts.join(" · ")) : null;
  }

  /** Events that left the list because their handlers run. */
  running(view, number, list) {
    const rows = [];
    for (let frame = view.frame; frame; frame = frame.parent) {
      const record = view.recording.records[frame.begin];
      const kind = view.recording.kind(frame.object);
      const isHere = frame.kind === "handler" && record[OTHER] === number && !view.state.homes.has(frame.object);
      if (isHere && (kind === "inbox" ? "immediates" : LIST_OF_KIND[kind]) === list) {
        rows.unshift(this.row(view, frame.object, mark("running", words.running)));
      }
    }
    return rows;
  }

  row(view, object, itsMark, classes = "") {
    return make("li", { class: `event ${classes} ${kindClass(view.recording.kind(object))}` },
      make("span", { class: "label" }, view.recording.label(object)), itsMark);
  }

  messages(view) {
    const all = [...view.state.onTheWay.values()];
    if (all.length === 0) return "";
    const [shown, missing] = capped(all, LIST_LIMIT);
    const rows = shown.map(({ inbox, number }) => make("li", { class: "event kind-inbox" },
      make("span", { class: "label" }, messageText(view.recording, inbox, number))));
    if (missing > 0) rows.push(make("li", { class: "more" }, moreText(missing)));
    return make("dl", { class: "lists messages" }, make("div", { class: "list" }, make("dt", {}, words.onTheWay),
      make("dd", {}, make("ul", {}, rows))));
  }
}

class QueuesPanel {
  constructor() {
    Object.assign(this, panel("queues", words.queues));
  }

  show(view) {
    const queues = [...view.state.queues];
    this.element.hidden = view.chronicle.queues.size === 0 && queues.length === 0;
    const [shown, missing] = capped(queues, LIST_LIMIT);
    this.body.replaceChildren(...shown.map(([number, queue]) => this.queue(view, number, queue)));
    if (queues.length === 0) this.body.append(make("p", { class: "none" }, words.none));
    if (missing > 0) this.body.append(make("p", { class: "more" }, moreText(missing)));
  }

  queue(view, number, queue) {
    const { changes } = view.state;
    const [shown, missing] = capped([...queue.entries.keys()], LIST_LIMIT);
    const rows = shown.map((entry) => make("li", { class: "event kind-entry" },
      make("span", { class: "label" }, view.recording.label(entry)),
      view.running.has(entry) ? mark("running", words.running) : changes.joined.has(entry) ? mark("new", words.came) : null));
    if (missing > 0) rows.push(make("li", { class: "more" }, moreText(missing)));
    for (const [entry, from] of [...changes.left].slice(0, LIST_LIMIT)) {
      if (from !== number) continue;
      rows.push(make("li", { class: "event gone kind-entry" }, make("span", { class: "label" }, view.recording.label(entry)),
        mark("old", words.gone)));
    }
    if (rows.length === 0) rows.push(make("li", { class: "none" }, words.queueEmpty));
    const title = make("h3", {}, capitalised(view.recording.label(number)), " ",
      queue.stopped ? mark("old", words.queueStopped) : null);
    return make("div", { class: "queue" }, title, make("ol", { class: "entries" }, rows));
  }
}

class OutputPanel {
  constructor() {
    Object.assign(this, panel("output", words.output));
  }

  show(view, since) {
    const { outputs } = view.chronicle;
    this.element.hidden = outputs.length === 0;
    const count = outputs.length && outputs[0] <= view.index ? lastNotAfter(outputs, view.index) + 1 : 0;
    const from = Math.max(0, count - OUTPUT_LIMIT);
    const rows = outputs.slice(from, count).map((index) => this.row(view, index, since));
    if (from > 0) rows.unshift(make("li", { class: "more" }, fill(words.earlier, { count: grouped(from) })));
    if (rows.length === 0) return this.body.replaceChildren(make("p", { class: "none" }, words.none));
    const list = make("ol", { class: "output", tabindex: 0, "aria-label": words.output }, rows);
    this.body.replaceChildren(list);
    list.scrollTop = list.scrollHeight;
    return undefined;
  }

  row(view, index, since) {
    const record = view.recording.records[index];
    const kind = record[WHAT] === "note" ? "note" : record[VALUE] === 2 ? "error" : "output";
    const text = view.recording.text(record[TEXT]).replace(/\n$/, "");
    return make("li", { class: `${kind} ${index > since ? "fresh" : ""}` },
      kind === "output" ? null : make("span", { class: "detail" }, words.outputKinds[kind]), make("pre", {}, text));
  }
}

class SourcePanel {
  constructor() {
    Object.assign(this, panel("source", words.source));
  }

  show(view) {
    const { recording, record } = view;
    const object = recording.objects[this.objectOf(view)];
    const isEnd = record[WHAT] === "ended" && record[TEXT] > 0;
    const file = isEnd ? recording.text(record[TEXT]) : object?.file;
    const line = isEnd ? record[LINE] : object?.line;
    this.element.hidden = !recording.objects.some((each) => each.file);
    if (!file) return this.body.replaceChildren(make("p", { class: "none" }, words.sourceNone));
    const what = fill(isEnd ? words.sourceOf.ended : words.sourceOf.object, { label: recording.wording(this.objectOf(view)) });
    this.body.replaceChildren(make("p", {}, capitalised(what)), make("p", { class: "place" }, `${file}:${line}`),
      this.lines(recording.sources[file], line));
    return undefined;
  }

  /** The record's own object, or the innermost handler that it happens in, whichever has a place. */
  objectOf({ record, recording, frame }) {
    if (recording.objects[record[OBJECT]]?.file && record[WHAT] !== "end") return record[OBJECT];
    for (let outer = enclosing(frame, "handler"); outer; outer = enclosing(outer.parent, "handler")) {
      if (recording.objects[outer.object]?.file) return outer.object;
    }
    return -1;
  }

  lines(source, line) {
    if (!source || !Array.isArray(source.lines)) return make("p", { class: "none" }, words.sourceMissing);
    const first = Number(source.first) || 1;
    const from = Math.max(0, line - first - 4);
    const shown = source.lines.slice(from, Math.max(0, line - first) + 5).map(String);
    const indents = shown.filter((text) => text.trim()).map((text) => text.search(/\S/));
    const indent = indents.length ? Math.min(...indents) : 0;
    const rows = shown.map((text, index) => {
      const number = first + from + index;
      const isHere = number === line;
      return make("li", { value: number, class: isHere ? "here" : "", "aria-current": isHere ? "location" : null },
        make("code", {}, text.slice(indent)));
    });
    return make("ol", { class: "source", tabindex: 0, "aria-label": words.source }, rows);
  }
}
