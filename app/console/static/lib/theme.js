/** Dark or light: as the system says, unless somebody has chosen. */
const KEPT = "stepgate.theme";
export const THEMES = ["auto", "light", "dark"];

export const theme = () => localStorage.getItem(KEPT) ?? "auto";

export function setTheme(name) {
  if (name === "auto") {
    localStorage.removeItem(KEPT);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEPT, name);
    document.documentElement.dataset.theme = name;
  }
  dispatchEvent(new Event("themechange"));
}

/** Applies what was chosen the last time. */
export const restoreTheme = () => setTheme(theme());
