/**
 * Posts a line to a chat's webhook when a job is held, when a step fails and when the workflow is done.
 *
 *     STEPGATE_URL=... STEPGATE_TOKEN=... CHAT_WEBHOOK=https://chat.example/hooks/1 node notify-chat.js "priority='High'"
 *
 * The argument is a search in the `q` language; its jobs are watched until the program is ended.
 */

import { JobsManager, ManagerFactory, NotificationManager } from 'stepgate-client';

const WebSocket = globalThis.WebSocket ?? (await import('ws')).default;

const config = { serverUrl: process.env.STEPGATE_URL, token: process.env.STEPGATE_TOKEN, WebSocket };
const jobs = await ManagerFactory.getManager(JobsManager, config);
const notifications = await ManagerFactory.getManager(NotificationManager, config);

/** What is worth a line; undefined for everything else. */
function lineFor(jobName, { msgType, message }) {
  switch (msgType) {
    case 'StepHeld':
      return `${jobName} is on hold${message.setBy ? `, by ${message.setBy}` : ''}`;
    case 'StepError':
      return `${jobName} has failed: ${message.msg}`;
    case 'StepFinished':
      return message.currentSteps.length === 0 ? `${jobName} is done` : undefined;
  }
}

async function post(text) {
  const body = JSON.stringify({ text });
  const response = await fetch(process.env.CHAT_WEBHOOK, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  if (!response.ok) throw new Error(`The chat answered ${response.status}.`);
}

const { results } = await jobs.queryJobs({ q: process.argv[2] ?? 'closed=0', fields: ['jobId', 'jobName'], num: 500 });
const subscriptions = results.map(([jobId, jobName]) =>
  notifications.subscribeToJob(jobId, async (message) => {
    const line = lineFor(jobName, message);
    if (line) await post(line);
  }),
);
await Promise.all(subscriptions.map((callbackId) => notifications.whenSubscribed(callbackId)));
console.log(`Watching ${results.length} jobs`);
