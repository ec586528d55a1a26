/** How a bucket is opened, and how long is waited for its server. */
import type { Log } from "../log.ts";
import type { S3Keys, S3Location } from "../media-setting.ts";
import { usualPart } from "./s3-upload.ts";

export interface S3Options {
  readonly location: S3Location;
  /** Null: the SDK looks for them itself. */
  readonly keys: S3Keys | null;
  /** Folder of this machine for bytes on their way; its content is the store's. */
  readonly spoolFolder: string;
  readonly log: Log;
  /** For tests: how long is waited, in milliseconds, and how large parts are. */
  readonly limits?: Partial<S3Limits>;
}

/** Milliseconds, but for the last two. */
export interface S3Limits {
  /** At the start, before it is given up. */
  readonly start: number;
  /** For a short call whose caller waits. */
  readonly call: number;
  /** For bytes that a caller has sent and waits for. */
  readonly put: number;
  /** For bytes that were taken in and must not be lost. */
  readonly keep: number;
  /** For one request. */
  readonly request: number;
  /** For an answer that has begun and stands still. */
  readonly stall: number;
  readonly probeEvery: number;
  readonly partBytes: number;
  /** Objects that one answer lists; servers know no more than a thousand. */
  readonly listed: number;
}

export const usualLimits: S3Limits = {
  start: 30_000,
  call: 4000,
  put: 8000,
  keep: 60_000,
  request: 30_000,
  stall: 20_000,
  probeEvery: 5000,
  partBytes: usualPart,
  listed: 1000,
};
