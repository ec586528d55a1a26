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
