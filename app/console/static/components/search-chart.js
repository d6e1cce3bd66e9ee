import { html } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { Element, failureView, skeleton } from "../lib/element.js";
import { plural } from "../lib/format.js";
import { href } from "../lib/router.js";

/** A saved chart: how many jobs have each value of a field, as bars that lead to these jobs. `search`: the saved search. */
customElements.define("stepgate-search-chart", class extends Element {
  static properties = { search: {}, counted: { state: true }, failure: { state: true } };

  willUpdate(changed) {
    if (changed.has("search")) this.#count();
  }

  async #count() {
    try {
      const { q, search, groupBy } = this.search.definition ?? {};
      this.failure = null;
      this.counted = await jobs().calculateJobStatistics({ q, search, groupBy });
    } catch (error) {
      this.failure = error;
    }
  }

  render() {
    if (this.failure) return failureView(this.failure, () => this.#count());
    if (!this.counted) return skeleton();
    const groups = this.counted.groupedValues ?? [];
    const most = Math.max(1, ...groups.map((group) => group.count));
    return html`<section class="card"><header><h2>${this.search.name}</h2><span class="muted small">${plural(this.counted.total, "job")}</span></header>
      <ul class="body stack tight">${groups.map((group) => html`<li class="bar">
        <a class="cut" href=${href("jobs", { q: this.#condition(group.value) })}>${group.value ?? "without"}</a>
        <progress max=${most} value=${group.count} aria-label=${group.value ?? "without"}></progress><span class="mono">${group.count}</span></li>`)}</ul></section>`;
  }

  #condition(value) {
    const { q, groupBy } = this.search.definition;
    const same = value === null ? `${groupBy} IS NULL` : `${groupBy}='${value.replace(/'/g, "''")}'`;
    return q ? `(${q}) AND ${same}` : same;
  }
});
