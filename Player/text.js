// Makes text from the words and from values.

const words = WORDS[document.documentElement.lang] || WORDS.en;

/** Replaces each `{key}` of a template; `{Key}` is the value of `key` with a capital letter. */
function fill(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (whole, key) => {
    if (key in values) return String(values[key]);
    const small = key[0].toLowerCase() + key.slice(1);
    return small in values ? capitalised(String(values[small])) : whole;
  });
}

/** The first line of a text, with a sign that there are more. */
function firstLine(text) {
  const [first, ...rest] = text.trim().split("\n");
  return rest.length ? `${first} …` : first;
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Chooses between `one` and `other`, and writes the count with separators. */
function counted(forms, count, values = {}) {
  return fill(count === 1 ? forms.one : forms.other, { ...values, count: grouped(count) });
}

function grouped(number) {
  return Number.isFinite(number) ? number.toLocaleString("en-US") : String(number);
}

/** The entry of a table for a key that comes from the data, which may be a name such as `constructor`. */
function pick(table, key, otherwise = "other") {
  return Object.hasOwn(table, key) ? table[key] : table[otherwise];
}

const MINUTE = 6e10;
const DAY = 864e11;
const TIME_UNITS = [["d", DAY], ["h", 36e11], ["min", MINUTE], ["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];

/** A duration with three digits, in the largest unit of which there is at least one; in days if there are at least two. */
function duration(nanoseconds) {
  const size = Math.abs(nanoseconds);
  const [unit, length] = TIME_UNITS.find(([, length]) => size >= (length === DAY ? 2 : 1) * length) || ["ns", 1];
  const number = nanoseconds / length;
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  const shown = unit === "ns" ? Math.round(number) : Number(number.toFixed(digits));
  return fill(words.units_time[unit], { n: grouped(shown) });
}

function flagsText(flags) {
  const names = [1, 2, 4].filter((bit) => flags & bit).map((bit) => words.flagNames[bit]);
  return names.length ? names.join(", ") : words.noFlags;
}

function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
