import { type GetObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import type { S3Keys, S3Location } from "../media-setting.ts";

/** Where objects lie, and the connection to it. */
export interface S3Place {
  readonly client: S3Client;
  readonly location: S3Location;
}

/** Without keys the SDK looks for them where it always does: its variables, its files, the machine or container it runs on. */
export function openPlace(location: S3Location, keys: S3Keys | null): S3Place {
  return { location, client: openClient(location, location.endpoint, keys) };
}

/** The same bucket at the address that browsers know it by: what is signed holds for one address only. */
export function openClient(location: S3Location, endpoint: string | null, keys: S3Keys | null): S3Client {
  return new S3Client({
    region: location.region,
    forcePathStyle: location.pathStyle,
    ...(endpoint === null ? {} : { endpoint }),
    ...(keys === null ? {} : { credentials: { ...keys } }),
    // Tries, pauses and their end are ours: patiently().
    maxAttempts: 1,
    // Newer checksums are unknown to many servers; every body carries Content-MD5 and the SHA-256 of its signature instead.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    followRegionRedirects: false,
    requestHandler: { connectionTimeout: 3000, httpAgent: { maxSockets: 64 }, httpsAgent: { maxSockets: 64 } },
  });
}

/** Bucket and key of a name. */
export function objectOf({ location }: S3Place, name: string): Pick<GetObjectCommandInput, "Bucket"> & { Key: string } {
  return { Bucket: location.bucket, Key: keyOf(location, name) };
}

export function keyOf({ prefix }: S3Location, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** `bucket media at https://s3.example.org`, as operators are told. */
export function describePlace({ bucket, prefix, endpoint, region }: S3Location): string {
  const inside = prefix === "" ? "" : `, prefix ${prefix}`;
  return `bucket ${bucket}${inside} at ${endpoint ?? `Amazon S3 in ${region}`}`;
}
