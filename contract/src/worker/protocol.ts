/** What both sides of the worker protocol must agree on before the first message. */

/**
 * Sent by both sides in every message, refusals included. It counts up when a message changes so that an older side would
 * misunderstand it; fields, notices and codes that are only added do not change it.
 */
export const workerProtocol = 1;

/** Names of the protocol's own headers, in lower case. */
export const workerHeaders = {
  protocol: "safelight-protocol",
  /** Of a preview: its number, as in `preview_version`. */
  previewVersion: "safelight-preview-version",
  /** Of a result: SHA-256 of the whole file in hex, also when a part is sent. */
  sha256: "safelight-sha256",
  /** Of a result: bytes of the whole file. */
  size: "safelight-size",
} as const;

/** Limits that every worker keeps, so that a gateway need not ask first. */
export const workerLimits = {
  /** Bytes of one reference picture. */
  mediaBytes: 20 * 1024 * 1024,
  /** Bytes of a JSON body. */
  bodyBytes: 1024 * 1024,
  /** Seconds that `wait` may ask for. */
  waitSeconds: 60,
  /** Seconds a run may be given. */
  deadlineSeconds: 86_400,
  /** Bytes of one preview. */
  previewBytes: 16 * 1024 * 1024,
  /** Bytes of any JSON answer. */
  answerBytes: 1024 * 1024,
} as const;

export const workerMediaTypes = ["image/png", "image/jpeg", "image/webp"] as const;
export const workerResultTypes = [...workerMediaTypes, "video/mp4", "video/webm"] as const;

const mediaId = /^sha256-([0-9a-f]{64})$/;

/** The hash in the name of a picture, or null when it is no such name. */
export function sha256OfMediaId(id: string): string | null {
  return mediaId.exec(id)?.[1] ?? null;
}
