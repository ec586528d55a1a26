import { hash } from "node:crypto";
import { type CheckedRequest, checkRequest } from "@safelight/catalog";
import { type GenerateAnswer, routes } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { findReplay, type IdempotencyClaim } from "../tasks/idempotency.ts";
import { submitTask } from "../tasks/submit.ts";
import { accountOffer } from "../worker-accounts/account-offer.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Installation } from "./installation.ts";
import { refuseUnwantedContent } from "./judge-content.ts";
import { type Call, credentialOf, type Registrar, register } from "./register.ts";
import { readRequestImages, storeRequestImages } from "./request-images.ts";
import { requireWorkspace } from "./task-id.ts";

/** 64 MiB: a request with its pictures as data URIs. */
export const largestJsonBody = 64 * 1024 * 1024;

export function registerGenerateRoutes(registrar: Registrar): void {
  register(registrar, routes.generate, (call) => generate(registrar.installation, call), {
    bodyLimit: largestJsonBody,
  });
}

/** Schema, idempotency, capacity, and only then anything is written: pictures first, the task last. */
async function generate(installation: Installation, call: Call): Promise<GenerateAnswer> {
  const { context, reply } = call;
  const checked = judgeBody(call.body);
  await refuseUnwritableFormat(installation, checked);
  const { request, sent } = await readRequestImages(context, checked);
  const idempotency = claimOf(call, request);
  const replay = idempotency === null ? null : await findReplay(context, idempotency);
  if (replay !== null) return accept(reply, replay, true);
  await refuseUnwantedContent(installation, call, request);
  await refuseWithoutCapacity(installation, context, request);
  await installation.storageCare.letTaskIn(request);
  await storeRequestImages(context, sent);
  const { queueLimit } = installation.config;
  const { answer, replayed } = await submitTask(context, { request, idempotency, queueLimit });
  return accept(reply, answer, replayed);
}

function accept(reply: Call["reply"], answer: GenerateAnswer, replayed: boolean): GenerateAnswer {
  reply.code(202).header("location", answer.status_url);
  if (replayed) reply.header("idempotency-replayed", "true");
  return answer;
}

function judgeBody(body: unknown): CheckedRequest {
  if (body === undefined) throw new SafelightError("malformed_json", "The body is empty.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    const message = "The body must be a JSON object.";
    throw new SafelightError("validation_failed", message, { fields: [{ field: "", code: "wrong_type", message }] });
  }
  const checked = checkRequest(body as Record<string, unknown>);
  if (checked.ok) return checked;
  throw new SafelightError(checked.code, checked.detail, { fields: checked.errors });
}

/** A file type that nothing here can write is refused as an option of its field, not after the work is done. */
async function refuseUnwritableFormat(installation: Installation, request: CheckedRequest): Promise<void> {
  const format = request.parameters.output_format;
  const offer = installation.offers.offer(request.model, request.mode);
  const isEmbedded = request.workspace === null && offer.able && offer.executor === "embedded";
  if (!isEmbedded || typeof format !== "string" || (await installation.engine.canEncode(format))) return;
  const message = `${format} needs ffmpeg on this machine; choose another output_format.`;
  throw new SafelightError("validation_failed", message, {
    fields: [{ field: "output_format", code: "format_unavailable", message }],
  });
}

async function refuseWithoutCapacity(
  installation: Installation,
  context: Context,
  request: CheckedRequest,
): Promise<void> {
  if (request.workspace !== null) {
    const account = await requireWorkspace(context, request.workspace, routes.generate.path);
    const offer = accountOffer(account, request.model, request.mode, request.type);
    if (offer.able) return;
    throw new SafelightError("no_workers", `This workspace cannot run it now. ${offer.reason.detail}`);
  }
  const offer = installation.offers.offer(request.model, request.mode);
  if (!offer.able) throw new SafelightError("no_workers", offer.reason.detail);
}

/**
 * The key belongs to the credential that sent it. Two bodies are the same request when they mean the same: compared with defaults
 * filled in and with pictures by what they show, as data URI or as id.
 */
function claimOf(call: Call, request: CheckedRequest): IdempotencyClaim | null {
  const key = call.request.headers["idempotency-key"];
  if (typeof key !== "string" || key === "") return null;
  return { credential: credentialOf(call).id, key, bodyHash: hash("sha256", canonicalJson(request), "hex") };
}
