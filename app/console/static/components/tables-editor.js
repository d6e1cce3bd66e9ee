import { html, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { icon } from "./icon.js";

const TYPES = ["String", "Integer", "Double", "Boolean", "DateTime", "DateOnly", "TimeOnly"];

/** The tables of extended properties of a template. Sends `tables-changed` with the whole list; what is not shown is kept. */
customElements.define("stepgate-tables", class extends Element {
  static properties = { tables: {}, disabled: { type: Boolean } };

  render() {
    return html`<div class="stack">${this.tables.length ? this.tables.map((table, place) => this.#table(table, place)) : html`<p class="small muted">Values that jobs of this template have beside the usual ones.</p>`}
      <div><button type="button" class="button small" ?disabled=${this.disabled} @click=${() => this.#tell([...this.tables, { tableName: this.#freeName("table", this.tables.map((each) => each.tableName)), relationshipType: "OneToOne", extendedPropertyDefinitions: [] }])}>${icon("plus", 14)} Add table</button></div></div>`;
  }

  #table(table, place) {
    const set = (members) => this.#tell(this.tables.with(place, { ...table, ...members }));
    const properties = table.extendedPropertyDefinitions ?? [];
    const setProperty = (number, members) => set({ extendedPropertyDefinitions: properties.with(number, { ...properties[number], ...members }) });
    return html`<fieldset class="stack tight property-table"><legend class="for-readers">Table ${table.tableName}</legend>
      <div class="row"><input class="mono" aria-label="Name of the table" .value=${table.tableName} @change=${(event) => set({ tableName: event.target.value })}>
        <select aria-label="Rows of ${table.tableName}" @change=${(event) => set({ relationshipType: event.target.value })}>${[["OneToOne", "one row for each job"], ["OneToMany", "several rows"]].map(([type, name]) => html`<option value=${type} ?selected=${type === table.relationshipType}>${name}</option>`)}</select>
        <button type="button" class="button quiet icon-only small" aria-label="Delete table ${table.tableName}" @click=${() => this.#tell(this.tables.toSpliced(place, 1))}>${icon("trash", 14)}</button></div>
      ${properties.length ? html`<ul class="stack tight">${properties.map((each, number) => html`<li class="property-row">
        <input class="mono" aria-label="Name of the property" .value=${each.propertyName} @change=${(event) => setProperty(number, { propertyName: event.target.value })}>
        <input aria-label="Title of ${each.propertyName}" placeholder="Title" .value=${each.propertyAlias ?? ""} @change=${(event) => setProperty(number, { propertyAlias: event.target.value || undefined })}>
        <select aria-label="Type of ${each.propertyName}" @change=${(event) => setProperty(number, { dataType: event.target.value })}>${[...new Set([...TYPES, each.dataType])].map((type) => html`<option ?selected=${type === each.dataType}>${type}</option>`)}</select>
        <label class="row small"><input type="checkbox" .checked=${Boolean(each.required)} @change=${(event) => setProperty(number, { required: event.target.checked })}> required</label>
        <button type="button" class="button quiet icon-only small" aria-label="Delete property ${each.propertyName}" @click=${() => set({ extendedPropertyDefinitions: properties.toSpliced(number, 1) })}>${icon("close", 14)}</button></li>`)}</ul>` : nothing}
      <div><button type="button" class="button quiet small" @click=${() => set({ extendedPropertyDefinitions: [...properties, { propertyName: this.#freeName("property", properties.map((each) => each.propertyName)), dataType: "String" }] })}>${icon("plus", 14)} Add property</button></div></fieldset>`;
  }

  #freeName(word, names) {
    let number = names.length + 1;
    while (names.includes(`${word}${number}`)) number += 1;
    return `${word}${number}`;
  }

  #tell(tables) {
    this.tell("tables-changed", tables);
  }
});
