/** Checked by the TypeScript compiler, never run: what a user's program may write, and what it may not. */

import {
  AnswerRejected,
  AssignedType,
  type ConfigInfo,
  ConnectionPhase,
  DiagramsManager,
  type JobMessage,
  JobsManager,
  ManagerFactory,
  NotificationManager,
  type Point,
} from 'stepgate-client';

const config: ConfigInfo = {
  serverUrl: 'https://gate.test',
  getToken: async ({ rejected }) => (rejected === null ? 'first' : 'next'),
};

// @ts-expect-error  (a token is missing)
const without: ConfigInfo = { serverUrl: 'https://gate.test' };

// @ts-expect-error  (one of the two places, not both)
const both: ConfigInfo = { serverUrl: 'https://gate.test', portalUrl: 'https://portal.test', token: 't' };

export async function work(templateId: string): Promise<number> {
  const jobs = await ManagerFactory.getManager(JobsManager, config);
  const notifications: NotificationManager = await ManagerFactory.getManager(NotificationManager, config);
  const { jobIds } = await jobs.createJobs(templateId, { assignedType: AssignedType.User, dueDate: new Date() });
  const place: Point = { x: 7.4, y: 46.9 };
  const done: boolean = await jobs.setJobLocation(jobIds[0]!, place);
  await jobs.addHolds({ jobId: jobIds[0]!, scheduledRelease: new Date() });
  // @ts-expect-error  (a dependency names what it waits for)
  await jobs.addDependency({ jobId: jobIds[0]! });
  // @ts-expect-error  (no such kind of assignment)
  await jobs.assignCurrentStep(jobIds[0]!, 'ana', 'Nobody');

  const stop = new AbortController();
  const callbackId: string = notifications.subscribeToJob(jobIds[0]!, handle, { signal: stop.signal });
  const state = await notifications.whenSubscribed(callbackId);
  if (notifications.state.phase === ConnectionPhase.Waiting) notifications.connect();
  const sent = notifications.send({ msgType: 'StepInfoResponse', message: answerOf(jobIds[0]!, 's1') });
  try {
    await sent.stored;
    return (await sent).stage === 'applied' && done ? state.message.seq : 0;
  } catch (error) {
    if (error instanceof AnswerRejected && error.reason === 'already_answered') return -1;
    throw error;
  }
}

function answerOf(jobId: string, stepId: string) {
  return { jobId, stepId, questionResponse: 1, comment: 'Looks good' };
}

function handle(message: JobMessage): string | undefined {
  switch (message.msgType) {
    case 'StepInfoRequired':
      // The form follows from the step's type.
      return message.message.stepType === 'Question'
        ? message.message.questionResponses?.map(({ name }) => name).join()
        : message.message.userPrompt;
    case 'StepFinished':
      return message.message.currentSteps.map((step) => step.stepName).join();
    case 'StepError':
      return message.message.msgCode;
    case 'JobUpdated':
      return message.message.properties.jobProperties?.[0]?.propertyName;
    default:
      // @ts-expect-error  (not every message is about steps)
      return message.message.stepIds;
  }
}

export async function publish(diagramId: string): Promise<string[]> {
  const diagrams = await ManagerFactory.getManager(DiagramsManager, config);
  const diagram = await diagrams.getDiagram(diagramId, 1);
  const { warnings = [] } = await diagrams.updateDiagram(diagramId, { ...diagram, active: true });
  return warnings.map(({ kind }) => kind);
}

void [without, both];
