/** Connections that break: the server killed and started again, tokens that end, peers that fall silent. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { WebSocketServer } from 'ws';

import { ConnectionFailed, ConnectionPhase, ProtocolError, SubscriptionEnded, Unauthenticated } from './exports.js';
import { QUESTION, ask, deadline, jobsOf, listener, makeTemplate, notificationsOf, token } from './server.js';

/** A job, and both managers. */
async function world(t, config) {
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(await makeTemplate([QUESTION, { name: 'Visit' }]));
  return { jobs, jobId: jobIds[0], notifications: await notificationsOf(t, config) };
}

/** End the server as a power cut would; it runs again after the test at the latest. */
async function kill(t) {
  t.after(() => ask('start'));
  await ask('kill');
}

/** Resolves when the connection is in this phase the next time. */
function phaseOf(notifications, wanted) {
  return new Promise((resolve) => {
    const stop = notifications.onStateChange((state) => {
      if (state.phase !== wanted) return;
      stop();
      resolve(state);
    });
  });
}

const once = (register) => new Promise((resolve) => register(resolve));

const seqsOf = (messages) => messages.filter(({ msgType }) => msgType !== 'JobState').map(({ seq }) => seq);

const counted = (count) => Array.from({ length: count }, (_, at) => at + 1);

test('a server killed and started again under an open connection: nothing is missed, nothing comes twice', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const { handler, messages, next, until } = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  await jobs.startSteps(jobId);
  await next('StepInfoRequired');
  const lost = once((resolve) => notifications.onDisconnect((cause) => resolve([cause, notifications.state])));
  const back = once((resolve) => notifications.onReconnect(resolve));
  await kill(t);
  const [cause, state] = await lost;
  assert.ok(cause instanceof ConnectionFailed && cause.temporary);
  assert.equal(state.phase, ConnectionPhase.Waiting);
  assert.equal(state.cause, cause);
  assert.ok(state.retryInMs <= 50, 'the first pause is jittered as well');
  await ask('start');
  for (const text of ['one', 'two', 'three']) await jobs.addJobComment(jobId, text); // perhaps before it is back
  await back;
  await until(({ message }) => message.adds?.[0]?.comment === 'three');
  await jobs.addJobComment(jobId, 'four');
  await until(({ message }) => message.adds?.[0]?.comment === 'four');
  const states = messages.filter(({ msgType }) => msgType === 'JobState').map(({ message }) => message);
  assert.deepEqual(states.map(({ recovered }) => recovered), [true, true]);
  assert.deepEqual(seqsOf(messages), counted(seqsOf(messages).length));
  assert.equal(messages.filter(({ msgType }) => msgType === 'StepInfoRequired').length, 1);
  assert.equal(notifications.state.failures, 0);
});

test('an answer that is given while the server is away is applied when it is back, once', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const { handler, next } = listener();
  notifications.subscribeToJob(jobId, handler);
  await jobs.startSteps(jobId);
  await next('StepInfoRequired');
  const lost = once((resolve) => notifications.onDisconnect(resolve));
  await kill(t);
  await lost;
  const sent = notifications.send({ jobId, stepId: 's1', questionResponse: 1 }, { timeoutMs: deadline(10_000) });
  await ask('start');
  assert.equal((await sent).stage, 'applied');
  await next('StepFinished');
  assert.equal((await jobs.getJobHistory(jobId)).filter(({ action }) => action === 'Finished').length, 1);
});

