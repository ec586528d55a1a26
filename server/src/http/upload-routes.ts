import { routes, type Upload as UploadAnswer } from "@safelight/contract";
import type { FastifyInstance } from "fastify";
import { SafelightError } from "../errors.ts";
import { largestImageBytes } from "../media/inspect-image.ts";
import { findUpload, receiveUpload, type Upload, uploadName } from "../media/uploads.ts";
import { endedMeanwhile, isStillValid } from "./credentials.ts";
import type { Installation } from "./installation.ts";
import { sendFile } from "./media-answer.ts";
import { receiveOneFile } from "./receive-one-file.ts";
import { type Call, credentialOf, type Registrar, register } from "./register.ts";

// What multipart adds around one file: boundaries and a few header lines.
const largestBody = largestImageBytes + 64 * 1024;

export async function registerUploadRoutes(registrar: Registrar): Promise<void> {
  const { installation } = registrar;
  // A scope of its own: elsewhere a multipart body stays an unsupported media type, and here a JSON one becomes it.
  await registrar.app.register(async (scope: FastifyInstance) => {
    scope.removeAllContentTypeParsers();
    // The body stays unread until the handler takes it.
    scope.addContentTypeParser("multipart/form-data", (_request, _body, done) => done(null));
    register({ ...registrar, app: scope }, routes.createUpload, async (call) => {
      const { upload, known } = await receiveImage(installation, call);
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

async function receiveImage(installation: Installation, call: Call): Promise<{ upload: Upload; known: boolean }> {
  const { context, request } = call;
  if (request.headers["content-type"] === undefined) {
    throw new SafelightError("unsupported_media_type", "Send multipart/form-data with one part named file.");
  }
  if (Number(request.headers["content-length"] ?? 0) > largestBody) {
    throw new SafelightError("payload_too_large", "The image is larger than 20 MB.");
  }
  await installation.storageCare.letUploadIn(Number(request.headers["content-length"] ?? largestImageBytes));
  const upload = await receiveOneFile(request, (file) => receiveUpload(context, file));
  // The body is read here and not before, and its credential may have ended while it came.
  const credential = credentialOf(call);
  if (!(await isStillValid(installation, credential))) throw endedMeanwhile(credential);
  return upload;
}
