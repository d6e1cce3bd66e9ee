/** How managers are made, what a call does with its token, and what it rejects with. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import {
  BaseManager,
  ConfigurationError,
  ConnectionFailed,
  JobsManager,
  ManagerFactory,
  NotFound,
  NotificationManager,
  ProtocolError,
  RequestRefused,
  Unauthenticated,
  Unavailable,
  WorkflowItemManager,
} from './exports.js';
import { INTRODUCTION, configOf, deadline, jobsOf, managerOf, token, url } from './server.js';

/** An HTTP server of the test's own; `answers(request, response)`. Resolves with its root. */
async function serve(t, answers) {
  const server = createServer(answers);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${server.address().port}`;
}

for (const [why, config] of [
  ['no object', null],
  ['no token', { serverUrl: url }],
  ['two token sources', { serverUrl: url, token, getToken: () => token }],
  ['an empty token', { serverUrl: url, token: '' }],
  ['no place', { token }],
  ['two places', { serverUrl: url, portalUrl: url, token }],
  ['a place that is none', { serverUrl: 'ftp://gate.test', token }],
  ['no address', { serverUrl: 'gate.test', token }],
  ['an empty item', { serverUrl: url, token, itemId: '' }],
]) {
  test(`a config with ${why} is refused before anything is sent`, () =>
    assert.rejects(ManagerFactory.getManager(JobsManager, config), ConfigurationError));
}

test('only a manager class can be made', async () => {
  for (const Manager of [undefined, 'Jobs', Map, BaseManager]) {
    await assert.rejects(ManagerFactory.getManager(Manager, configOf()), ConfigurationError);
  }
});

test('without a WebSocket in the runtime or the config, notifications say what to do', async (t) => {
  const { WebSocket } = globalThis;
  delete globalThis.WebSocket;
  t.after(() => WebSocket && (globalThis.WebSocket = WebSocket));
  const config = configOf({ WebSocket: undefined });
  await assert.rejects(ManagerFactory.getManager(NotificationManager, config), {
    name: 'ConfigurationError',
    message: /Node\.js has one from version 22 on.*package ws/s,
  });
  assert.ok(await ManagerFactory.getManager(JobsManager, config)); // which need none
});

test('the root of the server may end in slashes, and lie below a path', async (t) => {
  const jobs = await jobsOf(t, { serverUrl: `${url}//` });
  assert.equal(jobs.serverUrl, url);
  assert.equal((await jobsOf(t, { serverUrl: `${url}/gate/` })).serverUrl, `${url}/gate`);
  assert.equal(jobs.itemId, '0'.repeat(31) + '1');
});

test('a portal is asked where the server is, in both of its shapes', async (t) => {
  for (const portalUrl of [url, `${url}/portal`, `${url}/workflow`]) {
    const item = await managerOf(t, WorkflowItemManager, { serverUrl: undefined, portalUrl });
    assert.equal(item.serverUrl, url);
    assert.equal((await item.getItem()).upgradeAvailable, false);
  }
});

test('a portal that does not take the token says so', (t) =>
  assert.rejects(managerOf(t, JobsManager, { serverUrl: undefined, portalUrl: url, token: 'wrong' }), Unauthenticated));

test('a token that is not valid is told apart from a thing that is not there and a body that is wrong', async (t) => {
  await assert.rejects((await jobsOf(t, { token: 'wrong' })).getJob('J'), Unauthenticated);
  const jobs = await jobsOf(t);
  await assert.rejects(jobs.getJob('no-such-job'), NotFound);
  await assert.rejects(jobs.queryJobs({}), (error) => error instanceof RequestRefused && error.status === 400);
  await assert.rejects((await jobsOf(t, { itemId: 'f'.repeat(32) })).getJob('J'), NotFound);
  assert.throws(() => jobs.getJobDiagram(''), TypeError);
});

test('a call that was refused for its token is made once more with a fresh one', async (t) => {
  const asked = [];
  const getToken = async ({ rejected }) => {
    asked.push(rejected);
    return rejected === null ? 'expired' : token;
  };
  const jobs = await jobsOf(t, { token: undefined, getToken });
  assert.equal((await jobs.createJobs(INTRODUCTION)).jobIds.length, 1);
  assert.deepEqual(asked, [null, 'expired']);
});

test('a source that has no other token is not asked for ever, and what it throws comes through', async (t) => {
  let asked = 0;
  const jobs = await jobsOf(t, { token: undefined, getToken: () => ((asked += 1), 'expired') });
  await assert.rejects(jobs.getJob('J'), Unauthenticated);
  assert.equal(asked, 2);
  const signedOut = new Error('signed out');
  const getToken = () => Promise.reject(signedOut);
  await assert.rejects((await jobsOf(t, { token: undefined, getToken })).getJob('J'), signedOut);
  await assert.rejects((await jobsOf(t, { token: undefined, getToken: () => '' })).getJob('J'), Unauthenticated);
});

test('a call can be called off, before and while it is under way', async (t) => {
  const slow = await serve(t, () => {});
  const jobs = await jobsOf(t, { serverUrl: slow });
  const reason = new Error('changed my mind');
  await assert.rejects(jobs.getJob('J', { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const reading = jobs.getAttachmentBody('J', 'A', { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(reading, reason);
});

test('a server that is not there, and one that is too slow, are failed connections', async (t) => {
  const slow = await serve(t, () => {});
  const tooSlow = (await jobsOf(t, { serverUrl: slow, timeoutMs: 50 })).getJob('J');
  await assert.rejects(tooSlow, (error) => error instanceof ConnectionFailed && /too long/.test(error.message));
  const gone = await jobsOf(t, { serverUrl: 'http://127.0.0.1:9' });
  await assert.rejects(gone.getJob('J'), (error) => error instanceof ConnectionFailed && error.temporary);
});

test('a proxy that answers in its own words is borne, and so is an answer that is no JSON', async (t) => {
  const proxy = await serve(t, (request, response) => {
    const isOff = request.url.endsWith('/off');
    response.writeHead(isOff ? 503 : 200, { 'Retry-After': '3' }).end('<html>');
  });
  const jobs = await jobsOf(t, { serverUrl: proxy });
  await assert.rejects(jobs.getJob('off'), (error) => error instanceof Unavailable && error.retryAfterS === 3);
  await assert.rejects(jobs.getJob('J'), ProtocolError);
});

test('any resource can be asked for', async (t) => {
  const jobs = await jobsOf(t);
  const options = { query: { searchType: 'All', other: undefined }, signal: AbortSignal.timeout(deadline(1_000)) };
  assert.ok((await jobs.request('GET', 'searches', options)).searches.length > 3);
});
