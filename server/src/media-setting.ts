/** MEDIA_URL and the keys that go with it. */
import { isIP } from "node:net";

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

/** Where browsers are sent for what is handed out, such as `https://media.s3.eu-north-1.amazonaws.com`. */
export function originOf({ bucket, endpoint, publicEndpoint, region, pathStyle }: S3Location): string {
  const server = new URL(publicEndpoint ?? endpoint ?? `https://s3.${region}.amazonaws.com`);
  return pathStyle ? server.origin : `${server.protocol}//${bucket}.${server.host}`;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface MediaBucket {
  readonly location: S3Location;
  /** Null: the SDK looks for them itself. */
  readonly keys: S3Keys | null;
}

/** What reads the settings, as far as it is needed here. */
export interface Settings {
  readonly refused: ReadonlySet<string>;
  text(name: string): string | undefined;
  secret(name: string): string | null;
  refuse<Value>(name: string, problem: string, value: Value): Value;
}

/** Null where media lies on the disk; then nothing of AWS_… is looked at, as it may be meant for something else on this machine. */
export function readMediaBucket(settings: Settings): MediaBucket | null {
  const text = settings.text("MEDIA_URL");
  if (text === undefined) return null;
  const location = parseMediaUrl(text, settings.text("AWS_REGION"));
  if ("problem" in location) return settings.refuse("MEDIA_URL", location.problem, null);
  const accessKeyId = settings.secret("AWS_ACCESS_KEY_ID");
  const secretAccessKey = settings.secret("AWS_SECRET_ACCESS_KEY");
  const sessionToken = settings.secret("AWS_SESSION_TOKEN");
  if (accessKeyId !== null && secretAccessKey !== null) {
    return { location, keys: { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) } };
  }
  for (const [name, value, other] of [
    ["AWS_ACCESS_KEY_ID", accessKeyId, secretAccessKey],
    ["AWS_SECRET_ACCESS_KEY", secretAccessKey, accessKeyId],
  ] as const) {
    if (value !== null || other === null || settings.refused.has(name)) continue;
    settings.refuse(name, "must be set where the other of the two is: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.", null);
  }
  return { location, keys: null };
}
