/** The parts without a server: frames, feeds, pauses, geometries. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Backoff } from '../src/backoff.js';
import { fromLocation, toLocation } from '../src/geometry.js';
import { MessageType, ProtocolError, errorClasses } from './exports.js';
import { errorOf } from '../src/errors.js';
import { GAP, JobFeed } from '../src/job-feed.js';
import { answerFrame, decode, isGreeting, openQuestions } from '../src/messages.js';

const WIRE = new URL('../../../tests/wire/', import.meta.url);
const wireFiles = readdirSync(WIRE).filter((name) => name.endsWith('.json'));
const read = (name) => readFileSync(new URL(name, WIRE), 'utf8');

// ---------------------------------------------------------------- frames

for (const name of wireFiles.filter((each) => !each.startsWith('client.') && each !== 'Connected.json')) {
  test(`the server's message ${name} is decoded as it is`, () => {
    const message = decode(read(name));
    assert.deepEqual(message, JSON.parse(read(name)));
    assert.ok(message.msgType in MessageType, message.msgType);
  });
}

for (const name of wireFiles.filter((each) => each.startsWith('client.StepInformation'))) {
  test(`the answer ${name} is sent as it is, in an envelope or alone`, () => {
    const frame = JSON.parse(read(name));
    const plain = (value) => JSON.parse(JSON.stringify(value));
    assert.deepEqual(plain(answerFrame(frame)), frame);
    assert.deepEqual(plain(answerFrame({ ...frame.message, requestId: frame.requestId })), frame);
    assert.deepEqual(plain(answerFrame({ ...frame, msgType: 'StepInfoResponse' })), frame);
  });
}

test('the greeting is told from messages', () => {
  assert.ok(isGreeting(read('Connected.json')));
  assert.ok(!isGreeting(read('StepStarted.json')));
  assert.ok(!isGreeting('no JSON'));
});

test('letter case carries no meaning in a msgType, and an unknown one comes through', () => {
  const started = { msgType: 'STEPSTARTED', timestamp: 1, message: { jobId: 'J', stepIds: [] } };
  assert.equal(decode(JSON.stringify(started)).msgType, 'StepStarted');
  assert.equal(decode(JSON.stringify({ ...started, msgType: 'SomethingNew' })).msgType, 'SomethingNew');
});

for (const text of ['', 'no JSON', '[]', 'null', '{"msgType":"JobState"}', '{"message":{}}', '{"msgType":"X","message":[]}']) {
  test(`the frame ${JSON.stringify(text)} is no message`, () => assert.throws(() => decode(text), ProtocolError));
}

for (const response of [null, 'yes', {}, { jobId: 'J' }, { msgType: 'subscribe', message: { jobId: 'J', stepId: 's' } }]) {
  test(`${JSON.stringify(response)} is no answer`, () => assert.throws(() => answerFrame(response), TypeError));
}

// ---------------------------------------------------------------- the feed

const EPOCH = 'e1';

function state(seq, { questions = [], senderId = 'me', ...rest } = {}) {
  const stepStates = questions.map((question) => ({ stepId: question.message.stepId, messageDetails: question }));
  return { msgType: 'JobState', timestamp: 1, message: { jobId: 'J', senderId, seq, epoch: EPOCH, recovered: true, stepStates, ...rest } };
}

function question(seq, promptId, members = {}) {
  return { msgType: 'StepInfoRequired', timestamp: 1, seq, message: { jobId: 'J', stepId: 's', promptId, allowedActions: 1, ...members } };
}

const started = (seq) => ({ msgType: 'StepStarted', timestamp: 1, seq, message: { jobId: 'J', stepIds: ['s'] } });

/** A feed, and what each of its handlers has been given. */
function feedWith(...names) {
  const feed = new JobFeed('J');
  const seen = {};
  const add = (name) => {
    seen[name] = [];
    feed.add(name, (message) => seen[name].push(message.seq ?? `state ${message.message.seq}`), quiet());
  };
  names.forEach(add);
  feed.asked('me');
  const take = (message) => {
    const deliveries = feed.accept(message);
    if (deliveries !== GAP) deliveries.forEach(({ handler, message: each }) => handler(each));
    return deliveries;
  };
  return { feed, seen, add, take };
}

