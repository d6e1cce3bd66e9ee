/** Gives a token that is valid now; `rejected` is one that the server has just refused. */
export type TokenSource = (context: { rejected: string | null }) => string | Promise<string>;

/** What this client needs of a WebSocket class; those of browsers, Node.js and the package `ws` have it. */
export interface WebSocketClass {
  new (url: string): {
    send(data: string): void;
    close(): void;
    addEventListener(type: 'message', listener: (event: { data: any }) => void): void;
    addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
    addEventListener(type: 'error', listener: (event: any) => void): void;
  };
}

interface CommonConfig {
  /** By default the item of a new server. */
  itemId?: string;
  /** By default `workflow`. */
  orgId?: string;
  /** Names the application: the server gives it back in the `senderId` of each `JobState`. */
  appId?: string;
  /** Milliseconds a call may wait for its answer, 30,000 by default; files take as long as they take. */
  timeoutMs?: number;
  /** Needed where the runtime has none: Node.js below 22. */
  WebSocket?: WebSocketClass;
  /** Pauses between attempts to connect: a random part of a ceiling that doubles from `baseMs` (1,000) to `capMs` (30,000). */
  retry?: { baseMs?: number; capMs?: number };
  /** Milliseconds of silence after which the server is asked whether it is there, 30,000 by default. */
  heartbeatMs?: number;
}

/** The root of the server, or that of a portal, which is asked where the server is. */
type Place = { serverUrl: string; portalUrl?: undefined } | { portalUrl: string; serverUrl?: undefined };

type Credentials = { token: string; getToken?: undefined } | { getToken: TokenSource; token?: undefined };

export type ConfigInfo = CommonConfig & Place & Credentials;

export const DEFAULT_ITEM: string;
