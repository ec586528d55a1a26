// The recipe as an XMP packet, the form that PNG, JPEG and WebP share and that photo software shows.

import { parseObject } from "./json.ts";

const NAMESPACE = "urn:safelight:recipe:1";

/** Packet with the recipe as JSON and the prompt as the description that viewers show. */
export function xmpPacket(recipe: Readonly<Record<string, unknown>>): string {
  const prompt = typeof recipe.prompt === "string" ? recipe.prompt : "";
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:safelight="${NAMESPACE}">`,
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escaped(prompt)}</rdf:li></rdf:Alt></dc:description>`,
    `<safelight:recipe>${escaped(JSON.stringify(recipe))}</safelight:recipe>`,
    "</rdf:Description></rdf:RDF></x:xmpmeta>",
    '<?xpacket end="r"?>',
  ].join("\n");
}

/** The recipe in a packet of ours, null in any other. */
export function recipeFromXmp(packet: string): Record<string, unknown> | null {
  const match = /<safelight:recipe>([^<]*)<\/safelight:recipe>/.exec(packet);
  return match?.[1] === undefined ? null : parseObject(unescaped(match[1]));
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML has no way to write most control characters; JSON text holds none, and in a prompt they are dropped. */
function escaped(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, "").replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

function unescaped(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}
