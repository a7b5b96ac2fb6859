// The panel of the memory tree.

const CHILD_LIMIT = 12;
const ROW_LIMIT = 160;
/** Below this level, the tree is not indented further. */
const DEPTH_LIMIT = 10;
const ROOTS = "roots";

class MemoryPanel {
  constructor() {
    Object.assign(this, panel("memory", words.memory));
    this.more = new More(this.element, () => this.show(this.view));
  }

  show(view) {
    this.view = view;
    this.rows = 0;
    this.findChildren();
    this.findMarked();
    const roots = this.children.get(-1) ?? [];
    this.body.replaceChildren(roots.length ? this.branch(roots, ROOTS, 1) : make("p", { class: "none" }, words.none));
    const { brief } = view.state.changes;
    if (brief > 0) this.body.append(make("p", { class: "detail" }, fill(words.inBetween, { count: grouped(brief) })));
  }

  /** The children of each object, with those that were freed since the last step where they were. */
  findChildren() {
    this.children = new Map();
    const { parents, changes } = this.view.state;
    this.parentOf = (object) => parents.get(object) ?? changes.freed.get(object) ?? -1;
    const add = (object, parent) => {
      const isShown = parent >= 0 && (parents.has(parent) || changes.freed.has(parent));
      const key = isShown ? parent : -1;
      if (!this.children.has(key)) this.children.set(key, []);
      this.children.get(key).push(object);
    };
    for (const [object, parent] of parents) add(object, parent);
    for (const [object, parent] of changes.freed) if (!parents.has(object)) add(object, parent);
  }

  /** What must be seen: what changed, and all that is above it. */
  findMarked() {
    const { made, moved, freed } = this.view.state.changes;
    this.marked = new Set();
    const objects = [...[...made].slice(-40), ...[...moved].slice(-40), ...[...freed.keys()].slice(-40), ...this.view.running];
    for (let object of objects) {
      while (object >= 0 && !this.marked.has(object)) {
        this.marked.add(object);
        object = this.parentOf(object);
      }
    }
  }

  branch(objects, key, depth) {
    const [shown, missing] = capped(objects, this.more.limit(key, CHILD_LIMIT), (object) => this.marked.has(object));
    const rows = [];
    let left = missing;
    for (const object of shown) {
      if (this.rows < ROW_LIMIT + this.more.open.size * MORE_LIMIT) rows.push(this.row(object, depth));
      else left += 1;
    }
    rows.push(this.more.row(key, left, objects.length, CHILD_LIMIT));
    return make("ul", { class: key === ROOTS ? "tree" : depth > DEPTH_LIMIT ? "deep" : "" }, rows);
  }

  row(object, depth) {
    this.rows += 1;
    const { recording, chronicle, state } = this.view;
    const isFreed = !state.parents.has(object);
    const kind = recording.kind(object);
    const { name } = recording.objects[object];
    const label = recording.label(object);
    const line = make("span", { class: `chunk ${isFreed ? "gone" : ""} ${kindClass(kind)}` },
      make("span", { class: "label" }, label),
      name && !label.includes(name) && !name.startsWith("struct tevent_") ? make("span", { class: "detail" }, name) : null,
      depth > DEPTH_LIMIT ? make("span", { class: "detail" }, fill(words.level, { level: depth })) : null,
      chronicle.made[object] < 0 ? make("span", { class: "detail" }, words.beforeBeginning) : this.size(object),
      this.mark(object, isFreed));
    const children = this.children.get(object);
    return make("li", {}, line, children ? this.branch(children, String(object), depth + 1) : null);
  }

  size(object) {
    const size = this.view.chronicle.sizes[object];
    return size > 0 ? make("span", { class: "detail size" }, counted(words.bytes, size)) : null;
  }

  mark(object, isFreed) {
    const { made, moved } = this.view.state.changes;
    if (isFreed) return mark("old", words.freed);
    if (made.has(object)) return mark("new", words.made);
    if (moved.has(object)) return mark("altered", words.moved);
    return null;
  }
}
