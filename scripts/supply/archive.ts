// A tar archive that is the same, byte for byte, whenever it is made from the same files.
import { gzipSync } from "node:zlib";

export interface ArchiveFile {
  /** Below the one folder of the archive. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

const block = 512;

/** Gzipped tar: files in the order of their names, all of one time, owned by nobody in particular. `seconds` since 1970. */
export function packArchive(folder: string, files: readonly ArchiveFile[], seconds: number): Buffer {
  const sorted = [...files].sort((one, other) => (one.path < other.path ? -1 : 1));
  const parts = sorted.flatMap(({ path, content, executable }) => [
    header(`${folder}/${path}`, content.byteLength, executable ? 0o755 : 0o644, seconds),
    content,
    Buffer.alloc((block - (content.byteLength % block)) % block),
  ]);
  const packed = gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level: 9 });
  // The byte that names the system it was packed on.
  packed[9] = 255;
  return packed;
}

function header(path: string, bytes: number, mode: number, seconds: number): Buffer {
  const { name, prefix } = split(path);
  const made = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    made.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "ascii");
  made.write(name, 0, 100, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(seconds, 136, 12);
  made.write("        0", 148, "ascii");
  made.write("ustar\x0000", 257, "latin1");
  made.write(prefix, 345, 155, "utf8");
  const sum = made.reduce((total, byte) => total + byte, 0);
  made.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "ascii");
  return made;
}

function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { name, prefix };
  }
  throw new RangeError(`${path} is too long a name for a tar file`);
}
