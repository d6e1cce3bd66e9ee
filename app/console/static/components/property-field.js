/** Fields for properties of jobs, as their definitions allow. */
import { html, nothing } from "../vendor/lit.js";

const DATES = { DateTime: "datetime-local", DateOnly: "date", TimeOnly: "time" };
const YES_NO = [{ code: "true", name: "Yes" }, { code: "false", name: "No" }];

/** A field for a property, as its definition allows. Names of fields are the properties' identifiers. */
export function propertyField({ identifier, alias, value, dataType, required, codedValues, range, fieldLength }, disabled = false) {
  const name = alias ?? identifier;
  const choices = codedValues ?? (dataType === "Boolean" ? YES_NO : null);
  if (choices) {
    return html`<label class="field"><span>${name}</span><select name=${identifier} ?required=${required} ?disabled=${disabled}>
      ${required ? nothing : html`<option value=""></option>`}
      ${choices.map((each) => html`<option value=${each.code} ?selected=${each.code === value}>${each.name}</option>`)}</select></label>`;
  }
  const isNumber = ["Integer", "Double"].includes(dataType);
  const type = DATES[dataType] ?? (isNumber ? "number" : "text");
  return html`<label class="field"><span>${name}</span><input name=${identifier} type=${type} step=${dataType === "Double" ? "any" : nothing}
    min=${range?.[0] ?? nothing} max=${range?.[1] ?? nothing} maxlength=${fieldLength ?? nothing} ?required=${required} ?disabled=${disabled} .value=${shown(value, type)}></label>`;
}

function shown(value, type) {
  if (value === null || value === undefined) return "";
  if (type !== "datetime-local") return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? "" : new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What a field of `propertyField` holds, as text; null where it is empty. */
export function valueOf({ identifier }, form) {
  const field = form.elements.namedItem(identifier);
  if (!field.value) return null;
  return field.type === "datetime-local" ? new Date(field.value).toISOString() : field.value;
}
