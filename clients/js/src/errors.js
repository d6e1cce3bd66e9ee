/**
 * Every error the client raises on purpose, as one tree.
 *
 * StepgateError               temporary: the same call may succeed later
 *   ConfigurationError        the config cannot work, or this runtime lacks something
 *   ConnectionFailed          no server there, or the connection broke (temporary)
 *   Unavailable               the server cannot do it now (temporary); retryAfterS
 *   ServerFailed              the server has a fault of its own; status
 *   Unauthenticated           no token, a bad one, or one that has expired
 *   PermissionDenied          the user is known and may not do this
 *   NotFound                  the thing named does not exist, or may not be seen
 *   RequestRefused            the server understood and refuses; type, details, status
 *   AnswerRejected            an answer to a step was not taken; reason
 *   VerdictMissing            an answer's verdict did not come in time (temporary); stage, requestId
 *   SubscriptionRefused       this job cannot be watched; code, jobId
 *   SubscriptionEnded         the server ended the websocket for good; code
 *   ProtocolError             the server broke the wire format
 *
 * A caller's AbortSignal rejects with the signal's own reason, which is none of these.
 */

export class StepgateError extends Error {
  /** `temporary`: the same call may succeed later. `cause` as in Error. */
  constructor(message, { temporary = false, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.temporary = temporary;
  }
}

export class ConfigurationError extends StepgateError {}

export class ConnectionFailed extends StepgateError {
  constructor(message, { temporary = true, cause } = {}) {
    super(message, { temporary, cause });
  }
}

export class Unavailable extends StepgateError {
  constructor(message, retryAfterS = null) {
    super(message, { temporary: true });
    this.retryAfterS = retryAfterS;
  }
}

export class ServerFailed extends StepgateError {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Unauthenticated extends StepgateError {}

export class PermissionDenied extends StepgateError {}

export class NotFound extends StepgateError {}

export class RequestRefused extends StepgateError {
  /** `status` is the HTTP status, 0 for a frame of the websocket. */
  constructor(message, { type = '', details = [], status = 0 } = {}) {
    super(message);
    this.type = type;
    this.details = details;
    this.status = status;
  }
}

export class AnswerRejected extends StepgateError {
  constructor(message, reason) {
    super(message);
    this.reason = reason;
  }
}

export class VerdictMissing extends StepgateError {
  constructor(requestId, stage) {
    const told = stage ? 'it was stored, and is not applied yet' : 'the server did not reply';
    super(`No verdict on the answer in time: ${told}.`, { temporary: true });
    this.requestId = requestId;
    this.stage = stage;
  }
}

export class SubscriptionRefused extends StepgateError {
  constructor(message, code, jobId) {
    super(message);
    this.code = code;
    this.jobId = jobId;
  }
}

export class SubscriptionEnded extends StepgateError {
  constructor(code, reason) {
    super(`The server ended the connection: ${reason || 'no reason given'} (close code ${code}).`);
    this.code = code;
    this.reason = reason;
  }
}

export class ProtocolError extends StepgateError {}

/** HTTP statuses of servers and proxies that say: not now. */
const TEMPORARY_STATUSES = new Set([408, 429, 502, 503, 504]);

/** 498 and 499 are a portal's words for a bad and a missing token. */
const BY_STATUS = new Map([
  [401, Unauthenticated],
  [498, Unauthenticated],
  [499, Unauthenticated],
  [403, PermissionDenied],
  [404, NotFound],
]);

/**
 * The error for a refusal over HTTP. The body is `{error: {message, type, details}}`; a proxy's own page is borne.
 * Some calls answer 400 also for a missing thing or privilege, so the type named in the body goes before the status.
 */
export function errorOf(status, text, retryAfter) {
  const { message, type, details } = faultOf(status, text);
  if (TEMPORARY_STATUSES.has(status)) return new Unavailable(message, secondsOf(retryAfter));
  if (status >= 500) return new ServerFailed(message, status);
  if (type.endsWith('NotFound')) return new NotFound(message);
  if (type === 'PermissionDenied') return new PermissionDenied(message);
  const Known = BY_STATUS.get(status);
  return Known ? new Known(message) : new RequestRefused(message, { type, details, status });
}

function faultOf(status, text) {
  let fault;
  try {
    fault = JSON.parse(text).error ?? {};
  } catch {
    fault = {};
  }
  return {
    message: String(fault.message || `The server answered with HTTP status ${status}.`),
    type: String(fault.type ?? fault.name ?? ''),
    details: Array.isArray(fault.details) ? fault.details : [],
  };
}

function secondsOf(retryAfter) {
  return /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) : null;
}
