/** As much of the tar format as a backup needs: plain files, ustar headers, sizes beyond 8 GiB in base 256. */

export const tarBlock = 512;

/** The header of one file. `path` has at most 100 bytes, or can be split at a slash into 155 and 100. */
export function tarHeader(path: string, bytes: number, modifiedAt: number): Buffer {
  const header = Buffer.alloc(tarBlock);
  const { name, prefix } = splitPath(path);
  header.write(name, 0, 100, "utf8");
  header.write("0000600\0", 100, 8, "ascii");
  header.write("0000000\0", 108, 8, "ascii");
  header.write("0000000\0", 116, 8, "ascii");
  writeSize(header, bytes);
  header.write(
    `${Math.floor(modifiedAt / 1000)
      .toString(8)
      .padStart(11, "0")}\0`,
    136,
    12,
    "ascii",
  );
  header.write("        ", 148, 8, "ascii");
  header.write("0", 156, 1, "ascii");
  header.write("ustar\x0000", 257, 8, "latin1");
  header.write(prefix, 345, 155, "utf8");
  const sum = checksumOf(header);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "ascii");
  return header;
}

/** Zeros after a file of this size, up to the next block. */
export function tarPadding(bytes: number): Buffer {
  return Buffer.alloc((tarBlock - (bytes % tarBlock)) % tarBlock);
}

/** Two empty blocks: the end of a tar file. */
export const tarEnd = Buffer.alloc(2 * tarBlock);

/** Path and size of a file; null where the block is empty. Errors: Error where it is no header that this module writes. */
export function readTarHeader(block: Uint8Array): { path: string; bytes: number } | null {
  const header = Buffer.from(block);
  if (header.every((byte) => byte === 0)) return null;
  const sum = Number.parseInt(textAt(header, 148, 8), 8);
  const blank = Buffer.from(header);
  blank.write("        ", 148, 8, "ascii");
  if (header.byteLength !== tarBlock || sum !== checksumOf(blank))
    throw new Error("a header of the tar file is damaged");
  const [name, prefix] = [textAt(header, 0, 100), textAt(header, 345, 155)];
  return { path: prefix === "" ? name : `${prefix}/${name}`, bytes: readSize(header) };
}

function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { name, prefix };
  }
  throw new RangeError(`${path} is too long a name for a tar file`);
}

const largestOctal = 0o77777777777;

function writeSize(header: Buffer, bytes: number): void {
  if (bytes <= largestOctal) {
    header.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124, 12, "ascii");
    return;
  }
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(bytes), 128);
}

function readSize(header: Buffer): number {
  const bytes =
    header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(textAt(header, 124, 12) || "0", 8);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error("a header of the tar file is damaged");
  return bytes;
}

function textAt(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field
    .subarray(0, end < 0 ? length : end)
    .toString("utf8")
    .trim();
}

function checksumOf(header: Uint8Array): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}
