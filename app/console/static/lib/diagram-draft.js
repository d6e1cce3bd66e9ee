/** A diagram while it is being drawn: each change can be undone. Positions are the wire's: "x, y, width, height", centres. */
import { NODE, layoutDiagram } from "./layout.js";

const MOST_UNDONE = 100;
const FREE = { x: 0, y: 0 };

/** What a new step of a kind asks or does, so that it can be activated without more. */
const FIRST_ARGS = {
  Manual: () => ({ userPrompt: "Do it and say when it is done." }),
  Question: () => ({ question: "Is it right?", questionResponses: { Yes: { displayName: "Yes", value: 1, order: 0 }, No: { displayName: "No", value: 0, order: 1 } } }),
  OpenApp: () => ({ appUrl: "https://" }),
  DefineLocation: () => ({ geometryType: "Polygon" }),
  UpdateJobProperties: () => ({ properties: [] }),
  Attachment: () => ({ acceptEmbedded: true }),
  AdvancedAssignment: () => ({ assignmentMethod: "UserDefined" }),
};

export class DiagramDraft extends EventTarget {
  #undone = [];
  #done = [];
  isChanged = false;

  constructor(document) {
    super();
    this.document = withPlaces(document);
  }

  get steps() {
    return this.document.steps;
  }

  step(id) {
    return this.steps.find((each) => each.id === id);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  undo() {
    this.#swap(this.#done, this.#undone);
  }

  redo() {
    this.#swap(this.#undone, this.#done);
  }

  /** What was stored is the state now. */
  stored() {
    this.isChanged = false;
    this.#tell();
  }

  rename(name) {
    this.#change((document) => ({ ...document, diagramName: name }));
  }

  describe(description) {
    this.#change((document) => ({ ...document, description }));
  }

  /** Adds a step, right of `after` where that is given (and a path to it); gives its id. */
  add(kind, after = null) {
    const id = crypto.randomUUID();
    const from = this.step(after);
    const base = from ? placeOf(from) : { ...this.#last(), y: this.#last().y };
    const place = this.#free({ x: from || this.steps.length ? base.x + NODE.width + 64 : 0, y: base.y });
    const step = {
      id, name: this.#name(kind), automatic: false, proceedNext: true, canSkip: false, canComment: true, commentRequired: false,
      position: positionOf(place), action: { actionType: kind, args: FIRST_ARGS[kind]?.() ?? {} }, paths: [],
    };
    this.#change((document) => ({
      ...document,
      initialStepId: document.initialStepId || id,
      steps: [...document.steps.map((each) => (each.id === after ? { ...each, paths: [...(each.paths ?? []), newPath(each, id)] } : each)), step],
    }));
    return id;
  }

  /** Takes a step out, and the paths that lead to it. */
  remove(id) {
    this.#change((document) => {
      const steps = document.steps.filter((each) => each.id !== id).map((each) => ({ ...each, paths: (each.paths ?? []).filter((path) => path.nextStep !== id) }));
      return { ...document, steps, initialStepId: document.initialStepId === id ? steps[0]?.id ?? "" : document.initialStepId };
    });
  }

  change(id, members) {
    this.#changeStep(id, (step) => ({ ...step, ...members }));
  }

  changeArgs(id, args) {
    this.#changeStep(id, (step) => ({ ...step, action: { ...step.action, args: { ...step.action?.args, ...args } } }));
  }

  replaceArgs(id, args) {
    this.#changeStep(id, (step) => ({ ...step, action: { ...step.action, args } }));
  }

  begin(id) {
    this.#change((document) => ({ ...document, initialStepId: id }));
  }

  /** The author's points of paths are left out where an end moves: they would lead past it. */
  move(id, place) {
    this.#change((document) => ({
      ...document,
      steps: document.steps.map((step) => {
        const paths = (step.paths ?? []).map((path) => (step.id === id || path.nextStep === id ? { ...path, points: [] } : path));
        return step.id === id ? { ...step, paths, position: positionOf({ ...placeOf(step), ...place }) } : { ...step, paths };
      }),
    }));
  }

  connect(from, to) {
    if ((this.step(from)?.paths ?? []).some((path) => path.nextStep === to)) return;
    this.#changeStep(from, (step) => ({ ...step, paths: [...(step.paths ?? []), newPath(step, to)] }));
  }

  changePath(from, number, members) {
    this.#changeStep(from, (step) => ({ ...step, paths: step.paths.map((path, place) => (place === number ? { ...path, ...members } : path)) }));
  }

  removePath(from, number) {
    this.#changeStep(from, (step) => ({ ...step, paths: step.paths.filter((_, place) => place !== number) }));
  }

  /** Lays everything out anew. */
  tidy() {
    const { nodes } = layoutDiagram(this.document, { fresh: true });
    this.#change((document) => ({
      ...document,
      steps: document.steps.map((step) => ({ ...step, position: positionOf(nodes.get(step.id)), paths: (step.paths ?? []).map((path) => ({ ...path, points: [] })) })),
    }));
  }

  /** The document as it is sent. */
  toSend(active) {
    const { diagramId, diagramVersion, initialStepName, ...rest } = this.document;
    return { ...rest, active };
  }

  #changeStep(id, change) {
    this.#change((document) => ({ ...document, steps: document.steps.map((step) => (step.id === id ? change(step) : step)) }));
  }

  #change(change) {
    this.#done = [...this.#done, this.document].slice(-MOST_UNDONE);
    this.#undone = [];
    this.document = change(this.document);
    this.isChanged = true;
    this.#tell();
  }

  #swap(from, to) {
    if (!from.length) return;
    to.push(this.document);
    this.document = from.pop();
    this.isChanged = true;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  #last() {
    return this.steps.length ? placeOf(this.steps.at(-1)) : FREE;
  }

  /** The place, or the next one below where nothing lies. */
  #free({ x, y }) {
    const taken = this.steps.map(placeOf);
    const place = { x, y, ...NODE };
    while (taken.some((each) => Math.abs(each.x - place.x) < NODE.width && Math.abs(each.y - place.y) < NODE.height + 12)) place.y += NODE.height + 36;
    return place;
  }

  #name(kind) {
    const base = { Manual: "Do something", Question: "Ask something", OpenApp: "Open an app", DefineLocation: "Mark the place", UpdateJobProperties: "Fill in", Attachment: "Attach a file", AdvancedAssignment: "Choose who goes on", Email: "Send an e-mail", WebRequest: "Call a server", CreateJob: "Create jobs", ExecuteGP: "Run a tool" }[kind] ?? kind;
    const names = new Set(this.steps.map((each) => each.name));
    let name = base;
    for (let number = 2; names.has(name); number += 1) name = `${base} ${number}`;
    return name;
  }
}

