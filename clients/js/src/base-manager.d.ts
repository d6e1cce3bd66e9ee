/** Last argument of each call: a signal that calls the request off. Whether it was carried out is then not known. */
export interface RequestOptions {
  signal?: AbortSignal;
}

/** An Idempotency-Key: the same call with the same key may be made again when no answer came. */
export interface KeyedOptions extends RequestOptions {
  key?: string;
}

/** A manager of one workflow item. Made by `ManagerFactory.getManager`. */
export abstract class BaseManager {
  get itemId(): string;
  /** Root of the server, without a slash at its end. */
  get serverUrl(): string;
  /** Call any resource of the item; `path` is relative to it. Resolves with the decoded JSON. */
  request<T = unknown>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: KeyedOptions & { query?: Record<string, string | number | boolean | null | undefined>; body?: unknown },
  ): Promise<T>;
}
