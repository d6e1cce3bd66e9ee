import { html, nothing } from "../vendor/lit.js";
import { Page } from "../lib/element.js";
import { Figures, sumOf } from "../lib/figures.js";
import { size } from "../lib/format.js";
import { icon } from "../components/icon.js";
import "../components/live-chart.js";

const whole = (value) => Math.round(value).toLocaleString();
const perSecond = (value) => `${(value ?? 0).toFixed(value >= 10 ? 0 : 1)}/s`;

/** What the server does right now: connections, messages, actions, the store and the bus, over the last minutes. */
customElements.define("stepgate-system", class extends Page {
  static properties = { version: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    this.figures = new Figures();
    this.version = 0;
    this.listen(this.figures, "change", () => (this.version += 1));
    this.whenLeft(() => this.figures.stop());
  }

  get heading() {
    return "System";
  }

  async load() {
    await this.figures.start();
    if (!this.figures.last && this.figures.failure) throw this.figures.failure;
  }

  view() {
    const { figures } = this;
    if (!figures.last) return nothing;
    return html`<header class="page-head"><div class="grow"><h1>System</h1><p>This server and its workers, over the last five minutes.</p></div>${this.#health()}</header>
      <div class="stack">
        ${figures.samples.some((sample) => sumOf(sample.figures, "stepgate_evictions_total") > 0) ? html`<p class="notice warn">${icon("alert")} ${whole(figures.now("stepgate_evictions_total"))} slow consumers were cut because they did not read what they were sent. They come back by themselves and miss nothing.</p>` : nothing}
        <div class="tiles">${this.#tiles()}</div>
        <div class="charts" data-samples=${figures.samples.length}>${this.#charts()}</div>
        ${this.#nodes()}
        ${this.#actions()}
      </div>`;
  }

  #health() {
    const { ready, bus } = this.figures.health ?? {};
    return html`<span class="badge ${ready ? "good" : "bad"}"><span class="dot ${ready ? "good" : "bad"}"></span>${ready ? "ready" : "not ready"}</span>
      ${this.figures.now("stepgate_bus_up") && bus !== "down" ? html`<span class="badge good">bus up</span>` : html`<span class="badge bad">bus down: other servers learn of changes two seconds later</span>`}`;
  }

  #tiles() {
    const { figures } = this;
    const tiles = [
      ["Websockets", whole(figures.now("stepgate_sessions")), `${whole(figures.now("stepgate_subscriptions"))} subscriptions`],
      ["Unsent", size(figures.now("stepgate_unsent_bytes")), `${whole(figures.now("stepgate_evictions_total"))} slow consumers cut`],
      ["Resumed", whole(figures.now("stepgate_recovered_total")), `${whole(figures.now("stepgate_not_recovered_total"))} came too late`],
      ["Gaps closed", whole(figures.now("stepgate_gaps_total")), `${whole(figures.now("stepgate_messages_swept_total"))} messages found by the sweep`],
      ["Service steps", whole(this.#limited("running")), `${whole(this.#limited("waiting"))} wait their turn`],
      ["Between servers", `${(figures.now("stepgate_bus_round_trip_seconds") * 1000).toFixed(1)} ms`, `${whole(figures.now("stepgate_bus_dropped_total"))} messages dropped`],
    ];
    return tiles.map(([name, value, more]) => html`<div class="card tile"><p class="small muted">${name}</p><p class="figure">${value}</p><p class="tiny muted">${more}</p></div>`);
  }

  /** Both limits count the same steps; a step is counted once. */
  #limited(kind) {
    return (this.figures.last.get(`stepgate_service_steps_${kind}`) ?? []).find((each) => each.labels.limit === "template")?.value ?? 0;
  }

  #charts() {
    const { figures } = this;
    const rate = (name, metric) => ({ name, values: figures.rates(metric), format: perSecond });
    const level = (name, metric, format = whole) => ({ name, values: figures.values(metric), format });
    const charts = [
      ["Connections", [level("websockets", "stepgate_sessions"), level("subscriptions", "stepgate_subscriptions")]],
      ["Messages", [rate("made", "stepgate_messages_published_total"), rate("delivered", "stepgate_deliveries_total"), rate("from other servers", "stepgate_messages_received_total")]],
      ["Actions and transactions", [rate("actions", "stepgate_actions_total"), rate("transactions", "stepgate_store_transactions_total"), rate("commits", "stepgate_store_commits_total")]],
      ["Unsent bytes", [level("waiting for peers to read", "stepgate_unsent_bytes", size)]],
    ];
    return charts.map(([heading, lines]) => html`<stepgate-chart .heading=${heading} .times=${figures.times} .lines=${lines}></stepgate-chart>`);
  }

  #nodes() {
    const { nodes } = this.figures;
    if (!nodes) return nothing;
    return html`<section class="card plain"><header><h2>Nodes</h2></header><div class="table-frame" tabindex="0" role="region" aria-label="Nodes"><table>
      <thead><tr><th scope="col">Process</th><th scope="col">Its figures are on this page</th></tr></thead>
      <tbody>${nodes.map(({ nodeId, answers }) => html`<tr><td><code>${nodeId}</code></td><td>${answers ? html`<span class="badge good">yes</span>` : "no"}</td></tr>`)}</tbody></table></div></section>`;
  }

  #actions() {
    const counted = (this.figures.last.get("stepgate_actions_total") ?? []).toSorted((a, b) => b.value - a.value);
    if (!counted.length) return nothing;
    return html`<section class="card plain"><header><h2>Actions since the start</h2></header><div class="table-frame" tabindex="0" role="region" aria-label="Actions since the start"><table>
      <thead><tr><th scope="col">Action</th><th scope="col">What became of it</th><th scope="col" class="number">Steps</th></tr></thead>
      <tbody>${counted.map(({ labels, value }) => html`<tr><td>${labels.type}</td><td>${labels.status === "Success" ? html`<span class="badge good">${labels.status}</span>` : html`<span class="badge warn">${labels.status}</span>`}</td><td class="number">${whole(value)}</td></tr>`)}</tbody></table></div></section>`;
  }
});
