import { html, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { icon } from "./icon.js";

/**
 * What all dialogs are: a modal `<dialog>`, with a heading, a body, and buttons. It opens when it enters the page and leaves
 * the page when it is closed; the focus goes back to where it was. `openDialog` shows one and resolves with its result.
 */
export class Dialog extends Element {
  /** What stands above it; a subclass says it by a field or a getter. */
  get heading() {
    return "";
  }

  firstUpdated() {
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (!this.busy) this.close();
    });
    this.dialog.showModal();
  }

  get dialog() {
    return this.querySelector("dialog");
  }

  /** Ends the dialog with a result; without one it was called off. */
  close(result) {
    this.dialog.close();
    this.finish(result);
  }

  body() {
    return nothing;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Close</button>`;
  }

  /** For dialogs that are a form. */
  async submit() {}

  render() {
    return html`<dialog aria-labelledby="dialog-heading" class=${this.look ?? ""}>
      <header><h2 id="dialog-heading">${this.heading}</h2>
        <button type="button" class="button quiet icon-only small" aria-label="Close" ?disabled=${this.busy} @click=${() => this.close()}>${icon("close", 16)}</button></header>
      <form id="dialog-form" class="body stack" @submit=${(event) => { event.preventDefault(); this.submit(event.target); }}>${this.body()}</form>
      <footer>${this.buttons()}</footer>
    </dialog>`;
  }
}

/** Shows a dialog and resolves with its result, `undefined` when it was called off. */
export function openDialog(tag, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  const back = document.activeElement;
  return new Promise((resolve) => {
    element.finish = (result) => {
      element.remove();
      if (back?.isConnected) back.focus({ preventScroll: true });
      resolve(result);
    };
    document.body.append(element);
  });
}

customElements.define("stepgate-confirm", class extends Dialog {
  static properties = { heading: {}, text: {}, action: {}, danger: { type: Boolean } };

  body() {
    return html`<p>${this.text}</p>`;
  }

  submit() {
    this.close(true);
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button>
      <button class="button main ${this.danger ? "danger" : ""}" form="dialog-form">${this.action}</button>`;
  }
});

/** Asks whether something is meant; resolves with true or undefined. */
export const confirm = (heading, text, action, danger = false) => openDialog("stepgate-confirm", { heading, text, action, danger });
