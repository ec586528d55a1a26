import type { MediaType } from "@safelight/catalog";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Every time limit of the system, in milliseconds. Two are decided, the rest is derived, so that a lower limit always
 * ends before the one above it notices: a worker gives up while the server still waits, and the server has time left to
 * store what a worker finished at the last moment.
 */
export interface TimeLimits {
  /** A task that has run longer has failed (FR-013): counted from its first start over all attempts, only under a lease. */
  readonly stale: Readonly<Record<MediaType, number>>;
  /** How long a cloud platform lets one run live; its own guard should the worker hang. */
  readonly platform: Readonly<Record<MediaType, number>>;
  /** How long a worker may take for one run. */
  readonly worker: Readonly<Record<MediaType, number>>;
  /** How long a claimed task belongs to its dispatcher without a sign of life. */
  readonly lease: number;
  /** How often that sign is given. */
  readonly renewal: number;
  /** Longest wait of one long-polling request to a worker. */
  readonly httpWait: number;
  /** How long a worker may take to answer a short call. */
  readonly workerAnswer: number;
  /** A worker that says nothing for this long has lost its runs. */
  readonly workerSilence: number;
  /** How long nothing may move while a file is passed on, and how long that may take in all. */
  readonly transferIdle: number;
  readonly transfer: number;
  /** How long an executor may take to stop a run before the task ends without its word. */
  readonly cancel: number;
  /** How long a stopping server waits for what is under way; whoever stops it has little more patience before it kills. */
  readonly stop: number;
  /** How often the reaper looks for tasks past a limit. */
  readonly reaper: number;
  /** How long a pending task waits with no executor able to run it. */
  readonly unable: number;
}

/** Derives every limit from the two that are decided: how long a picture and a clip may take. */
export function deriveTimeLimits(stale: Readonly<Record<MediaType, number>>): TimeLimits {
  const each = (fraction: number): Record<MediaType, number> => ({
    image: Math.floor(stale.image * fraction),
    video: Math.floor(stale.video * fraction),
  });
  const shortest = Math.min(stale.image, stale.video);
  const lease = Math.floor(shortest / 20);
  return {
    stale,
    platform: each(0.97),
    worker: each(0.95),
    lease,
    renewal: Math.floor(lease / 3),
    httpWait: Math.floor(lease / 3),
    workerAnswer: Math.floor(lease / 3),
    workerSilence: Math.floor((lease * 2) / 3),
    transferIdle: Math.floor((lease * 2) / 3),
    transfer: shortest,
    cancel: Math.floor(lease / 3),
    stop: Math.floor(lease / 10),
    reaper: Math.floor(lease / 6),
    unable: 24 * HOUR,
  };
}

export const timeLimits: TimeLimits = Object.freeze(deriveTimeLimits({ image: 10 * MINUTE, video: 30 * MINUTE }));

/** How long an answer to an idempotency key is kept. */
export const IDEMPOTENCY_MS = 48 * HOUR;

/**
 * How long passing on one file of a workspace may take in all; someone who reads more slowly gets the rest by asking for a range. Silence
 * of the worker ends it far sooner.
 */
export const PROXY_TRANSFER_MS = HOUR;

/** How long a cancel inside a workspace waits for the run to stop; a worker answers after ten seconds at the latest. */
export const PROXY_CANCEL_MS = 12 * SECOND;

/** What a deploy of the worker may take, in milliseconds. */
export interface DeployLimits {
  /** All of it, from the start of the command to the address of the worker. */
  readonly total: number;
  /** Asking for that address. */
  readonly ask: number;
  /** How long the command may take to end by itself once it is told to. */
  readonly grace: number;
  /** How long to wait after the database refused. */
  readonly retry: number;
}

/** Derived from the one that is decided: DEPLOY_TIMEOUT, in minutes. */
export function deployLimits(minutes: number): DeployLimits {
  const total = minutes * MINUTE;
  return { total, ask: Math.min(MINUTE, total / 2), grace: 5 * SECOND, retry: 5 * SECOND };
}
