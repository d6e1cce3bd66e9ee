/** The state of a current step, from the message that describes it (websocket.md 3). */
const BY_TYPE = {
  StepStarted: "running",
  StepInfoRequired: "asks",
  StepStopping: "stopping",
  StepPaused: "paused",
  StepCancelled: "stopped",
  StepStopped: "stopped",
  StepWarningStopped: "stopped",
  StepError: "failed",
  StepHeld: "held",
};

/** `null`: the message says nothing of the steps' states. */
export function stateOf({ msgType, message }) {
  if (msgType === "StepProgress") return message.msgCode === "HANDLED" ? "handled" : "running";
  if (msgType === "StepStopped" && message.msgCode === "COMPLETED") return "handled";
  return BY_TYPE[msgType] ?? null;
}

export const KINDS = {
  Manual: { name: "Manual", icon: "person" },
  Question: { name: "Question", icon: "question" },
  OpenApp: { name: "Open an app", icon: "link" },
  DefineLocation: { name: "Define location", icon: "pin" },
  UpdateJobProperties: { name: "Update properties", icon: "edit" },
  Attachment: { name: "Attachment", icon: "file" },
  AdvancedAssignment: { name: "Assignment", icon: "people" },
  Email: { name: "Email", icon: "comment" },
  WebRequest: { name: "Web request", icon: "bolt" },
  CreateJob: { name: "Create jobs", icon: "plus" },
  ExecuteGP: { name: "Geoprocessing", icon: "system" },
};

export const kindOf = (step) => KINDS[step?.action?.actionType] ?? { name: step?.action?.actionType ?? "Manual", icon: "person" };

/** A message as a sentence for the activity list: `[sentence, look]`. `nameOf` gives a step's name. */
export function sentenceOf({ msgType, message }, nameOf) {
  const ids = message.stepIds ?? (message.stepId ? [message.stepId] : []);
  const steps = ids.map(nameOf).join(", ");
  switch (msgType) {
    case "StepStarted": return [`${steps} was started`, "accent"];
    case "StepInfoRequired": return [`${steps} asks`, "asks"];
    case "StepProgress": return [`${steps}: ${message.msg}`, "accent"];
    case "StepFinished": return [message.currentSteps.length ? `${steps} is finished; now at ${message.currentSteps.map((step) => step.stepName).join(", ")}` : `${steps} is finished; the workflow is at its end`, "good"];
    case "StepStopping": return [`${steps} is being stopped`, "warn"];
    case "StepPaused": return [`${steps} was paused`, "warn"];
    case "StepCancelled": return [`${steps} was cancelled`, "warn"];
    case "StepStopped": return [`${steps}: ${message.msg}`, message.msgCode === "COMPLETED" ? "good" : "warn"];
    case "StepWarningStopped": return [`${steps}: ${message.msg}`, "warn"];
    case "StepError": return [`${steps} failed: ${message.msg}`, "bad"];
    case "StepReassigned": return [`${steps} was given to ${message.assignedTo ?? "nobody"}`, ""];
    case "StepHeld": return [`${steps} is on hold${message.setBy ? `, set by ${message.setBy}` : ""}`, "warn"];
    case "StepHoldReleased": return [`${steps} is not on hold any more`, "good"];
    case "StepHoldsUpdated": return [`Holds of ${steps} have changed`, ""];
    case "JobUpdated": return ["Properties have changed", ""];
    case "JobAttachmentUpdated": return [attachmentSentence(message), ""];
    case "JobCommentUpdated": return [message.adds.map((each) => `${each.lastModifiedBy}: ${each.comment}`).join("\n"), ""];
    case "JobLocationUpdated": return ["The location has changed", ""];
    default: return [msgType, ""];
  }
}

function attachmentSentence({ adds = [], updates = [], deletes = [] }) {
  const parts = [];
  if (adds.length) parts.push(`${adds.map((each) => each.alias ?? each.url).join(", ")} attached`);
  if (updates.length) parts.push(`${updates.map((each) => each.alias).join(", ")} changed`);
  if (deletes.length) parts.push(`${deletes.length === 1 ? "an attachment" : `${deletes.length} attachments`} deleted`);
  return parts.join("; ");
}
