/** Why not, and who could lift it: the server's reasons as sentences. */
import { moment, words } from "./format.js";

const ACTIONS = { Run: "run", Finish: "finish", Stop: "stop", SetCurrentStep: "set as the current step", ReleaseHold: "release", StepInformation: "answer" };

/** One way in which a reason could be lifted. `nameOf` gives the name of a step or group. */
export function liftText(lift, nameOf) {
  switch (lift.kind) {
    case "user": return `${lift.name} can do it`;
    case "group": return `a member of ${nameOf(lift.name)} can do it`;
    case "privilege": return `somebody with the privilege “${words(lift.name)}” can`;
    case "action": return lift.stepId ? `${ACTIONS[lift.name] ?? words(lift.name)} ${nameOf(lift.stepId)} first` : `${words(lift.name)} first`;
    case "job": return `it ends when job ${lift.jobId} ${lift.stepId ? "has finished its step" : "is done"}`;
    case "time": return `it ends by itself on ${moment(lift.at)}`;
    case "diagram": return "another version of the diagram has it";
    default: return lift.name ?? lift.kind;
  }
}

export const liftsText = (lifts, nameOf) => {
  const texts = [...new Set(lifts.map((lift) => liftText(lift, nameOf)))];
  return texts.length ? texts.join("; or ") : "Nothing can lift this.";
};
