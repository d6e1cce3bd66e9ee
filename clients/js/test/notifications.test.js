/** Subscriptions, handlers and answers on a connection that holds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AnswerRejected, ConnectionPhase, NotFound, SubscriptionRefused, VerdictMissing } from './exports.js';
import { QUESTION, ask, jobsOf, listener, makeTemplate, notificationsOf } from './server.js';

/** A job whose first step asks, and both managers. */
async function world(t, { steps = [QUESTION, { name: 'Visit' }], config } = {}) {
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(await makeTemplate(steps));
  return { jobs, jobId: jobIds[0], notifications: await notificationsOf(t, config) };
}

/** Resolves with the first argument the registered listener is called with. */
const once = (register) => new Promise((resolve) => register(resolve));

test('a handler begins with the state and hears each message once, in order', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const { handler, messages, next } = listener();
  const callbackId = notifications.subscribeToJob(jobId, handler);
  const state = await notifications.whenSubscribed(callbackId);
  await jobs.startSteps(jobId);
  const { message } = await next('StepInfoRequired');
  assert.equal(message.question, 'Approve?');
  await notifications.send({ jobId, stepId: message.stepId, questionResponse: 2 });
  await next('StepFinished');
  assert.equal(messages[0], state);
  const seqs = messages.slice(1).map(({ seq }) => seq);
  assert.deepEqual(seqs, seqs.map((_, at) => at + 1));
  assert.deepEqual(notifications.positions, { [jobId]: { seq: seqs.at(-1), epoch: state.message.epoch } });
});

test('an open question reaches who comes later as StepInfoRequired, once, whoever else listens', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const first = listener();
  notifications.subscribeToJob(jobId, first.handler);
  await jobs.startSteps(jobId);
  await first.next('StepInfoRequired');
  const second = listener();
  const third = listener();
  notifications.subscribeToJob(jobId, second.handler);
  const other = await notificationsOf(t);
  other.subscribeToJob(jobId, third.handler);
  await Promise.all([second.next('StepInfoRequired'), third.next('StepInfoRequired')]);
  await jobs.addJobComment(jobId, 'everybody hears this');
  await Promise.all([first, second, third].map(({ next }) => next('JobCommentUpdated')));
  for (const { messages } of [first, second, third]) {
    assert.equal(messages.filter(({ msgType }) => msgType === 'JobState').length, 1);
    assert.equal(messages.filter(({ msgType }) => msgType === 'StepInfoRequired').length, 1);
  }
});

test('handlers of a job share a subscription; the last one that leaves ends it', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const [first, second] = [listener(), listener()];
  const ids = [first, second].map(({ handler }) => notifications.subscribeToJob(jobId, handler));
  await Promise.all(ids.map((id) => notifications.whenSubscribed(id)));
  notifications.unsubscribe(ids[0]);
  notifications.unsubscribe(ids[0]); // without effect
  await jobs.addJobComment(jobId, 'one');
  await second.next('JobCommentUpdated');
  assert.deepEqual(first.messages.map(({ msgType }) => msgType), ['JobState']);
  notifications.unsubscribe(ids[1]);
  assert.deepEqual(notifications.positions, {});
  const third = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, third.handler));
  await jobs.addJobComment(jobId, 'two');
  await third.next('JobCommentUpdated');
  assert.equal(second.messages.at(-1).message.adds[0].comment, 'one');
});

test('many jobs share one socket, and unsubscribeFromAll leaves them all; then it is closed', async (t) => {
  let sockets = 0;
  const { WebSocket } = await import('./server.js');
  class Counted extends WebSocket {
    constructor(address) {
      super(address);
      sockets += 1;
    }
  }
  const { jobs, notifications } = await world(t, { config: { WebSocket: Counted } });
  const { jobIds } = await jobs.createJobs(await makeTemplate([{ name: 'Only' }]), { numberOfJobs: 5 });
  const heard = listener();
  const ids = jobIds.map((jobId) => notifications.subscribeToJob(jobId, heard.handler));
  await Promise.all(ids.map((id) => notifications.whenSubscribed(id)));
  assert.equal(sockets, 1);
  const idle = new Promise((resolve) => notifications.onStateChange(({ phase }) => phase === ConnectionPhase.Idle && resolve()));
  notifications.unsubscribeFromAll();
  await idle;
  assert.deepEqual(heard.messages.map(({ msgType }) => msgType), Array(5).fill('JobState'));
});

