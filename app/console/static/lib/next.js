/** What happens after an answer, as far as the diagram's own expressions say it plainly. */
const SIMPLE = /^\s*\$retVal\s*={1,2}\s*(?:'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?)|(\$stepSuccess|\$stepError))\s*$/i;

/** `true`, `false`, or null: the expression asks for more than the answer. `value`: a number, or "stepSuccess". */
function opens(expression, value) {
  if (!expression?.trim()) return true;
  const found = expression.match(SIMPLE);
  if (!found) return null;
  const wanted = found[1] ?? found[2] ?? (found[3] !== undefined ? Number(found[3]) : found[4].slice(1));
  return String(wanted).toLowerCase() === String(value).toLowerCase();
}

/** A sentence on where a step leads when it returns `value`. */
export function nextText(diagram, stepId, value) {
  const step = diagram?.steps.find((each) => each.id === stepId);
  if (!step) return "";
  if (!step.paths?.length) return "The workflow ends here.";
  const nameOf = (id) => diagram.steps.find((each) => each.id === id)?.name ?? id;
  const judged = step.paths.map((path) => ({ path, open: opens(path.expression, value) }));
  const certain = judged.filter(({ open }) => open).map(({ path }) => nameOf(path.nextStep));
  const perhaps = judged.filter(({ open }) => open === null).map(({ path }) => nameOf(path.nextStep));
  if (certain.length) return `Next: ${certain.join(" and ")}${perhaps.length ? `, perhaps ${perhaps.join(" or ")}` : ""}`;
  if (perhaps.length) return `Next, as the job is then: ${perhaps.join(" or ")}`;
  return "No path opens for this.";
}
