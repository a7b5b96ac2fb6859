// Reads and checks the data. README.md describes the format.

const TIME = 0, THREAD = 1, WHAT = 2, OBJECT = 3, OTHER = 4, VALUE = 5, DETAIL = 6, TEXT = 7, LINE = 8;
const FIELDS = 9;
const FORMAT = 1;

/** What is wrong with the data, in words for the reader. */
class BadRecording extends Error {}

/** A recording: its records are sound, and its objects and strings can be asked for by any number. */
class Recording {
  constructor(data) {
    checkParts(data);
    this.program = String(data.program ?? "");
    this.lost = Math.max(0, Number(data.lost) || 0);
    this.threads = data.threads.map(String);
    this.strings = data.strings.map(String);
    this.sources = data.sources && typeof data.sources === "object" ? data.sources : {};
    this.objects = data.objects.map((fields) => this.object(fields));
    this.records = soundRecords(data.records, this.objects.length, this.threads);
    this.nameObjects();
  }

  object(fields) {
    const [kind, name, file, line, thread, tag] = Array.isArray(fields) ? fields : [];
    return {
      kind: String(kind ?? "memory"), name: this.text(name), file: this.text(file), line: Number(line) || 0,
      thread: Number(thread) || 0, tag: String(tag ?? ""), number: 0, label: "",
    };
  }

  text(number) {
    return this.strings[number] ?? "";
  }

  threadName(number) {
    return this.threads[number] || fill(words.unknownThread, { n: number + 1 });
  }

  /** A thread in a sentence. */
  threadPhrase(number) {
    const name = this.threadName(number);
    if (name === "main") return words.mainThread;
    return /^thread /.test(name) ? name : fill(words.otherThread, { name });
  }

  /** What runs for an object, in a sentence. */
  handler(object) {
    return fill(pick(words.handlers, this.kind(object)), { label: this.label(object) });
  }

  kind(object) {
    return this.objects[object]?.kind ?? "";
  }

  label(object) {
    return this.objects[object]?.label ?? words.unknownObject;
  }

  /** The label where the object itself is meant: the event and not its descriptor, memory and not its name. */
  wording(object) {
    const found = this.objects[object];
    if (found?.watched) return fill(found.watch === 1 ? words.watching : words.watchingAnother, { label: found.watched, n: found.watch });
    return found?.kind === "memory" && found.name ? fill(words.namedMemory, found) : this.label(object);
  }

  /** Where an object was made, as `File.swift:12`, or an empty string. */
  place(object) {
    const found = this.objects[object];
    return found && found.file ? `${baseName(found.file)}:${found.line}` : "";
  }

  labelAndPlace(object) {
    const place = this.place(object);
    return place ? fill(words.at, { label: this.label(object), place }) : this.label(object);
  }

  /** Gives each object a name that is unique: by its kind and a number, or by the signal or descriptor that it watches. */
  nameObjects() {
    const counts = new Map();
    const next = (key) => counts.set(key, (counts.get(key) || 0) + 1).get(key);
    for (const object of this.objects) object.number = next(object.kind);
    const watched = this.watchedNames();
    this.objects.forEach((object, index) => {
      const base = watched.get(index);
      if (base) {
        const n = next(`watched ${base}`);
        Object.assign(object, { watched: base, watch: n });
        object.label = n === 1 ? base : fill(words.another, { label: base, n });
      } else {
        object.label = this.plainLabel(object, counts);
      }
    });
  }

  plainLabel(object, counts) {
    if (object.kind === "memory" && object.name) return object.name;
    if (object.kind === "context" && counts.get("context") === 1) return words.onlyContext;
    const isThreaded = object.kind === "inbox" && object.name === "struct tevent_threaded_context";
    const template = isThreaded ? words.threadedImmediate : pick(words.kinds, object.kind, "") ?? words.otherKind;
    const label = fill(template, { n: object.number, kind: object.kind });
    const telling = object.name && !object.name.startsWith("struct tevent_");
    return telling ? fill(words.named, { label, name: object.name }) : label;
  }

  /** The names of signals and the numbers of descriptors, by the event that waits for them. */
  watchedNames() {
    const names = new Map();
    for (const record of this.records) {
      if (!["attached", "changed", "begin"].includes(record[WHAT]) || names.has(record[OBJECT])) continue;
      const kind = this.kind(record[OBJECT]);
      if (kind === "fd") names.set(record[OBJECT], fill(words.descriptor, { number: record[VALUE] }));
      if (kind === "signal" && record[TEXT]) names.set(record[OBJECT], this.text(record[TEXT]));
    }
    return names;
  }
}

function checkParts(data) {
  if (!data || typeof data !== "object") throw new BadRecording(words.badMissing);
  if (data.format !== FORMAT) throw new BadRecording(fill(words.badFormat, { found: data.format, known: FORMAT }));
  for (const part of ["threads", "strings", "objects", "records"]) {
    if (!Array.isArray(data[part])) throw new BadRecording(fill(words.badPart, { part }));
  }
}

/** The records with numbers where numbers must be, in the order of time. Each thread that one names exists afterwards. */
function soundRecords(records, objectCount, threads) {
  let sorted = true;
  let latest = -Infinity;
  let threadCount = threads.length;
  records.forEach((record, index) => {
    if (!Array.isArray(record) || record.length < FIELDS) {
      throw new BadRecording(fill(words.badRecord, { number: index + 1 }));
    }
    for (let field = 0; field < FIELDS; field += 1) {
      if (field !== WHAT && typeof record[field] !== "number") record[field] = Number(record[field]) || 0;
    }
    record[WHAT] = String(record[WHAT]);
    for (const field of [OBJECT, OTHER]) {
      const isKnown = Number.isInteger(record[field]) && record[field] >= 0 && record[field] < objectCount;
      if (!isKnown) record[field] = -1;
    }
    record[THREAD] = Math.min(Math.max(0, Math.floor(record[THREAD])), 4095);
    threadCount = Math.max(threadCount, record[THREAD] + 1);
    if (record[TIME] < latest) sorted = false;
    latest = record[TIME];
  });
  while (threads.length < threadCount) threads.push("");
  return sorted ? records : [...records].sort((a, b) => a[TIME] - b[TIME]);
}

function readRecording() {
  const holder = document.getElementById("recording");
  if (!holder || !holder.textContent.trim()) throw new BadRecording(words.badMissing);
  let data;
  try {
    data = JSON.parse(holder.textContent);
  } catch (error) {
    throw new BadRecording(fill(words.badData, { reason: error.message }));
  }
  return new Recording(data);
}
