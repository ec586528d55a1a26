import type { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";

export interface SentFile {
  /** Breaks with an error when the sender does. */
  readonly content: Readable;
  /** The content type its sender gave it. */
  readonly type: string | null;
}

/**
 * Reads a multipart body that must be exactly one file named `file`, handing its content on as it arrives.
 * Errors: those of `receive`, and `validation_failed` for any other form.
 */
export async function receiveOneFile<Result>(
  request: FastifyRequest,
  receive: (file: SentFile) => Promise<Result>,
): Promise<Result> {
  const { Busboy } = await import("@fastify/busboy");
  let received: Promise<Result> | undefined;
  const body = request.raw;
  try {
    await new Promise<void>((resolve, reject) => {
      const form = new Busboy({
        headers: { ...request.headers, "content-type": request.headers["content-type"] ?? "" },
        limits: { parts: 2, files: 2, fields: 1, fieldSize: 1024, headerPairs: 20, headerSize: 8 * 1024 },
      });
      const refuse = () => reject(wrongForm("unknown_parameter", "Send exactly one part, a file named file."));
      form.on("file", (name, content, _fileName, _encoding, type) => {
        if (name !== "file" || received !== undefined) {
          content.on("error", () => undefined).resume();
          return refuse();
        }
        // Busboy reports a break by an event without destroying its stream, and its readers would wait for ever.
        content.on("error", (error) => content.destroy(error));
        received = receive({ content, type: type || null });
        // Whoever takes the file may refuse it before the form has ended.
        received.catch((error: unknown) => {
          content.resume();
          reject(error as Error);
        });
      });
      form.on("field", refuse).on("partsLimit", refuse).on("filesLimit", refuse).on("fieldsLimit", refuse);
      form.on("error", () => reject(broken())).on("finish", resolve);
      body.once("close", () => {
        if (!body.complete) reject(broken());
      });
      body.pipe(form);
    }).catch((error: unknown) => {
      throw error instanceof Error && error.message.startsWith("Multipart:") ? broken() : error;
    });
    if (received === undefined) throw wrongForm("required", "There is no part named file.");
    return await received;
  } catch (error) {
    // What is still to come is let through unread, so that the sender gets to see the answer.
    body.unpipe();
    body.resume();
    throw error;
  }
}

function broken(): SafelightError {
  return wrongForm("pattern", "The multipart body is broken or incomplete.");
}

function wrongForm(code: string, message: string): SafelightError {
  return new SafelightError("validation_failed", message, { fields: [{ field: "file", code, message }] });
}
