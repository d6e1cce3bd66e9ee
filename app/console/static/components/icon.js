/** Small drawings. They say nothing to screen readers: the button or link around one has the words. */
import { html, svg, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";

const PATHS = {
  work: "M4 5h16v11H4zM9 20h6M12 16v4M8 9.5l2.5 2.5L16 8",
  jobs: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  diagram: "M4 4h6v5H4zM14 15h6v5h-6zM7 9v8.5h7",
  template: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h6M9 17h4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-3.5 3-5.5 6.500-5.500s6 2 6.500 5.500M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.800c2 .8 3.200 2.600 3.500 5.200",
  system: "M3 12h4l3-8 4 16 3-8h4",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7",
  alert: "M12 8v5M12 16.500h.01M12 3.500l9.500 16.500h-19z",
  plus: "M12 5v14M5 12h14",
  play: "M8 5l11 7-11 7z",
  stop: "M7 7h10v10H7z",
  pause: "M9 5v14M15 5v14",
  hand: "M12 3v9M8.500 5v8M15.500 5v8M5.500 10v5c0 4 3 6 6.500 6s6.500-2 6.500-6V8",
  release: "M12 3v9M8 8l4-5 4 5M5 15v5h14v-5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c.600-3.800 3.300-6 7-6s6.400 2.200 7 6",
  flag: "M6 21V4h11l-2 4 2 4H6",
  question: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500h.01M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19z",
  file: "M7 3h8l4 4v14H7zM15 3v4h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  upload: "M12 16V4M7 9l5-5 5 5M4 20h16",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z",
  auto: "M12 3.500a8.500 8.500 0 1 0 0 17zM12 3.500a8.500 8.500 0 0 1 0 17",
  out: "M14 4H5v16h9M10 12h10M16 8l4 4-4 4",
  refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  pin: "M12 21s7-6 7-11.500a7 7 0 0 0-14 0C5 15 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  left: "M15 6l-6 6 6 6",
  right: "M9 6l6 6-6 6",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  save: "M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-6h8v6",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  minus: "M5 12h14",
  comment: "M4 5h16v11H10l-4 4v-4H4z",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  offline: "M3 3l18 18M8.500 15.500a5 5 0 0 1 4-1.500M5 12a10 10 0 0 1 4-2.500M12 19h.01M13 9a10 10 0 0 1 6 3",
};

/** A drawing of 18 by 18 pixels, for templates that are not components. */
export const icon = (name, px = 18) => html`<svg width=${px} height=${px} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PATHS[name] ? svg`<path d=${PATHS[name]}></path>` : nothing}</svg>`;

customElements.define("stepgate-icon", class extends Element {
  static properties = { name: {} };

  render() {
    return icon(this.name, 40);
  }
});
