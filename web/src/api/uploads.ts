// Pictures on the server: sent, found again, taken from results.
import { client } from "./client.ts";
import { problemCode } from "./problems.ts";
import { withSession } from "./session.ts";

/** A picture the server holds, as much as is known of it. */
export interface StoredPicture {
  id: string;
  name: string;
  /** In pixels, 0 when unknown. */
  width: number;
  height: number;
  bytes: number;
  url: string;
}

/** Sends a picture. Fails as every request does: `invalid_image`, `payload_too_large`, no answer. */
export async function storePicture(file: Blob, name: string): Promise<StoredPicture> {
  const { id, width, height, bytes, url } = await withSession(() => client.upload(file, name));
  return { id, name, width, height, bytes, url };
}

/** The upload of this id; null when the server no longer holds it. */
export async function findPicture(id: string, name: string): Promise<StoredPicture | null> {
  try {
    const answer = await withSession(() => client.getUpload({ path: { id } }));
    const blob = await answer.blob();
    return { id, name, ...(await sizeOf(blob)), bytes: blob.size, url: client.urlOf("getUpload", { id }) };
  } catch (error) {
    if (problemCode(error) === "not_found") return null;
    throw error;
  }
}

/**
 * A finished picture as one that other tasks can work from, without the recipe inside it. Fails as every request does:
 * `task_not_ready`, `result_gone`, `task_not_found`.
 */
export async function pictureOfTask(id: string, name: string): Promise<StoredPicture> {
  const answer = await withSession(() => client.getResult({ path: { id }, query: { metadata: "0" } }));
  return storePicture(await answer.blob(), name);
}

/** The address of a result, for media elements. */
export function resultAddress(id: string): string {
  return client.urlOf("getResult", { id });
}

async function sizeOf(blob: Blob): Promise<{ width: number; height: number }> {
  try {
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    return { width: 0, height: 0 };
  }
}
