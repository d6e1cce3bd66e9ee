/** What a manager is made with: where the item is, who asks, and what this runtime gives. */

import { ConfigurationError, ConnectionFailed, NotFound, Unauthenticated, errorOf } from './errors.js';

/** The item of a new server. */
export const DEFAULT_ITEM = '00000000000000000000000000000001';

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * One workflow item on one server, and the token source.
 *
 * `getToken` is asked for each call and each connection, so it may renew; it is given `{rejected}`, the token that the
 * server has just refused, if there is one.
 */
export class Endpoint {
  #source;

  constructor(serverUrl, config) {
    this.serverUrl = serverUrl;
    this.orgId = config.orgId ?? 'workflow';
    this.itemId = config.itemId ?? DEFAULT_ITEM;
    this.appId = config.appId ?? null;
    this.timeoutMs = config.timeoutMs ?? REQUEST_TIMEOUT_MS;
    this.canRenew = typeof config.getToken === 'function';
    this.#source = this.canRenew ? config.getToken : () => config.token;
  }

  /** Root of the item's REST API, without a slash at its end. */
  get itemUrl() {
    return `${this.serverUrl}/${encodeURIComponent(this.orgId)}/${encodeURIComponent(this.itemId)}`;
  }

  /** Root of what belongs to the server and not to one item. */
  get orgUrl() {
    return `${this.serverUrl}/${encodeURIComponent(this.orgId)}`;
  }

  /** Address of the websocket; browsers cannot send headers with it, so the token is part of it. */
  websocketUrl(token) {
    return `ws${this.itemUrl.slice('http'.length)}/notificationWs?token=${encodeURIComponent(token)}`;
  }

  /** A token that is valid now. Throws what `getToken` throws; Unauthenticated when it gives none. */
  async token(rejected = null) {
    const token = await this.#source({ rejected });
    if (typeof token !== 'string' || token === '') {
      throw new Unauthenticated('getToken gave no token.');
    }
    return token;
  }
}

/** Check a config and find the server. Throws ConfigurationError before anything is sent; what the portal answers. */
export async function openEndpoint(config) {
  if (config === null || typeof config !== 'object') {
    throw new ConfigurationError('The config must be an object: {serverUrl, itemId, token}.');
  }
  checkToken(config);
  for (const name of ['itemId', 'orgId', 'appId']) {
    if (config[name] !== undefined && (typeof config[name] !== 'string' || config[name] === '')) {
      throw new ConfigurationError(`${name} must be a text that is not empty.`);
    }
  }
  if ((config.serverUrl === undefined) === (config.portalUrl === undefined)) {
    throw new ConfigurationError('The config needs serverUrl or portalUrl, and not both.');
  }
  if (config.serverUrl !== undefined) return new Endpoint(root(config.serverUrl, 'serverUrl'), config);
  const portal = new Endpoint(root(config.portalUrl, 'portalUrl'), config);
  return new Endpoint(root(await findServer(portal), 'the address that the portal gives'), config);
}

function checkToken(config) {
  const hasToken = config.token !== undefined;
  const hasSource = config.getToken !== undefined;
  if (hasToken === hasSource) throw new ConfigurationError('The config needs token or getToken, and not both.');
  if (hasToken && (typeof config.token !== 'string' || config.token === '')) {
    throw new ConfigurationError('token must be a text that is not empty.');
  }
  if (hasSource && typeof config.getToken !== 'function') throw new ConfigurationError('getToken must be a function.');
}

function root(url, name) {
  let parsed;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    parsed = null;
  }
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigurationError(`${name} ${JSON.stringify(url)} is not a server. Write it like https://host:port.`);
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, '');
}

/** Ask a portal where its workflow server is: online portals name it, enterprise portals list their servers. */
async function findServer(portal) {
  const token = await portal.token();
  const base = `${portal.serverUrl}/sharing/rest/portals`;
  const self = await ask(`${base}/self`, token, portal);
  const named = self.helperServices?.workflowManager?.url;
  if (typeof named === 'string' && named !== '') return named;
  const { servers = [] } = await ask(`${base}/${encodeURIComponent(self.id ?? 'self')}/servers`, token, portal);
  const found = servers.find((server) => /workflowmanager/i.test(server.serverFunction ?? ''));
  if (!found) throw new NotFound(`The portal ${portal.serverUrl} has no workflow server.`);
  return found.url;
}

async function ask(url, token, portal) {
  let response;
  let text;
  try {
    const signal = AbortSignal.timeout(portal.timeoutMs);
    response = await fetch(`${url}?f=json`, { headers: { Authorization: `Bearer ${token}` }, signal });
    text = await response.text();
  } catch (cause) {
    throw new ConnectionFailed(`No answer from ${portal.serverUrl}: ${cause.message}.`, { cause });
  }
  const body = response.ok ? JSON.parse(text) : null;
  if (body === null || body.error) throw errorOf(body?.error?.code ?? response.status, text);
  return body;
}
