/** Calls over HTTP: JSON out, JSON in, refusals as errors. */

import { ConnectionFailed, ProtocolError, errorOf } from './errors.js';
import { firstOf } from './signals.js';

/**
 * The REST API of one item.
 *
 * Nothing is sent again by itself, for it may have taken effect; only a call refused with 401, which did nothing, is
 * made once more, with another token of `getToken`.
 */
export class Rest {
  constructor(endpoint) {
    this.endpoint = endpoint;
  }

  get(path, { query, signal } = {}) {
    return this.json('GET', path, { query, signal });
  }

  /** `key`: an Idempotency-Key. The same call with the same key may be made again when no answer came. */
  post(path, body, { key, signal } = {}) {
    return this.json('POST', path, { body, key, signal });
  }

  put(path, body, { signal } = {}) {
    return this.json('PUT', path, { body, signal });
  }

  delete(path, { signal } = {}) {
    return this.json('DELETE', path, { signal });
  }

  /** One call with a JSON answer; `path` is relative to the item, its variable parts already encoded (`part`). */
  async json(method, path, { query, body, key, signal } = {}) {
    const headers = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key !== undefined) headers['Idempotency-Key'] = key;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const limit = AbortSignal.timeout(this.endpoint.timeoutMs);
    return read(await this.#request(method, path + search(query), { headers, body: text, signal, limit }, textOf));
  }

  /**
   * Send a form with a file, which may take as long as it takes. `onProgress(sent, total)` is told as it goes, in bytes;
   * outside of browsers once, at the end: `(1, 1)`.
   */
  async upload(path, form, { signal, onProgress } = {}) {
    if (onProgress && globalThis.XMLHttpRequest) {
      return read(await this.#authorised((token) => this.#sendForm(path, form, token, signal, onProgress)));
    }
    const answer = await this.#request('POST', path, { headers: {}, body: form, signal }, textOf);
    onProgress?.(1, 1);
    return read(answer);
  }

  /** The bytes of an answer, a Blob, which may take as long as it takes. */
  async download(path, { signal } = {}) {
    const answer = await this.#request('GET', path, { headers: {}, signal }, (r) => (r.ok ? r.blob() : r.text()));
    if (!answer.ok) throw errorOf(answer.status, answer.body, answer.retryAfter);
    return answer.body;
  }

  #request(method, path, options, readBody) {
    return this.#authorised((token) => this.#fetch(method, path, options, token, readBody));
  }

  async #authorised(send) {
    const token = await this.endpoint.token();
    const answer = await send(token);
    if (answer.status !== 401 || !this.endpoint.canRenew) return answer;
    const other = await this.endpoint.token(token);
    return other === token ? answer : send(other);
  }

  async #fetch(method, path, { headers, body, signal, limit }, token, readBody) {
    const both = firstOf([signal, limit]);
    const init = { method, headers: { ...headers, Authorization: `Bearer ${token}` }, body, signal: both.signal };
    try {
      const response = await fetch(`${this.endpoint.itemUrl}/${path}`.replace(/\/$/, ''), init);
      const { ok, status } = response;
      return { ok, status, body: await readBody(response), retryAfter: response.headers.get('Retry-After') };
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw this.#noAnswer(limit?.aborted ? 'it took too long' : cause.cause?.message ?? cause.message, cause);
    } finally {
      both.release();
    }
  }

  /** As fetch, which cannot tell how much of a body has been sent. */
  #sendForm(path, form, token, signal, onProgress) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      signal?.addEventListener('abort', abort);
      request.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
      request.upload.addEventListener('progress', (event) => onProgress(event.loaded, event.total));
      request.addEventListener('load', () =>
        resolve({
          ok: request.status >= 200 && request.status < 300,
          status: request.status,
          body: request.responseText,
          retryAfter: request.getResponseHeader('Retry-After'),
        }),
      );
      request.addEventListener('error', () => reject(this.#noAnswer('the connection broke')));
      request.addEventListener('abort', () => reject(signal.reason));
      request.open('POST', `${this.endpoint.itemUrl}/${path}`);
      request.setRequestHeader('Authorization', `Bearer ${token}`);
      request.send(form);
    });
  }

  #noAnswer(why, cause) {
    return new ConnectionFailed(`No answer from ${this.endpoint.serverUrl}: ${why}.`, { cause });
  }
}

/** Encode an id for use as one part of a path. */
export function part(id) {
  if (typeof id !== 'string' || id === '') throw new TypeError('An id must be a text that is not empty.');
  return encodeURIComponent(id);
}

function search(query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function textOf(response) {
  return response.text();
}

function read(answer) {
  if (!answer.ok) throw errorOf(answer.status, answer.body, answer.retryAfter);
  try {
    return JSON.parse(answer.body);
  } catch (cause) {
    throw new ProtocolError(`The server's answer cannot be read: ${cause.message}.`, { cause });
  }
}
