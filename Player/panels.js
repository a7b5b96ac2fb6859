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
  const known = ["signal", "immediate", "task", "timer", "fd", "request", "queue", "entry", "inbox"];
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
    this.stagesTitle.hidden = !view.forecast.hasLoop;
    this.stages[0].parentElement.hidden = !view.forecast.hasLoop;
    this.stagesTitle.textContent = turn
      ? fill(words.stagesOf, { number: grouped(turn.number), context: recording.label(turn.context) }) : words.noTurn;
    this.showStages(view);
  }

  places({ record, recording, frame }) {
    const texts = [fill(words.where.time, { time: duration(record[TIME]) })];
    if (recording.threads.length > 1) texts.push(fill(words.where.thread, { thread: recording.threadPhrase(record[THREAD]) }));
    const turn = enclosing(frame, "turn");
    if (turn?.level > 1) {
      const outer = enclosing(turn.parent, "handler");
      const values = { level: turn.level, handler: outer ? recording.handler(outer.object) : "" };
      texts.push(fill(outer ? words.where.nestedIn : words.where.nested, values));
    }
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
    this.more = new More(this.element, () => this.show(this.view));
  }

  show(view) {
    this.view = view;
    const contexts = [...view.state.contexts].filter(([number]) => view.state.parents.has(number) || number < 0);
    this.body.replaceChildren(...contexts.map(([number, context]) => this.context(view, number, context, contexts.length)),
      contexts.length ? "" : make("p", { class: "none" }, words.noEvents), this.messages(view));
  }

  /** The lists of a context; only those with events if there are several contexts. */
  context(view, number, context, count) {
    const lists = LISTS.map((list) => this.list(view, number, list, context, count > 1 || list === "others")).filter(Boolean);
    const heading = count > 1 ? make("h3", {}, capitalised(view.recording.label(number))) : null;
    return make("div", { class: "context" }, heading,
      lists.length ? make("dl", { class: "lists" }, lists) : make("p", { class: "none" }, words.noEvents));
  }

  list(view, number, list, context, isOptional) {
    const items = list === "timers" ? sortedTimers(context) : [...context[list].values()];
    const { came, altered, went } = view.state.changes;
    const isMarked = ({ object }) => came.has(object) || altered.has(object);
    const key = `${number} ${list}`;
    const [shown, missing] = capped(items, this.more.limit(key, LIST_LIMIT), isMarked);
    const rows = this.running(view, number, list);
    rows.push(...shown.map((item) => this.item(view, number, item)), this.more.row(key, missing, items.length, LIST_LIMIT));
    const gone = [...went.values()].filter((item) => item.context === number && item.list === list
      && !view.state.homes.has(item.object) && !view.running.has(item.object));
    const [goneShown, goneMissing] = capped(gone, this.more.limit(`gone ${key}`, LIST_LIMIT));
    rows.push(...goneShown.map(({ object }) => this.row(view.recording.kind(object), view.recording.label(object),
      mark("old", words.gone), "gone")),
      this.more.row(`gone ${key}`, goneMissing, gone.length, LIST_LIMIT, words.moreGone));
    if (!rows.some(Boolean)) {
      if (isOptional) return null;
      rows.push(make("li", { class: "none" }, words.none));
    }
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
    const { tag } = view.recording.objects[item.object] ?? {};
    if (tag) texts.push(fill(words.tag, { tag }));
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
        const label = kind === "inbox" ? messageText(view.recording, frame.object, record[VALUE]) : view.recording.label(frame.object);
        rows.unshift(this.row(kind, label, mark("running", words.running)));
      }
    }
    return rows;
  }

  row(kind, label, itsMark, classes = "") {
    return make("li", { class: `event ${classes} ${kindClass(kind)}` }, make("span", { class: "label" }, label), itsMark);
  }

  messages(view) {
    const all = [...view.state.onTheWay.values()];
    if (all.length === 0) return "";
    const [shown, missing] = capped(all, this.more.limit("messages", LIST_LIMIT));
    const rows = shown.map(({ inbox, number }) => make("li", { class: "event kind-inbox" },
      make("span", { class: "label" }, messageText(view.recording, inbox, number))));
    rows.push(this.more.row("messages", missing, all.length, LIST_LIMIT));
    return make("dl", { class: "lists messages" }, make("div", { class: "list" }, make("dt", {}, words.onTheWay),
      make("dd", {}, make("ul", {}, rows))));
  }
}

