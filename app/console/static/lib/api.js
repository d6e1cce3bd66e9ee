/**
 * The JavaScript client, signed in: `jobs()` is its JobsManager, `call` asks for everything else below the item.
 * Whatever is asked tells `reach` whether the server answers, and ends the session when its token is refused.
 */
import { ConnectionFailed, JobsManager, ManagerFactory, NotificationManager, Unauthenticated } from "../client/index.js";
import { ROOT, session } from "./session.js";

const PROBE_MS = 1000;

/** Tells whether the server answers; sends `change` when that changes. While it does not, it is asked each second. */
class Reach extends EventTarget {
  reachable = true;
  #timer = null;

  set(reachable) {
    if (this.reachable === reachable) return;
    this.reachable = reachable;
    if (reachable) clearInterval(this.#timer);
    else this.#timer = setInterval(() => this.#probe(), PROBE_MS);
    this.dispatchEvent(new Event("change"));
  }

  /** The probe is asked only while the browser has a network at all: it would write an error for each that fails. */
  async #probe() {
    try {
      const response = await fetch(`${ROOT}readyz`, { cache: "no-store" });
      if (response.ok) this.set(true);
    } catch {
      // still away; the next probe asks again
    }
  }
}
export const reach = new Reach();

let managers = null;

/** Makes the managers for who is signed in now. To be awaited before the first page. */
export async function openClient() {
  if (managers) return;
  const config = { serverUrl: ROOT, orgId: session.current.orgId, itemId: session.current.itemId, appId: "console", getToken: currentToken };
  const [ofJobs, ofMessages] = await Promise.all([JobsManager, NotificationManager].map((each) => ManagerFactory.getManager(each, config)));
  managers = { jobs: guarded(ofJobs), notifications: ofMessages };
  ofMessages.onDisconnect(() => reach.set(false));
  ofMessages.onReconnect(() => reach.set(true));
  ofMessages.onError((error) => console.warn(error));
}

/** A token that was refused is not given again: the session ends. */
function currentToken({ rejected }) {
  if (rejected) throw new Unauthenticated("The token is not valid any more.");
  return session.current?.token;
}

session.addEventListener("change", () => {
  managers?.notifications.close();
  managers = null;
});
reach.addEventListener("change", () => reach.reachable && managers?.notifications.connect());

/** What is asked after somebody has signed out ends like a request that was called off: nobody is told. */
function signedIn() {
  if (managers) return managers;
  throw new DOMException("Nobody is signed in any more.", "AbortError");
}

/** The client's NotificationManager: live messages of jobs, and answers to what their steps ask. */
export const notifications = () => signedIn().notifications;

/** The client's JobsManager; each of its promises goes through `watched`. */
export const jobs = () => signedIn().jobs;

/** Asks for something below the item and gives the answer's JSON; `parts`: each is encoded. */
export const call = async (method, parts, options) => jobs().request(method, parts.map(encodeURIComponent).join("/"), options);
export const get = (parts, query) => call("GET", parts, { query });
export const post = (parts, body = {}) => call("POST", parts, { body });
export const put = (parts, body = {}) => call("PUT", parts, { body });
export const remove = (parts) => call("DELETE", parts);

async function watched(promise) {
  try {
    const answer = await promise;
    reach.set(true);
    return answer;
  } catch (error) {
    if (error instanceof ConnectionFailed) reach.set(false);
    if (error instanceof Unauthenticated) session.signOut("Your session has ended. Sign in again, and you are back where you were.");
    throw error;
  }
}

const guarded = (manager) =>
  new Proxy(manager, {
    get(target, name) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...given) => {
        const result = member.apply(target, given);
        return result instanceof Promise ? watched(result) : result;
      };
    },
  });
