/** Who is signed in: the token lives in this tab's session storage, and in no address. */
const KEPT = "stepgate.session";
const ITEM_KEPT = "stepgate.item";
const FIRST_ITEM = { orgId: "workflow", itemId: "00000000000000000000000000000001" };
const MINUTES = 24 * 60;

/** The server's root, with a slash at the end: the console lies one level below it. */
export const ROOT = new URL("..", new URL(import.meta.url).href.replace(/lib\/session\.js$/, "")).href;

class Session extends EventTarget {
  /** `{token, expires, username, fullName, orgId, itemId, privileges, groups}`, or null. */
  current = readKept();
  /** Why the sign-in page is shown, where there is more to say than that nobody is signed in. */
  reason = null;

  get item() {
    return this.current ?? keptItem();
  }

  get isSignedIn() {
    return this.current !== null;
  }

  may(privilege) {
    const privileges = this.current?.privileges ?? [];
    return privileges.includes(privilege) || (privilege === "adminBasic" && privileges.includes("adminAdvanced"));
  }

  /** Signs in with a name and a password, which go into the body of one request and are kept nowhere. */
  async signIn(username, password, item) {
    const form = new URLSearchParams({ username, password, expiration: String(MINUTES), f: "json" });
    const answer = await portal("generateToken", { method: "POST", body: form });
    await this.#enter({ token: answer.token, expires: answer.expires }, item);
  }

  async signInWithToken(token, item) {
    await this.#enter({ token: token.trim(), expires: null }, item);
  }

  signOut(reason = null) {
    if (!this.current) return;
    this.current = null;
    this.reason = reason;
    sessionStorage.removeItem(KEPT);
    this.dispatchEvent(new Event("change"));
  }

  async #enter(access, item) {
    const headers = { Authorization: `Bearer ${access.token}` };
    const { username } = await portal("community/self?f=json", { headers });
    const address = `${ROOT}${encodeURIComponent(item.orgId)}/${encodeURIComponent(item.itemId)}`;
    const response = await fetch(`${address}/community/users/${encodeURIComponent(username)}`, { headers });
    const user = await response.json();
    if (user.error) throw new Error(user.error.message);
    this.current = { ...access, ...item, username, fullName: user.fullName, privileges: user.privileges, groups: user.groups };
    this.reason = null;
    sessionStorage.setItem(KEPT, JSON.stringify(this.current));
    localStorage.setItem(ITEM_KEPT, JSON.stringify(item));
    this.dispatchEvent(new Event("change"));
  }
}

/** Asks the portal, whose refusals have status 200 and a member `error`. */
async function portal(path, options) {
  let response;
  try {
    response = await fetch(`${ROOT}sharing/rest/${path}`, options);
  } catch {
    throw new Error("The server cannot be reached. Is it running, and is this device online?");
  }
  const answer = await response.json();
  if (answer.error) throw new Error(answer.error.message);
  return answer;
}

function readKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return kept?.token && (!kept.expires || kept.expires > Date.now()) ? kept : null;
  } catch {
    return null;
  }
}

function keptItem() {
  try {
    return { ...FIRST_ITEM, ...JSON.parse(localStorage.getItem(ITEM_KEPT)) };
  } catch {
    return FIRST_ITEM;
  }
}

export const session = new Session();
