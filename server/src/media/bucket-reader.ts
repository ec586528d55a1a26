/** A bucket as it is looked at by who changes nothing in it: the doctor and backups. */
import { HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { StoredSize } from "../context/media-store.ts";
import type { MediaBucket } from "../media-setting.ts";
import { isMediaName, mediaFolders } from "./media-names.ts";
import { describePlace, keyOf, objectOf, openPlace, type S3Place } from "./s3-place.ts";
import { patiently } from "./s3-retry.ts";

const usualPage = 1000;
const patience = { total: 15_000, one: 15_000 };

export class BucketReader {
  readonly #place: S3Place;

  constructor({ location, keys }: MediaBucket) {
    this.#place = openPlace(location, keys);
  }

  /** `bucket media at https://s3.example.org`. */
  get place(): string {
    return describePlace(this.#place.location);
  }

  /** Every stored file with its size in bytes. Errors: S3Fault. */
  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const folder of mediaFolders) {
      for await (const { name, bytes } of listObjects(this.#place, `${folder}/`, { listed: usualPage, ...patience })) {
        sizes.set(name, bytes);
      }
    }
    return sizes;
  }

  /** What was noted with the object when it was stored, 64 hex digits; null where nothing was. Errors: S3Fault, S3Missing. */
  async sha256Of(name: string): Promise<string | null> {
    const found = await patiently(patience, (abortSignal) =>
      this.#place.client.send(new HeadObjectCommand(objectOf(this.#place, name)), { abortSignal }),
    );
    const sha256 = found.Metadata?.sha256 ?? "";
    return /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null;
  }

  close(): void {
    this.#place.client.destroy();
  }
}

/** Objects whose names begin so, page by page; what is not ours beside them is left out. Errors: S3Fault. */
export async function* listObjects(
  place: S3Place,
  prefix: string,
  { listed, ...waiting }: { listed: number; total: number; one: number },
): AsyncGenerator<StoredSize & { readonly name: string }> {
  const before = keyOf(place.location, "");
  let token: string | undefined;
  do {
    const command = {
      Bucket: place.location.bucket,
      Prefix: `${before}${prefix}`,
      MaxKeys: listed,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    const page = await patiently(waiting, (abortSignal) =>
      place.client.send(new ListObjectsV2Command(command), { abortSignal }),
    );
    for (const { Key = "", Size: bytes = 0, LastModified } of page.Contents ?? []) {
      const name = Key.slice(before.length);
      if (isMediaName(name)) yield { name, bytes, modifiedAt: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
