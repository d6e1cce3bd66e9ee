import { html } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { icon } from "./icon.js";

/** Where files are dropped or chosen. Sends `files-given` with an array of files. `accept`: as of an `<input>`. */
customElements.define("stepgate-drop", class extends Element {
  static properties = { accept: {}, over: { state: true } };

  render() {
    return html`<div class="drop ${this.over ? "over" : ""}" @dragover=${this.#over} @dragleave=${() => (this.over = false)} @drop=${this.#drop}>
      ${icon("upload", 22)}
      <span>Drop files here, or <label class="link">choose them<input class="for-readers" type="file" multiple accept=${this.accept ?? ""} @change=${this.#choose}></label></span>
    </div>`;
  }

  #over(event) {
    event.preventDefault();
    this.over = true;
  }

  #drop(event) {
    event.preventDefault();
    this.over = false;
    this.#give([...event.dataTransfer.files]);
  }

  #choose(event) {
    this.#give([...event.target.files]);
    event.target.value = "";
  }

  #give(files) {
    if (files.length) this.tell("files-given", files);
  }
});
