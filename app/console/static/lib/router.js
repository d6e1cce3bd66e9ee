/** Addresses behind the `#`: which page shows them, and how to get there. */
class Router extends EventTarget {
  constructor() {
    super();
    addEventListener("hashchange", () => this.dispatchEvent(new Event("change")));
  }

  get path() {
    return location.hash.replace(/^#\/?/, "").split("?")[0];
  }

  get query() {
    return new URLSearchParams(location.hash.split("?")[1] ?? "");
  }

  /** Goes to `path`; `replace`: without a step that one could go back over. */
  go(path, { query, replace = false } = {}) {
    const hash = href(path, query);
    if (hash === location.hash) return;
    if (!replace) {
      location.hash = hash;
      return;
    }
    history.replaceState(null, "", hash);
    this.dispatchEvent(new Event("change"));
  }
}

export const router = new Router();

/** An address for links: `href(["jobs", id])`. */
export function href(path, query) {
  const parts = Array.isArray(path) ? path : [path];
  const text = query ? new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString() : "";
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${text ? `?${text}` : ""}`;
}

/** Matches `path` against `pattern` ("jobs/:jobId"); gives the named parts, or null. */
export function match(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/").map(decodeURIComponent);
  if (wanted.length !== given.length) return null;
  const params = {};
  for (const [place, part] of wanted.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = given[place];
    else if (part !== given[place]) return null;
  }
  return params;
}
