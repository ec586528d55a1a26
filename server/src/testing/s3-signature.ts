/** Signatures of version 4, checked as S3 documents them and with nothing of the client's own code. */
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

const farthestClock = 15 * 60 * 1000;

/** Null for a request that is signed with this pair and not too old; otherwise the code that S3 refuses it with. */
export function judgeSignature(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  keys: { readonly id: string; readonly secret: string },
): string | null {
  const [path = "", queryText = ""] = (request.url ?? "").split("?");
  const query = queryText === "" ? [] : queryText.split("&").map((pair) => pair.split("=") as [string, string?]);
  const asked = new Map(query.map(([name, value = ""]) => [name, decodeURIComponent(value)]));
  const isAddress = asked.has("X-Amz-Signature");
  const header = request.headers.authorization ?? "";
  const field = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(header)?.[1] ?? "";
  const credential = isAddress ? (asked.get("X-Amz-Credential") ?? "") : field("Credential");
  const signature = isAddress ? asked.get("X-Amz-Signature") : field("Signature");
  const names = isAddress ? (asked.get("X-Amz-SignedHeaders") ?? "") : field("SignedHeaders");
  const date = isAddress ? (asked.get("X-Amz-Date") ?? "") : String(request.headers["x-amz-date"]);
  if (credential === "") return "AccessDenied";
  const [id, ...scope] = credential.split("/");
  if (id !== keys.id) return "InvalidAccessKeyId";
  const age = Date.now() - Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5"));
  if (isAddress && age > Number(asked.get("X-Amz-Expires")) * 1000) return "AccessDenied";
  if (Math.abs(age) > farthestClock && !isAddress) return "RequestTimeTooSkewed";
  const canonical = [
    request.method,
    path,
    query
      .filter(([name]) => name !== "X-Amz-Signature")
      .map(([name, value = ""]) => `${name}=${value}`)
      .sort()
      .join("&"),
    ...names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    names,
    isAddress ? "UNSIGNED-PAYLOAD" : String(request.headers["x-amz-content-sha256"]),
  ].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), hash].join("\n");
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${keys.secret}`);
  return hmac(key, text).toString("hex") === signature ? null : "SignatureDoesNotMatch";
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