test('another session goes on from the positions of this one', async (t) => {
  const { jobs, jobId, notifications } = await world(t);
  const first = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, first.handler));
  await jobs.addJobComment(jobId, 'one');
  await first.next('JobCommentUpdated');
  const since = notifications.positions[jobId];
  notifications.close();
  await jobs.addJobComment(jobId, 'two');
  await jobs.addJobComment(jobId, 'three');
  const other = await notificationsOf(t);
  const second = listener();
  await other.whenSubscribed(other.subscribeToJob(jobId, second.handler, { since }));
  assert.deepEqual(second.messages.map(({ msgType }) => msgType), ['JobCommentUpdated', 'JobCommentUpdated', 'JobState']);
  const third = await notificationsOf(t);
  const unknown = listener();
  await third.whenSubscribed(third.subscribeToJob(jobId, unknown.handler, { since: { seq: 1, epoch: 'another' } }));
  assert.deepEqual(unknown.messages.map(({ message }) => [message.recovered, message.reason]), [[false, 'epoch_changed']]);
});

test('a token that ends closes the socket, and the next one goes on without a gap', async (t) => {
  const tokens = [await ask('token?user=admin&ttl=2'), token];
  const { jobs, jobId, notifications } = await world(t, { token: undefined, getToken: () => tokens[0] });
  const { handler, messages, next } = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  const lost = once((resolve) => notifications.onDisconnect(resolve));
  const back = once((resolve) => notifications.onReconnect(resolve));
  tokens.shift(); // from here on getToken has another one, and nobody is told
  assert.match((await lost).message, /4001|expired/);
  await back;
  await jobs.addJobComment(jobId, 'after the token');
  await next('JobCommentUpdated');
  assert.deepEqual(seqsOf(messages), [1]);
});

test('a token that is not taken ends the connection for good, until there is another', async (t) => {
  let current = 'wrong';
  const rejections = [];
  const getToken = ({ rejected }) => {
    if (rejected !== null) rejections.push(rejected);
    return current;
  };
  const { jobId, notifications } = await world(t, { token: undefined, getToken });
  const { handler, next } = listener();
  const subscribed = notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  await assert.rejects(subscribed, Unauthenticated);
  assert.deepEqual(rejections, ['wrong']); // it was told, and had no other
  assert.equal(notifications.state.phase, ConnectionPhase.Closed);
  assert.ok(notifications.state.cause instanceof Unauthenticated);
  await assert.rejects(notifications.send({ jobId, stepId: 's1', questionResponse: 1 }), Unauthenticated);
  current = token;
  notifications.connect();
  await next('JobState');
});

test('what getToken throws is tried again; Unauthenticated means that it is no use', async (t) => {
  const answers = [new Error('the network'), token];
  const getToken = () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { jobId, notifications } = await world(t, { token: undefined, getToken });
  const waiting = phaseOf(notifications, ConnectionPhase.Waiting);
  const subscribed = notifications.whenSubscribed(notifications.subscribeToJob(jobId, () => {}));
  assert.match((await waiting).cause.message, /getToken failed: the network/);
  await subscribed;
  const getNone = () => {
    throw new Unauthenticated('signed out');
  };
  const signedOut = await notificationsOf(t, { token: undefined, getToken: getNone });
  await assert.rejects(signedOut.whenSubscribed(signedOut.subscribeToJob(jobId, () => {})), /signed out/);
});

test('a token that comes after its connection was given up is not used', async (t) => {
  const waiting = [];
  const getToken = () => new Promise((resolve) => waiting.push(resolve));
  const { WebSocket } = await import('./server.js');
  const opened = [];
  class Noted extends WebSocket {
    constructor(address) {
      super(address);
      opened.push(new URL(address).searchParams.get('token'));
    }
  }
  const { jobId, notifications } = await world(t, { token: undefined, getToken, WebSocket: Noted });
  notifications.subscribeToJob(jobId, () => {});
  notifications.close();
  const { handler, next } = listener();
  notifications.subscribeToJob(jobId, handler);
  waiting[0]('late');
  waiting[1](token);
  while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(opened, [token]);
  const feeding = setInterval(() => waiting.splice(0).forEach((resolve) => resolve(token)), 5);
  t.after(() => clearInterval(feeding));
  await next('JobState');
});

