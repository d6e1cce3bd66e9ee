import { BaseManager } from './base-manager.js';
import type { ConnectionPhase } from './enums.js';
import type { StepgateError } from './errors.js';
import type {
  AnswerVerdict,
  ItemMessage,
  JobMessage,
  JobStateMessage,
  StepAnswer,
  StepInfoResponse,
} from './message-types.js';

/** How the connection stands. While `waiting`, `cause` is what failed, and `retryInMs` how long the pause is. */
export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Attempts that have failed since it last worked. */
  readonly failures: number;
  readonly cause: StepgateError | null;
  readonly retryInMs: number | null;
}

/** The last message of a job that was seen, and the history it counts in. */
export interface Position {
  seq: number;
  epoch: string;
}

/** The final verdict on an answer, `applied`; `stored` is the stage before. Both reject with AnswerRejected and its kin. */
export interface SentAnswer extends Promise<AnswerVerdict> {
  readonly requestId: string;
  readonly stored: Promise<AnswerVerdict>;
}

/** A handler may return a Promise, which nobody waits for. What it throws is told to `onError`. */
export type JobMessageHandler = (message: JobMessage) => unknown;
export type ItemMessageHandler = (message: ItemMessage) => unknown;

/** One websocket for all jobs, opened by the first subscription or answer and closed after the last. */
export class NotificationManager extends BaseManager {
  get state(): ConnectionState;
  /** What another session gives as `since` to go on there. */
  get positions(): Record<string, Position>;

  /** Watch a job; returns the id for `unsubscribe`. The handler begins with the job's `JobState`. */
  subscribeToJob(
    jobId: string,
    handler: JobMessageHandler,
    options?: { signal?: AbortSignal; since?: Position },
  ): string;
  /** The subscription's first `JobState`. Rejects with SubscriptionRefused, or with how the connection ended. */
  whenSubscribed(callbackId: string): Promise<JobStateMessage>;
  /** Hear what concerns the item and no job. */
  subscribeToItem(itemId: string, handler: ItemMessageHandler, options?: { signal?: AbortSignal }): string;
  unsubscribe(callbackId: string): void;
  unsubscribeFromAll(): void;

  /** Answer a step's question. It survives broken connections and counts once. */
  send(response: StepInfoResponse | StepAnswer, options?: { timeoutMs?: number; signal?: AbortSignal }): SentAnswer;

  /** Each returns what takes the listener off again. */
  onDisconnect(listener: (cause: StepgateError) => unknown): () => void;
  onReconnect(listener: () => unknown): () => void;
  onStateChange(listener: (state: ConnectionState) => unknown): () => void;
  /** What handlers throw, and refusals that no Promise tells of. Without a listener they go to the console. */
  onError(listener: (error: unknown) => unknown): () => void;

  /** Connect now, in place of waiting for the next attempt or after the connection has ended for good. */
  connect(): void;
  /** End everything; answers under way reject. */
  close(): void;
}