test('a handler that throws, or whose Promise rejects, stops nobody else', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const errors = [];
  notifications.onError((error) => errors.push(error.message));
  notifications.onError(() => {
    throw new Error('a listener for errors that throws');
  });
  t.mock.method(console, 'error', () => {}); // where the error of a listener for errors goes
  notifications.subscribeToJob(jobId, () => {
    throw new Error('thrown');
  });
  notifications.subscribeToJob(jobId, async () => {
    throw new Error('rejected');
  });
  const { handler, next } = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  await jobs.addJobComment(jobId, 'heard all the same');
  await next('JobCommentUpdated');
  assert.deepEqual([...new Set(errors)].sort(), ['rejected', 'thrown']);
});

test("without a listener for errors, a handler's error goes to the console", async (t) => {
  const { jobId, notifications } = await world(t);
  const written = new Promise((resolve) => t.mock.method(console, 'error', (_, error) => resolve(error)));
  const mine = new Error('mine');
  notifications.subscribeToJob(jobId, () => {
    throw mine;
  });
  assert.equal(await written, mine);
});

test('a job that may not be watched is an Error to its handlers and a SubscriptionRefused to who waits', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const [wrong, right] = [listener(), listener()];
  const refused = notifications.subscribeToJob('no-such-job', wrong.handler);
  const watched = notifications.subscribeToJob(jobId, right.handler);
  await assert.rejects(notifications.whenSubscribed(refused), (error) => {
    assert.ok(error instanceof SubscriptionRefused);
    return error.code === 'not_found' && error.jobId === 'no-such-job';
  });
  assert.deepEqual(wrong.messages.map(({ msgType }) => msgType), ['Error']);
  await notifications.whenSubscribed(watched);
  await jobs.addJobComment(jobId, 'goes on');
  await right.next('JobCommentUpdated');
});

test('an AbortSignal unsubscribes', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const stop = new AbortController();
  const [mine, other] = [listener(), listener()];
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, mine.handler, { signal: stop.signal }));
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, other.handler));
  stop.abort();
  await jobs.addJobComment(jobId, 'not for everybody');
  await other.next('JobCommentUpdated');
  assert.ok(!mine.messages.some(({ msgType }) => msgType === 'JobCommentUpdated'));
  const gone = notifications.subscribeToJob(jobId, mine.handler, { signal: AbortSignal.abort() });
  await assert.rejects(notifications.whenSubscribed(gone), TypeError);
});

test('a handler that unsubscribes is not called once more, not even with the question that is open', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  await jobs.startSteps(jobId);
  const calls = [];
  const other = listener();
  const mine = notifications.subscribeToJob(jobId, ({ msgType }) => {
    calls.push(msgType);
    notifications.unsubscribe(mine);
  });
  notifications.subscribeToJob(jobId, other.handler);
  await other.next('StepInfoRequired');
  assert.deepEqual(calls, ['JobState']);
});

test('an answer is stored, then applied, and its message comes', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const { handler, next } = listener();
  notifications.subscribeToJob(jobId, handler);
  await jobs.startSteps(jobId);
  const { message: question } = await next('StepInfoRequired');
  const sent = notifications.send({ msgType: 'StepInformation', message: { jobId, stepId: 's1', questionResponse: 1 } });
  const address = { jobId, stepId: 's1', promptId: question.promptId, requestId: sent.requestId };
  assert.deepEqual(await sent.stored, { stage: 'stored', ...address });
  assert.deepEqual(await sent, { stage: 'applied', ...address });
  await next('StepFinished');
});

test('an answer needs no subscription, and the same requestId gets the same verdict again', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  await jobs.startSteps(jobId);
  const answer = { msgType: 'StepInfoResponse', requestId: `r-${jobId}`, message: { jobId, stepId: 's1', questionResponse: 1 } };
  const first = notifications.send(answer);
  assert.throws(() => notifications.send(answer), TypeError); // under way
  const verdict = await first;
  const again = await notifications.send(answer);
  assert.deepEqual([again.stage, again.requestId], ['applied', verdict.requestId]);
});

test('of two answers one is applied, and the other is told that it was too late', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  await jobs.startSteps(jobId);
  const other = await notificationsOf(t);
  const answer = { jobId, stepId: 's1', questionResponse: 1 };
  const outcomes = await Promise.allSettled([notifications.send(answer), other.send(answer)]);
  const failed = outcomes.filter(({ status }) => status === 'rejected');
  assert.equal(failed.length, 1);
  assert.ok(failed[0].reason instanceof AnswerRejected);
  assert.ok(['already_answered', 'not_waiting'].includes(failed[0].reason.reason));
});

