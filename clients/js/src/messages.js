/** Frames of the websocket. Source: websocket.md section 3, docs/protocol.md. */

import { MessageType } from './enums.js';
import { ProtocolError } from './errors.js';

// Letter case carries no meaning in a msgType.
const TYPES = new Map(Object.keys(MessageType).map((name) => [name.toLowerCase(), name]));

/** Names of an answer, in lower case. */
const ANSWER_TYPES = new Set(['stepinformation', 'stepinforesponse']);

/**
 * Read a frame: an envelope `{msgType, timestamp, seq?, message}` as it came, its `msgType` in the known spelling.
 * Throws ProtocolError when it is none.
 */
export function decode(text) {
  let envelope;
  try {
    envelope = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('The server sent a frame that is no JSON.', { cause });
  }
  if (!isObject(envelope) || typeof envelope.msgType !== 'string' || !isObject(envelope.message)) {
    throw new ProtocolError('The server sent a frame that is no message: it has no msgType, or no message.');
  }
  return named(envelope);
}

/** Tell whether a frame is the server's greeting, before which nothing may be sent. */
export function isGreeting(text) {
  try {
    return Boolean(JSON.parse(text).connected);
  } catch {
    return false;
  }
}

/** The open questions in a JobState, as the `StepInfoRequired` messages they were sent with. */
export function openQuestions(jobState) {
  const details = jobState.message.stepStates.map((step) => step.messageDetails);
  return details.filter((message) => isObject(message)).map(named).filter((each) => each.msgType === 'StepInfoRequired');
}

/**
 * The frame of an answer to a step's question: `{msgType: 'StepInfoResponse', message: {jobId, stepId, ...}}`, or the
 * message alone. Throws TypeError when it names no step.
 */
export function answerFrame(response) {
  const isEnvelope = isObject(response) && isObject(response.message);
  const message = isEnvelope ? response.message : response;
  const msgType = isEnvelope ? response.msgType : undefined;
  if (msgType !== undefined && !ANSWER_TYPES.has(String(msgType).toLowerCase())) {
    throw new TypeError(`msgType must be StepInformation or StepInfoResponse, not ${JSON.stringify(msgType)}.`);
  }
  if (!isObject(message) || typeof message.jobId !== 'string' || typeof message.stepId !== 'string') {
    throw new TypeError('An answer names its step: {jobId, stepId, ...}.');
  }
  const requestId = (isEnvelope ? response.requestId : undefined) ?? message.requestId;
  return { msgType: 'StepInformation', message: { ...message, requestId: undefined }, requestId };
}

function named(envelope) {
  return { ...envelope, msgType: TYPES.get(envelope.msgType.toLowerCase()) ?? envelope.msgType };
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
