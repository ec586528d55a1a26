import { type Log, silentLog } from "../log.ts";
import type { S3Limits } from "../media/s3-limits.ts";
import { S3MediaStore } from "../media/s3-media-store.ts";
import { parseMediaUrl, type S3Location } from "../media-setting.ts";
import type { S3Server } from "./s3-server.ts";

export interface TestStoreOptions {
  /** What keys begin with, so that tests on one server do not see each other's. */
  readonly prefix: string;
  readonly limits?: Partial<S3Limits>;
  readonly log?: Log;
}

/** What a test does not limit by itself may take as long as a busy machine needs. */
const patient = { start: 60_000, call: 60_000, put: 60_000, keep: 120_000, request: 60_000, stall: 60_000 };

/** A store on a test server, with small parts. */
export function openS3Store(server: S3Server, spoolFolder: string, options: TestStoreOptions): Promise<S3MediaStore> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = server.environment;
  return S3MediaStore.open({
    location: { ...locationOf(server), prefix: options.prefix },
    keys: { accessKeyId, secretAccessKey },
    spoolFolder,
    log: options.log ?? silentLog(),
    limits: { ...patient, partBytes: 256 * 1024, ...options.limits },
  });
}

export function locationOf(server: S3Server): S3Location {
  const location = parseMediaUrl(server.environment.MEDIA_URL);
  if ("problem" in location) throw new Error(location.problem);
  return location;
}
