/** Abort signals: waiting that can be called off, and several signals as one. */

/**
 * A signal that aborts with the first of these, and what takes its listeners off again.
 * (`AbortSignal.any` is younger than the oldest runtime this client serves.)
 *
 * @param {(AbortSignal | null | undefined)[]} signals
 * @returns {{signal: AbortSignal, release: () => void}}
 */
export function firstOf(signals) {
  const controller = new AbortController();
  const removers = [];
  for (const signal of signals) {
    if (!signal) continue;
    if (signal.aborted) {
      controller.abort(signal.reason);
      break;
    }
    removers.push(onAbort(signal, () => controller.abort(signal.reason)));
  }
  return { signal: controller.signal, release: () => removers.forEach((remove) => remove()) };
}

/** Call `listener` when the signal aborts; returns what takes it off again. An aborted signal calls at once. */
export function onAbort(signal, listener) {
  if (!signal) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** An id that nobody else has: 128 random bits. Not a secret. (`crypto` is not global in every runtime served.) */
export function uniqueId() {
  const word = () => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0');
  return word() + word() + word() + word();
}