test('a websocket that the runtime does not allow ends the connection for good', async (t) => {
  class Forbidden {
    constructor() {
      throw new Error('insecure');
    }
  }
  const { jobId, notifications } = await world(t, { WebSocket: Forbidden });
  const subscribed = notifications.whenSubscribed(notifications.subscribeToJob(jobId, () => {}));
  await assert.rejects(subscribed, (error) => error instanceof ConnectionFailed && /insecure/.test(error.message));
  assert.equal(notifications.state.phase, ConnectionPhase.Closed);
});

test('whose role is taken away hears no more, and the client does not come back', async (t) => {
  const { jobId } = await world(t);
  const group = '"Workflow Manager Admin Workflow"';
  const command = (words) => ask(`command?words=${encodeURIComponent(words)}`);
  await command(`user add leaver --password secret-of-leaver --group ${group}`);
  const notifications = await notificationsOf(t, { token: await ask('token?user=leaver') });
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, () => {}));
  const lost = once((resolve) => notifications.onDisconnect(resolve));
  await command(`user leave leaver ${group}`);
  const cause = await lost;
  assert.ok(cause instanceof SubscriptionEnded);
  assert.equal(cause.code, 4500);
  assert.equal(notifications.state.phase, ConnectionPhase.Closed);
});

test('a server that is frozen is found out, and left for when it answers again', async (t) => {
  const { jobs, jobId, notifications } = await world(t, { heartbeatMs: deadline(20) });
  const { handler, next } = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  const lost = once((resolve) => notifications.onDisconnect(resolve));
  t.after(() => ask('thaw'));
  await ask('freeze');
  assert.match((await lost).message, /does not answer any more/);
  await ask('thaw');
  await once((resolve) => notifications.onReconnect(resolve));
  await jobs.addJobComment(jobId, 'thawed');
  await next('JobCommentUpdated');
});

test('a quiet connection is asked now and then, and kept', async (t) => {
  const frames = [];
  const { WebSocket } = await import('./server.js');
  class Noted extends WebSocket {
    send(data) {
      frames.push(JSON.parse(data));
      super.send(data);
    }
  }
  const { jobs, jobId, notifications } = await world(t, { WebSocket: Noted, heartbeatMs: 30 });
  notifications.onDisconnect((cause) => assert.fail(cause));
  const { handler, next } = listener();
  await notifications.whenSubscribed(notifications.subscribeToJob(jobId, handler));
  const asked = () => frames.filter(({ jobIds }) => jobIds.length === 0).length;
  while (asked() < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await jobs.addJobComment(jobId, 'still there');
  await next('JobCommentUpdated');
});

// ---------------------------------------------------------------- peers of the test's own

/** A server that speaks as the test wants: `talk(socket)` when one is open. Resolves with its root. */
async function peer(t, talk) {
  const http = createServer((_, response) => response.end('{}'));
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', talk);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    return new Promise((resolve) => http.close(resolve));
  });
  return `http://127.0.0.1:${http.address().port}`;
}

const GREETING = '{"connected": true}';

for (const [why, frame] of [
  ['greets with something else', '{"hello": "world"}'],
  ['sends what is no message', [GREETING, 'nonsense']],
]) {
  test(`a peer that ${why} is left for good`, async (t) => {
    const serverUrl = await peer(t, (socket) => [frame].flat().forEach((each) => socket.send(each)));
    const notifications = await notificationsOf(t, { serverUrl });
    await assert.rejects(notifications.whenSubscribed(notifications.subscribeToJob('J', () => {})), ProtocolError);
  });
}

