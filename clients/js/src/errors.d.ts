/** Base of all errors raised on purpose. `message` is for a person; `temporary`: the same call may succeed later. */
export class StepgateError extends Error {
  readonly temporary: boolean;
  constructor(message: string, options?: { temporary?: boolean; cause?: unknown });
}

/** The config cannot work, or this runtime lacks something. */
export class ConfigurationError extends StepgateError {}

/** No server answers there, or the connection broke. Whether a request took effect is not known. */
export class ConnectionFailed extends StepgateError {}

/** The server cannot do it now and did nothing. `retryAfterS` is its advice in seconds. */
export class Unavailable extends StepgateError {
  readonly retryAfterS: number | null;
  constructor(message: string, retryAfterS?: number | null);
}

/** The server has a fault of its own; `status` is the HTTP status. */
export class ServerFailed extends StepgateError {
  readonly status: number;
  constructor(message: string, status: number);
}

/** No token, a bad one, or one that has expired. `getToken` may throw it to say that there is none to be had. */
export class Unauthenticated extends StepgateError {}

/** The user is known and may not do this. */
export class PermissionDenied extends StepgateError {}

/** The thing named does not exist, or the user may not know that it does. */
export class NotFound extends StepgateError {}

/** The server understood and refuses; `details` has one text for each single fault, `status` is 0 for a frame. */
export class RequestRefused extends StepgateError {
  readonly type: string;
  readonly details: readonly unknown[];
  readonly status: number;
  constructor(message: string, options?: { type?: string; details?: readonly unknown[]; status?: number });
}

export type AnswerRejection = 'already_answered' | 'not_waiting' | 'not_allowed' | 'invalid';

/** An answer to a step was not taken. */
export class AnswerRejected extends StepgateError {
  readonly reason: AnswerRejection;
  constructor(message: string, reason: AnswerRejection);
}

/** An answer's verdict did not come in time. Sending it again with the same `requestId` is safe. */
export class VerdictMissing extends StepgateError {
  readonly requestId: string;
  /** The last stage reported; null when nothing was. */
  readonly stage: 'stored' | null;
  constructor(requestId: string, stage: 'stored' | null);
}

/** This job cannot be watched; `code` is the reply code. */
export class SubscriptionRefused extends StepgateError {
  readonly code: string;
  readonly jobId: string;
  constructor(message: string, code: string, jobId: string);
}

/** The server ended the websocket for good; `code` is the close code. */
export class SubscriptionEnded extends StepgateError {
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string);
}

/** The server sent something that is not what the wire format says. */
export class ProtocolError extends StepgateError {}