export const emptyDiagram = () => ({ diagramName: "", description: "", initialStepId: "", steps: [], dataSources: [], annotations: [], displayGrid: true });

/** The answers of a question: `[{name, value}]` in their order. */
export function answersOf(step) {
  const given = step.action?.args?.questionResponses ?? {};
  const list = Array.isArray(given) ? given : Object.entries(given).map(([name, each]) => ({ name, ...each }));
  return list.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0)).map((each) => ({ name: each.displayName ?? each.name, value: each.value }));
}

export const answersToSend = (answers) => Object.fromEntries(answers.map(({ name, value }, order) => [`${order + 1}`, { displayName: name, value, order }]));

/** A new path opens when the step succeeds; of a question, with the first answer that has no path yet. */
function newPath(step, nextStep) {
  const path = { nextStep, expression: "$retVal == $stepSuccess", assignedType: "Unassigned", notifications: [], points: [] };
  if (step.action?.actionType !== "Question") return path;
  const used = new Set((step.paths ?? []).map((each) => each.expression?.replace(/\s/g, "")));
  const answer = answersOf(step).find(({ value }) => !used.has(`$retVal==${value}`));
  return answer ? { ...path, expression: `$retVal == ${answer.value}`, label: answer.name } : path;
}

function placeOf(step) {
  const [x = 0, y = 0, width = NODE.width, height = NODE.height] = String(step.position ?? "").split(",").map(Number);
  return { x, y, width, height };
}

const positionOf = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(", ");

/** A diagram whose steps all have a place of their own. */
function withPlaces(document) {
  const { nodes } = layoutDiagram(document);
  return { ...document, steps: document.steps.map((step) => ({ ...step, position: positionOf(nodes.get(step.id)) })) };
}
