import { routes, type Upload as UploadAnswer } from "@safelight/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import { largestImageBytes } from "../media/inspect-image.ts";
import { findUpload, receiveUpload, type Upload, uploadName } from "../media/uploads.ts";
import { sendFile } from "./media-answer.ts";
import { type Call, type Registrar, register } from "./register.ts";

// What multipart adds around one file: boundaries and a few header lines.
const largestBody = largestImageBytes + 64 * 1024;

export async function registerUploadRoutes(registrar: Registrar): Promise<void> {
  const { installation } = registrar;
  const { default: multipart } = await import("@fastify/multipart");
  // A scope of its own: elsewhere a multipart body stays an unsupported media type, and here a JSON one becomes it.
  await registrar.app.register(async (scope: FastifyInstance) => {
    scope.removeAllContentTypeParsers();
    await scope.register(multipart, {
      throwFileSizeLimit: false,
      limits: { files: 2, fields: 2, parts: 3, fileSize: largestImageBytes + 1, headerPairs: 20 },
    });
    register({ ...registrar, app: scope }, routes.createUpload, async (call) => {
      const { upload, known } = await receiveOnePart(call);
      call.reply.code(known ? 200 : 201);
      return describeUpload(upload, installation.config.publicBaseUrl);
    });
  });

  register(
    registrar,
    routes.getUpload,
    async (call) => {
      const upload = await findUpload(call.context, call.id);
      if (upload === null) throw new SafelightError("not_found", "There is no such upload.");
      return sendFile(installation, call, {
        name: uploadName(upload),
        type: upload.type,
        etag: `"${upload.id}"`,
        // The name says what the bytes are, so they never change; they are still for holders of a credential only.
        cacheControl: "private, max-age=31536000, immutable",
        fileName: null,
        whenMissing: new SafelightError("not_found", "There is no such upload."),
      });
    },
    { head: "handler" },
  );
}

export function describeUpload(upload: Upload, publicBaseUrl: string | null): UploadAnswer {
  return { ...upload, url: `${publicBaseUrl ?? ""}/uploads/${upload.id}` };
}

async function receiveOnePart({ context, request }: Call): Promise<{ upload: Upload; known: boolean }> {
  if (!request.isMultipart()) {
    throw new SafelightError("unsupported_media_type", "Send multipart/form-data with one part named file.");
  }
  if (Number(request.headers["content-length"] ?? 0) > largestBody) {
    throw new SafelightError("payload_too_large", "The image is larger than 20 MB.");
  }
  try {
    return await readParts(context, request);
  } catch (error) {
    // The rest of the body is let through unread, so that the sender gets to see the answer.
    request.raw.unpipe();
    request.raw.resume();
    throw error instanceof SafelightError ? error : explainMultipartError(error);
  }
}

async function readParts(context: Call["context"], request: FastifyRequest) {
  let received: { upload: Upload; known: boolean } | undefined;
  for await (const part of request.parts()) {
    if (part.type !== "file" || part.fieldname !== "file" || received !== undefined) {
      throw wrongPart("unknown_parameter", "Send exactly one part, a file named file.");
    }
    received = await receiveUpload(context, { content: part.file, type: part.mimetype || null });
  }
  if (received === undefined) throw wrongPart("required", "There is no part named file.");
  return received;
}

function explainMultipartError(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && /^FST_(?:PARTS|FILES|FIELDS)_LIMIT$/.test(code)) {
    return wrongPart("unknown_parameter", "Send exactly one part, a file named file.");
  }
  // What the multipart reader itself throws has neither a system's nor fastify's code.
  if (code === undefined && error instanceof Error && !("statusCode" in error)) {
    return wrongPart("pattern", "The multipart body is broken or incomplete.");
  }
  return error;
}

function wrongPart(code: string, message: string): SafelightError {
  return new SafelightError("validation_failed", message, { fields: [{ field: "file", code, message }] });
}