for (const [why, members, Expected, reason] of [
  ['to no question', { questionResponse: 1 }, AnswerRejected, 'not_waiting'],
  ['of the wrong kind', { manualResponse: true }, AnswerRejected, 'invalid'],
  ['with a choice that is not offered', { questionResponse: 77 }, AnswerRejected, 'invalid'],
  ['to a job that is not there', { jobId: 'no-such-job', questionResponse: 1 }, NotFound, undefined],
]) {
  test(`an answer ${why} is rejected, also while it is only to be stored`, async (t) => {
    const { jobs, jobId, notifications } = await world(t);
    if (reason === 'invalid') await jobs.startSteps(jobId);
    const sent = notifications.send({ jobId, stepId: 's1', ...members });
    for (const promise of [sent, sent.stored]) {
      await assert.rejects(promise, (error) => error instanceof Expected && error.reason === reason);
    }
  });
}

test('an answer nobody waits for is no unhandled rejection: its error is reported', async (t) => {
  const { jobId, notifications } = await world(t);
  const reported = once((resolve) => notifications.onError(resolve));
  notifications.send({ jobId, stepId: 's1', questionResponse: 1 });
  assert.equal((await reported).reason, 'not_waiting');
});

test('an answer that is waited for is not reported as well', async (t) => {
  const { jobId, notifications } = await world(t);
  notifications.onError((error) => assert.fail(error));
  await assert.rejects(notifications.send({ jobId, stepId: 's1', questionResponse: 1 }), AnswerRejected);
});

test('waiting for a verdict ends with its time, or with its signal', async (t) => {
  const notifications = await notificationsOf(t, { serverUrl: 'http://127.0.0.1:9' });
  const answer = { jobId: 'J', stepId: 's', questionResponse: 1 };
  await assert.rejects(notifications.send(answer, { timeoutMs: 1 }), (error) => {
    return error instanceof VerdictMissing && error.temporary && error.stage === null;
  });
  const reason = new Error('closed the dialog');
  await assert.rejects(notifications.send(answer, { signal: AbortSignal.abort(reason) }), reason);
  const closing = notifications.send(answer);
  notifications.close();
  await assert.rejects(closing, (error) => !error.temporary);
});

test('an answer that was seen for a question cannot reach the next one of the same step', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const { handler, next, until } = listener();
  notifications.subscribeToJob(jobId, handler);
  await jobs.startSteps(jobId);
  const { message: old } = await next('StepInfoRequired');
  await jobs.stopSteps(jobId);
  await jobs.startSteps(jobId);
  await until(({ msgType, message }) => msgType === 'StepInfoRequired' && message.promptId !== old.promptId);
  const late = notifications.send({ jobId, stepId: 's1', promptId: old.promptId, questionResponse: 1 });
  await assert.rejects(late, AnswerRejected);
  assert.equal((await notifications.send({ jobId, stepId: 's1', questionResponse: 1 })).stage, 'applied');
});

test('those whom a step does not wait for see that it asks, and not what', async (t) => {
  const { jobs, jobId } = await world(t);
  await ask(`command?words=${encodeURIComponent('user add watcher --password secret-of-watcher --group "Workflow Manager Admin Workflow"')}`);
  const token = await ask('token?user=watcher');
  const watching = await notificationsOf(t, { token });
  const { handler, next } = listener();
  watching.subscribeToJob(jobId, handler);
  await jobs.startSteps(jobId);
  const { message } = await next('StepInfoRequired');
  assert.deepEqual([message.allowedActions, message.question], [0, undefined]);
  await assert.rejects(watching.send({ jobId, stepId: 's1', questionResponse: 1 }), { reason: 'not_allowed' });
});

test('the item is heard by who subscribes to it, and only its own', async (t) => {
  const { notifications } = await world(t);
  assert.throws(() => notifications.subscribeToItem('another-item', () => {}), TypeError);
  const callbackId = notifications.subscribeToItem(notifications.itemId, () => {});
  await new Promise((resolve) => notifications.onStateChange(({ phase }) => phase === ConnectionPhase.Open && resolve()));
  await assert.rejects(notifications.whenSubscribed(callbackId), TypeError);
  notifications.unsubscribe(callbackId);
});

test('the connection is idle, then connecting, then open', async (t) => {
  const { jobId, notifications } = await world(t);
  const phases = [notifications.state.phase];
  const stop = notifications.onStateChange(({ phase }) => phases.push(phase));
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, () => {}));
  stop();
  notifications.close();
  assert.deepEqual(phases, ['idle', 'connecting', 'open']);
  assert.deepEqual(notifications.state, { phase: 'closed', failures: 0, cause: null, retryInMs: null });
  const again = listener();
  notifications.subscribeToJob(jobId, again.handler); // a closed manager can be used again
  await again.next('JobState');
});

test('only what is right can be subscribed or listened with', async (t) => {
  const { jobId, notifications } = await world(t);
  assert.throws(() => notifications.subscribeToJob('', () => {}), TypeError);
  assert.throws(() => notifications.subscribeToJob(jobId, 'handler'), TypeError);
  assert.throws(() => notifications.onDisconnect(null), TypeError);
});
