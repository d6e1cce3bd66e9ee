/** The fields of jobs that `q` knows (docs/search.md), and what completion offers after each. */
export const FIELDS = [
  ["jobName", "text"], ["jobId", "text"], ["jobStatus", "text"], ["priority", "text"], ["jobTemplateName", "text"],
  ["jobTemplateId", "text"], ["diagramId", "text"], ["diagramName", "text"], ["description", "text"], ["notes", "text"],
  ["ownedBy", "text"], ["createdBy", "text"], ["closedBy", "text"], ["parentJob", "text"], ["parentName", "text"],
  ["activeVersions", "text"], ["currentStep", "text"], ["currentStepId", "text"], ["assignedType", "text"],
  ["assignedTo", "text"], ["diagramVersion", "number"], ["percentComplete", "number"], ["createdDate", "date"],
  ["startDate", "date"], ["startedDate", "date"], ["dueDate", "date"], ["endDate", "date"], ["closed", "0 or 1"],
  ["hasLocation", "0 or 1"],
].map(([name, kind]) => ({ name, kind }));

const OPERATORS = {
  text: ["=", "<>", "LIKE", "IN", "IS NULL", "IS NOT NULL"],
  number: ["=", "<", ">", "<=", ">=", "BETWEEN", "IS NULL"],
  date: ["<", ">", "BETWEEN", "IS NULL", "IS NOT NULL"],
  "0 or 1": ["="],
};
const CONNECTIVES = ["AND", "OR"];
const COMPARISON = /([=<>]|\bLIKE|\bIN\s*\(|,)\s*$/i;
const QUOTED = /'(?:[^']|'')*'/g;

/** Tells whether a text is a condition, and not words to look for. */
export const isCondition = (text) => /[=<>]|\b(LIKE|IN|IS|BETWEEN)\b/i.test(text.replace(QUOTED, "''")) || text.startsWith('"');

/**
 * What could stand at the caret: `{from, options: [{text, what}]}`; `from` is where the word that is being written begins.
 * `values`: known values by field; `extended`: names of extended properties.
 */
export function complete(text, caret, { values = {}, extended = [] } = {}) {
  const before = text.slice(0, caret);
  const open = (before.replace(/''/g, "").match(/'/g) ?? []).length % 2 === 1;
  const word = (open ? before.match(/'[^']*$/) : before.match(/[\w.]*$/))[0];
  const from = caret - word.length;
  const head = before.slice(0, from);
  const options = offered(head, { values, extended }).filter(({ text: each }) => startsLike(each, word));
  return { from, options: options.filter(({ text: each }) => each !== word).slice(0, 12) };
}

const startsLike = (option, word) => option.toLowerCase().replace(/^'/, "").startsWith(word.toLowerCase().replace(/^'/, ""));

function offered(head, { values, extended }) {
  if (COMPARISON.test(head)) {
    const field = fieldBefore(head.replace(COMPARISON, ""));
    return valuesOf(field, values);
  }
  const field = fieldBefore(head);
  if (field && /[\w.]\s+$/.test(head)) return OPERATORS[field.kind].map((text) => ({ text, what: "" }));
  if (/('|\d|\)|NULL|TIMESTAMP|DATE)\s+$/i.test(head)) return CONNECTIVES.map((text) => ({ text, what: "" }));
  return [...FIELDS.map(({ name, kind }) => ({ text: name, what: kind })), ...extended.map((text) => ({ text, what: "property" }))];
}

function fieldBefore(head) {
  const name = head.match(/([\w.]+)\s*(?:NOT\s*)?(?:\([^()]*)?$/i)?.[1]?.toLowerCase();
  return FIELDS.find((field) => field.name.toLowerCase() === name) ?? null;
}

function valuesOf(field, values) {
  if (!field) return [];
  if (field.kind === "0 or 1") return ["0", "1"].map((text) => ({ text, what: text === "0" ? "no" : "yes" }));
  if (field.kind === "date") return ["CURRENT_TIMESTAMP", "CURRENT_DATE"].map((text) => ({ text, what: "" }));
  return (values[field.name] ?? []).map((value) => ({ text: `'${value.replace(/'/g, "''")}'`, what: "" }));
}

/** Where a fault of `q` is, from the server's words: `{index, message}`; `index` null where it names no place. */
export function faultOf(message) {
  const found = message.match(/\bq(?:, character (\d+))?: (.*)$/s);
  return found ? { index: found[1] ? Number(found[1]) - 1 : null, message: found[2] } : null;
}
