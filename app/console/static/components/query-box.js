import { html, live, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { complete, isCondition } from "../lib/fields.js";
import { icon } from "./icon.js";

/**
 * The search box: words, or a condition in the language of `q`, with completion; a fault is shown where it is.
 * Sends `query-asked` with the text. `fault`: `{index, message}` of the last answer.
 */
customElements.define("stepgate-query-box", class extends Element {
  static properties = { text: {}, fault: {}, known: {}, options: { state: true }, chosen: { state: true } };

  constructor() {
    super();
    this.text = "";
    this.known = {};
    this.options = [];
    this.chosen = -1;
  }

  get input() {
    return this.querySelector("input");
  }

  render() {
    const shown = this.options.length > 0;
    return html`<form class="query" role="search" @submit=${this.#submit}>
      <div class="anchor">
        <span class="query-icon">${icon("search", 16)}</span>
        <input class="mono" type="text" .value=${live(this.text)} aria-label="Search jobs: words, or a condition"
          placeholder="Words, or a condition: priority='High' AND dueDate < CURRENT_TIMESTAMP"
          role="combobox" aria-autocomplete="list" aria-expanded=${shown} aria-controls="query-options"
          aria-activedescendant=${this.chosen >= 0 ? `query-option-${this.chosen}` : nothing}
          aria-invalid=${this.fault ? "true" : nothing} aria-describedby=${this.fault ? "query-fault" : nothing}
          autocomplete="off" autocapitalize="none" spellcheck="false"
          @input=${this.#offer} @keydown=${this.#key} @blur=${this.#close} @click=${this.#offer}>
        <span class="query-kind badge">${this.text.trim() ? (isCondition(this.text) ? "condition" : "words") : nothing}</span>
        <ul class="menu" id="query-options" role="listbox" aria-label="Completions" ?hidden=${!shown}>
          ${this.options.map((option, place) => html`<li role="option" id="query-option-${place}" aria-selected=${place === this.chosen} @mousedown=${(event) => this.#take(event, option)}>
            <code>${option.text}</code><span class="what">${option.what}</span></li>`)}
        </ul>
      </div>
      <button class="button main">Search</button>
      ${this.fault ? this.#faultView() : nothing}
    </form>`;
  }

  #faultView() {
    const { index, message } = this.fault;
    return html`<div class="query-fault notice bad" id="query-fault" role="alert">
      ${index === null ? nothing : html`<pre aria-hidden="true">${this.text}
${" ".repeat(index)}^</pre>`}
      <span>${index === null ? "" : `At character ${index + 1}: `}${message}</span>
    </div>`;
  }

  #offer(event) {
    this.text = this.input.value;
    const caret = this.input.selectionStart;
    const atEnd = caret === this.text.length;
    const { from, options } = complete(this.text, caret, this.known);
    const begun = caret > from || /\s$|^$/.test(this.text.slice(0, caret)) || /[=(,<>]$/.test(this.text.slice(0, caret));
    const wanted = begun && (event.type === "input" || this.text === "") && (atEnd || caret > from);
    this.from = from;
    this.options = wanted ? options : [];
    this.chosen = -1;
  }

  #key(event) {
    const { key } = event;
    if (key === "Escape" && this.options.length) {
      event.preventDefault();
      this.#close();
    } else if ((key === "ArrowDown" || key === "ArrowUp") && this.options.length) {
      event.preventDefault();
      const steps = this.options.length;
      this.chosen = (this.chosen + (key === "ArrowDown" ? 1 : this.chosen < 0 ? 0 : -1) + steps) % steps;
    } else if ((key === "Enter" || key === "Tab") && this.chosen >= 0) {
      this.#take(event, this.options[this.chosen]);
    } else if (key === " " && event.ctrlKey) {
      event.preventDefault();
      const { from, options } = complete(this.text, this.input.selectionStart, this.known);
      Object.assign(this, { from, options, chosen: options.length ? 0 : -1 });
    }
  }

  #take(event, option) {
    event.preventDefault();
    const caret = this.input.selectionStart;
    const added = `${option.text} `;
    this.text = this.text.slice(0, this.from) + added + this.text.slice(caret).trimStart();
    this.#close();
    this.updateComplete.then(() => {
      this.input.focus();
      this.input.setSelectionRange(this.from + added.length, this.from + added.length);
    });
  }

  #close() {
    this.options = [];
    this.chosen = -1;
  }

  #submit(event) {
    event.preventDefault();
    this.#close();
    this.tell("query-asked", this.text.trim());
  }
});