class QueuesPanel {
  constructor() {
    Object.assign(this, panel("queues", words.queues));
    this.more = new More(this.element, () => this.show(this.view));
  }

  show(view) {
    this.view = view;
    const queues = [...view.state.queues];
    this.element.hidden = view.chronicle.queues.size === 0 && queues.length === 0;
    const [shown, missing] = capped(queues, this.more.limit("queues", LIST_LIMIT));
    this.body.replaceChildren(make("ul", {}, shown.map(([number, queue]) => this.queue(view, number, queue)),
      this.more.row("queues", missing, queues.length, LIST_LIMIT),
      queues.length === 0 ? make("li", { class: "none" }, words.none) : null));
  }

  queue(view, number, queue) {
    const { changes } = view.state;
    const entries = [...queue.entries.keys()];
    const [shown, missing] = capped(entries, this.more.limit(`${number}`, LIST_LIMIT));
    const rows = shown.map((entry) => make("li", { class: "event kind-entry" },
      make("span", { class: "label" }, view.recording.label(entry)), this.owner(view, entry), this.mark(view, queue, entry)));
    const gone = [...changes.left].filter(([, from]) => from === number);
    const [goneShown, goneMissing] = capped(gone, this.more.limit(`gone ${number}`, LIST_LIMIT));
    rows.push(this.more.row(`${number}`, missing, entries.length, LIST_LIMIT),
      ...goneShown.map(([entry]) => make("li", { class: "event gone kind-entry" },
        make("span", { class: "label" }, view.recording.label(entry)), mark("old", words.gone))),
      this.more.row(`gone ${number}`, goneMissing, gone.length, LIST_LIMIT, words.moreGone));
    if (!rows.some(Boolean)) rows.push(make("li", { class: "none" }, words.queueEmpty));
    const title = make("h3", {}, capitalised(view.recording.label(number)), " ",
      queue.stopped ? mark("old", words.queueStopped) : null);
    return make("li", { class: "queue" }, title, make("ol", { class: "entries" }, rows));
  }

  /** The request that an entry stands for. */
  owner(view, entry) {
    const request = view.state.parents.get(entry) ?? -1;
    return view.recording.kind(request) === "request"
      ? make("span", { class: "detail" }, view.recording.label(request)) : null;
  }

  mark(view, queue, entry) {
    if (view.running.has(entry)) return mark("running", words.running);
    if (queue.active === entry) return mark("altered", words.started);
    return view.state.changes.joined.has(entry) ? mark("new", words.came) : null;
  }
}

class OutputPanel {
  constructor() {
    Object.assign(this, panel("output", words.output));
    this.more = new More(this.element, () => this.draw(...this.shown));
  }

  show(view, since) {
    this.shown = [view, since];
    const list = this.draw(view, since);
    // When the other panels are there, too: to ask for the height lays the page out.
    if (list) requestAnimationFrame(() => { list.scrollTop = list.scrollHeight; });
  }

  draw(view, since) {
    const { outputs } = view.chronicle;
    this.element.hidden = outputs.length === 0;
    const count = outputs.length && outputs[0] <= view.index ? lastNotAfter(outputs, view.index) + 1 : 0;
    const from = Math.max(0, count - this.more.limit("output", OUTPUT_LIMIT));
    const rows = outputs.slice(from, count).map((index) => this.row(view, index, since));
    rows.unshift(this.more.row("output", from, count, OUTPUT_LIMIT, words.earlier));
    if (count === 0) {
      this.body.replaceChildren(make("p", { class: "none" }, words.none));
      return null;
    }
    const list = make("ol", { class: "output", tabindex: 0, "data-keep": "output", "aria-label": words.output }, rows);
    this.body.replaceChildren(list);
    return list;
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
    return make("ol", { class: "source", tabindex: 0, "data-keep": "source", "aria-label": words.source }, rows);
  }
}