const quiet = () => ({ resolve() {}, reject() {} });

test('messages come once and in order, those before the state not at all', () => {
  const { seen, take } = feedWith('a');
  [started(4), state(5), started(5), started(6), started(6), started(7)].forEach(take);
  assert.deepEqual(seen.a, ['state 5', 6, 7]);
});

test('a missing message is found out, and nothing after it is given', () => {
  const { seen, take } = feedWith('a');
  take(state(5));
  assert.equal(take(started(7)), GAP);
  assert.deepEqual(seen.a, ['state 5']);
});

test('after a reconnect what was missed comes first, then the state, then the rest', () => {
  const { feed, seen, take } = feedWith('a');
  [state(5), started(6)].forEach(take);
  feed.disconnected();
  feed.asked('again');
  assert.deepEqual(feed.position, { seq: 6, epoch: EPOCH });
  [started(6), started(7), started(8), state(8, { senderId: 'again' }), started(9)].forEach(take);
  assert.deepEqual(seen.a, ['state 5', 6, 7, 8, 'state 8', 9]);
});

test('the state of an earlier subscription is left aside', () => {
  const { feed, seen, take } = feedWith('a');
  feed.disconnected();
  feed.asked('again');
  [state(5, { senderId: 'me' }), started(6), state(9, { senderId: 'again' }), started(10)].forEach(take);
  assert.deepEqual(seen.a, ['state 9', 10]);
});

test('who comes later begins with a state that the others are not told', () => {
  const { feed, seen, add, take } = feedWith('a');
  [state(5), started(6)].forEach(take);
  add('b');
  feed.asked('for b');
  [started(7), state(7, { senderId: 'for b' }), started(8)].forEach(take);
  assert.deepEqual(seen.a, ['state 5', 6, 7, 8]);
  assert.deepEqual(seen.b, ['state 7', 8]);
});

test('a state that could not be recovered is told to everybody', () => {
  const { feed, seen, take } = feedWith('a');
  [state(500), started(501)].forEach(take);
  feed.disconnected();
  feed.asked('again');
  [state(3, { senderId: 'again', recovered: false, reason: 'epoch_changed', epoch: 'e2' }), started(4)].forEach(take);
  assert.deepEqual(seen.a, ['state 500', 501, 'state 3', 4]);
});

test('an open question follows the state, once, also over reconnects', () => {
  const { feed, seen, take } = feedWith('a');
  [state(5, { questions: [question(5, 'p1')] }), started(6)].forEach(take);
  feed.disconnected();
  feed.asked('again');
  take(state(6, { senderId: 'again', questions: [question(5, 'p1')] }));
  assert.deepEqual(seen.a, ['state 5', 5, 6, 'state 6']);
});

test('a question that came live does not follow the next state again, but a new one does', () => {
  const { feed, seen, take } = feedWith('a');
  [state(5), question(6, 'p1')].forEach(take);
  feed.disconnected();
  feed.asked('again');
  take(state(6, { senderId: 'again', questions: [question(6, 'p1')] }));
  feed.disconnected();
  feed.asked('third');
  take(state(9, { senderId: 'third', recovered: false, questions: [question(9, 'p2')] }));
  assert.deepEqual(seen.a, ['state 5', 6, 'state 6', 'state 9', 9]);
});

test('the whole form of a question is another one than the short form', () => {
  const { feed, seen, take } = feedWith('a');
  take(state(5, { questions: [question(5, 'p1', { allowedActions: 0 })] }));
  feed.disconnected();
  feed.asked('again');
  take(state(5, { senderId: 'again', questions: [question(5, 'p1')] }));
  assert.deepEqual(seen.a, ['state 5', 5, 'state 5', 5]);
});