for (const [code, phase] of [
  [1000, 'waiting'],
  [1011, 'waiting'],
  [1012, 'waiting'],
  [4000, 'waiting'],
  [4499, 'waiting'],
  [1008, 'closed'],
  [1009, 'closed'],
  [4500, 'closed'],
  [4999, 'closed'],
]) {
  test(`close code ${code} means ${phase}`, async (t) => {
    const serverUrl = await peer(t, (socket) => {
      socket.send(GREETING);
      socket.on('message', () => socket.close(code, 'because'));
    });
    const notifications = await notificationsOf(t, { serverUrl });
    const reached = phaseOf(notifications, phase);
    notifications.subscribeToJob('J', () => {});
    assert.match((await reached).cause.message, /because/);
  });
}

test('a peer that closes each connection at once is not hammered: the pauses grow', async (t) => {
  const serverUrl = await peer(t, (socket) => {
    socket.send(GREETING);
    socket.close(1012);
  });
  const notifications = await notificationsOf(t, { serverUrl, retry: { baseMs: 1, capMs: 1_000 } });
  const failures = [];
  const third = new Promise((resolve) =>
    notifications.onStateChange((state) => {
      if (state.phase === 'waiting' && failures.push(state.failures) === 3) resolve();
    }),
  );
  notifications.subscribeToJob('J', () => {});
  await third;
  assert.deepEqual(failures, [1, 2, 3]);
});

test('connect does not wait for the next attempt', async (t) => {
  let connections = 0;
  const serverUrl = await peer(t, (socket) => {
    connections += 1;
    socket.send(GREETING);
    if (connections === 1) socket.close(1012);
  });
  const notifications = await notificationsOf(t, { serverUrl, retry: { baseMs: 3_600_000, capMs: 3_600_000 } });
  const waiting = phaseOf(notifications, ConnectionPhase.Waiting);
  notifications.subscribeToJob('J', () => {});
  await waiting;
  const open = phaseOf(notifications, ConnectionPhase.Open);
  notifications.connect();
  await open;
});

test('a gap in what a peer sends makes the client come back for it', async (t) => {
  const asked = [];
  const state = (name, seq) => ({ msgType: 'JobState', timestamp: 1, message: { jobId: 'J', senderId: name, seq, epoch: 'e', recovered: true, stepStates: [] } });
  const started = (seq) => ({ msgType: 'StepStarted', timestamp: 1, seq, message: { jobId: 'J', stepIds: [] } });
  const serverUrl = await peer(t, (socket) => {
    socket.send(GREETING);
    socket.on('message', (data) => {
      const { since, senderId } = JSON.parse(data);
      const isFirst = asked.push(since) === 1;
      const sent = isFirst ? [state(senderId, 5), started(6), started(8)] : [started(7), started(8), state(senderId, 8)];
      sent.forEach((each) => socket.send(JSON.stringify(each)));
    });
  });
  const notifications = await notificationsOf(t, { serverUrl });
  const { handler, messages, until } = listener();
  notifications.subscribeToJob('J', handler);
  await until(({ seq }) => seq === 8);
  assert.deepEqual(asked, [{}, { J: { seq: 6, epoch: 'e' } }]);
  assert.deepEqual(seqsOf(messages), [6, 7, 8]);
});

test('a refusal that says not now makes the client come back, with pauses that grow', async (t) => {
  const serverUrl = await peer(t, (socket) => {
    socket.send(GREETING);
    socket.on('message', (data) => {
      const { requestId } = JSON.parse(data);
      const message = { requestId, msg: 'Not now.', msgCode: 'unavailable' };
      socket.send(JSON.stringify({ msgType: 'Error', timestamp: 1, message }));
    });
  });
  const notifications = await notificationsOf(t, { serverUrl, retry: { baseMs: 1, capMs: 100 } });
  const failures = [];
  const second = new Promise((resolve) =>
    notifications.onStateChange(({ phase, cause, failures: count }) => {
      if (phase === 'waiting' && failures.push([cause.message, count]) === 2) resolve();
    }),
  );
  notifications.subscribeToJob('J', () => assert.fail('no message was sent'));
  await second;
  assert.deepEqual(failures, [['Not now.', 1], ['Not now.', 2]]);
});
