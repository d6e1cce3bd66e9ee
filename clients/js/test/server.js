/** The real server that pytest has started for this run, and the hand that kills and restarts it. */

import WebSocket from 'ws';

import { JobsManager, ManagerFactory, NotificationManager } from '../src/index.js';

const { STEPGATE_JS_URL: url, STEPGATE_JS_TOKEN: token, STEPGATE_JS_CONTROL: control } = process.env;
const scale = Number(process.env.STEPGATE_TEST_SCALE ?? '1');

export { WebSocket, token, url };

/** The introduction of a new item. */
export const INTRODUCTION = 'Q5-nYVlCTBOZ4ShEdDsglA';

/** Milliseconds to wait for what should take `expectedMs`: ten times as long, as in tests/support. */
export function deadline(expectedMs) {
  return expectedMs * 10 * scale;
}

/** A config for this server; `overrides` may take members away by setting them to undefined. */
export function configOf(overrides = {}) {
  const config = { serverUrl: url, token, WebSocket, retry: { baseMs: 50, capMs: 500 }, ...overrides };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** A manager that is closed with the test. */
export async function managerOf(t, Manager, overrides) {
  const manager = await ManagerFactory.getManager(Manager, configOf(overrides));
  if (manager instanceof NotificationManager) t.after(() => manager.close());
  return manager;
}

export const jobsOf = (t, overrides) => managerOf(t, JobsManager, overrides);

export const notificationsOf = (t, overrides) => managerOf(t, NotificationManager, overrides);

/** Ask pytest: `token?user=NAME`, `kill`, `stop`, `start`, `command?words=...`. Resolves with its answer. */
export async function ask(what) {
  const response = await fetch(`${control}/${what}`, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: ${text}`);
  return text;
}

/** A handler that keeps what it is given; `until` waits for a message, those that have come included. */
export function listener() {
  const messages = [];
  const waiting = new Set();
  const handler = (message) => {
    messages.push(message);
    for (const look of [...waiting]) look();
  };
  const until = (matches, expectedMs = 2_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`It did not come. What came: ${messages.map(({ msgType, seq }) => `${seq} ${msgType}`)}`));
      }, deadline(expectedMs));
      const look = () => {
        const found = messages.find(matches);
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { messages, handler, until, next: (msgType) => until((message) => message.msgType === msgType) };
}

let names = 0;

/**
 * A template over steps `{name, type?, args?, ...}`, each leading to the next one; resolves with its id. Ids of the
 * steps are `s1`, `s2`, ...
 */
export async function makeTemplate(steps, members = {}) {
  const jobs = await ManagerFactory.getManager(JobsManager, configOf());
  const name = `js ${process.pid} ${(names += 1)}`;
  const { diagramId } = await jobs.request('POST', 'diagrams', {
    body: { diagramName: name, active: true, displayGrid: true, steps: steps.map((step, at) => stepOf(step, at, steps)) },
  });
  const { jobTemplateId } = await jobs.request('POST', 'jobTemplates', {
    body: {
      jobTemplateName: name,
      diagramId,
      diagramName: name,
      state: 'Active',
      defaultPriorityName: 'Low',
      defaultAssignedType: 'User',
      defaultAssignedTo: 'JobCreator($job)',
      ...members,
    },
  });
  return jobTemplateId;
}

function stepOf({ name, type = 'Manual', args = {}, ...rest }, at, steps) {
  const paths = at + 1 < steps.length ? [{ nextStep: `s${at + 2}` }] : [];
  return { id: `s${at + 1}`, name, proceedNext: true, action: { actionType: type, args }, paths, ...rest };
}

export const QUESTION = {
  name: 'Approve?',
  type: 'Question',
  args: { question: 'Approve?', questionResponses: { Yes: { displayName: 'Yes', value: 1, order: 1 }, No: { displayName: 'No', value: 2, order: 2 } } },
};
