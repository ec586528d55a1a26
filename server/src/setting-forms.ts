/** The forms that values of settings may have. */
import { isIP } from "node:net";

/** The key in force, and after commas former ones that still read; null when the text is none. */
export function parseEncryptionKeys(text: string): readonly [Buffer, ...Buffer[]] | null {
  const [first = null, ...others] = text.split(",").map((part) => parseEncryptionKey(part.trim()));
  if (first === null || others.includes(null)) return null;
  return [first, ...others.filter((key) => key !== null)];
}

/** 32 bytes written as base64, base64url or hex; null when the text is none of these. */
export function parseEncryptionKey(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  return Buffer.from(text, "base64");
}

/** True for names and addresses that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

export function webhookSecretBytes(text: string): number {
  if (!text.startsWith("whsec_")) return Buffer.byteLength(text);
  const encoded = text.slice("whsec_".length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, "base64").length : 0;
}

export function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.?$/i.test(text) && !/^[\d.]+$/.test(text);
}

export function parseOrigin(entry: string): string | { problem: string } {
  if (entry === "*") return { problem: "* would let every site in; list each origin." };
  const url = URL.parse(entry);
  const fits =
    url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "" && url.hash === "";
  if (!fits || url.username !== "" || url.hostname.includes("*")) {
    return { problem: "must be a comma-separated list of origins such as https://studio.example (no path, no *)." };
  }
  return url.origin;
}

/** A card in Modal's names, with how many of it: `H100`, `A100-80GB:2`. */
export function parseCard(entry: string): string | { problem: string } {
  if (/^[A-Za-z0-9][A-Za-z0-9!+-]{0,39}(?::[1-8])?$/.test(entry)) return entry;
  return { problem: "must be a comma-separated list of cards as Modal names them, such as H100,A100-80GB." };
}

export function parseHostEntry(entry: string): string | { problem: string } {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(entry);
  const name = match?.[1]?.toLowerCase() ?? "";
  const plain = name.replace(/^\[(.*)\]$/, "$1");
  const fits = match !== null && (isIP(plain) > 0 || isHostName(name)) && Number(match[2] ?? 0) <= 65_535;
  if (!fits) return { problem: "must be a comma-separated list of host names, with or without a port (no *)." };
  return match[2] === undefined ? name : `${name}:${match[2]}`;
}

export function parseNetwork(entry: string): string | { problem: string } {
  const [address = "", length, more] = entry.split("/");
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const fits =
    version > 0 &&
    more === undefined &&
    (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= longest));
  // A range of zero bits believes everybody, which is the fault that the setting exists to prevent.
  if (!fits || Number(length ?? longest) === 0) {
    return { problem: "must be a comma-separated list of IP addresses or CIDR ranges such as 10.0.0.0/8." };
  }
  return entry;
}

/** A bucket of an S3 server, and where it is asked for. */
export interface S3Location {
  readonly bucket: string;
  /** What every key begins with, without a slash at its ends; empty where there is none. */
  readonly prefix: string;
  /** Address of the server; null for Amazon's own. */
  readonly endpoint: string | null;
  /** Address that browsers reach it at, where that is another; only signed addresses use it. */
  readonly publicEndpoint: string | null;
  readonly region: string;
  /** True: the bucket is a part of the path; false: of the host name. */
  readonly pathStyle: boolean;
}

const s3Form = "must look like s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1";
const s3Keys = ["endpoint", "public_endpoint", "region", "path_style"] as const;

/** Reads `s3://bucket/prefix?endpoint=…&region=…&path_style=…`. No text of it is repeated: it may hold a key by mistake. */
export function parseMediaUrl(text: string, environmentRegion?: string): S3Location | { problem: string } {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "s3:" || /\s/.test(text)) return { problem: `${s3Form}.` };
  if (url.username !== "" || url.password !== "" || text.includes("@")) {
    return { problem: "holds a user or password; give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." };
  }
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes("..") || isIP(bucket) > 0) {
    return { problem: "names no bucket: 3 to 63 lower-case letters, digits, dots and dashes." };
  }
  const prefix = url.pathname.replace(/^\/|\/$/g, "");
  const parts = prefix === "" ? [] : prefix.split("/");
  if (url.port !== "" || url.hash !== "" || prefix.length > 200) return { problem: `${s3Form}.` };
  if (parts.some((part) => !/^[\w-][\w.-]*$/.test(part))) {
    return { problem: "has a prefix with other signs than letters, digits, dots, dashes, underscores and slashes." };
  }
  return parseS3Query(url.searchParams, { bucket, prefix }, environmentRegion);
}

function parseS3Query(
  query: URLSearchParams,
  place: Pick<S3Location, "bucket" | "prefix">,
  environmentRegion: string | undefined,
): S3Location | { problem: string } {
  const names = [...query.keys()];
  if (names.some((name) => !(s3Keys as readonly string[]).includes(name)) || new Set(names).size < names.length) {
    return { problem: `takes each of these once and no others: ${s3Keys.join(", ")}.` };
  }
  const endpoint = parseEndpoint(query.get("endpoint"));
  const publicEndpoint = parseEndpoint(query.get("public_endpoint"));
  if (endpoint === false || publicEndpoint === false) {
    return { problem: "endpoint must be an http or https address without path, query or user." };
  }
  const region = query.get("region") ?? environmentRegion ?? (endpoint === null ? "" : "us-east-1");
  if (!/^[a-z0-9-]{2,40}$/.test(region)) return { problem: "needs a region, such as region=eu-central-1." };
  const style = query.get("path_style")?.toLowerCase() ?? (endpoint === null ? "false" : "true");
  const pathStyle = ["1", "true", "yes", "on"].includes(style);
  if (!pathStyle && !["0", "false", "no", "off"].includes(style)) return { problem: "path_style must be 1 or 0." };
  return { ...place, endpoint, publicEndpoint, region, pathStyle };
}

/** False for what is no address. */
function parseEndpoint(text: string | null): string | null | false {
  if (text === null) return null;
  const url = URL.parse(text);
  const fits = url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search + url.hash === "";
  return fits && url.username + url.password === "" ? url.origin : false;
}
