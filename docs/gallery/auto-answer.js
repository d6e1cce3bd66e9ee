/**
 * Answers questions by a rule, and leaves to people what the rule does not decide.
 *
 *     STEPGATE_URL=http://127.0.0.1:8080 STEPGATE_TOKEN=$(stepgate token admin) node auto-answer.js JOB_ID...
 *
 * The rule: a question that offers "Yes" is answered so when the job's priority is Low. Ends when all jobs are done.
 */

import { AnswerRejected, JobsManager, ManagerFactory, NotificationManager } from 'stepgate-client';

/** Node.js has a WebSocket from version 22 on; before, the package `ws` lends one. */
const WebSocket = globalThis.WebSocket ?? (await import('ws')).default;

const config = { serverUrl: process.env.STEPGATE_URL, token: process.env.STEPGATE_TOKEN, WebSocket };
const jobs = await ManagerFactory.getManager(JobsManager, config);
const notifications = await ManagerFactory.getManager(NotificationManager, config);

async function answer({ jobId, stepId, promptId, question, questionResponses = [] }) {
  const yes = questionResponses.find(({ name }) => name === 'Yes');
  const { jobName, priority } = await jobs.getJob(jobId);
  if (!yes || priority !== 'Low') return console.log(`${jobName}: "${question}" is for people (${priority})`);
  try {
    await notifications.send({ jobId, stepId, promptId, questionResponse: yes.value, comment: 'Answered by rule' });
    console.log(`${jobName}: "${question}" answered with Yes`);
  } catch (error) {
    if (!(error instanceof AnswerRejected)) throw error;
    console.log(`${jobName}: "${question}" was answered by somebody else (${error.reason})`);
  }
}

for (const jobId of process.argv.slice(2)) {
  const callbackId = notifications.subscribeToJob(jobId, async ({ msgType, message }) => {
    if (msgType === 'StepInfoRequired' && message.stepType === 'Question') await answer(message);
    const isDone = msgType === 'JobState' ? message.stepStates.length === 0 : message.currentSteps?.length === 0;
    if (isDone) notifications.unsubscribe(callbackId); // after the last one the socket closes, and the program ends
  });
}
