/**
 * Pictures inside a generation request. A data URI becomes an upload before the task exists, so that a task names pictures only by
 * their ids; what is wrong with one is told by the field it stands in.
 */
import type { CheckedRequest } from "@safelight/catalog";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { inspectImage, largestImageBytes } from "../media/inspect-image.ts";
import { findUpload, isUploadId, storeUpload, touchUpload, uploadIdOf } from "../media/uploads.ts";

/** A picture that came with the request and is stored once the request is accepted. */
export interface SentImage {
  readonly bytes: Buffer;
  readonly type: string;
}

export interface RequestWithIds {
  /** The request with an upload id in every picture field. */
  readonly request: CheckedRequest;
  /** By upload id; only those that are not stored yet. */
  readonly sent: ReadonlyMap<string, SentImage>;
}

const singleFields = ["reference_image", "first_frame_image", "last_frame_image"] as const;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Checks every picture of the request, without storing any.
 * Errors: `invalid_image`, `validation_failed` for an id that is unknown, both naming the field.
 */
export async function readRequestImages(context: Context, request: CheckedRequest): Promise<RequestWithIds> {
  const parameters: Record<string, unknown> = { ...request.parameters };
  const sent = new Map<string, SentImage>();
  const resolve = async (field: string, value: string): Promise<string> => {
    if (isUploadId(value)) {
      if ((await findUpload(context, value)) === null || !(await touchUpload(context, value)))
        throw unknownUpload(field);
      return value;
    }
    const image = decodeDataUri(field, value);
    const id = uploadIdOf(image.bytes);
    const known = sent.has(id) ? null : await findUpload(context, id);
    if (known?.type !== image.type) await naming(field, () => inspectImage(image.bytes, image.type));
    if (known === null) sent.set(id, image);
    return id;
  };
  for (const field of singleFields) {
    const value = parameters[field];
    if (typeof value === "string") parameters[field] = await resolve(field, value);
  }
  if (Array.isArray(parameters.arbitrary_frames)) {
    const keyframes: unknown[] = [];
    for (const [position, keyframe] of (parameters.arbitrary_frames as { image: string }[]).entries()) {
      keyframes.push({ ...keyframe, image: await resolve(`arbitrary_frames[${position}].image`, keyframe.image) });
    }
    parameters.arbitrary_frames = keyframes;
  }
  return { request: { ...request, parameters }, sent };
}

/** Makes uploads of the pictures that came with an accepted request. Errors: `storage_unavailable`. */
export async function storeRequestImages(context: Context, sent: RequestWithIds["sent"]): Promise<void> {
  for (const { bytes, type } of sent.values()) await storeUpload(context, bytes, type);
}

function decodeDataUri(field: string, value: string): SentImage {
  const comma = value.indexOf(",");
  const type = /^data:(image\/[a-z]+);base64$/.exec(value.slice(0, comma))?.[1];
  const encoded = value.slice(comma + 1);
  // Judged by its length before it is decoded; node would skip over characters that are none of base64.
  if (encoded.length > Math.ceil(largestImageBytes / 3) * 4)
    throw invalidImage(field, "The image is larger than 20 MB.");
  if (type === undefined || encoded.length % 4 !== 0 || !base64.test(encoded)) {
    throw invalidImage(field, "The image is not a data URI in base64.");
  }
  return { type, bytes: Buffer.from(encoded, "base64") };
}

async function naming<Result>(field: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SafelightError && error.code === "invalid_image" ? invalidImage(field, error.detail) : error;
  }
}

function invalidImage(field: string, message: string): SafelightError {
  return new SafelightError("invalid_image", message, { fields: [{ field, code: "invalid_image", message }] });
}

function unknownUpload(field: string): SafelightError {
  const message = "There is no upload with this id; upload the picture again.";
  return new SafelightError("validation_failed", message, { fields: [{ field, code: "unknown_upload", message }] });
}