test('the last question of a step is known until the step is finished', () => {
  const { feed, take } = feedWith('a');
  take(state(5, { questions: [question(5, 'p1')] }));
  assert.equal(feed.openPrompt('s'), 'p1');
  take(question(6, 'p2'));
  assert.equal(feed.openPrompt('s'), 'p2');
  take({ msgType: 'StepFinished', timestamp: 1, seq: 7, message: { jobId: 'J', stepIds: ['s'], currentSteps: [] } });
  assert.equal(feed.openPrompt('s'), undefined);
});

test('a server that does not number its messages is followed as well', () => {
  const { seen, take } = feedWith('a');
  const unnumbered = { ...started(0), seq: undefined };
  const plain = state(0, { senderId: undefined });
  delete plain.message.seq;
  delete plain.message.epoch;
  [unnumbered, plain, unnumbered].forEach(take);
  assert.deepEqual(seen.a, ['state undefined', 'state undefined']);
});

test('openQuestions reads the wire example', () => {
  const [only, ...others] = openQuestions(decode(read('JobState.json')));
  assert.equal(only.message.question, 'Approve?');
  assert.deepEqual(others, []);
});

// ---------------------------------------------------------------- pauses and geometries

test('pauses are a random part of a ceiling that doubles from the first failure on, up to the cap', () => {
  const longest = new Backoff({ baseMs: 100, capMs: 1_000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 100].map((n) => longest.waitMs(n)), [100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(new Backoff({ random: () => 0 }).waitMs(1), 0);
});

const geometryOf = (location) => JSON.parse(location.geometry);

test('a Point becomes a Multipoint in degrees', () => {
  const location = toLocation({ x: 7, y: 46 });
  assert.equal(location.geometryType, 'Multipoint');
  assert.deepEqual(geometryOf(location), { points: [[7, 46]], spatialReference: { wkid: 4326 } });
});

test('a geometry keeps its reference, and one that knows its JSON is asked for it', () => {
  const rings = [[[0, 0], [0, 9], [9, 9], [0, 0]]];
  const polygon = { rings, spatialReference: { wkid: 102100 } };
  assert.deepEqual(geometryOf(toLocation({ toJSON: () => polygon })), polygon);
  assert.equal(toLocation({ paths: [[[0, 0], [1, 1]]] }).geometryType, 'Polyline');
  assert.deepEqual(geometryOf(toLocation({ x: 1, y: 2, z: 3 })).points, [[1, 2, 3]]);
  assert.throws(() => toLocation({ curve: [] }), TypeError);
});

test('no geometry is the empty location, both ways', () => {
  assert.deepEqual(toLocation(null), {});
  assert.equal(fromLocation({ geometryType: 'None', geometry: '{}' }), null);
});

// ---------------------------------------------------------------- refusals

for (const [status, type, name] of [
  [401, 'Unauthenticated', 'Unauthenticated'],
  [403, '', 'PermissionDenied'],
  [404, '', 'NotFound'],
  [400, 'JobNotFound', 'NotFound'],
  [400, 'PermissionDenied', 'PermissionDenied'],
  [400, 'InvalidValue', 'RequestRefused'],
  [498, '', 'Unauthenticated'],
  [500, '', 'ServerFailed'],
  [503, '', 'Unavailable'],
]) {
  test(`HTTP ${status} ${type} is ${name}`, () => {
    const error = errorOf(status, JSON.stringify({ error: { message: 'Why.', type, details: ['one'] } }), '7');
    assert.equal(error.constructor, errorClasses[name]);
    assert.equal(error.name, name);
    assert.equal(error.message, 'Why.');
    assert.equal(error.temporary, name === 'Unavailable');
    if (name === 'Unavailable') assert.equal(error.retryAfterS, 7);
    if (name === 'RequestRefused') assert.deepEqual([error.type, error.details, error.status], [type, ['one'], 400]);
  });
}

test("a proxy's own page is borne", () => assert.match(errorOf(502, '<html>', null).message, /HTTP status 502/));
