/** Short messages at the edge of the window: what was done, and what went wrong and why. */
const STAY_MS = 5000;

class Toasts extends EventTarget {
  #number = 0;
  shown = [];

  success(text) {
    this.#add({ kind: "good", text, details: [] }, STAY_MS);
  }

  /** Failures stay until they are dismissed. The same failure again does not pile up. */
  failure(error) {
    if (error?.name === "AbortError" || error?.handled) return;
    const text = error?.message ?? String(error);
    if (this.shown.some((toast) => toast.text === text)) return;
    const details = (error?.details ?? []).filter((detail) => !text.includes(detail));
    this.#add({ kind: "bad", text, details });
  }

  dismiss(id) {
    this.shown = this.shown.filter((toast) => toast.id !== id);
    this.dispatchEvent(new Event("change"));
  }

  #add(toast, stayMs) {
    const id = ++this.#number;
    this.shown = [...this.shown.slice(-3), { ...toast, id }];
    this.dispatchEvent(new Event("change"));
    if (stayMs) setTimeout(() => this.dismiss(id), stayMs);
  }
}

export const toasts = new Toasts();
